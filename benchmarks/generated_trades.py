"""Seeded trades for the benchmarks: eight markets, five years, five thousand participants, as files of the table.

The same seed and number of rows give the same trades for any number of processes: each market and year draws from a
seed of its own.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

SEED = 20261122
MARKETS = ("CEA", "Beijing", "Chongqing", "Fujian", "Guangdong", "Hubei", "Shanghai", "Shenzhen")
YEARS = range(2021, 2026)
PARTICIPANTS = 5_000
FRIDAY = 5
HOURS_US = (9 * 3600 + 30 * 60) * 1_000_000, 15 * 3600 * 1_000_000
UTC8_US = 8 * 3600 * 1_000_000
BLOCK_SHARE = 0.02


def part_of_trades(market: str, year: int, rows: int) -> pl.DataFrame:
    """Trades of one market and year, ascending by time, in `carbon.trades.trades_schema`."""
    rng = np.random.default_rng([SEED, MARKETS.index(market), year])
    days = pl.date_range(pl.date(year, 1, 1), pl.date(year, 12, 31), eager=True)
    days = days.filter(days.dt.weekday() <= FRIDAY).to_physical().to_numpy()
    place = np.sort(rng.integers(0, days.size, rows, dtype=np.int32))
    moments = rng.integers(*HOURS_US, rows)
    time_us = np.sort(days.astype(np.int64)[place] * 86_400_000_000 + moments) - UTC8_US
    level = 4_000 + np.cumsum(rng.integers(-60, 62, days.size)).clip(-3_000, 6_000)
    is_block = rng.random(rows) < BLOCK_SHARE
    vintage = rng.integers(year - 3, year + 1, rows, dtype=np.int16)
    quantity = np.where(is_block, rng.integers(100_000, 500_000, rows), rng.integers(1, 2_000, rows))
    product = pl.Series([f"{market[:2].upper()}A{year - 3 + k - 2000}" for k in range(4)])
    return pl.DataFrame(
        {
            "time_us": time_us,
            "day": pl.Series(days[place]).cast(pl.Date),
            "product": product.gather(vintage - (year - 3)),
            "vintage": vintage,
            "method": np.where(is_block, 20, 10).astype(np.int8),
            "buyer": (PARTICIPANTS * rng.random(rows) ** 2).astype(np.int32),
            "seller": (PARTICIPANTS * rng.random(rows) ** 2).astype(np.int32),
            "price_fen": (level[place] + rng.integers(-100, 101, rows)).astype(np.int32),
            "quantity_t": quantity.astype(np.int32),
        }
    )


def part_sizes(rows: int) -> dict[tuple[str, int], int]:
    """How many of the rows each market and year has."""
    parts = [(market, year) for market in MARKETS for year in YEARS]
    return {part: rows // len(parts) + (number < rows % len(parts)) for number, part in enumerate(parts)}


def _write(lake: Path, part: tuple[tuple[str, int], int]) -> object:
    from carbon.trades.table import write_part

    (market, year), rows = part
    return write_part(lake, part_of_trades(market, year, rows), market, year, f"generated-{SEED}-{rows}")


def write_trades(lake: Path, rows: int, processes: int = 2) -> None:
    """A table of so many trades, one file a market and year, in one version."""
    from carbon.trades.table import commit_parts

    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(partial(_write, lake), part_sizes(rows).items()))
    commit_parts(lake, parts, f"generated-{SEED}-{rows}")
