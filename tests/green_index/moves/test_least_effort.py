"""The cheapest way, held against every way there is: corners of small problems, one by one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from green_index.moves.errors import MoveError
from green_index.moves.least_effort import Reach, effort_of, least_effort

WHOLE = st.integers(min_value=0, max_value=20)


def reach_of(rows: list[tuple[float, float, float, float, float, float, bool]]) -> Reach:
    now, lower, upper, weights, cost, fixed, switch = (np.array(column) for column in zip(*rows, strict=True))
    return Reach(*(column.astype(float) for column in (now, lower, upper, weights, cost, fixed)), switch.astype(bool))


@st.composite
def reaches(draw: st.DrawFn) -> tuple[Reach, float]:
    rows = []
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        now, a, b = (draw(WHOLE) for _ in range(3))
        forced = draw(st.booleans()) and draw(st.booleans())
        rows.append(
            (
                now,
                now + (min(a, b) if forced else 0),
                now + max(a, b),
                draw(st.integers(min_value=0, max_value=5)) / 8,
                draw(WHOLE) / 4,
                draw(st.sampled_from([0, 0, 3, 10])),
                draw(st.booleans()),
            )
        )
    found = reach_of(rows)
    most = float(found.weights @ (found.upper - found.now))
    return found, draw(st.floats(min_value=-1, max_value=1.2)) * most


def cheapest_by_corners(reach: Reach, need: float) -> float:
    """The least cost over all corners: every score at an end, but one that takes what is missing."""
    best = np.inf
    n = len(reach.now)
    ends = []
    for i in range(n):
        low = reach.lower[i]
        # A score that is forced to move and that is a switch moves to the end.
        stays = low if not (reach.switch[i] and low > reach.now[i]) else reach.upper[i]
        ends.append({stays, low, reach.upper[i]} if not reach.switch[i] else {stays, reach.upper[i]})
    for corner in product(*ends):
        for free in range(n):
            after = np.array(corner, dtype=float)
            missing = need - reach.weights @ (after - reach.now)
            if not reach.switch[free] and reach.weights[free] > 0:
                after[free] = np.clip(after[free] + missing / reach.weights[free], reach.lower[free], reach.upper[free])
            if reach.weights @ (after - reach.now) >= need - 1e-9:
                best = min(best, float(effort_of(reach, after).sum()))
    return best


@given(reaches())
def test_no_way_is_cheaper(problem: tuple[Reach, float]) -> None:
    reach, need = problem
    after, best = least_effort(reach, need), cheapest_by_corners(reach, need)
    if after is None:
        assert best == np.inf
        return
    assert reach.weights @ (after - reach.now) >= need - 1e-8
    assert (after >= reach.lower - 1e-12).all()
    assert (after <= reach.upper + 1e-12).all()
    moved = after > reach.now
    assert (after[moved & reach.switch] == reach.upper[moved & reach.switch]).all()
    assert effort_of(reach, after).sum() == pytest.approx(best, abs=1e-6)


def test_the_cheapest_points_come_first() -> None:
    # 1 a point at weight .5 is 2 a point of the sum; 3 a point at weight 1 is 3. Ten points of the sum: the first
    # brings 20 x .5 = 10 alone.
    reach = reach_of([(0, 0, 20, 0.5, 1, 0, False), (0, 0, 20, 1, 3, 0, False)])
    after = least_effort(reach, 12.0)
    assert after is not None
    assert after.tolist() == pytest.approx([20, 2])
    assert effort_of(reach, after).tolist() == pytest.approx([20, 6])


def test_a_fixed_cost_is_paid_once_or_not_at_all() -> None:
    # Ten points of the first cost 10 + 30, of the second 30; twenty 20 + 30 against 60.
    reach = reach_of([(0, 0, 20, 1, 1, 30, False), (0, 0, 20, 1, 3, 0, False)])
    assert least_effort(reach, 10.0) == pytest.approx(np.array([0, 10]))
    assert least_effort(reach, 20.0) == pytest.approx(np.array([20, 0]))


def test_a_switch_goes_all_the_way() -> None:
    reach = reach_of([(0, 0, 100, 0.1, 0.01, 0, True), (50, 50, 100, 0.5, 1, 0, False)])
    assert least_effort(reach, 3.0) == pytest.approx(np.array([100, 50]))
    assert least_effort(reach, 12.0) == pytest.approx(np.array([100, 54]))


def test_out_of_reach_is_none() -> None:
    reach = reach_of([(50, 50, 100, 0.5, 1, 0, False)])
    assert least_effort(reach, 25.0) == pytest.approx(np.array([100]))
    assert least_effort(reach, 25.1) is None


def test_a_need_of_all_there_is_leaves_alone_what_brings_nothing() -> None:
    rows = [(0, 0, 30, 0.1, 1, 5, False), (0, 0, 20, 0, 1, 0, False), (0, 0, 50, 0.3, 2, 0, True)]
    assert least_effort(reach_of(rows), 3 + 15) == pytest.approx(np.array([30, 0, 50]))


def test_a_solver_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("green_index.moves.least_effort._decide", lambda *_: None)
    with pytest.raises(MoveError, match="unsolved"):
        least_effort(reach_of([(0, 0, 30, 0.1, 1, 5, False)]), 1.0)


def test_the_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(7)
    for _ in range(30):
        n = 12
        now = rng.uniform(0, 90, n)
        weights, cost = rng.dirichlet(np.ones(n)), rng.uniform(0.1, 5, n)
        fixed, switch = np.where(rng.random(n) < 0.5, rng.uniform(0, 100, n), 0), rng.random(n) < 0.3
        reach = Reach(now, now, np.full(n, 100.0), weights, cost, fixed, switch)
        need = rng.uniform(0, weights @ (100 - now))
        after = least_effort(reach, need)
        assert after is not None
        assert weights @ (after - now) >= need - 1e-8
    assert capfd.readouterr() == ("", "")
