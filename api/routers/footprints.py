"""Calculated footprints as data: totals, lines with their arithmetic, and the runs that they come from.

Knows paths, parameters and words. Computes nothing: the same verbs as `greenfin footprint`. Figures need loaded
activities and a calculation; without them a list is empty.
"""

import json
from collections.abc import Callable
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from api import footprints
from api.bulk_tables import Build, add_bulk_table, refuse
from api.deps import StoreDep
from api.lang import Lang
from api.schemas import Row
from carbon.footprints.runs import UnknownRun
from carbon.footprints.totals import GROUPS

router = APIRouter(prefix="/v1", tags=["footprints"])

_Entity = Annotated[str | None, Query(description="Code of the company or plant / 主体")]
_Year = Annotated[int | None, Query(ge=1990, le=2100, description="Year in which the periods end / 年份")]
_Run = Annotated[
    str | None,
    Query(description="Id of a run; without it, for each entity and year the newest run / 结果编号"),
]


class TotalRow(Row):
    """One total. A column that was not asked for in `by` is null. `co2e_mg` is exact: parts add up to the whole."""

    entity: str | None
    hub: str | None
    sector: str | None
    category: str | None
    activity: str | None
    period: str | None
    year: int | None
    gas: str | None
    scope: str
    method: str | None
    lines: int
    co2e_mg: int | None
    co2e_kg: float | None
    biogenic_kg: float | None


class LineRow(Row):
    """One activity, gas and way to count scope 2, with the factors used and the arithmetic written out."""

    activity_id: str
    entity: str
    share: float
    hub: str | None
    sector: str | None
    period: str
    first_day: date
    last_day: date
    scope: int
    category: str
    activity: str
    method: str | None
    gas: str
    biogenic: bool
    amount: float
    unit: str
    factor_ids: list[str]
    formula: str
    gwp_set: str | None
    gwp: float
    emissions_kg: float
    co2e_kg: float
    relative_low: float | None
    relative_high: float | None
    pcaf: int | None
    evidence: str | None
    verified: bool | None
    recorded: date | None
    remarks: str | None
    factor_names: str
    working: str


class RunRow(Row):
    """One calculation: its terms, hashes of what went in and came out, and the run that superseded it."""

    id: str
    created: str
    number: int
    year: int | None
    activities: int
    lines: int
    left_out: int
    kind: str
    supersedes: str | None
    entity: str | None
    gwp_set: str
    rules_version: str
    methods: str
    approach: str
    company: str | None
    activities_sha256: str
    factors_sha256: str
    ownership_sha256: str | None
    result_sha256: str
    since: date | None
    as_of: date | None
    superseded_by: str | None


def _totals(
    store: StoreDep,
    by: Annotated[
        str | None, Query(description=f"With commas, any of {', '.join(GROUPS)} / 分组", examples=["entity,year"])
    ] = None,
    entity: _Entity = None,
    year: _Year = None,
    run: _Run = None,
) -> Build:
    """Emissions by scope and method, and the groups asked for. Scope 2 by location and by market are two figures of one
    thing; 1+2 stands only where both scopes are known; biogenic CO2 is apart. Also as `.csv`, `.parquet`, `.arrow`.
    / 按范围与方法汇总的排放量。"""
    groups = [] if by is None else [part.strip() for part in by.split(",") if part.strip()]
    wrong = [name for at, name in enumerate(groups) if name not in GROUPS or name in groups[:at]]
    if wrong:
        raise refuse("by", wrong[0], f"any of {', '.join(GROUPS)}, each once")
    return lambda: _found(
        lambda: _whole(footprints.footprint_totals(store, groups, run=run, entity=entity, year=year), groups)
    )


def _lines(
    store: StoreDep,
    entity: _Entity = None,
    year: _Year = None,
    run: _Run = None,
    lang: Annotated[Lang, Query(description="Language of the factors' names / 语言")] = "en",
) -> Build:
    """Every line of the result, ascending by activity: factors by id and name, and the arithmetic to check by hand.
    Also as `.csv`, `.parquet`, `.arrow`. / 逐行排放量及算式。"""
    return lambda: _found(lambda: footprints.footprint_lines(store, run=run, entity=entity, year=year, lang=lang))


def _runs(store: StoreDep) -> Build:
    """The results that are kept, the newest first; none is ever changed. Also as `.csv`, `.parquet`, `.arrow`.
    / 已核算的各次结果。"""
    return lambda: footprints.runs(store)


def _whole(summed: pl.DataFrame, groups: list[str]) -> pl.DataFrame:
    """Totals with every column that could be grouped by."""
    kinds = {"year": pl.Int32}
    absent = [pl.lit(None, dtype=kinds.get(name, pl.String)).alias(name) for name in GROUPS if name not in groups]
    return summed.with_columns(absent).select(*GROUPS, *(name for name in summed.columns if name not in groups))


def _found(build: Build) -> pl.DataFrame:
    try:
        return build()
    except UnknownRun as error:
        raise HTTPException(404, str(error)) from error


@cache
def _examples() -> dict[str, dict[str, Any]]:
    text = files("api").joinpath("footprint_examples.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


_LISTS: tuple[tuple[str, Callable[..., Build], str, str, type[Row]], ...] = (
    ("/footprints", _totals, "listFootprintTotals", "Emissions by scope / 排放量汇总", TotalRow),
    ("/footprints/lines", _lines, "listFootprintLines", "Emissions line by line / 逐行排放量", LineRow),
    ("/footprints/runs", _runs, "listFootprintRuns", "Calculated footprints / 核算结果", RunRow),
)
for _path, _builder, _operation, _summary, _row in _LISTS:
    add_bulk_table(
        router,
        _path,
        _builder,
        footprints.stamp,
        operation_id=_operation,
        summary=_summary,
        row=_row,
        example=_examples()[_operation],
    )
