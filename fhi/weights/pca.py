"""Weights from the correlations of a group's indicators: principal components.

Arrays in, arrays out. Knows no tree and no hubs. numpy's eigh is enough for these small matrices; a factor-analysis
library costs seconds of import for the same digits (checked against the Handbook's tables in the tests).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError

MIN_COMPONENT_SHARE: Final = 0.10


@dataclass(frozen=True)
class PcaWeights:
    """Weights that sum to 1, the eigenvalues of the correlation matrix, and how many components were kept."""

    weights: Array
    eigenvalues: Array
    kept: int


def nicoletti_weights(scores: Array) -> PcaWeights:
    """Weights from squared varimax loadings (Nicoletti, Scarpetta and Boylaud 2000; OECD/JRC Handbook 2008, 6.1).

    scores: (observations, indicators), no NaN, any unit. Components that explain at least a tenth of the variance
    are kept and rotated. Each indicator belongs to the factor in whose sum of squares its squared loading has the
    largest share; that share times the factor's part of the explained variance is the squared loading over a common
    sum, and scaled to sum 1 it is never negative. Raises WeightError for too few observations or an indicator that
    does not vary.
    """
    correlation = correlation_matrix(scores)
    values, vectors = np.linalg.eigh(correlation)
    values, vectors = values[::-1].clip(min=0.0), vectors[:, ::-1]
    kept = max(int((values / len(values) >= MIN_COMPONENT_SHARE).sum()), 1)
    loadings = varimax(vectors[:, :kept] * np.sqrt(values[:kept]))
    squared = loadings**2
    factor = (squared / squared.sum(axis=0)).argmax(axis=1)
    own = squared[np.arange(len(squared)), factor]
    return PcaWeights(own / own.sum(), values, kept)


def correlation_matrix(scores: Array) -> Array:
    """Pearson correlations of columns.

    scores: (observations, indicators), no NaN. Returns (indicators, indicators). Raises WeightError for fewer than
    three observations or a column that does not vary.
    """
    if len(scores) < 3:
        raise WeightError(f"{len(scores)} complete observations; expected at least 3 to correlate")
    if (np.ptp(scores, axis=0) == 0).any():
        flat = ", ".join(str(i + 1) for i in np.flatnonzero(np.ptp(scores, axis=0) == 0))
        raise WeightError(f"column(s) {flat} do not vary; expected indicators that differ between hubs")
    return np.atleast_2d(np.corrcoef(scores, rowvar=False))


def varimax(loadings: Array, *, tolerance: float = 1e-12, max_rounds: int = 1000) -> Array:
    """Loadings turned so that each factor loads few indicators strongly (Kaiser 1958, with his row normalisation).

    loadings: (indicators, factors). Returns the same shape; an orthogonal turn keeps every indicator's communality.
    """
    if loadings.shape[1] < 2:
        return loadings
    length = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    rows = loadings / np.where(length > 0, length, 1.0)
    turn = np.eye(loadings.shape[1])
    gained = 0.0
    for _ in range(max_rounds):
        turned = rows @ turn
        gradient = rows.T @ (turned**3 - turned * (turned**2).mean(axis=0))
        left, singular, right = np.linalg.svd(gradient)
        turn = left @ right
        if singular.sum() <= gained * (1 + tolerance):
            break
        gained = float(singular.sum())
    turned_loadings: Array = rows @ turn * length
    return turned_loadings
