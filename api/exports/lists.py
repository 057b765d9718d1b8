"""The sheets that list things: attributes of units, changed cells, notes. Knows frames; computes nothing."""

from typing import Final

import polars as pl
from xlsxwriter import Workbook

from api.exports.cells import Styles, column_width, put_heads, put_text, put_value
from api.exports.layout import FIRST, MOST_ROWS, Layout
from api.notes import note_text

MOST_CHANGES: Final = MOST_ROWS - FIRST - 1


def write_units(book: Workbook, layout: Layout, styles: Styles, units: pl.DataFrame) -> None:
    """Code, name and attributes of every unit of the result."""
    attributes = [name for name in units.columns if name not in ("hub", "name")]
    known = pl.DataFrame({"unit": list(layout.names), "name": list(layout.names.values())})
    table = known.join(
        units.select(pl.col("hub").alias("unit"), *attributes), on="unit", how="left", maintain_order="left"
    )
    titles = [layout.words["column_unit"], layout.words["column_name"], *attributes]
    _write_table(book, layout, styles, "units", table, titles, _unit_widths(layout))


def write_changes(book: Workbook, layout: Layout, styles: Styles) -> None:
    """Every cell that a step filled, moved or lost; where a sheet has no room for them all, the first ones and how many
    more there are."""
    changes = layout.result.steps.changes
    codes = changes["code"].unique().to_list()
    named = changes.head(MOST_CHANGES).select(
        pl.col("hub").alias("unit"),
        pl.col("hub").replace_strict(layout.names, default=None, return_dtype=pl.String).alias("name"),
        "period",
        "code",
        pl.col("code")
        .replace_strict(codes, [layout.name(code) for code in codes], default=None, return_dtype=pl.String)
        .alias("indicator"),
        "step",
        "before",
        "after",
    )
    titles = [layout.words[f"column_{name}"] for name in named.columns]
    _write_table(
        book, layout, styles, "changes", named, titles, (*_unit_widths(layout), 12, *_node_widths(layout), 24, 16, 16)
    )
    if changes.height > MOST_CHANGES:
        more = layout.words["changes_more"].format(count=changes.height - MOST_CHANGES)
        put_text(book.get_worksheet_by_name(layout.sheet("changes")), FIRST + MOST_CHANGES, 0, more, styles["strong"])


def write_notes(book: Workbook, layout: Layout, styles: Styles) -> None:
    """What the run did that a reader must know, in sentences."""
    rows = [
        (note.code, note.subject, "; ".join(note.periods), note_text(note, _subject(layout, note.subject), layout.lang))
        for note in layout.result.notes
    ]
    table = pl.DataFrame(rows, schema=dict.fromkeys(("code", "subject", "period", "note"), pl.String), orient="row")
    titles = [layout.words[f"column_{name}"] for name in ("code", "subject", "period", "note")]
    _write_table(book, layout, styles, "notes", table, titles, (26, _node_widths(layout)[0], 16, 110))


def _unit_widths(layout: Layout) -> tuple[int, int]:
    return column_width(layout.names, 10, 30), column_width(layout.names.values(), 14, 60)


def _node_widths(layout: Layout) -> tuple[int, int]:
    nodes = layout.framework.node
    return column_width(nodes, 20, 40), column_width((layout.name(code) for code in nodes), 24, 60)


def _subject(layout: Layout, subject: str) -> str:
    return layout.name(subject) if subject in layout.framework.node else layout.names.get(subject, subject)


def _write_table(
    book: Workbook,
    layout: Layout,
    styles: Styles,
    name: str,
    table: pl.DataFrame,
    titles: list[str],
    widths: tuple[int, ...],
) -> None:
    sheet = book.add_worksheet(layout.sheet(name))
    put_heads(sheet, titles, table.columns, 1, styles)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    for row, values in enumerate(table.iter_rows(), FIRST):
        for column, value in enumerate(values):
            put_value(sheet, row, column, value, styles)
    sheet.autofilter(1, 0, FIRST + max(table.height, 1) - 1, table.width - 1)
