"""Where one hub stands and why: ranks and gaps of every group, what holds it back, where it leads.

Knows the scores and inputs of a result, whatever they were computed from. Knows no carbon, no SQL and no HTTP.
"""

from typing import Final

import polars as pl

from fhi.framework import Framework
from green_index.errors import UnknownPeriod
from green_index.index import green_framework
from green_index.printed import printed_ranks

STANDING_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "year": pl.Int64,
        "kind": pl.String,
        "level": pl.Int64,
        "code": pl.String,
        "name_zh": pl.String,
        "name_en": pl.String,
        "score": pl.Float64,
        "rank": pl.Int64,
        "ranked": pl.Int64,
        "ahead_hub": pl.String,
        "gap_to_ahead": pl.Float64,
        "leader_hub": pl.String,
        "gap_to_leader": pl.Float64,
        "coverage": pl.Float64,
        "score_pooled": pl.Float64,
        "reason": pl.String,
        "points": pl.Float64,
        "value": pl.Float64,
        "unit": pl.String,
        "status": pl.String,
        "source": pl.String,
    }
)
MOST: Final = 5
DECIMALS: Final = 10
"""Digits kept of differences, as of the scores of an edition."""


def check_period(frame: pl.DataFrame, period: str) -> None:
    """Raises UnknownPeriod, naming the periods that exist, unless the frame's column `period` holds this one."""
    known = frame["period"].unique().sort().to_list()
    if period not in known:
        raise UnknownPeriod(f"no figures for {period}; known: {known[0]} to {known[-1]}" if known else "no figures")


def score_table(scores: pl.DataFrame, framework: Framework, period: str) -> pl.DataFrame:
    """One row a hub for one period, best first: hub, rank, ranked, score, the counted level-1 scores by code,
    coverage (0..1), reason (null where ranked).

    scores: fhi.frames.SCORE_SCHEMA. Raises UnknownPeriod, naming the periods that exist.
    """
    check_period(scores, period)
    here = scores.filter(pl.col("period") == period)
    total = here.filter(pl.col("code") == framework.root)
    groups = here.filter(pl.col("code").is_in(level_one(framework))).pivot("code", index="hub", values="score")
    present = [code for code in level_one(framework) if code in groups.columns]
    return (
        total.join(groups, on="hub", how="left", maintain_order="left")
        .select("hub", "rank", "ranked", "score", *present, "coverage", "reason")
        .sort("rank", "hub", nulls_last=True)
    )


def level_one(framework: Framework) -> tuple[str, ...]:
    """Codes of the counted children of the root, in file order."""
    apart = framework.judgement[framework.root].apart
    return tuple(code for code in framework.children[framework.root] if code not in apart)


def standing(
    scores: pl.DataFrame, inputs: pl.DataFrame, pooled: pl.DataFrame, framework: Framework, hub: str
) -> pl.DataFrame:
    """Everything about one hub's standing in every year, as flat rows (STANDING_SCHEMA).

    kind `score`: the total and every group that anyone has a score of; `rank` out of `ranked` hubs; gaps in points
    to the next better hub and to the leader; `score_pooled` is scored on bounds pooled over all years, so that it
    compares between years, while `score` does not.
    kind `holds_back`: the five indicators that cost most, `points` = weight x (100 - score), the part of the total
    that is missing there (obstacle degree before it is divided by its sum).
    kind `printed`: the FHI ranks that were printed for the hub, whatever this index says.
    kind `leads`: the five indicators that bring most against the median hub, `points` = weight x (score - median).

    scores, pooled: fhi.frames.SCORE_SCHEMA, of the ranking and the tracking recipe; inputs: the ranking's inputs.
    """
    parts = [
        _group_rows(scores, pooled, framework, hub),
        *_indicator_rows(inputs, framework, hub),
        _printed_rows(framework, hub),
    ]
    frame = pl.concat(parts, how="diagonal")
    nodes = {**green_framework("open").node, **framework.node}
    names = pl.DataFrame(
        [(node.code, node.name_zh, node.name_en) for node in nodes.values()],
        schema=["code", "name_zh", "name_en"],
        orient="row",
    )
    order = pl.Enum(["score", "holds_back", "leads", "printed"])
    return (
        frame.join(names, on="code", how="left", maintain_order="left")
        .with_columns(year=pl.col("period").cast(pl.Int64), hub=pl.lit(hub))
        .select(pl.col(name).cast(kind) for name, kind in STANDING_SCHEMA.items())
        .sort(
            pl.col("year"),
            pl.col("kind").cast(order),
            pl.when(pl.col("kind") == "score").then(pl.col("level")),
            pl.when(pl.col("kind") != "score").then(-pl.col("points")),
            pl.col("code").replace_strict({code: i for i, code in enumerate(nodes)}),
            nulls_last=True,
        )
    )


