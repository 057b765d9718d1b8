"""The indicator tree: groups, indicators and the judgements that weigh them.

Knows the shape of a tree and how to read it from TOML files. Knows no figures, no hubs, no database.

Several files are read as one tree and checked once, as a whole: an extension file cannot be valid alone, because
its parents live in the base. A group with `stands_for` takes the place of another file's root, so that a base tree
can be hung below a wider one.
"""

import difflib
import hashlib
import tomllib
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from fhi.errors import FrameworkError, JudgementError, Problem
from fhi.weights.ahp import check_reciprocal

Transform = Literal["none", "log1p"]
JudgementRule = Literal["pairwise", "ratio", "equal"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Node(_Frozen):
    """What groups and indicators share: a code, a place below a parent, and a name in both languages."""

    code: str
    parent: str | None = None
    name_zh: str
    name_en: str


class Group(Node):
    """An inner node of the tree. With `stands_for` it takes the place of that root of another file."""

    stands_for: str | None = None


class Indicator(Node):
    """A leaf of the tree: one measured thing, with all that is needed to read its figure rightly.

    `lower` and `upper` are fixed goalposts in the indicator's unit; without them bounds come from the data.
    """

    parent: str
    direction: Literal[1, -1]
    unit: str
    unit_zh: str
    definition: str
    definition_zh: str
    null_means: str
    null_means_zh: str
    zero_means: str
    zero_means_zh: str
    source: str
    transform: Transform = "none"
    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _goalposts_in_order(self) -> "Indicator":
        if (self.lower is None) != (self.upper is None):
            raise ValueError("give both goalposts, lower and upper, or neither")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"lower {self.lower} must be below upper {self.upper}")
        return self


class Judgement(_Frozen):
    """How the children of one group were compared, by whom, and whether that is assumed.

    `pairwise` gives the whole matrix, entries as numbers or fractions ("1/3"); `ratio` gives one score a child and
    a_ij = s_i / s_j; `equal` gives neither. Children named in `apart` are shown but not counted (weight 0).
    """

    group: str
    items: tuple[str, ...]
    rule: JudgementRule
    matrix: tuple[tuple[str | float | int, ...], ...] = ()
    scores: tuple[float, ...] = ()
    apart: tuple[str, ...] = ()
    who: str
    when: str
    assumed: bool
    reason: str
    reason_zh: str

    @model_validator(mode="after")
    def _fits_its_rule(self) -> "Judgement":
        n = len(self.items)
        if self.rule == "pairwise" and (len(self.matrix) != n or any(len(row) != n for row in self.matrix)):
            raise ValueError(f"a pairwise matrix of {n} x {n}, one row and column an item")
        if self.rule == "pairwise":
            try:
                check_reciprocal(np.array(self.pairwise_matrix()))
            except JudgementError as error:
                raise ValueError(str(error)) from error
        if self.rule == "ratio" and (len(self.scores) != n or any(score <= 0 for score in self.scores)):
            raise ValueError(f"{n} positive scores, one an item")
        return self

    def pairwise_matrix(self) -> list[list[float]]:
        """The reciprocal matrix a_ij, (items, items), dimensionless, whatever the rule."""
        if self.rule == "pairwise":
            return [[_ratio(entry) for entry in row] for row in self.matrix]
        scores = self.scores if self.rule == "ratio" else (1.0,) * len(self.items)
        return [[a / b for b in scores] for a in scores]


def _ratio(entry: str | float) -> float:
    try:
        return float(Fraction(str(entry)))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f'entry {entry!r} is no ratio; write a number or a fraction such as "1/3"') from error


