"""Alerts: whose rank band moved from one period to another, and how plainly.

Knows bands of ranks as rows, whoever drew them. Knows no draws, no scores, no SQL and no HTTP. A band tells what
choices of method do to a rank; it is no confidence interval, and neither is an alert a test.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

_ORDER: Final = pl.Enum(["strong", "weak", "entered", "left"])
_FIGURES: Final[Mapping[str, pl.DataType]] = {
    "rank": pl.Int64(),
    "rank_median": pl.Float64(),
    "rank_p05": pl.Float64(),
    "rank_p95": pl.Float64(),
}

ALERT_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String(),
        "from_period": pl.String(),
        "to_period": pl.String(),
        "kind": pl.String(),
        "direction": pl.String(),
        **{f"{name}_{side}": kind for side in ("before", "after") for name, kind in _FIGURES.items()},
    }
)


def band_alerts(before: pl.DataFrame, after: pl.DataFrame, from_period: str, to_period: str) -> pl.DataFrame:
    """Alerts from one period to another: ALERT_SCHEMA, the plainest first.

    before, after : hub, rank (as stated), rank_median, rank_p05 and rank_p95 (of the ranks drawn), one row a ranked
    hub, such as `robustness.bands.band_rows` gives. kind `strong`: the bands share no rank; `weak`: they do, but the
    median left the band of before; `entered` and `left`: the hub is ranked on one side only. direction: up (to a better
    rank) or down; null for entered and left. A hub whose median stays within the band of before has no row.
    """
    sides = [
        frame.select("hub", *(pl.col(name).cast(kind).alias(f"{name}_{side}") for name, kind in _FIGURES.items()))
        for frame, side in ((before, "before"), (after, "after"))
    ]
    both = sides[0].join(sides[1], on="hub", how="full", coalesce=True)
    rose = pl.col("rank_p95_after") < pl.col("rank_p05_before")
    fell = pl.col("rank_p05_after") > pl.col("rank_p95_before")
    better = pl.col("rank_median_after") < pl.col("rank_p05_before")
    worse = pl.col("rank_median_after") > pl.col("rank_p95_before")
    kind = (
        pl.when(pl.col("rank_before").is_null())
        .then(pl.lit("entered"))
        .when(pl.col("rank_after").is_null())
        .then(pl.lit("left"))
        .when(rose | fell)
        .then(pl.lit("strong"))
        .when(better | worse)
        .then(pl.lit("weak"))
    )
    direction = pl.when(rose | better).then(pl.lit("up")).when(fell | worse).then(pl.lit("down"))
    moved = (pl.col("rank_median_after") - pl.col("rank_median_before")).abs()
    return (
        both.with_columns(
            kind=kind, direction=direction, from_period=pl.lit(from_period), to_period=pl.lit(to_period), moved=moved
        )
        .filter(pl.col("kind").is_not_null())
        .sort(pl.col("kind").cast(_ORDER), -pl.col("moved"), "hub", nulls_last=True)
        .select(pl.col(name).cast(kind) for name, kind in ALERT_SCHEMA.items())
    )
