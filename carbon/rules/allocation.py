"""The allocation of one unit, line by line.

Knows how benchmarks, corrections and roundings are put together. Must not know figures (they stand in the rules), nor
what an entity owes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from carbon.rules.book import Rules
from carbon.rules.corrections import MissingFigure, correct
from carbon.rules.lines import Line, make_line, printed, rounded, total_t
from carbon.rules.models import Rule
from carbon.rules.selection import NoRule, choose_rule, find_rules, number, text_of
from carbon.rules.units import EmittingUnit, IndustrialUnit, PowerUnit

__all__ = ["UnitAllocation", "allocate_unit", "rounding_rule"]

_BASES = {"net_supply": "net_supply_mwh", "gross_generation": "gross_generation_mwh"}


@dataclass(frozen=True)
class UnitAllocation:
    """What one unit is allocated; the lines that add make up `allocation_t`, and nothing else does.

    notes : what could not be calculated, and why
    """

    unit: EmittingUnit
    lines: tuple[Line, ...]
    notes: tuple[str, ...]

    @property
    def allocation_t(self) -> int:
        """Whole tonnes allocated."""
        return int(total_t(self.lines))


def allocate_unit(unit: EmittingUnit, rules: Rules, known: Rules) -> UnitAllocation:
    """The allocation of one unit by the rules of its year.

    rules : those that apply to the unit's year (`carbon.rules.book.rules_for`); known : all of the scheme, to say in
    a refusal what exists
    Power: electricity x benchmark x corrections + heat x heat benchmark, rounded; a gas unit is topped up to its
    verified emissions where the year's rule says so. Industry: its verified emissions where the year's rule says so.
    Raises NoRule where the year or class is not ruled, MissingFigure where the unit lacks a figure that a rule reads.
    """
    return _power(unit, rules, known) if isinstance(unit, PowerUnit) else _industry(unit, rules, known)


def rounding_rule(rules: Rules, item: str) -> Rule:
    """The rounding rule of an item ("allocation", "carry_over", ...). Raises NoRule where there is none."""
    rule = choose_rule(find_rules(rules, "rounding", item=item))
    if rule is None:
        raise NoRule(f"found no rounding rule for {item!r}, expected one")
    return rule


def _power(unit: PowerUnit, rules: Rules, known: Rules) -> UnitAllocation:
    benchmark = choose_rule(find_rules(rules, "benchmark", sector="power", unit_class=unit.unit_class))
    if benchmark is None:
        raise _no_rule(unit, find_rules(known, "benchmark", sector="power"), rules)
    amount, basis = _electricity(unit, benchmark)
    factors = _corrections(unit, rules)
    per_mwh, per_gj = number(benchmark, "electricity"), number(benchmark, "heat")
    electricity = amount * per_mwh
    shown = f"{printed(amount)} MWh {basis} × {printed(per_mwh)} t/MWh"
    for factor in factors:
        electricity *= factor.value
        shown += f" × {printed(factor.value)}"
    heat = unit.heat_gj * per_gj
    lines = [
        make_line("benchmark_electricity", f"{printed(per_mwh)} t per MWh of {basis}", per_mwh, "t/MWh", benchmark),
        make_line("benchmark_heat", f"{printed(per_gj)} t per GJ", per_gj, "t/GJ", benchmark),
        *factors,
        make_line("electricity", shown, electricity, "t", benchmark, adds=True),
        make_line("heat", f"{printed(unit.heat_gj)} GJ × {printed(per_gj)} t/GJ", heat, "t", benchmark, adds=True),
        _rounding(electricity + heat, rounding_rule(rules, "allocation")),
    ]
    top_up, notes = _gas_top_up(unit, total_t(lines), rules)
    return UnitAllocation(unit, (*lines, *top_up), notes)


def _electricity(unit: PowerUnit, benchmark: Rule) -> tuple[Decimal, str]:
    """The amount of electricity that the benchmark counts, in MWh, and what it is called."""
    basis = text_of(benchmark, "basis") or ""
    if basis not in _BASES:
        raise NoRule(f"found the basis {basis!r} in the rule {benchmark.id}, expected one of {', '.join(_BASES)}")
    amount: Decimal | None = getattr(unit, _BASES[basis])
    if amount is None:
        where = f"{unit.entity}, unit {unit.unit}, {unit.year}"
        raise MissingFigure(f"{where}: found no {_BASES[basis]}, expected one, since {benchmark.id} reads it")
    return amount, basis.replace("_", " ")


def _corrections(unit: PowerUnit, rules: Rules) -> list[Line]:
    candidates = find_rules(rules, "correction", sector="power", unit_class=unit.unit_class)
    items = sorted({rule.item or "" for rule in candidates})
    chosen = [choose_rule([rule for rule in candidates if (rule.item or "") == item]) for item in items]
    return [correct(unit, rule) for rule in chosen if rule is not None]


def _rounding(exact: Decimal, rule: Rule) -> Line:
    whole = rounded(exact, rule)
    formula = f"{printed(whole)} - {printed(exact)}"
    return make_line("rounding", formula, whole - exact, "t", rule, adds=True)


def _gas_top_up(unit: PowerUnit, allocated: Decimal, rules: Rules) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """What a gas unit gets on top so that it owes at most its allocation, where the rule acts on the allocation."""
    rule = choose_rule([rule for rule in find_rules(rules, "gas_cap", unit_class=unit.unit_class) if rule.classes])
    if rule is None or text_of(rule, "acts_on") != "allocation":
        return (), ()
    if unit.verified_t is None:
        return (), (f"unit {unit.unit}: no verified emissions, so the rule {rule.id} of gas units is not applied",)
    missing = Decimal(unit.verified_t) - allocated
    if missing <= 0:
        return (), ()
    formula = f"{printed(Decimal(unit.verified_t))} - {printed(allocated)}"
    return (make_line("gas_top_up", formula, missing, "t", rule, adds=True),), ()


def _industry(unit: IndustrialUnit, rules: Rules, known: Rules) -> UnitAllocation:
    rule = choose_rule(find_rules(rules, "equal_to_verified", sector="industry", unit_class=unit.unit_class))
    if rule is None:
        raise _no_rule(unit, find_rules(known, "equal_to_verified", sector="industry"), rules)
    if unit.verified_t is None:
        where = f"{unit.entity}, unit {unit.unit}, {unit.year}"
        raise MissingFigure(f"{where}: found no verified_t, expected one, since {rule.id} reads it")
    verified = Decimal(unit.verified_t)
    line = make_line("equal_to_verified", f"{printed(verified)} t verified", verified, "t", rule, adds=True)
    return UnitAllocation(unit, (line,), ())


def _no_rule(unit: EmittingUnit, known: Iterable[Rule], rules: Rules) -> NoRule:
    """A refusal that names the years that exist for the class, and the drafts where they were not asked for."""
    fitting = [rule for rule in known if not rule.classes or unit.unit_class in rule.classes]
    ruled = _years(rule for rule in fitting if rule.status != "draft")
    drafted = _years(rule for rule in fitting if rule.status == "draft")
    hint = f"; drafts, used only where asked for: {drafted}" if drafted and not rules.drafts else ""
    return NoRule(
        f"{unit.entity}, unit {unit.unit}: found class {unit.unit_class} in {unit.year} (as known on the day asked "
        f"for), expected one of the years {ruled or 'none'}{hint}"
    )


def _years(rules: Iterable[Rule]) -> str:
    spans = sorted({(rule.first_year, rule.last_year) for rule in rules}, key=str)
    return ", ".join(f"{first}" if first == last else f"{first}-{last or ''}" for first, last in spans)
