"""Cells of a raw register file as typed columns, by its layout.

Knows how days, years and quantities are written. Must not know which rows are wrong or any register's headings.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbon.formats.offsets.layouts import EVENT_TEXTS, DayStyle, RegisterFile, plain_heading
from carbon.formats.offsets.serial_columns import parse_serials
from carbon.units import KG_PER_T, scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["day_expr", "heading_cells", "role_cells", "type_event_cells"]

_TIME_US = r"(?: [0-9]{1,2}:[0-9]{2}:[0-9]{2} [AP]M)?"
_TIME_ISO = r"(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|\+00:00)?)?"
# Groups of year, month and day; times are UTC, so that the printed day is the day.
_DAYS: dict[DayStyle, tuple[str, tuple[int, int, int]]] = {
    "us": (rf"^([0-9]{{1,2}})/([0-9]{{1,2}})/([0-9]{{4}}){_TIME_US}$", (3, 1, 2)),
    "iso": (rf"^([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_TIME_ISO}$", (1, 2, 3)),
}
_YEAR = r"^([0-9]{4})(?:\.0+|-[0-9]{2}-[0-9]{2})?$"


def day_expr(text: "pl.Expr", style: DayStyle) -> "pl.Expr":
    """Days (Date, UTC) of a text column; null where it is null or no day of this style.

    style : "us" for 4/13/2026 or 11/3/2025 7:10:41 PM, "iso" for 2026-04-13 or 2026-04-13T12:35:58.842275Z
    """
    import polars as pl

    pattern, order = _DAYS[style]
    year, month, day = (text.str.extract(pattern, group) for group in order)
    padded = pl.concat_str([year, month.str.zfill(2), day.str.zfill(2)], separator="-")
    return padded.str.to_date("%Y-%m-%d", strict=False)


def heading_cells(header: Sequence[str], heading: str) -> "pl.Expr":
    """The cells below a heading (single spaces)."""
    import polars as pl

    return pl.col(f"c{[plain_heading(cell) for cell in header].index(heading)}")


def role_cells(layout: RegisterFile, header: Sequence[str], role: str) -> "pl.Expr":
    """The texts of a role, cut out of the cell where the layout says so; null throughout where it has no such role."""
    import polars as pl

    heading = layout.headings.get(role)
    if heading is None:
        return pl.lit(None, dtype=pl.String)
    cells = heading_cells(header, heading)
    pattern = layout.extracts.get(role)
    return cells if pattern is None else cells.str.extract(pattern, 1)


def type_event_cells(cells: "pl.DataFrame", layout: RegisterFile, header: Sequence[str]) -> "pl.DataFrame":
    """Roles and quantities side by side, one line a row of the file.

    cells : result of `carbon.formats.text.split_cells`; header : cells of the first line
    Result : row; extra_text; project_id with its prefix; vintage_text, vintage Int64; the texts of EVENT_TEXTS; code;
    serial, stem, first, last, serial_problem; total (in the layout's unit); and for each rule i quantity_i_text,
    quantity_i_kg and quantity_i_t Int64, day_i_text, day_i Date, applies_i Boolean.
    """
    import polars as pl

    vintage = role_cells(layout, header, "vintage")
    code = pl.lit(None, dtype=pl.String) if layout.code is None else heading_cells(header, layout.code)
    total = pl.lit(None, dtype=pl.Int64)
    if layout.total is not None:
        total = scaled_from_text_expr(heading_cells(header, layout.total), 0)
    typed = cells.select(
        "row",
        pl.col(f"c{len(header)}").alias("extra_text"),
        (pl.lit(layout.prefix) + role_cells(layout, header, "project_id")).alias("project_id"),
        vintage.alias("vintage_text"),
        vintage.str.extract(_YEAR, 1).cast(pl.Int64).alias("vintage"),
        *[role_cells(layout, header, role).alias(role) for role in EVENT_TEXTS],
        code.alias("code"),
        _serial_texts(layout, header).alias("serial_text"),
        total.alias("total"),
        *[column for rule in range(len(layout.rules)) for column in _rule_columns(layout, header, rule)],
    )
    serials = parse_serials(typed["serial_text"]).select("serial", "stem", "first", "last", serial_problem="problem")
    return typed.drop("serial_text").hstack(serials).with_columns(_applies(layout))


def _serial_texts(layout: RegisterFile, header: Sequence[str]) -> "pl.Expr":
    import polars as pl

    series = role_cells(layout, header, "serial")
    if "first" not in layout.headings:
        return series
    first, last = (role_cells(layout, header, role).fill_null("nothing") for role in ("first", "last"))
    return pl.concat_str([series, pl.lit(" "), first, pl.lit(" to "), last])


def _rule_columns(layout: RegisterFile, header: Sequence[str], number: int) -> "list[pl.Expr]":
    import polars as pl

    rule = layout.rules[number]
    text = heading_cells(header, rule.quantity)
    amount = scaled_from_text_expr(text, 0)
    if rule.less is not None:
        # No buffer printed means that no part of the total is one.
        part = heading_cells(header, rule.less)
        amount = amount - pl.when(part.is_not_null()).then(scaled_from_text_expr(part, 0)).otherwise(0)
    kg = amount if layout.unit == "kg" else amount * KG_PER_T
    day = pl.lit(None, dtype=pl.String) if rule.day is None else heading_cells(header, rule.day)
    return [
        text.alias(f"quantity_{number}_text"),
        kg.alias(f"quantity_{number}_kg"),
        (kg // KG_PER_T).alias(f"quantity_{number}_t"),
        day.alias(f"day_{number}_text"),
        day_expr(day, layout.days).alias(f"day_{number}"),
    ]


def _applies(layout: RegisterFile) -> "list[pl.Expr]":
    """Whether each rule's event is in the row: an empty quantity of a main event is a fault, of another it is none."""
    import polars as pl

    columns = []
    for number, rule in enumerate(layout.rules):
        applies = pl.lit(True)
        if rule.code is not None:
            applies = applies & (pl.col("code") == rule.code).fill_null(False)
        if rule.where_day:
            applies = applies & pl.col(f"day_{number}_text").is_not_null()
        if not rule.is_main:
            is_zero = (pl.col(f"quantity_{number}_kg") == 0).fill_null(False)
            applies = applies & pl.col(f"quantity_{number}_text").is_not_null() & ~is_zero
        columns.append(applies.alias(f"applies_{number}"))
    return columns
