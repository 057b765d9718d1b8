"""Figures that are to be others: what was asked for, as figures, or everything that is wrong with it.

Knows how a change is written, which figures a unit of measure allows, and the panel that figures are taken from. Must
not know scores, ranks or weights.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from fhi.errors import Problem, one_of
from fhi.framework import Framework
from fhi.nodes import Indicator
from fhi.numbers import GREATEST
from fhi.panel import PANEL_SCHEMA
from green_index.moves.errors import ImpossibleChange

How = Literal["to", "by", "percent", "as", "best"]

CELL_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "unit": pl.String,
        "how": pl.String,
        "value_before": pl.Float64,
        "value_after": pl.Float64,
        "status_before": pl.String,
        "status_after": pl.String,
    }
)
ASSUMED: Final = "assumed"
"""Status of a figure that is what-if; panels know no such status, so that there it is `estimated` with a source."""

SOURCE: Final = "what-if: assumed"
WAYS: Final = "a number, by:AMOUNT, by:PER CENT%, as:CITY or best"
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"

# What a unit of measure allows, least and greatest; ours, read off the units of the embedded trees. Any other unit
# has figures of zero or more, save those that are rates of change.
_ZERO_UP: Final = (0.0, math.inf)
_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "0 or 1": (0.0, 1.0),
    "share": (0.0, 1.0),
    "share of sessions": (0.0, 1.0),
    "share of residents": (0.0, 1.0),
    "PCAF score 1-5": (1.0, 5.0),
    "score 0-100": (0.0, 100.0),
    "per year": (-1.0, math.inf),
    "": (-math.inf, math.inf),
}
_BOUNDS_OF_CODES: Final = {"carbon_finance.market.stability": _ZERO_UP}


@dataclass(frozen=True)
class Change:
    """One figure of one hub that is to be another.

    code: an indicator, or with how = `as` a group, every indicator of which takes the other hub's figure where it has
    one. amount: the figure (`to`), what is added to it (`by`), or per cent of it that are added (`percent`). other: the
    hub whose figure is taken (`as`).
    """

    hub: str
    code: str
    how: How
    amount: float | None = None
    other: str | None = None


def read_change(hub: str, text: str) -> Change | Problem:
    """A change as people write it: CODE=VALUE or CODE:VALUE, the value one of WAYS; or what is wrong with it."""
    named, _, asked = text.replace("=", ":", 1).partition(":")
    code, value = named.strip(), asked.strip()
    if value == "best":
        return Change(hub, code, "best")
    if value.startswith("as:") and value[3:].strip():
        return Change(hub, code, "as", other=value[3:].strip())
    if re.fullmatch(_NUMBER, value):
        return Change(hub, code, "to", float(value))
    by = re.fullmatch(rf"by:\s*({_NUMBER})\s*(%?)", value)
    if by is not None:
        return Change(hub, code, "percent" if by[2] else "by", float(by[1]))
    return Problem(f"change of {hub}", repr(text), f"CODE=VALUE, where VALUE is {WAYS}", "not_a_change")


def natural_bounds(indicator: Indicator, unit: str) -> tuple[float, float]:
    """Least and greatest figure that a unit allows, infinite where it allows any.

    unit: of the figures in the panel, which may measure an indicator by something else than its tree says.
    """
    if indicator.code in _BOUNDS_OF_CODES:
        return _BOUNDS_OF_CODES[indicator.code]
    least, greatest = _BOUNDS.get(unit, _ZERO_UP)
    return (0.0 if indicator.transform == "log1p" else least), greatest


def is_switch(unit: str) -> bool:
    """Does a unit say that something is or is not, with nothing between?"""
    return unit == "0 or 1"


def units_of(panel: pl.DataFrame, framework: Framework) -> dict[str, str]:
    """The unit of each indicator's figures: of the panel where it has any, else of the tree."""
    stated = {entry.code: entry.unit for entry in framework.indicators}
    found = panel.filter(pl.col("value").is_not_null()).group_by("code").agg(pl.col("unit").drop_nulls().first())
    return stated | {code: unit for code, unit in found.iter_rows() if unit}


