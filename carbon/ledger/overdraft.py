"""Does a long batch of movements ever take more than there is? Arrays in, arrays out.

Knows running balances of keys (one key for each account and instrument). Must not know accounts, rules or a database.
The rows are looked at in blocks: within a block a key is safe if it begins with at least what the block takes from it,
which is nearly always so; only the others are followed movement by movement.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["LARGEST_SUM", "UNLIMITED", "Dips", "booked_in_order", "find_dips", "first_overdraft", "net_by_key"]

Ints = npt.NDArray[np.int64]

LARGEST_SUM: Final = 2**61
"""The most that all quantities of a batch and any opening may add up to, so that no sum overflows."""
UNLIMITED: Final = 2**61
"""The opening of a key that may give without end, such as the account that units are issued from."""
_EXACT_FLOAT: Final = 2**53
_SMALLEST_BLOCK: Final = 1 << 18


class Dips(NamedTuple):
    """Keys that fall below zero, ascending; the first row of each that does it, and its lowest balance ever."""

    key: Ints
    row: Ints
    lowest: Ints


def first_overdraft(source_key: Ints, target_key: Ints, quantity: Ints, opening: Ints) -> int:
    """Index of the first movement that takes more from its source than is there, or -1 where none does.

    source_key, target_key : int64, for each movement in order the key it leaves and the one it reaches, from 0 to
    len(opening) - 1 and never the same; quantity : int64, positive; opening : int64, what each key holds before
    All quantities and the largest opening together stay below LARGEST_SUM; else ValueError.
    """
    for dips in _dips(source_key, target_key, quantity, opening):
        return int(dips.row.min())
    return -1


def find_dips(source_key: Ints, target_key: Ints, quantity: Ints, opening: Ints) -> Dips:
    """Every key that ever falls below zero if all movements are booked. Arguments as for `first_overdraft`."""
    key, row, lowest = (
        np.concatenate(parts)
        for parts in zip((np.empty(0, np.int64),) * 3, *_dips(source_key, target_key, quantity, opening), strict=True)
    )
    # Blocks come in order, so that the first of a key's dips names its first row.
    keys, first = np.unique(key, return_index=True)
    deepest = np.zeros(keys.size, np.int64)
    np.minimum.at(deepest, np.searchsorted(keys, key), lowest)
    return Dips(keys, row[first], deepest)


def booked_in_order(source_key: Ints, target_key: Ints, quantity: Ints, opening: Ints) -> npt.NDArray[np.bool_]:
    """Which movements are booked if each is taken in order and refused where too little is left for it.

    A refused movement gives its target nothing, so that what depends on it is refused too. Arguments as above.
    """
    _check_sums(quantity, opening)
    balance = opening.tolist()
    booked = []
    for source, target, amount in zip(source_key.tolist(), target_key.tolist(), quantity.tolist(), strict=True):
        enough = balance[source] >= amount
        booked.append(enough)
        if enough:
            balance[source] -= amount
            balance[target] += amount
    return np.array(booked, dtype=np.bool_)


def net_by_key(source_key: Ints, target_key: Ints, quantity: Ints, keys: int) -> Ints:
    """What each of `keys` keys gains in all: what reaches it minus what leaves it."""
    return _sum_by_key(target_key, quantity, keys) - _sum_by_key(source_key, quantity, keys)


def _dips(source_key: Ints, target_key: Ints, quantity: Ints, opening: Ints) -> Iterator[Dips]:
    """The dips of each block of rows that has any, in order of blocks."""
    _check_sums(quantity, opening)
    balance = opening.astype(np.int64)
    size = _block_rows(balance.size)
    for start in range(0, quantity.size, size):
        part = slice(start, start + size)
        source, target, amount = source_key[part], target_key[part], quantity[part]
        taken = _sum_by_key(source, amount, balance.size)
        doubtful = taken > np.maximum(balance, 0)
        if doubtful.any():
            found = _follow(source, target, amount, balance, doubtful)
            if found.key.size:
                yield Dips(found.key, found.row + start, found.lowest)
        balance += _sum_by_key(target, amount, balance.size) - taken


def _block_rows(keys: int) -> int:
    """So many rows that adding up all keys costs less than looking at the rows."""
    return max(_SMALLEST_BLOCK, 4 * keys)


def _follow(source: Ints, target: Ints, quantity: Ints, balance: Ints, doubtful: npt.NDArray[np.bool_]) -> Dips:
    """The dips among the doubtful keys of one block, each followed movement by movement."""
    keys = np.flatnonzero(doubtful)
    rank = np.zeros(doubtful.size, np.int64)
    rank[keys] = np.arange(keys.size)
    leaves, reaches = np.flatnonzero(doubtful[source]), np.flatnonzero(doubtful[target])
    key = np.concatenate((rank[source[leaves]], rank[target[reaches]]))
    row = np.concatenate((leaves, reaches))
    change = np.concatenate((-quantity[leaves], quantity[reaches]))
    # Key and row in one number: one sort puts the movements of each key together, in their order.
    order = np.argsort(key * quantity.size + row)
    key, row, change = key[order], row[order], change[order]
    starts = np.searchsorted(key, np.arange(keys.size))
    run = np.cumsum(change)
    before = balance[keys] - (run[starts] - change[starts])
    after = run + before[key]
    below = np.flatnonzero(after < 0)
    dipped, first = np.unique(key[below], return_index=True)
    return Dips(keys[dipped], row[below[first]], np.minimum.reduceat(after, starts)[dipped])


def _sum_by_key(key: Ints, quantity: Ints, keys: int) -> Ints:
    """Exact sums of whole numbers by key: floats hold them up to 2^53, above that in two halves."""
    if float(quantity.sum(dtype=np.float64)) < _EXACT_FLOAT:
        return np.bincount(key, quantity, keys).astype(np.int64)
    high, low = quantity >> 26, quantity & (2**26 - 1)
    return (np.bincount(key, high, keys).astype(np.int64) << 26) + np.bincount(key, low, keys).astype(np.int64)


def _check_sums(quantity: Ints, opening: Ints) -> None:
    total = float(quantity.sum(dtype=np.float64))
    if max(total, float(opening.max(initial=0))) > LARGEST_SUM:
        raise ValueError(f"found quantities of {total:.3g} in all, expected at most {LARGEST_SUM:.3g}")
