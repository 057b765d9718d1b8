"""Scores from figures of unlike units.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no tree and no weights: what
it needs to know of an indicator comes as `Facts`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError, one_of
from fhi.recipe import NormaliseRule, NormaliseStep

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """What normalisation must know of the indicators, each (indicators,), figures in the indicator's unit.

    direction: 1 or -1. lower, upper: goalposts, both NaN where there are none. target: NaN where there is none.
    """

    codes: tuple[str, ...]
    direction: Array
    lower: Array
    upper: Array
    target: Array


@dataclass(frozen=True)
class Marks:
    """Fixed points of some indicators, turned so that more is better: each broadcasts to (periods, units, indicators),
    NaN where there is none. direction: 1 or -1, which way they were turned."""

    direction: Array
    lower: Array
    upper: Array
    target: Array
    reference: Array


def observed_bounds(x: Array, *, pooled: bool) -> tuple[Array, Array]:
    """Least and greatest figure of each indicator.

    x: (periods, units, indicators), any unit. Returns two arrays (periods, 1, indicators): of each period alone, or
    the same over all periods where `pooled`. NaN where an indicator has no figure.
    """
    axes = (0, 1) if pooled else (1,)
    # fmin and fmax pass over NaN without a copy of the figures.
    least = np.fmin.reduce(x, axis=axes, keepdims=True, initial=np.nan)
    greatest = np.fmax.reduce(x, axis=axes, keepdims=True, initial=np.nan)
    shape = (x.shape[0], 1, x.shape[2])
    return np.broadcast_to(least, shape).copy(), np.broadcast_to(greatest, shape).copy()


# Below, z is (periods, units, indicators) with more the better, and none of its indicators is constant where a method
# looks for its scale in z. Where bounds are pooled, all periods come as one.


def _share(z: Array, least: Array, greatest: Array) -> Array:
    share: Array = (z - least) / (greatest - least)
    return share


def between_bounds(z: Array, rule: NormaliseRule, marks: Marks) -> Array:
    """lower + (upper - lower)(z - least) / (greatest - least); the goalposts, where an indicator has them, are its
    bounds and hold the figures beyond them (OECD/JRC Handbook 2008, step 5)."""
    least, greatest = observed_bounds(z, pooled=False)
    fixed = ~np.isnan(marks.lower)
    share = _share(z, np.where(fixed, marks.lower, least), np.where(fixed, marks.upper, greatest))
    return rule.lower + (rule.upper - rule.lower) * np.clip(share, 0.0, 1.0)


def between_goalposts(z: Array, rule: NormaliseRule, marks: Marks) -> Array:
    """lower + (upper - lower)(z - goalpost) / (other goalpost - goalpost), held within [lower, upper]."""
    share = np.clip(_share(z, marks.lower, marks.upper), 0.0, 1.0)
    return rule.lower + (rule.upper - rule.lower) * share


def scaled(z: Array, rule: NormaliseRule, marks: Marks) -> Array:
    """The straight line that takes from_lower to lower and from_upper to upper, beyond them too.

    from_lower and from_upper are figures in the indicator's unit; where less is better they are turned with it:
    from_upper becomes lower. (COINr 1.1.14 turns the figures alone, so that all scores are negative.)
    """
    ends = np.sort(np.stack([rule.from_lower * marks.direction, rule.from_upper * marks.direction]), axis=0)
    return rule.lower + (rule.upper - rule.lower) * _share(z, ends[0], ends[1])


def standard_scores(z: Array, rule: NormaliseRule, _marks: Marks) -> Array:
    """rule.mean + rule.sd (z - mean) / standard deviation, that of a sample (n - 1)."""
    n = (~np.isnan(z)).sum(axis=1, keepdims=True)
    n = np.where(n > 1, n, np.nan)
    # In units of the range first: squares of very small or great figures would leave the range of floats.
    share = _share(z, *observed_bounds(z, pooled=False))
    off = share - np.nansum(share, axis=1, keepdims=True) / n
    sd = np.sqrt(np.nansum(off * off, axis=1, keepdims=True) / (n - 1))
    scores: Array = rule.mean + rule.sd * off / sd
    return scores


def ranks(z: Array, _rule: NormaliseRule, _marks: Marks) -> Array:
    """Ascending rank, 1 the worst; figures that tie have the least rank of them all."""
    order = np.argsort(z, axis=1)
    ordered = np.take_along_axis(z, order, axis=1)
    place = np.broadcast_to(np.arange(z.shape[1], dtype=np.float64).reshape(1, -1, 1), z.shape)
    first = np.ones(z.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    found = np.empty(z.shape)
    np.put_along_axis(found, order, 1 + np.maximum.accumulate(np.where(first, place, 0.0), axis=1), axis=1)
    return np.where(np.isnan(z), np.nan, found)


def percentile_ranks(z: Array, rule: NormaliseRule, marks: Marks) -> Array:
    """(rank - 1) / (n - 1), 0 to 1, n the number of figures."""
    n = (~np.isnan(z)).sum(axis=1, keepdims=True)
    return (ranks(z, rule, marks) - 1) / np.where(n > 1, n - 1, np.nan)


def borda(z: Array, rule: NormaliseRule, marks: Marks) -> Array:
    """rank - 1: how many units do worse."""
    return ranks(z, rule, marks) - 1


def distance_to_best(z: Array, rule: NormaliseRule, _marks: Marks) -> Array:
    """1 - (best - z) / (best - worst), taken to [lower, upper]."""
    worst, best = observed_bounds(z, pooled=False)
    return rule.lower + (rule.upper - rule.lower) * (1 - (best - z) / (best - worst))


def distance_to_reference(z: Array, _rule: NormaliseRule, marks: Marks) -> Array:
    """1 - (reference - z) / (reference - worst): 0 for the worst, 1 for the reference unit, more for a better one."""
    worst, _ = observed_bounds(z, pooled=False)
    return 1 - (marks.reference - z) / (marks.reference - worst)


def distance_to_target(z: Array, _rule: NormaliseRule, marks: Marks) -> Array:
    """(z - worst) / (target - worst): 0 for the worst, 1 at the target, more beyond it."""
    worst, _ = observed_bounds(z, pooled=False)
    return _share(z, worst, marks.target)


def share_of_best(z: Array, _rule: NormaliseRule, marks: Marks) -> Array:
    """x / greatest x where more is better, least x / x where less is: 1 for the best unit.

    Figures are positive. (COINr 1.1.14 takes x / least x where less is better, which makes the worst unit the best.)
    """
    _, best = observed_bounds(z, pooled=False)
    up = marks.direction > 0
    share: Array = np.where(up, z, best) / np.where(up, best, z)
    return share


NORMALISERS: Final[Mapping[str, Callable[[Array, NormaliseRule, Marks], Array]]] = {
    "minmax": between_bounds,
    "zscore": standard_scores,
    "rank": ranks,
    "percentile_rank": percentile_ranks,
    "borda": borda,
    "distance_to_best": distance_to_best,
    "distance_to_reference": distance_to_reference,
    "distance_to_target": distance_to_target,
    "goalposts": between_goalposts,
    "scaled": scaled,
    "share_of_best": share_of_best,
}


_FIXED_SCALE: Final = ("goalposts", "scaled")
_TAKES_GOALPOSTS: Final = ("minmax", "goalposts")


def normalise(
    x: Array,
    facts: Facts,
    rules: Sequence[NormaliseRule],
    *,
    bounds: Literal["period", "pooled", "fixed"],
    units: Sequence[str],
    periods: Sequence[str],
) -> Array:
    """Scores of every figure, more being better, each indicator by its own rule.

    x: (periods, units, indicators), any unit, NaN where missing; rules: one an indicator; bounds: whether the scale
    of an indicator comes from each period alone, from all periods at once (scores of different periods then compare),
    or from fixed figures only; units, periods: their codes, for references and messages. Figures are multiplied by
    their direction, then scored by NORMALISERS. Pooled bounds take the last figure that the reference unit has.

    NaN where x is NaN and where `constant` says that an indicator tells units apart in no way. Raises RecipeError
    with every problem at once: a method without the goalposts, target or reference that it needs, bounds `fixed` with
    a method whose scale is never fixed, a reference or target that is not above the worst figure (COINr 1.1.14 gives
    inf), figures that have no share of the best.
    """
    problems = _lacking(facts, rules, bounds, units)
    if problems:
        raise RecipeError(problems)
    pooled = bounds == "pooled"
    z = np.where(constant(x, facts, rules, pooled=pooled)[:, None, :], np.nan, x) * facts.direction
    reference = _references(z, rules, units, pooled=pooled)
    if pooled:
        z = z.reshape(1, -1, z.shape[2])
    where = ["all periods"] if pooled else list(periods)
    problems = _beyond_reach(z, facts, rules, reference, where)
    if problems:
        raise RecipeError(problems)
    scores = np.full(z.shape, np.nan)
    by_rule: dict[NormaliseRule, list[int]] = {}
    for i, rule in enumerate(rules):
        by_rule.setdefault(rule, []).append(i)
    for rule, columns in by_rule.items():
        marks = _marks(facts, reference, columns)
        # A slice takes no copy of the figures.
        place = columns if len(by_rule) > 1 else slice(None)
        scores[:, :, place] = NORMALISERS[rule.method](z[:, :, place], rule, marks)
    return scores.reshape(x.shape)


def constant(x: Array, facts: Facts, rules: Sequence[NormaliseRule], *, pooled: bool) -> Mask:
    """Where an indicator has one value only and no scale but its own figures, (periods, indicators).

    Goalposts and `scaled` bring their own scale, so that one value has a score there.
    """
    least, greatest = observed_bounds(x, pooled=pooled)
    goalposts = ~np.isnan(facts.lower)
    own = [rule.method in _FIXED_SCALE or (rule.method == "minmax" and goalposts[i]) for i, rule in enumerate(rules)]
    flat: Mask = (least == greatest)[:, 0, :] & ~np.array(own, dtype=bool)
    return flat


def _marks(facts: Facts, reference: Array, columns: list[int]) -> Marks:
    direction = facts.direction[columns]
    first, second = facts.lower[columns] * direction, facts.upper[columns] * direction
    return Marks(
        direction=direction,
        lower=np.minimum(first, second),
        upper=np.maximum(first, second),
        target=facts.target[columns] * direction,
        reference=reference[:, :, columns],
    )


def _references(z: Array, rules: Sequence[NormaliseRule], units: Sequence[str], *, pooled: bool) -> Array:
    """The figure of each indicator's reference unit: (periods, 1, indicators), or (1, 1, indicators) if pooled."""
    position = {unit: number for number, unit in enumerate(units)}
    found = np.full((1 if pooled else len(z), 1, z.shape[2]), np.nan)
    for i, rule in enumerate(rules):
        if rule.reference is not None:
            figures = z[:, position[rule.reference], i]
            if pooled:
                figures = figures[~np.isnan(figures)][-1:]
            found[: len(figures), 0, i] = figures
    return found


