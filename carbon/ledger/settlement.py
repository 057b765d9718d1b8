"""Two-phase movements: units are reserved first, then settled (delivery versus payment) or voided.

Knows reservations of linked legs, their expiry and their end. Must not know prices or orders of an exchange.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from carbon.ledger.book import Act, Refusal, book, one_row
from carbon.ledger.orders import BadOrder, Leg, Order, Receipt, body_sha256, check_id, check_quantity
from carbon.ledger.post import post
from carbon.ledger.verbs import Movement

__all__ = ["expire", "reserve", "settle", "void"]

_OPEN_LEGS = (
    "SELECT l.id, l.kind, s.code AS source, t.code AS target, i.code AS instrument, l.quantity, l.expires_at_us,"
    " x.client_id, l.compliance_year FROM registry_transfer l"
    " JOIN registry_transaction x ON x.id = l.transaction_id JOIN registry_account s ON s.id = l.source_id"
    " JOIN registry_account t ON t.id = l.target_id JOIN registry_instrument i ON i.id = l.instrument_id"
    " WHERE l.phase = 'reserve' AND NOT EXISTS (SELECT 1 FROM registry_transfer e WHERE e.reserve_id = l.id)"
)

_LONGEST_ID = 128
_LATE = (
    "FROM registry_transfer l WHERE l.phase = 'reserve' AND l.expires_at_us <= :now"
    " AND NOT EXISTS (SELECT 1 FROM registry_transfer e WHERE e.reserve_id = l.id)"
)
_LATE_ACCOUNTS = (
    f"SELECT 1 FROM registry_account WHERE id IN (SELECT l.source_id {_LATE} UNION SELECT l.target_id {_LATE})"  # noqa: S608
    " ORDER BY id FOR SHARE"
)
_LATE_HOLDINGS = (
    "SELECT 1 FROM registry_holding WHERE (account_id, instrument_id) IN ("  # noqa: S608
    f"SELECT l.source_id, l.instrument_id {_LATE} UNION SELECT l.target_id, l.instrument_id {_LATE})"
    " ORDER BY account_id, instrument_id FOR NO KEY UPDATE"
)


def reserve(connection: Connection, act: Act, *, movements: Sequence[Movement], expires_at_us: int) -> Receipt:
    """Reserve what the linked movements will take, all or none, until a time (microseconds since 1970 UTC).

    What is reserved stays where it is and cannot be used twice. Refused with C18 where too little is free. Raises
    BadOrder where there is no movement or the time has passed already.
    """
    if not movements:
        raise BadOrder("found no movement, expected at least one")
    if expires_at_us <= act.at_us:
        raise BadOrder("found a reservation that expires before it begins, expected a later time")
    legs = tuple(
        Leg(
            "transfer",
            part.source,
            part.target,
            part.instrument,
            check_quantity(part.quantity),
            "reserve",
            part.first_serial,
            expires_at_us=expires_at_us,
        )
        for part in movements
    )
    asked = [
        {
            "source": part.source,
            "target": part.target,
            "instrument": part.instrument,
            "quantity": part.quantity,
            "first_serial": part.first_serial,
        }
        for part in movements
    ]
    body: dict[str, object] = {"movements": asked, "expires_at_us": expires_at_us}
    return post(connection, Order(act.client_id, "reserve", act.at_us, act.actor, body, legs))


def settle(connection: Connection, act: Act, *, reservation: str, quantities: Sequence[int] | None = None) -> Receipt:
    """Carry out a reservation, named by its client's id: every leg, all or none; what is left over is free again.

    quantities : how much of each reserved leg in its order, the whole of each by default
    Refused with C22 where it is not open any more, has expired, or more is asked than was reserved.
    """

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        return _closing(connection, reservation, "settle", quantities), None

    body: dict[str, object] = {
        "reservation": reservation,
        "quantities": None if quantities is None else list(quantities),
    }
    return book(connection, act, "settle", body, subject=reservation, plan=plan)


def void(connection: Connection, act: Act, *, reservation: str, reason: str | None = None) -> Receipt:
    """Give up a reservation, named by its client's id: all of it is free again. Refused with C22 where not open."""

    def plan() -> tuple[tuple[Leg, ...], int | None]:
        return _closing(connection, reservation, "void", None), None

    return book(connection, act, "void", {"reservation": reservation, "reason": reason}, subject=reservation, plan=plan)


def expire(connection: Connection, act: Act) -> list[Receipt]:
    """Void every reservation that has expired at the act's time. Each gets the id `<act's id>:<reservation>`.

    Where that is longer than an id may be, its SHA-256 stands for it. Raises BadOrder where the act's id is none.
    """
    check_id(act.client_id)
    _lock_late(connection, act)
    query = f"SELECT DISTINCT client_id FROM ({_OPEN_LEGS}) open WHERE expires_at_us <= :now ORDER BY client_id"  # noqa: S608
    late = connection.execute(text(query), {"now": act.at_us}).scalars().all()
    return [
        void(
            connection,
            Act(_void_id(act.client_id, reservation), act.at_us, act.actor),
            reservation=reservation,
            reason="expired",
        )
        for reservation in late
    ]


def _void_id(night: str, reservation: str) -> str:
    whole = f"{night}:{reservation}"
    return whole if len(whole) <= _LONGEST_ID else body_sha256(whole)


def _lock_late(connection: Connection, act: Act) -> None:
    """Lock what all the expired reservations touch, in the order in which any act locks: the voids are many acts in one
    database transaction, which would else lock these rows in the order of the reservations.
    """
    if connection.dialect.name == "sqlite":
        return
    connection.execute(text("SELECT registry_begin_act(:id)"), {"id": act.client_id})
    connection.execute(text("SELECT registry_lock_schemes(alone => false)"))
    for lock in (_LATE_ACCOUNTS, _LATE_HOLDINGS):
        connection.execute(text(lock), {"now": act.at_us})


def _closing(connection: Connection, reservation: str, phase: str, quantities: Sequence[int] | None) -> tuple[Leg, ...]:
    found = one_row(
        connection,
        "SELECT id FROM registry_transaction WHERE client_id = :id AND status = 'done' AND kind = 'reserve'",
        {"id": reservation},
    )
    if found is None:
        raise Refusal("C22", f"no booked reservation {reservation!r}")
    query = text(f"{_OPEN_LEGS} AND l.transaction_id = :id ORDER BY l.id")
    open_legs = connection.execute(query, {"id": found.id}).all()
    if not open_legs:
        raise Refusal("C22", f"reservation {reservation!r} was settled or voided before")
    wanted = [leg.quantity for leg in open_legs] if quantities is None else list(quantities)
    if len(wanted) != len(open_legs):
        raise Refusal("C22", f"{len(wanted)} quantities for the {len(open_legs)} legs of reservation {reservation!r}")
    return tuple(
        Leg(
            leg.kind,
            leg.source,
            leg.target,
            leg.instrument,
            check_quantity(quantity),
            phase,
            reserve_id=leg.id,
            compliance_year=leg.compliance_year,
        )
        for leg, quantity in zip(open_legs, wanted, strict=True)
    )
