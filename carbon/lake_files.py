"""What tables of many rows in the lake share: files named in a log all at once, codes for words, and a user's file
brought into the order of a table.

Knows Delta tables, folders and Parquet. Must not know what the rows of a table are. Files are written first and named
in the log in one step: a reader sees all rows of a source or none, and the same source again changes nothing. What was
cut short leaves files that no log names; they are never read.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import LakeBusy

if TYPE_CHECKING:
    import polars as pl
    from deltalake import DeltaTable, Schema

__all__ = [
    "NewFile",
    "code_words",
    "commit_files",
    "create_delta",
    "is_committed",
    "listed_files",
    "open_delta",
    "read_words",
    "remove_leftovers",
    "replace_whole",
    "sha256_of",
    "split_by",
    "write_file",
]

_TYPES = {"String": "string", "Date": "date", "Int8": "byte", "Int16": "short", "Int32": "integer", "Int64": "long"}
_COMPRESSION_LEVEL = 3
_ROW_GROUP = 1 << 17
_ATTEMPTS = 50  # Somebody wins each round, so that as many writers at the same time come through.
_STAGING_LIVES_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class NewFile:
    """A file that was written and that no log names yet: its path below the table, and what the log will say of it.

    parted : value of each column that the table is parted by, as text
    """

    path: str
    parted: Mapping[str, str]
    rows: int
    size_bytes: int
    modified_ms: int
    first_day: date
    last_day: date


def write_file(place: Path, rows: "pl.DataFrame", parted: Mapping[str, str], source: str) -> NewFile:
    """Write rows of one part as a file below the table, in the order given; nobody sees it yet.

    place : folder of the table; rows : the columns of the table but those it is parted by, with `day`; one at least
    source : names the file together with the part, so that the same source is written to the same place
    """
    import polars as pl

    folders = "/".join(f"{name}={value}" for name, value in parted.items())
    path = f"{folders}/{hashlib.sha256(source.encode()).hexdigest()[:32]}.parquet"
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    replace_whole(rows, place / path)
    days = rows.select(pl.col("day").min().alias("first"), pl.col("day").max().alias("last")).row(0)
    told = (place / path).stat()
    return NewFile(path, dict(parted), rows.height, told.st_size, int(told.st_mtime * 1000), days[0], days[1])


def commit_files(
    place: Path, columns: "Mapping[str, type[pl.DataType]]", files: Sequence[NewFile], source: str
) -> bool:
    """Make the files of one source visible, all at once; false where the source is in the table already.

    columns : of the table, those it is parted by too; files : one at least, all parted by the same columns
    Raises LakeBusy when other writers win the race again and again.
    """
    from deltalake.exceptions import CommitFailedError
    from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

    parted_by = list(files[0].parted)
    table = create_delta(place, columns, parted_by)
    actions: list[AddAction | RemoveAction] = [
        AddAction(file.path, file.size_bytes, dict(file.parted), file.modified_ms, True, _statistics(file))
        for file in files
    ]
    once = CommitProperties(app_transactions=[Transaction(source, 1)])
    for _ in range(_ATTEMPTS):
        if table.transaction_version(source) is not None:
            return False
        try:
            table.create_write_transaction(
                actions, "append", _delta_schema(columns), partition_by=parted_by, commit_properties=once
            )
        except CommitFailedError:
            table = create_delta(place, columns, parted_by)
            continue
        return True
    raise LakeBusy(f"found {place.parent} busy, expected to write within {_ATTEMPTS} attempts")


def is_committed(place: Path, source: str) -> bool:
    """Whether the rows of this source are in the table."""
    table = open_delta(place)
    return table is not None and table.transaction_version(source) is not None


def listed_files(place: Path) -> "pl.DataFrame | None":
    """The files of the newest version of the table; null where there is no table or no file yet.

    Result: path (below the table), num_records, partition.<column>, min.day, max.day, and more of the log.
    """
    import polars as pl

    table = open_delta(place)
    if table is None:
        return None
    found = pl.DataFrame(table.get_add_actions(flatten=True))
    return None if found.is_empty() else found


def read_words(place: Path, columns: "Mapping[str, type[pl.DataType]]") -> "pl.DataFrame":
    """Every word and its code, ascending by code.

    columns : the first is the code, the others are the word; the rows are empty where no word was kept yet
    """
    import polars as pl

    table = open_delta(place)
    if table is None:
        return pl.DataFrame(schema=dict(columns))
    return pl.scan_delta(table).select(columns.keys()).sort(next(iter(columns))).collect()


def code_words(
    place: Path, columns: "Mapping[str, type[pl.DataType]]", words: "pl.DataFrame", *, first: int = 0
) -> "pl.DataFrame":
    """The words with the code of each, in the order given; words not seen before get the next codes and are kept.

    columns : the first is the code, the others are the word; words : the others, each once, none null
    first : the lowest code. When this returns, the codes are in the lake for good; no code is given twice.
    Raises LakeBusy when other writers win the race again and again.
    """
    import polars as pl
    from deltalake import write_deltalake
    from deltalake.exceptions import CommitFailedError
    from deltalake.transaction import CommitProperties, Transaction

    code, *word = columns
    for _ in range(_ATTEMPTS):
        table = create_delta(place, columns)
        known = pl.scan_delta(table).select(columns.keys()).collect()
        fresh = words.select(word).join(known, on=word, how="anti", maintain_order="left")
        if fresh.is_empty():
            return words.select(word).join(known, on=word, how="left", maintain_order="left").select(columns.keys())
        start, end = first + known.height, first + known.height + fresh.height
        codes = pl.int_range(start, end, dtype=columns[code], eager=True).alias(code)  # type: ignore[arg-type]
        # Appends never conflict by themselves; a transaction of one name lets a single one of them through.
        once = CommitProperties(app_transactions=[Transaction(place.name, end - first)])
        with suppress(CommitFailedError):
            write_deltalake(table, fresh.select(codes, *word), mode="append", commit_properties=once)
    raise LakeBusy(f"found {place.parent} busy, expected to write words within {_ATTEMPTS} attempts")


def split_by(
    lake: Path,
    rows: "pl.LazyFrame",
    keys: Sequence[str],
    *,
    in_memory: bool,
    staging: str,
    most_rows: int | None = None,
) -> "Iterator[tuple[tuple[str, ...], pl.DataFrame]]":
    """The rows of each part, without the columns they are parted by; the values of these as texts.

    in_memory : whether all rows fit into memory; else they are first written apart, unsorted, part by part
    staging : beginning of the name of the folder for that, below the lake; see `remove_leftovers`
    most_rows : then a part with more rows comes in several pieces, whose rows may fall otherwise another time
    """
    import polars as pl

    if in_memory:
        for values, part in rows.collect().partition_by(keys, as_dict=True, include_key=False).items():
            yield tuple(str(value) for value in values), part
        return
    lake.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=staging, dir=lake) as folder:
        rows.sink_parquet(
            pl.PartitionBy(folder, key=list(keys), include_key=False, approximate_bytes_per_file=None),
            engine="streaming",
        )
        for place in sorted({found.parent for found in Path(folder).rglob("*.parquet")}):
            values = tuple(name.partition("=")[2] for name in place.relative_to(folder).parts)
            staged = pl.scan_parquet(place / "*.parquet", hive_partitioning=False)
            size = int(staged.select(pl.len()).collect().item())
            for start in range(0, size, most_rows or size):
                yield values, staged.slice(start, most_rows or size).collect()


def remove_leftovers(lake: Path, staging: str, now_ms: int) -> None:
    """Remove what loads that were killed left of their parts; no load takes a day.

    now_ms : the moment by the clock of the file system, from a file just written
    """
    for folder in lake.glob(f"{staging}*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime * 1000 < now_ms - _STAGING_LIVES_MS:
                shutil.rmtree(folder, ignore_errors=True)


def replace_whole(frame: "pl.DataFrame", place: Path) -> None:
    """Write a Parquet file that is there as a whole or not at all."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".tmp")
    os.close(handle)
    frame.write_parquet(
        name, compression="zstd", compression_level=_COMPRESSION_LEVEL, row_group_size=_ROW_GROUP, statistics=True
    )
    Path(name).replace(place)


