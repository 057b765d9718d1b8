"""The sheet ReadMe: what the workbook holds, which cells are formulas, every choice of the run and where it came from.

Knows the recipe and the provenance as tables. The least shares of the recipe are cells that formulas point to.
"""

import json
from collections.abc import Mapping
from typing import Final

import numpy as np
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from api.exports.cells import FILLS, Styles, put_number, put_text, text_width
from api.exports.formulas import MEANS
from api.exports.layout import MOST_LIVE_CELLS, Layout

_LEAST_SHARES: Final = ("min_share", "min_share_root")
_WIDTH: Final = 140
_NOT_SHOWN: Final = "recipe"


def write_readme(
    book: Workbook,
    sheet: Worksheet,
    layout: Layout,
    styles: Styles,
    sheets: list[str],
    provenance: Mapping[str, object],
) -> None:
    """Fill the first sheet; sheets: names of the others in order. Defines the names of the least shares."""
    words, framework = layout.words, layout.framework
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, 1, 34)
    sheet.set_column(2, 2, 76)
    sheet.set_portrait()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    title = framework.title_zh if layout.lang == "zh" else framework.title_en
    put_text(sheet, 0, 0, title or framework.id, styles["title"])
    made = words["readme_made"].format(id=framework.id, version=framework.version or "–")
    put_text(sheet, 1, 0, made, styles["text"])
    row = _write_coverage(sheet, layout, styles, 3)
    row = _write_sheets(sheet, layout, styles, row + 1, sheets)
    row = _write_lines(sheet, styles, row + 1, words["readme_formulas"], formula_lines(layout))
    row = _write_colours(sheet, layout, styles, row + 1)
    row = _write_recipe(book, sheet, layout, styles, row + 1)
    put_text(sheet, row + 1, 0, words["readme_provenance"], styles["subtitle"])
    row += 2
    for key, value in flatten({key: value for key, value in provenance.items() if key != _NOT_SHOWN}):
        put_text(sheet, row, 0, key, styles["text"])
        _put_plain(sheet, row, value, styles)
        row += 1


def _write_coverage(sheet: Worksheet, layout: Layout, styles: Styles, row: int) -> int:
    """How many units, ranked units and figures there are in each period."""
    words, steps = layout.words, layout.result.steps
    put_text(sheet, row, 0, words["readme_coverage"], styles["subtitle"])
    data, total = steps.cubes["data"], layout.result.tree.scores[layout.framework.root]
    for period, name in enumerate(steps.periods):
        row += 1
        found = int((~np.isnan(data[period])).sum())
        text = words["readme_counts"].format(
            units=len(steps.hubs),
            ranked=int((~np.isnan(total[period])).sum()),
            indicators=len(steps.codes),
            found=found,
            possible=data[period].size,
            share=f"{found / data[period].size:.1%}",
        )
        put_text(sheet, row, 0, name, styles["text"])
        put_text(sheet, row, 1, text, styles["text"])
    return row + 1


def _write_sheets(sheet: Worksheet, layout: Layout, styles: Styles, row: int, sheets: list[str]) -> int:
    put_text(sheet, row, 0, layout.words["readme_sheets"], styles["subtitle"])
    for name in sheets:
        row += 1
        shown = layout.sheet(name)
        sheet.write_url(row, 0, f"internal:'{shown}'!A1", styles["link"], shown)
        put_text(sheet, row, 1, layout.words[f"about_{name}"], styles["text"])
    return row + 1


def _write_lines(sheet: Worksheet, styles: Styles, row: int, title: str, lines: list[str]) -> int:
    put_text(sheet, row, 0, title, styles["subtitle"])
    for line in lines:
        row += 1
        sheet.set_row(row, 15 * (1 + text_width(line) // _WIDTH))
        sheet.merge_range(row, 0, row, 2, "", styles["wrapped"])
        put_text(sheet, row, 0, line, styles["wrapped"])
    return row + 1


def _write_colours(sheet: Worksheet, layout: Layout, styles: Styles, row: int) -> int:
    put_text(sheet, row, 0, layout.words["readme_colours"], styles["subtitle"])
    for fill in FILLS:
        row += 1
        put_text(sheet, row, 0, layout.words[f"mark_{fill}"], styles[f"legend {fill}"])
    row += 1
    put_text(sheet, row, 0, layout.words["mark_input"], styles["legend input"])
    return row + 1


def _write_recipe(book: Workbook, sheet: Worksheet, layout: Layout, styles: Styles, row: int) -> int:
    """Every choice, one a row: step, option and value as a recipe file has them."""
    words = layout.words
    put_text(sheet, row, 0, words["readme_recipe"], styles["subtitle"])
    for step, options in layout.result.recipe.model_dump(mode="json").items():
        entries = options.items() if isinstance(options, dict) else [("", options)]
        for option, value in entries:
            row += 1
            put_text(sheet, row, 0, words[f"step_{step}"], styles["text"])
            put_text(sheet, row, 1, f"{step}.{option}".rstrip("."), styles["text"])
            if step == "aggregate" and option in _LEAST_SHARES:
                put_number(sheet, row, 2, value, styles["input share"])
                place = layout.cell("readme", row, 2)
                book.define_name(option, f"={place}")
            else:
                _put_plain(sheet, row, value, styles, column=2)
    return row + 1


def formula_lines(layout: Layout) -> list[str]:
    """Which cells are formulas and which are not, and why, in sentences."""
    words = layout.words
    names = {name: layout.sheet(name) for name in ("framework", "scale", "normalised", "results", "profiles")}
    names["source"] = layout.sheet(layout.source)
    if not layout.live:
        return [words["readme_values"].format(limit=f"{MOST_LIVE_CELLS:,}", **names)]
    lines = [words["readme_live"].format(**names), words["readme_steps"].format(**names)]
    lines.append(words["readme_blank"].format(**names))
    for group in layout.groups:
        if group in layout.live_groups:
            continue
        method = layout.result.recipe.aggregate.method_of(layout.framework.level[group])
        kind = "readme_by_unit" if layout.result.tree.weights[group].scale is not None else "readme_long"
        kind = kind if method in MEANS else "readme_method"
        lines.append(words[kind].format(name=layout.name(group), code=group, method=method))
    return lines


def flatten(values: Mapping[str, object], above: str = "") -> list[tuple[str, object]]:
    """A nested table as key and value, keys joined by dots."""
    found: list[tuple[str, object]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            found += flatten(value, f"{above}{key}.")
        else:
            found.append((f"{above}{key}", value))
    return found


def _put_plain(sheet: Worksheet, row: int, value: object, styles: Styles, column: int = 1) -> None:
    """A choice as it would stand in a file; nothing where it was not made."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        put_number(sheet, row, column, value, styles["plain"])
    elif value not in (None, [], {}, ()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        put_text(sheet, row, column, text, styles["text"])