def _lacking(facts: Facts, rules: Sequence[NormaliseRule], bounds: str, units: Sequence[str]) -> list[Problem]:
    """What the rules ask for and the framework or the data do not have."""
    problems = []
    for i, (code, rule) in enumerate(zip(facts.codes, rules, strict=True)):
        where = f"[normalise] {code}"
        bare = np.isnan(facts.lower[i])
        if bounds == "fixed" and rule.method not in (*_FIXED_SCALE, *_TAKES_GOALPOSTS):
            remedy = "minmax, goalposts or scaled, whose scale can be fixed; or other bounds"
            problems.append(Problem(where, f'method {rule.method} under bounds = "fixed"', remedy, "not_fixed"))
        elif bare and (rule.method == "goalposts" or (bounds == "fixed" and rule.method == "minmax")):
            remedy = "lower and upper of the indicator in the framework, or another method"
            problems.append(Problem(where, "no goalposts", remedy, "no_goalposts"))
        if rule.method == "distance_to_target" and np.isnan(facts.target[i]):
            remedy = "a target of the indicator in the framework, or another method"
            problems.append(Problem(where, "no target", remedy, "no_target"))
        if rule.reference is not None and rule.reference not in units:
            expected = f"a unit of the data: {one_of(units, rule.reference)}"
            problems.append(Problem(where, f"reference {rule.reference}", expected, "unknown_unit"))
    return problems


