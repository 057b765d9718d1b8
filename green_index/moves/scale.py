"""Between figures and scores on bounds that stay as they were, there and back.

Knows the scale that min-max gave each indicator in one period. Must not know changes, costs or weights.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem
from fhi.index import IndexResult
from fhi.normalise import observed_bounds, rules_of
from fhi.treat import TRANSFORMS
from green_index.moves.errors import NotStraight


@dataclass(frozen=True)
class Scale:
    """The bounds of each indicator in one period, each array (indicators,) in framework order.

    worst, best: the figures that score `bottom` and `top`, transformed as the figures are; NaN where the indicator is
    not scored in that period. logged: is ln(1 + x) taken first?
    """

    codes: tuple[str, ...]
    worst: Array
    best: Array
    bottom: Array
    top: Array
    logged: npt.NDArray[np.bool_]


def scale_of(result: IndexResult, period: str) -> Scale:
    """The scale of one period of a run: its own bounds, the pooled ones, or goalposts, whichever the run went by.

    Raises NotStraight, naming every step of the recipe that makes a score more than a straight line between two bounds.
    """
    _check(result)
    steps, entries = result.steps, result.framework.indicators
    rules = rules_of(result.recipe.normalise, steps.codes)
    figures = steps.cubes[list(steps.cubes)[-2]]
    pooled = result.recipe.normalise.bounds == "pooled"
    p = steps.periods.index(period)
    least, greatest = (bound[p, 0] for bound in observed_bounds(figures, pooled=pooled))
    for i, entry in enumerate(entries):
        if entry.lower is not None and entry.upper is not None:
            least[i] = float(TRANSFORMS[entry.transform](np.array(entry.lower)))
            greatest[i] = float(TRANSFORMS[entry.transform](np.array(entry.upper)))
    unscored = np.isnan(steps.cubes["normalised"][p]).all(axis=0)
    rising = np.array([entry.direction == 1 for entry in entries])
    return Scale(
        codes=steps.codes,
        worst=np.where(unscored, np.nan, np.where(rising, least, greatest)),
        best=np.where(unscored, np.nan, np.where(rising, greatest, least)),
        bottom=np.array([rule.lower for rule in rules]),
        top=np.array([rule.upper for rule in rules]),
        logged=np.array([entry.transform == "log1p" for entry in entries]),
    )


def scores_of(figures: Array, scale: Scale) -> Array:
    """Scores of figures on the scale, held within its bounds; NaN where there is no figure or no scale.

    figures: (..., indicators), each in its own unit, as before any transformation. Returns the same shape.
    """
    with np.errstate(invalid="ignore"):
        moved = np.where(scale.logged, np.log1p(np.where(scale.logged, figures, 0.0)), figures)
        share = np.clip((moved - scale.worst) / (scale.best - scale.worst), 0.0, 1.0)
    scores: Array = scale.bottom + (scale.top - scale.bottom) * share
    return scores


def figures_of(scores: Array, scale: Scale) -> Array:
    """The figures that have these scores: the way back of `scores_of`, (..., indicators), each in its own unit."""
    share = (scores - scale.bottom) / (scale.top - scale.bottom)
    moved = scale.worst + share * (scale.best - scale.worst)
    figures: Array = np.where(scale.logged, np.expm1(np.where(scale.logged, moved, 0.0)), moved)
    return figures


def _check(result: IndexResult) -> None:
    recipe, problems = result.recipe, []
    for code, rule in zip(result.steps.codes, rules_of(recipe.normalise, result.steps.codes), strict=True):
        if rule.method != "minmax":
            problems.append(Problem(f"[normalise] {code}", rule.method, "minmax, whose bounds can stay", "not_minmax"))
    if recipe.treat.method != "none" or recipe.treat.by_indicator:
        problems.append(Problem("[treat]", recipe.treat.method, "none: treated cells have no way back", "treated"))
    if recipe.denominate.method != "none" and result.framework.denominators:
        expected = "none: set the figures after division instead"
        problems.append(Problem("[denominate]", recipe.denominate.method, expected, "denominated"))
    if problems:
        raise NotStraight(problems)
