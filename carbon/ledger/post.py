"""The one door through which every act enters the ledger.

Knows how an order is booked in one database transaction, how the same id is answered again, and how a refusal of the
guards becomes a code. Must not know what a verb means. The caller owns the database transaction: see `writing`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPICursor

from carbon.ledger.orders import BadOrder, IdInUse, Leg, Order, Receipt, body_sha256, canonical_body, check_id

__all__ = ["account_of", "begin_writing", "checked_body", "code_names", "code_of", "message_of", "post", "writing"]

# Which check a broken constraint belongs to; the guards themselves raise the code.
_CODES: Final = {
    "holding_covers_reserved": "C18",
    "holding_reserved": "C18",
    "transfer_quantity": "C16",
    "transfer_two_accounts": "C17",
    "transfer_reserve_once": "C22",
    "registry_transfer.reserve_id": "C22",
    "transfer_expiry": "C22",
    "transfer_names_reserve": "C22",
    "transfer_reversed_once": "C28",
    "registry_transfer.reverses_id": "C28",
    "transaction_reversed_once": "C28",
    "registry_transaction.reverses": "C28",
    "transfer_names_original": "C28",
    "transfer_reversal_posted": "C28",
    "block_disjoint": "C27",
    "registry_block_pkey": "C27",
    "registry_block.instrument_id, registry_block.serial_first": "C27",
    "block_order": "C26",
    "piece_order": "C26",
    "registry_account.code": "C09",
    "registry_account_code_key": "C09",
    "ix_registry_account_code": "C09",
    "account_holder": "C10",
    "account_one_operator": "C13",
    "registry_account.scheme, registry_account.entity_id": "C13",
    "registry_entity.code": "C14",
    "registry_entity_code_key": "C14",
    "registry_entity.uscc": "C14",
    "registry_entity_uscc_key": "C14",
    "registry_instrument.code": "C14",
    "registry_instrument_code_key": "C14",
    "registry_instrument.stem": "C14",
    "registry_instrument_stem_key": "C14",
    "instrument_vintage": "C15",
    "account_years": "C15",
}
_LARGEST_SERIAL: Final = 2**53
_INT64: Final = range(-(2**63), 2**63)
_NUL_IN_JSON: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_YEARS: Final = range(1990, 2101)
_TIMES_US: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)  # the years 1 to 9999
_FIRST_COLUMNS: Final = "client_id, kind, scheme, subject, at_us, actor"
_HEADER: Final = (
    f"INSERT INTO registry_transaction ({_FIRST_COLUMNS}, status, code, message, body, body_sha256, reverses)"  # noqa: S608
    " VALUES (?, ?, coalesce(?, (SELECT scheme FROM registry_account WHERE code = ?)), ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LEG: Final = (
    "INSERT INTO registry_transfer (transaction_id, kind, phase, source_id, target_id, instrument_id, quantity,"
    " first_serial, compliance_year, at_us, expires_at_us, reserve_id, reverses_id, reference)"
    " SELECT ?, ?, ?, s.id, t.id, i.id, ?, ?, ?, ?, ?, ?, ?, ? FROM registry_account s, registry_account t,"
    " registry_instrument i WHERE s.code = ? AND t.code = ? AND i.code = ?"
)
_LEG_PARTS: Final = tuple(part.name for part in fields(Leg))
_SEEN: Final = "SELECT id, status, code, message, body_sha256 FROM registry_transaction WHERE client_id = ?"
_POST: Final = "SELECT * FROM registry_post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection inside one database transaction for writing, committed at the end, undone by an exception.

    SQLite lets one writer in at a time and makes the next wait; on PostgreSQL rows are locked as they are needed.
    """
    with engine.connect() as connection:
        begin_writing(connection)
        yield connection
        connection.commit()


