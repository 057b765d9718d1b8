"""Runs of numbers against a dictionary that says of every single number who has it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from carbon.imports.ranges import Runs, cut, place

SPANS = st.tuples(st.integers(1, 30), st.integers(0, 12)).map(lambda span: (span[0], span[0] + span[1]))
PLACED = st.lists(st.tuples(SPANS, st.sampled_from("ABC")), max_size=12)


def brute(placed):
    return {number: holder for (first, last), holder in placed for number in range(first, last + 1)}


def runs_of(placed) -> Runs:
    runs: Runs = []
    for (first, last), holder in placed:
        place(runs, first, last, holder)
    return runs


@given(PLACED)
def test_placed_runs_are_disjoint_in_order_and_hold_what_was_placed_last(placed):
    runs = runs_of(placed)
    assert all(one[1] < other[0] for one, other in pairwise(runs))
    assert {n: holder for first, last, holder in runs for n in range(first, last + 1)} == brute(placed)


@given(PLACED, SPANS)
def test_a_cut_covers_the_range_once_and_names_each_holder(placed, span):
    parts = cut(runs_of(placed), *span)
    holders = brute(placed)
    assert [n for first, last, _ in parts for n in range(first, last + 1)] == list(range(span[0], span[1] + 1))
    assert all(holders.get(n) == holder for first, last, holder in parts for n in range(first, last + 1))
