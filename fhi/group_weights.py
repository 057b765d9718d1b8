"""Weights of one group as a value. Knows nothing of how they were found."""

from dataclasses import dataclass

from fhi.arrays import Array
from fhi.diagnostics import Sphericity
from fhi.notes import Note


@dataclass(frozen=True)
class GroupWeights:
    """Weights of one group's children in framework order; NaN for a child that no weight can be derived for.

    weights: (children,), sum 1 over the children that have one; by benefit of the doubt (periods, hubs, children), and
    `scale` (periods, hubs) then multiplies a hub's mean. stated: do they come from the framework or recipe, and not
    from the figures? assumed: did nobody outside this project judge so?
    """

    group: str
    weights: Array
    method: str
    assumed: bool = False
    stated: bool = False
    consistency_ratio: float | None = None
    kmo: float | None = None
    sphericity: Sphericity | None = None
    scale: Array | None = None
    notes: tuple[Note, ...] = ()
