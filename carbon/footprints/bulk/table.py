"""The table of persons' activities: one Delta table in the lake, parted by city and year, a person's rows of a month
side by side.

Knows how parts are written and found again, and the codes of activities. Must not know headings, checks, sums or
engines. Rows are ascending by month, person and day: so the rows of a month are one slice, its persons are counted by
comparing neighbours, and codes of persons take few bytes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError
from carbon.footprints.bulk.records import records_schema, words_schema
from carbon.lake_files import (
    NewFile,
    code_words,
    commit_files,
    is_committed,
    listed_files,
    read_words,
    write_file,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "PARTED_BY",
    "TABLE",
    "ActivityPart",
    "TooManyActivities",
    "activity_parts",
    "code_activities",
    "commit_parts",
    "is_loaded",
    "read_activity_words",
    "write_part",
]

TABLE: Final = "personal_activities"
PARTED_BY: Final = ("hub", "year")
_WORDS: Final = "personal_activity_words"
_MOST_WORDS: Final = (1 << 15) - 1


class TooManyActivities(CarbonError):
    """More different activities and units than codes: most likely the column holds something else."""


@dataclass(frozen=True)
class ActivityPart:
    """All rows of one city and year: the files they lie in, their names in the log, and the rows of each."""

    hub: str
    year: int
    paths: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[int, ...]


def write_part(lake: Path, rows: "pl.DataFrame", hub: str, year: int, source: str) -> NewFile:
    """Write rows of one city and year as a file below the table, by month, person and day; nobody sees it yet.

    rows : columns of `records_schema`, one row at least, checked
    source : names the file together with hub, year and the rows: a part may come in pieces, and whoever loads the same
    source at the same time may cut it otherwise
    """
    import polars as pl

    ordered = rows.select(records_schema().keys()).sort(
        pl.col("day").dt.month(), "person", "day", "activity", "amount_milli"
    )
    digest = hashlib.sha256()
    for name in records_schema():
        digest.update(ordered[name].to_physical().to_numpy().data)
    named = f"{source} {digest.hexdigest()}"
    return write_file(lake / TABLE, ordered, {"hub": hub, "year": str(year)}, named)


def commit_parts(lake: Path, parts: Sequence[NewFile], source: str) -> bool:
    """Make the parts of one source visible, all at once; false where the source is in the table. Raises LakeBusy."""
    import polars as pl

    columns: dict[str, type[pl.DataType]] = {"hub": pl.String, "year": pl.Int32, **records_schema()}
    return commit_files(lake / TABLE, columns, parts, source)


def is_loaded(lake: Path, source: str) -> bool:
    """Whether the rows of this source are in the table."""
    return is_committed(lake / TABLE, source)


def activity_parts(lake: Path, hubs: Sequence[str] | None = None) -> list[ActivityPart]:
    """The parts of the newest version of the table, ascending by city and year; of some cities only, or of all."""
    import polars as pl

    found = listed_files(lake / TABLE)
    if found is None:
        return []
    names = {"partition.hub": "hub", "partition.year": "year", "path": "name", "num_records": "rows"}
    files = found.select(names.keys()).rename(names).sort("hub", "year", "name")
    if hubs is not None:
        files = files.filter(pl.col("hub").is_in(list(hubs)))
    parts = files.group_by("hub", "year", maintain_order=True).agg("name", "rows")
    root = (lake / TABLE).absolute()
    return [
        ActivityPart(hub, int(year), tuple(str(root / name) for name in named), tuple(named), tuple(rows))
        for hub, year, named, rows in parts.iter_rows()
    ]


def code_activities(lake: Path, words: "pl.DataFrame") -> "pl.DataFrame":
    """The words with their codes, in `words_schema`; words not seen before get the next codes and are kept for good.

    words : name, unit; each once. Raises LakeBusy, and TooManyActivities, before anything is kept.
    """
    known = read_activity_words(lake)
    columns = ["name", "unit"]
    fresh = words.join(known, on=columns, how="anti").height
    if known.height + fresh > _MOST_WORDS:
        raise TooManyActivities(
            f"found {fresh} new activities beside {known.height}, "
            f"expected at most {_MOST_WORDS}: is it the right column?"
        )
    return code_words(lake / _WORDS, words_schema(), words)


def read_activity_words(lake: Path) -> "pl.DataFrame":
    """Every activity and unit that was ever loaded, with its code, in `words_schema`."""
    return read_words(lake / _WORDS, words_schema())
