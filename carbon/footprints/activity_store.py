"""Activities in SQL: kept once, never changed, and read back.

Knows the order of the steps and what makes them safe to repeat. Must not know file layouts, factors or results.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.footprints.activities import content_hashes
from carbon.footprints.double_counting import find_double_counting
from carbon.footprints.schemas import activities_schema

if TYPE_CHECKING:
    import polars as pl
    from sqlalchemy import ColumnElement, Table
    from sqlmodel import Session

__all__ = ["StoreReport", "read_stored", "store_activities"]

_NAMES_A_QUERY: Final = 500  # SQLite takes 32 766 parameters; a plan for as many helps nobody.
_MOST_ENTITIES: Final = 5000  # From here on one pass over the table is quicker than many queries.
_ROWS_A_WRITE: Final = 20_000


@dataclass(frozen=True)
class StoreReport:
    """What became of rows: given = new + already_loaded + refused; problems by row, warnings too."""

    given: int
    new: int
    already_loaded: int
    refused: int
    problems: tuple[Problem, ...]


def store_activities(session: "Session", rows: "pl.DataFrame") -> StoreReport:
    """Keep the rows that are not stored yet, and commit (one transaction).

    rows : `activities_schema`, checked row by row (`carbon.footprints.activity_files.read_activities`)
    One writer at a time: nobody adds rows between the look at what is stored and the writing.
    The same row again changes nothing. Refused, each with both places: what stored rows count already
    (`carbon.footprints.double_counting`), a correction of a row that nobody knows (`unknown_replaced`) or that another
    row has corrected before (`replaced_before`), and a correction of a refused row.
    """
    try:
        _lock(session)
        report = _store(session, rows)
        session.commit()
    except Exception:
        session.rollback()
        raise
    return report


def _store(session: "Session", rows: "pl.DataFrame") -> StoreReport:
    import polars as pl
    from sqlalchemy import insert

    stored = _stored_beside(session, rows)
    is_known = pl.col("activity_id").is_in(stored["activity_id"].implode())
    indexed = rows.with_row_index("index")
    wrong = _corrections(session, indexed.filter(~is_known), stored)
    # A correction that is refused leaves its row as it was, so it is out before double counting is looked for.
    findings = pl.concat([wrong, _twice(indexed.filter(~pl.col("index").is_in(wrong["index"].implode())), stored)])
    errors = findings.filter(pl.col("severity") == "error")["index"].unique()
    accepted = indexed.filter(~pl.col("index").is_in(errors.implode()))
    already, fresh = accepted.filter(is_known), accepted.filter(~is_known)
    fresh, orphans = _without_orphans(fresh, stored)
    found = pl.format("{}, whose row was refused", "replaces")
    findings = pl.concat([findings, _finding(orphans, found, "unknown_replaced")])
    written = fresh.drop("index").with_columns(content=content_hashes(fresh))
    for part in _ordered(written).iter_slices(_ROWS_A_WRITE):
        # The table itself: a million rows are no objects.
        session.connection().execute(insert(_table()), part.to_dicts())
    refused = rows.height - already.height - written.height
    return StoreReport(rows.height, written.height, already.height, refused, tuple(_problems(findings, rows)))


def read_stored(
    session: "Session", *, entities: Collection[str] | None = None, since: date | None = None, replaced: bool = False
) -> "pl.DataFrame":
    """Stored activities in `activities_schema`, ascending by entity, first_day, scope, category, activity
    and activity_id.

    entities : of these only; since : recorded on that day or later; replaced : also rows that a later one has corrected
    """
    import polars as pl
    from sqlmodel import col

    from carbon.footprints.activity_tables import FootprintActivity

    table = FootprintActivity
    days = [] if since is None else [col(table.recorded) >= since]
    if entities is None:
        frames = [_read(session, days)]
    else:
        frames = [_read(session, [*days, col(table.entity).in_(names)]) for names in _portions(entities)]
    found = pl.concat([pl.DataFrame(schema=activities_schema()), *frames])
    if not replaced:
        found = found.filter(~pl.col("activity_id").is_in(_replaced_ids(session).implode()))
    return found.sort("entity", "first_day", "scope", "category", "activity", "activity_id")


def _lock(session: "Session") -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE carbon_footprint_activity IN SHARE ROW EXCLUSIVE MODE")
        return
    driver = connection.connection.dbapi_connection
    if driver is not None and not getattr(driver, "in_transaction", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _read(session: "Session", conditions: "list[ColumnElement[bool]]") -> "pl.DataFrame":
    import polars as pl
    from sqlalchemy import select

    schema, table = activities_schema(), _table()
    wanted = select(*(table.c[name] for name in schema)).where(*conditions)
    found = session.connection().execute(wanted).fetchall()
    return pl.DataFrame([tuple(row) for row in found], schema=schema, orient="row")


def _table() -> "Table":
    from sqlmodel import SQLModel

    from carbon.footprints.activity_tables import FootprintActivity

    return SQLModel.metadata.tables[str(FootprintActivity.__tablename__)]


def _portions(names: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(set(names))
    return (ordered[at : at + _NAMES_A_QUERY] for at in range(0, len(ordered), _NAMES_A_QUERY))


def _replaced_ids(session: "Session") -> "pl.Series":
    import polars as pl
    from sqlmodel import col, select

    from carbon.footprints.activity_tables import FootprintActivity

    ids = session.exec(select(FootprintActivity.replaces).where(col(FootprintActivity.replaces).is_not(None)))
    return pl.Series("replaces", list(ids), dtype=pl.String)


def _stored_beside(session: "Session", rows: "pl.DataFrame") -> "pl.DataFrame":
    """Stored rows that the new ones may meet: of their entities, platforms and ids, and of those whom they serve."""
    import polars as pl
    from sqlmodel import col

    from carbon.footprints.activity_tables import FootprintActivity

    table = FootprintActivity
    names = {*rows["entity"].unique(), *rows["platform"].drop_nulls().unique()}
    ids = {*rows["activity_id"].filter(rows["activity_id"] != content_hashes(rows)), *rows["replaces"].drop_nulls()}
    if len(names) > _MOST_ENTITIES:
        return read_stored(session, replaced=True)
    frames = [_read(session, [col(table.entity).in_(part)]) for part in _portions(names)]
    frames += [_read(session, [col(table.platform).in_(part)]) for part in _portions(rows["entity"].unique())]
    frames += [_read(session, [col(table.activity_id).in_(part)]) for part in _portions(ids)]
    frames += [_read(session, [col(table.replaces).in_(part)]) for part in _portions(rows["replaces"].drop_nulls())]
    found = pl.concat([pl.DataFrame(schema=activities_schema()), *frames])
    return found.unique("activity_id", keep="first", maintain_order=True)


def _twice(indexed: "pl.DataFrame", stored: "pl.DataFrame") -> "pl.DataFrame":
    """Findings of double counting; warnings among the new rows alone are the reader's to tell."""
    import polars as pl

    found = find_double_counting(indexed.drop("index"), stored)
    told = found.with_columns(index=indexed["index"].gather(found["index"]))
    return told.filter(pl.col("is_stored") | (pl.col("severity") == "error")).drop("is_stored")


