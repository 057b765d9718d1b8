"""Files of persons' consents and claims, and how any of these CSV files becomes cells and problems.

Knows headings and what a cell may hold. Must not know the database or salts. Persons and claims stand in these files
in clear, so no problem ever quotes them: only file, row and column are told.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.formats.user_tables import FileReading, read_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CLAIM_COLUMNS",
    "CONSENT_COLUMNS",
    "apart",
    "read_claims",
    "read_consents",
]

CLAIM_COLUMNS: Final = ("claim", "person", "day", "method", "amount", "unit")
"""Headings of a file of reductions: one trip, kWh or act a line."""
CONSENT_COLUMNS: Final = ("person", "hub", "event", "day", "purposes", "methods")
"""Headings of a file of consents. event : given or withdrawn; purposes, methods : with ; between, * for all."""
_SECRET: Final = ("claim", "person")


def apart(
    rows: "pl.DataFrame", rules: "Sequence[tuple[str, str, pl.Expr, str]]", file: str
) -> "tuple[pl.DataFrame, tuple[Problem, ...]]":
    """The rows that break no rule, and a problem for each rule that one breaks.

    rules : code, column, where it is broken, what was expected. Cells that may name a person are not quoted.
    """
    import polars as pl

    from carbon.findings import findings_where, to_problems

    findings = pl.concat(
        findings_where(
            rows,
            where,
            code=code,
            severity="error",
            column=column,
            found=pl.when(pl.col(column).is_null()).then(None).otherwise(pl.lit("(not shown)"))
            if column in _SECRET
            else pl.col(column),
            expected=pl.lit(expected),
        )
        for code, column, where, expected in rules
    )
    return rows.join(findings.select("row"), on="row", how="anti"), tuple(to_problems(findings, file))


def read_claims(path: Path, *, file: str | None = None) -> FileReading:
    """The reductions of a CSV file: row, claim, person, method, unit String, day Date, amount_milli Int64.

    amount : a decimal number with at most three decimals. Whether a claim may be recorded is not judged here.
    Raises as `carbon.formats.user_tables.read_cells`.
    """
    import polars as pl

    from carbon.units import scaled_from_text_expr

    read = read_cells(path, CLAIM_COLUMNS, file=file, hide_headings=True)
    rows = read.rows.with_columns(
        pl.col("day").str.to_date("%Y-%m-%d", strict=False).alias("on_day"),
        scaled_from_text_expr(pl.col("amount"), 3).alias("amount_milli"),
    )
    rules = [
        *(("empty_cell", name, pl.col(name).is_null(), "a text") for name in CLAIM_COLUMNS),
        ("bad_day", "day", pl.col("day").is_not_null() & pl.col("on_day").is_null(), "a day such as 2025-06-30"),
        (
            *("bad_amount", "amount", pl.col("amount").is_not_null() & pl.col("amount_milli").is_null()),
            "a number with at most three decimals",
        ),
    ]
    good, problems = apart(rows, rules, read.file)
    picked = good.select("row", "claim", "person", pl.col("on_day").alias("day"), "method", "amount_milli", "unit")
    return FileReading(read.file, picked, read.rows_read, (*read.problems, *problems))


def read_consents(path: Path, *, file: str | None = None) -> FileReading:
    """The consents of a CSV file: row, person, hub, event String, day Date, purposes, methods (lists of String).

    Raises as `carbon.formats.user_tables.read_cells`.
    """
    import polars as pl

    read = read_cells(path, CONSENT_COLUMNS, file=file, hide_headings=True)
    rows = read.rows.with_columns(pl.col("day").str.to_date("%Y-%m-%d", strict=False).alias("on_day"))
    rules = [
        *(("empty_cell", name, pl.col(name).is_null(), "a text") for name in CONSENT_COLUMNS),
        ("bad_day", "day", pl.col("day").is_not_null() & pl.col("on_day").is_null(), "a day such as 2025-06-30"),
    ]
    good, problems = apart(rows, rules, read.file)
    parts = (
        pl.col(name).str.split(";").list.eval(pl.element().str.strip_chars().filter(pl.element() != ""))
        for name in ("purposes", "methods")
    )
    picked = good.select("row", "person", "hub", "event", pl.col("on_day").alias("day"), *parts)
    return FileReading(read.file, picked, read.rows_read, (*read.problems, *problems))
