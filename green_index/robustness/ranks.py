"""Ranks of many draws, counted: how often each hub takes each place, and how often it is above each other hub.

Knows scores as blocks of 32-bit floats and a way to ask for single scores in 64 bits. Knows no tree and no weights.

A block is ranked in one sort of integers: the score as a fixed-point number above, the hub's place in the low bits.
Neighbours that 32-bit arithmetic cannot tell apart are scored anew in 64 bits and put in order, so that ranks are
those of 64-bit arithmetic; ties take the better rank, as in `fhi.frames`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array

Counts = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
Integers = npt.NDArray[Any]
Exact = Callable[[Places, Places], Array]
"""Draws and hubs to their scores in 64-bit floats."""

# Sums of the same terms in another order differ in their last digits; the rule of `fhi.frames`.
TIE: Final = 1e-12
# Up to so many hubs, score and hub fit into 32 bits with steps of a millionth of the range of a block's scores: what is
# nearer than that is scored anew. Numbers of 32 bits sort twice as fast as those of 64.
_SMALL: Final = 2048
_FINE_LEVELS: Final = 2**30 - 1


@dataclass(frozen=True)
class Order:
    """The hubs of every draw, best first.

    hubs : (draws, hubs) places of hubs. ties : flat positions in it whose rank is not their own position, because
    they tie with the one before; ranks : the ranks there, 0 the best.
    """

    hubs: Integers
    ties: Places
    ranks: Places


@dataclass(frozen=True)
class Scale:
    """How far apart two totals must be for 32-bit floats to tell them apart, and the greatest absolute score that an
    exact one can have (exact scores may be on another scale)."""

    near: float
    largest: float


def scale_of(low: float, high: float, terms: int, largest: float | None = None) -> Scale:
    """The scale of totals between `low` and `high` that are sums of so many terms.

    largest : the greatest absolute exact score, where that is not the one of `low` or `high`

    A sum of n terms of magnitude M in arithmetic of unit 2^-24 is off by about sqrt(n) M 2^-24 at most, save with
    negligible probability (Higham and Mary 2019); two of them, with some units to spare, by twice (2 + sqrt n).
    """
    magnitude = max(abs(low), abs(high))
    return Scale(2 * (2 + terms**0.5) * magnitude * 2.0**-24, largest or magnitude)


def order_draws(scores: npt.NDArray[np.float32], scale: Scale, exact: Exact) -> Order:
    """The order of the hubs in every draw.

    scores : (draws, hubs), higher the better; they are overwritten. exact : asked for what lies too near.
    """
    hubs = scores.shape[1]
    bits = max(hubs - 1, 1).bit_length()
    kind = np.int32 if hubs <= _SMALL else np.int64
    levels = 2 ** (31 - bits) - 1 if hubs <= _SMALL else _FINE_LEVELS
    best, worst = scores.max(), scores.min()
    # Best first means smallest first. A little room is left above, so that no rounding passes the last level.
    per_unit = levels * (1 - 2.0**-20) / float(best - worst) if best > worst else 0.0
    np.subtract(best, scores, out=scores)
    scores *= np.float32(per_unit)
    keys: Integers = scores.astype(np.int32).astype(kind, copy=False)
    keys <<= kind(bits)
    keys |= np.arange(hubs, dtype=kind)
    keys.sort(axis=1)
    close = min(int(np.ceil(scale.near * per_unit)) + 2, levels + 1)
    near = np.flatnonzero(_gaps(keys) < (close << bits))
    keys &= kind((1 << bits) - 1)
    if hubs == 1 or not len(near):
        none = np.zeros(0, dtype=np.intp)
        return Order(keys, none, none)
    # Position of the first of each near pair, counted over whole rows.
    first = near + near // (hubs - 1)
    return _settle(keys, first, scale.largest, exact)


def _gaps(keys: Integers) -> Integers:
    return keys[:, 1:] - keys[:, :-1]


def _settle(order: Integers, first: Places, largest: float, exact: Exact) -> Order:
    """Put runs of near neighbours in the order of their exact scores, and find their ties."""
    hubs = order.shape[1]
    members = np.union1d(first, first + 1)
    linked = np.isin(members, first + 1, assume_unique=True)
    run = np.cumsum(~linked)
    draw = members // hubs
    flat = order.reshape(-1)
    here = flat[members].astype(np.intp)
    score = exact(draw, here)
    sorting = np.lexsort((here, -score, run))
    flat[members] = here[sorting]
    score = score[sorting]
    tied = np.zeros(len(members), dtype=bool)
    tied[1:] = linked[1:] & (score[:-1] - score[1:] <= TIE * largest)
    if tied.any():
        tied &= _really_tied(order, draw, score, tied, exact)
    start = np.maximum.accumulate(np.where(tied, -1, members))
    return Order(order, members[tied], (start % hubs)[tied])


def _really_tied(order: Integers, draw: Places, score: Array, tied: npt.NDArray[np.bool_], exact: Exact) -> Any:
    """Measured against the greatest absolute score of the draw, which the first or the last has."""
    at = np.flatnonzero(tied)
    rows = draw[at]
    ends = [np.abs(exact(rows, order[rows, end].astype(np.intp))) for end in (0, -1)]
    found = np.zeros(len(tied), dtype=bool)
    found[at] = score[at - 1] - score[at] <= TIE * np.fmax(*ends)
    return found


def rank_table(order: Order, hubs: int) -> npt.NDArray[np.int32]:
    """Ranks as (hubs, draws), 0 the best; 0 too for a hub that is not in the order.

    hubs : how many take part, of which the order may hold fewer
    """
    draws, ordered = order.hubs.shape
    table = np.zeros(hubs * draws, dtype=np.int32)
    where = order.hubs.astype(np.intp)
    where *= draws
    where += np.arange(draws)[:, None]
    table[where.reshape(-1)] = np.tile(np.arange(ordered, dtype=np.int32), draws)
    table[where.reshape(-1)[order.ties]] = order.ranks
    return table.reshape(hubs, draws)


def places_taken(order: Order, hubs: int) -> Integers:
    """One number a hub and draw, place x hubs + hub, to be counted by `count_places`. Overwrites the order.

    hubs : how many take part, of which the order may hold fewer
    """
    numbers = order.hubs
    late = numbers.reshape(-1)[order.ties] + order.ranks * hubs
    numbers += np.arange(0, numbers.shape[1] * hubs, hubs, dtype=numbers.dtype)
    flat = numbers.reshape(-1)
    flat[order.ties] = late
    return flat


def count_places(numbers: Integers, hubs: int) -> Counts:
    """How often each hub took each place, (hubs, places)."""
    counted = np.bincount(numbers, minlength=hubs * hubs)
    return counted.reshape(hubs, hubs).T.astype(np.int64)


def count_wins(ranks: npt.NDArray[np.int32], *, has_ties: bool) -> tuple[Counts, Counts]:
    """How often each hub has a better rank than each other, and how often the same: (hubs, hubs) both.

    ranks : (hubs, draws), 0 the best; has_ties : does any draw have two hubs of one rank?
    """
    hubs, draws = ranks.shape
    small = ranks.astype(np.int8 if hubs <= 128 else np.int16)
    wins = np.zeros((hubs, hubs), dtype=np.int64)
    ties = np.zeros((hubs, hubs), dtype=np.int64)
    one_wins = np.empty((hubs, draws), dtype=bool)
    for one in range(1, hubs):
        np.less(small[one], small[:one], out=one_wins[:one])
        wins[one, :one] = [np.count_nonzero(row) for row in one_wins[:one]]
        if has_ties:
            np.equal(small[one], small[:one], out=one_wins[:one])
            ties[one, :one] = [np.count_nonzero(row) for row in one_wins[:one]]
    lower = np.tri(hubs, k=-1, dtype=bool)
    wins.T[lower] = (draws - wins - ties)[lower]
    return wins, ties + ties.T
