"""Acts and movements read from files, checked as a whole before any of them is carried out.

Knows the layouts (CSV, JSON lines; TOML and JSON for linked movements) and how wrong cells are reported. Must not know
the ledger; what a verb may be asked with stands in `bodies`.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer
from pydantic import ValidationError

from api.registry.bodies import BODIES, Body
from api.registry.options import past_us_of, whole
from api.registry.session import value_errors
from carbon.errors import CarbonError, Problem, UnreadableFile
from carbon.formats.text import decode, extra_column, read_bytes, read_header, split_cells
from carbon.ledger.orders import BadOrder, check_id
from carbon.uscc import check_uscc

__all__ = ["FileAct", "InvalidActs", "given_movements", "read_acts"]

_MAX_BYTES: Final = 256 * 1024 * 1024
_MAX_ROWS: Final = 1_000_000
_MOVEMENT_BYTES: Final = 16 * 1024 * 1024
# What a cell of a CSV file becomes, by the name of its column; all others stay text.
WHOLE: Final = frozenset(
    {
        *("quantity", "quantity_t", "final_t", "first_serial", "compliance_year"),
        *("first_year", "last_year", "vintage_from", "vintage_to"),
    }
)
FLAGS: Final = frozenset(("serialised", "replace"))
SEVERAL: Final = frozenset(("quantities", "only_kinds"))
AS_JSON: Final = frozenset(("movements",))
_LONGEST_NAME: Final = 80
_ABOUT: Final = ("verb", "id", "at", "actor")
_HEADINGS: Final = frozenset(_ABOUT) | {name for body in BODIES.values() for name in body.model_fields}


class InvalidActs(CarbonError):
    """A file of acts or movements cannot be used; `problems` holds everything wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class FileAct:
    """One act of a file: its line, the verb, the id, the time and actor where they are given, and what is asked."""

    row: int
    verb: str
    client_id: str
    at_us: int | None
    actor: str | None
    body: Body


def read_acts(path: Path) -> tuple[FileAct, ...]:
    """The acts of a CSV file (one heading a field) or of JSON lines (.jsonl, .ndjson, .json: one object a line).

    Columns: verb, id, at and actor where they are not the same for all, and the fields of `bodies`; verbs may
    be written with hyphens. In CSV, lists have semicolons, `movements` is JSON.
    Raises InvalidActs with everything wrong at once, UnreadableFile, FileTooLarge.
    """
    jsonl = path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    records, problems = _json_records(path) if jsonl else _csv_records(path)
    acts: list[FileAct] = []
    first_rows: dict[str, int] = {}
    for row, record in records:
        try:
            act = _act_of(row, record)
        except _WrongCells as wrong:
            problems += [_problem(path, row, name, found, expected) for name, found, expected in wrong.cells]
            continue
        if act.client_id in first_rows:
            expected = f"each id once (first on row {first_rows[act.client_id]})"
            problems.append(_problem(path, row, "id", repr(act.client_id), expected))
        first_rows.setdefault(act.client_id, row)
        acts.append(act)
    if not records and not problems:
        problems.append(_problem(path, None, None, "no acts", "at least one"))
    if problems:
        raise InvalidActs(sorted(problems, key=lambda problem: problem.row or 0))
    return tuple(acts)


def given_movements(file: Path | None, words: Sequence[str]) -> list[dict[str, Any]]:
    """Movements of a file (TOML [[movement]] tables, or a JSON list) or of options; raises typer.BadParameter for
    both or none, InvalidActs for a file that is no such list.
    """
    if (file is None) == (not words):
        raise typer.BadParameter("found both a file and --movement, or neither; expected one of them")
    if file is None:
        return [_movement_of(text) for text in words]
    text = decode(read_bytes(file, max_bytes=_MOVEMENT_BYTES), file.name)
    try:
        as_json = file.suffix.lower() == ".json"
        content = json.loads(text, object_pairs_hook=_object) if as_json else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidActs([_problem(file, None, None, str(error), "TOML, or JSON in a .json file")]) from None
    found = content
    if isinstance(content, dict):
        found = next(iter(content.values())) if len(content) == 1 and {*content} <= {"movement", "movements"} else None
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise InvalidActs([_problem(file, None, None, "something else", "[[movement]] tables, or a JSON list")])
    return found


class _WrongCells(Exception):
    """What is wrong with one record: column, found, expected."""

    def __init__(self, cells: list[tuple[str, str, str]]) -> None:
        super().__init__()
        self.cells = cells


def _movement_of(text: str) -> dict[str, Any]:
    parts = text.split(",")
    if len(parts) not in (4, 5):
        found = f"found {text[:80]!r}; expected FROM,TO,INSTRUMENT,QUANTITY or one number more"
        raise typer.BadParameter(found, param_hint="--movement")
    source, target, instrument, quantity, *first = parts
    asked = {"source": source, "target": target, "instrument": instrument, "quantity": whole(quantity)}
    return {**asked, "first_serial": whole(first[0])} if first else asked


