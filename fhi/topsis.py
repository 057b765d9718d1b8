"""Nearness to the ideal: TOPSIS (Hwang and Yoon 1981).

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no tree.
"""

from typing import Literal

import numpy as np

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError

TopsisNormalisation = Literal["vector", "minmax"]


def closeness(scores: Array, weights: Array) -> Array:
    """Relative closeness to the best: d- / (d+ + d-), in [0, 1], on the scores as they are given.

    scores, weights: (periods, units, children), weights of `fhi.aggregate.rescaled_weights`, higher scores better.
    Returns (periods, units). The ideal is the best score of each child among the units that count it in that period,
    the anti-ideal the worst; d+ and d- are the Euclidean distances sqrt(sum (w (x - ideal))^2) over the children that
    the unit has, with its own re-scaled weights. Closeness compares units of one period: periods have ideals of
    their own. NaN for a unit with too few children (NaN weights) and where no child that the unit has tells any two
    units apart, so that ideal and anti-ideal are one.
    """
    counted = weights > 0
    best = np.where(counted, scores, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    worst = np.where(counted, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    with np.errstate(invalid="ignore"):
        above = np.where(counted, weights * (best - scores), 0.0)
        below = np.where(counted, weights * (scores - worst), 0.0)
    return _share(np.linalg.norm(above, axis=2), np.linalg.norm(below, axis=2))


def topsis(matrix: Array, weights: Array, directions: Array, normalisation: TopsisNormalisation = "vector") -> Array:
    """TOPSIS of raw figures: normalise each column, weigh it, and measure the closeness to the ideal.

    matrix: (units, criteria), any units, none missing; weights: (criteria,), not negative, any sum; directions:
    (criteria,) of 1 (more is better) and -1. `vector` divides a column by the root of its sum of squares (Hwang and
    Yoon 1981; Tzeng and Huang 2011), `minmax` maps it to [0, 1]: the results differ, so name the one you used. A
    column that is one value only tells no units apart and adds to no distance. Returns (units,) in [0, 1]; NaN
    where all units are alike. Raises RecipeError for missing or infinite figures and for shapes that do not fit.
    """
    _check(matrix, weights, directions)
    if normalisation == "vector":
        length = np.linalg.norm(matrix, axis=0)
        scaled = matrix / np.where(length > 0, length, 1.0)
    else:
        span = np.ptp(matrix, axis=0)
        scaled = (matrix - matrix.min(axis=0)) / np.where(span > 0, span, 1.0)
    better = scaled * directions * (weights / weights.sum())
    above = np.linalg.norm(better.max(axis=0) - better, axis=1)
    below = np.linalg.norm(better - better.min(axis=0), axis=1)
    return _share(above, below)


def _share(above: Array, below: Array) -> Array:
    whole = above + below
    with np.errstate(invalid="ignore"):
        share: Array = np.where(whole > 0, below / np.where(whole > 0, whole, 1.0), np.nan)
    return share


def _check(matrix: Array, weights: Array, directions: Array) -> None:
    problems = []
    if matrix.ndim != 2 or 0 in matrix.shape:
        expected = "(units, criteria), at least one of each"
        raise RecipeError([Problem("topsis: matrix", f"shape {matrix.shape}", expected, "wrong_shape")])
    wanted = (matrix.shape[1],)
    for name, values in (("weights", weights), ("directions", directions)):
        if values.shape != wanted:
            problems.append(Problem(f"topsis: {name}", f"shape {values.shape}", f"{wanted}", "wrong_shape"))
    for row, column in np.argwhere(~np.isfinite(matrix)).tolist()[:20]:
        where = f"topsis: matrix row {row + 1}, column {column + 1}"
        problems.append(Problem(where, str(matrix[row, column]), "a finite figure; impute or leave out", "not_finite"))
    if not (weights >= 0).all() or not weights.sum() > 0:
        problems.append(Problem("topsis: weights", str(weights.tolist()), "none negative, not all zero", "wrong_value"))
    if not np.isin(directions, (-1, 1)).all():
        problems.append(Problem("topsis: directions", str(directions.tolist()), "1 or -1", "wrong_value"))
    if problems:
        raise RecipeError(problems)