def open_delta(place: Path) -> "DeltaTable | None":
    """The newest version of the Delta table at this place; null where there is none yet."""
    if not place.is_dir():
        return None
    from deltalake import DeltaTable

    return DeltaTable(str(place)) if DeltaTable.is_deltatable(str(place)) else None


def create_delta(
    place: Path, columns: "Mapping[str, type[pl.DataType]]", parted_by: Sequence[str] = ()
) -> "DeltaTable":
    """The newest version of the Delta table at this place, made empty with these columns where there is none yet."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    table = open_delta(place)
    if table is None:
        place.mkdir(parents=True, exist_ok=True)
        # Another writer may have made it in between; there is nothing more to do then.
        with suppress(CommitFailedError):
            DeltaTable.create(
                place, schema=_delta_schema(columns), mode="ignore", partition_by=list(parted_by), name=place.name
            )
        table = DeltaTable(str(place))
    return table


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes, which names it as a source."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _statistics(file: NewFile) -> str:
    return json.dumps(
        {
            "numRecords": file.rows,
            "minValues": {"day": file.first_day.isoformat()},
            "maxValues": {"day": file.last_day.isoformat()},
            "nullCount": {"day": 0},
        }
    )


def _delta_schema(columns: "Mapping[str, type[pl.DataType]]") -> "Schema":
    from deltalake import Field, Schema
    from deltalake.schema import PrimitiveType

    return Schema([Field(name, PrimitiveType(_TYPES[str(kind)])) for name, kind in columns.items()])
