"""Best and worst ranks, held against dense grids and the corners of the simplex."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from green_index.moves.errors import UnusableRegion
from green_index.moves.rank_range import RANGE_SCHEMA, WITNESS_SCHEMA, farthest_gaps, rank_range
from green_index.moves.regions import Region, read_bounds, read_region
from green_index.moves.straight import Straight, rank_of, totals_of

from .lines import line_of, lines, simplex_grid


def free(line: Straight) -> Region:
    return read_region("free", line.codes, line.weights)


def test_a_region_by_its_name() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    region = read_region("20%", "abc", weights, upper={"a": 0.55}, lower={"c": 0.1}, orders=[("a", "b")])
    assert region.lower == pytest.approx(np.array([0.4, 0.24, 0.16]))
    assert region.upper == pytest.approx(np.array([0.55, 0.36, 0.24]))
    assert region.orders == ((0, 1),)
    assert region.name == "20%; c >= 0.1; a <= 0.55; a >= b"
    whole = read_region("free", "abc", weights)
    assert (whole.lower.tolist(), whole.upper.tolist()) == ([0, 0, 0], [1, 1, 1])


def test_bounds_as_people_write_them() -> None:
    assert read_bounds(["a>=0.2", "b.c <= .5", "a>=b.c", "d<=a"]) == (
        {"a": 0.2},
        {"b.c": 0.5},
        [("a", "b.c"), ("a", "d")],
    )
    with pytest.raises(UnusableRegion) as caught:
        read_bounds(["a=0.2", "a>=0.1", "a>=0.3"])
    assert [problem.code for problem in caught.value.problems] == ["no_bound", "duplicate"]


def test_every_problem_of_a_region_at_once() -> None:
    with pytest.raises(UnusableRegion) as caught:
        read_region("wide", "ab", np.array([0.5, 0.5]), {"c": 0.1}, {"a": 2.0}, [("a", "z")])
    assert [problem.code for problem in caught.value.problems] == ["region", "unknown_code", "no_share", "unknown_code"]


@pytest.mark.parametrize(
    ("lower", "upper", "orders"),
    [
        ({"a": 0.6, "b": 0.6}, {}, []),
        ({}, {"a": 0.3, "b": 0.3}, []),
        ({"a": 0.9}, {"a": 0.2}, []),
        ({"a": 0.6}, {}, [("b", "a")]),
    ],
)
def test_an_empty_region_is_said(
    lower: dict[str, float], upper: dict[str, float], orders: list[tuple[str, str]]
) -> None:
    with pytest.raises(UnusableRegion, match="empty"):
        read_region("free", "ab", np.array([0.5, 0.5]), lower, upper, orders)


def test_by_hand() -> None:
    # h2 is beaten by h0 or h1 at all weights, being 40 and 40 against 90 and 10, 10 and 90: mixed they have 50.
    line = line_of([[90, 10], [10, 90], [40, 40], [5, 5]], [1, 1])
    found = rank_range(line, free(line))
    assert found.ranges.schema == RANGE_SCHEMA
    assert found.witnesses.schema == WITNESS_SCHEMA
    rows = {row["hub"]: row for row in found.ranges.to_dicts()}
    assert {hub: (row["best_rank"], row["worst_rank"]) for hub, row in rows.items()} == {
        "h0": (1, 3),
        "h1": (1, 3),
        "h2": (2, 3),
        "h3": (4, 4),
    }
    assert rows["h0"]["first_alone"]
    assert rows["h0"]["best_margin"] == pytest.approx(50)  # at w = (1, 0) h2 has 40 and h0 90
    assert (rows["h3"]["best_margin"], rows["h3"]["verified"]) == (None, True)
    assert not rows["h2"]["can_be_first"]


def test_level_with_the_first_is_first_but_not_alone() -> None:
    line = line_of([[100, 0], [100, 50]], [1, 1])
    row = rank_range(line, free(line), ["h0"]).ranges.to_dicts()[0]
    assert (row["best_rank"], row["can_be_first"], row["first_alone"]) == (1, True, False)
    assert row["best_margin"] == pytest.approx(0, abs=1e-9)
    twins = line_of([[70, 30], [70, 30]], [1, 1])
    for row in rank_range(twins, free(twins)).ranges.to_dicts():
        assert (row["best_rank"], row["worst_rank"], row["first_alone"]) == (1, 1, False)


def test_hubs_that_are_not_there() -> None:
    line = line_of([[1, 2], [2, 1]], [1, 1])
    with pytest.raises(UnusableRegion) as caught:
        rank_range(line, free(line), ["h8", "h0", "h9"])
    assert len(caught.value.problems) == 2


def test_one_call_for_each_hub_that_is_done() -> None:
    line = line_of([[1, 2], [2, 1], [3, 3]], [1, 1])
    seen: list[int] = []
    rank_range(line, free(line), on_hub=lambda: seen.append(1))
    assert len(seen) == 3


@st.composite
def regions(draw: st.DrawFn, line: Straight) -> Region:
    spread = draw(st.sampled_from(["free", "20%", "60%"]))
    order = draw(st.booleans())
    a, b = np.argsort(-line.weights, kind="stable")[:2]
    return read_region(spread, line.codes, line.weights, orders=[(line.codes[a], line.codes[b])] if order else [])


def ranks_on(
    line: Straight, points: np.ndarray[tuple[int, int], np.dtype[np.float64]], hub: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    totals = line.base + points @ line.scores.T
    return 1 + (totals - totals[:, [hub]] > 1e-9).sum(axis=1)


@settings(max_examples=60)
@given(st.data())
def test_no_weights_of_a_dense_grid_go_beyond_and_those_found_reach_it(data: st.DataObject) -> None:
    line = data.draw(lines())
    region = data.draw(regions(line))
    hub = data.draw(st.sampled_from(line.hubs))
    place, m = line.hubs.index(hub), len(line.codes)
    found = rank_range(line, region, [hub])
    row = found.ranges.to_dicts()[0]
    assert row["verified"]
    grid = simplex_grid(m, {2: 200, 3: 40, 4: 14}[m])
    # A region narrower than the grid: points between it and the stated weights, which are in it.
    grid = np.vstack([grid, line.weights + 0.2 * (grid - line.weights), line.weights + 0.05 * (grid - line.weights)])
    inside = ((grid >= region.lower - 1e-12) & (grid <= region.upper + 1e-12)).all(axis=1)
    for first, second in region.orders:
        inside &= grid[:, first] >= grid[:, second] - 1e-12
    totals = line.base + grid[inside] @ line.scores.T
    ranks = ranks_on(line, grid[inside], place)
    assert row["best_rank"] <= ranks.min()
    # In the worst rank only those count that are above by more than rounding.
    clear = 1 + (totals - totals[:, [place]] > 1e-5).sum(axis=1)
    assert row["worst_rank"] >= clear.max()
    for end, key in (("best", "best_rank"), ("worst", "worst_rank")):
        weights = found.witnesses.filter(end=end)["weight"].to_numpy()
        assert weights.sum() == pytest.approx(1)
        assert (weights >= region.lower - 1e-9).all()
        assert (weights <= region.upper + 1e-9).all()
        assert all(weights[first] >= weights[second] - 1e-9 for first, second in region.orders)
        assert rank_of(totals_of(line, weights), place) == row[key]


@settings(max_examples=40)
@given(lines(codes=2), st.data())
def test_with_two_codes_the_closed_form_says_the_same(line: Straight, data: st.DataObject) -> None:
    """Every crossing and every middle between crossings: all orders that there are."""
    hub = data.draw(st.sampled_from(line.hubs))
    place = line.hubs.index(hub)
    gap = line.scores - line.scores[place]
    base = line.base - line.base[place]
    slope = gap[:, 0] - gap[:, 1]
    cross = [-(base[i] + gap[i, 1]) / slope[i] for i in range(len(slope)) if abs(slope[i]) > 1e-12]
    cuts = sorted({0.0, 1.0, *(w for w in cross if 0 < w < 1)})
    points = [*cuts, *((a + b) / 2 for a, b in pairwise(cuts))]
    ranks = ranks_on(line, np.array([[w, 1 - w] for w in points]), place)
    row = rank_range(line, free(line), [hub]).ranges.to_dicts()[0]
    assert (row["best_rank"], row["worst_rank"]) == (ranks.min(), ranks.max())


@given(lines(), st.sampled_from(["free", "20%"]))
def test_farthest_gaps_are_reached_at_a_corner_and_not_passed(line: Straight, name: str) -> None:
    region = read_region(name, line.codes, line.weights)
    gaps, base = line.scores - line.scores[0], line.base - line.base[0]
    found = farthest_gaps(gaps, base, region)
    rng = np.random.default_rng(3)
    draws = rng.dirichlet(np.ones(len(line.codes)), 200)
    inside = ((draws >= region.lower) & (draws <= region.upper)).all(axis=1)
    assert (base + draws[inside] @ gaps.T <= found + 1e-9).all()
    if name == "free":
        assert found == pytest.approx(base + gaps.max(axis=1))
