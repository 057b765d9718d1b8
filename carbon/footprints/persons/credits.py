"""From persons' grams to tonnes in the ledger: certified once, issued once, and from then on units like any other.

Knows which entries may be certified, how tonnes are shared among them, and the ledger's verb `issue`. Must not know how
units are handed over, cancelled or used for compliance: those are the ledger's own verbs and its own checks. Wuhan's
units (CN-WH-TPH) are accepted in the Hubei pilot (first used 2023-12-26: Hubei exchange, view_1660) and refused
elsewhere by C04.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, func, select

from carbon.footprints.persons.accounts import consent_events, has_consent
from carbon.footprints.persons.queries import hold_persons, read_frame, table_of, total, write_rows
from carbon.footprints.persons.refusals import PersonRefusal
from carbon.footprints.persons.tables import Certification, Entry, ErasedShare, Platform, Share
from carbon.ledger.book import Act
from carbon.ledger.orders import Receipt, check_id, check_quantity
from carbon.ledger.verbs import issue

if TYPE_CHECKING:
    import polars as pl

__all__ = ["GRAMS_PER_TONNE", "RULES", "Certified", "Rule", "available", "certification_rows", "certify", "shares_of"]

GRAMS_PER_TONNE: Final = 1_000_000
Rule = Literal["fifo", "pro_rata"]
RULES: Final[tuple[Rule, ...]] = ("fifo", "pro_rata")


@dataclass(frozen=True, slots=True)
class Certified:
    """What came of a certification: the ledger's receipt, the tonnes issued, how many accounts and entries gave.

    Where the ledger refused, tonnes is 0 and no gram was used. replayed : the same id was certified before.
    """

    receipt: Receipt
    tonnes: int
    accounts: int
    entries: int
    replayed: bool = False


def certify(
    connection: Connection,
    act: Act,
    *,
    platform: str,
    today: date,
    day: date | None = None,
    tonnes: int | None = None,
    rule: Rule = "fifo",
) -> Certified:
    """Make whole tonnes of persons' grams and issue them to the platform's account in the ledger, in one transaction.

    act : client's id, time and actor; the ledger's log has the same id. today : the day of the act, on which consent to
    certify must be in force; day : entries up to this day count, today without it; tonnes : so many, or all whole ones
    rule : fifo takes the oldest entries first; pro_rata takes the same part of each, whole grams by largest remainder
    Entries of methods of confidence L are never certified. What is less than a tonne stays on the accounts.
    Raises PersonRefusal: unknown_platform, no_ledger_account, too_little, id_in_use. BadOrder.
    """
    check_id(act.client_id)
    if tonnes is not None:
        check_quantity(tonnes)
    hold_persons(connection)
    row = _platform(connection, platform)
    earlier = _earlier(connection, act, platform, day, tonnes, rule)
    if earlier is not None:
        return earlier
    until = today if day is None else min(day, today)
    open_entries = available(connection, platform, until, today)
    there = int(open_entries["grams"].sum()) // GRAMS_PER_TONNE
    wanted = there if tonnes is None else tonnes
    if wanted > there or wanted == 0:
        raise PersonRefusal("too_little", f"{there} whole tonnes that may be certified, {tonnes or 'some'} asked for")
    shares = shares_of(open_entries, wanted * GRAMS_PER_TONNE, rule)
    receipt = issue(
        connection,
        act,
        scheme=row["scheme"],
        instrument=row["instrument"],
        quantity=wanted,
        target=row["ledger_account"],
    )
    if receipt.done and receipt.replayed:
        raise PersonRefusal("id_in_use", f"the id {act.client_id!r} used in the ledger for units of another origin")
    if not receipt.done:
        return Certified(receipt, 0, 0, 0)
    head = {"client_id": act.client_id, "platform": platform, "tonnes": wanted, "rule": rule, "day": until}
    made = {**head, "transaction_id": receipt.transaction_id, "at_us": act.at_us}
    write_rows(connection, Certification, [made])
    table = table_of(Certification)
    number = connection.execute(select(table.c.id).where(table.c.client_id == act.client_id)).scalar_one()
    write_rows(
        connection,
        Share,
        [
            {"certification_id": number, "entry_id": entry, "grams": grams}
            for entry, grams in shares.select("entry", "taken").iter_rows()
        ],
    )
    return Certified(receipt, wanted, shares["account"].n_unique(), shares.height)


def shares_of(entries: "pl.DataFrame", wanted_g: int, rule: Rule) -> "pl.DataFrame":
    """How wanted_g grams are taken from entries: whole grams that add up exactly, never more than an entry has.

    entries : entry Int64, grams Int64 > 0 and any other columns, the oldest first; wanted_g : not above their sum
    pro_rata : grams x wanted_g / sum rounded down, and one gram more for the largest remainders, the oldest first
    Result : the entries that give, with taken Int64 > 0, in the same order.
    """
    import polars as pl

    if rule == "fifo":
        reached = pl.min_horizontal(pl.col("grams").cum_sum(), pl.lit(wanted_g, pl.Int64))
        taken = entries.with_columns((reached - reached.shift(1, fill_value=0)).alias("taken"))
        return taken.filter(pl.col("taken") > 0)
    whole_g = int(entries["grams"].sum())
    product = pl.col("grams").cast(pl.Int128) * wanted_g
    parted = entries.with_row_index("place").with_columns(
        (product // whole_g).cast(pl.Int64).alias("down"), (product % whole_g).alias("remainder")
    )
    missing = wanted_g - int(parted["down"].sum())
    rounded = parted.sort("remainder", "place", descending=[True, False]).with_row_index("order")
    one_more = (pl.col("order") < missing).cast(pl.Int64)
    taken = rounded.with_columns((pl.col("down") + one_more).alias("taken")).sort("place")
    return taken.drop("place", "order", "down", "remainder").filter(pl.col("taken") > 0)


def available(connection: Connection, platform: str, until: date, today: date) -> "pl.DataFrame":
    """What may be certified today of the entries until a day: entry, account, hub, method, day, grams (> 0), the oldest
    first."""
    import polars as pl

    entry, share = table_of(Entry), table_of(Share)
    used = select(share.c.entry_id, total(share.c.grams).label("used")).group_by(share.c.entry_id).subquery()
    left = entry.c.credited_g - func.coalesce(used.c.used, 0)
    schema = {
        **{"entry": pl.Int64, "account": pl.String, "hub": pl.String, "method": pl.String, "day": pl.Date},
        "grams": pl.Int64,
    }
    query = (
        select(entry.c.id, entry.c.account, entry.c.hub, entry.c.method, entry.c.day, left)
        .select_from(entry.outerjoin(used, used.c.entry_id == entry.c.id))
        .where(entry.c.platform == platform, entry.c.day <= until, entry.c.certifiable, left > 0)
        .order_by(entry.c.day, entry.c.id)
    )
    rows = read_frame(connection, query, schema)
    events = consent_events(connection, rows["account"].unique().to_list(), "certify")
    asked = rows.select(pl.col("entry").alias("row"), "account", "method", pl.lit(today).alias("day"))
    return rows.filter(pl.col("entry").is_in(has_consent(asked, events).implode()))


def certification_rows(connection: Connection, platform: str | None = None) -> "pl.DataFrame":
    """The certifications: client_id, platform, day, rule, tonnes, grams, transaction.

    grams : of the persons that gave, erased ones too; always tonnes x 10^6
    """
    import polars as pl

    made, share, erased = table_of(Certification), table_of(Share), table_of(ErasedShare)
    given = select(share.c.certification_id, total(share.c.grams).label("grams")).group_by(share.c.certification_id)
    living = given.subquery()
    grams = func.coalesce(living.c.grams, 0) + func.coalesce(erased.c.grams, 0)
    query = (
        select(made.c.client_id, made.c.platform, made.c.day, made.c.rule, made.c.tonnes, grams, made.c.transaction_id)
        .select_from(
            made.outerjoin(living, living.c.certification_id == made.c.id).outerjoin(
                erased, erased.c.certification_id == made.c.id
            )
        )
        .order_by(made.c.id)
    )
    if platform is not None:
        query = query.where(made.c.platform == platform)
    schema = {
        **{"client_id": pl.String, "platform": pl.String, "day": pl.Date, "rule": pl.String, "tonnes": pl.Int64},
        **{"grams": pl.Int64, "transaction": pl.Int64},
    }
    return read_frame(connection, query, schema)


def _platform(connection: Connection, platform: str) -> "dict[str, Any]":
    table = table_of(Platform)
    found = connection.execute(select(table).where(table.c.platform == platform)).mappings().first()
    if found is None:
        raise PersonRefusal("unknown_platform", f"the platform {platform[:80]!r}")
    if found["scheme"] is None:
        raise PersonRefusal("no_ledger_account", f"the platform {platform!r}")
    return dict(found)


def _earlier(
    connection: Connection, act: Act, platform: str, day: date | None, tonnes: int | None, rule: Rule
) -> Certified | None:
    table, share, entry = table_of(Certification), table_of(Share), table_of(Entry)
    found = connection.execute(select(table).where(table.c.client_id == act.client_id)).mappings().first()
    if found is None:
        return None
    same = (found["platform"], found["rule"]) == (platform, rule)
    if not same or day not in (None, found["day"]) or tonnes not in (None, found["tonnes"]):
        raise PersonRefusal("id_in_use", f"the id {act.client_id!r} used for another certification")
    query = (
        select(func.count(entry.c.account.distinct()), func.count())
        .select_from(share.join(entry, entry.c.id == share.c.entry_id))
        .where(share.c.certification_id == found["id"])
    )
    accounts, entries = connection.execute(query).one()
    receipt = Receipt(found["transaction_id"], act.client_id, "issue", "done", replayed=True)
    return Certified(receipt, found["tonnes"], accounts, entries, replayed=True)
