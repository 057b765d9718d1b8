"""What a printed index would say of a city, learnt from figures; and how our indices agree with printed rankings."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api.deps import StoreDep
from api.perception import PRINTED_YEAR, printed_study
from api.schemas import Row
from api.tables import add_table
from api.validation import validation

router = APIRouter(prefix="/v1", tags=["analyses"])
_Year = Annotated[
    int, Query(alias="year", ge=1990, le=2100, description="Year of the figures / 数据年份", examples=[2017])
]
_BeyondRange = Annotated[
    bool,
    Query(description="Predict cities unlike those learnt from, too; marked all the same / 超出范围的城市也预测"),
]
_Against = Annotated[str | None, Query(description="A printed index or edition; all without it / 对照的指数")]
_Dimension = Annotated[str | None, Query(description="`overall` or a node; all without it / 榜单")]


class PerceptionRow(Row):
    """A city and its rating as predicted by a model that has not seen it. Known cities (`actual`) have a jackknife
    interval, others a jackknife+ interval. A city outside the range of the known ones has `in_range` false, and unless
    asked for no prediction; `outside` names the factors, `remark_*` says it in words. Only the 20 leading cities are
    printed: cities that are not stand below the last of them, so that predictions of them tend to be too high."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    target: str
    factors: str
    known: bool
    actual: float | None
    predicted: float | None
    error: float | None
    low: float | None
    high: float | None
    level: float | None
    interval: str | None
    in_range: bool | None
    outside: list[str] | None
    distance: float | None
    distance_limit: float | None
    nearest_hub: str | None
    missing: list[str] | None
    reason: str | None
    ratings: int | None
    respondents: int | None
    combined: float | None
    nearest_zh: str | None
    nearest_en: str | None
    remark_zh: str | None
    remark_en: str | None


class PerceptionErrorRow(Row):
    """Errors on what the model has not seen, in points of the target, beside the errors of the mean alone (`baseline`)
    and the standard deviation of what was predicted (`spread`). `group` is null where all are taken together."""

    year: int
    target: str
    factors: str
    kind: str
    kind_zh: str
    kind_en: str
    group: str | None
    group_zh: str | None
    group_en: str | None
    of: str
    n: int
    rmse: float | None
    mae: float | None
    r2: float | None
    spearman: float | None
    spread: float | None
    baseline_rmse: float | None
    baseline_mae: float | None
    reason: str | None


class PerceptionImportanceRow(Row):
    """By how much the error on left-out cities (RMSE) rises when a factor is shuffled between the cities: mean and
    spread over the repeats. `nearest_factor` goes with it most; the two share what they know."""

    factor: str
    name_zh: str
    name_en: str
    unit: str | None
    year: int
    target: str
    factors: str
    importance: float | None
    spread: float | None
    repeats: int | None
    nearest_factor: str | None
    correlation: float | None
    reason: str | None
    nearest_zh: str | None
    nearest_en: str | None


class ValidationRow(Row):
    """Agreement of one of our indices, groups or measures with one printed list, over the cities that both have; with
    or without the measures that are mere size of a city. low to high: bootstrap interval of spearman; p_value: of a
    permutation test. Null, with the reason, where fewer than five cities are common."""

    against: str
    dimension: str
    year: int
    candidate: str | None
    candidate_zh: str | None
    code: str | None
    size: str | None
    listed: int
    hubs: int
    spearman: float | None
    kendall: float | None
    mean_shift: float | None
    p_value: float | None
    p_method: str | None
    low: float | None
    high: float | None
    level: float | None
    reason: str | None


def _predictions(year: _Year = PRINTED_YEAR, beyond_range: _BeyondRange = False) -> pl.DataFrame:
    """The printed FHI 2017 totals as support vector regression predicts them from the open measures of a year, also
    for cities that were not printed. / 以公开指标预测金融科技中心指数（支持向量回归）。"""
    return printed_study(year, beyond_range=beyond_range).predictions


def _errors(year: _Year = PRINTED_YEAR) -> pl.DataFrame:
    """Errors of these predictions on cities and regions left out. / 留出检验误差。"""
    return printed_study(year, beyond_range=False).errors


def _importances(year: _Year = PRINTED_YEAR) -> pl.DataFrame:
    """How much each factor adds to these predictions. / 各因素的置换重要性。"""
    return printed_study(year, beyond_range=False).importances


def _validation(store: StoreDep, against: _Against = None, dimension: _Dimension = None) -> pl.DataFrame:
    """Rank correlation of our indices with every printed list that comes with the package, with and without size
    measures. / 与已公布排名的一致性检验。"""
    return validation(store, against, dimension)


add_table(
    router,
    "/perception",
    _predictions,
    operation_id="listPerception",
    summary="Ratings predicted from figures",
    row=PerceptionRow,
)
add_table(
    router,
    "/perception/errors",
    _errors,
    operation_id="listPerceptionErrors",
    summary="Errors of predicted ratings",
    row=PerceptionErrorRow,
)
add_table(
    router,
    "/perception/importances",
    _importances,
    operation_id="listPerceptionImportances",
    summary="What each factor adds to predicted ratings",
    row=PerceptionImportanceRow,
)
add_table(
    router,
    "/validation",
    _validation,
    operation_id="listValidation",
    summary="Agreement with printed rankings",
    row=ValidationRow,
)
