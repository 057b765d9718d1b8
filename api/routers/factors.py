"""Emission factors as data: all of them page by page, one by its id, and the one that an activity gets with its reason.

Knows paths, parameters and words. Computes nothing: `carbon.footprints` does, the same as for `greenfin factors`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlmodel import Session
from starlette.exceptions import HTTPException

from api.answers import answer
from api.bulk_tables import refuse
from api.deps import StoreDep
from api.schemas import Row
from api.tables import CSV, PROBLEMS, add_table, csv_name, examples, to_csv, to_json
from carbon.footprints.factor_names import UnknownFactorName, check_names
from carbon.footprints.factor_regions import UnknownRegion
from carbon.footprints.factor_tables import all_factors
from carbon.footprints.factors import candidates, resolve_region

router = APIRouter(prefix="/v1", tags=["footprints"])

_MOST_ROWS: Final = 1000
_ParameterName = Literal["emission_factor", "net_calorific_value", "carbon_content", "oxidation"]


class FactorRow(Row):
    """One factor of one gas; `value` numerator per denominator. `series`: two of one name are never mixed."""

    factor_id: str
    activity: str
    kind: str
    parameter: str
    gas: str | None
    value: float
    numerator: str
    denominator: str
    region: str
    valid_from: date | None
    valid_to: date | None
    series: str
    method: str | None
    biogenic: bool
    lower: float | None
    upper: float | None
    distribution: str | None
    source: str
    published: date | None
    recorded: date | None
    replaces: str | None
    confidence: str | None
    assumed: bool
    name_zh: str | None
    name_en: str | None
    remark: str | None


class CandidateRow(FactorRow):
    """A factor that could serve, its rank, whether it is taken, and why or why not."""

    rank: int
    chosen: bool
    reason: str
    reason_zh: str
    reason_en: str


def _known(store: StoreDep) -> pl.DataFrame:
    with Session(store.engine) as session:
        return all_factors(session)


KnownDep = Annotated[pl.DataFrame, Depends(_known)]
_Activity = Annotated[str | None, Query(description="What the factor is for, such as electricity / 活动")]
_Region = Annotated[str | None, Query(description="Code, hub or name: 420000, CN-grid-central, wuhan, 湖北 / 地区")]
_Parameter = Annotated[
    str | None, Query(description="emission_factor, net_calorific_value, carbon_content or oxidation / 参数")
]
_Series = Annotated[str | None, Query(description="One series alone, such as grid_average / 系列")]


def _page(
    request: Request,
    known: KnownDep,
    activity: _Activity = None,
    region: _Region = None,
    series: _Series = None,
    parameter: _Parameter = None,
    gas: Annotated[str | None, Query(description="CO2e, CO2, CH4, ... / 气体")] = None,
    kind: Annotated[str | None, Query(description="electricity, heat, combustion, ... / 类别")] = None,
    on: Annotated[date | None, Query(description="Valid on this day / 适用日")] = None,
    after: Annotated[str | None, Query(description="Last id of the page before, from its Link / 游标")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_ROWS, description="Rows at most / 行数上限")] = 100,
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Embedded factors and those that the user loaded, by id; a correction names the factor it replaces. The next page
    is in the `Link` header. / 排放因子（内置与自行载入）。"""
    named = {"activity": activity, "series": series, "parameter": parameter, "gas": gas, "kind": kind}
    _check_names(known, named)
    rows = known
    for name, value in {**named, "region": None if region is None else _place(region)}.items():
        if value is not None:
            rows = rows.filter(pl.col(name) == value)
    if on is not None:
        starts = pl.col("valid_from").is_null() | (pl.col("valid_from") <= on)
        rows = rows.filter(starts & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= on)))
    if after is not None:
        rows = rows.filter(pl.col("factor_id") > after)
    page = rows.head(limit)
    if rows.height <= limit:
        return page, {}
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    query = urlencode([*asked, ("after", page["factor_id"][-1])])
    return page, {"Link": f'<{request.url.path}?{query}>; rel="next"'}


