"""What one unit of an activity emits: factors that were chosen, turned into kilograms of gas per unit of the amount.

Knows how a factor meets the unit of an amount and how scope 2 is counted twice, by location and by market. Must not
know files, storage, warming potentials or amounts: a question ("ask") is asked once, however many rows ask it.

An ask: ask (Int64, unique), activity, region, first_day, last_day, series, factor_id (as in `match_factors`), entity,
scope, category, unit, method, contract. The answers, one row an ask, method and gas, are in `coefficients_schema`.
"""

from typing import TYPE_CHECKING, Final

from carbon.footprints.factor_ranking import usable_factors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import polars as pl

__all__ = [
    "TOTAL",
    "chosen_factors",
    "coefficients_schema",
    "combined_share_expr",
    "convert",
    "direct_coefficients",
    "market_factors",
    "no_troubles",
    "troubles",
]

TOTAL: Final = "CO2e"
RESIDUAL: Final = "residual"
"""In the name of every series of a residual mix: grid_residual, and a user's own."""
_REMARKS: Final = {
    "region_fallback": ["region_fallback"],
    "period_fallback": ["period_fallback"],
    "both": ["region_fallback", "period_fallback"],
    "forced": ["forced_factor"],
}


def coefficients_schema() -> "dict[str, type[pl.DataType] | pl.DataType]":
    """ask, method, gas, biogenic; coefficient_kg : kilograms of the gas per unit of the amount; factor_ids, formula,
    remarks; low, high : half-widths of the factors' 95 % ranges as shares of the figure, null where not known."""
    import polars as pl

    return {
        "ask": pl.Int64,
        "method": pl.String,
        "gas": pl.String,
        "biogenic": pl.Boolean,
        "coefficient_kg": pl.Float64,
        "factor_ids": pl.List(pl.String),
        "formula": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
        "remarks": pl.List(pl.String),
    }


def no_troubles() -> "pl.DataFrame":
    """A frame of what could not be answered, without rows: ask, method, code, column, found, expected."""
    import polars as pl

    return pl.DataFrame(
        schema={"ask": pl.Int64, **dict.fromkeys(("method", "code", "column", "found", "expected"), pl.String)}
    )


def troubles(frame: "pl.DataFrame", code: str, column: str, found: "pl.Expr", expected: "pl.Expr") -> "pl.DataFrame":
    """One trouble a row of a frame with ask and method."""
    import polars as pl

    return frame.rechunk().select(
        "ask",
        "method",
        pl.lit(code).alias("code"),
        pl.lit(column).alias("column"),
        found.cast(pl.String).fill_null("nothing").alias("found"),
        expected.cast(pl.String).alias("expected"),
    )


def chosen_factors(
    asks: "pl.DataFrame",
    factors: "pl.DataFrame",
    *,
    parameter: str,
    method: str | None = None,
    as_of: "date | None" = None,
) -> "pl.DataFrame":
    """The factors that the rules choose for asks, one row an ask and gas; asks without a factor have no row.

    Result: ask, factor_id, gas, value, numerator, denominator, low, high, biogenic, region, remarks (list).
    """
    import polars as pl

    from carbon.footprints.factors import match_factors

    if asks.is_empty():
        return _no_factors()
    requests = asks.select(
        pl.col("ask").alias("request"),
        *("activity", "region", "first_day", "last_day"),
        pl.lit(parameter).alias("parameter"),
        "series",
        pl.lit(method, dtype=pl.String).alias("method"),
        "factor_id",
        "unit",
    )
    found = match_factors(requests, factors, as_of=as_of).filter(pl.col("factor_id").is_not_null())
    fallback = pl.col("reason").replace_strict(_REMARKS, default=[], return_dtype=pl.List(pl.String))
    assumed = pl.when(pl.col("assumed").fill_null(False)).then(["assumed_factor"]).otherwise(_no_remarks())
    size = pl.col("value").abs()
    return found.select(
        pl.col("request").cast(pl.Int64).alias("ask"),
        *("factor_id", "gas", "value", "numerator", "denominator"),
        low=pl.when(size > 0).then((pl.col("value") - pl.col("lower")) / size),
        high=pl.when(size > 0).then((pl.col("upper") - pl.col("value")) / size),
        biogenic=pl.col("biogenic").fill_null(False),
        region="region",
        remarks=pl.concat_list(fallback, assumed),
    )


