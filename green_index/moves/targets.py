"""The least effort that brings a hub to a rank or a score.

Knows runs whose total is a weighted sum, and what it costs to move an indicator. Must not know files or languages.

The search is on bounds and weights as they are, and the scores of the other hubs stay; what it finds is then tried on
the index built again, where bounds and weights move too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.frames import descending_ranks
from fhi.framework import Framework
from fhi.index import IndexResult, build_index
from fhi.recipe import Recipe
from fhi.score_tree import effective_weights
from green_index.moves.changes import is_switch, units_of, with_figures
from green_index.moves.efforts import Effort
from green_index.moves.goals import Goal, check_sum, check_target, totals_in
from green_index.moves.least_effort import Reach, effort_of, least_effort
from green_index.moves.scale import Scale, figures_of, scale_of
from green_index.moves.scenario import frozen_scores
from green_index.standing import check_period

MOVE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "unit": pl.String,
        "value_before": pl.Float64,
        "value_after": pl.Float64,
        "normalised_before": pl.Float64,
        "normalised_after": pl.Float64,
        "weight": pl.Float64,
        "points": pl.Float64,
        "cost": pl.Float64,
        "switch": pl.Boolean,
    }
)
ANSWER_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "wanted_rank": pl.Int64,
        "wanted_score": pl.Float64,
        "lead": pl.Float64,
        "rank_before": pl.Int64,
        "ranked": pl.Int64,
        "score_before": pl.Float64,
        "hub_to_pass": pl.String,
        "score_needed": pl.Float64,
        "aimed_higher": pl.Float64,
        "reachable": pl.Boolean,
        "score_frozen": pl.Float64,
        "rank_frozen": pl.Int64,
        "score_rebuilt": pl.Float64,
        "rank_rebuilt": pl.Int64,
        "holds_rebuilt": pl.Boolean,
        "cost": pl.Float64,
        "moved": pl.Int64,
        "best_score": pl.Float64,
        "best_rank": pl.Int64,
        "without_figure": pl.Int64,
        "unused": pl.String,
    }
)
_TRIES: Final = 8
_SAME: Final = 1e-9
"""Scores nearer than this many points are the same."""


@dataclass(frozen=True)
class Target:
    """answer: ANSWER_SCHEMA, one row. moves: MOVE_SCHEMA, one row an indicator that moves, most points first.

    Where the goal is out of reach, the moves are those to the best that can be reached, `reachable` is false, and
    `cost` is what that would cost. `score_frozen` and `rank_frozen` are on bounds and weights as they are,
    `score_rebuilt` and `rank_rebuilt` those of the index built again; `holds_rebuilt` says whether the goal is reached
    there too; `aimed_higher` by how many points more than the goal was aimed at so that it is. `without_figure`:
    indicators that some hub has a figure of and this one has not; they do not move.
    `unused`: indicators that efforts were given for and that this hub has no weight on.
    """

    answer: pl.DataFrame
    moves: pl.DataFrame


@dataclass(frozen=True)
class _State:
    """The hub as it is: scores and effective weights (indicators,), its total, and the totals of all hubs.

    weights: 0 where the hub has no score, so that weights and scores add up to the total.
    """

    hub: str
    period: str
    scores: Array
    weights: Array
    total: float
    rank: int
    totals: Array
    hubs: tuple[str, ...]


def find_target(
    panel: pl.DataFrame,
    framework: Framework,
    recipe: Recipe,
    period: str,
    hub: str,
    goal: Goal,
    efforts: Mapping[str, Effort] | None = None,
    fixed: Sequence[str] = (),
) -> Target:
    """The cheapest figures that bring a hub to a rank or a score.

    panel: fhi.panel.PANEL_SCHEMA of all periods; efforts: by indicator, 1 a point without; fixed: indicators that stay.
    An indicator may move from the score it has to 100, the best figure there is. Raises UnknownPeriod; NotStraight
    for a recipe whose total is no weighted sum or whose scores have no way back; UnusableEffort with every problem.
    """
    check_period(panel, period)
    result = build_index(panel, framework, recipe)
    check_sum(result)
    scale, units = scale_of(result, period), units_of(panel, framework)
    check_target(result, period, hub, goal, efforts or {}, scale, units)
    state = _state(result, period, hub)
    reach = _reach(state, scale, efforts or {}, fixed, units)
    threshold, ahead = _threshold(state.totals, state.hubs, hub, goal)
    tried = _tried(result, panel, state, reach, scale, goal, threshold, units)
    unused = [code for code in efforts or {} if state.weights[scale.codes.index(code)] == 0]
    row = {
        **_before(state, goal, threshold, ahead),
        "aimed_higher": tried.extra,
        "reachable": tried.reachable,
        **_ends(result, state, tried.after, reach.upper),
        **tried.rebuilt,
        "cost": float(tried.moves["cost"].sum()),
        "moved": tried.moves.height,
        "without_figure": int((np.isnan(state.scores) & ~np.isnan(scale.worst)).sum()),
        "unused": "; ".join(unused) or None,
    }
    return Target(pl.DataFrame([row], schema=ANSWER_SCHEMA), tried.moves)


@dataclass(frozen=True)
class _Tried:
    """Where the search ended, what moves, and how that does on the index built again; extra: points aimed higher."""

    after: Array
    reachable: bool
    moves: pl.DataFrame
    rebuilt: dict[str, object]
    missing: float
    extra: float


def _tried(
    result: IndexResult,
    panel: pl.DataFrame,
    state: _State,
    reach: Reach,
    scale: Scale,
    goal: Goal,
    threshold: float,
    units: Mapping[str, str],
) -> _Tried:
    """The first try, or where the goal has to hold and did not, the first of a few that aim higher and do."""
    first: _Tried | None = None
    extra = 0.0
    for _ in range(_TRIES if goal.hold else 1):
        found = _search(state, reach, threshold, goal, extra)
        after = reach.upper if found is None else found
        moves = _moves(state, after, reach, scale, panel, units)
        changed = with_figures(panel, moves)
        rebuilt = build_index(changed, result.framework, result.recipe) if moves.height else result
        holds, missing = _holds(rebuilt, state, goal)
        tried = _Tried(after, found is not None, moves, holds, missing, extra)
        first = first or tried
        if holds["holds_rebuilt"] or found is None:
            return tried if holds["holds_rebuilt"] else first
        extra += missing + goal.lead
    assert first is not None
    return first


def _state(result: IndexResult, period: str, hub: str) -> _State:
    p, h = result.steps.periods.index(period), result.steps.hubs.index(hub)
    scores = result.steps.cubes["normalised"][p, h]
    weights = np.where(np.isnan(scores), 0.0, effective_weights(result.framework, result.tree.local)[p, h])
    totals = totals_in(result, period)
    rank = int(descending_ranks(totals[None, None])[0, 0, h])
    return _State(hub, period, scores, weights, float(totals[h]), rank, totals, result.steps.hubs)


def _reach(
    state: _State, scale: Scale, efforts: Mapping[str, Effort], fixed: Sequence[str], units: Mapping[str, str]
) -> Reach:
    """Bounds and costs of every indicator; one without weight in the hub's total stays where it is."""
    given = [efforts.get(code, Effort()) for code in scale.codes]
    stays = (state.weights == 0) | np.array([code in fixed for code in scale.codes])
    now = np.where(state.weights == 0, 0.0, np.nan_to_num(state.scores))
    upper = np.array([np.inf if effort.upper is None else effort.upper for effort in given])
    lower = np.array([-np.inf if effort.lower is None else effort.lower for effort in given])
    upper = np.where(stays, now, np.maximum(now, np.minimum(upper, scale.top)))
    unit = np.abs(scale.best - scale.worst) / (scale.top - scale.bottom)
    cost = [
        effort.cost_per_unit * per if effort.cost_per_unit is not None and not np.isnan(per) else effort.cost_per_point
        for effort, per in zip(given, unit, strict=True)
    ]
    return Reach(
        now=now,
        lower=np.where(stays, now, np.clip(lower, now, upper)),
        upper=upper,
        weights=state.weights,
        cost=np.array([1.0 if each is None else each for each in cost]),
        fixed_cost=np.array([effort.fixed_cost for effort in given]),
        switch=np.array(
            [
                is_switch(units[code]) if effort.switch is None else effort.switch
                for code, effort in zip(scale.codes, given, strict=True)
            ]
        ),
    )


