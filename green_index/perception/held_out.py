"""What a model is worth on units that it has not seen: errors, intervals, and what each factor adds.

Knows arrays. Knows no hub and no factor by name. Nothing here is measured on a unit that the model was fitted to.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fhi.arrays import Array
from fhi.correlations import correlate
from green_index.perception.model import Grid, Model, fit_tuned, predict

Tick = Callable[[], None]


@dataclass(frozen=True)
class LeftOut:
    """One model for each unit, fitted and tuned without it, and what that model says of it (units,)."""

    models: tuple[Model, ...]
    predicted: Array


@dataclass(frozen=True)
class Errors:
    """Errors of predictions in the unit of the target, beside the spread of what they predict (standard deviation,
    n - 1) and the errors of the mean alone. r2 = 1 - sum of squared errors / sum of squares about the mean; spearman:
    rank correlation of predicted and actual. NaN where not defined."""

    n: int
    rmse: float
    mae: float
    r2: float
    spearman: float
    spread: float
    baseline_rmse: float
    baseline_mae: float


def leave_one_out(x: Array, y: Array, grid: Grid, seed: int, tick: Tick | None = None) -> LeftOut:
    """Each unit predicted by the model that is fitted and tuned on all others.

    x: (units, factors), y: (units,); tick: called after each fit.
    """
    models = []
    for unit in range(len(y)):
        others = np.arange(len(y)) != unit
        models.append(fit_tuned(x[others], y[others], grid, seed))
        if tick is not None:
            tick()
    predicted = np.array([predict(model, x[[unit]])[0] for unit, model in enumerate(models)])
    return LeftOut(tuple(models), predicted)


def leave_group_out(
    x: Array, y: Array, groups: Sequence[str], fewest: int, grid: Grid, seed: int
) -> tuple[Array, Array]:
    """Each unit predicted by the model that is fitted and tuned on the other groups, and the mean of those: two arrays
    (units,), NaN for groups that leave fewer than `fewest` units."""
    predicted, means = np.full(len(y), np.nan), np.full(len(y), np.nan)
    labels = np.array(groups)
    for group in sorted(set(groups)):
        out = labels == group
        if (~out).sum() >= fewest:
            predicted[out] = predict(fit_tuned(x[~out], y[~out], grid, seed), x[out])
            means[out] = y[~out].mean()
    return predicted, means


def errors_of(actual: Array, predicted: Array, baseline: Array) -> Errors:
    """How far predictions are from what was to be predicted; all (units,), finite, at least one."""
    off, mean_off = predicted - actual, baseline - actual
    about_mean = float(((actual - actual.mean()) ** 2).sum())
    pair = np.column_stack([predicted, actual])
    spearman = float(correlate(pair, kind="spearman").r[0, 1])
    return Errors(
        n=len(actual),
        rmse=float(np.sqrt((off**2).mean())),
        mae=float(np.abs(off).mean()),
        r2=1 - float((off**2).sum()) / about_mean if about_mean > 0 else math.nan,
        spearman=spearman,
        spread=float(actual.std(ddof=1)) if len(actual) > 1 else math.nan,
        baseline_rmse=float(np.sqrt((mean_off**2).mean())),
        baseline_mae=float(np.abs(mean_off).mean()),
    )


def mean_of_others(y: Array) -> Array:
    """For each unit the mean of all others: the prediction of someone who knows no factor."""
    found: Array = (y.sum() - y) / (len(y) - 1)
    return found


def fewest_for(level: float) -> int:
    """How many units an interval at this level takes: the least n with (1 - level) (n + 1) >= 1."""
    return math.ceil(1 / (1 - level) - 1 - 1e-9)


def jackknife_plus(left: LeftOut, y: Array, x: Array, level: float) -> tuple[Array, Array]:
    """Lower and upper ends (units,) of intervals for new units x (units, factors): the jackknife+ of Barber, Candes,
    Ramdas and Tibshirani (2021), from the models without each known unit and their errors there.

    With a = 1 - level: the floor(a (n + 1))-th least of prediction - error and the ceil((1 - a) (n + 1))-th least of
    prediction + error. Holds the truth with a chance of at least 1 - 2 a whatever the distribution, and mostly of
    about 1 - a, for units drawn like the known ones. Needs `fewest_for(level)` known units.
    """
    said = np.stack([predict(model, x) for model in left.models])
    return _ends(said, np.abs(left.predicted - y)[:, None], level)


def jackknife(left: LeftOut, y: Array, level: float) -> tuple[Array, Array]:
    """Lower and upper ends (units,) about the left-out prediction of each known unit, from the errors at all others.

    The older jackknife, which promises nothing; for a picture of how far a known unit lies from what was to be
    expected. Needs one more known unit than `fewest_for(level)`.
    """
    errors = np.abs(left.predicted - y)
    n = len(y)
    others = errors[np.array([[j for j in range(n) if j != i] for i in range(n)])].T
    return _ends(np.broadcast_to(left.predicted, others.shape), others, level)


def importances(left: LeftOut, x: Array, y: Array, repeats: int, seed: int) -> Array:
    """By how much the left-out error (RMSE, in the unit of the target) rises when one factor is shuffled between the
    units: (repeats, factors); mean and spread over the repeats are the importance (Breiman 2001, on held-out units).

    Each unit is predicted by the model that has not seen it, with that one figure taken from another unit. Factors
    that go together share what they know, so that each may seem to matter little.
    """
    n, factors = x.shape
    draws = np.random.default_rng(seed).permuted(np.broadcast_to(np.arange(n), (repeats, factors, n)), axis=2)
    off = np.empty((repeats, factors, n))
    columns = np.arange(factors)
    for unit, model in enumerate(left.models):
        changed = np.broadcast_to(x[unit], (repeats, factors, factors)).copy()
        changed[:, columns, columns] = x[draws[:, :, unit], columns]
        off[:, :, unit] = predict(model, changed.reshape(-1, factors)).reshape(repeats, factors) - y[unit]
    base = np.sqrt(((left.predicted - y) ** 2).mean())
    found: Array = np.sqrt((off**2).mean(axis=2)) - base
    return found


def _ends(said: Array, errors: Array, level: float) -> tuple[Array, Array]:
    n = said.shape[0]
    # Products such as 0.1 x 20 miss the whole number by a hair.
    last = math.ceil(level * (n + 1) - 1e-9)
    low, high = np.sort(said - errors, axis=0), np.sort(said + errors, axis=0)
    return low[n - last], high[last - 1]
