"""The field of hubs as a whole: tiers, modes, inequality, convergence."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api import DEFAULT_YEAR, structure
from api.bulk_tables import refuse
from api.deps import BaseQuery, FirstYearQuery, LastYearQuery, StoreDep, YearQuery
from api.schemas import Row
from api.tables import add_table
from green_index.tiers import MOST_TIERS, TierMethod

router = APIRouter(prefix="/v1", tags=["analyses"])
_Method = Annotated[
    TierMethod, Query(description="`natural_breaks` of the total or `k_means` of the level-1 scores / 分层方法")
]
_Tiers = Annotated[
    int | None, Query(ge=1, le=MOST_TIERS, description="How many; the least that fits well without it / 层数")
]
_Resamples = Annotated[int, Query(ge=0, le=structure.MOST_RESAMPLES, description="For the stability / 重抽样次数")]
_Seed = Annotated[int, Query(ge=0, le=2**32 - 1, description="Of the resampling / 随机种子")]
_Hub = Annotated[str | None, Query(description="Slug, name or code; all without it / 城市")]
_By = Annotated[structure.Grouping, Query(description="How the cities are grouped / 分组方式")]
_Of = Annotated[str | None, Query(description="Code of a group or indicator; the total without it / 节点代码")]


class TierRow(Row):
    """A city's tier, 1 the highest; `stability` is the share of resamples in which it keeps its tier."""

    hub: str
    name_zh: str
    name_en: str
    score: float
    rank: int
    tier: int
    stability: float | None
    other_tier: int | None
    points_to_other: float | None
    year: int
    base: str
    edition: str
    method: str


class TierSummaryRow(Row):
    """One tier: its scores, and how much of it comes again when the cities are drawn again (`jaccard`)."""

    tier: int
    hubs: int
    lowest: float
    highest: float
    mean: float
    jaccard: float | None
    goodness: float
    method: str
    resamples: int
    seed: int
    year: int
    base: str
    edition: str


class ModeRow(Row):
    """What drives a hub by one scheme: position of each side (0 to 100), and the comparison that decides narrowest."""

    hub: str
    name_zh: str
    name_en: str
    scheme: str
    mode_zh: str | None
    mode_en: str | None
    finance: float | None
    technology: float | None
    ecosystem: float | None
    regulation: float | None
    margin: float | None
    decided_by_zh: str | None
    decided_by_en: str | None
    unknown_sides: str | None
    coverage: float
    printed_mode_zh: str | None
    printed_mode_en: str | None
    agrees: bool | None
    assumed: bool
    year: int
    base: str
    edition: str


class InequalityRow(Row):
    """Theil's T and Dagum's Gini of one year with their parts, which add up; null where a score is not above zero."""

    code: str
    hubs: int
    mean: float | None
    gini: float | None
    gini_within: float | None
    gini_between: float | None
    gini_transvariation: float | None
    theil: float | None
    theil_within: float | None
    theil_between: float | None
    missing: str | None
    year: int
    by: str
    base: str
    edition: str


class InequalityPairRow(Row):
    """The Gini ratio within a group or between two; `affluence` (0..1): how far the richer lies above the poorer."""

    code: str
    group: str
    other: str
    hubs: int
    other_hubs: int
    gini: float
    affluence: float | None
    year: int
    by: str
    base: str
    edition: str


class SigmaRow(Row):
    """Spread of the cities in one year, on bounds pooled over all years."""

    hubs: int
    mean: float | None
    variation: float | None
    log_spread: float | None
    missing: str | None
    year: int
    code: str
    base: str
    edition: str


class BetaRow(Row):
    """Growth of ln score on its first value; a slope below zero means that cities that began low grew faster."""

    kind: str
    first_period: str
    last_period: str
    years: int
    hubs: int
    slope: float | None
    slope_se: float | None
    slope_se_robust: float | None
    p_value: float | None
    r_squared: float | None
    speed: float | None
    half_life_years: float | None
    missing: str | None
    code: str
    base: str
    edition: str


def _span(first: int | None, last: int | None) -> range | None:
    if first is not None and last is not None and first > last:
        raise refuse("to", str(last), f"a year not before {first}, the value of `from`")
    return None if first is None and last is None else range(first or 1990, (last or 2100) + 1)


