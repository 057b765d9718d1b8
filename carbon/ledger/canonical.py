"""The rows of the log as bytes that every machine writes alike, read in chunks of bounded size.

Knows which columns of the log never change, how a chunk of rows becomes canonical bytes, and the locator of a row. Must
not know seals, checks or what a row means. The bytes depend neither on the database nor on the versions of libraries,
so that another program can recompute every digest.

Canonical bytes of a run of rows (ordered by id), version 1. The run is cut into chunks of 16,384 rows, the last one
shorter. A chunk is its number of rows, then each column that holds any value in it, in alphabetical order of names:

* the name, as text; one byte, "i" for whole numbers or "t" for text; one byte a row, 1 for a value and 0 for null;
* whole numbers (true is 1, false is 0): one int64 a row, 0 for null; text: the length in bytes of each row's UTF-8 as
  int64, 0 for null, then all of it one after the other.

Every int64 is little-endian; a text outside a column is its length as int64 and its UTF-8. A value of a wrong type,
which only SQLite can hold, has 2 in its mask byte and stands as "?", its type and its bytes in hexadecimal; where
whole numbers are expected, as the first eight bytes of the SHA-256 of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType
from sqlmodel import SQLModel

from carbon.ledger.guards import APPEND_ONLY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "CHUNK_ROWS",
    "LOG_TABLES",
    "Chunk",
    "Filled",
    "canonical_bytes",
    "column_names",
    "locators_of",
    "log_table",
    "read_chunks",
]

CHUNK_ROWS: Final = 16_384
# The log in the order in which it is sealed and verified.
LOG_TABLES: Final = (
    "registry_transaction",
    "registry_entity",
    "registry_account",
    "registry_representative",
    "registry_instrument",
    "registry_transfer",
    "registry_piece",
    "registry_statement",
    "registry_compliance",
    "registry_kept_table",
)
_MIX: Final = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_STEP: Final = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Filled:
    """One column of a chunk: a mask byte a row (1 value, 0 null, 2 of a wrong type), and the values.

    ints : whole numbers, or the lengths in bytes of texts; octets : all texts one after the other, null for numbers
    """

    mask: "NDArray[np.uint8]"
    ints: "NDArray[np.int64]"
    octets: bytes | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of one table: their number, and each column that holds any value by its name."""

    rows: int
    columns: dict[str, Filled]


def column_names(table: str) -> list[str]:
    """The columns of a table of the log that never change once written, in alphabetical order.

    Binary contents are left out: a SHA-256 of them stands beside them, and the audit compares it.
    """
    free = APPEND_ONLY[table]
    columns = [column for column in log_table(table).columns if not isinstance(column.type, LargeBinary)]
    return sorted(column.name for column in columns if column.name not in free)


def log_table(name: str) -> Table:
    """A table of the ledger by its name."""
    if name not in SQLModel.metadata.tables:
        # Tables are declared by importing their modules; a chain over fewer tables would prove less than it says.
        for module in ("carbon.tables", "carbon.ledger.tables", "carbon.imports.tables"):
            import_module(module)
    return SQLModel.metadata.tables[name]


def read_chunks(
    connection: Connection, table: str, *, after: int, up_to: int, most: int | None = None
) -> Iterator[Chunk]:
    """The unchanging columns of the rows with after < id <= up_to in order of ids, in chunks of 16,384 rows.

    most : stop after so many rows. Never more than one chunk is held in memory.
    """
    source = log_table(table)
    names = column_names(table)
    is_text = [not isinstance(source.c[name].type, (Integer, Boolean)) for name in names]
    sqlite = connection.dialect.name == "sqlite"
    asked = [_asked(source.c[name], text, sqlite) for name, text in zip(names, is_text, strict=True)]
    query = select(*asked).where(source.c.id > after, source.c.id <= up_to).order_by(source.c.id).limit(most)
    streamed = {"stream_results": True, "max_row_buffer": CHUNK_ROWS}
    result = connection.execute(query, execution_options=streamed)
    while rows := result.fetchmany(CHUNK_ROWS):
        columns = zip(names, is_text, zip(*rows, strict=True), strict=True)
        read = {name: _texts(values, sqlite) if text else _numbers(values) for name, text, values in columns}
        yield Chunk(len(rows), {name: column for name, column in read.items() if column is not None})


def canonical_bytes(chunk: Chunk) -> Iterator[bytes]:
    """The canonical bytes of one chunk, in pieces, as the head of this module says."""
    yield _int64(chunk.rows)
    for name, column in sorted(chunk.columns.items()):
        encoded = name.encode()
        yield _int64(len(encoded)) + encoded + (b"i" if column.octets is None else b"t")
        yield column.mask.tobytes()
        yield column.ints.astype("<i8", copy=False).tobytes()
        yield column.octets or b""


