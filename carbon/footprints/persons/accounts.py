"""Platforms, the accounts of persons, and their consent: given, withdrawn, in force.

Knows who may be recorded when. Must not know reductions or credits. Consent is for a purpose, `record` (keep what was
saved) or `certify` (make credits of it), and for a method or for all of them. In force on a day is the event recorded
last among those that begin on or before that day; a withdrawal never reaches back, so that what was lawful stays so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from carbon.footprints.persons.hashing import Salts, is_id, person_hash, person_hashes, salt_checks
from carbon.footprints.persons.queries import chunks, hold_persons, read_frame, table_of, write_rows
from carbon.footprints.persons.refusals import PersonRefusal
from carbon.footprints.persons.tables import Account, Consent, Platform
from carbon.ledger import tables as ledger

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "EVERY_METHOD",
    "PURPOSES",
    "change_consents",
    "check_claims_salt",
    "check_platform",
    "consent_events",
    "find_account",
    "find_accounts",
    "has_consent",
    "platform_rows",
    "register_platform",
]

PURPOSES: Final = ("record", "certify")
EVERY_METHOD: Final = "*"
_EVENTS: Final = ("given", "withdrawn")
_FIRST_DAY: Final = date(1990, 1, 1)
_LEDGER: Final = ("scheme", "ledger_account", "instrument")


def register_platform(
    connection: Connection,
    *,
    platform: str,
    name: str,
    salts: Salts,
    at_us: int,
    scheme: str | None = None,
    ledger_account: str | None = None,
    instrument: str | None = None,
) -> bool:
    """Register who runs an app; with scheme, ledger_account and instrument where its credits are to be issued.

    Result : false where the very same platform is there already. Raises PersonRefusal: platform_in_use, other_salt (the
    claims salt is one for all platforms, or the same trip on two of them would not be seen), no_ledger_account (the
    ledger has no such scheme, no such open account of it, or no such instrument of it).
    """
    hold_persons(connection)
    checks = dict(zip(("salt_check", "claims_check"), salt_checks(salts), strict=True))
    given = {"name": name, "scheme": scheme, "ledger_account": ledger_account, "instrument": instrument}
    if not is_id(platform) or not name.strip():
        raise PersonRefusal("unknown_platform", "a platform without a code or a name")
    if any(given[part] is None for part in _LEDGER) and any(given[part] is not None for part in _LEDGER):
        raise PersonRefusal("no_ledger_account", "only a part of scheme, account and instrument")
    table = table_of(Platform)
    found = connection.execute(select(table).where(table.c.platform == platform)).mappings().first()
    if found is not None:
        _check_same_salts(found, checks, platform)
        if any(found[part] != value for part, value in given.items()):
            raise PersonRefusal("platform_in_use", f"the platform {platform!r} there with other particulars")
        return False
    check_claims_salt(connection, salts)
    _check_ledger(connection, scheme, ledger_account, instrument)
    write_rows(connection, Platform, [{"platform": platform, **given, **checks, "at_us": at_us}])
    return True


def _check_ledger(connection: Connection, scheme: str | None, account: str | None, instrument: str | None) -> None:
    """Raise PersonRefusal no_ledger_account, naming everything that the ledger does not have."""
    if scheme is None:
        return
    schemes, accounts, instruments = (table_of(model) for model in (ledger.Scheme, ledger.Account, ledger.Instrument))
    is_open = (accounts.c.scheme == scheme) & (accounts.c.status == "open")
    asked = {
        f"no scheme {scheme!r}": select(schemes.c.scheme).where(schemes.c.scheme == scheme),
        f"no open account {account!r} of {scheme!r}": select(accounts.c.id).where(accounts.c.code == account, is_open),
        f"no instrument {instrument!r} of {scheme!r}": select(instruments.c.id).where(
            instruments.c.code == instrument, instruments.c.scheme == scheme
        ),
    }
    missing = [told for told, query in asked.items() if connection.execute(query).first() is None]
    if missing:
        raise PersonRefusal("no_ledger_account", ", ".join(missing))


def check_platform(connection: Connection, platform: str, salts: Salts) -> "dict[str, Any]":
    """The row of a platform. Raises PersonRefusal: unknown_platform, other_salt."""
    table = table_of(Platform)
    found = connection.execute(select(table).where(table.c.platform == platform)).mappings().first()
    if found is None:
        raise PersonRefusal("unknown_platform", f"the platform {platform[:80]!r}")
    _check_same_salts(found, dict(zip(("salt_check", "claims_check"), salt_checks(salts), strict=True)), platform)
    return dict(found)


def check_claims_salt(connection: Connection, salts: Salts) -> None:
    """Raise PersonRefusal other_salt where the platforms were registered with another salt of claims."""
    table = table_of(Platform)
    there = set(connection.execute(select(table.c.claims_check)).scalars())
    if there - {salt_checks(salts)[1]}:
        raise PersonRefusal("other_salt", "another salt of claims than the platforms have")


def _check_same_salts(found: Any, checks: dict[str, str], platform: str) -> None:
    if any(found[name] != value for name, value in checks.items()):
        raise PersonRefusal("other_salt", f"other salts than {platform!r} was registered with")


def platform_rows(connection: Connection) -> "pl.DataFrame":
    """The platforms: platform, name, scheme, ledger_account, instrument; no salt, nor what proves one."""
    import polars as pl

    table = table_of(Platform)
    names = ("platform", "name", *_LEDGER)
    query = select(*(table.c[name] for name in names)).order_by(table.c.platform)
    return read_frame(connection, query, dict.fromkeys(names, pl.String))


def find_account(connection: Connection, *, platform: str, salts: Salts, person: str) -> str | None:
    """The account of a person; null where there is none. Raises PersonRefusal: bad_person."""
    if not is_id(person):
        raise PersonRefusal("bad_person", "something else")
    table = table_of(Account)
    query = select(table.c.account).where(table.c.person_sha256 == person_hash(salts, platform, person))
    found: str | None = connection.execute(query).scalar()
    return found


def find_accounts(connection: Connection, hashes: Sequence[str]) -> "pl.DataFrame":
    """The accounts of hashed persons: person_sha256, account, hub (String)."""
    import polars as pl

    table = table_of(Account)
    names = ("person_sha256", "account", "hub")
    columns = [table.c[name] for name in names]
    parts = [
        read_frame(connection, select(*columns).where(table.c.person_sha256.in_(part)), dict.fromkeys(names, pl.String))
        for part in chunks(hashes)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(names, pl.String))


@dataclass(frozen=True, slots=True)
class _Known:
    """What change_consents knows of the persons of a batch, kept up to date as it goes."""

    accounts: dict[str, str]
    last: dict[tuple[str, str, str], tuple[str, date]]


def change_consents(
    connection: Connection, *, platform: str, salts: Salts, consents: "pl.DataFrame", today: date, at_us: int
) -> "pl.DataFrame":
    """Give and withdraw consent, row after row; the first consent of a person opens the account.

    consents : row Int64, person, hub, event String, day Date, purposes, methods (lists of String); see `read_consents`
    Result : row, status (opened, given, withdrawn, unchanged or refused), code (null, or why it was refused). The same
    event twice in a row is unchanged. Raises PersonRefusal: unknown_platform, other_salt.
    """
    import polars as pl

    hold_persons(connection)
    check_platform(connection, platform, salts)
    hashes = person_hashes(salts, platform, {one for one in consents["person"].to_list() if is_id(one)})
    found = find_accounts(connection, list(hashes.values()))
    accounts = dict(found.select("person_sha256", "account").iter_rows())
    events = consent_events(connection, list(accounts.values()))
    last = {
        (account, purpose, method): (event, day)
        for account, purpose, method, event, day in events.sort("id")
        .select("account", "purpose", "method", "event", "day")
        .iter_rows()
    }
    known = _Known(accounts, last)
    outcomes = []
    for asked in consents.iter_rows(named=True):
        code = _consent_fault(asked, hashes, known, today)
        digest = hashes.get(asked["person"], "")
        status = "refused" if code else _change(connection, platform, asked, digest, known, today, at_us)
        outcomes.append((asked["row"], status, code))
    return pl.DataFrame(outcomes, schema={"row": pl.Int64, "status": pl.String, "code": pl.String}, orient="row")


def _consent_fault(asked: "dict[str, Any]", hashes: dict[str, str], known: _Known, today: date) -> str | None:
    from carbon.footprints.factor_regions import UnknownRegion, region_of_hub

    if not is_id(asked["person"]):
        return "bad_person"
    if asked["day"] is None or asked["day"] < _FIRST_DAY:
        return "bad_day"
    purposes, methods = asked["purposes"] or [], asked["methods"] or []
    if asked["event"] not in _EVENTS or not purposes or not set(purposes) <= set(PURPOSES) or not methods:
        return "bad_consent"
    if not all(is_id(method) for method in methods):
        return "bad_consent"
    if asked["event"] == "withdrawn":
        if hashes[asked["person"]] not in known.accounts:
            return "unknown_person"
        return "backdated_withdrawal" if asked["day"] < today else None
    try:
        region_of_hub(asked["hub"] or "")
    except UnknownRegion:
        return "unknown_hub"
    return None


def _change(
    connection: Connection, platform: str, asked: "dict[str, Any]", digest: str, known: _Known, today: date, at_us: int
) -> str:
    status = asked["event"]
    if digest not in known.accounts:
        status = "opened"
        known.accounts[digest] = token_hex(16)
        opened = {"account": known.accounts[digest], "platform": platform, "person_sha256": digest}
        # A consent may begin later; the account is there from today.
        day = min(asked["day"], today)
        write_rows(connection, Account, [{**opened, "hub": asked["hub"], "opened": day, "at_us": at_us}])
    account = known.accounts[digest]
    new = []
    for purpose in dict.fromkeys(asked["purposes"]):
        for method in dict.fromkeys(asked["methods"]):
            told = (asked["event"], asked["day"])
            if known.last.get((account, purpose, method)) != told:
                known.last[account, purpose, method] = told
                place = {"account": account, "event": told[0], "purpose": purpose, "method": method, "day": told[1]}
                new.append({**place, "at_us": at_us})
    write_rows(connection, Consent, new)
    return str(status) if new else "unchanged"


def consent_events(connection: Connection, accounts: Sequence[str], purpose: str | None = None) -> "pl.DataFrame":
    """Every event of the accounts, in the order of their record: id, account, event, purpose, method, day."""
    import polars as pl

    table = table_of(Consent)
    schema = {
        **{"id": pl.Int64, "account": pl.String, "event": pl.String, "purpose": pl.String, "method": pl.String},
        "day": pl.Date,
    }
    query = select(*(table.c[name] for name in schema)).order_by(table.c.id)
    if purpose is not None:
        query = query.where(table.c.purpose == purpose)
    parts = [read_frame(connection, query.where(table.c.account.in_(part)), schema) for part in chunks(accounts)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def has_consent(rows: "pl.DataFrame", events: "pl.DataFrame") -> "pl.Series":
    """Which rows have a consent in force: their numbers.

    rows : row Int64, account, method String, day Date; events : of one purpose, as `consent_events` gives them
    """
    import polars as pl

    of_all = pl.col("of_method") == EVERY_METHOD
    begun = events.select("account", "id", "event", pl.col("method").alias("of_method"), pl.col("day").alias("begins"))
    return (
        rows.join(begun, on="account")
        .filter(pl.col("begins") <= pl.col("day"), pl.col("of_method").eq(pl.col("method")) | of_all)
        .group_by("row")
        .agg(pl.col("event").sort_by("id").last())
        .filter(pl.col("event") == "given")["row"]
    )
