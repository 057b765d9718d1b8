"""The web application: routers, errors, pages and the store's life. Built by a factory; nothing happens at import."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import __version__, queries
from api.body_limit import BodyLimit
from api.errors import add_error_handlers
from api.routers import (
    analysis_pages,
    city_market,
    coordination,
    emissions,
    emissions_page,
    factors,
    footprints,
    hubs,
    market_data,
    market_page,
    markets,
    moves,
    obstacles,
    pages,
    perception,
    persons,
    pictures,
    policy,
    probes,
    registry,
    registry_acts,
    registry_compliance,
    robustness,
    scores,
    sensitivity,
    structure,
    tracking,
)
from api.settings import Settings
from api.store import open_store

_DESCRIPTION = """How well a city stands as a green-fintech hub, and why. / 城市绿色金融科技中心评价。

JSON is a flat list of rows; add `.csv` to a path for CSV (UTF-8 with byte-order mark). Field names are ASCII, names
are in both languages in the rows, null means unknown and never zero. Errors are `application/problem+json`."""

_TAGS: Final = [
    {"name": "hubs", "description": "Cities and their standing / 城市"},
    {"name": "scores", "description": "Rankings, indicator trees, editions / 排名、指标体系、版本"},
    {"name": "analyses", "description": "Why, how sure, and what would move it / 深入分析"},
    {"name": "markets", "description": "Carbon markets / 碳市场"},
    {"name": "footprints", "description": "Emission factors and footprints / 排放因子与碳足迹"},
    {"name": "registry", "description": "The carbon registry, to read / 碳登记簿查询"},
    {"name": "registry acts", "description": "Acts on the registry; a key is needed / 登记业务，需密钥"},
    {"name": "persons", "description": "Personal carbon accounts / 个人碳账户"},
    {"name": "probes", "description": "Is the service up / 运行状态"},
]


def create_app(settings: Settings) -> FastAPI:
    """The application on the given store. The store opens when the application starts and closes when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = open_store(settings)
        app.state.store = store
        app.state.settings = settings
        queries.editions(store)
        yield
        store.close()

    app = FastAPIOffline(
        title="greenfin",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_tags=_TAGS,
    )
    app.add_middleware(BodyLimit, most=registry_acts.MOST_BYTES)
    add_error_handlers(app)
    for module in (
        hubs,
        scores,
        sensitivity,
        structure,
        tracking,
        robustness,
        city_market,
        emissions,
        markets,
        market_data,
        factors,
        footprints,
        registry,
        registry_compliance,
        registry_acts,
        persons,
        policy,
        perception,
        coordination,
        obstacles,
        moves,
        probes,
        pictures,
        market_page,
        emissions_page,
        analysis_pages,
        pages,
    ):
        app.include_router(module.router)
    pages.mount_static(app)
    return app
