"""The registry's part of the JSON contract: one model a kind of row. Used to document the API, not to compute.

Times are ISO 8601 in UTC with microseconds; null means unknown, never zero. Fields with a default are in the rows only
for requests that bring a key: without one they are absent, not null.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from api.schemas import ProblemBody, Row


class SchemeRow(Row):
    """A scheme or offset programme."""

    scheme: str
    kind: str
    name_zh: str
    name_en: str
    registry_hub: str | None
    market: str | None
    state: str
    source: str


class InstrumentRow(Row):
    """A kind of unit. `client_id`: the act that added it."""

    instrument: str
    scheme: str
    kind: str
    unit: str
    vintage_from: int | None
    vintage_to: int | None
    serialised: bool
    next_serial: int
    stem: str | None
    programme: str | None
    project: str | None
    only_kinds: str | None
    source: str | None
    client_id: str | None


class EntityRow(Row):
    """A holder."""

    entity: str
    uscc: str | None
    name: str
    name_en: str | None
    hub: str | None
    sector: str | None
    country: str | None
    contact: str | None = None
    client_id: str
    at: datetime


class AccountRow(Row):
    """An account."""

    account: str
    scheme: str
    type: str
    status: str
    entity: str | None
    entity_name: str | None
    hub: str | None
    first_year: int | None
    last_year: int | None
    client_id: str
    at: datetime


class OneAccountRow(AccountRow):
    """An account with its representatives."""

    primary: str | None = None
    secondary: str | None = None


class RepresentativeRow(Row):
    """A person who may act for an account; `current` is false once another one was appointed."""

    account: str
    role: str
    name: str
    current: bool
    client_id: str
    at: datetime


class HoldingRow(Row):
    """What an account holds of an instrument. `contra`: an issuance account, whose quantity is minus what it issued."""

    account: str
    scheme: str
    account_type: str
    entity: str | None
    instrument: str
    kind: str
    unit: str
    quantity: int
    reserved: int
    free: int
    contra: bool


class TransactionRow(Row):
    """An act, done or refused. `code`: the check that refused it; `reverses`: the client's id of the act it undoes."""

    transaction: int
    client_id: str
    kind: str
    scheme: str | None
    subject: str | None
    at: datetime
    actor: str | None = None
    status: str
    code: str | None
    message: str | None
    reverses: str | None
    body: str | None = None
    body_sha256: str | None = None


class TransactionLegRow(TransactionRow):
    """An act and one of its legs; null where nothing moved."""

    transfer: int | None
    leg_kind: str | None
    phase: str | None
    source: str | None
    target: str | None
    instrument: str | None
    quantity: int | None
    first_serial: int | None
    compliance_year: int | None
    expires_at: datetime | None


class TransferRow(Row):
    """A leg. `open`: of a reservation, whether it was neither settled nor voided; null for other legs."""

    transfer: int
    transaction: int
    client_id: str
    kind: str
    phase: str
    source: str
    target: str
    instrument: str
    quantity: int
    first_serial: int | None
    compliance_year: int | None
    at: datetime
    expires_at: datetime | None
    open: bool | None
    reserve: int | None
    reverses: int | None
    reference: str | None


class BlockRow(Row):
    """A run of serial numbers that one account holds now. `reserved_by`: the client's id of the reservation."""

    instrument: str
    serial_first: int
    serial_last: int
    quantity: int
    account: str
    reserved_by: str | None


class StatementRow(Row):
    """A figure of a compliance year: `verified` emissions or `final_allocation`, in tonnes."""

    statement: int
    account: str
    scheme: str
    compliance_year: int
    kind: str
    version: int
    quantity_t: int
    source: str | None
    reversed: bool
    client_id: str
    at: datetime


class SealRow(Row):
    """A link of the hash chain over the log; `sha256` of the last one is what to publish."""

    seal: int
    at: datetime
    previous_sha256: str
    sha256: str
    covers: str


class TraceRow(Row):
    """One step in the life of a unit. `state`: moved for a leg; at the end held, reserved, surrendered, cancelled,
    carried over or returned, with `at` and the leg's fields null."""

    instrument: str
    serial_first: int
    serial_last: int
    state: str
    at: datetime | None
    kind: str | None
    phase: str | None
    client_id: str | None
    source: str | None
    target: str | None
    parent_first: int | None
    parent_last: int | None
    holder: str
    holder_name: str


class FindingRow(Row):
    """One finding of the audit. `found` and `expected` may hold persons' names: only for requests with a key."""

    code: str
    severity: str
    table: str | None
    id: int | None
    client_id: str | None
    account: str | None
    instrument: str | None
    found: str | None = None
    expected: str | None = None
    eu_response: str | None


class CheckRow(Row):
    """A check that the ledger and its files are held against."""

    code: str
    eu_response: str | None
    name_en: str
    name_zh: str


class ComplianceRow(Row):
    """How an operator account stands with a compliance year; tonnes."""

    account: str
    entity: str | None
    name: str | None
    name_en: str | None
    hub: str | None
    sector: str | None
    scheme: str
    compliance_year: int
    verified_t: int | None
    allocated_t: int | None
    final_allocation_t: int | None
    obligation_t: int | None
    surrendered_t: int | None
    offsets_t: int | None
    offset_limit_t: int | None
    outstanding_t: int | None
    deadline: date | None
    status: str | None


class RuleRow(Row):
    """A rule of a scheme, with document, source and confidence."""

    scheme: str
    rule: str
    kind: str
    item: str | None
    sector: str | None
    classes: str | None
    first_year: int | None
    last_year: int | None
    from_date: date | None
    to_date: date | None
    values: str | None
    text_en: str | None
    text_zh: str | None
    document: str | None
    source: str | None
    confidence: str
    status: str
    origin: str
    note: str | None


class ReceiptBody(BaseModel):
    """What came of an act. `replayed`: it had been asked before under the same id, and nothing happened now."""

    model_config = ConfigDict(extra="forbid")

    transaction: int
    client_id: str
    kind: str
    status: Literal["done"]
    replayed: bool


class ExpiredBody(BaseModel):
    """What came of voiding one reservation that had expired."""

    model_config = ConfigDict(extra="forbid")

    transaction: int
    client_id: str
    kind: str
    status: Literal["done", "failed"]
    code: str | None
    message: str | None
    replayed: bool


class SealBody(BaseModel):
    """A link of the hash chain: its number, its digest to publish, and how many rows of the log it covers."""

    model_config = ConfigDict(extra="forbid")

    seal: int
    sha256: str
    rows: int


class RefusalBody(ProblemBody):
    """A refused act: the check that refused it, and the EU response code where there is one. 未获通过的检查。

    `act_status` is `failed` where the refusal was recorded for ever under the client's id; without it nothing was.
    """

    code: str
    eu_response: str | None
    check_en: str
    check_zh: str
    act_status: str | None = None
    transaction: int | None = None
    client_id: str | None = None
    kind: str | None = None
    replayed: bool | None = None
