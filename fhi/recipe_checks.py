"""Does a recipe fit the tree and the units it is used on?

Knows recipes, frameworks and the names of units. Knows no figures.
"""

from collections.abc import Collection, Iterator

from fhi.errors import Problem, one_of
from fhi.framework import Framework
from fhi.recipe import Recipe, WeightMethod


def check_recipe(
    recipe: Recipe, framework: Framework, hubs: Collection[str], attributes: Collection[str]
) -> list[Problem]:
    """Every name in the recipe that the data do not have, at once, each with the nearest one that they have.

    hubs: codes of the units; attributes: what is known of units beside figures, such as a region. Goalposts, targets
    and the reference unit are asked for by `fhi.normalise`.
    """
    indicators, groups = list(framework.indicator), list(framework.children)
    levels = sorted({framework.level[group] for group in groups})
    names: list[tuple[str, Collection[str], Collection[str], str]] = [
        ("[screen] keep", recipe.screen.keep, hubs, "a unit of the data"),
        ("[screen] drop", recipe.screen.drop, hubs, "a unit of the data"),
        ("[impute] group", _some(recipe.impute.group), attributes, "an attribute of the units"),
        ("[treat] by_indicator", recipe.treat.by_indicator, indicators, "an indicator of the framework"),
        ("[normalise] by_indicator", recipe.normalise.by_indicator, indicators, "an indicator of the framework"),
        ("[weights] by_group", recipe.weights.by_group, groups, "a group of the framework"),
        ("[weights] targets", recipe.weights.targets, framework.node, "a node of the framework"),
    ]
    problems = [
        Problem(where, repr(name), f"{what}: {one_of(known, name)}", "unknown_name")
        for where, wanted, known, what in names
        for name in wanted
        if name not in known
    ]
    for where, by_level in (("[weights]", recipe.weights.by_level), ("[aggregate]", recipe.aggregate.by_level)):
        problems += [
            Problem(
                f"{where} by_level",
                f"level {level}",
                f"a level that has groups: {', '.join(map(str, levels))} (0 is the total)",
                "unknown_level",
            )
            for level in by_level
            if level not in levels
        ]
    return [*problems, *_check_unit_weights(recipe, framework)]


def _some(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def _check_unit_weights(recipe: Recipe, framework: Framework) -> Iterator[Problem]:
    """Weights that differ by unit are made for one mean."""
    for group, level in ((group, framework.level[group]) for group in framework.children):
        method: WeightMethod = recipe.weights.method_of(group, level)
        mean = recipe.aggregate.method_of(level)
        if method == "bod" and mean != "arithmetic":
            remedy = 'method "arithmetic" there, since the linear program maximises a weighted sum'
            yield Problem(f"[aggregate] group {group}, weighed by bod", f"method {mean!r}", remedy, "wrong_value")
