import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.errors import JudgementError
from fhi.weights.ahp import check_reciprocal, eigenvector_weights, random_index_of


def test_published_cases(reference: Path) -> None:
    cases = json.loads((reference / "composite/ahp/ahp_cases.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 20
    for case in cases:
        found = eigenvector_weights(np.array(case["matrix"]), random_index="saaty1980")
        assert np.allclose(found.weights, case["eigenvector"], atol=1e-9), case["id"]
        assert found.lambda_max == pytest.approx(case["lambda_max"], abs=1e-9), case["id"]


@pytest.mark.parametrize("table", ["saaty1980", "saaty2005_2008", "alonso_lamata_2006", "donegan_dodd_1991"])
def test_consistency_under_its_named_table(reference: Path, table: str) -> None:
    cases = json.loads((reference / "composite/ahp/ahp_cases.json").read_text(encoding="utf-8"))["cases"]
    for case in cases:
        found = eigenvector_weights(np.array(case["matrix"]), random_index=table)
        assert found.consistency_ratio == pytest.approx(case["CR"][table], abs=1e-9), case["id"]


def test_printed_weights_and_ratio_of_saatys_drinks(reference: Path) -> None:
    cases = json.loads((reference / "composite/ahp/ahp_cases.json").read_text(encoding="utf-8"))["cases"]
    drinks = next(case for case in cases if case["id"] == "saaty2008_drinks")
    found = eigenvector_weights(np.array(drinks["matrix"]), random_index="saaty2005_2008")
    assert np.abs(found.weights - [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327]).max() < 0.0005
    assert found.consistency_ratio == pytest.approx(0.022, abs=0.0005)


@given(st.lists(st.floats(0.1, 9), min_size=1, max_size=9))
def test_a_consistent_matrix_returns_its_own_weights(scores: list[float]) -> None:
    s = np.array(scores)
    found = eigenvector_weights(s[:, None] / s[None, :], random_index="saaty1980")
    assert np.allclose(found.weights, s / s.sum())
    assert found.weights.sum() == pytest.approx(1)
    assert found.consistency_index == pytest.approx(0, abs=1e-9)


def test_two_items_have_no_ratio() -> None:
    assert eigenvector_weights(np.array([[1, 3], [1 / 3, 1]]), random_index="saaty1980").consistency_ratio is None


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ([[1.0, 2.0]], "shape"),
        ([[1.0, -2.0], [-0.5, 1.0]], "not positive"),
        ([[1.0, 2.0], [0.4, 1.0]], r"entry \(1, 2\) is 2 and its mirror 0.4"),
        ([[2.0, 1.0], [1.0, 1.0]], r"entry \(1, 1\)"),
    ],
)
def test_matrices_that_are_no_judgement(matrix: list[list[float]], said: str) -> None:
    with pytest.raises(JudgementError, match=said):
        check_reciprocal(np.array(matrix))


def test_unknown_table_names_the_known_ones() -> None:
    with pytest.raises(JudgementError, match="saaty1980"):
        random_index_of(3, "nobody")
    with pytest.raises(JudgementError, match="ends at 15"):
        random_index_of(16, "saaty1980")
