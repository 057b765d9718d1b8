"""What one kind of raw register file says about itself.

Knows roles (what a column means), how a row becomes events, and the columns of the canonical frames. Must not know any
one register's headings: those are data at the top of each register's module.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from carbon.errors import UnreadableFile

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "EVENTS",
    "EVENT_TEXTS",
    "PROJECT_TEXTS",
    "DayStyle",
    "EventRule",
    "RegisterFile",
    "credit_events_schema",
    "first_cells",
    "fits_header",
    "plain_heading",
    "projects_schema",
]

Event = Literal["issuance", "retirement", "cancellation"]
DayStyle = Literal["us", "iso"]
EVENTS: tuple[Event, ...] = ("issuance", "retirement", "cancellation")
EVENT_TEXTS = ("account", "beneficiary", "reason", "note", "source_id")
PROJECT_TEXTS = ("name", "proponent", "protocol", "project_type", "status", "country", "url")


@dataclass(frozen=True)
class EventRule:
    """One event that a row may hold.

    quantity : heading of the quantity; less : heading of a part of it that is an event of its own (a buffer)
    day : heading of the day; null where the file prints none
    raw_event : what the register calls it
    code : the row holds this event only where the layout's code column prints this; null for any row
    is_buffer : credits kept in a pool against reversals
    is_main : the row is set apart without it; otherwise an empty or zero quantity just means that there is none
    where_day : only where the day is printed (one line for a block, whether or not it has been retired)
    """

    event: Event
    quantity: str
    day: str | None
    raw_event: str
    less: str | None = None
    code: str | None = None
    is_buffer: bool = False
    is_main: bool = True
    where_day: bool = False


@dataclass(frozen=True)
class RegisterFile:
    """One kind of file of one register.

    headings : role -> heading; roles are project_id, vintage, serial, first, last and those of EVENT_TEXTS, or
    project_id, registered_on and those of PROJECT_TEXTS
    rules : the events of a row; empty for a list of projects
    prefix : what stands before the register's own project number so that it is unique among registers
    extracts : role -> pattern whose first group is the value, where the cell holds more than that
    total : heading of a printed sum of the issuances of a row
    markers, absent : further headings that files of this kind have, and that they never have
    unit : "t", or "kg" where quantities are printed in kilograms
    """

    register: str
    kind: str
    days: DayStyle
    headings: Mapping[str, str]
    rules: tuple[EventRule, ...] = ()
    prefix: str = ""
    code: str | None = None
    total: str | None = None
    unit: Literal["t", "kg"] = "t"
    extracts: Mapping[str, str] = field(default_factory=dict)
    markers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Register and kind, e.g. "verra transactions"."""
        return f"{self.register} {self.kind}"

    def all_headings(self) -> set[str]:
        """Every heading that a file of this kind must have."""
        of_rules = [heading for rule in self.rules for heading in (rule.quantity, rule.less, rule.day)]
        named = [*self.headings.values(), *of_rules, self.code, self.total, *self.markers]
        return {heading for heading in named if heading is not None}


def plain_heading(cell: str) -> str:
    """A heading with single spaces: ACR prints "Status Effective  (GMT)" in one file and one space in another."""
    return " ".join(cell.split())


def fits_header(layout: RegisterFile, header: Sequence[str]) -> bool:
    """Whether a first line (cells as printed) has every heading of a kind of file, and none that it never has."""
    printed = {plain_heading(cell) for cell in header}
    return layout.all_headings() <= printed and printed.isdisjoint(layout.absent)


def first_cells(text: str, file: str) -> list[str]:
    """The cells of the first line of a text, as printed; empty for an empty text. Raises UnreadableFile."""
    try:
        return next(csv.reader([text.split("\n", 1)[0].rstrip("\r")]), [])
    except csv.Error as error:
        raise UnreadableFile(f"found {file}: {error} in the first line; expected headings") from error


def credit_events_schema() -> "dict[str, pl.DataType | type[pl.DataType]]":
    """Columns and types of credit events.

    register, project_id (unique among registers), event ("issuance", "retirement", "cancellation"); day Date (UTC, null
    where none is printed); vintage Int64 (year); quantity_t Int64, whole credits of one tonne; quantity_kg Int64, the
    exact amount where a register prints kilograms, else quantity_t x 1000; is_buffer Boolean; serial (text as printed),
    stem, first, last (both inclusive); account, beneficiary, reason, note, source_id (the register's own id), raw_event
    as printed; copy Int64, 1 for the first of equal events of a file, 2 for the next; file, row (line of the file).
    """
    import polars as pl

    texts = dict.fromkeys(EVENT_TEXTS, pl.String)
    return {
        "register": pl.String,
        "project_id": pl.String,
        "event": pl.String,
        "day": pl.Date,
        "vintage": pl.Int64,
        "quantity_t": pl.Int64,
        "quantity_kg": pl.Int64,
        "is_buffer": pl.Boolean,
        "serial": pl.String,
        "stem": pl.String,
        "first": pl.Int64,
        "last": pl.Int64,
        **texts,
        "raw_event": pl.String,
        "copy": pl.Int64,
        "file": pl.String,
        "row": pl.Int64,
    }


def projects_schema() -> "dict[str, pl.DataType | type[pl.DataType]]":
    """Columns and types of projects; texts as the register prints them, registered_on Date (UTC)."""
    import polars as pl

    texts = dict.fromkeys(PROJECT_TEXTS, pl.String)
    return {
        "register": pl.String,
        "project_id": pl.String,
        **texts,
        "registered_on": pl.Date,
        "file": pl.String,
        "row": pl.Int64,
    }
