import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import SVR

from green_index.perception.model import Choice, Grid, choose, fit, fit_tuned, predict

CHOICE = Choice(10.0, 0.05, 0.3)
ONE = Grid((10.0,), (0.05,), (0.3,))


def _data(seed: int, units: int = 20, factors: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(units, factors))
    return x, 2 * x[:, 0] - x[:, 1] ** 2


def test_predictions_are_those_of_the_library_on_standardised_data() -> None:
    x, y = _data(1)
    new, _ = _data(2)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    machine = SVR(C=10.0, epsilon=0.05, gamma=0.3 / 3, tol=1e-7).fit((x - mean) / scale, (y - y.mean()) / y.std())
    expected = machine.predict((new - mean) / scale) * y.std() + y.mean()
    np.testing.assert_allclose(predict(fit(x, y, CHOICE), new), expected, rtol=0, atol=1e-10)


@settings(max_examples=15)
@given(
    st.lists(st.floats(0.01, 100), min_size=3, max_size=3),
    st.lists(st.floats(-50, 50), min_size=3, max_size=3),
    st.floats(0.1, 10),
    st.floats(-100, 100),
)
def test_units_of_factors_and_target_do_not_matter(
    scale: list[float], shift: list[float], stretch: float, level: float
) -> None:
    x, y = _data(3)
    changed = x * np.array(scale) + np.array(shift)
    plain = predict(fit(x, y, CHOICE), x)
    other = predict(fit(changed, stretch * y + level, CHOICE), changed)
    np.testing.assert_allclose((other - level) / stretch, plain, rtol=0, atol=1e-4)


def test_a_factor_that_never_varied_says_nothing_of_a_unit_where_it_differs() -> None:
    x, y = _data(4)
    x[:, 2] = 7.0
    model = fit(x, y, CHOICE)
    usual, strange = x[:3].copy(), x[:3].copy()
    strange[:, 2] = 1e6
    np.testing.assert_array_equal(predict(model, usual), predict(model, strange))


def test_a_target_that_does_not_vary_is_predicted_as_it_is() -> None:
    x, _ = _data(5)
    np.testing.assert_array_equal(predict(fit_tuned(x, np.full(20, 4.0), Grid(), 1), x[:2]), [4.0, 4.0])


def test_the_choice_is_of_the_grid_and_the_same_every_time() -> None:
    x, y = _data(6)
    grid = Grid()
    first = choose(x, y, grid, 5)
    assert first == choose(x, y, grid, 5)
    assert (first.penalty in grid.penalty, first.tube in grid.tube, first.width in grid.width) == (True,) * 3
    assert choose(x, y, ONE, 5) == CHOICE


def test_of_equal_choices_the_smoothest_is_taken() -> None:
    """Within a tube as wide as the whole target every choice predicts one and the same figure."""
    x, _ = _data(7)
    y = np.tile([0.0, 1.0], 10)
    assert choose(x, y, Grid(tube=(9.0, 9.5)), 1) == Choice(1.0, 9.5, 0.1)


def test_tuning_follows_the_data() -> None:
    """A straight line asks for a wide kernel, waves for a narrow one."""
    x = np.linspace(-3, 3, 40)[:, None]
    grid = Grid((100.0,), (0.05,), (0.01, 10.0))
    assert choose(x, x[:, 0], grid, 1).width == pytest.approx(0.01)
    assert choose(x, np.sin(6 * x[:, 0]), grid, 1).width == pytest.approx(10.0)
