import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.frames import descending_ranks

NAN = float("nan")


def test_ranks_run_from_the_best_and_ties_share_the_better_one() -> None:
    scores = np.array([[[5.0, NAN, 7.0, 5.0, 1.0]]])
    assert descending_ranks(scores)[0, 0].tolist() == pytest.approx([2, NAN, 1, 2, 4], nan_ok=True)


@given(arrays(np.float64, (2, 3, 7), elements=st.one_of(st.just(NAN), st.integers(-3, 3).map(float))))
def test_ranks_are_those_of_polars(scores: np.ndarray) -> None:
    for row, found in zip(scores.reshape(-1, 7), descending_ranks(scores).reshape(-1, 7), strict=True):
        theirs = pl.Series(row, nan_to_null=True).rank("min", descending=True)
        assert pl.Series(found, nan_to_null=True).cast(pl.UInt32).to_list() == theirs.to_list()


def test_sums_of_the_same_terms_in_another_order_tie() -> None:
    # 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in their last digit.
    scores = np.array([[[0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.6 + 1e-9, 0.5]]])
    assert scores[0, 0, 0] != scores[0, 0, 1]
    assert descending_ranks(scores)[0, 0].tolist() == [2, 2, 1, 4]
