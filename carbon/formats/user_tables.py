"""A user's own table, CSV, workbook or Parquet, as cells of text below their headings, all bounded.

Knows the three kinds of files. Must not know what any column means.
"""

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from carbon.errors import FileTooLarge, Problem, UnknownFormat, UnreadableFile
from carbon.formats.text import MAX_ROWS, decode, extra_column, is_there, read_bytes, split_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "FileReading",
    "cells_of",
    "place_headings",
    "read_cells",
    "read_parquet_cells",
    "read_sheet_cells",
    "table_kind",
    "unread_columns",
]

_PLAIN_NUMBER: Final = r"^[+-]?\d*\.?\d+(?:[eE][+-]?\d+)?$"


@dataclass(frozen=True)
class FileReading:
    """What a file holds: its name, the good rows, how many rows were read, and every problem."""

    file: str
    rows: "pl.DataFrame"
    rows_read: int
    problems: tuple[Problem, ...]


def read_cells(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    *,
    file: str | None = None,
    hide_headings: bool = False,
) -> FileReading:
    """The cells of a CSV file by heading, in any order; a line without any cell is left out.

    file : name to print, the path's own by default; hide_headings : do not quote the first line, which may name a
    person where headings are missing
    Result : rows with row (Int64) and one String column for each heading, null where empty or absent; a line with more
    cells than headings is set apart as a problem, since something in it stands in the wrong column. Columns that are
    not read are warned of. Raises UnknownFormat (`place_headings`), UnreadableFile, FileTooLarge.
    """
    name = file or path.name
    return cells_of(decode(read_bytes(path), name), name, needed, optional, hide_headings=hide_headings)


def cells_of(
    text: str, name: str, needed: Sequence[str], optional: Sequence[str], *, hide_headings: bool = False
) -> FileReading:
    """The same for a text."""
    import polars as pl

    header = [cell.strip() for cell in next(csv.reader(io.StringIO(text)), [])]
    wanted = [*needed, *optional]
    places = place_headings(header, {column: (column,) for column in wanted}, needed, name, hide=hide_headings)
    cells = split_cells(text, name, width=len(header), header_rows=1)
    is_crowded = pl.col(extra_column(len(header))).is_not_null()
    crowded = cells.filter(is_crowded)["row"].to_list()
    rows = (
        cells.filter(~is_crowded)
        .select(
            "row",
            *(
                (pl.col(f"c{places[column]}") if column in places else pl.lit(None, pl.String)).alias(column)
                for column in wanted
            ),
        )
        .filter(pl.any_horizontal(pl.col(wanted).is_not_null()))
    )
    expected = "no more cells than headings"
    problems = [Problem(name, row, None, "more cells", expected, "too_many_cells", "error") for row in crowded]
    unread = unread_columns(cells, header, places.values(), name, hide=hide_headings)
    return FileReading(name, rows, rows.height + len(crowded), (*unread, *problems))


def place_headings(
    header: Sequence[str],
    wanted: Mapping[str, Sequence[str]],
    needed: Collection[str],
    file: str,
    *,
    hide: bool = False,
) -> dict[str, int]:
    """Column to the position of its heading, of those that the file has; capital letters make no difference.

    header : cells of the first line; wanted : the headings that each column may have; needed : columns that the file
    must have; hide : do not quote the first line
    Raises UnknownFormat with everything at once: columns that are missing, that stand twice, and headings that are
    none, among which a missing one may stand mistyped.
    """
    plain = [heading.casefold() for heading in header]
    found = {column: [at for at, one in enumerate(plain) if one in headings] for column, headings in wanted.items()}
    missing = [" or ".join(wanted[column]) for column in needed if not found[column]]
    twice = {column: places for column, places in found.items() if len(places) > 1}
    if missing or twice:
        shown = f"{len(header)} columns" if hide else f"the headings {', '.join(filter(None, header)) or 'nothing'}"
        known = {at for places in found.values() for at in places}
        unknown = [heading for at, heading in enumerate(header) if heading and at not in known]
        told = [f"found {file} with {shown}"]
        told += [f"expected also {', '.join(missing)}"] if missing else []
        told += [f"expected one {column}, not columns {_places(places)}" for column, places in twice.items()]
        told += [f"not known: {', '.join(unknown)}"] if unknown and not hide else []
        raise UnknownFormat("; ".join(told))
    return {column: places[0] for column, places in found.items() if places}


