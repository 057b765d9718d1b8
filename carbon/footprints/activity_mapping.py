"""How a file of the user's own is told to be a file of activities: a small TOML of columns, words and fixed values.

Knows the TOML's tables and what may stand in them. Must not know how files are read or what a row must keep beyond
single values.

    sheet = "用量"             # of a workbook; without it the sheet of the template, or the first
    header_row = 1             # the row that holds the headings
    separator = ","            # of a CSV file
    [columns]                  # our column = heading in the file
    amount = "用量"
    [values.unit]              # what the file writes = what is meant
    "度" = "kWh"
    [fixed]                    # in every row that has no cell of its own
    entity = "plant-1"
    [amount]
    decimal = ","              # before the decimals of amount, lower, upper and share
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from carbon.errors import CarbonError, Problem
from carbon.footprints.activities import activity_rules
from carbon.footprints.activity_cells import type_activities
from carbon.footprints.activity_words import CODES, COLUMNS, heading_words
from carbon.formats.text import decode, read_bytes

__all__ = ["ActivityMapping", "UnusableActivities", "read_mapping", "with_fixed"]

_MAX_BYTES: Final = 1 << 20
_KEYS: Final = ("sheet", "header_row", "separator", "columns", "values", "fixed", "amount")
_NAMES: Final = tuple(one.name for one in COLUMNS)
_CHECKED: Final = {*CODES, "unit", "period", "share", "recorded", "amount", "lower", "upper"}


class UnusableActivities(CarbonError):
    """The headings of a file, or the mapping for it, do not make activities; `problems` says all that is wrong."""

    def __init__(self, problems: "tuple[Problem, ...]") -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class ActivityMapping:
    """What a mapping says; problems : all that is wrong with it, told when a file is read with it."""

    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."
    sheet: str | None = None
    header_row: int = 1
    separator: str = ","
    file: str = ""
    problems: tuple[Problem, ...] = ()


def read_mapping(path: Path) -> ActivityMapping:
    """The mapping that a TOML file holds, with everything wrong in it. Raises UnreadableFile."""
    try:
        content = tomllib.loads(decode(read_bytes(path, max_bytes=_MAX_BYTES), path.name))
    except tomllib.TOMLDecodeError as error:
        wrong = _problem(path.name, None, str(error), "a TOML file", "not_toml")
        return ActivityMapping(file=path.name, problems=(wrong,))
    problems = [
        _problem(path.name, key, "an unknown key", f"one of {', '.join(_KEYS)}", "unknown_key")
        for key in content
        if key not in _KEYS
    ]
    columns, told = _texts(content, "columns", path.name)
    problems += told
    fixed, told = _texts(content, "fixed", path.name)
    problems += told
    values, told = _values(content.get("values", {}), path.name)
    problems += told
    settings, told = _settings(content, path.name)
    problems += told
    made = ActivityMapping(columns, values, fixed, file=path.name, **settings)  # type: ignore[arg-type]
    meant = [(f"values.{name}", name, word) for name, words in values.items() for word in words.values()]
    problems += _wrong_words([*meant, *((f"fixed.{name}", name, word) for name, word in fixed.items())], made)
    return replace(made, problems=tuple(problems))


def with_fixed(mapping: ActivityMapping, fixed: Mapping[str, str]) -> ActivityMapping:
    """The same mapping with more fixed values, which go before those it has; wrong ones are among its problems."""
    wrong = _wrong_words([(f"fixed.{name}", name, word) for name, word in fixed.items()], mapping)
    return replace(mapping, fixed={**mapping.fixed, **fixed}, problems=(*mapping.problems, *wrong))


def _texts(content: Mapping[str, Any], table: str, file: str) -> tuple[dict[str, str], list[Problem]]:
    """A table of our columns and texts; numbers and days are taken as they are printed."""
    found = content.get(table, {})
    if not isinstance(found, dict):
        return {}, [_problem(file, table, repr(found), f"a table [{table}]", "wrong_type")]
    good, problems = {}, []
    for name, value in found.items():
        column = heading_words().get(name.casefold())
        if column is None:
            known = ", ".join(_NAMES)
            problems.append(_problem(file, f"{table}.{name}", "an unknown column", f"one of {known}", "unknown_column"))
        elif isinstance(value, (dict, list)):
            problems.append(_problem(file, f"{table}.{name}", repr(value), "one text", "wrong_type"))
        else:
            good[column] = str(value).lower() if isinstance(value, bool) else str(value).strip()
    return good, problems


def _values(found: Any, file: str) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    if not isinstance(found, dict):
        return {}, [
            _problem(file, "values", repr(found), 'tables such as [values.unit] with "度" = "kWh"', "wrong_type")
        ]
    good, problems = {}, []
    for name, words in found.items():
        column = heading_words().get(name.casefold())
        if (
            column is None
            or not isinstance(words, dict)
            or any(isinstance(word, (dict, list)) for word in words.values())
        ):
            expected = f"a table of words for one of {', '.join(_NAMES)}"
            problems.append(_problem(file, f"values.{name}", repr(words), expected, "unknown_column"))
            continue
        good[column] = {
            str(key).strip(): str(word).lower() if word in (True, False) else str(word) for key, word in words.items()
        }
    return good, problems


def _settings(content: Mapping[str, Any], file: str) -> tuple[dict[str, str | int | None], list[Problem]]:
    amount = content.get("amount", {})
    decimal = amount.get("decimal", ".") if isinstance(amount, dict) else None
    unknown = [key for key in amount if key != "decimal"] if isinstance(amount, dict) else []
    problems = [_problem(file, f"amount.{key}", "an unknown key", "decimal", "unknown_key") for key in unknown]
    settings: dict[str, str | int | None] = {}
    checks = (
        ("decimal", decimal, decimal in (".", ","), "amount.decimal", '"." or ","', "."),
        (
            "sheet",
            content.get("sheet"),
            isinstance(content.get("sheet", ""), str),
            "sheet",
            "the name of a sheet",
            None,
        ),
        (
            "header_row",
            content.get("header_row", 1),
            _is_row(content.get("header_row", 1)),
            "header_row",
            "1 to 100",
            1,
        ),
        (
            "separator",
            content.get("separator", ","),
            content.get("separator", ",") in (",", ";", "\t", "|"),
            "separator",
            'one of "," ";" "|" "\\t"',
            ",",
        ),
    )
    for name, value, is_right, key, expected, usual in checks:
        settings[name] = value if is_right else usual
        if not is_right:
            problems.append(_problem(file, key, repr(value), expected, "wrong_type"))
    return settings, problems


def _is_row(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100


def _wrong_words(words: "list[tuple[str, str, str]]", mapping: ActivityMapping) -> list[Problem]:
    """Problems of values that no row could hold: each is tried as the cell of a row of its own."""
    import polars as pl

    checked = [(key, name, word) for key, name, word in words if name in _CHECKED]
    if not checked:
        return []
    cells = {name: [word if name == column else None for _, column, word in checked] for name in _NAMES}
    rows = pl.DataFrame(
        {"row": range(len(checked)), **cells}, schema={"row": pl.Int64, **dict.fromkeys(_NAMES, pl.String)}
    )
    typed = type_activities(rows, values={}, decimal=mapping.decimal)
    rules = [rule for rule in activity_rules() if rule.code != "missing_cell"]
    found = []
    for rule in rules:
        broken = typed.filter(rule.where.fill_null(False))["row"]
        found += [
            _problem(mapping.file, checked[row][0], checked[row][2], rule.expected, rule.code)
            for row in broken
            if checked[row][1] == rule.column
        ]
    return found


def _problem(file: str, key: str | None, found: str, expected: str, code: str) -> Problem:
    return Problem(file or "mapping", None, key, found, expected, code, "error")
