"""The split of a change of rank: against the definition in plain Python, and what must hold of any editions."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.arrays import Array
from green_index.rank_change import (
    PARTS,
    mixed_ranks,
    rank_change_rows,
    same_method_scores,
    split_ranks,
    split_scores,
)

# Few values, so that ties are common.
FEW = st.integers(0, 4).map(float)


def fields(hubs: int) -> st.SearchStrategy[Array]:
    return arrays(np.float64, (2, 3, hubs), elements=FEW)


def plain_rank(hub: int, own: list[float], others: list[float]) -> int:
    """1 and how many of the others are better."""
    return 1 + sum(score > own[hub] for other, score in enumerate(others) if other != hub)


def plain_parts(scores: Array, hub: int) -> dict[str, Fraction]:
    """Each part by its definition, over every order in which the revision comes before own and others."""
    orders = [
        order
        for order in permutations(("own", "others", "method", "revision"))
        if order.index("revision") < min(order.index("own"), order.index("others"))
    ]
    assert len(orders) == 8
    found = dict.fromkeys(PARTS, Fraction(0))
    for order in orders:
        done: set[str] = set()
        before = None
        for part in (None, *order):
            if part is not None:
                done.add(part)
            held = {name: 2 if name in done else int("revision" in done) for name in ("own", "others")}
            method = scores[int("method" in done)]
            now = plain_rank(hub, list(method[held["own"]]), list(method[held["others"]]))
            if part is not None and before is not None:
                found[part] += Fraction(before - now, len(orders))
            before = now
    return found


@given(fields(5))
def test_parts_are_those_of_the_definition_and_sum_exactly(scores: Array) -> None:
    split = split_ranks(scores)
    for hub in range(5):
        parts = plain_parts(scores, hub)
        assert {part: Fraction(float(split.parts[part][hub])) for part in PARTS} == parts
        assert sum(split.parts[part][hub] for part in PARTS) == split.before[hub] - split.after[hub]
        assert split.before[hub] == plain_rank(hub, list(scores[0, 0]), list(scores[0, 0]))
        assert split.after[hub] == plain_rank(hub, list(scores[1, 2]), list(scores[1, 2]))


@given(arrays(np.float64, (2, 3, 6), elements=st.one_of(FEW, st.just(float("nan")))))
def test_every_row_sums_exactly_or_says_why_it_is_not_told(scores: Array) -> None:
    rows = rank_change_rows([f"h{i}" for i in range(6)], scores)
    for row in rows.iter_rows(named=True):
        parts = [row[part] for part in PARTS]
        hub = int(row["hub"][1:])
        assert (row["rank_from"] is None) == bool(np.isnan(scores[0, 0, hub]))
        assert (row["rank_to"] is None) == bool(np.isnan(scores[1, 2, hub]))
        if row["reason"] is None:
            assert sum(parts) == row["gained"] == row["rank_from"] - row["rank_to"]
            assert all(part * 8 == round(part * 8) for part in parts)
        else:
            assert parts == [None] * 4
            assert np.isnan(scores[:, :, hub]).any()


@given(arrays(np.float64, (2, 6), elements=FEW))
def test_two_periods_of_one_edition_move_by_own_and_others_alone(both: Array) -> None:
    split = split_ranks(same_method_scores(both[0], both[1]))
    assert not split.parts["method"].any()
    assert not split.parts["revision"].any()
    assert np.array_equal(split.parts["own"] + split.parts["others"], split.before - split.after)


@given(fields(4))
def test_what_does_not_change_has_no_part(scores: Array) -> None:
    still = np.broadcast_to(scores[:1, :1], (2, 3, 4))
    assert not any(moved.any() for moved in split_ranks(still).parts.values())
    no_method = np.broadcast_to(scores[:1], (2, 3, 4))
    assert not split_ranks(no_method).parts["method"].any()
    unrevised = np.stack([scores[:, 0], scores[:, 0], scores[:, 2]], axis=1)
    assert not split_ranks(unrevised).parts["revision"].any()
    same_period = np.stack([scores[:, 0], scores[:, 1], scores[:, 1]], axis=1)
    of_period = split_ranks(same_period).parts
    assert not of_period["own"].any()
    assert not of_period["others"].any()


@given(arrays(np.float64, 5, elements=FEW), st.integers(0, 4), FEW)
def test_one_hub_alone_moving_is_its_own_change_and_the_others_change_for_the_rest(
    before: Array, hub: int, moved: float
) -> None:
    after = before.copy()
    after[hub] = moved
    split = split_ranks(same_method_scores(before, after))
    gained = split.before - split.after
    rest = np.arange(5) != hub
    assert split.parts["own"][hub] == gained[hub]
    assert split.parts["others"][hub] == 0
    assert np.array_equal(split.parts["others"][rest], gained[rest])
    assert not split.parts["own"][rest].any()


@given(arrays(np.float64, (2, 4), elements=FEW))
def test_method_alone_and_revision_alone_take_all(both: Array) -> None:
    method = split_ranks(np.stack([np.broadcast_to(field, (3, 4)) for field in both]))
    assert np.array_equal(method.parts["method"], method.before - method.after)
    revised = split_ranks(np.broadcast_to(np.stack([both[0], both[1], both[1]]), (2, 3, 4)))
    assert np.array_equal(revised.parts["revision"], revised.before - revised.after)


def test_a_case_by_hand() -> None:
    """Three hubs; the first goes from 30 to 60 while the second goes from 40 to 50 and the third from 20 to 70.

    Own first: 30 -> 60 against 40, 20 is from rank 2 to 1, then against 50, 70 to rank 2: +1, -1.
    Others first: 30 against 50, 70 is rank 3, then 60 is rank 2: -1, +1. Means: own (1 + 1) / 2, others (-1 - 1) / 2.
    """
    split = split_ranks(same_method_scores(np.array([30.0, 40.0, 20.0]), np.array([60.0, 50.0, 70.0])))
    assert (split.before[0], split.after[0]) == (2, 2)
    assert (split.parts["own"][0], split.parts["others"][0]) == (1, -1)
    # The second hub: own first 2 -> passes none (1 -> 1), then 60, 70 are ahead: -2. Others first: -2, then 50: 0.
    assert (split.parts["own"][1], split.parts["others"][1]) == (0, -2)


def test_a_revision_is_never_counted_as_own_change() -> None:
    """The old figure was wrong by 10, and nothing happened since: all is revision, whatever the order."""
    scores = np.broadcast_to(np.array([[30.0, 35.0], [40.0, 35.0], [40.0, 35.0]]), (2, 3, 2))
    parts = split_ranks(scores).parts
    assert {part: moved[0] for part, moved in parts.items()} == {"own": 0, "others": 0, "method": 0, "revision": 1}


def test_ties_take_the_better_rank_in_a_mixed_field_too() -> None:
    """Own scores 3, 1, 2 among others' scores 3, 3, 1: hub 0 ties with hub 1, hub 1 has one ahead, hub 2 two."""
    assert list(mixed_ranks(np.array([3.0, 1.0, 2.0]), np.array([3.0, 3.0, 1.0]))) == [1, 2, 3]


