"""What persons' accounts add up to: by city, month and method, and how many accounts there are.

Knows that erased persons are part of every total. Must not know any one person's name or hash.
"""

from importlib.resources import files
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, func, select

from carbon.footprints.persons.accounts import check_platform, consent_events, find_account
from carbon.footprints.persons.hashing import Salts
from carbon.footprints.persons.queries import read_frame, table_of, total
from carbon.footprints.persons.tables import Account, Entry, Erased, ErasedAccount, Share

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

__all__ = ["PARTS", "account_rows", "consent_rows", "personal_accounts", "printed_accounts", "totals"]

PARTS: Final = ("platform", "hub", "month", "method")
_OWN: Final = "accounts recorded here"


def totals(connection: Connection, *, by: tuple[str, ...] = ("hub", "month")) -> "pl.DataFrame":
    """Sums of every entry, those of erased persons too.

    by : any of PARTS. Result : those columns, entries, reduction_g, credited_g, over_cap_g, certified_g, open_g Int64.
    open_g : credited and not certified (of erased persons it never will be). Raises ValueError for another part.
    """
    import polars as pl

    if not set(by) <= set(PARTS):
        raise ValueError(f"found the parts {', '.join(by)}, expected some of {', '.join(PARTS)}")
    keys, sums = list(by), ["entries", "reduction_g", "credited_g", "certified_g"]
    rows = pl.concat([_living(connection), _erased(connection)])
    summed = rows.group_by(keys).agg(pl.col(sums).sum()) if keys else rows.select(pl.col(sums).sum())
    return summed.select(
        *(*keys, "entries", "reduction_g", "credited_g"),
        (pl.col("reduction_g") - pl.col("credited_g")).alias("over_cap_g"),
        "certified_g",
        (pl.col("credited_g") - pl.col("certified_g")).alias("open_g"),
    ).sort(keys)


def _living(connection: Connection, account: str | None = None) -> "pl.DataFrame":
    """PARTS, entries, reduction_g, credited_g, certified_g of entries, by month."""
    import polars as pl

    entry, share = table_of(Entry), table_of(Share)
    used = select(share.c.entry_id, total(share.c.grams).label("used")).group_by(share.c.entry_id).subquery()
    place = [entry.c.platform, entry.c.hub, entry.c.day, entry.c.method]
    query = (
        select(*place, func.count(), total(entry.c.reduction_g), total(entry.c.credited_g), total(used.c.used))
        .select_from(entry.outerjoin(used, used.c.entry_id == entry.c.id))
        .group_by(*place)
    )
    if account is not None:
        query = query.where(entry.c.account == account)
    schema = {
        **{"platform": pl.String, "hub": pl.String, "day": pl.Date, "method": pl.String, "entries": pl.Int64},
        **dict.fromkeys(("reduction_g", "credited_g", "certified_g"), pl.Int64),
    }
    rows = read_frame(connection, query, schema).with_columns(pl.col("day").dt.strftime("%Y-%m").alias("month"))
    return rows.select(*PARTS, "entries", "reduction_g", "credited_g", "certified_g")


def _erased(connection: Connection) -> "pl.DataFrame":
    import polars as pl

    table, sums = table_of(Erased), ("entries", "reduction_g", "credited_g", "certified_g")
    schema = {**dict.fromkeys(PARTS, pl.String), **dict.fromkeys(sums, pl.Int64)}
    return read_frame(connection, select(*(table.c[name] for name in schema)), schema)


def account_rows(connection: Connection, *, platform: str, salts: Salts, person: str) -> "pl.DataFrame":
    """What one person has: hub, month, method, entries, reduction_g, credited_g, over_cap_g, certified_g, balance_g.

    No rows where the person has no account or nothing was recorded. Raises PersonRefusal.
    """
    import polars as pl

    check_platform(connection, platform, salts)
    account = find_account(connection, platform=platform, salts=salts, person=person)
    keys, sums = ["hub", "month", "method"], ["entries", "reduction_g", "credited_g", "certified_g"]
    # No account has an empty id.
    rows = _living(connection, account or "").group_by(keys).agg(pl.col(sums).sum()).sort("month", "method", "hub")
    return rows.select(
        *(*keys, "entries", "reduction_g", "credited_g"),
        (pl.col("reduction_g") - pl.col("credited_g")).alias("over_cap_g"),
        "certified_g",
        (pl.col("credited_g") - pl.col("certified_g")).alias("balance_g"),
    )


