"""Combustion by what is in the fuel: amount x net calorific value x carbon content x oxidation x 44/12.

Knows the formula of the power sector and of the IPCC, and when a default stands in for a measurement; the figures of
the rule are data (`carbon/data/combustion_rules.csv`), with source and confidence. Must not know files or storage.

What a plant measured comes as factors of its own: series "measured", region = code of the entity, valid for the months
that were measured. A row takes the mean of its months where all were measured. Carbon content measured in fewer months
of the year than the rule asks gives way to the default in the months that are missing; in enough months, their mean
fills the gaps. Other parameters have no such rule: the default is used unless every month of the row was measured.
Means are weighted by what was used in the months, where activities of those months tell it; else the plain mean is
assumed.
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from carbon.footprints.coefficients import (
    chosen_factors,
    coefficients_schema,
    combined_share_expr,
    convert,
    no_troubles,
    troubles,
)
from carbon.footprints.factor_ranking import usable_factors
from carbon.footprints.month_weights import no_amounts, with_weights
from carbon.footprints.schemas import MEASURED

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

__all__ = [
    "CARBON_CATEGORIES",
    "FUEL_CATEGORIES",
    "combustion_coefficients",
    "combustion_rules",
    "fuel_parameters",
]

FUEL_CATEGORIES: Final = ("stationary", "mobile")
CARBON_CATEGORIES: Final = (*FUEL_CATEGORIES, "process")
"""Where carbon becomes CO2: burnt, or set free from a material such as limestone."""
CO2_PER_CARBON: Final = 44 / 12
"""Mass of CO2 that a mass of carbon burns to: molar masses 44 and 12 g/mol, as the guides write them."""

_CARBON: Final = "carbon_content"
_NCV: Final = "net_calorific_value"
_OXIDATION: Final = "oxidation"
_BASES: Final = ("GJ", "t", "Nm3", "m3")


def combustion_rules() -> "pl.DataFrame":
    """The rules on defaults as data: rule, value (Float64), unit, source, confidence, remark (String)."""
    return _rules().clone()


def fuel_parameters(
    fuels: "pl.DataFrame",
    factors: "pl.DataFrame",
    parameter: str,
    *,
    as_of: "date | None" = None,
    amounts: "pl.DataFrame | None" = None,
) -> "pl.DataFrame":
    """One parameter of the fuel for each ask that has one: measured where it counts, else as the factors' rules choose.

    fuels : asks (`carbon.footprints.coefficients`); parameter : net_calorific_value, carbon_content or oxidation
    amounts : what was used in each month (`carbon.footprints.month_weights.month_amounts`); nothing is known without
    Result: ask, value, numerator, denominator, factor_ids (in order of months), low, high, biogenic, remarks (list):
    mean_of_months, mean_of_measured_months (with weighted_by_amount or plain_mean_assumed), default_used, other_series.
    """
    import polars as pl

    own = _measured(fuels, usable_factors(factors, as_of), parameter, no_amounts() if amounts is None else amounts)
    rest = fuels.join(own, on="ask", how="anti").with_columns(factor_id=_of_parameter(factors, parameter))
    common = factors.filter(pl.col("series").ne_missing(MEASURED))
    found = chosen_factors(rest, common, parameter=parameter, as_of=as_of)
    defaults = [_as_parameter(found, [] if parameter == _OXIDATION else ["default_used"])]
    if parameter != _CARBON:
        # A series may give the carbon of a fuel and no calorific value; another one's is better than none, and said.
        missing = rest.join(found, on="ask", how="anti").filter(pl.col("series").is_not_null())
        other = missing.with_columns(series=pl.lit(None, dtype=pl.String), factor_id=pl.lit(None, dtype=pl.String))
        others = chosen_factors(other, common, parameter=parameter, as_of=as_of)
        defaults.append(_as_parameter(others, ["other_series"] + ([] if parameter == _OXIDATION else ["default_used"])))
    return pl.concat([own, *defaults])


def combustion_coefficients(
    fuels: "pl.DataFrame",
    carbon: "pl.DataFrame",
    energy: "pl.DataFrame",
    oxidation: "pl.DataFrame",
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Kilograms of CO2 per unit of the amount, for asks with a carbon content: coefficients and troubles.

    carbon, energy, oxidation : as from `fuel_parameters`; the calorific value is needed where carbon is per energy and
    the amount is not. factor_ids in the order of the formula.
    """
    import polars as pl

    both = fuels.select("ask", "unit", "activity").join(carbon, on="ask")
    for name, parameter in (("ncv", energy), ("ox", oxidation)):
        columns = [pl.exclude("ask", "biogenic").name.prefix(f"{name}_"), "ask"]
        both = both.join(parameter.select(columns), on="ask", how="left", maintain_order="left")
    both = both.with_columns(method=pl.lit(None, dtype=pl.String), kg=pl.lit("kg"), one=pl.lit("1"))
    both = convert(convert(both, "unit", "denominator", "direct"), "numerator", "kg", "mass_kg")
    both = convert(convert(both, "unit", "ncv_denominator", "per_fuel"), "ncv_numerator", "denominator", "per_energy")
    both = convert(both, "ox_numerator", "one", "ox_share")
    by_energy, is_assumed = pl.col("direct").is_null(), pl.col("ox_value").is_null()
    through = pl.col("per_fuel") * pl.col("ncv_value") * pl.col("per_energy")
    share = pl.coalesce(pl.col("ox_value") * pl.col("ox_share"), pl.lit(_rule("default_oxidation")))
    both = both.with_columns(pl.when(by_energy).then(pl.col("ncv_low", "ncv_high")))
    told = both.with_columns(
        gas=pl.lit("CO2"),
        coefficient_kg=pl.coalesce("direct", through) * pl.col("value") * pl.col("mass_kg") * share * CO2_PER_CARBON,
        factor_ids=pl.concat_list(_if(by_energy, "ncv_factor_ids"), "factor_ids", _if(~is_assumed, "ox_factor_ids")),
        formula=pl.format(
            "amount x {}carbon x oxidation x 44/12", pl.when(by_energy).then(pl.lit("NCV x ")).otherwise(pl.lit(""))
        ),
        low=combined_share_expr(["low", "ox_low", "ncv_low"]),
        high=combined_share_expr(["high", "ox_high", "ncv_high"]),
        remarks=pl.concat_list(
            _if(by_energy, "ncv_remarks"),
            "remarks",
            _if(~is_assumed, "ox_remarks"),
            pl.when(is_assumed).then(["oxidation_assumed"]).otherwise(_none()),
        ),
    )
    is_done = pl.col("coefficient_kg").is_not_null()
    answers = told.filter(is_done).select(pl.col(name).cast(kind) for name, kind in coefficients_schema().items())
    return answers, _unanswered(told.filter(~is_done))


