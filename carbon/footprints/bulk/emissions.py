"""What totals of cities emit and save: factors applied to sums, so that a changed factor needs no row again.

Knows totals, the methods of personal carbon accounts and the rules by which any activity gets its factor. Must not know
rows, persons, files, engines or storage. Linear: amount x factor of a sum is the sum of amount x factor, as long as one
factor holds for the whole month and city; where it changes within the month nothing is given, and it is said.
Caps of persons do not apply here: they are per person (`carbon.footprints.persons`).
"""

from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = ["add_emissions", "emissions_schema"]

_KEYS: Final = ("hub", "month", "activity", "unit")
_KG_PER_UG: Final = 1e-9
_ANYWHERE: Final = 1_000_000
_LAST: Final = date(9999, 12, 31)
_TOTAL: Final = "CO2e"
_BOUGHT: Final = ("electricity", "heat", "steam", "cooling")


def emissions_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """Columns that `add_emissions` adds.

    basis : method (of personal accounts), factor (of the table of factors), null for neither; factor_ids : of the
    method (id from its first day) or of every factor used, ascending; co2e_kg : kilograms emitted by the activity;
    baseline_kg, reduction_kg : by a method only: what the baseline would emit, and what is saved, before caps and never
    below zero; remarks : why there is no figure (no_factor, unit_mismatch, unknown_gas, unknown_region,
    several_methods, changes_within_month), or what was used instead (region_fallback, period_fallback, ...), with "; "
    """
    import polars as pl

    return {
        **{"basis": pl.String, "factor_ids": pl.List(pl.String)},
        **dict.fromkeys(("co2e_kg", "baseline_kg", "reduction_kg"), pl.Float64),
        "remarks": pl.String,
    }


def add_emissions(
    totals: "pl.DataFrame",
    *,
    methods: "pl.DataFrame",
    factors: "pl.DataFrame",
    gwp_set: str,
    as_of: date | None = None,
) -> "pl.DataFrame":
    """Totals with what they emit and save: `emissions_schema` beside their own columns, in their order.

    totals : `carbon.footprints.bulk.sums.totals_schema`
    methods : `carbon.footprints.persons.methods.method_schema`; one counts where it is for the activity, the city (the
        narrowest region first), the kind of unit and the whole month; it goes before any factor
    factors : `carbon.footprints.schemas.factors_schema`, chosen as for any footprint (`carbon.footprints.planning`);
        electricity and heat by location
    gwp_set : of `carbon.footprints.gwp`; as_of : only factors recorded by this day
    co2e_kg = amount x factor in kg CO2e per unit; reduction_kg = amount x (baseline - factor of the activity), as the
    methodologies of carbon inclusion have it. What has no figure is null, never zero. Raises UnknownGwpSet.
    """
    import polars as pl

    asks = _asks(totals)
    of_methods = _by_method(asks, methods)
    rest = asks.join(of_methods, on="ask", how="anti")
    of_factors = _by_factor(rest, factors, gwp_set, as_of)
    told = asks.join(pl.concat([of_methods, of_factors]), on="ask", how="left")
    joined = totals.join(told.drop("ask", "region", "first_day", "last_day"), on=list(_KEYS), how="left")
    kinds = emissions_schema()
    return joined.with_columns(
        *((pl.col("amount") * pl.col(name)).alias(name) for name in ("co2e_kg", "baseline_kg", "reduction_kg")),
        pl.when(pl.col("basis").is_null() & pl.col("remarks").is_null())
        .then(pl.lit("no_factor"))
        .otherwise("remarks")
        .alias("remarks"),
    ).select(*totals.columns, *(pl.col(name).cast(kind) for name, kind in kinds.items()))


def _asks(totals: "pl.DataFrame") -> "pl.DataFrame":
    """What has to be asked once: ask, the keys, region (null for a city of no known region), first_day, last_day."""
    import polars as pl

    from carbon.footprints.factor_regions import embedded_regions

    cities = embedded_regions().select("hub", "region").drop_nulls("hub").unique("hub", keep="first")
    first = pl.col("month").str.to_date("%Y-%m")
    return (
        totals.select(_KEYS)
        .unique(maintain_order=True)
        .join(cities, on="hub", how="left", maintain_order="left")
        .with_columns(first_day=first, last_day=first.dt.month_end())
        .with_row_index("ask")
        .cast({"ask": pl.Int64})
    )


def _answer(frame: "pl.DataFrame") -> "pl.DataFrame":
    """ask and `emissions_schema`, figures per unit of the amount; what a frame lacks is null."""
    import polars as pl

    lost = [pl.lit(None).alias(name) for name in emissions_schema() if name not in frame.columns]
    schema = {"ask": pl.Int64, **emissions_schema()}
    return frame.with_columns(lost).select(pl.col(name).cast(kind) for name, kind in schema.items())


