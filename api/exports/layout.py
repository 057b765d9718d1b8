"""Where everything stands in the workbook: sheets, rows, columns, and references to them.

Knows the order of units, periods and nodes and the shape of every sheet that formulas point into. Knows no formula and
writes nothing. Rows and columns count from 0; each table has two rows of headings, words and keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from xlsxwriter.utility import quote_sheetname, xl_range_abs, xl_rowcol_to_cell

from api.exports.formulas import LONGEST, MEANS, mean_formula, share_formula
from api.lang import Lang, texts
from fhi.errors import PanelError, Problem
from fhi.framework import Framework
from fhi.index import IndexResult

FIRST: Final = 2
"""The first row below the headings."""
MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
MOST_LIVE_CELLS: Final = 200_000
"""Beyond this many scores of indicators every figure is written as a value: Excel would recalculate for minutes."""

SCALE_FIELDS: Final = (
    *("count", "least", "greatest", "mean", "sd"),
    *("goal_low", "goal_high", "target", "reference"),
    *("low", "high", "centre", "spread", "from_low", "from_high"),
)
WEIGHT_COLUMN: Final = 6
"""Of the sheet Framework: the weights that a reader may change."""
SHARE_COLUMN: Final = 4
TOTAL_COLUMN: Final = 5
COUNTED_COLUMN: Final = 13
"""Of the sheet Weights: share in the group, weight in the total, and the first of one column a period."""


@dataclass(frozen=True)
class Layout:
    """One result with its place in the workbook.

    names: of units; nodes: depth first, for reading; groups: by level, the root first; order: position (period x
    hubs + hub) of every row of Results, best first within each period; live: are there formulas?
    """

    result: IndexResult
    lang: Lang
    names: Mapping[str, str]
    words: Mapping[str, str]
    nodes: tuple[str, ...]
    groups: tuple[str, ...]
    order: tuple[int, ...]
    live: bool

    @property
    def framework(self) -> Framework:
        """The tree of the result."""
        return self.result.framework

    @property
    def several(self) -> bool:
        """Is there more than one period, and so a column that says which?"""
        return len(self.result.steps.periods) > 1

    @property
    def keys(self) -> int:
        """How many columns say whose row it is."""
        return 3 if self.several else 2

    @property
    def height(self) -> int:
        """Rows of a table with one row a unit and period."""
        return len(self.result.steps.periods) * len(self.result.steps.hubs)

    @property
    def source(self) -> str:
        """The step whose figures are normalised."""
        return list(self.result.steps.cubes)[-2]

    @property
    def pooled(self) -> bool:
        """Do scales come from all periods at once?"""
        return self.result.recipe.normalise.bounds == "pooled"

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of every indicator in the sheets of figures, and of every group in Results."""
        indicators = {code: self.keys + i for i, code in enumerate(self.result.steps.codes)}
        below = {code: self.keys + 3 + i for i, code in enumerate(self.groups[1:])}
        return {**indicators, self.framework.root: self.keys, **below}

    @cached_property
    def result_row(self) -> dict[int, int]:
        """Row in Results of every position."""
        return {position: FIRST + i for i, position in enumerate(self.order)}

    @cached_property
    def framework_row(self) -> dict[str, int]:
        """Row of every node in Framework."""
        return {code: FIRST + i for i, code in enumerate(self.nodes)}

    @cached_property
    def weight_row(self) -> dict[str, int]:
        """Row of every child in Weights, where the children of a group stand together."""
        children = [child for group in self.framework.top_down for child in self.framework.children[group]]
        return {code: FIRST + i for i, code in enumerate(children)}

    def share_column(self, group: str) -> int:
        """Column in Results of the share of a group's weight that a unit has."""
        return self.keys + 2 + len(self.groups) + self.groups.index(group)

    @property
    def reason_column(self) -> int:
        """Column in Results of why a unit has no score; its key and its position follow."""
        return self.keys + 2 + 2 * len(self.groups)

    @cached_property
    def live_groups(self) -> frozenset[str]:
        """Groups whose score is a formula: a mean that can be said, short enough for Excel."""
        return frozenset(group for group in self.groups if self.live and _can_be_said(self, group))

    def name(self, code: str) -> str:
        """Name of a node in the language of the workbook."""
        node = self.framework.node[code]
        return node.name_zh if self.lang == "zh" else node.name_en

    def sheet(self, name: str) -> str:
        """What a sheet is called in the language of the workbook."""
        return self.words[f"sheet_{name}"]

    @cached_property
    def quoted(self) -> dict[str, str]:
        """What every sheet is called in a formula, asked for with each reference."""
        named = {key.removeprefix("sheet_"): name for key, name in self.words.items() if key.startswith("sheet_")}
        return {name: str(quote_sheetname(shown)) for name, shown in named.items()}

    def cell(self, sheet: str, row: int, column: int) -> str:
        """An absolute reference to a cell of a sheet."""
        return f"{self.quoted[sheet]}!{xl_rowcol_to_cell(row, column, True, True)}"

    def cells(self, sheet: str, first: int, last: int, column: int, last_column: int | None = None) -> str:
        """An absolute reference to a range, ends included; one column wide unless told."""
        end = column if last_column is None else last_column
        return f"{self.quoted[sheet]}!{xl_range_abs(first, column, last, end)}"


