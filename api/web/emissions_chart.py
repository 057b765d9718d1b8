"""The picture of a city's emissions: lines of two inventories above, of their intensity below, as numbers for an SVG.

Knows geometry. Knows no text, no colour and no store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.web.market_chart import LEFT, RIGHT, Tick, nice_steps

__all__ = ["HEIGHT", "WIDTH", "Panel", "YearChart", "draw_panel", "draw_years"]

WIDTH, HEIGHT = 960, 430
UPPER_TOP, UPPER_FOOT = 24, 236
LOWER_TOP, LOWER_FOOT = 262, 400
_INSET = 20

Figures = Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """Lines over the same years: name to path, name to a dot of each figure, and the marks of their axis from zero."""

    lines: dict[str, str]
    dots: dict[str, list[tuple[float, float]]]
    ticks: list[Tick]


@dataclass(frozen=True)
class YearChart:
    """All that the SVG is written of."""

    upper: Panel
    lower: Panel
    time_ticks: list[Tick]


def draw_years(years: Sequence[int], upper: Mapping[str, Figures], lower: Mapping[str, Figures]) -> YearChart | None:
    """The picture of figures by year, or none where there is no figure above.

    years : ascending, not empty; upper, lower : name to a figure for each year, null where there is none
    """
    if not any(figure is not None for figures in upper.values() for figure in figures):
        return None
    places = [round(_x_of(year, years), 1) for year in years]
    every = -(-len(years) // 13)
    return YearChart(
        upper=draw_panel(places, upper, UPPER_TOP, UPPER_FOOT),
        lower=draw_panel(places, lower, LOWER_TOP, LOWER_FOOT),
        time_ticks=[Tick(place, str(year)) for place, year in zip(places, years, strict=True)][::every],
    )


def _x_of(year: int, years: Sequence[int]) -> float:
    span = max(years[-1] - years[0], 1)
    return LEFT + _INSET + (RIGHT - LEFT - 2 * _INSET) * (year - years[0]) / span


def draw_panel(places: Sequence[float], lines: Mapping[str, Figures], top: int, foot: int) -> Panel:
    """Lines from zero up, broken where a year has no figure; a year that stands alone is a dot only."""
    known = [figure for figures in lines.values() for figure in figures if figure is not None]
    levels = nice_steps(0.0, max(known, default=1.0), 4)

    def y_of(figure: float) -> float:
        return round(foot - (foot - top) * figure / levels[-1], 1)

    points = {
        name: [None if figure is None else (x, y_of(figure)) for x, figure in zip(places, figures, strict=True)]
        for name, figures in lines.items()
    }
    return Panel(
        lines={name: _path(marks) for name, marks in points.items()},
        dots={name: [mark for mark in marks if mark is not None] for name, marks in points.items()},
        ticks=[Tick(y_of(level), f"{level:g}") for level in levels],
    )


def _path(marks: Sequence[tuple[float, float] | None]) -> str:
    parts = []
    is_open = False
    for mark in marks:
        if mark is not None:
            parts.append(f"{'L' if is_open else 'M'}{mark[0]:.1f} {mark[1]:.1f}")
        is_open = mark is not None
    return "".join(parts)
