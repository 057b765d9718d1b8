"""A robustness run: draws of all choices at once, in chunks on several threads, and the counts of ranks they give.

Knows the order of the work. The draws live in `draws`, the scores in `tree_draws`, the ranks in `ranks`, the other
choices in `variants`. Every chunk of draws has a seed of its own, and counts are whole numbers, so that the result is
the same to the last bit for any number of threads.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem
from fhi.framework import Framework
from fhi.recipe import Recipe
from green_index.robustness.bands import acceptability_rows, band_rows, pair_rows
from green_index.robustness.choices import Choices
from green_index.robustness.draws import ChoiceError, GroupWeight, WeightChoice, draw_weights
from green_index.robustness.ranks import (
    Counts,
    Order,
    Places,
    Scale,
    count_places,
    count_wins,
    order_draws,
    places_taken,
    rank_table,
    scale_of,
)
from green_index.robustness.tree_draws import TreePlan, score_draws, score_points, total_scores
from green_index.robustness.variants import Progress, Variants, variants

_BLOCK_SCORES: Final = 2**17
"""Scores of one block, half a MiB of 32-bit floats, so that a block stays in a core's own memory."""
_KEPT_BYTES: Final = 2**23
_CHUNK: Final = 2**14
_DRAWS_A_VARIANT: Final = 256
_MOST_CHUNK: Final = 2**17
_COUNTED_AT_ONCE: Final = 2
"""Places are counted when there are so many for each cell of the counts, since every count reads them all."""


@dataclass(frozen=True)
class RankCounts:
    """Counted ranks: places (hubs, places); wins and ties (hubs, hubs), empty where pairs were not asked for."""

    places: Counts
    wins: Counts
    ties: Counts


@dataclass(frozen=True)
class RobustnessResult:
    """One run, frozen. The tables say what the choices do to ranks: sensitivity to choices, not confidence.

    made_of : the variants with their options, see `variants.Variants`
    """

    made_of: Variants
    counts: RankCounts
    choices: Choices
    draws: int
    seed: int

    def bands(self) -> pl.DataFrame:
        """One row a hub: see `bands.band_rows`."""
        return band_rows(self.made_of.hubs, self.made_of.stated_ranks, self.counts.places, self.seed)

    def acceptability(self) -> pl.DataFrame:
        """One row a hub and rank that it took: see `bands.acceptability_rows`."""
        return acceptability_rows(self.made_of.hubs, self.made_of.stated_ranks, self.counts.places)

    def pairs(self) -> pl.DataFrame:
        """One row an ordered pair of hubs: see `bands.pair_rows`. Empty where pairs were not counted."""
        hubs = self.made_of.hubs if self.counts.wins.size else ()
        return pair_rows(hubs, self.made_of.stated_ranks, self.counts.wins, self.counts.ties)


def robustness(
    panel: pl.DataFrame,
    framework: Framework,
    recipe: Recipe,
    period: str,
    choices: Choices,
    draws: int,
    seed: int,
    threads: int = 1,
    *,
    pairs: bool = True,
    units: pl.DataFrame | None = None,
    progress: Progress | None = None,
    building: Progress | None = None,
) -> RobustnessResult:
    """Draw choices and weights many times over and count the ranks of every hub of one period.

    panel, framework, recipe, units : as for `fhi.index.build_index`; draws : how many, one or more; seed : of the
    whole run, zero or more; threads : how many work at once, without effect on the result; pairs : count how often
    each hub is above each other too; progress : told of draws done; building : told of variants made before. Raises
    ChoiceError, and the errors of `variants`.
    """
    wrong = [("draws", draws, 1), ("seed", seed, 0), ("threads", threads, 1)]
    problems = [
        Problem(name, str(found), f"{least} or more", "wrong_value") for name, found, least in wrong if found < least
    ]
    if problems:
        raise ChoiceError(problems)
    made_of = variants(panel, framework, recipe, period, choices, seed, units, building)
    counts = count_draws(
        [variant.plan for variant in made_of.variants],
        [variant.odds for variant in made_of.variants],
        choices.weights,
        made_of.groups,
        len(made_of.hubs),
        draws,
        seed,
        threads,
        pairs=pairs,
        progress=progress,
    )
    return RobustnessResult(made_of, counts, choices, draws, seed)


