"""What a search for the least effort is asked for, and whether it can be.

Knows runs, goals and efforts. Must not know how the search goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fhi.arrays import Array
from fhi.errors import Problem, one_of
from fhi.index import IndexResult
from green_index.moves.changes import is_switch
from green_index.moves.efforts import Effort
from green_index.moves.errors import NotStraight, UnusableEffort
from green_index.moves.scale import Scale


@dataclass(frozen=True)
class Goal:
    """A rank (1 the best) or a score (0..100) to be reached: one of them.

    lead: points by which the hub to be passed shall be left behind; with 0 a tie is enough, for ties take the better
    rank. hold: where the goal is missed once the index is built again, aim higher by what is missing, a few times.
    """

    rank: int | None = None
    score: float | None = None
    lead: float = 0.0
    hold: bool = False


def check_sum(result: IndexResult) -> None:
    """Raises NotStraight, naming the means and weights that keep the total from being a weighted sum."""
    framework, recipe = result.framework, result.recipe
    problems = [
        Problem(f"[aggregate] {group}", recipe.aggregate.method_of(framework.level[group]), "arithmetic", "no_sum")
        for group in framework.top_down
        if recipe.aggregate.method_of(framework.level[group]) != "arithmetic"
    ]
    problems += [
        Problem(f"[weights] {group}", entry.method, "weights that are the same for all hubs", "own_weights")
        for group, entry in result.tree.weights.items()
        if entry.scale is not None
    ]
    if problems:
        raise NotStraight(problems)


def check_target(
    result: IndexResult,
    period: str,
    hub: str,
    goal: Goal,
    efforts: Mapping[str, Effort],
    scale: Scale,
    units: Mapping[str, str],
) -> None:
    """Raises UnusableEffort with everything that is wrong with hub, goal and efforts.

    units: of the figures of each indicator.
    """
    problems = []
    if hub not in result.steps.hubs:
        problems.append(Problem("hub", repr(hub), one_of(result.steps.hubs, hub), "unknown_hub"))
    elif np.isnan(totals_in(result, period)[result.steps.hubs.index(hub)]):
        problems.append(Problem(f"{hub} in {period}", "not ranked", "a hub that is ranked", "not_ranked"))
    if (goal.rank is None) == (goal.score is None):
        problems.append(Problem("goal", "a rank and a score, or neither", "one of them", "no_goal"))
    if goal.rank is not None and goal.rank < 1:
        problems.append(Problem("goal", f"rank {goal.rank}", "1 or more", "no_goal"))
    for code, effort in efforts.items():
        if code not in scale.codes:
            problems.append(Problem("effort", repr(code), one_of(scale.codes, code), "unknown_code"))
            continue
        i = scale.codes.index(code)
        for name, bound in (("lower", effort.lower), ("upper", effort.upper)):
            if bound is not None and not scale.bottom[i] <= bound <= scale.top[i]:
                expected = f"a score from {scale.bottom[i]:g} to {scale.top[i]:g}"
                problems.append(Problem(f"effort {code}", f"{name} {bound:g}", expected, "out_of_scale"))
            elif bound not in (None, scale.bottom[i], scale.top[i]) and is_switch(units[code]):
                expected = f"{scale.bottom[i]:g} or {scale.top[i]:g}: it is or it is not"
                problems.append(Problem(f"effort {code}", f"{name} {bound:g}", expected, "no_half"))
        if effort.cost_per_unit is not None and scale.logged[i]:
            expected = "cost_per_point, for the score follows the logarithm of the figure"
            problems.append(Problem(f"effort {code}", "cost_per_unit", expected, "logarithm"))
    if problems:
        raise UnusableEffort(problems)


def totals_in(result: IndexResult, period: str) -> Array:
    """The total of every hub in one period, (hubs,), NaN where it is not ranked."""
    totals: Array = result.tree.scores[result.framework.root][result.steps.periods.index(period)]
    return totals
