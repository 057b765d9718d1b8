from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from green_index.agreement import interval, mean_shift, permutation_test

ORDERS = st.permutations(range(6)).map(lambda order: np.array(order, dtype=np.float64))


def test_a_perfect_order_of_five_comes_by_chance_in_two_of_120() -> None:
    """Itself and its reverse."""
    rising = np.arange(5.0)
    for other in (rising, -rising):
        found = permutation_test(rising, other, 10, 1)
        assert (found.p_value, found.exact) == (2 / factorial(5), True)


@given(ORDERS)
def test_exact_p_counts_orders_by_the_sum_of_squared_differences(order: np.ndarray) -> None:
    """Spearman's coefficient is 1 - 6 d2 / (n (n^2 - 1)) without ties: as strong is as far from 35 as d2 is."""
    rising = np.arange(6.0)
    squares = [sum((a - b) ** 2 for a, b in enumerate(other)) for other in permutations(range(6))]
    own = ((rising - order) ** 2).sum()
    strong = sum(abs(other - 35) >= abs(own - 35) for other in squares)
    assert permutation_test(rising, order, 10, 1).p_value == pytest.approx(strong / factorial(6))


def test_drawn_p_is_never_zero_and_near_the_exact_one() -> None:
    rising = np.arange(20.0)
    found = permutation_test(rising, rising, 500, 1)
    assert (found.p_value, found.exact) == (1 / 501, False)
    a, b = np.arange(8.0), np.array([1.0, 0, 3, 2, 5, 4, 7, 6])[::-1][[3, 1, 0, 2, 7, 5, 4, 6]]
    squares = np.array([sum((x - y) ** 2 for x, y in enumerate(other)) for other in permutations(range(8))])
    own = ((a - b) ** 2).sum()
    exact = (np.abs(squares - 84) >= abs(own - 84)).mean()
    assert permutation_test(a, b, 20_000, 1).p_value == pytest.approx(exact, abs=0.015)


def test_p_does_not_hang_on_units_or_sides() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=12), rng.normal(size=12)
    first = permutation_test(a, b, 2000, 1)
    assert permutation_test(np.exp(a), 3 * b - 1, 2000, 1) == first
    assert permutation_test(a, -b, 2000, 1) == first


def test_interval_of_a_perfect_order_is_one_and_of_noise_is_wide() -> None:
    rising = np.arange(20.0)
    assert interval(rising, rising, 200, 1, 0.9) == pytest.approx((1, 1))
    assert interval(rising, -rising, 200, 1, 0.9) == pytest.approx((-1, -1))
    rng = np.random.default_rng(2)
    low, high = interval(rng.normal(size=20), rng.normal(size=20), 500, 1, 0.9)
    assert -1 <= low < 0 < high <= 1
    narrower = interval(rising, rng.normal(size=20), 500, 1, 0.5)
    wider = interval(rising, rng.normal(size=20), 500, 1, 0.95)
    assert narrower[1] - narrower[0] < wider[1] - wider[0]


def test_samples_without_variation_are_left_out() -> None:
    """Of two values among many equal ones most samples hold one value only."""
    a = np.array([0.0] * 9 + [1.0])
    low, high = interval(a, a, 200, 1, 0.9)
    assert (low, high) == pytest.approx((1, 1))


def test_mean_shift_by_hand() -> None:
    assert mean_shift(np.array([3.0, 2.0, 1.0]), np.array([30.0, 10.0, 20.0])) == pytest.approx((0 + 1 + 1) / 3)
    assert mean_shift(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx((0.5 + 0.5 + 0) / 3)
