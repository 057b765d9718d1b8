"""The file to fill in: an empty table of activities with headings, notes, allowed words and one example.

Knows how the template looks as XLSX and CSV. Must not know how a filled one is read or checked. The example row has an
id of `carbon.footprints.activity_files.EXAMPLES`, which the reader leaves out and counts.
"""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from carbon.errors import UnknownFormat
from carbon.footprints.activity_files import DATA_SHEETS, EXAMPLES
from carbon.footprints.activity_words import CODES, COLUMNS, REQUIRED
from carbon.footprints.units import unit_names

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["EXAMPLE", "template", "write_template"]

Lang = Literal["zh", "en"]

EXAMPLE: Final[Mapping[str, str]] = {
    "entity": "plant-1",
    "hub": "wuhan",
    "period": "2023-06",
    "scope": "2",
    "category": "electricity",
    "activity": "electricity",
    "amount": "1200.5",
    "unit": "MWh",
    "evidence": "invoice",
    "evidence_ref": "INV-2023-06-001",
    "recorded": "2023-07-10",
}
"""What the example row holds, as codes; figures of nobody."""

_LISTED: Final = (*CODES, "unit")
_TEXT: Final = ("activity_id", "period", "evidence_ref", "recorded", "replaces", "factor_id", "contract")
_NUMBERS: Final = ("amount", "lower", "upper", "share")
_LAST_ROW: Final = 1_048_575
_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NOTES: Final = {"zh": "说明", "en": "notes"}
_WORDS: Final = {"zh": "用语", "en": "words"}
_NOTE_HEADINGS: Final = ("column", "中文", "English", "必填 required", "说明", "note")
_LONGEST_MESSAGE: Final = 255


def write_template(path: Path, *, lang: Lang = "en") -> None:
    """Write the template as .xlsx or .csv, by the name of the file. Raises UnknownFormat."""
    path.write_bytes(template(path.suffix.casefold().removeprefix("."), lang=lang))


def template(kind: str, *, lang: Lang = "en") -> bytes:
    """The template as the bytes of a file, the same ones each time.

    kind : "xlsx" (headings, an example, lists of allowed words, a sheet of notes and one of words) or "csv" (UTF-8 with
    BOM: headings and the example); lang : language of headings and words. Raises UnknownFormat.
    """
    if kind == "csv":
        return _csv(lang)
    if kind == "xlsx":
        return _xlsx(lang)
    raise UnknownFormat(f"found a template as {kind or 'nothing'}, expected a name that ends in .xlsx or .csv")


def _headings(lang: Lang) -> list[str]:
    return [one.name_zh if lang == "zh" else one.name_en for one in COLUMNS]


def _example(lang: Lang) -> list[str]:
    mark = EXAMPLES[1] if lang == "zh" else EXAMPLES[0]
    cells = {"activity_id": mark, **EXAMPLE}
    return [_word(one.name, cells.get(one.name, ""), lang) for one in COLUMNS]


def _word(column: str, code: str, lang: Lang) -> str:
    """The word for a code in the language; a scope stays the number that it is."""
    if column == "scope" or code not in CODES.get(column, {}):
        return code
    return CODES[column][code][0 if lang == "zh" else 1]


def _csv(lang: Lang) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_headings(lang), _example(lang)])
    # Excel takes a CSV file without the mark for one in the local code page.
    return text.getvalue().encode("utf-8-sig")


def _xlsx(lang: Lang) -> bytes:
    from xlsxwriter import Workbook

    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        book.set_properties({"created": _MOMENT})
        bold = book.add_format({"bold": True})
        rows = book.add_worksheet(DATA_SHEETS[1] if lang == "zh" else DATA_SHEETS[0])
        notes = book.add_worksheet(_NOTES[lang])
        words = book.add_worksheet(_WORDS[lang])
        ranges = _write_words(words, lang, bold)
        _write_notes(notes, bold)
        _write_rows(book, rows, lang, ranges)
    return made.getvalue()


