"""The dual wheel: coupling coordination of fintech and carbon finance, and of other systems."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api import standing_analyses
from api.deps import BaseQuery, StoreDep
from api.schemas import Row
from api.tables import add_table
from green_index.coordination import Formula

router = APIRouter(prefix="/v1", tags=["analyses"])


class CoordinationRow(Row):
    """Coupling coordination of a city's systems in one year. `u_1` to `u_4`: scores of the systems in 0..1, on bounds
    pooled over the years; C (`coupling`), T (`development`) and D (`coordination`) by the formula asked for, both
    formulas beside; `assumed`: what stands for what by our assumption."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    systems: str
    weights: str
    assumed: str | None
    formula: str
    u_1: float | None
    u_2: float | None
    u_3: float | None
    u_4: float | None
    coupling: float | None
    development: float | None
    coordination: float | None
    coupling_corrected: float | None
    coordination_corrected: float | None
    coupling_standard: float | None
    coordination_standard: float | None
    rank: int | None
    ranked: int
    grade: int | None
    grade_zh: str | None
    grade_en: str | None
    lead: float | None
    leading: str | None
    leading_zh: str | None
    leading_en: str | None
    quadrant: str | None
    quadrant_zh: str | None
    quadrant_en: str | None
    coverage: float
    reason: str | None
    reason_zh: str | None


def _coordination(
    store: StoreDep,
    base: BaseQuery = "open",
    systems: Annotated[
        str, Query(description="`dual`, `three-way`, or codes of the tree by comma / 子系统", examples=["dual"])
    ] = "dual",
    weights: Annotated[str | None, Query(description="Numbers by comma, one a system / 权重")] = None,
    formula: Annotated[Formula, Query(description="Wang et al. 2021 corrected, or standard / 公式")] = "corrected",
    hub: Annotated[str | None, Query(description="One city; all without it / 城市")] = None,
    year: Annotated[int | None, Query(ge=1990, le=2100, description="One year; all without it / 年份")] = None,
) -> pl.DataFrame:
    """How evenly systems of a city are developed and how far, with ten named grades and which system leads.
    / 耦合协调度、等级与主导轮。"""
    return standing_analyses.coordination(store, base, systems, weights, formula, hub, year)


add_table(
    router,
    "/coordination",
    _coordination,
    operation_id="listCoordination",
    summary="The dual wheel",
    row=CoordinationRow,
)
