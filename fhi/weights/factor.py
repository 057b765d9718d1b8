"""Weights from a maximum-likelihood factor analysis of a group's indicators.

Arrays in, arrays out. Knows no tree and no names. The likelihood is maximised as R's `factanal` does, so that its
figures can be held against these (Joreskog 1967, Psychometrika 32, 443-482; Lawley & Maxwell 1971, chapter 4).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError
from fhi.weights.pca import components_of, correlation_matrix, kept_components, squared_loading_weights, varimax

MIN_UNIQUENESS: Final = 0.005
_RANDOM_STARTS: Final = 4


@dataclass(frozen=True)
class FactorWeights:
    """Weights that sum to 1 and the factor model that they come from.

    loadings: (indicators, factors), after varimax; uniquenesses: (indicators,), the variance that the factors leave,
    communalities 1 minus that. `at_bound` counts uniquenesses held at their lower bound (Heywood cases: read such
    weights with care). discrepancy: the minimised fitting function, 0 for a perfect fit.
    """

    weights: Array
    loadings: Array
    uniquenesses: Array
    communalities: Array
    factors: int
    degrees_of_freedom: int
    discrepancy: float
    at_bound: int


def factor_weights(scores: Array, *, factors: int | None = None) -> FactorWeights:
    """Weights by the rule of Nicoletti, Scarpetta and Boylaud on maximum-likelihood loadings turned by varimax.

    scores: (observations, indicators), no NaN, any unit; factors: how many, unless given as many as principal
    components explain at least a tenth of the variance (OECD/JRC Handbook 2008, tables 10 and 18). Raises WeightError
    for columns that cannot be correlated, more factors than the indicators can bear (negative degrees of freedom), or
    a singular correlation matrix (an indicator that repeats others, or fewer observations than indicators).
    """
    correlation = correlation_matrix(scores)
    count = kept_components(components_of(correlation).explained) if factors is None else factors
    k = len(correlation)
    freedom = ((k - count) ** 2 - k - count) // 2
    if count < 1 or freedom < 0:
        raise WeightError(
            f"{count} factors of {k} indicators leave {freedom} degrees of freedom; expected one factor or more and "
            f"none below zero: at most {_most_factors(k)} factors, or weights by principal components"
        )
    if np.linalg.cond(correlation) > 1e12:
        raise WeightError(
            "the correlation matrix is singular; expected more observations than indicators and none that repeats "
            "others: drop one, or use weights by principal components"
        )
    uniquenesses, discrepancy = _most_likely(correlation, count)
    loadings = varimax(_loadings(correlation, uniquenesses, count))
    return FactorWeights(
        weights=squared_loading_weights(loadings),
        loadings=loadings,
        uniquenesses=uniquenesses,
        communalities=1 - uniquenesses,
        factors=count,
        degrees_of_freedom=freedom,
        discrepancy=discrepancy,
        at_bound=int((uniquenesses <= MIN_UNIQUENESS * (1 + 1e-9)).sum()),
    )


def _most_factors(k: int) -> int:
    return max((count for count in range(k) if (k - count) ** 2 - k - count >= 0), default=0)


def _most_likely(correlation: Array, factors: int) -> tuple[Array, float]:
    """Uniquenesses that minimise the profile discrepancy, the best of several starts, and its least value.

    The likelihood of a Heywood case has several local maxima; the seed is fixed so that a run repeats itself.
    """
    from scipy.optimize import minimize

    k = len(correlation)
    usual = (1 - 0.5 * factors / k) / np.diag(np.linalg.inv(correlation))
    drawn = np.random.default_rng(0).uniform(0.05, 0.95, size=(_RANDOM_STARTS, k))
    fits = [
        minimize(
            _discrepancy,
            start.clip(MIN_UNIQUENESS, 1.0),
            args=(correlation, factors),
            jac=True,
            method="L-BFGS-B",
            bounds=[(MIN_UNIQUENESS, 1.0)] * k,
            options={"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-9},
        )
        for start in [usual, *drawn]
    ]
    best = min(fits, key=lambda fit: float(fit.fun))
    found: Array = best.x
    return found, float(best.fun)


def _discrepancy(uniquenesses: Array, correlation: Array, factors: int) -> tuple[float, Array]:
    root = np.sqrt(uniquenesses)
    values = np.linalg.eigvalsh(correlation / np.outer(root, root))[: len(root) - factors]
    value = -float((np.log(values) - values).sum()) - (len(root) - factors)
    loadings = _loadings(correlation, uniquenesses, factors)
    residual = (loadings**2).sum(axis=1) + uniquenesses - np.diag(correlation)
    gradient: Array = residual / uniquenesses**2
    return value, gradient


def _loadings(correlation: Array, uniquenesses: Array, factors: int) -> Array:
    root = np.sqrt(uniquenesses)
    values, vectors = np.linalg.eigh(correlation / np.outer(root, root))
    top, directions = values[::-1][:factors], vectors[:, ::-1][:, :factors]
    loadings: Array = root[:, None] * directions * np.sqrt((top - 1).clip(min=0.0))
    return loadings
