"""Why a rank moved between two editions: own change, others' change, method, revised figures. The parts sum exactly.

Knows scores as arrays and how two runs are set against each other. Knows no source of figures, no SQL and no HTTP.

A rank is taken of a field in which method, the hub's own figures and the others' figures each are those of one edition
or the other. Going from the old edition to the new one by one step at a time, each step moves the rank by whole
places; a part is the mean of what its step moves over every order of the steps (Shapley 1953) in which figures are
revised before they move on to another period (Faigle and Kern 1992): a revision is told of the old period, and no
hub is given the credit of it. There are 8 such orders, so that parts are whole eighths, which floats hold exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, Literal

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.frames import descending_ranks

Part = Literal["own", "others", "method", "revision"]
PARTS: Final[tuple[Part, ...]] = ("own", "others", "method", "revision")
SCORE_PARTS: Final[tuple[Part, ...]] = ("own", "method", "revision")
FIGURES: Final = ("as_published", "as_revised", "new_period")
"""Figures of the old period as the old edition has them and as the new one has them, and those of the new period."""
NOT_RANKED_BEFORE: Final = "not_ranked_before"
NOT_RANKED_AFTER: Final = "not_ranked_after"
NOT_RANKED_BETWEEN: Final = "not_ranked_between"

RANK_CHANGE_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "rank_from": pl.Int64,
        "rank_to": pl.Int64,
        "gained": pl.Int64,
        "own": pl.Float64,
        "others": pl.Float64,
        "method": pl.Float64,
        "revision": pl.Float64,
        "score_from": pl.Float64,
        "score_to": pl.Float64,
        "score_change": pl.Float64,
        "score_own": pl.Float64,
        "score_method": pl.Float64,
        "score_revision": pl.Float64,
        "reason": pl.String,
    }
)


@dataclass(frozen=True)
class RankSplit:
    """What moved each hub's rank. before, after : (hubs,) ranks, 1 the best; parts : by part, (hubs,) places gained,
    whole eighths, above zero where the hub rose, NaN where a rank on the way is missing."""

    before: Array
    after: Array
    parts: Mapping[Part, Array]


def _orders(parts: Sequence[Part]) -> tuple[tuple[Part, ...], ...]:
    """The orders in which a revision comes before figures of another period."""
    return tuple(
        order
        for order in permutations(parts)
        if all(order.index("revision") < order.index(part) for part in order if part in ("own", "others"))
    )


def _figures(done: frozenset[Part], moved: Part) -> int:
    """Which of FIGURES a hub, or the others, have when these steps are done."""
    if moved in done:
        return FIGURES.index("new_period")
    return FIGURES.index("as_revised" if "revision" in done else "as_published")


def split_ranks(scores: Array) -> RankSplit:
    """Split the change of every hub's rank into the four parts, in places gained (rank before less rank after).

    scores : (2, 3, hubs), of the old and the new method, on each of FIGURES; NaN where a hub is not ranked. Ties take
    the better rank (`fhi.frames.descending_ranks`). For every hub with all ranks the parts sum to the change exactly.
    """
    known: dict[tuple[int, int, int], Array] = {}

    def rank(done: frozenset[Part]) -> Array:
        place = (int("method" in done), _figures(done, "own"), _figures(done, "others"))
        if place not in known:
            method, own, others = place
            known[place] = mixed_ranks(scores[method, own], scores[method, others])
        return known[place]

    orders = _orders(PARTS)
    total: dict[Part, Array] = {part: np.zeros(scores.shape[2]) for part in PARTS}
    for order in orders:
        for step, part in enumerate(order):
            total[part] += rank(frozenset(order[:step])) - rank(frozenset(order[: step + 1]))
    # Every part is null where one is: a change that is told in part is not told.
    missing = np.isnan(np.sum(list(total.values()), axis=0))
    parts = {part: np.where(missing, np.nan, moved / len(orders)) for part, moved in total.items()}
    return RankSplit(rank(frozenset()), rank(frozenset(PARTS)), parts)


def mixed_ranks(own: Array, others: Array) -> Array:
    """The rank of each hub with its own score of one field among the others' scores of another.

    own, others : (hubs,), NaN where not ranked. Returns (hubs,), NaN where the own score is.
    """
    if np.array_equal(own, others, equal_nan=True):
        alone: Array = descending_ranks(own[None, None, :])[0, 0]
        return alone
    # One row a hub: the others' scores with its own in its place.
    fields = np.where(np.eye(len(own), dtype=bool), own[:, None], others[None, :])
    ranks: Array = np.diagonal(descending_ranks(fields[:, None, :])[:, 0, :]).copy()
    return ranks


def split_scores(scores: Array) -> dict[Part, Array]:
    """Split the change of every hub's own score, in points, into own figures, method and revision.

    scores : (2, 3, hubs) as for `split_ranks`. Returns (hubs,) by part; over the three orders in which a revision comes
    first the mean of what each step adds. Others' figures are no part: on bounds of a period alone what they do to a
    hub's score by way of the bounds counts as own.
    """
    orders = _orders(SCORE_PARTS)
    total: dict[Part, Array] = {part: np.zeros(scores.shape[2]) for part in SCORE_PARTS}
    for order in orders:
        for step, part in enumerate(order):
            before, after = (frozenset(order[:end]) for end in (step, step + 1))
            total[part] += _score(scores, after) - _score(scores, before)
    return {part: added / len(orders) for part, added in total.items()}


def _score(scores: Array, done: frozenset[Part]) -> Array:
    found: Array = scores[int("method" in done), _figures(done, "own")]
    return found


def rank_change_rows(hubs: Sequence[str], scores: Array) -> pl.DataFrame:
    """RANK_CHANGE_SCHEMA, one row a hub, best new rank first.

    hubs : names; scores : (2, 3, hubs) as for `split_ranks`. gained : rank_from - rank_to, above zero where the hub
    rose; own, others, method, revision : the same in parts, which sum to it exactly; reason : null, or why parts are
    null (a hub that was not ranked before, is not after, or would not have been on the way between).
    """
    split, points = split_ranks(scores), split_scores(scores)
    before, after = scores[0, 0], scores[1, 2]
    columns: dict[str, Array] = {
        "rank_from": split.before,
        "rank_to": split.after,
        "gained": split.before - split.after,
        **{str(part): moved for part, moved in split.parts.items()},
        "score_from": before,
        "score_to": after,
        "score_change": after - before,
        **{f"score_{part}": added for part, added in points.items()},
    }
    frame = pl.DataFrame(
        {"hub": list(hubs), **{name: pl.Series(values, nan_to_null=True) for name, values in columns.items()}}
    )
    reason = (
        pl.when(pl.col("rank_from").is_null())
        .then(pl.lit(NOT_RANKED_BEFORE))
        .when(pl.col("rank_to").is_null())
        .then(pl.lit(NOT_RANKED_AFTER))
        .when(pl.col("own").is_null())
        .then(pl.lit(NOT_RANKED_BETWEEN))
    )
    return (
        frame.with_columns(reason=reason)
        .select(pl.col(name).cast(kind) for name, kind in RANK_CHANGE_SCHEMA.items())
        .sort("rank_to", "hub", nulls_last=True)
    )


def same_method_scores(before: Array, after: Array) -> Array:
    """Scores as `split_ranks` takes them, of two periods of one edition: one method, and no figure revised.

    before, after : (hubs,) scores of the two periods
    """
    return np.broadcast_to(np.stack([before, before, after]), (2, 3, len(before)))
