"""Which weights a group's children get, and why.

Knows the rule of choice: what the recipe names for a group, else what the framework states (a judgement, given
weights), else the recipe's method from the data. The arithmetic of each method lives in `fhi.weights`, that of
judgements is put together in `fhi.judged`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.diagnostics import MIN_KMO, bartlett, kmo
from fhi.errors import WeightError
from fhi.framework import Framework, Indicator
from fhi.group_weights import GroupWeights
from fhi.judged import judged_weights
from fhi.notes import Note
from fhi.recipe import Recipe, WeighStep, WeightMethod
from fhi.weights.blend import blend_weights
from fhi.weights.bod import doubt_weights
from fhi.weights.critic import critic_weights
from fhi.weights.entropy import entropy_weights
from fhi.weights.factor import factor_weights
from fhi.weights.influence import influence_weights
from fhi.weights.pca import (
    PcaWeights,
    composite_weights,
    correlation_matrix,
    first_component_weights,
    nicoletti_weights,
)

Positions = npt.NDArray[np.intp]

WEIGHT_SCHEMA: Final = pl.Schema(
    {
        "group": pl.String,
        "code": pl.String,
        "weight": pl.Float64,
        "method": pl.String,
        "assumed": pl.Boolean,
        "consistency_ratio": pl.Float64,
        "random_index": pl.String,
        "kmo": pl.Float64,
        "bartlett_chi_square": pl.Float64,
        "bartlett_df": pl.Int64,
    }
)
# The share of observations below which a reader is told that weights rest on few of them.
_FEW: Final = 0.5
_PCA: Final[Mapping[str, Callable[[Array], PcaWeights]]] = {
    "pca_nicoletti": nicoletti_weights,
    "pca_composite": composite_weights,
    "pca_first": first_component_weights,
}


def weigh_group(
    group: str, framework: Framework, scores: Array, recipe: Recipe, hubs: Sequence[str] = ()
) -> GroupWeights:
    """Weights of a group's children by the method that the recipe asks for there.

    scores: (periods, hubs, children), NaN where missing; hubs: their codes, for holistic scores of units. Raises
    JudgementError for a matrix less consistent than the recipe allows; WeightError, naming the group, its children and
    a remedy, for weights that the framework does not state or the figures do not give.
    """
    step = recipe.weights
    method = _settled(step.method_of(group, framework.level[group]), group, framework, step)
    if method != "blend":
        return _by_method(method, group, framework, scores, recipe, hubs)
    parts = [
        _by_method(_settled(part, group, framework, step), group, framework, scores, recipe, hubs)
        for part in step.blend
    ]
    return _blended(group, parts, step.blend)


def _settled(method: WeightMethod, group: str, framework: Framework, step: WeighStep) -> WeightMethod:
    """What `framework` means for a group: its judgement, else its given weights, else the recipe's `otherwise`."""
    if method != "framework":
        return method
    if group in framework.judgement:
        return "ahp"
    return "given" if framework.node[framework.children[group][0]].weight is not None else step.otherwise


def _by_method(
    method: WeightMethod, group: str, framework: Framework, scores: Array, recipe: Recipe, hubs: Sequence[str]
) -> GroupWeights:
    children, step = framework.children[group], recipe.weights
    if method == "equal":
        return GroupWeights(group, np.full(len(children), 1 / len(children)), "equal", stated=True)
    if method == "given":
        return _given(group, framework)
    if method == "ahp":
        if group not in framework.judgement:
            raise WeightError(f"group {group}: no judgement; expected a [[judgement]] of its children for method ahp")
        return judged_weights(framework.judgement[group], children, scores, step, hubs)
    return _from_data(method, group, framework, scores, recipe)


def _given(group: str, framework: Framework) -> GroupWeights:
    weights = [framework.node[child].weight for child in framework.children[group]]
    stated = np.array([weight for weight in weights if weight is not None])
    if len(stated) < len(weights):
        remedy = "a weight of every child in the framework, or another [weights] method"
        raise WeightError(f"group {group}: no weights given for its children; expected {remedy}")
    return GroupWeights(group, stated / stated.sum(), "given", stated=True)


def _blended(group: str, parts: Sequence[GroupWeights], shares: Mapping[WeightMethod, float]) -> GroupWeights:
    weights = blend_weights(np.stack([part.weights for part in parts]), np.array(list(shares.values())))
    named = " + ".join(f"{share:g} {part.method}" for part, share in zip(parts, shares.values(), strict=True))
    notes = tuple(note for part in parts for note in part.notes)
    assumed = any(part.assumed for part in parts)
    return GroupWeights(group, weights, f"blend({named})", assumed=assumed, notes=notes)


def _from_data(method: WeightMethod, group: str, framework: Framework, scores: Array, recipe: Recipe) -> GroupWeights:
    """Weights from scores of all hubs and periods together, so that one set holds for every period.

    Children without any score get none (NaN); one child alone gets all.
    """
    children = framework.children[group]
    observations = scores.reshape(-1, scores.shape[2])
    used = np.flatnonzero(~np.isnan(observations).all(axis=0))
    weights = np.full(len(children), np.nan)
    if len(used) == 0:
        return GroupWeights(group, weights, "no figures")
    if len(used) == 1:
        weights[used] = 1.0
        return GroupWeights(group, weights, "only indicator")
    try:
        if method == "bod":
            return _doubt(group, scores, used, recipe)
        return _by_columns(method, group, framework, observations[:, used], used, recipe.weights)
    except WeightError as error:
        named = ", ".join(f"{i}: {children[k]}" for i, k in enumerate(used, 1))
        remedy = 'give the group a judgement or weights, or weigh it by method "equal"'
        raise WeightError(f"group {group} ({named}): {error}; else {remedy}") from error


