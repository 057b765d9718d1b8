import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.weights.consistency import geometric_index, worst_triad

NONE = np.nan


def test_the_worst_triad_is_named() -> None:
    """Items 1, 2 and 4: a = 2 b and b = 3 d say a = 6 d, but the answer was 2 d."""
    matrix = np.array([[1, 2, 2, 2], [1 / 2, 1, 1, 3], [1 / 2, 1, 1, 1], [1 / 2, 1 / 3, 1, 1]])
    found = worst_triad(matrix)
    assert found is not None
    assert found.items == (0, 1, 3)
    assert found.direct == pytest.approx(2)
    assert found.implied == pytest.approx(2 * 3)
    assert found.inconsistency == pytest.approx(1 - 2 / 6)


@given(st.floats(0.2, 5), st.floats(0.2, 5), st.floats(0.2, 5))
def test_koczkodaj_of_three_items_by_its_definition(a: float, b: float, c: float) -> None:
    found = worst_triad(np.array([[1, a, b], [1 / a, 1, c], [1 / b, 1 / c, 1]]))
    assert found is not None
    assert found.inconsistency == pytest.approx(min(abs(1 - b / (a * c)), abs(1 - a * c / b)), abs=1e-12)


def test_triads_with_a_gap_are_passed_over() -> None:
    matrix = np.ones((4, 4))
    matrix[0, 1] = matrix[1, 0] = NONE
    matrix[2, 3], matrix[3, 2] = 4.0, 1 / 4
    found = worst_triad(matrix)
    assert found is not None
    assert found.items == (0, 2, 3)
    assert found.inconsistency == pytest.approx(1 - 1 / 4)


def test_two_items_hold_no_triad() -> None:
    assert worst_triad(np.array([[1, 2], [1 / 2, 1]])) is None


def test_the_geometric_index_by_hand() -> None:
    """Weights all alike and one answer of e: 2 / ((3 - 1)(3 - 2)) times its squared logarithm 1."""
    matrix = np.array([[1, np.e, 1], [1 / np.e, 1, 1], [1, 1, 1]])
    assert geometric_index(matrix, np.full(3, 1 / 3)) == pytest.approx(2 / (2 * 1) * 1.0)
