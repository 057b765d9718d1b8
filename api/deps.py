"""What endpoints are handed: the opened store and the common parameters."""

from typing import Annotated

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.keys import find_key
from api.store import Store
from green_index.index import Base


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


StoreDep = Annotated[Store, Depends(_store)]
_BearerDep = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(scheme_name="key", description="`gfk_...`; made by `greenfin keys` / 密钥", auto_error=False)),
]


def _writer(store: StoreDep, given: _BearerDep) -> str:
    return find_key(store.engine, None if given is None else given.credentials, "write")


def _reader(store: StoreDep, given: _BearerDep) -> str:
    return find_key(store.engine, None if given is None else given.credentials, "read")


def _private(store: StoreDep, given: _BearerDep) -> str | None:
    return None if given is None else find_key(store.engine, given.credentials, "read")


WriterDep = Annotated[str, Depends(_writer)]
"""Name of the key of a request that may write."""
ReaderDep = Annotated[str, Depends(_reader)]
"""Name of the key of a request that may see persons' names."""
PrivateDep = Annotated[str | None, Depends(_private)]
"""The same where a key is given; null without one."""
YearQuery = Annotated[int, Query(ge=1990, le=2100, description="Calendar year / 年份", examples=[2022])]
FirstYearQuery = Annotated[int | None, Query(alias="from", ge=1990, le=2100, description="First year / 起始年")]
LastYearQuery = Annotated[int | None, Query(alias="to", ge=1990, le=2100, description="Last year / 截止年")]
BaseQuery = Annotated[
    Base, Query(description="Base edition: `open` (open figures) or `published` (FHI 2017 as printed) / 基础指数版本")
]