class Framework(_Frozen):
    """A whole tree, checked. Nodes are in file order; `root` is the one group without parent."""

    id: str
    version: str
    title_zh: str
    title_en: str
    source: str
    groups: tuple[Group, ...]
    indicators: tuple[Indicator, ...]
    judgements: tuple[Judgement, ...] = ()

    @cached_property
    def root(self) -> str:
        """Code of the total index."""
        return next(group.code for group in self.groups if group.parent is None)

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Codes of the direct children of each group, in file order."""
        found: dict[str, list[str]] = {group.code: [] for group in self.groups}
        for node in _nodes(self.groups, self.indicators):
            if node.parent is not None:
                found[node.parent].append(node.code)
        return {code: tuple(codes) for code, codes in found.items()}

    @cached_property
    def level(self) -> dict[str, int]:
        """Depth of each node; the root is level 0, so that its children are the level-1 scores."""
        levels = {self.root: 0}
        for group in self.top_down:
            for child in self.children[group]:
                levels[child] = levels[group] + 1
        return levels

    @cached_property
    def top_down(self) -> tuple[str, ...]:
        """Group codes, every parent before its children."""
        order = [self.root]
        for code in order:
            order.extend(child for child in self.children[code] if child in self.children)
        return tuple(order)

    @cached_property
    def indicator(self) -> dict[str, Indicator]:
        """Indicators by code."""
        return {indicator.code: indicator for indicator in self.indicators}

    @cached_property
    def node(self) -> dict[str, Node]:
        """Groups and indicators by code."""
        return {node.code: node for node in _nodes(self.groups, self.indicators)}

    @cached_property
    def judgement(self) -> dict[str, Judgement]:
        """Judgements by the group whose children they compare."""
        return {judgement.group: judgement for judgement in self.judgements}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the tree and its judgements: the same tree has the same hash on every machine."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_framework(*paths: Path) -> Framework:
    """Read TOML files as one tree.

    The last file that holds a `[framework]` table names the tree. Raises FrameworkError with every problem of every
    file at once, each with file, entry and remedy.
    """
    problems: list[Problem] = []
    heads: list[dict[str, Any]] = []
    groups: list[Group] = []
    indicators: list[Indicator] = []
    judgements: list[Judgement] = []
    for path in paths:
        content = _read_toml(path, problems)
        heads.extend(_head(path, content, problems))
        groups.extend(_entries(path, content, "group", Group, problems))
        indicators.extend(_entries(path, content, "indicator", Indicator, problems))
        judgements.extend(_entries(path, content, "judgement", Judgement, problems))
        known = {"framework", "group", "indicator", "judgement"}
        for key in content.keys() - known:
            problems.append(Problem(f"{path.name}: {key}", "an unknown table", _one_of(known), "unknown_key"))
    if not heads and not problems:
        problems.append(Problem("all files", "no [framework] table", "one with id and titles", "no_framework"))
    if problems:
        raise FrameworkError(problems)
    groups, indicators, judgements = _hang(groups, indicators, judgements)
    problems = _check_tree(groups, indicators) + _check_judgements(groups, indicators, judgements)
    if problems:
        raise FrameworkError(problems)
    return Framework(groups=tuple(groups), indicators=tuple(indicators), judgements=tuple(judgements), **heads[-1])


def _read_toml(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(Problem(path.name, "no such file", "a TOML file", "no_file"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(path.name, str(error), "valid TOML in UTF-8", "not_toml"))
    return {}


def _head(path: Path, content: dict[str, Any], problems: list[Problem]) -> list[dict[str, Any]]:
    head = content.get("framework")
    if head is None:
        return []
    wanted = {"id", "version", "title_zh", "title_en", "source"}
    where = f"{path.name}: [framework]"
    if not isinstance(head, dict):
        problems.append(Problem(where, "not a table", f"a table with {_one_of(wanted)}", "not_a_table"))
        return []
    for key in sorted(wanted - head.keys()):
        problems.append(Problem(f"{where}.{key}", "nothing", "a text", "missing_key"))
    for key in sorted(head.keys() - wanted):
        problems.append(Problem(f"{where}.{key}", "an unknown key", _one_of(wanted), "unknown_key"))
    for key in sorted(head.keys() & wanted):
        if not isinstance(head[key], str):
            problems.append(Problem(f"{where}.{key}", repr(head[key]), "a text", "wrong_value"))
    return [head]


Entry = TypeVar("Entry", bound=BaseModel)


def _entries(
    path: Path, content: dict[str, Any], kind: str, model: type[Entry], problems: list[Problem]
) -> list[Entry]:
    found = []
    tables = content.get(kind, [])
    if not isinstance(tables, list):
        problems.append(Problem(f"{path.name}: {kind}", "one table", f"a list: [[{kind}]]", "not_a_list"))
        return []
    for number, table in enumerate(tables, 1):
        label = table.get("code", table.get("group", "without code")) if isinstance(table, dict) else table
        where = f"{path.name}: {kind} {number} ({label})"
        try:
            found.append(model.model_validate(table))
        except ValidationError as error:
            for detail in error.errors():
                problems.append(_problem_of(where, dict(detail), model))
    return found


def _problem_of(where: str, detail: dict[str, Any], model: type[BaseModel]) -> Problem:
    key = ".".join(str(part) for part in detail["loc"])
    here = f"{where}.{key}" if key else where
    fields = model.model_fields
    if detail["type"] == "extra_forbidden":
        return Problem(here, "an unknown key", _one_of(set(fields), key), "unknown_key")
    if detail["type"] == "missing":
        return Problem(here, "nothing", "a value: the key is required", "missing_key")
    if detail["type"] == "literal_error":
        allowed = get_args(fields[key].annotation) if key in fields else ()
        return Problem(here, repr(detail["input"]), f"one of {', '.join(map(repr, allowed))}", "wrong_value")
    found = repr(detail["input"]) if not isinstance(detail["input"], dict) else "the entry as it stands"
    return Problem(here, found, detail["msg"].removeprefix("Value error, "), "wrong_value")


def _hang(
    groups: list[Group], indicators: list[Indicator], judgements: list[Judgement]
) -> tuple[list[Group], list[Indicator], list[Judgement]]:
    """Let every group with `stands_for` take the place of that root: its children become the group's own."""
    place = {group.stands_for: group.code for group in groups if group.stands_for}
    kept = [group for group in groups if group.code not in place]
    moved = [group.model_copy(update={"parent": place.get(group.parent or "", group.parent)}) for group in kept]
    leaves = [leaf.model_copy(update={"parent": place.get(leaf.parent or "", leaf.parent)}) for leaf in indicators]
    judged = [entry.model_copy(update={"group": place.get(entry.group, entry.group)}) for entry in judgements]
    return moved, leaves, judged


