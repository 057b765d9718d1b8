"""The one engine. Knows how each database must be opened; knows no table."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from sqlalchemy import Connection, Engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import SQLModel, create_engine

from carbon.ledger.guards import install_guards

_IDLE_S = 5


def make_engine(url: str) -> Engine:
    """An engine for SQLite (WAL, foreign keys on) or PostgreSQL. `url`: SQLAlchemy URL."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        _ask_idle_connections(engine)
    return engine


def _ask_idle_connections(engine: Engine) -> None:
    """Ask a connection that lay idle for seconds whether its server is still there; a lost one is made anew.

    Not at each use, as the pool itself would: that costs a fifth of booking one act.
    """

    def note(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info["idle_since_s"] = time.monotonic()

    def ask(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get("idle_since_s", time.monotonic()) < _IDLE_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as lost:
            raise DisconnectionError("the database server has closed the connection") from lost

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", ask)


@contextmanager
def one_state(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries all see one state of the database, whatever is written meanwhile."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


class StoreVersionError(Exception):
    """The database was made by another version of this software, with other tables."""


def create_tables(engine: Engine) -> None:
    """Create every table of the project that is not there yet, and the guards of the ledger's tables.

    Raises StoreVersionError where a table is there with other columns: nothing is migrated in silence.
    """
    for module in (
        "carbon.tables",
        "carbon.rates_tables",
        "carbon.footprints.activity_tables",
        "carbon.footprints.run_tables",
        "carbon.footprints.factor_tables",
        "carbon.ledger.tables",
        "carbon.footprints.persons.tables",
        "carbon.imports.tables",
        "green_index.editions",
    ):
        import_module(module)
    SQLModel.metadata.create_all(engine)
    found = inspect(engine).get_multi_columns()
    for table in SQLModel.metadata.sorted_tables:
        wanted = {column.name for column in table.columns}
        there = {column["name"] for column in found[None, table.name]}
        if wanted != there:
            raise StoreVersionError(
                f"table {table.name} has columns {', '.join(sorted(there))}; this version expects "
                f"{', '.join(sorted(wanted))}. Point GREENFIN_HOME or DATABASE_URL to an empty place, or remove the "
                "old store, and load your files again"
            )
    install_guards(engine)


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
