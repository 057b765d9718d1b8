"""The table of single trades: one Delta table `trades` in the lake, parted by market and year, sorted by time inside.

Knows how files of trades are written, named in the log and found again. Must not know headings, checks, statistics or
engines. Files are written first and named in the log in one step: a reader sees all trades of a source or none, and
the same source again changes nothing. What was cut short leaves files that no log names; they are never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.lake_files import NewFile, commit_files, is_committed, listed_files, write_file
from carbon.trades.records import trades_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PARTED_BY", "TradeFile", "commit_parts", "is_loaded", "trade_files", "write_part"]

PARTED_BY = ["market", "year"]

_TABLE = "trades"


@dataclass(frozen=True)
class TradeFile:
    """A file of the table: where it lies, its name in the log, whose trades it holds, how many, and of which days."""

    path: Path
    name: str
    market: str
    rows: int
    first_day: date
    last_day: date


def write_part(lake: Path, trades: "pl.DataFrame", market: str, year: int, source: str) -> NewFile:
    """Write trades of one market and year as a file below the table, ascending by time; nobody sees it yet.

    trades : columns of `trades_schema` (market may be absent), one row at least, checked
    source : names the file together with market and year, so that the same source is written to the same place
    """
    columns = [column for column in trades_schema() if column != "market"]
    ordered = trades.select(columns).sort("time_us", maintain_order=True)
    return write_file(lake / _TABLE, ordered, {"market": market, "year": str(year)}, source)


def commit_parts(lake: Path, parts: Sequence[NewFile], source: str) -> bool:
    """Make the parts of one source visible, all at once; false where the source is in the table already.

    Raises LakeBusy when other writers win the race again and again.
    """
    import polars as pl

    return commit_files(lake / _TABLE, {**trades_schema(), "year": pl.Int32}, parts, source)


def trade_files(lake: Path, markets: Sequence[str] | None = None) -> list[TradeFile]:
    """The files of the newest version of the table, ascending by market, first day and name; of some markets only, or
    of all without `markets`. None where there is no table yet.
    """
    import polars as pl

    found = listed_files(lake / _TABLE)
    if found is None:
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
    return is_committed(lake / _TABLE, source)
