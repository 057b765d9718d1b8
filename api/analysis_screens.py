"""How rows of an analysis reach a person: chosen columns, headings and city names in one language, numbers cut short.

Knows shapes of output and the locale file `analyses`. Knows no analysis and computes nothing.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from api.lang import Lang, texts
from api.output import NONE, Format, show, write_lines, write_rows, write_table

PLAIN = "{}"


def show_analysis(
    rows: pl.DataFrame,
    title: str,
    columns: Mapping[str, str],
    form: Format,
    lang: Lang,
    remarks: Sequence[str] = (),
) -> None:
    """Rows of an analysis: whole for programs; for people a titled table of some columns, remarks below it.

    columns : name to a format such as `{:.1f}`, or `{}` for text and whole numbers; columns that are absent or empty
    throughout are left out. Headings are `column_<name>` of the locale file `analyses`.
    """
    if form != "table":
        write_rows(rows, form)
        write_lines(list(remarks), form)
        return
    text = texts("analyses", lang)
    filled = [name for name in columns if name in rows.columns and rows[name].null_count() < rows.height]
    headings = {name: text[f"column_{name}"] for name in filled}
    cells = {
        headings[name]: pl.Series([_cell(value, columns[name]) for value in rows[name]], dtype=pl.String)
        for name in filled
    }
    numbers = frozenset(headings[name] for name in filled if rows.schema[name].is_numeric())
    write_table(pl.DataFrame(cells), title, numbers)
    write_lines(list(remarks), form)


def _cell(value: object, pattern: str) -> str:
    if value is None:
        return NONE
    return show(value) if pattern == PLAIN and not isinstance(value, int) else pattern.format(value)
