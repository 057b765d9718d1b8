"""Many raw register files at once: a folder or a zip archive, all bounded.

Knows zip archives and how names become labels. Must not know any column; a member's name is never used as a path.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import CarbonError, FileTooLarge, Problem, UnreadableFile
from carbon.findings import to_problems
from carbon.formats.offsets.layouts import credit_events_schema, projects_schema
from carbon.formats.offsets.reading import RegisterReading, read_register_bytes
from carbon.formats.offsets.serial_columns import find_overlaps
from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_bytes

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MAX_FILES", "RegistersReading", "read_registers"]

MAX_FILES = 1_000
_CHUNK_BYTES = 1 << 20
_SUFFIXES = (".csv", ".csv.gz")


@dataclass(frozen=True, eq=False)
class RegistersReading:
    """What a folder or archive of raw files holds.

    readings : file -> what it holds, in order of names; events, projects : all rows kept
    problems : those of the files, files that could not be read (row null, code "unread_file"), and serial ranges of one
    file that meet those of another (warnings, since which file is right cannot be told)
    """

    readings: dict[str, RegisterReading]
    events: "pl.DataFrame"
    projects: "pl.DataFrame"
    problems: tuple[Problem, ...]

    @property
    def rows_read(self) -> int:
        """Rows of all files that are not blank."""
        return sum(reading.rows_read for reading in self.readings.values())


def read_registers(
    path: Path, *, register: str | None = None, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> RegistersReading:
    """Read every .csv and .csv.gz of a folder (with its folders), of a zip archive, or one such file.

    max_bytes : most unpacked bytes of all files together; max_rows : most rows of one file
    A file that cannot be read is reported and the others are read. Raises UnreadableFile and FileTooLarge for the
    folder or archive itself, UnreadableFile also where it holds no such file.
    """
    import polars as pl

    readings: dict[str, RegisterReading] = {}
    problems: list[Problem] = []
    for file, data in _files_of(path, max_bytes):
        try:
            if isinstance(data, UnreadableFile):
                raise data
            readings[file] = read_register_bytes(data, file=file, register=register, max_rows=max_rows)
        except CarbonError as error:
            first_line = str(error).split("\n")[0].removeprefix("found ")
            problems.append(Problem(file, None, None, first_line, "a known file of a register", "unread_file", "error"))
            continue
        problems.extend(readings[file].problems)
    if not readings and not problems:
        raise UnreadableFile(f"found no .csv and no .csv.gz file in {path.name}, expected exports of registers")
    events = [reading.events for reading in readings.values()]
    projects = [reading.projects for reading in readings.values()]
    all_events = pl.concat([pl.DataFrame(schema=credit_events_schema()), *events])
    return RegistersReading(
        readings=readings,
        events=all_events,
        projects=pl.concat([pl.DataFrame(schema=projects_schema()), *projects]),
        problems=(*problems, *_overlaps_between_files(all_events)),
    )


def _overlaps_between_files(events: "pl.DataFrame") -> list[Problem]:
    """Within one file such rows are set apart already, so that what is left stands between files."""
    import polars as pl

    placed = events.with_columns(
        place=pl.format("{} row {}", "file", "row"),
        line=pl.col("row"),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
    )
    is_issuance = pl.col("event") == "issuance"
    found = pl.concat(
        [find_overlaps(placed.filter(kind), severity="warning") for kind in (is_issuance, ~is_issuance)]
    ).join(placed.select("row", "file", "line"), on="row", how="left")
    problems: list[Problem] = []
    for (file,), group in found.group_by("file", maintain_order=True):
        problems.extend(to_problems(group.with_columns(row=pl.col("line")), str(file)))
    return problems


def _files_of(path: Path, max_bytes: int) -> Iterator[tuple[str, bytes | UnreadableFile]]:
    """Labels and unpacked bytes of the files, in order of labels; for a file that is broken, what is wrong with it."""
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.is_file() and file.name.lower().endswith(_SUFFIXES))
        _check_number(path, len(found))
        left = max_bytes
        for file in found:
            label = file.relative_to(path).as_posix()
            try:
                data = read_bytes(file, max_bytes=left)
            except FileTooLarge:
                raise
            except UnreadableFile as error:
                yield label, error
                continue
            left -= len(data)
            yield label, data
    elif zipfile.is_zipfile(path):
        yield from _members(path, max_bytes)
    else:
        yield path.name, read_bytes(path, max_bytes=max_bytes)


def _check_number(path: Path, number: int) -> None:
    if number > MAX_FILES:
        raise FileTooLarge(f"found {path.name} with {number} files, expected at most {MAX_FILES}")


def _members(path: Path, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    left = max_bytes
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(
                (member for member in archive.infolist() if member.filename.lower().endswith(".csv")),
                key=lambda member: member.filename,
            )
            _check_number(path, len(members))
            for member in members:
                data = _read_member(archive, member, left, path.name)
                left -= len(data)
                yield member.filename, data
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected a readable .zip archive") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int, name: str) -> bytes:
    """The bytes of a member; stops as soon as they are too many, whatever size the archive states."""
    chunks, size = [], 0
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > left:
                raise FileTooLarge(f"found {name} with more unpacked bytes than allowed, stopped in {member.filename}")
            chunks.append(chunk)
    return b"".join(chunks)
