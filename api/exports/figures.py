"""The sheets of figures: one a step, then the scale of every indicator and its scores as formulas on them.

Knows how a step's figures differ from those before. Knows no tree above the indicators.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from api.exports.cells import FILLS, Styles, column_width, put_formula, put_heads, put_number, put_text
from api.exports.formulas import STATISTICS, measure_fields, score_formula
from api.exports.layout import FIRST, SCALE_FIELDS, Layout, scale_column, scale_row, scale_rows
from fhi.arrays import Array
from fhi.normalise import rules_of
from fhi.recipe import NormaliseRule
from fhi.treat import TRANSFORMS

Marks = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

_MARKS: Final = ("", *FILLS)
_LEFT_OUT: Final = _MARKS.index("left_out")


def write_figures(book: Workbook, layout: Layout, styles: Styles) -> None:
    """A sheet for every step that was done before normalising, changed cells coloured."""
    cubes = layout.result.steps.cubes
    before: Marks = np.zeros(cubes["data"].shape, dtype=np.int8)
    for name in list(cubes)[:-1]:
        before = mark_changes(layout, name, before)
        _write_cube(book, layout, styles, name, before)


def mark_changes(layout: Layout, name: str, before: Marks) -> Marks:
    """What was done to every cell up to a step, as positions in _MARKS; before: up to the step before it.

    Figures that were left out keep no other mark; a figure per head is no changed cell.
    """
    steps = layout.result.steps
    cubes = list(steps.cubes)
    cube, data = steps.cubes[name], steps.cubes["data"]
    last = steps.cubes[cubes[max(cubes.index(name) - 1, 0)]]
    marks = before.copy()
    if name == "imputed":
        marks[np.isnan(last) & ~np.isnan(cube)] = _MARKS.index("imputed")
    if name == "treated":
        changed = (cube != last) & ~np.isnan(cube)
        marks[changed] = _MARKS.index("transformed")
        marks[changed & _winsorised(layout)] = _MARKS.index("moved")
    marks[np.isnan(cube) & ~np.isnan(data)] = _LEFT_OUT
    return marks


def _winsorised(layout: Layout) -> Mask:
    """Whether an indicator was winsorised in a period: (periods, 1, indicators)."""
    steps = layout.result.steps
    found = np.zeros((len(steps.periods), 1, len(steps.codes)), dtype=bool)
    if steps.treatment.height:
        moved = steps.treatment.filter(pl.col("method") == "winsorise")
        for period, code in moved.select("period", "code").iter_rows():
            where = slice(None) if period is None else steps.periods.index(period)
            found[where, 0, steps.codes.index(code)] = True
    return found


def _write_cube(book: Workbook, layout: Layout, styles: Styles, name: str, marks: Marks) -> None:
    sheet = book.add_worksheet(layout.sheet(name))
    if marks.any():
        for i, mark in enumerate(FILLS):
            text = layout.words[f"mark_{mark}"]
            put_text(sheet, 0, layout.keys + marks.shape[2] + 1 + i, text, styles[f"legend {mark}"])
    write_indicator_heads(sheet, layout, styles)
    formats = [styles[f"figure {mark}".strip()] for mark in _MARKS]
    cube = layout.result.steps.cubes[name].reshape(layout.height, -1)
    of_rows = marks.reshape(layout.height, -1)
    for position in range(layout.height):
        write_keys(sheet, layout, styles, FIRST + position, position)
        row = zip(cube[position].tolist(), of_rows[position].tolist(), strict=True)
        for i, (value, mark) in enumerate(row):
            put_number(sheet, FIRST + position, layout.keys + i, value, formats[mark])


def write_scale(book: Workbook, layout: Layout, styles: Styles) -> None:
    """What the scores of every indicator are measured with: statistics as formulas, options as figures to change."""
    sheet = book.add_worksheet(layout.sheet("scale"))
    words, steps = layout.words, layout.result.steps
    dated = layout.several and not layout.pooled
    keys = ["code", "name", *(["period"] if dated else []), "direction", "method", *SCALE_FIELDS]
    put_heads(sheet, [words[f"column_{key}"] for key in keys], keys, 2, styles)
    sheet.set_column(0, 0, column_width(steps.codes, 12, 40))
    sheet.set_column(1, 1, column_width((layout.name(code) for code in steps.codes), 24, 60))
    sheet.set_column(2, len(keys) - 1, 15)
    for period in range(1 if layout.pooled else len(steps.periods)):
        for i, code in enumerate(steps.codes):
            row = scale_row(layout, period, i)
            direction = layout.framework.indicator[code].direction
            texts = [code, layout.name(code), *([steps.periods[period]] if dated else [])]
            for column, text in enumerate(texts):
                put_text(sheet, row, column, text, styles["text"])
            put_number(sheet, row, len(texts), direction, styles["whole"])
            put_text(sheet, row, len(texts) + 1, rule_of(layout, code).method, styles["after"])
            _write_statistics(sheet, layout, styles, period, i)
            _write_options(sheet, layout, styles, period, i)


def _write_statistics(sheet: Worksheet, layout: Layout, styles: Styles, period: int, i: int) -> None:
    row, column = scale_row(layout, period, i), layout.keys + i
    figures = _compared(layout, period, i)
    values = statistics_of(figures)
    references = {
        "column": layout.cells(layout.source, *scale_rows(layout, period), column),
        "count": layout.cell("scale", row, scale_column(layout, "count")),
    }
    for field, template in STATISTICS.items():
        style = styles["whole" if field == "count" else "figure"]
        place = row, scale_column(layout, field)
        if layout.live:
            put_formula(sheet, *place, "=" + template.format_map(references), values[field], style)
        else:
            put_number(sheet, *place, values[field], style)


def _write_options(sheet: Worksheet, layout: Layout, styles: Styles, period: int, i: int) -> None:
    code = layout.result.steps.codes[i]
    rule = rule_of(layout, code)
    needed = measure_fields(measure_of(layout, code, rule), layout.framework.indicator[code].direction)
    row = scale_row(layout, period, i)
    for field, value in _options(layout, code, rule).items():
        if field in needed:
            put_number(sheet, row, scale_column(layout, field), value, styles["input figure"])
    if "reference" in needed and rule.reference is not None:
        column = scale_column(layout, "reference")
        position = _reference_position(layout, period, i, rule.reference)
        value = float(layout.result.steps.cubes[layout.source].reshape(layout.height, -1)[position, i])
        cell = layout.cell(layout.source, FIRST + position, layout.keys + i)
        if layout.live and not np.isnan(value):
            put_formula(sheet, row, column, f"={cell}", value, styles["figure"])
        else:
            put_number(sheet, row, column, value, styles["figure"])


def write_normalised(book: Workbook, layout: Layout, styles: Styles) -> None:
    """Scores of the indicators as formulas on the figures before; empty where there is no score."""
    sheet = book.add_worksheet(layout.sheet("normalised"))
    write_indicator_heads(sheet, layout, styles, numbered=layout.several)
    steps = layout.result.steps
    scores = steps.cubes["normalised"].reshape(layout.height, -1)
    say = {
        (period, i): _scorer(layout, period, i)
        for period in range(len(steps.periods))
        for i in range(len(steps.codes))
        if layout.live
    }
    for position in range(layout.height):
        row = FIRST + position
        write_keys(sheet, layout, styles, row, position)
        for i, score in enumerate(scores[position].tolist()):
            column = layout.keys + i
            if layout.live and not np.isnan(score):
                method, direction, references = say[position // len(steps.hubs), i]
                figure = layout.cell(layout.source, row, column)
                formula = score_formula(method, direction, {**references, "x": figure})
                put_formula(sheet, row, column, formula, score, styles["score"])
            else:
                put_number(sheet, row, column, score, styles["score"])
        if layout.several:
            number = position // len(steps.hubs) + 1
            put_number(sheet, row, layout.keys + len(steps.codes), number, styles["whole"])
    for i in range(len(steps.codes)):
        column = layout.keys + i
        sheet.conditional_format(FIRST, column, FIRST + layout.height - 1, column, COLOURS)


COLOURS: Final = {
    **{"type": "3_color_scale", "min_color": "#F8A5A5", "mid_color": "#FFFFFF", "max_color": "#9BD3A5"},
    "mid_type": "percentile",
}


def write_indicator_heads(sheet: Worksheet, layout: Layout, styles: Styles, *, numbered: bool = False) -> None:
    """Headings of a sheet with one column an indicator, and one for the number of the period at the end."""
    codes, words = layout.result.steps.codes, layout.words
    keys = ["unit", "name", *(["period"] if layout.several else [])]
    more = ["period_number"] if numbered else []
    first, last = ([words[f"column_{key}"] for key in some] for some in (keys, more))
    titles = [*first, *(layout.name(code) for code in codes), *last]
    put_heads(sheet, titles, [*keys, *codes, *more], layout.keys, styles, height=80)
    set_unit_widths(sheet, layout)
    sheet.set_column(layout.keys, layout.keys + len(codes) + len(more) - 1, 15)


def set_unit_widths(sheet: Worksheet, layout: Layout) -> None:
    """Columns as wide as the codes and names of units need, and the period."""
    sheet.set_column(0, 0, column_width(layout.names, 10, 30))
    sheet.set_column(1, 1, column_width(layout.names.values(), 14, 60))
    if layout.several:
        sheet.set_column(2, 2, 12)


def write_keys(sheet: Worksheet, layout: Layout, styles: Styles, row: int, position: int) -> None:
    """Whose row it is: code and name of the unit, and the period where there are several."""
    steps = layout.result.steps
    period, hub = divmod(position, len(steps.hubs))
    put_text(sheet, row, 0, steps.hubs[hub], styles["text"])
    put_text(sheet, row, 1, layout.names[steps.hubs[hub]], styles["text"])
    if layout.several:
        put_text(sheet, row, 2, steps.periods[period], styles["text"])


def rule_of(layout: Layout, code: str) -> NormaliseRule:
    """How an indicator is normalised."""
    return rules_of(layout.result.recipe.normalise, (code,))[0]


def measure_of(layout: Layout, code: str, rule: NormaliseRule) -> str:
    """The name of the formula in MEASURES: min-max between goalposts is that of goalposts."""
    between = rule.method == "minmax" and layout.framework.indicator[code].lower is not None
    return "goalposts" if between else rule.method


def statistics_of(figures: Array) -> dict[str, float]:
    """STATISTICS of one indicator's figures, NaN where there are too few."""
    found = figures[~np.isnan(figures)]
    return {
        "count": float(len(found)),
        "least": float(found.min()) if len(found) else np.nan,
        "greatest": float(found.max()) if len(found) else np.nan,
        "mean": float(found.mean()) if len(found) else np.nan,
        "sd": float(found.std(ddof=1)) if len(found) > 1 else np.nan,
    }