def _unanswered(failed: "pl.DataFrame") -> "pl.DataFrame":
    """Why the formula could not be used: no calorific value, or units that do not meet."""
    import polars as pl

    if failed.is_empty():
        return no_troubles()
    has_none = pl.col("ncv_value").is_null()
    needs = pl.format("a net calorific value of {} (factors of parameter net_calorific_value)", "activity")
    lacking = troubles(
        failed.filter(has_none),
        "no_calorific_value",
        "activity",
        pl.format("{} in {} and none", "activity", "unit"),
        needs,
    )
    found = pl.format("{} for {}", pl.col("unit"), pl.col("factor_ids").list.join(", "))
    expected = pl.format("a unit that turns into {} or {}", "denominator", "ncv_denominator")
    return pl.concat([lacking, troubles(failed.filter(~has_none), "unit_mismatch", "unit", found, expected)])


def _measured(
    fuels: "pl.DataFrame", factors: "pl.DataFrame", parameter: str, amounts: "pl.DataFrame"
) -> "pl.DataFrame":
    """What the entities measured themselves, for the asks where it counts; the columns of `fuel_parameters`."""
    import polars as pl

    months, key = _measured_months(factors, parameter), ["entity", "activity"]
    months = with_weights(months, amounts, _measured_months(factors, _NCV))
    asks = fuels.filter(pl.col("factor_id").is_null()).join(months, on=key, how="semi")
    every = pl.date_ranges(pl.col("first_day").dt.truncate("1mo"), "last_day", "1mo")
    spans = asks.select("ask", *key, every.alias("month")).explode("month")
    known = spans.join(months, on=[*key, "month"], how="left", maintain_order="left")
    is_whole = pl.col("value").is_not_null().all().over("ask")
    several = pl.when(pl.len().over("ask") > 1).then(["mean_of_months"]).otherwise(_none())
    means = [_mean_of(known.filter(is_whole).with_columns(remarks=several))]
    if parameter == _CARBON:
        gaps = asks.join(means[0], on="ask", how="anti").select("ask", *key, "first_day")
        year = gaps.join(months, on=key).filter(pl.col("month").dt.year() == pl.col("first_day").dt.year())
        enough = year.filter(pl.col("month").n_unique().over("ask") >= _rule("least_measured_months"))
        means.append(_mean_of(enough.with_columns(remarks=pl.lit(["mean_of_measured_months"]))))
    return pl.concat(means)