def _both(
    store: StoreDep,
    year: int,
    base: BaseQuery,
    method: TierMethod,
    tiers: int | None,
    resamples: int,
    seed: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    if method == "k_means" and resamples > structure.RESAMPLES:
        raise refuse("resamples", str(resamples), f"{structure.RESAMPLES} at most with k_means, whose fits take long")
    return structure.tiers(store, year, base, method, tiers, resamples, seed)


def _tiers(
    store: StoreDep,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
    method: _Method = "natural_breaks",
    tiers: _Tiers = None,
    resamples: _Resamples = structure.RESAMPLES,
    seed: _Seed = structure.SEED,
) -> pl.DataFrame:
    """Tiers of the cities and how firmly each stands in its own when the cities are drawn again. / 城市分层。"""
    return _both(store, year, base, method, tiers, resamples, seed)[0]


def _tier_summary(
    store: StoreDep,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
    method: _Method = "natural_breaks",
    tiers: _Tiers = None,
    resamples: _Resamples = structure.RESAMPLES,
    seed: _Seed = structure.SEED,
) -> pl.DataFrame:
    """The tiers themselves: scores, fit and stability. / 各层概况。"""
    return _both(store, year, base, method, tiers, resamples, seed)[1]


def _modes(store: StoreDep, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open", hub: _Hub = None) -> pl.DataFrame:
    """What drives each hub, by rules of ours on the modes that the sources name; margins say what would flip it. /
    金融科技中心模式。"""
    return structure.modes(store, year, base, hub)


def _inequality(
    store: StoreDep,
    base: BaseQuery = "open",
    by: _By = "region",
    of: _Of = None,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
) -> pl.DataFrame:
    """Inequality of scores (pooled bounds) by year: Theil within and between groups; Dagum's Gini within, between and
    transvariation. / 不平等及其分解。"""
    return structure.inequality_by(store, base, of or structure.root_of(store, base), by, _span(first, last))[0]


def _pairs(
    store: StoreDep,
    base: BaseQuery = "open",
    by: _By = "region",
    of: _Of = None,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
) -> pl.DataFrame:
    """Gini ratios within each group and between every two, by year. / 组内与组间基尼系数。"""
    return structure.inequality_by(store, base, of or structure.root_of(store, base), by, _span(first, last))[1]


def _sigma(
    store: StoreDep, base: BaseQuery = "open", of: _Of = None, first: FirstYearQuery = None, last: LastYearQuery = None
) -> pl.DataFrame:
    """Spread of the cities by year; falling spread is sigma convergence. / σ收敛。"""
    return structure.convergence(store, base, of or structure.root_of(store, base), _span(first, last))[0]


def _beta(
    store: StoreDep, base: BaseQuery = "open", of: _Of = None, first: FirstYearQuery = None, last: LastYearQuery = None
) -> pl.DataFrame:
    """Do cities that began low grow faster, over all and within regions? / β收敛。"""
    return structure.convergence(store, base, of or structure.root_of(store, base), _span(first, last))[1]


add_table(router, "/tiers", _tiers, operation_id="listTiers", summary="Tiers of the cities", row=TierRow)
add_table(
    router,
    "/tiers/summary",
    _tier_summary,
    operation_id="listTierSummaries",
    summary="The tiers themselves",
    row=TierSummaryRow,
)
add_table(router, "/modes", _modes, operation_id="listModes", summary="Modes of the hubs", row=ModeRow)
add_table(
    router,
    "/inequality",
    _inequality,
    operation_id="listInequality",
    summary="Inequality between the cities by year",
    row=InequalityRow,
)
add_table(
    router,
    "/inequality/pairs",
    _pairs,
    operation_id="listInequalityPairs",
    summary="Inequality within and between groups",
    row=InequalityPairRow,
)
add_table(
    router,
    "/convergence/sigma",
    _sigma,
    operation_id="listSigmaConvergence",
    summary="Spread of the cities by year",
    row=SigmaRow,
)
add_table(
    router,
    "/convergence/beta",
    _beta,
    operation_id="listBetaConvergence",
    summary="Do cities catch up?",
    row=BetaRow,
)
