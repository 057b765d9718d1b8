from pathlib import Path

import numpy as np
import pytest

from fhi.errors import JudgementError, WeightError
from fhi.framework import Framework, Judgement, load_framework
from fhi.recipe import NormaliseStep, Recipe, WeighStep, WeightMethod
from fhi.weigh import stated_weights, weigh_group

TREE = load_framework(Path(__file__).parent / "small.toml")
FROM_DATA = Recipe(weights=WeighStep(otherwise="pca_nicoletti"))
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
    found = weigh_group("g", without_judgement("g"), RNG.random((3, 10, 2)), FROM_DATA)
    assert found.method == "pca_nicoletti"
    assert np.allclose(found.weights, [0.5, 0.5])
    assert not found.assumed


def test_an_indicator_without_figures_gets_no_weight() -> None:
    scores = RNG.random((3, 10, 2))
    scores[:, :, 1] = np.nan
    found = weigh_group("g", without_judgement("g"), scores, FROM_DATA)
    assert found.weights[0] == 1
    assert np.isnan(found.weights[1])


def test_a_group_without_figures_has_no_weights() -> None:
    found = weigh_group("g", without_judgement("g"), np.full((1, 4, 2), np.nan), FROM_DATA)
    assert np.isnan(found.weights).all()
    assert found.method == "no figures"


def test_equal_weights_on_request() -> None:
    recipe = Recipe(weights=WeighStep(otherwise="equal"))
    assert weigh_group("g", without_judgement("g"), np.full((1, 4, 2), np.nan), recipe).weights.tolist() == [0.5, 0.5]


def test_weak_adequacy_is_said() -> None:
    third = TREE.indicator["b"].model_copy(update={"code": "e"})
    wide = changed(without_judgement("g"), indicators=(*TREE.indicators, third))
    base = RNG.random((1, 30, 1))
    scores = np.concatenate([base, RNG.random((1, 30, 1)), base + RNG.random((1, 30, 1))], axis=2)
    found = weigh_group("g", wide, scores, FROM_DATA)
    assert found.kmo is not None
    assert found.kmo < 0.6
    assert [note.code for note in found.notes] == ["weak_sampling_adequacy"]


def test_inconsistent_judgements_are_refused() -> None:
    entry = TREE.judgement["total"]
    matrix = ((1, 9, "1/9"), ("1/9", 1, 9), (9, "1/9", 1))
    parts = {"rule": "pairwise", "items": ("g", "h", "x"), "scores": (), "matrix": matrix}
    circular = Judgement.model_validate({**entry.model_dump(), **parts})
    tree = changed(judgements=(circular, *TREE.judgements[1:]))
    with pytest.raises(JudgementError, match="consistency ratio"):
        weigh_group("total", tree, np.zeros((1, 2, 0)), Recipe())


def test_a_group_that_cannot_be_correlated_is_named_with_its_indicators_and_a_remedy() -> None:
    scores = np.array([[[1.0, 2.0], [2.0, np.nan], [3.0, 4.0]]])
    with pytest.raises(WeightError, match=r"group g \(1: a, 2: b\): 2 complete observations.*judgement"):
        weigh_group("g", without_judgement("g"), scores, FROM_DATA)


def scores_of(units: int = 30, periods: int = 1) -> np.ndarray:
    """Children a and b that differ in spread and agree in part."""
    first = RNG.random((periods, units, 1)) * 100
    return np.concatenate([first, 0.5 * first + RNG.random((periods, units, 1)) * 20], axis=2)


def weigh(step: WeighStep, scores: np.ndarray, tree: Framework = TREE, group: str = "g") -> np.ndarray:
    return weigh_group(group, tree, scores, Recipe(weights=step), [f"u{i}" for i in range(scores.shape[1])]).weights


@pytest.mark.parametrize("method", ["pca_nicoletti", "pca_composite", "pca_first", "entropy", "critic", "target"])
def test_methods_from_the_data_sum_to_one_whatever_the_judgement(method: WeightMethod) -> None:
    scores = scores_of()
    found = weigh_group("g", TREE, scores, Recipe(weights=WeighStep(method=method)))
    assert found.weights.sum() == pytest.approx(1)
    assert (found.weights >= 0).all()
    assert not found.stated
    assert found.method.startswith(method)


def test_equal_means_equal_even_where_somebody_judged() -> None:
    assert weigh(WeighStep(method="equal"), scores_of(), group="total").tolist() == [0.5, 0.5]


def test_a_level_or_a_group_has_its_own_method() -> None:
    step = WeighStep(by_level={0: "equal"}, by_group={"h": "critic"})
    assert weigh(step, scores_of(), group="total").tolist() == [0.5, 0.5]
    found = weigh_group("h", TREE, scores_of(), Recipe(weights=step))
    assert found.method == "critic_turned"
    assert weigh_group("g", TREE, scores_of(), Recipe(weights=step)).method == "ahp_equal"


def test_given_weights_are_scaled_to_one() -> None:
    tree = without_judgement("g")
    weighed = tuple(
        entry.model_copy(update={"weight": weight})
        for entry, weight in zip(tree.indicators, (3.0, 1.0, None, None), strict=True)
    )
    given = changed(tree, indicators=weighed)
    assert weigh(WeighStep(), scores_of(), given).tolist() == [3 / 4, 1 / 4]
    assert weigh_group("g", given, scores_of(), Recipe()).method == "given"


