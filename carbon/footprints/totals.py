"""Sums of lines that may be added, and how much of what was asked for is in them.

Knows which lines go together: one scope and one way to count scope 2 at a time; scopes 1 and 2 together only for one
way; biogenic CO2 never; lines of two sets of warming potentials never. Must not know factors, files or storage.

Every line counts as whole milligrams of CO2e, so that sums are exact: parts add up to the total over any grouping, in
any order, to the last digit.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "GROUPS",
    "MG_PER_KG",
    "MOST_MG",
    "TotalTooLarge",
    "UnlikeLines",
    "calculated_share",
    "check_groups",
    "totals",
]

GROUPS: Final = ("entity", "hub", "sector", "category", "activity", "period", "year", "gas")
"""What totals can be grouped by; scope and method always are. year : the one in which the period ends."""

MG_PER_KG: Final = 1_000_000
MOST_MG: Final = 2**63 - 1
"""The largest total: what 64 bits hold."""


class UnlikeLines(CarbonError):
    """Lines that must not be added, or a grouping that does not exist."""


class TotalTooLarge(CarbonError):
    """A sum beyond 9.2 billion tonnes: more than whole milligrams in 64 bits hold."""


def check_groups(by: Sequence[str]) -> None:
    """Raise UnlikeLines for a group that does not exist, or that is named twice."""
    wrong = [name for at, name in enumerate(by) if name not in GROUPS or name in by[:at]]
    if wrong:
        raise UnlikeLines(f"found {', '.join(wrong)} to group by, expected some of, each once: {', '.join(GROUPS)}")


def totals(lines: "pl.DataFrame", by: Sequence[str] = ()) -> "pl.DataFrame":
    """Emissions by scope, method and the groups asked for, ascending.

    lines : `lines_schema`; by : some of GROUPS
    Result: the columns of `by`; scope String (1, 2, 3 or 1+2), method String (of scope 2 and 1+2), lines UInt32,
    co2e_mg Int64 (exact), co2e_kg Float64 (the same), biogenic_kg Float64: biogenic CO2, null where there is none,
    never in co2e. A row 1+2 stands only where a group has lines of both; a group without any line has no row.
    Raises UnlikeLines where two sets of warming potentials meet or a group is unknown or repeated, TotalTooLarge.
    """
    import polars as pl

    check_groups(by)
    sets = lines["gwp_set"].drop_nulls().unique().sort().to_list()
    if len(sets) > 1:
        raise UnlikeLines(f"found lines of {' and '.join(sets)}, expected one set of warming potentials")
    is_biogenic = pl.col("biogenic").fill_null(False)
    size_mg = (pl.col("co2e_kg") * MG_PER_KG).round().cast(pl.Int128)
    keys = [*by, "scope", "method"]
    summed = (
        lines.with_columns(year=pl.col("last_day").dt.year())
        .group_by(keys)
        .agg(
            lines=(~is_biogenic).sum().cast(pl.UInt32),
            co2e_mg=size_mg.filter(~is_biogenic).sum(),
            biogenic_mg=size_mg.filter(is_biogenic).sum(),
            biogenic_lines=is_biogenic.sum(),
        )
    )
    told = _checked(pl.concat([summed.with_columns(pl.col("scope").cast(pl.String)), _both_scopes(summed, list(by))]))
    return told.sort(*by, "scope", "method").select(
        *by,
        "scope",
        "method",
        "lines",
        pl.when(pl.col("lines") > 0).then(pl.col("co2e_mg").cast(pl.Int64)).alias("co2e_mg"),
        pl.when(pl.col("lines") > 0).then(_kg("co2e_mg")).alias("co2e_kg"),
        pl.when(pl.col("biogenic_lines") > 0).then(_kg("biogenic_mg")).alias("biogenic_kg"),
    )


def calculated_share(lines: "pl.DataFrame", left_out: "pl.DataFrame", by: Sequence[str] = ()) -> "pl.DataFrame":
    """How many of the activities asked for were calculated, by scope, method and the groups asked for.

    lines, left_out : of one calculation; by : some of entity, hub, sector, category, activity, period, year
    Result: the columns of `by`, scope Int8, method, activities, calculated UInt32, calculated_share Float64 (of
    activities, not of emissions: what was not calculated has none). An activity with one gas missing is not calculated.
    Raises UnlikeLines where a group is unknown or repeated.
    """
    import polars as pl

    check_groups(by)
    both = ["location", "market"]
    names = ["activity_id", "method", "scope", *(name for name in by if name != "year"), "last_day"]
    missing = left_out.select(names).with_columns(
        method=pl.when((pl.col("scope") == 2) & pl.col("method").is_null())
        .then(pl.lit(both))
        .otherwise(pl.concat_list("method"))
    )
    missing = missing.explode("method").with_columns(is_missing=pl.lit(True))
    asked = pl.concat([lines.select(names).with_columns(is_missing=pl.lit(False)), missing])
    each = asked.with_columns(year=pl.col("last_day").dt.year()).group_by(*by, "scope", "method", "activity_id")
    counted = each.agg(is_calculated=~pl.col("is_missing").any())
    return (
        counted.group_by(*by, "scope", "method")
        .agg(activities=pl.len(), calculated=pl.col("is_calculated").sum())
        .with_columns(calculated_share=pl.col("calculated") / pl.col("activities"))
        .sort(*by, "scope", "method")
    )


def _both_scopes(summed: "pl.DataFrame", by: list[str]) -> "pl.DataFrame":
    """Scope 1 and one figure of scope 2 together, for the groups that have both."""
    import polars as pl

    figures = ["lines", "co2e_mg", "biogenic_mg", "biogenic_lines"]
    direct = summed.filter(pl.col("scope") == 1).with_columns(one=pl.lit(1))
    bought = summed.filter(pl.col("scope") == 2).with_columns(one=pl.lit(1))
    both = bought.join(direct, on=[*by, "one"], nulls_equal=True, suffix="_direct")
    return both.select(
        *by,
        pl.lit("1+2").alias("scope"),
        "method",
        *(pl.col(name) + pl.col(f"{name}_direct") for name in figures),
    )


def _kg(name: str) -> "pl.Expr":
    import polars as pl

    # Polars divides by a constant through its reciprocal; rounding undoes that.
    return (pl.col(name).cast(pl.Float64) / MG_PER_KG).round(6)


def _checked(summed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    most = summed.select(pl.max_horizontal(pl.col("co2e_mg", "biogenic_mg").abs().max())).item()
    if most is not None and most > MOST_MG:
        raise TotalTooLarge(
            f"found a total of {most / MG_PER_KG:,.0f} kg, expected at most {MOST_MG // MG_PER_KG:,} kg"
        )
    return summed
