"""Which vintages may be surrendered for which compliance year (check C30).

Knows first and last vintage of a year's rule, borrowing as its only exception. Must not know the ledger.
"""

from dataclasses import dataclass
from datetime import date

from carbon.rules.book import Rules, rules_for
from carbon.rules.models import Rule
from carbon.rules.selection import choose_rule, find_rules, number, text_of

__all__ = ["VintageUse", "vintage_use"]


@dataclass(frozen=True)
class VintageUse:
    """Whether a vintage may be surrendered for a year; null where no rule is known, so that nobody takes it for yes.

    reason : in words; rule : the one that decides, with its document, status and confidence
    """

    allowed: bool | None
    reason: str
    rule: Rule | None


def vintage_use(
    rules: Rules,
    *,
    scheme: str,
    vintage_from: int,
    vintage_to: int,
    year: int,
    on_date: date | None = None,
    borrowed: bool = False,
) -> VintageUse:
    """Whether an instrument of the vintages vintage_from..vintage_to may be surrendered for a compliance year.

    on_date : the day of surrender, null for any; borrowed : whether the units come from a granted borrowing
    All vintages of the instrument must lie within those of the rule. Old vintages that were carried over are issued
    anew as the later vintage, so they are asked about as that.
    """
    applying = rules_for(rules, scheme, year, on_date)
    rule = choose_rule(find_rules(applying, "vintage"))
    shown = _span(vintage_from, vintage_to)
    if borrowed:
        return _borrowed(applying, shown, vintage_from, vintage_to, year)
    if rule is None:
        return VintageUse(None, f"{scheme}: no rule on vintages is known for {year}", None)
    first = int(number(rule, "first"))
    last = int(number(rule, "last")) if text_of(rule, "last") is not None else year
    expected = _span(first, last)
    if first <= vintage_from <= vintage_to <= last:
        return VintageUse(True, f"{shown} is within {expected}, which may be surrendered for {year}", rule)
    return VintageUse(False, f"found {shown}, expected {expected}, which may be surrendered for {year}", rule)


def _borrowed(rules: Rules, shown: str, vintage_from: int, vintage_to: int, year: int) -> VintageUse:
    rule = choose_rule(find_rules(rules, "borrowing"))
    if rule is None:
        return VintageUse(None, f"no rule on borrowing is known for {year}", None)
    if text_of(rule, "allowed") != "true":
        return VintageUse(False, f"found borrowed {shown}, expected none: {rule.text_en}", rule)
    lender = int(number(rule, "from_year"))
    fits = vintage_from == vintage_to == lender
    return VintageUse(fits, f"for {year} borrowing is from vintage {lender}; asked for {shown}", rule)


def _span(first: int, last: int) -> str:
    return f"vintage {first}" if first == last else f"vintages {first}-{last}"
