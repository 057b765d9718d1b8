"""How a verb becomes an act of the ledger: who acts, when, under which id, and what happens where it is refused.

Knows that an act may need to look at the ledger before it knows its legs, and may write rows beside them; all of that
happens in one savepoint. Must not know any one verb.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from carbon.ledger.orders import IdInUse, Leg, Order, Receipt, body_sha256, canonical_body
from carbon.ledger.post import account_of, checked_body, code_of, message_of, post

__all__ = ["Act", "Refusal", "book", "one_row", "refuse"]


@dataclass(frozen=True, slots=True)
class Act:
    """One act of one client: the id the client gave it, the time (microseconds since 1970 UTC) and who acts."""

    client_id: str
    at_us: int
    actor: str


class Refusal(Exception):
    """Raised inside `book` to refuse an act: it is recorded as failed, with this code and what was found."""

    def __init__(self, code: str, found: str) -> None:
        super().__init__(found)
        self.code = code
        self.found = found


def book(
    connection: Connection,
    act: Act,
    kind: str,
    body: Mapping[str, object],
    *,
    scheme: str | None = None,
    subject: str | None = None,
    plan: Callable[[], tuple[tuple[Leg, ...], int | None]] | None = None,
    effect: Callable[[int], None] | None = None,
) -> Receipt:
    """Book an act that must look at the ledger first or writes rows beside its legs; all of it or nothing.

    plan : the legs, and the id of the transaction that they reverse; looked for only if the id is new
    effect : writes the other rows, given the transaction's id. Both may raise Refusal.
    Result as `post` has it. Raises IdInUse, BadOrder.
    """
    order = Order(act.client_id, kind, act.at_us, act.actor, body, (), scheme, subject)
    checked_body(order)
    earlier = _earlier(connection, order)
    if earlier is not None:
        return earlier
    savepoint = connection.begin_nested()
    try:
        if plan is not None:
            legs, reverses = plan()
            order = replace(order, legs=legs, reverses=reverses)
        receipt = post(connection, order)
        if receipt.done and effect is not None:
            effect(receipt.transaction_id)
    except Refusal as refusal:
        savepoint.rollback()
        return refuse(connection, order, refusal.code, f"found {refusal.found}")
    except IntegrityError as broken:
        savepoint.rollback()
        return refuse(connection, order, code_of(broken.orig), None)
    except BaseException:
        # Whoever catches this and commits must not commit half an act.
        savepoint.rollback()
        raise
    savepoint.commit()
    return receipt


def refuse(connection: Connection, order: Order, code: str, found: str | None) -> Receipt:
    """Record an order as failed with the code of the check that refuses it."""
    message = message_of(code, order, found)
    body = canonical_body(order.kind, order.body)
    row = connection.execute(
        text(
            "INSERT INTO registry_transaction (client_id, kind, scheme, subject, at_us, actor, status, code, message,"
            " body, body_sha256) VALUES (:client_id, :kind, coalesce(:scheme, (SELECT scheme FROM registry_account"
            " WHERE code = :account)), :subject, :at_us, :actor, 'failed', :code,"
            " :message, :body, :sha256) RETURNING id"
        ),
        {
            "client_id": order.client_id,
            "kind": order.kind,
            "scheme": order.scheme,
            "account": account_of(order),
            "subject": order.subject,
            "at_us": order.at_us,
            "actor": order.actor,
            "code": code,
            "message": message,
            "body": body,
            "sha256": body_sha256(body),
        },
    )
    return Receipt(row.scalar_one(), order.client_id, order.kind, "failed", code, message)


def one_row(connection: Connection, query: str, values: Mapping[str, object]) -> Any:
    """The first row of a query with bound parameters, or null."""
    return connection.execute(text(query), dict(values)).first()


def _earlier(connection: Connection, order: Order) -> Receipt | None:
    """What came of the same id before. Raises IdInUse where it was another act."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT registry_begin_act(:id)"), {"id": order.client_id})
        # Before any account is locked: who closes a registry waits for this act, or this act for them.
        connection.execute(text("SELECT registry_lock_schemes(alone => false)"))
    query = "SELECT id, status, code, message, body_sha256 FROM registry_transaction WHERE client_id = :id"
    seen = one_row(connection, query, {"id": order.client_id})
    if seen is None:
        return None
    if seen.body_sha256 != body_sha256(canonical_body(order.kind, order.body)):
        raise IdInUse(
            f"found the id {order.client_id!r} in use for another act (transaction {seen.id}), expected a new id or "
            "the same body (C19)"
        )
    return Receipt(seen.id, order.client_id, order.kind, seen.status, seen.code, seen.message, replayed=True)
