"""Market statistics by day, month, quarter, year or over all, for a whole market or by vintage, method and product.

Knows how days are grouped into periods and rows into parts, and which measure is taken over which days. Must not know
files, the lake, SQL or today's date. Pure: frames in, frames out; the order of the rows makes no difference. What
cannot be computed is null, never zero and never NaN. The formulas are those of `carbon.statistics`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

from carbon.calendar import calendar_additions, market_sessions, sessions_of_years
from carbon.errors import CarbonError
from carbon.listed import Split, block_discounts, listed_days, traded_rows
from carbon.market import FEED_PRIORITY, count_calendar_sessions
from carbon.rows import BLOCK, METHOD_NAMES
from carbon.statistics import SESSIONS_A_YEAR
from carbon.units import FEN_PER_CNY

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "By",
    "Span",
    "Split",
    "UnknownBreakdown",
    "market_statistics",
    "period_name",
    "statistics_schema",
    "traded_statistics",
]

By = Literal["day", "month", "quarter", "year", "all"]
Span = Literal["day", "week", "month", "quarter", "year", "all"]
"""The periods of `traded_statistics`; a week is that of ISO 8601, Monday to Sunday (2025-W01)."""

_EVERY = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
_FORMAT = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}
_PARTS = ("vintage", "method", "product")


class UnknownBreakdown(CarbonError):
    """No period or part has this name."""


def statistics_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of `market_statistics`."""
    import polars as pl

    prices = [f"{name}_fen_per_t" for name in ("open", "high", "low", "close")]
    measures = (
        *("volatility_annual", "amihud_per_million_cny", "roll_spread_cny_per_t", "zero_return_share"),
        *("block_share", "block_discount_mean", "block_discount_median", "hhi_method", "hhi_vintage", "hhi_month"),
    )
    return {
        **dict.fromkeys(("market", "period", "by"), pl.String),
        "vintage": pl.Int32,
        **dict.fromkeys(("method", "product"), pl.String),
        **dict.fromkeys(("volume_t", "value_fen"), pl.Int64),
        "vwap_cny_per_t": pl.Float64,
        **dict.fromkeys((*prices, "sessions", "calendar_sessions"), pl.Int64),
        "continuity": pl.Float64,
        "returns": pl.Int64,
        "realised_variance": pl.Float64,
        **dict.fromkeys(measures, pl.Float64),
        **dict.fromkeys(("first_day", "last_day"), pl.Date),
        "feed": pl.String,
    }


def market_statistics(
    rows: "pl.DataFrame",
    *,
    by: By,
    split: Sequence[Split] = (),
    sessions: "pl.Series | None" = None,
    feeds: Sequence[str] = FEED_PRIORITY,
) -> "pl.DataFrame":
    """One row a market, part and period with tonnes, in `statistics_schema`, ascending by market, period and part.

    rows : canonical rows of one market or several
    by : "day", "month", "quarter", "year" or "all" (everything given)
    split : parts kept apart, any of "vintage", "method", "product"; parts add up to the whole in tonnes and fen. The
    whole itself is not among them: ask for it without split. A column that is not split is null, and so is the vintage
    of tonnes whose product code names none. Method "all" are rows that print every method together.
    sessions : ascending session days of every market; without them each market's own
    (`carbon.calendar.market_sessions`)
    feeds : which feed counts where several hold one market and day, best first (`carbon.market.choose_feeds`)

    Prices, returns and what is made of them are of listed trading, one close a day (`carbon.listed.listed_days`), so
    null for blocks and auctions; open is that of the first listed day, close that of the last, high and low are the
    extremes of the days that print them. A return or price change belongs to the period of its later day, wherever its
    earlier day lies; where the product that gives the close changes there is none (split by vintage to see each),
    and none on days whose feed prints all methods together.
    `returns` counts them; realised variance is the sum of their squares; volatility their sample deviation times
    sqrt(252); Amihud the mean of |return| per million CNY listed that day (doi 10.1016/S1386-4181(01)00024-6); Roll's
    spread 2 sqrt(-cov) of consecutive changes, null where the covariance is not negative (doi
    10.1111/j.1540-6261.1984.tb03897.x). Block discounts are unweighted over block rows, each against the last listed
    close of its product before its day (`carbon.listed.block_discounts`). Block share and concentration by method are
    null where the feed tells no methods, concentration by vintage where it names none; concentration is of tonnes
    (Herfindahl-Hirschman, 1/n to 1). Calendar sessions are those of the period between the market's first and last day
    with tonnes (`carbon.market.count_calendar_sessions`). value_fen is null where one row of the period has none.
    Raises UnknownBreakdown for another `by` or `split`.
    """
    _check(by, split)
    return traded_statistics(traded_rows(rows, feeds), by=by, split=split, sessions=sessions)


