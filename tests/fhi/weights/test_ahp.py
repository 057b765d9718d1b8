import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import JudgementError
from fhi.weights.ahp import (
    Priority,
    check_reciprocal,
    eigenvector_weights,
    geometric_weights,
    priority_weights,
    random_index_of,
)

TABLES = [
    "saaty1980",
    "saaty2005_2008",
    "alonso_lamata_2006",
    "donegan_dodd_1991",
    "tummala_ling_1998",
    "ahpsurvey_500k_sims",
]
NONE = np.nan


def cases_of(reference: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((reference / "composite/ahp/ahp_cases.json").read_text(encoding="utf-8"))[
        "cases"
    ]
    assert len(cases) == 20
    return cases


def reciprocal(upper: np.ndarray) -> np.ndarray:
    """Matrix whose upper triangle holds e to the given logs."""
    n = round((1 + np.sqrt(1 + 8 * len(upper))) / 2)
    logs = np.zeros((n, n))
    logs[np.triu_indices(n, 1)] = upper
    matrix: np.ndarray = np.exp(logs - logs.T)
    return matrix


judgements = st.integers(3, 6).flatmap(
    lambda n: arrays(np.float64, n * (n - 1) // 2, elements=st.floats(-2.2, 2.2)).map(reciprocal)
)


def test_cases_that_others_computed(reference: Path) -> None:
    for case in cases_of(reference):
        matrix = np.array(case["matrix"])
        found = eigenvector_weights(matrix, random_index="saaty1980")
        assert np.allclose(found.weights, case["eigenvector"], rtol=0, atol=1e-12), case["id"]
        assert found.lambda_max == pytest.approx(case["lambda_max"], abs=1e-12), case["id"]
        assert found.consistency_index == pytest.approx(case["CI"], abs=1e-12), case["id"]
        assert found.geometric_index == pytest.approx(case["GCI"], abs=1e-12), case["id"]
        assert found.koczkodaj == pytest.approx(case["koczkodaj"], abs=1e-12), case["id"]
        means = geometric_weights(matrix, random_index="saaty1980")
        assert np.allclose(means.weights, case["geometric_mean_LLSM"], rtol=0, atol=1e-12), case["id"]
        assert means.lambda_max == found.lambda_max


@pytest.mark.parametrize("table", TABLES)
def test_consistency_under_its_named_table(reference: Path, table: str) -> None:
    for case in cases_of(reference):
        found = eigenvector_weights(np.array(case["matrix"]), random_index=table)
        assert found.consistency_ratio == pytest.approx(case["CR"][table], abs=1e-12), case["id"]


def test_every_printed_figure_of_the_published_cases(reference: Path) -> None:
    """Half a unit of the last digit printed; the Chinese course printed the geometric mean."""
    printed = [case for case in cases_of(reference) if case["published"]]
    assert len(printed) == 11
    for case in printed:
        published = case["published"]
        table = published.get("RI", "saaty1980")
        priority: Priority = "geometric_mean" if case["id"] == "zh_tourism_5x5" else "eigenvector"
        found = priority_weights(np.array(case["matrix"]), priority=priority, random_index=table)
        last = 0.00005 if case["id"] in ("zh_tourism_5x5", "wikipedia_car_cost") else 0.0005
        if "weights" in published:
            assert np.abs(found.weights - published["weights"]).max() <= last * 1.01, case["id"]
        if "lambda_max" in published:
            assert found.lambda_max == pytest.approx(published["lambda_max"], abs=0.0005), case["id"]
        if "CI" in published:
            assert found.consistency_index == pytest.approx(published["CI"], abs=0.0005), case["id"]
        if "CR" in published:
            assert found.consistency_ratio == pytest.approx(published["CR"], abs=0.00075), case["id"]


def test_a_hierarchy_of_cities(reference: Path) -> None:
    """Saaty 2005: five criteria of four cities, printed .229 .275 .385 .111."""
    found = synthesis(reference, "saaty_city", ["culture", "family", "housing", "jobs", "transportation"])
    assert np.abs(found - [0.229, 0.275, 0.385, 0.111]).max() < 0.0005


def test_a_hierarchy_of_leaders(reference: Path) -> None:
    """Moll, Nell and Sue, printed .358 .493 .150 (the last sums to 1 only before rounding)."""
    found = synthesis(reference, "wikipedia_leader", ["experience", "education", "charisma", "age"])
    assert np.abs(found - [0.358, 0.493, 0.150]).max() < 0.001
    assert found.sum() == pytest.approx(1)


def synthesis(reference: Path, name: str, criteria: list[str]) -> np.ndarray:
    matrix = {case["id"]: np.array(case["matrix"]) for case in cases_of(reference)}
    top = eigenvector_weights(matrix[f"{name}_criteria"], random_index="saaty1980").weights
    below = [eigenvector_weights(matrix[f"{name}_{one}"], random_index="saaty1980").weights for one in criteria]
    return top @ np.array(below)


def test_the_handbooks_matrix_of_technology_achievement(reference: Path) -> None:
    """OECD/JRC Handbook 2008, table 20: the weights are not printed; lambda 8.2111, CI .0302, CR .0214."""
    case = next(case for case in cases_of(reference) if case["id"] == "tai_handbook_table20")
    found = eigenvector_weights(np.array(case["matrix"]), random_index="saaty1980")
    weights = [0.2291, 0.1346, 0.0594, 0.1761, 0.0385, 0.0385, 0.2522, 0.0715]
    assert np.abs(found.weights - weights).max() < 0.00006
    assert found.lambda_max == pytest.approx(8.2111, abs=0.00005)
    assert found.consistency_ratio == pytest.approx(0.0302 / 1.41, abs=0.0001)


@given(st.lists(st.floats(0.1, 9), min_size=1, max_size=9), st.sampled_from(["eigenvector", "geometric_mean"]))
def test_a_consistent_matrix_returns_its_own_weights(scores: list[float], priority: Priority) -> None:
    s = np.array(scores)
    found = priority_weights(s[:, None] / s[None, :], priority=priority, random_index="saaty1980")
    assert np.allclose(found.weights, s / s.sum())
    assert found.weights.sum() == pytest.approx(1)
    assert found.consistency_index == pytest.approx(0, abs=1e-9)
    assert (found.koczkodaj or 0) == pytest.approx(0, abs=1e-9)
    assert (found.geometric_index or 0) == pytest.approx(0, abs=1e-9)


@given(judgements, st.sampled_from(["eigenvector", "geometric_mean"]), st.randoms())
def test_the_order_of_the_items_does_not_matter(matrix: np.ndarray, priority: Priority, random: Any) -> None:
    order = list(range(len(matrix)))
    random.shuffle(order)
    found = priority_weights(matrix, priority=priority, random_index="saaty1980")
    moved = priority_weights(matrix[np.ix_(order, order)], priority=priority, random_index="saaty1980")
    assert np.allclose(moved.weights, found.weights[order])
    assert moved.koczkodaj == pytest.approx(found.koczkodaj)
    assert moved.consistency_ratio == pytest.approx(found.consistency_ratio, abs=1e-9)


@given(judgements)
def test_two_rules_agree_on_three_items(matrix: np.ndarray) -> None:
    three = matrix[:3, :3]
    eigen = eigenvector_weights(three, random_index="saaty1980").weights
    assert np.allclose(eigen, geometric_weights(three, random_index="saaty1980").weights)


def test_the_mean_of_logarithms_by_hand() -> None:
    found = geometric_weights(np.array([[1, 2, 4], [1 / 2, 1, 8], [1 / 4, 1 / 8, 1]]), random_index="saaty1980")
    rows = np.array([8 ** (1 / 3), 4 ** (1 / 3), (1 / 32) ** (1 / 3)])
    assert np.allclose(found.weights, rows / rows.sum())


def test_two_items_have_no_ratio() -> None:
    found = eigenvector_weights(np.array([[1, 3], [1 / 3, 1]]), random_index="saaty1980")
    assert found.consistency_ratio is None
    assert found.geometric_index is None
    assert found.koczkodaj is None


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ([[1.0, 2.0]], "shape"),
        ([[1.0, -2.0], [-0.5, 1.0]], "not positive"),
        ([[1.0, NONE], [0.5, 1.0]], "not positive"),
        ([[1.0, 2.0], [0.4, 1.0]], r"entry \(1, 2\) is 2 and its mirror 0.4"),
        ([[2.0, 1.0], [1.0, 1.0]], r"entry \(1, 1\)"),
    ],
)
def test_matrices_that_are_no_judgement(matrix: list[list[float]], said: str) -> None:
    with pytest.raises(JudgementError, match=said):
        check_reciprocal(np.array(matrix))


@pytest.mark.parametrize("rule", [eigenvector_weights, geometric_weights])
def test_a_complete_rule_refuses_gaps(rule: Any) -> None:
    with pytest.raises(JudgementError, match="not positive and finite"):
        rule(np.array([[1, NONE], [NONE, 1]]), random_index="saaty1980")


def test_unknown_table_names_the_known_ones() -> None:
    with pytest.raises(JudgementError, match="saaty1980"):
        random_index_of(3, "nobody")
    with pytest.raises(JudgementError, match="ends at 15"):
        random_index_of(16, "saaty1980")
    assert [random_index_of(n, "saaty1980") for n in (1, 2, 3)] == [0, 0, 0.58]


def test_tables_hold_what_their_authors_printed(reference: Path) -> None:
    lines = (reference / "composite/ahp/ri_tables.csv").read_text(encoding="utf-8").splitlines()
    head = lines[0].split(",")
    for line in lines[1:]:
        row = dict(zip(head, line.split(","), strict=True))
        for table in TABLES:
            assert random_index_of(int(row["n"]), table) == float(row[table])
