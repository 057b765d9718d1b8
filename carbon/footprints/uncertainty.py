"""How uncertain a sum of emissions is, and which factor or activity makes it so: error propagation.

Knows the 95 % ranges of factors and activities and how they combine. Must not know files, storage, random numbers or
how a line was calculated. A figure without a range is not certain: it is listed, and its share of the emissions stands
beside every interval.

Source: 2006 IPCC Guidelines for National Greenhouse Gas Inventories, volume 1, chapter 3, approach 1: equation 3.1 for
products (half-widths combine in quadrature), equation 3.2 for sums of independent terms. Terms that share a factor are
not independent: they move together, so that they are added before they are squared. One factor used a million times is
one uncertainty. The two sides of a lopsided range are kept apart; that is exact where the range is even, and an
approximation where it is not, for which `carbon.footprints.monte_carlo` is there.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbon.footprints.quality import check_grouping, countable, with_year

if TYPE_CHECKING:
    import polars as pl

__all__ = ["contributions", "line_sources", "propagate", "unknown_lines"]

_ALL = "_all"


def line_sources(lines: "pl.DataFrame", factors: "pl.DataFrame", activities: "pl.DataFrame") -> "pl.DataFrame":
    """What makes each line uncertain, as far as a range is known.

    lines : `lines_schema`; factors : `factors_schema`; activities : activity_id, amount, lower, upper, distribution
    Result, one row a line and source: line UInt32 (position in `lines`, from 0); kind String: factor, activity, or line
    (a range of the line itself, used where neither its factors nor its activity have one); source String: factor_id
    (with its gas, where one id has several), activity_id, or for a line activity_id and gas; relative_low,
    relative_high Float64, shares of the figure, 0 or more; distribution String. A range that does not hold its figure
    is no range.
    """
    import polars as pl

    numbered = lines.with_row_index("line")
    used = (
        numbered.select("line", "gas", factor_id="factor_ids")
        .explode("factor_id", keep_nulls=False, empty_as_null=False)
        .unique(["line", "factor_id"], maintain_order=True)
    )
    ranges = _factor_ranges(factors)
    of_factors = used.join(ranges, on="factor_id", how="inner", maintain_order="left").filter(
        pl.col("gas_of_factor").is_null() | (pl.col("gas_of_factor") == pl.col("gas"))
    )
    of_activities = numbered.select("line", "activity_id").join(
        _activity_ranges(activities), on="activity_id", how="inner", maintain_order="left"
    )
    known = pl.concat(
        [
            of_factors.select("line", kind=pl.lit("factor"), source="source", **_RANGE),
            of_activities.select("line", kind=pl.lit("activity"), source="activity_id", **_RANGE),
        ]
    )
    own = numbered.join(known, on="line", how="anti", maintain_order="left").filter(
        (pl.col("relative_low") >= 0) & (pl.col("relative_high") >= 0)
    )
    of_lines = own.select(
        "line",
        kind=pl.lit("line"),
        source=pl.concat_str("activity_id", "gas", separator=" ", ignore_nulls=True),
        relative_low="relative_low",
        relative_high="relative_high",
        distribution=pl.lit(None, dtype=pl.String),
    )
    return pl.concat([known, of_lines]).sort("line", "kind", "source")


_RANGE = {name: name for name in ("relative_low", "relative_high", "distribution")}


def _relative(figure: str) -> "list[pl.Expr]":
    """Half-widths as shares of a figure, also where it is negative (a credit note)."""
    import polars as pl

    ends = [pl.col("lower") / pl.col(figure), pl.col("upper") / pl.col(figure)]
    known = pl.all_horizontal(end.is_not_null() & end.is_finite() for end in ends)
    low, high = 1 - pl.min_horizontal(ends), pl.max_horizontal(ends) - 1
    return [pl.when(known).then(low).alias("relative_low"), pl.when(known).then(high).alias("relative_high")]


def _holds() -> "pl.Expr":
    import polars as pl

    return (pl.col("relative_low") >= 0) & (pl.col("relative_high") >= 0)


def _factor_ranges(factors: "pl.DataFrame") -> "pl.DataFrame":
    """factor_id, gas_of_factor (null where the id is of one row), source, relative_low, relative_high, distribution."""
    import polars as pl

    several = pl.len().over("factor_id") > 1
    return (
        factors.unique(["factor_id", "gas"], keep="last", maintain_order=True)
        .with_columns(*_relative("value"), gas_of_factor=pl.when(several).then("gas"))
        .filter(_holds())
        .select(
            "factor_id",
            "gas_of_factor",
            source=pl.concat_str("factor_id", "gas_of_factor", separator=" ", ignore_nulls=True),
            **_RANGE,
        )
    )


def _activity_ranges(activities: "pl.DataFrame") -> "pl.DataFrame":
    unique = activities.unique("activity_id", keep="last", maintain_order=True)
    return unique.with_columns(*_relative("amount")).filter(_holds()).select("activity_id", **_RANGE)


def propagate(
    lines: "pl.DataFrame",
    factors: "pl.DataFrame",
    activities: "pl.DataFrame",
    *,
    by: Sequence[str] = (),
    method: str = "location",
) -> "pl.DataFrame":
    """Emissions with their 95 % interval, for each group (IPCC 2006, volume 1, chapter 3, approach 1).

    lines, factors, activities : as in `line_sources`; by : columns of the lines, or year; the sum of all without
    method : location or market, the scope 2 lines that count; biogenic CO2 never counts
    Result: the columns of `by`; lines UInt32; co2e_kg; lower_kg, upper_kg, null where no line has a range;
    relative_low, relative_high, half-widths as shares of the size of co2e_kg; ranged_share, of the emissions (by size,
    credit notes too) with a range of any of their sources; fully_ranged_share, of those with a range of all of them.
    Raises UnknownGrouping.
    """
    import polars as pl

    chosen, group = _chosen(lines, by, method)
    sources = line_sources(chosen, factors, activities)
    parts = _parts(chosen, sources, group)
    spread = parts.group_by(group).agg(
        low_kg=(pl.col("low_kg") ** 2).sum().sqrt(), high_kg=(pl.col("high_kg") ** 2).sum().sqrt()
    )
    size = pl.col("co2e_kg").abs()
    totals = (
        _with_ranged(chosen, sources)
        .group_by(group, maintain_order=True)
        .agg(
            lines=pl.len(),
            co2e_kg=pl.col("co2e_kg").sum(),
            ranged_share=size.filter("has_range").sum() / size.sum(),
            fully_ranged_share=size.filter("has_every_range").sum() / size.sum(),
        )
    )
    total = pl.col("co2e_kg")
    return (
        totals.join(spread, on=group, how="left", nulls_equal=True, maintain_order="left")
        .sort(group)
        .select(
            *[key for key in group if key != _ALL],
            "lines",
            "co2e_kg",
            lower_kg=total - pl.col("low_kg"),
            upper_kg=total + pl.col("high_kg"),
            relative_low=pl.when(total != 0).then(pl.col("low_kg") / total.abs()),
            relative_high=pl.when(total != 0).then(pl.col("high_kg") / total.abs()),
            ranged_share=pl.col("ranged_share").fill_nan(None),
            fully_ranged_share=pl.col("fully_ranged_share").fill_nan(None),
        )
    )


def contributions(
    lines: "pl.DataFrame",
    factors: "pl.DataFrame",
    activities: "pl.DataFrame",
    *,
    by: Sequence[str] = (),
    method: str = "location",
) -> "pl.DataFrame":
    """What each factor and activity adds to the variance, the largest first.

    Arguments as in `propagate`. Result: the columns of `by`; kind, source (`line_sources`); lines UInt32; co2e_kg, the
    emissions that move with it; low_kg, high_kg, by how much the sum falls or rises over its range; variance_share,
    of the group's variance (the mean of both sides), which sums to 1; null where the variance is 0.
    Raises UnknownGrouping.
    """
    import polars as pl

    chosen, group = _chosen(lines, by, method)
    parts = _parts(chosen, line_sources(chosen, factors, activities), group)
    variance = pl.col("low_kg") ** 2 + pl.col("high_kg") ** 2
    share = (variance / variance.sum().over(group)).fill_nan(None)
    shown = [key for key in group if key != _ALL]
    return (
        parts.with_columns(variance_share=share)
        .sort(*shown, "variance_share", "kind", "source", descending=[False] * len(shown) + [True, False, False])
        .select(*shown, "kind", "source", "lines", "co2e_kg", "low_kg", "high_kg", "variance_share")
    )


def unknown_lines(
    lines: "pl.DataFrame", factors: "pl.DataFrame", activities: "pl.DataFrame", *, method: str = "location"
) -> "pl.DataFrame":
    """The lines without any range, in their order: their uncertainty is unknown, not nothing. Columns of `lines`."""
    chosen = countable(lines, method)
    covered = _with_ranged(chosen, line_sources(chosen, factors, activities))
    return covered.filter(~covered["has_range"]).drop("has_range", "has_every_range")


def _chosen(lines: "pl.DataFrame", by: Sequence[str], method: str) -> "tuple[pl.DataFrame, list[str]]":
    """The lines that add up, and the columns to group them by."""
    import polars as pl

    chosen = with_year(countable(lines, method)).filter(pl.col("co2e_kg").is_not_null())
    return chosen.with_columns(pl.lit(0).alias(_ALL)), check_grouping(chosen, by) or [_ALL]


def _parts(lines: "pl.DataFrame", sources: "pl.DataFrame", group: list[str]) -> "pl.DataFrame":
    """One row a group and source: its lines added first, since they move together."""
    import polars as pl

    emitted = lines.with_row_index("line").select("line", "co2e_kg", *group)
    up, down = (pl.col("co2e_kg") * pl.col(name) for name in ("relative_high", "relative_low"))
    summed = (
        sources.join(emitted, on="line", how="inner", maintain_order="left")
        .group_by(*group, "kind", "source", maintain_order=True)
        .agg(lines=pl.len(), up=up.sum(), down=down.sum(), co2e_kg=pl.col("co2e_kg").sum())
    )
    # Where the sum is negative (credit notes) the high end of a factor is the low end of the emissions.
    return summed.with_columns(
        low_kg=pl.max_horizontal("down", -pl.col("up"), 0.0), high_kg=pl.max_horizontal("up", -pl.col("down"), 0.0)
    )


def _with_ranged(lines: "pl.DataFrame", sources: "pl.DataFrame") -> "pl.DataFrame":
    """Lines with has_range (any range) and has_every_range (a range of the activity and of every factor)."""
    import polars as pl

    counts = sources.group_by("line").agg(
        factors=(pl.col("kind") == "factor").sum(),
        has_activity=(pl.col("kind") == "activity").any(),
        has_own=(pl.col("kind") == "line").any(),
    )
    used = pl.col("factor_ids").list.n_unique().fill_null(0)
    return (
        lines.with_row_index("line")
        .join(counts, on="line", how="left", maintain_order="left")
        .with_columns(
            has_range=pl.col("factors").is_not_null(),
            has_every_range=(pl.col("has_own") | (pl.col("has_activity") & (pl.col("factors") == used))).fill_null(
                False
            ),
        )
        .drop("line", "factors", "has_activity", "has_own")
    )
