"""A parent's score from its children's.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no tree.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from fhi.arrays import Array


def rescaled_weights(scores: Array, weights: Array, min_share: float) -> Array:
    """Weights of the children that a hub has, re-scaled to sum to 1; NaN for a hub that has too few.

    scores: (periods, hubs, children), NaN where missing; weights: (children,), not negative. The share of a hub is
    the weight of its children out of the weight of the children that any hub has in that period: what nobody has
    cannot be held against one. Below `min_share` the whole row is NaN. Returns (periods, hubs, children), 0 for a
    missing child.
    """
    here = ~np.isnan(scores)
    own = np.where(here, weights, 0.0)
    possible = np.where(here.any(axis=1, keepdims=True), weights, 0.0).sum(axis=2, keepdims=True)
    total = own.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = (total > 0) & (total / possible >= min_share - 1e-12)
        rescaled: Array = np.where(enough, own / total, np.nan)
    return rescaled


def arithmetic(scores: Array, weights: Array) -> Array:
    """Weighted arithmetic mean over the last axis; a child of weight 0 does not count, NaN weights give NaN.

    scores, weights: (periods, hubs, children); weights sum to 1 along the last axis.
    """
    mean: Array = np.where(weights == 0, 0.0, scores * weights).sum(axis=2)
    return mean


AGGREGATORS: Final[Mapping[str, Callable[[Array, Array], Array]]] = {"arithmetic": arithmetic}