def _write_rows(book: "Workbook", sheet: "Worksheet", lang: Lang, ranges: Mapping[str, str]) -> None:
    usual = book.add_format({"bold": True, "bottom": 1})
    required = book.add_format({"bold": True, "bottom": 1, "bg_color": "#DDEBF7"})
    grey = book.add_format({"italic": True, "font_color": "#7F7F7F"})
    # Without the text format a spreadsheet turns 2023-06 into the first day of the month.
    text = book.add_format({"num_format": "@"})
    grey_text = book.add_format({"italic": True, "font_color": "#7F7F7F", "num_format": "@"})
    example = _example(lang)
    for at, (one, heading) in enumerate(zip(COLUMNS, _headings(lang), strict=True)):
        is_text = one.name in _TEXT
        sheet.set_column(at, at, max(12, 2 * len(heading)), text if is_text else None)
        sheet.write_string(0, at, heading, required if one.name in REQUIRED else usual)
        if one.name in _NUMBERS and example[at]:
            sheet.write_number(1, at, float(example[at]), grey)
        elif example[at]:
            sheet.write_string(1, at, example[at], grey_text if is_text else grey)
        _validate(sheet, at, heading, one.note_zh if lang == "zh" else one.note_en, ranges.get(one.name))
    sheet.freeze_panes(1, 0)


def _validate(sheet: "Worksheet", at: int, heading: str, note: str, source: str | None) -> None:
    told = {"input_title": heading[:32], "input_message": note[:_LONGEST_MESSAGE]}
    if source is None:
        sheet.data_validation(1, at, _LAST_ROW, at, {"validate": "any", **told})
        return
    sheet.data_validation(1, at, _LAST_ROW, at, {"validate": "list", "source": source, **told})


def _write_notes(sheet: "Worksheet", bold: "Format") -> None:
    for at, heading in enumerate(_NOTE_HEADINGS):
        sheet.write_string(0, at, heading, bold)
    for line, one in enumerate(COLUMNS, start=1):
        is_required = "是 yes" if one.name in REQUIRED else ""
        cells = (one.name, one.name_zh, one.name_en, is_required, one.note_zh, one.note_en)
        for at, cell in enumerate(cells):
            sheet.write_string(line, at, cell)
    below = (
        f"编号为“{EXAMPLES[1]}”或 {EXAMPLES[0]} 的行仅为示例，读取时略去。",
        f"A row with the id {EXAMPLES[0]} or {EXAMPLES[1]} only shows how; it is left out when the file is read.",
        "同一活动的一年与其中的月份不得并列；更正另起一行，在“更正”中写被更正行的编号。",
        "Never a year beside its own months; a correction is a row of its own that names the corrected row's id.",
    )
    for line, note in enumerate(below, start=len(COLUMNS) + 2):
        sheet.write_string(line, 0, note)
    sheet.set_column(0, 3, 16)
    sheet.set_column(4, 5, 48)


def _write_words(sheet: "Worksheet", lang: Lang, bold: "Format") -> dict[str, str]:
    """Write the allowed words, and give the range of each list. A list's first column is the one to choose from."""
    ranges, at = {}, 0
    for name in _LISTED:
        lines = _choices(name, lang)
        for shift, heading in enumerate((name, "code", "中文", "English")):
            sheet.write_string(0, at + shift, heading, bold)
        for line, cells in enumerate(lines, start=1):
            for shift, cell in enumerate(cells):
                sheet.write_string(line, at + shift, cell)
        column = _letter(at)
        ranges[name] = f"='{_WORDS[lang]}'!${column}$2:${column}${len(lines) + 1}"
        at += 5
    return ranges


def _choices(name: str, lang: Lang) -> list[tuple[str, str, str, str]]:
    if name == "unit":
        units = unit_names().select("unit", "name_zh", "name_en").iter_rows()
        return [(unit, unit, zh or "", en or "") for unit, zh, en in units]
    return [(_word(name, code, lang), code, zh, en) for code, (zh, en) in CODES[name].items()]


def _letter(at: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(at))
