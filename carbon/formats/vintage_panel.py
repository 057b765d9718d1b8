"""A panel of the national market by vintage: a line a day and vintage, with listed, block, auction and total.

Knows its headings (English) and its habits. Empty cells are "not printed" and never zero; the product is the vintage
("CEA" before vintages were listed, "CEA21" after); the listing close is value / volume; chg_pct is printed without its
sign on some days; source_month names the monthly table that a line was taken from. Must not know other formats.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.calendar import sessions_of_years
from carbon.findings import findings_where
from carbon.formats.changes import find_unsigned_changes, find_wrong_changes
from carbon.formats.parts import (
    METHOD_COLUMNS,
    Part,
    find_unlike_totals,
    lines_of,
    part_layouts,
    read_parts,
    typed_part,
)
from carbon.formats.reading import Limits, Reading
from carbon.formats.text import read_header
from carbon.layout import Layout
from carbon.rows import LISTING
from carbon.units import scaled_from_text_expr, well_formed_number_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KNOWN_HEADER", "NAME", "find_layout", "read"]

NAME = "vintage_panel"

SHARED = {
    "day": "trade_date",
    "product": "vintage",
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
}
CHANGE, MONTH = "chg_pct", "source_month"
FIGURES = {code: (f"{name}_vol_t", f"{name}_amt_cny") for code, name in METHOD_COLUMNS.items()}
TOTAL = ("total_vol_t", "total_amt_cny")
KNOWN_HEADER = ",".join(
    [*SHARED.values(), CHANGE, *TOTAL, *(name for pair in FIGURES.values() for name in pair), MONTH]
)

_CHANGE_DECIMALS = 2


def _layouts(header: Sequence[str]) -> tuple[dict[int, Layout], Layout] | None:
    if CHANGE not in header or MONTH not in header:
        return None
    parts = part_layouts(NAME, header, SHARED, FIGURES, price_rule="close_is_vwap")
    total = part_layouts(NAME, header, SHARED, {LISTING: TOTAL}, price_rule="none")
    return (parts, total[LISTING]) if parts and total else None


def find_layout(header: Sequence[str]) -> Layout | None:
    """The layout of listed trading for a file with this first line; null where a heading is missing."""
    layouts = _layouts(header)
    return layouts[0][LISTING] if layouts else None


def read(path: Path, market: str, file: str, limits: Limits) -> Reading:
    """Up to three rows a line, and the line's own faults.

    Errors: `parts_not_total` (C38), `misplaced_row` (the day lies outside the month of its table, so that one of the
    two is wrong). Warnings on the change, which no row keeps: `unsigned_change`, `change_not_closes` and
    `unreadable_change`.
    Raises UnreadableFile, FileTooLarge, UnknownMarket; ValueError where `find_layout` does not know the header.
    """
    import polars as pl

    header = read_header(path)
    layouts = _layouts(header)
    if layouts is None:
        raise ValueError(f"found {file} with other headings, expected {KNOWN_HEADER}")
    cells = lines_of(path, layouts[1], file, limits)
    parts = [typed_part(cells, layout) for layout in layouts[0].values()]
    listed = _with_change(parts[0], cells, header)
    sessions = sessions_of_years(listed["day"].dt.year().drop_nulls().unique().to_list())
    wrong = find_wrong_changes(listed, sessions, column=CHANGE)
    unsigned = find_unsigned_changes(listed, column=CHANGE).join(wrong.select("row"), on="row", how="anti")
    findings = [
        find_unlike_totals(parts, typed_part(cells, layouts[1])),
        _find_misplaced(listed),
        _find_unreadable_changes(listed),
        wrong,
        unsigned,
    ]
    return read_parts(parts, pl.concat(findings), market=market, file=file)


def _with_change(part: Part, cells: "pl.DataFrame", header: Sequence[str]) -> "pl.DataFrame":
    """The listing part with change_text, change (hundredths of a per cent) and month_text."""
    import polars as pl

    printed = cells.select(
        "row",
        pl.col(f"c{header.index(CHANGE)}").alias("change_text"),
        pl.col(f"c{header.index(MONTH)}").alias("month_text"),
    )
    number = pl.col("change_text").str.strip_suffix("%")
    return part.typed.join(printed, on="row").with_columns(change=scaled_from_text_expr(number, _CHANGE_DECIMALS))


def _find_misplaced(listed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return findings_where(
        listed,
        pl.col("day").dt.strftime("%Y-%m") != pl.col("month_text"),
        code="misplaced_row",
        severity="error",
        column=SHARED["day"],
        found=pl.col("day_text"),
        expected=pl.format("a day of {}, the month of the table that the line comes from", "month_text"),
    )


def _find_unreadable_changes(listed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    text = pl.col("change_text")
    return findings_where(
        listed,
        text.is_not_null() & (pl.col("change").is_null() | ~well_formed_number_expr(text.str.strip_suffix("%"))),
        code="unreadable_change",
        severity="warning",
        column=CHANGE,
        found=text,
        expected=pl.lit("per cent with at most two decimals, such as -0.40"),
    )
