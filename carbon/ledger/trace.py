"""The whole life of a unit, or of a run of them: where the numbers came from, who held them, and where they are now.

Knows how a serial text names a unit of the ledger, and how pieces and blocks tell its story. Must not know the forms of
outside registers (`carbon.formats.offsets.serials`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, RowMapping, text

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["UnknownSerial", "trace"]

_OWN: Final = re.compile(r"(?P<code>.+):(?P<first>[0-9]{1,18})(?:-(?P<last>[0-9]{1,18}))?")
_MARK: Final = re.compile(r"\{(?:first|last)(?::\d+)?\}")
_PIECES: Final = """
SELECT p.serial_first, p.serial_last, p.parent_first, p.parent_last, l.id AS leg, l.at_us, l.kind, l.phase, x.client_id,
  s.code AS source, t.code AS target, h.code AS holder, coalesce(e.name, h.code) AS holder_name
FROM registry_piece p JOIN registry_transfer l ON l.id = p.transfer_id
JOIN registry_transaction x ON x.id = l.transaction_id
JOIN registry_account s ON s.id = l.source_id JOIN registry_account t ON t.id = l.target_id
JOIN registry_account h ON h.id = CASE l.phase WHEN 'reserve' THEN l.source_id ELSE l.target_id END
LEFT JOIN registry_entity e ON e.id = h.entity_id
WHERE p.instrument_id = :unit AND p.serial_first <= :last AND p.serial_last >= :first
ORDER BY l.id, p.serial_first
"""
_FREED: Final = """
SELECT p.serial_first, p.serial_last, p.serial_first AS parent_first, p.serial_last AS parent_last, l.id AS leg,
  l.at_us, l.kind, 'void' AS phase, x.client_id, s.code AS source, s.code AS target, s.code AS holder,
  coalesce(e.name, s.code) AS holder_name
FROM registry_transfer l JOIN registry_piece p ON p.transfer_id = l.reserve_id
JOIN registry_transaction x ON x.id = l.transaction_id
JOIN registry_account s ON s.id = l.source_id LEFT JOIN registry_entity e ON e.id = s.entity_id
WHERE l.phase IN ('settle', 'void') AND p.instrument_id = :unit AND p.serial_first <= :last AND p.serial_last >= :first
ORDER BY l.id, p.serial_first
"""
_NOW: Final = """
SELECT b.serial_first, b.serial_last, a.code AS holder, coalesce(e.name, a.code) AS holder_name, a.type, b.reserve_id
FROM registry_block b JOIN registry_account a ON a.id = b.account_id LEFT JOIN registry_entity e ON e.id = a.entity_id
WHERE b.instrument_id = :unit AND b.serial_first <= :last AND b.serial_last >= :first ORDER BY b.serial_first
"""
_STATES: Final = {"surrender": "surrendered", "cancellation": "cancelled", "carried_over": "carried over"}
_TEXTS: Final = ("state", "kind", "phase", "client_id", "source", "target", "holder", "holder_name")


class UnknownSerial(CarbonError):
    """The text is no serial number or run of numbers that the ledger has issued."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive numbers of one unit."""

    unit: int
    code: str
    first: int
    last: int


def trace(connection: Connection, serial: str) -> "pl.DataFrame":
    """Every leg that moved these numbers, in order, and after them where each part is now.

    serial : our own form (`CEA24:1000` or `CEA24:1000-1999`) or the text of an outside register
    Result : instrument; serial_first, serial_last (Int64, the part of what was asked for); state ("moved" for a leg;
    now "held", "reserved", "surrendered", "cancelled", "carried over" or "returned"); at (Datetime in UTC, null for
    now); kind, phase ("void" where a reservation ended and the numbers stayed), client_id, source, target;
    parent_first, parent_last (the block that they came out of); holder, holder_name (who holds them after it). Raises
    UnknownSerial.
    """
    run = _find(connection, serial)
    values = {"unit": run.unit, "first": run.first, "last": run.last}
    cut = connection.execute(text(_PIECES), values).mappings().all()
    freed = _stayed(connection.execute(text(_FREED), values).mappings().all(), cut)
    now = connection.execute(text(_NOW), values).mappings().all()
    if not now:
        raise UnknownSerial(f"found {serial!r}, of which nothing was ever issued; expected {_issued(connection, run)}")
    moved: list[dict[str, Any]] = [
        {**row, "state": "moved"}
        for row in [*map(dict, cut), *freed]
        if row["serial_first"] <= run.last and row["serial_last"] >= run.first
    ]
    moved.sort(key=lambda row: (row["leg"], row["serial_first"]))
    return _framed(run, moved + [{**row, "state": _state(row)} for row in now])