def begin_writing(connection: Connection) -> None:
    """Begin the database transaction of a writer, before anything is read in it."""
    connection.begin()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def post(connection: Connection, order: Order) -> Receipt:
    """Book an order, all its legs or none, inside the caller's database transaction.

    Result : done; or failed, with the code of the check that refused it, recorded under its id for ever (C20); or what
    came of the same order before (C19). Raises IdInUse where the id was used for another body, BadOrder.
    """
    body = checked_body(order)
    digest = body_sha256(body)
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            return _post_sqlite(cursor, order, body, digest)
        return _post_postgresql(cursor, order, body, digest)
    finally:
        cursor.close()


def checked_body(order: Order) -> str:
    """The canonical body of an order that both databases can hold as it stands. Raises BadOrder where they cannot."""
    check_id(order.client_id)
    for time in (order.at_us, *(leg.expires_at_us for leg in order.legs if leg.expires_at_us is not None)):
        if not _whole(time, _TIMES_US):
            raise BadOrder(f"found the time {time!r}, expected microseconds since 1970 within the years 1 to 9999")
    for leg in order.legs:
        if not _whole(leg.quantity, _INT64):
            raise BadOrder(f"found the quantity {leg.quantity!r}, expected a whole number (C16)")
        if leg.first_serial is not None and not _whole(leg.first_serial, range(1, _LARGEST_SERIAL + 1)):
            raise BadOrder(f"found the number {leg.first_serial!r}, expected one from 1 to {_LARGEST_SERIAL} (C26)")
        if leg.compliance_year is not None and not _whole(leg.compliance_year, _YEARS):
            raise BadOrder(f"found the compliance year {leg.compliance_year!r}, expected one from 1990 to 2100")
    body = canonical_body(order.kind, order.body)
    texts = (body, order.actor, order.subject or "")
    if any("\0" in text for text in texts) or _NUL_IN_JSON.search(body) or not all(map(_is_utf8, texts)):
        raise BadOrder("found a text with a NUL or half a character, expected texts of whole characters")
    return body


def _whole(number: object, within: range) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number in within


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def code_names() -> dict[str, str]:
    """The English name of each check by its code."""
    import csv

    lines = files("carbon.ledger").joinpath("codes.csv").read_text(encoding="utf-8").splitlines()
    return {row["code"]: row["name_en"] for row in csv.DictReader(lines)}


def _post_sqlite(cursor: DBAPICursor, order: Order, body: str, digest: str) -> Receipt:
    import sqlite3

    seen = cursor.execute(_SEEN, (order.client_id,)).fetchone()
    if seen is not None:
        return _again(order, digest, seen)
    cursor.execute("SAVEPOINT act")
    try:
        cursor.execute(_HEADER, _header(order, "done", None, body, digest))
        transaction_id = int(cursor.lastrowid)
        code = None
        for leg in order.legs:
            cursor.execute(_LEG, _leg_values(transaction_id, order.at_us, leg))
            if cursor.rowcount != 1:
                code = _unknown(cursor, leg, "?")
                break
    except sqlite3.IntegrityError as refusal:
        code = _code_in(str(refusal))
        if code is None:
            _undo_sqlite(cursor)
            raise
    except BaseException:
        # Whoever catches this and commits must not commit half an act.
        _undo_sqlite(cursor)
        raise
    if code is None:
        cursor.execute("RELEASE act")
        return Receipt(transaction_id, order.client_id, order.kind, "done")
    _undo_sqlite(cursor)
    message = message_of(code, order)
    cursor.execute(_HEADER, _header(order, "failed", code, body, digest, message))
    return Receipt(int(cursor.lastrowid), order.client_id, order.kind, "failed", code, message)


def _undo_sqlite(cursor: DBAPICursor) -> None:
    cursor.execute("ROLLBACK TO act")
    cursor.execute("RELEASE act")


