"""Events with serial numbers as legs of the ledger: which numbers each may move, and what is refused.

Knows issuances and withdrawals of ranges, and in which order they are booked. Must not know files or registers.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from carbon.errors import Problem
from carbon.imports.quantities import Booked, join_booked
from carbon.imports.ranges import Runs, cut, load_runs, place
from carbon.imports.report import ImportRefused, Progress, Source, ignore_progress, no_openings, sub_act
from carbon.ledger.orders import Leg, Order
from carbon.ledger.post import post
from carbon.ledger.verbs import system_account

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Step", "book_ranges", "post_steps"]

_LEGS_AT_ONCE: Final = 500
_LOWEST: Final = 1  # of the ledger's numbers: CHECK piece_order
_SINKS: Final = ("surrender", "cancellation", "carried_over")


@dataclass(frozen=True, slots=True)
class Step:
    """The legs of one event, its time, and what its register said; phase : 0 issuances, 1 withdrawals."""

    phase: int
    at_us: int
    legs: tuple[Leg, ...]
    said: dict[str, Any]


@dataclass(slots=True)
class _Sheet:
    """What is worked out event by event."""

    runs: dict[str, Runs]
    types: dict[str, str]
    steps: list[Step]
    fate: dict[int, str]
    openings: dict[tuple[str, str], int]
    problems: list[Problem]


def book_ranges(
    connection: Connection, source: Source, events: "pl.DataFrame", *, progress: Progress = ignore_progress
) -> Booked:
    """Book events whose serial numbers are known, in transactions of many legs, one for each time and direction.

    events : key Int64 (number of the event), scheme, instrument, holder (code of the account), reference String,
    at_us Int64, is_issuance Boolean, first, last Int64, said Struct (what goes into the body; file and row are for
    messages); accounts and instruments must exist; optional sink String (the account that a withdrawal goes to, else
    the scheme's cancellation account) and kind String (of the withdrawal, else cancel)
    All issuances come first, whatever days a register gives, since numbers must be there to be withdrawn. An issuance
    of numbers that are all there is a repeat; one that meets some is set apart (C27). A withdrawal of numbers that
    were all withdrawn before is a repeat; of some, or of numbers held outside the scheme's foreign accounts, it is set
    apart (C27, C08). Numbers nobody has are opened first. Raises ImportRefused.
    """
    import polars as pl

    if events.is_empty():
        return join_booked([])
    runs, types = load_runs(connection, events["instrument"].unique())
    sheet = _Sheet(defaultdict(list, runs), types, [], {}, {}, [])
    ordered = events.sort("is_issuance", "at_us", "key", descending=[True, False, False])
    for event in ordered.iter_rows(named=True):
        sheet.types.setdefault(event["holder"], "foreign")
        if event["first"] < _LOWEST:
            found = f"numbers {event['first']} to {event['last']}"
            _set_apart(sheet, event, "C26", found, f"numbers from {_LOWEST} on, as the ledger counts")
        elif event["is_issuance"]:
            _issue(sheet, event)
        else:
            _withdraw(sheet, event)
    post_steps(connection, source, sheet.steps, progress)
    names = [(account, instrument, quantity) for (account, instrument), quantity in sheet.openings.items()]
    openings = pl.DataFrame(names, schema=no_openings().schema, orient="row")
    return Booked(_fate_frame(sheet.fate), openings, tuple(sheet.problems))


def _issue(sheet: _Sheet, event: dict[str, Any]) -> None:
    runs = sheet.runs[event["instrument"]]
    parts = cut(runs, event["first"], event["last"])
    if all(holder is not None for _, _, holder in parts):
        sheet.fate[event["key"]] = "repeated"
        return
    if len(parts) > 1:
        there = next(part for part in parts if part[2] is not None)
        _set_apart(
            sheet, event, "C27", f"numbers {there[0]} to {there[1]}, which {there[2]} has", "numbers never issued"
        )
        return
    issuance = system_account(event["scheme"], "issuance")
    leg = _leg("issue", issuance, event["holder"], event, event["first"], event["last"], event["reference"])
    _book(sheet, event, 0, [leg])
    place(runs, event["first"], event["last"], event["holder"])


def _withdraw(sheet: _Sheet, event: dict[str, Any]) -> None:
    runs = sheet.runs[event["instrument"]]
    parts = cut(runs, event["first"], event["last"])
    types = [None if holder is None else sheet.types[holder] for _, _, holder in parts]
    sink = event.get("sink") or system_account(event["scheme"], "cancellation")
    if all(type in _SINKS for type in types):
        sheet.fate[event["key"]] = "repeated"
        return
    for (first, last, holder), type in zip(parts, types, strict=True):
        if type in _SINKS or type not in (None, "foreign"):
            code = "C27" if type in _SINKS else "C08"
            expected = "numbers not withdrawn before" if code == "C27" else "numbers held by a foreign account"
            _set_apart(sheet, event, code, f"numbers {first} to {last}, which {holder} has", expected)
            return
    legs = []
    for number, (first, last, holder) in enumerate(parts):
        reference = event["reference"] if len(parts) == 1 else f"{event['reference']}:{number + 1}"
        giver = holder or event["holder"]
        if holder is None:
            issuance = system_account(event["scheme"], "issuance")
            legs.append(_leg("opening", issuance, giver, event, first, last, f"{reference}:opening (assumed)"))
            opened = (giver, event["instrument"])
            sheet.openings[opened] = sheet.openings.get(opened, 0) + last - first + 1
        legs.append(_leg(event.get("kind") or "cancel", giver, sink, event, first, last, reference))
    _book(sheet, event, 1, legs)
    sheet.types.setdefault(sink, "cancellation")
    place(runs, event["first"], event["last"], sink)


def _leg(kind: str, giver: str, taker: str, event: dict[str, Any], first: int, last: int, reference: str) -> Leg:
    return Leg(kind, giver, taker, event["instrument"], last - first + 1, first_serial=first, reference=reference)


def _book(sheet: _Sheet, event: dict[str, Any], phase: int, legs: list[Leg]) -> None:
    said = {name: value for name, value in event["said"].items() if value is not None}
    sheet.steps.append(Step(phase, event["at_us"], tuple(legs), said))
    sheet.fate[event["key"]] = "booked"


def _set_apart(sheet: _Sheet, event: dict[str, Any], code: str, found: str, expected: str) -> None:
    said = event["said"]
    sheet.fate[event["key"]] = "apart"
    sheet.problems.append(Problem(said["file"], said["row"], None, found, expected, code, "error"))


def post_steps(connection: Connection, source: Source, steps: list[Step], progress: Progress) -> None:
    """Post the legs in transactions of one time and direction each; the steps are in order of both."""
    number = 0
    at = 0
    while at < len(steps):
        end = at
        legs = 0
        while end < len(steps) and _together(steps[at], steps[end]) and legs < _LEGS_AT_ONCE:
            legs += len(steps[end].legs)
            end += 1
        number += 1
        _post_some(connection, source, steps[at:end], number)
        at = end
        progress(at, len(steps))


def _together(one: Step, other: Step) -> bool:
    return (one.phase, one.at_us) == (other.phase, other.at_us)


def _post_some(connection: Connection, source: Source, steps: list[Step], number: int) -> None:
    act = sub_act(source, f"ranges:{number}")
    kind = "import_withdrawals" if steps[0].phase else "import_issuances"
    legs = tuple(leg for step in steps for leg in step.legs)
    body = {"import": source.act.client_id, "events": [step.said for step in steps]}
    receipt = post(connection, Order(act.client_id, kind, steps[0].at_us, act.actor, body, legs))
    if not receipt.done:
        raise ImportRefused(receipt.message or f"found {kind} number {number} refused ({receipt.code})")


def _fate_frame(fate: dict[int, str]) -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame({"key": list(fate), "fate": list(fate.values())}, schema={"key": pl.Int64, "fate": pl.String})
