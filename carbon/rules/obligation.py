"""What an entity owes for a year, until when, what happens otherwise, and how it stands.

Knows the caps that act on the obligation, deadlines and penalties as rules. Must not know the ledger or a clock: what
was surrendered and the day of the question are given.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from carbon.rules.allocation import UnitAllocation, rounding_rule
from carbon.rules.book import Rules, rules_for
from carbon.rules.entities import Allocation
from carbon.rules.lines import Line, make_line, printed, rounded
from carbon.rules.models import Rule
from carbon.rules.selection import choose_rule, day_of, find_rules, number, text_of
from carbon.rules.units import PowerUnit

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Obligation", "ObligationStatus", "deadline_of", "obligation_of", "penalty_of", "status_expr", "status_of"]

ObligationStatus = Literal["unverified", "open", "short", "met", "overdue"]


@dataclass(frozen=True)
class Obligation:
    """What an entity owes for a compliance year.

    obligation_t : whole tonnes, null where verified emissions are missing; deadline : null where none is known
    penalty : the rule for short surrender, null where none is known
    """

    entity: str
    scheme: str
    year: int
    verified_t: int | None
    obligation_t: int | None
    deadline: date | None
    penalty: Rule | None
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def obligation_of(
    allocation: Allocation, rules: Rules, *, scheme: str = "CN", on_date: date | None = None, drafts: bool = False
) -> Obligation:
    """What an entity owes, from its allocation: verified emissions, less what the caps of the year take off.

    rules, on_date, drafts : as for `carbon.rules.entities.allocate`
    Where the year's rules act on the obligation (2019 and 2020): a gas unit owes at most its allocation, and the
    entity at most its allocation plus the cap's share of its verified emissions, rounded down. Where they act on the
    allocation (2021 on), the allocation was topped up instead and all verified emissions are owed.
    """
    applying = rules_for(rules, scheme, allocation.year, on_date, drafts=drafts)
    sectors = {unit.unit.sector for unit in allocation.units}
    deadline = deadline_of(rules, scheme, allocation.year, on_date, sector=min(sectors) if len(sectors) == 1 else None)
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ("verified emissions are missing: the obligation is not known",)
    if allocation.verified_t is not None:
        lines, notes = _obligation_lines(allocation, Decimal(allocation.verified_t), applying), ()
    return Obligation(
        entity=allocation.entity,
        scheme=scheme,
        year=allocation.year,
        verified_t=allocation.verified_t,
        obligation_t=int(lines[-1].value) if lines else None,
        deadline=deadline,
        penalty=penalty_of(rules, scheme, allocation.year, deadline),
        lines=lines,
        notes=notes,
    )


def deadline_of(
    rules: Rules, scheme: str, year: int, on_date: date | None = None, *, sector: str | None = None
) -> date | None:
    """The last day to surrender for a compliance year; null where none is known.

    sector : null for any. A rule that holds every year gives month and day of the year after the compliance year.
    Raises RuleConflict where two rules of equal rank differ.
    """
    rule = choose_rule(find_rules(rules_for(rules, scheme, year, on_date), "deadline", item="surrender", sector=sector))
    day = day_of(rule, "day") if rule else None
    return day.replace(year=year + 1) if rule and day and text_of(rule, "every_year") == "true" else day


def penalty_of(rules: Rules, scheme: str, year: int, on_date: date | None) -> Rule | None:
    """The rule for short surrender in force on a day, usually the deadline; null where none is known."""
    return choose_rule(find_rules(rules_for(rules, scheme, year, on_date), "penalty", item="short_surrender"))


def status_of(obligation_t: int | None, surrendered_t: int, deadline: date | None, as_of: date) -> ObligationStatus:
    """How an entity stands with one year's obligation on a day; always derived, never typed.

    obligation_t : null where emissions are not verified; surrendered_t : until the day asked for, offsets included
    unverified: nothing is known to be owed; met: all surrendered; open: nothing surrendered yet, the deadline is not
    past; short: a part surrendered, the deadline is not past; overdue: the deadline is past. The deadline's own day
    still counts; without a deadline nothing is overdue.
    """
    if obligation_t is None:
        return "unverified"
    if surrendered_t >= obligation_t:
        return "met"
    if deadline is not None and as_of > deadline:
        return "overdue"
    return "short" if surrendered_t > 0 else "open"


def status_expr(obligation_t: "pl.Expr", surrendered_t: "pl.Expr", deadline: "pl.Expr", as_of: date) -> "pl.Expr":
    """The same as `status_of` for columns: Int64, Int64 (null counts as nothing surrendered), Date; String out."""
    import polars as pl

    surrendered = surrendered_t.fill_null(0)
    past = (deadline < pl.lit(as_of)).fill_null(False)
    return (
        pl.when(obligation_t.is_null())
        .then(pl.lit("unverified"))
        .when(surrendered >= obligation_t)
        .then(pl.lit("met"))
        .when(past)
        .then(pl.lit("overdue"))
        .when(surrendered > 0)
        .then(pl.lit("short"))
        .otherwise(pl.lit("open"))
    )


def _obligation_lines(allocation: Allocation, verified: Decimal, rules: Rules) -> tuple[Line, ...]:
    shown = " + ".join(printed(Decimal(unit.unit.verified_t or 0)) for unit in allocation.units)
    lines = [make_line("verified", shown, verified, "t", None)]
    owed = verified
    gas, gas_rule = _gas_relief(allocation.units, rules)
    if gas > 0:
        owed -= gas
        lines.append(
            make_line("gas_cap", "verified emissions of gas units beyond their allocation", -gas, "t", gas_rule)
        )
    gap_rule = choose_rule(find_rules(rules, "gap_cap", sector="power"))
    power = [unit for unit in allocation.units if isinstance(unit.unit, PowerUnit)]
    if power and gap_rule is not None and text_of(gap_rule, "acts_on") == "obligation":
        most = _capped(allocation, verified, gap_rule, rules)
        if most < owed:
            allocated, share = printed(Decimal(allocation.allocation_t)), printed(number(gap_rule, "share"))
            formula = f"at most {allocated} + {share} × {printed(verified)}, rounded down, is {printed(most)}: "
            formula += "the gap cap acts on the obligation"
            lines.append(make_line("gap_cap", formula, most - owed, "t", gap_rule))
            owed = most
    lines.append(make_line("obligation", " + ".join(printed(line.value) for line in lines), owed, "t", None))
    return tuple(lines)


def _capped(allocation: Allocation, verified: Decimal, rule: Rule, rules: Rules) -> Decimal:
    most = Decimal(allocation.allocation_t) + number(rule, "share") * verified
    return rounded(most, rounding_rule(rules, "gap_cap_obligation"))


def _gas_relief(units: tuple[UnitAllocation, ...], rules: Rules) -> tuple[Decimal, Rule | None]:
    """What gas units emitted beyond their allocation, where the rule acts on the obligation."""
    rule = choose_rule([rule for rule in find_rules(rules, "gas_cap", unit_class="gas") if rule.classes])
    if rule is None or text_of(rule, "acts_on") != "obligation":
        return Decimal(0), None
    gas = [unit for unit in units if unit.unit.unit_class in rule.classes]
    return Decimal(sum(max(0, (unit.unit.verified_t or 0) - unit.allocation_t) for unit in gas)), rule
