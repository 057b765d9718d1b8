"""What is made of the kernel's sums: statistics by market, month or year, vintage and method.

Knows how sums of files are put together and which statistic comes of which. Must not know files, tables or engines.
The measures of days (VWAP, volatility, Amihud, share of zero returns, sessions, block share) are those of
`carbon.market.summarise` on the same bars, so that each is defined once; concentration is that of
`carbon.statistics.herfindahl`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbon.market import bars_schema, summaries_schema, summarise
from carbon.rows import METHOD_NAMES
from carbon.trades.kernel import Partials, merge_days, merge_parties
from carbon.turnover import add_turnover

if TYPE_CHECKING:
    import polars as pl

    from carbon.market import Period

__all__ = ["combine", "participants", "participants_schema", "statistics_schema"]

_FORMAT: dict[Period, str] = {"month": "%Y-%m", "year": "%Y"}
_FEED = "trades"


def statistics_schema() -> dict[str, type[pl.DataType]]:
    """Columns and types of `combine`."""
    import polars as pl

    measures = ("continuity", "block_share", "volatility_annual", "amihud_per_million_cny", "zero_return_share")
    prices = ("open_fen_per_t", "high_fen_per_t", "low_fen_per_t", "close_fen_per_t")
    shares = ("buyer_hhi", "seller_hhi", "buyer_known_share", "seller_known_share", "turnover")
    return {
        **{"market": pl.String, "period": pl.String, "by": pl.String, "vintage": pl.Int32, "method": pl.String},
        **{"trades": pl.Int64, "volume_t": pl.Int64, "value_fen": pl.Int64, "vwap_cny_per_t": pl.Float64},
        **dict.fromkeys(prices, pl.Int64),
        **dict.fromkeys(("sessions", "calendar_sessions"), pl.Int64),
        **dict.fromkeys(measures, pl.Float64),
        **dict.fromkeys(("buyers", "sellers", "participants"), pl.Int64),
        **dict.fromkeys(shares, pl.Float64),
        **{"allowances_t": pl.Int64, "allowances_source": pl.String},
        **{"first_day": pl.Date, "last_day": pl.Date, "feed": pl.String},
    }


def combine(
    parts: Sequence[Partials],
    *,
    by: Period,
    sessions: pl.Series,
    split: tuple[str, ...] = (),
    allowances: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row a market, period and split with trades, ascending, in `statistics_schema`.

    parts : sums of files, in any order, all with this split; by : "month" or "year"
    sessions : ascending session days (`carbon.calendar.sessions_of_years`), for calendar_sessions and continuity
    allowances : in issue by market and period (`carbon.turnover.read_allowances`), for turnover; null without

    vintage, method : null where all are together. Prices are those of listed trading, all products of the group
    together; a return runs from the listed close before, across borders of months, years and files.
    buyers, sellers, participants : how many are known, null where nobody is; buyer_hhi, seller_hhi : sum of squared
    shares of the known tonnes; buyer_known_share, seller_known_share : known tonnes / tonnes.
    """
    import polars as pl

    if not parts:
        return pl.DataFrame(schema=statistics_schema())
    keys = ["market", "period", *split]
    days = merge_days(pl.concat(part.days for part in parts), split)
    measures = _measures(days, by, sessions, split)
    statistics = measures.join(_parties(parts, by, split), on=keys, how="left", nulls_equal=True)
    told = _with_turnover(statistics, allowances).with_columns(
        pl.col("buyer_known_t", "seller_known_t").truediv(pl.col("volume_t")).name.replace("_t$", "_share"),
        feed=pl.lit(_FEED),
        **({} if "vintage" in split else {"vintage": pl.lit(None)}),
        method=pl.col("method").replace_strict(METHOD_NAMES, return_dtype=pl.String)
        if "method" in split
        else pl.lit(None),
    )
    schema = statistics_schema()
    return told.select(pl.col(name).cast(kind) for name, kind in schema.items()).sort(
        "market", "period", "vintage", "method"
    )


def participants_schema() -> dict[str, type[pl.DataType]]:
    """Columns and types of `participants`."""
    import polars as pl

    return {
        **{"market": pl.String, "period": pl.String, "by": pl.String, "vintage": pl.Int32, "method": pl.String},
        **{"participant": pl.Int32, "bought_t": pl.Int64, "sold_t": pl.Int64, "net_t": pl.Int64},
        **{"bought_share": pl.Float64, "sold_share": pl.Float64},
    }


