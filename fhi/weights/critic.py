"""Weights from the contrast of each indicator and its conflict with the others (CRITIC).

Arrays in, arrays out. Knows no tree and no direction.
"""

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError
from fhi.weights.pca import correlation_matrix


def critic_weights(scores: Array) -> Array:
    """CRITIC weights in proportion to c_j = sd_j sum_k (1 - r_jk), on min-max figures of each indicator.

    scores: (units, indicators), no NaN, any unit, for min-max is done here. Returns weights (indicators,) that sum to
    1. Direction matters and is the caller's choice: give scores turned so that more is better (scikit-criteria,
    pyDecision, and what the method means), or raw figures (pymcdm, pyrepo-mcda, and the printed figures of Tus &
    Aytac Adali 2019). Raises WeightError for too few units, an indicator that does not vary, or indicators that all
    say the same. Source: Diakoulaki, Mavrotas & Papayannakis 1995, Computers & Operations Research 22(7), 763-770.
    """
    correlation = correlation_matrix(scores)
    unit = (scores - scores.min(axis=0)) / np.ptp(scores, axis=0)
    conflict = (1 - correlation).sum(axis=0).clip(min=0.0)
    content = np.std(unit, axis=0, ddof=1) * conflict
    if not conflict.sum() > 1e-12:
        raise WeightError("the indicators are fully correlated with each other; expected one that differs from others")
    weights: Array = content / content.sum()
    return weights
