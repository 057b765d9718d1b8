"""A framework from one table, a row a node: our own flat CSV, or COINr's iMeta (see fhi.formats.coinr).

Knows which column is which key and how rows become entries. Must not know how entries make a tree.

Our own columns: code and parent; any of the other keys of fhi.nodes; kind (group, indicator, denominator or
attribute), where it is not to be told from the parents; level (the root is 0), which is checked where it is there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fhi.errors import Problem, one_of
from fhi.formats.coinr import is_imeta, rows_of_imeta
from fhi.formats.entries import KINDS, Draft, Entry, place_of, read_entry
from fhi.formats.table_rows import OWN_KEYS, Row, number_of, texts_of
from fhi.formats.tables import Table, read_table
from fhi.nodes import Group

_KINDS: Final = ("group", "indicator", "denominator", "attribute")
_NUMBER_KEYS: Final = ("direction", "weight", "lower", "upper", "target", "per")
# What only an indicator can have; texts beside a group are remarks and may stay.
_OF_INDICATORS: Final = ("direction", "transform", "lower", "upper", "target", "denominator", "per")


def read_table_tree(path: Path) -> Draft:
    """The entries of one CSV or XLSX file (sheet iMeta or framework, else the first), with all problems."""
    table, problems = read_table(path, ("iMeta", "framework"))
    if table is None:
        return Draft({}, (), tuple(problems), whole=False)
    imeta = is_imeta(table.headings)
    rows, wrong, legible = rows_of_imeta(table) if imeta else _rows_of_own(table)
    problems += wrong
    entries: list[Entry] = []
    whole = legible and not problems
    for row in rows:
        entry, wrong = _entry_of(row, table.name)
        problems += wrong
        if entry is not None:
            entries.append(entry)
        else:
            whole = False
    problems += _check_levels(rows, table.name, upward=imeta)
    return Draft(_head(path, entries), tuple(entries), tuple(problems), whole)


def _rows_of_own(table: Table) -> tuple[list[Row], list[Problem], bool]:
    """Rows of our own layout. A row without kind is a group where another names it as parent, or it has no parent or
    no direction."""
    key_of = {heading: heading.lower() for heading in table.headings if heading.lower() in OWN_KEYS}
    problems = []
    for key in ("code", "parent"):
        if key not in key_of.values():
            expected = f"a column {key}; found are {', '.join(table.headings)}"
            problems.append(Problem(f"{table.name} row 1", f"no column {key}", expected, "missing_column"))
    for heading in table.headings:
        if heading not in key_of:
            found = Problem(f"{table.name} row 1", f"the column {heading}", one_of(OWN_KEYS, heading), "unknown_column")
            problems.append(found)
    if problems:
        return [], problems, False
    rows = texts_of(table, key_of)
    parents = {texts["parent"] for _, texts in rows if "parent" in texts}
    columns = {key: heading for heading, key in key_of.items()}
    made = []
    for number, texts in rows:
        inner = texts.get("code") in parents or not {"parent", "direction"} <= texts.keys()
        kind = texts.pop("kind", "group" if inner else "indicator").lower()
        if kind not in _KINDS:
            where = place_of(f"{table.name} row {number}", "kind", columns)
            problems.append(Problem(where, repr(kind), one_of(_KINDS, kind), "wrong_value"))
            kind = "group" if inner else "indicator"
        made.append(Row(number, kind, texts, columns))
    return made, problems, True


def _entry_of(row: Row, file: str) -> tuple[Entry | None, list[Problem]]:
    """The entry of a row; what its kind cannot have is a problem for figures of a group, else a remark."""
    place = row.place(file)
    fields = KINDS[row.kind].model_fields
    content: dict[str, object] = {
        key: number_of(text) if key in _NUMBER_KEYS else text for key, text in row.texts.items() if key in fields
    }
    if row.kind in ("denominator", "attribute"):
        content = {key: value for key, value in content.items() if key not in ("parent", "weight")}
    entry, problems = read_entry(place, row.kind, content, row.columns)
    if row.kind == "group":
        # COINr wants a direction of every aggregate; 1 says nothing.
        stray = [
            key for key in _OF_INDICATORS if row.texts.get(key, "1" if key == "direction" else "") not in ("", "1")
        ]
        for key in stray:
            where = place_of(place, key, row.columns)
            remedy = "an empty cell, for only indicators have one"
            if key == "direction":
                remedy = "1 or an empty cell; turn the indicators below the group instead"
            problems.append(Problem(where, f"{row.texts[key]!r} for a group", remedy, "wrong_value"))
    return entry, problems


def _check_levels(rows: Sequence[Row], file: str, *, upward: bool) -> list[Problem]:
    """Where a level is given, a child is one level below its parent: one more, or, `upward` as in COINr, one less."""
    nodes = [row for row in rows if row.kind in ("group", "indicator") and "level" in row.texts]
    levels = {row.texts["code"]: row.texts["level"] for row in nodes if "code" in row.texts}
    problems = []
    for row in nodes:
        where = place_of(row.place(file), "level", row.columns)
        given, parent = row.texts["level"], row.texts.get("parent")
        above = levels.get(parent or "", "")
        if not given.isdigit():
            expected = "1, 2, ... counted up from the indicators" if upward else "0, 1, ... counted down from the root"
            problems.append(Problem(where, repr(given), expected, "wrong_level"))
        elif upward and row.kind == "indicator" and given != "1":
            problems.append(Problem(where, given, "1, the level of every indicator", "wrong_level"))
        elif above.isdigit() and int(given) != (wanted := int(above) + (-1 if upward else 1)):
            found = f"{given}, while its parent {parent} is on level {above}"
            problems.append(Problem(where, found, f"{wanted}, or another parent", "wrong_level"))
        elif parent is None and not upward and given != "0":
            problems.append(Problem(where, f"{given} without parent", "0 for the root, or a parent", "wrong_level"))
    return problems


def _head(path: Path, entries: Sequence[Entry]) -> dict[str, str]:
    """A table names no tree: its id is the file's name, its title that of the root."""
    root = next(
        (entry.value for entry in entries if isinstance(entry.value, Group) and entry.value.parent is None), None
    )
    titles = {"title_zh": root.name_zh if root else path.stem, "title_en": root.name_en if root else path.stem}
    return {"id": path.stem, "version": "", "source": path.name, **titles}
