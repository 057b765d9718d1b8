import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import JudgementError
from fhi.weights.ahp import Priority, check_connected, eigenvector_weights, mirrored, priority_weights
from fhi.weights.incomplete import complete_by_least_lambda, least_squares_priorities, parts_of

NONE = np.nan
BOZOKI = np.array([[1, 1, 5, 2], [1, 1, 3, 4], [1 / 5, 1 / 3, 1, NONE], [1 / 2, 1 / 4, NONE, 1]])
PRIORITIES: list[Priority] = ["eigenvector", "geometric_mean"]


def five_items(logs: np.ndarray, gaps: list[int]) -> np.ndarray:
    """A reciprocal 5 x 5 matrix with the numbered pairs of its upper triangle left open."""
    upper = np.zeros((5, 5))
    upper[np.triu_indices(5, 1)] = np.where(np.isin(np.arange(10), gaps), NONE, logs)
    return np.exp(upper - upper.T)


incomplete = st.builds(
    five_items, arrays(np.float64, 10, elements=st.floats(-2.2, 2.2)), st.lists(st.integers(0, 9), max_size=5)
)


def test_the_published_completion() -> None:
    """Bozoki, Fulop & Ronyai 2010: the missing entry is .7303, the weights .3738 .3920 .0985 .1357, CR .0372."""
    assert complete_by_least_lambda(BOZOKI)[2, 3] == pytest.approx(0.730297106886979, abs=1e-6)
    found = priority_weights(BOZOKI, priority="eigenvector", random_index="donegan_dodd_1991")
    assert np.abs(found.weights - [0.3738, 0.3920, 0.0985, 0.1357]).max() < 0.00005
    assert found.consistency_ratio == pytest.approx(0.0372, abs=0.00005)
    assert found.missing == 1


def test_both_solutions_as_others_computed_them(reference: Path) -> None:
    cases = json.loads((reference / "composite/ahp/ahp_cases.json").read_text(encoding="utf-8"))
    computed = cases["incomplete"]["computed"]
    eigen = priority_weights(BOZOKI, priority="eigenvector", random_index="donegan_dodd_1991")
    assert eigen.lambda_max == pytest.approx(computed["lambda_max"], abs=1e-11)
    assert np.allclose(eigen.weights, computed["weights_lambda_min"], rtol=0, atol=1e-8)
    squares = priority_weights(BOZOKI, priority="geometric_mean", random_index="donegan_dodd_1991")
    assert np.allclose(squares.weights, computed["weights_incomplete_LLSM"], rtol=0, atol=1e-12)


def test_a_chain_of_answers_is_followed() -> None:
    """a = 2 b and b = 3 c say all there is to say: 6 : 3 : 1, and nothing can contradict them."""
    matrix = np.array([[1, 2, NONE], [NONE, 1, 3], [NONE, NONE, 1]])
    for priority in PRIORITIES:
        found = priority_weights(matrix, priority=priority, random_index="saaty1980")
        assert np.allclose(found.weights, [0.6, 0.3, 0.1])
        assert found.lambda_max == pytest.approx(3)
        assert found.consistency_ratio is None
        assert found.geometric_index is None
        assert found.worst is None


@given(incomplete)
def test_no_other_filling_is_more_consistent(matrix: np.ndarray) -> None:
    assume(len(parts_of(~np.isnan(matrix))) == 1)
    full = complete_by_least_lambda(matrix)
    known = ~np.isnan(matrix)
    assert np.array_equal(full[known], matrix[known])
    assert np.allclose(full * full.T, 1)
    least = eigenvector_weights(full, random_index="saaty1980").lambda_max
    w = least_squares_priorities(matrix)
    for nudge in (0.8, 1.0, 1.25):
        other = np.where(known, matrix, w[:, None] / w[None, :] * nudge)
        other = np.triu(other, 1) + np.triu(1 / other, 1).T + np.eye(5)
        assert least <= eigenvector_weights(other, random_index="saaty1980").lambda_max + 1e-9


@given(incomplete)
def test_logarithmic_least_squares_solves_its_normal_equations(matrix: np.ndarray) -> None:
    assume(len(parts_of(~np.isnan(matrix))) == 1)
    logs = np.log(least_squares_priorities(matrix))
    left = np.nan_to_num(np.log(matrix) - logs[:, None] + logs[None, :], nan=0.0)
    assert np.abs(left.sum(axis=1)).max() < 1e-9


@given(st.lists(st.floats(0.2, 9), min_size=5, max_size=5), st.lists(st.integers(0, 9), max_size=5))
def test_answers_that_agree_give_the_weights_whatever_is_missing(scores: list[float], gaps: list[int]) -> None:
    s = np.array(scores)
    logs = np.log(s[:, None] / s[None, :])[np.triu_indices(5, 1)]
    matrix = five_items(logs, gaps)
    assume(len(parts_of(~np.isnan(matrix))) == 1)
    for priority in PRIORITIES:
        found = priority_weights(matrix, priority=priority, random_index="saaty1980")
        assert np.allclose(found.weights, s / s.sum(), atol=1e-6)
        assert found.consistency_index < 1e-6


@given(arrays(np.float64, 10, elements=st.floats(-2.2, 2.2)), st.sampled_from(PRIORITIES))
def test_half_of_a_matrix_is_enough(logs: np.ndarray, priority: Priority) -> None:
    whole = five_items(logs, [])
    half = np.where(np.triu(np.ones((5, 5), dtype=bool)), whole, NONE)
    found = priority_weights(half, priority=priority, random_index="saaty1980")
    expected = priority_weights(whole, priority=priority, random_index="saaty1980")
    assert np.allclose(found.weights, expected.weights)
    assert found.missing == 0


def test_parts_that_nobody_compared_are_named() -> None:
    matrix = np.eye(5)
    matrix[~np.eye(5, dtype=bool)] = NONE
    matrix[0, 2] = 3.0
    matrix[1, 4] = 2.0
    with pytest.raises(JudgementError, match=r"3 parts .*\(1, 3 \| 2, 5 \| 4\)"):
        check_connected(mirrored(matrix))
    with pytest.raises(JudgementError, match="compare one item of each part"):
        priority_weights(matrix, priority="geometric_mean", random_index="saaty1980")


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ([[1.0, 0.0], [NONE, 1.0]], r"entry \(1, 2\) is 0"),
        ([[1.0, 2.0, NONE], [0.4, 1.0, 1.0], [NONE, 1.0, 1.0]], r"entry \(1, 2\) is 2 and its mirror 0.4"),
        ([[1.0, NONE, 2.0]], "shape"),
    ],
)
def test_answers_that_are_none(matrix: list[list[float]], said: str) -> None:
    with pytest.raises(JudgementError, match=said):
        mirrored(np.array(matrix))
