"""The outside file formats that can be loaded, and how one is told from another.

Knows the list of formats. Must not know any heading: those are data at the top of each format's module. A new format
is one module with NAME, KNOWN_HEADER and find_layout, and one line in FORMATS; where its lines are no rows of one
method each (several methods side by side, sentences) it brings a reader of its own. Formats that print prices without
tonnes stand in QUOTE_FORMATS: they are recognised, and read by `carbon.quotes`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from carbon.embedded import resolve_market
from carbon.errors import UnknownFormat
from carbon.formats import (
    akshare_domestic,
    akshare_gz,
    akshare_hb,
    akshare_sz,
    bulletin_rows,
    bulletins,
    cneeex_daily,
    crc_price,
    crc_settlement,
    exchange_beijing,
    exchange_hubei,
    exchange_year,
    icap,
    long_daily,
    rates_csv,
    sceex_daily,
    vintage_panel,
    wind_daily,
)
from carbon.formats.headings import refuse_repeated_headings
from carbon.formats.reading import Limits, Reading, read_rows_of
from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_header
from carbon.layout import Layout

__all__ = [
    "FORMATS",
    "QUOTE_FORMATS",
    "Format",
    "Limits",
    "QuotesOnly",
    "Reading",
    "read_trades",
    "recognise",
]


class QuotesOnly(UnknownFormat):
    """The file prints prices without tonnes, or rates of exchange: no trades can be read from it."""


@dataclass(frozen=True)
class Format:
    """One format: its layout for a first line (null where it does not fit), and an example of that line.

    read : for a format whose lines are no rows of one method each; called with the path, the market's key, the name to
    print and the limits. Without it the layout says all.
    """

    find_layout: Callable[[Sequence[str]], Layout | None]
    known_header: str
    read: Callable[[Path, str, str, Limits], Reading] | None = None


FORMATS: dict[str, Format] = {
    cneeex_daily.NAME: Format(cneeex_daily.find_layout, cneeex_daily.KNOWN_HEADER),
    crc_price.NAME: Format(crc_price.find_layout, crc_price.KNOWN_HEADER),
    crc_settlement.NAME: Format(crc_settlement.find_layout, crc_settlement.KNOWN_HEADER),
    wind_daily.NAME: Format(wind_daily.find_layout, wind_daily.KNOWN_HEADER),
    exchange_hubei.NAME: Format(exchange_hubei.find_layout, exchange_hubei.KNOWN_HEADER),
    exchange_beijing.NAME: Format(exchange_beijing.find_layout, exchange_beijing.KNOWN_HEADER),
    akshare_gz.NAME: Format(akshare_gz.find_layout, akshare_gz.KNOWN_HEADER),
    akshare_sz.NAME: Format(akshare_sz.find_layout, akshare_sz.KNOWN_HEADER),
    sceex_daily.NAME: Format(sceex_daily.find_layout, sceex_daily.KNOWN_HEADER),
    akshare_domestic.NAME: Format(akshare_domestic.find_layout, akshare_domestic.KNOWN_HEADER),
    akshare_hb.NAME: Format(akshare_hb.find_layout, akshare_hb.KNOWN_HEADER),
    exchange_year.NAME: Format(exchange_year.find_layout, exchange_year.KNOWN_HEADER, exchange_year.read),
    vintage_panel.NAME: Format(vintage_panel.find_layout, vintage_panel.KNOWN_HEADER, vintage_panel.read),
    bulletins.NAME: Format(bulletin_rows.find_layout, bulletins.KNOWN_HEADER, bulletin_rows.read),
    long_daily.NAME: Format(long_daily.find_layout, long_daily.KNOWN_HEADER, long_daily.read),
}

# Prices without tonnes, and rates of exchange.
QUOTE_FORMATS: dict[str, Format] = {
    icap.NAME: Format(icap.find_layout, icap.KNOWN_HEADER),
    rates_csv.NAME: Format(rates_csv.find_layout, rates_csv.KNOWN_HEADER),
}

_SHOWN_CHARACTERS = 200


def recognise(path: Path) -> str:
    """The name of the format of a file, by its first line: a key of FORMATS or QUOTE_FORMATS.

    Raises UnknownFormat, listing the headers that are known, and UnreadableFile.
    """
    header = read_header(path)
    for name, known in (FORMATS | QUOTE_FORMATS).items():
        if known.find_layout(header) is not None:
            return name
    raise _unknown_header(path.name, header)


def _unknown_header(file: str, header: Sequence[str]) -> UnknownFormat:
    shown = ",".join(header)[:_SHOWN_CHARACTERS] or "an empty line"
    known = "".join(f"\n  {name}: {entry.known_header}" for name, entry in (FORMATS | QUOTE_FORMATS).items())
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
    Raises UnknownFormat (QuotesOnly where the file prints no tonnes), UnknownMarket, UnreadableFile, FileTooLarge, and
    RepeatedHeading where one heading stands over two columns that differ.
    """
    name = recognise(path) if format_name is None else format_name
    if name in QUOTE_FORMATS:
        raise QuotesOnly(f"found {path.name} in the format {name}, which prints no tonnes; expected a file of trades")
    if name not in FORMATS:
        raise UnknownFormat(f"found format {name!r}, expected one of {', '.join(FORMATS)}")
    header = read_header(path)
    layout = FORMATS[name].find_layout(header)
    if layout is None:
        raise _unknown_header(path.name, header)
    key, shown, limits = resolve_market(market), file or path.name, Limits(max_bytes=max_bytes, max_rows=max_rows)
    if name != bulletins.NAME:
        headings = {*layout.columns.values(), *FORMATS[name].known_header.split(",")}
        refuse_repeated_headings(
            path, header, headings, header_rows=layout.header_rows, max_bytes=max_bytes, max_rows=max_rows
        )
    read = FORMATS[name].read
    if read is not None:
        return name, read(path, key, shown, limits)
    return name, read_rows_of(path, layout, market=key, file=shown, limits=limits)
