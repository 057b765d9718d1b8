"""The movements of the ledger: units that are issued, handed over, surrendered, cancelled, and the way back.

Knows the verbs whose legs follow from what was asked alone, and reversal. Must not know SQL beyond looking up what is
reversed, nor any scheme's rules (`obligations`). Each verb takes the connection of a writer (`post.writing`) first,
then the act, then what is asked by name; each returns a Receipt, done or failed with the code of the refusing check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from carbon.ledger.book import Act, Refusal, book, one_row
from carbon.ledger.orders import BadOrder, Leg, Order, Receipt, check_quantity
from carbon.ledger.post import post

__all__ = [
    "SYSTEM_ACCOUNTS",
    "Movement",
    "cancel",
    "deposit",
    "issue",
    "opening",
    "pre_allocate",
    "reverse",
    "system_account",
    "transfer",
    "transfer_linked",
    "withdraw",
]

SYSTEM_ACCOUNTS = ("issuance", "government", "surrender", "cancellation", "carried_over")


@dataclass(frozen=True, slots=True)
class Movement:
    """One of several linked movements: accounts and instrument by code, quantity in the instrument's unit."""

    source: str
    target: str
    instrument: str
    quantity: int
    first_serial: int | None = None


def system_account(scheme: str, type: str) -> str:
    """Code of one of the scheme's own accounts, such as CN:issuance."""
    return f"{scheme}:{type}"


def issue(
    connection: Connection,
    act: Act,
    *,
    scheme: str,
    instrument: str,
    quantity: int,
    target: str | None = None,
    first_serial: int | None = None,
) -> Receipt:
    """Issue new units to an account, the scheme's government account by default.

    first_serial : number of the first unit where an outside register gave it; else the next one
    """
    to = target or system_account(scheme, "government")
    return _one(connection, act, "issue", system_account(scheme, "issuance"), to, instrument, quantity, first_serial)


def opening(connection: Connection, act: Act, *, scheme: str, instrument: str, quantity: int, target: str) -> Receipt:
    """Book units that an account held before its imported history begins. The figure is assumed, not observed."""
    return _one(connection, act, "opening", system_account(scheme, "issuance"), target, instrument, quantity)


def pre_allocate(
    connection: Connection,
    act: Act,
    *,
    scheme: str,
    account: str,
    instrument: str,
    quantity: int,
    compliance_year: int,
) -> Receipt:
    """Hand allowances to an operator before its final allocation is known."""
    government = system_account(scheme, "government")
    return _one(
        connection, act, "pre_allocate", government, account, instrument, quantity, compliance_year=compliance_year
    )


def transfer(
    connection: Connection,
    act: Act,
    *,
    source: str,
    target: str,
    instrument: str,
    quantity: int,
    first_serial: int | None = None,
    kind: str = "transfer",
) -> Receipt:
    """Move units from one account to another. kind : transfer, auction, or external (between two schemes).

    first_serial : first of the consecutive numbers to move; null takes the lowest free numbers of the sender
    """
    if kind not in ("transfer", "auction", "external"):
        raise BadOrder(f"found the kind {kind!r}, expected transfer, auction or external")
    return _one(connection, act, kind, source, target, instrument, quantity, first_serial)


def transfer_linked(connection: Connection, act: Act, *, movements: Sequence[Movement]) -> Receipt:
    """Move several things at once, all or none: delivery versus payment, for instance."""
    if not movements:
        raise BadOrder("found no movement, expected at least one")
    legs = tuple(
        Leg(
            "transfer",
            part.source,
            part.target,
            part.instrument,
            check_quantity(part.quantity),
            "posted",
            part.first_serial,
        )
        for part in movements
    )
    body: dict[str, object] = {"movements": [_leg_body(leg) for leg in legs]}
    return post(connection, Order(act.client_id, "transfer", act.at_us, act.actor, body, legs))


def cancel(
    connection: Connection,
    act: Act,
    *,
    scheme: str,
    account: str,
    instrument: str,
    quantity: int,
    first_serial: int | None = None,
    replace: bool = False,
    reason: str | None = None,
) -> Receipt:
    """Take units out of the market for ever. replace : against a replacement, which even a blocked account may do."""
    kind = "cancel_replace" if replace else "cancel"
    sink = system_account(scheme, "cancellation")
    return _one(connection, act, kind, account, sink, instrument, quantity, first_serial, reason=reason)


def deposit(connection: Connection, act: Act, *, scheme: str, account: str, instrument: str, quantity: int) -> Receipt:
    """Bring money into an account for delivery versus payment; quantity in fen."""
    return _one(connection, act, "deposit", system_account(scheme, "issuance"), account, instrument, quantity)


def withdraw(connection: Connection, act: Act, *, scheme: str, account: str, instrument: str, quantity: int) -> Receipt:
    """Take money out of an account; quantity in fen."""
    return _one(connection, act, "withdraw", account, system_account(scheme, "issuance"), instrument, quantity)


def reverse(connection: Connection, act: Act, *, original: str, reason: str) -> Receipt:
    """Undo a transaction as a whole, by its client's id: every leg goes back, with the same units (C28).

    Refused where it was reversed before, moved nothing, or its units are no longer where they went.
    """

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        found = one_row(
            connection, "SELECT id, status, kind FROM registry_transaction WHERE client_id = :id", {"id": original}
        )
        if found is None or found.status != "done" or found.kind == "reverse":
            raise Refusal("C28", f"no booked transaction {original!r} that can be reversed")
        legs = connection.execute(
            text(
                "SELECT l.id, s.code AS source, t.code AS target, i.code AS instrument, l.quantity, l.compliance_year"
                " FROM registry_transfer l JOIN registry_account s ON s.id = l.source_id"
                " JOIN registry_account t ON t.id = l.target_id JOIN registry_instrument i ON i.id = l.instrument_id"
                " WHERE l.transaction_id = :id AND l.phase IN ('posted', 'settle') ORDER BY l.id DESC"
            ),
            {"id": found.id},
        ).all()
        if not legs and found.kind != "finalise_allocation" and found.kind != "report_verified":
            raise Refusal("C28", f"transaction {original!r} without a movement to reverse")
        back = (
            Leg(
                "reverse",
                leg.target,
                leg.source,
                leg.instrument,
                leg.quantity,
                compliance_year=leg.compliance_year,
                reverses_id=leg.id,
            )
            for leg in legs
        )
        return tuple(back), int(found.id)

    return book(connection, act, "reverse", {"original": original, "reason": reason}, subject=original, plan=plan)


def _one(
    connection: Connection,
    act: Act,
    kind: str,
    source: str,
    target: str,
    instrument: str,
    quantity: int,
    first_serial: int | None = None,
    *,
    compliance_year: int | None = None,
    reason: str | None = None,
) -> Receipt:
    check_quantity(quantity)
    leg = Leg(kind, source, target, instrument, quantity, "posted", first_serial, compliance_year)
    body = _leg_body(leg)
    if reason is not None:
        body["reason"] = reason
    return post(connection, Order(act.client_id, kind, act.at_us, act.actor, body, (leg,)))


def _leg_body(leg: Leg) -> dict[str, object]:
    asked: Mapping[str, object] = {
        "source": leg.source,
        "target": leg.target,
        "instrument": leg.instrument,
        "quantity": leg.quantity,
        "first_serial": leg.first_serial,
        "compliance_year": leg.compliance_year,
    }
    return {name: value for name, value in asked.items() if value is not None}
