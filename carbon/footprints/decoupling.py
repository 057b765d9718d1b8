"""Do emissions part from growth? Tapio's elasticity and its eight named states.

Knows the formula, its bounds and the names of the states. Must not know where emissions and GDP come from, nor what a
city is.

Source: P. Tapio, Towards a theory of decoupling: degrees of decoupling in the EU and the case of road traffic in
Finland between 1970 and 2001, Transport Policy 12 (2005) 137-151. The elasticity is meant for GDP at constant prices;
at current prices a rise of prices counts as growth, so that emissions look more decoupled than they are. The column
gdp_basis says which it was.
"""

from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "BASES",
    "COUPLED_FROM",
    "COUPLED_TO",
    "InvalidSeries",
    "decoupling",
    "decoupling_schema",
    "decoupling_states",
    "series_schema",
    "with_constant_prices",
]

COUPLED_FROM: Final = 0.8
COUPLED_TO: Final = 1.2
"""Elasticities from 0.8 to 1.2, both included, are coupling (Tapio 2005): within 20 % of growing alike."""
BASES: Final = ("current", "constant")
"""Prices that GDP is told in."""

_KEYS: Final = ("hub", "series")


class InvalidSeries(CarbonError):
    """Yearly figures that no elasticity can be computed from: a year stands twice."""


def decoupling_states() -> "pl.DataFrame":
    """The eight states: state, gdp (rises or falls), emissions (rises, falls, or rises or stays), above and below
    (bounds of the elasticity Float64, null where there is none), includes_above, includes_below Boolean, name_zh,
    name_en.

    Emissions that stay the same have the elasticity 0: weak decoupling where GDP rises, weak negative where it falls.
    """
    import polars as pl

    low, high = COUPLED_FROM, COUPLED_TO
    rows = [
        ("strong_decoupling", "rises", "falls", None, 0.0, False, False, "强脱钩", "strong decoupling"),
        ("weak_decoupling", "rises", "rises or stays", 0.0, low, True, False, "弱脱钩", "weak decoupling"),
        ("expansive_coupling", "rises", "rises", low, high, True, True, "扩张连结", "expansive coupling"),
        (
            *("expansive_negative_decoupling", "rises", "rises", high, None, False, False),
            *("扩张负脱钩", "expansive negative decoupling"),
        ),
        (
            *("strong_negative_decoupling", "falls", "rises", None, 0.0, False, False),
            *("强负脱钩", "strong negative decoupling"),
        ),
        (
            *("weak_negative_decoupling", "falls", "falls or stays", 0.0, low, True, False),
            *("弱负脱钩", "weak negative decoupling"),
        ),
        ("recessive_coupling", "falls", "falls", low, high, True, True, "衰退连结", "recessive coupling"),
        ("recessive_decoupling", "falls", "falls", high, None, False, False, "衰退脱钩", "recessive decoupling"),
    ]
    columns = ["state", "gdp", "emissions", "above", "below", "includes_above", "includes_below", "name_zh", "name_en"]
    return pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"above": pl.Float64, "below": pl.Float64})


def series_schema() -> "dict[str, type[pl.DataType]]":
    """What elasticities are computed from, a row a city, series and year: hub, series (who tells the emissions), year
    Int32, emissions_t (t a year), gdp (any unit, the same for all years), gdp_basis (one of BASES)."""
    import polars as pl

    return {
        **{"hub": pl.String, "series": pl.String, "year": pl.Int32, "emissions_t": pl.Float64},
        **{"gdp": pl.Float64, "gdp_basis": pl.String},
    }


def decoupling_schema() -> "dict[str, type[pl.DataType]]":
    """The result of `decoupling`."""
    import polars as pl

    return {
        **{"hub": pl.String, "series": pl.String, "base": pl.String, "from_year": pl.Int32, "year": pl.Int32},
        **dict.fromkeys(("emissions_change", "gdp_change", "elasticity"), pl.Float64),
        **dict.fromkeys(("state", "state_zh", "state_en", "gdp_basis", "missing"), pl.String),
    }


def decoupling(rows: "pl.DataFrame", *, base_year: int | None = None) -> "pl.DataFrame":
    """Elasticity and state of each city, series and year, ascending.

    rows : `series_schema`; base_year : every year against this one; without it each against the calendar year before
    Result: hub, series, base (previous_year or the base year), from_year, year; emissions_change and gdp_change (shares
    of the figure of from_year); elasticity e = (dE / E0) / (dG / G0); state with state_zh and state_en
    (`decoupling_states`); gdp_basis; missing (what lacks, by "; ": emissions_from, emissions, gdp_from, gdp,
    gdp_unchanged, unlike_prices). A year without a figure before it is null, never bridged from an earlier one; the
    first year of a series has no row, nor has the base year itself.
    Raises InvalidSeries where a city, series and year stands twice.
    """
    import polars as pl

    _check_once(rows)
    told = rows.select(pl.col(name).cast(kind) for name, kind in series_schema().items())
    years = _every_year(told)
    before = years.select(
        *_KEYS, from_year="year", emissions_from="emissions_t", gdp_from="gdp", basis_from="gdp_basis"
    )
    asked = years.with_columns(
        from_year=(pl.col("year") - 1) if base_year is None else pl.lit(base_year, pl.Int32)
    ).filter(pl.col("year") != pl.col("from_year"))
    if base_year is None:
        asked = asked.filter(pl.col("year") > pl.col("year").min().over(_KEYS))
    both = asked.join(before, on=[*_KEYS, "from_year"], how="left", nulls_equal=True, maintain_order="left")
    named = both.with_columns(
        base=pl.lit("previous_year" if base_year is None else str(base_year)), missing=_missing()
    ).with_columns(
        emissions_change=_change("emissions_t", "emissions_from"),
        gdp_change=pl.when(~pl.col("missing").str.contains("unlike_prices")).then(_change("gdp", "gdp_from")),
        elasticity=pl.when(pl.col("missing") == "").then(_elasticity()),
    )
    stated = named.with_columns(state=_state(), missing=pl.when(pl.col("missing") != "").then("missing"))
    names = decoupling_states().select("state", state_zh="name_zh", state_en="name_en")
    joined = stated.join(names, on="state", how="left", maintain_order="left")
    result = joined.select(pl.col(name).cast(kind) for name, kind in decoupling_schema().items())
    return result.sort(*_KEYS, "year")


