"""A small tree with given weights, and figures of four hubs whose scores can be told in the head."""

import polars as pl
import pytest

from fhi.framework import Framework, Group, Indicator
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import AggregateStep, Recipe, WeighStep

FIGURES = {
    # size (log), speed, waste (less is better), pilot (is or is not)
    "ash": (0.0, 10.0, 4.0, 1.0),
    "birch": (9.0, 30.0, 2.0, 0.0),
    "cedar": (99.0, 20.0, 8.0, 0.0),
    "elm": (0.0, 50.0, 6.0, 1.0),
}
"""Scores 0..100: size log10(1 + x) x 50: 0, 50, 100, 0; speed (x - 10) / .4: 0, 50, 25, 100;
waste (8 - x) / .06: 66.67, 100, 0, 33.33; pilot 100, 0, 0, 100."""


def tree(weights: tuple[float, ...] = (3, 1, 1, 1)) -> Framework:
    """Root with group `work` (size, speed: half of the total) and group `care` (waste, pilot)."""
    size, speed, waste, pilot = weights
    groups = (
        Group(code="all", name_en="All", name_zh="全部"),
        Group(code="work", parent="all", name_en="Work", name_zh="工作", weight=1),
        Group(code="care", parent="all", name_en="Care", name_zh="照料", weight=1),
    )
    common = {"name_zh": "某", "name_en": "Some"}
    indicators = (
        Indicator(code="size", parent="work", direction=1, unit="t", transform="log1p", weight=size, **common),
        Indicator(code="speed", parent="work", direction=1, unit="km", weight=speed, **common),
        Indicator(code="waste", parent="care", direction=-1, unit="t", weight=waste, **common),
        Indicator(code="pilot", parent="care", direction=1, unit="0 or 1", weight=pilot, **common),
    )
    return Framework(
        id="small", version="1", title_zh="小", title_en="Small", source="tests", groups=groups, indicators=indicators
    )


def panel_of(figures: dict[str, tuple[float | None, ...]], period: str = "2020") -> pl.DataFrame:
    """Figures of hubs in the order size, speed, waste, pilot; None for no figure."""
    rows = [
        (hub, period, code, value, unit, "observed", "tests")
        for hub, values in figures.items()
        for code, value, unit in zip(
            ("size", "speed", "waste", "pilot"), values, ("t", "km", "t", "0 or 1"), strict=True
        )
        if value is not None
    ]
    return pl.DataFrame(rows, schema=PANEL_SCHEMA, orient="row")


@pytest.fixture
def framework() -> Framework:
    return tree()


@pytest.fixture
def panel() -> pl.DataFrame:
    return panel_of(dict(FIGURES))


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(weights=WeighStep(method="given"), aggregate=AggregateStep(min_share_root=1.0))
