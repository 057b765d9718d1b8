"""Loading a trading file: read, check, append to the lake, and derive the SQL figures from it.

Knows the order of these steps and what makes them safe to repeat. Must not know headings, rules or formulas. The two
stores are written one after the other: the lake first, then SQL in one transaction that records the lake's version,
so that `ensure_fresh` can heal a crash between them. These functions commit for themselves, as each says.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.embedded import load_embedded, resolve_market
from carbon.errors import Problem

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

    from carbon.formats import Reading
    from carbon.market import Period
    from carbon.tables import TradeFile

__all__ = ["STEPS", "LoadReport", "Progress", "ensure_fresh", "load_trades", "refresh_market"]

STEPS = ("reading", "comparing", "appending", "summarising")
Progress = Callable[[str], None]
"""Called with the name of each of STEPS as it begins."""

_OF_RETURNS = ("volatility_annual", "amihud_per_million_cny", "zero_return_share")


@dataclass(frozen=True)
class LoadReport:
    """What became of one file.

    rows_read = rows_kept + rejected + rows_without_trade + rows_repeated + rows_of_others; rows_kept = rows_new +
    rows_already_loaded.
    rows_without_trade : calendar days without volume and value; rows_repeated : an earlier line says the same
    rows_of_others : about another market of the same file, or about offsets printed beside the market's own product
    problems : errors and warnings by line; an error sets its row apart, or with strict the whole file
    """

    file: str
    format: str
    market: str
    rows_read: int
    rows_kept: int
    rows_new: int
    rows_already_loaded: int
    rows_without_trade: int
    rows_repeated: int
    problems: tuple[Problem, ...]
    rows_of_others: int = 0

    @property
    def rejected(self) -> int:
        """Rows that were not kept although they hold a trade of their own."""
        not_rejected = self.rows_kept + self.rows_without_trade + self.rows_repeated + self.rows_of_others
        return self.rows_read - not_rejected

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that set rows apart."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def load_trades(
    session: "Session",
    lake: Path,
    path: Path,
    *,
    market: str,
    format_name: str | None = None,
    strict: bool = False,
    loaded_at: datetime | None = None,
    file_name: str | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Load one trading file of a market: good rows are kept, bad rows are set apart and reported.

    path : .csv, .csv.gz or text of bulletins; market : key or product code in any case; of a file of several markets
    the rows of this one are loaded and the others counted; format_name : a key of `carbon.formats.FORMATS`, by the
    header without; strict : with any error keep no row; loaded_at : moment for the log; file_name : the path's without

    Commits: the embedded tables if they are missing (one transaction); the rows as one version of the lake; then the
    log entry, daily bars and summaries of the market as one SQL transaction. The same file again changes nothing.
    Raises UnknownMarket, UnknownFormat, UnreadableFile, FileTooLarge, LakeBusy.
    """
    from carbon.cross_checks import find_conflicts
    from carbon.findings import to_problems
    from carbon.formats import read_trades
    from carbon.lake import append_rows, read_rows

    say = progress or _say_nothing
    key, file = resolve_market(market), file_name or path.name
    say("reading")
    name, reading = read_trades(path, market=key, format_name=format_name, file=file)
    say("comparing")
    conflicts = find_conflicts(reading.rows, read_rows(lake, key))
    problems = _by_row([*reading.problems, *to_problems(conflicts, file)])
    kept = reading.rows.join(conflicts.select("row"), on="row", how="anti")
    set_apart = _days_set_apart(reading, conflicts)
    if strict and any(problem.severity == "error" for problem in problems):
        kept, set_apart = kept.clear(), set_apart.clear()
    load_embedded(session)
    rows_new = 0
    if not kept.is_empty():
        say("appending")
        rows_new = append_rows(lake, kept)
    if not kept.is_empty() or _is_of_market(set_apart, problems):
        say("summarising")
        entry = _log_entry(path, name, reading, kept, file, key, loaded_at)
        _log_and_refresh(session, lake, entry, set_apart)
    return LoadReport(
        file=file,
        format=name,
        market=key,
        rows_read=reading.rows_read,
        rows_kept=kept.height,
        rows_new=rows_new,
        rows_already_loaded=kept.height - rows_new,
        rows_without_trade=reading.rows_without_trade,
        rows_repeated=reading.rows_repeated,
        problems=tuple(problems),
        rows_of_others=reading.rows_of_others,
    )


