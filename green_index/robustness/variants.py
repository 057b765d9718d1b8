"""The choices of a run other than weights, and one scored tree for every combination of them.

Knows recipes, panels and the steps of the base index. Knows no random weights and no ranks of draws. Weights are those
of the stated run in every variant, so that nothing but the named choices differs (as fhi.rebuild.leave_one_out); which
combination is meant, and on which scale it is scored, is in the table of variants.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.errors import FhiError, PanelError, Problem
from fhi.frames import descending_ranks
from fhi.framework import Framework
from fhi.group_weights import GroupWeights
from fhi.index import IndexResult, build_index
from fhi.panel import check_panel, sort_panel
from fhi.rebuild import adjust
from fhi.recipe import Recipe
from fhi.score_tree import TreeScores, score_tree
from fhi.steps import prepare
from fhi.weights.ahp import priority_weights
from green_index.errors import UnknownPeriod
from green_index.robustness.choices import (
    AS_REPORTED,
    AXES,
    NOTHING,
    Axis,
    Choices,
    Revision,
    axes_of,
    changes_of,
)
from green_index.robustness.draws import ChoiceError, GroupWeight, check_weights
from green_index.robustness.tree_draws import TreePlan, live_children, plan_tree

Progress = Callable[[int, int], None]
"""Told how much is done, of how much."""

_OVER_TIME: Final = ("carry_forward", "linear")


@dataclass(frozen=True)
class Variant:
    """One combination: an option of each axis, how likely it is, and its tree, ready to be scored."""

    options: tuple[str, ...]
    odds: float
    plan: TreePlan


@dataclass(frozen=True)
class Variants:
    """All combinations of a run, in C order of the axes (`np.ravel_multi_index` over `shape` finds one).

    hubs : those ranked in the stated run; stated_ranks, stated_scores : theirs, (hubs,). groups : the stated weights
    that draws go by. table : one row a variant: variant, an option of each axis, odds, scale (least and greatest score
    of an indicator), ranked (how many of the hubs), hubs_moved and mean_shift (absolute change of rank against the
    stated run, by the stated weights): a variant with 0 changed nothing.
    """

    period: str
    hubs: tuple[str, ...]
    stated_ranks: Array
    stated_scores: Array
    axes: tuple[Axis, ...]
    variants: tuple[Variant, ...]
    groups: tuple[GroupWeight, ...]
    table: pl.DataFrame

    @property
    def shape(self) -> tuple[int, ...]:
        """How many options each axis has."""
        return tuple(len(axis.options) for axis in self.axes)


@dataclass(frozen=True)
class _Run:
    """What every variant is made of."""

    panel: pl.DataFrame
    framework: Framework
    recipe: Recipe
    period: str
    units: pl.DataFrame
    stated: IndexResult
    seed: int
    revision: Revision


@dataclass(frozen=True)
class _Figures:
    """Normalised figures (periods, hubs, indicators) with their names: of the steps before weights what is kept."""

    periods: tuple[str, ...]
    hubs: tuple[str, ...]
    normalised: Array


@dataclass(frozen=True)
class PeriodTree:
    """One run in one period over the hubs that it ranks: their names, scores by node and weights by group."""

    hubs: tuple[str, ...]
    scores: Mapping[str, Array]
    local: Mapping[str, Array]


def variants(
    panel: pl.DataFrame,
    framework: Framework,
    recipe: Recipe,
    period: str,
    choices: Choices,
    seed: int = 0,
    units: pl.DataFrame | None = None,
    progress: Progress | None = None,
) -> Variants:
    """Every combination of the choices, each with its own normalised figures, over the hubs ranked in the stated run.

    panel, framework, recipe, units : as for `fhi.index.build_index`; period : the one to be ranked, while weights that
    come from figures are those of all periods. Raises ChoiceError with every option or combination that cannot be,
    UnknownPeriod, and the errors of `build_index`.
    """
    stated = build_index(panel, framework, recipe, units)
    if period not in stated.steps.periods:
        raise UnknownPeriod(f"no figures for {period}; known: {', '.join(stated.steps.periods)}")
    known = panel.select("hub").unique() if units is None else units
    run = _Run(sort_panel(panel), framework, recipe, period, known, stated, seed, choices.revision)
    own = period_tree(stated.tree, framework, stated.steps.periods, stated.steps.hubs, period)
    if not own.hubs:
        raise ChoiceError([Problem(f"period {period}", "no hub ranked", "a period with a ranking", "no_figures")])
    axes = axes_of(choices, framework, recipe)
    refuse_doubt(stated)
    _check_revised(choices.revision.revised, framework, period)
    trees, problems = _trees(run, axes, own.hubs, progress)
    if problems:
        raise ChoiceError(problems)
    groups = _groups(run, [_restricted(tree, own.hubs).local for tree in trees])
    problems = check_weights(choices.weights, groups)
    if problems:
        raise ChoiceError(problems)
    drawn = {group.group: group.children for group in groups}
    odds = [float(np.prod(combination)) for combination in product(*(axis.odds for axis in axes))]
    made = tuple(
        _variant(run, own.hubs, options, chance, tree, drawn)
        for options, chance, tree in zip(product(*(axis.options for axis in axes)), odds, trees, strict=True)
    )
    scores = own.scores[framework.root]
    ranks = ranks_of(scores)
    table = _table(axes, made, trees, own.hubs, ranks, framework)
    return Variants(period, own.hubs, ranks, scores, axes, made, groups, table)


def refuse_doubt(stated: IndexResult) -> None:
    """Raises ChoiceError where a group has other weights for every hub, around which nothing can be drawn."""
    expected = "weights that are the same for every hub"
    doubt = [group for group, entry in stated.tree.weights.items() if entry.scale is not None]
    if doubt:
        found = "weighed by benefit of the doubt"
        raise ChoiceError([Problem(f"group {group}", found, expected, "wrong_value") for group in doubt])


def _check_revised(revised: pl.DataFrame | None, framework: Framework, period: str) -> None:
    """Raises PanelError for a second panel that is none, ChoiceError for one that has no figure of the period."""
    if revised is None:
        return
    problems = check_panel(revised, framework)
    if problems:
        raise PanelError(problems)
    if revised.filter(pl.col("period") == period).is_empty():
        expected = f"figures of {period}"
        raise ChoiceError([Problem("revised panel", f"no row of {period}", expected, "no_figures")])


def ranks_of(scores: Array) -> Array:
    """Ranks of scores (hubs,) as `fhi.frames` gives them."""
    ranks: Array = descending_ranks(scores[None, None])[0, 0]
    return ranks


def period_tree(
    tree: TreeScores, framework: Framework, periods: Sequence[str], hubs: Sequence[str], period: str
) -> PeriodTree:
    """One period of a run, of the hubs that it ranks; periods, hubs : those of the run."""
    at = periods.index(period)
    ranked = ~np.isnan(tree.scores[framework.root][at])
    return PeriodTree(
        tuple(hub for hub, is_ranked in zip(hubs, ranked, strict=True) if is_ranked),
        {code: scores[at, ranked] for code, scores in tree.scores.items()},
        {group: local[at, ranked] for group, local in tree.local.items()},
    )


def _restricted(tree: PeriodTree, hubs: Sequence[str]) -> PeriodTree:
    """The same of these hubs alone."""
    kept = np.array([hub in set(hubs) for hub in tree.hubs], dtype=bool)
    return PeriodTree(
        tuple(hub for hub in tree.hubs if hub in set(hubs)),
        {code: scores[kept] for code, scores in tree.scores.items()},
        {group: local[kept] for group, local in tree.local.items()},
    )


def _trees(
    run: _Run, axes: Sequence[Axis], hubs: Sequence[str], progress: Progress | None
) -> tuple[list[PeriodTree], list[Problem]]:
    """The tree of every combination in C order, or what stands in the way; each must rank some of these hubs."""
    trees, problems = [], []
    combinations = list(product(*(axis.options for axis in axes)))
    panels = {option: _revised(run, option) for option in axes[AXES.index("revision")].options}
    # Combinations that differ in what is left out, or in the mean alone, share the steps before the tree.
    prepared: dict[tuple[str, str], _Figures] = {}
    for number, combination in enumerate(combinations, 1):
        options = dict(zip(AXES, combination, strict=True))
        named = ", ".join(f"{name} {options[name]}" for axis in axes for name in [axis.name] if len(axis.options) > 1)
        try:
            recipe = adjust(run.recipe, changes_of(options, run.recipe))
            key = (options["revision"], recipe.model_copy(update={"aggregate": run.recipe.aggregate}).hash())
            if key not in prepared:
                prepared[key] = _prepare(run, panels[options["revision"]], recipe)
            tree = _scored(run, prepared[key], recipe, options["left_out"])
            if not set(tree.hubs) & set(hubs):
                raise ChoiceError([Problem(named, "none of the hubs ranked", "a choice that ranks hubs", "no_figures")])
            trees.append(tree)
        except (FhiError, ChoiceError) as error:
            problems.append(_refusal(named, error))
        if progress is not None:
            progress(number, len(combinations))
    return trees, problems


def _refusal(named: str, error: Exception) -> Problem:
    """The first thing wrong with a combination, told of the combination."""
    first: Problem | None = next(iter(getattr(error, "problems", ())), None)
    place = named or "the run as stated"
    if first is None:
        return Problem(place, str(error), "choices that can be made together; or leave this option out", "cannot_be")
    found = first.found if first.where == named else f"{first.where}: {first.found}"
    return Problem(place, found, f"{first.expected}; or leave this option out", "cannot_be")


def _prepare(run: _Run, panel: pl.DataFrame, recipe: Recipe) -> _Figures:
    """Steps before weights; of the one period alone where nothing in the recipe looks at other periods."""
    looks_around = recipe.normalise.bounds == "pooled" or recipe.screen.method != "none"
    whole = looks_around or recipe.impute.method in _OVER_TIME
    rows = panel if whole else panel.filter(pl.col("period") == run.period)
    steps = prepare(rows, run.framework, recipe, run.units)
    return _Figures(steps.periods, steps.hubs, steps.cubes["normalised"])


def _scored(run: _Run, figures: _Figures, recipe: Recipe, left_out: str) -> PeriodTree:
    weights: Mapping[str, GroupWeights] = run.stated.tree.weights
    absent = None if left_out == NOTHING else left_out
    periods, hubs = figures.periods, figures.hubs
    tree = score_tree(figures.normalised, run.framework, recipe, periods, hubs, weights, absent)
    return period_tree(tree, run.framework, periods, hubs, run.period)


def _revised(run: _Run, option: str) -> pl.DataFrame:
    """The panel of an option of the axis `revision`."""
    if option == AS_REPORTED:
        return run.panel
    if option == "revised" and run.revision.revised is not None:
        return sort_panel(run.revision.revised)
    number = int(option.removeprefix("disturbed_"))
    return disturb(run.panel, run.framework, run.revision.relative_error, run.seed, number)


def disturb(panel: pl.DataFrame, framework: Framework, relative_error: float, seed: int, number: int) -> pl.DataFrame:
    """The panel with every figure of an indicator times a lognormal factor of mean 1 and this relative deviation.

    The factor is exp(s z - s^2/2) with s^2 = ln(1 + e^2), z normal, drawn in the order of the rows from the seed and
    the number of the panel. Hubs with the same figure of an indicator have the same factor, since they share a source
    or a kind (the cities of one market, pilots and others) and a revision would move them together. Denominators stay.
    """
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(1, number))))
    spread = np.sqrt(np.log1p(relative_error**2))
    factors = np.exp(spread * generator.standard_normal(panel.height) - spread**2 / 2)
    is_figure = pl.col("code").is_in(list(framework.indicator))
    shared = pl.col("factor").first().over("period", "code", "value")
    disturbed = panel.with_columns(factor=pl.Series(factors)).with_columns(
        pl.when(is_figure).then(pl.col("value") * shared).otherwise(pl.col("value")).alias("value")
    )
    return disturbed.drop("factor")


def _groups(run: _Run, locals_: Sequence[Mapping[str, Array]]) -> tuple[GroupWeight, ...]:
    """Stated weights of the total's children, and of every group where two or more count in some variant."""
    alive = [live_children(run.framework, local) for local in locals_]
    found = []
    for group in run.framework.top_down:
        children = run.framework.children[group]
        counted = [i for i, child in enumerate(children) if any(child in live[group] for live in alive)]
        if len(counted) < 2 and group != run.framework.root:
            continue
        weights = run.stated.tree.weights[group].weights[counted]
        named = tuple(children[i] for i in counted)
        found.append(GroupWeight(group, named, weights / weights.sum(), _experts(run, group, named)))
    return tuple(found)


