from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import WeightError
from fhi.weights.bod import doubt_weights

NONE = np.nan


@pytest.fixture(scope="module")
def tai(reference: Path) -> np.ndarray:
    raw = pl.read_csv(reference / "composite/tai/tai_raw_23.csv").select(pl.selectors.numeric()).to_numpy()
    scores: np.ndarray = (raw - raw.min(axis=0)) / np.ptp(raw, axis=0)
    return scores


def test_the_handbooks_composite(tai: np.ndarray, reference: Path) -> None:
    """Table 19, each weight 10 to 15 % of their sum; three countries reach 1."""
    printed = pl.read_csv(reference / "composite/tai/table19_bod_published.csv")
    recomputed = pl.read_csv(reference / "composite/tai/recomputed_bod.csv")
    found = doubt_weights(tai, min_share=0.10, max_share=0.15)
    assert np.allclose(found.composite, recomputed["w_share_10_15pct"].to_numpy(), rtol=0, atol=1e-9)
    assert np.abs(found.composite - printed["CI"].to_numpy()).max() < 0.0075
    assert (found.composite > 1 - 1e-9).sum() == 3
    assert found.shares.min() > 0.1 - 1e-9
    assert found.shares.max() < 0.15 + 1e-9


def test_the_handbooks_weights(tai: np.ndarray, reference: Path) -> None:
    """Best weights need not be unique: those of 17 of the 23 countries are the printed ones, the others as good."""
    printed = pl.read_csv(reference / "composite/tai/table19_bod_published.csv").drop("CI")
    weights = printed.select(pl.selectors.numeric()).to_numpy()
    found = doubt_weights(tai, min_share=0.10, max_share=0.15)
    assert (np.abs(found.weights - weights).max(axis=1) < 0.011).sum() >= 17
    assert np.allclose((tai * found.weights).sum(axis=1), found.composite)


def test_without_bounds_eight_countries_reach_one(tai: np.ndarray, reference: Path) -> None:
    found = doubt_weights(tai)
    recomputed = pl.read_csv(reference / "composite/tai/recomputed_bod.csv")["unconstrained"].to_numpy()
    assert np.allclose(found.composite, recomputed, rtol=0, atol=1e-9)
    assert (found.composite > 1 - 1e-9).sum() == 8


def test_two_children_by_hand() -> None:
    """Units (4, 0), (0, 2) and (2, 1/2): weights 1/4 and 1/2 give them 1, 1 and 1/2 + 1/4."""
    found = doubt_weights(np.array([[4.0, 0.0], [0.0, 2.0], [2.0, 0.5]]))
    assert np.allclose(found.composite, [1, 1, 3 / 4])
    assert np.allclose(found.weights[2], [1 / 4, 1 / 2])
    assert np.allclose(found.shares[2], [1 / 3, 2 / 3])


def test_equal_shares_leave_the_mean_over_the_best_mean() -> None:
    scores = np.array([[8.0, 4.0], [1.0, 5.0], [0.0, 3.0]])
    found = doubt_weights(scores, min_share=0.5, max_share=0.5)
    assert np.allclose(found.composite, np.array([12, 6, 3]) / 12)
    assert np.allclose(found.shares, 0.5)


def test_one_missing_figure_by_hand() -> None:
    """The third unit has the second child only, and is weighed by that alone, against the best there is.

    The first unit's missing figure frees no peer: what it has in the first child binds as before.
    """
    scores = np.array([[4.0, NONE], [1.0, 2.0], [NONE, 1.0], [2.0, 1.0]])
    found = doubt_weights(scores)
    assert np.allclose(found.composite, [1, 1, 1 / 2, 2 / 4 + 3 / 8 * 1])
    assert found.weights[0, 1] == 0
    assert found.weights[2, 0] == 0
    assert np.allclose(found.shares[2], [0, 1])


def test_bounds_on_shares_widen_where_figures_are_missing() -> None:
    """Shares of a third to a third: of the two children that the second unit has, a half each."""
    scores = np.array([[6.0, 6.0, 6.0], [3.0, NONE, 6.0]])
    found = doubt_weights(scores, min_share=1 / 3, max_share=1 / 3)
    assert np.allclose(found.shares[1], [1 / 2, 0, 1 / 2])
    assert np.allclose(found.composite, [1, (3 + 6) / (6 + 6)])


def test_a_unit_without_figures_has_no_composite() -> None:
    found = doubt_weights(np.array([[1.0, 2.0], [NONE, NONE]]))
    assert np.isnan(found.composite[1])
    assert np.isnan(found.weights[1]).all()
    assert found.composite[0] == pytest.approx(1)


def test_a_unit_of_zeros_scores_zero() -> None:
    found = doubt_weights(np.array([[1.0, 2.0], [0.0, 0.0]]), min_share=0.2)
    assert found.composite[1] == 0


figures = arrays(np.float64, (9, 3), elements=st.integers(0, 20).map(float))


@given(figures, st.permutations(range(3)), st.tuples(*[st.floats(0.01, 100)] * 3))
def test_the_best_weights_keep_every_promise(scores: np.ndarray, order: list[int], factors: tuple[float, ...]) -> None:
    assume((scores.max(axis=0) > 0).all())
    found = doubt_weights(scores)
    assert (found.weights >= 0).all()
    assert (scores @ found.weights.T <= 1 + 1e-9).all()
    assert found.composite.max() == pytest.approx(1)
    even = scores.sum(axis=1) / scores.sum(axis=1).max()
    assert (found.composite >= even - 1e-9).all()
    assert (found.composite >= (scores / scores.max(axis=0)).min(axis=1) - 1e-9).all()
    moved = doubt_weights((scores * np.array(factors))[:, order])
    assert np.allclose(moved.composite, found.composite, atol=1e-6)


@given(figures, st.sampled_from([(0.0, 0.6), (0.1, 0.5), (0.3, 0.4), (0.2, 1.0)]))
def test_bounds_are_kept_and_cost_something(scores: np.ndarray, bounds: tuple[float, float]) -> None:
    assume((scores.max(axis=0) > 0).all())
    least, most = bounds
    found = doubt_weights(scores, min_share=least, max_share=most)
    shares = found.shares[~np.isnan(found.shares).any(axis=1)]
    assert (shares >= least - 1e-7).all()
    assert (shares <= most + 1e-7).all()
    assert (scores @ np.nan_to_num(found.weights).T <= 1 + 1e-9).all()
    assert (found.composite <= doubt_weights(scores).composite + 1e-7).all()


@pytest.mark.parametrize(
    ("scores", "least", "most", "said"),
    [
        ([[1.0, -1.0]], 0.0, 1.0, r"column\(s\) 2 hold scores below zero"),
        ([[1.0, np.inf]], 0.0, 1.0, r"column\(s\) 2 hold"),
        ([[1.0, 0.0], [2.0, NONE]], 0.0, 1.0, r"column\(s\) 2 are zero or missing everywhere"),
        ([[1.0, 2.0]], 0.6, 1.0, "cannot sum to 1; expected min_share up to 0.5"),
        ([[1.0, 2.0]], 0.0, 0.4, "cannot sum to 1"),
    ],
)
def test_scores_that_no_weights_suit(scores: list[list[float]], least: float, most: float, said: str) -> None:
    with pytest.raises(WeightError, match=said):
        doubt_weights(np.array(scores), min_share=least, max_share=most)
