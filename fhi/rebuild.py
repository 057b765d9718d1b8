"""One choice changed, the index built again, the two set side by side.

Knows results and recipes. The arithmetic of agreement lives in `fhi.compare`. Knows no files.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl
from pydantic import ValidationError

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError
from fhi.frames import descending_ranks
from fhi.framework import Framework
from fhi.index import IndexResult
from fhi.recipe import Recipe, problems_of
from fhi.score_tree import score_tree

LEFT_OUT_SCHEMA: Final = pl.Schema(
    {
        "code": pl.String,
        "group": pl.String,
        "level": pl.Int64,
        "period": pl.String,
        "n": pl.Int64,
        "mean_shift": pl.Float64,
        "largest_shift": pl.Int64,
        "moved_most": pl.String,
        "no_longer_ranked": pl.Int64,
    }
)


def adjust(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with other choices: {"normalise.method": "zscore", "aggregate.by_level.0": "geometric"}.

    Raises RecipeError with every problem at once, as reading a recipe file does.
    """
    content = recipe.model_dump()
    for key, value in changes.items():
        *tables, last = key.split(".")
        place: Any = content
        for table in tables:
            place = place.setdefault(table, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise RecipeError([Problem("change", key, "STEP.OPTION, such as normalise.method", "unknown_key")])
        place[last] = value
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(problems_of("change", error)) from error


def leave_one_out(result: IndexResult) -> pl.DataFrame:
    """What each node below the root does for the ranking: LEFT_OUT_SCHEMA, one row a node and period.

    The node goes, its siblings' weights keep their proportions, and the tree is scored again from the same normalised
    figures; weights are not derived anew, so that nothing but the node changes (as COINr's remove_elements), save those
    of benefit of the doubt, which are nothing but the best for the scores there are. The mean and the largest absolute
    change of rank are over the n hubs ranked both times; `moved_most` is the first of those that move most. A node that
    stands alone takes its group with it.
    """
    before = _total_ranks(result.tree.scores, result.framework)
    rows = []
    for group in result.framework.top_down:
        for code in result.framework.children[group]:
            steps = result.steps
            scores = score_tree(
                steps.cubes["normalised"],
                result.framework,
                result.recipe,
                steps.periods,
                steps.hubs,
                result.tree.weights,
                left_out=code,
            ).scores
            after = _total_ranks(scores, result.framework)
            rows += [
                (code, group, result.framework.level[code], period, *_shift(before[p], after[p], steps.hubs))
                for p, period in enumerate(steps.periods)
            ]
    return pl.DataFrame(rows, schema=LEFT_OUT_SCHEMA, orient="row").sort(
        "level", "mean_shift", "code", "period", descending=[False, True, False, False], nulls_last=True
    )


def _total_ranks(scores: Mapping[str, Array], framework: Framework) -> Array:
    """Ranks of the total, (periods, hubs)."""
    ranks: Array = descending_ranks(scores[framework.root][:, None, :])[:, 0, :]
    return ranks


def _shift(before: Array, after: Array, hubs: tuple[str, ...]) -> tuple[int, float | None, int | None, str | None, int]:
    moved = np.abs(after - before)
    both = ~np.isnan(moved)
    lost = int((~np.isnan(before) & np.isnan(after)).sum())
    if not both.any():
        return 0, None, None, None, lost
    most = int(np.nanargmax(moved))
    named = hubs[most] if moved[most] > 0 else None
    return int(both.sum()), float(moved[both].mean()), int(moved[most]), named, lost