def unread_columns(
    cells: "pl.DataFrame", header: Sequence[str], read: Collection[int], file: str, *, hide: bool = False
) -> list[Problem]:
    """Warnings of columns that nobody reads: those with a heading that is not known, and cells below no heading.

    cells : c0, c1, ... as in `carbon.formats.text.split_cells`; read : positions of the columns that are read
    hide : name columns by number, since a heading may name a person
    """
    expected = "a heading that is known, or no such column"
    problems = []
    for at, heading in enumerate(header):
        if at in read:
            continue
        filled = cells[f"c{at}"].is_not_null().sum()
        if heading:
            named = f"column {at + 1}" if hide else heading
            found = "a column that is not read"
        elif filled:
            named, found = f"column {at + 1}", f"{filled} cells below no heading, which are not read"
        else:
            continue
        problems.append(Problem(file, None, named, found, expected, "unread_heading", "warning"))
    return problems


def _places(places: Sequence[int]) -> str:
    return " and ".join(str(at + 1) for at in places)


def table_kind(path: Path, what: str) -> Literal["csv", "xlsx", "parquet"]:
    """Which kind of table a file is, by the end of its name; .csv.gz is csv.

    what : word for the rows, to print. Raises UnreadableFile where there is no file, UnknownFormat.
    """
    if not is_there(path):
        raise UnreadableFile(f"found no file {path.name}, expected a file of {what} (.csv, .xlsx or .parquet)")
    end = path.name.casefold().removesuffix(".gz").rpartition(".")[2]
    for kind in ("csv", "xlsx", "parquet"):
        if end == kind:
            return kind
    raise UnknownFormat(f"found {path.name}, expected a name that ends in .csv, .csv.gz, .xlsx or .parquet")


def read_sheet_cells(path: Path, wanted: Callable[[list[str]], Sequence[str]]) -> "dict[str, pl.DataFrame]":
    """The cells of some sheets of a workbook, headings and all.

    wanted : which sheets, of the names of all
    Result : sheet to row (Int64, as a spreadsheet shows it), c0, c1, ... (String, stripped, null where empty), with
    every digit of numbers. Raises UnreadableFile, FileTooLarge, and what `wanted` raises.
    """
    import fastexcel
    import polars as pl

    sheets = {}
    try:
        book = fastexcel.read_excel(path)
        for name in wanted(book.sheet_names):
            texts = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
            numbers = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="float").to_polars()
            _refuse_too_many(texts, path)
            columns = [
                _exact(texts[column], numbers[column]).alias(f"c{at}") for at, column in enumerate(texts.columns)
            ]
            sheets[name] = _numbered(pl.DataFrame(columns))
    except fastexcel.FastExcelError as error:
        first = str(error).split("\n")[0]
        raise UnreadableFile(f"found {path.name}: {first}; expected an .xlsx workbook without a password") from error
    return sheets


def read_parquet_cells(path: Path) -> "tuple[list[str], pl.DataFrame]":
    """The headings of a Parquet file, and its cells: row (Int64, from 1), c0, c1, ... as in `read_sheet_cells`.

    Raises UnreadableFile, FileTooLarge.
    """
    import polars as pl

    try:
        found = pl.read_parquet(path, glob=False)
        texts = found.select(pl.all().cast(pl.String))
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).split("\n")[0]
        raise UnreadableFile(f"found {path.name}: {first}; expected a Parquet table of plain columns") from error
    _refuse_too_many(texts, path)
    return found.columns, _numbered(texts.rename({name: f"c{at}" for at, name in enumerate(texts.columns)}))


def _refuse_too_many(cells: "pl.DataFrame", path: Path) -> None:
    if cells.height > MAX_ROWS:
        raise FileTooLarge(f"found {path.name} with {cells.height} rows, expected at most {MAX_ROWS}")


def _exact(texts: "pl.Series", numbers: "pl.Series") -> "pl.Series":
    """The text of cells, with every digit of the numbers among them: the reader rounds a number given as text."""
    is_number = numbers.is_not_null() & texts.str.contains(_PLAIN_NUMBER).fill_null(False)
    is_fraction = (is_number & (numbers != numbers.round(0))).fill_null(False)
    return numbers.cast(texts.dtype).zip_with(is_fraction, texts)


def _numbered(cells: "pl.DataFrame") -> "pl.DataFrame":
    """The same cells, stripped, null where empty, with the number of their row from 1."""
    import polars as pl

    text = pl.all().cast(pl.String).str.strip_chars()
    row = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row")
    return cells.select(row, pl.when(text != "").then(text).name.keep())
