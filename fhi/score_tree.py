"""Scores of every node from the scores of the indicators: weigh and aggregate each group, children first.

Knows the tree and the order of the work. The rule that chooses weights lives in `fhi.weigh`, each method's arithmetic
in `fhi.weights` and `fhi.aggregate`. Knows no figures before they are scores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fhi.aggregate import aggregator, rescaled_weights
from fhi.arrays import Array
from fhi.framework import Framework
from fhi.group_weights import GroupWeights
from fhi.labels import Labels
from fhi.recipe import Recipe
from fhi.weigh import weigh_group


@dataclass(frozen=True)
class TreeScores:
    """Scores (periods, hubs) of every node, the weights of every group, and what each child counted for each hub.

    local: (periods, hubs, children) of each group, re-scaled over the children that a hub has.
    """

    scores: Mapping[str, Array]
    weights: Mapping[str, GroupWeights]
    local: Mapping[str, Array]


def score_tree(
    normalised: Array,
    framework: Framework,
    recipe: Recipe,
    periods: Sequence[str],
    hubs: Sequence[str],
    weights: Mapping[str, GroupWeights] | None = None,
    left_out: str | None = None,
) -> TreeScores:
    """Score every group bottom up.

    normalised: (periods, hubs, indicators) in framework order, NaN where missing; periods, hubs: their names; weights:
    of every group, where they were derived before (benefit of the doubt is derived anew: its weights are the best for
    the very scores that they weigh); left_out: a node that its group is scored without. Raises WeightError and
    JudgementError from weighing, RecipeError for a mean that the scores cannot have, each naming the group.
    """
    scores = {code: normalised[:, :, i] for i, code in enumerate(framework.indicator)}
    used: dict[str, GroupWeights] = {}
    local: dict[str, Array] = {}
    for group in reversed(framework.top_down):
        children = np.stack([scores[child] for child in framework.children[group]], axis=2)
        children[:, :, [child == left_out for child in framework.children[group]]] = np.nan
        known = None if weights is None or weights[group].scale is not None else weights[group]
        entry = known or weigh_group(group, framework, children, recipe, hubs)
        step = recipe.aggregate
        share = step.min_share_root if group == framework.root else step.min_share
        shares = rescaled_weights(children, np.nan_to_num(entry.weights), share)
        if entry.scale is not None:
            # A hub's own best weights never fall on what it lacks, so that its children are counted alike here.
            alike = rescaled_weights(children, np.ones(children.shape[2]), share)
            shares = np.where(np.isnan(alike), np.nan, shares)
        labels = Labels(group, tuple(periods), tuple(hubs), framework.children[group])
        scores[group] = aggregator(step, framework.level[group], labels)(children, shares)
        if entry.scale is not None:
            scores[group], shares = scores[group] * entry.scale, shares * entry.scale[:, :, None]
        used[group], local[group] = entry, shares
    return TreeScores(scores, used, local)


def effective_weights(framework: Framework, local: Mapping[str, Array]) -> Array:
    """Weight of each indicator in each hub's own total, (periods, hubs, indicators); sums to 1 for a ranked hub.

    Where a group is weighed by benefit of the doubt the sum is another, for that composite is no mean.
    """
    root = local[framework.root]
    reach = {framework.root: np.where(np.isnan(root[:, :, 0]), np.nan, 1.0)}
    for group in framework.top_down:
        for i, child in enumerate(framework.children[group]):
            part = local[group][:, :, i]
            reach[child] = np.where((part == 0) | (reach[group] == 0), 0.0, reach[group] * part)
    return np.stack([reach[code] for code in framework.indicator], axis=2)


def coverage(observed: Array, framework: Framework, weights: Mapping[str, GroupWeights]) -> dict[str, Array]:
    """Share of each node's indicators that have an observed figure, each child counted by its stated weight.

    observed: (periods, hubs, indicators), NaN where there is no figure. Weights that come from the data say nothing
    about indicators without figures, so children count alike there.
    """
    found = {code: (~np.isnan(observed[:, :, i])).astype(np.float64) for i, code in enumerate(framework.indicator)}
    for group in reversed(framework.top_down):
        entry = weights[group]
        parts = entry.weights if entry.stated else np.ones(len(framework.children[group]))
        children = np.stack([found[child] for child in framework.children[group]], axis=2)
        found[group] = (children * parts).sum(axis=2) / parts.sum()
    return found


def is_additive(framework: Framework, recipe: Recipe) -> bool:
    """Do weight times score add up to the total? Only where every group takes an arithmetic mean."""
    return all(recipe.aggregate.method_of(framework.level[group]) == "arithmetic" for group in framework.top_down)