def _corrections(session: "Session", fresh: "pl.DataFrame", stored: "pl.DataFrame") -> "pl.DataFrame":
    """Findings about replaces. A row of the same file may be corrected too, where it stands before."""
    import polars as pl

    named = fresh.filter(pl.col("replaces").is_not_null())
    earlier = fresh.select(pl.col("activity_id").alias("replaces"), at=pl.col("index"))
    placed = named.join(earlier, on="replaces", how="left", maintain_order="left")
    in_store = pl.col("replaces").is_in(stored["activity_id"].implode())
    before = (pl.col("at") < pl.col("index")).fill_null(False)
    unknown = placed.filter(~in_store & ~before)
    gone = pl.col("replaces").is_in(_replaced_ids(session).implode())
    again = named.filter(gone | (pl.col("index") > pl.col("index").first().over("replaces")))
    found = pl.format("{}, which is corrected already", "replaces")
    return pl.concat(
        [_finding(unknown, pl.col("replaces"), "unknown_replaced"), _finding(again, found, "replaced_before")]
    )


def _finding(rows: "pl.DataFrame", found: "pl.Expr", code: str) -> "pl.DataFrame":
    import polars as pl

    expected = {
        "unknown_replaced": "the id of a row that is stored, or that stands before in the file",
        "replaced_before": "the id of the row that corrected it: each row is corrected once",
    }
    return rows.select(
        pl.col("index"),
        column=pl.lit("replaces"),
        found=found,
        expected=pl.lit(expected[code]),
        code=pl.lit(code),
        severity=pl.lit("error"),
    )


def _without_orphans(fresh: "pl.DataFrame", stored: "pl.DataFrame") -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Rows to write, and corrections of rows that are neither stored nor among them."""
    import polars as pl

    lost = fresh.clear()
    while True:
        there = pl.concat([stored["activity_id"], fresh["activity_id"]])
        is_orphan = pl.col("replaces").is_not_null() & ~pl.col("replaces").is_in(there.implode())
        orphans = fresh.filter(is_orphan)
        if orphans.is_empty():
            return fresh, lost
        fresh, lost = fresh.filter(~is_orphan), pl.concat([lost, orphans])


def _ordered(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Corrections after what they correct, since each refers to a row that must be there; else as given."""
    import polars as pl

    return pl.concat([rows.filter(pl.col("replaces").is_null()), rows.filter(pl.col("replaces").is_not_null())])


def _problems(findings: "pl.DataFrame", rows: "pl.DataFrame") -> list[Problem]:
    placed = rows.select("file", "row").with_row_index("index")
    told = findings.join(placed, on="index", how="left", maintain_order="left").sort("row", "code", maintain_order=True)
    names = ("file", "row", "column", "found", "expected", "code", "severity")
    return [Problem(*one) for one in told.select(names).iter_rows()]
