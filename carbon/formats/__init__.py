"""The outside file formats that can be loaded, and how one is told from another.

Knows the list of formats. Must not know any heading: those are data at the top of each format's module. A new format
is one module with NAME, KNOWN_HEADER and find_layout, and one line in FORMATS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from carbon.embedded import resolve_market
from carbon.errors import UnknownFormat
from carbon.formats import cneeex_daily, crc_price, crc_settlement, wind_daily
from carbon.formats.reading import Limits, Reading, read_rows_of
from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_header
from carbon.layout import Layout

__all__ = ["FORMATS", "Format", "Limits", "Reading", "read_trades", "recognise"]


@dataclass(frozen=True)
class Format:
    """One format: its layout for a first line (null where it does not fit), and an example of that line."""

    find_layout: Callable[[Sequence[str]], Layout | None]
    known_header: str


FORMATS: dict[str, Format] = {
    cneeex_daily.NAME: Format(cneeex_daily.find_layout, cneeex_daily.KNOWN_HEADER),
    crc_price.NAME: Format(crc_price.find_layout, crc_price.KNOWN_HEADER),
    crc_settlement.NAME: Format(crc_settlement.find_layout, crc_settlement.KNOWN_HEADER),
    wind_daily.NAME: Format(wind_daily.find_layout, wind_daily.KNOWN_HEADER),
}

_SHOWN_CHARACTERS = 200


def recognise(path: Path) -> str:
    """The name of the format of a file, by its first line.

    Raises UnknownFormat, listing the headers that are known, and UnreadableFile.
    """
    header = read_header(path)
    for name, known in FORMATS.items():
        if known.find_layout(header) is not None:
            return name
    raise _unknown_header(path.name, header)


def _unknown_header(file: str, header: Sequence[str]) -> UnknownFormat:
    shown = ",".join(header)[:_SHOWN_CHARACTERS] or "an empty line"
    known = "".join(f"\n  {name}: {entry.known_header}" for name, entry in FORMATS.items())
    return UnknownFormat(f"found in the first line of {file}: {shown}\nexpected one of these headers:{known}")


def read_trades(
    path: Path,
    *,
    market: str,
    format_name: str | None = None,
    file: str | None = None,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
) -> tuple[str, Reading]:
    """The format of a file, and its canonical rows and problems.

    path : .csv or .csv.gz; market : market key or product code whose products are expected
    format_name : a key of FORMATS; null recognises it by the header; file : name to print, the path's own by default
    max_bytes, max_rows : most unpacked bytes and rows below the header
    Raises UnknownFormat, UnknownMarket, UnreadableFile, FileTooLarge.
    """
    name = recognise(path) if format_name is None else format_name
    if name not in FORMATS:
        raise UnknownFormat(f"found format {name!r}, expected one of {', '.join(FORMATS)}")
    header = read_header(path)
    layout = FORMATS[name].find_layout(header)
    if layout is None:
        raise _unknown_header(path.name, header)
    limits = Limits(max_bytes=max_bytes, max_rows=max_rows)
    return name, read_rows_of(path, layout, market=resolve_market(market), file=file or path.name, limits=limits)
