"""What may be chosen otherwise in a run: the axes, their options, and what an option changes in a recipe.

Knows recipes and the names in a framework. Knows no figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from fhi.errors import Problem, one_of
from fhi.framework import Framework
from fhi.recipe import AggregateMethod, ImputeMethod, NormaliseMethod, Recipe, TreatMethod
from green_index.robustness.draws import ChoiceError, WeightChoice
from green_index.robustness.tree_draws import MEANS, unknown_means

AXES: Final = ("normalisation", "aggregation", "imputation", "treatment", "left_out", "revision")
NOTHING: Final = "none"
AS_STATED: Final = "as_stated"
AS_REPORTED: Final = "as_reported"
MOST_VARIANTS: Final = 5000

# Means that take no score of zero need another scale than 0..100; that of COINr's vignette.
_ABOVE_ZERO: Final[Mapping[str, Mapping[str, Any]]] = {
    "minmax": {"normalise.lower": 1.0, "normalise.upper": 100.0},
    "distance_to_best": {"normalise.lower": 1.0, "normalise.upper": 100.0},
    "goalposts": {"normalise.lower": 1.0, "normalise.upper": 100.0},
    "zscore": {"normalise.mean": 10.0, "normalise.sd": 2.0},
}


@dataclass(frozen=True)
class Revision:
    """Figures as they might have been.

    relative_error : relative standard deviation e of the factor that every figure is multiplied by, drawn by itself
    from a lognormal of mean 1 (zeros stay zeros); panels : how many such panels, from the run's seed. revised : a
    second panel of figures instead.
    """

    relative_error: float = 0.0
    panels: int = 0
    revised: pl.DataFrame | None = None


UNREVISED: Final = Revision()
AROUND_STATED: Final = WeightChoice()


@dataclass(frozen=True)
class Choices:
    """What may be chosen otherwise. Of an axis without options the run keeps its own choice.

    left_out : codes of indicators or groups, one of which, or none, is left out. odds : by axis and option, how often
    an option is drawn; any positive numbers; options that are not named count 1.
    """

    weights: WeightChoice = AROUND_STATED
    normalisation: tuple[NormaliseMethod, ...] = ()
    aggregation: tuple[AggregateMethod, ...] = ()
    imputation: tuple[ImputeMethod, ...] = ()
    treatment: tuple[TreatMethod, ...] = ()
    left_out: tuple[str, ...] = ()
    revision: Revision = UNREVISED
    odds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Axis:
    """One choice with its options and their odds, which sum to 1."""

    name: str
    options: tuple[str, ...]
    odds: tuple[float, ...]


def axes_of(choices: Choices, framework: Framework, recipe: Recipe) -> tuple[Axis, ...]:
    """The axes with their options. Raises ChoiceError with everything that no option can be."""
    revision = choices.revision
    revised = (AS_REPORTED, "revised") if revision.revised is not None else (AS_REPORTED,)
    disturbed = tuple(f"disturbed_{number}" for number in range(1, revision.panels + 1))
    options: dict[str, tuple[str, ...]] = {
        "normalisation": choices.normalisation or (own_normalisation(recipe),),
        "aggregation": choices.aggregation or (own_aggregation(recipe),),
        "imputation": choices.imputation or (recipe.impute.method,),
        "treatment": choices.treatment or (own_treatment(recipe),),
        "left_out": (NOTHING, *choices.left_out) if choices.left_out else (NOTHING,),
        "revision": (*revised, *disturbed),
    }
    problems = [
        *_check_options(options, framework, recipe),
        *_check_revision(revision),
        *_check_odds(choices.odds, options),
    ]
    if problems:
        raise ChoiceError(problems)
    return tuple(_axis(name, options[name], choices.odds.get(name, {})) for name in AXES)


def _axis(name: str, options: tuple[str, ...], odds: Mapping[str, float]) -> Axis:
    said = np.array([odds.get(option, 1.0) for option in options])
    return Axis(name, options, tuple(float(share) for share in said / said.sum()))


def own_normalisation(recipe: Recipe) -> str:
    """The name of the recipe's own option."""
    return AS_STATED if recipe.normalise.by_indicator else recipe.normalise.method


