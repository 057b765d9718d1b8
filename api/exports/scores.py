"""The sheets of the tree: Framework with the weights to change, Weights, and Results as formulas on them.

Knows where weights, shares and scores stand. Knows nothing of figures before they are scores.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from api.exports.cells import DEEPEST, Styles, column_width, put_formula, put_heads, put_number, put_text
from api.exports.figures import COLOURS, rule_of, set_unit_widths, write_keys
from api.exports.formulas import rank_formula
from api.exports.layout import (
    COUNTED_COLUMN,
    FIRST,
    SHARE_COLUMN,
    TOTAL_COLUMN,
    WEIGHT_COLUMN,
    Layout,
    group_formulas,
    node_cells,
    period_rows,
)
from api.lang import texts
from fhi.arrays import Array
from fhi.nodes import Indicator

_WEIGHT_KEYS: Final = (
    *("group", "code", "name", "weight", "share", "total_weight", "weighing"),
    *("assumed", "consistency_ratio", "random_index", "kmo", "bartlett_chi_square", "bartlett_df"),
)
_FRAMEWORK_KEYS: Final = (
    *("code", "parent", "level", "name", "kind", "direction", "weight", "total_weight", "method"),
    *("unit_of_measure", "lower", "upper", "target", "denominator", "per", "transform", "definition", "source"),
)


def weight_rows(layout: Layout) -> dict[str, dict[str, object]]:
    """Of every child its row of the result's weights, with `share` among its siblings and `total_weight`."""
    framework = layout.framework
    rows = {row["code"]: row for row in layout.result.weights.iter_rows(named=True)}
    found: dict[str, dict[str, object]] = {}
    totals = {framework.root: 1.0}
    for group in framework.top_down:
        weights = [rows[child]["weight"] or 0.0 for child in framework.children[group]]
        for child, weight in zip(framework.children[group], weights, strict=True):
            share = weight / sum(weights) if sum(weights) > 0 else 0.0
            totals[child] = totals[group] * share
            found[child] = {**rows[child], "share": share, "total_weight": totals[child]}
    return found


def write_framework(book: Workbook, layout: Layout, styles: Styles) -> None:
    """The tree, depth first, one row a node; the weights of live groups are there to be changed."""
    sheet = book.add_worksheet(layout.sheet("framework"))
    words, framework = layout.words, layout.framework
    put_heads(sheet, [words[f"column_{key}"] for key in _FRAMEWORK_KEYS], _FRAMEWORK_KEYS, 1, styles)
    codes = column_width(framework.node, 12, 40)
    for column, width in enumerate((codes, codes, 7, 48, 11, 10, 10, 10, 22, 18, 10, 10, 10, 14, 10, 11, 60, 40)):
        sheet.set_column(column, column, width)
    rows = weight_rows(layout)
    for code, row in layout.framework_row.items():
        node = framework.node[code]
        depth = min(framework.level[code], DEEPEST)
        put_text(sheet, row, 0, code, styles["text"])
        put_text(sheet, row, 1, node.parent or "", styles["text"])
        put_number(sheet, row, 2, framework.level[code], styles["level"])
        put_text(sheet, row, 3, layout.name(code), styles[f"indent {depth}"])
        put_text(
            sheet, row, 4, words["kind_indicator" if isinstance(node, Indicator) else "kind_group"], styles["text"]
        )
        if node.parent is not None:
            _write_weight(sheet, layout, styles, code, rows[code])
        if isinstance(node, Indicator):
            put_text(sheet, row, 8, rule_of(layout, code).method, styles["after"])
            _write_indicator(sheet, layout, styles, row, node)
        else:
            method = layout.result.recipe.aggregate.method_of(framework.level[code])
            put_text(sheet, row, 8, method, styles["after"])


def _write_weight(sheet: Worksheet, layout: Layout, styles: Styles, code: str, weights: Mapping[str, object]) -> None:
    row, parent = layout.framework_row[code], layout.framework.node[code].parent
    style = styles["input" if parent in layout.live_groups else "weight"]
    put_number(sheet, row, WEIGHT_COLUMN, _number(weights["weight"]), style)
    total = layout.cell("weights", layout.weight_row[code], TOTAL_COLUMN)
    put_formula(sheet, row, WEIGHT_COLUMN + 1, f"={total}", _number(weights["total_weight"]), styles["weight"])


def _write_indicator(sheet: Worksheet, layout: Layout, styles: Styles, row: int, node: Indicator) -> None:
    chinese = layout.lang == "zh"
    put_number(sheet, row, 5, node.direction, styles["whole"])
    put_text(sheet, row, 9, node.unit_zh or node.unit if chinese else node.unit, styles["text"])
    for column, value in enumerate((node.lower, node.upper, node.target), 10):
        put_number(sheet, row, column, value, styles["figure"])
    if node.denominator is not None:
        put_text(sheet, row, 13, node.denominator, styles["text"])
        put_number(sheet, row, 14, node.per, styles["figure"])
    put_text(sheet, row, 15, node.transform, styles["text"])
    definition = node.definition_zh or node.definition if chinese else node.definition
    put_text(sheet, row, 16, definition, styles["text"])
    put_text(sheet, row, 17, node.source, styles["text"])


