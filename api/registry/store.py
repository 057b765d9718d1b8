"""The registry's verbs and views over the opened store: the same for HTTP and the command line.

Knows every verb by its name and how it is carried out, when the log is sealed in passing, and which view answers which
question. Knows no HTTP, no screen and no clock. A new verb of the ledger plugs in at VERBS, with its body in
`bodies` and its words in `routers.registry_acts`.
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

import polars as pl
from sqlalchemy import Connection, text

from api.db import one_state
from api.store import Store
from carbon.errors import CarbonError
from carbon.ledger import obligations, parties, settlement, verbs
from carbon.ledger.audit import audit as audit_ledger
from carbon.ledger.book import Act
from carbon.ledger.chain import SealBusy, Sealed
from carbon.ledger.chain import seal as seal_log
from carbon.ledger.compliance import compliance as compliance_of
from carbon.ledger.listing import Page
from carbon.ledger.listings import list_rows
from carbon.ledger.orders import Receipt
from carbon.ledger.post import writing
from carbon.ledger.trace import trace as trace_units
from carbon.rules.book import load_rules
from carbon.rules.book import rule_rows as rows_of_rules

__all__ = [
    "SEAL_EVERY",
    "VERBS",
    "CheckName",
    "NotInLedger",
    "UnknownVerb",
    "Verb",
    "account",
    "audit",
    "check_name",
    "checks",
    "compliance",
    "expire",
    "page",
    "perform",
    "rules",
    "seal",
    "seal_if_due",
    "trace",
    "transaction",
]

SEAL_EVERY: Final = 1000
"""Once more transactions than this are unsealed, the next writer seals them in passing."""


class UnknownVerb(CarbonError):
    """The registry has no verb of this name."""


class NotInLedger(CarbonError):
    """The ledger has no account or transaction of this name."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the ledger; ruled : it is held against the schemes' rules, which it takes as an argument."""

    call: Callable[..., Receipt]
    ruled: bool = False


VERBS: Final[Mapping[str, Verb]] = {
    "register_entity": Verb(parties.register_entity),
    "open_account": Verb(parties.open_account),
    "appoint": Verb(parties.appoint),
    "close_account": Verb(parties.close_account),
    "block_account": Verb(parties.block_account),
    "unblock_account": Verb(parties.unblock_account),
    "open_scheme": Verb(parties.open_scheme),
    "close_scheme": Verb(parties.close_scheme),
    "add_instrument": Verb(parties.add_instrument),
    "issue": Verb(verbs.issue),
    "opening": Verb(verbs.opening),
    "pre_allocate": Verb(verbs.pre_allocate),
    "transfer": Verb(verbs.transfer),
    "transfer_linked": Verb(verbs.transfer_linked),
    "cancel": Verb(verbs.cancel),
    "deposit": Verb(verbs.deposit),
    "withdraw": Verb(verbs.withdraw),
    "reverse": Verb(verbs.reverse),
    "reserve": Verb(settlement.reserve),
    "settle": Verb(settlement.settle),
    "void": Verb(settlement.void),
    "report_verified": Verb(obligations.report_verified),
    "finalise_allocation": Verb(obligations.finalise_allocation),
    "surrender": Verb(obligations.surrender, ruled=True),
    "use_offsets": Verb(obligations.use_offsets, ruled=True),
    "carry_over": Verb(obligations.carry_over, ruled=True),
}
"""Every verb that books one act, by its name in the log, in the API and on the command line. `expire`, which may book
many, stands beside them."""


@dataclass(frozen=True, slots=True)
class CheckName:
    """One of the registry's checks: its code, the EU response codes for it where there are any, its name."""

    code: str
    eu_response: str | None
    name_en: str
    name_zh: str


def perform(store: Store, verb: str, act: Act, asked: Mapping[str, Any]) -> Receipt:
    """Carry out a verb in one database transaction; the receipt says whether it was done, refused or replayed.

    verb : one of VERBS; asked : its arguments by name. A replayed act happens at the time of its first booking, so
    that a reservation that has expired since is still the same act.
    Raises UnknownVerb, IdInUse, BadOrder, InvalidCreditCode.
    """
    if verb not in VERBS:
        raise UnknownVerb(f"unknown verb {verb!r}; known: {', '.join(VERBS)}, expire")
    chosen = VERBS[verb]
    more = {"rules": load_rules()} if chosen.ruled else {}
    with writing(store.engine) as connection:
        first_us = _first_time_us(connection, act.client_id)
        whole = act if first_us is None else Act(act.client_id, first_us, act.actor)
        return chosen.call(connection, whole, **asked, **more)


def expire(store: Store, act: Act) -> list[Receipt]:
    """Void every reservation that has expired at the act's time; a receipt for each."""
    with writing(store.engine) as connection:
        return settlement.expire(connection, act)


def seal(store: Store, at_us: int) -> Sealed | None:
    """Seal all of the log that is not sealed yet; null where nothing was left. Raises SealBusy."""
    with store.engine.connect() as connection:
        return seal_log(connection, at_us)


def seal_if_due(store: Store, at_us: int, every: int = SEAL_EVERY) -> Sealed | None:
    """Seal if more than so many transactions are unsealed. Where other writers hold the log, the next one seals it."""
    with store.engine.connect() as connection:
        due = _has_more_unsealed(connection, every)
    if not due:
        return None
    try:
        return seal(store, at_us)
    except SealBusy:
        return None


