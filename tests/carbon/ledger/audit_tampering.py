"""For every check of the audit, ways to break what it guards, on a history without constraints.

Each way changes the tables and says in which table the finding must stand.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from carbon.ledger.orders import body_sha256, canonical_body

from .audit_cases import add_row, day, run

Way = Callable[[Connection], str]
LEG, ACT, ACCOUNT, ENTITY = "registry_transfer", "registry_transaction", "registry_account", "registry_entity"
UNIT, PIECE, BLOCK, HELD = "registry_instrument", "registry_piece", "registry_block", "registry_holding"
STATED = "registry_statement"
CANCELLED = "transfer_id IN (SELECT id FROM registry_transfer WHERE kind = 'cancel')"


def tx(id: str) -> str:
    """SQL for the number of a transaction."""
    return f"(SELECT id FROM registry_transaction WHERE client_id = '{id}')"


def account(code: str) -> str:
    return f"(SELECT id FROM registry_account WHERE code = '{code}')"


def unit(code: str) -> str:
    return f"(SELECT id FROM registry_instrument WHERE code = '{code}')"


def change(table: str, values: str, where: str, named: str | None = None) -> Way:
    """Change rows; the finding stands in the same table or the one named."""

    def way(connection: Connection) -> str:
        run(connection, f"UPDATE {table} SET {values} WHERE {where}")
        return named or table

    return way


def change_legs(act: str, values: str, named: str | None = None) -> Way:
    return change(LEG, values, f"transaction_id = {tx(act)}", named)


def remove(table: str, where: str, named: str) -> Way:
    def way(connection: Connection) -> str:
        run(connection, f"DELETE FROM {table} WHERE {where}")
        return named

    return way


def repeat(table: str, like: str, **changed: Any) -> Way:
    """Slip in a copy of a row."""

    def way(connection: Connection) -> str:
        add_row(connection, table, like, **changed)
        return table

    return way


def number(connection: Connection, sql: str) -> int:
    return int(connection.execute(text(f"SELECT {sql}")).scalar_one())


def leave_blocked(connection: Connection) -> str:
    """A transfer out of Q in the transaction after Q was blocked."""
    between = number(connection, tx("unblock"))
    add_row(connection, LEG, f"transaction_id = {tx('both')} AND source_id = {account('Q')}", transaction_id=between)
    return LEG


def touch_closed(connection: Connection) -> str:
    closed = number(connection, account("Old"))
    add_row(connection, LEG, f"transaction_id = {tx('both')} AND source_id = {account('Q')}", target_id=closed)
    return LEG


def close_full(connection: Connection) -> str:
    add_row(connection, ACT, "client_id = 'closeOld'", client_id="closeT", subject="T")
    run(connection, "UPDATE registry_account SET status = 'closed' WHERE code = 'T'")
    return ACT


def act_after_closing(connection: Connection) -> str:
    add_row(connection, ACT, "client_id = 'unblock'", client_id="revive", subject="Old")
    run(connection, "UPDATE registry_account SET status = 'open' WHERE code = 'Old'")
    return ACT


def short_import(connection: Connection) -> str:
    sums = [{"kind": "transfer", "rows": 2, "quantity": 9}]
    body = canonical_body("import", {"keep_good": False, "sums": sums})
    digest = body_sha256(body)
    add_row(connection, ACT, "client_id = 'part'", client_id="import", kind="import", body=body, body_sha256=digest)
    return ACT


def swap_holdings(connection: Connection) -> str:
    """Hand ten tonnes from one holding to another: all sums stay right."""
    for code, sign in (("P", "-"), ("T", "+")):
        where = f"account_id = {account(code)} AND instrument_id = {unit('CEA24')}"
        run(connection, f"UPDATE registry_holding SET quantity = quantity {sign} 10 WHERE {where}")
    return HELD


def state_anew(connection: Connection) -> str:
    """Verified emissions fall after offsets were used within the limit of then: 5 % of 500 t is 25 t."""
    later = add_row(connection, ACT, "client_id = 'verified'", client_id="verified anew")
    add_row(connection, STATED, "kind = 'verified'", version=2, quantity_t=500, transaction_id=later)
    return LEG


def carry_too_much(connection: Connection) -> str:
    """60,000 t on both legs; the limit is 10,000 t and 1.5 times the few sold."""
    return change_legs("carry", "quantity = 60000")(connection)


def buy_back(connection: Connection) -> str:
    """P sold 900 t within the window: 11,350 t may be carried. 11,300 t are, and then all comes back."""
    change_legs("carry", "quantity = 11300")(connection)
    back = {"source_id": number(connection, account("T")), "target_id": number(connection, account("P"))}
    like = f"transaction_id = {tx('part')}"
    add_row(connection, LEG, like, at_us=day(2025, 6, 3), quantity=900, first_serial=None, **back)
    return LEG


def empty_body(connection: Connection) -> str:
    run(connection, "UPDATE registry_transaction SET body = '{}' WHERE client_id = 'part'")
    return ACT


def other_content(connection: Connection) -> str:
    statement = "INSERT INTO registry_kept_table (id, name, part, height, sha256, content, transaction_id) VALUES"
    values = {"sha": "0" * 64, "content": b"x"}
    connection.execute(text(f"{statement} (1, 'kept', 0, 1, :sha, :content, {tx('part')})"), values)
    return "registry_kept_table"


# Code -> each way to break it, with the severity of the finding.
TAMPERING: dict[str, list[tuple[Way, str]]] = {
    "C01": [
        (change("registry_scheme", "state = 'open'", "scheme = 'CN-TJ'"), "error"),
        (change(ACT, "status = 'failed', code = 'C01'", "client_id = 'reopen'", LEG), "error"),
    ],
    "C02": [
        (change_legs("tooMuch", "target_id = 999999"), "error"),
        (change(ACCOUNT, f"transaction_id = {tx('carry')}", "code = 'T'", LEG), "error"),
    ],
    "C03": [
        (change_legs("tooMuch", "source_id = 999999"), "error"),
        (change(ACT, "subject = 'nobody'", "client_id = 'block'"), "error"),
    ],
    "C04": [
        (change_legs("tooMuch", f"instrument_id = {unit('HBEA')}"), "error"),
        (change_legs("toP", "kind = 'transfer'"), "error"),
        (change_legs("issue", f"instrument_id = {unit('CCER')}"), "error"),
    ],
    "C05": [(change_legs("tooMuch", "kind = 'external'"), "error")],
    "C06": [(change(UNIT, "only_kinds = ';issue;'", "code = 'CEA24'", LEG), "error")],
    "C07": [(leave_blocked, "error"), (change(ACCOUNT, "status = 'blocked'", "code = 'Q'"), "error")],
    "C08": [
        (change(PIECE, "parent_first = 2", CANCELLED), "error"),
        (change_legs("cancel", f"source_id = {account('Q')}", PIECE), "error"),
        (change_legs("part", "first_serial = 11"), "error"),
        (repeat(PIECE, CANCELLED), "error"),
        (change_legs("settle", "reserve_id = NULL, phase = 'posted'", PIECE), "error"),
    ],
    "C09": [
        (repeat(ACT, "client_id = 'oP'", client_id="oP again"), "error"),
        (repeat(ACCOUNT, "code = 'owner'", code="Owner "), "error"),
    ],
    "C10": [
        (change(ACCOUNT, "entity_id = NULL", "code = 'P'"), "error"),
        (change(ACCOUNT, "entity_id = 1", "code = 'CN:issuance'"), "error"),
        (change(ACCOUNT, "entity_id = 999999", "code = 'P'"), "error"),
    ],
    "C11": [(change("registry_representative", "name = 'Y'", f"transaction_id = {tx('appoint')}"), "error")],
    "C12": [(change(ENTITY, "contact = ' '", "code = 'P'"), "warning")],
    "C13": [(change(ACCOUNT, "entity_id = (SELECT id FROM registry_entity WHERE code = 'P')", "code = 'Q'"), "error")],
    "C14": [
        (change(ENTITY, "uscc = '91110000600037342L'", "code = 'P'"), "error"),
        (change(ENTITY, "uscc = '9111 0000600037341L'", "code = 'P'"), "error"),
        (change(ACCOUNT, "code = 'Q'", "code = 'T'"), "error"),
        (change(UNIT, "code = 'CEA24'", "code = 'CEA25'"), "error"),
    ],
    "C15": [
        (change_legs("grantP", "compliance_year = 2018"), "error"),
        (change(STATED, "compliance_year = 2018", "kind = 'verified'"), "error"),
        (change(ACCOUNT, "last_year = 2023", "code = 'P'", LEG), "error"),
    ],
    "C16": [
        (change_legs("tooMuch", "quantity = 0"), "error"),
        (change_legs("tooMuch", "quantity = -5"), "error"),
        (change(STATED, "quantity_t = -1", "kind = 'verified'"), "error"),
    ],
    "C17": [(change_legs("tooMuch", "target_id = source_id"), "error")],
    "C18": [
        (change_legs("tooMuch", "quantity = 40000"), "error"),
        (change_legs("hold2", "quantity = 40000"), "error"),
        (change_legs("void", "quantity = 60"), "error"),
    ],
    "C19": [(change(ACT, "client_id = 'part'", "client_id = 'both'"), "error")],
    "C20": [
        (change_legs("part", f"transaction_id = {tx('refused')}"), "error"),
        (change(STATED, f"transaction_id = {tx('refused')}", "kind = 'verified'"), "error"),
        (change(ACT, "code = NULL", "client_id = 'refused'"), "error"),
    ],
    "C21": [
        (remove(LEG, f"transaction_id = {tx('both')} AND source_id = {account('T')}", LEG), "error"),
        (remove(ACT, "client_id = 'part'", LEG), "error"),
        (remove(LEG, f"transaction_id = {tx('settle')} AND source_id = {account('T')}", ACT), "error"),
        (remove(LEG, f"transaction_id = {tx('cancel')}", PIECE), "error"),
        (repeat(LEG, f"transaction_id = {tx('part')}"), "error"),
        (change_legs("part", "quantity = 39"), "error"),
        (change_legs("surrender", f"source_id = {account('Q')}"), "error"),
        (short_import, "error"),
    ],
    "C22": [
        (change_legs("settle", "quantity = quantity * 2"), "error"),
        (change_legs("settle", "at_us = at_us + 1000"), "error"),
        (change_legs("void", "quantity = 49"), "error"),
        (change_legs("void", f"target_id = {account('T')}"), "error"),
        (repeat(LEG, f"transaction_id = {tx('void')}"), "error"),
        (change_legs("void", "reserve_id = 999999"), "error"),
        (change_legs("hold3", "expires_at_us = 1"), "warning"),
    ],
    "C23": [
        (touch_closed, "error"),
        (close_full, "error"),
        (act_after_closing, "error"),
        (change(ACCOUNT, "status = 'open'", "code = 'Old'"), "error"),
        (change(ACCOUNT, "status = 'closed'", "code = 'T'"), "error"),
    ],
    "C24": [
        (change(HELD, "quantity = quantity + 1", f"account_id = {account('P')}"), "error"),
        (change_legs("tooMuch", "source_id = 999999"), "error"),
    ],
    "C25": [
        (swap_holdings, "error"),
        (change(HELD, "reserved = reserved + 1", f"account_id = {account('Q')}"), "error"),
        (remove(HELD, f"account_id = {account('Q')}", HELD), "error"),
        (change(HELD, "contra = (1 = 1)", f"account_id = {account('P')}"), "error"),
    ],
    "C26": [
        (change(PIECE, "serial_last = serial_last + 1", CANCELLED, LEG), "error"),
        (remove(PIECE, CANCELLED, LEG), "error"),
        (change(BLOCK, "reserve_id = NULL", "reserve_id IS NOT NULL"), "error"),
        (remove(BLOCK, f"account_id = {account('T')}", BLOCK), "error"),
    ],
    "C27": [
        (repeat(BLOCK, f"account_id = {account('CN:surrender')}"), "error"),
        (change(BLOCK, f"account_id = {account('Q')}", f"account_id = {account('CN:surrender')}"), "error"),
        (change(BLOCK, "serial_last = serial_last + 1", f"account_id = {account('CN:surrender')}"), "error"),
        (change(PIECE, "parent_last = serial_last - 1", CANCELLED), "error"),
        (change(UNIT, "next_serial = 7", "code = 'CEA24'"), "error"),
        (repeat(PIECE, "parent_last = 200000 AND serial_last = 200000 AND serial_first = 1"), "error"),
    ],
    "C28": [
        (change_legs("undo", "quantity = 122"), "error"),
        (change_legs("undo", f"target_id = {account('T')}"), "error"),
        (change_legs("undo", "reverses_id = 999999"), "error"),
        (change_legs("undo", "kind = 'transfer'"), "error"),
        (repeat(LEG, f"transaction_id = {tx('undo')}"), "error"),
        (change(ACT, f"reverses = {tx('part')}", "client_id = 'undo'", LEG), "error"),
        (repeat(ACT, "client_id = 'undo'", client_id="undo again"), "error"),
        (change(ACT, "status = 'failed', code = 'C18'", "client_id = 'mistake'"), "error"),
    ],
    "C29": [(change_legs("tooMuch", "kind = 'auction'"), "error")],
    "C30": [(change_legs("surrender", "compliance_year = 2023"), "error")],
    "C31": [
        (change(STATED, "quantity_t = 2000", "kind = 'verified'"), "warning"),
        (change(STATED, "quantity_t = 1000", "kind = 'verified'"), "info"),
        (change_legs("surrender", "compliance_year = NULL", LEG), "error"),
    ],
    "C32": [(change_legs("use", "quantity = 51"), "error"), (state_anew, "warning")],
    "C33": [
        (carry_too_much, "error"),
        (change(LEG, "quantity = 8999", f"kind = 'carry_over' AND target_id = {account('P')}", ACT), "error"),
        (buy_back, "warning"),
        (change_legs("carry", f"at_us = {day(2026, 7, 1)}"), "error"),
    ],
    "C34": [(change(STATED, "quantity_t = quantity_t + 1", "kind = 'final_allocation'"), "error")],
    "C41": [(change(LEG, "reference = 'R1'", "reference = 'R2'"), "info")],
    "C42": [
        (change_legs("tooMuch", "kind = 'gift'"), "error"),
        (change_legs("tooMuch", "phase = 'later'"), "error"),
        (change_legs("tooMuch", "instrument_id = 999999"), "error"),
        (change(ACCOUNT, "type = 'piggy bank'", "code = 'T'"), "error"),
        (change(ACCOUNT, "scheme = 'XX'", "code = 'T'"), "error"),
        (change(UNIT, "unit = 'kg'", "code = 'CEA24'"), "error"),
        (change(ACT, "code = 'C99'", "client_id = 'refused'"), "error"),
        (change("registry_representative", "role = 'third'", f"transaction_id = {tx('appoint')}"), "error"),
    ],
    "BODY": [
        (empty_body, "error"),
        (change(ACT, "kind = 'deposit'", "client_id = 'part'"), "error"),
        (other_content, "error"),
    ],
    "ROWS": [
        (change(ENTITY, "name = 'other'", "code = 'P'"), "error"),
        (change(ACCOUNT, "first_year = 2010", "code = 'P'"), "error"),
        (change(ACCOUNT, "entity_id = (SELECT id FROM registry_entity WHERE code = 'Q')", "code = 'P'"), "error"),
        (change(UNIT, "vintage_from = 2023", "code = 'CEA24-P'"), "error"),
        (remove(ENTITY, "code = 'Q'", ENTITY), "error"),
    ],
    "SEAL": [
        (change(ENTITY, "hub = 'beijing'", "code = 'P'"), "error"),
        (remove(LEG, f"transaction_id = {tx('part')}", LEG), "error"),
        (change("registry_seal", "sealed_at_us = 5", "id = 1"), "error"),
    ],
}  # fmt: skip
