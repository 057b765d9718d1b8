"""Judgements of every kind become weights: by arithmetic on small matrices."""

import numpy as np
import pytest

from fhi.errors import JudgementError
from fhi.judged import judged_weights
from fhi.judgement import Judgement
from fhi.recipe import WeighStep

NOBODY = np.zeros((1, 0, 3))


def judgement(**parts: object) -> Judgement:
    return Judgement.model_validate({"group": "g", "items": ("a", "b", "c"), "who": "us", "assumed": True, **parts})


def weights(
    entry: Judgement, step: WeighStep | None = None, scores: np.ndarray = NOBODY, hubs: tuple = ()
) -> np.ndarray:
    return judged_weights(entry, ("a", "b", "c"), scores, step or WeighStep(), hubs).weights


def test_ratio_scores() -> None:
    assert np.allclose(weights(judgement(rule="ratio", scores=(4, 2, 2))), [4 / 8, 2 / 8, 2 / 8])


def test_children_set_apart_weigh_nothing() -> None:
    assert np.allclose(weights(judgement(rule="equal", items=("a", "c"), apart=("b",))), [1 / 2, 0, 1 / 2])


def test_a_comparison_left_open_follows_from_the_others() -> None:
    found = judged_weights(
        judgement(rule="pairwise", matrix=((1, 2, "?"), ("1/2", 1, 3), ("?", "1/3", 1))),
        ("a", "b", "c"),
        NOBODY,
        WeighStep(),
        (),
    )
    assert np.allclose(found.weights, np.array([6, 3, 1]) / 10, atol=1e-6)
    assert [(note.code, note.detail) for note in found.notes] == [("incomplete_judgement", "1")]


def test_differences_of_scores_on_saatys_scale() -> None:
    # Differences 2 and 0: a_ab = 1 + 2 = 3, a_bc = 1, so that 3, 1, 1 is consistent.
    found = weights(judgement(rule="saaty_difference", scores=(5, 3, 3)))
    assert np.allclose(found, [3 / 5, 1 / 5, 1 / 5])


def test_two_experts_joined_by_judgements_or_by_priorities() -> None:
    experts = [{"who": "x", "scores": (8, 1, 1)}, {"who": "y", "scores": (2, 1, 1)}]
    joint = weights(judgement(rule="ratio", expert=experts))
    assert np.allclose(joint, np.array([4, 1, 1]) / 6)  # sqrt(8 * 2) = 4
    apart = weights(judgement(rule="ratio", expert=experts, combine="aip"))
    assert np.allclose(apart, (np.array([8, 1, 1]) / 10 + np.array([2, 1, 1]) / 4) / 2)


def test_an_expert_with_more_say() -> None:
    experts = [{"who": "x", "scores": (8, 1, 1), "weight": 2}, {"who": "y", "scores": (1, 1, 1)}]
    assert np.allclose(weights(judgement(rule="ratio", expert=experts)), np.array([4, 1, 1]) / 6)  # 8^(2/3) = 4


def test_an_expert_who_contradicts_himself_is_named() -> None:
    circular = ((1, 3, "1/3"), ("1/3", 1, 3), (3, "1/3", 1))
    calm = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
    entry = judgement(
        rule="pairwise", combine="aip", expert=[{"who": "x", "matrix": circular}, {"who": "y", "matrix": calm}]
    )
    found = judged_weights(entry, ("a", "b", "c"), NOBODY, WeighStep(), ())
    assert [note.code for note in found.notes] == ["inconsistent_expert"]
    assert (found.notes[0].detail or "").startswith("x: ")


def test_inconsistency_names_the_answers() -> None:
    entry = judgement(rule="pairwise", matrix=((1, 9, "1/9"), ("1/9", 1, 9), (9, "1/9", 1)))
    with pytest.raises(JudgementError, match=r"judgement of g: consistency ratio .* a, b, c contradict"):
        weights(entry)
    assert weights(entry, WeighStep(max_consistency_ratio=100)).sum() == pytest.approx(1)


def test_a_rule_learnt_from_answers() -> None:
    # ln 4 for a difference of 2: k = ln 2, weights 4 : 2 : 1.
    entry = judgement(rule="learned", scores=(3, 2, 1), matrix=((1, "?", 4), ("?", 1, "?"), ("1/4", "?", 1)))
    found = judged_weights(entry, ("a", "b", "c"), NOBODY, WeighStep(), ())
    assert np.allclose(found.weights, np.array([4, 2, 1]) / 7)
    assert found.notes[0].code == "learned_rule"
    assert f"k = {np.log(2):.4g}" in (found.notes[0].detail or "")


def test_a_rule_learnt_from_what_experts_think_of_whole_units() -> None:
    """Experts who rank units by child a alone make a, the child with the greatest score, count for nearly all."""
    rng = np.random.default_rng(5)
    scores = rng.random((2, 12, 3))
    hubs = tuple(f"u{i}" for i in range(12))
    thought = {hub: float(10 * scores[-1, i, 0]) for i, hub in enumerate(hubs)}
    entry = judgement(rule="learned", scores=(3, 2, 1), holistic=thought)
    found = weights(entry, scores=scores, hubs=hubs)
    assert found[0] > found[1] > found[2]
    assert found[0] > 0.8
    with pytest.raises(JudgementError, match="holistic scores of nowhere; expected units of the data"):
        weights(judgement(rule="learned", scores=(3, 2, 1), holistic={"nowhere": 1.0}), scores=scores, hubs=hubs)
