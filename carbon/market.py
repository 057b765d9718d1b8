"""Market statistics: one bar a day from rows, one summary a period from bars, and the measures behind them.

Knows prices, volumes and their formulas. Must not know files, the lake, SQL or today's date. Pure: frames and arrays
in, frames and numbers out. A statistic that cannot be computed is null (None), never zero and never NaN.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal

from carbon.rows import ALL, AUCTION, BLOCK, LISTING, METHOD_NAMES, PARTS
from carbon.units import FEN_PER_CNY

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "FEED_PRIORITY",
    "GAPPY_FEEDS",
    "SCREEN_ONLY_FEEDS",
    "Period",
    "bars_schema",
    "choose_feeds",
    "count_calendar_sessions",
    "day_bars",
    "summaries_schema",
    "summarise",
]

Period = Literal["year", "month"]

# The exchange's own tables first, by method before composite; then the registry's bulletins; then the pilots' own
# pages; then the data vendor, who says what he counts; then the sentences of the bulletins; then collections of others'
# pages, which do not say it, those without a value last. A source of the stacked table stands behind what it was
# stacked from.
FEED_PRIORITY = (
    "cneeex_daily",
    "exchange_year",
    "vintage_panel",
    "crc_price",
    "crc_settlement",
    "exchange_hubei",
    "exchange_beijing",
    "akshare_gz",
    "akshare_sz",
    "long_daily:cneeex_2025",
    "long_daily:zzysty",
    "wind_daily",
    "long_daily:sirui_wind",
    "long_daily:sirui_wind:screen",
    "seee_bulletins",
    "sceex_daily",
    "long_daily:ccpred_sceex",
    "akshare_domestic",
    "long_daily:zeka_tanjiaoyi",
    "akshare_hb",
)

# These print screen trades only: what was dealt in blocks or by auction is not known, which is not the same as zero.
SCREEN_ONLY_FEEDS = ("wind_daily", "exchange_hubei", "akshare_gz", "akshare_hb", "long_daily:sirui_wind:screen")

# The Sichuan page lacks about 600 of 1,640 sessions a market (research, data.md 2), so that its sums are lower bounds.
GAPPY_FEEDS = ("sceex_daily", "long_daily:ccpred_sceex")

_PRICES = ("open_fen_per_t", "high_fen_per_t", "low_fen_per_t", "close_fen_per_t")
_EVERY: dict[Period, str] = {"year": "1y", "month": "1mo"}
_FORMAT: dict[Period, str] = {"year": "%Y", "month": "%Y-%m"}


def bars_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of daily bars: the columns of the table `DailyBar`."""
    import polars as pl

    amounts = [f"{METHOD_NAMES[code]}_{unit}" for code in PARTS for unit in ("volume_t", "value_fen")]
    return {
        "market": pl.String,
        "day": pl.Date,
        **dict.fromkeys([*_PRICES, *amounts, "volume_t", "value_fen"], pl.Int64),
        "feed": pl.String,
    }


