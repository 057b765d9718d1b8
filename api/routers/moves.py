"""What would move a city: what-if, least effort, break-even weights, best and worst rank."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api import DEFAULT_YEAR, moves
from api.bulk_tables import refuse
from api.deps import BaseQuery, StoreDep, YearQuery
from api.move_schemas import (
    BreakEvenRow,
    EvenPairRow,
    RangeWeightRow,
    RankRangeRow,
    TargetMoveRow,
    TargetRow,
    WeightIntervalRow,
    WhatIfFigureRow,
    WhatIfRow,
    WhatIfShiftRow,
)
from api.tables import add_table
from green_index.moves.goals import Goal

router = APIRouter(prefix="/v1", tags=["analyses"])
_MOST_SETS = 20
_MOST_DRAWS = 5_000

_Hub = Annotated[str, Query(description="Slug, name in either language, or GB/T 2260 code / 城市", examples=["wuhan"])]
_SomeHub = Annotated[str | None, Query(alias="hub", description="A city; all of them without it / 城市")]
_Sets = Annotated[
    list[str] | None,
    Query(
        alias="set",
        max_length=_MOST_SETS,
        description="`code:VALUE`, repeatable; VALUE is a figure, `by:AMOUNT`, `by:PER CENT%`, `as:CITY` or `best`; "
        "`city/code:VALUE` for another city; `code` alone with `to` / 设定的数值",
        examples=[["carbon_finance.market.volume:by:10%"]],
    ),
]
_To = Annotated[str | None, Query(description="Take the figures of this city / 取该城市的数值")]
_Draws = Annotated[int, Query(ge=0, le=_MOST_DRAWS, description="Draws for rank bands / 抽样次数")]
_Seed = Annotated[int, Query(ge=0, le=2**63 - 1, description="Of the draws / 随机种子")]
_Rank = Annotated[int | None, Query(ge=1, le=1_000, description="The rank to be reached / 目标名次", examples=[1])]
_Score = Annotated[float | None, Query(ge=0, le=100, description="Or the score / 或目标得分")]
_Lead = Annotated[float, Query(ge=0, le=100, description="Points to be ahead of the city passed / 领先分数")]
_Hold = Annotated[bool, Query(description="Aim higher until it holds on the index built again / 重算后仍须达到")]
_Fix = Annotated[
    list[str] | None, Query(max_length=100, description="Indicators or groups that stay, repeatable / 保持不变的指标")
]
_Level = Annotated[
    str | None, Query(description="A group, or `indicators`; the total's groups without it / 指标组", max_length=200)
]
_Region = Annotated[
    str, Query(description="`free`, or `20%` around the stated weights / 权重范围", max_length=20, examples=["20%"])
]
_Bounds = Annotated[
    list[str] | None,
    Query(
        alias="bound",
        max_length=_MOST_SETS,
        description="Further limits, repeatable: `code>=SHARE`, `code<=SHARE`, or `code>=code` for an order / 权重限制",
    ),
]


def _asked(
    store: StoreDep,
    hub: _Hub,
    sets: _Sets,
    to: _To,
    year: int,
    base: BaseQuery,
    draws: int = 0,
    seed: int = 0,
) -> moves.WhatIfRows:
    if not sets and to is None:
        raise refuse("set", "nothing", "CODE=VALUE or CODE:VALUE, or a city in `to`")
    return moves.what_if(store, hub, sets or [], year, base, to, draws, seed)


def _what_if(
    store: StoreDep,
    hub: _Hub,
    sets: _Sets = None,
    to: _To = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
    draws: _Draws = 0,
    seed: _Seed = 0,
) -> pl.DataFrame:
    """Score and rank of every city before and after other figures, the groups of the cities that change, and rank bands
    where draws are asked for. / 情景分析：变动数值前后的得分与排名。"""
    return _asked(store, hub, sets, to, year, base, draws, seed).ranks


def _what_if_figures(
    store: StoreDep,
    hub: _Hub,
    sets: _Sets = None,
    to: _To = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """The figures of a what-if, each with its unit, score and weight before and after. / 情景分析的数值。"""
    return _asked(store, hub, sets, to, year, base).figures


def _what_if_shifts(
    store: StoreDep,
    hub: _Hub,
    sets: _Sets = None,
    to: _To = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """Bounds and weights that moved with the figures of a what-if. / 情景中随之变动的界限与权重。"""
    return _asked(store, hub, sets, to, year, base).shifts


def _found(
    store: StoreDep,
    hub: _Hub,
    rank: _Rank,
    score: _Score,
    lead: float,
    hold: bool,
    fix: _Fix,
    year: int,
    base: BaseQuery,
) -> moves.TargetRows:
    if (rank is None) == (score is None):
        raise refuse("rank", "both or neither", "one of `rank` and `score`")
    return moves.target(store, hub, year, base, Goal(rank, score, lead, hold), None, fix or [])


def _target(
    store: StoreDep,
    hub: _Hub,
    rank: _Rank = None,
    score: _Score = None,
    lead: _Lead = moves.LEAD,
    hold: _Hold = False,
    fix: _Fix = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """Whether a city can reach a rank or a score and at what effort, each point of an indicator's own score costing 1.
    / 达到目标名次的最小努力。"""
    return _found(store, hub, rank, score, lead, hold, fix, year, base).answer


def _target_moves(
    store: StoreDep,
    hub: _Hub,
    rank: _Rank = None,
    score: _Score = None,
    lead: _Lead = moves.LEAD,
    hold: _Hold = False,
    fix: _Fix = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """The figures that a city needs to reach a rank or a score at the least effort, in their units; those to the best
    that can be reached where the goal is out of reach. / 达到目标所需的各指标数值。"""
    return _found(store, hub, rank, score, lead, hold, fix, year, base).moves


def _break_even(
    store: StoreDep, hub: _Hub, level: _Level = None, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open"
) -> pl.DataFrame:
    """For each group the weight nearest to the stated one at which a city's rank changes. / 名次变动的临界权重。"""
    return moves.break_even(store, hub, year, base, level).nearest


