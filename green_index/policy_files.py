"""Evidence that a user brings: statuses of proposals, stages of paths, and firms by application scenario.

Knows the three layouts, told apart by their headings. Knows no index and no scorecard beyond their schemas. A file is
read whole or refused with everything wrong with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import Problem, UnknownHub, one_of
from fhi.formats.tables import ROW, read_table
from fhi.hubs import find_hub, hubs
from green_index.errors import GreenIndexError
from green_index.policy import PROPOSAL_EVIDENCE, STAGE_EVIDENCE, STAGES, STATUSES, UNKNOWN, proposals, stages
from green_index.printed import printed_table

FIRM_SCHEMA: Final = pl.Schema(
    {"hub": pl.String(), "year": pl.Int64(), "scenario": pl.String(), "firm": pl.String(), "source": pl.String()}
)
_TOLD: Final = ("status", "evidence_zh", "evidence_en", "date", "source")
_LAYOUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "proposals": ("hub", "proposal", *_TOLD),
    "stages": ("hub", "path", "step", *_TOLD),
    "firms": ("hub", "year", "scenario", "firm", "source"),
}
_DATE: Final = r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"
Row = Mapping[str, str | None]


class PolicyFileError(GreenIndexError):
    """A file of evidence cannot be used; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(problems)} problem(s):\n" + "\n".join(f"  {problem}" for problem in problems))


@dataclass(frozen=True)
class OwnEvidence:
    """What a user's files say: proposals (PROPOSAL_EVIDENCE), stages (STAGE_EVIDENCE), firms (FIRM_SCHEMA)."""

    proposals: pl.DataFrame
    stages: pl.DataFrame
    firms: pl.DataFrame


def read_evidence(paths: Sequence[Path]) -> OwnEvidence:
    """Read files of evidence, CSV or XLSX, each of one of three layouts that its headings tell.

    Proposals: hub, proposal (1..16), status (adopted, partly, not_adopted, unknown), evidence_zh, evidence_en, date
    (2021, 2021-11 or 2021-11-30), source. Stages: the same with path and step for proposal and the statuses done,
    under_way, not_begun, unknown. Firms: hub, year, scenario, firm, source; the list is taken to be whole for each hub
    and year that it names, and one without any firm has a row with empty scenario and firm. A status other than
    unknown needs a text in one language, a date and a source. Raises PolicyFileError with every problem of all files.
    """
    problems: list[Problem] = []
    found: dict[str, list[dict[str, object]]] = {kind: [] for kind in _LAYOUTS}
    for path in paths:
        kind, rows, wrong = _read(path)
        problems += wrong
        if kind is not None:
            found[kind] += rows
    if problems:
        raise PolicyFileError(problems)
    return OwnEvidence(
        pl.DataFrame(found["proposals"], schema=PROPOSAL_EVIDENCE),
        pl.DataFrame(found["stages"], schema=STAGE_EVIDENCE),
        pl.DataFrame(found["firms"], schema=FIRM_SCHEMA),
    )


def _read(path: Path) -> tuple[str | None, list[dict[str, object]], list[Problem]]:
    table, problems = read_table(path, ["evidence"])
    if table is None:
        return None, [], problems
    headings = {heading: heading.strip().lower() for heading in table.headings}
    kind = _kind(list(headings.values()))
    if kind is None:
        expected = "; or ".join(", ".join(columns) for columns in _LAYOUTS.values())
        found = f"columns {', '.join(headings.values()) or 'none'}"
        return None, [], [*problems, Problem(table.name, found, expected, "unknown_layout")]
    missing = [name for name in _LAYOUTS[kind] if name not in headings.values()]
    if missing:
        wrong = [Problem(table.name, f"no column {name}", f"a column {name}", "missing_column") for name in missing]
        return None, [], [*problems, *wrong]
    frame = table.frame.rename(headings)
    rows: list[dict[str, object]] = []
    places: dict[tuple[object, ...], str] = {}
    for cells in frame.iter_rows(named=True):
        where = f"{table.name} row {cells[ROW]}"
        texts = {name: _text(cells[name]) for name in _LAYOUTS[kind]}
        value, wrong = _READERS[kind](where, texts, path.name)
        problems += wrong
        key = tuple(value.get(name) for name in _KEYS[kind])
        if not wrong and key in places:
            expected = f"one row each; the other is {places[key]}"
            problems.append(Problem(where, ", ".join(map(str, key)), expected, "duplicate"))
        places.setdefault(key, where)
        rows.append(value)
    return kind, rows, problems


def _text(cell: object) -> str | None:
    return None if cell is None else str(cell).strip() or None