def _framed(run: _Run, rows: list[dict[str, Any]]) -> "pl.DataFrame":
    import polars as pl

    whole = ("serial_first", "serial_last", "parent_first", "parent_last", "at_us")
    schema = {**dict.fromkeys(whole, pl.Int64), **dict.fromkeys(_TEXTS, pl.String)}
    names = (
        "instrument",
        "serial_first",
        "serial_last",
        "state",
        "at",
        "kind",
        "phase",
        "client_id",
        "source",
        "target",
    )
    return (
        pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema)
        .with_columns(
            pl.col("serial_first").clip(lower_bound=run.first),
            pl.col("serial_last").clip(upper_bound=run.last),
            instrument=pl.lit(run.code),
            at=pl.from_epoch("at_us", time_unit="us").dt.replace_time_zone("UTC"),
        )
        .select(*names, "parent_first", "parent_last", "holder", "holder_name")
    )


def _stayed(ended: Sequence[RowMapping], moved: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """What a settlement or a voiding left where it was: reserved numbers less those that the same leg moved."""
    taken: dict[int, list[tuple[int, int]]] = {}
    for row in moved:
        taken.setdefault(row["leg"], []).append((row["serial_first"], row["serial_last"]))
    parts = []
    for row in ended:
        low = row["serial_first"]
        for first, last in sorted(taken.get(row["leg"], [])):
            if last < low or first > row["serial_last"]:
                continue
            if low < first:
                parts.append({**row, "serial_first": low, "serial_last": first - 1})
            low = last + 1
        if low <= row["serial_last"]:
            parts.append({**row, "serial_first": low})
    return parts


def _state(row: RowMapping) -> str:
    if row["reserve_id"] is not None:
        return "reserved"
    return "returned" if row["type"] == "issuance" else _STATES.get(row["type"], "held")


def _find(connection: Connection, serial: str) -> _Run:
    """The unit and numbers that a text names. Raises UnknownSerial."""
    own = _OWN.fullmatch(serial.strip())
    if own is not None:
        found = _unit(connection, "code = :code", {"code": own["code"]})
        first = int(own["first"])
        last = first if own["last"] is None else int(own["last"])
        if found is not None and 0 < first <= last:
            return _Run(found.id, found.code, first, last)
        if found is not None:
            raise UnknownSerial(f"found {serial!r}, expected a first number from 1 and no last number below it")
    return _find_outside(connection, serial.strip())


def _find_outside(connection: Connection, serial: str) -> _Run:
    from carbon.formats.offsets.serials import SerialError, parse_serial

    try:
        parsed = parse_serial(serial)
    except SerialError as wrong:
        said = "expected one such as CEA24:1000-1999, or as an outside register prints it"
        raise UnknownSerial(f"{wrong}; {said}") from None
    plain = {"stem": parsed.stem, "series": parsed.series, "star": _MARK.sub("*", parsed.stem)}
    found = _unit(connection, "stem IN (:stem, :series) OR code = :star", plain)
    if found is None:
        raise UnknownSerial(f"found {serial!r} of {parsed.register}, expected a series that the ledger holds")
    return _Run(found.id, found.code, parsed.first, parsed.last)


def _unit(connection: Connection, condition: str, values: dict[str, str]) -> Any:
    return connection.execute(text(f"SELECT id, code FROM registry_instrument WHERE {condition}"), values).first()  # noqa: S608


def _issued(connection: Connection, run: _Run) -> str:
    """Which numbers of the unit there are, in words."""
    query = "SELECT count(*) AS blocks, min(serial_first) AS first, max(serial_last) AS last FROM registry_block"
    known = connection.execute(text(f"{query} WHERE instrument_id = :unit"), {"unit": run.unit}).one()
    return (
        f"numbers from {known.first} to {known.last} of {run.code}"
        if known.blocks
        else f"numbers of {run.code}: none yet"
    )
