"""Crosswalks: the indicators of one tree regrouped under the pillars of another framework.

Knows how a crosswalk file is laid out and how it becomes a tree of its own. Knows no figures and changes no indicator
but its parent: definitions, units and directions stay those of the base.

A file places every indicator of the base below one pillar (`[[place]]`) or leaves it out (`[[left_out]]`), each time
with a reason, so that nothing falls between two frameworks unseen.
"""

import tomllib
from collections import Counter
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from fhi.errors import FrameworkError, Problem, UnknownFramework, one_of, plain_words
from fhi.framework import Framework, Group, Judgement, load_framework

CROSSWALKS: Final = ("ey2019", "icaew2019")
"""The embedded crosswalks of the FHI tree: pillars of EY 2019 and of ICAEW & ISCA 2019."""

_FRAMEWORKS: Final = files("fhi").joinpath("frameworks")
_BASE: Final = ("fhi.toml", "fhi_judgements.toml")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Frozen):
    """What a crosswalk is called, and what it was made from."""

    id: str
    version: str
    title_zh: str
    title_en: str
    source: str


class Place(_Frozen):
    """One indicator of the base below one pillar, and why there."""

    indicator: str
    parent: str
    reason: str
    reason_zh: str


class LeftOut(_Frozen):
    """One indicator of the base that no pillar has a place for, and why."""

    indicator: str
    reason: str
    reason_zh: str


class Crosswalk(_Frozen):
    """A file as read: the root and its pillars, how they are weighed, and where each indicator goes."""

    framework: Head
    group: tuple[Group, ...]
    judgement: tuple[Judgement, ...]
    place: tuple[Place, ...]
    left_out: tuple[LeftOut, ...] = ()


def load_crosswalk(base: Framework, path: Path) -> Framework:
    """The base's indicators as a tree under other pillars, ready for `fhi.index.build_index`.

    Indicators keep the order of the base, and everything but their parent and a weight, which belongs to their place
    there. Groups and judgements are those of the file; a pillar without judgement is weighed as the recipe says.
    Raises FrameworkError with every problem at once, each with indicator or pillar and the remedy.
    """
    return _tree(base, _read_checked(base, path))


def crosswalk_table(base: Framework, path: Path) -> pl.DataFrame:
    """What became of each indicator of the base, in its order: indicator, name_en, name_zh, base_parent, parent (null
    where left out), reason, reason_zh. Raises FrameworkError as `load_crosswalk` does."""
    crosswalk = _read_checked(base, path)
    entries: list[tuple[str, str | None, str, str]] = [
        (entry.indicator, entry.parent, entry.reason, entry.reason_zh) for entry in crosswalk.place
    ]
    entries += [(entry.indicator, None, entry.reason, entry.reason_zh) for entry in crosswalk.left_out]
    columns = dict.fromkeys(("indicator", "parent", "reason", "reason_zh"), pl.String)
    nodes = [(leaf.code, leaf.name_en, leaf.name_zh, leaf.parent) for leaf in base.indicators]
    names = dict.fromkeys(("indicator", "name_en", "name_zh", "base_parent"), pl.String)
    table = pl.DataFrame(nodes, schema=names, orient="row")
    placed = pl.DataFrame(entries, schema=columns, orient="row")
    return table.join(placed, on="indicator", how="left", maintain_order="left")


def crosswalk_panel(panel: pl.DataFrame, base: Framework, crosswalk: Framework) -> pl.DataFrame:
    """The rows of a base panel (fhi.panel.PANEL_SCHEMA) that a crosswalk of it can take: all but those of indicators
    that it leaves out. Rows of a code that the base does not know stay, so that `build_index` names them."""
    left_out = base.indicator.keys() - crosswalk.indicator.keys()
    return panel.filter(~pl.col("code").is_in(sorted(left_out)))


@cache
def embedded_base() -> Framework:
    """The FHI tree with this project's judgements: the base of the embedded crosswalks."""
    with as_file(_FRAMEWORKS) as folder:
        return load_framework(*(folder / name for name in _BASE))