def _act_of(row: int, record: Mapping[str, Any]) -> FileAct:
    wrong: list[tuple[str, str, str]] = []
    verb = str(record.get("verb", "")).replace("-", "_")
    if verb not in BODIES:
        raise _WrongCells([("verb", repr(record.get("verb")), f"one of {', '.join(BODIES)}")])
    client_id, at, actor = (record.get(name) for name in ("id", "at", "actor"))
    at_us = None
    try:
        check_id(client_id if isinstance(client_id, str) else "")
    except BadOrder:
        wrong.append(("id", repr(client_id), "1 to 128 printable characters"))
    if at is not None:
        try:
            at_us = past_us_of(str(at), "at")
        except typer.BadParameter:
            wrong.append(("at", repr(at), "a time that has come, with its zone, such as 2026-01-31T09:30:00+08:00"))
    if actor is not None and not (isinstance(actor, str) and actor.isprintable() and 0 < len(actor.strip()) <= 128):
        wrong.append(("actor", repr(actor), "1 to 128 printable characters"))
    asked = {name: value for name, value in record.items() if name not in _ABOUT and value is not None}
    try:
        body = BODIES[verb].model_validate(asked)
        if verb == "register_entity" and "uscc" in asked:
            check_uscc(asked["uscc"])
    except ValidationError as error:
        raise _WrongCells([*wrong, *value_errors(error)]) from None
    except CarbonError as error:
        found, _, expected = str(error).removeprefix("found ").partition(", expected ")
        raise _WrongCells([*wrong, ("uscc", found, expected)]) from None
    if wrong:
        raise _WrongCells(wrong)
    return FileAct(row, verb, str(client_id), at_us, actor, body)


def _csv_records(path: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[Problem]]:
    header = read_header(path)
    wrong = [
        _problem(path, 1, name[:_LONGEST_NAME], "an unknown heading", f"one of {', '.join(sorted(_HEADINGS))}")
        for name in header
        if name not in _HEADINGS
    ]
    doubled = sorted({name for name in header if header.count(name) > 1})
    wrong += [
        _problem(path, 1, name[:_LONGEST_NAME], "the heading more than once", "each heading once") for name in doubled
    ]
    missing = [name for name in ("verb", "id") if name not in header]
    wrong += [_problem(path, 1, name, "no such heading", "the heading") for name in missing]
    if wrong:
        raise InvalidActs(wrong)
    text = decode(read_bytes(path, max_bytes=_MAX_BYTES), path.name)
    cells = split_cells(text, path.name, width=len(header), header_rows=1, max_rows=_MAX_ROWS)
    records, problems = [], []
    for cell in cells.iter_rows(named=True):
        given = {name: cell[f"c{place}"] for place, name in enumerate(header) if cell[f"c{place}"] is not None}
        if cell[extra_column(len(header))] is not None:
            found = repr(cell[extra_column(len(header))])
            problems.append(_problem(path, cell["row"], None, found, "no cell beyond the headings"))
        elif given:
            records.append((cell["row"], {name: _cell(name, value) for name, value in given.items()}))
    return records, problems


def _cell(name: str, text: str) -> Any:
    """The value of a cell; a text that is none stays as it is, for the body to refuse with its name."""
    try:
        if name in WHOLE:
            return whole(text)
        if name in SEVERAL:
            parts = [part.strip() for part in text.split(";")]
            return [whole(part) for part in parts] if name == "quantities" else parts
        if name in AS_JSON:
            return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError, typer.BadParameter):
        return text
    return {"true": True, "false": False}.get(text.lower(), text) if name in FLAGS else text


def _json_records(path: Path) -> tuple[list[tuple[int, dict[str, Any]]], list[Problem]]:
    text = decode(read_bytes(path, max_bytes=_MAX_BYTES), path.name)
    if text.count("\n") > _MAX_ROWS:
        raise UnreadableFile(f"found {path.name} with more than {_MAX_ROWS} lines, expected at most {_MAX_ROWS}")
    records: list[tuple[int, dict[str, Any]]] = []
    problems: list[Problem] = []
    # Not splitlines: a line may hold other line separators inside its texts.
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            problems.append(_problem(path, row, None, str(error), "one JSON object a line"))
            continue
        if isinstance(record, dict):
            records.append((row, record))
        else:
            problems.append(_problem(path, row, None, line[:80], "one JSON object a line"))
    return records, problems


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; the same name twice is refused, since one of the values would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(name for name in names if names.count(name) > 1)[:80]!r} more than once")
    return found


def _problem(path: Path, row: int | None, column: str | None, found: str, expected: str) -> Problem:
    return Problem(path.name, row, column, found, expected, "acts_file", "error")
