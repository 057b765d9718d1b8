"""Personal carbon accounts in the JSON contract: one model a kind of row, and what a client may ask with.

Null means unknown, never zero. Used to document the API and to check bodies, not to compute.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict

from api.schemas import Row
from carbon.footprints.persons.credits import Rule

_Text = Annotated[str, Field(max_length=400)]
_MOST_WORDS: Final = 200


class MethodRow(Row):
    """A dated row of a methodology; factors in grams of CO2e per unit. Confidence L is never certified."""

    method: str
    valid_from: date
    valid_to: date | None
    activity: str
    baseline_g: float
    activity_g: float
    unit: str
    cap_day_g: int | None
    cap_year_g: int | None
    region: str | None
    source: str
    published: date | None
    confidence: str
    name_zh: str
    name_en: str
    remark: str | None
    origin: str


class PersonTotalRow(Row):
    """Sums of all entries, erased persons' too. A part that was not asked for in `by` is null."""

    platform: str | None
    hub: str | None
    month: str | None
    method: str | None
    entries: int
    reduction_g: int
    credited_g: int
    over_cap_g: int
    certified_g: int
    open_g: int


class CityAccountsRow(Row):
    """Accounts of a city at the end of a year: recorded here, or printed elsewhere (a lower bound)."""

    hub: str
    period: str
    accounts: int
    source: str
    printed: bool


class CertificationRow(Row):
    """Tonnes made of persons' grams."""

    client_id: str
    platform: str
    day: date
    rule: str
    tonnes: int
    grams: int
    transaction: int


class OutcomeRow(Row):
    """What came of one row. `row` counts from 1 in the order of the body."""

    row: int
    status: str
    code: str | None
    reason_en: str | None
    reason_zh: str | None


class RecordedRow(OutcomeRow):
    """What came of one reduction, in whole grams."""

    method: str | None
    day: date | None
    reduction_g: int | None
    credited_g: int | None
    over_cap_g: int | None


class OwnRow(Row):
    """What one person has of one method in one month."""

    hub: str
    month: str
    method: str
    entries: int
    reduction_g: int
    credited_g: int
    over_cap_g: int
    certified_g: int
    balance_g: int


class ErasedBody(Row):
    """Whether there was an account."""

    erased: bool


class CertifiedBody(Row):
    """Tonnes issued, and of how many accounts and entries they were made."""

    transaction: int
    client_id: str
    tonnes: int
    accounts: int
    entries: int
    replayed: bool


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConsentBody(_Body):
    """Consent given or withdrawn by one person from a day on; `*` is every method."""

    person: _Text
    hub: _Text
    event: Annotated[_Text, Field(examples=["given"])]
    day: date
    purposes: Annotated[list[_Text], Field(max_length=_MOST_WORDS)] = ["record", "certify"]
    methods: Annotated[list[_Text], Field(max_length=_MOST_WORDS)] = ["*"]


class ClaimBody(_Body):
    """One trip, kWh or act; `claim` is its id with whoever measured it, the same on every platform."""

    claim: _Text
    person: _Text
    day: date
    method: _Text
    amount: Annotated[Decimal, Field(max_digits=15, decimal_places=3)]
    unit: _Text


class PersonBody(_Body):
    """One person, by the platform's own id."""

    person: _Text


class CertifyBody(_Body):
    """Tonnes to certify, all whole ones without `tonnes`; entries up to `day`, today without it."""

    tonnes: Annotated[int, Strict(), Field(ge=1, le=2**40)] | None = None
    day: date | None = None
    rule: Rule = "fifo"
