from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fhi.errors import JudgementError
from fhi.judgement import Judgement


def judgement(**changes: Any) -> Judgement:
    content = {"group": "g", "items": ["a", "b"], "rule": "equal", "who": "we", "assumed": True, **changes}
    return Judgement.model_validate(content)


def test_only_who_and_assumed_must_be_told() -> None:
    assert (judgement().when, judgement().reason, judgement().reason_zh) == ("", "", "")
    with pytest.raises(ValidationError, match="who"):
        Judgement.model_validate({"group": "g", "items": ["a"], "rule": "equal", "assumed": True})


def test_matrices_of_the_plain_rules() -> None:
    assert judgement().expert_matrices[0].tolist() == [[1, 1], [1, 1]]
    assert judgement(rule="ratio", scores=[1, 4]).expert_matrices[0].tolist() == [[1, 1 / 4], [4, 1]]
    assert judgement(rule="pairwise", matrix=[[1, "1/3"], [3, 1]]).expert_matrices[0].tolist() == [[1, 1 / 3], [3, 1]]


def test_a_comparison_that_was_not_answered_is_nan() -> None:
    three = judgement(rule="pairwise", items=["a", "b", "c"], matrix=[[1, "?", 4], ["?", 1, "2"], ["1/4", "1/2", 1]])
    (found,) = three.expert_matrices
    assert np.isnan(found).tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert found[1, 2] == 2


def test_experts_have_answers_and_a_say_of_their_own() -> None:
    both = judgement(
        rule="pairwise",
        combine="aip",
        expert=[
            {"who": "A", "matrix": [[1, 2], ["1/2", 1]]},
            {"who": "B", "weight": 3, "matrix": [[1, "?"], ["?", 1]]},
        ],
    )
    assert [opinion.who for opinion in both.opinions] == ["A", "B"]
    assert both.expert_weights.tolist() == [1, 3]
    assert both.expert_matrices[0].tolist() == [[1, 2], [0.5, 1]]
    assert np.isnan(both.expert_matrices[1][0, 1])


def test_without_experts_the_judgement_is_the_one_opinion() -> None:
    alone = judgement(rule="saaty_difference", scores=[7, 5])
    (opinion,) = alone.opinions
    assert (opinion.who, opinion.weight) == ("we", 1.0)
    assert alone.expert_scores[0].tolist() == [7, 5]
    with pytest.raises(JudgementError, match="expert_scores"):
        alone.expert_matrices  # noqa: B018


def test_learned_scores_need_something_to_learn_from() -> None:
    learned = judgement(rule="learned", scores=[3, -1], holistic={"wuhan": 80, "xian": 60.5})
    assert learned.holistic == {"wuhan": 80, "xian": 60.5}
    assert learned.expert_matrices[0].shape == (0, 0)
    answered = judgement(rule="learned", scores=[3, 1], matrix=[[1, 2], ["1/2", 1]])
    assert answered.expert_matrices[0].tolist() == [[1, 2], [0.5, 1]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": [1, 2]}, "scores: found a value; expected none: the rule equal"),
        ({"rule": "ratio", "scores": [1]}, "found 1 scores for 2 items"),
        ({"rule": "ratio", "scores": [1, 0]}, "found 0; expected scores above zero"),
        ({"rule": "ratio"}, "found 0 scores for 2 items"),
        ({"rule": "learned", "scores": [1, 2]}, "scores, and either holistic"),
        (
            {"rule": "learned", "scores": [1, 2], "holistic": {"x": 1}, "matrix": [[1, 1], [1, 1]]},
            "and either holistic",
        ),
        ({"rule": "learned", "holistic": {"x": 1}}, "scores, and either holistic"),
        ({"rule": "pairwise"}, "found 0 rows of no entries; expected 2 rows of 2"),
        ({"rule": "pairwise", "matrix": [["?", 1], [1, 1]]}, "row 1, column 1: found '\\?'; expected 1"),
        ({"rule": "pairwise", "matrix": [[1, "?"], [1, 1]]}, "in both cells, or in neither"),
        ({"rule": "pairwise", "matrix": [[1, 2], [2, 1]]}, "mirror"),
        ({"rule": "pairwise", "matrix": [[1, -2], [-2, 1]]}, "not positive"),
        ({"items": ["a", "a"]}, "a more than once"),
        ({"items": ["a", "b"], "apart": ["b"]}, "b more than once"),
        ({"expert": [{"who": "A"}]}, "the rule equal has no answers"),
        ({"rule": "ratio", "expert": [{"who": "A", "scores": [1, 2]}] * 2}, "a different who"),
        ({"rule": "ratio", "scores": [1, 2], "expert": [{"who": "A", "scores": [1, 2]}]}, "each expert has answers"),
        ({"rule": "ratio", "expert": [{"who": "A", "scores": [1]}]}, r"expert\[1\]\.scores: found 1 scores"),
    ],
)
def test_answers_that_do_not_fit_their_rule(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        judgement(**changes)


@given(st.lists(st.integers(1, 99), min_size=1, max_size=7))
def test_ratios_make_a_consistent_matrix(scores: list[int]) -> None:
    items = [f"i{position}" for position in range(len(scores))]
    (matrix,) = judgement(rule="ratio", items=items, scores=scores).expert_matrices
    weights = np.array(scores) / sum(scores)
    np.testing.assert_allclose(matrix @ weights, len(scores) * weights, rtol=1e-12)
