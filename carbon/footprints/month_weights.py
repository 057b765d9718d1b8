"""How much of a fuel was used in each month, to weigh what was measured month by month.

Knows activities of single months and the units that amounts are added in. Must not know formulas, storage or files.

A mean over months is weighted by what was used: calorific values by amount, carbon contents by the energy of the amount
where they are per energy. So weighted, a period emits what its months emit; the rule and its source are in
`carbon/data/combustion_rules.csv` (mean_weighted_by_amount).
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = ["month_amounts", "no_amounts", "with_weights"]

_MONTH: Final = ["entity", "activity", "month"]
_BASES: Final = ("t", "Nm3", "m3", "GJ")
_ENERGY: Final = "GJ"


def no_amounts() -> "pl.DataFrame":
    """The columns of `month_amounts`, without rows: nothing is known of the months."""
    import polars as pl

    kinds = {"entity": pl.String, "activity": pl.String, "month": pl.Date, "used": pl.Float64, "used_unit": pl.String}
    return pl.DataFrame(schema=kinds)


def month_amounts(activities: "pl.DataFrame") -> "pl.DataFrame":
    """What each entity used of each fuel in a month: entity, activity, month (its first day), used, used_unit.

    activities : `activities_schema`; those of scope 1 that lie within one month count, credit notes taken off
    used_unit : t, Nm3, m3 or GJ. A month of unlike kinds of units, or of nothing used, has no row.
    """
    import polars as pl

    from carbon.footprints.units import conversions

    within = pl.col("first_day").dt.truncate("1mo") == pl.col("last_day").dt.truncate("1mo")
    rows = activities.filter((pl.col("scope") == 1) & within & pl.col("amount").is_finite())
    told = [conversions(rows.select("unit", to=pl.lit(base)))["factor"].alias(f"per_{base}") for base in _BASES]
    sizes = rows.with_columns(told).with_columns(
        used=pl.col("amount") * pl.coalesce(f"per_{base}" for base in _BASES),
        used_unit=pl.coalesce(pl.when(pl.col(f"per_{base}").is_not_null()).then(pl.lit(base)) for base in _BASES),
        month=pl.col("first_day").dt.truncate("1mo"),
    )
    # A sum depends on the order of its terms: any order of the rows gives the same bytes.
    summed = (
        sizes.sort("activity_id")
        .group_by(_MONTH, maintain_order=True)
        .agg(pl.col("used").sum(), pl.col("used_unit").first(), kinds=pl.col("used_unit").n_unique())
    )
    known = pl.col("used_unit").is_not_null() & (pl.col("kinds") == 1) & (pl.col("used") > 0)
    return summed.filter(known & pl.col("used").is_finite()).drop("kinds")


def with_weights(months: "pl.DataFrame", amounts: "pl.DataFrame", energy: "pl.DataFrame") -> "pl.DataFrame":
    """Measured months with the column weight: by what each is to be weighted, null where that is not known.

    months : entity, activity, month, denominator; amounts : `month_amounts`; energy : measured calorific values of the
    months (entity, activity, month, value, denominator), for a value per energy of an amount that is mass or volume
    weight_unit : weights of one kind can be compared; the bare amount stands in where no calorific value was measured,
    since one and the same for all months changes no mean.
    """
    import polars as pl

    values = energy.select(*_MONTH, ncv="value", ncv_unit="denominator")
    both = months.join(amounts, on=_MONTH, how="left", maintain_order="left").join(
        values, on=_MONTH, how="left", maintain_order="left"
    )
    is_same = pl.col("used_unit") == pl.col("denominator")
    is_per_energy = (pl.col("denominator") == _ENERGY) & (pl.col("used_unit") != _ENERGY)
    through = is_per_energy & (pl.col("ncv_unit") == pl.col("used_unit"))
    bare = is_per_energy & pl.col("ncv").is_null()
    return both.with_columns(
        weight=pl.when(is_same | bare).then("used").when(through).then(pl.col("used") * pl.col("ncv")),
        weight_unit=pl.when(is_same | bare).then("used_unit").when(through).then(pl.lit(_ENERGY)),
    ).drop("used", "used_unit", "ncv", "ncv_unit")
