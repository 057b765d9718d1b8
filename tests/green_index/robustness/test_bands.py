"""Rows made of counted ranks, worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from green_index.robustness.bands import (
    ACCEPTABILITY_SCHEMA,
    BAND_SCHEMA,
    KIND,
    PAIR_SCHEMA,
    acceptability_rows,
    band_rows,
    pair_rows,
    quantile_of_counts,
)

COUNTS = np.array([[6, 2, 0], [4, 4, 0], [0, 4, 4], [0, 0, 0]])
STATED = np.array([1.0, 2.0, 3.0, 4.0])
HUBS = ("a", "b", "c", "d")


@given(
    hnp.arrays(np.int64, (3, 6), elements=st.integers(0, 5)),
    st.integers(0, 100),
)
def test_quantiles_are_those_of_the_ranks_written_out(counts: np.ndarray, percent: int) -> None:
    found = quantile_of_counts(counts, percent)
    for row, quantile in zip(counts, found, strict=True):
        ranks = np.repeat(np.arange(1, 7), row)
        if len(ranks):
            assert quantile == pytest.approx(np.quantile(ranks, percent / 100, method="linear"), abs=1e-12)
        else:
            assert np.isnan(quantile)


def test_bands_by_hand() -> None:
    counts = np.pad(COUNTS, ((0, 0), (0, 1)))
    rows = band_rows(HUBS, STATED, counts, seed=7)
    assert rows.schema == BAND_SCHEMA
    first = rows.row(0, named=True)
    assert first == {
        "hub": "a",
        "rank": 1,
        "rank_mean": (6 * 1 + 2 * 2) / 8,
        "rank_median": 1.0,
        "rank_p05": 1.0,
        # The eight ranks 1 1 1 1 1 1 2 2: place 0.95 x 7 = 6.65 lies between the two twos.
        "rank_p95": 2.0,
        "rank_min": 1,
        "rank_max": 2,
        "share_first": 6 / 8,
        "share_top5": 1.0,
        "share_as_stated": 6 / 8,
        "draws": 8,
        "seed": 7,
        "kind": KIND,
    }
    assert rows["rank_median"].to_list() == [1.0, 1.5, 2.5, None]
    assert rows["share_as_stated"].to_list() == [6 / 8, 4 / 8, 4 / 8, None]
    never = rows.row(3, named=True)
    assert never["draws"] == 0
    assert [name for name, value in never.items() if value is None] == [
        name for name in BAND_SCHEMA if name.startswith(("rank_", "share_"))
    ]


def test_acceptability_leaves_out_what_never_was_and_sums_to_one() -> None:
    rows = acceptability_rows(HUBS, STATED, COUNTS)
    assert rows.schema == ACCEPTABILITY_SCHEMA
    assert rows.select("hub", "rank", "share").rows() == [
        ("a", 1, 6 / 8),
        ("a", 2, 2 / 8),
        ("b", 1, 4 / 8),
        ("b", 2, 4 / 8),
        ("c", 2, 4 / 8),
        ("c", 3, 4 / 8),
    ]


def test_pairs_count_ties_half() -> None:
    wins = np.array([[0, 5, 0], [2, 0, 0], [0, 0, 0]])
    ties = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    rows = pair_rows(("a", "b", "c"), np.array([2.0, 1.0, 3.0]), wins, ties)
    assert rows.schema == PAIR_SCHEMA
    found = {(one, other): (share, tied) for one, other, share, tied, _ in rows.rows()}
    assert found["a", "b"] == (5.5 / 8, 1 / 8)
    assert found["b", "a"] == (2.5 / 8, 1 / 8)
    assert found["a", "c"] == (None, None)
    assert rows["hub"].to_list() == ["b", "b", "a", "a", "c", "c"]
