import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.aggregate import rescaled_weights
from fhi.errors import RecipeError
from fhi.topsis import closeness, topsis

NAN = float("nan")


def test_published_and_recomputed_anchors(reference: Path) -> None:
    cases = json.loads((reference / "composite/mcdm/mcdm_reference.json").read_text())
    checked = 0
    for case in cases.values():
        matrix, types = np.array(case["matrix"]), np.array(case["types"], dtype=float)
        weights = np.array(case["topsis"]["weights"])
        for name in ("vector", "minmax"):
            found = topsis(matrix, weights, types, name)  # type: ignore[arg-type]
            assert np.abs(found - case["topsis"][f"reference_{name}"]).max() < 1e-12
        if "topsis" in case["published"]:
            assert np.abs(topsis(matrix, weights, types) - case["published"]["topsis"]).max() < 0.001
            checked += 1
    assert checked == 2  # Tzeng & Huang 2011, Ersoy 2021


def test_closeness_of_scores_as_given() -> None:
    scores = np.array([[[0.0, 4.0], [3.0, 0.0], [3.0, 4.0]]])
    found = closeness(scores, np.full((1, 3, 2), 0.5))[0]
    assert found.tolist() == [pytest.approx(2 / (1.5 + 2)), pytest.approx(1.5 / (1.5 + 2)), 1.0]


def test_a_missing_child_is_measured_on_the_others() -> None:
    scores = np.array([[[1.0, NAN], [0.0, 0.0], [4.0, 8.0]]])
    found = closeness(scores, rescaled_weights(scores, np.ones(2), 0.0))[0]
    assert found.tolist() == [pytest.approx(1 / 4), 0.0, 1.0]


def test_too_few_children_and_units_alike_have_no_closeness() -> None:
    scores = np.array([[[NAN, NAN], [1.0, 2.0], [1.0, 2.0]]])
    assert np.isnan(closeness(scores, rescaled_weights(scores, np.ones(2), 0.0))).all()
    assert np.isnan(topsis(np.ones((3, 2)), np.ones(2), np.ones(2), "minmax")).all()


def test_a_child_of_weight_zero_does_not_count() -> None:
    scores = np.array([[[1.0, 9.0], [3.0, 0.0], [2.0, 5.0]]])
    weights = rescaled_weights(scores, np.array([1.0, 0.0]), 0.0)
    assert closeness(scores, weights)[0].tolist() == [0.0, 1.0, 0.5]


def test_every_problem_of_the_input_is_named_at_once() -> None:
    matrix = np.array([[1.0, NAN], [2.0, 3.0]])
    with pytest.raises(RecipeError) as caught:
        topsis(matrix, np.array([-1.0, 2.0]), np.array([1.0, 0.0]))
    assert [problem.code for problem in caught.value.problems] == ["not_finite", "wrong_value", "wrong_value"]
    assert "row 1, column 2" in str(caught.value)
    with pytest.raises(RecipeError, match="shape"):
        topsis(matrix[0], np.ones(2), np.ones(2))
    with pytest.raises(RecipeError, match=r"weights: found shape \(3,\)"):
        topsis(np.ones((2, 2)), np.ones(3), np.ones(2))


@given(arrays(np.float64, (6, 3), elements=st.integers(-50, 50).map(float)), st.floats(0.1, 10))
def test_closeness_is_a_share_and_needs_no_unit(matrix: np.ndarray, factor: float) -> None:
    assume((np.ptp(matrix, axis=0) > 0).all())
    weights, directions = np.array([2.0, 1.0, 1.0]), np.array([1.0, -1.0, 1.0])
    for kind in ("vector", "minmax"):
        found = topsis(matrix, weights, directions, kind)  # type: ignore[arg-type]
        assert ((found >= 0) & (found <= 1)).all()
        other_unit = matrix * [factor, 1.0, 1.0]
        assert np.allclose(topsis(other_unit, 3 * weights, directions, kind), found, atol=1e-9)  # type: ignore[arg-type]
    shifted = topsis(matrix + 7.0, weights, directions, "minmax")
    assert np.allclose(shifted, topsis(matrix, weights, directions, "minmax"), atol=1e-9)
    turned = topsis(-matrix, weights, -directions, "vector")
    assert np.allclose(turned, topsis(matrix, weights, directions, "vector"), atol=1e-12)
