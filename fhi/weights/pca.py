"""Weights from the correlations of a group's indicators: principal components.

Arrays in, arrays out. Knows no tree and no hubs. numpy's eigh is enough for these small matrices; a factor-analysis
library costs seconds of import for the same digits (checked against the Handbook's tables in the tests).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError
from fhi.weights.columns import check_columns, numbered

MIN_COMPONENT_SHARE: Final = 0.10
_ROUNDING: Final = 1e-12
_NO_SIGN: Final = 1e-9


@dataclass(frozen=True)
class Components:
    """Principal components of a correlation matrix, the greatest first.

    eigenvalues: (indicators,); explained: (indicators,), each one's share of the variance; vectors: (indicators,
    components), of unit length, each turned so that its coefficients sum to more than zero (an eigenvector has no sign
    of its own); loadings: vectors times the root of the eigenvalue, the correlations of indicator and component.
    """

    eigenvalues: Array
    explained: Array
    vectors: Array
    loadings: Array


@dataclass(frozen=True)
class PcaWeights:
    """Weights that sum to 1, what they come from, and how many components were kept.

    eigenvalues, explained, vectors: as in `Components`; loadings: (indicators, kept), after varimax where the rule
    turns them.
    """

    weights: Array
    eigenvalues: Array
    kept: int
    explained: Array
    vectors: Array
    loadings: Array


def nicoletti_weights(scores: Array) -> PcaWeights:
    """Weights from squared varimax loadings (Nicoletti, Scarpetta and Boylaud 2000; OECD/JRC Handbook 2008, 6.1).

    scores: (observations, indicators), no NaN, any unit. Components that explain at least a tenth of the variance
    are kept and rotated. Each indicator belongs to the factor in whose sum of squares its squared loading has the
    largest share; that share times the factor's part of the explained variance is the squared loading over a common
    sum, and scaled to sum 1 it is never negative. Raises WeightError for too few observations or an indicator that
    does not vary.
    """
    found = components_of(correlation_matrix(scores))
    kept = kept_components(found.explained)
    loadings = varimax(found.loadings[:, :kept])
    return PcaWeights(
        squared_loading_weights(loadings), found.eigenvalues, kept, found.explained, found.vectors, loadings
    )


def composite_weights(scores: Array, *, kept: int | None = None) -> PcaWeights:
    """Coefficients of the indicators averaged over the components by explained variance, as Chinese studies do.

    scores: (observations, indicators), no NaN, any unit; kept: how many components, unless given those that explain at
    least a tenth of the variance. w_j is in proportion to sum_c explained_c vector_jc over the components kept
    (综合得分模型系数), scaled to sum 1. A component whose coefficients sum to zero, as (1, -1) of two indicators, has
    no sign to choose: its two signs cancel, and it is left out. Raises WeightError as `nicoletti_weights`, for a number
    of components that does not exist, and, naming the columns, where a weight comes out negative: studies that take
    absolute values there let an indicator count for more the more it speaks against the others.
    """
    found = components_of(correlation_matrix(scores))
    used = kept_components(found.explained) if kept is None else kept
    if not 1 <= used <= len(found.eigenvalues):
        raise WeightError(f"{used} components to keep; expected 1 to {len(found.eigenvalues)}")
    signed = np.abs(found.vectors.sum(axis=0)) > _NO_SIGN
    raw = found.vectors[:, :used] @ np.where(signed, found.explained, 0.0)[:used]
    loadings = found.loadings[:, :used]
    return PcaWeights(_positive(raw), found.eigenvalues, used, found.explained, found.vectors, loadings)


def first_component_weights(scores: Array) -> PcaWeights:
    """Coefficients of the first principal component, scaled to sum 1.

    scores: (observations, indicators), no NaN, any unit. COINr (`get_PCA(weights_to=)`) takes the same vector at unit
    length, with whatever sign the decomposition leaves and with negative weights among positive ones; it is here the
    first of `vectors`. Raises WeightError as `nicoletti_weights`, and, naming the columns, for a vector of mixed sign.
    """
    found = components_of(correlation_matrix(scores))
    weights = _positive(found.vectors[:, 0])
    return PcaWeights(weights, found.eigenvalues, 1, found.explained, found.vectors, found.loadings[:, :1])


def components_of(correlation: Array) -> Components:
    """Principal components of a correlation matrix (indicators, indicators)."""
    values, vectors = np.linalg.eigh(correlation)
    values, vectors = values[::-1].clip(min=0.0), vectors[:, ::-1]
    vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    return Components(values, values / values.sum(), vectors, vectors * np.sqrt(values))


def kept_components(explained: Array) -> int:
    """How many components explain at least a tenth of the variance; one where none does."""
    return max(int((explained >= MIN_COMPONENT_SHARE).sum()), 1)


def squared_loading_weights(loadings: Array) -> Array:
    """The rule of Nicoletti, Scarpetta and Boylaud on loadings (indicators, factors), turned by varimax.

    Returns weights (indicators,) that sum to 1 and are never negative; see `nicoletti_weights`.
    """
    squared = loadings**2
    factor = (squared / squared.sum(axis=0)).argmax(axis=1)
    own = squared[np.arange(len(squared)), factor]
    weights: Array = own / own.sum()
    return weights


def correlation_matrix(scores: Array) -> Array:
    """Pearson correlations of columns.

    scores: (observations, indicators), no NaN. Returns (indicators, indicators). Raises WeightError for fewer than
    three observations or a column that does not vary.
    """
    check_columns(scores)
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


def _positive(raw: Array) -> Array:
    """Weights scaled to sum 1, rounding noise below zero taken as zero; WeightError for a negative one."""
    negative = np.flatnonzero(raw < -_ROUNDING)
    if len(negative):
        found = ", ".join(f"{value:.3f}" for value in raw[negative])
        raise WeightError(
            f"column(s) {numbered(negative)} would weigh {found}; expected no negative weights: "
            "turn or drop what runs against the rest of the group, or use the nicoletti rule"
        )
    weights: Array = raw.clip(min=0.0) / raw.clip(min=0.0).sum()
    return weights
