"""OffsetsDB's tables of credits and projects: reading, writing, and our events in their columns.

Knows the columns and the id prefixes of CarbonPlan's database. Must not know raw registers' headings.
Source: carbonplan/offsets-db-data, models of credits and projects (commit cdfd8f7); issuances are summed there by
project, day and vintage, and serial numbers are dropped. Confidence H.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from carbon.errors import FileTooLarge, Problem, UnknownFormat, UnreadableFile
from carbon.findings import findings_where, to_problems
from carbon.formats.offsets.layouts import EVENTS, first_cells
from carbon.formats.text import MAX_BYTES, MAX_ROWS, decode, read_bytes, split_cells
from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CREDIT_COLUMNS", "PREFIXES", "PROJECT_COLUMNS", "OffsetsDbReading", "read_offsetsdb", "write_offsetsdb"]

CREDIT_COLUMNS = (
    "quantity",
    "project_id",
    "vintage",
    "transaction_date",
    "transaction_type",
    "retirement_account",
    "retirement_reason",
    "retirement_note",
    "retirement_beneficiary",
    "retirement_beneficiary_harmonized",
    "transaction_url",
)
PROJECT_COLUMNS = (
    "protocol",
    "protocol_unassigned",
    "category",
    "project_type",
    "project_type_source",
    "retired",
    "issued",
    "project_id",
    "name",
    "registry",
    "proponent",
    "status",
    "country",
    "listed_at",
    "first_issuance_at",
    "first_retirement_at",
    "is_compliance",
    "project_url",
)
PREFIXES = {
    "VCS": "verra",
    "GLD": "gold_standard",
    "ACR": "american_carbon_registry",
    "ART": "art_trees",
    "CAR": "climate_action_reserve",
    "CCB": "cercarbono",
    "ISO": "isometric",
}
_DAYS = ("transaction_date", "listed_at", "first_issuance_at", "first_retirement_at")
_WHOLE = ("quantity", "retired", "issued", "quantity_kg", "first", "last", "copy", "row")
_TRUTHS = ("is_compliance", "is_buffer")
_DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]+(?:Z|\+00:00)?)?$"
_YEAR = r"^([0-9]{4})(?:\.0+)?$"
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, eq=False)
class OffsetsDbReading:
    """One table of OffsetsDB. rows_read = rows kept + rows set apart.

    table : "credits" or "projects"
    rows : the file's own columns in its own order: whole numbers Int64 (quantity in tonnes, vintage a year), days Date
    (UTC), is_compliance and is_buffer Boolean, everything else text as printed, lists too
    quarantine : row and raw (the cells as JSON) of the rows set apart
    """

    table: Literal["credits", "projects"]
    rows: "pl.DataFrame"
    quarantine: "pl.DataFrame"
    problems: tuple[Problem, ...]
    rows_read: int


def read_offsetsdb(path: Path, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> OffsetsDbReading:
    """Read credits or projects of OffsetsDB, .csv, .csv.gz or .parquet, told by the columns.

    Raises UnknownFormat where columns are missing, UnreadableFile, FileTooLarge.
    """
    import polars as pl

    data = read_bytes(path, max_bytes=max_bytes)
    cells = (
        _parquet_cells(data, path.name, max_rows) if data[:4] == _PARQUET_MAGIC else _csv_cells(data, path, max_rows)
    )
    table = _table_of(cells.columns, path.name)
    names = [name for name in cells.columns if name != "line"]
    checked = cells.select(
        pl.col("line").alias("row"),
        *[pl.col(name).alias(f"{name} text") for name in names],
        *[_typed(name).alias(f"typed {name}") for name in names],
    )
    findings = _check_credits(checked) if table == "credits" else _check_projects(checked)
    findings = pl.concat([findings, *[_check_reading(checked, name) for name in names if name in (*_DAYS, *_WHOLE)]])
    bad = findings.filter(pl.col("severity") == "error")["row"].unique().implode()
    raw = pl.struct(names).struct.json_encode().alias("raw")
    return OffsetsDbReading(
        table=table,
        rows=checked.filter(~pl.col("row").is_in(bad)).select(pl.col(f"typed {name}").alias(name) for name in names),
        quarantine=cells.filter(pl.col("line").is_in(bad)).select(pl.col("line").alias("row"), raw),
        problems=tuple(to_problems(findings, path.name)),
        rows_read=cells.height,
    )


def _csv_cells(data: bytes, path: Path, max_rows: int) -> "pl.DataFrame":
    """All columns as text, with the line number."""
    import polars as pl

    text = decode(data, path.name)
    header = [cell.strip() for cell in first_cells(text, path.name)]
    if len(set(header)) < len(header) or "line" in header:
        raise UnknownFormat(f"found in the first line of {path.name} a heading twice, expected each column once")
    cells = split_cells(text, path.name, width=len(header), header_rows=1, max_rows=max_rows)
    cells = cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    too_long = cells.filter(pl.col(f"c{len(header)}").is_not_null())
    if too_long.height:
        raise UnreadableFile(f"found {path.name}, row {too_long['row'][0]} with more cells than headings")
    places = [pl.col(f"c{place}").alias(name) for place, name in enumerate(header)]
    return cells.select(pl.col("row").alias("line"), *places)


def _parquet_cells(data: bytes, file: str, max_rows: int) -> "pl.DataFrame":
    """The same of a Parquet file; lines count from 2, as if the columns' names were the first."""
    import polars as pl
    import polars.selectors as cs

    try:
        table = pl.read_parquet(io.BytesIO(data), n_rows=max_rows + 1)
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(f"found {file}: {error}; expected a readable .parquet file") from error
    if table.height > max_rows:
        raise FileTooLarge(f"found {file} with more than {max_rows} rows, expected at most {max_rows}")
    lists = [pl.struct(name).struct.json_encode().str.json_path_match(f"$.{name}") for name in _list_columns(table)]
    texts = table.with_columns(cs.temporal().dt.strftime("%Y-%m-%d"), *lists)
    return texts.select(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("line"), pl.all().cast(pl.String))


