"""Which numbers this package computes with.

Knows a range and how to ask whether a number lies in it. Must not know what a number stands for.

Squares, fourth powers and quotients of figures must stay within the range of floats: beyond it they would become
infinite or zero without a word. No measured thing needs more than these hundred orders of magnitude.
"""

from typing import Annotated, Final

import polars as pl
from pydantic import AfterValidator, Strict

LEAST: Final = 1e-50
GREATEST: Final = 1e50
IN_RANGE: Final = "zero, or a number from 1e-50 to 1e50 in size: choose another unit of measure"


def out_of_range(value: pl.Expr) -> pl.Expr:
    """Is a figure, finite and not null, too great or too near to zero to compute with?"""
    size = value.abs()
    return (size > GREATEST) | ((size < LEAST) & (size > 0))


def _within_range(value: float) -> float:
    if abs(value) > GREATEST or 0 < abs(value) < LEAST:
        raise ValueError(IN_RANGE)
    return value


# Strict: neither a text nor true is a number.
Number = Annotated[float, Strict(), AfterValidator(_within_range)]
