"""Trades for tests: rows from a seed in the columns of the table, and a table of them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from carbon.trades.table import commit_parts, write_part

DAY_US = 86_400_000_000
UTC8_US = 8 * 3600 * 1_000_000


def _some_trades(rows: int, seed: int, first: date, days: int) -> pl.DataFrame:
    """Trades of one market over some days, ascending by time; a tenth of buyers and sellers is not known."""
    rng = np.random.default_rng(seed)
    start = (first - date(1970, 1, 1)).days
    day = np.sort(rng.integers(start, start + days, rows))
    time_us = np.sort(day * DAY_US + rng.integers(0, DAY_US, rows)) - UTC8_US
    unknown = rng.random((2, rows)) < 0.1
    return pl.DataFrame(
        {
            "time_us": time_us,
            "day": pl.Series(day.astype(np.int32)).cast(pl.Date),
            "product": "X",
            "vintage": pl.Series(rng.integers(2019, 2022, rows), dtype=pl.Int16),
            "method": pl.Series(rng.choice([10, 10, 10, 20, 21], rows), dtype=pl.Int8),
            "buyer": pl.Series(rng.integers(0, 20, rows), dtype=pl.Int32),
            "seller": pl.Series(rng.integers(0, 20, rows), dtype=pl.Int32),
            "price_fen": pl.Series(rng.integers(4000, 6000, rows), dtype=pl.Int32),
            "quantity_t": pl.Series(rng.integers(1, 5000, rows), dtype=pl.Int32),
        }
    ).with_columns(
        buyer=pl.when(~pl.Series(unknown[0])).then("buyer"), seller=pl.when(~pl.Series(unknown[1])).then("seller")
    )


def _fill(lake: Path, trades: pl.DataFrame, market: str, source: str) -> None:
    """Write trades of one market to the table, in one version."""
    parts = [
        write_part(lake, part, market, year, source)
        for (year,), part in trades.with_columns(pl.col("day").dt.year().alias("year"))
        .partition_by("year", as_dict=True, include_key=False)
        .items()
    ]
    assert commit_parts(lake, parts, source)


@pytest.fixture(scope="session")
def some_trades() -> Callable[[int, int, date, int], pl.DataFrame]:
    """Make trades: how many, seed, first day, number of days."""
    return _some_trades


@pytest.fixture(scope="session")
def fill() -> Callable[[Path, pl.DataFrame, str, str], None]:
    """Write trades: lake, trades, market, name of the source."""
    return _fill


@pytest.fixture
def trade_lake(tmp_path: Path) -> Path:
    """A table of two markets and two years each; two sources of one market hold trades of the same days."""
    lake = tmp_path / "lake"
    _fill(lake, _some_trades(4000, 1, date(2023, 11, 20), 90), "CEA", "first")
    _fill(lake, _some_trades(3000, 2, date(2023, 12, 20), 60), "Hubei", "second")
    _fill(lake, _some_trades(500, 3, date(2024, 1, 10), 40), "CEA", "third")
    return lake