def _check_tree(groups: list[Group], indicators: list[Indicator]) -> list[Problem]:
    problems = []
    codes = [node.code for node in _nodes(groups, indicators)]
    known = {group.code for group in groups}
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        problems.append(Problem(f"code {code}", f"{codes.count(code)} entries", "one entry a code", "duplicate_code"))
    for node in _nodes(groups, indicators):
        if node.parent is not None and node.parent not in known:
            expected = f"a group of the tree: {_one_of(known, node.parent)}"
            problems.append(Problem(f"{node.code}.parent", repr(node.parent), expected, "unknown_parent"))
    roots = [group.code for group in groups if group.parent is None]
    if len(roots) != 1:
        found = ", ".join(roots) or "none"
        remedy = "exactly one group without parent; give the others a parent or a `stands_for`"
        problems.append(Problem("the tree", f"{len(roots)} roots ({found})", remedy, "not_one_root"))
    parents = {node.parent for node in _nodes(groups, indicators)}
    for group in groups:
        if group.code not in parents:
            problems.append(Problem(group.code, "a group without children", "at least one child", "empty_group"))
    return problems + _check_cycles(groups)


def _check_cycles(groups: list[Group]) -> list[Problem]:
    parent = {group.code: group.parent for group in groups}
    problems = []
    for code in parent:
        seen = [code]
        while (above := parent.get(seen[-1])) is not None and above not in seen:
            seen.append(above)
        if above == code:
            problems.append(Problem(code, " -> ".join([*seen, code]), "a tree: no node above itself", "cycle"))
    return problems


def _check_judgements(groups: list[Group], indicators: list[Indicator], judgements: list[Judgement]) -> list[Problem]:
    problems = []
    children: dict[str, set[str]] = {group.code: set() for group in groups}
    for node in _nodes(groups, indicators):
        if node.parent in children:
            children[node.parent].add(node.code)
    judged = [judgement.group for judgement in judgements]
    for judgement in judgements:
        where = f"judgement of {judgement.group}"
        if judgement.group not in children:
            known = _one_of(set(children), judgement.group)
            problems.append(Problem(where, "an unknown group", f"a group of the tree: {known}", "unknown_group"))
            continue
        named = {*judgement.items, *judgement.apart}
        for code in sorted(named - children[judgement.group]):
            known = _one_of(children[judgement.group], code)
            problems.append(Problem(where, f"item {code}", f"a child of the group: {known}", "unknown_item"))
        for code in sorted(children[judgement.group] - named):
            remedy = "every child in `items`, or in `apart` with weight 0"
            problems.append(Problem(where, f"nothing about {code}", remedy, "missing_item"))
        if judged.count(judgement.group) > 1:
            problems.append(Problem(where, f"{judged.count(judgement.group)} judgements", "one", "duplicate_judgement"))
    for group in groups:
        inner = children[group.code] & set(children)
        if inner and group.code not in judged:
            remedy = 'a [[judgement]] for its child groups (rule = "equal" is one)'
            problems.append(Problem(group.code, "no judgement", remedy, "no_judgement"))
    return problems


def _nodes(groups: Sequence[Group], indicators: Sequence[Indicator]) -> list[Node]:
    return [*groups, *indicators]


def _one_of(known: set[str], wrong: str | None = None) -> str:
    near = difflib.get_close_matches(wrong, known, n=1) if wrong else []
    hint = f"{near[0]!r}? " if near else ""
    return hint + "known: " + ", ".join(sorted(known))
