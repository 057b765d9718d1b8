import math

import numpy as np
import pytest

from green_index.perception.domain import place


def test_sides_distances_and_limit_by_hand() -> None:
    """Known 0, 1, 5 (mean 2, variance (4 + 1 + 9) / 3): nearest neighbours lie 1, 1 and 4 apart."""
    deviation = math.sqrt(14 / 3)
    found = place(np.array([[0.0], [1.0], [5.0]]), np.array([[-1.0], [3.0], [1.0], [6.0]]))
    assert found.outside.ravel().tolist() == [-1, 0, 0, 1]
    np.testing.assert_allclose(found.distance, np.array([1, 2, 0, 1]) / deviation)
    assert found.nearest.tolist() == [0, 1, 1, 2]
    assert found.limit == pytest.approx(4 / deviation)
    assert found.within.tolist() == [False, True, True, False]


def test_a_unit_inside_every_range_may_still_be_far_from_all() -> None:
    """Both figures were seen, but never together."""
    known = np.array([[0.0, 0.0], [0.1, 0.1], [0.2, 0.2], [0.9, 0.9], [1.0, 1.0]])
    found = place(known, np.array([[0.0, 1.0], [0.15, 0.15]]))
    assert (found.outside == 0).all()
    assert found.within.tolist() == [False, True]


def test_known_units_are_within() -> None:
    known = np.random.default_rng(1).normal(size=(12, 4))
    found = place(known, known)
    assert found.within.all()
    assert found.nearest.tolist() == list(range(12))
