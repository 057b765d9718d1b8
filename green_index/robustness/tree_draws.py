"""A tree scored for many sets of weights at once.

Knows groups, their means and which hub has which child, as arrays of one period. Knows neither how weights are drawn
nor how scores are ranked. Which hub has which child, and which hub is ranked, is settled by the run that a plan is made
from, whatever the weights drawn are.

All means here are quasi-arithmetic, f^-1(sum w f(x) / sum w) (Kolmogorov 1930; Nagumo 1930): f is x for the
arithmetic mean, ln x for the geometric and -1/x for the harmonic, all rising, so that the total is ranked on f's scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem
from fhi.framework import Framework
from fhi.recipe import Recipe

Mean = Literal["arithmetic", "geometric", "harmonic"]
MEANS: Final[tuple[Mean, ...]] = get_args(Mean)
Floats = npt.NDArray[Any]
Places = npt.NDArray[np.intp]
_ONE: Final = np.ones(1)


@dataclass(frozen=True)
class GroupPlan:
    """One group with two children or more, ready to be scored.

    rows : places of its children in the weights drawn of the group. The first of them are indicators, with `leaves`
    (hubs, indicators), on f's scale and 0 where missing; the others are `groups`. here : (hubs, children), 1 where the
    hub has the child; whole : has every hub every child? lacking : (hubs,), 1 where a hub has none of them.
    above : the mean of the group above; the total's own for the total.
    """

    code: str
    mean: Mean
    above: Mean
    rows: Places
    groups: tuple[str, ...]
    leaves: Array
    here: Array
    lacking: Array
    whole: bool


@dataclass(frozen=True)
class TreePlan:
    """A tree of one period over the hubs that are ranked in it.

    hubs : places of these hubs among all that take part; groups : children before parents, the total last; low and
    high : between these every total lies, on the scale of the total's f less `shift`; shift : what was taken from all
    figures, so that they lie on both sides of zero and 32-bit sums lose least; terms : how many numbers a total is
    made of.
    """

    hubs: Places
    groups: tuple[GroupPlan, ...]
    low: float
    high: float
    shift: float
    terms: int

    @property
    def mean(self) -> Mean:
        """The mean that the total is."""
        return self.groups[-1].mean


def to_scale(mean: Mean, x: Floats) -> Floats:
    """f of a mean: scores as what is averaged."""
    if mean == "geometric":
        return np.asarray(np.log(x))
    return -1 / x if mean == "harmonic" else x


def from_scale(mean: Mean, y: Floats) -> Floats:
    """The inverse of f: averages as scores."""
    if mean == "geometric":
        return np.asarray(np.exp(y))
    return -1 / y if mean == "harmonic" else y


def live_children(framework: Framework, local: Mapping[str, Array]) -> dict[str, tuple[str, ...]]:
    """The children of every group that count for one hub at least.

    local : (hubs, children) of each group, weights re-scaled over the children that a hub has, of ranked hubs
    """
    return {
        group: tuple(child for i, child in enumerate(children) if (local[group][:, i] > 0).any())
        for group, children in framework.children.items()
    }


def plan_tree(
    framework: Framework,
    recipe: Recipe,
    values: Mapping[str, Array],
    local: Mapping[str, Array],
    drawn: Mapping[str, Sequence[str]],
    hubs: Places,
) -> TreePlan:
    """A plan from one run in one period.

    values : (hubs,) normalised figures of every indicator; local : (hubs, children) of every group, as
    `fhi.score_tree` gives them; both of the ranked hubs alone; drawn : the children of each group that weights are
    drawn for, in their order; hubs : places of these hubs among all that take part. Only groups of a mean in MEANS.
    """
    live = live_children(framework, local)
    stands_for = _pass_through(framework, live)
    means = {group: _mean_of(recipe, framework.level[group]) for group in framework.children}
    plans: list[GroupPlan] = []
    bounds: dict[str, tuple[float, float]] = {}
    parents = _parents(framework, live, stands_for)
    for group in reversed(framework.top_down):
        if group not in parents and group != stands_for[framework.root]:
            continue
        above = means[parents.get(group, group)]
        plans.append(_plan_group(group, framework, values, local[group], live, stands_for, means[group], above, drawn))
        bounds[group] = _bounds(plans[-1], bounds)
    if not plans:
        plans.append(_lone(framework.root, stands_for[framework.root], values, means[framework.root]))
        bounds[framework.root] = _bounds(plans[-1], bounds)
    return _finish(hubs, plans, *bounds[plans[-1].code])


def _finish(hubs: Places, plans: Sequence[GroupPlan], low: float, high: float) -> TreePlan:
    """The plan, its figures around zero where one mean is used throughout: it then moves as its figures do."""
    shift = (low + high) / 2 if len({plan.mean for plan in plans}) == 1 else 0.0
    moved = tuple(
        replace(plan, leaves=np.where(plan.here[:, : plan.leaves.shape[1]] > 0, plan.leaves - shift, 0.0))
        for plan in plans
    )
    terms = sum(len(plan.rows) for plan in plans)
    return TreePlan(hubs, moved, low - shift, high - shift, shift, terms)


def unknown_means(framework: Framework, recipe: Recipe) -> list[Problem]:
    """Groups whose mean is not in MEANS, which weights drawn say nothing of."""
    asked = {recipe.aggregate.method_of(framework.level[group]) for group in framework.children}
    expected = f"{', '.join(MEANS)}: the means that weights are drawn for"
    return [Problem("aggregation", mean, expected, "wrong_value") for mean in sorted(asked - set(MEANS))]


def _mean_of(recipe: Recipe, level: int) -> Mean:
    method = recipe.aggregate.method_of(level)
    for mean in MEANS:
        if method == mean:
            return mean
    raise ValueError(f"groups of level {level} are {method}; expected one of {', '.join(MEANS)}")


def _pass_through(framework: Framework, live: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """What each node's score is the score of: a group with one child that counts is that child."""
    found = {code: code for code in framework.indicator}
    for group in reversed(framework.top_down):
        found[group] = found[live[group][0]] if len(live[group]) == 1 else group
    return found


