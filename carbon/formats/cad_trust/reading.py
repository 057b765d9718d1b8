"""From a file to the tables of CAD Trust, good rows and bad rows apart.

Knows the order of the steps: unpack, tell the version, name the tables, check, set apart. Must not know any column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from carbon.errors import FileTooLarge, Problem, UnknownFormat
from carbon.findings import to_problems
from carbon.formats.cad_trust.checks import check_tables
from carbon.formats.cad_trust.nesting import find_records, flatten, stated_columns
from carbon.formats.cad_trust.schema import ROW, Schema, find_table, known_headings
from carbon.formats.cad_trust.schema_v1 import SCHEMA_V1
from carbon.formats.cad_trust.schema_v2 import SCHEMA_V2
from carbon.formats.cad_trust.unpacking import read_json, read_sheets
from carbon.formats.text import MAX_BYTES, MAX_ROWS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SCHEMAS", "CadTrustTables", "Version", "make_tables", "read_cad_trust"]

Version = Literal["v1", "v2"]

SCHEMAS: dict[Version, Schema] = {"v1": SCHEMA_V1, "v2": SCHEMA_V2}


@dataclass(frozen=True, eq=False)
class CadTrustTables:
    """The tables of one file.

    version : "v1" or "v2"
    tables : name -> rows without an error: source_row Int64, then every column of the file as String; a table the
    version does not know is kept under the file's own name
    apart : name -> rows with at least one error, of the same columns; a table without such rows is absent
    problems : all errors and warnings; the file is printed as "file, table"
    """

    version: Version
    tables: "dict[str, pl.DataFrame]"
    apart: "dict[str, pl.DataFrame]"
    problems: tuple[Problem, ...]


def read_cad_trust(
    path: Path, *, version: Version | None = None, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
) -> CadTrustTables:
    """Read an XLSX file (a sheet a table), a CSV file, folder or zip (a file a table), or JSON (an answer of the API).

    version : null tells it by the headings; max_bytes, max_rows : most unpacked bytes, and rows of all tables
    Raises UnreadableFile, FileTooLarge, UnknownFormat where no heading is known.
    """
    if path.suffix.lower() == ".json":
        raw, chosen = _read_records(path, version, max_bytes=max_bytes)
    else:
        raw = read_sheets(path, max_bytes=max_bytes)
        chosen = version or _find_version([name for frame in raw.values() for name in frame.columns], path.name)
    rows = sum(frame.height for frame in raw.values())
    if rows > max_rows:
        raise FileTooLarge(f"found {path.name} with {rows} rows, expected at most {max_rows}")
    return _judge(raw, chosen, path.name)


def make_tables(tables: "Mapping[str, pl.DataFrame]", version: Version, *, file: str = "tables") -> CadTrustTables:
    """The same from frames in memory, with all checks.

    tables : name -> columns of any type that prints as text; source_row is added where absent, as a sheet would count
    """
    import polars as pl

    raw = {}
    for name, frame in tables.items():
        texts = frame.with_columns(pl.all().exclude(ROW).cast(pl.String))
        if ROW not in texts.columns:
            texts = texts.with_row_index(ROW, offset=2).with_columns(pl.col(ROW).cast(pl.Int64))
        raw[name] = texts.select(ROW, pl.all().exclude(ROW))
    return _judge(raw, version, file)


def _read_records(path: Path, version: Version | None, *, max_bytes: int) -> "tuple[dict[str, pl.DataFrame], Version]":
    import polars as pl

    content = read_json(path, max_bytes=max_bytes)
    records = find_records(content)
    columns = stated_columns(content)
    keys = {
        name: list(dict.fromkeys(key for item in items if isinstance(item, dict) for key in item))
        for name, items in records.items()
    }
    everything = [key for found in [*keys.values(), *columns.values()] for key in found]
    chosen = version or _find_version(everything, path.name)
    schema = SCHEMAS[chosen]
    named = {name or _main_table(schema, keys[name]): items for name, items in records.items()}
    raw = flatten(named, schema)
    ordered: dict[str, pl.DataFrame] = {}
    for name, names in columns.items():
        table = find_table(schema, name)
        known = table.name if table else name
        frame = raw.get(known, pl.DataFrame(schema={ROW: pl.Int64}))
        absent = [pl.lit(None, dtype=pl.String).alias(column) for column in names if column not in frame.columns]
        ordered[known] = frame.with_columns(absent)
    return {**ordered, **{name: frame for name, frame in raw.items() if name not in ordered}}, chosen


def _find_version(names: list[str], file: str) -> Version:
    found = list(dict.fromkeys(names))
    scores: dict[Version, int] = {version: known_headings(schema, found) for version, schema in SCHEMAS.items()}
    if max(scores.values()) == 0:
        raise UnknownFormat(f"found {', '.join(found)[:200] or 'no heading'} in {file}, expected columns of CAD Trust")
    return "v1" if scores["v1"] > scores["v2"] else "v2"


def _main_table(schema: Schema, headings: list[str]) -> str:
    """The table whose columns the headings fit best, the first of equals."""
    found = set(headings)
    return max(schema.tables, key=lambda name: len(found & set(schema.tables[name].columns)))


def _judge(raw: "Mapping[str, pl.DataFrame]", version: Version, file: str) -> CadTrustTables:
    import polars as pl

    schema = SCHEMAS[version]
    tables: dict[str, pl.DataFrame] = {}
    unknown = []
    for name, frame in raw.items():
        table = find_table(schema, name)
        # A lone file may be called anything; what its headings say counts.
        known = table.name if table else _main_table(schema, frame.columns) if len(raw) == 1 else name
        if known not in schema.tables:
            unknown.append(
                Problem(
                    file,
                    None,
                    None,
                    f"table {name}",
                    f"a table of CAD Trust {version}; it is kept",
                    "unknown_table",
                    "warning",
                )
            )
        tables[known] = pl.concat([tables[known], frame], how="diagonal") if known in tables else frame
    findings = check_tables(tables, schema)
    bad = findings.filter(pl.col("severity") == "error")
    good, apart = {}, {}
    for name, frame in tables.items():
        rows = bad.filter(pl.col("table") == name)["row"].implode()
        good[name] = frame.filter(~pl.col(ROW).is_in(rows))
        set_apart = frame.filter(pl.col(ROW).is_in(rows))
        if not set_apart.is_empty():
            apart[name] = set_apart
    problems = [
        problem
        for (name,), part in findings.group_by("table", maintain_order=True)
        for problem in to_problems(part.drop("table"), f"{file}, {name}")
    ]
    return CadTrustTables(version, good, apart, (*unknown, *problems))