def summaries_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of period summaries (`summarise`)."""
    import polars as pl

    return {
        "market": pl.String,
        "period": pl.String,
        "by": pl.String,
        "volume_t": pl.Int64,
        "value_fen": pl.Int64,
        "vwap_cny_per_t": pl.Float64,
        "sessions": pl.Int64,
        "calendar_sessions": pl.Int64,
        "continuity": pl.Float64,
        "block_share": pl.Float64,
        "last_close_fen_per_t": pl.Int64,
        "first_day": pl.Date,
        "last_day": pl.Date,
        "coverage": pl.String,
    }


def choose_feeds(rows: "pl.DataFrame", feeds: Sequence[str] = FEED_PRIORITY) -> "pl.DataFrame":
    """The rows of one feed a market and day, so that no tonne counts twice.

    rows : canonical rows; feeds : which feed wins, best first; others follow in order of name. A feed that prints a
    value in all its rows of the day goes before one that leaves any out.
    """
    import polars as pl

    ranks = list(range(len(feeds)))
    rank = pl.col("feed").replace_strict(list(feeds), ranks, default=len(feeds), return_dtype=pl.Int32)
    lacks_value = pl.col("value_fen").is_null().any().over("market", "day", "feed")
    ranked = rows.with_columns(lacks_value.alias("_lacks_value"), rank.alias("_rank"))
    best = pl.col("feed").sort_by("_lacks_value", "_rank", "feed").first().over("market", "day")
    return ranked.filter(pl.col("feed") == best).drop("_lacks_value", "_rank")


def day_bars(rows: "pl.DataFrame", *, feeds: Sequence[str] = FEED_PRIORITY) -> "pl.DataFrame":
    """One bar a market and day, ascending, in `bars_schema`.

    rows : canonical rows
    feeds : which feed wins where several hold the same market and day, best first (`choose_feeds`)
    Rows of one feed only make a bar, so that no tonne counts twice. A day on which that feed leaves out the value of a
    row makes none: part of its tonnes would pass for all.
    Block and auction figures are zero on days without such deals, and null where the feed prints screen trades only;
    listing, block and auction are all null where a row counts every method together.
    Prices are those of the listed product with the most tonnes that day (ties: first by name), null where none has a
    price.
    """
    import polars as pl

    used = choose_feeds(rows, feeds).filter(pl.col("value_fen").is_not_null().all().over("market", "day"))
    is_priced = pl.col("method").is_in([LISTING, ALL]) & pl.col("close_fen_per_t").is_not_null()
    prices = (
        used.filter(is_priced)
        .sort("market", "day", "volume_t", "product", descending=[False, False, True, False])
        .group_by("market", "day", maintain_order=True)
        .agg(pl.col(_PRICES).first())
    )
    sums = used.group_by("market", "day").agg(
        *[
            pl.when((pl.col("method") != ALL).all())
            .then(pl.col(unit).filter(pl.col("method") == code).sum())
            .alias(f"{METHOD_NAMES[code]}_{unit}")
            for code in PARTS
            for unit in ("volume_t", "value_fen")
        ],
        pl.col("volume_t").sum(),
        pl.col("value_fen").sum(),
        pl.col("feed").first(),
    )
    unknown = [f"{METHOD_NAMES[code]}_{unit}" for code in (BLOCK, AUCTION) for unit in ("volume_t", "value_fen")]
    known = sums.with_columns(pl.when(~pl.col("feed").is_in(SCREEN_ONLY_FEEDS)).then(pl.col(unknown)).name.keep())
    bars = known.join(prices, on=["market", "day"], how="left").sort("market", "day")
    return bars.select(pl.col(name).cast(kind) for name, kind in bars_schema().items())


def count_calendar_sessions(periods: "pl.DataFrame", sessions: "pl.Series") -> "pl.DataFrame":
    """Add `calendar_sessions` (Int64) and `continuity` (Float64) to periods.

    periods : with period_start, period_end, first_loaded, last_loaded (Date) and sessions (days with trades)
    sessions : ascending session days of the exchange; a period in a year that has none in it is not known, so null
    Calendar sessions are counted from the later of period_start and first_loaded to the earlier of period_end and
    last_loaded. Continuity is sessions / max(calendar sessions, sessions): some exchanges open on extra weekends.
    """
    import polars as pl

    window_start = pl.max_horizontal("period_start", "first_loaded")
    window_end = pl.min_horizontal("period_end", "last_loaded")
    days = sessions.cast(pl.Date).sort().unique(maintain_order=True)
    known_years = days.dt.year().unique().to_list()
    before = [
        pl.Series(days.search_sorted(periods.select(window_start.alias("d"))["d"], side="left")),
        pl.Series(days.search_sorted(periods.select(window_end.alias("d"))["d"], side="right")),
    ]
    counted = periods.with_columns(_first=before[0].cast(pl.Int64), _last=before[1].cast(pl.Int64))
    is_known = pl.col("period_start").dt.year().is_in(known_years)
    calendar = pl.when(is_known).then((pl.col("_last") - pl.col("_first")).clip(lower_bound=0))
    most = pl.max_horizontal(calendar, "sessions")
    return counted.with_columns(
        calendar_sessions=calendar,
        continuity=pl.when(is_known & (most > 0)).then(pl.col("sessions") / most),
    ).drop("_first", "_last")


def summarise(
    bars: "pl.DataFrame",
    *,
    by: Period,
    sessions: "pl.Series",
    opened: date | None = None,
    set_apart: Sequence[date] = (),
) -> "pl.DataFrame":
    """One summary a market and period with trades, ascending, in `summaries_schema`.

    bars : result of `day_bars` for one market or several; by : "year" or "month"
    sessions : ascending session days (`carbon.calendar.sessions_of_years`); opened : first day of the market, if known
    set_apart : days of which lines were set apart, of one market; those that no bar has leave their month a part

    Sessions are days with tonnes. Returns and what is made of them are not among these figures, since a bar does not
    say whose close it holds: they are of rows (`carbon.periods.market_statistics`). Coverage is whole_<by> where no
    session of the period lies outside the days loaded, and of a month no day was lost, else part_of_<by>; it is
    lower_bound where a day of the period comes from a feed that leaves sessions out.
    """
    import polars as pl

    traded = bars.filter(pl.col("volume_t") > 0).with_columns(
        period=pl.col("day").dt.strftime(_FORMAT[by]),
        period_start=pl.col("day").dt.truncate(_EVERY[by]),
        first_loaded=pl.col("day").min().over("market"),
        last_loaded=pl.col("day").max().over("market"),
    )
    grouped = traded.group_by("market", "period").agg(
        pl.col("period_start", "first_loaded", "last_loaded").first(),
        pl.col("volume_t", "value_fen").sum(),
        # Null as soon as one day's blocks are not known.
        pl.when(pl.col("block_volume_t").null_count() == 0)
        .then(pl.col("block_volume_t").sum() / pl.col("volume_t").sum())
        .alias("block_share"),
        pl.len().cast(pl.Int64).alias("sessions"),
        pl.col("close_fen_per_t").sort_by("day").drop_nulls().last().alias("last_close_fen_per_t"),
        pl.col("day").min().alias("first_day"),
        pl.col("day").max().alias("last_day"),
        pl.col("feed").is_in(GAPPY_FEEDS).any().alias("has_gaps"),
    )
    windows = grouped.with_columns(
        period_end=pl.col("period_start").dt.offset_by(_EVERY[by]).dt.offset_by("-1d"),
        by=pl.lit(by),
        vwap_cny_per_t=pl.col("value_fen") / pl.col("volume_t") / FEN_PER_CNY,
    )
    # Of a year, `carbon.facts.market_years` counts the days; a month has nothing else to be held against.
    lost = set(set_apart) - set(bars["day"]) if by == "month" else set()
    counted = _with_coverage(count_calendar_sessions(windows, sessions), sessions, opened, by, lost)
    return counted.select(pl.col(name).cast(kind) for name, kind in summaries_schema().items()).sort("market", "period")


def _with_coverage(
    periods: "pl.DataFrame", sessions: "pl.Series", opened: date | None, by: Period, lost: Collection[date]
) -> "pl.DataFrame":
    """Add coverage: whole_<by> where the loaded days leave out no session of the period since the opening, nor a lost
    day."""
    import polars as pl

    start = pl.max_horizontal("period_start", pl.lit(opened, dtype=pl.Date))
    days = sessions.to_frame("session")
    outside = (
        periods.select("market", "period", start.alias("start"), "period_end", "first_loaded", "last_loaded")
        .join(days, how="cross")
        .filter(
            pl.col("session").is_between("start", "period_end")
            & ~pl.col("session").is_between("first_loaded", "last_loaded")
        )
        .select("market", "period")
        .unique()
    )
    in_unknown_year = ~pl.col("period_start").dt.year().is_in(sessions.dt.year().unique().to_list())
    leaves_days_out = (start < pl.col("first_loaded")) | (pl.col("period_end") > pl.col("last_loaded"))
    marked = periods.join(outside.with_columns(outside=True), on=["market", "period"], how="left")
    periods_lost = sorted({day.strftime(_FORMAT[by]) for day in lost})
    has_lost = pl.col("period").is_in(periods_lost)
    is_part = pl.col("outside").fill_null(False) | (in_unknown_year & leaves_days_out) | has_lost
    extent = pl.when(is_part).then(pl.lit(f"part_of_{by}")).otherwise(pl.lit(f"whole_{by}"))
    return marked.with_columns(coverage=pl.when("has_gaps").then(pl.lit("lower_bound")).otherwise(extent))
