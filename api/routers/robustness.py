"""How far a ranking hangs on choices: rank bands, acceptability of ranks, pairs of cities, and the choices."""

from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Depends, Query

from api import DEFAULT_YEAR
from api import robustness as verbs
from api.deps import BaseQuery, StoreDep, YearQuery
from api.schemas import Row
from api.tables import add_table
from green_index.robustness.draws import Kind

router = APIRouter(prefix="/v1", tags=["analyses"])
MOST_DRAWS = 100_000
_THREADS = 2


class RobustnessRow(Row):
    """A city's ranks over random draws of weights and other choices. `kind`: these bands are sensitivity to choices,
    not confidence intervals. `draws`: those in which the city was ranked, which shares are of; `choices`: what was
    varied, by options and spreads that we assume; null figures and a reason where the city is not ranked."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    rank: int | None
    ranked: int
    rank_mean: float | None
    rank_median: float | None
    rank_p05: float | None
    rank_p95: float | None
    rank_min: int | None
    rank_max: int | None
    share_first: float | None
    share_top5: float | None
    share_as_stated: float | None
    coverage: float
    reason: str | None
    reason_zh: str | None
    draws: int
    seed: int
    choices: str
    kind: str
    kind_zh: str


class AcceptabilityRow(Row):
    """The share of draws in which a city took a rank; ranks that it never took are left out."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    rank: int
    share: float
    draws: int
    seed: int
    choices: str
    kind: str
    kind_zh: str


class PairRow(Row):
    """The share of draws in which a city is above another, ties counting half; `share_tied`: in which they tie."""

    hub: str
    name_zh: str
    name_en: str
    other: str
    other_zh: str
    other_en: str
    year: int
    base: str
    edition: str
    share: float | None
    share_tied: float | None
    draws: int
    seed: int
    choices: str
    kind: str
    kind_zh: str


class VariantRow(Row):
    """One combination of choices: an option of each, how often it is drawn, the scale of its scores, and how many
    cities it moves, by the stated weights; 0 means that it changed nothing."""

    variant: int
    normalisation: str
    aggregation: str
    imputation: str
    treatment: str
    left_out: str
    revision: str
    odds: float
    scale: str
    ranked: int
    hubs_moved: int
    mean_shift: float
    year: int
    base: str
    edition: str


ChoicesQuery = Annotated[
    str, Query(description=f"What is varied, by comma, of {', '.join(verbs.CHOICES)} / 变动的选择", max_length=200)
]
OtherOptionsQuery = Annotated[
    list[str] | None, Query(description="Other options of a choice: `normalisation=minmax,zscore` / 备选项")
]
WeightsQuery = Annotated[Kind, Query(description="How weights are drawn / 权重抽取方式")]
SpreadQuery = Annotated[float, Query(gt=0, le=5, description="Relative deviation of weights / 权重的相对离散度")]
ErrorQuery = Annotated[float, Query(gt=0, le=1, description="Relative error of figures, for `revision` / 数据相对误差")]


_USUAL: Final = ",".join(verbs.USUAL)


def _asked(
    choices: ChoicesQuery = _USUAL,
    options: OtherOptionsQuery = None,
    weights: WeightsQuery = "dirichlet",
    spread: SpreadQuery = 0.25,
    error: ErrorQuery = verbs.RELATIVE_ERROR,
) -> verbs.Asked:
    return verbs.Asked(choices, tuple(options or ()), weights, spread, error)


def _run(
    draws: Annotated[int, Query(ge=1, le=MOST_DRAWS, description="How many draws / 抽取次数")] = 10_000,
    seed: Annotated[int, Query(ge=0, le=2**53, description="The same seed gives the same rows / 随机种子")] = 1,
) -> verbs.Run:
    return verbs.Run(draws, seed, _THREADS, most_variants=verbs.MOST_OVER_HTTP)


AskedDep = Annotated[verbs.Asked, Depends(_asked)]
RunDep = Annotated[verbs.Run, Depends(_run)]
_HubQuery = Annotated[
    str | None, Query(description="One city: slug, name or code; all without it / 城市", examples=["wuhan"])
]


def _bands(
    store: StoreDep, asked: AskedDep, run: RunDep, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open"
) -> pl.DataFrame:
    """Bands of rank over random weights and other choices: sensitivity to choices, not confidence intervals.
    / 排名区间：对选择的敏感性，不是置信区间。"""
    return verbs.bands(store, year, base, asked, run)


def _acceptability(
    store: StoreDep,
    asked: AskedDep,
    run: RunDep,
    hub: _HubQuery = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """How often a city takes each rank, over the same draws. / 排名可接受度。"""
    return verbs.acceptability(store, year, base, asked, run, hub)


def _pairwise(
    store: StoreDep,
    asked: AskedDep,
    run: RunDep,
    hub: _HubQuery = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """How often a city is above another, over the same draws. / 两两胜率。"""
    return verbs.pairwise(store, year, base, asked, run, hub)


def _variants(
    store: StoreDep, asked: AskedDep, run: RunDep, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open"
) -> pl.DataFrame:
    """The combinations of choices that are drawn from, and how far each alone moves the ranking. / 各选择组合。"""
    return verbs.variants(store, year, base, asked, run)


add_table(
    router,
    "/robustness",
    _bands,
    operation_id="listRobustness",
    summary="Rank bands over choices",
    row=RobustnessRow,
)
add_table(
    router,
    "/robustness/acceptability",
    _acceptability,
    operation_id="listRankAcceptability",
    summary="How often a city takes a rank",
    row=AcceptabilityRow,
)
add_table(
    router,
    "/robustness/pairwise",
    _pairwise,
    operation_id="listPairwiseWins",
    summary="How often a city is above another",
    row=PairRow,
)
add_table(
    router,
    "/robustness/choices",
    _variants,
    operation_id="listRobustnessChoices",
    summary="The choices of a robustness run",
    row=VariantRow,
)
