"""Carbon markets and their statistics."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Path, Query

from api import queries, schemas
from api.deps import StoreDep
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["markets"])


def _markets(store: StoreDep) -> pl.DataFrame:
    """Carbon markets and the city where each exchange sits. / 碳市场。"""
    return queries.markets(store)


def _statistics(
    store: StoreDep,
    market: Annotated[str, Path(description="Key or product code, such as CEA or HBEA / 市场", examples=["CEA"])],
    by: Annotated[queries.By, Query(description="Period / 周期")] = "year",
) -> pl.DataFrame:
    """Volume, value, VWAP, sessions, block share, volatility, Amihud by period; embedded yearly sums and loaded
    files each say so in `origin` and `source`. / 市场统计。"""
    return queries.market_statistics(store, market, by)


add_table(
    router,
    "/markets",
    _markets,
    operation_id="listMarkets",
    summary="Carbon markets",
    row=schemas.MarketRow,
    example={
        "market": "CEA",
        "scope": "national",
        "name_zh": "全国碳市场",
        "name_en": "China national ETS",
        "exchange_zh": "全国碳排放权交易市场",
        "hub": "shanghai",
        "currency": "CNY",
        "opened": "2021-07-16",
        "products": "CEA",
        "note": None,
    },
)
add_table(
    router,
    "/markets/{market}/statistics",
    _statistics,
    operation_id="getMarketStatistics",
    summary="Statistics of a market",
    row=schemas.MarketPeriodRow,
    example={
        "market": "CEA",
        "period": "2022",
        "by": "year",
        "origin": "embedded",
        "volume_t": 50889493,
        "value_cny": 2814004694.28,
        "vwap_cny_per_t": 55.3,
        "sessions": 242,
        "calendar_sessions": 242,
        "continuity": 1.0,
        "block_share": None,
        "volatility_annual": None,
        "amihud_per_million_cny": None,
        "zero_return_share": None,
        "last_close_cny_per_t": 55.0,
        "first_day": "2022-01-04",
        "last_day": "2022-12-30",
        "coverage": "whole_year",
        "source": "sums of daily files",
        "note": None,
    },
)