def traded_statistics(
    traded: "pl.DataFrame", *, by: Span, split: Sequence[Split] = (), sessions: "pl.Series | None" = None
) -> "pl.DataFrame":
    """As `market_statistics`, of the rows of one feed a market and day.

    traded : market, day, product, vintage, method, method_known, the prices, volume_t, value_fen and feed, as
    `carbon.listed.traded_rows` gives them, in its order; every row has tonnes
    """
    import polars as pl

    traded = _with_period(traded, by)
    keys = ["market", *split, "period"]
    listed = _with_period(listed_days(traded, split), by)
    parts = [_totals(traded, keys), _price_measures(listed, keys)]
    parts += [_discounts(_with_period(block_discounts(traded), by), keys, split)]
    parts += [_concentration(traded, keys, part) for part in ("method", "vintage", "month")]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, on=keys, how="left", nulls_equal=True)
    counted = _with_sessions(joined, by, sessions).with_columns(by=pl.lit(by), returns=pl.col("returns").fill_null(0))
    missing = [pl.lit(None).alias(part) for part in _PARTS if part not in split]
    shaped = counted.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in statistics_schema().items())
    return shaped.sort("market", "period", *_PARTS, nulls_last=True)


def _check(by: str, split: Sequence[str]) -> None:
    if by not in get_args(By):
        raise UnknownBreakdown(f"found period {by!r}, expected one of {', '.join(get_args(By))}")
    unknown = [part for part in split if part not in _PARTS]
    if unknown or len(set(split)) < len(split):
        raise UnknownBreakdown(f"found split {', '.join(split)}, expected any of {', '.join(_PARTS)}, each once")


def period_name(day: "pl.Expr", by: Span) -> "pl.Expr":
    """The name of the period that each day lies in: 2025-03-31, 2025-W14, 2025-03, 2025Q1, 2025, all."""
    import polars as pl

    if by == "all":
        return pl.when(day.is_not_null()).then(pl.lit("all"))
    if by == "quarter":
        return pl.format("{}Q{}", day.dt.year(), day.dt.quarter())
    return day.dt.strftime(_FORMAT[by])


def _with_period(days: "pl.DataFrame", by: Span) -> "pl.DataFrame":
    """Add period, the name of the period that `day` lies in."""
    import polars as pl

    return days.with_columns(period_name(pl.col("day"), by).alias("period"))


def _totals(traded: "pl.DataFrame", keys: list[str]) -> "pl.DataFrame":
    import polars as pl

    is_block = pl.col("method") == METHOD_NAMES[BLOCK]
    volume, value = pl.col("volume_t").sum(), pl.col("value_fen").sum()
    # The window of a part is that of its market: a vintage that trades on few of the days has a low continuity.
    loaded = traded.with_columns(
        first_loaded=pl.col("day").min().over("market"), last_loaded=pl.col("day").max().over("market")
    )
    totals = loaded.group_by(keys, maintain_order=True).agg(
        volume,
        pl.when(pl.col("value_fen").null_count() == 0).then(value).alias("value_fen"),
        pl.when(pl.col("method_known").all())
        .then(pl.col("volume_t").filter(is_block).sum() / volume)
        .alias("block_share"),
        pl.col("day").n_unique().cast(pl.Int64).alias("sessions"),
        pl.col("day").min().alias("first_day"),
        pl.col("day").max().alias("last_day"),
        pl.col("first_loaded", "last_loaded").first(),
        pl.col("feed").unique().sort().str.join(";"),
    )
    return totals.with_columns(vwap_cny_per_t=pl.col("value_fen") / pl.col("volume_t") / FEN_PER_CNY)


