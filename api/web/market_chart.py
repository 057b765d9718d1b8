"""The picture of a market: a line of prices above, bars of tonnes below, as the numbers that an SVG is written of.

Knows geometry: where a day lies, how long a bar is, which figures the axes show. Knows no text, no colour and no store.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from math import floor, log10
from typing import Final

import polars as pl

__all__ = ["HEIGHT", "WIDTH", "Chart", "Tick", "choose_bucket", "draw_chart", "nice_steps"]

WIDTH, HEIGHT = 960, 430
LEFT, RIGHT = 62, 948
PRICE_TOP, PRICE_FOOT = 24, 236
VOLUME_TOP, VOLUME_FOOT = 262, 400
_STEPS: Final = (1, 2, 2.5, 5, 10)
_MOST_DAYS, _MOST_WEEKS = 130, 640
_MOST_LABELS: Final = 12
_TONNES_PER_MT: Final = 1_000_000


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place in the picture and its figure."""

    at: float
    figure: str


@dataclass(frozen=True)
class Chart:
    """All that the SVG is written of; tonnes are marked in millions.

    price_path : the line, broken where a session had no listed trade; bars : method
    to path of its bars, stacked in that order; bucket : day, week, month or year that a bar stands for.
    """

    price_path: str
    bars: dict[str, str]
    bucket: str
    price_ticks: list[Tick]
    volume_ticks: list[Tick]
    time_ticks: list[Tick]


def choose_bucket(days: int) -> str:
    """What one bar stands for: day, week or month, by the number of days with trades, so that each can be seen."""
    if days <= _MOST_DAYS:
        return "day"
    return "week" if days <= _MOST_WEEKS else "month"


def nice_steps(lowest: float, highest: float, most: int = 5) -> list[float]:
    """Round figures from at or below the lowest to at or above the highest, at most `most` + 2 of them."""
    width = max(highest - lowest, abs(highest) * 0.01, 1e-9)
    power = 10.0 ** floor(log10(width / most))
    step = next(power * each for each in _STEPS if power * each >= width / most * (1 - 1e-9))
    first, last = floor(lowest / step + 1e-9), -floor(-highest / step + 1e-9)
    return [float(f"{count * step:.12g}") for count in range(first, max(last, first + 1) + 1)]


def draw_chart(prices: pl.DataFrame, amounts: pl.DataFrame, bucket: str) -> Chart:
    """The picture of prices and tonnes.

    prices : day Date ascending, price Float64, breaks Boolean (true where the line begins anew); may be empty
    amounts : method, start and end Date (end included), volume_t; in the order in which methods are stacked, one row
    a method and bucket; must not be empty
    """
    days = [*amounts["start"], *amounts["end"], *prices["day"]]
    first: date = min(days)
    last: date = max(days)
    span = max((last - first).days + 1, 1)

    def x_of(day: date, offset: float = 0.5) -> float:
        return LEFT + (RIGHT - LEFT) * ((day - first).days + offset) / span

    levels = _levels(prices["price"])
    tallest = amounts.group_by("start").agg(pl.col("volume_t").sum())["volume_t"].max()
    heights = nice_steps(0.0, float(tallest) if isinstance(tallest, int) and tallest > 0 else 1.0, 3)
    bars: dict[str, list[str]] = {}
    foot: dict[date, float] = {}
    for method, start, end, volume in amounts.select("method", "start", "end", "volume_t").iter_rows():
        tall = volume / heights[-1] * (VOLUME_FOOT - VOLUME_TOP)
        base = foot.get(start, float(VOLUME_FOOT))
        foot[start] = base - tall
        left, right = x_of(start, 0.0), x_of(end, 1.0)
        gap = 0.12 * (right - left)
        if tall > 0:
            bars.setdefault(method, []).append(_bar(left + gap, right - gap, base, base - tall))
    return Chart(
        price_path=_line(prices, x_of, levels),
        bars={method: "".join(paths) for method, paths in bars.items()},
        bucket=bucket,
        price_ticks=[Tick(_y_of(level, levels), f"{level:g}") for level in levels],
        volume_ticks=[
            Tick(round(VOLUME_FOOT - each / heights[-1] * (VOLUME_FOOT - VOLUME_TOP), 1), f"{each / _TONNES_PER_MT:g}")
            for each in heights
        ],
        time_ticks=[Tick(round(x_of(day, 0.0), 1), text) for day, text in _time_marks(first, last)],
    )


def _levels(prices: pl.Series) -> list[float]:
    lowest, highest = prices.min(), prices.max()
    if not isinstance(lowest, float) or not isinstance(highest, float):
        return []
    return nice_steps(lowest, highest)


def _y_of(price: float, levels: list[float]) -> float:
    share = (price - levels[0]) / (levels[-1] - levels[0])
    return round(PRICE_FOOT - share * (PRICE_FOOT - PRICE_TOP), 1)


def _line(prices: pl.DataFrame, x_of: Callable[[date], float], levels: list[float]) -> str:
    """The path of the line; a day that stands alone is a dot, which the round ends of the stroke make visible."""
    parts: list[str] = []
    for day, price, breaks in prices.select("day", "price", "breaks").iter_rows():
        place = f"{x_of(day):.1f} {_y_of(price, levels):.1f}"
        parts.append(f"M{place}h0" if breaks or not parts else f"L{place}")
    return "".join(parts)


def _bar(left: float, right: float, foot: float, top: float) -> str:
    return f"M{left:.1f} {foot:.1f}V{top:.1f}H{right:.1f}V{foot:.1f}z"


def _time_marks(first: date, last: date) -> Iterable[tuple[date, str]]:
    """Beginnings of years, of quarters or of months within the span, not more than can be read."""
    months = pl.date_range(first.replace(day=1), last, "1mo", eager=True).to_list()
    inside = [day for day in months if day >= first]
    years = [day for day in inside if day.month == 1]
    quarters = [day for day in inside if day.month in (1, 4, 7, 10)]
    if len(inside) <= _MOST_LABELS:
        return [(day, f"{day:%Y-%m}") for day in inside]
    if len(quarters) <= _MOST_LABELS:
        return [(day, f"{day:%Y-%m}") for day in quarters]
    every = -(-len(years) // _MOST_LABELS)
    return [(day, f"{day:%Y}") for day in years[::every]]
