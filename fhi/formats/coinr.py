"""COINr's iMeta: a row a node, level 1 being the indicators (Becker et al. 2022, "COINr", JOSS 7(78) 4567).

Knows COINr's columns and types. Must not know our own layout, nor figures.

Types Indicator and Aggregate make the tree, Denominator the denominators, Group and Other the attributes of units.
Columns that COINr knows and we read: Level, iCode, iName, Parent, Direction, Weight, Unit, Target, Denominator, Type,
goalpost_lower, goalpost_upper, ScaleFactor (our `per`), and our own keys beside them. As in COINr, any other column is
a remark; but one that looks like a slip for a column that is missing is a problem. The scale of goalposts is the
recipe's matter, so goalpost_scale is not read; figures are always held at goalposts, so FALSE in goalpost_trunc2posts
is a problem. A Direction of an Aggregate can only be 1: turn the indicators instead.
"""

import difflib
from collections.abc import Sequence
from typing import Final

from fhi.errors import Problem, one_of
from fhi.formats.table_rows import OWN_KEYS, Row, texts_of
from fhi.formats.tables import Table

_KEYS: Final = {
    **{key: key for key in OWN_KEYS if key not in ("code", "kind")},
    "icode": "code",
    "iname": "name_en",
    "type": "kind",
    "goalpost_lower": "lower",
    "goalpost_upper": "upper",
    "goalpost_trunc2posts": "truncates",
    "scalefactor": "per",
}
_KINDS: Final = {
    "indicator": "indicator",
    "aggregate": "group",
    "denominator": "denominator",
    "group": "attribute",
    "other": "attribute",
}
_REQUIRED: Final = ("Level", "iCode", "Parent", "Direction", "Weight", "Type")
_OPTIONAL: Final = ("iName", "Unit", "Target", "Denominator", "goalpost_lower", "goalpost_upper", "ScaleFactor")


def is_imeta(headings: Sequence[str]) -> bool:
    """Do the headings look like COINr's iMeta rather than like our own layout?"""
    lower = {heading.lower() for heading in headings}
    return "icode" in lower or "type" in lower


def rows_of_imeta(table: Table) -> tuple[list[Row], list[Problem], bool]:
    """The rows of an iMeta, what is wrong with its columns and types, and whether the rows can be read at all."""
    lower = {heading.lower() for heading in table.headings}
    missing = [name for name in _REQUIRED if name.lower() not in lower]
    strangers = [heading for heading in table.headings if heading.lower() not in _KEYS]
    problems = []
    for name in missing:
        others = {heading.lower(): heading for heading in strangers}
        near = difflib.get_close_matches(name.lower(), others, n=1)
        hint = f" (instead of {others[near[0]]}?)" if near else ""
        problems.append(Problem(f"{table.name} row 1", f"no column {name}", f"a column {name}{hint}", "missing_column"))
    for heading in strangers:
        absent = {name.lower(): name for name in _OPTIONAL if name.lower() not in lower}
        near = difflib.get_close_matches(heading.lower(), absent, n=1, cutoff=0.8)
        if near:
            expected = f"the column {absent[near[0]]}; a column of remarks needs a name less like it"
            problems.append(Problem(f"{table.name} row 1", f"the column {heading}", expected, "unknown_column"))
    if missing:
        return [], problems, False
    key_of = {heading: _KEYS[heading.lower()] for heading in table.headings if heading.lower() in _KEYS}
    columns = {key: heading for heading, key in key_of.items()}
    rows = []
    for number, texts in texts_of(table, key_of):
        row, wrong = _row(table.name, number, texts, columns)
        rows.append(row)
        problems += wrong
    return rows, problems, True


def _row(file: str, number: int, texts: dict[str, str], columns: dict[str, str]) -> tuple[Row, list[Problem]]:
    row = Row(number, _KINDS.get(texts.get("kind", "").lower(), "attribute"), texts, columns)
    problems = []
    if texts.get("kind", "").lower() not in _KINDS:
        found = repr(texts["kind"]) if "kind" in texts else "nothing"
        types = [kind.capitalize() for kind in _KINDS]
        where = f"{row.place(file)}, column {columns['kind']}"
        problems.append(Problem(where, found, one_of(types, texts.get("kind")), "wrong_value"))
    if texts.get("truncates", "").upper() in ("FALSE", "F", "0"):
        where = f"{row.place(file)}, column {columns['truncates']}"
        expected = "TRUE or an empty cell: figures beyond a goalpost are held at it"
        problems.append(Problem(where, repr(texts["truncates"]), expected, "wrong_value"))
    named = texts if {"name_en", "name_zh"} & texts.keys() else {**texts, "name_en": texts.get("code", "")}
    return Row(number, row.kind, named, columns), problems
