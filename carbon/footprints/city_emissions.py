"""What a city emits: its inventories beside each other, beside the sum of its footprints, per GDP, per head, over time.

Knows how inventories, footprints, GDP and population are put side by side and how a trend is measured. Must not know
where they come from: GDP and population come in as a frame.

An inventory counts the carbon dioxide of a territory; footprints count what companies control or buy. The two are shown
side by side and never replace each other: scope 1 of the companies is a part of the territory's emissions, scope 2 is
emitted wherever the power station stands.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from carbon.footprints.totals import totals

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "MAIN",
    "SECOND",
    "TREND_YEARS",
    "bottom_up",
    "city_emissions",
    "compare_inventories",
    "emission_series",
    "sum_lines",
    "trends",
]

MAIN: Final = "EDGAR"
SECOND: Final = "CEADS"
TREND_YEARS: Final = 3

_CITY_YEAR: Final = ["hub", "period"]
_KG_PER_T: Final = 1000
_CNY_10K_PER_100M: Final = 1e4
_PERSONS_PER_10K: Final = 1e4
_CARBON_DIOXIDE: Final = ("CO2", "CO2e")
"""Gases of a line that an inventory of carbon dioxide holds too; CO2e where the factor does not tell gases apart."""
_SUMS: Final = {
    "bottom_up_scope_1_t": ("1", None),
    "bottom_up_scope_2_location_t": ("2", "location"),
    "bottom_up_scope_2_market_t": ("2", "market"),
    "bottom_up_scope_3_t": ("3", None),
}


def sum_lines(lines: "pl.DataFrame", by: Sequence[str] = ("hub", "sector", "year")) -> "pl.DataFrame":
    """Footprints added up by scope, by the way scope 2 is counted, and by the columns asked for, ascending.

    lines : `lines_schema`; by : some of `carbon.footprints.totals.GROUPS` (hub, sector, period, year, entity, ...)
    Result: the columns of `by`, scope (1, 2 or 3), method, entities and lines UInt32, co2e_t, biogenic_t Float64 (t).
    Scopes are never put together: what one company of a city buys as scope 2 another may emit as scope 1. Scope 2 of
    either method is a row of its own; lines of no known hub or sector keep a row with null.
    Raises UnlikeLines, TotalTooLarge.
    """
    import polars as pl

    keys = [*by, "scope", "method"]
    counted = (
        lines.filter(~pl.col("biogenic").fill_null(False))
        .with_columns(year=pl.col("last_day").dt.year(), scope=pl.col("scope").cast(pl.String))
        .group_by(keys)
        .agg(entities=pl.col("entity").n_unique().cast(pl.UInt32))
    )
    apart = totals(lines, by).filter(pl.col("scope") != "1+2")
    summed = apart.join(counted, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return summed.select(
        *keys,
        *("entities", "lines"),
        (pl.col("co2e_kg") / _KG_PER_T).alias("co2e_t"),
        (pl.col("biogenic_kg") / _KG_PER_T).alias("biogenic_t"),
    )


def bottom_up(lines: "pl.DataFrame") -> "pl.DataFrame":
    """The sum of the footprints of each city and year, scopes and methods in columns of their own.

    lines : `lines_schema`
    Result: hub, period (the year in which a line's period ends), bottom_up_scope_1_t, bottom_up_scope_2_location_t,
    bottom_up_scope_2_market_t, bottom_up_scope_3_t (t CO2e, null where there is no line), bottom_up_scope_1_co2_t (t of
    carbon dioxide, or of CO2e where a factor does not tell gases apart: what an inventory of CO2 may hold too),
    bottom_up_entities UInt32, those with a line in these sums: biogenic CO2 is in none of them, so that an entity which
    emits nothing else does not count, and a city and year of such entities alone has no row.
    Raises UnlikeLines, TotalTooLarge.
    """
    import polars as pl

    summed = totals(lines, ("hub", "year"))
    gas = lines.filter((pl.col("scope") == 1) & pl.col("gas").is_in(_CARBON_DIOXIDE))
    direct = totals(gas, ("hub", "year")).select("hub", "year", pl.col("co2e_kg").alias("_direct_kg"))
    entities = (
        lines.filter(~pl.col("biogenic").fill_null(False))
        .group_by("hub", year=pl.col("last_day").dt.year())
        .agg(bottom_up_entities=pl.col("entity").n_unique().cast(pl.UInt32))
    )
    found = entities.join(direct, on=["hub", "year"], how="left", nulls_equal=True)
    for name, (scope, method) in _SUMS.items():
        part = summed.filter((pl.col("scope") == scope) & pl.col("method").eq_missing(pl.lit(method, pl.String)))
        own = part.select("hub", "year", (pl.col("co2e_kg") / _KG_PER_T).alias(name))
        found = found.join(own, on=["hub", "year"], how="left", nulls_equal=True)
    return found.select(
        "hub",
        pl.col("year").cast(pl.String).alias("period"),
        *_SUMS,
        (pl.col("_direct_kg") / _KG_PER_T).alias("bottom_up_scope_1_co2_t"),
        "bottom_up_entities",
    ).sort(_CITY_YEAR)


def compare_inventories(inventories: "pl.DataFrame") -> "pl.DataFrame":
    """Two inventories of each city and year side by side.

    inventories : hub, period, series (EDGAR or CEADS), co2_t, source
    Result: hub, period, edgar_t, ceads_t (t CO2 a year, null where one has none), ratio (EDGAR / CEADs), abs_log_ratio
    (|ln ratio|: 0 where they agree, the same for twice and for half), edgar_source, ceads_source.
    """
    import polars as pl

    grid = inventories.select(_CITY_YEAR).unique()
    for name, series in (("edgar", MAIN), ("ceads", SECOND)):
        own = inventories.filter(pl.col("series") == series).select(
            *_CITY_YEAR, pl.col("co2_t").alias(f"{name}_t"), pl.col("source").alias(f"{name}_source")
        )
        grid = grid.join(own, on=_CITY_YEAR, how="left")
    ratio = pl.when((pl.col("ceads_t") > 0) & (pl.col("edgar_t") > 0)).then(pl.col("edgar_t") / pl.col("ceads_t"))
    return (
        grid.with_columns(ratio=ratio)
        .with_columns(abs_log_ratio=pl.col("ratio").log().abs())
        .select(*_CITY_YEAR, "edgar_t", "ceads_t", "ratio", "abs_log_ratio", "edgar_source", "ceads_source")
        .sort(_CITY_YEAR)
    )


def city_emissions(
    inventories: "pl.DataFrame", cities: "pl.DataFrame", lines: "pl.DataFrame", *, hub: str, years: Sequence[int]
) -> "pl.DataFrame":
    """One row for each year asked for, ascending; a year without figures is a row of nulls that names what it lacks.

    inventories : hub, period, series, co2_t, source; cities : hub, period, gdp_100m_cny (10^8 CNY at current prices),
    population_10k (10^4 residents); lines : `lines_schema`
    Result: hub, period; edgar_t, ceads_t, ratio, abs_log_ratio (`compare_inventories`); gdp_100m_cny, population_10k;
    edgar_t_per_10k_cny, ceads_t_per_10k_cny (t per 10^4 CNY, current prices); edgar_t_per_head, ceads_t_per_head;
    edgar_change, ceads_change (share of the calendar year before); edgar_trend_3y, ceads_trend_3y (mean yearly change
    over three years, (E_t / E_t-3)^(1/3) - 1); the columns of `bottom_up`; bottom_up_share_of_edgar (carbon dioxide of
    scope 1 of the footprints as a share of EDGAR's figure: above 1 the two contradict each other); missing (which of
    EDGAR, CEADS, gdp, population and footprints has no figure, by "; "); edgar_source, ceads_source.
    Raises UnlikeLines, TotalTooLarge.
    """
    import polars as pl

    before = range(min(years) - TREND_YEARS, max(years) + 1) if years else range(0)
    grid = pl.DataFrame(
        {"hub": [hub] * len(before), "period": [str(year) for year in before]},
        schema=dict.fromkeys(_CITY_YEAR, pl.String),
    )
    own = lines.filter(pl.col("hub") == hub)
    for part in (compare_inventories(inventories), cities.select(*_CITY_YEAR, *_CITY_FIGURES), bottom_up(own)):
        grid = grid.join(part, on=_CITY_YEAR, how="left", maintain_order="left")
    named = grid.with_columns(
        *(_per(f"{name}_t", "gdp_100m_cny", _CNY_10K_PER_100M, f"{name}_t_per_10k_cny") for name in _INVENTORIES),
        *(_per(f"{name}_t", "population_10k", _PERSONS_PER_10K, f"{name}_t_per_head") for name in _INVENTORIES),
        *(_growth(f"{name}_t", 1, f"{name}_change") for name in _INVENTORIES),
        *(_growth(f"{name}_t", TREND_YEARS, f"{name}_trend_3y") for name in _INVENTORIES),
        pl.when(pl.col("edgar_t") > 0)
        .then(pl.col("bottom_up_scope_1_co2_t") / pl.col("edgar_t"))
        .alias("bottom_up_share_of_edgar"),
        missing=_missing(),
    )
    return named.filter(pl.col("period").is_in([str(year) for year in years])).select(_COLUMNS)


_INVENTORIES: Final = ("edgar", "ceads")
_CITY_FIGURES: Final = ("gdp_100m_cny", "population_10k")
_COLUMNS: Final = [
    *("hub", "period", "edgar_t", "ceads_t", "ratio", "abs_log_ratio", *_CITY_FIGURES),
    *("edgar_t_per_10k_cny", "ceads_t_per_10k_cny", "edgar_t_per_head", "ceads_t_per_head"),
    *("edgar_change", "ceads_change", "edgar_trend_3y", "ceads_trend_3y"),
    *(*_SUMS, "bottom_up_scope_1_co2_t", "bottom_up_entities", "bottom_up_share_of_edgar"),
    *("missing", "edgar_source", "ceads_source"),
]


def _per(part: str, whole: str, units: float, name: str) -> "pl.Expr":
    import polars as pl

    return pl.when(pl.col(whole) > 0).then(pl.col(part) / (pl.col(whole) * units)).alias(name)


def _growth(figure: str, years: int, name: str) -> "pl.Expr":
    """Mean yearly change over some years. The rows are every calendar year, one after another."""
    import polars as pl

    now, then = pl.col(figure), pl.col(figure).shift(years)
    return pl.when((now > 0) & (then > 0)).then((now / then) ** (1 / years) - 1).alias(name)


def _missing() -> "pl.Expr":
    import polars as pl

    names = {
        **{"edgar_t": MAIN, "ceads_t": SECOND, "gdp_100m_cny": "gdp", "population_10k": "population"},
        "bottom_up_entities": "footprints",
    }
    lacking = [pl.when(pl.col(column).is_null()).then(pl.lit(name)) for column, name in names.items()]
    told = pl.concat_str(lacking, separator="; ", ignore_nulls=True)
    return pl.when(told != "").then(told)


def emission_series(rows: "pl.DataFrame") -> "pl.DataFrame":
    """The inventories of a city's rows one below another, with GDP, as `carbon.footprints.decoupling.series_schema`.

    rows : result of `city_emissions`; a year of which an inventory has no figure keeps its row, with null. GDP is at
    current prices, in 10^8 CNY.
    """
    import polars as pl

    parts = [
        rows.select(
            "hub",
            pl.lit(series).alias("series"),
            pl.col("period").cast(pl.Int32).alias("year"),
            pl.col(f"{name}_t").alias("emissions_t"),
            pl.col("gdp_100m_cny").alias("gdp"),
            pl.lit("current").alias("gdp_basis"),
        )
        for name, series in (("edgar", MAIN), ("ceads", SECOND))
    ]
    return pl.concat(parts)


def trends(rows: "pl.DataFrame") -> "pl.DataFrame":
    """How each inventory of a city moves over the years asked for: emissions, per GDP and per head.

    rows : result of `city_emissions`
    Result, a row a series and measure: hub, series, measure (emissions, per_gdp, per_head), first_year, last_year Int32
    (with a figure), years (with a figure), missing_years (those without, by "; ", of all the years of `rows`), first,
    last (the figures); change_3y (mean yearly change over the three years to the last, null where the year three before
    has none); change_whole (mean yearly change from the first year to the last); slope (of ln(figure) on the year by
    least squares over the years with a figure, null with fewer than two) and slope_se (its standard error, null with
    fewer than three).
    """
    import polars as pl

    found = pl.concat(
        [
            rows.select(
                "hub",
                pl.lit(series).alias("series"),
                pl.lit(measure).alias("measure"),
                pl.col("period").cast(pl.Int32).alias("year"),
                pl.col(f"{name}_{column}").alias("figure"),
            )
            for name, series in (("edgar", MAIN), ("ceads", SECOND))
            for measure, column in (("emissions", "t"), ("per_gdp", "t_per_10k_cny"), ("per_head", "t_per_head"))
        ]
    )
    keys = ["hub", "series", "measure"]
    return found.sort("year").group_by(keys, maintain_order=True).agg(_trend()).unnest("trend")


def _trend() -> "pl.Expr":
    import polars as pl

    year, figure = pl.col("year"), pl.col("figure")
    known = figure.is_not_null() & (figure > 0)
    x, y = year.filter(known).cast(pl.Float64), figure.filter(known)
    first, last = x.first(), x.last()
    then = figure.filter(known & (year == last - TREND_YEARS)).first()
    x_off, log_off = x - x.mean(), y.log() - y.log().mean()
    spread, count = (x_off**2).sum(), known.sum()
    slope = (x_off * log_off).sum() / spread
    unexplained = ((log_off - slope * x_off) ** 2).sum()
    return pl.struct(
        first.cast(pl.Int32).alias("first_year"),
        last.cast(pl.Int32).alias("last_year"),
        count.alias("years"),
        _or_null(year.filter(~known.fill_null(False)).cast(pl.String).str.join("; ")).alias("missing_years"),
        y.first().alias("first"),
        y.last().alias("last"),
        ((y.last() / then) ** (1 / TREND_YEARS) - 1).alias("change_3y"),
        pl.when(last > first).then((y.last() / y.first()) ** (1 / (last - first)) - 1).alias("change_whole"),
        pl.when(count > 1).then(slope).alias("slope"),
        pl.when(count > 2).then((unexplained / (count - 2) / spread).sqrt()).alias("slope_se"),
    ).alias("trend")


def _or_null(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    return pl.when(text != "").then(text)
