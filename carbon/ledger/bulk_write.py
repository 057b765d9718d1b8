"""How a proven batch is written: transfers in one stream, holdings in one step, and the proof that both arrived.

Knows the fast way into each database, and how the indexes of the log are made once for a large batch instead of row by
row. Must not know rules. The caller has held the writers off and lifted the movement guards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex
from sqlmodel import SQLModel

from carbon.ledger.overdraft import Ints
from carbon.ledger.tables import Transfer

if TYPE_CHECKING:
    import polars as pl

__all__ = ["hold_writers", "move_holdings", "prove_transfers", "write_transfers"]

_COLUMNS: Final = (
    "kind", "source_id", "target_id", "instrument_id", "quantity", "at_us", "compliance_year", "reference",
)  # fmt: skip
_BY_ACCOUNT: Final = ("transfer_source", "transfer_target")
# One act's legs all go to the end of the index by act; SQLite appends them faster than it sorts them.
_MADE_AFTERWARDS: Final = {"sqlite": _BY_ACCOUNT, "postgresql": (*_BY_ACCOUNT, "ix_registry_transfer_transaction_id")}
_CHUNK_ROWS: Final = 50_000
_ROWS_A_STATEMENT: Final = 50  # a statement of many rows costs hardly more than one of a single row
_MEMORY_KIB: Final = 256 * 1024
_SORTED_KIB: Final = 2000
_SORTING_THREADS: Final = 2
_MODULUS: Final = 1_000_003
_WEIGHTS: Final = {"source_id": 31, "target_id": 37, "instrument_id": 41, "at_us": 43}


def hold_writers(connection: Connection, *, accounts: bool = False) -> None:
    """Keep every other writer out until the database transaction ends, so that what is checked stays true.

    accounts : the caller means to write accounts or instruments itself

    SQLite has one writer anyway. On PostgreSQL the table that every act locks first is locked first, so that acts under
    way finish and new ones wait before they hold anything; readers go on reading.
    """
    if connection.dialect.name == "sqlite":
        return
    for table in ("registry_transaction", "registry_transfer", "registry_holding"):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    mode = "SHARE ROW EXCLUSIVE" if accounts else "SHARE"
    for table in ("registry_account", "registry_instrument", "registry_scheme", "registry_acceptance"):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN {mode} MODE")


def write_transfers(connection: Connection, transaction_id: int, rows: "pl.DataFrame") -> tuple[int, int]:
    """Add posted movements to the log: the first and the last id they got.

    rows : kind, source_id, target_id, instrument_id, quantity, at_us, compliance_year, reference
    """
    before = _last_id(connection)
    with _more_memory(connection), _made_afterwards(connection, large=rows.height > before):
        if connection.dialect.name == "sqlite":
            _write_sqlite(connection, transaction_id, rows)
        else:
            _copy_postgresql(connection, transaction_id, rows)
    after = _last_id(connection)
    first = connection.execute(
        text("SELECT min(id) FROM registry_transfer WHERE id > :before"), {"before": before}
    ).scalar_one()
    return first, after


def move_holdings(
    connection: Connection, account_id: Ints, instrument_id: Ints, contra: npt.NDArray[np.bool_], gain: Ints
) -> None:
    """Add to each holding what it gained, which may be negative; a holding that is not there begins at zero."""
    rows = list(zip(account_id.tolist(), instrument_id.tolist(), contra.tolist(), gain.tolist(), strict=True))
    cursor: Any = connection.connection.cursor()
    make = "INSERT INTO registry_holding (account_id, instrument_id, quantity, reserved, contra)"
    if connection.dialect.name == "sqlite":
        cursor.executemany(f"{make} VALUES (?, ?, 0, 0, ?) ON CONFLICT DO NOTHING", [row[:3] for row in rows])
        cursor.executemany(
            "UPDATE registry_holding SET quantity = quantity + ? WHERE account_id = ? AND instrument_id = ?",
            [(row[3], row[0], row[1]) for row in rows if row[3]],
        )
    else:
        cursor.execute(
            "CREATE TEMPORARY TABLE gain (account_id bigint, instrument_id bigint, contra boolean, gain bigint)"
            " ON COMMIT DROP"
        )
        lines = "\n".join(",".join(map(str, row)) for row in rows)
        with cursor.copy("COPY gain FROM STDIN (FORMAT csv)") as stream:
            stream.write(lines)
        zeros = "SELECT account_id, instrument_id, 0, 0, contra FROM gain"
        cursor.execute(f"{make} {zeros} ON CONFLICT DO NOTHING")
        cursor.execute(
            "UPDATE registry_holding h SET quantity = quantity + gain FROM gain g"
            " WHERE h.account_id = g.account_id AND h.instrument_id = g.instrument_id AND gain <> 0"
        )
        cursor.execute("DROP TABLE gain")
    cursor.close()


def prove_transfers(connection: Connection, transaction_id: int, first: int, rows: "pl.DataFrame") -> None:
    """Compare what the log holds now with what was meant to be written: count, sum, and a weighted sum over all rows.

    Raises RuntimeError where they differ, before anything is committed.
    """
    terms = " + ".join(f"({name} % {_MODULUS}) * {weight}" for name, weight in _WEIGHTS.items())
    mixed = f"sum((({terms} + (id - :first) % {_MODULUS}) % {_MODULUS}) * (quantity % {_MODULUS}))"
    found = connection.execute(
        text(
            f"SELECT count(*), sum(quantity), {mixed} FROM registry_transfer"  # noqa: S608
            " WHERE id >= :first AND transaction_id = :transaction AND phase = 'posted'"
        ),
        {"first": first, "transaction": transaction_id},
    ).one()
    numbers = {name: rows[name].to_numpy() for name in (*_WEIGHTS, "quantity")}
    weighed = sum(np.fmod(numbers[name], _MODULUS) * weight for name, weight in _WEIGHTS.items())
    place = np.arange(rows.height) % _MODULUS
    mix = np.fmod(weighed + place, _MODULUS) * (numbers["quantity"] % _MODULUS)
    meant = (rows.height, int(numbers["quantity"].sum()), int(mix.sum()))
    if tuple(int(value) for value in found) != meant:
        raise RuntimeError(f"found {tuple(found)} in the log after the import, expected {meant}; nothing was booked")


def _last_id(connection: Connection) -> int:
    return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM registry_transfer")).scalar_one())


def _write_sqlite(connection: Connection, transaction_id: int, rows: "pl.DataFrame") -> None:
    cursor: Any = connection.connection.cursor()
    for chunk in rows.iter_slices(_CHUNK_ROWS):
        filled = [name for name in _COLUMNS if chunk[name].null_count() < chunk.height]
        one = f"({int(transaction_id)}, 'posted', {', '.join('?' * len(filled))})"
        head = f"INSERT INTO registry_transfer (transaction_id, phase, {', '.join(filled)}) VALUES "  # noqa: S608
        cells = list(chain.from_iterable(zip(*(chunk[name].to_list() for name in filled), strict=True)))
        step = _ROWS_A_STATEMENT * len(filled)
        whole = len(cells) // step * step
        cursor.executemany(
            head + ", ".join([one] * _ROWS_A_STATEMENT), (cells[at : at + step] for at in range(0, whole, step))
        )
        rest = cells[whole:]
        cursor.executemany(head + one, (rest[at : at + len(filled)] for at in range(0, len(rest), len(filled))))
    cursor.close()


def _copy_postgresql(connection: Connection, transaction_id: int, rows: "pl.DataFrame") -> None:
    import polars as pl

    cursor: Any = connection.connection.cursor()
    names = ", ".join(("transaction_id", "phase", *_COLUMNS))
    with cursor.copy(f"COPY registry_transfer ({names}) FROM STDIN (FORMAT csv)") as stream:
        for chunk in rows.iter_slices(4 * _CHUNK_ROWS):
            head = (pl.lit(int(transaction_id)).alias("transaction_id"), pl.lit("posted").alias("phase"))
            stream.write(chunk.select(*head, *_COLUMNS).write_csv(include_header=False).encode())
    cursor.close()


@contextmanager
def _more_memory(connection: Connection) -> Iterator[None]:
    """Room for the pages that a large batch touches; as it was before at the end."""
    if connection.dialect.name == "sqlite":
        cache = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_MEMORY_KIB}")
        yield
        connection.exec_driver_sql(f"PRAGMA cache_size = {int(cache)}")
        return
    for setting in ("maintenance_work_mem", "work_mem"):
        connection.exec_driver_sql(f"SET LOCAL {setting} = '{_MEMORY_KIB}kB'")
    yield


@contextmanager
def _made_afterwards(connection: Connection, *, large: bool) -> Iterator[None]:
    """Take indexes away while a batch enters that is larger than the log.

    Making them again reads the whole log once; all of it is part of the caller's database transaction. On PostgreSQL
    only if nobody is reading the table at this moment; else rows pay one by one.
    """
    table = SQLModel.metadata.tables[str(Transfer.__tablename__)]
    if not large or not _alone(connection):
        yield
        return
    indexes = [index for index in table.indexes if index.name in _MADE_AFTERWARDS[connection.dialect.name]]
    for index in indexes:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
    yield
    if connection.dialect.name == "sqlite":
        # SQLite sorts in runs of the cache's size, and small ones merge more than twice as fast.
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_SORTED_KIB}")
        connection.exec_driver_sql(f"PRAGMA threads = {_SORTING_THREADS}")
    for index in indexes:
        connection.execute(CreateIndex(index))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA threads = 0")


def _alone(connection: Connection) -> bool:
    """Whether the table can be changed without waiting for anyone; then nobody else sees it until the end."""
    if connection.dialect.name == "sqlite":
        return True
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql("LOCK TABLE registry_transfer IN ACCESS EXCLUSIVE MODE NOWAIT")
    except OperationalError:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True
