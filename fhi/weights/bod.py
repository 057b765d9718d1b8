"""Benefit of the doubt: every unit is weighed by the weights that suit it best.

Arrays in, arrays out. Knows no tree and no names.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import WeightError
from fhi.weights.columns import numbered

_SLACK: Final = 1e-9


@dataclass(frozen=True)
class DoubtWeights:
    """Composite (units,) in [0, 1], the weights (units, children) that give it, and each weight's share of their sum.

    The composite is unique, the weights need not be: several may give a unit the same best composite. A child that a
    unit has no figure of weighs 0. NaN: composite and weights of a unit without figures, shares where every weight is
    zero.
    """

    composite: Array
    weights: Array
    shares: Array


def doubt_weights(scores: Array, *, min_share: float = 0.0, max_share: float = 1.0) -> DoubtWeights:
    """Benefit-of-the-doubt composite: for each unit c the greatest sum_q w_q y_cq.

    Subject to sum_q w_q y_iq <= 1 for all units i, w >= 0, and min_share <= w_q / sum w <= max_share (Melyn & Moesen
    1991; Cherchye et al. 2007, Social Indicators Research 82; OECD/JRC Handbook 2008, 6.3, whose table 19 has shares of
    0.10 to 0.15). scores: (units, children), not negative, NaN where missing; with shares other than 0 to 1 they must
    be on one scale, without them any unit will do.

    A unit is weighed over the children it has, and the bounds on shares then widen by (all children) / (those it has).
    A peer binds with the figures it has: whatever its missing figure is, it is not below zero, so that what is demanded
    holds for every value that it could take. Raises WeightError for negative scores, a child that is zero or missing
    everywhere, or shares that cannot sum to 1.
    """
    _check(scores, min_share, max_share)
    units, children = scores.shape
    scale = float(np.nanmax(scores))
    figures = np.nan_to_num(scores / scale, nan=0.0)
    has = ~np.isnan(scores)
    binding = sorted({*np.argmax(figures, axis=0).tolist(), int(np.argmax(figures.sum(axis=1)))})
    composite, weights = np.full(units, np.nan), np.full((units, children), np.nan)
    for unit in np.flatnonzero(has.any(axis=1)):
        own = has[unit]
        even = 1 / int(own.sum())
        bounds = (min(min_share * children * even, even), min(max(max_share * children * even, even), 1.0))
        best = _best_weights(figures[:, own], int(unit), bounds, binding)
        weights[unit] = 0.0
        weights[unit, own] = best / scale
        composite[unit] = figures[unit, own] @ best
    sums = weights.sum(axis=1, keepdims=True)
    return DoubtWeights(composite, weights, weights / np.where(sums > 0, sums, np.nan))


def _best_weights(figures: Array, unit: int, bounds: tuple[float, float], binding: list[int]) -> Array:
    """Best weights of one unit; peers that turn out to bind are added to `binding`, which all units share.

    Few peers ever bind, so that a program over all of them is not needed: a solution that breaks no other peer's
    constraint is the solution over all.
    """
    from scipy.optimize import linprog

    shares = _share_rows(figures.shape[1], bounds)
    while True:
        rows = np.vstack([figures[binding], shares])
        limits = np.concatenate([np.ones(len(binding)), np.zeros(len(shares))])
        # Presolving such small programs costs more than it saves.
        solved = linprog(
            -figures[unit], A_ub=rows, b_ub=limits, bounds=(0, None), method="highs-ds", options={"presolve": False}
        )
        if solved.x is None:
            raise WeightError(f"no best weights for unit {unit + 1}: {solved.message}; expected scores of one scale")
        weights: Array = solved.x.clip(min=0.0)
        reached = figures @ weights
        over = int(np.argmax(reached))
        if reached[over] <= 1 + _SLACK or over in binding:
            return weights / max(float(reached[over]), 1.0)
        binding.append(over)


def _share_rows(children: int, bounds: tuple[float, float]) -> Array:
    """Rows r with r w <= 0 that hold every weight's share of the sum within the bounds."""
    least, most = bounds
    rows: list[npt.NDArray[np.float64]] = []
    if least > 0:
        rows.append(np.full((children, children), least) - np.eye(children))
    if most < 1:
        rows.append(np.eye(children) - np.full((children, children), most))
    return np.vstack(rows) if rows else np.zeros((0, children))


def _check(scores: Array, min_share: float, max_share: float) -> None:
    if scores.ndim != 2 or 0 in scores.shape:
        raise WeightError(f"found scores of shape {scores.shape}; expected (units, children)")
    children = scores.shape[1]
    if np.isinf(scores).any() or (scores < 0).any():
        wrong = np.flatnonzero(((scores < 0) | np.isinf(scores)).any(axis=0))
        raise WeightError(f"column(s) {numbered(wrong)} hold scores below zero or infinite; expected neither")
    empty = np.flatnonzero(~(scores > 0).any(axis=0))
    if len(empty):
        raise WeightError(f"column(s) {numbered(empty)} are zero or missing everywhere; expected a positive score")
    if not 0 <= min_share * children <= 1 + _SLACK or max_share * children < 1 - _SLACK:
        raise WeightError(
            f"shares of {min_share:g} to {max_share:g} of {children} children cannot sum to 1; expected "
            f"min_share up to {1 / children:g} and max_share of that or more"
        )
