"""What one row of a file of factors must be: cells to values, and everything wrong with them.

Knows `factors_schema`, units and gases. Must not know files or storage. Nothing is repaired: a cell that cannot be read
is a problem, an empty one is null.
"""

from datetime import date
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.footprints.factor_regions import known_region_expr
from carbon.footprints.gwp import gwp_sets, gwp_values
from carbon.footprints.schemas import CONFIDENCES, DISTRIBUTIONS, MEASURED, METHODS, PARAMETERS, factors_schema
from carbon.footprints.units import canonical_units, dimensions
from carbon.row_rules import PROBLEMS_A_RULE, RowRule, is_lost, list_problems

if TYPE_CHECKING:
    import polars as pl

__all__ = ["broken_rows", "known_gases", "type_factors"]

KINDS: Final = ("electricity", "heat", "combustion", "fugitive", "transport", "personal", "process", "spend")
_REQUIRED: Final = (
    *("factor_id", "activity", "kind", "parameter", "value", "numerator", "denominator", "region", "series", "source"),
)
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "parameter": PARAMETERS,
    "method": METHODS,
    "distribution": DISTRIBUTIONS,
    "confidence": CONFIDENCES,
}
_TRUE: Final = ("true", "yes", "1", "是")
_FALSE: Final = ("false", "no", "0", "否")


def known_gases() -> list[str]:
    """CO2e, CO2, C and every gas or blend that some set of warming potentials has, ascending."""
    return sorted({"C", *(gas for name in gwp_sets() for gas in gwp_values(name)["gas"])})


def type_factors(raw: "pl.DataFrame", recorded: date | None) -> "pl.DataFrame":
    """Cells of text to `factors_schema`, with row and the cell as found in `<column>_raw`.

    raw : row and the columns of `factors_schema` as String; recorded : for rows that name no day of record
    biogenic and assumed are false where the cell is empty; units take their name in the table of units.
    """
    import polars as pl

    typed = raw.with_columns(pl.col(name).alias(f"{name}_raw") for name in factors_schema())
    made = []
    for name, kind in factors_schema().items():
        cell = pl.col(name)
        if kind == pl.Float64:
            made.append(cell.str.replace_all(",", "").cast(pl.Float64, strict=False).alias(name))
        elif kind == pl.Date:
            made.append(cell.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).alias(name))
        elif kind == pl.Boolean:
            lower = cell.str.to_lowercase()
            truth = pl.when(lower.is_in(_TRUE)).then(True).when(lower.is_in(_FALSE) | cell.is_null()).then(False)
            made.append(truth.alias(name))
    typed = typed.with_columns(made).with_columns(
        pl.coalesce("recorded", pl.lit(recorded, pl.Date)).alias("recorded"),
        *(canonical_units(raw[name]).alias(name) for name in ("numerator", "denominator")),
    )
    is_carbon = pl.col("gas").is_null() & (pl.col("parameter") == "carbon_content")
    return typed.with_columns(pl.when(is_carbon).then(pl.lit("C")).otherwise("gas").alias("gas"))


def broken_rows(typed: "pl.DataFrame", file: str) -> list[Problem]:
    """Every problem of every row, by rule, then row; at most 1000 of one rule, a line counts the rest.

    typed : `type_factors`
    """
    import polars as pl

    measured = typed.with_columns(
        dimensions(typed["numerator"]).alias("above"), dimensions(typed["denominator"]).alias("below")
    )
    problems: list[Problem] = []
    for rule in _rules():
        broken = measured.filter(rule.where.fill_null(False))
        found = broken.select("row", pl.col(f"{rule.column}_raw").fill_null("nothing").alias("found"))
        first = found.head(PROBLEMS_A_RULE).iter_rows()
        problems += list_problems(rule, first, found.height, file=file, heading=rule.column)
    return problems


def _error(where: "pl.Expr", column: str, expected: str, code: str) -> RowRule:
    return RowRule(code, "error", column, where, expected)


def _rules() -> list[RowRule]:
    import polars as pl

    rules = [
        _error(pl.col(name).is_null() & pl.col(f"{name}_raw").is_null(), name, "a filled cell", "missing_cell")
        for name in _REQUIRED
    ]
    readable: dict[object, str] = {
        pl.Float64: "a number",
        pl.Date: "a day such as 2024-06-30",
        pl.Boolean: "true or false",
    }
    for name, kind in factors_schema().items():
        if kind in readable:
            rules.append(_error(is_lost(name), name, readable[kind], "unreadable_cell"))
    for name, words in _WORDS.items():
        rules.append(_error(~pl.col(name).is_in(words), name, f"one of: {', '.join(words)}", "unknown_word"))
    for name in ("numerator", "denominator"):
        rules.append(_error(is_lost(name), name, "a unit of `greenfin factors units`", "unknown_unit"))
    parameter, above, below = pl.col("parameter"), pl.col("above"), pl.col("below")
    is_ef, is_ncv = parameter == "emission_factor", parameter == "net_calorific_value"
    is_carbon, is_share = parameter == "carbon_content", parameter == "oxidation"
    carriers = ["energy", "mass", "volume", "normal_volume"]
    return [
        *rules,
        _error((is_ef | is_carbon) & (above != "mass"), "numerator", "a mass, such as kg", "unit_mismatch"),
        _error(is_ncv & (above != "energy"), "numerator", "an energy, such as GJ", "unit_mismatch"),
        _error(is_share & (above != "share"), "numerator", "1", "unit_mismatch"),
        _error(is_share & (below != "share"), "denominator", "1", "unit_mismatch"),
        _error(is_ncv & ~below.is_in(carriers[1:]), "denominator", "an amount of fuel, such as t", "unit_mismatch"),
        _error(is_carbon & ~below.is_in(carriers), "denominator", "an energy or an amount of fuel", "unit_mismatch"),
        _error(is_ef & pl.col("gas").is_null(), "gas", "a gas, such as CO2 or CO2e", "missing_cell"),
        _error(~pl.col("gas").is_in(known_gases()), "gas", "CO2e, CO2, CH4, N2O, ... or C", "unknown_gas"),
        _error(is_ef & (pl.col("gas") == "C"), "gas", "a gas; C is of carbon contents", "unknown_gas"),
        _error(~pl.col("value").is_finite(), "value", "a finite number", "unreadable_cell"),
        _error(pl.col("value") < 0, "value", "zero or more", "negative_value"),
        _error(is_share & (pl.col("value") > 1), "value", "a share of 0 to 1", "share_above_one"),
        _error(pl.col("lower") > pl.col("value"), "lower", "not more than the value", "range_without_value"),
        _error(pl.col("upper") < pl.col("value"), "upper", "not less than the value", "range_without_value"),
        _error(pl.col("valid_from") > pl.col("valid_to"), "valid_to", "a day from valid_from on", "days_reversed"),
        _error(pl.col("replaces") == pl.col("factor_id"), "replaces", "the id of another factor", "replaces_itself"),
        # Measurements of a plant have its code for a region.
        RowRule(
            "unknown_region",
            "warning",
            "region",
            ~known_region_expr(pl.col("region")) & (pl.col("series") != MEASURED),
            "a code such as 420000, CN-grid-central, CN or World; kept, but only the same word will find it",
        ),
        _error(~pl.col("factor_id").is_first_distinct(), "factor_id", "an id of its own", "repeated_factor"),
    ]
