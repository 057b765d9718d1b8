"""The shape of one rule and of its figures.

Knows which kinds of rules exist, which figures each kind must carry and in which unit. Must not know files, schemes'
own figures or arithmetic.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, StrictBool, model_validator

__all__ = [
    "CONFIDENCES",
    "REQUIRED",
    "STATUSES",
    "Confidence",
    "Kind",
    "Quantity",
    "Rule",
    "Status",
    "Unit",
    "Value",
]

Kind = Literal[
    "benchmark",
    "borrowing",
    "cap",
    "carry_over",
    "correction",
    "deadline",
    "entity_threshold",
    "equal_to_verified",
    "fact",
    "gap_cap",
    "gas_cap",
    "institution",
    "legal_basis",
    "offset_limit",
    "penalty",
    "pre_allocation",
    "price_limit",
    "product",
    "rounding",
    "scope",
    "trading",
    "vintage",
]
Confidence = Literal["high", "medium", "low"]
Status = Literal["final", "draft", "reported", "assumed"]
Unit = Literal[
    "1", "share", "t", "t/MWh", "t/GJ", "t/a", "tce", "CNY", "CNY/t", "EUR/t", "GBP/t", "year", "date", "text"
]
# Strict, so that 0 and 1 stay numbers.
Value = StrictBool | Decimal | Annotated[date, Strict()] | str

# The better first: a rule that is final and well sourced goes before one that is merely reported.
STATUSES: tuple[str, ...] = ("final", "reported", "assumed", "draft")
CONFIDENCES: tuple[str, ...] = ("high", "medium", "low")

# Kind -> the figures that its functions read, with their units.
REQUIRED: dict[str, dict[str, str]] = {
    "benchmark": {"electricity": "t/MWh", "heat": "t/GJ", "basis": "text"},
    "borrowing": {"allowed": "text"},
    "carry_over": {"base": "t", "multiple": "1", "apply_by": "date", "into": "year"},
    "deadline": {"day": "date"},
    "entity_threshold": {"quantity": ""},
    "gap_cap": {"share": "share", "acts_on": "text"},
    "gas_cap": {"acts_on": "text"},
    "offset_limit": {"share": "share", "base": "text"},
    "pre_allocation": {"share": "share", "base": "text"},
    "price_limit": {"share": "share"},
    "rounding": {"method": "text"},
    "vintage": {"first": "year"},
}

_FROZEN = ConfigDict(frozen=True, extra="forbid")
_YEAR = Annotated[int, Field(ge=1990, le=2100)]


class Quantity(BaseModel):
    """One figure of a rule: name, value (exact decimal, date, text, true or false) and unit ("text" for words)."""

    model_config = _FROZEN

    name: str = Field(min_length=1)
    value: Value
    unit: Unit


class Rule(BaseModel):
    """One rule: what it says, for which years and days, and who says so.

    id : unique within all schemes; kind : what it rules; item : which of its kind ("surrender", "cooling", ...)
    sector, classes : whom it concerns; empty for everyone
    first_year, last_year : compliance years, both included; null for any
    from_date, to_date : days on which it is known and in force, both included; null for any
    method : name of the formula that reads the figures, where a kind has several
    status : final (a document in force), draft (a consultation), reported (secondary text only), assumed (ours)
    origin : "embedded", or "user" for a rule from the user's own file; `scheme` and `origin` are set by the loader
    """

    model_config = _FROZEN

    id: str = Field(pattern=r"^[a-z0-9][a-zA-Z0-9_-]+$")
    kind: Kind
    scheme: str
    item: str | None = None
    sector: str | None = None
    classes: tuple[str, ...] = ()
    first_year: _YEAR | None = None
    last_year: _YEAR | None = None
    from_date: date | None = None
    to_date: date | None = None
    method: str | None = None
    values: tuple[Quantity, ...] = ()
    text_zh: str | None = None
    text_en: str = Field(min_length=1)
    document: str | None = None
    source: str = Field(min_length=1)
    confidence: Confidence
    status: Status
    note: str | None = None
    origin: Literal["embedded", "user"] = "embedded"

    @model_validator(mode="after")
    def _fits_itself(self) -> Self:
        """Years and days in order, no figure twice, and all figures that the kind needs, in their units."""
        wrong = [*_disorder(self), *_missing_values(self)]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def _disorder(rule: Rule) -> list[str]:
    wrong = []
    if rule.first_year is not None and rule.last_year is not None and rule.first_year > rule.last_year:
        wrong.append(f"found years {rule.first_year} to {rule.last_year}, expected the first before the last")
    if rule.from_date is not None and rule.to_date is not None and rule.from_date > rule.to_date:
        wrong.append(f"found days {rule.from_date} to {rule.to_date}, expected the first before the last")
    names = [quantity.name for quantity in rule.values]
    wrong += [f"found the value {name!r} more than once" for name in sorted(set(names)) if names.count(name) > 1]
    return wrong


def _missing_values(rule: Rule) -> list[str]:
    units = {quantity.name: quantity.unit for quantity in rule.values}
    wrong = []
    for name, unit in REQUIRED.get(rule.kind, {}).items():
        if name not in units:
            wrong.append(f"found no value {name!r}, expected one{f' in {unit}' if unit else ''} in a {rule.kind} rule")
        elif unit and units[name] != unit:
            wrong.append(f"found the value {name!r} in {units[name]}, expected {unit}")
    return wrong