def _price_measures(listed: "pl.DataFrame", keys: list[str]) -> "pl.DataFrame":
    import polars as pl

    returns = pl.col("log_return").drop_nulls()
    value = pl.col("value_million_cny")
    covariance = pl.cov("change_cny_per_t", "change_before_cny_per_t")
    measured = listed.group_by(keys, maintain_order=True).agg(
        pl.col("open_fen_per_t").first(),
        pl.col("high_fen_per_t").max(),
        pl.col("low_fen_per_t").min(),
        pl.col("close_fen_per_t").last(),
        returns.len().cast(pl.Int64).alias("returns"),
        pl.when(returns.len() > 0).then((returns**2).sum()).alias("realised_variance"),
        (returns.std(ddof=1) * math.sqrt(SESSIONS_A_YEAR)).alias("volatility_annual"),
        (pl.col("log_return").abs() / value).filter(value > 0).mean().alias("amihud_per_million_cny"),
        (returns == 0).mean().alias("zero_return_share"),
        covariance.alias("covariance"),
    )
    spread = pl.when(pl.col("covariance") < 0).then(2 * (-pl.col("covariance")).sqrt())
    return measured.with_columns(roll_spread_cny_per_t=spread).drop("covariance")


def _discounts(discounts: "pl.DataFrame", keys: list[str], split: Sequence[Split]) -> "pl.DataFrame":
    import polars as pl

    if "method" in split:
        discounts = discounts.with_columns(method=pl.lit(METHOD_NAMES[BLOCK]))
    return discounts.group_by(keys, maintain_order=True).agg(
        block_discount_mean=pl.col("discount").mean(), block_discount_median=pl.col("discount").median()
    )


def _concentration(traded: "pl.DataFrame", keys: list[str], part: str) -> "pl.DataFrame":
    """Sum of squared shares of tonnes by method, vintage or month; null where a row of the period does not tell its
    part."""
    import polars as pl

    shares = {
        "method": pl.when("method_known").then(pl.col("method")),
        "vintage": pl.col("vintage"),
        "month": pl.col("day").dt.strftime("%Y-%m"),
    }
    sums = (
        traded.with_columns(shares[part].alias("_part"))
        .group_by(*keys, "_part", maintain_order=True)
        .agg(pl.col("volume_t").sum())
    )
    volume = pl.col("volume_t")
    concentration = pl.when(pl.col("_part").null_count() == 0).then(((volume / volume.sum()) ** 2).sum())
    return sums.group_by(keys, maintain_order=True).agg(concentration.alias(f"hhi_{part}"))


def _with_sessions(totals: "pl.DataFrame", by: Span, sessions: "pl.Series | None") -> "pl.DataFrame":
    """Add calendar_sessions and continuity."""
    import polars as pl

    start, end = pl.col("first_loaded"), pl.col("last_loaded")
    if by != "all":
        first = pl.col("first_day").dt.truncate(_EVERY[by])
        # Days outside those loaded do not count anyway, and a week may begin in a year that nobody asked for.
        end = pl.min_horizontal(first.dt.offset_by(_EVERY[by]).dt.offset_by("-1d"), end)
        start = pl.max_horizontal(first, start)
    windows = totals.with_columns(period_start=start, period_end=end)
    if sessions is not None or windows.is_empty():
        return _count_sessions(windows, pl.Series("day", [], dtype=pl.Date) if sessions is None else sessions)
    # Most markets keep the common calendar: it is made and counted once for all of them.
    years = _years(windows)
    additions = calendar_additions().filter(pl.col("day").dt.year().is_in(list(years)))
    is_usual = ~pl.col("market").is_in(additions["market"].unique().to_list())
    usual = windows.filter(is_usual)
    counted = [] if usual.is_empty() else [_count_sessions(usual, sessions_of_years(years))]
    counted += [
        _count_sessions(part, market_sessions(str(market), years))
        for (market,), part in windows.filter(~is_usual).group_by("market", maintain_order=True)
    ]
    return pl.concat(counted)


def _count_sessions(windows: "pl.DataFrame", sessions: "pl.Series") -> "pl.DataFrame":
    import polars as pl

    # The calendar must know the last year too: only "all" can end in another year than it starts in.
    is_known = pl.col("period_end").dt.year().is_in(sessions.dt.year().unique().to_list())
    counted = count_calendar_sessions(windows, sessions)
    return counted.with_columns(pl.when(is_known).then(pl.col("calendar_sessions", "continuity")).name.keep())


def _years(windows: "pl.DataFrame") -> range:
    """Every year from the first to the last day loaded."""
    import polars as pl

    first, last = pl.col("first_loaded").min().dt.year(), pl.col("last_loaded").max().dt.year()
    year, end = windows.select(first=first, last=last).row(0)
    return range(year, end + 1)
