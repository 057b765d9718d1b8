"""The best and the worst rank that a hub has for any weights in a region, exactly, with weights that give them.

Knows straight lines of totals and regions of weights. Must not know trees, runs or files.

For each pair of hubs a linear program over the box and the simplex says how far one can be above the other. Where that
leaves the order open, a linear program looks for weights that keep all open hubs on one side at once. Where there are
none, its duals name a few hubs that cannot all be there (Codato and Fischetti 2006, combinatorial Benders cuts), and an
integer program gives up as few hubs as leave none of these sets whole: the rank is exact when that needs no more sets.
No number is played against a great one, which is where solvers err. What is found is scored again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem, one_of
from green_index.moves.errors import UnusableRegion
from green_index.moves.regions import Region, order_rows
from green_index.moves.straight import TIE, Straight, rank_of, totals_of

RANGE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "region": pl.String,
        "level": pl.String,
        "score": pl.Float64,
        "rank": pl.Int64,
        "best_rank": pl.Int64,
        "worst_rank": pl.Int64,
        "best_margin": pl.Float64,
        "worst_margin": pl.Float64,
        "can_be_first": pl.Boolean,
        "first_alone": pl.Boolean,
        "verified": pl.Boolean,
        "ranked": pl.Int64,
    }
)
WITNESS_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "end": pl.String,
        "rank": pl.Int64,
        "score": pl.Float64,
        "code": pl.String,
        "weight_stated": pl.Float64,
        "weight": pl.Float64,
    }
)
End = Literal["best", "worst"]
_ABOVE: Final = 1e-6
"""Points by which a hub must be above to count in the worst rank; rounding may not decide it."""
_NO_DUAL: Final = 1e-9
_FINE: Final = 1e3
"""Margins are sought in thousandths of a point: the solver takes 1e-7 for nothing."""
_FARTHEST: Final = 1e9
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RankRange:
    """ranges: RANGE_SCHEMA, one row a hub. witnesses: WITNESS_SCHEMA, weights that give each end, one row a code.

    score, rank: of the line at the stated weights. best_margin: points by which the hub leads the next one below it at
    the weights of its best rank (0: it is level with others there, which ties allow); worst_margin: points by which
    the hubs above it lead at the weights of its worst rank. first_alone: can it be first with nobody level? verified:
    does scoring at the weights found give the rank claimed?
    """

    ranges: pl.DataFrame
    witnesses: pl.DataFrame


def rank_range(
    line: Straight, region: Region, hubs: Sequence[str] | None = None, on_hub: Callable[[], None] | None = None
) -> RankRange:
    """Best and worst rank of some hubs, all of a line without.

    Ties take the better rank, so that a hub that can only be level with the first is first there. on_hub: called after
    each hub. Raises UnusableRegion, naming the hubs that are not ranked.
    """
    wanted = list(line.hubs) if hubs is None else list(hubs)
    problems = [
        Problem("hub", repr(hub), f"a ranked hub: {one_of(line.hubs, hub)}", "unknown_hub")
        for hub in wanted
        if hub not in line.hubs
    ]
    if problems:
        raise UnusableRegion(problems)
    stated = totals_of(line, line.weights)
    ranges: list[tuple[object, ...]] = []
    witnesses: list[tuple[object, ...]] = []
    for hub in wanted:
        place = line.hubs.index(hub)
        best, worst = (_extreme(line, region, place, end) for end in _ENDS)
        verified = all(rank_of(totals_of(line, found.weights), place) == found.rank for found in (best, worst))
        ranges.append(
            (
                *(hub, line.period, region.name, line.group, float(stated[place]), rank_of(stated, place)),
                *(best.rank, worst.rank, best.margin, worst.margin, best.rank == 1),
                *(best.rank == 1 and (best.margin is None or best.margin > TIE), verified, len(line.hubs)),
            )
        )
        for end, found in zip(_ENDS, (best, worst), strict=True):
            score = float(totals_of(line, found.weights)[place])
            rows = zip(line.codes, line.weights.tolist(), found.weights.tolist(), strict=True)
            witnesses += [(hub, line.period, end, found.rank, score, *row) for row in rows]
        if on_hub is not None:
            on_hub()
    return RankRange(
        pl.DataFrame(ranges, schema=RANGE_SCHEMA, orient="row"),
        pl.DataFrame(witnesses, schema=WITNESS_SCHEMA, orient="row"),
    )


_ENDS: Final[tuple[End, End]] = ("best", "worst")


@dataclass(frozen=True)
class _Found:
    """A rank, weights that give it, and the margin in points; None where no other hub is on that side."""

    rank: int
    weights: Array
    margin: float | None


def farthest_gaps(gaps: Array, base: Array, region: Region) -> Array:
    """The greatest value of base + gaps @ w over the bounds of a region, orders aside.

    gaps: (others, codes); base: (others,). Returns (others,). The linear program over a box and the simplex has its
    solution in closed form: each code gets its lower bound, and what is left goes to the greatest gaps first.
    """
    order = np.argsort(-gaps, axis=1, kind="stable")
    room = (region.upper - region.lower)[order]
    filled = np.minimum(np.cumsum(room, axis=1), 1 - region.lower.sum())
    given = np.diff(filled, axis=1, prepend=0.0)
    greatest: Array = base + gaps @ region.lower + (given * np.take_along_axis(gaps, order, axis=1)).sum(axis=1)
    return greatest


def _extreme(line: Straight, region: Region, hub: int, end: End) -> _Found:
    """The best or the worst rank of one hub, where above means that base + gaps @ w > 0."""
    others = np.arange(len(line.hubs)) != hub
    gaps, base = (line.scores - line.scores[hub])[others], (line.base - line.base[hub])[others]
    always = -farthest_gaps(-gaps, -base, region) > TIE
    never = farthest_gaps(gaps, base, region) <= TIE
    open_ = np.flatnonzero(~always & ~never)
    held = _most_together(gaps[open_], base[open_], region, end)
    above = always.copy()
    above[open_] = held if end == "worst" else ~held
    side = above if end == "worst" else ~above
    weights = _widest(gaps[side], base[side], region, end)[0]
    widths = (base + gaps @ weights)[side] * (1 if end == "worst" else -1)
    return _Found(1 + int(above.sum()), weights, max(0.0, float(widths.min())) if len(widths) else None)


def _most_together(gaps: Array, base: Array, region: Region, end: End) -> _Mask:
    """The greatest set of hubs that some weights put above (worst) or not above (best) all at once.

    gaps: (hubs, codes); base: (hubs,). Returns (hubs,).
    """
    least = _ABOVE if end == "worst" else -TIE
    cuts: list[_Mask] = []
    while True:
        together = ~_fewest_out(cuts, len(gaps))
        tried, known = together.copy(), len(cuts)
        while tried.any():
            _, margin, duals = _widest(gaps[tried], base[tried], region, end)
            if margin >= least:
                break
            cut = np.zeros(len(gaps), dtype=bool)
            cut[np.flatnonzero(tried)[duals > _NO_DUAL]] = True
            cuts.append(cut)
            # The hubs left may hold another set that cannot be together.
            tried &= ~cut
        if len(cuts) == known:
            return together


def _fewest_out(cuts: Sequence[_Mask], hubs: int) -> _Mask:
    """As few hubs as take one at least out of every set."""
    if not cuts:
        return np.zeros(hubs, dtype=bool)
    from scipy.optimize import Bounds, LinearConstraint, milp

    solution = milp(
        np.ones(hubs),
        constraints=LinearConstraint(np.stack(cuts).astype(float), 1, np.inf),
        integrality=np.ones(hubs),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    out: _Mask = solution.x > 1 / 2
    return out


def _widest(gaps: Array, base: Array, region: Region, end: End) -> tuple[Array, float, Array]:
    """Weights that keep hubs on one side, above (worst) or not above (best), by the widest margin.

    gaps: (hubs, codes); base: (hubs,). Returns the weights, the margin in points (negative where no weights do it) and
    the dual of each hub, above zero where it is one of those that keep the margin down.
    """
    from scipy.optimize import linprog

    n, sign = gaps.shape[1], _FINE * (1.0 if end == "best" else -1.0)
    orders = order_rows(region)
    solution = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.vstack([np.insert(sign * gaps, n, 1.0, axis=1), np.insert(orders, n, 0.0, axis=1)]),
        b_ub=np.append(-sign * base, np.zeros(len(orders))),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[*zip(region.lower, region.upper, strict=True), (-_FARTHEST, _FARTHEST)],
    )
    weights: Array = np.clip(solution.x[:n], region.lower, region.upper)
    weights /= weights.sum()
    return weights, float(solution.x[n]) / _FINE, -solution.ineqlin.marginals[: len(gaps)]
