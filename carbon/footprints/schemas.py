"""The frames that footprints are made of: factors, activities and the lines of a result.

Knows columns, types and the words allowed in them. Must not know files, storage or formulas. A thing unknown is null.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CONFIDENCES",
    "DISTRIBUTIONS",
    "EVIDENCE",
    "MEASURED",
    "METHODS",
    "PARAMETERS",
    "SCOPE_1",
    "SCOPE_2",
    "SCOPE_3",
    "activities_schema",
    "factors_schema",
    "lines_schema",
]

PARAMETERS: Final = ("emission_factor", "net_calorific_value", "carbon_content", "oxidation")
"""What a factor is: mass of gas per unit of activity; energy per amount of fuel; carbon per energy or mass; a share."""
CONFIDENCES: Final = ("H", "M", "L")
DISTRIBUTIONS: Final = ("normal", "lognormal", "triangular", "uniform")
METHODS: Final = ("location", "market")
"""The two ways to count scope 2 (GHG Protocol Scope 2 Guidance, 2015); null for the other scopes."""
MEASURED: Final = "measured"
"""The series of values that an entity measured itself; its code stands for the region."""
EVIDENCE: Final = ("metered", "invoice", "supplier", "estimate", "spend", "sector_average")
SCOPE_1: Final = ("stationary", "mobile", "process", "fugitive")
SCOPE_2: Final = ("electricity", "heat", "steam", "cooling")
SCOPE_3: Final = tuple(f"c{number:02}" for number in range(1, 16))
"""The 15 categories of the Corporate Value Chain (Scope 3) Standard: c01 purchased goods .. c15 investments."""


def factors_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """One row a factor, for one gas.

    factor_id : stable name, e.g. cn-grid_average-2023-central; activity : what it is for (electricity, heat, diesel,
    natural_gas, bus, ...); kind : electricity, heat, combustion, fugitive, transport, personal, process or spend
    parameter : one of PARAMETERS; gas : CO2e, CO2, CH4, N2O, ...; C for a carbon content, null for other parameters
    value, numerator, denominator : 0.5271 kg per kWh; names of `carbon.footprints.units`; 1 for a share
    region : World, CN, CN-grid-central, a GB/T 2260 code such as 420000, GB, ...; valid_from, valid_to : first and last
    day of the activity that it is for; null without limit
    series : grid_average, grid_reporting, ipcc_default, power_guide, provincial_guide_2025, ...: never mixed
    method : location or market for scope 2; biogenic : counted apart
    lower, upper : range of 95 % where the source gives one; distribution : one of DISTRIBUTIONS, null where not known
    published : day of the document; recorded : day from which this table had it (the version that a run saw)
    replaces : factor_id of the row that this one corrects; confidence : H, M or L; assumed : not from a source
    """
    import polars as pl

    return {
        "factor_id": pl.String,
        "activity": pl.String,
        "kind": pl.String,
        "parameter": pl.String,
        "gas": pl.String,
        "value": pl.Float64,
        "numerator": pl.String,
        "denominator": pl.String,
        "region": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "series": pl.String,
        "method": pl.String,
        "biogenic": pl.Boolean,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "distribution": pl.String,
        "source": pl.String,
        "published": pl.Date,
        "recorded": pl.Date,
        "replaces": pl.String,
        "confidence": pl.String,
        "assumed": pl.Boolean,
        "name_zh": pl.String,
        "name_en": pl.String,
        "remark": pl.String,
    }


def activities_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """One row an amount of one activity of one entity in one period.

    activity_id : given, or made from the content; entity : code of the company, plant or platform; share : part of it
    that the reporting company counts (equity share 0..1; 1 under control); hub : key of the city, null where not known
    sector : text; period : 2023, 2023-Q3, 2023-06 or 2023-06-30; first_day, last_day : what the period spans
    scope : 1, 2 or 3; category : one of SCOPE_1, SCOPE_2 or SCOPE_3; activity : as in factors
    amount, unit : 1200.5 MWh, never negative but for a credit note; credit_note : takes back an amount billed before
    lower, upper : range of 95 % of the amount; distribution : one of DISTRIBUTIONS
    region : of the factor where it is not that of the hub; method : location or market where the row is for one only
    factor_id : a factor chosen by the user; null lets the rules choose; series : the series wanted
    contract : certificate or supplier contract behind a market-based figure
    evidence : one of EVIDENCE; evidence_ref : document; verified : a verifier has confirmed it
    platform : who else counts the same activity (a personal-carbon platform, a parent); recorded : day of the record
    replaces : activity_id of the row that this one corrects; file, row : where it was found
    """
    import polars as pl

    return {
        "activity_id": pl.String,
        "entity": pl.String,
        "share": pl.Float64,
        "hub": pl.String,
        "sector": pl.String,
        "period": pl.String,
        "first_day": pl.Date,
        "last_day": pl.Date,
        "scope": pl.Int8,
        "category": pl.String,
        "activity": pl.String,
        "amount": pl.Float64,
        "unit": pl.String,
        "credit_note": pl.Boolean,
        "lower": pl.Float64,
        "upper": pl.Float64,
        "distribution": pl.String,
        "region": pl.String,
        "method": pl.String,
        "factor_id": pl.String,
        "series": pl.String,
        "contract": pl.String,
        "evidence": pl.String,
        "evidence_ref": pl.String,
        "verified": pl.Boolean,
        "platform": pl.String,
        "recorded": pl.Date,
        "replaces": pl.String,
        "file": pl.String,
        "row": pl.Int64,
    }


def lines_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """One row of a result: one activity, one gas, one way to count scope 2.

    entity .. verified : as in the activity; method : location or market for scope 2, else null
    factor_ids : every factor used, in the order of the formula; formula : amount x factor, or amount x NCV x carbon x
    oxidation x 44/12; gwp_set, gwp : 1 where the factor is of CO2e already (its own set is in the factor's source)
    emissions_kg : kilograms of the gas; co2e_kg : emissions_kg x gwp x share; negative only for a credit note
    relative_low, relative_high : half-widths of the 95 % range as shares of the figure, null where not known
    pcaf : data-quality score 1..5, null where no rule fits; remarks : default_used, region_fallback, period_fallback,
    assumed_factor, ... joined by "; "
    """
    import polars as pl

    return {
        "activity_id": pl.String,
        "entity": pl.String,
        "share": pl.Float64,
        "hub": pl.String,
        "sector": pl.String,
        "period": pl.String,
        "first_day": pl.Date,
        "last_day": pl.Date,
        "scope": pl.Int8,
        "category": pl.String,
        "activity": pl.String,
        "method": pl.String,
        "gas": pl.String,
        "biogenic": pl.Boolean,
        "amount": pl.Float64,
        "unit": pl.String,
        "factor_ids": pl.List(pl.String),
        "formula": pl.String,
        "gwp_set": pl.String,
        "gwp": pl.Float64,
        "emissions_kg": pl.Float64,
        "co2e_kg": pl.Float64,
        "relative_low": pl.Float64,
        "relative_high": pl.Float64,
        "pcaf": pl.Int8,
        "evidence": pl.String,
        "verified": pl.Boolean,
        "recorded": pl.Date,
        "remarks": pl.String,
    }
