"""Which choice matters most: Sobol indices of the choices of a robustness run, for the ranking and for every hub.

Knows the choices that `variants` can make and sets of drawn weights. The estimators live in `sobol`, the scores in
`alternatives`. What the rows tell is sensitivity to choices, by options and odds that somebody stated; their intervals
are sampling intervals of an index, which more draws narrow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem
from fhi.framework import Framework
from fhi.recipe import Recipe
from green_index.robustness.alternatives import rank_runs, score_runs
from green_index.robustness.bands import KIND
from green_index.robustness.choices import AXES, Choices
from green_index.robustness.draws import ChoiceError, WeightChoice, Weights, draw_weights
from green_index.robustness.sobol import (
    SobolIndices,
    cut_by_odds,
    cut_evenly,
    has_variance,
    sobol_design,
    sobol_indices,
)
from green_index.robustness.variants import Progress, Variants, variants

WEIGHTS: Final = "weights"
FACTORS: Final = (WEIGHTS, *AXES)
RANKING_TARGET: Final = "ranking"
WEIGHT_SETS: Final = 1000
RESAMPLES: Final = 500
IMPORTANCE_SCHEMA: Final = pl.Schema(
    {
        "target": pl.String,
        "choice": pl.String,
        "options": pl.Int64,
        "between": pl.String,
        "first_order": pl.Float64,
        "first_order_low": pl.Float64,
        "first_order_high": pl.Float64,
        "total": pl.Float64,
        "total_low": pl.Float64,
        "total_high": pl.Float64,
        "moved": pl.Float64,
        "mean": pl.Float64,
        "deviation": pl.Float64,
        "reason": pl.String,
        "draws": pl.Int64,
        "runs": pl.Int64,
        "seed": pl.Int64,
        "kind": pl.String,
    }
)
REASONS: Final = ("one_option", "not_ranked", "target_constant", "changed_nothing", "too_few_draws")
"""Why a row has no index, or an index of zero."""

_INDICES: Final = tuple(entry.name for entry in fields(SobolIndices))
_DIGITS: Final = 4
_AT_ONCE: Final = 2**14


@dataclass(frozen=True)
class SobolStudy:
    """One study, frozen.

    choice : of weights; factors : the choices with more than one option; options : how many each has. Outputs are the
    mean absolute change of rank against the stated run, then each hub's rank. indices : (factors, 1 + hubs); moved :
    likewise, the share of runs in which this choice alone changed the output; mean, deviation : (1 + hubs,), of the
    outputs over the 2 x draws independent runs, NaN where a hub was not ranked in some run; varies : (1 + hubs,), does
    the output vary at all?
    """

    made_of: Variants
    choice: WeightChoice
    factors: tuple[str, ...]
    options: tuple[int, ...]
    indices: SobolIndices
    moved: Array
    mean: Array
    deviation: Array
    varies: npt.NDArray[np.bool_]
    draws: int
    seed: int

    @property
    def runs(self) -> int:
        """How many times the index was recomputed."""
        return self.draws * (len(self.factors) + 2)

    def rows(self) -> pl.DataFrame:
        """IMPORTANCE_SCHEMA: every choice, also those with one option only, for the ranking and for every hub, hubs by
        stated rank, choices by total index. See `REASONS`."""
        return _rows(self)


def sobol_study(
    panel: pl.DataFrame,
    framework: Framework,
    recipe: Recipe,
    period: str,
    choices: Choices,
    draws: int,
    seed: int,
    *,
    weight_sets: int = WEIGHT_SETS,
    resamples: int = RESAMPLES,
    units: pl.DataFrame | None = None,
    progress: Progress | None = None,
    building: Progress | None = None,
) -> SobolStudy:
    """The indices of all choices of one period.

    panel, framework, recipe, units : as for `fhi.index.build_index`; draws : N, the runs of each of the two samples,
    best a power of two, so that the index is recomputed N (choices + 2) times; seed : of everything drawn, zero or
    more; weight_sets : how many sets of weights the choice of weights is among; progress : told of recomputations
    done; building : told of variants made before them. Raises ChoiceError, also where no choice has two options, and
    the errors of `variants`.
    """
    made_of = variants(panel, framework, recipe, period, choices, seed, units, building)
    return study_variants(
        made_of, choices.weights, draws, seed, weight_sets=weight_sets, resamples=resamples, progress=progress
    )


def study_variants(
    made_of: Variants,
    choice: WeightChoice,
    draws: int,
    seed: int,
    *,
    weight_sets: int = WEIGHT_SETS,
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
) -> SobolStudy:
    """The indices of choices whose variants are made already; arguments and errors as for `sobol_study`."""
    from threadpoolctl import threadpool_limits

    sets = weight_sets if choice.kind != "stated" and made_of.groups else 1
    counts = dict(zip(FACTORS, (sets, *made_of.shape), strict=True))
    factors = tuple(name for name in FACTORS if counts[name] > 1)
    if not factors or weight_sets < 1:
        found = "each of one option" if weight_sets > 0 else f"{weight_sets} sets of weights"
        raise ChoiceError([Problem("choices", found, "a choice with two options at least", "too_few")])
    points = sobol_design(len(factors), draws, seed).stacked()
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(2,))))
    weights = draw_weights(choice, made_of.groups, sets, generator)
    # Sums in another order, as by another number of threads, would differ in their last digits.
    with threadpool_limits(1, user_api="blas"):
        outputs = _outputs(made_of, weights, _options_of(made_of, factors, sets, points), progress)
        y_a, y_b, y_ab = outputs[0], outputs[1], outputs[2:]
        indices = sobol_indices(y_a, y_b, y_ab, resamples, seed)
    both = outputs[:2].reshape(-1, outputs.shape[2])
    return SobolStudy(
        made_of=made_of,
        choice=choice,
        factors=factors,
        options=tuple(counts[name] for name in factors),
        indices=indices,
        moved=(y_ab != y_a).mean(axis=1),
        mean=both.mean(axis=0),
        deviation=both.std(axis=0, ddof=1),
        varies=has_variance(y_a, y_b),
        draws=draws,
        seed=seed,
    )


def _options_of(
    made_of: Variants, factors: Sequence[str], sets: int, points: Array
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Which variant and which set of weights each run has, (samples, runs) both, from points (samples, runs, factors).

    The parts of [0, 1) that options have are the same whatever was drawn.
    """
    nothing = np.zeros(points.shape[:2], dtype=np.intp)
    which = [
        cut_by_odds(points[:, :, factors.index(axis.name)], axis.odds) if axis.name in factors else nothing
        for axis in made_of.axes
    ]
    chosen = cut_evenly(points[:, :, factors.index(WEIGHTS)], sets) if WEIGHTS in factors else nothing
    return np.ravel_multi_index(which, made_of.shape), chosen


