"""What endpoints are handed: the opened store and the common parameters."""

from typing import Annotated

from fastapi import Depends, Query, Request

from api.store import Store
from green_index.index import Base


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


StoreDep = Annotated[Store, Depends(_store)]
YearQuery = Annotated[int, Query(ge=1990, le=2100, description="Calendar year / 年份", examples=[2022])]
BaseQuery = Annotated[
    Base, Query(description="Base edition: `open` (open figures) or `published` (FHI 2017 as printed) / 基础指数版本")
]