def convert(frame: "pl.DataFrame", unit: str, to: str, name: str) -> "pl.DataFrame":
    """The frame with the column `name`: how many of the unit in column `to` one of column `unit` is; null where
    impossible; `name`_problem says why."""
    import polars as pl

    from carbon.footprints.units import conversions

    found = conversions(frame.select(pl.col(unit).alias("unit"), pl.col(to).alias("to")))
    return frame.with_columns(found["factor"].alias(name), found["problem"].alias(f"{name}_problem"))


def combined_share_expr(names: "Sequence[str]") -> "pl.Expr":
    """Half-width of a product (share of the figure) from those of its independent parts, in quadrature; parts whose
    range is not known are left out, and null comes of none (IPCC 2006 Guidelines, volume 1, chapter 3, equation 3.1).
    """
    import polars as pl

    squares = pl.sum_horizontal(pl.col(name) ** 2 for name in names)
    return pl.when(pl.any_horizontal(pl.col(name).is_not_null() for name in names)).then(squares.sqrt())


def direct_coefficients(
    asks: "pl.DataFrame",
    chosen: "pl.DataFrame",
    *,
    method: str | None,
    energy: "pl.DataFrame | None" = None,
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """amount x factor for the chosen factors: coefficients (`coefficients_schema`) and troubles.

    asks, chosen : as for `chosen_factors`; method : what the rows are told to be
    energy : net calorific values by ask (value, numerator, denominator, factor_ids, low, high, remarks), for factors
    per energy where the amount is mass or volume: amount x NCV x factor
    Of a total in CO2e and its parts by gas the total alone counts; biogenic gas is apart from both.
    """
    import polars as pl

    kept = _total_or_parts(chosen).join(asks.select("ask", "unit"), on="ask")
    kept = kept.with_columns(method=pl.lit(method, dtype=pl.String), kg=pl.lit("kg"))
    kept = convert(convert(kept, "unit", "denominator", "per_unit"), "numerator", "kg", "mass_kg")
    values = _energy_columns(energy)
    kept = kept.join(values, on="ask", how="left", maintain_order="left")
    kept = convert(convert(kept, "unit", "ncv_denominator", "per_fuel"), "ncv_numerator", "denominator", "per_energy")
    by_energy = pl.col("per_unit").is_null()
    through = pl.col("per_fuel") * pl.col("ncv") * pl.col("per_energy")
    told = kept.with_columns(
        coefficient_kg=pl.coalesce("per_unit", through) * pl.col("value") * pl.col("mass_kg"),
        factor_ids=pl.when(by_energy)
        .then(pl.concat_list("ncv_ids", "factor_id"))
        .otherwise(pl.concat_list("factor_id")),
        formula=pl.when(by_energy).then(pl.lit("amount x NCV x factor")).otherwise(pl.lit("amount x factor")),
        low=pl.when(by_energy).then(combined_share_expr(["low", "ncv_low"])).otherwise("low"),
        high=pl.when(by_energy).then(combined_share_expr(["high", "ncv_high"])).otherwise("high"),
        remarks=pl.when(by_energy).then(pl.concat_list("ncv_remarks", "remarks")).otherwise("remarks"),
    )
    failed = told.filter(pl.col("coefficient_kg").is_null())
    found = pl.format("{} for the factor {}", pl.col("unit"), pl.col("factor_id"))
    expected = pl.format("a unit that turns into {} ({} per {})", "denominator", "numerator", "denominator")
    schema = coefficients_schema()
    answers = told.filter(pl.col("coefficient_kg").is_not_null()).select(
        pl.col(name).cast(kind) for name, kind in schema.items()
    )
    return answers, troubles(failed, "unit_mismatch", "unit", found, expected)


def market_factors(asks: "pl.DataFrame", factors: "pl.DataFrame", *, as_of: "date | None" = None) -> "pl.DataFrame":
    """Factors by market for scope 2, in the order of GHG Protocol Scope 2 Guidance (2015), table 6.3: a factor that the
    row names, the contract's, the supplier's (a factor by market whose region is the entity), that of the series that a
    row by market asks for, else the residual mix: of a series that has "residual" in its name, since what one company
    has bought by contract is nobody else's, wherever its factor is said to hold. Asks that none of them answers are
    left to the location.

    Result: as `chosen_factors`; remarks say which it was: forced_factor, contract_factor, supplier_factor or
    residual_factor; contract_without_factor where a contract is named that no factor has.
    """
    import polars as pl

    ids = factors.select(pl.col("factor_id").alias("named"), pl.col("method").alias("named_method")).unique("named")
    nothing = pl.lit(None, dtype=pl.String)
    forced = asks.join(ids, left_on="factor_id", right_on="named").filter(pl.col("named_method").ne_missing("location"))
    rest = asks.with_columns(factor_id=nothing)
    contracted = rest.join(ids, left_on="contract", right_on="named", how="semi")
    by_market = usable_factors(factors, as_of).filter(pl.col("method") == "market")
    asked = rest.with_columns(series=pl.when(pl.col("method") == "market").then("series"))
    is_mix = pl.col("series").str.contains(RESIDUAL, literal=True)
    steps = (
        (forced, factors, None),
        (contracted.with_columns(factor_id="contract"), factors, "contract_factor"),
        (_supplied(rest, by_market), by_market, "supplier_factor"),
        (asked.filter(pl.col("series").is_not_null()), by_market, "residual_factor"),
        (asked.filter(pl.col("series").is_null()), by_market.filter(is_mix), "residual_factor"),
    )
    answers: list[pl.DataFrame] = []
    for step, known, remark in steps:
        left = step if not answers else step.join(pl.concat(answers), on="ask", how="anti")
        found = chosen_factors(left, known, parameter="emission_factor", method="market", as_of=as_of)
        answers.append(_remarked(found, remark))
    return _with_contract_remark(pl.concat(answers), rest.join(contracted, on="ask", how="anti"))


def _supplied(asks: "pl.DataFrame", by_market: "pl.DataFrame") -> "pl.DataFrame":
    """The asks whose entity has a factor by market of its own for the time, asked in the entity's name."""
    import polars as pl

    own = by_market.select("activity", entity="region", known_from="valid_from", known_to="valid_to")
    begun = pl.col("known_from").is_null() | (pl.col("known_from") <= pl.col("first_day"))
    not_over = pl.col("known_to").is_null() | (pl.col("known_to") >= pl.col("last_day"))
    supplied = asks.join(own, on=["entity", "activity"]).filter(begun & not_over).unique("ask")
    return asks.join(supplied, on="ask", how="semi").with_columns(
        region=pl.col("entity"), series=pl.lit(None, dtype=pl.String)
    )


def _remarked(found: "pl.DataFrame", remark: str | None) -> "pl.DataFrame":
    import polars as pl

    if remark is None:
        return found
    kept = pl.col("remarks").list.set_difference(["forced_factor"])
    return found.with_columns(remarks=pl.concat_list(kept, pl.lit([remark])))


def _with_contract_remark(found: "pl.DataFrame", asks: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    unanswered = asks.filter(pl.col("contract").is_not_null())["ask"]
    remark = (
        pl.when(pl.col("ask").is_in(unanswered.implode())).then(["contract_without_factor"]).otherwise(_no_remarks())
    )
    return found.with_columns(remarks=pl.concat_list("remarks", remark))


def _total_or_parts(chosen: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    is_total = pl.col("gas") == TOTAL
    has_total = is_total.any().over("ask", "biogenic")
    return chosen.filter(is_total | ~has_total)


def _energy_columns(energy: "pl.DataFrame | None") -> "pl.DataFrame":
    import polars as pl

    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        "ask": pl.Int64,
        "ncv": pl.Float64,
        "ncv_numerator": pl.String,
        "ncv_denominator": pl.String,
        "ncv_ids": pl.List(pl.String),
        "ncv_low": pl.Float64,
        "ncv_high": pl.Float64,
        "ncv_remarks": pl.List(pl.String),
    }
    if energy is None:
        return pl.DataFrame(schema=schema)
    return energy.select(
        "ask",
        pl.col("value").alias("ncv"),
        *(pl.col(name).alias(f"ncv_{name}") for name in ("numerator", "denominator")),
        pl.col("factor_ids").alias("ncv_ids"),
        *(pl.col(name).alias(f"ncv_{name}") for name in ("low", "high", "remarks")),
    )


def _no_factors() -> "pl.DataFrame":
    import polars as pl

    text, real = pl.String, pl.Float64
    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        **{"ask": pl.Int64, "factor_id": text, "gas": text, "value": real, "numerator": text, "denominator": text},
        **{"low": real, "high": real, "biogenic": pl.Boolean, "region": text, "remarks": pl.List(text)},
    }
    return pl.DataFrame(schema=schema)


def _no_remarks() -> "pl.Expr":
    import polars as pl

    return pl.lit([], dtype=pl.List(pl.String))
