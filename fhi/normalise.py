"""Scores from figures of unlike units.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no tree and no weights.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from fhi.arrays import Array

Bounds = tuple[Array, Array]


def observed_bounds(x: Array, *, pooled: bool) -> Bounds:
    """Least and greatest figure of each indicator.

    x: (periods, hubs, indicators), any unit. Returns two arrays (periods, 1, indicators): of each period alone, or
    the same over all periods where `pooled`. NaN where an indicator has no figure.
    """
    axes = (0, 1) if pooled else (1,)
    empty = np.isnan(x).all(axis=axes, keepdims=True)
    least = np.where(empty, np.nan, np.nanmin(x, axis=axes, keepdims=True, initial=np.inf))
    greatest = np.where(empty, np.nan, np.nanmax(x, axis=axes, keepdims=True, initial=-np.inf))
    shape = (x.shape[0], 1, x.shape[2])
    return np.broadcast_to(least, shape).copy(), np.broadcast_to(greatest, shape).copy()


def minmax(x: Array, bounds: Bounds, direction: Array, lower: float, upper: float) -> Array:
    """Min-max scores in [lower, upper]: lower + (upper - lower)(x - least) / (greatest - least), turned where
    direction is -1 (OECD/JRC Handbook on Constructing Composite Indicators, 2008, step 5).

    x: (periods, hubs, indicators), any unit; bounds: two arrays that broadcast to x; direction: (indicators,) of
    1 and -1. Figures beyond fixed bounds are held at the bound. NaN where x is NaN or the bounds coincide.
    """
    least, greatest = bounds
    span = np.where(greatest > least, greatest - least, np.nan)
    share = np.clip((x - least) / span, 0.0, 1.0)
    share = np.where(direction < 0, 1.0 - share, share)
    scores: Array = lower + (upper - lower) * share
    return scores


NORMALISERS: Final[Mapping[str, Callable[[Array, Bounds, Array, float, float], Array]]] = {"minmax": minmax}