def _threshold(totals: Array, hubs: Sequence[str], hub: str, goal: Goal) -> tuple[float, str | None]:
    """The score that reaches the goal, and the hub that has it; minus infinity for a rank below all others."""
    if goal.score is not None:
        return goal.score, None
    place = (goal.rank or 1) - 1
    ranked = [h for h in np.argsort(-totals, kind="stable") if hubs[h] != hub and not np.isnan(totals[h])]
    if place >= len(ranked):
        return -np.inf, None
    return float(totals[ranked[place]]), hubs[ranked[place]]


def _search(state: _State, reach: Reach, threshold: float, goal: Goal, extra: float) -> Array | None:
    """Where the scores end; None where the goal is out of reach. A lead that cannot be had whole is had in part."""
    best = float(reach.weights @ reach.upper)
    if best < threshold + extra - _SAME:
        return None
    if state.total >= threshold and not extra:
        return least_effort(reach, 0.0)
    lead = goal.lead if goal.rank is not None else 0.0
    return least_effort(reach, min(threshold + lead + extra, best) - state.total)


def _moves(
    state: _State, after: Array, reach: Reach, scale: Scale, panel: pl.DataFrame, units: Mapping[str, str]
) -> pl.DataFrame:
    figures, costs = figures_of(after, scale), effort_of(reach, after)
    own = panel.filter((pl.col("hub") == state.hub) & (pl.col("period") == state.period))
    before = dict(own.select("code", "value").iter_rows())
    rows = [
        {
            "hub": state.hub,
            "period": state.period,
            "code": scale.codes[i],
            "unit": units[scale.codes[i]],
            "value_before": before.get(scale.codes[i]),
            "value_after": float(figures[i]),
            "normalised_before": float(reach.now[i]),
            "normalised_after": float(after[i]),
            "weight": float(reach.weights[i]),
            "points": float(reach.weights[i] * (after[i] - reach.now[i])),
            "cost": float(costs[i]),
            "switch": bool(reach.switch[i]),
        }
        for i in np.flatnonzero(after > reach.now)
    ]
    return pl.DataFrame(rows, schema=MOVE_SCHEMA).sort("points", "code", descending=[True, False])


