"""Frames into tables, and tables of files kept whole: many rows at once on SQLite and PostgreSQL.

Knows the two databases' fast ways in. Must not know what any column means.
"""

import io
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, insert, select, text
from sqlmodel import SQLModel

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KeptTableDiffers", "Parts", "insert_frame", "kept_names", "pack_tables", "read_kept", "write_kept"]

_ROWS_AT_ONCE: Final = 50_000
_ROWS_OF_A_PART: Final = 200_000
_TABLE: Final = "registry_kept_table"

Parts = dict[tuple[str, int], tuple[int, bytes, str]]
"""(name, part) -> height, content as Parquet, sha256 of the content."""


class KeptTableDiffers(CarbonError):
    """A kept table is not what it was when it was imported."""


def insert_frame(connection: Connection, table: str, frame: "pl.DataFrame") -> None:
    """Insert all rows of a frame; its columns are columns of the table, of whole numbers or text."""
    names = ", ".join(frame.columns)
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" for _ in frame.columns)
            query = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
            for part in frame.iter_slices(_ROWS_AT_ONCE):
                cursor.executemany(query, part.rows())
            return
        with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
            for part in frame.iter_slices(_ROWS_AT_ONCE):
                # Nothing between two commas is null, two quotes are an empty text; polars writes both that way.
                copy.write(part.write_csv(include_header=False).encode())
    finally:
        cursor.close()


def pack_tables(tables: "Mapping[str, pl.DataFrame]") -> Parts:
    """Tables as Parquet in parts of bounded size; a table without rows is one part."""
    parts: Parts = {}
    for name, frame in tables.items():
        slices = list(frame.iter_slices(_ROWS_OF_A_PART)) or [frame]
        for number, piece in enumerate(slices):
            buffer = io.BytesIO()
            piece.write_parquet(buffer, compression="zstd")
            content = buffer.getvalue()
            parts[name, number] = (piece.height, content, sha256(content).hexdigest())
    return parts


def write_kept(connection: Connection, parts: Parts, transaction_id: int) -> None:
    """Keep packed tables under the transaction of their import."""
    rows = [
        {
            "name": name,
            "part": number,
            "height": height,
            "sha256": digest,
            "content": content,
            "transaction_id": transaction_id,
        }
        for (name, number), (height, content, digest) in parts.items()
    ]
    if rows:
        connection.execute(insert(SQLModel.metadata.tables[_TABLE]), rows)


def kept_names(connection: Connection, transaction_id: int) -> list[str]:
    """Names of the tables kept under a transaction, in the order they were kept."""
    kept = SQLModel.metadata.tables[_TABLE]
    query = select(kept.c.name).where(kept.c.transaction_id == transaction_id, kept.c.part == 0).order_by(kept.c.id)
    return list(connection.execute(query).scalars())


def read_kept(connection: Connection, transaction_id: int, name: str) -> "pl.DataFrame | None":
    """A kept table as it was, null where there is none of the name.

    Its digest must be the one that the body of the import names, for that body is sealed. Raises KeptTableDiffers.
    """
    import polars as pl

    found = list(_read_parts(connection, transaction_id, name))
    return pl.concat(found) if found else None


def _read_parts(connection: Connection, transaction_id: int, name: str) -> "Iterator[pl.DataFrame]":
    import polars as pl

    kept = SQLModel.metadata.tables[_TABLE]
    query = (
        select(kept.c.part, kept.c.height, kept.c.sha256, kept.c.content)
        .where(kept.c.transaction_id == transaction_id, kept.c.name == name)
        .order_by(kept.c.part)
    )
    header = text("SELECT body FROM registry_transaction WHERE id = :id")
    body = connection.execute(header, {"id": transaction_id}).scalar_one_or_none()
    said = {} if body is None else json.loads(body).get("kept", {})
    for part, height, digest, content in connection.execute(query):
        found, expected = sha256(content).hexdigest(), said.get(f"{name}.{part}", digest)
        if found != expected:
            raise KeptTableDiffers(f"found part {part} of {name} with SHA-256 {found}, expected {expected}")
        frame = pl.read_parquet(io.BytesIO(content))
        if frame.height != height:
            raise KeptTableDiffers(f"found {frame.height} rows in part {part} of {name}, expected {height}")
        yield frame