def _outputs(
    made_of: Variants,
    weights: Mapping[str, Weights],
    options: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    progress: Progress | None,
) -> Array:
    """Outputs of all runs, (samples, runs, 1 + hubs), see `SobolStudy`."""
    which, chosen = (numbers.reshape(-1) for numbers in options)
    found = np.empty((len(which), 1 + len(made_of.hubs)))
    # Runs of one variant together, so that each part of the runs meets few variants.
    order = np.argsort(which, kind="stable")
    for start in range(0, len(order), _AT_ONCE):
        at = order[start : start + _AT_ONCE]
        own = {group: drawn[:, chosen[at]] for group, drawn in weights.items()}
        ranks = rank_runs(score_runs(made_of, which[at], own))
        found[at, 0] = mean_shift(ranks, made_of.stated_ranks)
        found[at, 1:] = ranks
        if progress is not None:
            progress(start + len(at), len(order))
    return found.reshape(*options[0].shape, -1)


def mean_shift(ranks: Array, stated: Array) -> Array:
    """The mean absolute change of rank of every run, (runs,), over the hubs that it ranks; NaN where it ranks none.

    ranks : (runs, hubs); stated : (hubs,)
    """
    ranked = ~np.isnan(ranks)
    hubs = ranked.sum(axis=1)
    change = np.where(ranked, np.abs(ranks - stated), 0.0).sum(axis=1)
    return np.where(hubs > 0, change / np.maximum(hubs, 1), np.nan)


def _rows(study: SobolStudy) -> pl.DataFrame:
    targets = (RANKING_TARGET, *study.made_of.hubs)
    places = (0.0, *study.made_of.stated_ranks.tolist())
    parts = [_rows_of(study, number, target, places[number]) for number, target in enumerate(targets)]
    rows = pl.concat(parts).with_columns(
        draws=pl.lit(study.draws), runs=pl.lit(study.runs), seed=pl.lit(study.seed), kind=pl.lit(KIND)
    )
    falling = [False, False, True, False]
    rows = rows.sort("place", "target", "total", "order", descending=falling, nulls_last=True, maintain_order=True)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in IMPORTANCE_SCHEMA.items())


def _rows_of(study: SobolStudy, number: int, target: str, place: float) -> pl.DataFrame:
    """One row a choice, with the place of the target and of the choice to sort by."""
    between = _between(study)
    rows = []
    for order, choice in enumerate(FACTORS):
        varied = choice in study.factors
        at = study.factors.index(choice) if varied else -1
        found = {name: _told(study.indices, name)[at, number] if varied else np.nan for name in _INDICES}
        found |= {"moved": study.moved[at, number] if varied else np.nan}
        found |= {"mean": study.mean[number], "deviation": study.deviation[number]}
        said = {
            "target": target,
            "place": place,
            "order": order,
            "choice": choice,
            "options": study.options[at] if varied else 1,
            "between": between[choice],
            "reason": _reason(study, at, number) if varied else "one_option",
        }
        rows.append(said | {name: None if np.isnan(value) else float(value) for name, value in found.items()})
    return pl.DataFrame(rows, schema_overrides={**IMPORTANCE_SCHEMA, "place": pl.Float64})


def _told(indices: SobolIndices, name: str) -> Array:
    """A table of indices; intervals to the digits that hold on every processor, for they come of 32-bit sums."""
    table: Array = getattr(indices, name)
    # Zero is added so that no zero is below zero.
    return np.round(table, _DIGITS) + 0.0 if name.endswith(("_low", "_high")) else table


def _between(study: SobolStudy) -> dict[str, str]:
    """The options of every choice by name."""
    options = dict(zip(study.factors, study.options, strict=True))
    drawn = f"{options.get(WEIGHTS, 0)} sets: {study.choice.kind}"
    if study.choice.kind in ("dirichlet", "uniform"):
        drawn += f", spread {study.choice.spread:g}"
    axes = {axis.name: ", ".join(axis.options) for axis in study.made_of.axes}
    return {WEIGHTS: drawn if WEIGHTS in options else "stated", **axes}


def _reason(study: SobolStudy, factor: int, number: int) -> str | None:
    if np.isnan(study.mean[number]) or np.isnan(study.indices.first_order[factor, number]):
        return "not_ranked" if study.varies[number] or np.isnan(study.mean[number]) else "target_constant"
    if study.moved[factor, number] == 0:
        return "changed_nothing"
    return "too_few_draws" if np.isnan(study.indices.total_low[factor, number]) else None
