"""What cities emit: inventories beside footprints, trends, and decoupling from GDP."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api import emissions
from api.bulk_tables import refuse
from api.deps import FirstYearQuery, LastYearQuery, StoreDep
from api.routers.hubs import HubPath
from api.schemas import Row
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["hubs"])
_Base = Annotated[
    int | None, Query(ge=1990, le=2100, description="Against this year; against the year before without it / 基年")
]


class EmissionsRow(Row):
    """A city's emissions in one year, tonnes. Inventories and footprints stand side by side and are never added; null
    means unknown."""

    hub: str
    period: str
    edgar_t: float | None
    ceads_t: float | None
    ratio: float | None
    abs_log_ratio: float | None
    gdp_100m_cny: float | None
    population_10k: float | None
    edgar_t_per_10k_cny: float | None
    ceads_t_per_10k_cny: float | None
    edgar_t_per_head: float | None
    ceads_t_per_head: float | None
    edgar_change: float | None
    ceads_change: float | None
    edgar_trend_3y: float | None
    ceads_trend_3y: float | None
    bottom_up_scope_1_t: float | None
    bottom_up_scope_2_location_t: float | None
    bottom_up_scope_2_market_t: float | None
    bottom_up_scope_3_t: float | None
    bottom_up_scope_1_co2_t: float | None
    bottom_up_entities: int | None
    bottom_up_share_of_edgar: float | None
    missing: str | None
    edgar_source: str | None
    ceads_source: str | None


class DecouplingRow(Row):
    """Tapio's elasticity of one inventory in one year and the state that it names."""

    hub: str
    series: str
    base: str
    from_year: int
    year: int
    emissions_change: float | None
    gdp_change: float | None
    elasticity: float | None
    state: str | None
    state_zh: str | None
    state_en: str | None
    gdp_basis: str
    missing: str | None


class EmissionTrendRow(Row):
    """How one inventory moves over the years asked for: emissions (t), per GDP (t per 10^4 CNY) or per head (t)."""

    hub: str
    series: str
    measure: str
    first_year: int | None
    last_year: int | None
    years: int
    missing_years: str | None
    first: float | None
    last: float | None
    change_3y: float | None
    change_whole: float | None
    slope: float | None
    slope_se: float | None


def _years(first: int | None, last: int | None) -> range:
    """The years of a span; an open end reaches as far as any figure is known, and holds the other end at least."""
    if first is not None and last is not None and first > last:
        raise refuse("to", str(last), f"a year not before {first}, the value of `from`")
    known = emissions.known_years()
    begin = first if first is not None else min(known[0], known[-1] if last is None else last)
    return range(begin, (last if last is not None else max(known[-1], begin)) + 1)


def _city_emissions(
    store: StoreDep,
    hub: HubPath,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
) -> pl.DataFrame:
    """A city's carbon dioxide by two inventories, their disagreement, intensity per GDP (current prices) and per head,
    yearly change, and the sum of its footprints by scope. / 城市碳排放清单、强度与自下而上合计。"""
    return emissions.city_emissions(store, hub, _years(first, last))


def _decoupling(
    store: StoreDep,
    hub: HubPath,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
    base: _Base = None,
) -> pl.DataFrame:
    """Tapio's elasticity of emissions to GDP at current prices, with its eight named states. / Tapio 脱钩指数。"""
    return emissions.decoupling(store, hub, _years(first, last), base).rows


def _trends(
    store: StoreDep,
    hub: HubPath,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
) -> pl.DataFrame:
    """Mean yearly changes and the log-linear slope with its standard error, by inventory and measure. / 排放趋势。"""
    return emissions.trends(store, hub, _years(first, last))


add_table(
    router,
    "/hubs/{hub}/emissions",
    _city_emissions,
    operation_id="getCityEmissions",
    summary="A city's emissions by year",
    row=EmissionsRow,
)
add_table(
    router,
    "/hubs/{hub}/decoupling",
    _decoupling,
    operation_id="getDecoupling",
    summary="A city's emissions against its growth",
    row=DecouplingRow,
)
add_table(
    router,
    "/hubs/{hub}/emission-trends",
    _trends,
    operation_id="getEmissionTrends",
    summary="How a city's emissions move",
    row=EmissionTrendRow,
)