def write_weights(book: Workbook, layout: Layout, styles: Styles) -> None:
    """Every child of every group: its weight, its share of the group and of the total, and whether it counts in each
    period, for what no unit has is held against none."""
    sheet = book.add_worksheet(layout.sheet("weights"))
    words, periods = layout.words, layout.result.steps.periods
    titles = [words[f"column_{key}"] for key in _WEIGHT_KEYS]
    titles += [words["column_counts"].format(period=period) for period in periods]
    put_heads(sheet, titles, [*_WEIGHT_KEYS, *(f"counts:{period}" for period in periods)], 3, styles)
    codes = column_width(layout.framework.node, 12, 40)
    names = column_width((layout.name(code) for code in layout.nodes), 24, 60)
    for column, width in enumerate((codes, codes, names, 10, 10, 10, 24, 10, 14, 20, 8, 14, 10)):
        sheet.set_column(column, column, width)
    sheet.set_column(COUNTED_COLUMN, COUNTED_COLUMN + len(periods) - 1, 12)
    rows = weight_rows(layout)
    for group in layout.framework.top_down:
        children = layout.framework.children[group]
        first, last = layout.weight_row[children[0]], layout.weight_row[children[-1]]
        for child in children:
            _write_weight_row(sheet, layout, styles, child, rows[child], layout.cells("weights", first, last, 3))


def _write_weight_row(
    sheet: Worksheet, layout: Layout, styles: Styles, child: str, values: Mapping[str, object], siblings: str
) -> None:
    row, group = layout.weight_row[child], str(values["group"])
    put_text(sheet, row, 0, group, styles["text"])
    put_text(sheet, row, 1, child, styles["text"])
    put_text(sheet, row, 2, layout.name(child), styles["text"])
    stated = layout.cell("framework", layout.framework_row[child], WEIGHT_COLUMN)
    put_formula(sheet, row, 3, f"=N({stated})", _number(values["weight"]) or 0.0, styles["weight"])
    own = layout.cell("weights", row, 3)
    share = f"=IF(SUM({siblings})>0,{own}/SUM({siblings}),0)"
    put_formula(sheet, row, SHARE_COLUMN, share, _number(values["share"]), styles["weight"])
    total = "=" + layout.cell("weights", row, SHARE_COLUMN)
    if group != layout.framework.root:
        total += "*" + layout.cell("weights", layout.weight_row[group], TOTAL_COLUMN)
    put_formula(sheet, row, TOTAL_COLUMN, total, _number(values["total_weight"]), styles["weight"])
    put_text(sheet, row, 6, str(values["method"]), styles["after"])
    put_text(sheet, row, 7, layout.words["yes"] if values["assumed"] else layout.words["no"], styles["text"])
    put_number(sheet, row, 8, _number(values["consistency_ratio"]), styles["weight"])
    put_text(sheet, row, 9, str(values["random_index"] or ""), styles["after"])
    put_number(sheet, row, 10, _number(values["kmo"]), styles["weight"])
    put_number(sheet, row, 11, _number(values["bartlett_chi_square"]), styles["score"])
    put_number(sheet, row, 12, _number(values["bartlett_df"]), styles["whole"])
    scores = layout.result.tree.scores[child]
    for period in range(len(layout.result.steps.periods)):
        found = node_cells(layout, child, *period_rows(layout, period))
        here = layout.cell("weights", row, SHARE_COLUMN)
        share_here = _number(values["share"]) if not np.isnan(scores[period]).all() else 0.0
        place = row, COUNTED_COLUMN + period
        if layout.live:
            put_formula(sheet, *place, f"=IF(COUNT({found})>0,{here},0)", share_here, styles["weight"])
        else:
            put_number(sheet, *place, share_here, styles["weight"])


