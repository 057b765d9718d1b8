"""Trades in the lake, from a user's file to statistics: load, sum each file once, put the sums together.

Knows the order of these steps and where the sums of each file are kept. Must not know headings, formulas, how the table
is written, or an engine's inner life.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.bulk_loading import BulkLoadReport, say_no_step
from carbon.errors import CarbonError
from carbon.lake_files import remove_leftovers, replace_whole, sha256_of, split_by
from carbon.scans import replaced_expr
from carbon.trades.executors import Done, Engine, open_engine
from carbon.trades.files import TradeReading, scan_trade_file
from carbon.trades.kernel import SLICE_ROWS, FileTask, Partials, sum_file
from carbon.trades.names import code_names
from carbon.trades.table import PARTED_BY, TradeFile, commit_parts, is_loaded, trade_files, write_part

if TYPE_CHECKING:
    import polars as pl

    from carbon.listed import Split
    from carbon.periods import Span

__all__ = [
    "NoTrades",
    "SummedFiles",
    "TradeSummary",
    "load_trade_records",
    "sum_files",
    "summarise_trades",
]

_PARTIALS, _STAGING = "trade_partials", "trade_staging_"
# Raised whenever what the kernel returns changes, so that older sums are never taken for new ones.
_PARTIALS_VERSION = "1"


class NoTrades(CarbonError):
    """The lake holds no trades, or none of the markets asked for."""


@dataclass(frozen=True)
class TradeSummary:
    """Statistics (`carbon.trades.sums.statistics_schema`), of how many files, and how many of these had to be read."""

    rows: "pl.DataFrame"
    files: int
    files_read: int


@dataclass(frozen=True)
class SummedFiles:
    """The sums of each file, and how many files had to be read."""

    parts: list[Partials]
    files_read: int


def load_trade_records(
    lake: Path,
    path: Path,
    *,
    market: str | None = None,
    file_name: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> BulkLoadReport:
    """Add the good rows of a file of trades to the table, in one version; bad rows are set apart and reported.

    Names of buyers and sellers are kept first and stand as codes in the table (`carbon.trades.names`). What a load that
    was killed a day ago or more left behind is removed.

    path : .csv or .parquet, columns as in `carbon.trades.files.HEADINGS`; market : for a file without that column
    file_name : name to report, the path's own by default
    progress : told each of `carbon.bulk_loading.LOAD_STEPS` as it begins
    Raises UnreadableFile, UnknownFormat, UnknownMarket, LakeBusy.
    """
    import polars as pl

    say = progress or say_no_step
    name = file_name or path.name
    say("checking")
    sha256 = sha256_of(path) if path.is_file() else ""
    if sha256 and is_loaded(lake, sha256):
        return BulkLoadReport(name, sha256, 0, 0, True, ())
    reading = scan_trade_file(path, market=market, file=name)
    if reading.rows_kept:
        say("sorting")
        # The names first: were they to come after the rows, a crash in between would leave codes of nobody.
        good = _with_codes(reading, lake) if reading.names else reading.good
        yearly = good.with_columns(year=pl.col("day").dt.year())
        split = split_by(lake, yearly, PARTED_BY, in_memory=reading.rows_kept <= SLICE_ROWS, staging=_STAGING)
        parts = [write_part(lake, trades, key, int(year), sha256) for (key, year), trades in split]
        say("appending")
        commit_parts(lake, parts, sha256)
        remove_leftovers(lake, _STAGING, max(part.modified_ms for part in parts))
    return BulkLoadReport(name, sha256, reading.rows_read, reading.rows_kept, False, reading.problems, reading.assumed)


def summarise_trades(
    lake: Path,
    *,
    by: "Span",
    split: "tuple[Split, ...]" = (),
    markets: Sequence[str] | None = None,
    allowances: "pl.DataFrame | None" = None,
    engine: Engine | None = None,
    keep: bool = True,
    progress: Done | None = None,
) -> TradeSummary:
    """Statistics of the trades in the table, by market, period, vintage and method (`carbon.trades.sums`).

    by : "day", "week", "month", "quarter", "year" or "all"; who traded is known by month and longer periods
    split : any of "vintage" and "method", in this order; markets : keys or product codes, all without
    allowances : in issue, for turnover (`carbon.turnover.read_allowances`); engine : threads of this process without
    keep : leave the sums of each file beside the table, and take them from there where they are
    progress : told how many files are done, of how many that must be read
    Raises NoTrades, UnknownMarket, EngineFailed, BadAllowances.
    """
    from carbon.trades.sums import combine

    summed = sum_files(lake, split=split, markets=markets, engine=engine, keep=keep, progress=progress)
    rows = combine(summed.parts, by=by, split=split, allowances=allowances)
    return TradeSummary(rows, len(summed.parts), summed.files_read)


def sum_files(
    lake: Path,
    *,
    split: "tuple[Split, ...]" = (),
    markets: Sequence[str] | None = None,
    engine: Engine | None = None,
    keep: bool = True,
    progress: Done | None = None,
) -> SummedFiles:
    """The sums of every file of trades of the markets, read only where they are not kept yet.

    split, markets, engine, keep, progress : as for `summarise_trades`. Raises NoTrades, UnknownMarket, EngineFailed.
    """
    from carbon.embedded import resolve_market

    keys = None if markets is None else [resolve_market(name) for name in markets]
    files = trade_files(lake, keys)
    if not files:
        asked = "" if keys is None else f" of {', '.join(keys)}"
        raise NoTrades(f"found no trades{asked}, expected some: load a file with greenfin load trade-records FILE")
    tasks = _tasks(files, split)
    places = [_partials_place(lake, file, task) for file, task in zip(files, tasks, strict=True)]
    with open_engine() as threads:
        kept = threads.run(_read_partials, places) if keep else [None] * len(places)
        fresh = [number for number, part in enumerate(kept) if part is None]
        made = (engine or threads).run(sum_file, [tasks[number] for number in fresh], progress)
    parts = dict(enumerate(kept)) | dict(zip(fresh, made, strict=True))
    if keep:
        for number, part in zip(fresh, made, strict=True):
            _keep_partials(part, places[number])
    return SummedFiles([part for part in parts.values() if part is not None], len(fresh))


def _with_codes(reading: TradeReading, lake: Path) -> "pl.LazyFrame":
    """The good rows of a file of names, with the codes that stand for these in the lake."""
    import polars as pl

    codes = code_names(lake, reading.names)
    places = pl.int_range(codes.len(), dtype=pl.Int32, eager=True)
    return reading.good.with_columns(
        replaced_expr(pl.col(side), places, codes).alias(side) for side in ("buyer", "seller")
    )


def _tasks(files: Sequence[TradeFile], split: tuple[str, ...]) -> list[FileTask]:
    """One task a file; timed where another file of the market may hold trades of the same days."""
    tasks = []
    for file in files:
        others = (other for other in files if other.market == file.market and other.name != file.name)
        timed = any(other.first_day <= file.last_day and file.first_day <= other.last_day for other in others)
        tasks.append(FileTask(str(file.path), file.market, file.rows, split, timed))
    return tasks


def _partials_place(lake: Path, file: TradeFile, task: FileTask) -> Path:
    """Folder of the sums of one file, named by the file's name in the log, which never names another content."""
    kind = "-".join([_PARTIALS_VERSION, *(task.split or ("all",)), *(["timed"] if task.timed else [])])
    return lake / _PARTIALS / kind / file.name.replace("/", "__").removesuffix(".parquet")


def _read_partials(place: Path) -> Partials | None:
    import polars as pl

    read = partial(pl.read_parquet, hive_partitioning=False, glob=False)
    files = (place / "days.parquet", place / "parties.parquet")
    if not all(file.is_file() for file in files):
        return None
    return Partials(*(read(file) for file in files))


def _keep_partials(part: Partials, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    replace_whole(part.days, place / "days.parquet")
    replace_whole(part.parties, place / "parties.parquet")
