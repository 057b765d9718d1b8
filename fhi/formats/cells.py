"""Cells of a table as keys and numbers; what cannot be read is told by row and column and never guessed.

Knows how people write numbers. Must not know what a column means.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from fhi.formats.tables import ROW, is_blank
from fhi.numbers import IN_RANGE, out_of_range

BAD_SCHEMA: Final = pl.Schema(
    {ROW: pl.Int64, "column": pl.String, "found": pl.String, "expected": pl.String, "code": pl.String}
)
_NUMBER: Final = "a plain number such as 1234.5, or an empty cell where unknown"
_NO_PERCENT: Final = "a plain number in the unit of the column: 12 for percent, 0.12 for a share"
_NO_SEPARATOR: Final = "digits without separators and a decimal point: 1234.5"
_COMMA: Final = "a decimal point: 3.5; a comma may stand for thousands or for decimals, and is not guessed at"
_FINITE: Final = "a finite number, or an empty cell where unknown"


@dataclass(frozen=True)
class Cells:
    """A column read as numbers, Float64, null where empty or bad; and the bad cells, BAD_SCHEMA."""

    values: pl.Series
    bad: pl.DataFrame


def key_text(cells: pl.Series, *, na_is_text: bool = False) -> pl.Series:
    """Keys as text: 2018 and 2018.0 are "2018"; null where empty or NA, unless NA is a key like any other."""
    if cells.dtype.is_float():
        whole = cells.round(0).cast(pl.Int64, strict=False)
        return whole.cast(pl.String).zip_with((cells == whole).fill_null(False), cells.fill_nan(None).cast(pl.String))
    text = cells.cast(pl.String).str.strip_chars()
    column = pl.col(text.name)
    empty = column.is_null() | (column == "") if na_is_text else is_blank(column)
    return text.to_frame().select(pl.when(~empty).then(column)).to_series()


def read_numbers(rows: pl.Series, cells: pl.Series, column: str) -> Cells:
    """A column of cells as finite numbers. rows: the number of each row; column: the heading, for the bad cells."""
    values = cells.cast(pl.Float64, strict=False)
    if (values.is_null() & cells.is_not_null()).any():
        text = key_text(cells)
        values = text.cast(pl.Float64, strict=False)
        no_number = pl.DataFrame({ROW: rows, "cell": text}).filter(text.is_not_null() & values.is_null())
        bad = _explained(no_number, column)
    else:
        bad = BAD_SCHEMA.to_frame()
    endless = pl.DataFrame({ROW: rows, "cell": values}).filter(values.is_infinite())
    beyond = pl.DataFrame({ROW: rows, "cell": values}).filter(pl.col("cell").is_finite() & out_of_range(pl.col("cell")))
    bad = pl.concat(
        [
            bad,
            bad_rows(endless, column, pl.col("cell"), _FINITE, "not_finite"),
            bad_rows(beyond, column, pl.col("cell"), IN_RANGE, "out_of_range"),
        ]
    )
    frame = values.alias("value").to_frame()
    sound = pl.col("value").is_finite() & ~out_of_range(pl.col("value"))
    return Cells(frame.select(pl.when(sound).then("value")).to_series(), bad)


def bad_rows(rows: pl.DataFrame, column: str | None, found: pl.Expr, expected: str, code: str) -> pl.DataFrame:
    """Rows (with ROW) as BAD_SCHEMA, all with one remedy and one code."""
    return rows.select(
        ROW,
        pl.lit(column, dtype=pl.String).alias("column"),
        found.cast(pl.String).alias("found"),
        pl.lit(expected).alias("expected"),
        pl.lit(code).alias("code"),
    )


def _explained(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Text where a number was expected, each with the remedy for its kind of text."""
    cell = pl.col("cell")
    kinds = (
        (cell.str.contains(r"^[+-]?[\d.,]+\s*[%％]$"), "percent_sign", _NO_PERCENT),
        (cell.str.contains(r"^[+-]?\d{1,3}(,\d{3})+\.\d*$"), "thousands_separator", _NO_SEPARATOR),
        (cell.str.contains(r"^[+-]?\d{1,3}([,' \u00a0]\d{3}){2,}$"), "thousands_separator", _NO_SEPARATOR),
        (cell.str.contains(r"^[+-]?\d{1,3}([' \u00a0]\d{3})+(\.\d*)?$"), "thousands_separator", _NO_SEPARATOR),
        (cell.str.contains(r"^[+-]?[\d.]*,\d+$"), "decimal_comma", _COMMA),
    )
    code: pl.Expr = pl.lit("not_a_number")
    expected: pl.Expr = pl.lit(_NUMBER)
    for matches, kind, remedy in reversed(kinds):
        code = pl.when(matches).then(pl.lit(kind)).otherwise(code)
        expected = pl.when(matches).then(pl.lit(remedy)).otherwise(expected)
    return rows.select(
        ROW, pl.lit(column).alias("column"), cell.cast(pl.String).alias("found"), expected=expected, code=code
    )
