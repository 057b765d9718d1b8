"""Arrays of a run as frames with names.

Knows the schemas of results. Computes ranks and nothing else.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.framework import Framework
from fhi.group_weights import GroupWeights
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import Recipe
from fhi.steps import Steps, positions
from fhi.weigh import WEIGHT_SCHEMA, stated_weights

SCORE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "level": pl.Int64,
        "score": pl.Float64,
        "rank": pl.Int64,
        "ranked": pl.Int64,
        "coverage": pl.Float64,
        "reason": pl.String,
    }
)
NO_FIGURES: Final = "no_figures"
# Sums of the same terms in another order differ in their last digits; no rank may hang on that.
_TIE: Final = 1e-12
BELOW_MIN_SHARE: Final = "below_min_share"


def score_frame(
    framework: Framework, steps: Steps, scores: Mapping[str, Array], coverage: Mapping[str, Array]
) -> pl.DataFrame:
    """SCORE_SCHEMA: one row a hub, period and node. Ranks run from 1, the best, ties taking the better rank."""
    codes = sorted(framework.node, key=lambda code: (framework.level[code], code))
    # (periods, nodes, hubs) in the order of the rows, so that nothing has to be sorted.
    score = np.stack([scores[code] for code in codes], axis=1)
    covered = np.stack([coverage[code] for code in codes], axis=1)
    ranked = np.broadcast_to((~np.isnan(score)).sum(axis=2, keepdims=True), score.shape)
    nodes = pl.DataFrame({"code": codes, "level": [framework.level[code] for code in codes]})
    grid = pl.DataFrame({"period": list(steps.periods)}).join(nodes, how="cross", maintain_order="left_right")
    grid = grid.join(pl.DataFrame({"hub": list(steps.hubs)}), how="cross", maintain_order="left_right")
    frame = grid.with_columns(
        score=pl.Series(score.ravel(), nan_to_null=True),
        rank=pl.Series(descending_ranks(score).ravel(), nan_to_null=True).cast(pl.Int64),
        ranked=pl.Series(ranked.ravel()),
        coverage=pl.Series(covered.ravel()),
    )
    reason = pl.when(pl.col("coverage") > 0).then(pl.lit(BELOW_MIN_SHARE)).otherwise(pl.lit(NO_FIGURES))
    return frame.with_columns(reason=pl.when(pl.col("score").is_null()).then(reason)).select(SCORE_SCHEMA.names())


def descending_ranks(scores: Array) -> Array:
    """Ranks along the last axis: 1 the best, scores that tie having the least rank of them all; NaN where NaN.

    scores: (periods, nodes, hubs), higher the better. Returns the same shape. Neighbours tie where they are within
    1e-12 of the greatest absolute score beside them.
    """
    falling = -scores
    order = np.argsort(falling, axis=2)
    ordered = np.take_along_axis(falling, order, axis=2)
    first = np.ones(scores.shape, dtype=bool)
    near = _TIE * np.fmax.reduce(np.abs(scores), axis=2, keepdims=True, initial=0.0)
    first[:, :, 1:] = ordered[:, :, 1:] - ordered[:, :, :-1] > near
    place = np.where(first, np.arange(1.0, scores.shape[2] + 1), 0.0)
    ranks = np.empty(scores.shape)
    np.put_along_axis(ranks, order, np.maximum.accumulate(place, axis=2), axis=2)
    return np.where(np.isnan(scores), np.nan, ranks)


def input_frame(
    panel: pl.DataFrame, framework: Framework, steps: Steps, effective: Array, *, additive: bool
) -> pl.DataFrame:
    """The panel's figures with `normalised`, `weight` and `points`; imputed cells marked, denominators left out.

    effective: (periods, hubs, indicators); additive: whether points add up to the total.
    """
    own = panel.filter(pl.col("code").is_in(steps.codes)) if framework.denominators else panel
    rows = _with_imputed(own, framework, steps)
    where = positions(rows, steps.periods, steps.hubs, steps.codes)
    score, weight = steps.cubes["normalised"][where], effective[where]
    points = np.where(np.isnan(score), np.nan, score * weight) if additive else np.full(len(score), np.nan)
    return rows.with_columns(
        normalised=pl.Series(score, nan_to_null=True),
        weight=pl.Series(weight, nan_to_null=True),
        points=pl.Series(points, nan_to_null=True),
    )


def _with_imputed(rows: pl.DataFrame, framework: Framework, steps: Steps) -> pl.DataFrame:
    """Filled cells take the place of rows without figure, or stand where there was no row. A figure filled after
    division is per denominator, other than the figures of the panel beside it, and its source says so."""
    if "imputed" not in steps.cubes:
        return rows
    filled = steps.changes.lazy().filter(pl.col("step").str.starts_with("impute"))
    key = ["hub", "period", "code"]
    # A panel may name a unit more exactly than the tree; what is filled stands in the same column.
    own = rows.lazy().group_by("code").agg(pl.col("unit").drop_nulls().first()).collect()
    units = {entry.code: entry.unit for entry in framework.indicators} | dict(own.drop_nulls().iter_rows())
    divided = {
        entry.code: f", {entry.per:g} / {entry.denominator}" for entry in framework.indicators if entry.denominator
    }
    per = divided if "denominated" in steps.cubes else {}
    made = filled.select(
        *key,
        value="after",
        unit=pl.col("code").replace_strict(units, return_dtype=pl.String),
        status=pl.lit("imputed"),
        source=pl.lit("imputed: ")
        + pl.col("step").str.strip_prefix("impute ")
        + pl.col("code").replace_strict(per, default="", return_dtype=pl.String),
    ).cast(PANEL_SCHEMA)
    return pl.concat([rows.lazy().join(made, on=key, how="anti"), made]).sort(key).collect()


def weight_frame(framework: Framework, weights: Mapping[str, GroupWeights], recipe: Recipe) -> pl.DataFrame:
    """WEIGHT_SCHEMA: one row a child of a group, parents before children."""
    rows = []
    for group in framework.top_down:
        entry = weights[group]
        for child, weight in zip(framework.children[group], stated_weights(entry), strict=True):
            rows.append(
                {
                    "group": group,
                    "code": child,
                    "weight": None if np.isnan(weight) else float(weight),
                    "method": entry.method,
                    "assumed": entry.assumed,
                    "consistency_ratio": entry.consistency_ratio,
                    "random_index": recipe.weights.random_index if entry.consistency_ratio is not None else None,
                    "kmo": entry.kmo,
                    "bartlett_chi_square": entry.sphericity.chi_square if entry.sphericity else None,
                    "bartlett_df": entry.sphericity.degrees_of_freedom if entry.sphericity else None,
                }
            )
    return pl.DataFrame(rows, schema=WEIGHT_SCHEMA)
