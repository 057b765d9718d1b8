"""Activities of persons for tests: rows from a seed, and a user's file of them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

HUBS = ("wuhan", "beijing", "suzhou")
WORDS = pl.DataFrame({"activity": ["bus", "electricity", "bus"], "unit": ["pkm", "kWh", "km"]})


def _rows(count: int, seed: int, first: date = date(2023, 11, 1), days: int = 120, persons: int = 40) -> pl.DataFrame:
    """Rows as a user's file has them, with amounts in thousandths of the unit beside them."""
    rng = np.random.default_rng(seed)
    start = (first - date(1970, 1, 1)).days
    milli = rng.integers(0, 99_999, count)
    return pl.DataFrame(
        {
            "day": pl.Series(rng.integers(start, start + days, count), dtype=pl.Int32).cast(pl.Date),
            "hub": pl.Series(HUBS).gather(rng.integers(0, len(HUBS), count)),
            "person": rng.integers(0, persons, count),
            "milli": milli,
            "amount": [f"{value // 1000}.{value % 1000:03}" for value in milli.tolist()],
            **{
                name: WORDS[name].gather(places)
                for places in [rng.integers(0, 3, count)]
                for name in ("activity", "unit")
            },
        }
    )


@pytest.fixture(scope="session")
def some_rows() -> Callable[..., pl.DataFrame]:
    """Make rows: how many, seed, first day, days, persons."""
    return _rows


@pytest.fixture
def activity_lake(tmp_path: Path) -> Path:
    """A lake of three cities and two years, from two files that hold the same months."""
    from carbon.footprints.bulk.summary import load_personal_activities

    lake = tmp_path / "lake"
    for number in (1, 2):
        path = tmp_path / f"{number}.parquet"
        _rows(3000, number).drop("milli").write_parquet(path)
        assert load_personal_activities(lake, path).rows_kept == 3000
    return lake