@given(fields(3))
def test_points_sum_to_the_change_of_the_score(scores: Array) -> None:
    parts = split_scores(scores)
    assert sum(parts.values()) == pytest.approx(scores[1, 2] - scores[0, 0], abs=1e-12)


def test_points_of_a_case_by_hand() -> None:
    """One hub. Old method 10, 13, 20; new method 16, 18, 30.

    Method first: 6, revision 2, own 12. Revision, method, own: 3, 5, 12. Revision, own, method: 3, 7, 10.
    """
    parts = split_scores(np.array([[[10.0], [13.0], [20.0]], [[16.0], [18.0], [30.0]]]))
    expected = {"method": (6 + 5 + 10) / 3, "revision": (2 + 3 + 3) / 3, "own": (12 + 12 + 7) / 3}
    assert {part: float(points[0]) for part, points in parts.items()} == pytest.approx(expected)


def test_reasons_name_the_side_that_lacks_a_rank() -> None:
    nan = float("nan")
    fine = [1.0, 1.0, 1.0]
    by_hub = [[[nan, 1, 1], fine], [fine, [1, 1, nan]], [[1, 1, nan], fine], [fine, fine]]
    rows = rank_change_rows(["a", "b", "c", "d"], np.moveaxis(np.array(by_hub), 0, 2))
    assert dict(rows.select("hub", "reason").iter_rows()) == {
        "a": "not_ranked_before",
        "b": "not_ranked_after",
        "c": "not_ranked_between",
        "d": None,
    }
