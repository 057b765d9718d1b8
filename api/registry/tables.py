"""The ledger's lists on their way out over HTTP: filters and orders as query parameters, the next page as a link.

Knows how a route offers one listing as JSON and CSV, and how frames of the ledger are written. Knows no SQL.
"""

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from api.answers import answer
from api.deps import PrivateDep, ReaderDep, StoreDep
from api.registry import store as registry_store
from api.tables import CSV, PROBLEMS, csv_name, examples, to_csv, to_json
from carbon.ledger.listing import MOST_ROWS, BadFilter, Column, filter_names
from carbon.ledger.listings import find_listing

__all__ = ["VARY", "add_listing", "listing_parameters", "written"]

_TIME: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
_OWN: Final = ("sort", "after", "limit")
VARY: Final = {"Vary": "Authorization"}
_TYPES: Final[dict[str, dict[str, str]]] = {
    "text": {"type": "string"},
    "whole": {"type": "integer"},
    "time": {"type": "string"},
    "flag": {"type": "boolean"},
}
_MEANING: Final = {
    "": "equal / 等于",
    "_in": "one of several, with commas between them / 之一，逗号分隔",
    "_from": "from, included / 起（含）",
    "_to": "to, included; a day counts to its end / 止（含）",
    "_null": "missing or not / 是否缺失",
}


def written(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its times as text: ISO 8601 in UTC, microseconds always written."""
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.strftime(_TIME))


def add_listing(
    router: APIRouter, path: str, name: str, *, operation_id: str, summary: str, description: str, row: type[BaseModel]
) -> None:
    """Offer one of the ledger's lists at `path` as JSON and at `path` + `.csv` as CSV, page by page.

    A `Link` header with rel="next" leads to the next page; without it the page is the last.
    """
    listing = find_listing(name)
    orders = [column.name for column in listing.columns if column.sort]

    def frame_of(
        request: Request,
        store: StoreDep,
        private: PrivateDep,
        sort: Annotated[
            str | None, Query(description=f"{', '.join(orders) or 'none'}; with - before it descending / 排序")
        ] = None,
        after: Annotated[str | None, Query(description="Cursor of the page before, from its Link / 游标")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most / 行数上限")] = 100,
    ) -> tuple[pl.DataFrame, dict[str, str]]:
        filters = _filters(request)
        page = registry_store.page(
            store, name, filters=filters, sort=sort, after=after, limit=limit, private=private is not None
        )
        return written(page.rows), {**VARY, **_link(request, page.next)}

    if listing.private:
        frame_of.__annotations__["private"] = ReaderDep
    _offer(router, path, frame_of, listing_parameters(name), operation_id, summary, description, row)


def listing_parameters(name: str) -> list[dict[str, Any]]:
    """Every filter of a list as OpenAPI parameters."""
    return [
        {"name": filter_name, "in": "query", "required": False, **_parameter(filter_name, column)}
        for filter_name, column in filter_names(find_listing(name), private=True).items()
    ]


def _offer(
    router: APIRouter,
    path: str,
    frame_of: Any,
    parameters: list[dict[str, Any]],
    operation_id: str,
    summary: str,
    description: str,
    row: type[BaseModel],
) -> None:
    found = Annotated[tuple[pl.DataFrame, dict[str, str]], Depends(frame_of)]

    def as_csv(request: Request, table: found) -> Response:
        return answer(request, to_csv(table[0]), CSV, {**table[1], "Content-Disposition": csv_name(path)})

    def as_json(request: Request, table: found) -> Response:
        return answer(request, to_json(table[0]), "application/json", table[1])

    example = {"application/json": {"example": [examples()[operation_id]]}}
    link = {"Link": {"description": 'The next page, rel="next" / 下一页', "schema": {"type": "string"}}}
    for suffix, endpoint, kind, ok in (
        (".csv", as_csv, "Csv", {"content": {"text/csv": {"schema": {"type": "string"}}}}),
        ("", as_json, "", {"model": list[row], "content": example}),  # type: ignore[valid-type]
    ):
        router.add_api_route(
            f"{path}{suffix}",
            endpoint,
            operation_id=f"{operation_id}{kind}",
            summary=f"{summary} (CSV)" if kind else summary,
            description=description,
            response_class=Response,
            responses={200: {**ok, "headers": link}, **PROBLEMS},
            openapi_extra={"parameters": parameters},
        )
        router.add_api_route(f"{path}{suffix}", endpoint, methods=["HEAD"], include_in_schema=False)


def _parameter(name: str, column: Column) -> dict[str, Any]:
    ending = name.removeprefix(column.name)
    kind = "flag" if ending == "_null" else "text" if ending == "_in" else column.kind
    needs_key = "; needs a key / 需密钥" if column.private else ""
    return {"schema": _TYPES[kind], "description": f"{column.name}: {_MEANING[ending]}{needs_key}"}


def _filters(request: Request) -> dict[str, object]:
    """The query parameters that are filters; the same one twice is refused, since one of them would be ignored."""
    entries = [(name, value) for name, value in request.query_params.multi_items() if name not in _OWN]
    found: dict[str, object] = dict(entries)
    if len(found) < len(entries):
        twice = sorted({name for name, _value in entries if sum(name == other for other, _ in entries) > 1})
        raise BadFilter(f"found {', '.join(twice)} more than once, expected it once, or {twice[0]}_in=A,B")
    return found


def _link(request: Request, cursor: str | None) -> dict[str, str]:
    if cursor is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    path = f"{request.scope.get('root_path', '')}{request.url.path}"
    return {"Link": f'<{path}?{urlencode([*kept, ("after", cursor)])}>; rel="next"'}
