"""Shapes placed by their ranges: even draws at 2.5 and 97.5 % give the ends of the range back."""

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lognorm, triang

from carbon.footprints.distributions import KINDS, multipliers, shape_kinds, triangle

LOWER, UPPER = 0.025, 0.975


def one(name: str, draws: list[float], low: float, high: float) -> list[float]:
    kinds = np.array([KINDS.index(name)], dtype=np.int8)
    return multipliers(np.array([draws]), kinds, np.array([low]), np.array([high]))[0].tolist()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("low", "high"), [(0.1, 0.1), (0.05, 0.3), (0.3, 0.05)])
def test_the_tails_are_the_ends_of_the_range(name: str, low: float, high: float) -> None:
    # A cut at 0 moves the tails of a wide shape; none of these reaches it by more than 1e-9.
    assert one(name, [LOWER, UPPER], low, high) == pytest.approx([1 - low, 1 + high], abs=1e-7)


def test_an_even_normal_is_the_normal() -> None:
    draws = [0.01, 0.2, 0.5, 0.77, 0.999]
    normal = NormalDist(1, 0.1 / NormalDist().inv_cdf(UPPER))
    assert one("normal", draws, 0.1, 0.1) == pytest.approx([normal.inv_cdf(draw) for draw in draws])


def test_a_lognormal_is_that_of_scipy() -> None:
    """From 0.5 to 2: median 1, deviation of the logarithm ln 4 / (2 x 1.96)."""
    draws = [0.1, 0.5, 0.9]
    deviation = math.log(4) / (2 * NormalDist().inv_cdf(UPPER))
    assert one("lognormal", draws, 0.5, 1.0) == pytest.approx(lognorm.ppf(draws, deviation).tolist())


def test_a_triangle_is_that_of_scipy() -> None:
    left, right = (float(side[0]) for side in triangle(np.array([0.2]), np.array([0.4])))
    draws = [0.01, 0.3, 0.6, 0.99]
    expected = triang.ppf(draws, left / (left + right), loc=1 - left, scale=left + right)
    assert one("triangular", draws, 0.2, 0.4) == pytest.approx(expected.tolist())


@given(low=st.floats(0.001, 0.7), high=st.floats(0.001, 3))
def test_a_triangle_has_its_tails_beyond_the_range(low: float, high: float) -> None:
    left, right = (float(side[0]) for side in triangle(np.array([low]), np.array([high])))
    whole = left + right
    assert (left - low) ** 2 / (whole * left) == pytest.approx(LOWER)
    assert (right - high) ** 2 / (whole * right) == pytest.approx(LOWER)


@given(
    name=st.sampled_from(KINDS),
    low=st.floats(0, 0.99),
    high=st.floats(0, 5),
    draws=st.lists(st.floats(0, 1), min_size=2),
)
def test_never_below_zero_and_rising_with_the_draw(name: str, low: float, high: float, draws: list[float]) -> None:
    found = one(name, sorted(draws), low, high)
    assert min(found) >= 0
    assert all(after >= before - 1e-12 for before, after in itertools.pairwise(found))


def test_a_wide_normal_is_cut_at_zero_and_fills_the_whole() -> None:
    deviation = 1.5 / NormalDist().inv_cdf(UPPER)
    below = NormalDist(1, deviation).cdf(0)
    expected = NormalDist(1, deviation).inv_cdf(below + (1 - below) * 0.3)
    assert one("normal", [0.3, 0.0], 1.5, 1.5) == pytest.approx([expected, 0.0], abs=1e-12)


def test_a_wide_uniform_starts_at_zero() -> None:
    """Range of 1 +- 1.2: ends at 1 + 1.2 / 0.95, cut at 0."""
    assert one("uniform", [0.0, 0.5, 1.0], 1.2, 1.2) == pytest.approx([0, (1 + 1.2 / 0.95) / 2, 1 + 1.2 / 0.95])


@pytest.mark.parametrize("name", KINDS)
def test_a_range_without_width_changes_nothing(name: str) -> None:
    assert one(name, [0.01, 0.5, 0.99], 0.0, 0.0) == [1.0, 1.0, 1.0]


def test_what_is_not_known_is_taken_as_normal_and_said() -> None:
    kinds, assumed = shape_kinds(["uniform", None, "lognormal", "lognormal"], np.array([0.1, 0.1, 0.5, 1.0]))
    assert [KINDS[kind] for kind in kinds] == ["uniform", "normal", "lognormal", "normal"]
    assert assumed.tolist() == [False, True, False, True]
