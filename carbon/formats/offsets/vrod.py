"""The Voluntary Registry Offsets Database (Berkeley Carbon Trading Project): projects and their credits by year.

Knows the columns of its table of projects. Must not know raw registers' headings.
Four groups of columns carry the same years (1996, 1996.1, ...) without a name of the group; what each group is follows
from the totals, which agree for all 10,975 projects of v2025-12 (measured, confidence H for the sums, M for the names).
Source: gspp.berkeley.edu, Voluntary Registry Offsets Database, PROJECTS sheet.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import FileTooLarge, Problem, UnknownFormat, UnreadableFile
from carbon.findings import findings_where, to_problems
from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_bytes

if TYPE_CHECKING:
    import polars as pl

__all__ = ["VROD_MEASURES", "VrodReading", "read_vrod"]

# Measure -> ending of its year columns and the heading of its printed total.
VROD_MEASURES = {
    "issued_by_vintage": ("", "Total Credits Issued"),
    "retired_by_year_of_retirement": (".1", "Total Credits Retired"),
    "remaining_by_vintage": (".2", "Total Credits Remaining"),
    "issued_by_year_of_issuance": (".3", "Total Credits Issued"),
}
_UNKNOWN_YEAR = "Year Unknown"
_TEXTS = {
    "name": "Project Name",
    "register": "Voluntary Registry",
    "status": "Voluntary Status",
    "project_type": "Type",
    "protocol": "Methodology / Protocol",
    "country": "Country",
    "proponent": "Project Developer",
    "url": "Registry Documents",
}
_TOTALS = {
    "issued_t": "Total Credits Issued",
    "retired_t": "Total Credits Retired",
    "remaining_t": "Total Credits Remaining",
    "buffer_t": "Total Buffer Pool Deposits",
}
_REGISTERED = "Project Registered"
_PROJECT = "Project ID"
_YEAR = r"^[0-9]{4}"


@dataclass(frozen=True, eq=False)
class VrodReading:
    """What the table holds; every project is kept, and every total that its years do not give is a problem.

    projects : project_id (as printed), name, register, status, project_type, protocol, country, proponent, url String;
    registered_on Date; issued_t, retired_t, remaining_t, buffer_t Int64; row
    years : project_id, measure (key of VROD_MEASURES), year Int64 (null where the year is unknown), quantity_t Int64;
    zeros are left out, since the table prints one for every year without credits
    """

    projects: "pl.DataFrame"
    years: "pl.DataFrame"
    problems: tuple[Problem, ...]
    rows_read: int


def read_vrod(path: Path, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> VrodReading:
    """Read the table of projects, .parquet.

    Row numbers count from 2, as if the columns' names were line 1. Raises UnknownFormat where columns are missing,
    UnreadableFile, FileTooLarge.
    """
    import polars as pl

    data = read_bytes(path, max_bytes=max_bytes)
    try:
        table = pl.read_parquet(io.BytesIO(data), n_rows=max_rows + 1)
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected a readable .parquet file") from error
    if table.height > max_rows:
        raise FileTooLarge(f"found {path.name} with more than {max_rows} rows, expected at most {max_rows}")
    table = table.rename({name: " ".join(name.split()) for name in table.columns})
    needed = {_PROJECT, _REGISTERED, _UNKNOWN_YEAR, *_TEXTS.values(), *_TOTALS.values()}
    missing = sorted(needed - set(table.columns))
    if missing:
        raise UnknownFormat(f"found {path.name} without {', '.join(missing)}, expected VROD's table of projects")
    quantities = [name for measure in VROD_MEASURES for name in _year_columns(table.columns, measure)]
    broken = [name for name in (*quantities, *_TOTALS.values()) if not table.schema[name].is_integer()]
    if broken:
        raise UnknownFormat(f"found {path.name} with {broken[0]} as {table.schema[broken[0]]}, expected whole tonnes")
    numbered = table.with_columns(row=pl.int_range(2, pl.len() + 2, dtype=pl.Int64))
    findings = pl.concat([_check_totals(numbered, measure) for measure in VROD_MEASURES])
    return VrodReading(
        projects=_projects(numbered),
        years=pl.concat([_long(numbered, measure) for measure in VROD_MEASURES]),
        problems=tuple(to_problems(pl.concat([findings, _check_remaining(numbered)]), path.name)),
        rows_read=table.height,
    )


def _projects(table: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return table.select(
        pl.col(_PROJECT).alias("project_id"),
        *[pl.col(heading).cast(pl.String).alias(name) for name, heading in _TEXTS.items()],
        pl.col(_REGISTERED).cast(pl.Date).alias("registered_on"),
        *[pl.col(heading).cast(pl.Int64).alias(name) for name, heading in _TOTALS.items()],
        "row",
    )


def _year_columns(names: Sequence[str], measure: str) -> list[str]:
    ending = VROD_MEASURES[measure][0]
    found = [name for name in names if name[:4].isdigit() and name[4:] == ending]
    # Retirements of an unknown year belong to the printed total as well.
    return [*found, _UNKNOWN_YEAR] if measure == "retired_by_year_of_retirement" else found


def _long(table: "pl.DataFrame", measure: str) -> "pl.DataFrame":
    import polars as pl

    long = table.unpivot(
        _year_columns(table.columns, measure), index=_PROJECT, variable_name="year", value_name="quantity_t"
    )
    return long.filter(pl.col("quantity_t") != 0).select(
        pl.col(_PROJECT).alias("project_id"),
        pl.lit(measure).alias("measure"),
        pl.col("year").str.extract(f"({_YEAR[1:]})").cast(pl.Int64),
        pl.col("quantity_t").cast(pl.Int64),
    )


def _check_totals(table: "pl.DataFrame", measure: str) -> "pl.DataFrame":
    import polars as pl

    total = VROD_MEASURES[measure][1]
    years = pl.sum_horizontal(_year_columns(table.columns, measure), ignore_nulls=False)
    return findings_where(
        table,
        years.ne_missing(pl.col(total)) | years.is_null(),
        code="years_not_total",
        severity="error",
        column=total,
        found=pl.format("{} of project {}", pl.col(total).cast(pl.String).fill_null("nothing"), _PROJECT),
        expected=pl.format("{}, the sum of {}", years.cast(pl.String).fill_null("a number"), pl.lit(measure)),
    )


def _check_remaining(table: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    issued, retired, remaining = (pl.col(_TOTALS[name]) for name in ("issued_t", "retired_t", "remaining_t"))
    return findings_where(
        table,
        issued - retired != remaining,
        code="C25",
        severity="error",
        column=_TOTALS["remaining_t"],
        found=pl.format("{} of project {}", remaining, _PROJECT),
        expected=pl.format("{}, issued less retired", issued - retired),
    )