def _by_columns(
    method: WeightMethod, group: str, framework: Framework, observations: Array, used: Positions, step: WeighStep
) -> GroupWeights:
    """Weights from the complete rows of the columns used."""
    names = [framework.children[group][k] for k in used]
    complete = observations[~np.isnan(observations).any(axis=1)]
    weights = np.full(len(framework.children[group]), np.nan)
    some = int((~np.isnan(observations)).any(axis=1).sum())
    few = len(complete) < some * _FEW
    notes = [Note("few_complete_rows", group, detail=f"{len(complete)} / {some}")] if few else []
    if method in _PCA:
        weights[used] = _PCA[method](complete).weights
    elif method == "factor":
        factors = factor_weights(complete)
        weights[used] = factors.weights
        notes += [Note("heywood_case", group, detail=str(factors.at_bound))] if factors.at_bound else []
    elif method == "entropy":
        weights[used] = entropy_weights(complete, zeros=step.entropy_zeros)
    elif method == "critic":
        turned = complete if step.critic_direction == "turned" else complete * _directions(framework, names)
        weights[used] = critic_weights(turned)
    elif method == "target":
        found = influence_weights(complete, names, _targets(names, step))
        weights[used] = found.weights
        notes += [] if found.reached else [Note("target_missed", group, detail=f"{found.largest_miss:.3f}")]
    if method not in _PCA and method != "factor":
        return GroupWeights(group, weights, _named(method, step), notes=tuple(notes))
    correlation = correlation_matrix(complete)
    adequacy = kmo(correlation)
    if adequacy is not None and adequacy < MIN_KMO and len(used) > 2:
        notes.append(Note("weak_sampling_adequacy", group, detail=f"{adequacy:.2f}"))
    sphericity = bartlett(correlation, len(complete))
    return GroupWeights(group, weights, method, kmo=adequacy, sphericity=sphericity, notes=tuple(notes))


def _named(method: WeightMethod, step: WeighStep) -> str:
    """A method with the rule that its name alone leaves open."""
    rules = {"entropy": step.entropy_zeros, "critic": step.critic_direction}
    return f"{method}_{rules[method]}" if method in rules else method


def _directions(framework: Framework, names: Sequence[str]) -> Array:
    """-1 for an indicator where less is better: turned scores times this are in the order of the raw figures."""
    nodes = [framework.node[name] for name in names]
    return np.array([float(node.direction) if isinstance(node, Indicator) else 1.0 for node in nodes])


def _targets(names: Sequence[str], step: WeighStep) -> Mapping[str, float]:
    """The wanted influence of a group's children; equal where the recipe names none of them."""
    own = {name: step.targets[name] for name in names if name in step.targets}
    return own or dict.fromkeys(names, 1.0)


def _doubt(group: str, scores: Array, used: Positions, recipe: Recipe) -> GroupWeights:
    """Every hub's own best weights; `scale` turns their mean into the composite, the best hub at the top of the scale.

    Peers are the hubs of the same period, or of all periods where bounds hold for all, since years then compare.
    """
    step = recipe.weights
    peers = scores if recipe.normalise.bounds == "period" else scores.reshape(1, -1, scores.shape[2])
    weights, scale = np.zeros(peers.shape), np.full(peers.shape[:2], np.nan)
    for period in range(len(peers)):
        if np.isnan(peers[period]).all():
            continue
        here = used[~np.isnan(peers[period][:, used]).all(axis=0)]
        found = doubt_weights(peers[period][:, here], min_share=step.bod_min_share, max_share=step.bod_max_share)
        # A hub that is zero in all it has has no best weights: any give it zero.
        shares = np.where(np.isnan(found.shares), ~np.isnan(peers[period][:, here]), found.shares)
        weights[period][:, here] = np.nan_to_num(shares)
        scale[period] = _top(recipe) * found.weights.sum(axis=1)
    return GroupWeights(group, weights.reshape(scores.shape), "bod", scale=scale.reshape(scores.shape[:2]))


def _top(recipe: Recipe) -> float:
    """The score that stands for the best, so that a group weighed by itself is on the scale of its siblings."""
    rule = recipe.normalise
    if rule.method in ("share_of_best", "percentile_rank", "distance_to_reference", "distance_to_target"):
        return 1.0
    return rule.upper if rule.method in ("minmax", "goalposts", "scaled", "distance_to_best") else 100.0


def stated_weights(entry: GroupWeights) -> Array:
    """One weight a child, (children,): as they are, or the mean over hubs and periods where they differ by hub."""
    if entry.scale is None:
        return entry.weights
    ranked = ~np.isnan(entry.scale)
    mean: Array = entry.weights[ranked].mean(axis=0)
    return mean
