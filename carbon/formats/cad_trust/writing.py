"""From tables of CAD Trust to an XLSX file, a zip of CSV files, or JSON; the same tables give the same bytes.

Knows the containers. Must not know any column. Cells are written as text, so that no leading zero or digit is lost.
What `unpacking` says a container cannot tell apart is reported, not hidden.
"""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import CarbonError, Problem
from carbon.formats.cad_trust.reading import CadTrustTables
from carbon.formats.cad_trust.schema import ROW

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CannotBeWritten", "write_cad_trust"]

_LONGEST_CELL, _MOST_LINES = 32_767, 1_048_576
_LONGEST_SHEET_NAME = 31
# A moment of our own in place of the clock's, so that equal tables give equal bytes.
_MOMENT = dt.datetime(2000, 1, 1)


class CannotBeWritten(CarbonError):
    """The container has no room for these tables, or no such container is known."""


def write_cad_trust(tables: CadTrustTables, path: Path, *, include_apart: bool = False) -> tuple[Problem, ...]:
    """Write tables by the ending of the path: .xlsx (a sheet a table), .zip (a CSV file a table) or .json.

    include_apart : also write the rows with errors, at their place, so that a file read is given back whole
    Result : cells the container cannot carry (in XLSX the text "null", which reads as nothing); empty otherwise.
    Raises CannotBeWritten. The file is whole or absent: it is moved to its place when done.
    """
    frames = {name: _whole(tables, name, include_apart=include_apart) for name in tables.tables}
    ending = path.suffix.lower()
    if ending == ".xlsx":
        data = _xlsx(frames)
    elif ending == ".zip":
        data = _csv_zip(frames)
    elif ending == ".json":
        data = _json(frames, tables.version)
    else:
        raise CannotBeWritten(f"found {path.name}, expected a name that ends in .xlsx, .zip or .json")
    half = path.with_name(path.name + ".part")
    half.write_bytes(data)
    half.replace(path)
    return tuple(_lost_in_xlsx(frames, path.name)) if ending == ".xlsx" else ()


def _whole(tables: CadTrustTables, name: str, *, include_apart: bool) -> "pl.DataFrame":
    import polars as pl

    frame = tables.tables[name]
    if include_apart and name in tables.apart:
        frame = pl.concat([frame, tables.apart[name]]).sort(ROW, maintain_order=True)
    return frame.drop(ROW)


def _xlsx(frames: "Mapping[str, pl.DataFrame]") -> bytes:
    from xlsxwriter import Workbook

    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": _MOMENT})
        for name, frame in frames.items():
            if len(name) > _LONGEST_SHEET_NAME or frame.height >= _MOST_LINES:
                raise CannotBeWritten(
                    f"found table {name} with {frame.height} rows, expected a name of at most {_LONGEST_SHEET_NAME} "
                    f"letters and fewer than {_MOST_LINES} rows for XLSX"
                )
            sheet = book.add_worksheet(name)
            for position, column in enumerate(frame.columns):
                sheet.write_string(0, position, column)
                for line, text in enumerate(frame[column].to_list(), start=1):
                    if text is None:
                        continue
                    if len(text) > _LONGEST_CELL:
                        raise CannotBeWritten(
                            f"found {len(text)} signs in table {name}, row {line + 1}, column {column}, expected at "
                            f"most {_LONGEST_CELL} for XLSX"
                        )
                    sheet.write_string(line, position, text)
    return buffer.getvalue()


def _csv_zip(frames: "Mapping[str, pl.DataFrame]") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, frame in frames.items():
            entry = zipfile.ZipInfo(f"{name}.csv", date_time=_MOMENT.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, frame.write_csv())
    return buffer.getvalue()


def _json(frames: "Mapping[str, pl.DataFrame]", version: str) -> bytes:
    # The columns stand apart, since a table without rows would lose them.
    content = {
        "version": version,
        "columns": {name: frame.columns for name, frame in frames.items()},
        "tables": {name: frame.to_dicts() for name, frame in frames.items()},
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _lost_in_xlsx(frames: "Mapping[str, pl.DataFrame]", file: str) -> list[Problem]:
    return [
        Problem(
            f"{file}, {name}",
            line,
            column,
            "the text null",
            "any other text: XLSX reads it as nothing",
            "null_text",
            "warning",
        )
        for name, frame in frames.items()
        for column in frame.columns
        for line, text in enumerate(frame[column].to_list(), start=2)
        if text == "null"
    ]
