"""The ledger read back as polars frames: typed, with codes instead of ids and UTC times, fast for millions of rows.

Knows which columns each view shows and how it is filtered; every filter is a bound parameter. Must not write anything,
nor page (`listing`). Reading more than a million rows takes several statements: see `columns.read_columns`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from carbon.ledger.columns import Column, read_columns

if TYPE_CHECKING:
    import polars as pl

__all__ = ["accounts", "blocks", "entries", "holdings", "transactions", "transfers"]

_FEW: Final = 500
_MOVED: Final = "l.phase IN ('posted', 'settle')"
_LEG: Final = (
    Column("id", "l.id"),
    Column("transaction_id", "l.transaction_id"),
    Column("kind", "l.kind", "text"),
    Column("phase", "l.phase", "text"),
    Column("source", "l.source_id"),
    Column("target", "l.target_id"),
    Column("instrument", "l.instrument_id"),
    Column("quantity", "l.quantity"),
    Column("first_serial", "l.first_serial", nullable=True),
    Column("compliance_year", "l.compliance_year", nullable=True),
    Column("at", "l.at_us", "time"),
    Column("expires_at", "l.expires_at_us", "time", nullable=True),
    Column("reserve_id", "l.reserve_id", nullable=True),
    Column("reverses_id", "l.reverses_id", nullable=True),
    Column("reference", "l.reference", "text", nullable=True),
)


def holdings(
    connection: Connection,
    *,
    account: str | None = None,
    instrument: str | None = None,
    scheme: str | None = None,
    with_empty: bool = False,
) -> "pl.DataFrame":
    """What each account holds: account, instrument String, quantity, reserved Int64 (units of the instrument).

    scheme : of the account; with_empty : also what came and went. Negative only for the accounts that units come from.
    """
    where, values = _limits(
        ("h.account_id = (SELECT id FROM registry_account WHERE code = :account)", "account", account),
        ("h.instrument_id = (SELECT id FROM registry_instrument WHERE code = :instrument)", "instrument", instrument),
        ("h.account_id IN (SELECT id FROM registry_account WHERE scheme = :scheme)", "scheme", scheme),
    )
    if not with_empty:
        where.append("h.quantity <> 0")
    names = {"account": "account_id", "instrument": "instrument_id", "quantity": "quantity", "reserved": "reserved"}
    columns = [Column(name, f"h.{source}") for name, source in names.items()]
    rows = read_columns(
        connection, columns, "registry_holding h", key=["account", "instrument"], where=where, values=values
    )
    return _coded(connection, rows, {"account": "registry_account", "instrument": "registry_instrument"})


def transfers(
    connection: Connection,
    *,
    account: str | None = None,
    instrument: str | None = None,
    kind: str | None = None,
    transaction: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> "pl.DataFrame":
    """Every leg of the log in its order: id, transaction_id, kind, phase, source, target, instrument (codes), quantity,
    first_serial, compliance_year, at, expires_at (UTC), reserve_id, reverses_id, reference.

    account : on either side; transaction : the client's id; from_us, to_us : microseconds since 1970, to_us excluded
    """
    where, values = _leg_limits(account, instrument, kind, transaction, from_us, to_us)
    rows = read_columns(connection, _LEG, "registry_transfer l", key=["id"], where=where, values=values)
    tables = {"source": "registry_account", "target": "registry_account", "instrument": "registry_instrument"}
    return _coded(connection, rows, tables)


def entries(
    connection: Connection,
    *,
    account: str | None = None,
    instrument: str | None = None,
    kind: str | None = None,
    transaction: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
) -> "pl.DataFrame":
    """Double entry: a debit and a credit line for each leg that moved units, in the order of the log.

    Columns: transfer_id, transaction_id, kind, at (UTC), account, side (debit: units leave; credit: they arrive),
    instrument, quantity (positive), change (minus for a debit). The changes of a leg add up to nothing.
    The SQL view registry_entry gives the same with ids. Filters as for `transfers`; an account's own lines only.
    """
    import polars as pl

    where, values = _leg_limits(account, instrument, kind, transaction, from_us, to_us)
    wanted = {"id", "transaction_id", "kind", "source", "target", "instrument", "quantity", "at"}
    legs = read_columns(
        connection,
        [column for column in _LEG if column.name in wanted],
        "registry_transfer l",
        key=["id"],
        where=[*where, _MOVED],
        values=values,
    )
    sides = pl.Enum(["debit", "credit"])
    lines = [
        legs.select(
            pl.col("id").alias("transfer_id"),
            pl.col("transaction_id"),
            pl.col("kind"),
            pl.col("at"),
            pl.col(place).alias("account"),
            pl.lit(side, dtype=sides).alias("side"),
            pl.col("instrument"),
            pl.col("quantity"),
            (pl.col("quantity") * sign).alias("change"),
        )
        for place, side, sign in (("source", "debit", -1), ("target", "credit", 1))
    ]
    rows = pl.concat(lines).sort("transfer_id", "side")
    both = _coded(connection, rows, {"account": "registry_account", "instrument": "registry_instrument"})
    return both if account is None else both.filter(pl.col("account") == account)


def blocks(connection: Connection, *, account: str | None = None, instrument: str | None = None) -> "pl.DataFrame":
    """Runs of serial numbers as they are held now: instrument, serial_first, serial_last, account, reserve_id."""
    where, values = _limits(
        ("b.account_id = (SELECT id FROM registry_account WHERE code = :account)", "account", account),
        ("b.instrument_id = (SELECT id FROM registry_instrument WHERE code = :instrument)", "instrument", instrument),
    )
    columns = [
        Column("instrument", "b.instrument_id"),
        Column("serial_first", "b.serial_first"),
        Column("serial_last", "b.serial_last"),
        Column("account", "b.account_id"),
        Column("reserve_id", "b.reserve_id", nullable=True),
    ]
    rows = read_columns(
        connection, columns, "registry_block b", key=["instrument", "serial_first"], where=where, values=values
    )
    return _coded(connection, rows, {"account": "registry_account", "instrument": "registry_instrument"})


def transactions(
    connection: Connection,
    *,
    kind: str | None = None,
    status: str | None = None,
    scheme: str | None = None,
    subject: str | None = None,
    with_bodies: bool = False,
) -> "pl.DataFrame":
    """Every act in the order of the log: id, client_id, kind, scheme, subject, at (UTC), actor, status, code, message,
    reverses, and with_bodies body and body_sha256.
    """
    where, values = _limits(
        *(
            (f"x.{name} = :{name}", name, value)
            for name, value in (("kind", kind), ("status", status), ("scheme", scheme), ("subject", subject))
        )
    )
    texts = {"client_id": False, "kind": False, "scheme": True, "subject": True}
    more = {"actor": False, "status": False, "code": True, "message": True}
    columns = [
        Column("id", "x.id"),
        *(Column(name, f"x.{name}", "text", nullable) for name, nullable in texts.items()),
        Column("at", "x.at_us", "time"),
        *(Column(name, f"x.{name}", "text", nullable) for name, nullable in more.items()),
        Column("reverses", "x.reverses", nullable=True),
        *(Column(name, f"x.{name}", "text") for name in ("body", "body_sha256") if with_bodies),
    ]
    return read_columns(connection, columns, "registry_transaction x", key=["id"], where=where, values=values)


def accounts(
    connection: Connection, *, scheme: str | None = None, type: str | None = None, status: str | None = None
) -> "pl.DataFrame":
    """Every account: id, code, scheme, type, entity (code of its holder), first_year, last_year, status."""
    where, values = _limits(
        *(
            (f"a.{name} = :{name}", name, value)
            for name, value in (("scheme", scheme), ("type", type), ("status", status))
        )
    )
    columns = [
        Column("id", "a.id"),
        *(Column(name, f"a.{name}", "text") for name in ("code", "scheme", "type")),
        Column("entity", "e.code", "text", nullable=True),
        *(Column(name, f"a.{name}", nullable=True) for name in ("first_year", "last_year")),
        Column("status", "a.status", "text"),
    ]
    source = "registry_account a LEFT JOIN registry_entity e ON e.id = a.entity_id"
    return read_columns(connection, columns, source, key=["id"], where=where, values=values)


def _leg_limits(
    account: str | None,
    instrument: str | None,
    kind: str | None,
    transaction: str | None,
    from_us: int | None,
    to_us: int | None,
) -> tuple[list[str], dict[str, object]]:
    own = "(SELECT id FROM registry_account WHERE code = :account)"
    return _limits(
        (f"(l.source_id = {own} OR l.target_id = {own})", "account", account),
        ("l.instrument_id = (SELECT id FROM registry_instrument WHERE code = :instrument)", "instrument", instrument),
        ("l.kind = :kind", "kind", kind),
        (
            "l.transaction_id = (SELECT id FROM registry_transaction WHERE client_id = :transaction)",
            "transaction",
            transaction,
        ),
        ("l.at_us >= :from_us", "from_us", from_us),
        ("l.at_us < :to_us", "to_us", to_us),
    )


def _limits(*given: tuple[str, str, object]) -> tuple[list[str], dict[str, object]]:
    """The conditions whose value is given, and the values by name."""
    asked = [(condition, name, value) for condition, name, value in given if value is not None]
    return [condition for condition, _, _ in asked], {name: value for _, name, value in asked}


def _coded(connection: Connection, rows: "pl.DataFrame", tables: Mapping[str, str]) -> "pl.DataFrame":
    """The rows with the codes of ids: column -> table that holds them. Few ids are looked up alone."""
    import polars as pl

    for table in sorted(set(tables.values())):
        places = [name for name, of in tables.items() if of == table]
        ids = pl.concat([rows[name].alias("id") for name in places]).unique()
        known = _codes(connection, table, ids.to_list() if ids.len() <= _FEW else None)
        for name in places:
            rows = rows.join(
                known.rename({"id": name, "code": f"{name}_code"}), on=name, how="left", maintain_order="left"
            )
            rows = rows.with_columns(pl.col(f"{name}_code").alias(name)).drop(f"{name}_code")
    return rows


def _codes(connection: Connection, table: str, ids: Sequence[int] | None) -> "pl.DataFrame":
    return read_columns(
        connection,
        [Column("id", "c.id"), Column("code", "c.code", "text")],
        f"{table} c",
        key=["id"],
        where=[] if ids is None else ["c.id IN :ids"],
        values=None if ids is None else {"ids": list(ids)},
    )
