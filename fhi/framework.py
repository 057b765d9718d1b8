"""The indicator tree: groups, indicators, how they are weighed, and what figures are divided by.

Knows the shape of a tree and that files of several formats describe one. Knows no figures and no hubs.

Several files are read as one tree and checked once, as a whole: an extension file cannot be valid alone, because
its parents live in the base. A group with `stands_for` takes the place of another file's root, so that a base tree
can be hung below a wider one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final

from fhi.errors import FrameworkError, Problem
from fhi.formats.entries import Draft, Entry
from fhi.formats.toml_tree import read_toml
from fhi.framework_checks import check_entries
from fhi.judgement import Judgement as Judgement
from fhi.judgement import JudgementRule as JudgementRule
from fhi.nodes import Attribute as Attribute
from fhi.nodes import Denominator as Denominator
from fhi.nodes import Frozen
from fhi.nodes import Group as Group
from fhi.nodes import Indicator as Indicator
from fhi.nodes import Node as Node
from fhi.nodes import Transform as Transform

REPLACED: Final = "replaced_judgement"
_TABLES: Final = (".csv", ".tsv", ".txt", ".xlsx")


class Framework(Frozen):
    """A whole tree, checked. Nodes are in file order; `root` is the one group without parent.

    `denominators` are the sizes that indicators are divided by; `attributes` the properties of units, such as a
    region, that data files may have a column for. Neither is a node.
    """

    id: str
    version: str
    title_zh: str
    title_en: str
    source: str
    groups: tuple[Group, ...]
    indicators: tuple[Indicator, ...]
    judgements: tuple[Judgement, ...] = ()
    denominators: tuple[Denominator, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    @cached_property
    def root(self) -> str:
        """Code of the total index."""
        return next(group.code for group in self.groups if group.parent is None)

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Codes of the direct children of each group, in file order."""
        found: dict[str, list[str]] = {group.code: [] for group in self.groups}
        for node in (*self.groups, *self.indicators):
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
        return {node.code: node for node in (*self.groups, *self.indicators)}

    @cached_property
    def denominator(self) -> dict[str, Denominator]:
        """Denominators by code."""
        return {denominator.code: denominator for denominator in self.denominators}

    @cached_property
    def judgement(self) -> dict[str, Judgement]:
        """Judgements by the group whose children they compare."""
        return {judgement.group: judgement for judgement in self.judgements}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the tree and its judgements: the same tree has the same hash on every machine."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_framework(*paths: Path) -> Framework:
    """Read files as one tree: TOML, our own flat CSV, or COINr's iMeta, the latter two also as XLSX.

    The last file that names a tree (a `[framework]` table, or any table file) gives id and titles; a TOML file wins
    over table files, which only have their file name to go by. Raises FrameworkError with every problem of every file
    at once, each with file, entry or row, key or column, and remedy.
    """
    return _joined([_read(path) for path in paths], paths, frozenset())


def extend_framework(base: Sequence[Path], own: Sequence[Path]) -> tuple[Framework, tuple[Problem, ...]]:
    """Read a tree and files of a user's own that extend it as one tree; with one remark for each judgement replaced.

    Groups and indicators of the own files may hang below those of the base. A judgement in them takes the place of the
    base's judgement of the same group; nothing else of the base can be replaced or removed, but a judgement may set
    a child apart (weight 0). Raises FrameworkError as `load_framework` does.
    """
    ours, theirs = [_read(path) for path in base], [_read(path) for path in own]
    place = _places([entry for draft in (*ours, *theirs) for entry in draft.entries])
    judged = dict(pair for draft in theirs for pair in _judging(draft, place))
    old = {entry.place: group for draft in ours for group, entry in _judging(draft, place) if group in judged}
    kept = [replace(draft, entries=tuple(entry for entry in draft.entries if entry.place not in old)) for draft in ours]
    fixed = {entry.at("items") for draft in kept for _, entry in _judging(draft, place)}
    framework = _joined([*kept, *theirs], [*base, *own], frozenset(fixed))
    remarks = (
        Problem(
            judged[group].place,
            f"a judgement of {group}, which {where} judges too",
            "nothing else: this one counts in the place of that",
            REPLACED,
        )
        for where, group in old.items()
    )
    return framework, tuple(remarks)


