"""Tables as people keep them: CSV, XLSX and Parquet, as one frame with the row numbers that a spreadsheet shows.

Knows encodings, delimiters, ragged rows and sheets. Must not know what any column means.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import Problem

ROW: Final = "\x00row"
_DELIMITERS: Final = ",;\t"
_SAMPLE_BYTES: Final = 256 * 1024
# The one-byte encoding comes last: it fits almost any bytes.
_ENCODINGS: Final = ["gb18030", "big5", "cp1252"]
_SAVE_AS_UTF8: Final = "text: save the file as CSV in UTF-8 once more, from where its text still looked right"
# No sign before zeros: "007" is a code.
_PLAIN_NUMBER: Final = r"^-?(0|[1-9]\d*)(\.\d+)?$"
_WIDEST_FIELD: Final = 10_000_000


@dataclass(frozen=True)
class Table:
    """Cells below the headings: text from CSV and XLSX, typed from Parquet; null where a CSV or XLSX cell is empty.

    frame: one column a heading, and ROW with the number of each row as a spreadsheet shows it: the headings are row 1,
    also in a workbook that has empty rows above them.
    """

    name: str
    frame: pl.DataFrame

    @property
    def headings(self) -> list[str]:
        """The headings in file order."""
        return [heading for heading in self.frame.columns if heading != ROW]


def read_table(path: Path, sheets: Sequence[str]) -> tuple[Table | None, list[Problem]]:
    """The table of a file and everything wrong with its shape; no table where none can be read.

    sheets: names of the sheet to take from XLSX, in order of preference, whatever their case; else the first. Rows
    with more or fewer cells than there are headings are left out and reported; empty rows and columns are left out.
    """
    if not path.is_file():
        return None, [Problem(str(path), "no such file", "an existing file", "no_file")]
    readers = {".xlsx": _read_xlsx, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    frame, problems = reader(path, sheets) if reader else _read_csv(path)
    return (Table(path.name, frame), problems) if frame is not None else (None, problems)


def is_blank(column: pl.Expr) -> pl.Expr:
    """Is a cell of text empty, or "NA" or "NaN" as R writes a missing value?"""
    return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(["", "na", "nan"])


def _read_csv(path: Path) -> tuple[pl.DataFrame | None, list[Problem]]:
    text, problems = _decode(path)
    if problems:
        return None, problems
    # Line ends of old Macs; inside a text they are one, too.
    text = text if "\n" in text else text.replace("\r", "\n")
    head = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    csv.field_size_limit(_WIDEST_FIELD)
    try:
        widths = [len(cells) for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
        headings = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        return None, [
            Problem(path.name, str(error), 'a CSV table: every " that opens a cell also closes it', "not_csv")
        ]
    if not headings:
        return None, [Problem(path.name, "an empty file", "a row of headings and rows below it", "empty_file")]
    fits = [number for number, width in enumerate(widths[1:], 2) if width == len(headings)]
    problems = [
        Problem(f"{path.name} row {number}", f"{width} cells", _same_width(len(headings)), "ragged_row")
        for number, width in enumerate(widths[1:], 2)
        if width not in (0, len(headings))
    ]
    cells = _split(text, delimiter, len(headings)) if len(fits) == len(widths) - 1 else None
    if cells is None or cells.height != len(fits):
        # Ragged or empty rows, or line ends that the fast reader sees otherwise: the careful way.
        cells = _split(_only(text, delimiter, set(fits)), delimiter, len(headings))
    return _with_headings(path.name, cells, headings, pl.Series(ROW, fits, dtype=pl.Int64), problems)


def _split(text: str, delimiter: str, width: int) -> pl.DataFrame:
    """The cells below the headings as text."""
    names = [f"c{position}" for position in range(width)]
    cells = pl.read_csv(
        text.encode(), has_header=False, new_columns=names, separator=delimiter, infer_schema=False, quote_char='"'
    )
    return cells.slice(1)


def _same_width(width: int) -> str:
    return f'{width}, one a heading; a comma inside a text needs quotes: "a, b"'


def _only(text: str, delimiter: str, numbers: set[int]) -> str:
    """The headings and the rows of these numbers."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    writer.writerows(cells for number, cells in enumerate(rows, 1) if number == 1 or number in numbers)
    return out.getvalue()


def _decode(path: Path) -> tuple[str, list[Problem]]:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), []
    if data[:4] == b"PK\x03\x04":
        return "", [Problem(path.name, "an Excel workbook", "a name that ends in .xlsx, or text in CSV", "not_text")]
    if b"\x00" in data:
        return "", [Problem(path.name, "bytes that are no text", "a text file in UTF-8, or .xlsx", "not_text")]
    text = _decoded(data)
    if text is None:
        return "", [Problem(path.name, "bytes of an unknown encoding", _SAVE_AS_UTF8, "not_text")]
    if "\ufffd" in text:
        row = text[: text.index("\ufffd")].count("\n") + 1
        found = "the sign \ufffd, which stands where letters were lost"
        return "", [Problem(f"{path.name} row {row}", found, _SAVE_AS_UTF8, "lost_letters")]
    return text, []


