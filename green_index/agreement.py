"""How far two rankings of the same units agree, and how sure that is: exact or drawn permutations, and a bootstrap.

Knows arrays. Knows no hub and no index. Draws come from the seed and the number of units alone, so that rankings held
against the same list are drawn alike.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array

MOST_EXACT: Final = 7
"""Up to so many units all orders are tried: 7! = 5,040."""
_TIE: Final = 1e-9


@dataclass(frozen=True)
class PermutationTest:
    """Two-sided p of a rank correlation, and whether all orders were tried."""

    p_value: float
    exact: bool


def permutation_test(a: Array, b: Array, draws: int, seed: int) -> PermutationTest:
    """The chance of as strong a Spearman correlation, of either sign, among shuffles of b: (n,) each, neither constant.

    Up to MOST_EXACT units over all n! orders; else over so many drawn ones, (1 + as strong) / (1 + draws), which is
    never zero (Phipson and Smyth 2010).
    """
    one, two = _unit_ranks(a[None, :])[0], _unit_ranks(b[None, :])[0]
    exact = len(a) <= MOST_EXACT
    orders = _all_orders(len(a)) if exact else _drawn_orders(len(a), draws, seed)
    found = np.abs(two[orders] @ one)
    strong = int((found >= abs(float(one @ two)) - _TIE).sum())
    return PermutationTest(strong / len(orders) if exact else (1 + strong) / (1 + draws), exact)


def interval(a: Array, b: Array, draws: int, seed: int, level: float) -> tuple[float, float]:
    """Percentile bootstrap interval of the Spearman correlation of a and b, (n,) each (Efron 1979).

    Samples in which one of the two does not vary have no correlation and are left out.
    """
    places = _samples(len(a), draws, seed)
    one, two = _unit_ranks(a[places]), _unit_ranks(b[places])
    found = (one * two).sum(axis=1)
    found = found[~np.isnan(found)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_shift(a: Array, b: Array) -> float:
    """Mean absolute difference of the ranks by a and by b among these units; ties have their mean rank."""
    from scipy.stats import rankdata

    return float(np.abs(rankdata(a) - rankdata(b)).mean())


def _unit_ranks(rows: Array) -> Array:
    """Mean ranks within each row, less their mean and of length 1; NaN for a row that does not vary."""
    from scipy.stats import rankdata

    ranks = rankdata(rows, axis=1) - (rows.shape[1] + 1) / 2
    length = np.linalg.norm(ranks, axis=1, keepdims=True)
    found: Array = ranks / np.where(length > 0, length, np.nan)
    return found


@cache
def _all_orders(n: int) -> npt.NDArray[np.int64]:
    assert n <= MOST_EXACT, math.factorial(n)
    return np.array(list(permutations(range(n))), dtype=np.int64)


@cache
def _drawn_orders(n: int, draws: int, seed: int) -> npt.NDArray[np.int64]:
    drawn: npt.NDArray[np.int64] = np.random.default_rng(seed).permuted(np.tile(np.arange(n), (draws, 1)), axis=1)
    return drawn


@cache
def _samples(n: int, draws: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, n, size=(draws, n))
