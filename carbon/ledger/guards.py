"""The guards: triggers beside the tables that refuse what no writer may do and keep what follows from the log.

Knows which SQL belongs to which database and how to lift the guards of movements for one proven batch. Must not know
orders or verbs. Everything here is part of the schema: raw SQL on the same database meets the same guards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Final

from sqlalchemy import Connection, Engine, text

__all__ = ["APPEND_ONLY", "install_guards", "without_movement_guards"]

# Tables of the log, with the columns that the guards themselves keep up to date.
APPEND_ONLY: Final[dict[str, tuple[str, ...]]] = {
    "registry_entity": (),
    "registry_account": ("status",),
    "registry_representative": (),
    "registry_instrument": ("next_serial",),
    "registry_transaction": (),
    "registry_transfer": (),
    "registry_piece": (),
    "registry_statement": (),
    "registry_seal": (),
    "registry_compliance": (),
    "registry_kept_table": (),
}
_MOVEMENT_TRIGGERS: Final = "registry_transfer_%", "registry_units_%"


def install_guards(engine: Engine) -> None:
    """Install the guards where they are not there yet; the tables must exist.

    Raises sqlalchemy.exc.DBAPIError where the database refuses.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _is_installed(connection):
            return
        for statement in _statements(connection.dialect.name):
            connection.exec_driver_sql(statement)


def _is_installed(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = 'registry_act'"
    else:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7201040)")
        query = (
            "SELECT count(*) FROM pg_trigger WHERE tgname = 'registry_act'"
            " AND tgrelid = to_regclass('registry_transaction')"
        )
    return bool(connection.exec_driver_sql(query).scalar_one())


def _statements(dialect: str) -> list[str]:
    own = files("carbon.ledger").joinpath(f"{dialect}.sql").read_text(encoding="utf-8").split("\n-- next\n")[1:]
    return (
        own
        + [_fixed(dialect, table, free) for table, free in APPEND_ONLY.items()]
        + [_kept(dialect, table) for table in APPEND_ONLY]
    )


def _columns(table: str, free: tuple[str, ...]) -> str:
    from sqlmodel import SQLModel

    return ", ".join(column.name for column in SQLModel.metadata.tables[table].columns if column.name not in free)


def _fixed(dialect: str, table: str, free: tuple[str, ...]) -> str:
    """The trigger that refuses to change a row of the log."""
    head = f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {_columns(table, free)} ON {table}"
    if dialect == "sqlite":
        return f"{head} BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
    return f"{head} FOR EACH ROW EXECUTE FUNCTION registry_refuse_change()"


def _kept(dialect: str, table: str) -> str:
    """The trigger that refuses to remove a row of the log."""
    head = f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table}"
    if dialect == "sqlite":
        return f"{head} BEGIN SELECT RAISE(ABORT, 'append-only: {table}'); END"
    return f"{head} FOR EACH ROW EXECUTE FUNCTION registry_refuse_change()"


@contextmanager
def without_movement_guards(connection: Connection) -> Iterator[None]:
    """Lift the guards of single movements inside the caller's own database transaction, and put them back at its end.

    Only for a batch that was proven as a whole before; the CHECKs on holdings stay. The table is locked meanwhile, so
    no other writer ever meets it unguarded, and a crash in between undoes the lifting with everything else.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text("ALTER TABLE registry_transfer DISABLE TRIGGER USER"))
        yield
        connection.execute(text("ALTER TABLE registry_transfer ENABLE TRIGGER USER"))
        return
    query = text(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'registry_transfer'"
        " AND (name LIKE :one OR name LIKE :other)"
    )
    lifted = connection.execute(query, dict(zip(("one", "other"), _MOVEMENT_TRIGGERS, strict=True))).all()
    for name, _sql in lifted:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _name, sql in lifted:
        connection.exec_driver_sql(sql)
