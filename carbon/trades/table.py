"""The table of single trades: one Delta table `trades` in the lake, parted by market and year, sorted by time inside.

Knows how files of trades are written, named in the log and found again. Must not know headings, checks, statistics or
engines. Files are written first and named in the log in one step: a reader sees all trades of a source or none, and
the same source again changes nothing. What was cut short leaves files that no log names; they are never read.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import LakeBusy
from carbon.trades.records import trades_schema

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable, Field

__all__ = [
    "PARTED_BY",
    "TradeFile",
    "TradePart",
    "commit_parts",
    "is_loaded",
    "replace_whole",
    "trade_files",
    "write_part",
]

PARTED_BY = ["market", "year"]

_TABLE = "trades"
_TYPES = {"String": "string", "Date": "date", "Int8": "byte", "Int16": "short", "Int32": "integer", "Int64": "long"}
_COMPRESSION_LEVEL = 3
_ROW_GROUP = 1 << 17
_ATTEMPTS = 5


@dataclass(frozen=True)
class TradePart:
    """A file that was written and that no log names yet: its path below the table, and what the log will say of it."""

    path: str
    market: str
    year: int
    rows: int
    size_bytes: int
    modified_ms: int
    first_day: date
    last_day: date


@dataclass(frozen=True)
class TradeFile:
    """A file of the table: where it lies, its name in the log, whose trades it holds, how many, and of which days."""

    path: Path
    name: str
    market: str
    rows: int
    first_day: date
    last_day: date


def write_part(lake: Path, trades: "pl.DataFrame", market: str, year: int, source: str) -> TradePart:
    """Write trades of one market and year as a file below the table, ascending by time; nobody sees it yet.

    trades : columns of `trades_schema` (market may be absent), one row at least, checked
    source : names the file together with market and year, so that the same source is written to the same place
    """
    import polars as pl

    name = hashlib.sha256(source.encode()).hexdigest()[:32]
    path = f"market={market}/year={year}/{name}.parquet"
    place = lake / _TABLE / path
    place.parent.mkdir(parents=True, exist_ok=True)
    columns = [column for column in trades_schema() if column != "market"]
    ordered = trades.select(columns).sort("time_us", maintain_order=True)
    replace_whole(ordered, place)
    days = ordered.select(pl.col("day").min().alias("first"), pl.col("day").max().alias("last")).row(0)
    told = place.stat()
    return TradePart(path, market, year, ordered.height, told.st_size, int(told.st_mtime * 1000), days[0], days[1])


def commit_parts(lake: Path, parts: Sequence[TradePart], source: str) -> bool:
    """Make the parts of one source visible, all at once; false where the source is in the table already.

    Raises LakeBusy when other writers win the race again and again.
    """
    from deltalake import Schema
    from deltalake.exceptions import CommitFailedError
    from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

    table = _create(lake)
    actions: list[AddAction | RemoveAction] = [
        AddAction(
            part.path,
            part.size_bytes,
            {"market": part.market, "year": str(part.year)},
            part.modified_ms,
            True,
            json.dumps(
                {
                    "numRecords": part.rows,
                    "minValues": {"day": part.first_day.isoformat()},
                    "maxValues": {"day": part.last_day.isoformat()},
                    "nullCount": {"day": 0},
                }
            ),
        )
        for part in parts
    ]
    once = CommitProperties(app_transactions=[Transaction(source, 1)])
    for _ in range(_ATTEMPTS):
        if table.transaction_version(source) is not None:
            return False
        try:
            table.create_write_transaction(
                actions, "append", Schema(_fields()), partition_by=PARTED_BY, commit_properties=once
            )
        except CommitFailedError:
            table = _create(lake)
            continue
        return True
    raise LakeBusy(f"found {lake} busy, expected to write within {_ATTEMPTS} attempts")


def trade_files(lake: Path, markets: Sequence[str] | None = None) -> list[TradeFile]:
    """The files of the newest version of the table, ascending by market, first day and name; of some markets only, or
    of all without `markets`. None where there is no table yet.
    """
    import polars as pl

    table = _open(lake)
    if table is None:
        return []
    found = pl.DataFrame(table.get_add_actions(flatten=True))
    if found.is_empty():
        return []
    names = {
        "path": "name",
        "partition.market": "market",
        "num_records": "rows",
        "min.day": "first_day",
        "max.day": "last_day",
    }
    files = found.select(names.keys()).rename(names)
    if markets is not None:
        files = files.filter(pl.col("market").is_in(list(markets)))
    return [
        TradeFile((lake / _TABLE / row["name"]).absolute(), **row)
        for row in files.sort("market", "first_day", "name").iter_rows(named=True)
    ]


def is_loaded(lake: Path, source: str) -> bool:
    """Whether the trades of this source are in the table."""
    table = _open(lake)
    return table is not None and table.transaction_version(source) is not None


def replace_whole(frame: "pl.DataFrame", place: Path) -> None:
    """Write a Parquet file that is there as a whole or not at all."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".tmp")
    os.close(handle)
    frame.write_parquet(
        name, compression="zstd", compression_level=_COMPRESSION_LEVEL, row_group_size=_ROW_GROUP, statistics=True
    )
    Path(name).replace(place)


def _open(lake: Path) -> "DeltaTable | None":
    place = lake / _TABLE
    if not place.is_dir():
        return None
    from deltalake import DeltaTable

    return DeltaTable(str(place)) if DeltaTable.is_deltatable(str(place)) else None


def _fields() -> "list[Field]":
    import polars as pl
    from deltalake import Field
    from deltalake.schema import PrimitiveType

    columns = {**trades_schema(), "year": pl.Int32}
    return [Field(name, PrimitiveType(_TYPES[str(kind)])) for name, kind in columns.items()]


def _create(lake: Path) -> "DeltaTable":
    from deltalake import DeltaTable, Schema
    from deltalake.exceptions import CommitFailedError

    table = _open(lake)
    if table is None:
        place = lake / _TABLE
        place.mkdir(parents=True, exist_ok=True)
        # Another writer may have made it in between; there is nothing more to do then.
        with suppress(CommitFailedError):
            DeltaTable.create(place, schema=Schema(_fields()), mode="ignore", partition_by=PARTED_BY, name=_TABLE)
        table = DeltaTable(str(place))
    return table
