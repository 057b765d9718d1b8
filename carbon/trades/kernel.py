"""The kernel: one file of trades in, small sums that can be merged out. Every executor runs this and nothing else.

Knows how trades of one market and year lie in a file (sorted by time, integer columns) and how they add up by day and
by month and participant. Must not know the table, other files, engines, or what is made of the sums: that is
`carbon.trades.sums`. Nothing here divides, so that the sums of files are exact whatever order they come in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbon.rows import AUCTION, BLOCK, LISTING, METHOD_NAMES, PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Narrow = NDArray[np.int32]

__all__ = ["AMOUNTS", "SLICE_ROWS", "FileTask", "Partials", "merge_days", "merge_parties", "sum_file", "sum_trades"]

SLICE_ROWS = 1 << 22
"""Rows held at a time. A trade is below 2**41 fen and 2**31 t, so no sum of a slice leaves int64, and no sum of
tonnes leaves the 2**53 that a double holds exactly (`numpy.bincount` adds doubles)."""

AMOUNTS = tuple(f"{METHOD_NAMES[code]}_{unit}" for code in PARTS for unit in ("volume_t", "value_fen"))
_SPARSE = 65_536
_KEPT_BYTES = 1 << 24
_BLOCK = 1 << 17  # Rows, or participants times months: the arrays of either stay within a megabyte.


@dataclass(frozen=True)
class FileTask:
    """One file to sum.

    path : where the file lies; market : whose trades it holds; rows : how many
    split : columns to keep apart, any of "vintage" and "method"
    timed : read the moments of the first and last price of each day too; needed where another file holds the same days
    """

    path: str
    market: str
    rows: int
    split: tuple[str, ...] = ()
    timed: bool = False


@dataclass(frozen=True)
class Partials:
    """The sums of one file, ascending.

    days : market, day, the split columns, trades; open, high, low and close of listed trading (fen per tonne, null on
        days without), open_at_us and close_at_us (null unless timed); tonnes and fen by method and in all
    parties : market, month (its first day), the split columns, party (code; null: not known), bought_t, sold_t
    """

    days: pl.DataFrame
    parties: pl.DataFrame


def sum_file(task: FileTask) -> Partials:
    """The sums of one file, read in slices of SLICE_ROWS rows.

    task : a file of one row at least. Raises FileNotFoundError where the file cannot be reached from here.
    """
    import polars as pl

    parts = [sum_trades(part, task.market, split=task.split, timed=task.timed) for part in _slices(task)]
    if len(parts) == 1:
        return parts[0]
    days = merge_days(pl.concat(part.days for part in parts), task.split)
    return Partials(days, merge_parties(pl.concat(part.parties for part in parts), task.split))


def merge_days(days: pl.DataFrame, split: tuple[str, ...]) -> pl.DataFrame:
    """One row a market, day and split from several, ascending: amounts added, prices by their moments, and by the
    order of the rows where moments are alike or not known.
    """
    import polars as pl

    keys = ["market", "day", *split]
    merged = days.group_by(keys, maintain_order=True).agg(
        pl.col("trades").sum(),
        _by_moment("open_fen_per_t", "open_at_us").first(),
        pl.col("high_fen_per_t").max(),
        pl.col("low_fen_per_t").min(),
        _by_moment("close_fen_per_t", "close_at_us").last(),
        pl.col("open_at_us").min(),
        pl.col("close_at_us").max(),
        pl.col(*AMOUNTS, "volume_t", "value_fen").sum(),
    )
    return merged.select(days.columns).sort(keys)


def _by_moment(price: str, at_us: str) -> pl.Expr:
    import polars as pl

    is_there = pl.col(price).is_not_null()
    return pl.col(price).filter(is_there).sort_by(pl.col(at_us).filter(is_there), maintain_order=True)


def merge_parties(parties: pl.DataFrame, split: tuple[str, ...]) -> pl.DataFrame:
    """One row a market, month, split and party from several, ascending: tonnes added."""
    import polars as pl

    keys = ["market", "month", *split, "party"]
    return parties.group_by(keys).agg(pl.col("bought_t", "sold_t").sum()).sort(keys, nulls_last=True)


def sum_trades(trades: pl.DataFrame, market: str, *, split: tuple[str, ...] = (), timed: bool = False) -> Partials:
    """The sums of trades of one market, ascending by time; one row at least, SLICE_ROWS at most.

    trades : day, method, price_fen, quantity_t, buyer, seller, the split columns, and time_us if timed
    Prices are those of listed trading. Of trades at the same moment the first and the last in the frame count.
    """
    import polars as pl

    if not split:
        return _sum_group(trades, market, timed)
    found = []
    for group in trades.partition_by(split, maintain_order=True):
        keys = [pl.lit(group[name][0], dtype=group.schema[name]).alias(name) for name in split]
        sums = _sum_group(group, market, timed)
        found.append(Partials(*(_with_keys(frame, keys) for frame in (sums.days, sums.parties))))
    return Partials(pl.concat(part.days for part in found), pl.concat(part.parties for part in found))


def _with_keys(frame: pl.DataFrame, keys: list[pl.Expr]) -> pl.DataFrame:
    """The keys behind market and day or month."""
    return frame.select(*frame.columns[:2], *keys, *frame.columns[2:])


def _slices(task: FileTask) -> Iterator[pl.DataFrame]:
    import polars as pl

    columns = ["day", "method", "price_fen", "quantity_t", "buyer", "seller"]
    columns += [name for name in task.split if name not in columns] + (["time_us"] if task.timed else [])
    scan = pl.scan_parquet(task.path, hive_partitioning=False, glob=False).select(columns)
    for start in range(0, task.rows, SLICE_ROWS):
        yield scan.slice(start, SLICE_ROWS).collect()


def _sum_group(trades: pl.DataFrame, market: str, timed: bool) -> Partials:
    """Some months at a time, so that what is worked on stays in the processor's cache."""
    import numpy as np
    import polars as pl

    _keep_memory()
    days, edges = _edges(trades["day"].to_physical().to_numpy())
    months, month_edges = _edges(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))
    price, quantity, method = (trades[name].to_numpy() for name in ("price_fen", "quantity_t", "method"))
    time_us = trades["time_us"].to_numpy() if timed else None
    codes, buyer, seller = _parties_of(trades)
    rows = edges[month_edges]
    bars: list[dict[str, Whole]] = []
    parties: list[tuple[Whole, Whole, Whole]] = []
    for first, last in _blocks(rows, len(codes)):
        cut = slice(int(rows[first]), int(rows[last]))
        here = edges[month_edges[first] : month_edges[last] + 1] - rows[first]
        bars.append(_bars(here, price[cut], quantity[cut], method[cut], None if time_us is None else time_us[cut]))
        # One table of participants after another, one a month.
        size = (last - first) * len(codes)
        table = np.repeat(np.arange(0, size, len(codes)), np.diff(rows[first : last + 1])) if last - first > 1 else 0
        weights = quantity[cut].astype(np.float64)
        bought = np.bincount(buyer[cut] + table, weights, size).astype(np.int64)
        sold = np.bincount(seller[cut] + table, weights, size).astype(np.int64)
        active = np.flatnonzero(bought + sold)
        parties.append((active + first * len(codes), bought[active], sold[active]))
    place, bought, sold = (np.concatenate(columns) for columns in zip(*parties, strict=True))
    return Partials(
        _days_frame(market, days, {name: np.concatenate([bar[name] for bar in bars]) for name in bars[0]}),
        pl.DataFrame(
            {
                "market": pl.repeat(market, place.size, eager=True),
                "month": months[place // len(codes)].astype("datetime64[M]").astype("datetime64[D]"),
                "party": codes.gather(place % len(codes)),
                "bought_t": bought,
                "sold_t": sold,
            }
        ),
    )


def _keep_memory() -> None:
    """Let the C library keep what is freed: giving a large block back raises what it keeps (glibc; elsewhere nothing).

    Without it every array of a block is fetched anew from the system, which takes 1.6 times as long.
    """
    import numpy as np

    np.empty(_KEPT_BYTES, np.int8)


def _blocks(rows: Whole, parties: int) -> Iterator[tuple[int, int]]:
    """Numbers of the first month and of the one after the last: as many as are worked on best at once, one at least.

    rows : where each month begins, with the length at the end
    """
    first = 0
    for last in range(1, rows.size):
        is_full = rows[last] - rows[first] >= _BLOCK or (last - first) * parties >= _BLOCK
        if is_full or last == rows.size - 1:
            yield first, last
            first = last


def _edges(ascending: Narrow | Whole) -> tuple[Whole, Whole]:
    """The different values of an ascending array, and where each begins, with the length at the end."""
    import numpy as np

    span = np.arange(ascending[0], int(ascending[-1]) + 2, dtype=ascending.dtype)
    edges = np.searchsorted(ascending, span)
    there = np.flatnonzero(edges[1:] > edges[:-1])
    return span[there].astype(np.int64), np.append(edges[there], ascending.size)


def _parties_of(trades: pl.DataFrame) -> tuple[pl.Series, Narrow | Whole, Narrow | Whole]:
    """Codes of participants (the last is null: not known), and the place of each buyer and seller among them."""
    import numpy as np
    import polars as pl

    sides = (trades["buyer"], trades["seller"])
    highest = max((int(top) for side in sides if isinstance(top := side.max(), int)), default=-1)
    if highest < _SPARSE + trades.height:
        codes = pl.int_range(highest + 1, dtype=pl.Int32, eager=True).extend_constant(None, 1)
        filled = [side.fill_null(highest + 1) if side.null_count() else side for side in sides]
        return codes, filled[0].to_numpy(), filled[1].to_numpy()
    # Codes of names lie side by side, far from zero.
    lowest = min(int(low) for side in sides if isinstance(low := side.min(), int))
    if highest - lowest < _SPARSE + trades.height:
        codes = pl.int_range(lowest, highest + 1, dtype=pl.Int32, eager=True).extend_constant(None, 1)
        moved = [(side - lowest).fill_null(highest + 1 - lowest) for side in sides]
        return codes, moved[0].to_numpy(), moved[1].to_numpy()
    known = pl.concat(side.drop_nulls() for side in sides).unique().sort()
    # Above every code there can be, so that who is not known comes last.
    places = [known.cast(pl.Int64).search_sorted(side.cast(pl.Int64).fill_null(1 << 31)) for side in sides]
    buyer, seller = (place.to_numpy().astype(np.int64) for place in places)
    return known.extend_constant(None, 1), buyer, seller


def _bars(
    edges: Whole, price: Narrow, quantity: Narrow, method: NDArray[np.int8], time_us: Whole | None
) -> dict[str, Whole]:
    """Figures of the days between the edges; -1 where a day has no listed price."""
    import numpy as np

    tonnes = quantity.astype(np.int64)
    value = tonnes * price
    starts = edges[:-1]
    volume_t, value_fen = np.add.reduceat(tonnes, starts), np.add.reduceat(value, starts)
    bars = {"trades": np.diff(edges), "volume_t": volume_t, "value_fen": value_fen}
    rest = {"volume_t": volume_t.copy(), "value_fen": value_fen.copy()}
    others = np.flatnonzero(method != LISTING)
    for code in (BLOCK, AUCTION):
        rows = others[method[others] == code]
        for unit, amounts in (("volume_t", tonnes), ("value_fen", value)):
            sums = _sums_of(rows, amounts, edges)
            bars[f"{METHOD_NAMES[code]}_{unit}"] = sums
            rest[unit] -= sums
    for unit, sums in rest.items():
        bars[f"{METHOD_NAMES[LISTING]}_{unit}"] = sums
    return bars | _prices(edges, price, others, time_us)


def _sums_of(rows: Whole, amounts: Whole, edges: Whole) -> Whole:
    """Sums by day of some of the rows."""
    import numpy as np

    if not rows.size:
        return np.zeros(edges.size - 1, np.int64)
    running = np.concatenate([np.zeros(1, np.int64), np.cumsum(amounts[rows])])
    return np.diff(running[np.searchsorted(rows, edges)])


def _prices(edges: Whole, price: Narrow, others: Whole, time_us: Whole | None) -> dict[str, Whole]:
    """Open, high, low and close between the edges, and the moments of open and close; -1 where nothing is listed.

    others : places of the rows that are not listed trades, few as a rule: the listed ones are never gathered
    """
    import numpy as np

    listed = edges - np.searchsorted(others, edges)
    there = np.flatnonzero(listed[1:] > listed[:-1])
    # The listed row of number k lies as many places further as there are others before it.
    others_before = others - np.arange(others.size)
    first, last = (
        numbers + np.searchsorted(others_before, numbers, side="right")
        for numbers in (listed[:-1][there], listed[1:][there] - 1)
    )
    prices = price.copy()
    prices[others] = 0
    high = np.maximum.reduceat(prices, edges[:-1])[there]
    prices[others] = np.iinfo(prices.dtype).max
    low = np.minimum.reduceat(prices, edges[:-1])[there]
    unknown = np.full(there.size, -1, np.int64)
    found = {
        "open_fen_per_t": price[first],
        "high_fen_per_t": high,
        "low_fen_per_t": low,
        "close_fen_per_t": price[last],
        "open_at_us": unknown if time_us is None else time_us[first],
        "close_at_us": unknown if time_us is None else time_us[last],
    }
    every = {name: np.full(edges.size - 1, -1, np.int64) for name in found}
    for name, values in found.items():
        every[name][there] = values
    return every


def _days_frame(market: str, days: Whole, figures: dict[str, Whole]) -> pl.DataFrame:
    import polars as pl

    prices = [name for name in figures if name.endswith(("_fen_per_t", "_at_us"))]
    return pl.DataFrame(
        {"market": pl.repeat(market, days.size, eager=True), "day": days.astype("datetime64[D]"), **figures}
    ).select(
        "market",
        "day",
        "trades",
        pl.when(pl.col(prices) >= 0).then(pl.col(prices)).name.keep(),
        *AMOUNTS,
        "volume_t",
        "value_fen",
    )