def refresh_market(session: "Session", lake: Path, market: str) -> None:
    """Derive the daily bars and loaded summaries of one market again from the lake, and commit (one transaction).

    market : key or product code. Embedded summaries stay. Raises UnknownMarket.
    """
    key = resolve_market(market)
    load_embedded(session)
    try:
        _lock_market(session, key)
        _derive(session, lake, key)
        session.commit()
    except Exception:
        session.rollback()
        raise


def ensure_fresh(session: "Session", lake: Path) -> list[str]:
    """Derive every market again whose SQL figures come from another version of the lake; the keys of those markets.

    Commits one transaction a market. Heals a crash between the two stores; changes nothing where all is fresh.
    """
    from carbon.lake import lake_markets, lake_version

    version = lake_version(lake)
    stale = [market for market in lake_markets(lake) if _recorded_version(session, market) != version]
    for market in stale:
        refresh_market(session, lake, market)
    return stale


def _say_nothing(step: str) -> None:
    del step


def _by_row(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.row or 0)


def _days_set_apart(reading: "Reading", conflicts: "pl.DataFrame") -> "pl.DataFrame":
    """How many lines of each day were set apart, by the file's own errors or against the lake: day, lines; ascending,
    with one row without day for the lines whose day cannot be read.
    """
    import polars as pl

    against_lake = reading.rows.join(conflicts.select("row"), on="row", how="semi").select("row", "day")
    lines = pl.concat([reading.set_apart, against_lake]).unique("row")
    return lines.group_by("day").agg(pl.len().cast(pl.Int64).alias("lines")).sort("day")


def _is_of_market(set_apart: "pl.DataFrame", problems: Sequence[Problem]) -> bool:
    """Whether lines that were set apart tell days of the market: those of a file of other products do not."""
    is_known = any(problem.severity == "error" and problem.code != "unknown_product" for problem in problems)
    return is_known and set_apart["day"].count() > 0


def _log_entry(
    path: Path,
    format_name: str,
    reading: "Reading",
    kept: "pl.DataFrame",
    file: str,
    market: str,
    loaded_at: datetime | None,
) -> "TradeFile":
    from carbon.tables import TradeFile

    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    days = kept["day"].sort().to_list()
    set_aside = reading.rows_without_trade + reading.rows_repeated + reading.rows_of_others
    return TradeFile(
        sha256=sha256,
        file=file,
        market=market,
        format=format_name,
        rows_read=reading.rows_read,
        rows_kept=kept.height,
        rows_rejected=reading.rows_read - kept.height - set_aside,
        first_day=days[0] if days else None,
        last_day=days[-1] if days else None,
        loaded_at=loaded_at,
    )


def _log_and_refresh(session: "Session", lake: Path, entry: "TradeFile", set_apart: "pl.DataFrame") -> None:
    """Log the file unless it is, with the days set apart, and derive the market where the lake or these have changed;
    one transaction.
    """
    from carbon.lake import lake_version

    try:
        _lock_market(session, entry.market)
        is_changed = _log(session, entry, set_apart)
        if is_changed or _recorded_version(session, entry.market) != lake_version(lake):
            _derive(session, lake, entry.market)
        session.commit()
    except Exception:
        session.rollback()
        raise


def _log(session: "Session", entry: "TradeFile", set_apart: "pl.DataFrame") -> bool:
    """Whether the days set apart are other ones than were logged of these bytes before; they are then replaced."""
    from sqlmodel import delete, insert, select

    from carbon.tables import DaySetApart, TradeFile

    same_file = select(TradeFile.id).where(
        TradeFile.sha256 == entry.sha256, TradeFile.market == entry.market, TradeFile.format == entry.format
    )
    number = session.exec(same_file).first()
    if number is None:
        session.add(entry)
        session.flush()
        number = entry.id
    logged = session.exec(select(DaySetApart).where(DaySetApart.trade_file == number))
    if {(one.day, one.lines) for one in logged} == set(set_apart.iter_rows()):
        return False
    session.exec(delete(DaySetApart).where(DaySetApart.trade_file == number))  # type: ignore[arg-type]
    if not set_apart.is_empty():
        rows = [{"trade_file": number, "day": day, "lines": lines} for day, lines in set_apart.iter_rows()]
        session.exec(insert(DaySetApart), params=rows)
    return True


