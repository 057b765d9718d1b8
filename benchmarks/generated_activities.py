"""Seeded activities of persons for the benchmarks: 37 cities, three years, ten million persons, twenty-four activities,
as files of the table.

The same seed and number of rows give the same rows for any number of processes: each city and year draws from a seed
of its own. A person lives in one city and does little or much; codes of persons are handed out over the whole country.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

SEED = 20261122
HUBS = tuple(f"city{number:02}" for number in range(37))
YEARS = range(2022, 2025)
PERSONS = 10_000_000
ACTIVITIES = tuple(f"activity{number:02}" for number in range(24))
UNITS = ("pkm", "km", "kWh", "kg")


def part_of_activities(hub: str, year: int, rows: int) -> pl.DataFrame:
    """Rows of one city and year, in no order, in `carbon.footprints.bulk.records.records_schema`."""
    place = HUBS.index(hub)
    rng = np.random.default_rng([SEED, place, year])
    days = pl.date_range(pl.date(year, 1, 1), pl.date(year, 12, 31), eager=True).to_physical().to_numpy()
    here = PERSONS // len(HUBS)
    return pl.DataFrame(
        {
            "day": pl.Series(days[rng.integers(0, days.size, rows)], dtype=pl.Int32).cast(pl.Date),
            "person": (place + len(HUBS) * (here * rng.random(rows) ** 2).astype(np.int32)).astype(np.int32),
            "activity": (len(ACTIVITIES) * rng.random(rows) ** 1.5).astype(np.int16),
            "amount_milli": rng.integers(100, 60_000, rows, dtype=np.int32),
        }
    )


def part_sizes(rows: int) -> dict[tuple[str, int], int]:
    """How many of the rows each city and year has: the first city twelve times as many as the last."""
    parts = [(hub, year) for hub in HUBS for year in YEARS]
    weights = np.repeat(np.geomspace(12, 1, len(HUBS)), len(YEARS))
    edges = np.rint(np.cumsum(weights) / weights.sum() * rows).astype(int)
    return {part: int(size) for part, size in zip(parts, np.diff(edges, prepend=0), strict=True) if size}


def _write(lake: Path, part: tuple[tuple[str, int], int]) -> object:
    from carbon.footprints.bulk.table import write_part

    (hub, year), rows = part
    return write_part(lake, part_of_activities(hub, year, rows), hub, year, f"generated-{SEED}-{rows}")


def write_activities(lake: Path, rows: int, processes: int = 2) -> None:
    """A table of so many activities, one file a city and year, in one version."""
    from carbon.footprints.bulk.table import code_activities, commit_parts

    names = {"name": ACTIVITIES, "unit": [UNITS[number % len(UNITS)] for number in range(len(ACTIVITIES))]}
    code_activities(lake, pl.DataFrame(names))
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        parts = list(pool.map(partial(_write, lake), part_sizes(rows).items()))
    commit_parts(lake, parts, f"generated-{SEED}-{rows}")
