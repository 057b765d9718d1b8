"""Frames on their way out in bulk: one list as JSON by pages, and whole as CSV, Parquet and Arrow.

Knows the formats, how one is asked for, cursors, and entity tags that cost no computing. Knows no resource.
"""

import hashlib
import io
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from api.answers import answer
from api.deps import StoreDep
from api.errors import problem_response
from api.store import Store
from api.tables import CSV, PROBLEMS, to_csv, to_json

__all__ = ["LIMIT", "Build", "Format", "add_bulk_table", "refuse", "to_arrow", "to_parquet"]

Build = Callable[[], pl.DataFrame]
"""Makes the frame of an answer; not called where the client holds the answer already."""
Format = Literal["json", "csv", "parquet", "arrow"]

LIMIT: Final = 10_000
MEDIA: Final[Mapping[Format, str]] = {
    "json": "application/json",
    "csv": CSV,
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
_FILES: Final[tuple[Format, ...]] = ("csv", "parquet", "arrow")
_CURSOR: Final = re.compile(r"([0-9]{1,9})-([0-9a-f]{16})")
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_Limit = Annotated[int, Query(ge=1, le=LIMIT, description="JSON: rows at most; see the Link header / 行数上限")]
_After = Annotated[str | None, Query(description="JSON: cursor of the page before, from its Link / 游标")]


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Rows as a Parquet file, compressed with zstd."""
    stream = io.BytesIO()
    frame.write_parquet(stream, compression="zstd")
    return stream.getvalue()


def to_arrow(frame: pl.DataFrame) -> bytes:
    """Rows as an Arrow IPC stream, texts in the type that older readers know too."""
    stream = io.BytesIO()
    frame.write_ipc_stream(stream, compat_level=pl.CompatLevel.oldest())
    return stream.getvalue()


def refuse(name: str, found: str, expected: str) -> RequestValidationError:
    """The error of a query parameter that cannot be used: the answer names it, what was found and what was expected."""
    return RequestValidationError([{"loc": ("query", name), "input": found, "msg": f"expected {expected}"}])


def add_bulk_table(
    router: APIRouter,
    path: str,
    builder: Callable[..., Build],
    stamp: Callable[[Store], str],
    *,
    operation_id: str,
    summary: str,
    row: type[BaseModel],
    example: dict[str, Any],
) -> None:
    """Offer one list at `path` in the format of the Accept header, JSON unless it asks for another, and at `path` with
    `.csv`, `.parquet` or `.arrow` behind it in that one; GET and HEAD, entity tag, one byte range.

    builder : a dependency whose parameters become the route's; stamp : a text that changes when answers may change.
    The entity tag is made of it and of the request, so that a client that holds the answer costs no computing.
    JSON has at most `limit` rows; a Link header with rel="next" leads on. A cursor of other data is refused.
    """
    for kind in _FILES:
        _offer_file(router, path, builder, stamp, kind, operation_id, summary)
    _offer_list(router, path, builder, stamp, operation_id, summary, row, example)


def _offer_file(
    router: APIRouter,
    path: str,
    builder: Callable[..., Build],
    stamp: Callable[[Store], str],
    kind: Format,
    operation_id: str,
    summary: str,
) -> None:
    build = Annotated[Build, Depends(builder)]

    def as_file(request: Request, store: StoreDep, make: build) -> Response:
        return _respond(request, stamp(store), kind, make)

    # The documentation names Parquet and Arrow once, at the list itself.
    router.add_api_route(
        f"{path}.{kind}",
        as_file,
        operation_id=f"{operation_id}{kind.capitalize()}",
        summary=f"{summary} ({kind})",
        description=builder.__doc__ or "",
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **PROBLEMS},
        include_in_schema=kind == "csv",
    )
    router.add_api_route(f"{path}.{kind}", as_file, methods=["HEAD"], include_in_schema=False)


def _offer_list(
    router: APIRouter,
    path: str,
    builder: Callable[..., Build],
    stamp: Callable[[Store], str],
    operation_id: str,
    summary: str,
    row: type[BaseModel],
    example: dict[str, Any],
) -> None:
    build = Annotated[Build, Depends(builder)]

    def as_asked(
        request: Request, store: StoreDep, make: build, limit: _Limit = LIMIT, after: _After = None
    ) -> Response:
        kind = _asked_format(request.headers.get("accept", ""))
        if kind is None:
            detail = f"accept: found {request.headers['accept']}, expected one of {', '.join(MEDIA.values())}"
            return problem_response(HTTPStatus.NOT_ACCEPTABLE, detail, request.url.path)
        if kind == "json":
            return _respond_page(request, stamp(store), make, limit, after)
        return _respond(request, stamp(store), kind, make)

    content = {MEDIA["json"]: {"example": [example]}, **{MEDIA[kind].split(";")[0]: _BINARY for kind in _FILES}}
    headers = {"Link": {"description": 'The next page, rel="next" / 下一页', "schema": {"type": "string"}}}
    router.add_api_route(
        path,
        as_asked,
        operation_id=operation_id,
        summary=summary,
        description=builder.__doc__ or "",
        response_class=Response,
        responses={200: {"model": list[row], "content": content, "headers": headers}, **PROBLEMS},  # type: ignore[valid-type]
    )
    router.add_api_route(path, as_asked, methods=["HEAD"], include_in_schema=False)


def _respond(request: Request, stamp: str, kind: Format, make: Build) -> Response:
    """The whole list in one format."""
    tag = _entity_tag(request, stamp, kind)
    if _holds(request, tag):
        return _not_modified(tag)
    writer = {"json": to_json, "csv": to_csv, "parquet": to_parquet, "arrow": to_arrow}[kind]
    headers = {"Vary": "Accept", "Content-Disposition": f'attachment; filename="{_file_name(request, kind)}"'}
    return _tagged(answer(request, writer(make()), MEDIA[kind], headers), tag)


def _respond_page(request: Request, stamp: str, make: Build, limit: int, after: str | None) -> Response:
    """Some rows of the list as JSON, with the way to the next ones."""
    tag, edition = _entity_tag(request, stamp, "json"), _short_hash(stamp)
    first = _first_row(after, edition)
    if _holds(request, tag):
        return _not_modified(tag)
    rows = make()
    headers = {"Vary": "Accept"}
    if first + limit < rows.height:
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        question = urlencode([*kept, ("after", f"{first + limit}-{edition}")])
        headers["Link"] = f'<{request.scope.get("root_path", "")}{request.url.path}?{question}>; rel="next"'
    return _tagged(answer(request, to_json(rows.slice(first, limit)), MEDIA["json"], headers), tag)


def _first_row(after: str | None, edition: str) -> int:
    if after is None:
        return 0
    match = _CURSOR.fullmatch(after)
    if match is None:
        raise refuse("after", after, "a cursor from the Link header of the page before")
    if match[2] != edition:
        raise refuse("after", after, "a cursor of today's data; files were loaded since, begin again without it")
    return int(match[1])


def _asked_format(accept: str) -> Format | None:
    """The format that an Accept header (RFC 9110) likes best, JSON where it takes any; null where none."""
    liked: dict[str, float] = {}
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        media, *parameters = [piece.strip().lower() for piece in part.split(";")]
        weights = [value for name, _, value in (each.partition("=") for each in parameters) if name == "q"]
        liked[media] = _weight(weights[0]) if weights else 1.0
    best: Format | None = None
    most = 0.0
    for kind, media in MEDIA.items():
        name = media.split(";")[0]
        weight = next((liked[each] for each in (name, f"{name.split('/')[0]}/*", "*/*") if each in liked), 0.0)
        if weight > most:
            best, most = kind, weight
    return best


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _entity_tag(request: Request, stamp: str, kind: Format) -> str:
    asked = "\n".join([stamp, kind, request.url.path, request.url.query])
    return f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"'


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _holds(request: Request, tag: str) -> bool:
    return tag in request.headers.get("if-none-match", "")


def _not_modified(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag, "Vary": "Accept", "Cache-Control": "no-cache"})


def _tagged(response: Response, tag: str) -> Response:
    """The answer with the tag of its request; `answer` had tagged its bytes."""
    if "etag" in response.headers:
        response.headers["ETag"] = tag
    return response


def _file_name(request: Request, kind: Format) -> str:
    """What an answer is saved as: the end of its path, such as CEA-bars.csv."""
    words = request.url.path.removesuffix(f".{kind}").strip("/").split("/")[1:]
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(word for word in words if word not in ("markets", "series")))
    return f"{plain or words[-1]}.{kind}"
