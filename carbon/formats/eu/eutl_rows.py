"""Installations of the European log and their compliance year by year, as the log's account pages print them.

Knows the columns of the two extracts. Must not know how a compliance code is derived.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import Problem, UnknownFormat, UnreadableFile
from carbon.findings import findings_where, no_findings, to_problems
from carbon.formats.eu.cells import find_untyped, parse_cell, tonnes_rule, whole_number
from carbon.formats.eu.layouts import ColumnType
from carbon.formats.text import MAX_BYTES, decode, read_bytes, read_header, split_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EutlRows", "read_eutl_compliance", "read_eutl_installations"]

_TONNES = ("allocated", "allocated_second", "verified", "surrendered")
_COMPLIANCE = ("account_id", "year", *_TONNES, "allocated_raw", "verified_status", "compliance_code")
_CODES = r"^[ABCDEX]\*?$|^-$"
_STATUSES = ("Excluded", "Not Reported")

_INSTALLATION: Mapping[str, tuple[str, ColumnType]] = {
    "account_id": ("account_id", "whole"),
    "installation_id": ("installation_id", "text"),
    "installation_name": ("name", "text"),
    "permit_id": ("permit_id", "text"),
    "permit_entry_date": ("permit_entered", "moment"),
    "permit_expiration_Date": ("permit_expires", "moment"),
    "subsidiary_undertaking_name": ("subsidiary", "text"),
    "parent_undertaking_name": ("parent", "text"),
    "EPRTR_id": ("eprtr_id", "text"),
    "initial_emissions_year": ("first_year", "whole"),
    "final_emissions_year": ("last_year", "whole"),
    "first_address_line": ("address", "text"),
    "second_address_line": ("address_second", "text"),
    "postcode": ("postcode", "text"),
    "city": ("city", "text"),
    "country": ("country", "text"),
    "lat": ("latitude", "real"),
    "lon": ("longitude", "real"),
    "main_activity": ("activity", "text"),
}


@dataclass(frozen=True, eq=False)
class EutlRows:
    """What one extract holds: canonical rows, rows set apart in their raw form with `row`, and everything found."""

    rows: "pl.DataFrame"
    rejected: "pl.DataFrame"
    problems: tuple[Problem, ...]


def read_eutl_compliance(path: Path) -> EutlRows:
    """Read the compliance rows (Parquet, one a account and year).

    Result rows: account_id, year (Int64), allocated_t, allocated_second_t, allocated_third_t, verified_t,
    surrendered_t (Int64, whole tonnes, null where the page prints none), allocated_raw, verified_status,
    compliance_code (String, as printed), row (position in the file from 1). The second and third figure of an
    allocation cell are those its footnote marks give (****: Article 10c, *****: new entrants' reserve).
    A figure that is negative or not whole, an empty key and a repeated key set the row apart; an unknown code or
    status is kept and reported. Raises UnreadableFile, UnknownFormat.
    """
    import polars as pl

    try:
        raw = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected a Parquet file") from error
    missing = [column for column in _COMPLIANCE if column not in raw.columns]
    if missing:
        raise UnknownFormat(f"found {path.name} without {', '.join(missing)}, expected {', '.join(_COMPLIANCE)}")
    numbered = raw.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"), *_COMPLIANCE)
    findings = _compliance_findings(numbered)
    bad = numbered["row"].is_in(findings.filter(pl.col("severity") == "error")["row"].implode())
    third = pl.col("allocated_raw").str.extract(r"^\d+\s+\d+\s+\*+\s+(\d+)\s+\*+\s*$", 1)
    rows = numbered.filter(~bad).select(
        pl.col("account_id", "year").cast(pl.Int64),
        *[pl.col(name).cast(pl.Int64).alias(f"{name}_t") for name in _TONNES[:2]],
        third.cast(pl.Int64).alias("allocated_third_t"),
        *[pl.col(name).cast(pl.Int64).alias(f"{name}_t") for name in _TONNES[2:]],
        "allocated_raw",
        "verified_status",
        "compliance_code",
        "row",
    )
    return EutlRows(rows, numbered.filter(bad), tuple(to_problems(findings, path.name)))


def read_eutl_installations(path: Path, *, max_bytes: int = MAX_BYTES) -> EutlRows:
    """Read the installations (CSV, plain or gzip).

    Result rows: account_id (Int64), installation_id, name, permit_id (String), permit_entered, permit_expires (Date),
    subsidiary, parent, eprtr_id (String), first_year, last_year (Int64; 0, printed for "still emitting", is null),
    address, address_second, postcode, city, country (String), latitude, longitude (Float64, degrees; 0 and 0, printed
    for "not known", are null), activity (as printed), activity_code (Int64), activity_name (String), row (line).
    Only an account_id that is empty, no number or repeated sets a row apart; any other cell that cannot be read
    becomes null with a warning that holds its text. Raises UnreadableFile, FileTooLarge, UnknownFormat.
    """
    import polars as pl

    text = decode(read_bytes(path, max_bytes=max_bytes), path.name)
    header = read_header(path)
    missing = [heading for heading in _INSTALLATION if heading not in header]
    if missing:
        raise UnknownFormat(f"found {path.name} without {', '.join(missing)}, expected {', '.join(_INSTALLATION)}")
    raw = split_cells(text, path.name, width=len(header), header_rows=1)
    cells = raw.select("row", *[pl.col(f"c{header.index(heading)}").alias(heading) for heading in _INSTALLATION])
    typed = cells.select(
        *[parse_cell(pl.col(heading), kind).alias(name) for heading, (name, kind) in _INSTALLATION.items()], "row"
    )
    findings = _installation_findings(cells)
    bad = typed["row"].is_in(findings.filter(pl.col("severity") == "error")["row"].implode())
    nowhere = (pl.col("latitude") == 0) & (pl.col("longitude") == 0)
    rows = typed.filter(~bad).with_columns(
        pl.col("permit_entered", "permit_expires").dt.date(),
        pl.when(pl.col("last_year") != 0).then(pl.col("last_year")),
        *[pl.when(~nowhere).then(pl.col(name)) for name in ("latitude", "longitude")],
        whole_number(pl.col("activity").str.extract(r"^(\d+)-", 1)).alias("activity_code"),
        pl.col("activity").str.extract(r"^\d+-(.*)$", 1).alias("activity_name"),
    )
    return EutlRows(
        rows.select(*typed.columns[:-1], "activity_code", "activity_name", "row"),
        cells.filter(bad),
        tuple(to_problems(findings, path.name)),
    )


def _compliance_findings(rows: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    key = pl.struct("account_id", "year")
    keys = findings_where(
        rows,
        ~key.is_first_distinct() | pl.col("account_id").is_null() | pl.col("year").is_null(),
        code="repeated_key",
        severity="error",
        column="account_id + year",
        found=pl.concat_str(pl.col("account_id", "year").cast(pl.String).fill_null("nothing"), separator=" + "),
        expected=pl.lit("each account and year once"),
    )
    code = findings_where(
        rows,
        ~pl.col("compliance_code").str.contains(_CODES),
        code="unknown_compliance_code",
        severity="warning",
        column="compliance_code",
        found=pl.col("compliance_code"),
        expected=pl.lit("A, B, C, D, E, X, each with or without *, or -"),
    )
    status = findings_where(
        rows,
        ~pl.col("verified_status").is_in(_STATUSES),
        code="unknown_verified_status",
        severity="warning",
        column="verified_status",
        found=pl.col("verified_status"),
        expected=pl.lit(" or ".join(_STATUSES)),
    )
    return pl.concat([no_findings(), *[tonnes_rule(rows, column) for column in _TONNES], keys, code, status])


def _installation_findings(cells: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    account = whole_number(pl.col("account_id"))
    keys = findings_where(
        cells,
        account.is_null() | ~account.is_first_distinct(),
        code="account_id",
        severity="error",
        column="account_id",
        found=pl.col("account_id"),
        expected=pl.lit("a whole number that occurs once"),
    )
    cellwise = [
        find_untyped(cells, heading, kind).with_columns(pl.lit("warning").alias("severity"))
        for heading, (name, kind) in _INSTALLATION.items()
        if name != "account_id"
    ]
    return pl.concat([no_findings(), keys, *cellwise])