def _experts(run: _Run, group: str, children: Sequence[str]) -> Array | None:
    """Each expert's own weights of these children, (experts, children), where two or more were asked."""
    judgement = run.framework.judgement.get(group)
    if judgement is None or len(judgement.expert) < 2 or judgement.rule == "learned":
        return None
    step = run.recipe.weights
    columns = [judgement.items.index(child) for child in children]
    own = [
        priority_weights(matrix, priority=step.priority, random_index=step.random_index).weights[columns]
        for matrix in judgement.expert_matrices
    ]
    return np.stack([weights / weights.sum() for weights in own])


def _variant(
    run: _Run,
    hubs: tuple[str, ...],
    options: tuple[str, ...],
    odds: float,
    tree: PeriodTree,
    drawn: Mapping[str, Sequence[str]],
) -> Variant:
    own = _restricted(tree, hubs)
    recipe = adjust(run.recipe, changes_of(dict(zip(AXES, options, strict=True)), run.recipe))
    places = np.array([hubs.index(hub) for hub in own.hubs], dtype=np.intp)
    return Variant(options, odds, plan_tree(run.framework, recipe, own.scores, own.local, drawn, places))


def _table(
    axes: Sequence[Axis],
    made: Sequence[Variant],
    trees: Sequence[PeriodTree],
    hubs: tuple[str, ...],
    stated: Array,
    framework: Framework,
) -> pl.DataFrame:
    rows = []
    for number, (variant, tree) in enumerate(zip(made, trees, strict=True)):
        own = _restricted(tree, hubs)
        shift = np.abs(ranks_of(own.scores[framework.root]) - stated[variant.plan.hubs])
        leaves = np.concatenate([own.scores[code] for code in framework.indicator])
        scale = f"{np.nanmin(leaves):.4g}..{np.nanmax(leaves):.4g}"
        moved = (int((shift > 0).sum()), float(shift.mean()))
        rows.append((number, *variant.options, variant.odds, scale, len(own.hubs), *moved))
    names = [axis.name for axis in axes]
    return pl.DataFrame(
        rows, schema=["variant", *names, "odds", "scale", "ranked", "hubs_moved", "mean_shift"], orient="row"
    )
