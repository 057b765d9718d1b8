"""Erasing a person: hash, account, consents and entries go; what they add up to stays.

Knows which rows belong to a person and which sums take their place. Must not know why somebody asks. What remains of an
erased person are sums by platform, city, month and method, sums by certification, a count of accounts by month, and
the hashes of claims without any account, so that nobody can claim the same act again. An account id is random: with it
gone from the tables, not even whoever has the salt can tell that the person was there.

**Caps start anew.** A person who is erased and enrols again is a new account, whose day and year begin without a gram:
within one year the two together may be credited up to twice the cap of a year, three times after a second erasure.
Nothing here can prevent it, since whatever would tell that the two are one person (the hash, or any other trace of it)
is what was erased; keeping it would make the erasure untrue. What is prevented: no act is credited twice, as the hash
of its claim stays, so that the second account needs acts of its own; and grams of the first one that were not certified
never will be. An operator who must hold the cap over an erasure has to refuse a second enrolment within the year
itself, from its own records and on its own legal ground.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, text

from carbon.footprints.persons.accounts import check_platform, find_account
from carbon.footprints.persons.hashing import Salts
from carbon.footprints.persons.queries import hold_persons, read_frame, table_of
from carbon.footprints.persons.tables import Account, Consent, Entry, Erased, ErasedAccount, ErasedShare, Erasing, Share

if TYPE_CHECKING:
    import polars as pl

__all__ = ["erase_person", "overwrite_traces"]

_SUMS: Final = ("entries", "reduction_g", "credited_g", "certified_g")


def erase_person(connection: Connection, *, platform: str, salts: Salts, person: str, today: date) -> bool:
    """Erase a person's account on one platform.

    Result : false where there is no account, so that a second erasure changes nothing. Totals and certifications stay
    what they are; what was not certified yet never will be. Call `overwrite_traces` after the transaction.
    Raises PersonRefusal: unknown_platform, other_salt, bad_person.
    """
    hold_persons(connection)
    check_platform(connection, platform, salts)
    account = find_account(connection, platform=platform, salts=salts, person=person)
    if account is None:
        return False
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    erasing = table_of(Erasing)
    connection.execute(insert(erasing).values(account=account))
    _keep_sums(connection, platform, account, today)
    entry, share = table_of(Entry), table_of(Share)
    own = select(entry.c.id).where(entry.c.account == account)
    connection.execute(delete(share).where(share.c.entry_id.in_(own)))
    for table in (entry, table_of(Consent), table_of(Account), erasing):
        connection.execute(delete(table).where(table.c.account == account))
    return True


def overwrite_traces(engine: Engine) -> None:
    """Take what was erased out of the database's own files as well, as far as a program can.

    SQLite: the write-ahead log is written back and emptied. PostgreSQL frees the rows at its next vacuum, which this
    runs for the five tables. Backups are the operator's to deal with.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for model in (Account, Consent, Entry, Share, Erasing):
            connection.exec_driver_sql(f"VACUUM {model.__tablename__}")


def _keep_sums(connection: Connection, platform: str, account: str, today: date) -> None:
    import polars as pl

    entries = _entries(connection, account)
    place = ["platform", "hub", "month", "method"]
    sums = (
        entries.with_columns(pl.lit(platform).alias("platform"), pl.col("day").dt.strftime("%Y-%m").alias("month"))
        .group_by(place)
        .agg(pl.len().cast(pl.Int64).alias("entries"), *(pl.col(name).sum() for name in _SUMS[1:]))
        .sort(place)
    )
    _add(connection, Erased, place, list(_SUMS), sums.to_dicts())
    shares = _shares(connection, account)
    _add(connection, ErasedShare, ["certification_id"], ["grams"], shares.to_dicts())
    table = table_of(Account)
    hub, opened = connection.execute(select(table.c.hub, table.c.opened).where(table.c.account == account)).one()
    months = {"opened_month": f"{opened:%Y-%m}", "erased_month": f"{max(today, opened):%Y-%m}"}
    row = {"platform": platform, "hub": hub, **months, "accounts": 1}
    _add(connection, ErasedAccount, ["platform", "hub", *months], ["accounts"], [row])


def _entries(connection: Connection, account: str) -> "pl.DataFrame":
    """hub, day, method, reduction_g, credited_g, certified_g of every entry."""
    import polars as pl

    entry, share = table_of(Entry), table_of(Share)
    schema = {
        **{"id": pl.Int64, "hub": pl.String, "day": pl.Date, "method": pl.String, "reduction_g": pl.Int64},
        "credited_g": pl.Int64,
    }
    query = select(*(entry.c[name] for name in schema)).where(entry.c.account == account)
    given = select(share.c.entry_id, share.c.grams).join(entry, entry.c.id == share.c.entry_id)
    used = read_frame(connection, given.where(entry.c.account == account), {"id": pl.Int64, "certified_g": pl.Int64})
    return (
        read_frame(connection, query, schema)
        .join(used.group_by("id").agg(pl.col("certified_g").sum()), on="id", how="left")
        .with_columns(pl.col("certified_g").fill_null(0))
    )


def _shares(connection: Connection, account: str) -> "pl.DataFrame":
    """certification_id, grams of every certification that the account gave to."""
    import polars as pl

    entry, share = table_of(Entry), table_of(Share)
    query = (
        select(share.c.certification_id, share.c.grams)
        .join(entry, entry.c.id == share.c.entry_id)
        .where(entry.c.account == account)
    )
    rows = read_frame(connection, query, {"certification_id": pl.Int64, "grams": pl.Int64})
    return rows.group_by("certification_id").agg(pl.col("grams").sum()).sort("certification_id")


def _add(connection: Connection, model: Any, keys: list[str], sums: list[str], rows: list[dict[str, Any]]) -> None:
    """Add rows to the sums that are there."""
    if not rows:
        return
    name, columns = model.__tablename__, [*keys, *sums]
    marks = ", ".join(f":{column}" for column in columns)
    added = ", ".join(f"{column} = {name}.{column} + excluded.{column}" for column in sums)
    statement = (
        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )
    connection.execute(text(statement), rows)
