"""Two sources of one market side by side: on how many days do they say the same?

Knows which figures mean the same, which days may be compared and how far two figures lie apart. Must not know files,
screens or which source is right. Prices are joined on market, day and product, never on the day alone; the vintage of a
product counts where a source has several on one day. A close is never set against an average, and a price whose meaning
is not stated is compared with each stated one under a name that says so ("average ~ unstated").

Source of the rules: domain notes on the daily data, section 2 (price meanings, carried-forward quotes, calendar days).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from carbon.products import base_product_expr
from carbon.reconciliation.identities import total_by_day

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "add_set_apart",
    "agreement_schema",
    "compare_sources",
    "observe",
    "observed_schema",
    "summarise_agreement",
]

_MICRO_PER_FEN = 10_000
_HALF_FEN = _MICRO_PER_FEN // 2  # Micro-CNY: prices are quoted in fen, so a smaller difference is rounding.
_NEAR, _CLOSE_BY = 1e-4, 1e-2
# Prices that may be set side by side although their names differ: the last deal of the day is nearly the close, and a
# price that does not say what it is is held against every other.
_NEARLY = ({"close", "latest"},)
_UNSTATED = ("unstated", "secondary")
_AMOUNTS = ("volume", "value")
_ALL_PRODUCTS = "(ALL)"


def observed_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of observations: market, source, product ("(ALL)" = all together), day Date, measure (volume,
    value, or a kind of price), amount Int64 (tonnes, fen, or 10**-6 of the currency per tonne), traded Boolean (null
    where the source prints no tonnes).
    """
    import polars as pl

    text = pl.String
    return {
        **{"market": text, "source": text, "product": text, "day": pl.Date, "measure": text},
        **{"amount": pl.Int64, "traded": pl.Boolean},
    }