def _scorer(layout: Layout, period: int, i: int) -> tuple[str, int, dict[str, str]]:
    code = layout.result.steps.codes[i]
    rule, row = rule_of(layout, code), scale_row(layout, period, i)
    references = {field: layout.cell("scale", row, scale_column(layout, field)) for field in SCALE_FIELDS}
    references["column"] = layout.cells(layout.source, *scale_rows(layout, period), layout.keys + i)
    return measure_of(layout, code, rule), layout.framework.indicator[code].direction, references


def _options(layout: Layout, code: str, rule: NormaliseRule) -> Mapping[str, float | None]:
    entry = layout.framework.indicator[code]
    transform = TRANSFORMS[entry.transform]
    return {
        **{
            field: None if mark is None else float(transform(np.array(mark)))
            for field, mark in (("goal_low", entry.lower), ("goal_high", entry.upper), ("target", entry.target))
        },
        **{"low": rule.lower, "high": rule.upper, "centre": rule.mean, "spread": rule.sd},
        **{"from_low": rule.from_lower, "from_high": rule.from_upper},
    }


def _compared(layout: Layout, period: int, i: int) -> Array:
    cube = layout.result.steps.cubes[layout.source]
    figures: Array = cube[:, :, i] if layout.pooled else cube[period, :, i]
    return figures.ravel()


def _reference_position(layout: Layout, period: int, i: int, unit: str) -> int:
    """Where the reference unit's figure stands: the period's own, or the last one that it has."""
    steps = layout.result.steps
    hub = steps.hubs.index(unit)
    if layout.pooled:
        here = np.flatnonzero(~np.isnan(steps.cubes[layout.source][:, hub, i]))
        period = int(here[-1]) if len(here) else period
    return period * len(steps.hubs) + hub