def _joined(drafts: Sequence[Draft], paths: Sequence[Path], fixed: frozenset[str]) -> Framework:
    """The drafts of all files as one tree; `fixed` are the places of judgements that their reader cannot change."""
    problems = [problem for draft in drafts for problem in draft.problems]
    read = [entry for draft in drafts for entry in draft.entries]
    entries = _hang(read, _places(read))
    named = [draft.head for draft, path in zip(drafts, paths, strict=True) if draft.head and _is_toml(path)]
    heads = named or [draft.head for draft in drafts if draft.head]
    if all(draft.whole for draft in drafts):
        problems += [_remedied(problem, fixed) for problem in check_entries(entries)]
        if not heads and not problems:
            expected = "a [framework] table with id, version and a title"
            problems.append(Problem("all files", "no [framework] table", expected, "no_framework"))
    if problems:
        raise FrameworkError(problems)
    values = [entry.value for entry in entries]
    return Framework(
        groups=tuple(value for value in values if isinstance(value, Group)),
        indicators=tuple(value for value in values if isinstance(value, Indicator)),
        judgements=tuple(value for value in values if isinstance(value, Judgement)),
        denominators=tuple(value for value in values if isinstance(value, Denominator)),
        attributes=tuple(value for value in values if isinstance(value, Attribute)),
        **heads[-1],
    )


def _remedied(problem: Problem, fixed: frozenset[str]) -> Problem:
    """A child that a judgement of the extended tree knows nothing of: one's own judgement is the remedy."""
    if problem.code != "missing_item" or problem.where not in fixed:
        return problem
    expected = "a [[judgement]] of that group in a file of your own, which names every child in items or in apart"
    return replace(problem, expected=expected)


def _judging(draft: Draft, place: Mapping[str, str]) -> list[tuple[str, Entry]]:
    """The judgements of a draft by the group that they are of, once that stands where it belongs."""
    return [
        (place.get(entry.value.group, entry.value.group), entry)
        for entry in draft.entries
        if isinstance(entry.value, Judgement)
    ]


def _is_toml(path: Path) -> bool:
    return path.suffix.lower() == ".toml"


def _read(path: Path) -> Draft:
    if path.suffix.lower() not in (".toml", *_TABLES):
        expected = f"a name that ends in .toml, {', '.join(_TABLES)}"
        problem = Problem(path.name, f"a name that ends in {path.suffix or 'nothing'}", expected, "unknown_format")
        return Draft({}, (), (problem,), whole=False)
    if _is_toml(path):
        return read_toml(path)
    # Only table files need the table readers and what they import.
    from fhi.formats.table_tree import read_table_tree

    return read_table_tree(path)


def _places(entries: Sequence[Entry]) -> dict[str, str]:
    """The groups that take the place of a root, by that root (`stands_for`)."""
    groups = [entry.value for entry in entries if isinstance(entry.value, Group)]
    return {group.stands_for: group.code for group in groups if group.stands_for}


def _hang(entries: Sequence[Entry], place: Mapping[str, str]) -> list[Entry]:
    """Let every group with `stands_for` take the place of that root: its children become the group's own."""
    return [
        _moved(entry, place) for entry in entries if not (isinstance(entry.value, Group) and entry.value.code in place)
    ]


def _moved(entry: Entry, place: Mapping[str, str]) -> Entry:
    value = entry.value
    if isinstance(value, Judgement) and value.group in place:
        return replace(entry, value=value.model_copy(update={"group": place[value.group]}))
    if isinstance(value, Group | Indicator) and value.parent in place:
        return replace(entry, value=value.model_copy(update={"parent": place[value.parent or ""]}))
    return entry
