"""Given alternatives run one by one: a table says which options and which set of weights each run has.

Knows tables of runs and the trees of variants. Draws nothing. Scores are of 64-bit floats throughout.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.errors import FhiError, Problem, one_of
from fhi.frames import descending_ranks
from fhi.framework import Framework
from fhi.index import build_index
from fhi.rebuild import adjust
from fhi.recipe import Recipe
from fhi.score_tree import score_tree
from fhi.steps import prepare
from green_index.errors import UnknownPeriod
from green_index.robustness.draws import ChoiceError
from green_index.robustness.tree_draws import (
    Floats,
    TreePlan,
    plan_tree,
    score_draws,
    total_scores,
    unknown_means,
)
from green_index.robustness.variants import PeriodTree, Variants, period_tree, ranks_of, refuse_doubt

Options = Mapping[str, Mapping[Hashable, Mapping[str, Any]]]
"""By column of the table of runs and value in it: changes of the recipe as `fhi.rebuild.adjust` takes them."""
WeightSets = Mapping[Hashable, Mapping[str, float]]
"""By name of a set: the weight of each child that it speaks of."""


@dataclass(frozen=True)
class AlternativeRuns:
    """Scores and ranks of every run, (runs, hubs), NaN where a hub is not ranked, and of the stated run, (hubs,)."""

    hubs: tuple[str, ...]
    scores: Array
    ranks: Array
    stated_scores: Array
    stated_ranks: Array

    def mean_shift(self) -> Array:
        """(runs,): the mean absolute change of rank against the stated run, over hubs ranked both times."""
        shift: Array = np.nanmean(np.abs(self.ranks - self.stated_ranks), axis=1)
        return shift


def run_alternatives(
    panel: pl.DataFrame,
    framework: Framework,
    recipe: Recipe,
    period: str,
    runs: pl.DataFrame,
    options: Options,
    weight_sets: WeightSets | None = None,
    units: pl.DataFrame | None = None,
) -> AlternativeRuns:
    """Score and rank every row of a table of runs.

    runs : one row a run, a column an entry of `options`, and `weight_set` where there are sets; other columns are
    passed over. A set gives weights, in any unit, to all children of a group or to none of them; groups that it does
    not speak of keep the stated weights. Raises ChoiceError with every value that nothing is said of, UnknownPeriod,
    and the errors of `fhi.index.build_index`.
    """
    sets = weight_sets or {}
    problems = [*_check_runs(runs, options, sets), *_check_sets(sets, framework)]
    if problems:
        raise ChoiceError(problems)
    stated = build_index(panel, framework, recipe, units)
    if period not in stated.steps.periods:
        raise UnknownPeriod(f"no figures for {period}; known: {', '.join(stated.steps.periods)}")
    refuse_doubt(stated)
    own = period_tree(stated.tree, framework, stated.steps.periods, stated.steps.hubs, period)
    known = panel.select("hub").unique() if units is None else units
    scores = np.full((runs.height, len(own.hubs)), np.nan)
    wanted = runs.with_row_index("run")
    for values in product(*(list(changes) for changes in options.values())):
        chosen = [pl.col(name) == value for name, value in zip(options, values, strict=True)]
        here = wanted.filter(*chosen) if chosen else wanted
        if here.is_empty():
            continue
        changes = {
            key: new for name, value in zip(options, values, strict=True) for key, new in options[name][value].items()
        }
        changed = adjust(recipe, changes)
        if problems := unknown_means(framework, changed):
            raise ChoiceError(problems)
        try:
            steps = prepare(panel, framework, changed, known)
            normalised = steps.cubes["normalised"]
            tree = score_tree(normalised, framework, changed, steps.periods, steps.hubs, stated.tree.weights)
        except FhiError as error:
            named = ", ".join(f"{name} {value}" for name, value in zip(options, values, strict=True))
            raise ChoiceError(
                [Problem(f"runs of {named}", str(error), "options that go together", "cannot_be")]
            ) from error
        part = period_tree(tree, framework, steps.periods, steps.hubs, period)
        stated_weights = {group: np.nan_to_num(entry.weights) for group, entry in stated.tree.weights.items()}
        weights = _weights_of_runs(here, framework, stated_weights, sets)
        places = [own.hubs.index(hub) for hub in part.hubs if hub in own.hubs]
        kept = np.array([hub in own.hubs for hub in part.hubs])
        scores[np.ix_(here["run"].to_list(), places)] = _score(framework, changed, part, weights)[:, kept]
    total = own.scores[framework.root]
    return AlternativeRuns(own.hubs, scores, rank_runs(scores), total, ranks_of(total))


def _score(framework: Framework, recipe: Recipe, part: PeriodTree, weights: Mapping[str, Array]) -> Array:
    """Totals of some runs of one recipe, (runs, hubs of the part)."""
    everyone = np.arange(len(part.hubs))
    plan = plan_tree(framework, recipe, part.scores, part.local, framework.children, everyone)
    # A hub whose children all weigh nothing in a run has no score there.
    with np.errstate(invalid="ignore"):
        return total_scores(plan, score_draws(plan, weights, precise=True))


def _weights_of_runs(
    runs: pl.DataFrame, framework: Framework, stated: Mapping[str, Array], sets: WeightSets
) -> dict[str, Array]:
    """Weights of every group, (children, runs)."""
    names: Sequence[Any] = runs["weight_set"].to_list() if sets else [None] * runs.height
    found = {}
    for group, children in framework.children.items():
        columns = [
            [sets[name][child] for child in children] if name in sets and children[0] in sets[name] else stated[group]
            for name in names
        ]
        found[group] = np.array(columns, dtype=np.float64).T
    return found


def _check_runs(runs: pl.DataFrame, options: Options, sets: WeightSets) -> list[Problem]:
    known: dict[str, list[Hashable]] = {name: list(changes) for name, changes in options.items()}
    if sets:
        known["weight_set"] = list(sets)
    problems = [
        Problem("runs", f"no column {name}", f"a column {name}", "no_column")
        for name in known
        if name not in runs.columns
    ]
    for name, values in known.items():
        found = runs[name].unique().to_list() if name in runs.columns else []
        problems += [
            Problem(f"runs, column {name}", repr(value), one_of(map(str, values), value), "unknown_name")
            for value in found
            if value not in values
        ]
    return problems


def _check_sets(sets: WeightSets, framework: Framework) -> list[Problem]:
    problems = []
    for name, weights in sets.items():
        unknown = [code for code in weights if code not in framework.node]
        problems += [
            Problem(f"weight set {name}", code, one_of(framework.node, code), "unknown_name") for code in unknown
        ]
        for group, children in framework.children.items():
            named = [child for child in children if child in weights]
            where = f"weight set {name}, group {group}"
            if named and len(named) < len(children):
                problems.append(
                    Problem(where, f"weights of {', '.join(named)} alone", "all children, or none", "incomplete")
                )
            wrong = [child for child in named if not 0 <= weights[child] < np.inf]
            problems += [
                Problem(where, f"{child} {weights[child]:g}", "a number not below 0", "wrong_value") for child in wrong
            ]
            if named and not wrong and not sum(weights[child] for child in named) > 0:
                problems.append(Problem(where, "weights that are all 0", "one above 0 at least", "wrong_value"))
    return problems


def score_runs(made_of: Variants, which: npt.NDArray[np.intp], weights: Mapping[str, Floats]) -> Array:
    """Scores of runs that are given by variant and weights, (runs, hubs), NaN where a variant does not rank a hub.

    which : (runs,) number of the variant of each run; weights : of each group of `made_of.groups`, (children, runs),
    any factor
    """
    scores = np.full((len(which), len(made_of.hubs)), np.nan)
    for number in np.unique(which):
        at = np.flatnonzero(which == number)
        plan: TreePlan = made_of.variants[number].plan
        own = {group: drawn[:, at] for group, drawn in weights.items()}
        scores[np.ix_(at, plan.hubs)] = total_scores(plan, score_draws(plan, own, precise=True))
    return scores


def rank_runs(scores: Array) -> Array:
    """Ranks of every run, (runs, hubs), 1 the best, NaN where not ranked."""
    ranks: Array = descending_ranks(scores[:, None])[:, 0]
    return ranks
