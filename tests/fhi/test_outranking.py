from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.aggregate import rescaled_weights
from fhi.errors import RecipeError
from fhi.labels import Labels
from fhi.outranking import copeland, kemeny, kemeny_order, kemeny_score, support_matrix

NAN = float("nan")
PILLARS = ["Physical", "ConEcFin", "Political", "Instit", "P2P", "Environ", "Social", "SusEcFin"]


def equal(scores: np.ndarray) -> np.ndarray:
    return rescaled_weights(scores[None], np.ones(scores.shape[1]), 0.0)[0]


def test_support_is_the_share_of_weight_and_ties_count_half() -> None:
    scores = np.array([[3.0, 1.0, 5.0], [2.0, 1.0, 9.0]])
    found = support_matrix(scores, np.array([[0.5, 0.3, 0.2]] * 2))
    assert found[0, 1] == pytest.approx(0.5 + 0.3 / 2)
    assert found[1, 0] == pytest.approx(0.2 + 0.3 / 2)
    assert np.diag(found).tolist() == [0, 0]


def test_missing_children_leave_the_comparison_to_those_that_both_have() -> None:
    scores = np.array([[3.0, 1.0, NAN], [2.0, 4.0, 9.0]])
    weights = rescaled_weights(scores[None], np.array([0.5, 0.3, 0.2]), 0.0)[0]
    assert support_matrix(scores, weights)[0, 1] == pytest.approx(0.5 / (0.5 + 0.3))
    assert support_matrix(scores, weights)[1, 0] == pytest.approx(0.3 / (0.5 + 0.3))


def test_units_without_a_common_child_are_not_told_apart() -> None:
    scores = np.array([[3.0, NAN], [NAN, 4.0]])
    assert support_matrix(scores, equal(scores))[0, 1] == 0.5
    assert copeland(scores[None], equal(scores)[None]).tolist() == [[0, 0]]


def test_a_unit_with_too_few_children_is_not_compared() -> None:
    scores = np.array([[1.0, 2.0], [NAN, NAN], [3.0, 4.0]])
    weights = rescaled_weights(scores[None], np.ones(2), 0.0)
    found = copeland(scores[None], weights)[0]
    assert found[[0, 2]].tolist() == [-1, 1]
    assert np.isnan(found[1])
    behind = kemeny(scores[None], weights)[0]
    assert behind[[0, 2]].tolist() == [0, 1]
    assert np.isnan(behind[1])


def test_coinr_outranking_and_copeland_on_eight_pillars(reference: Path) -> None:
    folder = reference / "composite/coinr_asem"
    scores = pl.read_csv(folder / "pipeline_aggregated.csv")
    printed = pl.read_csv(folder / "outrank_matrix_8pillars.csv")
    assert printed["uCode"].to_list() == scores["uCode"].to_list()
    pillars = scores.select(PILLARS).to_numpy()
    found = support_matrix(pillars, equal(pillars))
    assert np.abs(found - printed.drop("uCode").to_numpy()).max() < 1e-15
    copelands = pl.read_csv(folder / "agg_example_copeland.csv")
    assert copeland(pillars[None], equal(pillars)[None])[0].tolist() == copelands["copeland_8pillars"].to_list()
    halves = scores.select("Conn", "Sust").to_numpy()
    assert copeland(halves[None], equal(halves)[None])[0].tolist() == copelands["copeland_2subindices"].to_list()


def test_handbook_table_36_and_its_three_best_orders(reference: Path) -> None:
    folder = reference / "composite/tai"
    printed = pl.read_csv(folder / "table36_outranking_published.csv").select(pl.selectors.numeric()).to_numpy()
    figures = pl.read_csv(folder / "table35_impact_5countries_published.csv").select(pl.selectors.numeric()).to_numpy()
    support = support_matrix(figures, equal(figures))
    assert support.tolist() == printed.tolist()
    found = {order: kemeny_score(support, np.array(order)) for order in permutations(range(5))}
    best = {order for order, score in found.items() if score == max(found.values())}
    assert max(found.values()) == 6.375
    assert len(best) == 3
    assert tuple(kemeny_order(support).tolist()) in best


def test_handbook_table_38_prints_an_order_that_is_not_the_best(reference: Path) -> None:
    folder = reference / "composite/tai"
    figures = pl.read_csv(folder / "tai_raw_23.csv").drop("country").to_numpy()
    support = support_matrix(figures, equal(figures))
    assert kemeny_score(support, kemeny_order(support)) == pytest.approx(184.5, abs=1e-9)
    countries = pl.read_csv(folder / "tai_raw_23.csv").select("country")
    printed = countries.join(
        pl.read_csv(folder / "table38_rankings_published.csv"), on="country", maintain_order="left"
    )
    ranks = printed["NCMC"].to_numpy()
    # Two pairs of countries share a rank; each is resolved in the favour of the printed order.
    tied = [np.flatnonzero(ranks == rank) for rank in (9, 15)]
    strict = kemeny_score(support, np.argsort(ranks, kind="stable")) - sum(support[one, other] for one, other in tied)
    assert strict + sum(max(support[one, other], support[other, one]) for one, other in tied) == 182.125
    solved = pl.read_csv(folder / "recomputed_kemeny.csv")["kemeny_rank_recomputed"].to_numpy()
    assert kemeny_score(support, np.argsort(solved)) == pytest.approx(184.5, abs=1e-9)


