"""Cities and their standing."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Path, Query

from api import queries, schemas
from api.deps import BaseQuery, StoreDep
from api.tables import add_table

HubPath = Annotated[
    str, Path(description="Slug, name in either language, or GB/T 2260 code / 城市", examples=["wuhan"])
]
router = APIRouter(prefix="/v1", tags=["hubs"])


def _hubs(store: StoreDep) -> pl.DataFrame:
    """All cities, with names in both languages and GB/T 2260 codes. / 全部城市。"""
    return queries.hubs(store)


def _hub(store: StoreDep, hub: HubPath) -> pl.DataFrame:
    """One city, as a list of one row. / 一个城市。"""
    return queries.hub(store, hub)


def _standing(
    store: StoreDep,
    hub: HubPath,
    base: BaseQuery = "open",
    year: Annotated[int | None, Query(description="One year; all years without it / 年份")] = None,
) -> pl.DataFrame:
    """Rank, score and gaps of the total and every group, the five indicators that hold the city back most and the
    five where it leads, for each year. / 城市位次、差距、短板与长板。"""
    return queries.standing(store, hub, base, year)


add_table(router, "/hubs", _hubs, operation_id="listHubs", summary="Cities", row=schemas.HubRow)
add_table(
    router,
    "/hubs/{hub}/standing",
    _standing,
    operation_id="getStanding",
    summary="A city's standing",
    row=schemas.StandingRow,
)
add_table(router, "/hubs/{hub}", _hub, operation_id="getHub", summary="A city", row=schemas.HubRow)