def _kind(headings: Sequence[str]) -> str | None:
    for kind, telling in (("proposals", "proposal"), ("stages", "path"), ("firms", "scenario")):
        if telling in headings:
            return kind
    return None


def _proposal(where: str, row: Row, name: str) -> tuple[dict[str, object], list[Problem]]:
    known = proposals()["proposal"].to_list()
    hub, problems = _hub(where, row["hub"])
    number, wrong = _one_of(f"{where}, column proposal", row["proposal"], [str(value) for value in known])
    told, untold = _told(where, row, STATUSES, name)
    return {"hub": hub, "proposal": int(number) if number else None, **told}, [*problems, *wrong, *untold]


def _stage(where: str, row: Row, name: str) -> tuple[dict[str, object], list[Problem]]:
    hub, problems = _hub(where, row["hub"])
    path, wrong = _one_of(f"{where}, column path", row["path"], stages()["path"].unique().to_list())
    steps = [str(number) for of, number in stages().select("path", "step").iter_rows() if of == path]
    step, astray = _one_of(f"{where}, column step", row["step"], steps) if path else (None, [])
    told, untold = _told(where, row, STAGES, name)
    value = {"hub": hub, "path": path, "step": int(step) if step else None, **told}
    return value, [*problems, *wrong, *astray, *untold]


def _firm(where: str, row: Row, _name: str) -> tuple[dict[str, object], list[Problem]]:
    hub, problems = _hub(where, row["hub"])
    year = row["year"] or ""
    if not (year.isdecimal() and len(year) == 4):
        problems.append(Problem(f"{where}, column year", _found(row["year"]), "a year such as 2022", "wrong_year"))
    scenario = row["scenario"]
    if scenario is not None:
        _, wrong = _one_of(f"{where}, column scenario", scenario, printed_table("application_scenarios")["scenario"])
        problems += wrong
    if (scenario is None) != (row["firm"] is None):
        lacking = "firm" if row["firm"] is None else "scenario"
        expected = "a scenario and a firm; or neither, for a city without any"
        problems.append(Problem(f"{where}, column {lacking}", "nothing", expected, "missing_value"))
    if row["source"] is None:
        problems.append(Problem(f"{where}, column source", "nothing", "where it is published", "missing_value"))
    named = {"scenario": scenario, "firm": row["firm"], "source": row["source"]}
    return {"hub": hub, "year": int(year) if year.isdecimal() else None, **named}, problems


def _told(where: str, row: Row, statuses: Sequence[str], name: str) -> tuple[dict[str, object], list[Problem]]:
    """Status, texts, date and source; a text that is there in one language only stands for the other."""
    status, problems = _one_of(f"{where}, column status", row["status"], statuses)
    text = row["evidence_en"] or row["evidence_zh"]
    if status is not None and status != UNKNOWN:
        needed = {"evidence_en": (text, "what is known, in evidence_en or evidence_zh")}
        needed |= {"date": (row["date"], "the date of the evidence"), "source": (row["source"], "who says so")}
        problems += [
            Problem(f"{where}, column {column}", "nothing", expected, "missing_value")
            for column, (value, expected) in needed.items()
            if value is None
        ]
    if row["date"] is not None and not pl.Series([row["date"]]).str.contains(_DATE)[0]:
        expected = "2021, 2021-11 or 2021-11-30"
        problems.append(Problem(f"{where}, column date", repr(row["date"]), expected, "wrong_date"))
    told: dict[str, object] = {
        "status": status,
        "evidence_zh": row["evidence_zh"] or text,
        "evidence_en": text,
        "date": row["date"],
        "source": row["source"],
        "origin": name,
    }
    return told, problems


def _hub(where: str, name: str | None) -> tuple[str | None, list[Problem]]:
    try:
        return find_hub(name or ""), []
    except UnknownHub:
        expected = f"a city of the index: {one_of(hubs()['hub'], name)}"
        return None, [Problem(f"{where}, column hub", _found(name), expected, "unknown_hub")]


def _one_of(where: str, value: str | None, known: Sequence[str] | pl.Series) -> tuple[str | None, list[Problem]]:
    names = list(known)
    if value in names:
        return value, []
    return None, [Problem(where, _found(value), one_of(names, value), "unknown_value")]


def _found(value: str | None) -> str:
    return "nothing" if value is None else repr(value)


_READERS: Final[Mapping[str, Callable[[str, Row, str], tuple[dict[str, object], list[Problem]]]]] = {
    "proposals": _proposal,
    "stages": _stage,
    "firms": _firm,
}
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "proposals": ("hub", "proposal", "date"),
    "stages": ("hub", "path", "step", "date"),
    "firms": ("hub", "year", "scenario", "firm"),
}