@cache
def check_name(code: str) -> CheckName:
    """What a check is called and which EU response codes it stands for. Raises KeyError for a code that is none."""
    lines = files("carbon.ledger").joinpath("codes.csv").read_text(encoding="utf-8").splitlines()
    named = {row["code"]: row for row in csv.DictReader(lines)}
    row = named[code]
    return CheckName(code, row["eu_response"] or None, row["name_en"], row["name_zh"])


def checks() -> pl.DataFrame:
    """The checks that the ledger and its files are held against: code, eu_response (null where the EU has none),
    name_en, name_zh.
    """
    text_of_codes = files("carbon.ledger").joinpath("codes.csv").read_bytes()
    return pl.read_csv(text_of_codes, schema_overrides={"eu_response": pl.String})


def page(
    store: Store,
    name: str,
    *,
    filters: Mapping[str, object] | None = None,
    sort: str | None = None,
    after: str | None = None,
    limit: int = 100,
    private: bool = False,
) -> Page:
    """One page of one of `carbon.ledger.listings.LISTINGS`. Raises UnknownListing, BadFilter, BadCursor."""
    with store.engine.connect() as connection:
        return list_rows(
            connection, name, filters=dict(filters or {}), sort=sort, after=after, limit=limit, private=private
        )


def account(store: Store, code: str, *, private: bool = False) -> pl.DataFrame:
    """One account as a row of the list of accounts; with its representatives `primary` and `secondary` where private.

    Raises NotInLedger.
    """
    with one_state(store.engine) as connection:
        row = _one(connection, "accounts", "account", code, private)
        if not private:
            return row
        now = list_rows(connection, "representatives", filters={"account": code, "current": True}, private=True).rows
    named = dict(now.select("role", "name").iter_rows())
    return row.with_columns(pl.lit(named.get(role), pl.String).alias(role) for role in ("primary", "secondary"))


def transaction(store: Store, client_id: str, *, private: bool = False) -> pl.DataFrame:
    """One transaction with its legs: a row for each leg, or one row with nulls where nothing moved.

    Result : the columns of the list of transactions, then transfer, leg_kind, phase, source, target, instrument,
    quantity, first_serial, compliance_year, expires_at. Legs are at most the first 1,000. Raises NotInLedger.
    """
    with one_state(store.engine) as connection:
        row = _one(connection, "transactions", "client_id", client_id, private)
        wanted = {"transaction": row["transaction"][0]}
        legs = list_rows(connection, "transfers", filters=wanted, limit=1000).rows
    shown = legs.select(
        *("transaction", "transfer", pl.col("kind").alias("leg_kind"), "phase", "source", "target", "instrument"),
        *("quantity", "first_serial", "compliance_year", "expires_at"),
    )
    return row.join(shown, on="transaction", how="left", maintain_order="left_right")


def trace(store: Store, serial: str) -> pl.DataFrame:
    """The whole life of a unit or a range of units: see `carbon.ledger.trace.trace`."""
    with one_state(store.engine) as connection:
        return trace_units(connection, serial)


def compliance(
    store: Store, as_of: date, *, scheme: str | None = None, year: int | None = None, account: str | None = None
) -> pl.DataFrame:
    """How each operator account stands with each compliance year: see `carbon.ledger.compliance.compliance`.

    Raises NotInLedger for a scheme or an account that is not there, whose empty answer would look like a clean one.
    """
    with one_state(store.engine) as connection:
        if scheme is not None:
            _one(connection, "schemes", "scheme", scheme, False)
        if account is not None:
            _one(connection, "accounts", "account", account, False)
        return compliance_of(connection, load_rules(), as_of, scheme=scheme, year=year, account=account)


def rules(*, scheme: str | None = None, year: int | None = None, kind: str | None = None) -> pl.DataFrame:
    """The schemes' rules with document, source and confidence: see `carbon.rules.book.rule_rows`."""
    return rows_of_rules(load_rules(), scheme=scheme, year=year, kind=kind)


def audit(store: Store, as_of_us: int, *, head: str | None = None, max_rows: int | None = None) -> pl.DataFrame:
    """All checks of the ledger recomputed from its log: see `carbon.ledger.audit.audit`."""
    with one_state(store.engine) as connection:
        return audit_ledger(connection, rules=load_rules(), as_of_us=as_of_us, head=head, max_rows=max_rows)


def _one(connection: Connection, name: str, column: str, value: str, private: bool) -> pl.DataFrame:
    found = list_rows(connection, name, filters={column: value}, limit=1, private=private).rows
    if found.is_empty():
        raise NotInLedger(f"unknown {column.replace('_', ' ')} {value[:128]!r}: the ledger has none in its {name}")
    return found


def _first_time_us(connection: Connection, client_id: str) -> int | None:
    query = text("SELECT at_us FROM registry_transaction WHERE client_id = :client_id")
    return connection.execute(query, {"client_id": client_id}).scalar()


def _has_more_unsealed(connection: Connection, most: int) -> bool:
    covers = connection.execute(text("SELECT covers FROM registry_seal ORDER BY id DESC LIMIT 1")).scalar()
    last = 0 if covers is None else json.loads(covers)["tables"]["registry_transaction"][1]
    query = text("SELECT id FROM registry_transaction WHERE id > :last ORDER BY id LIMIT 1 OFFSET :most")
    return connection.execute(query, {"last": last, "most": most}).first() is not None
