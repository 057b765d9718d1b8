"""Figures per head, per unit of product, per area: each divided by the denominator that its indicator declares.

Arrays in, arrays and a table of what was lost out; NaN stands for missing inside this package's arithmetic only. Knows
no framework: the caller says which denominator belongs to which indicator.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array

LOST_SCHEMA: Final = pl.Schema(
    {
        "period": pl.Int64,
        "unit": pl.Int64,
        "indicator": pl.Int64,
        "denominator": pl.Int64,
        "found": pl.Float64,
    }
)


@dataclass(frozen=True)
class Denominated:
    """Figures after division.

    cube: (periods, units, indicators). lost: LOST_SCHEMA, one row a figure that became missing because its
    denominator could not be used; positions, and what was found there (null where the denominator is missing).
    """

    cube: Array
    lost: pl.DataFrame


def denominate(x: Array, denominators: Array, which: npt.NDArray[np.int64], per: Array) -> Denominated:
    """Divide: x / denominator * per, for the indicators that have a denominator; the others stay as they are.

    x: (periods, units, indicators), NaN where missing; denominators: (periods, units, denominators), NaN where
    missing; which: (indicators,), position of each indicator's denominator, -1 for none; per: (indicators,), how many
    units of the denominator a figure is for (1000 for "per 1,000 inhabitants").

    A denominator is a size. One that is missing, zero or negative gives a missing figure and a row of `lost`, never
    inf and never a figure of the wrong sign; so does one so small that the quotient is no finite number.
    """
    cube = x.copy()
    divided = np.flatnonzero(which >= 0)
    below = denominators[:, :, which[divided]]
    usable = below > 0
    with np.errstate(over="ignore"):
        quotient = x[:, :, divided] / np.where(usable, below, np.nan) * per[divided]
    cube[:, :, divided] = np.where(np.isfinite(quotient), quotient, np.nan)
    periods, units, column = np.nonzero(~np.isnan(x[:, :, divided]) & ~np.isfinite(quotient))
    lost = pl.DataFrame(
        {
            "period": periods,
            "unit": units,
            "indicator": divided[column],
            "denominator": which[divided][column],
            "found": below[periods, units, column],
        }
    )
    return Denominated(cube, lost.cast(LOST_SCHEMA).with_columns(pl.col("found").fill_nan(None)))
