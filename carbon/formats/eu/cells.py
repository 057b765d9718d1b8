"""From a cell of text to a typed value, and the finding where it cannot be one.

Knows how registers print whole numbers, flags and moments. Must not know any one file's columns.
"""

from typing import TYPE_CHECKING

from carbon.findings import findings_where
from carbon.formats.eu.layouts import ColumnType

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_untyped", "parse_cell", "tonnes_rule", "whole_number"]

_EXPECTED: dict[ColumnType, str] = {
    "whole": "a whole number",
    "real": "a number",
    "text": "text",
    "flag": "True or False",
    "moment": "a moment as YYYY-MM-DD HH:MM:SS.ffffff or a day as YYYY-MM-DD",
}
_MOMENT = "%Y-%m-%d %H:%M:%S%.f"


def whole_number(cell: "pl.Expr") -> "pl.Expr":
    """Int64 of text like "308", "308.0" or "-5.000"; null for anything else, so that 3.5 is never rounded.

    Registers that pass through a frame library print whole numbers with a point because of the empty cells beside.
    """
    import polars as pl

    return cell.str.strip_chars().str.extract(r"^([+-]?\d+)(?:\.0*)?$", 1).cast(pl.Int64, strict=False)


def parse_cell(cell: "pl.Expr", kind: ColumnType) -> "pl.Expr":
    """The typed value of a cell of text, null where it cannot be one. Moments are UTC to the microsecond."""
    import polars as pl

    if kind == "whole":
        return whole_number(cell)
    if kind == "real":
        return cell.str.strip_chars().cast(pl.Float64, strict=False)
    if kind == "flag":
        words = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
        lowered = cell.str.strip_chars().str.to_lowercase()
        return lowered.replace_strict(list(words), list(words.values()), default=None, return_dtype=pl.Boolean)
    if kind == "moment":
        text = cell.str.strip_chars().str.replace("T", " ", literal=True)
        full = pl.when(text.str.len_chars() == len("2006-01-20")).then(text + " 00:00:00").otherwise(text)
        return full.str.to_datetime(_MOMENT, strict=False, time_unit="us")
    return cell


def find_untyped(cells: "pl.DataFrame", column: str, kind: ColumnType) -> "pl.DataFrame":
    """One finding (error "untyped_cell") for each row whose cell holds text that is not of its column's kind.

    cells : row (Int64) and the column as text
    """
    import polars as pl

    cell = pl.col(column)
    # An empty text is a value of a text column only; elsewhere it is an empty cell.
    filled = cell.str.strip_chars() != ""
    return findings_where(
        cells,
        filled & parse_cell(cell, kind).is_null(),
        code="untyped_cell",
        severity="error",
        column=column,
        found=cell,
        expected=pl.lit(_EXPECTED[kind]),
    )


def tonnes_rule(rows: "pl.DataFrame", column: str) -> "pl.DataFrame":
    """One finding (error "tonnes") for each figure that is negative or not whole; null is no figure and passes.

    rows : row (Int64) and the column as Int64 or Float64, in tonnes
    """
    import polars as pl

    figure = pl.col(column)
    wrong = (figure < 0) | (figure.cast(pl.Float64) != figure.cast(pl.Float64).round(0))
    return findings_where(
        rows,
        wrong,
        code="tonnes",
        severity="error",
        column=column,
        found=figure,
        expected=pl.lit("whole tonnes, not below zero"),
    )