def test_weights_that_nobody_gave_are_asked_for() -> None:
    with pytest.raises(WeightError, match="group g: no weights given"):
        weigh(WeighStep(method="given"), scores_of(), without_judgement("g"))
    with pytest.raises(WeightError, match="group g: no judgement"):
        weigh(WeighStep(method="ahp"), scores_of(), without_judgement("g"))


def test_a_blend_is_the_mean_of_its_parts() -> None:
    scores = scores_of()
    blend = weigh(WeighStep(method="blend", blend={"equal": 3, "entropy": 1}), scores)
    assert np.allclose(blend, 0.75 * 0.5 + 0.25 * weigh(WeighStep(method="entropy"), scores))


def test_equal_influence_of_two_children_is_inverse_spread() -> None:
    scores = scores_of()
    spread = np.std(scores[0], axis=0, ddof=1)
    assert np.allclose(weigh(WeighStep(method="target"), scores), (1 / spread) / (1 / spread).sum())


def test_a_target_out_of_reach_is_said() -> None:
    first = RNG.random((1, 40, 1))
    scores = np.concatenate([first, first + 0.01 * RNG.random((1, 40, 1))], axis=2)
    found = weigh_group("g", TREE, scores, Recipe(weights=WeighStep(method="target", targets={"a": 0.9, "b": 0.1})))
    assert [note.code for note in found.notes] == ["target_missed"]
    assert (found.weights >= 0).all()


def test_raw_direction_of_critic_turns_indicators_back() -> None:
    scores = scores_of()
    turned, raw = (weigh(WeighStep(method="critic", critic_direction=rule), scores) for rule in ("turned", "raw"))
    mirrored = scores * np.array([1.0, -1.0])
    assert np.allclose(raw, weigh(WeighStep(method="critic"), mirrored))
    assert turned.sum() == pytest.approx(raw.sum())


def test_benefit_of_the_doubt_weighs_every_unit_by_itself() -> None:
    scores = np.array([[[100.0, 0.0], [0.0, 100.0], [50.0, 50.0]]])
    found = weigh_group("g", TREE, scores, Recipe(weights=WeighStep(method="bod")))
    assert found.scale is not None
    composite = found.scale * (found.weights * scores).sum(axis=2)
    assert np.allclose(composite, [[100, 100, 100 * (50 + 50) / 100]])
    assert np.allclose(found.weights[0, 0], [1, 0])
    assert np.allclose(stated_weights(found).sum(), 1)


def test_figures_that_a_method_cannot_take_name_the_group_and_a_remedy() -> None:
    with pytest.raises(WeightError, match=r"group g \(1: a, 2: b\): .*negative scores.*minmax.*equal"):
        weigh(WeighStep(method="entropy"), scores_of() - 50)


def test_weights_from_few_of_the_observations_say_so() -> None:
    scores = RNG.random((1, 10, 2))
    scores[0, :6, 1] = np.nan
    found = weigh_group("g", without_judgement("g"), scores, FROM_DATA)
    assert [note.detail for note in found.notes if note.code == "few_complete_rows"] == ["4 / 10"]
    scores[0, :5, 1] = 0.5 + scores[0, :5, 0] ** 2
    found = weigh_group("g", without_judgement("g"), scores, FROM_DATA)
    assert "few_complete_rows" not in [note.code for note in found.notes]


def test_peers_of_all_periods_bound_the_doubt_where_bounds_hold_for_all() -> None:
    """The best of the first period is half as good as the best of the second."""
    scores = np.array([[[50.0, 0.0], [0.0, 50.0]], [[100.0, 0.0], [0.0, 100.0]]])
    for bounds, best in (("period", 100.0), ("pooled", 50.0)):
        recipe = Recipe(weights=WeighStep(method="bod"), normalise=NormaliseStep(bounds=bounds))
        found = weigh_group("g", TREE, scores, recipe)
        assert found.scale is not None
        assert (found.scale * (found.weights * scores).sum(axis=2))[0] == pytest.approx([best, best])


@pytest.mark.parametrize(
    ("rule", "top"),
    [
        (NormaliseStep(upper=10), 10.0),
        (NormaliseStep(method="share_of_best"), 1.0),
        (NormaliseStep(method="borda"), 100.0),
    ],
)
def test_the_best_by_the_doubt_is_at_the_top_of_the_scale_of_its_siblings(rule: NormaliseStep, top: float) -> None:
    scores = np.array([[[10.0, 0.0], [0.0, 10.0], [4.0, 4.0]]])
    found = weigh_group("g", TREE, scores, Recipe(weights=WeighStep(method="bod"), normalise=rule))
    assert found.scale is not None
    assert (found.scale * (found.weights * scores).sum(axis=2))[0] == pytest.approx([top, top, top * (4 + 4) / 10])


def test_a_blend_may_take_what_the_framework_states_and_serve_where_it_states_nothing() -> None:
    scores = scores_of()
    with_judgement = weigh(WeighStep(method="blend", blend={"framework": 1, "entropy": 1}), scores)
    assert np.allclose(with_judgement, 0.5 * 0.5 + 0.5 * weigh(WeighStep(method="entropy"), scores))
    step = WeighStep(otherwise="blend", blend={"equal": 1, "entropy": 1})
    assert np.allclose(weigh(step, scores, without_judgement("g")), with_judgement)
