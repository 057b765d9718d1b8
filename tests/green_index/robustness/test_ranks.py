"""The order of hubs in blocks of draws: exact at near-ties, ties by the rule of the base index, counts that add up."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fhi.frames import descending_ranks
from green_index.robustness.ranks import (
    Order,
    count_places,
    count_wins,
    order_draws,
    places_taken,
    rank_table,
    scale_of,
)

SCORES = st.one_of(st.integers(0, 3).map(float), st.floats(0, 100, width=64), st.floats(0, 1e-6, width=64))
BLOCKS = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=SCORES)
)


def order_of(scores: np.ndarray) -> Order:
    scale = scale_of(float(scores.min()), float(scores.max()), 1)
    return order_draws(scores.astype(np.float32), scale, lambda draw, hub: scores[draw, hub])


@given(BLOCKS)
def test_ranks_are_those_of_64_bit_scores(scores: np.ndarray) -> None:
    expected = descending_ranks(scores[:, None])[:, 0]
    order = order_of(scores)
    assert np.array_equal(rank_table(order, scores.shape[1]).T + 1, expected)
    hubs = scores.shape[1]
    counts = count_places(places_taken(order, hubs), hubs)
    assert np.array_equal(counts, (expected.T[:, :, None] == np.arange(1, hubs + 1)).sum(axis=1))


@given(BLOCKS)
def test_wins_are_counted_pair_by_pair(scores: np.ndarray) -> None:
    ranks = descending_ranks(scores[:, None])[:, 0].astype(np.int32).T - 1
    wins, ties = count_wins(ranks, has_ties=True)
    hubs = len(ranks)
    for one in range(hubs):
        for other in range(hubs):
            if one != other:
                assert wins[one, other] == (ranks[one] < ranks[other]).sum()
                assert ties[one, other] == (ranks[one] == ranks[other]).sum()
    if not ties.any():
        assert np.array_equal(count_wins(ranks, has_ties=False)[0], wins)


def test_neighbours_closer_than_32_bits_are_asked_for_anew() -> None:
    """1e-9 apart around 50: the same 32-bit float, and yet in order; the fourth ties with the third within 1e-12."""
    scores = np.array([[50.0, 50.0 + 1e-9, 80.0, 80.0 + 1e-11, 20.0]])
    assert np.float32(50.0) == np.float32(50.0 + 1e-9)
    asked: list[int] = []

    def exact(draw: np.ndarray, hub: np.ndarray) -> np.ndarray:
        asked.extend(hub.tolist())
        return np.asarray(scores[draw, hub])

    order = order_draws(scores.astype(np.float32), scale_of(0, 100, 5), exact)
    assert rank_table(order, 5)[:, 0].tolist() == [3, 2, 0, 0, 4]
    assert 4 not in asked[:4]
    assert order.hubs[0].tolist() == [3, 2, 1, 0, 4]


@pytest.mark.parametrize("hubs", [1, 2, 37, 64, 65, 2049])
def test_small_and_large_fields(hubs: int, random_scores: Callable[[int, int], np.ndarray]) -> None:
    scores = random_scores(20, hubs)
    expected = descending_ranks(scores[:, None])[:, 0]
    assert np.array_equal(rank_table(order_of(scores), hubs).T + 1, expected)


@pytest.fixture
def random_scores() -> Callable[[int, int], np.ndarray]:
    return lambda draws, hubs: np.random.default_rng(hubs).normal(50, 10, (draws, hubs))


def test_fields_of_one_score_tie_throughout() -> None:
    order = order_of(np.full((3, 4), 7.0))
    assert not rank_table(order, 4).any()
    assert count_places(places_taken(order, 4), 4).tolist() == [[3, 0, 0, 0]] * 4
