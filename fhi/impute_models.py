"""Imputation that learns from all indicators together: nearest neighbours and chained regressions.

The only module that knows scikit-learn, which is loaded where it is used. Works within each period on standardised
columns. A unit without any figure in a period has nothing to be compared by and an indicator without any figure
nothing to learn from: both stay missing.
"""

import warnings
from collections.abc import Callable

import numpy as np

from fhi.arrays import Array


def fill_nearest(x: Array, neighbours: int) -> Array:
    """Mean of the indicator over the nearest units that have it (Troyanskaya et al. 2001; scikit-learn KNNImputer).

    x: (periods, units, indicators), any unit, NaN where missing. Distance: Euclidean over the indicators that both
    units have, scaled up for those that one lacks. A unit that shares no indicator with any that could lend a figure
    is given the mean of the indicator.
    """
    from sklearn.impute import KNNImputer

    return _within_periods(x, lambda table: KNNImputer(n_neighbors=neighbours).fit_transform(table))


def fill_iteratively(x: Array, max_rounds: int, seed: int) -> tuple[Array, tuple[int, ...]]:
    """Each indicator regressed on all others (Bayesian ridge), round after round (scikit-learn IterativeImputer).

    x: (periods, units, indicators), any unit, NaN where missing; seed: fixed, so that a run can be repeated. Fills by
    the expectation, without a draw. Also returns the positions of the periods that had not settled after `max_rounds`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    filled, unsettled = np.full(x.shape, np.nan), []
    for period in range(len(x)):

        def regress(table: Array, period: int = period) -> Array:
            imputer = IterativeImputer(max_iter=max_rounds, random_state=seed, sample_posterior=False)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                found: Array = imputer.fit_transform(table)
            if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
                unsettled.append(period)
            return found

        filled[period] = _within_periods(x[period : period + 1], regress)[0]
    return filled, tuple(unsettled)


def _within_periods(x: Array, fill: Callable[[Array], Array]) -> Array:
    """Hand each period to `fill` as a standardised table of the units and indicators that have a figure."""
    filled = x.copy()
    for period, table in enumerate(x):
        here = ~np.isnan(table)
        where = np.ix_(here.any(axis=1), here.any(axis=0))
        if here[where].all():
            continue
        part = table[where]
        centre = np.nanmean(part, axis=0)
        spread = np.nanstd(part, axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        filled[period][where] = np.where(np.isnan(part), fill((part - centre) / spread) * spread + centre, part)
    return filled
