"""One rule out of those that apply, and one figure out of a rule.

Knows the order of precedence and how to say that there is no rule. Must not know any formula.
"""

from datetime import date
from decimal import Decimal

from carbon.errors import CarbonError
from carbon.rules.book import Rules, in_order
from carbon.rules.models import Rule

__all__ = ["NoRule", "RuleConflict", "choose_rule", "day_of", "find_rules", "number", "rival_ids", "text_of"]


class NoRule(CarbonError):
    """What is asked for is ruled by nothing that is known; the message says what is."""


class RuleConflict(CarbonError):
    """Two rules of the same rank say different things, so that neither can be chosen."""


def find_rules(
    rules: Rules,
    kind: str,
    *,
    item: str | None = None,
    sector: str | None = None,
    unit_class: str | None = None,
) -> list[Rule]:
    """The rules of a kind, the one to be used first: the user's own, then final, reported, assumed, draft, then by
    confidence.

    item : which of the kind; null for any. sector, unit_class : a rule without sector or classes concerns everyone.
    """
    return in_order(
        rule
        for rule in rules.rules
        if rule.kind == kind
        and (item is None or rule.item == item)
        and (sector is None or rule.sector in (None, sector))
        and (unit_class is None or not rule.classes or unit_class in rule.classes)
    )


def choose_rule(candidates: list[Rule]) -> Rule | None:
    """The first of the candidates in their order; null where there is none.

    Raises RuleConflict where the next one has the same origin, status and confidence, concerns the same and holds
    other figures: the user has to decide with a rule of their own.
    """
    if not candidates:
        return None
    first = candidates[0]
    equals = [rule for rule in candidates[1:] if _rank(rule) == _rank(first) and rule.values != first.values]
    if equals:
        found = ", ".join([first.id, *(rule.id for rule in equals)])
        raise RuleConflict(f"found the rules {found} of equal rank, expected one; decide with a rule of your own")
    return first


def rival_ids(chosen: Rule, candidates: list[Rule]) -> tuple[str, ...]:
    """Ids of the candidates that say something else than the chosen one."""
    return tuple(rule.id for rule in candidates if rule.id != chosen.id and rule.values != chosen.values)


def number(rule: Rule, name: str) -> Decimal:
    """One figure of a rule. Raises NoRule where the rule does not hold it as a number."""
    value = _value(rule, name)
    if isinstance(value, bool) or not isinstance(value, Decimal):
        raise NoRule(f"found no number {name!r} in the rule {rule.id}, expected one")
    return value


def text_of(rule: Rule, name: str) -> str | None:
    """One word of a rule ("true" and "false" for switches); null where the rule does not hold it."""
    value = _value(rule, name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def day_of(rule: Rule, name: str) -> date | None:
    """One day of a rule; null where the rule does not hold it."""
    value = _value(rule, name)
    return value if isinstance(value, date) else None


def _value(rule: Rule, name: str) -> object:
    return next((quantity.value for quantity in rule.values if quantity.name == name), None)


def _rank(rule: Rule) -> tuple[str, str, str]:
    return rule.origin, rule.status, rule.confidence
