"""Which choice matters most: Sobol indices of the choices, for the ranking and for every city."""

from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Depends, Query

from api import DEFAULT_YEAR
from api import sensitivity as verbs
from api.deps import BaseQuery, StoreDep, YearQuery
from api.robustness import MOST_OVER_HTTP, RELATIVE_ERROR
from api.routers.robustness import ChoicesQuery, ErrorQuery, OtherOptionsQuery, SpreadQuery, WeightsQuery
from api.schemas import Row
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["analyses"])
MOST_DRAWS = 4096


class SensitivityRow(Row):
    """What share of the variance of a target a choice makes: by itself (`first_order`), and by itself and together
    with others (`total`). `target`: `ranking`, the mean absolute change of rank against the stated ranking, or a city,
    its rank; `mean` and `deviation` are the target's. `_low` to `_high`: sampling interval of an index, 5 % to 95 %,
    which more draws narrow. `moved`: share of runs in which this choice alone changed the target. `reason`: why there
    is no index, or one of zero: `one_option` (not varied), `not_ranked`, `target_constant`, `changed_nothing`,
    `too_few_draws`. `between`: the options, which we assume; `runs`: how often the index was recomputed."""

    target: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    choice: str
    choice_zh: str
    choice_en: str
    options: int
    between: str
    first_order: float | None
    first_order_low: float | None
    first_order_high: float | None
    total: float | None
    total_low: float | None
    total_high: float | None
    moved: float | None
    mean: float | None
    deviation: float | None
    reason: str | None
    reason_zh: str | None
    reason_en: str | None
    draws: int
    runs: int
    seed: int
    kind: str
    kind_zh: str


_USUAL: Final = ",".join(verbs.USUAL)


def _asked(
    choices: ChoicesQuery = _USUAL,
    options: OtherOptionsQuery = None,
    weights: WeightsQuery = "dirichlet",
    spread: SpreadQuery = 0.25,
    error: ErrorQuery = RELATIVE_ERROR,
) -> verbs.Asked:
    return verbs.Asked(choices, tuple(options or ()), weights, spread, error)


_AskedDep = Annotated[verbs.Asked, Depends(_asked)]
_Draws = Annotated[
    int,
    Query(
        ge=verbs.LEAST_DRAWS,
        le=MOST_DRAWS,
        description="Of each of two samples; best a power of two / 每样本抽取次数，宜为2的幂",
    ),
]
_Seed = Annotated[int, Query(ge=0, le=2**53, description="The same seed gives the same rows / 随机种子")]
_Hub = Annotated[
    str | None,
    Query(description="One city: slug, name or code; the ranking and all without it / 城市", examples=["wuhan"]),
]


def _sensitivity(
    store: StoreDep,
    asked: _AskedDep,
    hub: _Hub = None,
    draws: _Draws = verbs.DRAWS,
    seed: _Seed = 1,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """Which choice matters most for the ranking and for every city: Sobol indices by centred estimators, with sampling
    intervals; sensitivity to choices, not confidence. / 哪项选择最重要：Sobol指数。"""
    return verbs.sensitivity(store, year, base, asked, verbs.Study(draws, seed, MOST_OVER_HTTP), hub)


add_table(
    router,
    "/sensitivity",
    _sensitivity,
    operation_id="listSensitivity",
    summary="Which choice matters most",
    row=SensitivityRow,
)
