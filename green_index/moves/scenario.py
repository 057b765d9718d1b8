"""What if: some figures changed, the index built again, both results set side by side.

Knows panels, runs and changes. Must not know files, languages, or how a change is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.frames import descending_ranks
from fhi.framework import Framework
from fhi.index import IndexResult, build_index
from fhi.recipe import Recipe
from fhi.score_tree import score_tree
from green_index.moves.changes import Change, settle_changes, with_figures
from green_index.moves.errors import NotStraight
from green_index.moves.scale import figures_of, scale_of, scores_of
from green_index.standing import check_period

WHAT_IF_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "level": pl.Int64,
        "score_before": pl.Float64,
        "score_after": pl.Float64,
        "score_change": pl.Float64,
        "score_frozen": pl.Float64,
        "rank_before": pl.Int64,
        "rank_after": pl.Int64,
        "rank_frozen": pl.Int64,
        "ranked_before": pl.Int64,
        "ranked_after": pl.Int64,
    }
)
SHIFT_SCHEMA: Final = pl.Schema(
    {"what": pl.String, "code": pl.String, "unit": pl.String, "before": pl.Float64, "after": pl.Float64}
)
_SAME: Final = 1e-12
"""Weights and bounds nearer than this, relative to their size, are the same: sums in another order differ so much."""


@dataclass(frozen=True)
class WhatIf:
    """What other figures would do.

    hubs: WHAT_IF_SCHEMA, one row a hub and group that anyone has a score of, before or after. `after` is the index
    built again from the changed figures, so that bounds and weights that come from figures move with them; `frozen`
    keeps the bounds and weights that there were and holds scores within those bounds, null throughout where the recipe
    has no bounds that could stay.
    cells: green_index.moves.changes.CELL_SCHEMA with the score of each changed figure `normalised_before`,
    `normalised_after`, `normalised_frozen`, its weight in the total `weight_before`, `weight_after`, and `counts`: has
    it a weight after? One that fewer hubs have than the recipe asks for, or that all hubs have alike, has none.
    shifts: SHIFT_SCHEMA, the bounds (`worst`, `best`; figures) and stated weights (`weight`) that are not the same
    after. panel: the changed figures.
    """

    hubs: pl.DataFrame
    cells: pl.DataFrame
    shifts: pl.DataFrame
    panel: pl.DataFrame


def what_if(
    panel: pl.DataFrame, framework: Framework, recipe: Recipe, period: str, changes: Sequence[Change]
) -> WhatIf:
    """The index of one period with other figures, beside the index as it is.

    panel: fhi.panel.PANEL_SCHEMA of all periods, since weights may come from all of them. Raises UnknownPeriod,
    ImpossibleChange with every problem at once, and the errors of `fhi.index.build_index`.
    """
    check_period(panel, period)
    cells = settle_changes(panel, framework, period, changes)
    changed = with_figures(panel, cells)
    before, after = build_index(panel, framework, recipe), build_index(changed, framework, recipe)
    frozen = _frozen(before, cells, period)
    return WhatIf(
        hubs=_hubs(before, after, frozen, period),
        cells=_cells(cells, before, after, frozen),
        shifts=_shifts(before, after, period),
        panel=changed,
    )


@dataclass(frozen=True)
class Frozen:
    """Scores on bounds and weights that stayed: of the nodes (hubs,) by code, and of the indicators (hubs, n)."""

    nodes: dict[str, Array]
    indicators: Array


def frozen_scores(result: IndexResult, normalised: Array, period: str) -> dict[str, Array]:
    """Scores of every node in one period from other scores of the indicators, on the weights of the run.

    normalised: (hubs, indicators), NaN where missing. Returns (hubs,) by code.
    """
    steps, p = result.steps, result.steps.periods.index(period)
    cube = steps.cubes["normalised"].copy()
    cube[p] = normalised
    tree = score_tree(cube, result.framework, result.recipe, steps.periods, steps.hubs, result.tree.weights)
    return {code: scores[p] for code, scores in tree.scores.items()}


def _frozen(before: IndexResult, cells: pl.DataFrame, period: str) -> Frozen | None:
    """Only the changed figures are scored anew, on the bounds there were; None where the recipe has no such bounds."""
    try:
        scale = scale_of(before, period)
    except NotStraight:
        return None
    steps = before.steps
    normalised = steps.cubes["normalised"][steps.periods.index(period)].copy()
    for hub, code, value in cells.select("hub", "code", "value_after").iter_rows():
        figures = np.full(len(steps.codes), np.nan)
        place = steps.codes.index(code)
        figures[place] = value
        normalised[steps.hubs.index(hub), place] = scores_of(figures, scale)[place]
    return Frozen(frozen_scores(before, normalised, period), normalised)


def _hubs(before: IndexResult, after: IndexResult, frozen: Frozen | None, period: str) -> pl.DataFrame:
    tree = before.framework
    key = ["hub", "period", "code"]
    here = pl.col("code").is_in(list(tree.children)) & (pl.col("period") == period)
    first = before.scores.filter(here).select(
        *key, "level", score_before="score", rank_before="rank", ranked_before="ranked"
    )
    second = after.scores.filter(here).select(*key, score_after="score", rank_after="rank", ranked_after="ranked")
    rows = first.join(second, on=key, how="left", maintain_order="left")
    rows = rows.join(_frozen_rows(before, frozen, period), on=key, how="left", maintain_order="left")
    anyone = (pl.col("score_before").is_not_null() | pl.col("score_after").is_not_null()).any().over("code")
    return (
        rows.filter(anyone | (pl.col("code") == tree.root))
        .with_columns(score_change=pl.col("score_after") - pl.col("score_before"))
        .select(pl.col(name).cast(kind) for name, kind in WHAT_IF_SCHEMA.items())
        .sort("level", "code", "rank_after", "hub", nulls_last=True)
    )


def _frozen_rows(before: IndexResult, frozen: Frozen | None, period: str) -> pl.DataFrame:
    hubs = list(before.steps.hubs)
    schema = {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "score_frozen": pl.Float64,
        "rank_frozen": pl.Float64,
    }
    if frozen is None:
        return pl.DataFrame(schema=schema)
    codes = list(before.framework.children)
    scores = np.stack([frozen.nodes[code] for code in codes])
    ranks = descending_ranks(scores[None])[0]
    return pl.DataFrame(
        {
            "hub": hubs * len(codes),
            "period": [period] * scores.size,
            "code": np.repeat(codes, len(hubs)).tolist(),
            "score_frozen": scores.ravel(),
            "rank_frozen": ranks.ravel(),
        },
        schema=schema,
    ).with_columns(pl.col("score_frozen", "rank_frozen").fill_nan(None))


def _cells(cells: pl.DataFrame, before: IndexResult, after: IndexResult, frozen: Frozen | None) -> pl.DataFrame:
    key = ["hub", "period", "code"]
    steps = before.steps
    first = before.inputs.select(*key, normalised_before="normalised", weight_before="weight")
    second = after.inputs.select(*key, normalised_after="normalised", weight_after="weight")
    still = [
        None if frozen is None else float(frozen.indicators[steps.hubs.index(hub), steps.codes.index(code)])
        for hub, code in cells.select("hub", "code").iter_rows()
    ]
    return (
        cells.join(first, on=key, how="left", maintain_order="left")
        .join(second, on=key, how="left", maintain_order="left")
        .with_columns(normalised_frozen=pl.Series(still, dtype=pl.Float64).fill_nan(None))
        .with_columns(counts=(pl.col("normalised_after").is_not_null() & (pl.col("weight_after") > 0)).fill_null(False))
    )


def _shifts(before: IndexResult, after: IndexResult, period: str) -> pl.DataFrame:
    """What moved besides the changed figures: bounds, where there are any to speak of, and stated weights."""
    rows: list[tuple[str, str, str, float, float]] = []
    units = dict(before.inputs.filter(pl.col("period") == period).select("code", "unit").unique().iter_rows())
    try:
        scales = [scale_of(result, period) for result in (before, after)]
    except NotStraight:
        scales = []
    if scales:
        for what, ends in (("worst", "bottom"), ("best", "top")):
            old, new = (figures_of(getattr(scale, ends), scale) for scale in scales)
            moved = np.flatnonzero(_differ(old, new))
            rows += [(what, scales[0].codes[i], units.get(scales[0].codes[i], ""), old[i], new[i]) for i in moved]
    for group in before.framework.top_down:
        pair = (before.tree.weights[group], after.tree.weights[group])
        if any(entry.scale is not None for entry in pair):
            continue
        old, new = (entry.weights for entry in pair)
        children = before.framework.children[group]
        rows += [("weight", children[i], "", old[i], new[i]) for i in np.flatnonzero(_differ(old, new))]
    return pl.DataFrame(rows, schema=SHIFT_SCHEMA, orient="row").with_columns(pl.col("before", "after").fill_nan(None))


def _differ(old: Array, new: Array) -> Array:
    either = np.isnan(old) != np.isnan(new)
    differ: Array = either | (np.abs(new - old) > _SAME * np.maximum(1.0, np.fmax(np.abs(old), np.abs(new))))
    return differ
