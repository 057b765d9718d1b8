import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fhi.errors import JudgementError
from fhi.weights.ahp import check_reciprocal, eigenvector_weights
from fhi.weights.scores import learn_from_answers, learn_from_holistic, matrix_from_scores

NONE = np.nan


def test_ratios_give_the_shares_of_the_scores() -> None:
    """AHPy's cars: 34, 27, 24 and 28 of 113."""
    matrix = matrix_from_scores(np.array([34.0, 27.0, 24.0, 28.0]), "ratio")
    found = eigenvector_weights(matrix, random_index="saaty1980")
    assert np.allclose(found.weights, [34 / 113, 27 / 113, 24 / 113, 28 / 113])
    assert found.consistency_ratio == pytest.approx(0, abs=1e-12)


def test_differences_on_saatys_scale() -> None:
    found = matrix_from_scores(np.array([7.0, 5.0, 5.0, -4.0]), "saaty_difference")
    expected: list[list[float]] = [[1, 3, 3, 9], [1 / 3, 1, 1, 9], [1 / 3, 1, 1, 9], [1 / 9, 1 / 9, 1 / 9, 1]]
    assert np.allclose(found, expected)


def test_truncated_ratios_give_what_pymcdm_documents_for_a_ranking() -> None:
    """Ranking 1, 2, 4, 3 is documented as .48144852 .21998235 .13073309 .16783605."""
    matrix = matrix_from_scores(np.array([1, 1 / 2, 1 / 4, 1 / 3]), "saaty_ratio")
    assert np.allclose(matrix, [[1, 2, 4, 3], [1 / 2, 1, 2, 1], [1 / 4, 1 / 2, 1, 1], [1 / 3, 1, 1, 1]])
    found = eigenvector_weights(matrix, random_index="tummala_ling_1998").weights
    assert np.abs(found - [0.48144852, 0.21998235, 0.13073309, 0.16783605]).max() < 1e-8


def test_differences_of_the_same_ranking_are_another_rule() -> None:
    matrix = matrix_from_scores(np.array([4.0, 3.0, 1.0, 2.0]), "saaty_difference")
    assert np.allclose(matrix, [[1, 2, 4, 3], [1 / 2, 1, 3, 2], [1 / 4, 1 / 3, 1, 1 / 2], [1 / 3, 1 / 2, 2, 1]])
    assert np.abs(eigenvector_weights(matrix, random_index="saaty1980").weights[0] - 0.4814) > 0.01


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=8),
    st.sampled_from(["ratio", "saaty_difference", "saaty_ratio"]),
    st.floats(0.1, 10),
)
def test_every_rule_gives_a_judgement_that_follows_the_scores(scores: list[float], rule: str, factor: float) -> None:
    s = np.array(scores)
    matrix = matrix_from_scores(s, rule)  # type: ignore[arg-type]
    check_reciprocal(matrix)
    assert ((matrix >= 1 - 1e-12) | (s[:, None] < s[None, :])).all()
    if rule == "ratio":
        assert np.allclose(matrix_from_scores(s * factor, "ratio"), matrix)
    else:
        assert matrix.max() <= 9
    if rule == "saaty_difference":
        assert np.allclose(matrix_from_scores(s + factor, "saaty_difference"), matrix)


@pytest.mark.parametrize(
    ("scores", "rule", "said"),
    [
        ([1.0, 0.0], "ratio", "score 2 is 0; expected a positive score"),
        ([1.0, NONE], "saaty_difference", "score 2 is nan; expected a finite score"),
        ([-1.0, 1.0], "saaty_ratio", "score 1 is -1"),
        ([], "ratio", "no list"),
    ],
)
def test_scores_that_no_rule_takes(scores: list[float], rule: str, said: str) -> None:
    with pytest.raises(JudgementError, match=said):
        matrix_from_scores(np.array(scores), rule)  # type: ignore[arg-type]


def test_a_slope_learnt_from_answers_by_hand() -> None:
    """Scores 3, 2, 0, answers a = 2 b and b = 16 c, a against c open: k = (1 ln 2 + 2 ln 16) / (1 + 4) = 9/5 ln 2."""
    matrix = np.array([[1, 2, NONE], [NONE, 1, 16], [NONE, NONE, 1]])
    found = learn_from_answers(np.array([3.0, 2.0, 0.0]), matrix)
    slope = 9 / 5 * np.log(2)
    assert found.slope == pytest.approx(slope)
    raw = np.exp(slope * np.array([3.0, 2.0, 0.0]))
    assert np.allclose(found.weights, raw / raw.sum())
    errors = (1 - 9 / 5) ** 2 + (4 - 18 / 5) ** 2
    assert found.fit == pytest.approx(1 - errors / (1**2 + 4**2))
    assert found.measure == "r_squared"
    assert found.consistency_ratio == 0


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=6), st.floats(0, 0.1))
def test_answers_that_follow_a_slope_give_it_back(numbers: list[int], slope: float) -> None:
    s = np.array(numbers, dtype=np.float64)
    assume(np.ptp(s) > 0)
    found = learn_from_answers(s, np.exp(slope * (s[:, None] - s[None, :])))
    assert found.slope == pytest.approx(slope, abs=1e-12)
    assert found.fit == pytest.approx(1)
    assert found.weights.sum() == pytest.approx(1)


