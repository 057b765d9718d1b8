"""Everything that follows for an entity's year from its units: allocation, obligation, limits; as rows for a reader.

Knows in which order the calculations of `carbon.rules` follow each other and how their lines become one table. Must
not know screens, and computes no rule itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from api.lang import Lang
from carbon.errors import CarbonError
from carbon.rules.book import Rules, rules_for
from carbon.rules.carry_over import carry_over_limit
from carbon.rules.entities import Allocation, allocate, allocation_rows
from carbon.rules.lines import Line
from carbon.rules.models import Rule
from carbon.rules.obligation import Obligation, obligation_of
from carbon.rules.offset_limit import offset_limit
from carbon.rules.selection import NoRule, choose_rule, find_rules
from carbon.rules.units import EmittingUnit

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Calculation", "calculate", "calculation_rows"]

_LABELS: Final = {"deadline": ("清缴截止日", "Last day to surrender"), "penalty": ("未足额清缴的处罚", "Penalty")}


@dataclass(frozen=True)
class Calculation:
    """What was calculated for one entity and year.

    limits : lines of the offset limit and of the carry-over, by name of the part; deadline_rule : null where none is
    known; notes : what could not be calculated, and what a reader must know
    """

    allocation: Allocation
    obligation: Obligation
    limits: dict[str, tuple[Line, ...]]
    deadline_rule: Rule | None
    notes: tuple[str, ...]


def calculate(
    units: Sequence[EmittingUnit],
    rules: Rules,
    *,
    scheme: str,
    on_date: date | None,
    drafts: bool,
    net_sales_t: int | None = None,
    holding_t: int | None = None,
) -> tuple[list[Calculation], list[str]]:
    """What can be calculated of each entity and year, ascending, and why the others cannot.

    net_sales_t, holding_t : tonnes, to calculate the carry-over too; of the one entity among the units
    """
    done, reasons = [], []
    for entity, year in sorted({(unit.entity, unit.year) for unit in units}):
        own = [unit for unit in units if (unit.entity, unit.year) == (entity, year)]
        try:
            (allocation,) = allocate(own, rules, scheme=scheme, on_date=on_date, drafts=drafts)
            obligation = obligation_of(allocation, rules, scheme=scheme, on_date=on_date, drafts=drafts)
        except CarbonError as error:
            reasons += str(error).splitlines()
            continue
        limits, notes = _limits(allocation, obligation, rules, scheme, on_date, net_sales_t, holding_t)
        deadline = _deadline_rule(allocation, rules, scheme, on_date)
        notes = (*allocation.notes, *obligation.notes, *notes)
        done.append(Calculation(allocation, obligation, limits, deadline, notes))
    return done, reasons


def calculation_rows(calculations: Sequence[Calculation], lang: Lang) -> "pl.DataFrame":
    """All lines as rows: those of `carbon.rules.entities.allocation_rows`, before them `part`.

    part : allocation, obligation, offset_limit or carry_over. A deadline and a penalty have no value, only words, in
    the language asked for where the rule has them.
    """
    import polars as pl

    rows = [_part("allocation", [])]
    for calculation in calculations:
        rows.append(_part("allocation", [calculation.allocation]))
        for part, lines in {"obligation": calculation.obligation.lines, **calculation.limits}.items():
            # An entity's lines are told as those of its allocation are.
            rows.append(_part(part, [replace(calculation.allocation, units=(), lines=lines)]))
            if part == "obligation":
                rows.append(_words(calculation, lang))
    return pl.concat(rows)


def _part(name: str, allocations: Sequence[Allocation]) -> "pl.DataFrame":
    import polars as pl

    return allocation_rows(allocations).select(pl.lit(name).alias("part"), pl.all())


def _limits(
    allocation: Allocation,
    obligation: Obligation,
    rules: Rules,
    scheme: str,
    on_date: date | None,
    net_sales_t: int | None,
    holding_t: int | None,
) -> tuple[dict[str, tuple[Line, ...]], tuple[str, ...]]:
    limits: dict[str, tuple[Line, ...]] = {}
    notes = []
    try:
        offsets = offset_limit(
            rules,
            scheme=scheme,
            year=allocation.year,
            obligation_t=obligation.obligation_t,
            allocation_t=allocation.allocation_t,
            on_date=on_date,
        )
        limits["offset_limit"] = offsets.lines
        if offsets.rivals:
            notes.append(f"other rules on offsets were passed over: {', '.join(offsets.rivals)}")
    except (NoRule, ValueError) as unknown:
        notes.append(f"offset limit not calculated: {unknown}")
    if net_sales_t is not None and holding_t is not None:
        sector = _sector(allocation) or ""
        try:
            carried = carry_over_limit(
                rules, sector=sector, net_sales_t=net_sales_t, holding_t=holding_t, scheme=scheme, on_date=on_date
            )
            limits["carry_over"] = carried.lines
        except (NoRule, ValueError) as unknown:
            notes.append(f"carry-over not calculated: {unknown}")
    return limits, tuple(notes)


def _sector(allocation: Allocation) -> str | None:
    """The one sector of all units; null where there are several."""
    sectors = {unit.unit.sector for unit in allocation.units}
    return min(sectors) if len(sectors) == 1 else None


def _deadline_rule(allocation: Allocation, rules: Rules, scheme: str, on_date: date | None) -> Rule | None:
    applying = rules_for(rules, scheme, allocation.year, on_date)
    return choose_rule(find_rules(applying, "deadline", item="surrender", sector=_sector(allocation)))


def _words(calculation: Calculation, lang: Lang) -> "pl.DataFrame":
    """The rows of deadline and penalty, in the columns of the others."""
    import polars as pl

    allocation, obligation = calculation.allocation, calculation.obligation
    rows = []
    for line, rule in (("deadline", calculation.deadline_rule), ("penalty", obligation.penalty)):
        if rule is None:
            continue
        label_zh, label_en = _LABELS[line]
        day = obligation.deadline if line == "deadline" else None
        rows.append(
            {
                **{"part": "obligation", "entity": allocation.entity, "year": allocation.year, "line": line},
                **{"label_zh": label_zh, "label_en": label_en, "adds": False, "rule": rule.id},
                **{"formula": (rule.text_zh if lang == "zh" else None) or rule.text_en},
                **{"value_text": day.isoformat() if day else None, "value_unit": "date" if day else None},
                **{"document": rule.document, "status": rule.status, "confidence": rule.confidence},
                "origin": rule.origin,
            }
        )
    return pl.DataFrame(rows, schema=_part("obligation", []).schema)