def _beyond_reach(
    z: Array, facts: Facts, rules: Sequence[NormaliseRule], reference: Array, periods: Sequence[str]
) -> list[Problem]:
    """Where the figures make a rule impossible: nothing above the worst figure to measure towards, or no ratio."""
    worst, best = (bound[:, 0] for bound in observed_bounds(z, pooled=False))
    problems = []
    for i, (code, rule) in enumerate(zip(facts.codes, rules, strict=True)):
        for period in np.flatnonzero(~np.isnan(worst[:, i])):
            where = f"[normalise] {code} in {periods[int(period)]}"
            sign = facts.direction[i]
            if rule.method == "distance_to_reference" and not reference[period, 0, i] > worst[period, i]:
                figure = reference[period, 0, i] * sign
                found = "no figure" if np.isnan(figure) else f"{figure:g}, the worst of all,"
                remedy = "a unit that does better than the worst, or another method"
                problems.append(Problem(where, f"{found} for reference {rule.reference}", remedy, "reference_no_use"))
            if rule.method == "distance_to_target" and not facts.target[i] * sign > worst[period, i]:
                remedy = f"a target better than the worst figure {worst[period, i] * sign:g}, or another method"
                problems.append(Problem(where, f"target {facts.target[i]:g}", remedy, "target_no_use"))
            if rule.method == "share_of_best":
                least = min(worst[period, i] * sign, best[period, i] * sign)
                if least < 0 or (least == 0 and sign < 0):
                    remedy = "figures above zero (zero is a share where more is better), or another method"
                    problems.append(Problem(where, f"the figure {least:g}", remedy, "no_share"))
    return problems


def rules_of(step: NormaliseStep, codes: Sequence[str]) -> tuple[NormaliseRule, ...]:
    """The rule of each indicator: its own of `step.by_indicator`, else the general one."""
    general = NormaliseRule.model_validate(step.model_dump(include=set(NormaliseRule.model_fields)))
    return tuple(step.by_indicator.get(code, general) for code in codes)
