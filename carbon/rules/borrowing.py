"""How much an entity may borrow from a later year's allowances: in 2021 and 2022 only.

Knows the least gap and the share of it that may be borrowed, as the rules have them. Must not know the ledger.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from carbon.rules.allocation import rounding_rule
from carbon.rules.book import Rules, rules_for
from carbon.rules.lines import Line, make_line, printed, rounded
from carbon.rules.models import Rule
from carbon.rules.selection import NoRule, choose_rule, find_rules, number, text_of

__all__ = ["Borrowing", "borrowing_limit"]


@dataclass(frozen=True)
class Borrowing:
    """The most that may be borrowed, in whole tonnes, and from which year's allowances (null where from none)."""

    limit_t: int
    from_year: int | None
    rule: Rule
    lines: tuple[Line, ...]


def borrowing_limit(
    rules: Rules, *, year: int, obligation_t: int, allocation_t: int, scheme: str = "CN", on_date: date | None = None
) -> Borrowing:
    """Share of the gap (obligation less allocation), rounded down, where the gap is at least the rule's share of the
    obligation; 0 else, and 0 where the year's rule does not allow it.

    Raises NoRule where no rule is known for the year, ValueError for negative quantities.
    """
    if obligation_t < 0 or allocation_t < 0:
        raise ValueError(f"found {obligation_t} t owed and {allocation_t} t allocated, expected 0 t or more")
    applying = rules_for(rules, scheme, year, on_date)
    rule = choose_rule(find_rules(applying, "borrowing"))
    if rule is None:
        raise NoRule(f"found no borrowing rule of {scheme} for {year}, expected one of the years 2021 on")
    if text_of(rule, "allowed") != "true":
        return Borrowing(0, None, rule, (make_line("borrowing", rule.text_en, Decimal(0), "t", rule),))
    gap = Decimal(max(0, obligation_t - allocation_t))
    share = gap / obligation_t if obligation_t else Decimal(0)
    least, part = number(rule, "least_gap"), number(rule, "share_of_gap")
    lines = [
        make_line(
            "gap", f"{printed(Decimal(obligation_t))} - {printed(Decimal(allocation_t))}, at least 0", gap, "t", rule
        ),
        make_line("gap_share", f"{printed(gap)} / {printed(Decimal(obligation_t))}", share, "share", rule),
    ]
    if gap == 0 or share < least:
        shown = f"0, since the gap is below {printed(least)} of the obligation"
        return Borrowing(0, None, rule, (*lines, make_line("borrowing", shown, Decimal(0), "t", rule)))
    limit = rounded(part * gap, rounding_rule(applying, "borrowing"))
    formula = f"{printed(part)} × {printed(gap)}, rounded down"
    lines.append(make_line("borrowing", formula, limit, "t", rule))
    return Borrowing(int(limit), int(number(rule, "from_year")), rule, tuple(lines))
