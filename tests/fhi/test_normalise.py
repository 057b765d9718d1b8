import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.normalise import minmax, observed_bounds

FIGURES = st.floats(-1e6, 1e6)
UP = np.array([1.0])


def scores(x: np.ndarray, direction: float = 1.0, *, pooled: bool = False) -> np.ndarray:
    cube = x.reshape(-1, x.shape[-1], 1)
    return minmax(cube, observed_bounds(cube, pooled=pooled), np.array([direction]), 0, 100)[:, :, 0]


def test_least_is_zero_greatest_is_a_hundred() -> None:
    assert scores(np.array([[2.0, 4.0, 6.0]])).tolist() == [[0.0, 100 * (4 - 2) / (6 - 2), 100.0]]


def test_direction_turns_the_scale() -> None:
    assert scores(np.array([[2.0, 4.0, 10.0]]), -1).tolist() == [[100.0, 100 - 100 * (4 - 2) / (10 - 2), 0.0]]


def test_bounds_of_each_period_or_of_all() -> None:
    x = np.array([[0.0, 10.0], [10.0, 20.0]])
    assert scores(x).tolist() == [[0.0, 100.0], [0.0, 100.0]]
    assert scores(x, pooled=True).tolist() == [[0.0, 50.0], [50.0, 100.0]]


def test_missing_stays_missing_and_does_not_move_the_bounds() -> None:
    found = scores(np.array([[2.0, np.nan, 6.0]]))
    assert found[0, 0] == 0
    assert np.isnan(found[0, 1])
    assert found[0, 2] == 100


def test_a_constant_or_empty_indicator_gives_no_score() -> None:
    assert np.isnan(scores(np.array([[3.0, 3.0]]))).all()
    assert np.isnan(scores(np.array([[np.nan, np.nan]]))).all()


def test_fixed_bounds_hold_figures_beyond_them() -> None:
    bounds = (np.array([[[0.0]]]), np.array([[[10.0]]]))
    cube = np.array([[[-5.0], [5.0], [15.0]]])
    assert minmax(cube, bounds, UP, 1, 100)[0, :, 0].tolist() == [1.0, 1 + 99 * 0.5, 100.0]


@given(arrays(np.float64, (1, 8), elements=FIGURES), st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_min_max_ignores_units(x: np.ndarray, factor: float, shift: float) -> None:
    if np.ptp(x) < 1e-3:
        return
    assert np.allclose(scores(x * factor + shift), scores(x), atol=1e-3)


@given(arrays(np.float64, (2, 6), elements=FIGURES))
def test_scores_lie_within_the_scale(x: np.ndarray) -> None:
    found = scores(x)
    assert ((found >= 0) & (found <= 100) | np.isnan(found)).all()
