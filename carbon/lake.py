"""The lake: every loaded row, in one Delta table `bars` below a given directory, parted by market and year.

Knows how canonical rows are stored, appended and versioned. Must not know where rows come from or what is computed
from them. Rows are only ever added, by key (market, product, method, day, feed): the same rows again change nothing,
and a reader sees either all of an append or nothing of it. Method is stored as its code; Delta has no enumeration
type, so the few short texts are dictionary pages inside the files.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import LakeBusy
from carbon.rows import KEY, empty_rows, rows_schema

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable

__all__ = ["append_rows", "lake_markets", "lake_version", "read_rows"]

_TABLE = "bars"
_PARTS = ["market", "year"]
_TYPES = {"String": "string", "Date": "date", "Int8": "byte", "Int32": "integer", "Int64": "long"}
_ATTEMPTS = 5
_COMPRESSION_LEVEL = 3


def lake_version(lake: Path) -> int | None:
    """The version of the lake, rising by one with each append that added rows; null where there is no lake yet."""
    table = _open(lake)
    return None if table is None else table.version()


def lake_markets(lake: Path) -> list[str]:
    """Keys of the markets that have rows in the lake, ascending."""
    table = _open(lake)
    return [] if table is None else sorted({str(part["market"]) for part in table.partitions()})


def read_rows(lake: Path, market: str) -> "pl.DataFrame":
    """All rows of a market in the canonical schema (`carbon.rows.rows_schema`), ascending by day, product, method,
    feed.

    A lake or market that does not exist gives a frame without rows.
    """
    table = _open(lake)
    return empty_rows() if table is None else _read_market(table, market)


def append_rows(lake: Path, rows: "pl.DataFrame") -> int:
    """Add the rows whose key is not there yet; the number added.

    rows : canonical rows of one market or several, keys unique; rows of one call become visible together, as one
    version, whatever their markets
    Where nothing is new the version stays as it is. Figures of a key already there are never changed.
    Raises LakeBusy when other writers win the race again and again.
    """
    import polars as pl

    if rows.is_empty():
        return 0
    dated = rows.with_columns(year=pl.col("day").dt.year().cast(pl.Int32))
    _create(lake)
    return _merge(lake, dated)


def _open(lake: Path) -> "DeltaTable | None":
    path = lake / _TABLE
    # Most commands run before anything was loaded; they need not wait for the import.
    if not path.is_dir():
        return None
    from deltalake import DeltaTable

    return DeltaTable(str(path)) if DeltaTable.is_deltatable(str(path)) else None


def _create(lake: Path) -> None:
    from deltalake import DeltaTable, Field, Schema
    from deltalake.exceptions import CommitFailedError
    from deltalake.schema import PrimitiveType

    lake.mkdir(parents=True, exist_ok=True)
    if _open(lake) is not None:
        return
    import polars as pl

    columns = {**rows_schema(), "year": pl.Int32}
    fields = [Field(name, PrimitiveType(_TYPES[str(kind)])) for name, kind in columns.items()]
    # Another writer may have made it in between; there is nothing more to do then.
    with suppress(CommitFailedError):
        DeltaTable.create(lake / _TABLE, schema=Schema(fields), mode="ignore", partition_by=_PARTS, name=_TABLE)


def _read_market(table: "DeltaTable", market: str) -> "pl.DataFrame":
    import polars as pl

    rows = pl.scan_delta(table).filter(pl.col("market") == market)
    return rows.select(rows_schema().keys()).sort("day", "product", "method", "feed").collect()


def _merge(lake: Path, rows: "pl.DataFrame") -> int:
    import polars as pl
    from deltalake import WriterProperties
    from deltalake.exceptions import CommitFailedError

    names = sorted(rows["market"].unique())
    markets = ", ".join(f"'{name}'" for name in names)
    years = ", ".join(str(year) for year in sorted(rows["year"].unique()))
    same_key = " AND ".join(f"target.{name} = source.{name}" for name in (*KEY, "year"))
    # The two lists let the merge leave out the files of other markets and years.
    predicate = f"target.market IN ({markets}) AND target.year IN ({years}) AND {same_key}"
    properties = WriterProperties(compression="ZSTD", compression_level=_COMPRESSION_LEVEL)
    for _ in range(_ATTEMPTS):
        table = _open(lake)
        if table is None:
            raise LakeBusy(f"found no table at {lake}, expected the one just made there")
        known = pl.scan_delta(table).filter(pl.col("market").is_in(names)).select(KEY).collect()
        fresh = rows.join(known, on=list(KEY), how="anti")
        if fresh.is_empty():
            return 0
        merger = table.merge(
            fresh, predicate, source_alias="source", target_alias="target", writer_properties=properties
        )
        try:
            metrics = merger.when_not_matched_insert_all().execute()
        except CommitFailedError:
            continue
        return int(metrics["num_target_rows_inserted"])
    raise LakeBusy(f"found {lake} busy, expected to write within {_ATTEMPTS} attempts")
