import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import JudgementError
from fhi.weights.ahp import eigenvector_weights
from fhi.weights.ahp_groups import ExpertWeights, join_judgements, join_priorities

NONE = np.nan
TABLE = "ahpsurvey_500k_sims"


@pytest.fixture(scope="module")
def city(reference: Path) -> np.ndarray:
    """200 respondents on five criteria; a negative answer -v says that the first matters v times as much."""
    answers = pl.read_csv(reference / "composite/ahp/ahpsurvey_city200.csv").to_numpy()
    matrices = np.full((len(answers), 5, 5), NONE)
    row, column = np.triu_indices(5, 1)
    matrices[:, row, column] = np.where(answers < 0, -answers, 1 / answers)
    return matrices


@pytest.fixture(scope="module")
def computed(reference: Path) -> dict[str, Any]:
    text = (reference / "composite/ahp/ahpsurvey_city200_group.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def individual(reference: Path) -> pl.DataFrame:
    texts = pl.read_csv(reference / "composite/ahp/ahpsurvey_city200_individual.csv", infer_schema=False)
    return texts.select(pl.all().str.strip_chars().cast(pl.Float64))


def weights_of(found: ExpertWeights) -> np.ndarray:
    return np.array([one.weights for one in found.experts if one is not None])


def test_joint_judgements_of_200(city: np.ndarray, computed: dict[str, Any]) -> None:
    found = join_judgements(city, random_index=TABLE)
    assert found.matrix is not None
    assert found.group is not None
    assert np.allclose(found.matrix, computed["aggjudge_geometric"], rtol=0, atol=1e-11)
    assert np.allclose(found.weights, list(computed["AIJ_eigenvector"].values()), rtol=0, atol=1e-12)
    assert found.group.lambda_max == pytest.approx(computed["AIJ_lambda_max"], abs=1e-11)
    assert found.group.consistency_ratio == pytest.approx(computed["AIJ_CR_ri1.1081"], abs=1e-12)


def test_each_experts_own_ratio(city: np.ndarray, computed: dict[str, Any], individual: pl.DataFrame) -> None:
    ratios = np.array(join_judgements(city, random_index=TABLE).ratios, dtype=np.float64)
    assert np.allclose(ratios, individual["CR"].to_numpy(), rtol=0, atol=1e-11)
    assert (ratios <= 0.1).sum() == computed["n_CR_le_0.1"] == 130
    assert ratios.mean() == pytest.approx(computed["mean_CR"], abs=1e-11)


def test_each_experts_own_weights(city: np.ndarray, individual: pl.DataFrame) -> None:
    """The eigenvectors of ahpsurvey come from a power iteration that stops early, its geometric means do not."""
    means = weights_of(join_priorities(city, random_index=TABLE, priority="geometric_mean"))
    printed = individual.select(pl.selectors.starts_with("geom_")).to_numpy()
    assert np.allclose(means, printed, rtol=0, atol=1e-11)
    eigen = weights_of(join_priorities(city, random_index=TABLE))
    printed = individual.select(pl.selectors.starts_with("eigen_")).to_numpy()
    assert np.allclose(eigen, printed, rtol=0, atol=1e-5)


def test_joint_priorities_of_200(city: np.ndarray, computed: dict[str, Any]) -> None:
    found = join_priorities(city, random_index=TABLE)
    assert np.allclose(found.weights, list(computed["aggpref_eigen_then_arithmetic"].values()), rtol=0, atol=1e-6)
    assert found.matrix is None


def pair(ratio: float) -> np.ndarray:
    return np.array([[1, ratio], [1 / ratio, 1]])


def test_two_ways_to_join_by_hand() -> None:
    """Ratios 4 and 1: joint judgement 2, weights 2/3 and 1/3; joint priorities (4/5 + 1/2) / 2."""
    both = np.array([pair(4), pair(1)])
    assert np.allclose(join_judgements(both, random_index=TABLE).weights, [2 / 3, 1 / 3])
    assert np.allclose(join_priorities(both, random_index=TABLE).weights, [(4 / 5 + 1 / 2) / 2, (1 / 5 + 1 / 2) / 2])
    geometric = join_priorities(both, random_index=TABLE, mean="geometric").weights
    first, second = (4 / 5 * 1 / 2) ** 0.5, (1 / 5 * 1 / 2) ** 0.5
    assert np.allclose(geometric, [first / (first + second), second / (first + second)])


def test_importance_counts_an_expert_more() -> None:
    both = np.array([pair(8), pair(1)])
    thrice = join_judgements(both, random_index=TABLE, importance=np.array([1.0, 2.0])).weights
    assert np.allclose(thrice, [2 / 3, 1 / 3])
    weighted = join_priorities(both, random_index=TABLE, importance=np.array([3.0, 1.0])).weights
    assert np.allclose(weighted, [(3 * 8 / 9 + 1 / 2) / 4, (3 / 9 + 1 / 2) / 4])


def test_a_pair_counts_over_those_who_answered_it() -> None:
    """The first expert says a = 2 b only, the second b = 3 c only: together 6 : 3 : 1."""
    first = np.array([[1, 2, NONE], [NONE, 1, NONE], [NONE, NONE, 1]])
    second = np.array([[1, NONE, NONE], [NONE, 1, 3], [NONE, NONE, 1]])
    found = join_judgements(np.array([first, second]), random_index=TABLE)
    assert np.allclose(found.weights, [0.6, 0.3, 0.1])
    assert found.experts == (None, None)
    assert found.ratios == (None, None)


def test_priorities_need_every_expert_that_counts() -> None:
    part = np.array([[1, 2, NONE], [NONE, 1, NONE], [NONE, NONE, 1]])
    full = np.array([[1, 2, 6], [1 / 2, 1, 3], [1 / 6, 1 / 3, 1]])
    with pytest.raises(JudgementError, match=r"expert\(s\) 2: the answers do not connect"):
        join_priorities(np.array([full, part]), random_index=TABLE)
    found = join_priorities(np.array([full, part]), random_index=TABLE, importance=np.array([1.0, 0.0]))
    assert np.allclose(found.weights, [0.6, 0.3, 0.1])


logs = arrays(np.float64, (3, 6), elements=st.floats(-2, 2))


@given(logs)
def test_experts_of_one_mind_keep_their_weights(answers: np.ndarray) -> None:
    upper = np.zeros((4, 4))
    upper[np.triu_indices(4, 1)] = answers[0]
    matrix = np.exp(upper - upper.T)
    alone = eigenvector_weights(matrix, random_index=TABLE)
    for join in (join_judgements, join_priorities):
        found = join(np.array([matrix] * 3), random_index=TABLE, importance=np.array([0.2, 0.5, 0.3]))
        assert np.allclose(found.weights, alone.weights)
        assert found.ratios == pytest.approx([alone.consistency_ratio] * 3)


@given(logs)
def test_joint_judgements_of_the_geometric_mean_are_joint_priorities_of_it(answers: np.ndarray) -> None:
    """Of geometric means both ways are one (Forman & Peniwati 1998)."""
    upper = np.zeros((3, 4, 4))
    upper[:, *np.triu_indices(4, 1)] = answers
    matrices = np.exp(upper - upper.transpose(0, 2, 1))
    judged = join_judgements(matrices, random_index=TABLE, priority="geometric_mean")
    preferred = join_priorities(matrices, random_index=TABLE, priority="geometric_mean", mean="geometric")
    assert np.allclose(judged.weights, preferred.weights)
    assert judged.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("importance", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, NONE]])
def test_importance_that_is_none(importance: list[float]) -> None:
    with pytest.raises(JudgementError, match="expected 2 figures"):
        join_judgements(np.array([pair(2), pair(3)]), random_index=TABLE, importance=np.array(importance))


def test_the_expert_at_fault_is_named() -> None:
    with pytest.raises(JudgementError, match=r"expert 2: entry \(1, 2\) is 2 and its mirror 0.4"):
        join_judgements(np.array([pair(2), [[1, 2], [0.4, 1]]]), random_index=TABLE)
    with pytest.raises(JudgementError, match="expected \\(experts, items, items\\)"):
        join_priorities(pair(2), random_index=TABLE)
