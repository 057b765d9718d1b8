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
)
add_table(
    router,
    "/markets/{market}/statistics",
    _statistics,
    operation_id="getMarketStatistics",
    summary="Statistics of a market",
    row=schemas.MarketPeriodRow,
)
