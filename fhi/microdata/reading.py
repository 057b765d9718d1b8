"""Reading microdata: files to checked rows, in streams, with bad rows and unknown cities set apart.

Knows files, schemas and hubs. Knows no indicator. Nothing is read whole: names and categories are resolved on their
distinct values and replaced in the stream, figures are parsed in the stream, and only counts and small groups leave
it. The distinct names of cities, and the groups of a builder, are what must fit in memory; rows need not.

In a checked frame a declared column `x` is `raw:x` (text as it stands), `in:x` (is there anything), and `x` (as read;
for a city its hub); `fault` is the number of the first fault of the row, null in a good one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import PanelError, Problem
from fhi.hubs import resolve_hubs
from fhi.microdata.schema import MISSING, Column, Fault, InputSchema, is_present, list_faults, parse

SUFFIXES: Final = (".csv", ".csv.gz", ".parquet")
ROW: Final = "row"
_UNKNOWN: Final = pl.Schema(
    {"column": pl.String, "name": pl.String, "rows": pl.Int64, "reason": pl.String, "suggestion": pl.String}
)
_BAD: Final = pl.Schema(
    {
        "file": pl.String,
        "row": pl.Int64,
        "column": pl.String,
        "found": pl.String,
        "expected": pl.String,
        "code": pl.String,
    }
)


@dataclass(frozen=True)
class Checked:
    """Rows read and checked, not yet collected.

    frame: see the module; schema and faults: what was checked; unknown_cities: column, name, rows, reason,
    suggestion, most frequent first; unread: headers of the files that the schema does not declare.
    """

    frame: pl.LazyFrame
    schema: InputSchema
    faults: tuple[Fault, ...]
    unknown_cities: pl.DataFrame
    unread: tuple[str, ...]


def scan(path: Path) -> pl.LazyFrame:
    """The rows of a .csv, .csv.gz (UTF-8, all cells as text) or .parquet file, unread, counted in `row`.

    Lines of a text file are counted with its header, which is line 1; rows of a Parquet file from 1.

    Raises PanelError where the file is missing, has another suffix, or has a column called `row` itself.
    """
    if not path.is_file() or not path.name.endswith(SUFFIXES):
        found = "another kind of file" if path.is_file() else "no such file"
        raise PanelError([Problem(str(path), found, f"a file ending in {', '.join(SUFFIXES)}", "unreadable_file")])
    try:
        if path.suffix == ".parquet":
            frame = pl.scan_parquet(path, row_index_name=ROW, row_index_offset=1)
        else:
            frame = pl.scan_csv(path, infer_schema=False, row_index_name=ROW, row_index_offset=2)
        frame.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise PanelError([_unreadable(path, error)]) from error
    return frame


def check(paths: Sequence[Path], schema: InputSchema) -> Checked:
    """Files of one kind as one checked frame, with every city and category resolved.

    Raises PanelError with all files that cannot be read and all required columns that are missing.
    """
    problems: list[Problem] = [] if paths else [Problem(schema.kind, "no files", "at least one file", "no_files")]
    frames, unread = [], []
    for path, label in zip(paths, label_files(paths), strict=True):
        try:
            frame, extra = _declare(scan(path), schema, path, label)
        except PanelError as error:
            problems += error.problems
            continue
        frames.append(frame)
        unread += [header for header in extra if header not in unread]
    if problems:
        raise PanelError(problems)
    frame = pl.concat(frames)
    coded = schema.of_type("city", "category")
    distinct = collect_all([_count(frame, column.name) for column in coded], paths)
    unknown = [pl.DataFrame(schema=_UNKNOWN)]
    for column, values in zip(coded, distinct, strict=True):
        table = _resolve(column, values, schema.whole_city)
        frame = frame.with_columns(_apply(column.name, table))
        if column.type == "city":
            unknown.append(_unknown(column, table))
    faults = list_faults(schema)
    listed = pl.concat(unknown).sort("rows", "column", "name", descending=[True, False, False])
    return Checked(frame.with_columns(fault=_first_fault(schema, faults)), schema, faults, listed, tuple(unread))


def label_files(paths: Sequence[Path]) -> list[str]:
    """What to call each file: its name, or its whole path where two files have the same name."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def collect_all(queries: Sequence[pl.LazyFrame], paths: Sequence[Path]) -> list[pl.DataFrame]:
    """Run queries on the streaming engine, one after another. Raises PanelError where a file breaks off.

    paths: the files that the queries read, to name in the error.
    """
    try:
        return [query.collect(engine="streaming") for query in queries]
    except pl.exceptions.PolarsError as error:
        named = ", ".join(path.name for path in paths[:3]) + (" ..." if len(paths) > 3 else "")
        raise PanelError([_unreadable(Path(named), error)]) from error


