"""Workbooks as sheets of text, for the registers that publish in .xlsx.

Knows fastexcel and how to find a header below a preface. Must not know any one publisher's headings.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import UnreadableFile

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_header", "read_sheets"]


def read_sheets(path: Path) -> "dict[str, pl.DataFrame]":
    """Every sheet of a workbook, in its order, all cells as text.

    Result: sheet name -> row (Int64, as a spreadsheet shows it), c0, c1, ... (String, stripped, null where empty).
    Raises UnreadableFile.
    """
    import fastexcel
    import polars as pl

    try:
        workbook = fastexcel.read_excel(path)
        sheets = {
            name: workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
            for name in workbook.sheet_names
        }
    except (OSError, fastexcel.FastExcelError) as error:
        # The lines below the first name places in the library, which help nobody.
        first = str(error).split("\n")[0]
        raise UnreadableFile(f"found {path.name}: {first}; expected an .xlsx workbook without a password") from error
    return {
        name: cells.select(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"),
            *[
                pl.when(pl.col(column).str.strip_chars() != "")
                .then(pl.col(column).str.strip_chars())
                .alias(f"c{position}")
                for position, column in enumerate(cells.columns)
            ],
        )
        for name, cells in sheets.items()
    }


def find_header(cells: "pl.DataFrame", wanted: Collection[str]) -> tuple[int, list[str | None]] | None:
    """The first row that holds all the headings wanted: its number and its cells; null where there is none."""
    for position in range(min(cells.height, 100)):
        values = list(cells.row(position))
        if set(wanted) <= set(values[1:]):
            return int(values[0]), values[1:]
    return None
