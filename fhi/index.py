"""The base index: from a panel, a framework and a recipe to scores of every node of the tree.

Knows the order of the work: steps before weights (`fhi.steps`), then the tree (`fhi.score_tree`), then frames
(`fhi.frames`). Knows no source of figures, no database and no carbon.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fhi.errors import PanelError, Problem, RecipeError
from fhi.frames import input_frame, score_frame, weight_frame
from fhi.framework import Framework
from fhi.notes import Note
from fhi.panel import PANEL_SCHEMA, check_panel, hash_panel, sort_panel
from fhi.recipe import Recipe
from fhi.recipe_checks import check_recipe
from fhi.remarks import remark_choices
from fhi.score_tree import TreeScores, coverage, effective_weights, is_additive, score_tree
from fhi.steps import Steps, prepare


@dataclass(frozen=True)
class IndexResult:
    """One run, frozen.

    scores: fhi.frames.SCORE_SCHEMA, one row a hub, period and node; null score and rank with a `reason` where not
    ranked.
    inputs: the panel with each figure's `normalised` score, effective `weight` in the total of that hub and `points`
        (weight x normalised; they add up to the total; null where a group takes another mean than the arithmetic).
        An imputed cell is a row with the filled figure and status `imputed`.
    weights: stated weights by group and child. notes: what the run did that a reader must know. steps: what became of
    the figures before weights. tree: the same scores and weights as arrays.
    """

    framework: Framework
    recipe: Recipe
    scores: pl.DataFrame
    inputs: pl.DataFrame
    weights: pl.DataFrame
    notes: tuple[Note, ...]
    provenance: Mapping[str, str | int]
    steps: Steps
    tree: TreeScores


def build_index(
    panel: pl.DataFrame, framework: Framework, recipe: Recipe, units: pl.DataFrame | None = None
) -> IndexResult:
    """Score every unit and period: screen, denominate, impute, treat, normalise, weigh, aggregate up the tree, rank.

    panel: fhi.panel.PANEL_SCHEMA, with the framework's denominators as rows of their own; units: `hub` and one column
    an attribute such as a region, where `[impute] group` needs one. Raises PanelError with every problem of the panel,
    RecipeError with every choice that these data cannot have, ConstantIndicator where the recipe asks for it,
    WeightError and JudgementError from the weighting.
    """
    # In order first: duplicates then are neighbours, and cheap to look for.
    panel = sort_panel(panel) if panel.schema == PANEL_SCHEMA else panel
    problems = check_panel(panel, framework)
    if panel.is_empty():
        problems = [*problems, Problem("panel", "no row", "figures of one unit at least", "no_figures")]
    if problems:
        raise PanelError(problems)
    units = panel.select("hub").unique() if units is None else units
    attributes = [name for name in units.columns if name not in ("hub", "name")]
    problems = check_recipe(recipe, framework, panel["hub"].unique().to_list(), attributes)
    if problems:
        raise RecipeError(problems)
    steps = prepare(panel, framework, recipe, units)
    tree = _score(steps, framework, recipe)
    figures = coverage(steps.cubes.get("screened", steps.cubes["data"]), framework, tree.weights)
    return IndexResult(
        framework=framework,
        recipe=recipe,
        scores=score_frame(framework, steps, tree.scores, figures),
        inputs=input_frame(
            panel, framework, steps, effective_weights(framework, tree.local), additive=is_additive(framework, recipe)
        ),
        weights=weight_frame(framework, tree.weights, recipe),
        notes=(
            *remark_choices(framework, recipe, steps.periods),
            *_carried_forward(panel),
            *steps.notes,
            *(note for group in framework.top_down for note in tree.weights[group].notes),
        ),
        provenance=provenance(panel, framework, recipe, units),
        steps=steps,
        tree=tree,
    )


def provenance(
    panel: pl.DataFrame, framework: Framework, recipe: Recipe, units: pl.DataFrame | None = None
) -> dict[str, str | int]:
    """What a result was made from: hashes of framework, recipe and data, and the seed.

    units: as for `build_index`; the attribute that imputation goes by is part of the data.
    """
    return {
        "framework": framework.id,
        "framework_hash": framework.hash,
        "recipe_hash": recipe.hash(),
        "data_version": _data_version(panel, recipe.impute.group, units),
        "seed": recipe.seed,
    }


def _data_version(panel: pl.DataFrame, group: str | None, units: pl.DataFrame | None) -> str:
    figures = hash_panel(panel)
    if group is None or units is None:
        return figures
    attribute = units.select("hub", group).sort("hub").write_csv()
    return hashlib.sha256(f"{figures}\n{attribute}".encode()).hexdigest()


def _score(steps: Steps, framework: Framework, recipe: Recipe) -> TreeScores:
    """Weights always come from scores within each period, so that runs that differ in bounds only share them."""
    scores = steps.cubes["normalised"]
    first = score_tree(steps.within, framework, recipe, steps.periods, steps.hubs)
    if steps.within is scores:
        return first
    return score_tree(scores, framework, recipe, steps.periods, steps.hubs, first.weights)


def _carried_forward(panel: pl.DataFrame) -> list[Note]:
    """Which indicators rest on figures of an earlier period, and where."""
    carried = panel.lazy().filter(pl.col("status") == "carried_forward").select("code", "period").unique()
    by_code = carried.sort("code", "period").group_by("code", maintain_order=True).agg("period").collect()
    return [Note("carried_forward", code, tuple(periods)) for code, periods in by_code.iter_rows()]
