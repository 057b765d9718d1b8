"""What holds a city back, and what lies between it and another: obstacle degrees, and gaps in points of the total.

Knows the inputs and scores of an edition whose groups take arithmetic means, so that weight times score adds up to the
total. Knows no carbon, no SQL and no HTTP.

Weights are those of each hub itself: what a hub lacks is left out and its weight stands on the rest of its group, which
is why every row says how much of the tree the hub has figures of.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.framework import Framework
from green_index.errors import GreenIndexError, UnknownPeriod
from green_index.standing import check_period

LEADER: Final = "leader"
AT_ALL_MAXIMA: Final = "at_all_maxima"
ONLY_HERE: Final = "only_here"
ONLY_THERE: Final = "only_there"
_EDGE: Final = 1e-9
_NODE: Final = {
    **dict.fromkeys(("kind",), pl.String()),
    "level": pl.Int64(),
    **dict.fromkeys(("code", "group", "name_zh", "name_en"), pl.String()),
}
OBSTACLE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String(),
        "year": pl.Int64(),
        **_NODE,
        **dict.fromkeys(("score", "weight", "points_lost", "obstacle"), pl.Float64()),
        "place": pl.Int64(),
        "coverage": pl.Float64(),
        "reason": pl.String(),
    }
)
GAP_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("hub", "to_hub"), pl.String()),
        "year": pl.Int64(),
        **_NODE,
        **dict.fromkeys(("score", "score_to", "weight", "weight_to", "points", "points_to"), pl.Float64()),
        **dict.fromkeys(("gap", "score_part", "coverage_part"), pl.Float64()),
        "place": pl.Int64(),
        **dict.fromkeys(("coverage", "coverage_to"), pl.Float64()),
        "reason": pl.String(),
    }
)


class NotScored(UnknownPeriod):
    """A hub has no total in this year, so that nothing can be taken apart."""


class NotAdditive(GreenIndexError):
    """A total is no sum of points, so that it cannot be taken apart."""


class ScoreOutOfRange(GreenIndexError):
    """A score lies outside its scale, so that it has no distance to its best."""


def obstacle_degrees(scores: Array, weights: Array) -> Array:
    """What share of all that a unit lacks each indicator holds: O_j = w_j (1 - x_j) / sum over j of w_j (1 - x_j).

    scores: (units, indicators) in 0..1, NaN where missing; weights: the same shape or (indicators,), not negative.
    Returns (units, indicators): rows add up to 1 over what is there; NaN where missing, and throughout for a unit that
    lacks nothing. The usual obstacle-degree model of the Chinese literature; no primary source is known to us, and the
    formula is checked against a second implementation. Raises ScoreOutOfRange.
    """
    outside = (scores < 0) | (scores > 1)
    if outside.any():
        raise ScoreOutOfRange(f"scores: found {scores[outside][0]:g}; expected 0..1")
    lost = weights * (1 - scores)
    whole = np.nansum(lost, axis=1, keepdims=True)
    degrees: Array = lost / np.where(whole > 0, whole, np.nan)
    return degrees


def obstacle_table(scores: pl.DataFrame, inputs: pl.DataFrame, framework: Framework, hub: str) -> pl.DataFrame:
    """Obstacle degrees of one hub in every year with a total, by indicator and by group: OBSTACLE_SCHEMA.

    kind `indicator`, and `group` for every group below the root, which holds the sum of its indicators. `weight`: in
    the hub's own total; `points_lost` = weight x (100 - score), for groups the sum; `obstacle`: the share of it in all
    that the hub lacks, null with reason `at_all_maxima` where it lacks nothing. `place`: by points lost, 1 the most,
    among the indicators or the groups of one level. `group`: the level-1 group it belongs to; `coverage`: of the total
    (0..1), what the weights rest on. scores, inputs: of one edition. Raises NotScored,
    NotAdditive, ScoreOutOfRange.
    """
    own = _counted(inputs, hub)
    totals = scores.filter(pl.col("hub") == hub, pl.col("code") == framework.root, pl.col("score").is_not_null())
    own = own.join(totals.select("period", "coverage"), on="period", maintain_order="left")
    if own.is_empty():
        raise NotScored(f"{hub} has no total in any year, so that nothing can be said to hold it back")
    codes = [code for code in framework.indicator if code in set(own["code"])]
    periods = own["period"].unique().sort().to_list()
    x, w = (_matrix(own, periods, codes, name) for name in ("normalised", "weight"))
    degrees = obstacle_degrees(x / 100, w)
    figures = {
        "score": x,
        "weight": w,
        "points_lost": w * (100 - x),
        "obstacle": degrees,
    }
    single = _long(figures, periods, codes).drop_nulls("score").with_columns(kind=pl.lit("indicator"))
    groups = _group_sums(single, framework, ("points_lost", "obstacle", "weight")).join(
        scores.filter(pl.col("hub") == hub).select("period", "code", "score"), on=["period", "code"], how="left"
    )
    rows = pl.concat([single, groups], how="diagonal").join(totals.select("period", "coverage"), on="period")
    rows = with_node_names(rows, framework).with_columns(
        hub=pl.lit(hub),
        year=pl.col("period").cast(pl.Int64),
        reason=pl.when(pl.col("obstacle").is_null()).then(pl.lit(AT_ALL_MAXIMA)),
        place=_place(pl.col("points_lost"), ("period",)),
    )
    return _ordered(rows, "points_lost").select(OBSTACLE_SCHEMA.names()).cast(OBSTACLE_SCHEMA)


def gap_parts(scores: Array, weights: Array, scores_to: Array, weights_to: Array) -> tuple[Array, Array]:
    """The difference of two weighted means, target less own, by indicator: what better scores make, and what weights
    that stand elsewhere make, since each lacks other figures.

    scores: (indicators,), NaN where missing; weights: (indicators,), of sum 1 over what is there. Of an indicator that
    both have, the score part is the mean weight x difference of scores, and the coverage part the difference of weights
    x (mean score - m); of an indicator that one has alone all is coverage, weight x (score - m) with the sign of the
    side that has it. m is the mean of both totals: an indicator counts by how it differs from what its weight stands
    on otherwise. Since weights of both sides add up to 1, all parts add up to the difference of totals, whatever m is
    (after the attribution of Brinson, Hood and Beebower 1986, with both sides halved). Returns both parts,
    (indicators,), 0 where neither side has a figure.
    """
    here, there = ~np.isnan(scores), ~np.isnan(scores_to)
    w, w_to = (np.where(known, weight, 0.0) for known, weight in ((here, weights), (there, weights_to)))
    x = np.where(here, scores, np.where(there, scores_to, 0.0))
    x_to = np.where(there, scores_to, x)
    middle = (np.sum(w * x) + np.sum(w_to * x_to)) / 2
    # Adding nothing makes a negative zero a plain one.
    return (w + w_to) / 2 * (x_to - x) + 0.0, (w_to - w) * ((x + x_to) / 2 - middle) + 0.0


def gap_table(
    scores: pl.DataFrame, inputs: pl.DataFrame, framework: Framework, hub: str, to: str, period: str
) -> pl.DataFrame:
    """What lies between a hub and another in points of the total, by indicator and by group: GAP_SCHEMA, greatest gap
    first within each kind and level.

    to: a hub, or `leader`, the best total of the period (the hub itself, with gaps of nothing, where it leads). `gap`
    is positive where the other is ahead, and is score_part + coverage_part (see `gap_parts`); indicators add up to the
    groups above them and to the row of kind `total`, whose gap is the difference of both totals. `points`, `points_to`:
    weight x score on either side. reason: `only_here`, `only_there` where one side has no figure. Raises UnknownPeriod,
    NotScored where either has no total, NotAdditive.
    """
    check_period(scores, period)
    here = scores.filter(pl.col("period") == period, pl.col("code") == framework.root)
    other = _leader(here) if to == LEADER else to
    covered = {name: _coverage_of_total(here, name, period) for name in (hub, other)}
    sides = [_counted(inputs.filter(pl.col("period") == period), name) for name in (hub, other)]
    present = {code for side in sides for code in side["code"]}
    codes = [code for code in framework.indicator if code in present]
    x, x_to = (_matrix(side, [period], codes, "normalised") for side in sides)
    w, w_to = (_matrix(side, [period], codes, "weight") for side in sides)
    score_part, coverage_part = gap_parts(x[0], w[0], x_to[0], w_to[0])
    figures = {
        "score": x,
        "score_to": x_to,
        "weight": w,
        "weight_to": w_to,
        "points": w * x,
        "points_to": w_to * x_to,
        "gap": (score_part + coverage_part)[None],
        "score_part": score_part[None],
        "coverage_part": coverage_part[None],
    }
    single = _long(figures, [period], codes).with_columns(
        kind=pl.lit("indicator"),
        reason=pl.when(pl.col("score").is_null())
        .then(pl.lit(ONLY_THERE))
        .when(pl.col("score_to").is_null())
        .then(pl.lit(ONLY_HERE)),
    )
    sums = _group_sums(single, framework, [name for name in figures if not name.startswith("score")] + ["score_part"])
    both = [
        scores.filter(pl.col("hub") == name, pl.col("period") == period).select("code", pl.col("score").alias(column))
        for name, column in ((hub, "score"), (other, "score_to"))
    ]
    sums = sums.join(both[0], on="code", how="left").join(both[1], on="code", how="left")
    rows = with_node_names(pl.concat([single, sums], how="diagonal"), framework).with_columns(
        hub=pl.lit(hub),
        to_hub=pl.lit(other),
        year=pl.lit(int(period)),
        coverage=pl.lit(covered[hub]),
        coverage_to=pl.lit(covered[other]),
        place=_place(pl.col("gap"), ("period",)),
    )
    return _ordered(rows, "gap").select(GAP_SCHEMA.names()).cast(GAP_SCHEMA)


def level_one_group(framework: Framework, code: str) -> str | None:
    """The level-1 group that a node belongs to; null for the root."""
    found: str | None = code
    while found is not None and framework.level[found] > 1:
        found = framework.node[found].parent
    return None if found == framework.root else found


def _leader(totals: pl.DataFrame) -> str:
    best = totals.drop_nulls("score").sort("score", "hub", descending=[True, False])
    if best.is_empty():
        raise NotScored("no hub has a total in this year, so that none leads")
    return str(best["hub"][0])


def _coverage_of_total(totals: pl.DataFrame, hub: str, period: str) -> float:
    own = totals.filter(pl.col("hub") == hub)
    if own.is_empty() or own["score"][0] is None:
        reason = own["reason"][0] if own.height else "no_figures"
        raise NotScored(f"{hub} has no total in {period} ({reason}), so that no gap can be told")
    return float(own["coverage"][0])


def _counted(inputs: pl.DataFrame, hub: str) -> pl.DataFrame:
    """The figures that count in a hub's total, with weights of sum 1 in every period: those of an edition are rounded,
    and sums must be exact."""
    own = inputs.filter(pl.col("hub") == hub, pl.col("normalised").is_not_null(), pl.col("weight") > 0)
    if own["points"].null_count():
        raise NotAdditive(f"{hub}: found a total that is no sum of points; expected arithmetic means throughout")
    score = pl.col("normalised")
    return own.with_columns(
        weight=pl.col("weight") / pl.col("weight").sum().over("period"),
        normalised=pl.when(score.is_between(-_EDGE, 100 + _EDGE)).then(score.clip(0.0, 100.0)).otherwise(score),
    )


def _matrix(rows: pl.DataFrame, periods: Sequence[str], codes: Sequence[str], column: str) -> Array:
    """(periods, codes), NaN where there is no row."""
    grid = pl.DataFrame({"period": periods}).join(
        pl.DataFrame({"code": codes}), how="cross", maintain_order="left_right"
    )
    full = grid.join(rows.select("period", "code", column), on=["period", "code"], how="left", maintain_order="left")
    return full[column].fill_null(np.nan).to_numpy().reshape(len(periods), len(codes))


def _long(figures: dict[str, Array], periods: Sequence[str], codes: Sequence[str]) -> pl.DataFrame:
    """period, code and the figures of (periods, codes), null where NaN."""
    grid = pl.DataFrame({"period": periods}).join(
        pl.DataFrame({"code": codes}), how="cross", maintain_order="left_right"
    )
    return grid.with_columns(pl.Series(name, values.ravel(), nan_to_null=True) for name, values in figures.items())


def _group_sums(single: pl.DataFrame, framework: Framework, names: Sequence[str]) -> pl.DataFrame:
    """Sums of the indicators below every group, period by period; null where all are."""
    above = [
        (code, group, "total" if group == framework.root else "group")
        for code in single["code"].unique(maintain_order=True)
        for group in _groups_above(framework, code)
    ]
    tree = pl.DataFrame(above, schema=["code", "above", "kind"], orient="row")
    sums = (pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in names)
    return (
        single.drop("kind")
        .join(tree, on="code")
        .group_by("period", "above", "kind", maintain_order=True)
        .agg(*sums)
        .rename({"above": "code"})
    )


def _groups_above(framework: Framework, code: str) -> list[str]:
    found = []
    parent = framework.node[code].parent
    while parent is not None:
        found.append(parent)
        parent = framework.node[parent].parent
    return found


def with_node_names(rows: pl.DataFrame, framework: Framework) -> pl.DataFrame:
    """Rows with a column `code`, and level, level-1 group (`group`) and both names of that node beside."""
    nodes = pl.DataFrame(
        [
            (code, framework.level[code], level_one_group(framework, code), node.name_zh, node.name_en)
            for code, node in framework.node.items()
        ],
        schema=["code", "level", "group", "name_zh", "name_en"],
        orient="row",
    )
    return rows.join(nodes, on="code", how="left", maintain_order="left")


def _place(points: pl.Expr, within: Sequence[str]) -> pl.Expr:
    """1 for the most, among indicators or among groups of one level."""
    level = pl.when(pl.col("kind") == "group").then(pl.col("level")).otherwise(0)
    return points.round(10).rank("min", descending=True).over(*within, "kind", level)


def _ordered(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    kinds = pl.Enum(["total", "group", "indicator"])
    level = pl.when(pl.col("kind") == "group").then(pl.col("level"))
    return rows.sort(
        pl.col("period"), pl.col("kind").cast(kinds), level, -pl.col(by).round(10), pl.col("code"), nulls_last=True
    )