def consent_rows(connection: Connection, *, platform: str, salts: Salts, person: str) -> "pl.DataFrame":
    """The consents of one person in the order of their record: event, purpose, method, day. Raises PersonRefusal."""
    check_platform(connection, platform, salts)
    account = find_account(connection, platform=platform, salts=salts, person=person)
    events = consent_events(connection, [] if account is None else [account])
    return events.select("event", "purpose", "method", "day")


def printed_accounts() -> "pl.DataFrame":
    """Accounts of cities as printed: hub, as_of Date, accounts Int64, bound, source, confidence, remark String."""
    import polars as pl

    text = files("carbon").joinpath("data", "personal_accounts.csv").read_bytes()
    schema = {
        **{"hub": pl.String, "as_of": pl.Date, "accounts": pl.Int64},
        **dict.fromkeys(("bound", "source", "confidence", "remark"), pl.String),
    }
    return pl.read_csv(text, schema=schema)


def personal_accounts(session: "Session") -> "pl.DataFrame":
    """Personal carbon accounts of each city at the end of each year: hub, period (a year), accounts, source, printed.

    Our own: accounts open at the end of the year, from the first one opened to the last year with an account opened or
    erased or an entry; erased ones count until they were erased. Printed: as a publisher gave them in that year, a
    lower bound where it says so (`printed_accounts`). Both rows stand where both are known; they are never added.
    """
    import polars as pl

    connection = session.connection()
    printed = printed_accounts().select(
        *("hub", pl.col("as_of").dt.strftime("%Y").alias("period"), "accounts"),
        pl.format("{} ({})", "source", "as_of").alias("source"),
        pl.lit(True).alias("printed"),
    )
    opened = _lives(connection)
    if opened.is_empty():
        return printed
    entry = table_of(Entry)
    last_entry = connection.execute(select(func.max(entry.c.day))).scalar()
    years = [*opened["opened_year"].to_list(), *opened["erased_year"].drop_nulls().to_list()]
    last = max([*years, *([last_entry.year] if last_entry is not None else [])])
    first = min(years)
    ends = pl.DataFrame({"year": list(range(first, last + 1))}, schema={"year": pl.Int64})
    open_then = (pl.col("opened_year") <= pl.col("year")) & (
        pl.col("erased_year").is_null() | (pl.col("erased_year") > pl.col("year"))
    )
    own = (
        opened.join(ends, how="cross")
        .group_by("hub", "year")
        .agg(pl.col("accounts").filter(open_then).sum(), pl.col("opened_year").min().alias("since"))
        .filter(pl.col("since") <= pl.col("year"))
        .select(
            *("hub", pl.col("year").cast(pl.String).alias("period"), "accounts"),
            pl.lit(_OWN).alias("source"),
            pl.lit(False).alias("printed"),
        )
    )
    return pl.concat([own, printed]).sort("hub", "period", "printed")


def _lives(connection: Connection) -> "pl.DataFrame":
    """hub, opened_year, erased_year (null for those open now), accounts."""
    import polars as pl

    account, erased = table_of(Account), table_of(ErasedAccount)
    query = select(account.c.hub, account.c.opened, func.count()).group_by(account.c.hub, account.c.opened)
    living = read_frame(connection, query, {"hub": pl.String, "opened": pl.Date, "accounts": pl.Int64})
    gone = read_frame(
        connection,
        select(erased.c.hub, erased.c.opened_month, erased.c.erased_month, erased.c.accounts),
        {"hub": pl.String, "opened_month": pl.String, "erased_month": pl.String, "accounts": pl.Int64},
    )
    year = pl.col("opened").dt.year().cast(pl.Int64)
    return pl.concat(
        [
            living.select("hub", year.alias("opened_year"), pl.lit(None, pl.Int64).alias("erased_year"), "accounts"),
            gone.select(
                "hub",
                *(
                    pl.col(f"{name}_month").str.slice(0, 4).cast(pl.Int64).alias(f"{name}_year")
                    for name in ("opened", "erased")
                ),
                "accounts",
            ),
        ]
    )
