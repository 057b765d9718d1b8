"""Support vector regression on standardised factors, its three constants chosen by cross-validation.

Knows arrays. Knows no hub, no factor by name and no rating.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array

FOLDS: Final = 5
_TIE: Final = 1e-9
# scikit-learn stops at 1e-3, where the last digits still hang on the machine.
_TOLERANCE: Final = 1e-7


@dataclass(frozen=True)
class Grid:
    """The constants that are tried: penalty C and tube epsilon in standard deviations of the target, width gamma
    times the number of factors. Ours; small, for few hubs cannot choose among many."""

    penalty: tuple[float, ...] = (1.0, 10.0, 100.0)
    tube: tuple[float, ...] = (0.05, 0.2)
    width: tuple[float, ...] = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Choice:
    """One point of a grid."""

    penalty: float
    tube: float
    width: float


@dataclass(frozen=True)
class Model:
    """A fitted regression: the standardisation (`mean`, `scale` by factor, infinite for one that did not vary;
    `level`, `spread` of the target), the support vectors (k, factors) with their coefficients (k,), and the
    intercept."""

    choice: Choice
    mean: Array
    scale: Array
    level: float
    spread: float
    vectors: Array
    coefficients: Array
    intercept: float


def standardise(x: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column of x (units, factors); the deviation is infinite for a column that
    does not vary, which so says nothing of any unit."""
    varies = np.ptp(x, axis=0) > 0
    return x.mean(axis=0), np.where(varies, x.std(axis=0), np.inf)


def fit(x: Array, y: Array, choice: Choice) -> Model:
    """The regression with a radial kernel, exp(-width / p sum over the p factors of squared differences).

    x: (units, factors), finite; y: (units,), any unit. Both are standardised by these units alone (Drucker, Burges,
    Kaufman, Smola and Vapnik 1997, by scikit-learn's SVR). A target that does not vary is predicted as it is.
    """
    from sklearn.svm import SVR

    mean, scale = standardise(x)
    level, spread = float(y.mean()), float(y.std())
    if np.ptp(y) == 0:
        return Model(choice, mean, scale, level, 0.0, np.empty((0, x.shape[1])), np.empty(0), 0.0)
    z = (x - mean) / scale
    machine = SVR(C=choice.penalty, epsilon=choice.tube, gamma=choice.width / x.shape[1], tol=_TOLERANCE)
    machine.fit(z, (y - level) / spread)
    vectors: Array = np.asarray(machine.support_vectors_, dtype=np.float64)
    return Model(
        choice, mean, scale, level, spread, vectors, machine.dual_coef_.ravel(), float(machine.intercept_.item())
    )


def predict(model: Model, x: Array) -> Array:
    """Predictions (units,) in the unit of the target for x (units, factors)."""
    z = (x - model.mean) / model.scale
    v = model.vectors
    # Less memory than all differences at once; rounding may leave a square below zero.
    squares = np.maximum((z**2).sum(axis=1)[:, None] + (v**2).sum(axis=1) - 2 * z @ v.T, 0.0)
    kernel = np.exp(-model.choice.width / x.shape[1] * squares)
    found: Array = model.level + model.spread * (kernel @ model.coefficients + model.intercept)
    return found


def choose(x: Array, y: Array, grid: Grid, seed: int) -> Choice:
    """The point of the grid with the least squared error over FOLDS folds, drawn by the seed; of equals the smoothest.

    Everything, the standardisation too, is learnt anew within each fold.
    """
    choices = [Choice(*point) for point in product(grid.penalty, grid.tube[::-1], grid.width)]
    if len(choices) == 1:
        return choices[0]
    folds = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    errors = [sum(_fold_error(x, y, folds == fold, choice) for fold in range(FOLDS)) for choice in choices]
    least = min(errors)
    return next(choice for choice, error in zip(choices, errors, strict=True) if error <= least * (1 + _TIE))


def fit_tuned(x: Array, y: Array, grid: Grid, seed: int) -> Model:
    """The regression with the constants that `choose` finds for these units."""
    with quick_checks():
        return fit(x, y, choose(x, y, grid, seed))


@contextmanager
def quick_checks() -> Iterator[None]:
    """Leave out scikit-learn's checks of every fit; thousands of small fits spend most of their time there."""
    from sklearn import config_context

    with config_context(assume_finite=True, skip_parameter_validation=True):
        yield


def _fold_error(x: Array, y: Array, out: npt.NDArray[np.bool_], choice: Choice) -> float:
    if not out.any():
        return 0.0
    return float(((predict(fit(x[~out], y[~out], choice), x[out]) - y[out]) ** 2).sum())