def _group_rows(scores: pl.DataFrame, pooled: pl.DataFrame, framework: Framework, hub: str) -> pl.DataFrame:
    node = ["code", "period"]
    groups = scores.filter(
        pl.col("code").is_in(list(framework.children)),
        pl.col("score").is_not_null().any().over(node) | (pl.col("code") == framework.root),
    )
    own = groups.filter(pl.col("hub") == hub)
    others = groups.filter(pl.col("score").is_not_null()).select(*node, "score", pl.col("hub").alias("other"))
    best = others.sort("score", "other", descending=[True, False]).group_by(node, maintain_order=True).first()
    ahead = (
        own.select(*node, pl.col("score").alias("mine"))
        .join(others, on=node)
        .filter(pl.col("score") > pl.col("mine"))
        .sort("score", "other")
        .group_by(node, maintain_order=True)
        .first()
    )
    comparable = pooled.filter(pl.col("hub") == hub).select(*node, pl.col("score").alias("score_pooled"))
    return (
        own.join(ahead.select(*node, ahead_hub="other", ahead_score="score"), on=node, how="left")
        .join(best.select(*node, leader_hub="other", leader_score="score"), on=node, how="left")
        .join(comparable, on=node, how="left")
        .with_columns(
            kind=pl.lit("score"),
            gap_to_ahead=(pl.col("ahead_score") - pl.col("score")).round(DECIMALS),
            gap_to_leader=(pl.col("leader_score") - pl.col("score")).round(DECIMALS),
        )
    )


def _indicator_rows(inputs: pl.DataFrame, framework: Framework, hub: str) -> list[pl.DataFrame]:
    node = ["code", "period"]
    placed = inputs.with_columns(
        rank=pl.col("normalised").rank("min", descending=True).over(node).cast(pl.Int64),
        ranked=pl.col("normalised").is_not_null().sum().over(node).cast(pl.Int64),
        median=pl.col("normalised").median().over(node),
        level=pl.col("code").replace_strict(framework.level, return_dtype=pl.Int64),
    )
    own = placed.filter((pl.col("hub") == hub) & pl.col("normalised").is_not_null() & (pl.col("weight") > 0))
    lost = pl.col("weight") * (100 - pl.col("normalised"))
    won = pl.col("weight") * (pl.col("normalised") - pl.col("median"))
    return [_top(own, "holds_back", lost), _top(own, "leads", won)]


def _printed_rows(framework: Framework, hub: str) -> pl.DataFrame:
    levels = {**green_framework("open").level, **framework.level}
    return printed_ranks(hub).select(
        pl.lit("printed").alias("kind"),
        pl.col("year").cast(pl.String).alias("period"),
        "code",
        pl.col("code").replace_strict(levels, return_dtype=pl.Int64).alias("level"),
        "rank",
        "source",
    )


def _top(own: pl.DataFrame, kind: str, points: pl.Expr) -> pl.DataFrame:
    return (
        own.with_columns(points=points.round(DECIMALS), kind=pl.lit(kind), score=pl.col("normalised"))
        .filter(pl.col("points") > 0)
        .sort("points", "code", descending=[True, False])
        .group_by("period", maintain_order=True)
        .head(MOST)
        .drop("weight", "normalised", "median", "hub")
    )
