"""How much of an obligation may be met with offsets (check C32).

Knows a share of the obligation or of the allocation, rounded by a stated rule. Must not know the ledger.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from carbon.rules.allocation import rounding_rule
from carbon.rules.book import Rules, rules_for
from carbon.rules.lines import Line, make_line, printed, rounded
from carbon.rules.models import Rule
from carbon.rules.selection import NoRule, choose_rule, find_rules, number, rival_ids, text_of

__all__ = ["OffsetLimit", "offset_limit"]


@dataclass(frozen=True)
class OffsetLimit:
    """The most that may be met with offsets.

    limit_t : whole tonnes; base : "obligation" or "allocation", of which it is a share
    rivals : ids of rules that say otherwise and were passed over, so that a reader sees an unsettled conflict
    """

    limit_t: int
    base: str
    rule: Rule
    rivals: tuple[str, ...]
    lines: tuple[Line, ...]


def offset_limit(
    rules: Rules,
    *,
    scheme: str,
    year: int,
    obligation_t: int | None = None,
    allocation_t: int | None = None,
    on_date: date | None = None,
) -> OffsetLimit:
    """Share x obligation (or initial allocation, as the scheme has it), rounded down to whole tonnes (assumed).

    obligation_t, allocation_t : whole tonnes; the one that the rule reads must be given
    Source: the rule's document (C32). Raises NoRule where no limit is known for the year, and ValueError where the
    base is missing or negative.
    """
    applying = rules_for(rules, scheme, year, on_date)
    found = find_rules(applying, "offset_limit")
    rule = choose_rule(found)
    if rule is None:
        known = [rule for rule in rules.rules if rule.scheme == scheme and rule.kind == "offset_limit"]
        spans = ", ".join(f"{rule.first_year or ''}-{rule.last_year or ''}" for rule in known)
        raise NoRule(f"found no offset limit of {scheme} for {year}, expected one of the years {spans or 'none known'}")
    base = text_of(rule, "base") or ""
    amount = {"obligation": obligation_t, "allocation": allocation_t}.get(base)
    if amount is None or amount < 0:
        raise ValueError(f"found {base}_t = {amount}, expected 0 t or more, since the rule {rule.id} reads it")
    rounding = rounding_rule(applying, "offset_limit")
    share = number(rule, "share")
    exact = share * amount
    limit = rounded(exact, rounding)
    lines = [
        make_line(
            "offset_limit", f"{printed(share)} × {printed(Decimal(amount))} t {base}", exact, "t", rule, adds=True
        )
    ]
    if limit != exact:
        formula = f"{printed(limit)} - {printed(exact)}"
        lines.append(make_line("rounding", formula, limit - exact, "t", rounding, adds=True))
    return OffsetLimit(int(limit), base, rule, rival_ids(rule, found), tuple(lines))
