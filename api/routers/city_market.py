"""Cities and the carbon market: a city's periods, and the attribution of a year to all cities."""

from datetime import date
from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, Query

from api import DEFAULT_YEAR, city_market
from api.bulk_tables import refuse
from api.deps import StoreDep, YearQuery
from api.market_frames import BadParameter, check_span
from api.routers.hubs import HubPath
from api.schemas import Row
from api.tables import add_table
from carbon.attribution import By

router = APIRouter(prefix="/v1", tags=["markets"])
_Day = date | None


class CityMarketRow(Row):
    """A city's part of the carbon market in one period. Shares are 0..1; screen trades and all-venue totals are two
    fields and never added."""

    hub: str
    period: str
    by: str
    custody_volume_t: int | None
    settled_value_fen: int | None
    custody_source: str
    national_volume_t: int | None
    national_value_fen: int | None
    custody_share_of_national: float | None
    traded_share_of_national: float | None
    pilot_screen_volume_t: int | None
    pilot_screen_value_fen: int | None
    pilot_screen_days: int | None
    pilot_screen_source: str | None
    pilot_all_venue_volume_t: int | None
    pilot_all_venue_value_fen: int | None
    pilot_all_venue_days: int | None
    pilot_all_venue_source: str | None
    pilot_all_venue_is_low: bool | None
    pilot_volume_t: int | None
    pilot_source: str
    pilots_volume_t: int | None
    pilots_known_t: int
    pilots_missing: str | None
    pilots_partial: str | None
    pilot_share: float | None
    pilot_share_at_most: float | None


class AttributionRow(Row):
    """What belongs to one city in one period; hub null is what has no known city, so that every column adds up."""

    hub: str | None
    name_zh: str | None
    name_en: str | None
    period: str
    traded_volume_t: int | None
    traded_value_fen: int | None
    traded_known_t: int
    traded_known_fen: int
    traded_missing: str | None
    traded_source: str
    custody_volume_t: int | None
    settled_value_fen: int | None
    custody_known_t: int
    settled_known_fen: int
    custody_missing: str | None
    custody_source: str
    holdings_t: int | None
    offset_holdings_t: int | None
    verified_t: int | None
    due_t: int | None
    surrendered_t: int | None
    offsets_used_t: int | None
    unreported: int | None
    undetermined: int | None
    participants: int | None
    registry_source: str


def _city_market(
    store: StoreDep,
    hub: HubPath,
    by: Annotated[By, Query(description="Period / 周期")] = "year",
    first: Annotated[_Day, Query(alias="from", description="Periods that end on this day or later / 起")] = None,
    last: Annotated[_Day, Query(alias="to", description="Periods that begin on this day or earlier / 止")] = None,
) -> pl.DataFrame:
    """A city's custody of the national market, the screen trades and the all-venue totals of its pilot exchange, and
    its shares, by period; months and days need loaded files. / 城市在碳市场中的份额。"""
    try:
        check_span(first, last)
    except BadParameter as error:
        raise refuse(error.name, error.found, error.expected) from error
    return city_market.city_market(store, hub, by, first, last)


def _attribution(
    store: StoreDep,
    year: YearQuery = DEFAULT_YEAR,
    by: Annotated[Literal["year", "month"], Query(description="Period / 周期")] = "year",
    as_of: Annotated[_Day, Query(description="Last day of the registry that counts; today / 截止日")] = None,
) -> pl.DataFrame:
    """Trades by the exchange's city, custody by the registry's city, holdings, compliance and accounts by the holder's
    city. Every column adds up to its national figure. / 按城市归属。"""
    return city_market.attribution(store, year, by, as_of)


add_table(
    router,
    "/hubs/{hub}/carbon-market",
    _city_market,
    operation_id="getCityMarket",
    summary="A city's part of the carbon market",
    row=CityMarketRow,
)
add_table(
    router,
    "/attribution",
    _attribution,
    operation_id="getAttribution",
    summary="The carbon market by city",
    row=AttributionRow,
)
