"""Files of factors, CSV, XLSX or Parquet, in our own layout or the UK flat file: checked factors and problems out.

Knows headings, cells and the rules for one row. Must not know where factors are kept nor how one is chosen. All faults
of a file are told together; good rows are kept, rows with an error are set apart.
"""

import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, UnknownFormat, UnreadableFile
from carbon.footprints.factor_regions import UnknownRegion, resolve_region
from carbon.footprints.factor_rules import broken_rows, type_factors
from carbon.footprints.schemas import MEASURED, factors_schema
from carbon.formats.defra_factors import defra_columns, defra_rows
from carbon.formats.text import decode, extra_column, read_bytes, split_cells
from carbon.formats.user_tables import read_parquet_cells, read_sheet_cells, table_kind

if TYPE_CHECKING:
    import polars as pl

__all__ = ["REQUIRED", "FactorReading", "read_factors"]

REQUIRED: Final = ("factor_id", "activity", "kind", "parameter", "value", "numerator", "denominator", "region")
REQUIRED_TOO: Final = ("series", "source")
_HEADER_ROWS: Final = 40
"""How far down the headings may stand, below a preamble."""


@dataclass(frozen=True)
class FactorReading:
    """What a file holds: rows_read = rows + unavailable + set apart.

    rows : good rows in `factors_schema`, in the order of the file; unavailable : rows whose figure the publisher left
    empty; problems : by rule, then row; layout : own or defra; assumed : what the file does not say, in words
    """

    rows: "pl.DataFrame"
    rows_read: int
    unavailable: int
    problems: tuple[Problem, ...]
    layout: str
    assumed: tuple[str, ...] = ()


def read_factors(path: Path, *, recorded: date | None = None) -> FactorReading:
    """Read and check a file of factors; nothing is kept anywhere.

    path : .csv, .csv.gz, .xlsx or .parquet; headings are the names of `factors_schema`, or those of the UK flat file
    recorded : day of the record for rows that name none
    Row numbers are those of a spreadsheet; the first row of a Parquet file is row 1.
    Raises UnknownFormat (all missing headings at once), UnreadableFile, FileTooLarge.
    """
    import polars as pl

    tables = _tables(path)
    for cells, headings, _ in tables:
        places = defra_columns(headings)
        if places is not None:
            found = defra_rows(cells, places, path.name, recorded)
            return FactorReading(found.rows, found.rows_read, found.unavailable, found.problems, "defra", found.assumed)
    cells, headings, first = next(((c, h, r) for c, h, r in tables if "factor_id" in h), tables[0])
    missing = [name for name in (*REQUIRED, *REQUIRED_TOO) if name not in headings]
    if missing:
        shown = ", ".join(filter(None, headings)) or "no headings"
        raise UnknownFormat(
            f"found in {path.name} the columns {shown}; expected also {', '.join(missing)}, or the UK flat file "
            "(Scope, Level 1, ..., UOM, GHG/Unit, GHG Conversion Factor and the year)"
        )
    raw = _named(cells, headings)
    typed = _with_region_codes(type_factors(raw, recorded))
    problems = [*_unread(headings, path.name, first), *_crowded(cells, headings, path.name)]
    problems += broken_rows(typed, path.name)
    bad = {problem.row for problem in problems if problem.severity == "error"}
    rows = typed.filter(~pl.col("row").is_in(list(bad))).select(factors_schema().keys())
    return FactorReading(rows, raw.height, 0, tuple(problems), "own")


def _named(cells: "pl.DataFrame", headings: list[str]) -> "pl.DataFrame":
    """row and every column of `factors_schema` as text, null where the file has none; empty lines left out."""
    import polars as pl

    filled = cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    return filled.select(
        "row",
        *(
            (pl.col(f"c{headings.index(name)}") if name in headings else pl.lit(None, pl.String)).alias(name)
            for name in factors_schema()
        ),
    )


def _with_region_codes(typed: "pl.DataFrame") -> "pl.DataFrame":
    """A region written as a hub or by its name gets its code, since factors are looked for by codes; the entity that
    measured values belong to stays as it is, and so does a word that names no region."""
    import polars as pl

    is_place = pl.col("series").ne_missing(MEASURED)
    codes = {}
    for name in typed.filter(is_place)["region"].drop_nulls().unique():
        with suppress(UnknownRegion):
            codes[name] = resolve_region(name)
    return typed.with_columns(pl.when(is_place).then(pl.col("region").replace(codes)).otherwise("region"))


def _crowded(cells: "pl.DataFrame", headings: list[str], file: str) -> list[Problem]:
    """Lines of a CSV file with more cells than headings: something stands in the wrong column."""
    extra = extra_column(len(headings))
    if extra not in cells.columns:
        return []
    return [
        Problem(file, row, None, found, "no more cells than headings", "too_many_cells", "error")
        for row, found in cells.select("row", extra).drop_nulls().iter_rows()
    ]


def _unread(headings: list[str], file: str, first: int) -> list[Problem]:
    expected = f"one of: {', '.join(factors_schema())}"
    return [
        Problem(file, first, name, "a column that is not read", expected, "unread_heading", "warning")
        for name in headings
        if name and name not in factors_schema()
    ]


def _tables(path: Path) -> "list[tuple[pl.DataFrame, list[str], int]]":
    """Cells as text (row, c0 ..), headings and the row of the headings, of each sheet that has any."""
    kind = table_kind(path, "factors")
    if kind == "csv":
        return [_csv(path)]
    if kind == "xlsx":
        return _sheets(path)
    headings, cells = read_parquet_cells(path)
    return [(cells, headings, 0)]


def _csv(path: Path) -> "tuple[pl.DataFrame, list[str], int]":
    text = decode(read_bytes(path), path.name)
    top = [
        [cell.strip() for cell in line] for line in csv.reader(io.StringIO("\n".join(text.splitlines()[:_HEADER_ROWS])))
    ]
    at = _header_row(top)
    headings = top[at] if top else []
    return split_cells(text, path.name, width=len(headings), header_rows=at + 1), headings, at + 1


def _header_row(lines: list[list[str]]) -> int:
    """Which line holds the headings: the first that has factor_id, or that of the UK flat file; else the first."""
    for at, line in enumerate(lines):
        if "factor_id" in line or defra_columns(line) is not None:
            return at
    return 0


def _sheets(path: Path) -> "list[tuple[pl.DataFrame, list[str], int]]":
    made = []
    for cells in read_sheet_cells(path, list).values():
        if not cells.is_empty():
            top = [[cell or "" for cell in line] for line in cells.drop("row").head(_HEADER_ROWS).iter_rows()]
            at = _header_row(top)
            made.append((cells.slice(at + 1), top[at], at + 1))
    if not made:
        raise UnreadableFile(f"found {path.name} without a filled sheet, expected a table of factors")
    return made
