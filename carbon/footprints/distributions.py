"""Distributions of a factor or an amount from its 95 % range, as multipliers of the figure itself.

Knows the four shapes of `carbon.footprints.schemas.DISTRIBUTIONS`. Must not know lines, files or where the random
numbers come from: it turns even draws between 0 and 1 into multipliers, each by its own inverse distribution function.

Each shape is placed so that 2.5 % of it lie below the lower end of the range and 2.5 % above the upper end, which is
what the range of the source says (2006 IPCC Guidelines, volume 1, chapter 3, section 3.2.1: half of the 95 % interval).
normal : median at the figure, each side with its own deviation, half-width / 1.96; the normal where the range is even
lognormal : ln upper and ln lower lie 2 x 1.96 deviations apart, and their middle is the median
triangular : mode at the figure; uniform : the range is the middle 95 % of it
Amounts and factors are never below 0, so each shape is cut off there and what is left fills the whole.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["KINDS", "NORMAL", "multipliers", "shape_kinds", "triangle"]

KINDS: Final = ("normal", "lognormal", "triangular", "uniform")
NORMAL: Final = 0
_LOGNORMAL, _TRIANGULAR, _UNIFORM = 1, 2, 3

_TAIL: Final = 0.025
_NARROW: Final = 0.01
_NO_WIDTH: Final = 1e-15  # Below this a double cannot tell the figure and its ends apart.
_STEPS: Final = 100
"""Steps of the fixed point of a triangle: the error all but halves in each, or better, so that 60 would do."""


def shape_kinds(names: "list[str | None]", lows: "NDArray[np.float64]") -> "tuple[NDArray[np.int8], NDArray[np.bool_]]":
    """The shape of each source as its place in `KINDS`, and whether it was assumed.

    names : one of `KINDS`, or null; lows : half-widths below the figure, as shares of it
    Normal is assumed where no shape is known, and where the range of a lognormal reaches 0.
    """
    import numpy as np

    kinds = np.array([KINDS.index(name) if name in KINDS else NORMAL for name in names], dtype=np.int8)
    assumed = np.array([name not in KINDS for name in names], dtype=np.bool_)
    reaches_zero = (kinds == _LOGNORMAL) & (lows >= 1)
    return np.where(reaches_zero, NORMAL, kinds).astype(np.int8), assumed | reaches_zero


def multipliers(
    draws: "NDArray[np.float64]",
    kinds: "NDArray[np.int8]",
    lows: "NDArray[np.float64]",
    highs: "NDArray[np.float64]",
) -> "NDArray[np.float64]":
    """What the figure of each source is multiplied with in each trial.

    draws : sources x trials, even between 0 and 1; kinds : `shape_kinds`; lows, highs : half-widths of the 95 % range
    as shares of the figure, 0 or more, one a source
    Result: sources x trials, 0 or more; 1 throughout for a source whose range has no width.
    """
    import numpy as np

    found = np.ones_like(draws)
    shapes = {_LOGNORMAL: _lognormal, _TRIANGULAR: _triangular, _UNIFORM: _uniform, NORMAL: _normal}
    for kind, shape in shapes.items():
        at = np.flatnonzero((kinds == kind) & (lows + highs > _NO_WIDTH))
        if len(at):
            found[at] = shape(draws[at], lows[at, None], highs[at, None])
    return found


def _normal(
    draws: "NDArray[np.float64]", lows: "NDArray[np.float64]", highs: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    import numpy as np
    from scipy.special import ndtr, ndtri

    z = float(ndtri(1 - _TAIL))
    # Nothing of a shape this narrow lies below 0; a still narrower one would overflow.
    below_zero = ndtr(-z / np.maximum(lows, _NARROW))
    deviates = ndtri(np.clip(below_zero + (1 - below_zero) * draws, 1e-300, 1 - 1e-16))
    result: NDArray[np.float64] = np.maximum(1 + deviates * np.where(deviates < 0, lows, highs) / z, 0.0)
    return result


def _lognormal(
    draws: "NDArray[np.float64]", lows: "NDArray[np.float64]", highs: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    import numpy as np
    from scipy.special import ndtri

    lower, upper = np.log1p(-lows), np.log1p(highs)
    deviation = (upper - lower) / (2 * float(ndtri(1 - _TAIL)))
    deviates = ndtri(np.clip(draws, 1e-300, 1 - 1e-16))
    result: NDArray[np.float64] = np.exp((lower + upper) / 2 + deviation * deviates)
    return result


def _uniform(
    draws: "NDArray[np.float64]", lows: "NDArray[np.float64]", highs: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    import numpy as np

    middle, half = 1 + (highs - lows) / 2, (lows + highs) / 2 / (1 - 2 * _TAIL)
    start, end = np.maximum(middle - half, 0.0), middle + half
    return start + (end - start) * draws


def triangle(
    lows: "NDArray[np.float64]", highs: "NDArray[np.float64]"
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """How far a triangle reaches below and above its mode so that 2.5 % lie beyond each end of the range.

    With l and h the distances to the ends of the range, L and H those of the triangle: (L - l)**2 = 0.025 L (L + H),
    and the same with h and H. Solved by repetition from l and h upward, which comes nearer with every step.
    """
    import numpy as np

    left, right = lows.astype(np.float64), highs.astype(np.float64)
    for _ in range(_STEPS):
        whole = left + right
        left, right = lows + np.sqrt(_TAIL * whole * left), highs + np.sqrt(_TAIL * whole * right)
    return left, right


def _triangular(
    draws: "NDArray[np.float64]", lows: "NDArray[np.float64]", highs: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    import numpy as np

    left, right = triangle(lows, highs)
    whole = left + right
    beyond = np.maximum(left - 1, 0.0)
    below_zero = np.where(beyond > 0, beyond**2 / (whole * np.maximum(left, 1e-300)), 0.0)
    even = below_zero + (1 - below_zero) * draws
    is_left = even < left / whole
    up = 1 - left + np.sqrt(even * whole * left)
    down = 1 + right - np.sqrt((1 - even) * whole * right)
    return np.maximum(np.where(is_left, up, down), 0.0)
