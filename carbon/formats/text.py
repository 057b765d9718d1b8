"""From bytes on disk to cells of text: unpacking, decoding and splitting, all bounded.

Knows gzip, encodings and CSV. Must not know what any column means.
"""

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import FileTooLarge, UnreadableFile

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "decode",
    "extra_column",
    "is_there",
    "read_bytes",
    "read_header",
    "split_cells",
]

MAX_BYTES = 512 * 1024 * 1024
MAX_ROWS = 5_000_000

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 64 * 1024
_SAMPLE_BYTES = 256 * 1024
_OTHER_ENCODINGS = ["gb18030", "big5", "utf_16"]
# Cells to the right of the last heading that are looked at, more of them only where a line has more: wide frames are
# slow. A line with still more is refused.
_EXTRA_CELLS = (1, 16, 128)


def is_there(path: Path) -> bool:
    """Whether there is such a file; false also for a name that no file can have, such as one too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_bytes(path: Path, *, max_bytes: int = MAX_BYTES, first_bytes: int | None = None) -> bytes:
    """The bytes of a file, unpacked where it is gzip (told by its first bytes, not by its name).

    max_bytes : most unpacked bytes allowed, so that a small archive cannot fill the memory
    first_bytes : stop early after about this many
    Raises FileTooLarge, and UnreadableFile where the file is absent, no file, or a broken archive.
    """
    try:
        with path.open("rb") as stream:
            is_gzip = stream.read(2) == _GZIP_MAGIC
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if is_gzip else stream
            limit = max_bytes if first_bytes is None else min(first_bytes, max_bytes)
            chunks, size = [], 0
            while size <= limit and (chunk := source.read(_CHUNK_BYTES)):
                chunks.append(chunk)
                size += len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected a readable .csv or .csv.gz file") from error
    if size > max_bytes and first_bytes is None:
        raise FileTooLarge(f"found {path.name} with more than {max_bytes} bytes, expected at most {max_bytes}")
    return b"".join(chunks)[: limit if first_bytes is not None else None]


def decode(data: bytes, file: str) -> str:
    """The text of a file in UTF-8 (with or without BOM), GB18030, Big5 or UTF-16.

    UTF-8 is tried first, since a wrong guess there is next to impossible, then the signs of GB 2312: a handful of them
    is too few to guess by, and Big5 has second bytes that they have not. Raises UnreadableFile where nothing fits.
    """
    for sure in ("utf-8-sig", "gb2312"):
        try:
            return data.decode(sure)
        except UnicodeDecodeError:
            continue
    from charset_normalizer import from_bytes

    guess = from_bytes(data[:_SAMPLE_BYTES], cp_isolation=_OTHER_ENCODINGS).best()
    # Two-byte encodings may be cut in the middle of a sign by the sample, so the guess is tried on the whole.
    for encoding in [guess.encoding] if guess is not None else _OTHER_ENCODINGS[:1]:
        try:
            return data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise UnreadableFile(f"found {file} in an unknown encoding, expected UTF-8, GB18030, Big5 or UTF-16")


def read_header(path: Path) -> list[str]:
    """The cells of the first line of a file, stripped; empty for an empty file. Raises UnreadableFile."""
    data = read_bytes(path, first_bytes=_HEADER_BYTES)
    first_line = data[: data.find(b"\n") + 1] or data
    # UTF-16 has no line feed of one byte; whole blocks keep its pairs together.
    text = decode(data if data[:2] in (b"\xff\xfe", b"\xfe\xff") else first_line, path.name)
    try:
        cells = next(csv.reader(io.StringIO(text)), [])
    except csv.Error as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected a first line of comma-separated cells") from error
    return [cell.strip() for cell in cells]


def extra_column(width: int) -> str:
    """Name of the column that catches what stands to the right of the last heading."""
    return f"c{width}"


def split_cells(text: str, file: str, *, width: int, header_rows: int, max_rows: int = MAX_ROWS) -> "pl.DataFrame":
    """The lines below the header as cells of text.

    width : number of headings; header_rows : lines to leave out at the top
    Result : row (Int64, line as a spreadsheet shows it), c0..c{width} (String, stripped, null where empty); the last
    one is empty unless a line has filled cells to the right of the last heading, of which it holds the first. Blank
    lines are rows of nulls, so that numbers stay right.
    Raises FileTooLarge beyond max_rows, UnreadableFile where the quotes do not match or a line has hundreds of cells
    more than headings.
    """
    import polars as pl

    names = [f"c{position}" for position in range(width)] + [extra_column(width)]
    schema = {"row": pl.Int64, **dict.fromkeys(names, pl.String)}
    lines = text.rstrip()
    # Counted on the text, before it is split, so that a file past the limit never becomes a frame.
    if lines.count("\n") + 1 > max_rows + header_rows:
        raise FileTooLarge(f"found {file} with more than {max_rows} rows, expected at most {max_rows}")
    if lines.count("\n") < header_rows:
        return pl.DataFrame(schema=schema)
    # A line of our own in front fixes the number of columns at one more than the headings, so that longer lines show.
    cells = _parse(lines.split("\n", header_rows)[header_rows], file, width=width, first_row=header_rows + 1)
    stripped = pl.col(names).str.strip_chars()
    return cells.select(
        pl.col("row").cast(pl.Int64),
        pl.when(stripped != "").then(stripped).name.keep(),
    )


def _parse(body: str, file: str, *, width: int, first_row: int) -> "pl.DataFrame":
    """row, c0..c{width}: the last one holds the first filled one of the extra cells. Raises UnreadableFile."""
    import polars as pl

    for extra in _EXTRA_CELLS:
        names = [f"c{position}" for position in range(width + extra)]
        try:
            # A line of our own in front fixes the number of columns, so that longer lines are told and not cut.
            cells = pl.read_csv(
                f"{','.join(names)}\n{body}".encode(),
                schema=dict.fromkeys(names, pl.String),
                row_index_name="row",
                row_index_offset=first_row,
            )
        except pl.exceptions.PolarsError as error:
            is_wide = "more fields" in str(error)
            continue
        beyond = [pl.when(pl.col(name).str.strip_chars() != "").then(name) for name in names[width:]]
        return cells.select("row", *names[:width], pl.coalesce(beyond).alias(extra_column(width)))
    # What the parser says quotes cells, which may name a person, over several lines.
    told = f"a line with over {width + _EXTRA_CELLS[-1]} cells" if is_wide else "quotes that do not match"
    raise UnreadableFile(f"found {told} in {file}; expected comma-separated cells below {width} headings")
