"""Random weights: proportions, spreads as stated, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from green_index.robustness.draws import (
    GroupWeight,
    WeightChoice,
    check_weights,
    concentration,
    draw_weights,
    exponentials,
)

DRAWS = 40_000
THREE = GroupWeight("g", ("a", "b", "c"), np.array([0.5, 0.3, 0.2]))
EQUAL = GroupWeight("e", ("a", "b", "c", "d"), np.full(4, 0.25))
EXPERTS = GroupWeight("x", ("a", "b"), np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.3, 0.7]]))


def shares(choice: WeightChoice, group: GroupWeight, seed: int = 1) -> np.ndarray:
    drawn = draw_weights(choice, [group], DRAWS, np.random.default_rng(seed))[group.group]
    assert drawn.shape == (len(group.children), DRAWS)
    assert drawn.dtype == np.float32
    assert (drawn > 0).all()
    fine = drawn.astype(np.float64)
    return np.asarray(fine / fine.sum(axis=0))


def test_exponentials_have_mean_and_variance_one_and_none_is_zero() -> None:
    drawn = exponentials(np.random.default_rng(3), (7, 30_001))
    assert drawn.shape == (7, 30_001)
    assert drawn.min() > 0
    assert np.isfinite(drawn).all()
    # 210,007 numbers: the mean's standard error is 1 / sqrt(210,007), the variance's sqrt(8 / 210,007).
    assert drawn.mean() == pytest.approx(1, abs=5 * 210_007**-0.5)
    assert drawn.var() == pytest.approx(1, abs=5 * (8 / 210_007) ** 0.5)


def test_a_flat_simplex_has_the_moments_of_dirichlet_one() -> None:
    """Mean 1/k and variance (k - 1) / (k^2 (k + 1)), whatever was stated."""
    drawn = shares(WeightChoice("flat"), THREE)
    assert drawn.mean(axis=1) == pytest.approx(np.full(3, 1 / 3), abs=0.005)
    assert drawn.var(axis=1) == pytest.approx(np.full(3, 2 / (9 * 4)), rel=0.03)


@pytest.mark.parametrize("spread", [0.1, 0.25, 0.9])
def test_dirichlet_has_the_stated_mean_and_spread(spread: float) -> None:
    equal = shares(WeightChoice("dirichlet", spread), EQUAL)
    assert equal.mean(axis=1) == pytest.approx(np.full(4, 0.25), abs=0.005)
    assert equal.std(axis=1) / 0.25 == pytest.approx(np.full(4, spread), rel=0.03)
    unequal = shares(WeightChoice("dirichlet", spread), THREE)
    total = 2 / spread**2 - 1
    stated = THREE.weights
    assert unequal.mean(axis=1) == pytest.approx(stated, abs=0.01)
    assert unequal.var(axis=1) == pytest.approx(stated * (1 - stated) / (total + 1), rel=0.05)


@given(st.floats(0.01, 0.99), st.integers(2, 40))
def test_concentration_gives_the_spread_back(spread: float, children: int) -> None:
    total, m = concentration(spread, children), 1 / children
    assert total > 0
    assert (m * (1 - m) / (total + 1)) ** 0.5 / m == pytest.approx(spread)


def test_uniform_noise_stays_within_its_bounds() -> None:
    drawn = draw_weights(WeightChoice("uniform", 0.25), [THREE], DRAWS, np.random.default_rng(0))["g"]
    factor = drawn / THREE.weights[:, None]
    assert factor.min() == pytest.approx(0.75, abs=1e-3)
    assert factor.max() == pytest.approx(1.25, abs=1e-3)
    assert factor.mean() == pytest.approx(1, abs=0.005)


def test_experts_are_mixed_between_them_with_one_say_for_all_groups() -> None:
    other = GroupWeight("y", ("c", "d"), np.array([0.5, 0.5]), np.array([[0.2, 0.8], [0.6, 0.4]]))
    drawn = draw_weights(WeightChoice("experts"), [EXPERTS, THREE, other], DRAWS, np.random.default_rng(0))
    x, y = (drawn[name] / drawn[name].sum(axis=0) for name in ("x", "y"))
    say = (x[0] - 0.3) / (0.9 - 0.3)
    assert say.min() > -1e-6
    assert say.max() < 1 + 1e-6
    assert say.mean() == pytest.approx(0.5, abs=0.01)
    assert np.abs(y[0] - (0.2 * say + 0.6 * (1 - say))).max() < 1e-5
    assert np.abs(drawn["g"] / drawn["g"].sum(axis=0) - THREE.weights[:, None]).max() < 1e-6


def test_stated_weights_are_not_drawn() -> None:
    assert np.abs(shares(WeightChoice("stated"), THREE) - THREE.weights[:, None]).max() < 1e-6


def test_what_cannot_be_drawn_is_named_by_group() -> None:
    two = GroupWeight("two", ("a", "b"), np.array([0.5, 0.5]))
    assert [problem.where for problem in check_weights(WeightChoice("dirichlet", 1.2), [two, THREE])] == [
        "weights dirichlet, group two"
    ]
    assert check_weights(WeightChoice("dirichlet", 0.9), [two, THREE]) == []
    assert "above 0" in check_weights(WeightChoice("dirichlet", 0.0), [two])[0].expected
    assert "below 1" in check_weights(WeightChoice("uniform", 1.0), [two])[0].expected
    assert check_weights(WeightChoice("experts"), [two])[0].code == "no_experts"
    three_experts = GroupWeight("z", ("a", "b"), np.array([0.5, 0.5]), np.full((3, 2), 0.5))
    assert "2 for x, 3 for z" in check_weights(WeightChoice("experts"), [EXPERTS, three_experts])[0].found