@cache
def embedded_crosswalk(name: str) -> Framework:
    """An embedded crosswalk of the FHI tree by its name in CROSSWALKS. Raises UnknownFramework with those names."""
    if name not in CROSSWALKS:
        raise UnknownFramework(f"unknown crosswalk {name!r}; known: {', '.join(CROSSWALKS)}")
    with as_file(_FRAMEWORKS.joinpath(f"{name}_crosswalk.toml")) as path:
        return load_crosswalk(embedded_base(), path)


def _read_checked(base: Framework, path: Path) -> Crosswalk:
    crosswalk = _read(path)
    problems = _check_groups(crosswalk, path.name) + _check_places(base, crosswalk, path.name)
    problems += [] if problems else _check_judgements(crosswalk, path.name)
    if problems:
        raise FrameworkError(problems)
    return crosswalk


def _read(path: Path) -> Crosswalk:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise FrameworkError([Problem(path.name, "no such file", "a TOML file", "no_file")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FrameworkError([Problem(path.name, str(error), "valid TOML in UTF-8", "not_toml")]) from error
    try:
        return Crosswalk.model_validate(content)
    except ValidationError as error:
        raise FrameworkError([_problem_of(path.name, content, dict(detail)) for detail in error.errors()]) from error


def _problem_of(name: str, content: dict[str, Any], detail: dict[str, Any]) -> Problem:
    where = f"{name}: {_position(content, detail['loc'])}"
    if detail["type"] == "fault":
        key, found, expected = (str(detail["ctx"][name]) for name in ("key", "found", "expected"))
        return Problem(f"{where}.{key}", found, expected, "wrong_value")
    if detail["type"] == "extra_forbidden":
        return Problem(where, "an unknown key", "only the keys of a crosswalk file", "unknown_key")
    if detail["type"] == "missing":
        return Problem(where, "nothing", "a value: the key is required", "missing_key")
    found = "the entry as it stands" if isinstance(detail["input"], dict) else repr(detail["input"])
    return Problem(where, found, plain_words(detail["msg"]), "wrong_value")


def _position(content: dict[str, Any], loc: tuple[str | int, ...]) -> str:
    """A place in the file as a reader counts it, with the code of the entry: `place 3 (industry.p2p.firms).parent`."""
    if len(loc) < 2 or not isinstance(loc[1], int):
        return ".".join(str(part) for part in loc)
    entry = content[str(loc[0])][loc[1]]
    keys = ("indicator", "code", "group")
    label = next((str(entry[key]) for key in keys if key in entry), "") if isinstance(entry, dict) else ""
    rest = "".join(f".{part}" for part in loc[2:])
    return f"{loc[0]} {loc[1] + 1}" + (f" ({label})" if label else "") + rest


def _tree(base: Framework, crosswalk: Crosswalk) -> Framework:
    parent = {entry.indicator: entry.parent for entry in crosswalk.place}
    moved = tuple(
        leaf.model_copy(update={"parent": parent[leaf.code], "weight": None})
        for leaf in base.indicators
        if leaf.code in parent
    )
    # Every other field of the base goes along; a copy of the model would keep its cached views of the old tree.
    kept = {name: getattr(base, name) for name in Framework.model_fields}
    head = {name: getattr(crosswalk.framework, name) for name in Head.model_fields}
    own = {"groups": crosswalk.group, "indicators": moved, "judgements": crosswalk.judgement}
    return Framework.model_validate(kept | head | own)


def _pillars(crosswalk: Crosswalk) -> list[str]:
    return [group.code for group in crosswalk.group if group.parent is not None]


def _check_groups(crosswalk: Crosswalk, name: str) -> list[Problem]:
    """One root, and pillars that hang directly below it."""
    roots = [group.code for group in crosswalk.group if group.parent is None]
    problems = []
    if len(roots) != 1:
        found = f"{len(roots)} groups without parent ({', '.join(roots) or 'none'})"
        remedy = "one root; give every pillar the root as parent"
        problems.append(Problem(f"{name}: group", found, remedy, "not_one_root"))
    for group in crosswalk.group:
        if group.parent is not None and group.parent not in roots:
            expected = f"the root {roots[0]!r}" if roots else "a root"
            problems.append(Problem(f"{name}: {group.code}.parent", repr(group.parent), expected, "unknown_parent"))
    codes = Counter(group.code for group in crosswalk.group)
    for code in [code for code, count in codes.items() if count > 1]:
        problems.append(Problem(f"{name}: group {code}", f"{codes[code]} entries", "one entry", "duplicate_code"))
    used = {entry.parent for entry in crosswalk.place}
    for pillar in sorted(set(_pillars(crosswalk)) - used):
        remedy = "at least one [[place]] with this parent, or no such pillar"
        problems.append(Problem(f"{name}: pillar {pillar}", "no indicator", remedy, "empty_group"))
    return problems


def _check_places(base: Framework, crosswalk: Crosswalk, name: str) -> list[Problem]:
    """Every indicator of the base is placed below a pillar or left out, once."""
    problems = []
    pillars = _pillars(crosswalk)
    placed = Counter(entry.indicator for entry in crosswalk.place)
    left_out = Counter(entry.indicator for entry in crosswalk.left_out)
    for entry in crosswalk.place:
        if entry.parent not in pillars:
            where, expected = f"{name}: place of {entry.indicator}", f"a pillar: {one_of(pillars, entry.parent)}"
            problems.append(Problem(where, f"parent {entry.parent!r}", expected, "unknown_parent"))
    both = placed + left_out
    for code in sorted(both.keys() - base.indicator.keys()):
        expected = f"an indicator of {base.id}: {one_of(base.indicator, code)}"
        problems.append(Problem(f"{name}: {code}", "an unknown indicator", expected, "unknown_indicator"))
    for code in [code for code, count in both.items() if count > 1]:
        found = f"{placed[code]} [[place]] and {left_out[code]} [[left_out]]"
        problems.append(Problem(f"{name}: {code}", found, "one of the two, once", "duplicate_indicator"))
    for code in [code for code in base.indicator if code not in both]:
        remedy = f"a [[place]] below {', '.join(pillars)}, or a [[left_out]] with its reason"
        problems.append(Problem(f"{name}: {code}", "nothing about it", remedy, "missing_indicator"))
    for code in sorted({group.code for group in crosswalk.group} & base.indicator.keys()):
        problems.append(Problem(f"{name}: group {code}", "an indicator's code", "a code of its own", "duplicate_code"))
    return problems


def _check_judgements(crosswalk: Crosswalk, name: str) -> list[Problem]:
    """Judgements speak of the groups of the file and of all their children; the root has one."""
    pillars = _pillars(crosswalk)
    root = next(group.code for group in crosswalk.group if group.parent is None)
    children = {root: set(pillars)}
    children |= {code: {entry.indicator for entry in crosswalk.place if entry.parent == code} for code in pillars}
    judged = Counter(judgement.group for judgement in crosswalk.judgement)
    problems = []
    if not judged[root]:
        remedy = 'a [[judgement]] for its pillars (rule = "equal" is one)'
        problems.append(Problem(f"{name}: {root}", "no judgement", remedy, "no_judgement"))
    for judgement in crosswalk.judgement:
        where = f"{name}: judgement of {judgement.group}"
        if judgement.group not in children:
            known = one_of(children, judgement.group)
            problems.append(Problem(where, "an unknown group", f"a group of the file: {known}", "unknown_group"))
            continue
        if judged[judgement.group] > 1:
            problems.append(Problem(where, f"{judged[judgement.group]} judgements", "one", "duplicate_judgement"))
        named, wanted = {*judgement.items, *judgement.apart}, children[judgement.group]
        for code in sorted(named - wanted):
            known = one_of(wanted, code)
            problems.append(Problem(where, f"item {code}", f"a child of the group: {known}", "unknown_item"))
        for code in sorted(wanted - named):
            remedy = "every child in `items`, or in `apart` with weight 0"
            problems.append(Problem(where, f"nothing about {code}", remedy, "missing_item"))
    return problems