def own_aggregation(recipe: Recipe) -> str:
    """The name of the recipe's own option."""
    return AS_STATED if recipe.aggregate.by_level else recipe.aggregate.method


def own_treatment(recipe: Recipe) -> str:
    """The name of the recipe's own option."""
    return AS_STATED if recipe.treat.by_indicator else recipe.treat.method


def _check_options(options: Mapping[str, tuple[str, ...]], framework: Framework, recipe: Recipe) -> list[Problem]:
    problems = []
    for name, listed in options.items():
        twice = sorted({option for option in listed if listed.count(option) > 1})
        problems += [Problem(f"choices {name}", f"{option} twice", "each option once", "twice") for option in twice]
    # What a recipe itself sets by level may hold any mean.
    own = [mean for mean in options["aggregation"] if mean == own_aggregation(recipe)]
    problems += unknown_means(framework, recipe) if own else []
    expected = f"{', '.join(MEANS)}: the means that weights are drawn for"
    problems += [
        Problem("choices aggregation", mean, expected, "wrong_value")
        for mean in options["aggregation"]
        if mean not in (*MEANS, *own)
    ]
    nodes = [code for code in framework.node if code != framework.root]
    problems += [
        Problem("choices left_out", code, one_of(nodes, code), "unknown_name")
        for code in options["left_out"]
        if code != NOTHING and code not in nodes
    ]
    if int(np.prod([len(listed) for listed in options.values()])) > MOST_VARIANTS:
        found = " x ".join(f"{len(listed)} {name}" for name, listed in options.items() if len(listed) > 1)
        problems.append(Problem("choices", found, f"at most {MOST_VARIANTS} combinations", "too_many"))
    return problems


def _check_revision(revision: Revision) -> list[Problem]:
    panels, error = revision.panels, revision.relative_error
    if (panels, error) != (0, 0) and not (panels > 0 and 0 < error <= 1):
        found = f"{panels} panels with a relative error of {error:g}"
        return [Problem("choices revision", found, "both above zero, the error at most 1, or both zero", "wrong_value")]
    return []


def _check_odds(odds: Mapping[str, Mapping[str, float]], options: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    problems = [Problem("odds", name, one_of(AXES, name), "unknown_name") for name in odds if name not in options]
    for name, shares in odds.items():
        for option, share in shares.items():
            if option not in options.get(name, (option,)):
                problems.append(Problem(f"odds {name}", option, one_of(options[name], option), "unknown_name"))
            if not 0 < share < np.inf:
                problems.append(Problem(f"odds {name} {option}", f"{share:g}", "a number above zero", "wrong_value"))
    return problems


def changes_of(options: Mapping[str, str], recipe: Recipe) -> dict[str, Any]:
    """The changes of a recipe (`fhi.rebuild.adjust`) that options of the first four axes mean.

    A mean that takes no zero is given scores above zero: min-max 1..100, z-scores of mean 10 and deviation 2, as in
    COINr's vignette; without it the scale stays the recipe's own.
    """
    changes: dict[str, Any] = {}
    method, mean = options["normalisation"], options["aggregation"]
    if method not in (own_normalisation(recipe), AS_STATED):
        changes |= {"normalise.method": method, "normalise.by_indicator": {}, "normalise.reference": None}
    if mean not in (own_aggregation(recipe), AS_STATED):
        changes |= {"aggregate.method": mean, "aggregate.by_level": {}, "aggregate.order_weights": ()}
    if mean in ("geometric", "harmonic"):
        changes |= _above_zero(method, recipe)
    if options["imputation"] != recipe.impute.method:
        changes["impute.method"] = options["imputation"]
    if options["treatment"] not in (own_treatment(recipe), AS_STATED):
        changes |= {"treat.method": options["treatment"], "treat.by_indicator": {}}
    return changes


def _above_zero(method: str, recipe: Recipe) -> Mapping[str, Any]:
    """Another scale, unless the recipe's own is above zero already."""
    own = recipe.normalise
    if method == own_normalisation(recipe) and (own.mean > 0 if method == "zscore" else own.lower > 0):
        return {}
    return _ABOVE_ZERO.get(method, {})
