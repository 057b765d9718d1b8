"""The allocation of an entity in a year: its units, the gap cap, pre-allocation, and supplement or recall.

Knows how units make up an entity. Must not know figures (they stand in the rules), files or the ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from carbon.errors import CarbonError
from carbon.rules.allocation import UnitAllocation, allocate_unit, rounding_rule
from carbon.rules.book import Rules, only, rules_for
from carbon.rules.lines import Line, make_line, printed, rounded, total_t
from carbon.rules.models import Rule
from carbon.rules.selection import choose_rule, find_rules, number, text_of
from carbon.rules.units import EmittingUnit, PowerUnit

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Allocation", "CannotAllocate", "allocate", "allocation_rows"]


class CannotAllocate(CarbonError):
    """Units cannot be allocated; `reasons` names each of them."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class Allocation:
    """What an entity is allocated in a compliance year.

    units : its units with their own lines; lines : the entity's; those that add make up `allocation_t`
    pre_allocation_t : whole tonnes, null where it cannot be told; settlement_t : what is left to supplement (positive)
    or to recall (negative), null likewise
    verified_t : verified emissions of all units, null where one has none
    uses_drafts : whether any line follows a draft; notes : what could not be calculated, and what a reader must know
    """

    entity: str
    year: int
    units: tuple[UnitAllocation, ...]
    lines: tuple[Line, ...]
    verified_t: int | None
    pre_allocation_t: int | None
    settlement_t: int | None
    uses_drafts: bool
    notes: tuple[str, ...]

    @property
    def allocation_t(self) -> int:
        """Whole tonnes allocated in the end."""
        return int(total_t(self.lines))


def allocate(
    units: Sequence[EmittingUnit],
    rules: Rules,
    *,
    scheme: str = "CN",
    on_date: date | None = None,
    drafts: bool = False,
) -> tuple[Allocation, ...]:
    """The allocations of all entities and years among the units, ascending by entity and year.

    rules : all rules (`carbon.rules.book.load_rules`); on_date : only rules known and in force on that day, null for
    all; drafts : whether drafts may be used where there is nothing final; the result then says so
    Raises CannotAllocate, naming every unit that is ruled by nothing known or lacks a figure, and doubled units.
    """
    known = only(rules, (rule for rule in rules.rules if rule.scheme == scheme))
    applying = {year: rules_for(rules, scheme, year, on_date, drafts=drafts) for year in {unit.year for unit in units}}
    reasons = _doubled(units)
    done: dict[tuple[str, int], list[UnitAllocation]] = {}
    for unit in units:
        try:
            allocated = allocate_unit(unit, applying[unit.year], known)
        except CarbonError as error:
            reasons.append(str(error))
            continue
        done.setdefault((unit.entity, unit.year), []).append(allocated)
    if reasons:
        raise CannotAllocate(reasons)
    return tuple(_entity(entity, year, done[entity, year], applying[year]) for entity, year in sorted(done))


def allocation_rows(allocations: Iterable[Allocation]) -> "pl.DataFrame":
    """All lines as rows ready for a table: the units' first, then the entity's.

    Result : entity, year (Int32), unit (null for the entity's lines), line, label_zh, label_en, formula, value
    (Float64), value_text (exact), value_unit, adds (Boolean: a part of the total), rule, document, status, confidence,
    origin.
    """
    import polars as pl

    text = pl.String
    schema: dict[str, type[pl.DataType]] = {
        **{"entity": text, "year": pl.Int32, "unit": text, "line": text, "label_zh": text, "label_en": text},
        **{"formula": text, "value": pl.Float64, "value_text": text, "value_unit": text, "adds": pl.Boolean},
        **dict.fromkeys(["rule", "document", "status", "confidence", "origin"], text),
    }
    rows = []
    for allocation in allocations:
        parts = [(unit.unit.unit, unit.lines) for unit in allocation.units]
        for unit, lines in [*parts, (None, allocation.lines)]:
            rows += [_row(allocation, unit, line) for line in lines]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _row(allocation: Allocation, unit: str | None, line: Line) -> tuple[object, ...]:
    return (
        *(allocation.entity, allocation.year, unit, line.what, line.label_zh, line.label_en, line.formula),
        *(float(line.value), printed(line.value), line.unit, line.adds),
        *(line.rule, line.document, line.status, line.confidence, line.origin),
    )


def _doubled(units: Sequence[EmittingUnit]) -> list[str]:
    keys = [(unit.entity, unit.year, unit.unit) for unit in units]
    doubled = sorted({key for key in keys if keys.count(key) > 1})
    return [f"{entity}, unit {unit}, {year}: found twice, expected once" for entity, year, unit in doubled]


