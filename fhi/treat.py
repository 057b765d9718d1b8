"""Transformations of raw figures before they are normalised.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from fhi.arrays import Array


def keep(x: Array) -> Array:
    """The figures as they are."""
    return x


def log1p(x: Array) -> Array:
    """ln(1 + x) for x >= 0, any shape: tames figures that span decades and keeps a true zero at zero.

    Raises ValueError where a figure is negative.
    """
    if np.nanmin(x, initial=0.0) < 0:
        raise ValueError(f"log1p needs figures of zero or more; found {np.nanmin(x)}")
    return np.log1p(x)


TRANSFORMS: Final[Mapping[str, Callable[[Array], Array]]] = {"none": keep, "log1p": log1p}