def _post_postgresql(cursor: DBAPICursor, order: Order, body: str, digest: str) -> Receipt:
    given = ({name: getattr(leg, name) for name in _LEG_PARTS} for leg in order.legs)
    parts = [{name: value for name, value in leg.items() if value is not None} for leg in given]
    legs = json.dumps(parts, ensure_ascii=False)
    head = (order.client_id, order.kind, order.scheme, order.subject, order.at_us, order.actor)
    cursor.execute(_POST, (*head, body, digest, order.reverses, legs))
    row = cursor.fetchone()
    assert row is not None
    transaction_id, status, code, found = row
    if status == "done" and code is None:
        return Receipt(transaction_id, order.client_id, order.kind, "done")
    if found is not None:
        cursor.execute(_SEEN.replace("?", "%s"), (order.client_id,))
        seen = cursor.fetchone()
        assert seen is not None
        return _again(order, digest, seen)
    code = _code_in(code)
    if code is None:
        raise RuntimeError(f"the database refused for a reason without a code: {row}")
    message = message_of(code, order)
    cursor.execute(_HEADER.replace("?", "%s") + " RETURNING id", _header(order, "failed", code, body, digest, message))
    failed = cursor.fetchone()
    assert failed is not None
    return Receipt(failed[0], order.client_id, order.kind, "failed", code, message)


def _header(
    order: Order, status: str, code: str | None, body: str, digest: str, message: str | None = None
) -> tuple[Any, ...]:
    about = (order.client_id, order.kind, order.scheme, account_of(order), order.subject, order.at_us, order.actor)
    return (*about, status, code, message, body, digest, order.reverses)


def account_of(order: Order) -> str | None:
    """Code of the account whose scheme is the order's where it names none: the first that gives, or its subject."""
    return order.legs[0].source if order.legs else order.subject


def _leg_values(transaction_id: int, at_us: int, leg: Leg) -> tuple[Any, ...]:
    return (
        transaction_id,
        leg.kind,
        leg.phase,
        leg.quantity,
        leg.first_serial,
        leg.compliance_year,
        at_us,
        leg.expires_at_us,
        leg.reserve_id,
        leg.reverses_id,
        leg.reference,
        leg.source,
        leg.target,
        leg.instrument,
    )


def _again(order: Order, digest: str, seen: Any) -> Receipt:
    transaction_id, status, code, message, found = seen
    if found != digest:
        raise IdInUse(
            f"found the id {order.client_id!r} in use for another act (transaction {transaction_id}), expected a new "
            "id or the same body (C19)"
        )
    return Receipt(transaction_id, order.client_id, order.kind, status, code, message, replayed=True)


def _unknown(cursor: DBAPICursor, leg: Leg, mark: str) -> str:
    """Which of the three codes of a leg is not there: C03 the source, C02 the target, C42 the instrument."""
    for code, account in (("C03", leg.source), ("C02", leg.target)):
        cursor.execute(f"SELECT 1 FROM registry_account WHERE code = {mark}", (account,))  # noqa: S608
        if cursor.fetchone() is None:
            return code
    return "C42"


def code_of(refusal: BaseException | None) -> str:
    """The code of the check that a database error stands for: the guards' own message, or the constraint broken.

    Raises the error itself where it stands for none.
    """
    constraint = getattr(getattr(refusal, "diag", None), "constraint_name", None)
    text = str(refusal).splitlines()[0] if str(refusal) else ""
    code = _code_in(constraint or text)
    if code is None:
        raise refusal or RuntimeError("the database refused without a reason")
    return code


def _code_in(text: str) -> str | None:
    if text in code_names():
        return text
    return next((code for name, code in _CODES.items() if text == name or text.endswith(f": {name}")), None)


def message_of(code: str, order: Order, found: str | None = None) -> str:
    """What is said of a refused order: what was found, and what the check with this code expects."""
    legs = "; ".join(f"{leg.quantity} {leg.instrument} from {leg.source} to {leg.target}" for leg in order.legs[:3])
    more = "; ..." if len(order.legs) > 3 else ""
    what = f": {legs}{more}" if legs else f" {order.subject}" if order.subject else ""
    return f"{found or f'found {order.kind}{what}'}; expected that {code_names()[code]} ({code})"