def _mean_of(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The mean of the months of each ask, where all are in one unit: weighted where all have a weight of one kind, else
    plain, and said so. The range of a mean is not known."""
    import polars as pl

    units = pl.struct("numerator", "denominator").n_unique().over("ask")
    # A sum depends on the order of its terms: months first, so that any order of the input gives the same bytes.
    ordered = rows.filter(units == 1).sort("ask", "month")
    single, weight = pl.len() == 1, pl.col("weight")
    is_weighted = (weight.null_count() == 0) & (pl.col("weight_unit").n_unique() == 1)
    weighted = (pl.col("value") * weight).sum() / weight.sum()
    how = pl.when(is_weighted).then(pl.lit("weighted_by_amount")).otherwise(pl.lit("plain_mean_assumed"))
    is_mean = pl.col("value").n_unique() > 1
    return ordered.group_by("ask", maintain_order=True).agg(
        value=pl.when(is_mean & is_weighted).then(weighted).otherwise(pl.col("value").mean()),
        numerator=pl.col("numerator").first(),
        denominator=pl.col("denominator").first(),
        factor_ids=pl.col("factor_id").unique(maintain_order=True),
        **{name: pl.when(single).then(pl.col(name).first()) for name in ("low", "high")},
        biogenic=pl.col("biogenic").any(),
        remarks=pl.concat_list(
            pl.col("remarks").first(), pl.when(is_mean).then(pl.concat_list(how)).otherwise(_none())
        ),
    )


def _measured_months(factors: "pl.DataFrame", parameter: str) -> "pl.DataFrame":
    """One row an entity, activity and month that was measured: value, numerator, denominator (GJ, t, Nm3 or m3), range.

    Of several factors for a month the one of the shortest span counts, then the newest.
    """
    import polars as pl

    own = factors.filter((pl.col("series") == MEASURED) & (pl.col("parameter") == parameter))
    own = own.drop_nulls(["valid_from", "valid_to", "value"])
    for side in ("numerator", "denominator"):
        own = _in_base_units(own, side)
    size = pl.col("value").abs()
    return (
        own.with_columns(
            month=pl.date_ranges(pl.col("valid_from").dt.truncate("1mo"), "valid_to", "1mo"),
            span=pl.col("valid_to") - pl.col("valid_from"),
            low=(pl.col("value") - pl.col("lower")) / size,
            high=(pl.col("upper") - pl.col("value")) / size,
        )
        .explode("month")
        .sort("region", "activity", "month", "span", "recorded", "factor_id", descending=[False] * 4 + [True, False])
        .unique(["region", "activity", "month"], keep="first", maintain_order=True)
        .select(
            pl.col("region").alias("entity"),
            *("activity", "month", "value", "numerator", "denominator", "factor_id", "low", "high"),
            pl.col("biogenic").fill_null(False),
        )
    )


def _in_base_units(factors: "pl.DataFrame", side: str) -> "pl.DataFrame":
    """Values of months can be averaged only in one unit: GJ for energy, t for mass, Nm3 and m3 for gas."""
    import polars as pl

    for base in _BASES:
        factors = convert(factors.with_columns(base=pl.lit(base)), side, "base", "size")
        scale = pl.col("size") if side == "numerator" else 1 / pl.col("size")
        factors = factors.with_columns(
            *(
                pl.when(pl.col("size").is_not_null()).then(pl.col(name) * scale).otherwise(name).alias(name)
                for name in ("value", "lower", "upper")
            ),
            pl.when(pl.col("size").is_not_null()).then(pl.lit(base)).otherwise(side).alias(side),
        )
    return factors


def _as_parameter(found: "pl.DataFrame", remarks: list[str]) -> "pl.DataFrame":
    """Chosen factors in the columns of `fuel_parameters`."""
    import polars as pl

    return found.select(
        "ask",
        *("value", "numerator", "denominator"),
        pl.concat_list("factor_id").alias("factor_ids"),
        *("low", "high", "biogenic"),
        pl.concat_list("remarks", pl.lit(remarks, dtype=pl.List(pl.String))).alias("remarks"),
    )


def _of_parameter(factors: "pl.DataFrame", parameter: str) -> "pl.Expr":
    """The factor that a row names, where it is one of this parameter."""
    import polars as pl

    ids = factors.filter(pl.col("parameter") == parameter)["factor_id"]
    return pl.when(pl.col("factor_id").is_in(ids.implode())).then("factor_id")


def _if(where: "pl.Expr", name: str) -> "pl.Expr":
    import polars as pl

    return pl.when(where).then(pl.col(name)).otherwise(_none())


def _none() -> "pl.Expr":
    import polars as pl

    return pl.lit([], dtype=pl.List(pl.String))


def _rule(name: str) -> float:
    rules = _rules()
    return float(rules.filter(rules["rule"] == name)["value"].item())


@cache
def _rules() -> "pl.DataFrame":
    import polars as pl

    names = ("rule", "value", "unit", "source", "confidence", "remark")
    text = files("carbon").joinpath("data", "combustion_rules.csv").read_bytes()
    return pl.read_csv(text, schema=dict.fromkeys(names, pl.String)).with_columns(pl.col("value").cast(pl.Float64))
