"""A hub over the years: rank and score by year, why the rank moved, and printed ranks beside our back-cast.

Knows two editions of the same figures: one ranks each year by itself, one on bounds pooled over years, and only the
latter compares between years. Knows no carbon, no SQL and no HTTP.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from fhi.framework import Framework
from fhi.published import OVERALL, printed_editions
from green_index.edition_change import rank_changes_between
from green_index.standing import check_period

TRACK_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "year": pl.Int64,
        "rank": pl.Int64,
        "ranked": pl.Int64,
        "rank_pooled": pl.Int64,
        "score_pooled": pl.Float64,
        "coverage": pl.Float64,
        "from_year": pl.Int64,
        "gained": pl.Int64,
        "own": pl.Float64,
        "others": pl.Float64,
        "method": pl.Float64,
        "revision": pl.Float64,
        "score_change": pl.Float64,
        "reason": pl.String,
    }
)
BESIDE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "year": pl.Int64,
        "index": pl.String,
        "code": pl.String,
        "printed_rank": pl.Int64,
        "printed_text": pl.String,
        "printed_ranked": pl.Int64,
        "printed_score": pl.Float64,
        "printed_source": pl.String,
        "backcast_rank": pl.Int64,
        "backcast_ranked": pl.Int64,
        "backcast_score": pl.Float64,
        "backcast_coverage": pl.Float64,
        "extended_rank": pl.Int64,
        "extended_ranked": pl.Int64,
    }
)
_FHI: Final = "FHI"
_FINTECH: Final = "fintech"


def track_rows(ranking: pl.DataFrame, pooled: pl.DataFrame, framework: Framework, years: Sequence[int]) -> pl.DataFrame:
    """TRACK_SCHEMA, one row a hub and year, by year and rank.

    ranking, pooled : fhi.frames.SCORE_SCHEMA of the two editions, years as periods; framework : of both; years :
    ascending. rank : of the year by itself; rank_pooled, score_pooled : on pooled bounds, which compare between years;
    gained : places of rank_pooled won since from_year, the year asked for before this one; own, others, method,
    revision : the same in parts that sum to it exactly (`rank_change.split_ranks`), where method and revision are zero
    within one edition; reason : why there are no parts. The first year has none. Raises UnknownPeriod.
    """
    for year in years:
        check_period(ranking, str(year))
        check_period(pooled, str(year))
    wanted = pl.col("period").is_in([str(year) for year in years]) & (pl.col("code") == framework.root)
    own = ranking.filter(wanted).select("hub", "period", "rank", "ranked", "coverage")
    compared = pooled.filter(wanted).select("hub", "period", rank_pooled="rank", score_pooled="score")
    moves = [
        rank_changes_between(pooled, framework.root, str(before), str(after)).with_columns(
            period=pl.lit(str(after)), from_year=pl.lit(before, pl.Int64)
        )
        for before, after in pairwise(years)
    ]
    frame = own.join(compared, on=["hub", "period"], how="left", maintain_order="left")
    if moves:
        frame = frame.join(pl.concat(moves), on=["hub", "period"], how="left", maintain_order="left")
    absent = [pl.lit(None).alias(name) for name in TRACK_SCHEMA if name not in ("year", *frame.columns)]
    return (
        frame.with_columns(*absent, year=pl.col("period").cast(pl.Int64))
        .select(pl.col(name).cast(kind) for name, kind in TRACK_SCHEMA.items())
        .sort("year", "rank", "hub", nulls_last=True)
    )


def printed_beside_backcast(scores: pl.DataFrame, framework: Framework, hub: str) -> pl.DataFrame:
    """A hub's printed ranks beside those that our figures give for the same year: BESIDE_SCHEMA by year, index, code.

    scores : fhi.frames.SCORE_SCHEMA of the extended index on the open base, each year ranked by itself; framework : its
    tree. code : the node of the FHI tree, `fintech` for the total. printed_* : as printed, null where nothing was;
    backcast_* : computed by us from open figures for the same node, null where there are none; extended_* : the rank
    in the extended index, beside totals only. What was printed ranks as many places as `printed_ranked` says, ours as
    many as `backcast_ranked`, so that ranks compare as far as these do. GFHI ranks cities of the world, so that its
    rows have no back-cast but that of the fintech group in the same year.
    """
    printed = (
        printed_editions()
        .filter(pl.col("hub") == hub, pl.col("rank").is_not_null() | pl.col("rank_text").is_not_null())
        .select(
            "index",
            period="edition",
            code=pl.col("dimension").replace({OVERALL: _FINTECH}),
            printed_rank="rank",
            printed_text="rank_text",
            printed_ranked="ranked",
            printed_score="score",
            printed_source="source",
        )
    )
    own = scores.filter(pl.col("hub") == hub)
    nodes = [_FINTECH, *framework.children[_FINTECH], *printed["code"]]
    backcast = own.filter(pl.col("code").is_in(nodes), pl.col("score").is_not_null()).select(
        "period",
        "code",
        backcast_rank="rank",
        backcast_ranked="ranked",
        backcast_score="score",
        backcast_coverage="coverage",
    )
    extended = own.filter(pl.col("code") == framework.root).select(
        "period", code=pl.lit(_FINTECH), extended_rank="rank", extended_ranked="ranked"
    )
    of_fhi = printed.filter(pl.col("index") == _FHI)
    of_others = printed.filter(pl.col("index") != _FHI)
    main = of_fhi.join(backcast, on=["period", "code"], how="full", coalesce=True)
    beside = of_others.join(backcast, on=["period", "code"], how="left")
    return (
        pl.concat([main.with_columns(pl.col("index").fill_null(_FHI)), beside], how="diagonal")
        .join(extended, on=["period", "code"], how="left")
        .with_columns(hub=pl.lit(hub), year=pl.col("period").cast(pl.Int64))
        .select(pl.col(name).cast(kind) for name, kind in BESIDE_SCHEMA.items())
        .sort("year", "index", pl.col("code") != _FINTECH, "code")
    )
