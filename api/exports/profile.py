"""The sheet Profiles: one unit, chosen from a list, against the average and the best of its period.

Knows where Results and the sheets of figures stand. What it shows follows the chosen cell by formulas.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from api.exports.cells import Styles, column_width, put_chart_formula, put_formula, put_number, put_text
from api.exports.formulas import average_formula, best_formula, match_formula, pick_formula, place_formula
from api.exports.layout import FIRST, Layout, node_cells
from api.exports.scores import unit_key
from fhi.arrays import Array

CHOICE_ROW: Final = 2
_RESULT_ROW: Final = 3
_FIGURE_ROW: Final = 4
_PERIOD_ROW: Final = 5
_HEAD: Final = 7
_COLUMNS: Final = ("code", "name", "level", "figure", "unit_of_measure", "score", "rank", "average", "best")
_CHART: Final = 10
_FEWEST_SPOKES: Final = 3


@dataclass(frozen=True)
class _Chosen:
    """The row that the list shows first, by position, and where the helpers stand that follow the list.

    Periods go by number: a criterion such as "2022-06" would be read as a date.
    """

    position: int
    result_row: str
    figure_row: str
    periods: str | None
    period: str


def write_profiles(book: Workbook, layout: Layout, styles: Styles) -> None:
    """Write the list, the table of every node and the charts of the nodes below the root.

    The best unit of the last period stands there first.
    """
    sheet = book.add_worksheet(layout.sheet("profiles"))
    words = layout.words
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    codes = column_width(layout.framework.node, 16, 40)
    names = column_width((layout.name(code) for code in layout.nodes), 40, 60)
    for column, width in enumerate((codes, names, 7, 15, 24, 10, 8, 10, 10)):
        sheet.set_column(column, column, width)
    first = layout.order[layout.height - len(layout.result.steps.hubs)]
    put_text(sheet, 0, 0, words["sheet_profiles"], styles["title"])
    sheet.set_row(CHOICE_ROW, 20)
    put_text(sheet, CHOICE_ROW, 0, words["profile_choose"], styles["strong"])
    put_text(sheet, CHOICE_ROW, 1, unit_key(layout, first), styles["choice"])
    keys = layout.cells("results", FIRST, FIRST + layout.height - 1, layout.reason_column + 1)
    sheet.data_validation(CHOICE_ROW, 1, CHOICE_ROW, 1, {"validate": "list", "source": f"={keys}"})
    chosen = _write_helpers(sheet, layout, styles, first, keys)
    for column, key in enumerate(_COLUMNS):
        put_text(sheet, _HEAD, column, words[f"column_{key}"], styles["head"])
    for i, label in enumerate(("chosen", "average", "best")):
        put_text(sheet, _HEAD, _CHART + i, words[f"profile_{label}"], styles["small"])
    nodes = _by_level(layout)
    for i, code in enumerate(nodes):
        _write_node(sheet, layout, styles, _HEAD + 1 + i, code, chosen)
    sheet.freeze_panes(_HEAD + 1, 0)
    _draw(book, sheet, layout)


def _by_level(layout: Layout) -> list[str]:
    """The root, its children together, then theirs, as the charts need them."""
    framework = layout.framework
    return [framework.root, *(child for group in framework.top_down for child in framework.children[group])]


def _write_helpers(sheet: Worksheet, layout: Layout, styles: Styles, first: int, keys: str) -> _Chosen:
    """Small rows below the list: where the chosen unit stands, and which period it is."""
    words, last = layout.words, FIRST + layout.height - 1
    style = styles["small"]
    result_row = layout.cell("profiles", _RESULT_ROW, 1)
    put_text(sheet, _RESULT_ROW, 0, words["profile_result_row"], style)
    choice = layout.cell("profiles", CHOICE_ROW, 1)
    row = float(layout.result_row[first] - FIRST + 1)
    put_formula(sheet, _RESULT_ROW, 1, match_formula(choice, keys), row, style)
    put_text(sheet, _FIGURE_ROW, 0, words["profile_figure_row"], style)
    positions = layout.cells("results", FIRST, last, layout.reason_column + 2)
    put_formula(sheet, _FIGURE_ROW, 1, f"=INDEX({positions},{result_row})", float(first + 1), style)
    if layout.several:
        periods = layout.cells("results", FIRST, last, layout.reason_column + 3)
        put_text(sheet, _PERIOD_ROW, 0, words["column_period_number"], style)
        number = float(first // len(layout.result.steps.hubs) + 1)
        put_formula(sheet, _PERIOD_ROW, 1, f"=INDEX({periods},{result_row})", number, style)
    return _Chosen(
        position=first,
        result_row=result_row,
        figure_row=layout.cell("profiles", _FIGURE_ROW, 1),
        periods=layout.cells("results", FIRST, last, layout.reason_column + 3) if layout.several else None,
        period=layout.cell("profiles", _PERIOD_ROW, 1),
    )


def _write_node(sheet: Worksheet, layout: Layout, styles: Styles, row: int, code: str, chosen: _Chosen) -> None:
    last = FIRST + layout.height - 1
    indicator = layout.framework.indicator.get(code)
    put_text(sheet, row, 0, code, styles["text"])
    put_text(sheet, row, 1, layout.name(code), styles["strong" if indicator is None else "text"])
    put_number(sheet, row, 2, layout.framework.level[code], styles["level"])
    if indicator is not None:
        figures = layout.cells("data", FIRST, last, layout.column[code])
        cube = layout.result.steps.cubes["data"].reshape(layout.height, -1)
        figure = float(cube[chosen.position, layout.result.steps.codes.index(code)])
        put_formula(sheet, row, 3, pick_formula(figures, chosen.figure_row), figure, styles["figure"])
        unit = indicator.unit_zh or indicator.unit if layout.lang == "zh" else indicator.unit
        put_text(sheet, row, 4, unit, styles["after"])
    column = node_cells(layout, code, FIRST, last)
    periods = chosen.periods
    if indicator is not None and layout.several:
        periods = layout.cells("normalised", FIRST, last, layout.keys + len(layout.result.steps.codes))
    pick = pick_formula(column, chosen.result_row if indicator is None else chosen.figure_row)
    cells = [layout.cell("profiles", row, 5 + i) for i in range(4)]
    score, rank, average, best = _values(layout, code, chosen.position)
    formulas = (
        (pick, score, "total" if code == layout.framework.root else "score"),
        (place_formula(cells[0], column, periods, chosen.period), rank, "whole"),
        (average_formula(column, periods, chosen.period), average, "score"),
        (best_formula(cells[2], column, periods, chosen.period), best, "score"),
    )
    for i, (formula, value, style) in enumerate(formulas):
        put_formula(sheet, row, 5 + i, formula, value, styles[style])
    if layout.framework.level[code] == 1:
        for i, (cell, value) in enumerate(zip((cells[0], *cells[2:]), (score, average, best), strict=True)):
            put_chart_formula(sheet, row, _CHART + i, cell, value, styles["small"])


def _values(layout: Layout, code: str, position: int) -> tuple[float, float, float, float]:
    """Score, rank, average and best of a node as they are now; NaN where there is none."""
    period, hub = divmod(position, len(layout.result.steps.hubs))
    scores: Array = layout.result.tree.scores[code][period]
    found = scores[~np.isnan(scores)]
    score = float(scores[hub])
    if not len(found):
        return score, np.nan, np.nan, np.nan
    rank = np.nan if np.isnan(score) else float((found > score).sum() + 1)
    return score, rank, float(found.mean()), float(found.max())


def _draw(book: Workbook, sheet: Worksheet, layout: Layout) -> None:
    """Bars of the nodes below the root, and a radar where there are enough of them, both over the helper cells."""
    children = len(layout.framework.children[layout.framework.root])
    kinds = [{"type": "bar"}, {"type": "radar", "subtype": "with_markers"}]
    colours = ("#1F3864", "#A5A5A5", "#70AD47")
    name = layout.sheet("profiles")
    first, last = _HEAD + 2, _HEAD + 1 + children
    for place, kind in enumerate(kinds[: 2 if children >= _FEWEST_SPOKES else 1]):
        chart = book.add_chart(kind)
        for i, colour in enumerate(colours):
            paint = {"fill": {"color": colour}} if kind["type"] == "bar" else {"line": {"color": colour, "width": 2}}
            chart.add_series(
                {
                    "name": [name, _HEAD, _CHART + i],
                    "categories": [name, first, 1, last, 1],
                    "values": [name, first, _CHART + i, last, _CHART + i],
                    **paint,
                }
            )
        chart.set_title({"name": "=" + layout.cell("profiles", CHOICE_ROW, 1), "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"})
        pale = {"visible": True, "line": {"color": "#D9D9D9"}}
        if kind["type"] == "bar":
            chart.set_x_axis({"major_gridlines": pale})
            chart.set_y_axis({"reverse": True})
        else:
            chart.set_y_axis({"major_gridlines": pale})
        chart.set_size({"width": 560, "height": 400})
        sheet.insert_chart(_HEAD + place * 21, _CHART, chart)