def _decoded(data: bytes) -> str | None:
    """Text in UTF-8, which is tried first since a wrong guess there is next to impossible, or in a likely other one."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:_SAMPLE_BYTES], cp_isolation=_ENCODINGS).best()
    for encoding in [guess.encoding] if guess is not None else _ENCODINGS[:1]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _read_xlsx(path: Path, sheets: Sequence[str]) -> tuple[pl.DataFrame | None, list[Problem]]:
    """A sheet. Excel's own errors (#N/A, #DIV/0!) are no figures and come as empty cells."""
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        named = {name.lower(): name for name in reversed(book.sheet_names)}
        sheet = next((named[wanted.lower()] for wanted in sheets if wanted.lower() in named), book.sheet_names[0])
        texts = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
        numbers = book.load_sheet(sheet, header_row=None, dtypes="float").to_polars()
    except fastexcel.FastExcelError:
        found = "no workbook, or one with a password"
        expected = "a workbook saved as .xlsx, or a CSV file whose name ends in .csv"
        return None, [Problem(path.name, found, expected, "not_a_workbook")]
    if texts.is_empty():
        return None, [Problem(f"{path.name}, sheet {sheet}", "an empty sheet", "headings and rows", "empty_file")]
    headings = [cell or "" for cell in texts.row(0)]
    rows = pl.Series(ROW, range(2, texts.height + 1), dtype=pl.Int64)
    cells = pl.DataFrame([_cells(texts[name][1:], numbers[name][1:]) for name in texts.columns])
    return _with_headings(path.name, cells, headings, rows, [])


def _cells(texts: pl.Series, numbers: pl.Series) -> pl.Series:
    """A column as numbers where all of its cells are; else as text, with every digit of the numbers among it.

    The reader rounds a number that it gives as text, and gives "007" and TRUE as numbers: neither may happen.
    """
    numeric = numbers.is_not_null() & texts.str.contains(_PLAIN_NUMBER).fill_null(False)
    if (numeric | texts.is_null()).all() and numeric.any():
        return numbers
    exact = numeric & (numbers != numbers.round(0))
    return numbers.cast(pl.String).zip_with(exact.fill_null(False), texts).alias(texts.name)


def _read_parquet(path: Path, _: Sequence[str]) -> tuple[pl.DataFrame | None, list[Problem]]:
    try:
        cells = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        return None, [Problem(path.name, str(error).split("\n")[0], "a Parquet file", "not_parquet")]
    problems, columns = [], []
    for column in cells:
        try:
            # Dates and truth values are no figures, though they could be cast to some.
            columns.append(column if column.dtype.is_numeric() else column.cast(pl.String))
        except pl.exceptions.PolarsError:
            found = f"column {column.name} of {column.dtype}"
            problems.append(Problem(path.name, found, "columns of numbers or text", "wrong_type"))
    if problems:
        return None, problems
    rows = pl.Series(ROW, range(2, cells.height + 2), dtype=pl.Int64)
    return _with_headings(path.name, pl.DataFrame(columns), cells.columns, rows, [])


def _with_headings(
    name: str, cells: pl.DataFrame, headings: Sequence[str], rows: pl.Series, problems: list[Problem]
) -> tuple[pl.DataFrame | None, list[Problem]]:
    """Cells under their headings; without empty rows, and without empty columns that have no heading."""
    texts = [column for column, dtype in cells.schema.items() if dtype == pl.String]
    cells = cells.with_columns(pl.col(texts).replace("", None)) if texts else cells
    stripped = [heading.strip().removeprefix("\ufeff") for heading in headings]
    wrong = []
    for position, heading in enumerate(stripped):
        if not heading and cells.to_series(position).null_count() < cells.height:
            remedy = "a heading; from R, use write.csv(..., row.names = FALSE)"
            wrong.append(Problem(f"{name} row 1, column {position + 1}", "no heading", remedy, "no_heading"))
    for heading in sorted({text for text in stripped if text and stripped.count(text) > 1}):
        found = f"{stripped.count(heading)} columns named {heading}"
        wrong.append(Problem(f"{name} row 1", found, "one column a heading", "duplicate_column"))
    if wrong:
        return None, [*problems, *wrong]
    kept = [(column, heading) for column, heading in zip(cells.columns, stripped, strict=True) if heading]
    frame = cells.select(pl.col(column).alias(heading) for column, heading in kept).with_columns(rows)
    filled = pl.any_horizontal(pl.exclude(ROW).is_not_null())
    frame = frame.filter(filled)
    if frame.is_empty() and not problems:
        problems = [Problem(name, "headings only", "rows below the headings", "empty_file")]
    return frame, problems
