"""A parent's score from its children's.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no tree; labels serve its
error messages alone. Outranking and distance to the ideal live in fhi.outranking and fhi.topsis.

Every aggregator takes scores and weights, both (periods, units, children), and returns (periods, units). Weights are
those of `rescaled_weights`: of each unit they sum to 1 over the children that it has and are 0 for a missing child; a
row of NaN weights is a unit with too few, and its score is NaN. A child of weight 0 does not count.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError
from fhi.labels import Labels
from fhi.outranking import copeland, kemeny
from fhi.recipe import AggregateMethod, AggregateStep
from fhi.topsis import closeness

Aggregator = Callable[[Array, Array], Array]
_MOST_PROBLEMS: Final = 20


def rescaled_weights(scores: Array, weights: Array, min_share: float) -> Array:
    """Weights of the children that a hub has, re-scaled to sum to 1; NaN for a hub that has too few.

    scores: (periods, hubs, children), NaN where missing; weights: (children,), or one a hub and period in the shape
    of scores, not negative. The share of a hub is the weight of its children out of the weight of the children that
    any hub has in that period: what nobody has cannot be held against one. Below `min_share` the whole row is NaN.
    Returns (periods, hubs, children), 0 for a missing child.
    """
    here = ~np.isnan(scores)
    own = np.where(here, weights, 0.0)
    possible = np.where(here.any(axis=1, keepdims=True), weights, 0.0).sum(axis=2, keepdims=True)
    total = own.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = (total > 0) & (total / possible >= min_share - 1e-12)
        rescaled: Array = np.where(enough, own / total, np.nan)
    return rescaled


def arithmetic(scores: Array, weights: Array) -> Array:
    """Weighted arithmetic mean over the last axis; a child of weight 0 does not count, NaN weights give NaN.

    scores, weights: (periods, hubs, children); weights sum to 1 along the last axis.
    """
    mean: Array = np.where(weights == 0, 0.0, scores * weights).sum(axis=2)
    return mean


def geometric(scores: Array, weights: Array, labels: Labels | None = None) -> Array:
    """Weighted geometric mean exp(sum w ln x) (OECD/JRC Handbook 2008, step 7): a weak child is hard to make good.

    scores, weights, result: see the module. Raises RecipeError that names every place (up to twenty) where a child
    that counts has a score of zero or less, for which there is no such mean.
    """
    _require(scores, weights, labels, "a geometric mean", zero=False)
    mean: Array = np.exp((weights * np.log(_counted(scores, weights))).sum(axis=2))
    return mean


def harmonic(scores: Array, weights: Array, labels: Labels | None = None) -> Array:
    """Weighted harmonic mean 1 / sum(w / x): below the geometric mean, so that a weak child weighs still more.

    scores, weights, result and errors: as for `geometric`.
    """
    _require(scores, weights, labels, "a harmonic mean", zero=False)
    with np.errstate(over="ignore"):
        mean: Array = 1 / (weights / _counted(scores, weights)).sum(axis=2)
    return mean


def power(scores: Array, weights: Array, exponent: float = 2.0, labels: Labels | None = None) -> Array:
    """Weighted power mean (sum w x^p)^(1/p): p = 1 arithmetic, -1 harmonic, 0 (the limit) geometric.

    scores, weights, result: see the module. Missing children are dropped as in every other mean (COINr's a_genmean
    returns a missing value for the whole unit). Raises RecipeError, as `geometric` does, for a score of zero or less
    where the exponent is not positive, and for one below zero where it is positive and not 1.
    """
    if exponent == 0:
        return geometric(scores, weights, labels)
    if exponent == 1:
        return arithmetic(scores, weights)
    _require(scores, weights, labels, f"a power mean of exponent {exponent:g}", zero=exponent > 0)
    counted = _counted(scores, weights)
    # Measured against the largest term nothing can overflow, whatever the exponent.
    pick = np.where(weights > 0, counted, -np.inf if exponent > 0 else np.inf)
    unit = pick.max(axis=2, keepdims=True) if exponent > 0 else pick.min(axis=2, keepdims=True)
    unit = np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)
    share = np.where(weights > 0, counted / unit, 1.0)
    mean: Array = unit[:, :, 0] * (weights * share**exponent).sum(axis=2) ** (1 / exponent)
    return mean


def ordered(scores: Array, weights: Array, order_weights: Array | None = None) -> Array:
    """Ordered weighted mean: weights go by place among a unit's own children, the best first (Yager 1988).

    scores, weights, result: see the module. order_weights: (places,), not negative, the weight of the best child
    first and of the worst last; any sum above zero; without them every place weighs alike. The cumulative order
    weights are read as a straight-line curve over the shares 0..1 of the group, and a child gets the rise of the
    curve over its own share, its weight (the weighted OWA of Torra 1997). So children of equal weight get the order
    weights as given; equal order weights give the arithmetic mean; and where children are missing, or there are more
    or fewer children than places, the curve is stretched over those there are: first place stays first, last last.
    Raises RecipeError for order weights that are negative or all zero.
    """
    places = np.ones(1) if order_weights is None else np.asarray(order_weights, dtype=np.float64)
    if places.ndim != 1 or not (places >= 0).all() or not places.sum() > 0:
        expected = "one weight a place, best first, none negative and not all zero"
        raise RecipeError([Problem("[aggregate] order_weights", str(places.tolist()), expected, "wrong_value")])
    worst_last = np.argsort(-np.where(weights > 0, scores, -np.inf), axis=2, kind="stable")
    share = np.take_along_axis(weights, worst_last, axis=2)
    reached = np.clip(np.cumsum(share, axis=2), 0.0, 1.0)
    curve = np.concatenate([[0.0], np.cumsum(places) / places.sum()])
    height = np.interp(reached, np.linspace(0.0, 1.0, len(curve)), curve)
    rise = np.diff(height, axis=2, prepend=0.0)
    # Interpolation turns the NaN of a unit with too few children into NaN again, but a missing child into 0 x NaN.
    ranked = np.take_along_axis(np.where(weights == 0, 0.0, scores), worst_last, axis=2)
    mean: Array = np.where(np.isnan(weights).any(axis=2), np.nan, (rise * ranked).sum(axis=2))
    return mean


AGGREGATORS: Final[Mapping[AggregateMethod, Aggregator]] = {
    "arithmetic": arithmetic,
    "geometric": geometric,
    "harmonic": harmonic,
    "power": power,
    "ordered": ordered,
    "copeland": copeland,
    "kemeny": kemeny,
    "topsis": closeness,
}


def aggregator(step: AggregateStep, level: int, labels: Labels | None = None) -> Aggregator:
    """The aggregator that a recipe asks for in groups of one level, its options bound.

    labels: names of the periods, units and children, so that errors can say where; without them they say positions.
    """
    method = step.method_of(level)
    match method:
        case "geometric":
            return partial(geometric, labels=labels)
        case "harmonic":
            return partial(harmonic, labels=labels)
        case "power":
            return partial(power, exponent=step.exponent, labels=labels)
        case "ordered":
            return partial(ordered, order_weights=np.array(step.order_weights, dtype=np.float64))
        case "kemeny":
            return partial(kemeny, labels=labels)
        case _:
            return AGGREGATORS[method]


def _counted(scores: Array, weights: Array) -> Array:
    """Scores with 1 in the place of those that do not count, for logarithms and reciprocals."""
    return np.where(weights > 0, scores, 1.0)


def _require(scores: Array, weights: Array, labels: Labels | None, what: str, *, zero: bool) -> None:
    """Raise RecipeError unless every score that counts is above zero, or not below it where `zero` may stand."""
    wrong = (weights > 0) & ((scores < 0) if zero else (scores <= 0))
    if not wrong.any():
        return
    places: npt.NDArray[np.int64] = np.argwhere(wrong)
    remedy = (
        f"scores {'of zero or more' if zero else 'above zero'} for {what}; normalise to a scale above zero, such as "
        "lower = 1, upper = 100, or aggregate by the arithmetic mean"
    )
    problems = [
        Problem((labels or Labels()).place(*place), f"{scores[tuple(place)]:g}", remedy, "not_positive")
        for place in places[:_MOST_PROBLEMS].tolist()
    ]
    left = len(places) - len(problems)
    if left:
        problems.append(Problem("other places", f"{left} more such scores", "the same", "not_positive"))
    raise RecipeError(problems)
