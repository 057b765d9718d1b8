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
BELOW_MIN_SHARE: Final = "below_min_share"


def score_frame(
    framework: Framework, steps: Steps, scores: Mapping[str, Array], coverage: Mapping[str, Array]
) -> pl.DataFrame:
    """SCORE_SCHEMA: one row a hub, period and node. Ranks run from 1, the best, ties taking the better rank."""
    codes = list(framework.node)
    grid = pl.DataFrame({"code": codes}).join(pl.DataFrame({"period": list(steps.periods)}), how="cross")
    grid = grid.join(pl.DataFrame({"hub": list(steps.hubs)}), how="cross")
    frame = grid.with_columns(
        level=pl.col("code").replace_strict(framework.level, return_dtype=pl.Int64),
        score=pl.Series(np.concatenate([scores[code].ravel() for code in codes])).fill_nan(None),
        coverage=pl.Series(np.concatenate([coverage[code].ravel() for code in codes])),
    )
    node = ["code", "period"]
    ranked = frame.with_columns(
        rank=pl.col("score").rank("min", descending=True).over(node).cast(pl.Int64),
        ranked=pl.col("score").is_not_null().sum().over(node).cast(pl.Int64),
        reason=pl.when(pl.col("score").is_not_null())
        .then(None)
        .when(pl.col("coverage") > 0)
        .then(pl.lit(BELOW_MIN_SHARE))
        .otherwise(pl.lit(NO_FIGURES)),
    )
    return ranked.select(SCORE_SCHEMA.names()).cast(SCORE_SCHEMA).sort("period", "level", "code", "hub")


def input_frame(
    panel: pl.DataFrame, framework: Framework, steps: Steps, effective: Array, *, additive: bool
) -> pl.DataFrame:
    """The panel's figures with `normalised`, `weight` and `points`; imputed cells marked, denominators left out.

    effective: (periods, hubs, indicators); additive: whether points add up to the total.
    """
    rows = _with_imputed(panel.filter(pl.col("code").is_in(steps.codes)), framework, steps)
    where = positions(rows, steps.periods, steps.hubs, steps.codes)
    score, weight = steps.cubes["normalised"][where], effective[where]
    points = np.where(np.isnan(score), np.nan, score * weight) if additive else np.full(len(score), np.nan)
    return rows.with_columns(
        normalised=pl.Series(score).fill_nan(None),
        weight=pl.Series(weight).fill_nan(None),
        points=pl.Series(points).fill_nan(None),
    )


def _with_imputed(rows: pl.DataFrame, framework: Framework, steps: Steps) -> pl.DataFrame:
    """Filled cells take the place of rows without figure, or stand where there was no row."""
    filled = steps.changes.filter(pl.col("step").str.starts_with("impute"))
    if filled.height == 0:
        return rows
    key = ["hub", "period", "code"]
    units = {indicator.code: indicator.unit for indicator in framework.indicators}
    made = filled.select(
        *key,
        value="after",
        unit=pl.col("code").replace_strict(units, return_dtype=pl.String),
        status=pl.lit("imputed"),
        source=pl.lit("imputed: ") + pl.col("step").str.strip_prefix("impute "),
    ).cast(PANEL_SCHEMA)
    return pl.concat([rows.join(made, on=key, how="anti"), made]).sort(key)


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