def test_answers_against_the_scores_teach_no_slope() -> None:
    found = learn_from_answers(np.array([1.0, 2.0]), np.array([[1, 3], [1 / 3, 1]]))
    assert found.slope == 0
    assert found.fit == 0
    assert np.allclose(found.weights, [0.5, 0.5])
    assert found.consistency_ratio is None


@pytest.mark.parametrize(
    ("scores", "matrix", "said"),
    [
        ([1.0, 1.0], [[1, 2], [0.5, 1]], "differ"),
        ([1.0, 2.0, 3.0], [[1, 2], [0.5, 1]], "3 scores and answers about 2"),
        ([1.0, 1.0, 2.0], [[1, 2, NONE], [0.5, 1, NONE], [NONE, NONE, 1]], "no answer compares"),
    ],
)
def test_answers_that_teach_nothing(scores: list[float], matrix: list[list[float]], said: str) -> None:
    with pytest.raises(JudgementError, match=said):
        learn_from_answers(np.array(scores), np.array(matrix))


UNITS = np.random.default_rng(3).uniform(0, 100, (12, 4))


@given(st.floats(0.05, 1.5), st.floats(0.01, 100), st.floats(-50, 50))
def test_holistic_scores_of_a_rule_give_it_back(slope: float, factor: float, shift: float) -> None:
    """Whatever scale the experts think on, for they are compared by correlation."""
    scores = np.array([5.0, 3.0, 2.0, 1.0])
    weights = np.exp(slope * scores) / np.exp(slope * scores).sum()
    found = learn_from_holistic(scores, UNITS, UNITS @ weights * factor + shift)
    assert found.fit == pytest.approx(1)
    assert found.slope == pytest.approx(slope, abs=1e-4)
    assert np.allclose(found.weights, weights, atol=1e-4)
    assert found.measure == "spearman"


def test_rank_agreement_comes_before_the_straight_line() -> None:
    """Two children, weights w and 1 - w with w >= 1/2: the third unit passes the first only beyond w = 2/3.

    Units (1, 2), (0, 0) and (2, 0) score 2 - w, 0 and 2w; the experts rank the third first.
    """
    units = np.array([[1.0, 2.0], [0.0, 0.0], [2.0, 0.0]])
    found = learn_from_holistic(np.array([1.0, 0.0]), units, np.array([2.0, 1.0, 3.0]))
    assert found.fit == pytest.approx(1)
    assert found.weights[0] > 2 / 3


def test_units_without_a_score_or_with_a_gap_are_left_out() -> None:
    scores = np.array([5.0, 3.0, 2.0, 1.0])
    holistic = UNITS @ np.array([0.4, 0.3, 0.2, 0.1])
    gaps, silent = UNITS.copy(), holistic.copy()
    gaps[0, 2] = NONE
    silent[1] = NONE
    found = learn_from_holistic(scores, gaps, silent)
    assert found.slope == learn_from_holistic(scores, UNITS[2:], holistic[2:]).slope


@pytest.mark.parametrize(
    ("scores", "children", "holistic", "said"),
    [
        ([1.0, 1.0], UNITS[:, :2], UNITS[:, 0], "that differ, or equal weights"),
        ([1.0, 2.0], UNITS, UNITS[:, 0], "expected 12 units by 2 children"),
        ([1.0, 2.0], UNITS[:2, :2], UNITS[:2, 0], "2 complete units"),
        ([1.0, 2.0], UNITS[:, :2], np.ones(12), "differ in the holistic"),
        ([1.0, 2.0], np.ones((12, 2)), UNITS[:, 0], "in some child"),
    ],
)
def test_holistic_scores_that_teach_nothing(
    scores: list[float], children: np.ndarray, holistic: np.ndarray, said: str
) -> None:
    with pytest.raises(JudgementError, match=said):
        learn_from_holistic(np.array(scores), children, holistic)


def test_answers_of_one_but_for_rounding_are_followed_by_no_slope() -> None:
    near = np.nextafter(1.0, 2.0)
    found = learn_from_answers(np.array([0.0, 1.0, 3.0]), np.array([[1, 1, 1 / near], [1, 1, 1], [near, 1, 1]]))
    assert found.fit == 1.0
    assert np.allclose(found.weights, 1 / 3)
