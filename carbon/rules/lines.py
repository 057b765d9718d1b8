"""One line of a calculation that a reader can check by hand, and lines as a frame.

Knows how a line names its rule and how figures are printed. Must not know any rule's figures or formula.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from carbon.rules.models import Rule
from carbon.rules.selection import NoRule, text_of

__all__ = ["Line", "make_line", "printed", "rounded", "total_t"]

_SHOWN_DECIMALS = Decimal("1e-10")
_ROUNDINGS = {"half_up": ROUND_HALF_UP, "down": ROUND_FLOOR, "up": ROUND_CEILING}

# what -> (Chinese, English), as a reader sees it.
_LABELS = {
    "benchmark_electricity": ("供电（发电）基准值", "Electricity benchmark"),
    "benchmark_heat": ("供热基准值", "Heat benchmark"),
    "cooling": ("冷却方式修正系数Fl", "Cooling factor Fl"),
    "heat_supply": ("供热量修正系数Fr", "Heat-supply factor Fr"),
    "load": ("负荷（出力）系数修正系数Ff", "Load factor correction Ff"),
    "peak_shaving": ("调峰修正系数", "Peak-shaving factor"),
    "electricity": ("电量部分配额", "Allocation for electricity"),
    "heat": ("供热部分配额", "Allocation for heat"),
    "equal_to_verified": ("配额等于经核查排放量", "Allocation equal to verified emissions"),
    "rounding": ("取整", "Rounding to whole tonnes"),
    "gas_top_up": ("燃气机组补发配额", "Top-up of a gas unit"),
    "unit": ("机组配额", "Allocation of the unit"),
    "gap_top_up": ("缺口上限补发配额", "Top-up to the gap cap"),
    "final": ("年度应发放配额", "Final allocation"),
    "pre_allocation_unit": ("机组预分配配额", "Pre-allocation of the unit"),
    "pre_allocation": ("预分配配额", "Pre-allocation"),
    "supplement": ("补发配额", "Supplement"),
    "recall": ("收回配额", "Recall"),
    "settled": ("预分配与核定相同", "Nothing to supplement or recall"),
    "verified": ("经核查排放量", "Verified emissions"),
    "gas_cap": ("燃气机组履约上限", "Cap of the gas units' obligation"),
    "gap_cap": ("配额缺口上限", "Gap cap"),
    "obligation": ("应清缴配额量", "Obligation"),
    "base": ("结转基础量", "Base of the carry-over"),
    "net_sales": ("净卖出量计入部分", "Share of net sales"),
    "holding": ("持有量上限", "Limited to the holding"),
    "too_late": ("已过申请期限", "Past the last day to apply"),
    "carry_over": ("最大可结转量", "Largest carry-over"),
    "offset_limit": ("抵销上限", "Offset limit"),
    "gap": ("配额缺口量", "Gap"),
    "gap_share": ("配额缺口率", "Gap as a share"),
    "borrowing": ("最大可预支量", "Most that may be borrowed"),
}


@dataclass(frozen=True)
class Line:
    """One step: what it is, the formula with its numbers, the result, and the rule it follows.

    adds : whether the value is a part of the total, so that the parts of a list add up to its total
    rule, document, status, confidence, origin : of the rule; null where the line is plain arithmetic
    """

    what: str
    label_zh: str
    label_en: str
    formula: str
    value: Decimal
    unit: str
    adds: bool
    rule: str | None
    document: str | None
    status: str | None
    confidence: str | None
    origin: str | None


def make_line(what: str, formula: str, value: Decimal, unit: str, rule: Rule | None, *, adds: bool = False) -> Line:
    """A line with its labels and the rule's name, document, status, confidence and origin."""
    label_zh, label_en = _LABELS[what]
    return Line(
        what=what,
        label_zh=label_zh,
        label_en=label_en,
        formula=formula,
        value=value,
        unit=unit,
        adds=adds,
        rule=rule.id if rule else None,
        document=rule.document if rule else None,
        status=rule.status if rule else None,
        confidence=rule.confidence if rule else None,
        origin=rule.origin if rule else None,
    )


def printed(value: Decimal) -> str:
    """A number for a formula: thousands signs, at most ten decimals, a mark "…" where more were left out."""
    shown = value.quantize(_SHOWN_DECIMALS)
    if shown != value:
        return f"{shown:,f}".rstrip("0") + "…"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(value: Decimal, rule: Rule) -> Decimal:
    """Whole tonnes by the method of a rounding rule: half_up, down or up. Raises NoRule for another method."""
    method = text_of(rule, "method")
    if method not in _ROUNDINGS:
        raise NoRule(f"found the method {method!r} in the rule {rule.id}, expected one of {', '.join(_ROUNDINGS)}")
    return value.quantize(Decimal(1), rounding=_ROUNDINGS[method])


def total_t(lines: Iterable[Line]) -> Decimal:
    """The sum of the lines that add, in tonnes."""
    return sum((line.value for line in lines if line.adds), Decimal(0))
