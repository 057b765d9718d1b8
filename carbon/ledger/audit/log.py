"""The ledger as frames: the log, what was derived from it, the bodies of its transactions and the chain.

Knows how the tables are read in bounded batches and which facts of accounts and units stand beside each leg. Must not
know any check, nor trust a trigger: what is derived is read only to be compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Boolean, Column, Connection, Integer, select
from sqlalchemy.exc import OperationalError

from carbon.ledger.audit.bodies import Bodies, read_bodies
from carbon.ledger.canonical import CHUNK_ROWS, log_table
from carbon.ledger.chain import Verification, verify
from carbon.ledger.columns import Column as Asked
from carbon.ledger.columns import read_columns

if TYPE_CHECKING:
    import polars as pl

    from carbon.rules.book import Rules

__all__ = ["Log", "read_log", "read_table"]

_BODIES: Final = ("body", "body_sha256", "message")
_BATCH_ROWS: Final = 200_000
_DTYPES: Final = {"int": "Int64", "text": "String", "flag": "Boolean"}
_SIDE: Final = ("code", "scheme", "type", "transaction_id", "first_year", "last_year")
_UNIT: Final = ("code", "scheme", "kind", "serialised", "only_kinds", "vintage_from", "vintage_to")


@dataclass(frozen=True)
class Log:
    """Everything that the checks read; frames have the columns of their tables, in order of ids.

    transactions : without bodies; legs : the transfers, with source_*, target_*, unit_* of the accounts and the unit
    and reversed (Boolean: a later leg undoes it); as_of_us : the time of the question, the last of the log by default
    rules : null where the rules of the schemes are left out of the audit
    """

    schemes: "pl.DataFrame"
    acceptances: "pl.DataFrame"
    movements: "pl.DataFrame"
    entities: "pl.DataFrame"
    accounts: "pl.DataFrame"
    representatives: "pl.DataFrame"
    instruments: "pl.DataFrame"
    transactions: "pl.DataFrame"
    legs: "pl.DataFrame"
    pieces: "pl.DataFrame"
    statements: "pl.DataFrame"
    holdings: "pl.DataFrame"
    blocks: "pl.DataFrame"
    bodies: Bodies
    chain: Verification
    rules: "Rules | None"
    as_of_us: int


def read_log(
    connection: Connection, *, rules: "Rules | None", as_of_us: int | None, head: str | None, chain: bool = True
) -> Log:
    """Read the ledger once. as_of_us, head : as `audit` has them; chain : whether to verify the chain as well."""
    with _lenient_text(connection):
        accounts = read_table(connection, "registry_account")
        instruments = read_table(connection, "registry_instrument")
        transactions = read_table(connection, "registry_transaction", leave_out=_BODIES)
        legs = _with_sides(read_table(connection, "registry_transfer"), accounts, instruments)
        last = transactions["at_us"].max()
        return Log(
            schemes=read_table(connection, "registry_scheme"),
            acceptances=read_table(connection, "registry_acceptance"),
            movements=read_table(connection, "registry_movement"),
            entities=read_table(connection, "registry_entity"),
            accounts=accounts,
            representatives=read_table(connection, "registry_representative"),
            instruments=instruments,
            transactions=transactions,
            legs=legs,
            pieces=read_table(connection, "registry_piece"),
            statements=read_table(connection, "registry_statement"),
            holdings=read_table(connection, "registry_holding"),
            blocks=read_table(connection, "registry_block"),
            bodies=read_bodies(connection),
            chain=verify(connection, head) if chain else Verification((), None, 0, 0),
            rules=rules,
            as_of_us=as_of_us if as_of_us is not None else last if isinstance(last, int) else 0,
        )


def read_table(connection: Connection, table: str, leave_out: tuple[str, ...] = ()) -> "pl.DataFrame":
    """A table as a frame in order of its key; a value of a wrong type becomes null or 0 (the chain names such rows)."""
    from polars.exceptions import PolarsError

    source = log_table(table)
    columns = [column for column in source.columns if column.name not in leave_out]
    key = [column.name for column in source.primary_key]
    if all(isinstance(column.type, Integer) for column in source.primary_key):
        asked = [Asked(column.name, column.name, _kind(column.type), bool(column.nullable)) for column in columns]
        # Values of wrong types, which only SQLite can hold, do not fit the fast way.
        with suppress(PolarsError, OperationalError):
            return read_columns(connection, asked, table, key=key, batch_rows=_BATCH_ROWS)
    return _read_slowly(connection, columns, key)


def _read_slowly(connection: Connection, columns: list[Column[Any]], key: list[str]) -> "pl.DataFrame":
    """Row by row: whatever there is, with null in the place of a value of a wrong type."""
    import polars as pl

    schema: dict[str, Any] = {column.name: _DTYPES[_kind(column.type)] for column in columns}
    order = [column for column in columns if column.name in key]
    streamed = {"stream_results": True, "max_row_buffer": CHUNK_ROWS}
    result = connection.execute(select(*columns).order_by(*order), execution_options=streamed)
    parts = [pl.DataFrame(schema={name: getattr(pl, kind) for name, kind in schema.items()})]
    while rows := result.fetchmany(CHUNK_ROWS):
        named = zip(parts[0].schema.items(), zip(*rows, strict=True), strict=True)
        parts.append(pl.DataFrame([pl.Series(name, values, kind, strict=False) for (name, kind), values in named]))
    return pl.concat(parts)


@contextmanager
def _lenient_text(connection: Connection) -> Iterator[None]:
    """SQLite may hold text that is no UTF-8: it must be found, not end the audit."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    usual = driver.text_factory
    driver.text_factory = lambda octets: octets.decode(errors="replace")
    try:
        yield
    finally:
        driver.text_factory = usual


def _kind(type: object) -> Literal["int", "text", "flag"]:
    return "flag" if isinstance(type, Boolean) else "int" if isinstance(type, Integer) else "text"


def _with_sides(legs: "pl.DataFrame", accounts: "pl.DataFrame", instruments: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    for side in ("source", "target"):
        known = accounts.select(pl.col("id").alias(f"{side}_id"), *(pl.col(n).alias(f"{side}_{n}") for n in _SIDE))
        legs = legs.join(known, on=f"{side}_id", how="left", maintain_order="left")
    units = instruments.select(pl.col("id").alias("instrument_id"), *(pl.col(n).alias(f"unit_{n}") for n in _UNIT))
    undone = legs["reverses_id"].drop_nulls().unique()
    return legs.join(units, on="instrument_id", how="left", maintain_order="left").with_columns(
        reversed=pl.col("id").is_in(undone.implode())
    )