def _place(region: str) -> str:
    try:
        return resolve_region(region)
    except UnknownRegion as error:
        raise HTTPException(404, str(error)) from error


def _check_names(known: pl.DataFrame, asked: Mapping[str, str | None]) -> None:
    """A name that no factor has is refused, with those that there are."""
    try:
        check_names(known, asked)
    except UnknownFactorName as error:
        raise refuse(error.column, error.found, error.expected) from error


def _one(
    known: KnownDep,
    factor_id: Annotated[str, Path(description="Id of the factor / 编号", examples=["cn-grid_average-2023-420000"])],
) -> pl.DataFrame:
    """One factor with its range, validity, series, source and confidence. / 一个排放因子。"""
    found = known.filter(pl.col("factor_id") == factor_id)
    if found.is_empty():
        raise HTTPException(404, f"found factor {factor_id!r}, expected an id of /v1/factors")
    return found


def _candidates(
    known: KnownDep,
    activity: Annotated[str, Query(description="What the factor is for / 活动", examples=["electricity"])],
    region: Annotated[str, Query(description="Code, hub or name / 地区", examples=["wuhan"])],
    year: Annotated[int, Query(ge=1900, le=2100, description="Calendar year / 年份", examples=[2023])],
    parameter: Annotated[_ParameterName, Query(description="As in the list / 参数")] = "emission_factor",
    series: _Series = None,
    method: Annotated[
        Literal["location", "market"] | None, Query(description="location or market, for scope 2 / 核算方法")
    ] = None,
    unit: Annotated[str | None, Query(description="Unit of the amount / 单位")] = None,
) -> pl.DataFrame:
    """Every factor that could serve an activity in one place and year, best first: the one taken and why, the others
    and why not. / 候选因子及选用理由。"""
    _check_names(known, {"activity": activity, "series": series})
    days = {"first_day": date(year, 1, 1), "last_day": date(year, 12, 31)}
    asked = {"parameter": parameter, "series": series, "method": method, "unit": unit}
    return candidates(known, activity, region=_place(region), **days, **asked)  # type: ignore[arg-type]


def _offer_list(path: str, operation_id: str, summary: str) -> None:
    found = Annotated[tuple[pl.DataFrame, dict[str, str]], Depends(_page)]

    def as_csv(request: Request, table: found) -> Response:
        return answer(request, to_csv(table[0]), CSV, {**table[1], "Content-Disposition": csv_name(path)})

    def as_json(request: Request, table: found) -> Response:
        return answer(request, to_json(table[0]), "application/json", table[1])

    link = {"Link": {"description": 'The next page, rel="next" / 下一页', "schema": {"type": "string"}}}
    example: dict[str, Any] = {"application/json": {"example": [examples()[operation_id]]}}
    for suffix, endpoint, kind, ok in (
        (".csv", as_csv, "Csv", {"content": {"text/csv": {"schema": {"type": "string"}}}}),
        ("", as_json, "", {"model": list[FactorRow], "content": example}),
    ):
        router.add_api_route(
            f"{path}{suffix}",
            endpoint,
            operation_id=f"{operation_id}{kind}",
            summary=f"{summary} (CSV)" if kind else summary,
            description=_page.__doc__,
            response_class=Response,
            responses={200: {**ok, "headers": link}, **PROBLEMS},
        )
        router.add_api_route(f"{path}{suffix}", endpoint, methods=["HEAD"], include_in_schema=False)


_offer_list("/factors", "listFactors", "Emission factors / 排放因子")
add_table(
    router,
    "/factor-choice",
    _candidates,
    operation_id="listFactorCandidates",
    summary="The factor an activity gets / 因子选用",
    row=CandidateRow,
)
# Ids of some files have slashes and colons.
add_table(
    router,
    "/factors/{factor_id:path}",
    _one,
    operation_id="getFactor",
    summary="An emission factor / 一个排放因子",
    row=FactorRow,
)
