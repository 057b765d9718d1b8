"""A year of the national exchange's daily bulletins in one table: a line a day, with listed, block, auction and total.

Knows its headings (English) and its habits: figures are those of all vintages together, so the close is composite and
value / volume of listed trading may lie off it; days without trade print zeros and the close carried on. The product is
CEA, since no column names one. Must not know other formats.
"""

from collections.abc import Sequence
from pathlib import Path

from carbon.formats.parts import METHOD_COLUMNS, find_unlike_totals, lines_of, part_layouts, read_parts, typed_part
from carbon.formats.reading import Limits, Reading
from carbon.formats.text import read_header
from carbon.layout import Layout
from carbon.rows import LISTING

__all__ = ["KNOWN_HEADER", "NAME", "find_layout", "read"]

NAME = "exchange_year"

PRODUCT = "CEA"
SHARED = {"day": "date", "close": "close"}
FIGURES = {code: (f"{name}_volume_t", f"{name}_amount_cny") for code, name in METHOD_COLUMNS.items()}
TOTAL = ("total_volume_t", "total_amount_cny")
KNOWN_HEADER = ",".join([*SHARED.values(), *(name for pair in FIGURES.values() for name in pair), *TOTAL])


def _layouts(header: Sequence[str]) -> tuple[dict[int, Layout], Layout] | None:
    parts = part_layouts(NAME, header, SHARED, FIGURES, price_rule="composite", fixed_product=PRODUCT)
    total = part_layouts(NAME, header, SHARED, {LISTING: TOTAL}, price_rule="none", fixed_product=PRODUCT)
    return (parts, total[LISTING]) if parts and total else None


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of listed trading for a file with this first line; null where a heading is missing."""
    layouts = _layouts(header)
    return layouts[0][LISTING] if layouts else None


def read(path: Path, market: str, file: str, limits: Limits) -> Reading:
    """Up to three rows a line; lines whose parts do not make the total are set apart (error `parts_not_total`, C38).

    Raises UnreadableFile, FileTooLarge, UnknownMarket; ValueError where `find_layout` does not know the header.
    """
    layouts = _layouts(read_header(path))
    if layouts is None:
        raise ValueError(f"found {file} with other headings, expected {KNOWN_HEADER}")
    cells = lines_of(path, layouts[1], file, limits)
    parts = [typed_part(cells, layout) for layout in layouts[0].values()]
    return read_parts(parts, find_unlike_totals(parts, typed_part(cells, layouts[1])), market=market, file=file)
