"""The checks of one raw register file, row by row and among its rows.

Knows the codes of the checks (C16, C26, C27, C41, C42, C44) and the columns of `typing_rows`. Must not know headings of
any one register or where the bytes came from.
"""

from typing import TYPE_CHECKING

from carbon.findings import findings_where, no_findings
from carbon.formats.offsets.layouts import RegisterFile
from carbon.formats.offsets.serial_columns import find_overlaps
from carbon.units import KG_PER_T

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_event_rows", "find_equal_rows", "find_event_overlaps"]

_FIRST_VINTAGE, _LAST_VINTAGE = 1900, 2100


def check_event_rows(typed: "pl.DataFrame", layout: RegisterFile) -> "pl.DataFrame":
    """Findings of every check that needs one row only.

    typed : result of `type_event_cells`
    """
    import polars as pl

    found = [_check_row(typed, layout), _check_code(typed, layout), _check_total(typed, layout)]
    for number in range(len(layout.rules)):
        found += [_check_rule(typed, layout, number), _check_day(typed, layout, number)]
    return pl.concat(found)


def _check_row(typed: "pl.DataFrame", layout: RegisterFile) -> "pl.DataFrame":
    import polars as pl

    vintage = pl.col("vintage")
    wrong_vintage = pl.col("vintage_text").is_not_null() & ~vintage.is_between(_FIRST_VINTAGE, _LAST_VINTAGE).fill_null(
        False
    )
    return pl.concat(
        [
            findings_where(
                typed,
                pl.col("extra_text").is_not_null(),
                code="extra_cell",
                severity="error",
                column=None,
                found=pl.col("extra_text"),
                expected=pl.lit("no cell to the right of the last heading"),
            ),
            findings_where(
                typed,
                pl.col("project_id").is_null(),
                code="no_project",
                severity="error",
                column=layout.headings["project_id"],
                found=pl.lit("no project number"),
                expected=pl.lit("the register's number of a project"),
            ),
            findings_where(
                typed,
                wrong_vintage,
                code="unreadable_vintage",
                severity="error",
                column=layout.headings.get("vintage"),
                found=pl.col("vintage_text"),
                expected=pl.lit(f"a year from {_FIRST_VINTAGE} to {_LAST_VINTAGE}"),
            ),
            findings_where(
                typed,
                pl.col("serial_problem").is_not_null(),
                code="C42",
                severity="error",
                column=layout.headings.get("serial"),
                found=pl.col("serial_problem").str.strip_prefix("found "),
                expected=pl.lit("a serial range"),
            ),
        ]
    )


def _check_code(typed: "pl.DataFrame", layout: RegisterFile) -> "pl.DataFrame":
    import polars as pl

    if layout.code is None:
        return no_findings()
    known = [rule.code for rule in layout.rules if rule.code is not None]
    return findings_where(
        typed,
        ~pl.col("code").is_in(known).fill_null(False),
        code="C42",
        severity="error",
        column=layout.code,
        found=pl.col("code"),
        expected=pl.lit(f"one of {', '.join(known)}"),
    )


def _check_total(typed: "pl.DataFrame", layout: RegisterFile) -> "pl.DataFrame":
    """The printed total of an issuance is the sum of its parts."""
    import polars as pl

    if layout.total is None:
        return no_findings()
    per_unit = 1 if layout.unit == "kg" else KG_PER_T
    parts = pl.sum_horizontal(
        [f"quantity_{number}_kg" for number, rule in enumerate(layout.rules) if rule.event == "issuance"]
    )
    return findings_where(
        typed,
        pl.col("total") * per_unit != parts,
        code="parts_not_total",
        severity="error",
        column=layout.total,
        found=pl.col("total"),
        expected=pl.format("{}, the sum of the parts", parts // per_unit),
    )


def _check_rule(typed: "pl.DataFrame", layout: RegisterFile, number: int) -> "pl.DataFrame":
    """Quantity and serial range of one event in every row that holds it."""
    import polars as pl

    rule = layout.rules[number]
    held = typed.filter(f"applies_{number}")
    text, kg, tonnes = (pl.col(f"quantity_{number}_{part}") for part in ("text", "kg", "t"))
    shown = text if rule.less is None else pl.format("{} less {}", text, pl.lit(rule.less))
    in_range = pl.col("last") - pl.col("first") + 1
    # A kilogram register retires parts of a credit; a part of a buffer below one credit is left out, not a fault.
    too_small = (kg <= 0).fill_null(True) if not rule.is_main else (tonnes <= 0).fill_null(True)
    return pl.concat(
        [
            findings_where(
                held,
                too_small,
                code="C16",
                severity="error",
                column=rule.quantity,
                found=shown,
                expected=pl.lit("a positive whole number of credits of one tonne"),
            ),
            findings_where(
                held,
                kg % KG_PER_T != 0,
                code="C44",
                severity="warning",
                column=rule.quantity,
                found=pl.format("{} kg", kg),
                expected=pl.format("whole tonnes; {} t counted, {} kg left out", tonnes, kg % KG_PER_T),
            ),
            findings_where(
                held,
                tonnes != in_range,
                code="C26",
                severity="error",
                column=rule.quantity,
                found=shown,
                expected=pl.format("{}, the numbers from {} to {}", in_range, "first", "last"),
            ),
        ]
    )


def _check_day(typed: "pl.DataFrame", layout: RegisterFile, number: int) -> "pl.DataFrame":
    """The day of one event in every row that holds it."""
    import polars as pl

    rule = layout.rules[number]
    held = typed.filter(f"applies_{number}")
    day_text, day = pl.col(f"day_{number}_text"), pl.col(f"day_{number}")
    return pl.concat(
        [
            findings_where(
                held,
                day_text.is_not_null() & day.is_null(),
                code="unreadable_day",
                severity="error",
                column=rule.day,
                found=day_text,
                expected=pl.lit("a day as month/day/year" if layout.days == "us" else "a day as year-month-day"),
            ),
            findings_where(
                held,
                day_text.is_null() & pl.lit(rule.day is not None),
                code="no_day",
                severity="warning",
                column=rule.day,
                found=pl.lit(None, dtype=pl.String),
                expected=pl.lit(f"the day of the {rule.event}"),
            ),
        ]
    )


def find_equal_rows(cells: "pl.DataFrame") -> "pl.DataFrame":
    """Rows that repeat an earlier one in every cell (check C41): a warning, for some are true repeats.

    cells : row Int64 and columns of text
    """
    import polars as pl

    names = [name for name in cells.columns if name != "row"]
    counted = cells.select(
        "row",
        first_row=pl.col("row").first().over(names),
        copy=pl.int_range(1, pl.len() + 1).over(names),
        copies=pl.len().over(names),
    )
    return findings_where(
        counted,
        pl.col("copy") > 1,
        code="C41",
        severity="warning",
        column=None,
        found=pl.format("every cell of row {} again, copy {} of {}", "first_row", "copy", "copies"),
        expected=pl.lit("rows that differ; all copies are kept and numbered"),
    )


def find_event_overlaps(events: "pl.DataFrame") -> "pl.DataFrame":
    """Serial ranges that meet another of the same kind (check C27): no credit is issued twice, or retired or cancelled
    twice.

    events : columns of `credit_events_schema`, of one register
    """
    import polars as pl

    is_issuance = pl.col("event") == "issuance"
    return pl.concat([find_overlaps(events.filter(is_issuance)), find_overlaps(events.filter(~is_issuance))])