def locators_of(chunk: Chunk, after: int) -> "NDArray[np.uint64]":
    """Eight bytes a row: the id less `after` in the upper four, a mix of every column in the lower four.

    The upper half names a row that was removed, the lower half shows one that was changed. It finds rows and proves
    nothing: the digest does that.
    """
    import numpy as np

    mixed = np.zeros(chunk.rows, np.uint64)
    for name, column in chunk.columns.items():
        marks = column.ints.view(np.uint64) if column.octets is None else _text_marks(column.ints, column.octets)
        salt = np.uint64(int.from_bytes(sha256(name.encode()).digest()[:8], "little"))
        marks = _mixed((marks ^ salt) + column.mask.astype(np.uint64) * np.uint64(_STEP))
        mixed += np.where(column.mask > 0, marks, np.uint64(0))
    offsets = (chunk.columns["id"].ints - after).view(np.uint64)
    return (offsets << np.uint64(32)) | (_mixed(mixed) >> np.uint64(32))


def _asked(column: Column[Any], is_text: bool, sqlite: bool) -> ColumnElement[Any]:
    """How a value is asked for. SQLite gives texts as bytes, and a value of a wrong type spelled out as str."""
    if not sqlite:
        return cast(column, Integer) if isinstance(column.type, Boolean) else column
    kind = func.typeof(column, type_=String)
    raw = type_coerce(cast(column, LargeBinary) if is_text else column, NullType())
    spelled = literal("?") + kind + func.hex(column, type_=String)
    return case((kind.in_(("text" if is_text else "integer", "null")), raw), else_=spelled)


def _numbers(values: Sequence[Any]) -> Filled | None:
    """A column of int or null (a str is of a wrong type); null where it holds no value."""
    import numpy as np

    kinds = set(map(type, values))
    if kinds == {int}:
        return Filled(np.ones(len(values), np.uint8), np.array(values, np.int64), None)
    if kinds == {type(None)}:
        return None
    ints = np.array([value if isinstance(value, int) else _stand_in(value) for value in values], np.int64)
    return Filled(_mask(values), ints, None)


def _texts(values: Sequence[Any], sqlite: bool) -> Filled | None:
    """A column of texts; null where it holds no value. SQLite is asked for bytes: a str from it is of a wrong type."""
    import numpy as np

    kinds = set(map(type, values))
    if kinds == {type(None)}:
        return None
    if kinds == {str} and (joined := "".join(values)).isascii():
        whole, octets = values, joined.encode()
    else:
        whole = values if kinds == {bytes} else [_as_bytes(value) for value in values]
        octets = b"".join(whole)
    mask = _mask(values) if len(kinds) > 1 or (sqlite and str in kinds) else np.ones(len(values), np.uint8)
    mask = mask if sqlite else np.minimum(mask, 1)
    return Filled(mask, np.fromiter(map(len, whole), np.int64, len(whole)), octets)


def _mask(values: Sequence[Any]) -> "NDArray[np.uint8]":
    import numpy as np

    marks = (0 if value is None else 2 if isinstance(value, str) else 1 for value in values)
    return np.fromiter(marks, np.uint8, len(values))


def _stand_in(value: str | None) -> int:
    return 0 if value is None else int.from_bytes(sha256(value.encode()).digest()[:8], "little", signed=True)


def _as_bytes(value: bytes | str | None) -> bytes:
    return value if isinstance(value, bytes) else b"" if value is None else value.encode()


def _int64(number: int) -> bytes:
    return number.to_bytes(8, "little", signed=True)


def _text_marks(lengths: "NDArray[np.int64]", octets: bytes) -> "NDArray[np.uint64]":
    """A polynomial in the bytes of each text, modulo 2^64: any one byte changed changes it."""
    import numpy as np

    marks = lengths.view(np.uint64) * np.uint64(_STEP)
    if not octets:
        return marks
    starts = np.cumsum(lengths) - lengths
    powers = np.cumprod(np.full(int(lengths.max()), np.uint64(_MIX[0])), dtype=np.uint64)
    places = np.arange(len(octets)) - np.repeat(starts, lengths)
    terms = (np.frombuffer(octets, np.uint8).astype(np.uint64) + np.uint64(1)) * powers[places]
    filled = lengths > 0
    marks[filled] += np.add.reduceat(terms, starts[filled])
    return marks


def _mixed(marks: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): one to one on 64 bits."""
    import numpy as np

    marks = (marks ^ (marks >> np.uint64(30))) * np.uint64(_MIX[0])
    marks = (marks ^ (marks >> np.uint64(27))) * np.uint64(_MIX[1])
    return marks ^ (marks >> np.uint64(31))
