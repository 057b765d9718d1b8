import math
from itertools import pairwise

import numpy as np
import pytest

from green_index.perception import held_out
from green_index.perception.held_out import LeftOut
from green_index.perception.model import Choice, Grid, Model, fit_tuned, predict

ONE = Grid((10.0,), (0.05,), (0.3,))


def _constant(level: float) -> Model:
    nothing = np.empty((0, 1))
    return Model(Choice(1, 0.1, 1), np.zeros(1), np.ones(1), level, 0.0, nothing, np.empty(0), 0.0)


def _sample(rng: np.random.Generator, units: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(units, 2))
    return x, x[:, 0] + np.sin(2 * x[:, 1]) + 0.5 * rng.normal(size=units)


def test_a_known_function_is_learnt_better_than_the_mean() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, 3))
    y = 3 * x[:, 0] + np.sin(x[:, 1])
    left = held_out.leave_one_out(x, y, ONE, 1)
    found = held_out.errors_of(y, left.predicted, held_out.mean_of_others(y))
    assert found.rmse < found.baseline_rmse / 2
    assert found.r2 > 0.75
    assert found.spearman > 0.8


def test_each_unit_is_predicted_by_a_model_that_has_not_seen_it() -> None:
    x, y = _sample(np.random.default_rng(2), 12)
    ticks: list[int] = []
    left = held_out.leave_one_out(x, y, ONE, 1, lambda: ticks.append(1))
    assert len(ticks) == 12
    changed = y.copy()
    changed[4] += 100
    assert held_out.leave_one_out(x, changed, ONE, 1).predicted[4] == left.predicted[4]
    assert left.predicted[4] == predict(fit_tuned(np.delete(x, 4, 0), np.delete(y, 4), ONE, 1), x[[4]])[0]


def test_errors_by_hand() -> None:
    found = held_out.errors_of(np.array([1.0, 2.0, 6.0]), np.array([2.0, 2.0, 4.0]), np.array([4.0, 3.5, 1.5]))
    assert found.rmse == pytest.approx(math.sqrt((1 + 0 + 4) / 3))
    assert found.mae == pytest.approx((1 + 0 + 2) / 3)
    assert found.r2 == pytest.approx(1 - 5 / (4 + 1 + 9))
    assert found.spread == pytest.approx(math.sqrt((4 + 1 + 9) / 2))
    assert found.baseline_rmse == pytest.approx(math.sqrt((9 + 2.25 + 20.25) / 3))
    assert found.baseline_mae == pytest.approx((3 + 1.5 + 4.5) / 3)
    assert math.isnan(held_out.errors_of(np.array([1.0]), np.array([2.0]), np.array([0.0])).r2)
    np.testing.assert_allclose(held_out.mean_of_others(np.array([1.0, 2.0, 6.0])), [4.0, 3.5, 1.5])


@pytest.mark.parametrize(("level", "fewest"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19)])
def test_how_many_units_an_interval_takes(level: float, fewest: int) -> None:
    assert held_out.fewest_for(level) == fewest


def test_jackknife_plus_by_hand() -> None:
    """Nine units 1 .. 9 and the mean of the others as the model, at 80 %: the second least lower and the eighth least
    upper end, by floor(0.2 x 10) = 2 and ceil(0.8 x 10) = 8."""
    y = np.arange(1.0, 10.0)
    means = [(45 - value) / 8 for value in y]
    left = LeftOut(tuple(_constant(mean) for mean in means), np.array(means))
    errors = [abs(value - mean) for value, mean in zip(y, means, strict=True)]
    lower = sorted(mean - error for mean, error in zip(means, errors, strict=True))
    upper = sorted(mean + error for mean, error in zip(means, errors, strict=True))
    low, high = held_out.jackknife_plus(left, y, np.zeros((2, 1)), 0.8)
    assert (low[0], high[0]) == pytest.approx((lower[1], upper[7]))
    assert (low[0], high[0]) == (low[1], high[1])


def test_jackknife_takes_the_errors_at_the_others() -> None:
    """Of errors 0, 0, 0, 0, 9 the unit with 9 sees only zeros; at 80 % of four others the greatest counts."""
    y = np.array([1.0, 1.0, 1.0, 1.0, 10.0])
    left = LeftOut(tuple(_constant(1.0) for _ in y), np.ones(5))
    low, high = held_out.jackknife(left, y, 0.8)
    np.testing.assert_allclose(low, [-8, -8, -8, -8, 1])
    np.testing.assert_allclose(high, [10, 10, 10, 10, 1])


def test_jackknife_plus_covers_what_it_promises() -> None:
    """At 80 % at least 60 % is promised whatever the distribution, and about 80 % is usual."""
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(40):
        x, y = _sample(rng, 20)
        new, truth = _sample(rng, 10)
        low, high = held_out.jackknife_plus(held_out.leave_one_out(x, y, ONE, 1), y, new, 0.8)
        inside += ((low <= truth) & (truth <= high)).tolist()
    assert 0.74 <= np.mean(inside) <= 0.92


def test_higher_levels_give_wider_intervals() -> None:
    rng = np.random.default_rng(4)
    x, y = _sample(rng, 20)
    left = held_out.leave_one_out(x, y, ONE, 1)
    ends = [held_out.jackknife_plus(left, y, x[:5], level) for level in (0.5, 0.7, 0.9)]
    for (low, high), (wider_low, wider_high) in pairwise(ends):
        assert (wider_low <= low).all()
        assert (wider_high >= high).all()


def test_a_left_out_group_is_predicted_from_the_others_alone() -> None:
    x, y = _sample(np.random.default_rng(5), 12)
    groups = ["a"] * 5 + ["b"] * 7
    predicted, means = held_out.leave_group_out(x, y, groups, 6, ONE, 1)
    np.testing.assert_array_equal(predicted[:5], predict(fit_tuned(x[5:], y[5:], ONE, 1), x[:5]))
    np.testing.assert_allclose(means[:5], y[5:].mean())
    assert np.isnan(predicted[5:]).all()
    assert np.isnan(means[5:]).all()


def test_a_factor_of_noise_adds_nothing_and_the_one_that_matters_does() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(40, 3))
    y = 5 * x[:, 0] + x[:, 1]
    left = held_out.leave_one_out(x, y, ONE, 1)
    rises = held_out.importances(left, x, y, 20, 1)
    assert rises.shape == (20, 3)
    great, small, noise = rises.mean(axis=0)
    assert great > 3
    assert great > small > abs(noise)
    assert abs(noise) < 0.1 * great
    np.testing.assert_array_equal(rises, held_out.importances(left, x, y, 20, 1))


def test_a_shuffle_that_changes_nothing_adds_nothing() -> None:
    rng = np.random.default_rng(7)
    x = np.column_stack([rng.normal(size=12), np.full(12, 3.0)])
    y = x[:, 0]
    rises = held_out.importances(held_out.leave_one_out(x, y, ONE, 1), x, y, 5, 1)
    np.testing.assert_allclose(rises[:, 1], 0, atol=1e-12)