def count_draws(
    plans: Sequence[TreePlan],
    odds: Sequence[float],
    choice: WeightChoice,
    groups: Sequence[GroupWeight],
    hubs: int,
    draws: int,
    seed: int,
    threads: int = 1,
    *,
    pairs: bool = True,
    progress: Progress | None = None,
) -> RankCounts:
    """The counted ranks of draws over these plans.

    odds : of the plans, sum 1; hubs : how many take part; other arguments as for `robustness`
    """
    from threadpoolctl import threadpool_limits

    _keep_freed_memory()
    chunks = chunk_sizes(draws, len(plans))
    work = partial(_count_chunk, plans, np.array(odds), choice, groups, hubs, seed, pairs)
    total = _nothing(hubs, pairs=pairs)
    done = 0
    # Threads of the matrix product inside of these threads would stand in each other's way.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for size, counts in zip(chunks, pool.map(work, range(len(chunks)), chunks), strict=True):
            total = _sum(total, counts)
            done += size
            if progress is not None:
                progress(done, draws)
    return total


def _keep_freed_memory() -> None:
    """Let the C library keep what blocks give back: handed to the system and taken anew for every block, it costs a
    third of the whole run. glibc raises its thresholds to the size of what is freed once (mallopt(3)); elsewhere this
    does nothing."""
    np.empty(_KEPT_BYTES, dtype=np.uint8)


def chunk_sizes(draws: int, plans: int) -> list[int]:
    """How many draws each chunk has; larger ones for many plans, since each plan has its share of a chunk."""
    size = min(max(_CHUNK, _DRAWS_A_VARIANT * plans), _MOST_CHUNK)
    whole, rest = divmod(draws, size)
    return [size] * whole + ([rest] if rest else [])


def _count_chunk(
    plans: Sequence[TreePlan],
    odds: Array,
    choice: WeightChoice,
    groups: Sequence[GroupWeight],
    hubs: int,
    seed: int,
    pairs: bool,
    number: int,
    draws: int,
) -> RankCounts:
    """One chunk from its own seed: how many draws each plan gets, then these draws in blocks."""
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(0, number))))
    shares = generator.multinomial(draws, odds) if len(plans) > 1 else [draws]
    total = _nothing(hubs, pairs=pairs)
    waiting: list[Places] = []
    for plan, share in zip(plans, shares, strict=True):
        scale = scale_of_plan(plan)
        for size in block_sizes(int(share), len(plan.hubs)):
            weights = draw_weights(choice, groups, size, generator)
            order = order_draws(score_draws(plan, weights), scale, partial(score_points, plan, weights))
            order = _among_all(order, plan, hubs)
            if pairs:
                total = _with_pairs(total, order, plan, hubs)
            waiting.append(places_taken(order, hubs))
            if sum(map(len, waiting)) >= _COUNTED_AT_ONCE * hubs * hubs:
                total = replace(total, places=total.places + count_places(np.concatenate(waiting), hubs))
                waiting.clear()
    if waiting:
        total = replace(total, places=total.places + count_places(np.concatenate(waiting), hubs))
    return total


def scale_of_plan(plan: TreePlan) -> Scale:
    """Between what the totals of a plan lie, for `ranks.order_draws`."""
    ends = np.abs(total_scores(plan, np.array([plan.low, plan.high])))
    return scale_of(plan.low, plan.high, plan.terms, float(ends.max()))


def block_sizes(draws: int, hubs: int) -> list[int]:
    """How many draws each block has."""
    size = max(_BLOCK_SCORES // hubs, 1)
    whole, rest = divmod(draws, size)
    return [size] * whole + ([rest] if rest else [])


def _among_all(order: Order, plan: TreePlan, hubs: int) -> Order:
    """Places of hubs of a plan as places among all that take part."""
    if len(plan.hubs) == hubs:
        return order
    return replace(order, hubs=plan.hubs.astype(order.hubs.dtype)[order.hubs])


def _with_pairs(total: RankCounts, order: Order, plan: TreePlan, hubs: int) -> RankCounts:
    wins, ties = count_wins(rank_table(order, hubs)[plan.hubs], has_ties=bool(len(order.ties)))
    here = np.ix_(plan.hubs, plan.hubs)
    total.wins[here] += wins
    total.ties[here] += ties
    return total


def _nothing(hubs: int, *, pairs: bool) -> RankCounts:
    size = hubs if pairs else 0
    return RankCounts(
        np.zeros((hubs, hubs), dtype=np.int64),
        np.zeros((size, size), dtype=np.int64),
        np.zeros((size, size), dtype=np.int64),
    )


def _sum(one: RankCounts, other: RankCounts) -> RankCounts:
    return RankCounts(one.places + other.places, one.wins + other.wins, one.ties + other.ties)
