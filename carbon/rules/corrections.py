"""The correction factors of the power sector's allocation.

Knows the five formulas by the names that the rules call them. Must not know figures: they stand in the rules.
"""

from decimal import Decimal

from carbon.errors import CarbonError
from carbon.rules.lines import Line, make_line, printed
from carbon.rules.models import Rule
from carbon.rules.selection import NoRule, number, text_of
from carbon.rules.units import PowerUnit

__all__ = ["MissingFigure", "correct"]

_ONE = Decimal(1)
_PER_CENT = Decimal(100)


class MissingFigure(CarbonError):
    """A figure of a unit is needed by a rule and is not given."""


def correct(unit: PowerUnit, rule: Rule) -> Line:
    """The factor of one correction rule for one unit, with its formula; value without dimension.

    Methods: by_cooling, by_heat_ratio (1 - slope x ratio), by_load_pieces (four pieces, base^(level - slope F) below
    the last), by_peak_power (base^(level - slope F) below a threshold, else 1), by_peak_exponentials (the draft of
    2025-26, F in per cent). Source: the documents named in the rules.
    Raises MissingFigure where the unit lacks what the rule reads, NoRule for an unknown method or cooling.
    """
    methods = {
        "by_cooling": _by_cooling,
        "by_heat_ratio": _by_heat_ratio,
        "by_load_pieces": _by_load_pieces,
        "by_peak_power": _by_peak_power,
        "by_peak_exponentials": _by_peak_exponentials,
    }
    if rule.method not in methods:
        raise NoRule(f"found the method {rule.method!r} in the rule {rule.id}, expected one of {', '.join(methods)}")
    formula, value = methods[rule.method](unit, rule)
    return make_line(rule.item or "load", formula, value, "1", rule)


def _by_cooling(unit: PowerUnit, rule: Rule) -> tuple[str, Decimal]:
    if unit.cooling is None:
        raise _missing(unit, "cooling", rule)
    known = [quantity.name for quantity in rule.values]
    if unit.cooling not in known:
        raise NoRule(f"found cooling {unit.cooling!r} in {unit.year}, expected one of {', '.join(known)} ({rule.id})")
    return f"cooling {unit.cooling}", number(rule, unit.cooling)


def _by_heat_ratio(unit: PowerUnit, rule: Rule) -> tuple[str, Decimal]:
    if unit.heat_ratio is None:
        raise _missing(unit, "heat_ratio", rule)
    slope = number(rule, "slope")
    return f"1 - {printed(slope)} × {printed(unit.heat_ratio)}", _ONE - slope * unit.heat_ratio


def _by_load_pieces(unit: PowerUnit, rule: Rule) -> tuple[str, Decimal]:
    if text_of(rule, "condensing_only") == "true" and unit.heat_gj > 0:
        return "1 (for condensing units only; this one supplies heat)", _ONE
    load = _load(unit, rule)
    upper, middle, lower = (number(rule, name) for name in ("upper", "middle", "lower"))
    per_cent = _PER_CENT * load
    shown = f"F = {printed(per_cent)} %"
    if load >= upper:
        return f"1 ({shown} >= {printed(_PER_CENT * upper)} %)", _ONE
    if load >= middle:
        slope, edge = number(rule, "upper_slope"), _PER_CENT * upper
        return f"1 + {printed(slope)} × ({printed(edge)} - {printed(per_cent)})", _ONE + slope * (edge - per_cent)
    if load >= lower:
        slope, edge, level = number(rule, "middle_slope"), _PER_CENT * middle, number(rule, "middle_level")
        formula = f"{printed(level)} + {printed(slope)} × ({printed(edge)} - {printed(per_cent)})"
        return formula, level + slope * (edge - per_cent)
    return _power(load, rule)


def _by_peak_power(unit: PowerUnit, rule: Rule) -> tuple[str, Decimal]:
    load, threshold = _load(unit, rule), number(rule, "threshold")
    if load >= threshold:
        return f"1 (F = {printed(_PER_CENT * load)} % >= {printed(_PER_CENT * threshold)} %)", _ONE
    return _power(load, rule)


def _by_peak_exponentials(unit: PowerUnit, rule: Rule) -> tuple[str, Decimal]:
    load, threshold = _load(unit, rule), number(rule, "threshold")
    per_cent = _PER_CENT * load
    if load >= threshold:
        return f"1 (F = {printed(per_cent)} % >= {printed(_PER_CENT * threshold)} %)", _ONE
    value, shown = number(rule, "level"), [printed(number(rule, "level"))]
    for speed in ("slow", "fast"):
        size, scale = number(rule, f"{speed}_size"), number(rule, f"{speed}_scale")
        value -= size * (_ONE - (-per_cent / scale).exp())
        shown.append(f"{printed(size)} × (1 - e^(-{printed(per_cent)} / {printed(scale)}))")
    return " - ".join(shown), value


def _power(load: Decimal, rule: Rule) -> tuple[str, Decimal]:
    base, level, slope = (number(rule, name) for name in ("base", "exponent_level", "exponent_slope"))
    return f"{printed(base)}^({printed(level)} - {printed(slope)} × {printed(load)})", base ** (level - slope * load)


def _load(unit: PowerUnit, rule: Rule) -> Decimal:
    if unit.load_factor is None:
        raise _missing(unit, "load_factor", rule)
    return unit.load_factor


def _missing(unit: PowerUnit, name: str, rule: Rule) -> MissingFigure:
    where = f"{unit.entity}, unit {unit.unit}, {unit.year}"
    return MissingFigure(f"{where}: found no {name}, expected one, since {rule.id} reads it")