def _before(state: _State, goal: Goal, threshold: float, ahead: str | None) -> dict[str, object]:
    return {
        "hub": state.hub,
        "period": state.period,
        "wanted_rank": goal.rank,
        "wanted_score": goal.score,
        "lead": goal.lead if goal.rank is not None else None,
        "rank_before": state.rank,
        "ranked": int((~np.isnan(state.totals)).sum()),
        "score_before": state.total,
        "hub_to_pass": ahead if state.total < threshold else None,
        "score_needed": threshold if np.isfinite(threshold) else None,
    }


def _ends(result: IndexResult, state: _State, after: Array, upper: Array) -> dict[str, object]:
    """Score and rank on bounds and weights as they are, of where the search ended and of the best there is."""
    rows = [_frozen(result, state, np.where(state.weights == 0, state.scores, scores)) for scores in (after, upper)]
    return {
        "score_frozen": rows[0][0],
        "rank_frozen": rows[0][1],
        "best_score": rows[1][0],
        "best_rank": rows[1][1],
    }


def _frozen(result: IndexResult, state: _State, scores: Array) -> tuple[float, int]:
    steps = result.steps
    h = steps.hubs.index(state.hub)
    normalised = steps.cubes["normalised"][steps.periods.index(state.period)].copy()
    normalised[h] = scores
    totals = frozen_scores(result, normalised, state.period)[result.framework.root]
    return float(totals[h]), int(descending_ranks(totals[None, None])[0, 0, h])


def _holds(rebuilt: IndexResult, state: _State, goal: Goal) -> tuple[dict[str, object], float]:
    """Score and rank of the index built again, whether the goal is reached there, and the points missing to it."""
    totals, hubs = totals_in(rebuilt, state.period), rebuilt.steps.hubs
    h = hubs.index(state.hub)
    score, (threshold, _) = float(totals[h]), _threshold(totals, hubs, state.hub, goal)
    if np.isnan(score):
        return {"score_rebuilt": None, "rank_rebuilt": None, "holds_rebuilt": False}, np.inf
    rank = int(descending_ranks(totals[None, None])[0, 0, h])
    reached = score >= threshold - _SAME if goal.rank is None else rank <= goal.rank
    said: dict[str, object] = {"score_rebuilt": score, "rank_rebuilt": rank, "holds_rebuilt": bool(reached)}
    return said, max(0.0, threshold - score)
