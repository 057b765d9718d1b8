"""A framework from a TOML file: a [framework] table and lists of [[group]], [[indicator]], [[judgement]] and others.

Knows TOML. Must not know how the entries of one or several files make a tree.
"""

import tomllib
from pathlib import Path
from typing import Any, Final

from fhi.errors import Problem, one_of
from fhi.formats.entries import KINDS, Draft, Entry, read_entry

_HEAD_KEYS: Final = {"id", "version", "title_zh", "title_en", "source"}


def read_toml(path: Path) -> Draft:
    """The entries of one TOML file in file order, with everything wrong with them."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError):
        return _unreadable(Problem(str(path), "no such file", "a framework file: .toml, .csv or .xlsx", "no_file"))
    except UnicodeDecodeError as error:
        found = f"bytes that are no UTF-8 (byte {error.start + 1})"
        expected = "a text file in UTF-8: save it with that encoding"
        return _unreadable(Problem(path.name, found, expected, "not_text"))
    except tomllib.TOMLDecodeError as error:
        expected = 'valid TOML: [[group]] before each entry, then lines such as code = "x"'
        return _unreadable(Problem(path.name, str(error), expected, "not_toml"))
    head, problems = _head(path, content)
    entries: list[Entry] = []
    whole = True
    for kind in KINDS:
        found_entries, wrong, all_placed = _entries(path, content, kind)
        entries += found_entries
        problems += wrong
        whole = whole and all_placed
    for key in sorted(content.keys() - KINDS.keys() - {"framework"}):
        known = one_of({"framework", *KINDS}, key)
        problems.append(Problem(f"{path.name}: {key}", "an unknown table", known, "unknown_key"))
    return Draft(head, tuple(entries), tuple(problems), whole)


def _unreadable(problem: Problem) -> Draft:
    return Draft({}, (), (problem,), whole=False)


def _head(path: Path, content: dict[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    head = content.get("framework")
    if head is None:
        return {}, []
    where = f"{path.name}: [framework]"
    if not isinstance(head, dict):
        return {}, [Problem(where, "not a table", f"a table with {one_of(_HEAD_KEYS)}", "not_a_table")]
    texts = {key: value for key, value in head.items() if key in _HEAD_KEYS and isinstance(value, str)}
    title = texts.get("title_en") or texts.get("title_zh") or ""
    made = {"source": "", **texts}
    if title:
        made = {**made, "title_en": texts.get("title_en") or title, "title_zh": texts.get("title_zh") or title}
    problems = []
    if not {"title_en", "title_zh"} & head.keys():
        expected = "a title: title_en (English), title_zh (Chinese) or both"
        problems.append(Problem(f"{where}.title_en", "nothing", expected, "missing_key"))
    for key in sorted({"id", "version"} - head.keys()):
        problems.append(Problem(f"{where}.{key}", "nothing", 'a text in quotes, such as "2017"', "missing_key"))
    for key in sorted(head.keys() - _HEAD_KEYS):
        problems.append(Problem(f"{where}.{key}", "an unknown key", one_of(_HEAD_KEYS, key), "unknown_key"))
    for key in sorted(head.keys() & _HEAD_KEYS - texts.keys()):
        problems.append(Problem(f"{where}.{key}", repr(head[key]), 'a text in quotes, such as "2017"', "wrong_value"))
    return made, problems


def _entries(path: Path, content: dict[str, Any], kind: str) -> tuple[list[Entry], list[Problem], bool]:
    """Entries of one kind, their problems, and whether each node among them has a code."""
    tables = content.get(kind, [])
    if not isinstance(tables, list):
        expected = f"a list of tables: [[{kind}]] with two brackets before each entry"
        return [], [Problem(f"{path.name}: {kind}", "one table", expected, "not_a_list")], False
    entries: list[Entry] = []
    problems: list[Problem] = []
    whole = True
    for number, table in enumerate(tables, 1):
        label = table.get("code", table.get("group", "without code")) if isinstance(table, dict) else table
        entry, wrong = read_entry(f"{path.name}: {kind} {number} ({label})", kind, table, {})
        problems += wrong
        if entry is not None:
            entries.append(entry)
        elif kind != "judgement":
            whole = False
    return entries, problems, whole
