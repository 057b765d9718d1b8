"""Weights from how unevenly the units share in each indicator (熵值法).

Arrays in, arrays out. Knows no tree and no direction: it takes scores, greater for the better, as they are given.
"""

from typing import Final, Literal

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError
from fhi.weights.columns import check_columns, numbered

EntropyZeros = Literal["zero", "shift", "rescale"]

_ROUNDING: Final = 1e-15
_SHIFT: Final = 1e-4
_LOW: Final = 0.002
_HIGH: Final = 0.998


def entropy_weights(scores: Array, *, zeros: EntropyZeros) -> Array:
    """Entropy weights w_j = (1 - e_j) / sum (1 - e_j), e_j = -(1 / ln m) sum_i p_ij ln p_ij, p_ij = x_ij / sum_i x_ij.

    scores: (m units, indicators), no NaN, none negative. Returns weights (indicators,) that sum to 1; an indicator
    shared evenly weighs 0. What becomes of a zero changes the weights, so the rule is named: `zero`: 0 ln 0 = 0 on the
    scores as given; `shift`: a ten-thousandth of each indicator's greatest score is added to it, on min-max scores
    [0, 1] the usual 0.0001; `rescale`: each indicator is mapped to [0.002, 0.998] first (R mathmodels). Raises
    WeightError, naming the columns, for missing or negative scores, an indicator that is zero everywhere, or scores of
    which none differs. Source: Shannon 1948; Zeleny 1982, Multiple Criteria Decision Making, chapter 7.
    """
    check_columns(scores, least=2, vary=zeros == "rescale")
    negative = np.flatnonzero((scores < 0).any(axis=0))
    if len(negative):
        raise WeightError(
            f"column(s) {numbered(negative)} hold negative scores; expected none below zero for shares of a sum: "
            "normalise by minmax first"
        )
    used = _without_zeros(scores, zeros)
    sums = used.sum(axis=0)
    empty = np.flatnonzero(sums == 0)
    if len(empty):
        raise WeightError(f"column(s) {numbered(empty)} are zero everywhere; expected a sum to take shares of")
    shares = used / sums
    terms = shares * np.log(np.where(shares > 0, shares, 1.0))
    spread = (1 + terms.sum(axis=0) / np.log(len(scores))).clip(min=0.0)
    if not spread.sum() > _ROUNDING * len(scores):
        raise WeightError("every indicator is shared evenly by the units; expected one that differs between units")
    weights: Array = spread / spread.sum()
    return weights


def _without_zeros(scores: Array, zeros: EntropyZeros) -> Array:
    used = scores
    if zeros == "shift":
        used = scores + _SHIFT * scores.max(axis=0)
    if zeros == "rescale":
        used = _LOW + (_HIGH - _LOW) * (scores - scores.min(axis=0)) / np.ptp(scores, axis=0)
    return used