def with_constant_prices(rows: "pl.DataFrame", deflators: "pl.DataFrame") -> "pl.DataFrame":
    """Rows with GDP divided by a deflator, and gdp_basis constant.

    rows : `series_schema` at current prices; deflators : hub, year Int32, deflator Float64 (an index of prices to any
    base, above zero). A year without deflator has no GDP, since no other price level may stand in for it; nor has one
    whose quotient no number holds.
    """
    import polars as pl

    wanted = deflators.select("hub", pl.col("year").cast(pl.Int32), pl.col("deflator").cast(pl.Float64))
    joined = rows.join(wanted, on=["hub", "year"], how="left", maintain_order="left")
    real = pl.when(pl.col("deflator") > 0).then(pl.col("gdp") / pl.col("deflator"))
    return joined.with_columns(gdp=pl.when(real.is_finite()).then(real), gdp_basis=pl.lit("constant")).drop("deflator")


def _check_once(rows: "pl.DataFrame") -> None:
    import polars as pl

    twice = rows.filter(pl.struct(*_KEYS, "year").is_duplicated()).select(*_KEYS, "year").unique().sort(*_KEYS, "year")
    if twice.height:
        told = "; ".join(" ".join(map(str, row)) for row in twice.head(10).iter_rows())
        raise InvalidSeries(f"found two figures of {told}, expected one figure a city, series and year")


def _every_year(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The same rows, and one with nulls for each year that lacks between the first and the last of a series."""
    import polars as pl

    spans = rows.group_by(_KEYS, maintain_order=True).agg(
        pl.int_ranges(pl.col("year").min(), pl.col("year").max() + 1).alias("year")
    )
    grid = spans.explode("year", keep_nulls=False, empty_as_null=False).with_columns(pl.col("year").cast(pl.Int32))
    return grid.join(rows, on=[*_KEYS, "year"], how="left", nulls_equal=True, maintain_order="left")


def _missing() -> "pl.Expr":
    """What an elasticity lacks, as codes joined by "; ", empty where nothing does. No share can be taken of a figure
    of zero or less."""
    import polars as pl

    known = {
        "emissions_from": (pl.col("emissions_from") > 0) & pl.col("emissions_from").is_finite(),
        "emissions": pl.col("emissions_t").is_finite(),
        "gdp_from": (pl.col("gdp_from") > 0) & pl.col("gdp_from").is_finite(),
        "gdp": pl.col("gdp").is_finite(),
        "gdp_unchanged": (pl.col("gdp") != pl.col("gdp_from")).fill_null(True),
        "unlike_prices": (pl.col("gdp_basis") == pl.col("basis_from")).fill_null(True),
    }
    lacking = [pl.when(~is_known.fill_null(False)).then(pl.lit(name)) for name, is_known in known.items()]
    return pl.concat_str(lacking, separator="; ", ignore_nulls=True)


def _change(now: str, before: str) -> "pl.Expr":
    import polars as pl

    change = (pl.col(now) - pl.col(before)) / pl.col(before)
    return pl.when((pl.col(before) > 0) & change.is_finite()).then(change)


def _elasticity() -> "pl.Expr":
    """(dE / E0) / (dG / G0) with one division, so that figures on a bound stay on it."""
    import polars as pl

    emissions, gdp = pl.col("emissions_t") - pl.col("emissions_from"), pl.col("gdp") - pl.col("gdp_from")
    return (emissions * pl.col("gdp_from")) / (gdp * pl.col("emissions_from"))


def _state() -> "pl.Expr":
    import polars as pl

    e, rises = pl.col("elasticity"), pl.col("gdp") > pl.col("gdp_from")
    bands = [
        (e < 0, "strong_decoupling", "strong_negative_decoupling"),
        (e < COUPLED_FROM, "weak_decoupling", "weak_negative_decoupling"),
        (e <= COUPLED_TO, "expansive_coupling", "recessive_coupling"),
        (e > COUPLED_TO, "expansive_negative_decoupling", "recessive_decoupling"),
    ]
    state: pl.Expr = pl.lit(None, dtype=pl.String)
    for inside, rising, falling in reversed(bands):
        state = pl.when(inside).then(pl.when(rises).then(pl.lit(rising)).otherwise(pl.lit(falling))).otherwise(state)
    return state