def _parents(
    framework: Framework, live: Mapping[str, tuple[str, ...]], stands_for: Mapping[str, str]
) -> dict[str, str]:
    """The planned group above each planned group that counts."""
    found: dict[str, str] = {}
    waiting = [stands_for[framework.root]]
    for group in waiting:
        for child in live.get(group, ()):
            if stands_for[child] in framework.children:
                found[stands_for[child]] = group
                waiting.append(stands_for[child])
    return found


def _plan_group(
    group: str,
    framework: Framework,
    values: Mapping[str, Array],
    local: Array,
    live: Mapping[str, tuple[str, ...]],
    stands_for: Mapping[str, str],
    mean: Mean,
    above: Mean,
    drawn: Mapping[str, Sequence[str]],
) -> GroupPlan:
    leaves = [child for child in live[group] if stands_for[child] in framework.indicator]
    inner = [child for child in live[group] if stands_for[child] not in framework.indicator]
    column = {child: i for i, child in enumerate(framework.children[group])}
    here = np.stack([local[:, column[child]] > 0 for child in (*leaves, *inner)], axis=1)
    figures = np.zeros((len(here), len(leaves)))
    for i, child in enumerate(leaves):
        figures[here[:, i], i] = to_scale(mean, values[stands_for[child]][here[:, i]])
    rows = np.array([drawn[group].index(child) for child in (*leaves, *inner)], dtype=np.intp)
    return _group_plan(group, mean, above, rows, tuple(stands_for[child] for child in inner), figures, here)


def _group_plan(
    code: str,
    mean: Mean,
    above: Mean,
    rows: Places,
    groups: tuple[str, ...],
    leaves: Array,
    here: npt.NDArray[np.bool_],
) -> GroupPlan:
    lacking = np.asarray(~here.any(axis=1), dtype=np.float64)
    return GroupPlan(code, mean, above, rows, groups, leaves, here.astype(np.float64), lacking, bool(here.all()))


def plan_matrix(scores: Array, group: str = "total") -> TreePlan:
    """A plan of one arithmetic mean over the columns of a matrix without gaps.

    scores : (hubs, indicators); group : the name that the weights of the columns are drawn under
    """
    hubs, indicators = scores.shape
    has_all = np.ones(scores.shape, dtype=bool)
    plan = _group_plan(group, "arithmetic", "arithmetic", np.arange(indicators), (), scores, has_all)
    return _finish(np.arange(hubs), [plan], float(scores.min()), float(scores.max()))