def _intervals(
    store: StoreDep, hub: _Hub, level: _Level = None, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open"
) -> pl.DataFrame:
    """A city's rank by the weight of each group, as intervals. / 各组权重区间内的名次。"""
    return moves.break_even(store, hub, year, base, level).intervals


def _pairs(
    store: StoreDep, hub: _Hub, level: _Level = None, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open"
) -> pl.DataFrame:
    """The weight of each group at which a city is level with each other one. / 与其他城市持平的权重。"""
    return moves.break_even(store, hub, year, base, level).pairs


def _rank_range(
    store: StoreDep,
    hub: _SomeHub = None,
    region: _Region = "free",
    bounds: _Bounds = None,
    level: _Level = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """The best and the worst rank of a city, or of every one, for any weights in a region.
    / 任意权重下最好与最差名次。"""
    return moves.rank_range(store, hub, year, base, region, level, bounds or []).ranges


def _range_weights(
    store: StoreDep,
    hub: _Hub,
    region: _Region = "free",
    bounds: _Bounds = None,
    level: _Level = None,
    year: YearQuery = DEFAULT_YEAR,
    base: BaseQuery = "open",
) -> pl.DataFrame:
    """Weights that give a city its best and its worst rank. / 达到最好与最差名次的权重。"""
    return moves.rank_range(store, hub, year, base, region, level, bounds or []).weights


for _path, _rows, _id, _summary, _row in (
    ("/what-if", _what_if, "getWhatIf", "Scores and ranks with other figures", WhatIfRow),
    ("/what-if/figures", _what_if_figures, "getWhatIfFigures", "The figures of a what-if", WhatIfFigureRow),
    ("/what-if/shifts", _what_if_shifts, "getWhatIfShifts", "Bounds and weights that move with them", WhatIfShiftRow),
    ("/target", _target, "getTarget", "The least effort that reaches a rank or a score", TargetRow),
    ("/target/moves", _target_moves, "getTargetMoves", "The figures that reach it", TargetMoveRow),
    ("/break-even", _break_even, "getBreakEven", "Weights at which a city's rank changes", BreakEvenRow),
    ("/break-even/intervals", _intervals, "getBreakEvenIntervals", "A city's rank by weight", WeightIntervalRow),
    ("/break-even/pairs", _pairs, "getBreakEvenPairs", "Weights at which two cities are level", EvenPairRow),
    ("/rank-range", _rank_range, "getRankRange", "Best and worst rank for any weights", RankRangeRow),
    ("/rank-range/weights", _range_weights, "getRankRangeWeights", "Weights that give them", RangeWeightRow),
):
    add_table(router, _path, _rows, operation_id=_id, summary=_summary, row=_row)
