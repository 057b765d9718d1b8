"""Entries of a framework as they stand in a file: checked one by one, each with its place.

Knows how a refused entry becomes a Problem that names file, entry, key and remedy. Must not know any file format,
nor what entries mean to each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from fhi.errors import Problem, one_of, plain_words
from fhi.judgement import Expert, Judgement
from fhi.nodes import A_NAME, Attribute, Denominator, Group, Indicator

Value = Group | Indicator | Denominator | Attribute | Judgement

KINDS: Final[dict[str, type[Value]]] = {
    "group": Group,
    "indicator": Indicator,
    "denominator": Denominator,
    "attribute": Attribute,
    "judgement": Judgement,
}
_NUMBER_FAULTS: Final = ("float_parsing", "float_type", "finite_number", "int_parsing", "int_type")


@dataclass(frozen=True)
class Entry:
    """One entry and where it stands.

    place: file and entry or row; columns: heading of each key in a table, empty for TOML; sound: does the entry hold?
    One that does not still takes its place in the tree, so that one fault does not bring others along.
    """

    place: str
    value: Value
    columns: Mapping[str, str] = field(default_factory=dict)
    sound: bool = True

    def at(self, key: str) -> str:
        """Where one key of the entry stands."""
        return place_of(self.place, key, self.columns)


@dataclass(frozen=True)
class Draft:
    """What one file holds, not yet held together with others.

    head: id, version, titles and source, empty where the file names no tree. whole: is every node known by its code,
    so that the tree can be checked?
    """

    head: Mapping[str, str]
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    whole: bool


def place_of(place: str, key: str, columns: Mapping[str, str]) -> str:
    """Where a key stands: "file: group 3 (x).parent" in TOML, "file row 4 (x), column Parent" in a table."""
    if not key:
        return place
    return f"{place}, column {columns.get(key, key)}" if columns else f"{place}.{key}"


def read_entry(
    place: str, kind: str, content: object, columns: Mapping[str, str]
) -> tuple[Entry | None, list[Problem]]:
    """The entry of a kind (a key of KINDS) that `content` describes, with everything wrong with it.

    The entry is None where not even its code is known; a judgement that does not hold is None too.
    """
    model = KINDS[kind]
    problems, content = _name_of(place, kind, content, columns)
    try:
        entry = Entry(place, model.model_validate(content), columns, sound=not problems)
        return entry, problems
    except ValidationError as error:
        problems += [_problem_of(place, dict(detail), model, columns) for detail in error.errors()]
    stand_in = _stand_in(model, content)
    seen = {problem.where: problem for problem in reversed(problems)}
    return (Entry(place, stand_in, columns, sound=False) if stand_in else None), list(reversed(seen.values()))


def _name_of(place: str, kind: str, content: object, columns: Mapping[str, str]) -> tuple[list[Problem], object]:
    """A missing name as a problem, and a name in its place: the model would look at nothing else without one."""
    if kind == "judgement" or not isinstance(content, dict) or content.get("name_en") or content.get("name_zh"):
        return [], content
    where = place_of(place, "name_en", columns)
    return [Problem(where, "nothing", A_NAME, "missing_key")], {**content, "name_en": "?"}


def _stand_in(model: type[Value], content: object) -> Value | None:
    """A node with the code and place of a refused entry and nothing else."""
    if model is Judgement or not isinstance(content, dict) or not isinstance(content.get("code"), str):
        return None
    code, parent = content["code"], content.get("parent")
    named = {"code": code, "name_zh": code, "name_en": code}
    if model in (Group, Indicator):
        named |= {"parent": parent if isinstance(parent, str) else None}
    if model is Group and isinstance(content.get("stands_for"), str):
        named |= {"stands_for": content["stands_for"]}
    return model.model_construct(**named)


def _problem_of(place: str, detail: dict[str, Any], model: type[Value], columns: Mapping[str, str]) -> Problem:
    """A fault of one entry in words for a person: key, what was found, what was expected."""
    if detail["type"] == "fault":
        context = detail["ctx"]
        return Problem(place_of(place, context["key"], columns), context["found"], context["expected"], "wrong_value")
    path = [part for part in detail["loc"] if part not in ("str", "float")]
    here = place_of(place, _key_of(path), columns)
    owner, expected = _described(model, path)
    if detail["type"] == "extra_forbidden":
        return Problem(here, "an unknown key", one_of(owner.model_fields, path[-1]), "unknown_key")
    if detail["type"] == "missing":
        return Problem(here, "nothing", expected or "a value: the key is required", "missing_key")
    if detail["type"] in _NUMBER_FAULTS:
        expected = expected or "a number"
    found = "a table" if isinstance(detail["input"], dict) else repr(detail["input"])
    return Problem(here, found, expected or plain_words(detail["msg"]), "wrong_value")


def _key_of(path: list[str | int]) -> str:
    """A path as a reader counts: expert[2].weight is the weight of the second expert."""
    key = ""
    for part in path:
        key += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if key else part
    return key


def _described(model: type[BaseModel], path: list[str | int]) -> tuple[type[BaseModel], str | None]:
    """The model that holds the last key of a path, and what that key expects in words, where it says."""
    names = [part for part in path if isinstance(part, str)]
    owner: type[BaseModel] = model
    if len(names) > 1 and names[0] == "expert":
        owner = Expert
    info = owner.model_fields.get(names[-1]) if names else None
    return owner, info.description if info and not isinstance(path[-1], int) else None
