"""The kernel: all rows of one city and year in, a few hundred sums out. Every executor runs this and nothing else.

Knows how rows lie in a file (ascending by month and person, whole numbers) and how they add up by month and activity.
Must not know the table, engines, words, factors, or what is made of the sums. Nothing here divides or rounds, so that
the sums are the same to the bit however the rows are spread over files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Rows = tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]

__all__ = ["MOST_COUNTED", "MOST_ROWS", "SLICE_ROWS", "PartTask", "TotalsTooLarge", "sum_part", "sums_schema"]

SLICE_ROWS: Final = 1 << 22
"""Rows held at a time by each thread: 42 MB in the columns that are read."""
MOST_ROWS: Final = 1 << 32
"""Rows of a city and year: as many amounts of at most 2**31 - 1 thousandths stay within int64."""
MOST_COUNTED: Final = 100
"""Persons of one activity are counted up to here: enough to tell which cells are too small to be shown."""

_COLUMNS: Final = ["person", "activity", "amount_milli"]
_MONTHS: Final = 12
_BLOCK: Final = 1 << 16  # Rows: the arrays that `bincount` makes of them stay in the processor's cache.
_CODE_BITS: Final = 16  # Of an activity; a person has the 31 bits above.


class TotalsTooLarge(CarbonError):
    """Sums that might leave int64."""


@dataclass(frozen=True)
class PartTask:
    """All rows of one city and year: the paths of the files and how many rows each has, one at least."""

    hub: str
    year: int
    paths: tuple[str, ...]
    rows: tuple[int, ...]


def sums_schema() -> dict[str, type[pl.DataType]]:
    """Columns of `sum_part`.

    hub; month Date, its first day; activity Int16, a code; rows, amount_milli Int64, exact; persons Int64: different
    persons of the city and month, whatever they did, the same in every row of the month; activity_persons Int64:
    different persons of the row itself, MOST_COUNTED where there are as many or more
    """
    import polars as pl

    return {
        **{"hub": pl.String, "month": pl.Date, "activity": pl.Int16},
        **dict.fromkeys(("rows", "amount_milli", "persons", "activity_persons"), pl.Int64),
    }


def sum_part(task: PartTask) -> pl.DataFrame:
    """One row a month and activity with rows, ascending, in `sums_schema`.

    At most SLICE_ROWS rows are held at a time, and 4 bytes for each person of one month.
    Raises TotalsTooLarge; FileNotFoundError where a file cannot be reached from here.
    """
    import numpy as np
    import polars as pl

    if sum(task.rows) >= MOST_ROWS:
        raise TotalsTooLarge(f"found {sum(task.rows)} rows of {task.hub} in {task.year}, expected below {MOST_ROWS}")
    months = _months_at_once(task) if sum(task.rows) <= SLICE_ROWS else _months_in_slices(task)
    found: list[tuple[Whole, Whole, Whole, Whole, Whole, Whole]] = []
    for month, slices in months:
        rows, amounts, persons, few = _sum_month(slices)
        there = np.flatnonzero(rows)
        ones = np.ones(there.size, np.int64)
        found.append((month * ones, there, rows[there], amounts[there], persons * ones, few[there]))
    place, codes, counts, sums, people, few = (np.concatenate(column) for column in zip(*found, strict=True))
    starts = np.array([date(task.year, number, 1) for number in range(1, _MONTHS + 1)], "datetime64[D]")
    return pl.DataFrame(
        {
            "hub": pl.Series([task.hub]).new_from_index(0, place.size),
            "month": starts[place],
            "activity": codes.astype(np.int16),
            "rows": counts,
            "amount_milli": sums,
            "persons": people,
            "activity_persons": few,
        }
    )


def _sum_month(slices: Iterable[Rows]) -> tuple[Whole, Whole, int, Whole]:
    """Rows and amounts by code of activity, how many different persons, and those of each code up to MOST_COUNTED; each
    slice ascending by person."""
    import numpy as np

    rows, amounts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    pairs, is_open = np.zeros(0, np.int64), np.ones(0, np.bool_)
    seen: list[NDArray[np.int32]] = []
    for person, activity, amount in slices:
        more_rows, more_amounts = _sum_slice(activity, amount)
        rows, amounts = _added(rows, more_rows), _added(amounts, more_amounts)
        is_first = np.empty(person.size, np.bool_)
        is_first[0] = True
        np.not_equal(person[1:], person[:-1], out=is_first[1:])
        firsts = np.flatnonzero(is_first)
        is_open = np.concatenate([is_open, np.ones(rows.size - is_open.size, np.bool_)])
        # First rows of different persons: as many persons of a code at least, and nearly all codes have enough of them.
        is_open &= np.bincount(activity[firsts[:_BLOCK]], minlength=is_open.size) < MOST_COUNTED
        pairs = pairs[is_open[_codes_of(pairs)]]
        if is_open[: more_rows.size][more_rows > 0].any():
            pairs = _few_persons(pairs, is_open, person, activity)
        seen.append(person[firsts])
        if len(seen) > 1 and sum(known.size for known in seen) > SLICE_ROWS:
            seen = [np.unique(np.concatenate(seen))]
    persons = seen[0].size if len(seen) == 1 else int(np.unique(np.concatenate(seen)).size)
    few = np.where(is_open, _by_code(pairs, rows.size), MOST_COUNTED)
    return rows, amounts, persons, few


def _few_persons(
    pairs: Whole, is_open: NDArray[np.bool_], person: NDArray[np.int32], activity: NDArray[np.int16]
) -> Whole:
    """Each different person and code once, of codes with fewer than MOST_COUNTED persons so far.

    pairs : those known before; is_open : of each code whether it is counted still, closed here in place. Blocks without
    an open code cost one look at their codes.
    """
    import numpy as np

    for start in range(0, activity.size, _BLOCK):
        codes = activity[start : start + _BLOCK]
        wanted = is_open[codes]
        if wanted.any():
            people = person[start : start + _BLOCK][wanted].astype(np.int64)
            fresh = people << _CODE_BITS | codes[wanted].astype(np.int64)
            pairs = np.unique(np.concatenate([pairs, fresh]))
            is_open &= _by_code(pairs, is_open.size) < MOST_COUNTED
            pairs = pairs[is_open[_codes_of(pairs)]]
    return pairs


def _codes_of(pairs: Whole) -> Whole:
    return pairs & ((1 << _CODE_BITS) - 1)


def _by_code(pairs: Whole, codes: int) -> Whole:
    import numpy as np

    return np.bincount(_codes_of(pairs), minlength=codes)


def _sum_slice(activity: NDArray[np.int16], amount: NDArray[np.int32]) -> tuple[Whole, Whole]:
    """Rows and amounts by code. A block is 2**16 amounts below 2**31: a double holds its sum exactly."""
    import numpy as np

    codes = int(activity.max()) + 1
    rows, amounts = np.zeros(codes, np.int64), np.zeros(codes, np.int64)
    for start in range(0, activity.size, _BLOCK):
        block = activity[start : start + _BLOCK].astype(np.int64)
        rows += np.bincount(block, minlength=codes)
        amounts += np.bincount(block, amount[start : start + _BLOCK], codes).astype(np.int64)
    return rows, amounts


def _added(one: Whole, other: Whole) -> Whole:
    import numpy as np

    longer, shorter = (one, other) if one.size >= other.size else (other, one)
    total = longer.copy()
    total[: shorter.size] += shorter
    return np.asarray(total)


def _months_at_once(task: PartTask) -> Iterator[tuple[int, list[Rows]]]:
    """Number of each month with rows, from 0, and its rows, a slice a file; every file is read as a whole."""
    import polars as pl

    files = []
    for path in task.paths:
        frame = pl.read_parquet(path, columns=["day", *_COLUMNS], hive_partitioning=False, glob=False)
        edges = _month_edges(frame["day"].to_physical().to_numpy(), task.year)
        files.append((edges, tuple(frame[name].to_numpy() for name in _COLUMNS)))
    for month in range(_MONTHS):
        slices = [
            tuple(column[edges[month] : edges[month + 1]] for column in columns)
            for edges, columns in files
            if edges[month] < edges[month + 1]
        ]
        if slices:
            yield month, slices  # type: ignore[misc]


def _months_in_slices(task: PartTask) -> Iterator[tuple[int, Iterator[Rows]]]:
    """The same for parts that may not fit into memory: first where each month lies, then its rows slice by slice."""
    edges = [_edges_of_file(path, rows, task.year) for path, rows in zip(task.paths, task.rows, strict=True)]
    for month in range(_MONTHS):
        if any(here[month] < here[month + 1] for here in edges):
            yield month, _slices_of_month(task.paths, edges, month)


def _slices_of_month(paths: tuple[str, ...], edges: list[Whole], month: int) -> Iterator[Rows]:
    import polars as pl

    for path, here in zip(paths, edges, strict=True):
        scan = pl.scan_parquet(path, hive_partitioning=False, glob=False).select(_COLUMNS)
        for start in range(int(here[month]), int(here[month + 1]), SLICE_ROWS):
            frame = scan.slice(start, min(SLICE_ROWS, int(here[month + 1]) - start)).collect()
            yield frame["person"].to_numpy(), frame["activity"].to_numpy(), frame["amount_milli"].to_numpy()


def _edges_of_file(path: str, rows: int, year: int) -> Whole:
    """Where each month begins, with the number of rows at the end; the days are read slice by slice."""
    import numpy as np
    import polars as pl

    scan = pl.scan_parquet(path, hive_partitioning=False, glob=False).select("day")
    edges = np.zeros(_MONTHS + 1, np.int64)
    for start in range(0, rows, SLICE_ROWS):
        # Rows before a month in the whole file are those before it in each slice, added up.
        edges += _month_edges(scan.slice(start, SLICE_ROWS).collect()["day"].to_physical().to_numpy(), year)
    return edges


def _month_edges(days: NDArray[np.int32], year: int) -> Whole:
    """Where each month of the year begins, with the length at the end.

    days : since 1970, ascending by month, in any order within one, so that "before this month" still holds for a
    first part of them and for no other, which is all that a binary search needs
    """
    import numpy as np

    later = [date(year, month, 1) for month in range(2, _MONTHS + 1)]
    starts = np.array(later, "datetime64[D]").astype(days.dtype)
    return np.concatenate([[0], np.searchsorted(days, starts), [days.size]]).astype(np.int64)
