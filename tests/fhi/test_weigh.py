from pathlib import Path

import numpy as np
import pytest

from fhi.errors import JudgementError, WeightError
from fhi.framework import Framework, load_framework
from fhi.recipe import Recipe, WeighStep
from fhi.weigh import weigh_group

TREE = load_framework(Path(__file__).parent / "small.toml")
RNG = np.random.default_rng(1)


def without_judgement(group: str) -> Framework:
    return changed(judgements=tuple(entry for entry in TREE.judgements if entry.group != group))


def changed(tree: Framework = TREE, **parts: object) -> Framework:
    return Framework.model_validate({**tree.model_dump(), **parts})


def test_a_judgement_decides() -> None:
    found = weigh_group("total", TREE, np.zeros((1, 2, 0)), Recipe())
    assert np.allclose(found.weights, [3 / (3 + 1), 1 / (3 + 1)])
    assert found.method == "ahp_ratio"
    assert found.assumed


def test_without_judgement_the_data_decide() -> None:
    found = weigh_group("g", without_judgement("g"), RNG.random((3, 10, 2)), Recipe())
    assert found.method == "pca_nicoletti"
    assert np.allclose(found.weights, [0.5, 0.5])
    assert not found.assumed


def test_an_indicator_without_figures_gets_no_weight() -> None:
    scores = RNG.random((3, 10, 2))
    scores[:, :, 1] = np.nan
    found = weigh_group("g", without_judgement("g"), scores, Recipe())
    assert found.weights[0] == 1
    assert np.isnan(found.weights[1])


def test_a_group_without_figures_has_no_weights() -> None:
    found = weigh_group("g", without_judgement("g"), np.full((1, 4, 2), np.nan), Recipe())
    assert np.isnan(found.weights).all()
    assert found.method == "no figures"


def test_equal_weights_on_request() -> None:
    recipe = Recipe(weigh=WeighStep(indicators="equal"))
    assert weigh_group("g", without_judgement("g"), np.full((1, 4, 2), np.nan), recipe).weights.tolist() == [0.5, 0.5]


def test_weak_adequacy_is_said() -> None:
    third = TREE.indicator["b"].model_copy(update={"code": "e"})
    wide = changed(without_judgement("g"), indicators=(*TREE.indicators, third))
    base = RNG.random((1, 30, 1))
    scores = np.concatenate([base, RNG.random((1, 30, 1)), base + RNG.random((1, 30, 1))], axis=2)
    found = weigh_group("g", wide, scores, Recipe())
    assert found.kmo is not None
    assert found.kmo < 0.6
    assert [note.code for note in found.notes] == ["weak_sampling_adequacy"]


def test_inconsistent_judgements_are_refused() -> None:
    entry = TREE.judgement["total"]
    matrix = ((1, 9, "1/9"), ("1/9", 1, 9), (9, "1/9", 1))
    circular = entry.model_copy(update={"rule": "pairwise", "items": ("g", "h", "x"), "matrix": matrix})
    tree = changed(judgements=(circular, *TREE.judgements[1:]))
    with pytest.raises(JudgementError, match="consistency ratio"):
        weigh_group("total", tree, np.zeros((1, 2, 0)), Recipe())


def test_a_group_that_cannot_be_correlated_is_named_with_its_indicators_and_a_remedy() -> None:
    scores = np.array([[[1.0, 2.0], [2.0, np.nan], [3.0, 4.0]]])
    with pytest.raises(WeightError, match=r"group g \(1: a, 2: b\): 2 complete observations.*judgement"):
        weigh_group("g", without_judgement("g"), scores, Recipe())