def plan_workbook(result: IndexResult, units: pl.DataFrame, lang: Lang) -> Layout:
    """Choose the place of everything.

    units: `hub`, `name` and attributes; a unit without name goes by its code. Raises PanelError where Excel has too
    few rows or columns.
    """
    steps = result.steps
    named = dict(units.select("hub", pl.coalesce("name", "hub")).iter_rows())
    layout = Layout(
        result=result,
        lang=lang,
        names={hub: named.get(hub, hub) for hub in steps.hubs},
        words=texts("workbook", lang),
        nodes=tuple(_depth_first(result.framework)),
        groups=tuple(sorted(result.framework.top_down, key=result.framework.level.__getitem__)),
        order=_best_first(result),
        live=steps.cubes["normalised"].size <= MOST_LIVE_CELLS,
    )
    _require_room(layout)
    return layout


def period_rows(layout: Layout, period: int) -> tuple[int, int]:
    """First and last row of a period, in the sheets of figures and in Results."""
    hubs = len(layout.result.steps.hubs)
    return FIRST + period * hubs, FIRST + (period + 1) * hubs - 1


def scale_rows(layout: Layout, period: int) -> tuple[int, int]:
    """First and last row of the figures that scores of a period are measured against."""
    return (FIRST, FIRST + layout.height - 1) if layout.pooled else period_rows(layout, period)


def scale_row(layout: Layout, period: int, indicator: int) -> int:
    """Row of an indicator's scale."""
    return FIRST + (0 if layout.pooled else period) * len(layout.result.steps.codes) + indicator


def scale_column(layout: Layout, field: str) -> int:
    """Column of one of SCALE_FIELDS."""
    return (5 if layout.several and not layout.pooled else 4) + SCALE_FIELDS.index(field)


def node_cell(layout: Layout, code: str, position: int) -> str:
    """A node's score as seen from Results: its own row for a group, so that Results can be sorted."""
    if code in layout.framework.indicator:
        return layout.cell("normalised", FIRST + position, layout.column[code])
    return str(xl_rowcol_to_cell(layout.result_row[position], layout.column[code], False, True))


def node_cells(layout: Layout, code: str, first: int, last: int) -> str:
    """A node's scores in these rows."""
    sheet = "normalised" if code in layout.framework.indicator else "results"
    return layout.cells(sheet, first, last, layout.column[code])


def counted_cells(layout: Layout, group: str, period: int) -> str:
    """The range of the children's shares that count in a period."""
    rows = [layout.weight_row[child] for child in layout.framework.children[group]]
    return layout.cells("weights", rows[0], rows[-1], COUNTED_COLUMN + period)


def group_formulas(layout: Layout, group: str, position: int) -> tuple[str, str]:
    """A group's share and score for one unit and period; the method must be one of MEANS."""
    step, root = layout.result.recipe.aggregate, layout.framework.root
    children = layout.framework.children[group]
    weights = [layout.cell("weights", layout.weight_row[child], SHARE_COLUMN) for child in children]
    possible = counted_cells(layout, group, position // len(layout.result.steps.hubs))
    own = [node_cell(layout, child, position) for child in children]
    share = xl_rowcol_to_cell(layout.result_row[position], layout.share_column(group), False, True)
    least = "min_share_root" if group == root else "min_share"
    method = step.method_of(layout.framework.level[group])
    return (
        share_formula(own, weights, possible),
        mean_formula(method, own, weights, share, possible, least, step.exponent),
    )


def _can_be_said(layout: Layout, group: str) -> bool:
    method = layout.result.recipe.aggregate.method_of(layout.framework.level[group])
    if method not in MEANS or layout.result.tree.weights[group].scale is not None:
        return False
    # The last position has the longest references.
    return all(len(formula) <= LONGEST for formula in group_formulas(layout, group, layout.height - 1))


def _depth_first(framework: Framework) -> list[str]:
    found, waiting = [], [framework.root]
    while waiting:
        code = waiting.pop()
        found.append(code)
        waiting.extend(reversed(framework.children.get(code, ())))
    return found


def _best_first(result: IndexResult) -> tuple[int, ...]:
    total = result.tree.scores[result.framework.root]
    periods, hubs = np.indices(total.shape)
    place = np.lexsort((hubs.ravel(), -np.nan_to_num(total, nan=-np.inf).ravel(), periods.ravel()))
    return tuple(place.tolist())


def _require_room(layout: Layout) -> None:
    width = layout.keys + max(len(layout.result.steps.codes), 2 * len(layout.groups) + 6)
    scales = len(layout.result.steps.codes) * (1 if layout.pooled else len(layout.result.steps.periods))
    problems = []
    height = FIRST + max(layout.height, scales, len(layout.nodes))
    remedy = "fewer units or periods in one workbook, or the format csv or parquet"
    if height > MOST_ROWS:
        problems.append(Problem("workbook", f"{height} rows", f"at most {MOST_ROWS}: {remedy}", "too_many_rows"))
    if width > MOST_COLUMNS:
        problems.append(
            Problem("workbook", f"{width} columns", f"at most {MOST_COLUMNS}: {remedy}", "too_many_columns")
        )
    if problems:
        raise PanelError(problems)