def _list_columns(table: "pl.DataFrame") -> list[str]:
    import polars as pl

    return [name for name, dtype in table.schema.items() if isinstance(dtype, pl.List)]


def _table_of(names: list[str], file: str) -> Literal["credits", "projects"]:
    if set(CREDIT_COLUMNS) <= set(names):
        return "credits"
    if set(PROJECT_COLUMNS) <= set(names):
        return "projects"
    raise UnknownFormat(
        f"found columns {', '.join(names)[:200]} in {file}\nexpected one of these tables:"
        f"\n  credits: {', '.join(CREDIT_COLUMNS)}\n  projects: {', '.join(PROJECT_COLUMNS)}"
    )


def _typed(name: str) -> "pl.Expr":
    import polars as pl

    text = pl.col(name)
    if name in _WHOLE:
        return scaled_from_text_expr(text, 0).alias(name)
    if name == "vintage":
        return text.str.extract(_YEAR, 1).cast(pl.Int64).alias(name)
    if name in _DAYS:
        return text.str.extract(_DAY, 1).str.to_date("%Y-%m-%d", strict=False).alias(name)
    if name in _TRUTHS:
        return text.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None).alias(name)
    return text


def _check_reading(checked: "pl.DataFrame", name: str) -> "pl.DataFrame":
    """A cell that holds something which is no day or no whole number."""
    import polars as pl

    return findings_where(
        checked,
        pl.col(f"{name} text").is_not_null() & pl.col(f"typed {name}").is_null(),
        code="unreadable_day" if name in _DAYS else "C16",
        severity="error",
        column=name,
        found=pl.col(f"{name} text"),
        expected=pl.lit("a day as year-month-day, UTC" if name in _DAYS else "a whole number"),
    )


def _check_prefix(checked: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    project = pl.col("project_id text")
    return findings_where(
        checked,
        ~project.str.slice(0, 3).is_in(list(PREFIXES)).fill_null(False),
        code="C42",
        severity="error",
        column="project_id",
        found=project,
        expected=pl.lit(f"a number that begins with one of {', '.join(PREFIXES)}"),
    )


def _check_projects(checked: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    project = pl.col("project_id text")
    twice = findings_where(
        checked,
        project.is_not_null() & ~project.is_first_distinct(),
        code="C41",
        severity="error",
        column="project_id",
        found=project,
        expected=pl.lit("each project once; the first line counts"),
    )
    return pl.concat([_check_prefix(checked), twice])


def _check_credits(checked: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    quantity, kind = pl.col("typed quantity"), pl.col("transaction_type text")
    not_positive = (quantity <= 0) | pl.col("quantity text").is_null()
    wrong_vintage = pl.col("vintage text").is_not_null() & pl.col("typed vintage").is_null()
    rules = [
        (not_positive, "C16", "error", "quantity", pl.lit("a positive whole number of tonnes")),
        (
            ~kind.is_in(EVENTS).fill_null(False),
            "C42",
            "error",
            "transaction_type",
            pl.lit(f"one of {', '.join(EVENTS)}"),
        ),
        (wrong_vintage, "unreadable_vintage", "error", "vintage", pl.lit("a year")),
        (pl.col("transaction_date text").is_null(), "no_day", "warning", "transaction_date", pl.lit("a day")),
    ]
    found = [
        findings_where(
            checked,
            where,
            code=code,
            severity="error" if severity == "error" else "warning",
            column=column,
            found=pl.col(f"{column} text"),
            expected=expected,
        )
        for where, code, severity, column, expected in rules
    ]
    return pl.concat([_check_prefix(checked), *found])


def write_offsetsdb(rows: "pl.DataFrame", path: Path) -> None:
    """Write a table as .csv or .parquet, told by the name; quantities as floats and days as UTC times, as they have it.

    rows : as `read_offsetsdb` gives them, or from `carbon.formats.offsets.offsetsdb_rows`
    Raises UnknownFormat for another ending.
    """
    import polars as pl

    days = [name for name in rows.columns if name in _DAYS]
    floats = [name for name in rows.columns if name in ("quantity", "retired", "issued")]
    times = rows.with_columns(
        pl.col(days).cast(pl.Datetime("us", "UTC")) if days else pl.lit(None).alias("_"),
        pl.col(floats).cast(pl.Float64),
    ).select(rows.columns)
    if path.suffix == ".parquet":
        times.write_parquet(path)
    elif path.suffix == ".csv":
        times.with_columns(pl.col(days).dt.strftime("%Y-%m-%d 00:00:00+00:00")).write_csv(path)
    else:
        raise UnknownFormat(f"found {path.name}, expected a name that ends with .csv or .parquet")