def settle_changes(panel: pl.DataFrame, framework: Framework, period: str, changes: Sequence[Change]) -> pl.DataFrame:
    """The figures asked for: CELL_SCHEMA, one row a changed cell, in the order asked.

    panel: fhi.panel.PANEL_SCHEMA. Raises ImpossibleChange with every problem at once: unknown hubs and codes, changes
    of a figure that is not there, figures that a unit does not allow, a cell set twice.
    """
    here = panel.filter(pl.col("period") == period)
    known = {(hub, code): row for hub, code, *row in here.select("hub", "code", "value", "status").iter_rows()}
    hubs, units = set(here["hub"]), units_of(panel, framework)
    rows: list[tuple[object, ...]] = []
    problems: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    if not changes:
        problems.append(Problem("what-if", "no change", f"one at least: CODE=VALUE, where VALUE is {WAYS}", "nothing"))
    for change in _by_indicator(changes, framework, known):
        where = f"{change.hub} {change.code} in {period}"
        problem = _unknown(change, framework, hubs, where)
        if problem is not None:
            problems.append(problem)
            continue
        if (change.hub, change.code) in seen:
            problems.append(Problem(where, "the same figure set twice", "one change a figure", "duplicate"))
            continue
        seen.add((change.hub, change.code))
        entry = framework.indicator[change.code]
        before, status = known.get((change.hub, change.code), (None, None))
        after = _figure(change, entry, before, known, where)
        problem = after if isinstance(after, Problem) else _impossible(after, entry, units[entry.code], where)
        if problem is not None:
            problems.append(problem)
            continue
        was = status if before is not None else None
        rows.append((change.hub, period, change.code, units[entry.code], change.how, before, after, was, ASSUMED))
    if problems:
        raise ImpossibleChange(problems)
    return pl.DataFrame(rows, schema=CELL_SCHEMA, orient="row")


def with_figures(panel: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """The panel (fhi.panel.PANEL_SCHEMA) with other figures in some cells, each saying that it is what-if.

    cells: hub, period, code, unit, value_after.
    """
    key = ["hub", "period", "code"]
    changed = cells.select(
        *key, value="value_after", unit="unit", status=pl.lit("estimated"), source=pl.lit(SOURCE)
    ).cast(PANEL_SCHEMA)
    return pl.concat([panel.select(PANEL_SCHEMA.names()).join(changed, on=key, how="anti"), changed])


def indicators_below(framework: Framework, code: str) -> tuple[str, ...]:
    """The indicators of a group and of all its groups, in tree order; an indicator is its own only one."""
    if code in framework.indicator:
        return (code,)
    return tuple(leaf for child in framework.children[code] for leaf in indicators_below(framework, child))


def _by_indicator(
    changes: Sequence[Change], framework: Framework, known: dict[tuple[str, str], list[object]]
) -> list[Change]:
    """Changes of groups as changes of their indicators, those that the other hub has a figure of."""
    found: list[Change] = []
    for change in changes:
        if change.how != "as" or change.code not in framework.children:
            found.append(change)
            continue
        below = [
            code
            for code in indicators_below(framework, change.code)
            if known.get((str(change.other), code), [None])[0] is not None
        ]
        found += [Change(change.hub, code, "as", other=change.other) for code in below]
        if not below:
            found.append(change)
    return found


def _unknown(change: Change, framework: Framework, hubs: set[str], where: str) -> Problem | None:
    """What a change names that is not there."""
    for hub in (change.hub, change.other):
        if hub is not None and hub not in hubs:
            return Problem(where, f"the hub {hub!r}", one_of(hubs, hub), "unknown_hub")
    if change.code in framework.children:
        if change.how == "as":
            return Problem(where, f"no figure of {change.other}", "a hub that has figures there", "no_figure")
        return Problem(where, "a group", "an indicator; only as:CITY takes a group", "not_an_indicator")
    if change.code not in framework.indicator:
        return Problem(where, repr(change.code), one_of(framework.indicator, change.code), "unknown_code")
    return None


def _figure(
    change: Change,
    entry: Indicator,
    before: float | None,
    known: dict[tuple[str, str], list[object]],
    where: str,
) -> float | Problem:
    """The figure that a change asks for."""
    if change.how == "best":
        figures = [row[0] for (_, code), row in known.items() if code == entry.code]
        present = [figure for figure in figures if isinstance(figure, float)]
        if not present:
            return Problem(where, "no hub with a figure", "an indicator that some hub has", "no_figure")
        return max(present) if entry.direction == 1 else min(present)
    if change.how == "as":
        taken = known.get((str(change.other), entry.code), [None])[0]
        if not isinstance(taken, float):
            return Problem(where, f"no figure of {change.other}", "a hub that has one", "no_figure")
        return taken
    amount = change.amount if change.amount is not None else math.nan
    if change.how == "to":
        return amount
    if before is None:
        return Problem(where, "no figure to change by an amount", "a figure to set it to", "no_figure")
    return before + amount if change.how == "by" else before * (1 + amount / 100)


def _impossible(figure: float, entry: Indicator, unit: str, where: str) -> Problem | None:
    """What is wrong with a figure for what the indicator measures."""
    least, greatest = natural_bounds(entry, unit)
    found = f"{figure:g} {unit}".strip()
    if is_switch(unit) and figure not in (0.0, 1.0):
        return Problem(where, found, "0 or 1", "impossible")
    if not math.isfinite(figure) or abs(figure) > GREATEST:
        return Problem(where, found, "a finite number", "impossible")
    if not least <= figure <= greatest:
        return Problem(where, found, f"a figure {_span(least, greatest)}", "impossible")
    return None


def _span(least: float, greatest: float) -> str:
    if math.isinf(greatest):
        return f"of {least:g} or more"
    return f"from {least:g} to {greatest:g}"
