"""Proof that a ledger does not contradict itself, worked out again from its log in plain Python.

Shares no code with the ledger or its audit. `faults` lists everything that is wrong; `state` is all that a ledger says,
with codes in the place of row numbers, so that two ledgers that went through the same acts can be compared.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, text

STATES = {"close_account": "closed", "block_account": "blocked", "unblock_account": "open"}
# Settling an allocation that was right before moves nothing, and so does its reversal.
MAY_MOVE = ("finalise_allocation", "reverse")
MOVING = ("issue", "opening", "pre_allocate", "allocate", "transfer", "auction", "external", "surrender", "cancel",
          "cancel_replace", "deposit", "withdraw", "use_offsets", "carry_over", "reserve", "settle",
          "void", "import")  # fmt: skip


def rows(connection: Connection, query: str) -> list[Any]:
    return list(connection.execute(text(query)))


def faults(connection: Connection) -> list[str]:
    """Everything that is wrong, in words; none for a ledger that cannot lie."""
    return [*_half_written(connection), *_sums(connection), *_numbers(connection), *_order(connection)]


def _half_written(connection: Connection) -> list[str]:
    found = []
    for table in ("transfer", "entity", "account", "instrument", "representative", "statement"):
        query = (
            f"SELECT r.id FROM registry_{table} r LEFT JOIN registry_transaction x ON x.id = r.transaction_id"
            " WHERE r.transaction_id IS NOT NULL AND (x.id IS NULL OR x.status <> 'done')"
        )
        found += [f"{table} {row.id} without a booked act" for row in rows(connection, query)]
    query = (
        "SELECT x.client_id, x.kind, x.status, count(l.id) AS legs FROM registry_transaction x"
        " LEFT JOIN registry_transfer l ON l.transaction_id = x.id GROUP BY x.id, x.client_id, x.kind, x.status"
    )
    for act in rows(connection, query):
        may = act.status == "done" and act.kind in (*MOVING, *MAY_MOVE)
        must = act.status == "done" and act.kind in MOVING
        if (act.legs == 0 and must) or (act.legs > 0 and not may):
            found.append(f"{act.status} {act.kind} {act.client_id} with {act.legs} legs")
    query = (
        "SELECT l.id, l.phase, l.quantity, i.serialised, count(p.id) AS pieces,"
        " coalesce(sum(p.serial_last - p.serial_first + 1), 0) AS units FROM registry_transfer l"
        " JOIN registry_instrument i ON i.id = l.instrument_id LEFT JOIN registry_piece p ON p.transfer_id = l.id"
        " GROUP BY l.id, l.phase, l.quantity, i.serialised"
    )
    for leg in rows(connection, query):
        wanted = leg.quantity if leg.serialised and leg.phase != "void" else 0
        if leg.units != wanted:
            found.append(f"transfer {leg.id} of {leg.quantity} with {leg.units} numbers")
    return found


def _legs(connection: Connection) -> list[Any]:
    return rows(connection, "SELECT * FROM registry_transfer ORDER BY id")


def _sums(connection: Connection) -> list[str]:
    """Holdings as the log has them, in its order, against the holdings that the ledger keeps."""
    found: list[str] = []
    query = "SELECT id FROM registry_account WHERE type = 'issuance'"
    contra = {row.id for row in rows(connection, query)}
    held: dict[tuple[int, int], int] = defaultdict(int)
    reserved: dict[tuple[int, int], int] = defaultdict(int)
    legs = {leg.id: leg for leg in _legs(connection)}
    for leg in legs.values():
        source, target = (leg.source_id, leg.instrument_id), (leg.target_id, leg.instrument_id)
        if leg.phase == "reserve":
            reserved[source] += leg.quantity
        if leg.phase in ("settle", "void"):
            reserved[source] -= legs[leg.reserve_id].quantity
        if leg.phase in ("posted", "settle"):
            held[source] -= leg.quantity
            held[target] += leg.quantity
        if held[source] < reserved[source] and leg.source_id not in contra:
            found.append(f"transfer {leg.id} overdraws {source}: {held[source]} held, {reserved[source]} reserved")
    sums: dict[int, int] = defaultdict(int)
    kept = {}
    for row in rows(connection, "SELECT account_id, instrument_id, quantity, reserved FROM registry_holding"):
        sums[row.instrument_id] += row.quantity
        if row.quantity or row.reserved:
            kept[row.account_id, row.instrument_id] = (row.quantity, row.reserved)
    replayed = {key: (held[key], reserved[key]) for key in held.keys() | reserved.keys() if held[key] or reserved[key]}
    found += [f"instrument {unit} adds up to {total}" for unit, total in sums.items() if total]
    for key in sorted(replayed.keys() | kept.keys()):
        if replayed.get(key) != kept.get(key):
            found.append(f"holding {key} is {kept.get(key)}, the log says {replayed.get(key)}")
    return found


def _numbers(connection: Connection) -> list[str]:
    """Blocks as the pieces have them, against the blocks and holdings that the ledger keeps."""
    found: list[str] = []
    pieces = defaultdict(list)
    for piece in rows(connection, "SELECT * FROM registry_piece ORDER BY id"):
        pieces[piece.transfer_id].append(piece)
    blocks: dict[tuple[int, int], tuple[int, int, int | None]] = {}
    of_reserve: dict[int, set[tuple[int, int]]] = defaultdict(set)
    issuing = {row.id for row in rows(connection, "SELECT id FROM registry_account WHERE type = 'issuance'")}
    for leg in _legs(connection):
        for piece in pieces[leg.id]:
            unit = piece.instrument_id
            parent = unit, piece.parent_first
            if leg.kind != "reverse" and leg.source_id in issuing:
                whole = (piece.serial_first, piece.serial_last) == (piece.parent_first, piece.parent_last)
                if parent in blocks or not whole:
                    found.append(f"piece {piece.id} issues what is there")
            elif blocks.pop(parent, None) != (piece.parent_last, leg.source_id, leg.reserve_id):
                found.append(f"piece {piece.id} of a block that its sender did not hold")
            of_reserve[leg.reserve_id or 0].discard(parent)
            parts = [(piece.parent_first, piece.serial_first - 1), (piece.serial_last + 1, piece.parent_last)]
            blocks |= {(unit, low): (high, leg.source_id, None) for low, high in parts if low <= high}
            key = unit, piece.serial_first
            if leg.phase == "reserve":
                blocks[key] = (piece.serial_last, leg.source_id, leg.id)
                of_reserve[leg.id].add(key)
            else:
                blocks[key] = (piece.serial_last, leg.target_id, None)
        if leg.reserve_id is not None:
            for key in of_reserve.pop(leg.reserve_id, ()):
                blocks[key] = (*blocks[key][:2], None)
    kept = {
        (row.instrument_id, row.serial_first): (row.serial_last, row.account_id, row.reserve_id)
        for row in rows(connection, "SELECT * FROM registry_block ORDER BY instrument_id, serial_first")
    }
    for key in sorted(blocks.keys() | kept.keys()):
        if blocks.get(key) != kept.get(key):
            found.append(f"block {key} is {kept.get(key)}, the pieces say {blocks.get(key)}")
    return [*found, *_block_sums(connection, kept, issuing)]


def _block_sums(connection: Connection, kept: dict[Any, Any], issuing: set[int]) -> list[str]:
    found = []
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    end = (0, 0)
    for (unit, first), (last, account, reserve) in kept.items():
        if end[0] == unit and first <= end[1]:
            found.append(f"block {unit, first} begins before the last one ends")
        end = unit, last
        if account not in issuing:
            sums[account, unit][0] += last - first + 1
            sums[account, unit][1] += (last - first + 1) if reserve is not None else 0
    query = (
        "SELECT h.* FROM registry_holding h JOIN registry_instrument i ON i.id = h.instrument_id"
        " WHERE i.serialised AND NOT h.contra"
    )
    held = {(row.account_id, row.instrument_id): [row.quantity, row.reserved] for row in rows(connection, query)}
    for key in sorted(sums.keys() | held.keys()):
        if sums.get(key, [0, 0]) != held.get(key, [0, 0]):
            found.append(f"holding {key} is {held.get(key)}, its blocks add up to {sums.get(key)}")
    return found


def _order(connection: Connection) -> list[str]:
    """Accounts and schemes as the log leaves them, and no movement where the log in its order does not allow it."""
    found = []
    accounts = {row.id: row for row in rows(connection, "SELECT * FROM registry_account")}
    codes = {row.code: row.id for row in accounts.values()}
    status = dict.fromkeys(accounts, "open")
    schemes = {row.scheme: "open" for row in rows(connection, "SELECT scheme FROM registry_scheme")}
    query = "SELECT kind, source_type, target_type, unit_kind FROM registry_movement WHERE from_blocked"
    free = {tuple(row) for row in rows(connection, query)}
    kinds = {row.id: row.kind for row in rows(connection, "SELECT id, kind FROM registry_instrument")}
    legs = defaultdict(list)
    for leg in _legs(connection):
        legs[leg.transaction_id].append(leg)
    for act in rows(connection, "SELECT * FROM registry_transaction WHERE status = 'done' ORDER BY id"):
        if act.kind in STATES:
            status[codes[act.subject]] = STATES[act.kind]
        if act.kind in ("open_scheme", "close_scheme"):
            schemes[act.subject] = "open" if act.kind == "open_scheme" else "closed"
        for leg in legs[act.id]:
            source, target = accounts[leg.source_id], accounts[leg.target_id]
            rule = leg.kind, source.type, target.type, kinds[leg.instrument_id]
            if status[source.id] == "closed" or (status[target.id] == "closed" and leg.phase != "void"):
                found.append(f"transfer {leg.id} of {act.client_id} touches a closed account")
            if status[source.id] == "blocked" and rule not in free and leg.kind != "reverse" and leg.phase != "void":
                found.append(f"transfer {leg.id} of {act.client_id} leaves a blocked account")
            if "closed" in (schemes[source.scheme], schemes[target.scheme]):
                found.append(f"transfer {leg.id} of {act.client_id} touches a closed scheme")
    found += [f"account {row.code} is {row.status}" for row in accounts.values() if row.status != status[row.id]]
    states = {row.scheme: row.state for row in rows(connection, "SELECT scheme, state FROM registry_scheme")}
    return found + [f"scheme {scheme} is {state}" for scheme, state in states.items() if state != schemes[scheme]]


_STATE = {
    "acts": "SELECT client_id, kind, subject, at_us, actor, status, code, message, body_sha256"
    " FROM registry_transaction ORDER BY id",
    "legs": "SELECT x.client_id, l.kind, l.phase, s.code, t.code AS target, i.code AS unit, l.quantity, l.first_serial,"
    " l.compliance_year, l.expires_at_us, l.reference, e.client_id AS reservation, p.serial_first, p.serial_last,"
    " p.parent_first, p.parent_last FROM registry_transfer l JOIN registry_transaction x ON x.id = l.transaction_id"
    " JOIN registry_account s ON s.id = l.source_id JOIN registry_account t ON t.id = l.target_id"
    " JOIN registry_instrument i ON i.id = l.instrument_id LEFT JOIN registry_transfer r ON r.id = l.reserve_id"
    " LEFT JOIN registry_transaction e ON e.id = r.transaction_id LEFT JOIN registry_piece p ON p.transfer_id = l.id"
    " ORDER BY l.id, p.serial_first",
    "holdings": "SELECT a.code, i.code AS unit, h.quantity, h.reserved FROM registry_holding h"
    " JOIN registry_account a ON a.id = h.account_id JOIN registry_instrument i ON i.id = h.instrument_id"
    " WHERE h.quantity <> 0 OR h.reserved <> 0 ORDER BY a.id, i.id",
    "blocks": "SELECT i.code AS unit, b.serial_first, b.serial_last, a.code, x.client_id FROM registry_block b"
    " JOIN registry_instrument i ON i.id = b.instrument_id JOIN registry_account a ON a.id = b.account_id"
    " LEFT JOIN registry_transfer r ON r.id = b.reserve_id LEFT JOIN registry_transaction x ON x.id = r.transaction_id"
    " ORDER BY i.id, b.serial_first",
    "accounts": "SELECT a.code, a.scheme, a.type, a.status, e.code AS entity FROM registry_account a"
    " LEFT JOIN registry_entity e ON e.id = a.entity_id ORDER BY a.id",
    "people": "SELECT a.code, r.role, r.name FROM registry_representative r"
    " JOIN registry_account a ON a.id = r.account_id ORDER BY r.id",
    "units": "SELECT code, scheme, kind, serialised, next_serial, stem, only_kinds"
    " FROM registry_instrument ORDER BY id",
    "statements": "SELECT a.code, s.compliance_year, s.kind, s.version, s.quantity_t, x.client_id"
    " FROM registry_statement s JOIN registry_account a ON a.id = s.account_id"
    " JOIN registry_transaction x ON x.id = s.transaction_id ORDER BY s.id",
    "schemes": "SELECT scheme, state FROM registry_scheme ORDER BY scheme",
}


def state(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that the ledger says."""
    return {name: [tuple(row) for row in rows(connection, query)] for name, query in _STATE.items()}
