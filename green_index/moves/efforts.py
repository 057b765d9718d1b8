"""What moving an indicator costs and how far it may move: read from a file, checked all at once.

Knows the columns and what values they take. Must not know scores, hubs or how the cheapest way is found.
"""

import csv
import io
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fhi.errors import Problem, one_of
from fhi.framework import Framework
from green_index.moves.changes import indicators_below
from green_index.moves.errors import UnusableEffort

COLUMNS: Final = ("code", "cost_per_point", "cost_per_unit", "lower", "upper", "fixed_cost", "switch")
_NUMBERS: Final = ("cost_per_point", "cost_per_unit", "lower", "upper", "fixed_cost")
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_EXPECTED: Final = (
    "CSV with the columns code, cost_per_point, cost_per_unit, lower, upper, fixed_cost, switch, or TOML with one "
    "[[indicator]] table each"
)


@dataclass(frozen=True)
class Effort:
    """What one indicator costs to move; costs in any one unit, the same for all indicators.

    cost_per_point: for each point of the indicator's own score (0..100). cost_per_unit: instead, for each unit of its
    figure. lower: the score to be reached at least; upper: the greatest that can be reached; None for the score there
    is, and for the best. fixed_cost: once, however far it moves. switch: it moves to `upper` or not at all; None where
    the unit says so (0 or 1).
    """

    cost_per_point: float | None = None
    cost_per_unit: float | None = None
    lower: float | None = None
    upper: float | None = None
    fixed_cost: float = 0.0
    switch: bool | None = None


def read_efforts(path: Path, framework: Framework) -> dict[str, Effort]:
    """Efforts by indicator from a CSV or TOML file; an indicator that is not in it costs 1 a point.

    Raises UnusableEffort with every problem of the file at once, each with its row and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableEffort([Problem(path.name, str(error), _EXPECTED, "unreadable")]) from error
    rows, problems = (_toml_rows if path.suffix.lower() == ".toml" else _csv_rows)(path.name, text)
    found: dict[str, Effort] = {}
    for where, row in rows:
        problems += _unknown(where, row, framework)
        values, wrong = _values(where, row)
        problems += wrong or _contradictions(where, values)
        code = str(row.get("code", ""))
        if code in found:
            problems.append(Problem(where, f"{code} once more", "one row an indicator", "duplicate"))
        found[code] = values
    if problems:
        raise UnusableEffort(problems)
    return found


def fix_indicators(efforts: Mapping[str, Effort], framework: Framework, codes: Iterable[str]) -> tuple[str, ...]:
    """The indicators that shall not move, groups among the codes told as their indicators.

    Raises UnusableEffort for codes that are not there, and for indicators that shall stay and yet reach a bound.
    """
    problems: list[Problem] = []
    fixed: list[str] = []
    for code in codes:
        if code not in framework.node:
            problems.append(Problem("fixed", repr(code), one_of(framework.node, code), "unknown_code"))
            continue
        fixed += indicators_below(framework, code)
    problems += [
        Problem(f"fixed {code}", "a lower bound too", "no lower bound of what does not move", "contradiction")
        for code in fixed
        if code in efforts and efforts[code].lower is not None
    ]
    if problems:
        raise UnusableEffort(problems)
    return tuple(dict.fromkeys(fixed))


_Rows = list[tuple[str, Mapping[str, Any]]]


def _csv_rows(name: str, text: str) -> tuple[_Rows, list[Problem]]:
    table = csv.DictReader(io.StringIO(text), restkey="")
    header = [column.strip() for column in table.fieldnames or []]
    table.fieldnames = header
    if "code" not in header:
        return [], [Problem(name, f"columns {', '.join(header) or 'none'}", _EXPECTED, "no_code")]
    rows: _Rows = []
    for number, row in enumerate(table, 2):
        filled = {key: value.strip() for key, value in row.items() if isinstance(value, str) and value.strip()}
        extra = {"": row[""]} if row.get("") else {}
        if filled or extra:
            rows.append((f"{name} row {number}", {**filled, **extra}))
    return rows, []


def _toml_rows(name: str, text: str) -> tuple[_Rows, list[Problem]]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [Problem(name, str(error), _EXPECTED, "not_toml")]
    tables = content.get("indicator")
    if set(content) != {"indicator"} or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        return [], [Problem(name, f"keys {', '.join(content) or 'none'}", _EXPECTED, "no_indicator")]
    return [(f"{name} [[indicator]] {number}", table) for number, table in enumerate(tables, 1)], []


def _unknown(where: str, row: Mapping[str, Any], framework: Framework) -> list[Problem]:
    problems = [
        Problem(f"{where}, column {key}", repr(value), one_of(COLUMNS, key), "unknown_column")
        for key, value in row.items()
        if key not in COLUMNS
    ]
    code = row.get("code", "")
    if code not in framework.indicator:
        problems.append(Problem(f"{where}, column code", repr(code), one_of(framework.indicator, code), "unknown_code"))
    return problems


def _values(where: str, row: Mapping[str, Any]) -> tuple[Effort, list[Problem]]:
    numbers: dict[str, float] = {}
    problems = []
    for name in _NUMBERS:
        if name not in row:
            continue
        value = _number(row[name])
        if value is None or value < 0:
            problems.append(Problem(f"{where}, column {name}", repr(row[name]), "a number, zero or more", "no_number"))
        else:
            numbers[name] = value
    switch = None
    if "switch" in row:
        switch = _WORDS.get(str(row["switch"]).lower())
        if switch is None:
            problems.append(Problem(f"{where}, column switch", repr(row["switch"]), "true or false", "no_truth"))
    effort = Effort(
        cost_per_point=numbers.get("cost_per_point"),
        cost_per_unit=numbers.get("cost_per_unit"),
        lower=numbers.get("lower"),
        upper=numbers.get("upper"),
        fixed_cost=numbers.get("fixed_cost", 0.0),
        switch=switch,
    )
    return effort, problems


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _contradictions(where: str, effort: Effort) -> list[Problem]:
    problems = []
    if effort.cost_per_point is not None and effort.cost_per_unit is not None:
        problems.append(Problem(where, "both cost_per_point and cost_per_unit", "one of them", "contradiction"))
    if effort.lower is not None and effort.upper is not None and effort.lower > effort.upper:
        found = f"lower {effort.lower:g} above upper {effort.upper:g}"
        problems.append(Problem(where, found, "lower no greater than upper", "contradiction"))
    return problems
