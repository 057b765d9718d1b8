"""The cheapest way to add points to a weighted sum: a linear program, with whole decisions where there are any.

Arrays in, arrays out. Must not know indicators, hubs or ranks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem
from green_index.moves.errors import MoveError

Mask = npt.NDArray[np.bool_]

_NOTHING: Final = 1e-9
"""Points that are no points: what rounding leaves."""

_LEAK: Final = 1e-5
"""Points that a solver, whose whole numbers are whole to 1e-6, may think it has."""


@dataclass(frozen=True)
class Reach:
    """How far each score may move and what that costs, each (n,).

    now: the score there is; lower, upper: now <= lower <= upper, between which the score ends; or stays at `now` where
    lower is now. weights: points of the sum for a point of the score, not negative. cost: for a point of the score;
    fixed_cost: once, if it moves at all; switch: it ends at `upper` or stays.
    """

    now: Array
    lower: Array
    upper: Array
    weights: Array
    cost: Array
    fixed_cost: Array
    switch: Mask


def least_effort(reach: Reach, need: float) -> Array | None:
    """Where the scores end, (n,), so that their weighted sum rises by `need` points at the least cost.

    None where even the upper bounds do not bring so much. Without fixed costs and switches a linear program with one
    constraint, whose solution is to buy the cheapest points first (Dantzig 1957); with them a mixed-integer program
    decides what moves at all (HiGHS through scipy.optimize.milp), and the rest is bought in the same way, exactly.
    Raises MoveError should the solver fail.
    """
    span = reach.upper - reach.now
    if reach.weights @ span < need - _NOTHING:
        return None
    decided = ((reach.fixed_cost > 0) | reach.switch) & (span > 0)
    if not decided.any():
        return _buy(reach, need, np.ones(len(span), dtype=bool), decided)
    # A whole number may be off by so little that points seem to be there which are not; then a little more is asked.
    for slack in (0.0, _LEAK):
        moves = _decide(reach, need + slack, decided)
        after = None if moves is None else _buy(reach, need, moves, decided)
        if after is not None:
            return after
    if reach.weights @ span > need + _LEAK:
        expected = "a cheapest way, which there is; please report these figures"
        raise MoveError([Problem("least effort", "no answer of the solver", expected, "unsolved")])
    # So near to the most that can be had, all that counts has to go all the way.
    return np.where(reach.weights > 0, reach.upper, reach.lower)


def effort_of(reach: Reach, after: Array) -> Array:
    """What each score costs to bring to where it ends, (n,)."""
    cost: Array = reach.cost * (after - reach.now) + np.where(after > reach.now, reach.fixed_cost, 0.0)
    return cost


def _decide(reach: Reach, need: float, decided: Mask) -> Mask | None:
    """Which scores may move at the least cost; None where the solver finds no way."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    # In shares of the span, so that no bound is a great number.
    n, span = len(reach.now), reach.upper - reach.now
    share = np.divide(reach.lower - reach.now, span, out=np.zeros(n), where=span > 0)
    forced = np.where(reach.switch & (share > 0), 1.0, share)
    places, whole = np.flatnonzero(decided), decided & reach.switch
    linked = np.zeros((len(places), 2 * n))
    linked[np.arange(len(places)), places] = 1.0
    linked[np.arange(len(places)), n + places] = -1.0
    most = np.zeros(len(places))
    least = np.where(whole[places], 0.0, -np.inf)
    points = np.hstack([reach.weights * span, np.zeros(n)])
    solution = milp(
        np.hstack([reach.cost * span, np.where(decided, reach.fixed_cost, 0.0)]),
        constraints=[LinearConstraint(points, need, np.inf), LinearConstraint(linked, least, most)],
        integrality=np.hstack([np.zeros(n), decided]),
        bounds=Bounds(
            np.hstack([forced, decided & (forced > 0)]), np.hstack([(span > 0).astype(float), decided.astype(float)])
        ),
        options={"mip_rel_gap": 0.0},
    )
    if solution.x is None:
        return None
    moves: Mask = ~decided | (solution.x[n:] > 1 / 2)
    return moves


def _buy(reach: Reach, need: float, moves: Mask, decided: Mask) -> Array | None:
    """The cheapest points first, among the scores that may move; switches that move go all the way."""
    after = np.where(moves & reach.switch & decided, reach.upper, reach.lower)
    missing = need - float(reach.weights @ (after - reach.now))
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(reach.weights > 0, reach.cost / reach.weights, np.inf)
    for i in np.argsort(price, kind="stable"):
        room = reach.upper[i] - after[i]
        if missing <= 0 or reach.weights[i] <= 0:
            break
        if moves[i] and room > 0:
            step = min(room, missing / reach.weights[i])
            after[i] += step
            missing -= step * reach.weights[i]
    return after if missing <= _NOTHING else None
