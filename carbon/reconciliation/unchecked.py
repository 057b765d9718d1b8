"""What a file prints before any rule is applied: parts beside their totals, and the lines that the rules set apart.

Knows how the formats of trades are read without their rules, so that a reader sees what was left out of a comparison.
Must not know any rule, identity or measure. Bulletins and files of quotes are left out: their lines are no rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import Problem
from carbon.rows import ALL, empty_rows

if TYPE_CHECKING:
    import polars as pl

    from carbon.formats.parts import Part
    from carbon.layout import Layout

__all__ = ["SetApart", "printed_table", "rows_set_apart"]


@dataclass(frozen=True, eq=False)
class SetApart:
    """The lines of trading files that broke a rule, as they are printed.

    rows : canonical rows that no rule has checked; quotes : the prices of the same lines (`carbon.quotes`)
    feeds : the feeds that are known here, with or without such lines
    """

    rows: "pl.DataFrame"
    quotes: "pl.DataFrame"
    feeds: tuple[str, ...]


def rows_set_apart(path: Path, name: str, market: str, problems: Sequence[Problem]) -> "pl.DataFrame":
    """The lines of one file with an error, as canonical rows of what could be read of them; none of bulletins.

    name : a key of `carbon.formats.FORMATS`; market : market key; problems : those of the file
    A figure that cannot be read, and the day of a line without one, is null. Raises UnreadableFile, FileTooLarge.
    """
    import polars as pl

    from carbon.formats.reading import canonical_rows

    parts = _parts_of(path, name, market)
    bad = sorted({each.row for each in problems if each.severity == "error" and each.row is not None})
    is_printed = pl.col("volume_text").is_not_null() | pl.col("value_text").is_not_null()
    found = [part.typed.filter(pl.col("row").is_in(bad), is_printed | pl.col("day").is_null()) for part in parts]
    rows = [canonical_rows(typed, part.layout, market, path.name) for typed, part in zip(found, parts, strict=True)]
    return pl.concat([empty_rows(), *rows])


def printed_table(path: Path, name: str, market: str) -> "pl.DataFrame":
    """The parts and the totals of a table that prints both side by side, line for line and unchecked; no rows for other
    formats. Arguments and errors as `rows_set_apart`.
    """
    import polars as pl

    from carbon.formats.reading import canonical_rows

    parts = _parts_and_total(path, name)
    rows = [canonical_rows(part.typed, part.layout, market, path.name) for part in parts.values()]
    return pl.concat([empty_rows(), *rows])


def _parts_of(path: Path, name: str, market: str) -> "Sequence[Part]":
    """The unchecked lines of one market by method."""
    from carbon.formats import FORMATS, Limits, bulletins, long_daily
    from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_header

    if name == bulletins.NAME:
        return []
    if name == long_daily.NAME:
        limits = Limits(max_bytes=MAX_BYTES, max_rows=MAX_ROWS)
        return long_daily.read_sources(path, market, path.name, limits)[0]
    by_method = _parts_and_total(path, name)
    if by_method:
        return [part for method, part in by_method.items() if method != ALL]
    layout = FORMATS[name].find_layout(read_header(path))
    return [] if layout is None else [_part_of_rows(path, layout, market)]


def _part_of_rows(path: Path, layout: "Layout", market: str) -> "Part":
    """The lines of one market in a file whose lines are rows."""
    from carbon.formats.parts import Part
    from carbon.formats.text import decode, read_bytes, split_cells
    from carbon.layout import type_cells
    from carbon.scope import assume_products, is_of_others

    cells = split_cells(
        decode(read_bytes(path), path.name), path.name, width=layout.width, header_rows=layout.header_rows
    )
    typed = type_cells(cells, layout)
    return Part(assume_products(typed.filter(~is_of_others(layout, market)), layout), layout)


def _parts_and_total(path: Path, name: str) -> "dict[int, Part]":
    """Method -> its lines, with the total under ALL; empty for formats that print no parts beside totals."""
    from carbon.formats import Limits, exchange_year, vintage_panel
    from carbon.formats.parts import lines_of, part_layouts, typed_part
    from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_header

    header = read_header(path)
    if name == exchange_year.NAME:
        figures, product = {**exchange_year.FIGURES, ALL: exchange_year.TOTAL}, exchange_year.PRODUCT
        layouts = part_layouts(name, header, exchange_year.SHARED, figures, price_rule="none", fixed_product=product)
    elif name == vintage_panel.NAME:
        figures = {**vintage_panel.FIGURES, ALL: vintage_panel.TOTAL}
        layouts = part_layouts(name, header, vintage_panel.SHARED, figures, price_rule="none")
    else:
        layouts = None
    if not layouts:
        return {}
    lines = lines_of(path, layouts[ALL], path.name, Limits(max_bytes=MAX_BYTES, max_rows=MAX_ROWS))
    return {method: typed_part(lines, layout) for method, layout in layouts.items()}
