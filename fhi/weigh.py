"""Which weights a group's children get, and why.

Knows the rule of choice: a judgement where one is given, else the recipe's method from the data. The arithmetic of
each method lives in `fhi.weights`. Knows no hubs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.diagnostics import MIN_KMO, Sphericity, bartlett, kmo
from fhi.errors import JudgementError, WeightError
from fhi.framework import Framework, Judgement
from fhi.notes import Note
from fhi.recipe import Recipe
from fhi.weights.ahp import eigenvector_weights
from fhi.weights.pca import correlation_matrix, nicoletti_weights

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


@dataclass(frozen=True)
class GroupWeights:
    """Weights of one group's children in framework order; NaN for a child that no weight can be derived for.

    They sum to 1 over the children that have one.
    """

    group: str
    weights: Array
    method: str
    assumed: bool
    consistency_ratio: float | None = None
    kmo: float | None = None
    sphericity: Sphericity | None = None
    notes: tuple[Note, ...] = ()


def weigh_group(group: str, framework: Framework, scores: Array, recipe: Recipe) -> GroupWeights:
    """Weights of a group's children: by judgement where there is one, else by the recipe from the scores.

    scores: (periods, hubs, indicators of the group), normalised, NaN where missing. Raises JudgementError for a
    matrix less consistent than the recipe allows, WeightError for a group whose figures cannot be correlated.
    """
    judgement = framework.judgement.get(group)
    if judgement is not None:
        return _judged(group, framework, judgement, recipe)
    if recipe.weigh.indicators == "equal":
        n = len(framework.children[group])
        return GroupWeights(group, np.full(n, 1 / n), "equal", assumed=False)
    return _from_data(group, framework, scores)


def _judged(group: str, framework: Framework, judgement: Judgement, recipe: Recipe) -> GroupWeights:
    result = eigenvector_weights(np.array(judgement.pairwise_matrix()), random_index=recipe.weigh.random_index)
    ratio = result.consistency_ratio
    if ratio is not None and ratio > recipe.weigh.max_consistency_ratio:
        raise JudgementError(
            f"judgement of {group}: consistency ratio {ratio:.3f} ({result.random_index}); "
            f"expected at most {recipe.weigh.max_consistency_ratio:g}"
        )
    weight = dict(zip(judgement.items, result.weights, strict=True))
    ordered = np.array([weight.get(child, 0.0) for child in framework.children[group]])
    return GroupWeights(group, ordered, f"ahp_{judgement.rule}", judgement.assumed, consistency_ratio=ratio)


def _from_data(group: str, framework: Framework, scores: Array) -> GroupWeights:
    """PCA over all hubs and periods together, so that one set of weights holds for every period."""
    children = framework.children[group]
    observations = scores.reshape(-1, scores.shape[2])
    used = np.flatnonzero(~np.isnan(observations).all(axis=0))
    weights = np.full(len(children), np.nan)
    if len(used) == 0:
        return GroupWeights(group, weights, "no figures", assumed=False)
    complete = observations[:, used][~np.isnan(observations[:, used]).any(axis=1)]
    if len(used) == 1:
        weights[used] = 1.0
        return GroupWeights(group, weights, "only indicator", assumed=False)
    try:
        result = nicoletti_weights(complete)
    except WeightError as error:
        named = ", ".join(f"{i}: {children[k]}" for i, k in enumerate(used, 1))
        remedy = 'give the group a judgement, or weigh indicators "equal"'
        raise WeightError(f"group {group} ({named}): {error}; else {remedy}") from error
    correlation = correlation_matrix(complete)
    adequacy, sphericity = kmo(correlation), bartlett(correlation, len(complete))
    weights[used] = result.weights
    warn = adequacy is not None and adequacy < MIN_KMO and len(used) > 2
    notes = (Note("weak_sampling_adequacy", group, detail=f"{adequacy:.2f}"),) if warn else ()
    return GroupWeights(
        group, weights, "pca_nicoletti", assumed=False, kmo=adequacy, sphericity=sphericity, notes=notes
    )