def bad_rows(checked: Checked, paths: Sequence[Path], limit: int) -> pl.DataFrame:
    """The first `limit` bad rows in the order of files and rows, each with its first fault.

    Columns: file, row, column, found, expected, code.
    """
    known = pl.DataFrame(
        {
            "fault": [fault.number for fault in checked.faults],
            "column": [fault.column for fault in checked.faults],
            "expected": [fault.expected for fault in checked.faults],
            "code": [fault.code for fault in checked.faults],
        },
        schema_overrides={"fault": pl.UInt16},
    )
    found = pl.lit(None, pl.String)
    for fault in checked.faults:
        found = pl.when(pl.col("fault") == fault.number).then(pl.col(f"raw:{fault.column}")).otherwise(found)
    # Joins keep the order of rows and `head` stops the stream, so a file with many bad rows is not read to its end.
    query = checked.frame.filter(pl.col("fault").is_not_null()).select("file", ROW, "fault", found=found).head(limit)
    (rows,) = collect_all([query], paths)
    listed = rows.join(known, on="fault", how="left", maintain_order="left")
    return listed.with_columns(pl.col("found").fill_null("nothing")).select(_BAD.names()).cast(_BAD)


def write_set_apart(checked: Checked, target: Path) -> None:
    """Every row that is not used, bad or of unknown city, as CSV: file, row, column, code, then the cells as text."""
    columns = {fault.number: fault.column for fault in checked.faults}
    codes = {fault.number: fault.code for fault in checked.faults}
    cities = [column.name for column in checked.schema.of_type("city")]
    fault = pl.col("fault")
    given = [pl.col(f"raw:{column.name}").alias(f"given_{column.name}") for column in checked.schema.columns]
    unused = checked.frame.filter(fault.is_not_null() | pl.all_horizontal(pl.col(cities).is_null()))
    column = fault.replace_strict(columns, default=pl.lit(cities[0]), return_dtype=pl.String)
    code = fault.replace_strict(codes, default=pl.lit("unknown_city"), return_dtype=pl.String)
    unused.select("file", ROW, column.alias("column"), code.alias("code"), *given).sink_csv(target, engine="streaming")


def _unreadable(path: Path, error: Exception) -> Problem:
    found = str(error).splitlines()[0]
    return Problem(str(path), found, "Parquet, or CSV in UTF-8 with one header row and equal rows", "unreadable_file")


def _declare(frame: pl.LazyFrame, schema: InputSchema, path: Path, label: str) -> tuple[pl.LazyFrame, list[str]]:
    """The declared columns as raw:, in: and parsed ones; and the headers that nothing declares."""
    types = frame.collect_schema()
    headers = {header.strip().lstrip("\ufeff").lower(): header for header in types.names() if header != ROW}
    missing, chosen = [], [pl.lit(label).alias("file"), pl.col(ROW).cast(pl.Int64)]
    used = set()
    for column in schema.columns:
        header = headers.get(column.name) or headers.get(column.name_zh.lower())
        if header is None and column.required:
            expected = f"a column {column.name} or {column.name_zh}: {column.meaning}"
            missing.append(Problem(str(path), f"columns {', '.join(headers.values())}", expected, "missing_column"))
        used.add(header)
        kind = types[header] if header else pl.String()
        if kind.is_nested() or isinstance(kind, pl.Binary | pl.Object):
            where = f"{path}, column {header}"
            missing.append(Problem(where, f"cells of type {kind}", "texts, numbers or dates", "wrong_type"))
            continue
        chosen += _read_column(column, header, kind)
    if missing:
        raise PanelError(missing)
    return frame.select(chosen), [header for header in headers.values() if header not in used]


def _read_column(column: Column, header: str | None, dtype: pl.DataType) -> list[pl.Expr]:
    if header is None:
        nothing = {"date": pl.Date, "year": pl.Int32, "text": pl.String}.get(column.type, pl.Float64)
        raw = [pl.lit(None, pl.String).alias(f"raw:{column.name}")]
        if column.type in ("city", "category"):
            return raw
        return [*raw, pl.lit(False).alias(f"in:{column.name}"), pl.lit(None, nothing).alias(column.name)]
    raw = [pl.col(header).cast(pl.String).alias(f"raw:{column.name}")]
    if column.type in ("city", "category"):
        return raw
    if column.type == "text":
        text = pl.col(header).cast(pl.String).str.strip_chars()
        return [*raw, (text.str.len_bytes() > 0).fill_null(False).alias(f"in:{column.name}"), text.alias(column.name)]
    present = is_present(header, dtype)
    value = pl.when(present).then(parse(column, header, dtype))
    return [*raw, present.alias(f"in:{column.name}"), value.alias(column.name)]


