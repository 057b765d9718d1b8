"""Why a city stands where it stands: obstacles, gaps, strengths, and the whole explanation."""

from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, Query

from api import DEFAULT_YEAR, standing_analyses
from api.deps import BaseQuery, StoreDep, YearQuery
from api.routers.hubs import HubPath
from api.schemas import Row
from api.tables import add_table
from green_index.strengths import Rule

router = APIRouter(prefix="/v1", tags=["analyses"])
_By = Annotated[Literal["indicator", "group"] | None, Query(description="Indicators or groups alone / 按指标或按组")]
_AnyYear = Annotated[int | None, Query(ge=1990, le=2100, description="One year; all without it / 年份")]


class ObstacleRow(Row):
    """What an indicator or group costs a city: `points_lost` of the total, and its share in all that the city lacks
    (`obstacle`, the obstacle degree)."""

    hub: str
    year: int
    base: str
    edition: str
    kind: str
    level: int
    code: str
    group: str | None
    name_zh: str
    name_en: str
    score: float | None
    weight: float
    points_lost: float
    obstacle: float | None
    place: int
    coverage: float
    reason: str | None
    reason_zh: str | None


class GapRow(Row):
    """What lies between a city and another in points of the total, positive where the other is ahead: what better
    scores make (`score_part`) and what figures make that one of them lacks (`coverage_part`)."""

    hub: str
    to_hub: str
    year: int
    base: str
    edition: str
    kind: str
    level: int
    code: str
    group: str | None
    name_zh: str
    name_en: str
    score: float | None
    score_to: float | None
    weight: float | None
    weight_to: float | None
    points: float | None
    points_to: float | None
    gap: float
    score_part: float
    coverage_part: float
    place: int
    coverage: float
    coverage_to: float
    reason: str | None
    reason_zh: str | None


class PositionRow(Row):
    """A city's position in one indicator among all cities and among those of like size and income; `rule` and
    `peer_rule` say what counts as a strength or a weakness."""

    hub: str
    year: int
    base: str
    edition: str
    level: int
    code: str
    group: str
    name_zh: str
    name_en: str
    value: float | None
    unit: str
    unit_zh: str | None
    status: str
    source: str
    score: float
    weight: float
    rank: int
    ranked: int
    position: float | None
    verdict: str | None
    peer_rank: int
    peers: int
    peer_mean: float
    peer_sd: float | None
    peer_distance: float | None
    peer_verdict: str | None
    rule: str
    peer_rule: str
    peer_hubs: str
    reason: str | None
    reason_zh: str | None


class ExplanationRow(Row):
    """One node of the tree in a city's standing, or a remark. `part`: total, group, indicator, no_figure, note."""

    hub: str
    year: int
    base: str
    edition: str
    part: str
    level: int | None
    code: str
    group: str | None
    name_zh: str
    name_en: str
    score: float | None
    rank: int | None
    ranked: int | None
    coverage: float | None
    weight: float | None
    points: float | None
    ahead_hub: str | None
    gap_to_ahead: float | None
    score_pooled: float | None
    value: float | None
    unit: str | None
    unit_zh: str | None
    status: str | None
    source: str | None
    points_lost: float | None
    obstacle: float | None
    obstacle_place: int | None
    total_leader: str | None
    gap_in_total: float | None
    gap_score_part: float | None
    gap_coverage_part: float | None
    position: float | None
    verdict: str | None
    peer_rank: int | None
    peers: int | None
    peer_distance: float | None
    peer_verdict: str | None
    remark: str | None
    remark_zh: str | None


def _obstacles(
    store: StoreDep, hub: HubPath, base: BaseQuery = "open", year: _AnyYear = None, by: _By = None
) -> pl.DataFrame:
    """What holds a city back: obstacle degrees of indicators and groups, which add up to 1. / 障碍度。"""
    return standing_analyses.obstacles(store, hub, base, year, by)


def _gaps(
    store: StoreDep,
    hub: HubPath,
    to: Annotated[str, Query(description="A city, or `leader` / 对比城市", examples=["leader"])] = "leader",
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
    by: _By = None,
) -> pl.DataFrame:
    """What lies between a city and another, or the leader, in points of the total; indicators add up to the difference
    of both totals. / 与另一城市或领先者的差距。"""
    return standing_analyses.gaps(store, hub, base, year, to, by)


def _strengths(
    store: StoreDep,
    hub: HubPath,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
    cut: Annotated[float, Query(description="Strength: within this of the best end / 界限")] = Rule.cut,
    nearest: Annotated[
        int, Query(le=1_000, description="So many nearest cities are peers / 同类城市数")
    ] = Rule.nearest,
) -> pl.DataFrame:
    """A city's position in every indicator, among all and among cities of like size and income. / 长板与短板。"""
    return standing_analyses.strengths(store, hub, base, year, Rule(cut, nearest))


def _explanation(
    store: StoreDep, hub: HubPath, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open"
) -> pl.DataFrame:
    """Why a city stands where it stands: every node with score, weight and points, every figure with its source, what
    each costs and what lies between the city and the best, what has no figure, and remarks. / 位次成因。"""
    return standing_analyses.explanation(store, hub, base, year)


add_table(
    router,
    "/hubs/{hub}/obstacles",
    _obstacles,
    operation_id="getObstacles",
    summary="What holds a city back",
    row=ObstacleRow,
)
add_table(router, "/hubs/{hub}/gaps", _gaps, operation_id="getGaps", summary="A city's gap to another", row=GapRow)
add_table(
    router,
    "/hubs/{hub}/strengths",
    _strengths,
    operation_id="getStrengths",
    summary="A city's strengths and weaknesses",
    row=PositionRow,
)
add_table(
    router,
    "/hubs/{hub}/explanation",
    _explanation,
    operation_id="getExplanation",
    summary="Why a city stands where it stands",
    row=ExplanationRow,
)
