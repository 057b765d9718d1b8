"""Ranges of serial numbers of one series: who holds which, cut and placed as events come in.

Knows sorted lists of disjoint runs of numbers. Must not know files, tables or the ledger's verbs.
"""

from bisect import bisect_right
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Runs", "cut", "load_runs", "place"]

Runs = list[tuple[int, int, str]]
"""(first, last, code of the account that holds them), in ascending order and disjoint."""

_INSTRUMENTS_AT_ONCE = 500


def cut(runs: Runs, first: int, last: int) -> list[tuple[int, int, str | None]]:
    """The range first to last in parts: each held by one account, or by none (null) where no run has the numbers."""
    parts: list[tuple[int, int, str | None]] = []
    place = max(bisect_right(runs, first, key=_first) - 1, 0)
    at = first
    while at <= last:
        while place < len(runs) and runs[place][1] < at:
            place += 1
        if place == len(runs) or runs[place][0] > last:
            parts.append((at, last, None))
            break
        begin, end, holder = runs[place]
        if begin > at:
            parts.append((at, begin - 1, None))
        parts.append((max(at, begin), min(last, end), holder))
        at = end + 1
    return parts


def place(runs: Runs, first: int, last: int, holder: str) -> None:
    """Give the range first to last to one account, whoever held it; what is left of the runs it meets stays."""
    low = max(bisect_right(runs, first, key=_first) - 1, 0)
    if low < len(runs) and runs[low][1] < first:
        low += 1
    high = bisect_right(runs, last, key=_first)
    met = runs[low:high]
    rest: Runs = [(first, last, holder)]
    if met and met[0][0] < first:
        rest.insert(0, (met[0][0], first - 1, met[0][2]))
    if met and met[-1][1] > last:
        rest.append((last + 1, met[-1][1], met[-1][2]))
    runs[low:high] = rest


def load_runs(connection: Connection, instruments: "pl.Series") -> tuple[dict[str, Runs], dict[str, str]]:
    """What the ledger holds now: the runs of numbers by code of the instrument, and the type of each holding account.

    Numbers once issued stay: those surrendered, cancelled or carried over are with the scheme's own accounts.
    """
    runs: dict[str, Runs] = {}
    types: dict[str, str] = {}
    for part in range(0, instruments.len(), _INSTRUMENTS_AT_ONCE):
        codes = instruments[part : part + _INSTRUMENTS_AT_ONCE].to_list()
        names = [f"c{number}" for number in range(len(codes))]
        query = (
            "SELECT i.code AS instrument, b.serial_first, b.serial_last, a.code AS account, a.type"  # noqa: S608
            " FROM registry_block b"
            " JOIN registry_instrument i ON i.id = b.instrument_id JOIN registry_account a ON a.id = b.account_id"
            f" WHERE i.code IN ({', '.join(f':{name}' for name in names)}) ORDER BY b.instrument_id, b.serial_first"
        )
        for row in connection.execute(text(query), dict(zip(names, codes, strict=True))):
            runs.setdefault(row.instrument, []).append((row.serial_first, row.serial_last, row.account))
            types[row.account] = row.type
    return runs, types


def _first(run: tuple[int, int, str]) -> int:
    return run[0]