def _lock_market(session: "Session", market: str) -> None:
    """Let one writer at a time derive a market, until its commit; SQLite has one writer anyway and leaves it out."""
    from sqlmodel import select

    from carbon.tables import Market

    session.exec(select(Market.market).where(Market.market == market).with_for_update(key_share=True)).one()


def _recorded_version(session: "Session", market: str) -> int | None:
    from sqlmodel import func, select

    from carbon.tables import TradeSummary

    recorded = select(func.min(TradeSummary.lake_version)).where(
        TradeSummary.market == market, TradeSummary.origin == "loaded"
    )
    return session.exec(recorded).one()


def _derive(session: "Session", lake: Path, market: str) -> None:
    """Replace the bars and loaded summaries of one market, without committing."""
    from sqlmodel import delete, insert

    from carbon.lake import lake_version, read_rows
    from carbon.market import day_bars
    from carbon.tables import DailyBar, TradeSummary

    # The version first: were a writer to add rows in between, the figures would count as stale and be made again.
    version = lake_version(lake)
    rows = read_rows(lake, market)
    bars = day_bars(rows)
    summaries = _loaded_summaries(rows, bars, market, _logged_days_set_apart(session, market)).to_dicts()
    session.exec(delete(DailyBar).where(DailyBar.market == market))  # type: ignore[arg-type]
    session.exec(
        delete(TradeSummary).where(
            TradeSummary.market == market,  # type: ignore[arg-type]
            TradeSummary.origin == "loaded",  # type: ignore[arg-type]
        )
    )
    if not bars.is_empty():
        session.exec(insert(DailyBar), params=bars.to_dicts())
    if summaries:
        stamped = [{**summary, "origin": "loaded", "lake_version": version} for summary in summaries]
        session.exec(insert(TradeSummary), params=stamped)


def _logged_days_set_apart(session: "Session", market: str) -> list[date]:
    """The days of which a logged file of the market has lines that were set apart, ascending."""
    from sqlmodel import col, select

    from carbon.tables import DaySetApart, TradeFile

    logged = (
        select(DaySetApart)
        .join(TradeFile, col(TradeFile.id) == col(DaySetApart.trade_file))
        .where(TradeFile.market == market)
    )
    return sorted({one.day for one in session.exec(logged) if one.day is not None})


def _loaded_summaries(
    rows: "pl.DataFrame", bars: "pl.DataFrame", market: str, set_apart: Sequence[date]
) -> "pl.DataFrame":
    import polars as pl

    from carbon.calendar import market_sessions
    from carbon.embedded import read_embedded
    from carbon.market import summarise
    from carbon.periods import market_statistics

    opened = read_embedded("markets").filter(pl.col("market") == market)["opened"].item()
    sessions = market_sessions(market, bars["day"].dt.year().unique().to_list())
    periods: tuple[Period, ...] = ("year", "month")
    summaries = pl.concat(
        summarise(bars, by=by, sessions=sessions, opened=opened, set_apart=set_apart) for by in periods
    )
    valued = rows.filter(pl.col("value_fen").is_not_null().all().over("market", "day", "feed"))
    measured = pl.concat(market_statistics(valued, by=by, sessions=sessions) for by in periods)
    moves = measured.select("market", "period", "by", *_OF_RETURNS)
    summaries = summaries.join(moves, on=["market", "period", "by"], how="left")
    return summaries.join(_sources(rows, bars), on=["by", "period"], how="left")


def _sources(rows: "pl.DataFrame", bars: "pl.DataFrame") -> "pl.DataFrame":
    """Names of the files behind each period, those of the feed that made the day's bar: columns by, period, source."""
    import polars as pl

    used = rows.join(bars.select("market", "day", "feed"), on=["market", "day", "feed"], how="semi")
    return pl.concat(
        used.group_by(pl.lit(by).alias("by"), pl.col("day").dt.strftime(form).alias("period")).agg(
            pl.format("loaded: {}", pl.col("file").unique().sort().str.join(", ")).first().alias("source")
        )
        for by, form in (("year", "%Y"), ("month", "%Y-%m"))
    )
