"""What cities have done of what the paper proposes, and which cities are ranked on which figures."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api import DEFAULT_YEAR, policy
from api.deps import BaseQuery, StoreDep, YearQuery
from api.routers.hubs import HubPath
from api.schemas import Row
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["analyses"])
_AsOf = Annotated[
    int | None, Query(alias="year", ge=1990, le=2100, description="As known at the end of this year / 截至该年年底")
]


class ProposalRow(Row):
    """One of the 16 proposals in one city: adopted, partly, not_adopted or unknown, on dated evidence. Unknown is
    neither adopted nor not adopted."""

    hub: str
    name_zh: str
    name_en: str
    area: str
    area_zh: str
    area_en: str
    proposal: int
    proposal_zh: str
    proposal_en: str
    status: str
    status_zh: str
    status_en: str
    evidence_zh: str | None
    evidence_en: str | None
    date: str | None
    source: str | None
    origin: str | None


class PathStageRow(Row):
    """A step of one of the three paths in one city: done, under_way, not_begun or unknown, on dated evidence."""

    hub: str
    name_zh: str
    name_en: str
    path: str
    path_zh: str
    path_en: str
    step: int
    stage_zh: str
    stage_en: str
    status: str
    status_zh: str
    status_en: str
    evidence_zh: str | None
    evidence_en: str | None
    date: str | None
    source: str | None
    origin: str | None


class PolicyAreaRow(Row):
    """Proposals of one area in one city by status. The share adopted lies between share_low and share_high, whatever
    the unknown ones are; area `all` is the whole."""

    hub: str
    name_zh: str
    name_en: str
    area: str
    area_zh: str
    area_en: str
    proposals: int
    adopted: int
    partly: int
    not_adopted: int
    unknown: int
    known_share: float
    share_low: float
    share_high: float


class CoverageRow(Row):
    """What the total (level 0) or a group (level 1) of one city rests on: coverage is the share of its indicators that
    have a figure, by weight; the row of the total says why the city is ranked or not."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    code: str
    group_zh: str
    group_en: str
    level: int
    counted: bool
    weight: float | None
    coverage: float | None
    score: float | None
    rank: int | None
    ranked: int
    missing: list[str] | None
    why_zh: str | None
    why_en: str | None


def _policy(store: StoreDep, hub: HubPath, year: _AsOf = None) -> pl.DataFrame:
    """The 16 proposals of the Swiss Green Fintech Network in one city: status, evidence, date, source.
    / 16项政策建议的采纳情况。"""
    return policy.policy(store, hub, year)


def _paths(store: StoreDep, hub: HubPath, year: _AsOf = None) -> pl.DataFrame:
    """The stages of the three paths to a green-fintech hub in one city: status, evidence, date, source.
    / 三条发展路径的阶段。"""
    return policy.policy_paths(store, hub, year)


def _areas(store: StoreDep, year: _AsOf = None) -> pl.DataFrame:
    """Proposals adopted by area in every city, with the bounds of the share. / 各城市分领域的政策建议采纳情况。"""
    return policy.policy_areas(store, None, year)


def _coverage(store: StoreDep, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open") -> pl.DataFrame:
    """Which cities are ranked, which are not and why, and the figures that each group rests on.
    / 数据覆盖与未排名原因。"""
    return policy.coverage(store, year, base)


add_table(
    router,
    "/hubs/{hub}/policy",
    _policy,
    operation_id="getPolicy",
    summary="Policy proposals in a city",
    row=ProposalRow,
)
add_table(
    router,
    "/hubs/{hub}/paths",
    _paths,
    operation_id="getPaths",
    summary="Stages of the paths in a city",
    row=PathStageRow,
)
add_table(
    router,
    "/policy",
    _areas,
    operation_id="listPolicyAreas",
    summary="Policy proposals by area",
    row=PolicyAreaRow,
)
add_table(
    router,
    "/coverage",
    _coverage,
    operation_id="listCoverage",
    summary="What every rank rests on",
    row=CoverageRow,
)