def _by_method(asks: "pl.DataFrame", methods: "pl.DataFrame") -> "pl.DataFrame":
    """The answers of methods; asks that no method is for are left out."""
    import polars as pl

    from carbon.footprints.factor_regions import region_chains

    chains = region_chains(asks["region"]).select("region", place="ancestor", depth="depth")
    named = methods.select("method", "activity", place="region").unique()
    somewhere = named.drop_nulls("place").join(chains, on="place")
    anywhere = named.filter(pl.col("place").is_null()).with_columns(depth=pl.lit(_ANYWHERE, pl.Int64))
    found = pl.concat(
        [
            asks.join(somewhere, on=["activity", "region"]).select("ask", "method", "place", "depth"),
            asks.join(anywhere, on="activity").select("ask", "method", "place", "depth"),
        ]
    )
    held = _held(found.join(asks, on="ask"), methods)
    narrowest = held.filter(pl.col("depth") == pl.col("depth").min().over("ask"))
    whole = (pl.col("valid_from") <= pl.col("first_day")) & (pl.col("ends") >= pl.col("last_day"))
    told = narrowest.with_columns(
        remarks=pl.when(pl.col("method").n_unique().over("ask") > 1)
        .then(pl.lit("several_methods"))
        .when(~whole)
        .then(pl.lit("changes_within_month"))
    ).sort("ask", "method", "valid_from")
    saved_ug = (pl.col("baseline_ug") - pl.col("activity_ug")).clip(0)
    per_unit = pl.col("per_unit") * _KG_PER_UG
    figures = told.filter(pl.col("remarks").is_null()).select(
        "ask",
        basis=pl.lit("method"),
        factor_ids=pl.concat_list(pl.format("{} from {}", "method", "valid_from")),
        co2e_kg=pl.col("activity_ug") * per_unit,
        baseline_kg=pl.col("baseline_ug") * per_unit,
        reduction_kg=saved_ug * per_unit,
    )
    unclear = told.filter(pl.col("remarks").is_not_null()).unique("ask", keep="first", maintain_order=True)
    return pl.concat([_answer(figures), _answer(unclear.select("ask", "remarks"))])


def _held(asked: "pl.DataFrame", methods: "pl.DataFrame") -> "pl.DataFrame":
    """Every row of a method that holds on any day of an ask's month, in a unit of its kind; ends : its last day, the
    day before the next row of the method at the latest; per_unit : units of the method in one of the ask."""
    import polars as pl

    from carbon.footprints.coefficients import convert

    dated = methods.sort("method", "valid_from").with_columns(
        ends=pl.min_horizontal(
            pl.col("valid_to").fill_null(_LAST),
            pl.col("valid_from").shift(-1).over("method").dt.offset_by("-1d").fill_null(_LAST),
        )
    )
    rows = dated.select(
        *("method", "valid_from", "ends", "baseline_ug", "activity_ug"),
        pl.col("activity").alias("of_activity"),
        pl.col("region").alias("of_region"),
        pl.col("unit").alias("of_unit"),
    )
    here = asked.join(rows, on="method").filter(
        (pl.col("valid_from") <= pl.col("last_day"))
        & (pl.col("ends") >= pl.col("first_day"))
        & (pl.col("of_activity") == pl.col("activity"))
        & pl.col("of_region").eq_missing(pl.col("place"))
    )
    return convert(here, "unit", "of_unit", "per_unit").filter(pl.col("per_unit").is_not_null())


def _by_factor(asks: "pl.DataFrame", factors: "pl.DataFrame", gwp_set: str, as_of: date | None) -> "pl.DataFrame":
    """The answers of the table of factors, biogenic gas left out; a reason for asks that it does not answer."""
    import polars as pl

    from carbon.footprints.gwp import gwp_values
    from carbon.footprints.planning import answer_asks

    is_bought = pl.col("activity").is_in(_BOUGHT)
    nothing = [pl.lit(None, pl.String).alias(name) for name in ("series", "factor_id", "entity", "method", "contract")]
    known = asks.filter(pl.col("region").is_not_null()).with_columns(
        *nothing,
        scope=pl.when(is_bought).then(2).otherwise(1).cast(pl.Int8),
        category=pl.when(is_bought).then("activity").otherwise(pl.lit("stationary")),
    )
    answers, troubles = answer_asks(known, factors, methods=("location",), as_of=as_of)
    parts = (
        answers.filter(~pl.col("biogenic"))
        .join(gwp_values(gwp_set), on="gas", how="left")
        .with_columns(kg=pl.col("coefficient_kg") * pl.col("gwp"))
        .sort("ask", "gas")
    )
    ids, remarks = pl.col("factor_ids").explode(), pl.col("remarks").explode()
    summed = parts.group_by("ask", maintain_order=True).agg(
        factor_ids=ids.drop_nulls().unique().sort(),
        co2e_kg=pl.when(pl.col("kg").null_count() == 0).then(pl.col("kg").sum()),
        remarks=remarks.drop_nulls().unique().sort().str.join("; "),
    )
    has_figure = pl.col("co2e_kg").is_not_null()
    figures = summed.with_columns(
        basis=pl.when(has_figure).then(pl.lit("factor")),
        remarks=pl.when(~has_figure).then(pl.lit("unknown_gas")).when(pl.col("remarks") != "").then(pl.col("remarks")),
    )
    # A gas without a figure makes the sum of the others too small.
    lost = troubles.filter(pl.col("code") != "no_factor").unique("ask", keep="first", maintain_order=True)
    whole = figures.join(lost, on="ask", how="anti")
    failed = lost.select("ask", remarks="code")
    nowhere = asks.filter(pl.col("region").is_null()).select("ask", remarks=pl.lit("unknown_region"))
    return pl.concat([_answer(whole), _answer(failed), _answer(nowhere)])
