"""Units and plants read from a TOML or CSV file.

Knows the two layouts and how wrong cells are reported. Must not know rules.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from carbon.errors import CarbonError, Problem
from carbon.formats.text import decode, extra_column, read_bytes, read_header, split_cells
from carbon.rules.book import problems_of
from carbon.rules.units import INDUSTRY_CLASSES, POWER_CLASSES, EmittingUnit, IndustrialUnit, PowerUnit

__all__ = ["InvalidUnits", "UnitsReading", "read_units", "units_from_records"]

_MAX_BYTES = 16 * 1024 * 1024
_MAX_ROWS = 100_000


class InvalidUnits(CarbonError):
    """A file of units cannot be read at all; `problems` says why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class UnitsReading:
    """The units that could be read, and everything wrong with the others.

    units : in the order of the file; problems : by row; rows_read = units + rows set apart
    """

    units: tuple[EmittingUnit, ...]
    problems: tuple[Problem, ...]
    rows_read: int


def read_units(path: Path) -> UnitsReading:
    """Units of one or more entities and years, from TOML ([[unit]] tables) or CSV (one heading a figure).

    Keys and headings are the fields of `carbon.rules.units.PowerUnit` and `IndustrialUnit`; unit_class tells which. An
    empty cell is a figure unknown. Bad rows are set apart and reported, all at once.
    Raises InvalidUnits for broken TOML, for wrong headings and for a file without units; UnreadableFile, FileTooLarge.
    """
    if path.suffix.lower() == ".toml":
        records, rows = _toml_records(path)
    else:
        records, rows = _csv_records(path)
    if not records:
        raise InvalidUnits([_problem(path.name, None, None, "no units", "at least one unit", "no_units")])
    return units_from_records(records, file=path.name, rows=rows)


def units_from_records(
    records: Sequence[Mapping[str, Any]], *, file: str, rows: Sequence[int | None] | None = None
) -> UnitsReading:
    """Units from plain records, as an interface receives them.

    records : figures as text, int or Decimal; file : name to print in problems; rows : the line of each record
    A unit that stands twice for the same entity and year is reported on its second line.
    """
    units: list[EmittingUnit] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, str, int], int | None] = {}
    for position, record in enumerate(records):
        row = rows[position] if rows is not None else position + 1
        unit, wrong = _unit_of(record, file, row)
        problems += wrong
        if unit is None:
            continue
        key = (unit.entity, unit.unit, unit.year)
        if key in seen:
            found = f"unit {unit.unit} of {unit.entity} in {unit.year}"
            expected = f"each unit and year once (first on row {seen[key]})"
            problems.append(_problem(file, row, "unit", found, expected, "repeated_unit"))
            continue
        seen[key] = row
        units.append(unit)
    return UnitsReading(tuple(units), tuple(problems), len(records))


def _unit_of(record: Mapping[str, Any], file: str, row: int | None) -> tuple[EmittingUnit | None, list[Problem]]:
    unit_class = record.get("unit_class")
    name = f"unit {record.get('unit', '?')}"
    model: type[PowerUnit] | type[IndustrialUnit]
    if unit_class in POWER_CLASSES:
        model = PowerUnit
    elif unit_class in INDUSTRY_CLASSES:
        model = IndustrialUnit
    else:
        expected = f"one of {', '.join([*POWER_CLASSES, *INDUSTRY_CLASSES])}"
        return None, [_problem(file, row, "unit_class", repr(unit_class), expected, "unknown_class")]
    try:
        return model.model_validate(dict(record)), []
    except ValidationError as error:
        return None, problems_of(file, row, name, error)


def _toml_records(path: Path) -> tuple[list[dict[str, Any]], list[int | None]]:
    text = decode(read_bytes(path, max_bytes=_MAX_BYTES), path.name)
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InvalidUnits([_problem(path.name, None, None, str(error), "valid TOML", "not_toml")]) from error
    records = content.get("unit", [])
    if set(content) - {"unit"} or not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        found = ", ".join(sorted(content))
        raise InvalidUnits([_problem(path.name, None, None, found, "[[unit]] tables only", "unknown_key")])
    rows = [row for row, line in enumerate(text.splitlines(), start=1) if line.strip().startswith("[[unit]]")]
    return records, [rows[position] if position < len(rows) else None for position in range(len(records))]


def _csv_records(path: Path) -> tuple[list[dict[str, Any]], list[int | None]]:
    header = read_header(path)
    known = {*PowerUnit.model_fields, *IndustrialUnit.model_fields}
    unknown = [name for name in header if name not in known]
    doubled = sorted({name for name in header if header.count(name) > 1})
    missing = [name for name in ("entity", "unit", "unit_class", "year") if name not in header]
    wrong = [
        _problem(path.name, 1, name, "an unknown heading", f"one of {', '.join(sorted(known))}", "unknown_heading")
        for name in unknown
    ]
    wrong += [
        _problem(path.name, 1, name, "the heading more than once", "each heading once", "repeated_heading")
        for name in doubled
    ]
    wrong += [_problem(path.name, 1, name, "no such heading", "the heading", "missing_heading") for name in missing]
    if wrong:
        raise InvalidUnits(wrong)
    text = decode(read_bytes(path, max_bytes=_MAX_BYTES), path.name)
    cells = split_cells(text, path.name, width=len(header), header_rows=1, max_rows=_MAX_ROWS)
    records, rows = [], []
    for cell in cells.iter_rows(named=True):
        record = {name: cell[f"c{place}"] for place, name in enumerate(header) if cell[f"c{place}"] is not None}
        if cell[extra_column(len(header))] is not None:
            record["a cell beyond the headings"] = cell[extra_column(len(header))]
        if record:
            records.append(record)
            rows.append(cell["row"])
    return records, rows


def _problem(file: str, row: int | None, column: str | None, found: str, expected: str, code: str) -> Problem:
    return Problem(file=file, row=row, column=column, found=found, expected=expected, code=code, severity="error")
