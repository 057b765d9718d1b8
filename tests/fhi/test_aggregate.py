import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.aggregate import (
    AGGREGATORS,
    Aggregator,
    aggregator,
    arithmetic,
    geometric,
    harmonic,
    ordered,
    power,
    rescaled_weights,
)
from fhi.errors import RecipeError
from fhi.labels import Labels
from fhi.recipe import AggregateStep

NAN = float("nan")
TREE = ["Physical", "ConEcFin", "Political", "Instit", "P2P", "Environ", "Social", "SusEcFin", "Conn", "Sust", "Index"]


def mean(scores: list[list[float]], weights: list[float], min_share: float = 0.0) -> np.ndarray:
    return by(arithmetic, scores, weights, min_share)


def by(method: Aggregator, scores: list[list[float]], weights: list[float], min_share: float = 0.0) -> np.ndarray:
    cube = np.array([scores])
    return method(cube, rescaled_weights(cube, np.array(weights), min_share))[0]


def up_the_tree(leaves: pl.DataFrame, folder: Path, method: Aggregator) -> dict[str, np.ndarray]:
    """Scores of every node with equal weights, as COINr's Aggregate gives them."""
    with (folder / "iMeta.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scores = {code: leaves[code].to_numpy() for code in leaves.columns if code != "uCode"}
    for parent in TREE:
        children = [row["iCode"] for row in rows if row["Parent"] == parent]
        cube = np.stack([scores[child] for child in children], axis=1)[None]
        scores[parent] = method(cube, rescaled_weights(cube, np.ones(len(children)), 0.0))[0]
    return scores


def check_golden(found: dict[str, np.ndarray], leaves: pl.DataFrame, folder: Path, stem: str) -> None:
    if (folder / f"{stem}_scores.csv").exists():
        printed = pl.read_csv(folder / f"{stem}_scores.csv")
        assert printed["uCode"].to_list() == leaves["uCode"].to_list()
        assert max(np.abs(found[code] - printed[code].to_numpy()).max() for code in TREE) < 1e-9
    ranks = pl.read_csv(folder / f"{stem}_ranks.csv")
    assert ranks["uCode"].to_list() == leaves["uCode"].to_list()
    for code in TREE:
        ours = pl.Series(found[code]).rank("min", descending=True)
        assert ours.to_list() == ranks[code].to_list()


def test_weighted_mean() -> None:
    assert mean([[10.0, 40.0]], [0.75, 0.25]).tolist() == [0.75 * 10 + 0.25 * 40]


def test_weights_of_missing_children_go_to_the_others() -> None:
    found = mean([[10.0, 40.0, NAN], [1.0, 2.0, 3.0]], [0.5, 0.3, 0.2])
    assert np.isclose(found[0], (0.5 * 10 + 0.3 * 40) / (0.5 + 0.3))


def test_a_child_that_nobody_has_is_not_held_against_anyone() -> None:
    assert mean([[10.0, NAN], [20.0, NAN]], [0.1, 0.9], min_share=1.0).tolist() == [10.0, 20.0]


def test_below_the_least_share_a_group_is_missing() -> None:
    found = mean([[10.0, NAN], [20.0, 30.0]], [0.4, 0.6], min_share=0.5)
    assert np.isnan(found[0])
    assert found[1] == 0.4 * 20 + 0.6 * 30


def test_a_share_just_at_the_least_is_enough() -> None:
    assert mean([[10.0, NAN, NAN], [1.0, 2.0, 3.0]], [1 / 3, 1 / 3, 1 / 3], min_share=1 / 3)[0] == 10


def test_nobody_has_anything() -> None:
    assert np.isnan(mean([[NAN, NAN]], [0.5, 0.5])).all()


def test_a_child_of_weight_zero_is_shown_and_not_counted() -> None:
    assert mean([[10.0, NAN], [20.0, 99.0]], [1.0, 0.0], min_share=1.0).tolist() == [10.0, 20.0]


def test_weights_of_each_hubs_own_are_rescaled_too() -> None:
    scores = np.array([[[10.0, 40.0], [NAN, 40.0]]])
    weights = np.array([[[0.75, 0.25], [0.5, 0.5]]])
    assert rescaled_weights(scores, weights, 0.0).tolist() == [[[0.75, 0.25], [0.0, 1.0]]]


def test_geometric_harmonic_and_power_means() -> None:
    scores, weights = [[2.0, 8.0, NAN], [5.0, 5.0, 5.0]], [0.25, 0.25, 0.5]
    assert by(geometric, scores, weights) == pytest.approx([math.sqrt(2 * 8), 5])
    assert by(harmonic, scores, weights) == pytest.approx([2 / (1 / 2 + 1 / 8), 5])
    assert by(power, scores, weights) == pytest.approx([math.sqrt((4 + 64) / 2), 5])
    assert power(np.array([[[1.0, 3.0]]]), np.array([[[0.25, 0.75]]]), 3.0)[0, 0] == pytest.approx(
        (0.25 + 0.75 * 27) ** (1 / 3)
    )


def test_a_great_exponent_does_not_overflow() -> None:
    cube, weights = np.array([[[1.0, 90.0, 100.0]]]), np.full((1, 1, 3), 1 / 3)
    assert power(cube, weights, 400.0)[0, 0] == pytest.approx(100 * (1 / 3) ** (1 / 400), rel=1e-9)
    assert power(cube, weights, -400.0)[0, 0] == pytest.approx((1 / 3) ** (-1 / 400), rel=1e-9)
    assert power(np.zeros((1, 1, 3)), weights, 2.0)[0, 0] == 0


@pytest.mark.parametrize("method", [geometric, harmonic])
def test_a_score_of_zero_or_less_is_an_error_that_says_where_and_what_to_do(method: Callable[..., np.ndarray]) -> None:
    cube = np.array([[[1.0, 2.0], [3.0, -1.5]], [[0.0, 2.0], [3.0, 4.0]]])
    weights = np.full(cube.shape, 0.5)
    with pytest.raises(RecipeError) as caught:
        method(cube, weights, Labels("Economy", ("2023", "2024"), ("Wuhan", "Xi'an"), ("GDP", "jobs")))
    first, second = caught.value.problems
    assert first.where == "group Economy, period 2023, unit Xi'an, child jobs"
    assert first.found == "-1.5"
    assert "lower = 1, upper = 100" in first.expected
    assert second.where == "group Economy, period 2024, unit Wuhan, child GDP"
    with pytest.raises(RecipeError, match=r"period no\. 2, unit no\. 1, child no\. 1: found 0;"):
        method(cube[1:].repeat(2, axis=0)[[1, 0]] + np.array([1.0, 0.0])[:, None, None], weights)


def test_many_wrong_scores_are_counted_and_not_all_listed() -> None:
    with pytest.raises(RecipeError, match="80 more such scores"):
        geometric(np.zeros((1, 50, 2)), np.full((1, 50, 2), 0.5))


def test_what_does_not_count_may_be_zero() -> None:
    assert by(geometric, [[4.0, 0.0], [9.0, -1.0]], [1.0, 0.0]) == pytest.approx([4, 9])
    assert np.isnan(by(harmonic, [[0.0, NAN], [9.0, 1.0]], [0.2, 0.8], min_share=0.5)[0])


def test_a_power_mean_asks_only_for_the_scores_that_it_needs() -> None:
    weights = np.full((1, 1, 2), 0.5)
    assert power(np.array([[[0.0, 4.0]]]), weights, 2.0)[0, 0] == pytest.approx(math.sqrt(8))
    assert power(np.array([[[-2.0, 4.0]]]), weights, 1.0)[0, 0] == 1
    with pytest.raises(RecipeError, match="of zero or more for a power mean of exponent 2"):
        power(np.array([[[-2.0, 4.0]]]), weights, 2.0)
    with pytest.raises(RecipeError, match="above zero for a power mean of exponent -1"):
        power(np.array([[[0.0, 4.0]]]), weights, -1.0)


def test_order_weights_go_by_place() -> None:
    cube, weights = np.array([[[10.0, 30.0, 20.0]]]), np.full((1, 1, 3), 1 / 3)
    assert ordered(cube, weights, np.array([0.5, 0.3, 0.2]))[0, 0] == pytest.approx(0.5 * 30 + 0.3 * 20 + 0.2 * 10)
    assert ordered(cube, weights, np.array([1.0, 0.0, 0.0]))[0, 0] == pytest.approx(30)
    assert ordered(cube, weights, np.array([0.0, 0.0, 7.0]))[0, 0] == pytest.approx(10)
    assert ordered(cube, weights)[0, 0] == pytest.approx(20)


def test_order_weights_are_stretched_over_the_children_there_are() -> None:
    # Two children of equal weight: the better gets the curve's rise up to 1/2, half way along the second of 3 places.
    better = 0.5 + 0.3 / 2
    found = by(lambda x, w: ordered(x, w, np.array([0.5, 0.3, 0.2])), [[10.0, NAN, 30.0], [1.0, 2.0, 3.0]], [1.0] * 3)
    assert found[0] == pytest.approx(better * 30 + (1 - better) * 10)
    assert found[1] == pytest.approx(0.5 * 3 + 0.3 * 2 + 0.2 * 1)


def test_order_weights_heed_the_weights_of_the_children() -> None:
    # Torra 1997: weights .7 (score 10) and .3 (score 30); the curve through (0, 0), (1/2, .8), (1, 1).
    found = ordered(np.array([[[10.0, 30.0]]]), np.array([[[0.7, 0.3]]]), np.array([0.8, 0.2]))
    assert found[0, 0] == pytest.approx(0.3 / 0.5 * 0.8 * 30 + (1 - 0.3 / 0.5 * 0.8) * 10)


def test_order_weights_that_cannot_be_used() -> None:
    for wrong in ([-1.0, 2.0], [0.0, 0.0], []):
        with pytest.raises(RecipeError, match="order_weights"):
            ordered(np.ones((1, 1, 2)), np.full((1, 1, 2), 0.5), np.array(wrong))


def test_a_unit_with_too_few_children_has_no_score_under_any_method() -> None:
    scores = np.array([[[NAN, 2.0], [3.0, 4.0], [1.0, 3.0]]])
    weights = rescaled_weights(scores, np.array([0.8, 0.2]), 0.5)
    for name, method in AGGREGATORS.items():
        found = method(scores, weights)
        assert found.shape == (1, 3)
        assert np.isnan(found[0]).tolist() == [True, False, False], name


def test_the_recipe_chooses_by_level_and_binds_the_options() -> None:
    step = AggregateStep(
        method="power", exponent=3.0, by_level={0: "geometric", 1: "ordered"}, order_weights=(3.0, 1.0)
    )
    cube, weights = np.array([[[1.0, 4.0]]]), np.full((1, 1, 2), 0.5)
    assert aggregator(step, 0)(cube, weights)[0, 0] == pytest.approx(2)
    assert aggregator(step, 1)(cube, weights)[0, 0] == pytest.approx((3 * 4 + 1) / 4)
    assert aggregator(step, 2)(cube, weights)[0, 0] == pytest.approx(((1 + 64) / 2) ** (1 / 3))
    labels = Labels(units=("Wuhan",))
    for method in ("geometric", "harmonic", "power"):
        with pytest.raises(RecipeError, match="unit Wuhan, child no"):
            aggregator(AggregateStep(method=method), 0, labels)(-cube, weights)
    for name, method in AGGREGATORS.items():
        options = {"order_weights": (1.0, 1.0)} if name == "ordered" else {}
        bound = aggregator(AggregateStep(method=name, **options), 0, labels)  # type: ignore[arg-type]
        assert np.array_equal(bound(cube, weights), method(cube, weights), equal_nan=True)


@pytest.mark.parametrize(
    ("stem", "scores", "method"),
    [
        ("agg_raw_minmax0_100_amean", "norm_minmax_0_100", arithmetic),
        ("agg_raw_minmax1_100_gmean", "norm_minmax_1_100", geometric),
        ("agg_example_amean", "pipeline_normalised", arithmetic),
    ],
)
def test_coinr_scores_and_ranks_of_every_node(reference: Path, stem: str, scores: str, method: Aggregator) -> None:
    folder = reference / "composite/coinr_asem"
    leaves = pl.read_csv(folder / f"{scores}.csv", null_values=["NA"], infer_schema_length=None)
    leaves = leaves.with_columns(pl.exclude("uCode").cast(pl.Float64).fill_null(NAN))
    found = up_the_tree(leaves, folder, method)
    check_golden(found, leaves, folder, stem)
    if stem == "agg_example_amean":
        printed = pl.read_csv(folder / "pipeline_aggregated.csv")
        assert max(np.abs(found[code] - printed[code].to_numpy()).max() for code in TREE) < 1e-9
        swiss = leaves["uCode"].to_list().index("CHE")
        assert found["Index"][swiss] == pytest.approx(68.3837242383417, abs=1e-12)


cubes = arrays(np.float64, (2, 5, 4), elements=st.one_of(st.just(NAN), st.floats(0.5, 100)))
some_weights = arrays(np.float64, (4,), elements=st.floats(0.01, 1))


@given(
    arrays(np.float64, (2, 5, 4), elements=st.one_of(st.just(NAN), st.floats(0, 100))),
    some_weights,
    st.floats(0, 1),
)
def test_rescaled_weights_sum_to_one_and_means_stay_within_the_children(
    scores: np.ndarray, weights: np.ndarray, min_share: float
) -> None:
    local = rescaled_weights(scores, weights, min_share)
    found = arithmetic(scores, local)
    scored = ~np.isnan(found)
    assert np.allclose(local[scored].sum(axis=1), 1)
    assert (found[scored] >= np.nanmin(scores, axis=2, initial=np.inf)[scored] - 1e-9).all()
    assert (found[scored] <= np.nanmax(scores, axis=2, initial=-np.inf)[scored] + 1e-9).all()


@given(cubes, some_weights, st.floats(-30, 30), arrays(np.float64, (3,), elements=st.floats(0.01, 1)))
def test_every_mean_lies_between_the_least_and_the_greatest_child(
    scores: np.ndarray, weights: np.ndarray, exponent: float, order: np.ndarray
) -> None:
    local = rescaled_weights(scores, weights, 0.0)
    least, greatest = np.nanmin(scores, axis=2, initial=np.inf), np.nanmax(scores, axis=2, initial=-np.inf)
    exponent = exponent if abs(exponent) > 0.01 else 0.0
    some = np.isfinite(least)
    for found in (
        geometric(scores, local),
        harmonic(scores, local),
        power(scores, local, exponent),
        ordered(scores, local, order),
    ):
        assert np.array_equal(np.isnan(found), ~some)
        assert (found[some] >= least[some] * (1 - 1e-9)).all()
        assert (found[some] <= greatest[some] * (1 + 1e-9)).all()


@given(cubes, some_weights)
def test_the_means_stand_in_their_order_and_meet_in_the_power_mean(scores: np.ndarray, weights: np.ndarray) -> None:
    local = rescaled_weights(scores, weights, 0.0)
    some = ~np.isnan(local).any(axis=2)
    a, g, h = (method(scores, local)[some] for method in (arithmetic, geometric, harmonic))
    assert (h <= g * (1 + 1e-12)).all()
    assert (g <= a * (1 + 1e-12)).all()
    for exponent, other in ((1.0, a), (-1.0, h), (0.0, g)):
        assert np.allclose(power(scores, local, exponent)[some], other, rtol=1e-12)
    assert np.allclose(power(scores, local, 1e-6)[some], g, rtol=1e-4)
    assert np.allclose(ordered(scores, local, np.ones(3))[some], a, rtol=1e-12)


@given(cubes, some_weights, st.permutations(range(4)))
def test_the_order_of_the_children_does_not_matter(scores: np.ndarray, weights: np.ndarray, turn: list[int]) -> None:
    local = rescaled_weights(scores, weights, 0.0)
    for name, method in AGGREGATORS.items():
        if name != "kemeny":  # which of several best orders is found may depend on rounding
            found = method(scores, local)
            assert np.allclose(method(scores[:, :, turn], local[:, :, turn]), found, equal_nan=True), name
