"""Listing days whose price moved as no day before it did, by two methods that must agree.

Knows medians, isolation and arrays. Must not know rows, markets or days. The rule of two methods in intersection on
listing rows only is that of the domain notes (7.3); its limits are conventions and marked as such by the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

__all__ = [
    "FEWEST",
    "ISOLATION_LIMIT",
    "ROBUST_LIMIT",
    "SMALLEST_SCALE",
    "WINDOW",
    "isolation_scores",
    "robust_scores",
]

WINDOW = 60
"""Moves before a day that say what is usual, about one quarter of sessions."""
FEWEST = 20
"""Moves that must be known before a day is judged."""
SMALLEST_SCALE = 0.01
"""Least usual move, one per cent: a third of the listing days of the national market do not move at all (assumed)."""
ROBUST_LIMIT = 8.0
"""Limit of the modified z-score. The usual 3.5 (Iglewicz and Hoaglin 1993) is for normal samples and marks seven in a
hundred Hubei days, all of them lawful moves; 8 with the second method marks under one in a hundred (assumed)."""
ISOLATION_LIMIT = 0.6
"""Limit of the isolation score (Liu, Ting and Zhou 2008, doi 10.1109/ICDM.2008.17: well above 0.5)."""

_MAD_TO_SIGMA = 1.4826  # The deviation of a normal sample over its median absolute deviation.
_TREES, _SEED = 200, 20210716


def robust_scores(
    moves: ArrayLike, *, smallest_scale: float = SMALLEST_SCALE, window: int = WINDOW, fewest: int = FEWEST
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How far each move lies from the median of those before it, in median absolute deviations times 1.4826.

    moves : (n,), log returns in order; smallest_scale : least scale to divide by, in units of a move (in a market where
    most moves are zero, the deviation alone would be zero)
    Result : (n,), NaN where fewer than `fewest` of the `window` moves before are known. The move itself is never part
    of what it is judged by.
    """
    import numpy as np

    values = np.asarray(moves, dtype=np.float64)
    if values.size == 0:
        return values
    padded = np.concatenate([np.full(window, np.nan), values[:-1]])
    before = np.lib.stride_tricks.sliding_window_view(padded, window)
    known = np.isfinite(before).sum(axis=1)
    scores = np.full(values.size, np.nan)
    enough = known >= fewest
    if enough.any():
        centre = np.nanmedian(before[enough], axis=1)
        spread = np.nanmedian(np.abs(before[enough] - centre[:, None]), axis=1) * _MAD_TO_SIGMA
        scores[enough] = np.abs(values[enough] - centre) / np.maximum(spread, smallest_scale)
    return scores


def isolation_scores(features: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """How easily each point is cut off from the others: near 1 alone, below 0.5 in the crowd (Liu et al. 2008).

    features : (n, k), no NaN; result : (n,). The same points give the same scores (fixed seed); fewer than two give
    zeros. A column that never changes cannot isolate anything and is left out.
    """
    import numpy as np
    from sklearn.ensemble import IsolationForest

    points = np.asarray(features, dtype=np.float64)
    if points.shape[0] < 2:
        return np.zeros(points.shape[0])
    varied = points[:, np.ptp(points, axis=0) > 0]
    if varied.shape[1] == 0:
        return np.zeros(points.shape[0])
    forest = IsolationForest(n_estimators=_TREES, random_state=_SEED).fit(varied)
    scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = -forest.score_samples(varied)
    return scores
