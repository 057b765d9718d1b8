"""Two runs set against each other: the scores that a split of rank needs, and the points that every node moved.

Knows panels, frameworks and recipes, and how an edition's figures become a panel again. The split itself lives in
`rank_change`. Knows no carbon, no SQL and no HTTP.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.framework import Framework
from fhi.index import IndexResult, build_index
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import Recipe
from green_index.editions import EditionContent
from green_index.errors import GreenIndexError
from green_index.rank_change import FIGURES, rank_change_rows, same_method_scores
from green_index.standing import check_period

_EQUAL: Final = 1e-8
POINT_CHANGE_SCHEMA: Final = pl.Schema(
    {
        "code": pl.String,
        "level": pl.Int64,
        "is_group": pl.Boolean,
        "points_from": pl.Float64,
        "points_to": pl.Float64,
        "change": pl.Float64,
        "by_score": pl.Float64,
        "by_weight": pl.Float64,
    }
)


class NotRepeatable(GreenIndexError):
    """An edition whose figures do not give its scores again."""


class UnlikePeriods(GreenIndexError):
    """A year set against a month: their sums do not compare."""


@dataclass(frozen=True)
class Run:
    """One side: figures, method and the period that is looked at. panel : fhi.panel.PANEL_SCHEMA, of all periods, since
    pooled bounds and weights from the data rest on all."""

    panel: pl.DataFrame
    framework: Framework
    recipe: Recipe
    period: str


@dataclass(frozen=True)
class Combined:
    """Scores of every hub by method and figures, (2, 3, hubs) as `rank_change.split_ranks` takes them. unknown : codes
    of the old tree that the new panel has no row of; the old method scores the new figures without them. revised : is
    the old period in the new panel? If not, its figures are taken as unrevised."""

    hubs: tuple[str, ...]
    scores: Array
    unknown: tuple[str, ...]
    revised: bool


def combine(old: Run, new: Run) -> Combined:
    """Score every hub by the old and the new method on old figures as published, as revised, and of the new period.

    Each panel is scored by each method as a whole: `as_revised` is the old period in the new panel, so that pooled
    bounds and weights from the data that moved with new figures count as a revision. Raises UnknownPeriod,
    UnlikePeriods, and the errors of `fhi.index.build_index`.
    """
    if len(old.period) != len(new.period):
        raise UnlikePeriods(f"found {old.period} and {new.period}; expected two years, or two months")
    check_period(old.panel, old.period)
    check_period(new.panel, new.period)
    hubs = tuple(pl.concat([old.panel["hub"], new.panel["hub"]]).unique().sort())
    revised = old.period in new.panel["period"]
    scores = np.full((2, len(FIGURES), len(hubs)), np.nan)
    for m, side in enumerate((old, new)):
        before, after = (_scored(run.panel, side) for run in (old, new))
        scores[m, 0] = _totals(before, old.period, hubs)
        scores[m, 1] = _totals(after, old.period, hubs) if revised else scores[m, 0]
        scores[m, 2] = _totals(after, new.period, hubs)
    held = set(new.panel["code"])
    unknown = tuple(code for code in old.panel["code"].unique().sort() if code not in held)
    return Combined(hubs, scores, unknown, revised)


def _scored(panel: pl.DataFrame, method: Run) -> IndexResult:
    known = [*method.framework.indicator, *method.framework.denominator]
    return build_index(panel.filter(pl.col("code").is_in(known)), method.framework, method.recipe)


def _totals(result: IndexResult, period: str, hubs: tuple[str, ...]) -> Array:
    """(hubs,) totals of one period in the order asked for, NaN for a hub that the result does not hold."""
    totals = dict.fromkeys(hubs, np.nan)
    if period in result.steps.periods:
        scores = result.tree.scores[result.framework.root][result.steps.periods.index(period)]
        totals |= dict(zip(result.steps.hubs, scores, strict=True))
    return np.array([totals[hub] for hub in hubs])


def rank_changes_between(scores: pl.DataFrame, code: str, before: str, after: str) -> pl.DataFrame:
    """The same of two periods of one edition, where method and revision are nothing: rows of
    `rank_change.rank_change_rows`.

    scores : fhi.frames.SCORE_SCHEMA; code : the node whose rank is meant; before, after : periods. Raises
    UnknownPeriod.
    """
    for period in (before, after):
        check_period(scores, period)
    here = scores.filter(pl.col("code") == code)
    hubs = here["hub"].unique().sort().to_list()
    wide = pl.DataFrame({"hub": hubs})
    for name, period in (("before", before), ("after", after)):
        own = here.filter(pl.col("period") == period).select("hub", pl.col("score").alias(name))
        wide = wide.join(own, on="hub", how="left", maintain_order="left")
    arrays = (wide[name].fill_null(np.nan).to_numpy() for name in ("before", "after"))
    return rank_change_rows(hubs, same_method_scores(*arrays))


def run_of_edition(edition: EditionContent, period: str | None = None) -> Run:
    """An edition as a run again, for its last period unless another is named, after making sure that it gives the
    scores that it was frozen with.

    Raises UnknownPeriod, and NotRepeatable where it does not: its tree divides by figures that an edition does not
    keep, or another version of the software made it.
    """
    wanted = edition.scores["period"].max() if period is None else period
    assert isinstance(wanted, str)
    check_period(edition.scores, wanted)
    recipe = Recipe.model_validate(edition.provenance["recipe"])
    panel = edition.inputs.filter(pl.col("status") != "imputed").select(PANEL_SCHEMA.names())
    again = build_index(panel, edition.framework, recipe).scores
    frozen = edition.scores.filter(pl.col("code") == edition.framework.root)
    both = frozen.join(again, on=["hub", "period", "code"], how="left", suffix="_again")
    apart = (pl.col("score") - pl.col("score_again")).abs() > _EQUAL
    lost = pl.col("score").is_null() != pl.col("score_again").is_null()
    differing = both.filter(apart | lost)
    if differing.height:
        row = differing.row(0, named=True)
        raise NotRepeatable(
            f"edition {edition.id}, {row['hub']} {row['period']}: found {row['score_again']} when its figures are "
            f"scored again, expected {row['score']} as frozen; {differing.height} such row(s). It was made by "
            f"{edition.provenance['engine']}"
        )
    return Run(panel, edition.framework, recipe, wanted)


def point_changes(before: pl.DataFrame, after: pl.DataFrame, old: Framework, new: Framework, hub: str) -> pl.DataFrame:
    """The points that every node of the tree moved for one hub: POINT_CHANGE_SCHEMA, groups before their indicators.

    before, after : rows of an edition's inputs (editions.INPUT_SCHEMA), of one period each. points = weight x
    normalised, so that indicators sum to the change of the total, and to that of each group; exact to the digits kept.
    by_score = mean weight x change of normalised, by_weight = mean normalised x change of weight, which sum to the
    change (the symmetric split of a product, Bennet 1920). An indicator that the hub has on one side only changes by
    weight alone. No rows for recipes whose total is no weighted
    sum: their inputs have no points.
    """
    node = {**old.node, **new.node}
    level = {**old.level, **new.level}
    own = [_own(frame, hub, side) for frame, side in ((before, "from"), (after, "to"))]
    both = own[0].join(own[1], on="code", how="full", coalesce=True)
    score = [pl.coalesce(f"score_{side}", f"score_{other}") for side, other in (("from", "to"), ("to", "from"))]
    weight = [pl.col(f"weight_{side}").fill_null(0.0) for side in ("from", "to")]
    points = [pl.col(f"points_{side}").fill_null(0.0) for side in ("from", "to")]
    moved = both.with_columns(
        points_from=points[0],
        points_to=points[1],
        change=points[1] - points[0],
        by_score=(weight[0] + weight[1]) / 2 * (score[1] - score[0]),
        by_weight=(score[0] + score[1]) / 2 * (weight[1] - weight[0]),
    )
    parts = ["points_from", "points_to", "change", "by_score", "by_weight"]
    reach = [
        (code, above) for code in moved["code"] for above in _line(code, {name: node[name].parent for name in node})
    ]
    lines = pl.DataFrame(reach, schema={"code": pl.String, "node": pl.String}, orient="row")
    summed = lines.join(moved, on="code").group_by("node").agg(pl.col(parts).sum())
    order = {
        code: place for place, code in enumerate([*new.node, *(code for code in old.node if code not in new.node)])
    }
    groups = {*old.children, *new.children}
    return (
        summed.rename({"node": "code"})
        .with_columns(
            level=pl.col("code").replace_strict(level, return_dtype=pl.Int64),
            is_group=pl.col("code").is_in(list(groups)),
            place=pl.col("code").replace_strict(order, return_dtype=pl.Int64),
        )
        .sort("level", "place")
        .select(pl.col(name).cast(kind) for name, kind in POINT_CHANGE_SCHEMA.items())
    )


def _own(frame: pl.DataFrame, hub: str, side: str) -> pl.DataFrame:
    """A hub's indicators that count: those with points."""
    return frame.filter(pl.col("hub") == hub, pl.col("points").is_not_null()).select(
        "code",
        pl.col("normalised").alias(f"score_{side}"),
        pl.col("weight").alias(f"weight_{side}"),
        pl.col("points").alias(f"points_{side}"),
    )


def _line(code: str, parent: dict[str, str | None]) -> list[str]:
    """The code and every group above it."""
    line, above = [code], parent[code]
    while above is not None:
        line.append(above)
        above = parent[above]
    return line
