"""From an XLSX, CSV or JSON container to tables of text, all bounded.

Knows the containers. Must not know any table or column of CAD Trust, but for their name of a nested object. Every cell
is text as the file prints it: leading zeros, long numbers and blanks stay. What a container cannot tell apart:

    XLSX   a cell that says null is nothing (the Climate Action Data Trust's own program reads it so); dates and numbers
           in typed cells become ISO text and the shortest decimal text
    CSV    nothing is lost: an empty cell is null, a quoted empty cell is an empty text
    JSON   nothing is lost of texts; a number or a truth value becomes its text, a list or object within its JSON
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from carbon.errors import FileTooLarge, UnreadableFile
from carbon.formats.cad_trust.schema import ROW
from carbon.formats.text import decode, read_bytes

if TYPE_CHECKING:
    import polars as pl

__all__ = ["read_json", "read_sheets"]

_ZIP_MAGIC = b"PK\x03\x04"
_XLSX_MEMBER = "xl/workbook.xml"
_MAX_MEMBERS = 1000


def read_sheets(path: Path, *, max_bytes: int) -> "dict[str, pl.DataFrame]":
    """The tables of an .xlsx file, a .csv file, a folder of .csv files or a .zip of them, by sheet or file name.

    Result : for each table the column source_row (Int64; the headings are line 1), then its headings (String, null
    where empty); lines without any cell are left out. In XLSX lines are counted from the first filled one.
    Raises UnreadableFile (also for two columns with one heading), FileTooLarge.
    """
    if path.is_dir():
        files = sorted(entry for entry in path.iterdir() if entry.suffix.lower() == ".csv")
        return _csv_tables({entry.name: read_bytes(entry, max_bytes=max_bytes) for entry in files}, max_bytes)
    data = read_bytes(path, max_bytes=max_bytes)
    if not data.startswith(_ZIP_MAGIC):
        return _csv_tables({path.name: data}, max_bytes)
    members = _unzip(data, path.name, max_bytes=max_bytes)
    if _XLSX_MEMBER in members:
        return _xlsx_tables(data, path.name)
    return _csv_tables({name: text for name, text in members.items() if name.lower().endswith(".csv")}, max_bytes)


def _unzip(data: bytes, file: str, *, max_bytes: int) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    left = max_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > _MAX_MEMBERS:
                raise FileTooLarge(f"found {file} with {len(entries)} members, expected at most {_MAX_MEMBERS}")
            for entry in entries:
                # Read one byte more than is left, since the size an archive states of itself may be a lie.
                with archive.open(entry) as stream:
                    content = stream.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise FileTooLarge(f"found {file} with more than {max_bytes} bytes, expected at most {max_bytes}")
                members[entry.filename] = content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UnreadableFile(f"found {file}: {error}; expected a readable .xlsx or .zip file") from error
    return members


def _xlsx_tables(data: bytes, file: str) -> "dict[str, pl.DataFrame]":
    import fastexcel
    import polars as pl

    tables = {}
    try:
        book = fastexcel.read_excel(data)
        for sheet in book.sheet_names:
            cells = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
            cells = cells.with_columns(pl.all().cast(pl.String))
            tables[sheet] = _with_headings(cells.with_columns(_without_null_word(cells)), file, sheet)
    except fastexcel.FastExcelError as error:
        raise UnreadableFile(f"found {file}: {error}; expected a readable .xlsx file") from error
    return {sheet: table for sheet, table in tables.items() if table.width > 1}


def _without_null_word(cells: "pl.DataFrame") -> "list[pl.Expr]":
    import polars as pl

    return [pl.when(pl.col(name) != "null").then(pl.col(name)).alias(name) for name in cells.columns]


def _csv_tables(files: Mapping[str, bytes], max_bytes: int) -> "dict[str, pl.DataFrame]":
    import polars as pl

    size = sum(len(data) for data in files.values())
    if size > max_bytes:
        raise FileTooLarge(f"found {size} bytes in the .csv files, expected at most {max_bytes}")
    tables = {}
    for name, data in files.items():
        text = decode(data, name)
        if not text.strip():
            continue
        try:
            # Headings as cells, since polars would give headings that repeat another name.
            cells = pl.read_csv(text.encode(), has_header=False, infer_schema=False)
        except pl.exceptions.PolarsError as error:
            first = str(error).split("\n\n")[0].strip()
            raise UnreadableFile(f"found {name}: {first}; expected comma-separated cells") from error
        tables[PurePosixPath(name).stem] = _with_headings(cells, name, None)
    return tables


def _with_headings(cells: "pl.DataFrame", file: str, sheet: str | None) -> "pl.DataFrame":
    """The first line as headings, the others as rows with their line; columns without heading and cell are left out."""
    import polars as pl

    where = file if sheet is None else f"{file}, sheet {sheet}"
    if cells.is_empty():
        return pl.DataFrame(schema={ROW: pl.Int64})
    numbered = cells.with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))
    body = numbered.slice(1).filter(pl.any_horizontal(pl.col(*cells.columns).is_not_null()))
    found = {old: (name or "").strip() for old, name in zip(cells.columns, cells.row(0), strict=True)}
    nameless = [old for old, name in found.items() if not name and body[old].null_count() < body.height]
    if nameless:
        raise UnreadableFile(f"found a column without heading in {where}, expected a heading over every filled column")
    kept = {old: name for old, name in found.items() if name}
    _refuse_repeats(list(kept.values()), where)
    return body.select(ROW, *[pl.col(old).alias(name) for old, name in kept.items()])


def _refuse_repeats(names: Sequence[str], where: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1 or name == ROW})
    if repeated:
        raise UnreadableFile(f"found headings {', '.join(repeated)} in {where} more than once, expected each once")


def read_json(path: Path, *, max_bytes: int) -> Any:
    """The content of a JSON file with every number as its own text, so that no digit is lost.

    Raises UnreadableFile, FileTooLarge.
    """
    text = decode(read_bytes(path, max_bytes=max_bytes), path.name)
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected JSON") from error
