"""What the columns of a group's scores must be before weights can be derived from them.

Knows arrays and the words to refuse them in. Knows no method, no tree and no names: columns are counted from 1.
"""

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError


def check_columns(scores: Array, *, least: int = 3, vary: bool = True) -> None:
    """Raises WeightError unless weights can be derived from these columns, naming the columns at fault.

    scores: (observations, indicators). Expected: `least` observations or more, every figure finite, and with `vary`
    no indicator that has one value only.
    """
    if scores.ndim != 2 or scores.shape[1] == 0:
        raise WeightError(f"found scores of shape {scores.shape}; expected (observations, indicators)")
    holes = np.flatnonzero(~np.isfinite(scores).all(axis=0))
    if len(holes):
        raise WeightError(f"column(s) {numbered(holes)} lack figures; expected complete observations only")
    if len(scores) < least:
        raise WeightError(f"{len(scores)} complete observations; expected at least {least} to compare")
    flat = np.flatnonzero(np.ptp(scores, axis=0) == 0)
    if vary and len(flat):
        raise WeightError(f"column(s) {numbered(flat)} do not vary; expected indicators that differ between units")


def numbered(columns: np.typing.NDArray[np.intp] | list[int]) -> str:
    """Column numbers as a reader counts them, from 1: "2, 5"."""
    return ", ".join(str(int(column) + 1) for column in columns)
