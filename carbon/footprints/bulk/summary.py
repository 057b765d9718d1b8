"""Persons' activities in the lake, from a user's file to totals of cities: load, sum each city and year once, put the
sums together.

Knows the order of these steps and where sums are kept. Must not know headings, how the table is written, factors, or
an engine's inner life. The sums of a city and year are kept under the names of its files, so that a new file of it
makes them anew, and nothing else does: a changed factor reads no row again.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.bulk_loading import BulkLoadReport, say_no_step
from carbon.errors import CarbonError
from carbon.footprints.activity_cells import ResolveHubs, known_hubs
from carbon.footprints.bulk.files import ActivityScan, scan_activity_file
from carbon.footprints.bulk.kernel import SLICE_ROWS, PartTask, sum_part
from carbon.footprints.bulk.table import (
    PARTED_BY,
    ActivityPart,
    activity_parts,
    code_activities,
    commit_parts,
    is_loaded,
    read_activity_words,
    write_part,
)
from carbon.formats.text import is_there
from carbon.lake_files import remove_leftovers, replace_whole, sha256_of, split_by
from carbon.scans import replaced_expr
from carbon.trades.executors import Done, Engine, open_engine

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CityTotals",
    "NoPersonalActivities",
    "load_personal_activities",
    "sum_cities",
]

_SUMS, _STAGING = "personal_activity_sums", "personal_staging_"
# Raised whenever what the kernel returns changes, so that older sums are never taken for new ones.
_SUMS_VERSION = "2"


class NoPersonalActivities(CarbonError):
    """The lake holds no activities of persons, or none of the cities asked for."""


@dataclass(frozen=True)
class CityTotals:
    """Totals (`carbon.footprints.bulk.sums.totals_schema`), of how many cities and years, and how many were read."""

    rows: "pl.DataFrame"
    parts: int
    parts_read: int


def load_personal_activities(
    lake: Path,
    path: Path,
    *,
    file_name: str | None = None,
    hubs: ResolveHubs = known_hubs,
    progress: Callable[[str], None] | None = None,
) -> BulkLoadReport:
    """Add the good rows of a file of activities to the table, in one version; bad rows are set apart and reported.

    Activities not seen before get their codes first. The same bytes a second time change nothing; rows have no id, so
    that the same rows in other bytes (sorted otherwise, or as Parquet) count once more.

    path : .csv or .parquet, columns as in `carbon.footprints.bulk.files.HEADINGS`
    file_name : name to report, the path's own by default; hubs : names of cities to their keys
    progress : told each of `carbon.bulk_loading.LOAD_STEPS` as it begins
    Raises UnreadableFile, UnknownFormat, TooManyActivities, LakeBusy.
    """
    import polars as pl

    say = progress or say_no_step
    name = file_name or path.name
    say("checking")
    sha256 = sha256_of(path) if is_there(path) else ""
    if sha256 and is_loaded(lake, sha256):
        return BulkLoadReport(name, sha256, 0, 0, True, ())
    reading = scan_activity_file(path, file=name, hubs=hubs)
    if reading.rows_kept:
        say("sorting")
        # The words first: were they to come after the rows, a crash in between would leave codes of nothing.
        good = _with_codes(reading, lake).with_columns(year=pl.col("day").dt.year())
        fits = reading.rows_kept <= SLICE_ROWS
        split = split_by(lake, good, PARTED_BY, in_memory=fits, staging=_STAGING, most_rows=SLICE_ROWS)
        parts = [write_part(lake, rows, hub, int(year), sha256) for (hub, year), rows in split]
        say("appending")
        commit_parts(lake, parts, sha256)
        remove_leftovers(lake, _STAGING, max(part.modified_ms for part in parts))
    return BulkLoadReport(name, sha256, reading.rows_read, reading.rows_kept, False, reading.problems)


def sum_cities(
    lake: Path,
    *,
    hubs: Sequence[str] | None = None,
    engine: Engine | None = None,
    keep: bool = True,
    progress: Done | None = None,
) -> CityTotals:
    """Totals of cities by month and activity, of every row in the table; read only what is not summed yet.

    hubs : keys of cities, all without; engine : threads of this process without
    keep : leave the sums of each city and year beside the table, and take them from there where they are
    progress : told how many cities and years are done, of how many that must be read
    Raises NoPersonalActivities, EngineFailed, TotalsTooLarge.
    """
    from carbon.footprints.bulk.sums import combine

    parts = activity_parts(lake, hubs)
    if not parts:
        asked = "" if hubs is None else f" of {', '.join(hubs)}"
        raise NoPersonalActivities(
            f"found no activities of persons{asked}, expected some: load a file with greenfin load personal-activities"
        )
    places = [_place(lake, part) for part in parts]
    with open_engine() as threads:
        kept = threads.run(_read_kept, places) if keep else [None] * len(parts)
        # The largest first, so that no thread is left alone with one at the end.
        fresh = sorted(
            (number for number, sums in enumerate(kept) if sums is None), key=lambda number: -sum(parts[number].rows)
        )
        tasks = [PartTask(one.hub, one.year, one.paths, one.rows) for one in (parts[number] for number in fresh)]
        made = (engine or threads).run(sum_part, tasks, progress)
    if keep:
        for number, sums in zip(fresh, made, strict=True):
            _keep(sums, places[number])
    every = [sums for sums in (*kept, *made) if sums is not None]
    return CityTotals(combine(every, read_activity_words(lake)), len(parts), len(fresh))


def _with_codes(reading: ActivityScan, lake: Path) -> "pl.LazyFrame":
    """The good rows, with the codes that stand for activity and unit in the lake."""
    import polars as pl

    coded = code_activities(lake, reading.words.select("name", "unit"))
    places = pl.int_range(coded.height, dtype=pl.Int32, eager=True)
    return reading.good.with_columns(replaced_expr(pl.col("word"), places, coded["activity"]).alias("activity"))


def _place(lake: Path, part: ActivityPart) -> Path:
    """File of the sums of a city and year, named by its files in the log, which never name another content."""
    digest = hashlib.sha256("\n".join(part.names).encode()).hexdigest()[:32]
    return lake / _SUMS / _SUMS_VERSION / f"{part.hub}-{part.year}" / f"{digest}.parquet"


def _read_kept(place: Path) -> "pl.DataFrame | None":
    """The sums that are kept; null where there are none, or none that can be read: they are then made anew."""
    import polars as pl

    with suppress(FileNotFoundError, pl.exceptions.PolarsError):
        if place.is_file():
            return pl.read_parquet(place, hive_partitioning=False, glob=False)
    return None


def _keep(sums: "pl.DataFrame", place: Path) -> None:
    """Keep the sums of a city and year, in the place of those of fewer files."""
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(sums, place)
    for older in place.parent.glob("*.parquet"):
        if older != place:
            older.unlink(missing_ok=True)
