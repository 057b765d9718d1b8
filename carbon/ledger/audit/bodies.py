"""What the transactions were asked to do: their bodies, read once in order.

Knows which fields of a body name legs and which name the columns of a row that the transaction opened. Must not know
the rows themselves.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from carbon.ledger.canonical import CHUNK_ROWS, log_table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Bodies", "read_bodies"]

_OPENED: Final = {
    "register_entity": "registry_entity",
    "open_account": "registry_account",
    "add_instrument": "registry_instrument",
}
_LEG: Final = ("source", "target", "instrument", "quantity", "first_serial", "compliance_year")
_HANDED_IN: Final = ("surrender", "use_offsets")


@dataclass(frozen=True)
class Bodies:
    """What the bodies say.

    untrue : id, found, expected of transactions whose body is not what its digest or kind says
    legs : transaction_id, place (from 0), count, source, target, instrument, quantity, first_serial, compliance_year of
    every leg that a booked body lists; null where the body leaves it open
    facts : transaction_id, table, name, value (String) of every field of a row that a booked body opened
    sums : transaction_id, kind, rows, quantity of imports that were booked as a whole
    contents : id, transaction_id, found, expected of kept tables whose content is not what its digest says
    """

    untrue: "pl.DataFrame"
    legs: "pl.DataFrame"
    facts: "pl.DataFrame"
    sums: "pl.DataFrame"
    contents: "pl.DataFrame"


def read_bodies(connection: Connection) -> Bodies:
    """Read the bodies of all transactions; no more than 16,384 of them are held at once."""
    import polars as pl

    source = log_table("registry_transaction").c
    query = select(source.id, source.kind, source.status, source.body, source.body_sha256).order_by(source.id)
    streamed = {"stream_results": True, "max_row_buffer": CHUNK_ROWS}
    result = connection.execute(query, execution_options=streamed)
    untrue: list[tuple[int, str, str]] = []
    legs: list[tuple[Any, ...]] = []
    facts: list[tuple[int, str, str, str]] = []
    sums: list[tuple[Any, ...]] = []
    while rows := result.fetchmany(CHUNK_ROWS):
        for id, kind, status, text, digest in rows:
            body, wrong = _body(kind, text, digest)
            if wrong is not None:
                untrue.append((id, *wrong))
            if status == "done" and body is not None:
                asked = _legs(kind, body)
                legs += [(id, place, len(asked), *leg) for place, leg in enumerate(asked)]
                facts += [(id, *fact) for fact in _facts(kind, body)]
                sums += [(id, *parts) for parts in _sums(kind, body)]
    whole, words = pl.Int64, pl.String
    said = {"source": words, "target": words, "instrument": words}
    numbers = {"quantity": whole, "first_serial": whole, "compliance_year": whole}
    heads = {"transaction_id": whole, "place": whole, "count": whole}
    return Bodies(
        pl.DataFrame(untrue, {"id": whole, "found": words, "expected": words}, orient="row"),
        pl.DataFrame(legs, {**heads, **said, **numbers}, orient="row", strict=False),
        pl.DataFrame(
            facts, {"transaction_id": whole, **dict.fromkeys(("table", "name", "value"), words)}, orient="row"
        ),
        pl.DataFrame(
            sums, {"transaction_id": whole, "kind": words, "rows": whole, "quantity": whole}, orient="row", strict=False
        ),
        _untrue_contents(connection),
    )


def _body(kind: str, text: Any, digest: Any) -> tuple[dict[str, Any] | None, tuple[str, str] | None]:
    """The body, and what is found and expected where it is not what it should be."""
    octets = text.encode() if isinstance(text, str) else bytes(text or b"")
    found = sha256(octets).hexdigest()
    try:
        body = json.loads(octets)
    except ValueError:
        body = None
    if found != digest:
        return None, (f"a body with SHA-256 {found}", f"SHA-256 {digest}")
    if not isinstance(body, dict):
        return None, ("a body that is no JSON object", "a JSON object")
    if body.get("act", kind) != kind:
        return None, (f"a body of kind {body['act']}", f"kind {kind}")
    return body, None


def _legs(kind: str, body: dict[str, Any]) -> list[tuple[Any, ...]]:
    listed = body.get("movements", body.get("legs"))
    if isinstance(listed, list) and all(isinstance(leg, dict) for leg in listed):
        return [tuple(leg.get(name) for name in _LEG) for leg in listed]
    if kind in _HANDED_IN and "account" in body:
        return [tuple({**body, "source": body["account"]}.get(name) for name in _LEG)]
    if kind == "carry_over" and "into" in body:
        account, quantity = body.get("account"), body.get("quantity")
        return [
            (account, None, body.get("instrument"), quantity, None, None),
            (None, account, body["into"], quantity, None, None),
        ]
    if all(name in body for name in ("source", "target", "instrument", "quantity")):
        return [tuple(body.get(name) for name in _LEG)]
    return []


def _sums(kind: str, body: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What an import says it booked of each kind; nothing where bad rows were set apart, since it says no more then."""
    listed = body.get("sums")
    if kind != "import" or body.get("keep_good", True) or not isinstance(listed, list):
        return []
    return [(part.get("kind"), part.get("rows"), part.get("quantity")) for part in listed if isinstance(part, dict)]


def _untrue_contents(connection: Connection) -> "pl.DataFrame":
    """Kept tables whose content has another digest than the one beside it, read one at a time."""
    import polars as pl

    kept = log_table("registry_kept_table").c
    query = select(kept.id, kept.transaction_id, kept.sha256, kept.content).order_by(kept.id)
    rows = []
    for id, transaction, digest, content in connection.execute(query, execution_options={"stream_results": True}):
        found = sha256(content if isinstance(content, bytes) else str(content).encode()).hexdigest()
        if found != digest:
            rows.append((id, transaction, f"a content with SHA-256 {found}", f"SHA-256 {digest}"))
    whole, words = pl.Int64, pl.String
    schema = {"id": whole, "transaction_id": whole, "found": words, "expected": words}
    return pl.DataFrame(rows, schema, orient="row")


def _facts(kind: str, body: dict[str, Any]) -> list[tuple[str, str, str]]:
    table = _OPENED.get(kind)
    if table is None:
        return []
    columns = {column.name for column in log_table(table).columns} - {"id", "status", "next_serial"}
    named = {("entity_id" if name == "entity" else name): value for name, value in body.items()}
    return [
        (table, name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in named.items()
        if name in columns and value is not None
    ]