def _lone(root: str, code: str, values: Mapping[str, Array], mean: Mean) -> GroupPlan:
    """A total that one indicator alone makes up, whatever the weights."""
    leaves = to_scale(mean, values[code])[:, None]
    return _group_plan(root, mean, mean, np.zeros(1, dtype=np.intp), (), leaves, np.ones(leaves.shape, dtype=bool))


def _bounds(plan: GroupPlan, below: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Least and greatest average that the group can have, on the scale of the mean above it."""
    has = plan.here[:, : plan.leaves.shape[1]] > 0
    ends = [float(x) for x in (plan.leaves[has].min(), plan.leaves[has].max())] if has.any() else []
    ends += [end for group in plan.groups for end in below[group]]
    low, high = np.array([min(ends), max(ends)])
    if plan.mean == plan.above:
        return float(low), float(high)
    turned = to_scale(plan.above, from_scale(plan.mean, np.array([low, high])))
    return float(turned[0]), float(turned[1])


def total_scores(plan: TreePlan, totals: Floats) -> Floats:
    """What `score_draws` gives as scores."""
    return from_scale(plan.mean, totals + plan.shift)


def score_draws(plan: TreePlan, weights: Mapping[str, Floats], precise: bool = False) -> Floats:
    """Totals of every hub for every draw, (draws, hubs), in the order of the scores; `total_scores` makes them scores.

    weights : of each group (children drawn, draws), any positive factor; precise : in 64-bit floats, else in 32-bit
    """
    kind = np.float64 if precise else np.float32
    found: dict[str, Floats] = {}
    for group in plan.groups:
        own = weights[group.code]
        parts = own if _in_order(group.rows, len(own)) else own[group.rows]
        parts = parts.astype(kind, copy=False)
        found[group.code] = _score_group(group, parts, found, kind)
    return found[plan.groups[-1].code]


def _in_order(rows: Places, children: int) -> bool:
    return len(rows) == children and bool((rows == np.arange(children)).all())


def _score_group(group: GroupPlan, weights: Floats, found: dict[str, Floats], kind: type) -> Floats:
    hubs, leaves = group.leaves.shape
    score = weights[:leaves].T @ group.leaves.T.astype(kind) if leaves else np.zeros((weights.shape[1], hubs), kind)
    for row, code in enumerate(group.groups, leaves):
        part = found.pop(code)
        has = group.here[:, row] > 0
        part *= weights[row][:, None]
        if not has.all():
            part[:, ~has] = 0
        score += part
    if group.whole:
        score *= (1 / weights.sum(axis=0))[:, None]
    else:
        total = weights.T @ group.here.T.astype(kind)
        total += group.lacking.astype(kind)
        score /= total
    if group.mean == group.above:
        return score
    # A hub without the group has 0 here, which not every scale takes; whatever stands there is not counted above.
    score[:, group.lacking > 0] = to_scale(group.mean, _ONE)[0]
    return to_scale(group.above, from_scale(group.mean, score))


def score_points(plan: TreePlan, weights: Mapping[str, Floats], draws: Places, hubs: Places) -> Array:
    """Totals of single hubs in single draws, (points,), as scores and in 64-bit floats.

    draws, hubs : (points,), places of draw and of hub in the plan; weights : as for `score_draws`
    """
    found: dict[str, Array] = {}
    for group in plan.groups:
        # Whole rows are taken, which costs least.
        parts = np.take(weights[group.code][group.rows].T.astype(np.float64, order="C"), draws, axis=0)
        if not group.whole:
            parts *= np.take(group.here, hubs, axis=0)
        leaves = group.leaves.shape[1]
        score = np.einsum("pc,pc->p", parts[:, :leaves], np.take(group.leaves, hubs, axis=0))
        for row, code in enumerate(group.groups, leaves):
            score += parts[:, row] * np.where(group.here[hubs, row] > 0, found[code], 0.0)
        score /= parts.sum(axis=1) + group.lacking[hubs]
        if group.mean != group.above:
            score = np.where(group.lacking[hubs] > 0, to_scale(group.mean, _ONE), score)
            score = to_scale(group.above, from_scale(group.mean, score))
        found[group.code] = score
    return np.asarray(total_scores(plan, found[plan.groups[-1].code]))
