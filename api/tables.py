"""Frames on their way out over HTTP: a flat list of rows as JSON, the same rows as CSV under `.csv`.

Knows both shapes and how a route offers them. Knows no resource.
"""

import codecs
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

import polars as pl
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from api.answers import answer
from api.errors import PROBLEM_JSON
from api.schemas import ProblemBody

CSV: Final = "text/csv; charset=utf-8"
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": meaning, "content": {PROBLEM_JSON: {"schema": ProblemBody.model_json_schema()}}}
    for status, meaning in ((404, "Not found / 未找到"), (422, "Parameter not understood / 参数有误"))
}


def to_json(frame: pl.DataFrame) -> bytes:
    """Rows as one JSON array of objects; null for missing, ISO dates."""
    return frame.write_json().encode()


def to_csv(frame: pl.DataFrame) -> bytes:
    """Rows as CSV, UTF-8 with byte-order mark (spreadsheets read Chinese names right); lists joined by `; `."""
    lists = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    return codecs.BOM_UTF8 + frame.with_columns(pl.col(lists).list.join("; ")).write_csv().encode()


def add_table(
    router: APIRouter,
    path: str,
    rows: Callable[..., pl.DataFrame],
    *,
    operation_id: str,
    summary: str,
    row: type[BaseModel],
    headers: dict[str, str] | None = None,
) -> None:
    """Offer the frame that `rows` returns at `path` as JSON and at `path` + `.csv` as CSV, with further headers.

    rows: a dependency: its parameters become the route's. row: the documented shape of one row; the documented
    example is the row of `examples.json` under the operation id, a real answer.
    """
    frame = Annotated[pl.DataFrame, Depends(rows)]

    def as_csv(request: Request, table: frame) -> Response:
        return answer(request, to_csv(table), CSV, {**(headers or {}), "Content-Disposition": csv_name(path)})

    def as_json(request: Request, table: frame) -> Response:
        return answer(request, to_json(table), "application/json", headers)

    csv_content = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **PROBLEMS}
    json_content = {
        200: {"model": list[row], "content": {"application/json": {"example": [examples()[operation_id]]}}},  # type: ignore[valid-type]
        **PROBLEMS,
    }
    for suffix, endpoint, kind, responses in (
        (".csv", as_csv, "Csv", csv_content),
        ("", as_json, "", json_content),
    ):
        router.add_api_route(
            f"{path}{suffix}",
            endpoint,
            operation_id=f"{operation_id}{kind}",
            summary=f"{summary} (CSV)" if kind else summary,
            description=rows.__doc__,
            response_class=Response,
            responses=responses,
        )
        router.add_api_route(f"{path}{suffix}", endpoint, methods=["HEAD"], include_in_schema=False)


def csv_name(path: str) -> str:
    """The header that names the file which a CSV answer of this path is saved as."""
    name = path.strip("/").split("/")[-1].strip("{}").removesuffix(":path")
    return f'attachment; filename="{name}.csv"'


@cache
def examples() -> dict[str, dict[str, Any]]:
    """The documented row of each operation, by its id: `examples.json`, and one file a room of the analyses."""
    home = files("api")
    rooms = [entry for entry in home.joinpath("analysis_examples").iterdir() if entry.name.endswith(".json")]
    found: dict[str, dict[str, Any]] = {}
    for file in (home.joinpath("examples.json"), *rooms):
        found |= json.loads(file.read_text(encoding="utf-8"))
    return found
