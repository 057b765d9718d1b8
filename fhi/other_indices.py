"""Indices beside FHI that the founding paper names: tiers of GFHI, and the rule of Deloitte's GFHF.

Knows what is printed of them and what follows from it. Knows no figure of our own.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.errors import PanelError, Problem
from fhi.published import GFHI_GLOBAL_HUBS, GFHI_REGIONAL_HUBS, printed_editions

GLOBAL_HUB: Final = "global hub"
REGIONAL_HUB: Final = "regional hub"

TIER_SCHEMA: Final = pl.Schema(
    {
        "edition": pl.String,
        "place": pl.String,
        "hub": pl.String,
        "rank": pl.Int64,
        "tier": pl.String,
        "basis": pl.String,
        "note": pl.String,
        "source": pl.String,
    }
)

GFHF_RANKS: Final = ("innovation_rank", "financial_centre_rank", "business_rank")
GFHF_ASSUMED: Final = "the score is the sum of the three ranks; the paper says equal weights only"
GFHF_SCHEMA: Final = pl.Schema(
    {
        "place": pl.String,
        "innovation_rank": pl.Int64,
        "financial_centre_rank": pl.Int64,
        "business_rank": pl.Int64,
        "score": pl.Int64,
        "rank": pl.Int64,
        "missing": pl.String,
        "assumed": pl.String,
    }
)


@cache
def other_indices() -> pl.DataFrame:
    """The indices that the 2021 paper names: index, publisher, dimensions, method."""
    return pl.read_csv(files("fhi").joinpath("data", "other_indices.csv").read_bytes())


def gfhi_tiers() -> pl.DataFrame:
    """Tiers of GFHI 2021 for the places that the 2021 paper names: TIER_SCHEMA, ranked places first.

    basis: `printed` where the paper names the tier or says that the place is not listed; `derived` where it prints a
    rank, and the tier follows from the sizes that it prints: 9 global hubs, then 41 regional ones. That the two tiers
    follow each other in one ranking of 50 is our reading (the paper places Geneva 42nd among the first 50).
    """
    rank = pl.col("rank")
    derived = (
        pl.when(rank <= GFHI_GLOBAL_HUBS)
        .then(pl.lit(GLOBAL_HUB))
        .when(rank <= GFHI_GLOBAL_HUBS + GFHI_REGIONAL_HUBS)
        .then(pl.lit(REGIONAL_HUB))
    )
    printed = pl.col("rank_text").is_not_null()
    return (
        printed_editions()
        .filter(pl.col("index") == "GFHI")
        .with_columns(
            tier=pl.coalesce("rank_text", derived),
            basis=pl.when(printed).then(pl.lit("printed")).when(rank.is_not_null()).then(pl.lit("derived")),
        )
        .sort("edition", "rank", "place", nulls_last=True)
        .select(TIER_SCHEMA.names())
    )


def gfhf_scores(ranks: pl.DataFrame) -> pl.DataFrame:
    """Scores of places by the rule of Deloitte's GFHF: three ranks in equal weights, lower is better.

    ranks: place, innovation_rank (Global Innovation Index, of the place's economy), financial_centre_rank (Global
    Financial Centres Index, of the city), business_rank (Doing Business, of the economy); whole numbers from 1, null
    where a place is not ranked. Result: GFHF_SCHEMA, in the order given; score = the sum of the three ranks; rank
    ascending by score, ties sharing the least; both null where a rank is missing, and `missing` names which.

    Source: Ye Nan 2021 says "the same weights" and no more. That the printed score is the sum is assumed (GFHF_ASSUMED,
    repeated in the column `assumed`). It gives the scores that the 2016 report printed for London 10, Singapore 10,
    New York 13 and Hong Kong 23 from the ranks of GII 2016, GFCI 19 and Doing Business 2016.

    Raises PanelError with every problem at once: a column that is missing or no number, a rank that is no whole number
    from 1, a place that is blank or named twice.
    """
    problems = _check_columns(ranks)
    if problems:
        raise PanelError(problems)
    problems = _check_rows(ranks)
    if problems:
        raise PanelError(problems)
    absent = [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in GFHF_RANKS]
    innovation, centre, business = (pl.col(name).cast(pl.Int64) for name in GFHF_RANKS)
    return (
        ranks.with_columns(
            score=innovation + centre + business,
            missing=pl.concat_str(absent, separator=", ", ignore_nulls=True).replace("", None),
            assumed=pl.lit(GFHF_ASSUMED),
        )
        .with_columns(rank=pl.col("score").rank("min"))
        .select(GFHF_SCHEMA.names())
        .cast(GFHF_SCHEMA)
    )


def _check_columns(ranks: pl.DataFrame) -> list[Problem]:
    wanted = ("place", *GFHF_RANKS)
    missing = [name for name in wanted if name not in ranks.columns]
    if missing:
        found, expected = ", ".join(ranks.columns) or "none", ", ".join(wanted)
        return [Problem("ranks", f"columns {found}", f"columns {expected}", "missing_column")]
    problems = [
        Problem(f"ranks, column {name}", str(ranks[name].dtype), "whole numbers from 1", "wrong_rank")
        for name in GFHF_RANKS
        if not (ranks[name].dtype.is_numeric() or ranks[name].dtype == pl.Null)
    ]
    if ranks["place"].dtype != pl.String:
        problems.append(Problem("ranks, column place", str(ranks["place"].dtype), "names", "wrong_place"))
    return problems


def _check_rows(ranks: pl.DataFrame) -> list[Problem]:
    problems = []
    place = pl.col("place")
    for name in ranks.filter(place.is_null() | place.is_duplicated())["place"].unique(maintain_order=True):
        found = "a place without name" if name is None else f"{name!r} more than once"
        problems.append(Problem("ranks, column place", found, "one row a place", "duplicate"))
    for name in GFHF_RANKS:
        rank = pl.col(name).cast(pl.Float64)
        whole = rank.is_finite() & (rank >= 1) & (rank == rank.floor())
        for where, found in ranks.filter(rank.is_not_null() & ~whole).select("place", name).iter_rows():
            expected = "a whole number from 1, or null where the place is not ranked"
            problems.append(Problem(f"{where}, {name}", str(found), expected, "wrong_rank"))
    return problems
