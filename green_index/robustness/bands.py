"""From counts of ranks to rows: bands of rank, acceptability of ranks, and how often one hub is above another.

Knows counts and names. Knows neither draws nor scores. What these rows tell is sensitivity to the choices that were
varied, by odds that somebody stated; they are no confidence intervals.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from green_index.robustness.ranks import Counts

KIND: Final = "sensitivity to choices"
BAND_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "rank": pl.Int64,
        "rank_mean": pl.Float64,
        "rank_median": pl.Float64,
        "rank_p05": pl.Float64,
        "rank_p95": pl.Float64,
        "rank_min": pl.Int64,
        "rank_max": pl.Int64,
        "share_first": pl.Float64,
        "share_top5": pl.Float64,
        "share_as_stated": pl.Float64,
        "draws": pl.Int64,
        "seed": pl.Int64,
        "kind": pl.String,
    }
)
ACCEPTABILITY_SCHEMA: Final = pl.Schema({"hub": pl.String, "rank": pl.Int64, "share": pl.Float64, "kind": pl.String})
PAIR_SCHEMA: Final = pl.Schema(
    {"hub": pl.String, "other": pl.String, "share": pl.Float64, "share_tied": pl.Float64, "kind": pl.String}
)
_TOP: Final = 5


def quantile_of_counts(counts: Counts, percent: int) -> Array:
    """The quantile of type 7 (Hyndman and Fan 1996; R's default) of the ranks of every hub, rounded once only.

    counts : (hubs, places), how often each place was taken; a hub that never was ranked gets NaN; percent : 0 to 100.
    Returns (hubs,).
    """
    reached = counts.cumsum(axis=1)
    total = reached[:, -1]
    last = np.maximum(total - 1, 0)
    below, part = np.divmod(last * percent, 100)
    above = np.minimum(below + 1, last)
    # The value at position p of the sorted ranks is the first place that more than p draws reach.
    lower = 1 + (reached <= below[:, None]).sum(axis=1)
    upper = 1 + (reached <= above[:, None]).sum(axis=1)
    found: Array = (lower * (100 - part) + upper * part) / 100
    return np.where(total > 0, found, np.nan)


def band_rows(hubs: Sequence[str], stated: Array, counts: Counts, seed: int) -> pl.DataFrame:
    """BAND_SCHEMA, one row a hub, by stated rank.

    stated : (hubs,) ranks of the stated run; counts : (hubs, places). draws : in how many the hub was ranked, which
    shares are of; null figures where it never was.
    """
    places = np.arange(1, counts.shape[1] + 1)
    draws = counts.sum(axis=1)
    total = np.where(draws > 0, draws, 1)
    taken = counts > 0
    never = draws == 0
    columns = {
        "rank": stated,
        "rank_mean": counts @ places / total,
        "rank_median": quantile_of_counts(counts, 50),
        "rank_p05": quantile_of_counts(counts, 5),
        "rank_p95": quantile_of_counts(counts, 95),
        "rank_min": taken.argmax(axis=1) + 1.0,
        "rank_max": counts.shape[1] - taken[:, ::-1].argmax(axis=1).astype(np.float64),
        "share_first": counts[:, 0] / total,
        "share_top5": counts[:, :_TOP].sum(axis=1) / total,
        "share_as_stated": counts[np.arange(len(counts)), stated.astype(np.int64) - 1] / total,
    }
    known = {
        name: pl.Series(np.where(never, np.nan, values) if name != "rank" else values, nan_to_null=True)
        for name, values in columns.items()
    }
    frame = pl.DataFrame({"hub": list(hubs), **known, "draws": draws})
    return (
        frame.with_columns(seed=pl.lit(seed), kind=pl.lit(KIND))
        .select(pl.col(name).cast(dtype) for name, dtype in BAND_SCHEMA.items())
        .sort("rank", "hub")
    )


def acceptability_rows(hubs: Sequence[str], stated: Array, counts: Counts) -> pl.DataFrame:
    """ACCEPTABILITY_SCHEMA: the share of draws in which a hub took a rank (Lahdelma and Salminen 2001), of the ranks
    that it ever took; by stated rank, then by rank. Shares of a hub sum to 1.
    """
    hub, place = np.nonzero(counts)
    share = counts[hub, place] / counts.sum(axis=1)[hub]
    frame = pl.DataFrame(
        {"hub": np.array(hubs)[hub], "rank": place + 1, "share": share, "stated": stated[hub]},
        schema_overrides={"hub": pl.String},
    )
    return (
        frame.sort("stated", "hub", "rank")
        .with_columns(kind=pl.lit(KIND))
        .select(pl.col(name).cast(dtype) for name, dtype in ACCEPTABILITY_SCHEMA.items())
    )


def pair_rows(hubs: Sequence[str], stated: Array, wins: Counts, ties: Counts) -> pl.DataFrame:
    """PAIR_SCHEMA: how often a hub is above another, of the draws in which both are ranked, ties counting half; and how
    often they tie. By stated rank of the hub and of the other; null for two that are never ranked together.
    """
    met = wins + wins.T + ties
    order = sorted(range(len(hubs)), key=lambda i: (stated[i], hubs[i]))
    rows = []
    for one in order:
        for other in order:
            if one != other:
                both = int(met[one, other])
                share = (wins[one, other] + ties[one, other] / 2) / both if both else None
                tied = ties[one, other] / both if both else None
                rows.append((hubs[one], hubs[other], share, tied, KIND))
    return pl.DataFrame(rows, schema=PAIR_SCHEMA, orient="row")
