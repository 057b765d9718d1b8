"""Totals of one period as a straight line of weights: base + scores x weights, the same weights for every hub.

Knows the tree of a run, and where its total is such a line. Must not know regions of weights or how ranks move.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem, one_of
from fhi.framework import Framework
from fhi.index import IndexResult
from fhi.score_tree import effective_weights
from green_index.moves.errors import NotStraight

Positions = npt.NDArray[np.intp]

INDICATORS: Final = "indicators"
"""The level of all indicators that every ranked hub has."""

TIE: Final = 1e-9
"""Totals nearer than this many points are a tie, and ties take the better rank."""


@dataclass(frozen=True)
class Straight:
    """Totals of the ranked hubs as base + scores @ weights.

    group: whose children are weighed, or INDICATORS. scores: (hubs, codes), points of the total that a weight of 1
    would bring; weights: (codes,), as they are, sum 1; base: (hubs,), what comes from elsewhere in the tree. left_out:
    indicators that only some ranked hubs have, which a line over INDICATORS cannot hold; where there are any, its
    totals are not those of the index.
    """

    group: str
    period: str
    hubs: tuple[str, ...]
    codes: tuple[str, ...]
    scores: Array
    weights: Array
    base: Array
    left_out: tuple[str, ...] = ()


def straight_line(result: IndexResult, period: str, level: str | None = None) -> Straight:
    """The line over the children of a group (the root without one), or over INDICATORS.

    Children of weight 0 and those that no ranked hub has take no part. Raises NotStraight for a level that is not
    there, for groups of another mean than the arithmetic or of weights that differ by hub, and for a child that only
    some ranked hubs have: its weight would mean another thing for each of them.
    """
    group = result.framework.root if level is None else level
    _check(result, group)
    p = result.steps.periods.index(period)
    ranked = np.flatnonzero(~np.isnan(result.tree.scores[result.framework.root][p]))
    if group == INDICATORS:
        return _over_indicators(result, period, ranked)
    return _over_children(result, period, group, ranked)


def totals_of(line: Straight, weights: Array) -> Array:
    """Totals at other weights, (hubs,). weights: (codes,), sum 1."""
    totals: Array = line.base + line.scores @ weights
    return totals


def rank_of(totals: Array, hub: int) -> int:
    """The rank of one hub among totals (hubs,): one more than the hubs that are above by more than TIE."""
    return 1 + int((totals - totals[hub] > TIE).sum())


def _check(result: IndexResult, group: str) -> None:
    tree, recipe = result.framework, result.recipe
    if group != INDICATORS and group not in tree.children:
        known = one_of([*tree.children, INDICATORS], group)
        raise NotStraight([Problem("level", repr(group), f"a group, or {INDICATORS}: {known}", "unknown_group")])
    asked = tree.top_down if group == INDICATORS else _path(tree, group)
    problems = [
        Problem(f"[aggregate] {each}", recipe.aggregate.method_of(tree.level[each]), "arithmetic", "no_sum")
        for each in asked
        if recipe.aggregate.method_of(tree.level[each]) != "arithmetic"
    ]
    problems += [
        Problem(f"[weights] {each}", result.tree.weights[each].method, "weights that all hubs share", "own_weights")
        for each in asked
        if result.tree.weights[each].scale is not None
    ]
    if problems:
        raise NotStraight(problems)


def _path(tree: Framework, group: str) -> list[str]:
    """The groups from the root down to this one."""
    parent = {child: each for each, children in tree.children.items() for child in children}
    path = [group]
    while path[-1] in parent:
        path.append(parent[path[-1]])
    return path[::-1]


def _over_children(result: IndexResult, period: str, group: str, ranked: Positions) -> Straight:
    tree, p = result.framework, result.steps.periods.index(period)
    hubs = tuple(result.steps.hubs[h] for h in ranked)
    stated = np.nan_to_num(result.tree.weights[group].weights)
    scores = {
        child: result.tree.scores[child][p, ranked]
        for child, weight in zip(tree.children[group], stated, strict=True)
        if weight > 0
    }
    present = {child: values for child, values in scores.items() if not np.isnan(values).all()}
    problems = [
        Problem(
            f"{child} in {period}",
            f"no score of {_few(hubs, np.isnan(values))}",
            f"a child that every ranked hub has (or the level {INDICATORS})",
            "not_everyone",
        )
        for child, values in present.items()
        if np.isnan(values).any()
    ]
    if not present:
        problems.append(Problem(f"{group} in {period}", "no score", "a group with figures", "no_figures"))
    if problems:
        raise NotStraight(problems)
    reach = np.ones(len(ranked))
    path = _path(tree, group)
    for above, below in pairwise(path):
        reach = reach * result.tree.local[above][p, ranked, tree.children[above].index(below)]
    places = [tree.children[group].index(child) for child in present]
    own = np.stack(list(present.values()), axis=1)
    weights = stated[places] / stated[places].sum()
    return Straight(
        group=group,
        period=period,
        hubs=hubs,
        codes=tuple(present),
        scores=reach[:, None] * own,
        weights=weights,
        base=result.tree.scores[tree.root][p, ranked] - reach * (own @ weights),
    )


def _over_indicators(result: IndexResult, period: str, ranked: Positions) -> Straight:
    steps, p = result.steps, result.steps.periods.index(period)
    scores = steps.cubes["normalised"][p, ranked]
    reached = ~np.isnan(scores)
    complete = {code: bool(here.all()) for code, here in zip(steps.codes, reached.T, strict=True)}
    shares = _shares(result, complete)
    codes = tuple(code for code in steps.codes if shares.get(code, 0.0) > 0)
    if not codes:
        found = "no indicator that every ranked hub has"
        raise NotStraight([Problem(f"{INDICATORS} in {period}", found, "one at least", "no_figures")])
    places = [steps.codes.index(code) for code in codes]
    used = (np.nan_to_num(effective_weights(result.framework, result.tree.local)[p, ranked]) > 0).any(axis=0)
    some = [code for code, counts in zip(steps.codes, used, strict=True) if counts and not complete[code]]
    return Straight(
        group=INDICATORS,
        period=period,
        hubs=tuple(steps.hubs[h] for h in ranked),
        codes=codes,
        scores=scores[:, places],
        weights=np.array([shares[code] for code in codes]),
        base=np.zeros(len(ranked)),
        left_out=tuple(some),
    )


def _shares(result: IndexResult, complete: Mapping[str, bool]) -> dict[str, float]:
    """Weight of each complete indicator in a total of complete indicators only: stated weights re-scaled inside every
    group over the children that have any."""
    tree = result.framework
    alive = dict(complete)
    for group in reversed(tree.top_down):
        stated = np.nan_to_num(result.tree.weights[group].weights)
        alive[group] = any(
            alive[child] and weight > 0 for child, weight in zip(tree.children[group], stated, strict=True)
        )
    shares = {tree.root: 1.0}
    for group in tree.top_down:
        stated = np.nan_to_num(result.tree.weights[group].weights)
        parts = np.where([alive[child] for child in tree.children[group]], stated, 0.0)
        if group not in shares or not parts.sum():
            continue
        for child, part in zip(tree.children[group], parts / parts.sum(), strict=True):
            if part > 0:
                shares[child] = shares[group] * float(part)
    return shares


def _few(hubs: tuple[str, ...], missing: npt.NDArray[np.bool_]) -> str:
    """The first hubs of those that miss something, and how many more."""
    names = [hub for hub, lacks in zip(hubs, missing, strict=True) if lacks]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
