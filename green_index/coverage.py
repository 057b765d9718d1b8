"""Which hubs are ranked, which are not and why: the figures that each level-1 group of each hub rests on.

Knows the scores and weights of a result, whatever they were computed from. Knows no carbon, no SQL and no HTTP.
"""

from typing import Final

import polars as pl

from fhi.frames import NO_FIGURES
from fhi.framework import Framework
from green_index.standing import check_period, level_one

UNUSED: Final = "unused_figures"
"""There are figures, and no hub has a score from them: they are the same for all, or of too few hubs."""
COVERAGE_SCHEMA: Final = pl.Schema(
    {
        **dict.fromkeys(("hub", "code"), pl.String()),
        "level": pl.Int64(),
        "counted": pl.Boolean(),
        "weight": pl.Float64(),
        "coverage": pl.Float64(),
        "score": pl.Float64(),
        "rank": pl.Int64(),
        "ranked": pl.Int64(),
        "reason": pl.String(),
        "missing": pl.List(pl.String),
    }
)


def coverage_table(scores: pl.DataFrame, weights: pl.DataFrame, framework: Framework, period: str) -> pl.DataFrame:
    """The total and every level-1 group of every hub in one period (COVERAGE_SCHEMA), ranked hubs first.

    coverage: share 0..1 of the node's indicators with a figure, by their stated weights; counted: does the group count
    in the total, or is it shown apart; weight: of the group in the total; rank out of `ranked` hubs in that node;
    reason: null where there is a score, else `no_figures`, `below_min_share` or UNUSED; missing: on the row of the
    total, the counted groups without a score. A group that nobody has a score of in any period is not in the scores of
    an edition: its coverage is null.

    scores: fhi.frames.SCORE_SCHEMA; weights: fhi.weigh.WEIGHT_SCHEMA. Raises UnknownPeriod.
    """
    check_period(scores, period)
    root, counted = framework.root, level_one(framework)
    codes = [root, *framework.children[root]]
    here = scores.filter(pl.col("period") == period, pl.col("code").is_in(codes))
    total = here.filter(pl.col("code") == root).sort("rank", "hub", nulls_last=True)
    stated = weights.filter(pl.col("group") == root).select("code", "weight")
    grid = total.select("hub").join(pl.DataFrame({"code": codes}), how="cross", maintain_order="left_right")
    rows = (
        grid.join(here, on=["hub", "code"], how="left", maintain_order="left")
        .join(stated, on="code", how="left", maintain_order="left")
        .with_columns(
            level=pl.when(pl.col("code") == root).then(0).otherwise(1),
            counted=pl.col("code").is_in([root, *counted]),
            ranked=pl.col("ranked").fill_null(0),
            reason=pl.when(pl.col("score").is_null()).then(
                pl.when((pl.col("ranked") == 0) & (pl.col("coverage") > 0) & (pl.col("code") != root))
                .then(pl.lit(UNUSED))
                .otherwise(pl.col("reason").fill_null(pl.lit(NO_FIGURES)))
            ),
        )
    )
    lacks = (
        rows.filter(pl.col("score").is_null(), pl.col("level") == 1, pl.col("counted"))
        .group_by("hub", maintain_order=True)
        .agg(pl.col("code").alias("missing"))
    )
    return (
        rows.join(lacks, on="hub", how="left", maintain_order="left")
        .with_columns(missing=pl.when(pl.col("level") == 0).then(pl.col("missing").fill_null([])))
        .select(pl.col(name).cast(kind) for name, kind in COVERAGE_SCHEMA.items())
    )
