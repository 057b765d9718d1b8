"""Fixtures of the base index's tests: a table compared with a reference one, in words that a failing test shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from fhi.arrays import Array


@dataclass(frozen=True)
class Difference:
    """How far two tables are apart: cells compared, the largest difference (inf where one has a figure and the other
    none) and its place."""

    table: str
    cells: int
    largest: float
    where: str

    def __str__(self) -> str:
        return f"{self.table}: {self.cells} cells, largest difference {self.largest:.3g} at {self.where}"


def find_largest_difference(
    table: str,
    found: Array,
    expected: Array,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    *,
    relative: bool = False,
) -> Difference:
    """The largest difference of two tables of the same shape (rows, columns), NaN where missing.

    relative: differences of figures above 1 are divided by the expected figure.
    """
    assert found.shape == expected.shape, f"{table}: shape {found.shape}, expected {expected.shape}"
    one_sided = np.isnan(found) != np.isnan(expected)
    both = ~np.isnan(found) & ~np.isnan(expected)
    scale = np.maximum(np.abs(expected), 1.0) if relative else np.ones(expected.shape)
    off = np.where(both, np.abs(np.where(both, found, 0) - np.where(both, expected, 0)) / scale, 0.0)
    off = np.where(one_sided, np.inf, off)
    at = np.unravel_index(int(np.argmax(off)), off.shape) if off.size else ()
    names = [axis[i] if axis else str(i) for axis, i in zip((rows, columns), at, strict=False)]
    values = f" (found {float(found[at])!r}, expected {float(expected[at])!r})" if off.size else ""
    return Difference(table, int(both.sum()), float(off.max(initial=0.0)), ", ".join(names) + values)


@pytest.fixture(scope="session")
def largest_difference() -> Callable[..., Difference]:
    """`find_largest_difference`, which test modules cannot import from here."""
    return find_largest_difference
