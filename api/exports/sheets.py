"""The writer's sheet, taught to keep every digit of a figure and to leave formulas as they are.

Knows how the writer puts a cell into the file. Knows no style, no layout and no result.
"""

from functools import lru_cache
from io import StringIO
from typing import Any

from xlsxwriter.utility import xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import CellNumberTuple, CellStringTuple, Worksheet
from xlsxwriter.xmlwriter import XMLwriter


class ExactSheet(Worksheet):  # type: ignore[misc]
    """A sheet of XlsxWriter, extended as its manual says, that differs in two things.

    Figures have all their digits: the writer gives sixteen, which makes a tie of two figures that differ in the last.
    And formulas are written as they stand: the writer seeks the names of thirty newer functions in each, which took
    most of the time of a large workbook; `api.exports.formulas` writes their prefixes itself. The commonest cells
    take a shorter way into the file.
    """

    fh: Any

    # Straight to the writer's own functions: these sheets say row and column, never "A1".
    write_blank = Worksheet._write_blank
    write_formula = Worksheet._write_formula
    write_number = Worksheet._write_number
    write_string = Worksheet._write_string

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:
        del expand_future_functions  # the writer asks for it; our formulas name newer functions rightly as they are
        return formula.removeprefix("=")

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        kind = type(cell)
        if kind is CellNumberTuple:
            value = f"><v>{float(cell.number)!r}</v></c>"
        elif kind is CellStringTuple:
            value = _inline(cell.string) if self.constant_memory else f' t="s"><v>{cell.string}</v></c>'
        else:
            super()._write_cell(row, col, cell)
            return
        # A cell without style would take that of its row or column; these sheets give them none.
        style = f' s="{cell.format._get_xf_index()}"' if cell.format else ""
        self.fh.write(f'<c r="{xl_rowcol_to_cell_fast(row, col)}"{style}{value}')

    def _write_single_row(self, current_row_num: int = 0) -> None:
        # One write a row: a file that is also read back, as this one is, makes each write dear.
        file, self.fh = self.fh, StringIO()
        super()._write_single_row(current_row_num)
        file.write(self.fh.getvalue())
        self.fh = file


@lru_cache(maxsize=10_000)
def _inline(text: str) -> str:
    """A text inside its cell, for sheets that go to disk row by row. Names and codes come again and again."""
    kept = ' xml:space="preserve"' if text != text.strip() else ""
    plain = XMLwriter._escape_control_characters(text)
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        plain = plain.replace(sign, entity)
    return f' t="inlineStr"><is><t{kept}>{plain}</t></is></c>'
