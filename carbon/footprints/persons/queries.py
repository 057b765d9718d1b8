"""How the tables of persons are read as frames and written in bulk, and how writers wait for each other.

Knows SQLAlchemy Core and polars. Must not know any rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Connection, Executable, Table, cast, func, insert
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import SQLModel

if TYPE_CHECKING:
    import polars as pl

__all__ = ["chunks", "hold_persons", "read_frame", "table_of", "total", "write_rows"]

_CHUNK: Final = 500


def hold_persons(connection: Connection) -> None:
    """Let one writer of persons' tables in at a time, until the transaction ends; readers do not wait.

    SQLite does so by itself in a transaction that began with BEGIN IMMEDIATE (`carbon.ledger.post.writing`).
    """
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("LOCK TABLE person_platform IN SHARE ROW EXCLUSIVE MODE")


def table_of(model: type[SQLModel]) -> Table:
    """The table of a model."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def total(column: "ColumnElement[Any]") -> "ColumnElement[Any]":
    """The sum of a column of whole numbers, 0 where there is none; as a whole number on both databases."""
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def read_frame(
    connection: Connection, query: Executable, schema: "Mapping[str, type[pl.DataType] | pl.DataType]"
) -> "pl.DataFrame":
    """The rows of a query, its columns named and typed by the schema, in order."""
    import polars as pl

    rows = connection.execute(query).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=dict(schema), orient="row")


def chunks(values: Iterable[str]) -> list[list[str]]:
    """Texts in lists short enough for one query."""
    every = list(values)
    return [every[start : start + _CHUNK] for start in range(0, len(every), _CHUNK)]


def write_rows(connection: Connection, model: type[SQLModel], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows; none changes nothing."""
    if rows:
        connection.execute(insert(table_of(model)), [dict(row) for row in rows])