def _count(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return frame.group_by(f"raw:{name}").agg(rows=pl.len().cast(pl.Int64)).drop_nulls(f"raw:{name}").sort(f"raw:{name}")


def _resolve(column: Column, values: pl.DataFrame, whole_city: bool) -> pl.DataFrame:
    """One row a distinct cell: raw:x, rows, in:x, x (hub or canonical value), and for a city its reason."""
    raw = values[f"raw:{column.name}"]
    present = (~raw.str.strip_chars().str.to_lowercase().is_in(MISSING)).alias(f"in:{column.name}")
    if column.type == "city":
        found = resolve_hubs(raw, suggest=False).rename({"name": f"raw:{column.name}"})
        below = pl.col("below") & pl.lit(whole_city)
        named = found.with_columns(
            pl.when(~below).then("hub").alias(column.name),
            reason=pl.when(below).then(pl.lit("part_of_city")).otherwise("reason"),
        )
        return values.with_columns(present).join(named, on=f"raw:{column.name}", maintain_order="left")
    written = {form.lower(): value for value, forms in (column.values or {}).items() for form in (value, *forms)}
    folded = raw.str.normalize("NFKC").str.strip_chars().str.to_lowercase()
    canonical = folded.replace_strict(written, default=None, return_dtype=pl.String).alias(column.name)
    return values.with_columns(present | canonical.is_not_null(), canonical)


def _apply(name: str, table: pl.DataFrame) -> list[pl.Expr]:
    """x and in:x of every row.

    On whole batches: a join, or the expression of the same replacement, lets long texts pile up before it.
    """
    known, cells, blank = table.drop_nulls(name), f"raw:{name}", table.filter(~pl.col(f"in:{name}"))

    def replace(batch: pl.Series) -> pl.Series:
        return batch.replace_strict(known[cells], known[name], default=None, return_dtype=pl.String)

    value = pl.col(cells).map_batches(replace, return_dtype=pl.String, is_elementwise=True)
    present = pl.col(cells).is_not_null() & ~pl.col(cells).is_in(blank[cells].to_list())
    return [value.alias(name), present.alias(f"in:{name}")]


def _unknown(column: Column, table: pl.DataFrame) -> pl.DataFrame:
    """The names without a hub, with what is near the most frequent of them: looking for it is slow."""
    unknown = table.filter(pl.col(f"in:{column.name}") & pl.col(column.name).is_null()).sort("rows", descending=True)
    near = resolve_hubs(unknown[f"raw:{column.name}"].head(1000)).select("name", "suggestion")
    named = unknown.select(name=f"raw:{column.name}", rows="rows", reason="reason", hub="hub")
    return (
        named.join(near, on="name", how="left", maintain_order="left")
        .with_columns(pl.lit(column.name).alias("column"), suggestion=pl.coalesce("hub", "suggestion"))
        .select(_UNKNOWN.names())
        .cast(_UNKNOWN)
    )


def _first_fault(schema: InputSchema, faults: Sequence[Fault]) -> pl.Expr:
    declared = {column.name: column for column in schema.columns}
    broken = [
        _disagree(schema) if fault.code == "mismatch" else _is_broken(declared[fault.column], fault) for fault in faults
    ]
    numbers = [pl.lit(fault.number, pl.UInt16) for fault in faults]
    return pl.coalesce([pl.when(bad).then(number) for bad, number in zip(broken, numbers, strict=True)])


def _disagree(schema: InputSchema) -> pl.Expr:
    broken = pl.lit(False)
    if schema.agree is not None:
        first, second, allowed = schema.agree
        for value, fits in allowed.items():
            broken = broken | ((pl.col(first) == value) & ~pl.col(second).is_in(fits))
    return broken.fill_null(False)


def _is_broken(column: Column, fault: Fault) -> pl.Expr:
    present, value = pl.col(f"in:{column.name}").fill_null(False), pl.col(column.name)
    if fault.code == "missing":
        return ~present
    if fault.code == "unreadable":
        return present & value.is_null()
    below = value < column.low if column.low is not None else pl.lit(False)
    above = value > column.high if column.high is not None else pl.lit(False)
    return (below | above).fill_null(False)