def write_results(book: Workbook, layout: Layout, styles: Styles) -> None:
    """Total, rank and every group of every unit, best first within each period, then what share of each group's
    weight a unit has scores for."""
    sheet = book.add_worksheet(layout.sheet("results"))
    words, groups = layout.words, layout.groups
    keys = ["unit", "name", *(["period"] if layout.several else []), layout.framework.root, "rank", "coverage"]
    titles = [words[f"column_{key}"] for key in keys[: layout.keys]]
    titles += [layout.name(layout.framework.root), words["column_rank"], words["column_coverage"]]
    titles += [layout.name(group) for group in groups[1:]]
    titles += [words["column_present"].format(name=layout.name(group)) for group in groups]
    titles += [words["column_reason"], words["column_key"], words["column_position"]]
    keys += [*groups[1:], *(f"present:{group}" for group in groups), "reason", "key", "position"]
    if layout.several:
        titles.append(words["column_period_number"])
        keys.append("period_number")
    put_heads(sheet, titles, keys, layout.keys + 2, styles, height=64)
    set_unit_widths(sheet, layout)
    sheet.set_column(layout.keys, layout.reason_column - 1, 14)
    shown = [unit_key(layout, position) for position in range(layout.height)]
    sheet.set_column(layout.reason_column, layout.reason_column, 30)
    sheet.set_column(layout.reason_column + 1, layout.reason_column + 1, column_width(shown, 20, 60))
    sheet.set_column(layout.reason_column + 2, layout.reason_column + 3, 11)
    shares = {group: share_present(layout, group).ravel() for group in groups}
    table = _total_rows(layout)
    for position in layout.order:
        _write_result_row(sheet, layout, styles, position, table[position], shares)
    _colour_results(sheet, layout)


def _write_result_row(
    sheet: Worksheet,
    layout: Layout,
    styles: Styles,
    position: int,
    total: Mapping[str, object],
    shares: Mapping[str, Array],
) -> None:
    row, root = layout.result_row[position], layout.framework.root
    write_keys(sheet, layout, styles, row, position)
    for group in layout.groups:
        place = row, layout.column[group]
        style = styles["total" if group == root else "score"]
        score = float(layout.result.tree.scores[group].ravel()[position])
        share = float(shares[group][position])
        if group in layout.live_groups:
            say_share, say_score = group_formulas(layout, group, position)
            put_formula(sheet, *place, say_score, score, style)
            put_formula(sheet, row, layout.share_column(group), say_share, share, styles["percent"])
        else:
            put_number(sheet, *place, score, style)
            put_number(sheet, row, layout.share_column(group), share, styles["percent"])
    rank = _number(total["rank"])
    if layout.live:
        own = xl_rowcol_to_cell(row, layout.keys, False, True)
        scores = node_cells(layout, root, *period_rows(layout, position // len(layout.result.steps.hubs)))
        put_formula(sheet, row, layout.keys + 1, rank_formula(own, scores), rank, styles["whole"])
    else:
        put_number(sheet, row, layout.keys + 1, rank, styles["whole"])
    put_number(sheet, row, layout.keys + 2, _number(total["coverage"]), styles["percent"])
    if total["reason"] is not None:
        reason = texts("notes", layout.lang)[f"reason_{total['reason']}"]
        put_text(sheet, row, layout.reason_column, reason, styles["after"])
    put_text(sheet, row, layout.reason_column + 1, unit_key(layout, position), styles["after"])
    put_number(sheet, row, layout.reason_column + 2, position + 1, styles["whole"])
    if layout.several:
        number = position // len(layout.result.steps.hubs) + 1
        put_number(sheet, row, layout.reason_column + 3, number, styles["whole"])


def _colour_results(sheet: Worksheet, layout: Layout) -> None:
    last = FIRST + layout.height - 1
    bars = {"type": "data_bar", "bar_solid": True, "bar_color": "#9DC3E6"}
    sheet.conditional_format(FIRST, layout.keys, last, layout.keys, bars)
    for group in layout.groups[1:]:
        sheet.conditional_format(FIRST, layout.column[group], last, layout.column[group], COLOURS)
    sheet.autofilter(1, 0, last, layout.reason_column + (3 if layout.several else 2))


def unit_key(layout: Layout, position: int) -> str:
    """What a unit is called in the list to choose from: name and code, and the period where there are several."""
    steps = layout.result.steps
    period, hub = divmod(position, len(steps.hubs))
    code = steps.hubs[hub]
    name = layout.names[code]
    shown = code if name == code else f"{name} ({code})"
    return f"{shown} · {steps.periods[period]}" if layout.several else shown


def share_present(layout: Layout, group: str) -> Array:
    """Share of a group's weight that a unit has scores for, (periods, hubs): what `fhi.aggregate.rescaled_weights`
    compares with the least share."""
    tree = layout.result.tree
    children = np.stack([tree.scores[child] for child in layout.framework.children[group]], axis=2)
    weights = np.nan_to_num(tree.weights[group].weights)
    here = ~np.isnan(children)
    own = np.where(here, weights, 0.0).sum(axis=2)
    possible = np.where(here.any(axis=1, keepdims=True), weights, 0.0).sum(axis=2)
    share: Array = np.where(possible > 0, own / np.where(possible > 0, possible, 1.0), 0.0)
    return share


def _total_rows(layout: Layout) -> list[dict[str, object]]:
    """The rows of the total by position."""
    root = layout.result.scores.filter(pl.col("code") == layout.framework.root)
    return root.sort("period", "hub").select("rank", "coverage", "reason").to_dicts()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