def participants(parts: Sequence[Partials], *, by: Period, split: tuple[str, ...] = ()) -> pl.DataFrame:
    """What each participant bought and sold, in `participants_schema`: by market, period and split, the largest first.

    parts, by, split : as for `combine`
    participant : null for the tonnes whose buyer or seller is not known; so both sides add up to the volume of the
    period. bought_share, sold_share : of all tonnes of the period, known or not; net_t : bought less sold.
    """
    import polars as pl

    if not parts:
        return pl.DataFrame(schema=participants_schema())
    periods = pl.concat(part.parties for part in parts).with_columns(period=pl.col("month").dt.strftime(_FORMAT[by]))
    keys = ["market", "period", *split]
    sums = periods.group_by(*keys, participant="party").agg(pl.col("bought_t", "sold_t").sum())
    told = sums.with_columns(
        by=pl.lit(by),
        net_t=pl.col("bought_t") - pl.col("sold_t"),
        bought_share=pl.col("bought_t") / pl.col("bought_t").sum().over(keys),
        sold_share=pl.col("sold_t") / pl.col("sold_t").sum().over(keys),
        **({} if "vintage" in split else {"vintage": pl.lit(None)}),
        method=pl.col("method").replace_strict(METHOD_NAMES, return_dtype=pl.String)
        if "method" in split
        else pl.lit(None),
    )
    largest = (pl.col("bought_t") + pl.col("sold_t")).neg()
    return told.select(pl.col(name).cast(kind) for name, kind in participants_schema().items()).sort(
        "market", "period", "vintage", "method", largest, "participant"
    )


def _measures(days: pl.DataFrame, by: Period, sessions: pl.Series, split: tuple[str, ...]) -> pl.DataFrame:
    """The measures of days, by market, period and split."""
    import polars as pl

    keys = ["market", *split]
    groups = days.select(keys).unique().sort(keys).with_row_index("group").with_columns(pl.col("group").cast(pl.String))
    grouped = days.join(groups, on=keys, how="left", nulls_equal=True)
    bars = grouped.with_columns(market=pl.col("group"), feed=pl.lit(_FEED)).select(bars_schema().keys())
    periods = grouped.group_by("group", pl.col("day").dt.strftime(_FORMAT[by]).alias("period")).agg(
        pl.col("trades").sum(),
        _in_order("open_fen_per_t").first(),
        pl.col("high_fen_per_t").max(),
        pl.col("low_fen_per_t").min(),
        _in_order("close_fen_per_t").last(),
    )
    summaries = summarise(bars, by=by, sessions=sessions).rename({"market": "group"})
    known = [name for name in summaries_schema() if name not in ("market", "coverage", "last_close_fen_per_t")]
    return (
        summaries.select("group", *known)
        .join(periods, on=["group", "period"], how="left")
        .join(groups, on="group", how="left")
        .drop("group")
    )


def _with_turnover(statistics: pl.DataFrame, allowances: pl.DataFrame | None) -> pl.DataFrame:
    import polars as pl

    if allowances is None:
        return statistics.with_columns(turnover=pl.lit(None), allowances_t=pl.lit(None), allowances_source=pl.lit(None))
    return add_turnover(statistics, allowances)


def _in_order(price: str) -> pl.Expr:
    import polars as pl

    return pl.col(price).sort_by("day").drop_nulls()


def _parties(parts: Sequence[Partials], by: Period, split: tuple[str, ...]) -> pl.DataFrame:
    """Counts and concentration of buyers and sellers, by market, period and split."""
    import polars as pl

    files: dict[object, list[pl.DataFrame]] = {}
    for part in parts:
        market, month, *_ = part.parties.row(0)
        files.setdefault((market, month.year), []).append(part.parties)
    # A file holds each month and party once: only several files, or longer periods, need to be added up.
    if by == "year":
        merged = [
            merge_parties(pl.concat(f).with_columns(pl.col("month").dt.truncate("1y")), split) for f in files.values()
        ]
    else:
        merged = [merge_parties(pl.concat(f), split) if len(f) > 1 else f[0] for f in files.values()]
    # A market and year at a time stays in the processor's cache.
    found = pl.concat(_concentration(parties, split) for parties in merged)
    return found.with_columns(period=pl.col("month").dt.strftime(_FORMAT[by])).drop("month")


def _concentration(parties: pl.DataFrame, split: tuple[str, ...]) -> pl.DataFrame:
    """By month and split, of one market."""
    import polars as pl

    is_known = pl.col("party").is_not_null()
    known = parties.with_columns(pl.when(is_known).then(pl.col("bought_t", "sold_t")).name.keep())
    sides = [
        expression
        for side, column in (("buyer", "bought_t"), ("seller", "sold_t"))
        for expression in (
            pl.col(column).sum().alias(f"{side}_known_t"),
            (pl.col(column) > 0).sum().alias(f"{side}s"),
            _herfindahl(pl.col(column)).alias(f"{side}_hhi"),
        )
    ]
    groups = known.group_by("month", *split).agg(*sides, pl.col("party").count().alias("participants"))
    nobody = {"buyers": "buyer_known_t", "sellers": "seller_known_t", "participants": "participants"}
    counts = (pl.when(pl.col(tonnes) > 0).then(pl.col(name)) for name, tonnes in nobody.items())
    return groups.with_columns(pl.lit(parties["market"][0]).alias("market"), *counts)


def _herfindahl(amounts: pl.Expr) -> pl.Expr:
    """`carbon.statistics.herfindahl` as an expression."""
    import polars as pl

    total = amounts.sum()
    return pl.when(total > 0).then(((amounts / total) ** 2).sum())
