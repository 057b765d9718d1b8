"""How cells are written: texts as texts, missing figures as empty cells, formulas with the value they have now.

Knows formats and the writer's functions. Knows no result.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

Styles = Mapping[str, Format]

_LONGEST_TEXT: Final = 32_767
_ERROR: Final = "#N/A"
_LAST_NARROW: Final = 0x2E7F
_COLUMNS_A_PAGE: Final = 26
_DARK: Final = "#1F3864"
FILLS: Final[Mapping[str, str]] = {
    "imputed": "#BDD7EE",
    "moved": "#F8CBAD",
    "transformed": "#FFF2CC",
    "left_out": "#D9D9D9",
}
"""Colours of changed cells by what was done to them."""
DEEPEST: Final = 15
"""The deepest indent that Excel shows."""
_NUMBERS: Final[Mapping[str, str]] = {
    "figure": "General",
    "score": "0.00",
    "weight": "0.0000",
    "percent": "0%",
    "whole": "0",
}


def make_styles(book: Workbook) -> Styles:
    """Every format that the sheets use, by name; a figure that was changed is `figure imputed` and so on."""
    plain: dict[str, dict[str, Any]] = {
        "title": {"bold": True, "font_size": 16, "font_color": _DARK},
        "subtitle": {"bold": True, "font_size": 12, "font_color": _DARK, "bottom": 1},
        "head": {
            **{"bold": True, "font_color": "#FFFFFF", "bg_color": _DARK, "border": 1, "border_color": "#8EA9DB"},
            **{"text_wrap": True, "valign": "vcenter", "align": "center"},
        },
        "code": {
            "italic": True,
            "font_color": "#595959",
            "bg_color": "#D9E1F2",
            "align": "center",
            "bottom": 1,
            "shrink": True,
        },
        "text": {},
        "after": {"indent": 1, "align": "left"},
        "wrapped": {"text_wrap": True},
        "strong": {"bold": True},
        "small": {"font_color": "#A6A6A6", "font_size": 8},
        "link": {"font_color": "#0563C1", "underline": 1},
        "input": {"num_format": "0.0000", "bg_color": "#FFFFCC", "border": 1, "border_color": "#BF9000"},
        "legend input": {"bg_color": "#FFFFCC"},
        "input figure": {"bg_color": "#FFFFCC", "border": 1, "border_color": "#BF9000"},
        "input share": {"num_format": "0.00##", "bg_color": "#FFFFCC", "align": "left"},
        "plain": {"align": "left"},
        "level": {"num_format": "0", "align": "center"},
        "choice": {
            "valign": "vcenter",
            "bold": True,
            "font_size": 12,
            "bg_color": "#FFFFCC",
            "border": 1,
            "border_color": "#BF9000",
        },
        "total": {"num_format": "0.00", "bold": True},
        **{name: {"num_format": number} for name, number in _NUMBERS.items()},
        **{f"figure {fill}": {"num_format": _NUMBERS["figure"], "bg_color": colour} for fill, colour in FILLS.items()},
        **{f"legend {fill}": {"bg_color": colour, "text_wrap": True} for fill, colour in FILLS.items()},
        **{f"indent {depth}": {"indent": depth, "align": "left", "bold": depth == 0} for depth in range(DEEPEST + 1)},
    }
    # Where a font makes a row higher, figures and texts stay on one line.
    return {name: book.add_format({"valign": "top", **properties}) for name, properties in plain.items()}


def put_text(sheet: Worksheet, row: int, column: int, text: str, style: Format | None = None) -> None:
    """Write a text as text, whatever sign it begins with; Excel takes 32,767 characters a cell."""
    # The writer would take this for marks of its own and write it as it is.
    marked = text.startswith("<r>") and text.endswith("</r>")
    sheet.write_string(row, column, f"{text} " if marked else text[:_LONGEST_TEXT], style)


def put_number(sheet: Worksheet, row: int, column: int, number: float | None, style: Format | None = None) -> None:
    """Write a number, or an empty cell where it is missing."""
    if number is None or math.isnan(number):
        sheet.write_blank(row, column, None, style)
    else:
        sheet.write_number(row, column, number, style)


def put_formula(
    sheet: Worksheet, row: int, column: int, formula: str, value: float | str | None, style: Format | None = None
) -> None:
    """Write a formula with its present value, for readers that do not calculate; empty where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        value = ""
    sheet.write_formula(row, column, formula, style, value)


def put_chart_formula(sheet: Worksheet, row: int, column: int, cell: str, value: float, style: Format) -> None:
    """Write what a chart draws of a cell: its number, else #N/A, for a chart draws an empty text as zero."""
    found = _ERROR if math.isnan(value) else value
    sheet.write_formula(row, column, f"=IF(ISNUMBER({cell}),{cell},NA())", style, found)


def put_value(sheet: Worksheet, row: int, column: int, value: object, styles: Styles) -> None:
    """Write whatever a frame holds: numbers as numbers, everything else as text, nothing as an empty cell."""
    if isinstance(value, str):
        put_text(sheet, row, column, value, styles["text"])
    elif isinstance(value, bool):
        put_text(sheet, row, column, str(value).lower(), styles["text"])
    elif isinstance(value, int | float):
        put_number(sheet, row, column, value, styles["figure"])
    elif value is not None:
        put_text(sheet, row, column, str(value), styles["text"])


def text_width(text: str) -> int:
    """How wide a text is shown, in signs; one in Chinese counts two."""
    return sum(2 if ord(sign) > _LAST_NARROW else 1 for sign in text)


def column_width(shown: Iterable[str], least: int, most: int) -> int:
    """Width of a column that shows these texts, within bounds."""
    return max(least, min(most, 2 + max((text_width(text) for text in shown), default=0)))


def put_heads(
    sheet: Worksheet, words: Sequence[str], keys: Sequence[str], frozen: int, styles: Styles, height: int = 32
) -> None:
    """Two rows of headings, words for people and keys for programs; `frozen` columns stay in view. Sets the page."""
    sheet.set_row(0, height)
    for column, text in enumerate(words):
        put_text(sheet, 0, column, text, styles["head"])
    for column, key in enumerate(keys):
        put_text(sheet, 1, column, key, styles["code"])
    sheet.freeze_panes(2, frozen)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(math.ceil(len(words) / _COLUMNS_A_PAGE), 0)
    sheet.repeat_rows(0, 1)
    sheet.repeat_columns(0, frozen - 1)
