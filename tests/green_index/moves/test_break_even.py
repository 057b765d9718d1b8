from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from green_index.moves.break_even import INTERVAL_SCHEMA, NEAREST_SCHEMA, PAIR_SCHEMA, break_even
from green_index.moves.errors import UnusableRegion
from green_index.moves.straight import Straight, rank_of, totals_of

from .lines import line_of, lines


def weights_at(line: Straight, code: int, weight: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The weight of one code set, its siblings in proportion."""
    rest = line.weights.copy()
    rest[code] = 0.0
    moved = rest / rest.sum() * (1 - weight)
    moved[code] = weight
    return moved


def test_by_hand() -> None:
    # h0 has 80 and 20, h1 50 and 50: even where 80 w + 20 (1 - w) = 50, so at w = .5; stated is .25.
    found = break_even(line_of([[80, 20], [50, 50]], [1, 3]), "h0")
    assert found.intervals.schema == INTERVAL_SCHEMA
    rows = found.intervals.filter(code="a").select("weight_from", "weight_to", "rank", "holds_stated").rows()
    assert rows == [(0.0, pytest.approx(0.5), 2, True), (pytest.approx(0.5), 1.0, 1, False)]
    near = found.nearest.filter(code="a").to_dicts()[0]
    assert found.nearest.schema == NEAREST_SCHEMA
    assert (near["weight_stated"], near["rank"], near["nearest_rank"]) == (0.25, 2, 1)
    assert (near["nearest_weight"], near["nearest_change"]) == (pytest.approx(0.5), pytest.approx(0.25))
    assert (near["below_weight"], near["above_rank"]) == (None, 1)
    assert (near["best_rank"], near["worst_rank"]) == (1, 2)
    pair = found.pairs.filter(code="b").to_dicts()[0]
    assert found.pairs.schema == PAIR_SCHEMA
    assert (pair["other"], pair["ahead_by"], pair["ahead_above"]) == ("h1", pytest.approx(35 - 50), False)
    assert (pair["weight_even"], pair["weight_change"]) == (pytest.approx(0.5), pytest.approx(-0.25))


def test_a_hub_that_is_better_in_all_keeps_its_rank() -> None:
    found = break_even(line_of([[80, 70], [50, 50]], [1, 1]), "h0")
    assert found.intervals["rank"].to_list() == [1, 1]
    assert found.nearest["nearest_weight"].to_list() == [None, None]
    assert found.pairs["weight_even"].to_list() == [None, None]


def test_equal_hubs_are_level_at_all_weights() -> None:
    found = break_even(line_of([[80, 20], [80, 20]], [1, 1]), "h1")
    assert found.intervals["rank"].to_list() == [1, 1]
    assert found.pairs["ahead_by"].to_list() == [0.0, 0.0]


def test_a_code_with_all_the_weight_leaves_the_rest_alike() -> None:
    line = Straight(
        "all",
        "2020",
        ("h0", "h1"),
        ("a", "b", "c"),
        np.array([[9.0, 0, 0], [0, 6, 6]]),
        np.array([1.0, 0, 0]),
        np.zeros(2),
    )
    rows = break_even(line, "h0").intervals.filter(code="a").select("weight_from", "weight_to", "rank").rows()
    assert rows == [(0.0, pytest.approx(6 / 15), 2), (pytest.approx(6 / 15), 1.0, 1)]


def test_a_hub_that_is_not_there() -> None:
    with pytest.raises(UnusableRegion, match="found 'h9'; expected a ranked hub: one of h0, h1"):
        break_even(line_of([[1, 2], [2, 1]], [1, 1]), "h9")


@given(lines(), st.data())
def test_a_dense_grid_has_the_ranks_of_the_intervals(line: Straight, data: st.DataObject) -> None:
    hub = data.draw(st.sampled_from(line.hubs))
    found, place = break_even(line, hub), line.hubs.index(hub)
    for i, code in enumerate(line.codes):
        rows = found.intervals.filter(code=code).select("weight_from", "weight_to", "rank").rows()
        assert rows[0][0] == 0
        assert rows[-1][1] == 1
        assert all(a[1] == b[0] and a[2] != b[2] for a, b in pairwise(rows))
        ranks = {}
        for weight in np.linspace(0.00123, 0.99877, 97):
            ranks[float(weight)] = rank_of(totals_of(line, weights_at(line, i, float(weight))), place)
        for start, end, rank in rows:
            inside = [each for weight, each in ranks.items() if start + 1e-7 < weight < end - 1e-7]
            # Where two cross the hub at the same weight, one upwards and one down, a grid point may hit the tie.
            assert set(inside) <= {rank} or sum(each != rank for each in inside) <= 1


@given(lines(), st.data())
def test_just_beyond_the_nearest_weight_the_rank_is_the_other_one(line: Straight, data: st.DataObject) -> None:
    hub = data.draw(st.sampled_from(line.hubs))
    place = line.hubs.index(hub)
    for i, near in enumerate(break_even(line, hub).nearest.to_dicts()):
        assert near["rank"] == rank_of(totals_of(line, line.weights), place)
        for side, step in (("below", -1e-6), ("above", 1e-6)):
            if near[f"{side}_weight"] is None:
                continue
            beyond = near[f"{side}_weight"] + step
            assert rank_of(totals_of(line, weights_at(line, i, beyond)), place) == near[f"{side}_rank"]
        changes = [near[f"{side}_weight"] for side in ("below", "above") if near[f"{side}_weight"] is not None]
        if changes:
            distance = min(abs(weight - near["weight_stated"]) for weight in changes)
            assert abs(near["nearest_change"]) == pytest.approx(distance)


@given(lines(), st.data())
def test_pairs_are_level_at_their_weight(line: Straight, data: st.DataObject) -> None:
    hub = data.draw(st.sampled_from(line.hubs))
    place = line.hubs.index(hub)
    for row in break_even(line, hub).pairs.drop_nulls("weight_even").to_dicts():
        other, code = line.hubs.index(row["other"]), line.codes.index(row["code"])
        totals = totals_of(line, weights_at(line, code, row["weight_even"]))
        assert totals[place] == pytest.approx(totals[other], abs=1e-9)
        top = totals_of(line, weights_at(line, code, 1.0))
        assert (top[place] >= top[other] - 1e-9) if row["ahead_above"] else (top[place] <= top[other] + 1e-9)
