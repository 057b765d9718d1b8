"""How much of its old allowances an entity may carry over (check C33).

Knows base + multiple x net sales, limited to the holding. Must not know the ledger: sales and holding are given.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from carbon.rules.allocation import rounding_rule
from carbon.rules.book import Rules, rules_for
from carbon.rules.lines import Line, make_line, printed, rounded, total_t
from carbon.rules.models import Rule
from carbon.rules.selection import NoRule, choose_rule, day_of, find_rules, number

__all__ = ["CarryOver", "carry_over_limit"]


@dataclass(frozen=True)
class CarryOver:
    """The most that may be carried over, with its lines.

    limit_t : whole tonnes; into_year : the vintage that it becomes; first_vintage, last_vintage : of what may be
    carried; apply_by : last day to apply
    """

    limit_t: int
    into_year: int
    first_vintage: int | None
    last_vintage: int | None
    apply_by: date | None
    rule: Rule
    lines: tuple[Line, ...]


def carry_over_limit(
    rules: Rules,
    *,
    sector: str,
    net_sales_t: int,
    holding_t: int,
    scheme: str = "CN",
    on_date: date | None = None,
) -> CarryOver:
    """The largest carry-over: min(holding, base + multiple x net sales), rounded down; 0 after the last day to apply.

    sector : "power" or "industry"; net_sales_t : sold less bought in the rule's window, negative for a net buyer,
    which counts as nothing (assumed); holding_t : what is held of the old vintages, 0 and more
    on_date : the day of the question, null to leave the last day to apply unjudged
    Source: the rule's document (C33). Raises NoRule where nothing is known, ValueError for a negative holding.
    """
    if holding_t < 0:
        raise ValueError(f"found a holding of {holding_t} t, expected 0 t or more")
    applying = rules_for(rules, scheme)
    rule = choose_rule(find_rules(applying, "carry_over", sector=sector))
    if rule is None:
        sectors = sorted({rule.sector or "any" for rule in find_rules(applying, "carry_over")})
        raise NoRule(f"found sector {sector!r} of {scheme}, expected one of {', '.join(sectors) or 'none known'}")
    apply_by = day_of(rule, "apply_by")
    too_late = on_date is not None and apply_by is not None and on_date > apply_by
    lines = _lines(rule, rounding_rule(applying, "carry_over"), net_sales_t, holding_t)
    if too_late:
        formula = f"{on_date} is after {apply_by}"
        lines.append(make_line("too_late", formula, -total_t(lines), "t", rule, adds=True))
    limit = total_t(lines)
    shown = " + ".join(printed(line.value) for line in lines)
    return CarryOver(
        limit_t=int(limit),
        into_year=int(number(rule, "into")),
        first_vintage=_year(rule, "first_vintage"),
        last_vintage=_year(rule, "last_vintage"),
        apply_by=apply_by,
        rule=rule,
        lines=(*lines, make_line("carry_over", shown, limit, "t", rule)),
    )


def _lines(rule: Rule, rounding: Rule, net_sales_t: int, holding_t: int) -> list[Line]:
    """The lines that add up to the most that may be carried, whatever the day."""
    base, multiple = number(rule, "base"), number(rule, "multiple")
    counted = Decimal(max(0, net_sales_t))
    shown = f"{printed(multiple)} × {printed(counted)}" + (" (net purchases count as 0)" if net_sales_t < 0 else "")
    sales = multiple * counted
    lines = [
        make_line("base", f"{printed(base)} t", base, "t", rule, adds=True),
        make_line("net_sales", shown, sales, "t", rule, adds=True),
    ]
    most = rounded(base + sales, rounding)
    if most != base + sales:
        lines.append(make_line("rounding", "rounded down", most - base - sales, "t", rounding, adds=True))
    if most > holding_t:
        formula = f"{printed(Decimal(holding_t))} - {printed(most)}"
        lines.append(make_line("holding", formula, holding_t - most, "t", rule, adds=True))
    return lines


def _year(rule: Rule, name: str) -> int | None:
    return int(number(rule, name)) if any(quantity.name == name for quantity in rule.values) else None
