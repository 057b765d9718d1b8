"""What the choices of a recipe mean on a tree, where a reader of the scores could be misled.

Knows trees and recipes. Knows no figures: what a step did to them is remarked where it is done.
"""

from collections.abc import Sequence
from typing import Final

from fhi.framework import Framework
from fhi.notes import Note
from fhi.recipe import Recipe

# Aggregates that place units among those of the same period, on a scale of their own.
_ORDERS: Final = ("copeland", "kemeny", "topsis")


def remark_choices(framework: Framework, recipe: Recipe, periods: Sequence[str]) -> list[Note]:
    """Notes on what the framework states and the recipe passes over, on periods that do not compare, and on scales.

    judgement_passed_over: groups with a judgement that the recipe weighs otherwise. nobody_weighed: groups whose
    children count alike because neither framework nor recipe says how to weigh them. periods_do_not_compare: several
    periods under an aggregate, or weights, that place units within each of them. mixed_scales: groups whose children
    are scores of unlike kinds, such as an indicator from 0 to 100 beside a closeness from 0 to 1.
    """
    passed = [
        group for group in framework.top_down if group in framework.judgement and not _heeds(group, framework, recipe)
    ]
    notes = [Note("judgement_passed_over", framework.root, detail=", ".join(passed))] if passed else []
    silent = [group for group in framework.top_down if _is_silent(group, framework, recipe)]
    if silent and recipe.weights.otherwise == "equal":
        notes.append(Note("nobody_weighed", framework.root, detail=", ".join(silent)))
    levels = [framework.level[group] for group in framework.top_down]
    orders: list[str] = [
        recipe.aggregate.method_of(level) for level in levels if recipe.aggregate.method_of(level) in _ORDERS
    ]
    if recipe.normalise.bounds == "period":
        orders += [
            "bod"
            for level, group in zip(levels, framework.top_down, strict=True)
            if recipe.weights.method_of(group, level) == "bod"
        ]
    if orders and len(periods) > 1:
        notes.append(Note("periods_do_not_compare", framework.root, detail=", ".join(dict.fromkeys(orders))))
    return [*notes, *_mixed_scales(framework, recipe)]


def _heeds(group: str, framework: Framework, recipe: Recipe) -> bool:
    """Does the judgement of a group have a part in its weights?"""
    method = recipe.weights.method_of(group, framework.level[group])
    parts = recipe.weights.blend if method == "blend" else (method,)
    return "framework" in parts or "ahp" in parts


def _is_silent(group: str, framework: Framework, recipe: Recipe) -> bool:
    """Is a group weighed as the framework says, and the framework says nothing of its several children?"""
    children = framework.children[group]
    stated = group in framework.judgement or framework.node[children[0]].weight is not None
    asked = recipe.weights.method_of(group, framework.level[group]) == "framework"
    return asked and not stated and len(children) > 1


def _mixed_scales(framework: Framework, recipe: Recipe) -> list[Note]:
    """Groups whose children are on unlike scales; a mean of children on one scale is on that scale."""
    kind = dict.fromkeys(framework.indicator, "scores")
    notes = []
    for group in reversed(framework.top_down):
        kinds = list(dict.fromkeys(kind[child] for child in framework.children[group]))
        method = recipe.aggregate.method_of(framework.level[group])
        kind[group] = method if method in _ORDERS else (kinds or ["scores"])[0]
        if len(kinds) > 1 and method not in _ORDERS:
            notes.append(Note("mixed_scales", group, detail=", ".join(kinds)))
    return notes
