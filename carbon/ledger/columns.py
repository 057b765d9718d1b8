"""From a query to a polars frame, fast: the database writes the rows of a batch as one CSV text, polars parses it.

Knows how both databases write and add up text. Must not know any table. This is two to three times as fast as fetching
rows as Python tuples and needs no other driver.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import BindParameter, Connection, bindparam, text

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Column", "read_columns"]

_BATCH_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the result: its name, the SQL that gives it, its kind, and whether it may be null.

    kind : int (Int64), text (String), flag (Boolean) or time (microseconds since 1970, read as a UTC Datetime)
    """

    name: str
    sql: str
    kind: Literal["int", "text", "flag", "time"] = "int"
    nullable: bool = False


def read_columns(
    connection: Connection,
    columns: Sequence[Column],
    source: str,
    *,
    key: Sequence[str],
    where: Sequence[str] = (),
    values: Mapping[str, object] | None = None,
    batch_rows: int = _BATCH_ROWS,
) -> "pl.DataFrame":
    """The rows of `source` (a table or a join, SQL of our own) as a frame, in the order of `key`.

    key : names of integer columns of the result that name a row; where : conditions, all of which hold, with values
    bound by name, a list to a name in `x IN :name`. More rows than `batch_rows` are read in several statements: on
    PostgreSQL those see one state of the ledger only in a REPEATABLE READ transaction, on SQLite in any transaction.
    """
    import polars as pl

    line = _line(connection.dialect.name, columns)
    inner = {column.name: column.sql for column in columns}
    after = f"({', '.join(inner[name] for name in key)}) > ({', '.join(f':key_{name}' for name in key)})"
    order = ", ".join(inner[name] for name in key)
    frames: list[pl.DataFrame] = []
    last: dict[str, object] = {}
    while True:
        conditions = [*where, *([after] if last else [])]
        limits = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = f"SELECT {line} AS line FROM {source}{limits} ORDER BY {order} LIMIT {batch_rows}"  # noqa: S608
        query = text(f"SELECT {_together(connection.dialect.name)} FROM ({rows}) AS lines")  # noqa: S608
        lists: list[BindParameter[object]] = [
            bindparam(name, expanding=True) for name, value in (values or {}).items() if isinstance(value, list)
        ]
        found = connection.execute(query.bindparams(*lists), {**(values or {}), **last}).scalar_one()
        frame = _parse(found, columns).sort(list(key))
        frames.append(frame)
        if frame.height < batch_rows:
            break
        last = {f"key_{name}": frame[name][-1] for name in key}
    times = [column.name for column in columns if column.kind == "time"]
    flags = [column.name for column in columns if column.kind == "flag"]
    return pl.concat(frames).with_columns(
        *(pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC") for name in times),
        *(pl.col(name).cast(pl.Boolean) for name in flags),
    )


def _parse(lines: str | None, columns: Sequence[Column]) -> "pl.DataFrame":
    import polars as pl

    schema = {column.name: pl.String if column.kind == "text" else pl.Int64 for column in columns}
    if not lines:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(lines.encode(), has_header=False, schema=schema)


def _line(dialect: str, columns: Sequence[Column]) -> str:
    """SQL for one row as a line of CSV: whole numbers as they are, text always in quotes, null as nothing."""
    parts = [_cell(dialect, column) for column in columns]
    if dialect == "sqlite":
        marks = ",".join("%s" if _is_text(column) else "%d" for column in columns)
        return f"printf('{marks}', {', '.join(parts)})"
    joined = ", ',', ".join(parts)
    return f"concat({joined})"


def _is_text(column: Column) -> bool:
    return column.kind == "text" or column.nullable


def _cell(dialect: str, column: Column) -> str:
    if column.kind == "text":
        quoted = f"'\"' || replace({column.sql}, '\"', '\"\"') || '\"'"
        return f"coalesce({quoted}, '')" if column.nullable else quoted
    if column.kind == "flag" and dialect != "sqlite":
        return f"({column.sql})::int"
    return f"coalesce({column.sql}, '')" if column.nullable and dialect == "sqlite" else column.sql


def _together(dialect: str) -> str:
    return "group_concat(line, char(10))" if dialect == "sqlite" else "string_agg(line, chr(10))"