def agreement_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of the table of agreement, one line a pair, measure and period.

    market, left, right (sources), measure (volume, value, close, ... or "average ~ unstated"), same_meaning Boolean,
    period ("all" or a year), days_used (which days count), products ("each", or "all together"), days, equal Int64,
    equal_share, near_share (within 1 in 10,000), within_1_percent_share, median_relative, p99_relative,
    largest_relative Float64 (|left - right| / |right|, infinite where only right is zero), worst_day Date.
    """
    import polars as pl

    text, share = pl.String, pl.Float64
    return {
        **dict.fromkeys(["market", "left", "right", "measure"], text),
        "same_meaning": pl.Boolean,
        **dict.fromkeys(["period", "days_used", "products"], text),
        **{"days": pl.Int64, "equal": pl.Int64},
        **dict.fromkeys(["equal_share", "near_share", "within_1_percent_share"], share),
        **dict.fromkeys(["median_relative", "p99_relative", "largest_relative"], share),
        "worst_day": pl.Date,
    }


def observe(rows: "pl.DataFrame", quotes: "pl.DataFrame | None" = None) -> "pl.DataFrame":
    """Every figure of canonical rows and quotes as one observation, in `observed_schema`; sources are the feeds.

    quotes : `carbon.quotes.quotes_schema`; those of markets and feeds with rows take their tonnes from them
    Volume and value stand by product and for all products together; a close is that of listed trading.
    A figure that a source repeats for a day counts once where it is the same, and not at all where it differs.
    """
    import polars as pl

    each = total_by_day(rows, by_product=True)
    every = total_by_day(rows).with_columns(product=pl.lit(_ALL_PRODUCTS))
    tonnes = pl.concat([each, every.select(each.columns)]).rename({"feed": "source"})
    index = ["market", "source", "product", "day"]
    amounts = tonnes.unpivot(["volume_t", "value_fen"], index=index, variable_name="measure", value_name="amount")
    names = {"volume_t": "volume", "value_fen": "value"}
    # Some feeds print the last deal, which rows take for the close; here it keeps its own name.
    others = [] if quotes is None else quotes.filter(pl.col("kind") == "latest")["feed"].unique().to_list()
    closes = rows.filter(pl.col("close_fen_per_t").is_not_null() & ~pl.col("feed").is_in(others)).select(
        "market",
        pl.col("feed").alias("source"),
        *["product", "day"],
        pl.lit("close").alias("measure"),
        (pl.col("close_fen_per_t") * _MICRO_PER_FEN).alias("amount"),
    )
    quoted = [] if quotes is None else [_quoted(quotes)]
    found = pl.concat([amounts.with_columns(pl.col("measure").replace(names)), closes, *quoted])
    once = found.drop_nulls("amount").unique().filter(pl.len().over(*index, "measure") == 1)
    marked = once.join(tonnes.select(*index, traded=pl.col("volume_t") > 0), on=index, how="left")
    # A price on a day without a row of tonnes, in a source that prints tonnes, is one carried forward.
    prints_tonnes = pl.col("source").is_in(tonnes["source"].unique().implode())
    traded = pl.when(prints_tonnes).then(pl.col("traded").fill_null(False)).alias("traded")
    return marked.with_columns(traded).select(observed_schema().keys()).sort(*index, "measure")


def _quoted(quotes: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return quotes.select(
        "market",
        pl.col("feed").alias("source"),
        pl.col("product").fill_null(_ALL_PRODUCTS),
        "day",
        pl.col("kind").alias("measure"),
        pl.col("price_micro_per_t").alias("amount"),
    )


def compare_sources(observed: "pl.DataFrame") -> "pl.DataFrame":
    """Every figure that two sources of one market print of the same thing on the same day.

    observed : result of `observe`, sources in the order that names left and right
    Result: market, left, right, measure, same_meaning, days_used, products, product, day, left_amount, right_amount
    (Int64), difference (left - right), relative (Float64, |difference| / |right|), is_equal.
    Only days with tonnes on both sides; where one side prints none, the days with tonnes on the other; where neither
    does, all shared days: days_used says which. Prices are equal within half a fen, tonnes and fen exactly.
    """
    import polars as pl

    found = [_pair_of(observed.clear(), observed.clear(), "volume", "volume")]
    for part in observed.partition_by("market", maintain_order=True):
        sources = part["source"].unique(maintain_order=True).to_list()
        by_source = {name: part.filter(pl.col("source") == name) for name in sources}
        for left, right in combinations(sources, 2):
            found += [
                _pair_of(by_source[left], by_source[right], *measures)
                for measures in _comparable(by_source[left]["measure"], by_source[right]["measure"])
            ]
    return pl.concat(found)


def _comparable(left: "pl.Series", right: "pl.Series") -> list[tuple[str, str]]:
    """The measures of two sources that may be set side by side, ascending."""
    pairs = [(one, other) for one in sorted(set(left)) for other in sorted(set(right))]
    return [
        (one, other)
        for one, other in pairs
        if one == other
        or {one, other} in _NEARLY
        or (not {one, other} & set(_AMOUNTS) and (one in _UNSTATED or other in _UNSTATED))
    ]


def _pair_of(left: "pl.DataFrame", right: "pl.DataFrame", left_measure: str, right_measure: str) -> "pl.DataFrame":
    """The comparisons of two sources and measures; by product where they share one, else of what stands for all."""
    import polars as pl

    one = left.filter(pl.col("measure") == left_measure)
    other = right.filter(pl.col("measure") == right_measure)
    if _has_one_vintage_a_day(one) and _has_one_vintage_a_day(other):
        # Some markets rename their product by year, and one source follows.
        one, other = (side.with_columns(base_product_expr("product").alias("product")) for side in (one, other))
    named = pl.col("product") != _ALL_PRODUCTS
    shared = set(one.filter(named)["product"]) & set(other.filter(named)["product"])
    is_price = left_measure not in _AMOUNTS
    if shared:
        sides = [side.filter(pl.col("product").is_in(sorted(shared))) for side in (one, other)]
    elif is_price:
        # Without a product in common, only a day with one price a side can be compared.
        sides = [side.filter(pl.len().over("day") == 1) for side in (one, other)]
        sides[1] = sides[1].drop("product").join(sides[0].select("day", "product"), on="day")
    else:
        sides = [side.filter(~named) for side in (one, other)]
    both = sides[0].join(sides[1], on=["market", "day", "product"], suffix="_right")
    measure = left_measure if left_measure == right_measure else f"{left_measure} ~ {right_measure}"
    return _compared(both, measure, is_price, "each" if shared else "all together").with_columns(
        same_meaning=pl.lit(left_measure == right_measure and left_measure != "unstated")
    )


def _has_one_vintage_a_day(side: "pl.DataFrame") -> bool:
    import polars as pl

    per_day = side.group_by("day", base_product_expr("product").alias("base")).agg(pl.col("product").n_unique())
    return (per_day["product"] == 1).all()


def _compared(both: "pl.DataFrame", measure: str, is_price: bool, products: str) -> "pl.DataFrame":
    import polars as pl

    left, right = pl.col("amount"), pl.col("amount_right")
    gap = (left - right).abs()
    in_left, in_right = pl.col("traded"), pl.col("traded_right")
    days_used = (
        pl.when(in_left.is_null() & in_right.is_null())
        .then(pl.lit("all shared days"))
        .when(in_right.is_null())
        .then(pl.lit("with tonnes on the left"))
        .when(in_left.is_null())
        .then(pl.lit("with tonnes on the right"))
        .otherwise(pl.lit("with tonnes on both sides"))
    )
    return both.filter(in_left.fill_null(True) & in_right.fill_null(True)).select(
        "market",
        pl.col("source").alias("left"),
        pl.col("source_right").alias("right"),
        pl.lit(measure).alias("measure"),
        pl.lit(None, dtype=pl.Boolean).alias("same_meaning"),
        days_used.alias("days_used"),
        pl.lit(products).alias("products"),
        *["product", "day"],
        left.alias("left_amount"),
        right.alias("right_amount"),
        (left - right).alias("difference"),
        pl.when(gap == 0).then(0.0).otherwise(gap / right.abs()).alias("relative"),
        (gap < (_HALF_FEN if is_price else 1)).alias("is_equal"),
    )


def summarise_agreement(compared: "pl.DataFrame", *, by_year: bool = False) -> "pl.DataFrame":
    """The table of agreement in `agreement_schema`, one line a pair and measure, or also one a year.

    compared : result of `compare_sources`; the 99th percentile is interpolated between the two nearest days.
    """
    import polars as pl

    whole = compared.with_columns(period=pl.lit("all"))
    yearly = [compared.with_columns(period=pl.col("day").dt.strftime("%Y"))] if by_year else []
    group = ["market", "left", "right", "measure", "same_meaning", "period", "days_used", "products"]
    relative, is_equal = pl.col("relative"), pl.col("is_equal")
    table = (
        pl.concat([whole, *yearly])
        .sort("day", maintain_order=True)
        .group_by(group, maintain_order=True)
        .agg(
            pl.len().alias("days"),
            is_equal.sum().alias("equal"),
            is_equal.mean().alias("equal_share"),
            (relative <= _NEAR).mean().alias("near_share"),
            (relative <= _CLOSE_BY).mean().alias("within_1_percent_share"),
            relative.median().alias("median_relative"),
            relative.quantile(0.99, interpolation="linear").alias("p99_relative"),
            relative.max().alias("largest_relative"),
            pl.col("day")
            .filter(~is_equal)
            .sort_by(relative.filter(~is_equal), descending=True)
            .first()
            .alias("worst_day"),
        )
    )
    typed = table.select(pl.col(name).cast(kind) for name, kind in agreement_schema().items())
    return typed.sort("market", "left", "right", "measure", pl.col("period") != "all", "period")


def add_set_apart(
    table: "pl.DataFrame",
    compared: "pl.DataFrame",
    if_kept: "pl.DataFrame",
    apart: "pl.DataFrame",
    feeds: Sequence[str],
) -> "pl.DataFrame":
    """Why fewer days are compared than the files share: lines that broke a rule and were left out, beside each pair.

    table : result of `summarise_agreement`; compared : what it was made from; if_kept : the same table with the lines
    set apart among the rows; apart : these lines, as rows (`carbon.rows.rows_schema`, feeds named as in the table)
    feeds : those whose lines are known
    Adds left_set_apart and right_set_apart (Int64, lines of a source in the years compared, null for a source whose
    lines are not known; a line whose day cannot be read counts in the period "all" only) and days_if_kept (Int64, days
    compared were these lines kept; null where no side is known).
    """
    import polars as pl

    pair = ["market", "left", "right", "measure"]
    lines = apart.select(pl.col("feed").alias("source"), "file", "row", pl.col("day").dt.year().alias("year")).unique()
    by_year = lines.group_by("source", "year").len()
    used = compared.select(*pair, pl.col("day").dt.year().alias("year")).unique()
    asked = pl.concat([used, used.select(pair).unique().with_columns(year=pl.lit(None, dtype=pl.Int32))])
    told = table
    for side in ("left", "right"):
        found = asked.join(by_year, left_on=[side, "year"], right_on=["source", "year"], nulls_equal=True)
        whole = found.with_columns(period=pl.lit("all"))
        yearly = found.drop_nulls("year").with_columns(period=pl.col("year").cast(pl.String))
        counted = (
            pl.concat([whole, yearly])
            .group_by(*pair, "period")
            .agg(pl.col("len").sum().cast(pl.Int64).alias(f"{side}_set_apart"))
        )
        is_known = pl.when(pl.col(side).is_in(list(feeds)))
        told = told.join(counted, on=[*pair, "period"], how="left", maintain_order="left").with_columns(
            is_known.then(pl.col(f"{side}_set_apart").fill_null(0)).alias(f"{side}_set_apart")
        )
    days = if_kept.group_by(*pair, "period").agg(pl.col("days").sum().alias("days_if_kept"))
    has_side = pl.any_horizontal(pl.col("left_set_apart", "right_set_apart").is_not_null())
    return told.join(days, on=[*pair, "period"], how="left", maintain_order="left").with_columns(
        pl.when(has_side).then("days_if_kept").alias("days_if_kept")
    )
