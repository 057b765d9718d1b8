"""Tiers of hubs: natural breaks of the total, or k-means of the level-1 scores, and how firmly each hub stands in its.

Knows arrays of scores and frames of them. Knows no index, no weights and no HTTP.
"""

from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from green_index.errors import GreenIndexError

TierMethod = Literal["natural_breaks", "k_means"]
TIER_METHODS: Final[tuple[TierMethod, ...]] = get_args(TierMethod)
Tiers = npt.NDArray[np.int64]

TIER_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "score": pl.Float64,
        "rank": pl.Int64,
        "tier": pl.Int64,
        "stability": pl.Float64,
        "other_tier": pl.Int64,
        "points_to_other": pl.Float64,
    }
)
SUMMARY_SCHEMA: Final = pl.Schema(
    {
        "tier": pl.Int64,
        "hubs": pl.Int64,
        "lowest": pl.Float64,
        "highest": pl.Float64,
        "mean": pl.Float64,
        "jaccard": pl.Float64,
        "goodness": pl.Float64,
        "method": pl.String,
        "resamples": pl.Int64,
        "seed": pl.Int64,
    }
)
MOST_TIERS: Final = 8
GOOD_FIT: Final = 0.9
"""Share of the variance between tiers at which `choose_tiers` stops. Ours: a usual mark for natural breaks."""
STARTS: Final = 10


class TierError(GreenIndexError):
    """Tiers that these scores cannot have."""


def natural_breaks(scores: Array, tiers: int) -> Tiers:
    """Tier of each score, 1 the highest, so that the sum of squares within tiers is least (Fisher 1958; Jenks 1967).

    scores: (n,), finite; tiers: 1 to the number of distinct scores. Exact, by dynamic programming over the sorted
    distinct scores; equal scores share a tier, and of several best divisions the one with the lowest breaks is taken.
    Raises TierError for a number of tiers that there are no scores for.
    """
    values, place, counts = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True, return_counts=True)
    _check(tiers, len(values))
    within = _squares_within(values, counts)
    n = len(values)
    least = np.full((tiers + 1, n + 1), np.inf)
    least[0, 0] = 0.0
    cut = np.zeros((tiers + 1, n + 1), dtype=np.int64)
    for k in range(1, tiers + 1):
        for end in range(k, n + 1):
            options = least[k - 1, k - 1 : end] + within[k - 1 : end, end]
            best = int(np.argmin(options))
            least[k, end], cut[k, end] = options[best], best + k - 1
    tier_of = np.empty(n, dtype=np.int64)
    end = n
    for k in range(tiers, 0, -1):
        start = int(cut[k, end])
        tier_of[start:end] = tiers - k + 1
        end = start
    return tier_of[place]


def _squares_within(values: Array, counts: npt.NDArray[np.int64]) -> Array:
    """Sum of squares of values[i:j] about their mean, at [i, j]; (n + 1, n + 1)."""
    centred = values - np.average(values, weights=counts)
    ends = [np.concatenate([[0.0], np.cumsum(counts * centred**power)]) for power in range(3)]
    size, total, squares = (end[None, :] - end[:, None] for end in ends)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Array = np.where(size > 0, np.maximum(squares - total**2 / size, 0.0), 0.0)
    return result


def goodness(scores: Array, tier_of: Tiers) -> float:
    """Goodness of variance fit: 1 - squares within tiers / squares of all; 1 where all scores are equal."""
    y = np.asarray(scores, dtype=np.float64)
    whole = float(((y - y.mean()) ** 2).sum())
    within = sum(float(((y[tier_of == k] - y[tier_of == k].mean()) ** 2).sum()) for k in np.unique(tier_of))
    return 1 - within / whole if whole > 0 else 1.0


def choose_tiers(scores: Array) -> int:
    """The least number of natural breaks with a goodness of GOOD_FIT or more, at most MOST_TIERS."""
    most = min(MOST_TIERS, len(np.unique(scores)))
    for tiers in range(1, most + 1):
        if goodness(scores, natural_breaks(scores, tiers)) >= GOOD_FIT:
            return tiers
    return most


