"""The weights at which a hub's rank changes: one group's weight moved, its siblings keeping their proportions.

Knows straight lines of totals. Must not know trees, runs or files. Everything is in closed form: two hubs' totals are
straight lines of the weight that moves, and cross once at most.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem, one_of
from green_index.moves.errors import UnusableRegion
from green_index.moves.straight import TIE, Straight, rank_of, totals_of

INTERVAL_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "weight_stated": pl.Float64,
        "weight_from": pl.Float64,
        "weight_to": pl.Float64,
        "rank": pl.Int64,
        "holds_stated": pl.Boolean,
    }
)
NEAREST_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "weight_stated": pl.Float64,
        "rank": pl.Int64,
        "nearest_weight": pl.Float64,
        "nearest_change": pl.Float64,
        "nearest_rank": pl.Int64,
        "below_weight": pl.Float64,
        "below_rank": pl.Int64,
        "above_weight": pl.Float64,
        "above_rank": pl.Int64,
        "best_rank": pl.Int64,
        "worst_rank": pl.Int64,
    }
)
PAIR_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "other": pl.String,
        "code": pl.String,
        "weight_stated": pl.Float64,
        "ahead_by": pl.Float64,
        "weight_even": pl.Float64,
        "weight_change": pl.Float64,
        "ahead_above": pl.Boolean,
    }
)


@dataclass(frozen=True)
class BreakEven:
    """Where one hub's rank changes as the weight of one code moves from 0 to 1.

    intervals: INTERVAL_SCHEMA, the weights for which the hub has each rank; at an end two totals are even, and the
    better rank holds. nearest: NEAREST_SCHEMA, one row a code: the weight nearest to the stated one at which the rank
    changes, and to which; those next below and above; and the best and worst rank over all weights of that code. Null
    where the rank never changes. pairs: PAIR_SCHEMA, one row a code and other hub: `ahead_by`, the points that the hub
    is ahead at the stated weights, the weight at which both are even (null where there is none from 0 to 1), and
    whether the hub is the one ahead above it.
    """

    nearest: pl.DataFrame
    intervals: pl.DataFrame
    pairs: pl.DataFrame


def break_even(line: Straight, hub: str) -> BreakEven:
    """Break-even weights of one hub for every code of a line. Raises UnusableRegion for a hub that is not ranked."""
    if hub not in line.hubs:
        raise UnusableRegion([Problem("hub", repr(hub), f"a ranked hub: {one_of(line.hubs, hub)}", "unknown_hub")])
    place = line.hubs.index(hub)
    rank = rank_of(totals_of(line, line.weights), place)
    intervals: list[tuple[object, ...]] = []
    nearest: list[tuple[object, ...]] = []
    pairs: list[tuple[object, ...]] = []
    for i, code in enumerate(line.codes):
        stated = float(line.weights[i])
        at_none, at_all = _ends(line, i)
        starts, ends, ranks = rank_intervals(at_none, at_all, place)
        here = (starts <= stated + _CLOSE) & (stated - _CLOSE <= ends)
        rows = zip(starts, ends, ranks, here, strict=True)
        intervals += [(hub, line.period, code, stated, a, b, int(r), bool(x)) for a, b, r, x in rows]
        as_stated = here & (ranks == rank)
        changes = _nearest(starts, ends, ranks, as_stated if as_stated.any() else here)
        nearest.append(
            (hub, line.period, code, stated, rank, *_of(changes, stated), int(ranks.min()), int(ranks.max()))
        )
        pairs += [(hub, line.period, *row) for row in _pairs(line, i, place, at_none, at_all)]
    return BreakEven(
        nearest=pl.DataFrame(nearest, schema=NEAREST_SCHEMA, orient="row"),
        intervals=pl.DataFrame(intervals, schema=INTERVAL_SCHEMA, orient="row"),
        pairs=pl.DataFrame(pairs, schema=PAIR_SCHEMA, orient="row"),
    )


_CLOSE: Final = 1e-9
"""Weights nearer than this are one."""


def rank_intervals(at_none: Array, at_all: Array, hub: int) -> tuple[Array, Array, Array]:
    """Weights from 0 to 1 cut where a hub's rank changes: starts, ends and ranks, each (intervals,).

    at_none, at_all: totals (hubs,) where the code has weight 0, and weight 1; between them they are straight lines.
    """
    gap_none, gap_all = at_none - at_none[hub], at_all - at_all[hub]
    slope = gap_all - gap_none
    with np.errstate(divide="ignore", invalid="ignore"):
        even = -gap_none / slope
    inside = even[(np.abs(slope) > TIE) & (even > _CLOSE) & (even < 1 - _CLOSE)]
    cuts = np.sort(inside)
    cuts = cuts[np.diff(cuts, prepend=-1.0) > _CLOSE]
    cuts = np.concatenate([[0.0], cuts, [1.0]])
    middles = (cuts[:-1] + cuts[1:]) / 2
    ranks = 1 + (gap_none + slope * middles[:, None] > TIE).sum(axis=1)
    first = np.flatnonzero(np.diff(ranks, prepend=-1))
    return cuts[first], np.append(cuts[first[1:]], 1.0), ranks[first]


def _ends(line: Straight, code: int) -> tuple[Array, Array]:
    """Totals (hubs,) with no weight on a code, and with all of it; siblings keep their proportions, or count alike
    where the code has all the weight as it is."""
    rest = np.where(np.arange(len(line.codes)) == code, 0.0, line.weights)
    if rest.sum() <= 0:
        rest = np.where(np.arange(len(line.codes)) == code, 0.0, 1.0)
    none = rest / rest.sum() if rest.sum() > 0 else line.weights
    return totals_of(line, none), totals_of(line, np.eye(len(line.codes))[code])


def _nearest(
    starts: Array, ends: Array, ranks: Array, here: npt.NDArray[np.bool_]
) -> tuple[tuple[float, int] | None, ...]:
    """The change of rank next below and next above the interval that holds the stated weight: (weight, rank)."""
    i = int(np.flatnonzero(here)[0])
    below = (float(starts[i]), int(ranks[i - 1])) if i > 0 else None
    above = (float(ends[i]), int(ranks[i + 1])) if i + 1 < len(ranks) else None
    return below, above


def _of(changes: tuple[tuple[float, int] | None, ...], stated: float) -> tuple[object, ...]:
    below, above = changes
    known = [change for change in changes if change is not None]
    near = min(known, key=lambda change: abs(change[0] - stated)) if known else None
    return (
        *((near[0], near[0] - stated, near[1]) if near else (None, None, None)),
        *(below or (None, None)),
        *(above or (None, None)),
    )


def _pairs(line: Straight, code: int, hub: int, at_none: Array, at_all: Array) -> list[tuple[object, ...]]:
    """Each other hub: its name, the code, stated weight, gap, even weight, change, and who is ahead above it."""
    totals, stated = totals_of(line, line.weights), float(line.weights[code])
    rows: list[tuple[object, ...]] = []
    for other, name in enumerate(line.hubs):
        if other == hub:
            continue
        first, last = at_none[hub] - at_none[other], at_all[hub] - at_all[other]
        slope = last - first
        even = float(-first / slope) if abs(slope) > TIE else None
        crosses = even is not None and 0 <= even <= 1
        gap = float(totals[hub] - totals[other])
        rows.append(
            (
                name,
                line.codes[code],
                stated,
                gap,
                even if crosses else None,
                even - stated if crosses and even is not None else None,
                bool(slope > 0) if crosses else None,
            )
        )
    return rows