def _entity(entity: str, year: int, units: list[UnitAllocation], rules: Rules) -> Allocation:
    lines = [
        make_line("unit", f"unit {unit.unit.unit}: sum of its lines", Decimal(unit.allocation_t), "t", None, adds=True)
        for unit in units
    ]
    top_up, gap_notes = _gap_top_up(units, rules)
    lines += top_up
    final = total_t(lines)
    lines.append(make_line("final", " + ".join(printed(line.value) for line in lines), final, "t", None))
    before, before_notes = _pre_allocation(units, rules)
    pre = next((line.value for line in before if line.what == "pre_allocation"), None)
    settlement = None if pre is None else final - pre
    lines += before
    if pre is not None and settlement is not None:
        lines.append(_settlement(final, pre, settlement))
    verified = [unit.unit.verified_t for unit in units]
    every_line = [*(line for unit in units for line in unit.lines), *lines]
    drafts = sorted({line.rule or "" for line in every_line if line.status == "draft"})
    warned = (f"drafts used, not in force: {', '.join(drafts)}",) if drafts else ()
    return Allocation(
        entity=entity,
        year=year,
        units=tuple(units),
        lines=tuple(lines),
        verified_t=_sum_or_none(verified),
        pre_allocation_t=None if pre is None else int(pre),
        settlement_t=None if settlement is None else int(settlement),
        uses_drafts=bool(drafts),
        notes=(*warned, *(note for unit in units for note in unit.notes), *gap_notes, *before_notes),
    )


def _gap_top_up(units: list[UnitAllocation], rules: Rules) -> tuple[list[Line], tuple[str, ...]]:
    """What the power units get on top so that the gap is within the cap, where the rule acts on the allocation."""
    power = [unit for unit in units if isinstance(unit.unit, PowerUnit)]
    rule = choose_rule(find_rules(rules, "gap_cap", sector="power"))
    if not power or rule is None or text_of(rule, "acts_on") != "allocation":
        return [], ()
    verified = _sum_or_none([unit.unit.verified_t for unit in power])
    if verified is None:
        return [], (f"verified emissions are missing, so the gap cap ({rule.id}) is not applied",)
    share = 1 - number(rule, "share")
    least = rounded(share * verified, rounding_rule(rules, "gap_cap"))
    missing = least - sum(unit.allocation_t for unit in power)
    if missing <= 0:
        return [], ()
    shown = f"{printed(share)} × {printed(Decimal(verified))} - {printed(least - missing)}, rounded up"
    note = "the gap cap acts on the allocation: it is topped up"
    return [make_line("gap_top_up", shown, missing, "t", rule, adds=True)], (note,)


def _pre_allocation(units: list[UnitAllocation], rules: Rules) -> tuple[list[Line], tuple[str, ...]]:
    """Lines of the pre-allocation, the last one its total; no lines, and a note, where it cannot be told."""
    lines, notes = [], []
    for unit in units:
        rule = choose_rule(find_rules(rules, "pre_allocation", sector=unit.unit.sector))
        line = _pre_allocation_of(unit, rule, rules)
        if line is None:
            base = text_of(rule, "base") if rule else "no rule"
            notes.append(f"unit {unit.unit.unit}: pre-allocation not calculated (base: {base})")
        else:
            lines.append(line)
    if notes:
        return [], tuple(notes)
    total = sum((line.value for line in lines), Decimal(0))
    formula = " + ".join(printed(line.value) for line in lines)
    return [*lines, make_line("pre_allocation", formula, total, "t", None)], ()


def _pre_allocation_of(allocated: UnitAllocation, rule: Rule | None, rules: Rules) -> Line | None:
    unit = allocated.unit
    if unit.pre_allocated_t is not None:
        return make_line("pre_allocation_unit", "as given", Decimal(unit.pre_allocated_t), "t", None)
    if rule is None:
        return None
    share, base = number(rule, "share"), _base_t(unit, text_of(rule, "base"))
    if share == 0:
        return make_line("pre_allocation_unit", "none", Decimal(0), "t", rule)
    if base is None:
        return None
    whole = rounded(share * base, rounding_rule(rules, "allocation"))
    most = "at most " if text_of(rule, "at_most") == "true" else ""
    formula = f"{most}{printed(share)} × {printed(Decimal(base))}, rounded"
    return make_line("pre_allocation_unit", formula, whole, "t", rule)


def _base_t(unit: EmittingUnit, base: str | None) -> int | None:
    if not isinstance(unit, PowerUnit) or base not in ("verified_of_2021", "verified_of_previous_year"):
        return None
    own_year = base == "verified_of_2021" and unit.year == 2021
    return unit.verified_t if own_year and unit.base_verified_t is None else unit.base_verified_t


def _settlement(final: Decimal, pre: Decimal, settlement: Decimal) -> Line:
    what = "supplement" if settlement > 0 else "recall" if settlement < 0 else "settled"
    return make_line(what, f"{printed(final)} - {printed(pre)}", settlement, "t", None)


def _sum_or_none(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
