"""Does a unit lie within what a model has learnt from?

Knows arrays. Knows no hub, no factor by name and no model.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from green_index.perception.model import standardise


@dataclass(frozen=True)
class Place:
    """Where units stand to the known ones: `outside` (units, factors) is +1 above the greatest and -1 below the least
    known figure, else 0; `distance` (units,) to the nearest known unit, whose position is `nearest`; `limit`: the
    greatest distance that a known unit has to its own nearest one."""

    outside: npt.NDArray[np.int64]
    distance: Array
    nearest: npt.NDArray[np.int64]
    limit: float

    @property
    def within(self) -> npt.NDArray[np.bool_]:
        """Units with every factor inside the known range, and no farther from a known unit than those are."""
        found: npt.NDArray[np.bool_] = (self.outside == 0).all(axis=1) & (self.distance <= self.limit)
        return found


def place(known: Array, units: Array) -> Place:
    """Where `units` (m, factors) stand to `known` (n, factors), all finite, n at least 2.

    Distances are root mean squares over the factors, each in standard deviations of the known units; the limit is a
    rule of ours, after the distance-based applicability domains of Sheridan et al. (2004).
    """
    mean, scale = standardise(known)
    own, z = (known - mean) / scale, (units - mean) / scale
    between = _distances(own, own)
    np.fill_diagonal(between, np.inf)
    far = _distances(z, own)
    above, below = units > known.max(axis=0), units < known.min(axis=0)
    return Place(above.astype(np.int64) - below, far.min(axis=1), far.argmin(axis=1), float(between.min(axis=1).max()))


def _distances(a: Array, b: Array) -> Array:
    found: Array = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).mean(axis=2))
    return found
