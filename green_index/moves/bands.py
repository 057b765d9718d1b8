"""Rank bands before and after a what-if, drawn alike.

Knows robustness runs and what they are told. Must not know changes of figures or how bands are shown.
"""

from typing import Final

import polars as pl

from fhi.framework import Framework
from fhi.recipe import Recipe
from green_index.robustness.choices import Choices
from green_index.robustness.study import robustness

_SHOWN: Final = ("rank_median", "rank_p05", "rank_p95")
BAND_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "rank_median_before": pl.Float64,
        "rank_p05_before": pl.Float64,
        "rank_p95_before": pl.Float64,
        "rank_median_after": pl.Float64,
        "rank_p05_after": pl.Float64,
        "rank_p95_after": pl.Float64,
        "draws": pl.Int64,
        "seed": pl.Int64,
        "kind": pl.String,
    }
)
AROUND_STATED: Final = Choices()


def bands_beside(
    before: pl.DataFrame,
    after: pl.DataFrame,
    framework: Framework,
    recipe: Recipe,
    period: str,
    draws: int,
    seed: int = 0,
    choices: Choices = AROUND_STATED,
) -> pl.DataFrame:
    """Median, 5th and 95th percentile of each hub's rank over other choices, before and after: BAND_SCHEMA.

    before, after: panels (fhi.panel.PANEL_SCHEMA) of the same hubs; both runs have the same seed, so that a difference
    between them comes from the figures and not from the draws. What is drawn is `choices`, weights around the stated
    ones without it. The bands say how sensitive ranks are to these choices; they are no confidence intervals. Raises
    the errors of `green_index.robustness.study.robustness`.
    """
    runs = [
        robustness(panel, framework, recipe, period, choices, draws, seed, pairs=False).bands()
        for panel in (before, after)
    ]
    first, second = (
        rows.select("hub", "seed", "kind", *(pl.col(name).alias(f"{name}_{side}") for name in _SHOWN))
        for rows, side in zip(runs, ("before", "after"), strict=True)
    )
    joined = first.join(second.drop("seed", "kind"), on="hub", how="left", maintain_order="left")
    joined = joined.with_columns(draws=pl.lit(draws))
    return joined.select(pl.col(name).cast(kind) for name, kind in BAND_SCHEMA.items())
