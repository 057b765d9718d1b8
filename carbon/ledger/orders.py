"""What one act on the ledger asks for, and what came of it: plain values, without a database.

Knows legs, orders, receipts and how an order's body becomes canonical bytes. Must not know tables or SQL.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from carbon.errors import CarbonError

__all__ = [
    "BadOrder",
    "IdInUse",
    "Leg",
    "Order",
    "Receipt",
    "body_sha256",
    "canonical_body",
    "check_id",
    "check_quantity",
    "time_from_us",
    "us_from_time",
]

_LONGEST_ID = 128
_LARGEST_QUANTITY = 2**53  # what every reader of JSON holds exactly
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadOrder(CarbonError):
    """The order is malformed; nothing was recorded, so the same id may be used again."""


class IdInUse(CarbonError):
    """The client's id was used before for another body (C19)."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One movement that an order asks for; accounts and instrument by their codes, quantity in the instrument's unit.

    phase, first_serial, reserve_id, reverses_id, expires_at_us, compliance_year, reference : as `Transfer` has them
    """

    kind: str
    source: str
    target: str
    instrument: str
    quantity: int
    phase: str = "posted"
    first_serial: int | None = None
    compliance_year: int | None = None
    expires_at_us: int | None = None
    reserve_id: int | None = None
    reverses_id: int | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One act: the client's id, the kind of act, when and by whom, what was asked for, and the legs that follow.

    body : what was asked for, as the client gave it; the same id with the same kind and body is the same act
    subject : code of the account, entity or scheme that the act is about; reverses : id of the transaction it undoes
    """

    client_id: str
    kind: str
    at_us: int
    actor: str
    body: Mapping[str, object]
    legs: tuple[Leg, ...] = ()
    scheme: str | None = None
    subject: str | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an order: done, or failed with the code of the check that refused it and a message.

    replayed : the id had been used before for the same body, and this is what came of it then
    """

    transaction_id: int
    client_id: str
    kind: str
    status: str
    code: str | None = None
    message: str | None = None
    replayed: bool = field(default=False)

    @property
    def done(self) -> bool:
        """Whether the act was booked."""
        return self.status == "done"


def canonical_body(kind: str, body: Mapping[str, object]) -> str:
    """The body as canonical JSON: keys sorted, no spaces, nulls left out, with the kind of the act as `act`."""
    kept = {name: value for name, value in body.items() if value is not None}
    return json.dumps({"act": kind, **kept}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def body_sha256(canonical: str) -> str:
    """SHA-256 of a canonical body, in hexadecimal."""
    return sha256(canonical.encode()).hexdigest()


def check_id(client_id: str) -> str:
    """The client's id, if it is 1 to 128 printable characters without spaces at its ends. Raises BadOrder."""
    if not client_id or len(client_id) > _LONGEST_ID or client_id != client_id.strip() or not client_id.isprintable():
        raise BadOrder(f"found the id {client_id[:_LONGEST_ID]!r}, expected 1 to {_LONGEST_ID} printable characters")
    return client_id


def check_quantity(quantity: int) -> int:
    """The quantity, if it is a positive whole number (C16). Raises BadOrder."""
    if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity <= _LARGEST_QUANTITY:
        raise BadOrder(f"found the quantity {quantity!r}, expected a whole number from 1 to {_LARGEST_QUANTITY} (C16)")
    return quantity


def us_from_time(time: datetime) -> int:
    """Microseconds since 1970-01-01 UTC. Raises BadOrder where the time names no zone."""
    if time.tzinfo is None:
        raise BadOrder(f"found the time {time.isoformat()} without a zone, expected one such as 2026-01-31T09:30:00Z")
    return (time - _EPOCH) // timedelta(microseconds=1)


def time_from_us(at_us: int) -> datetime:
    """The UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at_us)