def test_a_circle_of_majorities_needs_the_rule_that_orders_have_none() -> None:
    scores = np.array([[3.0, 1.0, 2.0], [2.0, 3.0, 1.0], [1.0, 2.0, 3.0]])
    support = support_matrix(scores, np.array([[0.4, 0.35, 0.25]] * 3))
    assert support[0, 1] > 0.5
    assert support[1, 2] > 0.5
    assert support[2, 0] > 0.5
    # The weakest of the three majorities gives way: 0 over 1 by 0.65, 1 over 2 by 0.75, 2 over 0 by 0.6.
    assert kemeny_order(support).tolist() == [0, 1, 2]
    assert kemeny_score(support, np.array([0, 1, 2])) == pytest.approx(0.65 + 0.75 + 0.4)


@settings(max_examples=60)
@given(st.integers(1, 6).flatmap(lambda n: arrays(np.float64, (n, 5), elements=st.integers(0, 4).map(float))))
def test_kemeny_is_the_best_of_all_orders(scores: np.ndarray) -> None:
    weights = np.tile([0.31, 0.17, 0.23, 0.11, 0.18], (len(scores), 1))
    support = support_matrix(scores, weights)
    best = max(kemeny_score(support, np.array(order)) for order in permutations(range(len(scores))))
    order = kemeny_order(support)
    assert sorted(order.tolist()) == list(range(len(scores)))
    assert kemeny_score(support, order) == pytest.approx(best, abs=1e-9)
    assert order.tolist() == kemeny_order(support).tolist()
    behind = kemeny(scores[None], weights[None])[0]
    assert behind[order].tolist() == list(range(len(scores)))[::-1]


def test_forty_units_are_solved_and_one_more_is_an_error_that_names_the_remedy() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(1, 41, 9))
    weights = np.full(scores.shape, 1 / 9)
    behind = kemeny(scores[:, :40], weights[:, :40])[0]
    assert sorted(behind.tolist()) == list(range(40))
    with pytest.raises(RecipeError, match=r"period 2024: found 41 units; expected at most 40 .* copeland"):
        kemeny(scores, weights, Labels(periods=("2024",)))
    with pytest.raises(RecipeError, match="41 units"):
        kemeny_order(support_matrix(scores[0], weights[0]))


scored = arrays(np.float64, (7, 4), elements=st.one_of(st.just(NAN), st.integers(0, 5).map(float)))


@given(scored, arrays(np.float64, (4,), elements=st.floats(0.01, 1)))
def test_support_is_shared_between_the_two_and_copeland_sums_to_zero(scores: np.ndarray, weights: np.ndarray) -> None:
    local = rescaled_weights(scores[None], weights, 0.0)
    support = support_matrix(scores, local[0])
    ranked = ~np.isnan(local[0]).any(axis=1)
    off = np.outer(ranked, ranked) & ~np.eye(7, dtype=bool)
    assert np.allclose((support + support.T)[off], 1)
    assert np.isnan(support[~ranked]).all()
    found = copeland(scores[None], local)[0]
    assert found[ranked].sum() == 0
    assert np.isnan(found[~ranked]).all()


@given(scored, st.permutations(range(7)))
def test_copeland_does_not_depend_on_the_order_of_the_units(scores: np.ndarray, order: list[int]) -> None:
    local = rescaled_weights(scores[None], np.array([0.4, 0.3, 0.2, 0.1]), 0.0)
    straight = copeland(scores[None], local)[0]
    turned = copeland(scores[None][:, order], local[:, order])[0]
    assert np.array_equal(straight[order], turned, equal_nan=True)


def test_kemeny_does_not_depend_on_the_order_of_the_units_where_one_order_is_best() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(1, 9, 5))
    weights = np.tile([0.31, 0.17, 0.23, 0.11, 0.18], (1, 9, 1))
    turn = rng.permutation(9)
    assert kemeny(scores, weights)[0][turn].tolist() == kemeny(scores[:, turn], weights)[0].tolist()


def test_blocks_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 4, (2, 30, 5)).astype(float)
    scores[0, :6, 1] = NAN
    weights = rescaled_weights(scores, np.ones(5), 0.0)
    whole = copeland(scores, weights)
    monkeypatch.setattr("fhi.outranking._BLOCK_CELLS", 70)
    assert copeland(scores, weights).tolist() == whole.tolist()


def test_weights_of_each_units_own_still_share_the_support() -> None:
    scores = np.array([[3.0, 1.0], [2.0, 4.0]])
    support = support_matrix(scores, np.array([[0.9, 0.1], [0.3, 0.7]]))
    assert support[0, 1] == pytest.approx((0.9 + 0.3) / 2)
    assert support[1, 0] == pytest.approx((0.1 + 0.7) / 2)


def test_two_copies_of_a_unit_take_neighbouring_places_in_row_order() -> None:
    scores = np.array([[[1.0, 1.0], [5.0, 5.0], [5.0, 5.0]]])
    assert kemeny(scores, np.full((1, 3, 2), 0.5)).tolist() == [[0, 2, 1]]


def test_scores_that_differ_by_rounding_alone_tie() -> None:
    scores = np.array([[0.1 + 0.2 + 0.3], [0.3 + 0.2 + 0.1], [0.5]])
    assert scores[0, 0] != scores[1, 0]
    assert support_matrix(scores, np.ones((3, 1)))[0].tolist() == [0.0, 0.5, 1.0]
    assert copeland(scores[None], np.ones((1, 3, 1))).tolist() == [[1.0, 1.0, -2.0]]
