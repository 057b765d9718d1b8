"""Small trees with gaps, made for the tests, and the same index worked out in plain Python."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
import pytest

from fhi.framework import Framework, Group, Indicator

PERIOD = "2022"


@dataclass(frozen=True)
class Case:
    """A tree, its weights by node, and figures of hubs, None where missing."""

    framework: Framework
    panel: pl.DataFrame


def make_case(
    tree: Mapping[str, tuple[str, ...]], weights: Mapping[str, float], figures: Mapping[str, tuple[float | None, ...]]
) -> Case:
    """A case from groups with their children (the first group is the total), weights of all nodes but the total, and
    figures of every indicator by hub h0, h1, ..."""
    parent = {child: group for group, children in tree.items() for child in children}
    groups = tuple(
        Group(code=code, name_zh=code, name_en=code, parent=parent.get(code), weight=weights.get(code)) for code in tree
    )
    indicators = tuple(
        Indicator(code=code, name_zh=code, name_en=code, parent=parent[code], direction=1, weight=weights.get(code))
        for code in figures
    )
    named = {"title_zh": "试", "title_en": "test", "source": "made", "id": "test", "version": "1"}
    framework = Framework(groups=groups, indicators=indicators, **named)
    rows = [
        (f"h{number}", PERIOD, code, value, "point", "observed", "made")
        for code, values in figures.items()
        for number, value in enumerate(values)
        if value is not None
    ]
    columns = ["hub", "period", "code", "value", "unit", "status", "source"]
    schema = {name: pl.Float64 if name == "value" else pl.String for name in columns}
    return Case(framework, pl.DataFrame(rows, schema=schema, orient="row"))


MEANS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "arithmetic": (lambda x: x, lambda y: y),
    "geometric": (math.log, math.exp),
    "harmonic": (lambda x: 1 / x, lambda y: 1 / y),
}


def plain_score(
    framework: Framework,
    code: str,
    has: Mapping[tuple[str, str], bool],
    figures: Mapping[str, float],
    weights: Mapping[str, float],
    means: Callable[[int], str],
) -> float:
    """A node's score of one hub: the weighted mean of the children that the hub has, one by one.

    has : by group and child; figures : normalised, of the hub; weights : by node; means : of a level
    """
    if code in framework.indicator:
        return figures[code]
    forth, back = MEANS[means(framework.level[code])]
    own = [child for child in framework.children[code] if has[code, child]]
    total = sum(weights[child] for child in own)
    parts = [plain_score(framework, child, has, figures, weights, means) for child in own]
    return back(sum(weights[child] * forth(part) for child, part in zip(own, parts, strict=True)) / total)


def plain_ranks(scores: list[float]) -> list[int]:
    """1 and how many are better by more than 1e-12 of the greatest."""
    near = 1e-12 * max(map(abs, scores))
    return [1 + sum(other > score + near for other in scores) for score in scores]


@pytest.fixture
def two_levels() -> Case:
    """Three groups of two, three and one indicator; h3 lacks a2, h4 lacks c1 and so all of c; h5 is like h2."""
    return make_case(
        {"t": ("a", "b", "c"), "a": ("a1", "a2"), "b": ("b1", "b2", "b3"), "c": ("c1",)},
        {"a": 2, "b": 1, "c": 1, "a1": 1, "a2": 3, "b1": 1, "b2": 1, "b3": 2, "c1": 1},
        {
            "a1": (1.0, 5.0, 3.0, 4.0, 2.0, 3.0),
            "a2": (9.0, 2.0, 5.0, None, 1.0, 5.0),
            "b1": (3.0, 8.0, 1.0, 6.0, 7.0, 1.0),
            "b2": (2.0, 4.0, 8.0, 5.0, 6.0, 8.0),
            "b3": (7.0, 1.0, 4.0, 2.0, 9.0, 4.0),
            "c1": (4.0, 1.0, 6.0, 2.0, None, 6.0),
        },
    )
