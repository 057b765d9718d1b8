"""Sobol indices: what share of an output's variance each factor makes, alone and together with the others.

Knows designs in the unit cube, outputs as arrays, and the indices with their sampling intervals. Knows neither choices
nor ranks, and runs no model.

First order: the estimator of Saltelli et al. (2010) with outputs centred, mean((y_B - m)(y_ABi - y_A)) / V. Without
centring the mean of the output enters the error, which is what COINr's indices above 1 at small samples come from. Of
this one, Janon et al. (2014) and Jansen (1999), it had the least error over all factors of three test functions, and
it alone gives exactly 0 to a factor without effect. Total: Jansen (1999), mean((y_A - y_ABi)^2) / (2 V).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem
from green_index.robustness.draws import ChoiceError

DesignKind = Literal["sobol", "random"]
DESIGN_KINDS: Final[tuple[DesignKind, ...]] = get_args(DesignKind)
LOW: Final = 0.05
HIGH: Final = 0.95
_NO_VARIANCE: Final = 1e-6
"""Of a resample, where the variance of all runs is 1; 32-bit sums leave this much of none."""
_CONSTANT: Final = 1e-12
"""An output whose deviation is no more than this part of its greatest value does not vary: that much is rounding."""


@dataclass(frozen=True)
class Design:
    """Two samples of the unit cube, (runs, factors) each."""

    a: Array
    b: Array

    def stacked(self) -> Array:
        """All points at which the model must run, (factors + 2, runs, factors): A, B, then for each factor A with the
        column of this factor from B."""
        factors = self.a.shape[1]
        mixed = np.repeat(self.a[None], factors, axis=0)
        for i in range(factors):
            mixed[i, :, i] = self.b[:, i]
        return np.concatenate([self.a[None], self.b[None], mixed])


@dataclass(frozen=True)
class SobolIndices:
    """Indices of every factor and output, (factors, outputs) each; NaN where an output is constant or has gaps.

    low and high are the 5 % and 95 % quantiles of the index over bootstrap resamples of the runs: its sampling
    interval. NaN where some resample held no variance, for then too few runs differ.
    """

    first_order: Array
    first_order_low: Array
    first_order_high: Array
    total: Array
    total_low: Array
    total_high: Array


def sobol_design(factors: int, runs: int, seed: int, kind: DesignKind = "sobol") -> Design:
    """A and B for so many factors, (runs, factors) each.

    sobol : one scrambled Sobol sequence (Sobol 1967; Owen 1998) in twice the dimensions, its first half for A; runs
    are best a power of two, others take the first so many points. random : independent draws. Raises ChoiceError.
    """
    wrong = [("factors", factors, 1), ("draws", runs, 2), ("seed", seed, 0)]
    problems = [
        Problem(name, str(found), f"{least} or more", "wrong_value") for name, found, least in wrong if found < least
    ]
    if problems:
        raise ChoiceError(problems)
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    if kind == "random":
        points = generator.random((runs, 2 * factors))
    else:
        from scipy.stats.qmc import Sobol

        doublings = (runs - 1).bit_length()
        points = Sobol(2 * factors, scramble=True, rng=generator).random_base2(doublings)[:runs]
    return Design(points[:, :factors], points[:, factors:])


def cut_evenly(points: Array, options: int) -> npt.NDArray[np.intp]:
    """Which option each point of [0, 1) means, all options having equal parts of [0, 1), not of the sample."""
    return np.minimum((points * options).astype(np.intp), options - 1)


def cut_by_odds(points: Array, odds: Sequence[float]) -> npt.NDArray[np.intp]:
    """Which option each point of [0, 1) means, options having parts of [0, 1) as wide as their odds, which sum to 1."""
    ends = np.cumsum(odds)[:-1]
    return np.asarray(np.searchsorted(ends, points, side="right"), dtype=np.intp)


def sobol_indices(y_a: Array, y_b: Array, y_ab: Array, resamples: int = 500, seed: int = 0) -> SobolIndices:
    """First-order and total indices of all factors and outputs, with sampling intervals.

    y_a, y_b : (runs, outputs) at A and B; y_ab : (factors, runs, outputs), see `Design.stacked`. Raises ChoiceError
    where there are fewer than 2 runs or no resample.

    Every resample weighs the runs by multinomial counts, so that all of them are one matrix product a factor, and has
    a variance of its own. Runs count as independent, so that intervals of a Sobol design are rather too wide. Indices
    are of 64-bit floats; their intervals, of resamples drawn at random, of 32-bit sums, good to five digits.
    """
    runs, outputs = y_a.shape
    if runs < 2 or resamples < 1:
        expected = "2 runs and 1 resample at least"
        raise ChoiceError([Problem("sobol", f"{runs} runs, {resamples} resamples", expected, "wrong_value")])
    usable = has_variance(y_a, y_b) & np.isfinite(y_ab).all(axis=(0, 1))
    found = np.full((6, len(y_ab), outputs), np.nan)
    if usable.any():
        counts = resample_counts(runs, resamples, seed)
        chosen = slice(None) if usable.all() else usable
        found[:, :, usable] = _estimate(y_a[:, chosen], y_b[:, chosen], [y[:, chosen] for y in y_ab], counts)
    return SobolIndices(*found)


def has_variance(y_a: Array, y_b: Array) -> npt.NDArray[np.bool_]:
    """Which outputs vary by more than rounding and have no gap, (outputs,)."""
    both = np.concatenate([y_a, y_b])
    varies: npt.NDArray[np.bool_] = both.std(axis=0) > _CONSTANT * np.abs(both).max(axis=0)
    return varies


def resample_counts(runs: int, resamples: int, seed: int) -> npt.NDArray[np.float32]:
    """How often each run is in each resample, (resamples, runs), rows of sum `runs`: multinomial."""
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4,)))
    counts = np.empty((resamples, runs), dtype=np.float32)
    for row in counts:
        row[:] = np.bincount(generator.integers(0, runs, runs), minlength=runs)
    return counts


def _estimate(y_a: Array, y_b: Array, y_ab: Sequence[Array], counts: npt.NDArray[np.float32]) -> Array:
    """Six tables (factors, outputs): first order with its interval, total with its interval.

    Outputs are centred and stretched to a deviation of 1, which changes no index and keeps 32-bit sums exact enough.
    """
    runs = len(y_a)
    both = np.concatenate([y_a, y_b])
    centre, deviation = both.mean(axis=0), both.std(axis=0)
    a, b = (y_a - centre) / deviation, (y_b - centre) / deviation
    mean, square = _means([(a + b) / 2, (a * a + b * b) / 2], counts)
    variance = (square - mean * mean) * (2 * runs / (2 * runs - 1))
    # Resamples of one value only have no index.
    variance[variance <= _NO_VARIANCE] = np.nan
    points, ends = [], []
    for y in y_ab:
        step = (y - y_a) / deviation
        product, shift, jansen = _means([b * step, step, step * step], counts)
        indices = np.stack([(product - mean * shift) / variance, jansen / (2 * variance)])
        points.append(indices[:, 0])
        ends.append(np.quantile(indices[:, 1:], (LOW, HIGH), axis=1))
    (first_order, total), interval = np.moveaxis(np.array(points), 1, 0), np.moveaxis(np.array(ends), 0, 2)
    return np.stack([first_order, interval[0, 0], interval[1, 0], total, interval[0, 1], interval[1, 1]])


def _means(parts: Sequence[Array], counts: npt.NDArray[np.float32]) -> list[Array]:
    """Means of each part (runs, outputs) over all runs and over every resample, (1 + resamples, outputs) each."""
    columns = np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")
    sums = (counts @ columns).astype(np.float64) / len(columns)
    resampled = np.split(sums, len(parts), axis=1)
    return [np.vstack([part.mean(axis=0), means]) for part, means in zip(parts, resampled, strict=True)]