def k_means(points: Array, totals: Array, tiers: int, seed: int) -> Tiers:
    """Tier of each hub by k-means of its points (Lloyd 1982), tiers ordered by the mean total of their hubs.

    points: (n, d), as they are: columns on one scale; totals: (n,). The best of STARTS seeded beginnings. Raises
    TierError for more tiers than there are distinct points.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    _check(tiers, len(np.unique(points, axis=0)))
    # A few dozen points are no work for several threads, which only wait for each other.
    with threadpool_limits(limits=1):
        found = KMeans(n_clusters=tiers, n_init=STARTS, random_state=seed).fit(points).labels_
    means = np.array([totals[found == k].mean() for k in range(tiers)])
    place = np.empty(tiers, dtype=np.int64)
    place[np.argsort(-means, kind="stable")] = np.arange(1, tiers + 1)
    tier_of: Tiers = place[found]
    return tier_of


def tier_table(
    scores: pl.DataFrame, method: TierMethod, tiers: int | None, resamples: int, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tiers of the hubs (TIER_SCHEMA) and of each tier (SUMMARY_SCHEMA).

    scores: hub, rank, score and any number of level-1 scores, ranked hubs only. tiers: how many, or None for the least
    that fits well (`choose_tiers`). Stability: the hubs are drawn again with replacement, the tiers made anew, and
    every hub drawn is asked whether it stands in the tier that overlaps most with its own (`stability`, share of the
    resamples with it); `jaccard` is the mean overlap of each tier with that nearest one (Hennig 2007: below 0.6 it is
    no tier to build on). `points_to_other` is how far the total is from the nearest total of another tier. Raises
    TierError.
    """
    level_one = [name for name in scores.columns if name not in ("hub", "rank", "score")]
    table = scores.drop_nulls("score").sort("rank", "hub")
    if table.height < 2:
        raise TierError(f"{table.height} ranked hubs; expected two or more")
    totals = table["score"].to_numpy()
    points = table.select(level_one).to_numpy() if method == "k_means" else totals[:, None]
    if np.isnan(points).any():
        raise TierError("a hub without one of the level-1 scores; expected all of them for k_means")
    wanted = choose_tiers(totals) if tiers is None else tiers
    own = _divide(points, totals, method, wanted, seed)
    firm, overlap = _stability(points, totals, own, method, wanted, resamples, seed)
    gap = np.where(own[:, None] == own[None, :], np.inf, np.abs(totals[:, None] - totals[None, :]))
    nearest = gap.argmin(axis=1)
    alone = wanted == 1
    hubs = table.select("hub", "score", "rank").with_columns(
        tier=pl.Series(own),
        stability=pl.Series(firm, nan_to_null=True),
        other_tier=pl.lit(None, dtype=pl.Int64) if alone else pl.Series(own[nearest]),
        points_to_other=pl.lit(None, dtype=pl.Float64) if alone else pl.Series(gap.min(axis=1)),
    )
    summary = hubs.group_by("tier").agg(
        hubs=pl.len(), lowest=pl.col("score").min(), highest=pl.col("score").max(), mean=pl.col("score").mean()
    )
    summary = summary.sort("tier").with_columns(
        jaccard=pl.Series(overlap, nan_to_null=True),
        goodness=pl.lit(goodness(totals, own)),
        method=pl.lit(method),
        resamples=pl.lit(resamples),
        seed=pl.lit(seed),
    )
    return hubs.cast(TIER_SCHEMA), summary.select(SUMMARY_SCHEMA.names()).cast(SUMMARY_SCHEMA)


def _divide(points: Array, totals: Array, method: TierMethod, tiers: int, seed: int) -> Tiers:
    return natural_breaks(totals, tiers) if method == "natural_breaks" else k_means(points, totals, tiers, seed)


def _stability(
    points: Array, totals: Array, own: Tiers, method: TierMethod, tiers: int, resamples: int, seed: int
) -> tuple[Array, Array]:
    """Share of the resamples in which a hub stays, (n,), and mean overlap of each tier, (tiers,); NaN without any."""
    rng = np.random.default_rng(seed)
    stays, drawn = np.zeros(len(own)), np.zeros(len(own))
    overlap: list[Array] = []
    for _ in range(resamples):
        chosen = np.unique(rng.integers(0, len(own), len(own)))
        if len(np.unique(points[chosen], axis=0)) < tiers or len(np.unique(totals[chosen])) < tiers:
            continue
        again = _divide(points[chosen], totals[chosen], method, tiers, seed)
        shared = _jaccard(own[chosen], again, tiers)
        match = shared.argmax(axis=1) + 1
        stays[chosen] += again == match[own[chosen] - 1]
        drawn[chosen] += 1
        there = np.isin(np.arange(1, tiers + 1), own[chosen])
        overlap.append(np.where(there, shared.max(axis=1), np.nan))
    with np.errstate(invalid="ignore"):
        firm: Array = stays / drawn
    if not overlap:
        return firm, np.full(tiers, np.nan)
    stacked = np.stack(overlap)
    known = ~np.isnan(stacked)
    with np.errstate(invalid="ignore"):
        mean: Array = np.where(known, stacked, 0.0).sum(axis=0) / known.sum(axis=0)
    return firm, mean


def _jaccard(first: Tiers, second: Tiers, tiers: int) -> Array:
    """Overlap of each tier of one division with each of the other: hubs in both / hubs in either, (tiers, tiers)."""
    a = first[None, :] == np.arange(1, tiers + 1)[:, None]
    b = second[None, :] == np.arange(1, tiers + 1)[:, None]
    both = (a[:, None, :] & b[None, :, :]).sum(axis=2)
    either = (a[:, None, :] | b[None, :, :]).sum(axis=2)
    overlap: Array = both / np.maximum(either, 1)
    return overlap


def _check(tiers: int, distinct: int) -> None:
    if not 1 <= tiers <= distinct:
        raise TierError(f"{tiers} tiers; expected 1 to {distinct}, the number of hubs with different scores")
