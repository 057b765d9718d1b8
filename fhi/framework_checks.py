"""Do the entries of all files make one tree, and do weights, judgements and denominators fit it?

Knows entries with their places. Must not know any file format. Each problem names the entry, its parent and a remedy.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, TypeVar

from fhi.errors import Problem, one_of
from fhi.formats.entries import Entry
from fhi.judgement import Judgement
from fhi.nodes import Attribute, Denominator, Group, Indicator, Node

Kind = TypeVar("Kind")
# Columns of our own that stand beside those named after indicators, and after attributes.
_TAKEN: Final = ("hub", "period", "unit")
_TAKEN_OF_UNITS: Final = (*_TAKEN, "name")


def check_entries(entries: Sequence[Entry]) -> list[Problem]:
    """Everything that keeps the entries of all files from being one tree, at once."""
    return [
        *_check_codes(entries),
        *_check_taken(entries),
        *_check_parents(entries),
        *_check_root(entries),
        *_check_cycles(entries),
        *_check_denominators(entries),
        *_check_judgements(entries),
        *_check_weights(entries),
    ]


def _check_codes(entries: Sequence[Entry]) -> list[Problem]:
    places: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if not isinstance(entry.value, Judgement):
            places[entry.value.code].append(entry.place)
    return [
        Problem(f"code {code}", f"{len(where)} entries: {'; '.join(where)}", "one entry a code", "duplicate_code")
        for code, where in sorted(places.items())
        if len(where) > 1
    ]


def _check_taken(entries: Sequence[Entry]) -> list[Problem]:
    problems = []
    for entry in entries:
        if isinstance(entry.value, Judgement):
            continue
        taken = _TAKEN_OF_UNITS if isinstance(entry.value, Attribute) else _TAKEN
        if entry.value.code in taken:
            expected = f"a code other than {', '.join(taken)}, which are columns of every table"
            problems.append(Problem(entry.at("code"), repr(entry.value.code), expected, "taken_code"))
    return problems


def _check_parents(entries: Sequence[Entry]) -> list[Problem]:
    nodes = _nodes(entries)
    groups = {node.code for _, node in nodes if isinstance(node, Group)}
    leaves = {node.code for _, node in nodes if isinstance(node, Indicator)}
    problems = []
    for entry, node in nodes:
        if node.parent is None or node.parent in groups:
            continue
        found = f"{node.parent!r}, which is an indicator" if node.parent in leaves else repr(node.parent)
        expected = f"a group of the tree: {one_of(groups, node.parent)}"
        problems.append(Problem(entry.at("parent"), found, expected, "unknown_parent"))
    parents = {node.parent for _, node in nodes}
    for entry, node in nodes:
        if isinstance(node, Group) and node.code not in parents:
            leaf = "a direction" if entry.columns else "[[indicator]] instead of [[group]]"
            expected = f'at least one entry with parent = "{node.code}"; or, if it is an indicator, {leaf}'
            problems.append(Problem(entry.place, "a group without children", expected, "empty_group"))
    return problems


def _check_root(entries: Sequence[Entry]) -> list[Problem]:
    roots = [entry for entry, group in _of_kind(entries, Group) if group.parent is None]
    if len(roots) == 1:
        return []
    found = f"{len(roots)} groups without parent" + (f": {'; '.join(root.place for root in roots)}" if roots else "")
    remedy = (
        "exactly one, the total index; give the others a parent"
        if roots
        else "exactly one, the total index that all others stand below"
    )
    return [Problem("the tree", found, remedy, "not_one_root")]


def _check_cycles(entries: Sequence[Entry]) -> list[Problem]:
    groups = {group.code: (entry, group) for entry, group in _of_kind(entries, Group)}
    problems = []
    for code, (entry, _) in groups.items():
        seen = [code]
        above = groups[code][1].parent
        while above is not None and above in groups and above not in seen:
            seen.append(above)
            above = groups[above][1].parent
        # Every group of a ring would find it; the one with the least code reports it.
        if above == code and code == min(seen):
            found = " below ".join([*seen, code])
            expected = "no group below itself: give one of them another parent"
            problems.append(Problem(entry.at("parent"), found, expected, "cycle"))
    return problems


def _check_denominators(entries: Sequence[Entry]) -> list[Problem]:
    known = {value.code for _, value in _of_kind(entries, Denominator)}
    problems = []
    for entry, leaf in _of_kind(entries, Indicator):
        if leaf.denominator is not None and leaf.denominator not in known:
            expected = f"a denominator of the framework: {one_of(known, leaf.denominator)}"
            problems.append(Problem(entry.at("denominator"), repr(leaf.denominator), expected, "unknown_denominator"))
    return problems


def _check_judgements(entries: Sequence[Entry]) -> list[Problem]:
    children = _children(entries)
    judgements = _of_kind(entries, Judgement)
    groups = [judgement.group for _, judgement in judgements]
    problems = []
    for entry, judgement in judgements:
        group = judgement.group
        if group not in children:
            expected = f"a group of the tree: {one_of(children, group)}"
            problems.append(Problem(entry.at("group"), repr(group), expected, "unknown_group"))
            continue
        codes = {node.code for _, node in children[group]}
        named = [*judgement.items, *judgement.apart]
        for code in sorted(set(named) - codes):
            expected = f"a child of {group}: {one_of(codes, code)}"
            problems.append(Problem(entry.at("items"), repr(code), expected, "unknown_item"))
        for code in sorted(codes - set(named)):
            remedy = "every child of the group in items, or in apart to show it with weight 0"
            problems.append(
                Problem(entry.at("items"), f"nothing about {code}, a child of {group}", remedy, "missing_item")
            )
        if groups.count(group) > 1:
            found = f"{groups.count(group)} judgements of {group}"
            problems.append(Problem(entry.at("group"), found, "one judgement a group", "duplicate_judgement"))
    return problems


def _check_weights(entries: Sequence[Entry]) -> list[Problem]:
    """Children of a group all have a weight, of which not all are zero, or none has; and a judgement goes alone."""
    judged = {judgement.group for _, judgement in _of_kind(entries, Judgement)}
    problems = []
    for group, children in _children(entries).items():
        # What a refused entry would have said of its weight is not known.
        if not all(entry.sound for entry, _ in children):
            continue
        weights = [(entry, node) for entry, node in children if node.weight is not None]
        if weights and group in judged:
            found = f"a judgement, and weights of {', '.join(node.code for _, node in weights)}"
            remedy = "one of both: delete the judgement, or the weights of all children"
            problems.append(Problem(f"group {group}", found, remedy, "two_weightings"))
        elif weights and len(weights) < len(children):
            remedy = f"a weight, since other children of {group} have one (0 leaves a child out)"
            problems += [
                Problem(entry.at("weight"), "nothing", remedy, "missing_weight")
                for entry, node in children
                if node.weight is None
            ]
        elif weights and not any(node.weight for _, node in weights):
            found = f"weight 0 for every child: {', '.join(node.code for _, node in weights)}"
            problems.append(Problem(f"group {group}", found, "at least one weight above zero", "no_weight"))
    return problems


def _of_kind(entries: Sequence[Entry], kind: type[Kind]) -> list[tuple[Entry, Kind]]:
    return [(entry, entry.value) for entry in entries if isinstance(entry.value, kind)]


def _nodes(entries: Sequence[Entry]) -> list[tuple[Entry, Node]]:
    return [(entry, entry.value) for entry in entries if isinstance(entry.value, Group | Indicator)]


def _children(entries: Sequence[Entry]) -> dict[str, list[tuple[Entry, Node]]]:
    """The child entries of each group; of a parent that is no group nothing is known."""
    children: dict[str, list[tuple[Entry, Node]]] = {group.code: [] for _, group in _of_kind(entries, Group)}
    for entry, node in _nodes(entries):
        if node.parent in children:
            children[node.parent].append((entry, node))
    return children
