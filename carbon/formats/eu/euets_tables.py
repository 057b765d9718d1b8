"""The release of euets.info: a zip or a folder of CSV tables, read whole and written back without a loss.

Knows how the tables are packed, typed and checked against each other. Must not know what a transaction means to a
ledger.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from carbon.errors import CarbonError, FileTooLarge, Problem, UnreadableFile
from carbon.findings import no_findings, to_problems
from carbon.formats.eu.cells import find_untyped, parse_cell
from carbon.formats.eu.layouts import DROPPED, FOREIGN_KEYS, KEYS, LAYOUTS, TABLE_NAMES
from carbon.formats.text import MAX_BYTES, decode, read_bytes

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CannotBeNamed", "EuetsTables", "block_multiplicity", "read_euets", "write_euets"]

_MOMENT = "%Y-%m-%d %H:%M:%S%.f"


class CannotBeNamed(CarbonError):
    """A release cannot be written under this name."""


@dataclass(frozen=True, eq=False)
class EuetsTables:
    """What one release holds.

    tables : name -> typed frame, columns in the order of the file; a column the file lacks is absent, not empty
    extras : name -> unknown columns as text, row for row beside the table
    rejected : name -> rows set apart as raw text, with `row` (line of the record, the header is 1)
    others : file name -> tables this layout does not know, as text
    problems : everything found, all tables
    """

    tables: Mapping[str, "pl.DataFrame"]
    extras: Mapping[str, "pl.DataFrame"] = field(default_factory=dict)
    rejected: Mapping[str, "pl.DataFrame"] = field(default_factory=dict)
    others: Mapping[str, "pl.DataFrame"] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, eq=False)
class _Table:
    """One table read: typed rows, unknown columns beside them, rows set apart, and what was found."""

    rows: "pl.DataFrame"
    extra: "pl.DataFrame"
    rejected: "pl.DataFrame"
    problems: list[Problem]


def read_euets(path: Path, *, max_bytes: int = MAX_BYTES) -> EuetsTables:
    """Read a release: a zip of CSV files, a folder of them, or one table as .csv or .csv.gz.

    max_bytes : most unpacked bytes of any one table; all together may have twice as many
    A single file whose name is no table's is recognised by its header. Ids printed as floats ("308.0") become whole
    numbers; created_on and updated_on are dropped with a warning. Keys are checked within and between the tables
    present. Raises UnreadableFile (also where no CSV is there, or two of one name), FileTooLarge.
    """
    tables: dict[str, pl.DataFrame] = {}
    extras: dict[str, pl.DataFrame] = {}
    rejected: dict[str, pl.DataFrame] = {}
    others: dict[str, pl.DataFrame] = {}
    problems: list[Problem] = []
    for file, data in _members(path, max_bytes).items():
        cells = _split(decode(data, file), file)
        name = _table_name(file, cells.columns)
        if name is None or name in tables:
            others[file] = cells
            known = ", ".join(TABLE_NAMES)
            problems.append(
                Problem(file, None, None, "an unknown table", f"one of {known}", "unknown_table", "warning")
            )
            continue
        table = _type_table(name, cells, file)
        tables[name] = table.rows
        problems += table.problems
        if table.extra.width:
            extras[name] = table.extra
        if table.rejected.height:
            rejected[name] = table.rejected
    return EuetsTables(tables, extras, rejected, others, tuple(problems + _find_dangling(tables)))


def write_euets(tables: EuetsTables, path: Path, *, form: Literal["zip", "folder"]) -> None:
    """Write a release in the layout of euets.info, one <table>.csv each, unknown columns and tables included.

    Whole numbers are written without a point, moments to the microsecond where they have one, flags as True and
    False, empty cells as nothing; `read_euets` of the result gives the same frames. Rows set apart are not written.
    A zip appears under its name only when it is whole. Raises CannotBeNamed where its name does not end in .zip.
    """
    if form == "zip" and path.suffix.lower() != ".zip":
        raise CannotBeNamed(f"found {path.name}, expected a name that ends in .zip")
    files = {f"{name}.csv": _printed(rows, tables.extras.get(name)) for name, rows in tables.tables.items()}
    for file, rows in tables.others.items():
        files[_free_name(file, files)] = rows.write_csv().encode()
    if form == "folder":
        path.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (path / file).write_bytes(data)
        return
    part = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            # A fixed date keeps the bytes equal from one writing to the next.
            archive.writestr(zipfile.ZipInfo(file), data, zipfile.ZIP_DEFLATED)
    part.replace(path)


def block_multiplicity(transactions: "pl.DataFrame") -> "pl.DataFrame":
    """Blocks that are equal in every column but `id`, with how often they occur (check C41). None is removed.

    transactions : the table `transaction`, with or without its extra columns
    Result: all columns but id, ids (List Int64, ascending), multiplicity (Int64, 2 or more), by the first id.
    Some are true repeats, for one transaction may move equal blocks; only the publisher can tell.
    """
    import polars as pl

    body = [column for column in transactions.columns if column != "id"]
    groups = transactions.group_by(body).agg(
        pl.col("id").sort().alias("ids"), pl.len().cast(pl.Int64).alias("multiplicity")
    )
    return groups.filter(pl.col("multiplicity") > 1).sort(pl.col("ids").list.first())


def _members(path: Path, max_bytes: int) -> dict[str, bytes]:
    """File name -> unpacked bytes of every CSV of a zip, a folder, or of one file."""
    if path.is_dir():
        found = _read_folder(path, max_bytes)
    elif not zipfile.is_zipfile(path):
        return {path.name: read_bytes(path, max_bytes=max_bytes)}
    else:
        found = _read_zip(path, max_bytes)
    members: dict[str, bytes] = {}
    left = 2 * max_bytes
    for name, data in found:
        left -= len(data)
        if left < 0:
            raise FileTooLarge(f"found {path.name} with more than {2 * max_bytes} bytes of tables, expected no more")
        if name in members:
            raise UnreadableFile(f"found two files {name} in {path.name}, expected each table once")
        members[name] = data
    if not members:
        raise UnreadableFile(f"found no CSV file in {path.name}, expected the tables of euets.info")
    return members


def _read_folder(path: Path, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.iterdir()):
        if file.is_file() and file.name.lower().endswith((".csv", ".csv.gz")):
            yield file.name, read_bytes(file, max_bytes=max_bytes)


def _read_zip(path: Path, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.lower().endswith(".csv"):
                    continue
                with archive.open(name) as stream:
                    # The size in the directory of an archive is a claim; what comes out is what counts.
                    data = stream.read(max_bytes + 1)
                if len(data) > max_bytes:
                    raise FileTooLarge(f"found {name} with more than {max_bytes} bytes, expected at most {max_bytes}")
                yield Path(name).name, data
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(f"found {path.name}: {error}; expected a zip of CSV tables") from error


def _free_name(file: str, taken: Mapping[str, bytes]) -> str:
    """The name under which an unknown table is written: never packed, and never that of another."""
    name = file[: -len(".gz")] if file.lower().endswith(".gz") else file
    while name in taken:
        name = f"other_{name}"
    return name


def _split(text: str, file: str) -> "pl.DataFrame":
    """All cells as text, nothing stripped, empty cells null."""
    import polars as pl

    if not text.strip():
        return pl.DataFrame()
    try:
        return pl.read_csv(io.BytesIO(text.encode()), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        first = str(error).split("\n\n")[0].strip()
        raise UnreadableFile(f"found {file}: {first}; expected comma-separated cells") from error


def _table_name(file: str, header: list[str]) -> str | None:
    stem = Path(file).name.lower().removesuffix(".gz").removesuffix(".csv")
    for name in (stem, stem.removesuffix("_code"), f"{stem}_code", stem.removeprefix("offset_")):
        if name in LAYOUTS:
            return name
    # Tables of two columns look alike; only the large ones are told by their header.
    known = [(len(set(LAYOUTS[name]) & set(header)), name) for name in TABLE_NAMES if len(LAYOUTS[name]) > 3]
    shared, name = max(known)
    return name if header and shared > len(header) / 2 else None


def _type_table(name: str, cells: "pl.DataFrame", file: str) -> _Table:
    import polars as pl

    layout = LAYOUTS[name]
    # Extra fields such as shippingCompanyName belong to one family of the release and are text.
    extra = [c for c in cells.columns if c not in layout and c not in DROPPED]
    present = [column for column in cells.columns if column in layout]
    numbered = cells.select(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("row"), *present)
    typed = numbered.select("row", *[parse_cell(pl.col(column), layout[column]).alias(column) for column in present])
    findings = pl.concat(
        [no_findings()]
        + [find_untyped(numbered, column, layout[column]) for column in present]
        + [_find_repeated_keys(typed, name)]
    )
    bad = typed["row"].is_in(findings["row"].unique().implode())
    return _Table(
        rows=typed.filter(~bad).drop("row"),
        extra=cells.filter(~bad).select(extra),
        rejected=cells.select(typed["row"], pl.all().exclude("row")).filter(bad),
        problems=_header_problems(name, cells.columns, extra, file) + to_problems(findings, file),
    )


def _header_problems(name: str, header: list[str], extra: list[str], file: str) -> list[Problem]:
    problems = [
        Problem(file, None, column, "no such column", f"a column of {name}", "missing_column", "warning")
        for column in LAYOUTS[name]
        if column not in header
    ]
    problems += [
        Problem(file, None, column, "an unknown column", "no other column; kept aside", "unknown_column", "warning")
        for column in extra
    ]
    return problems + [
        Problem(
            file, None, column, "a column of the publisher's database", "none; dropped", "dropped_column", "warning"
        )
        for column in DROPPED
        if column in header
    ]


def _find_repeated_keys(typed: "pl.DataFrame", name: str) -> "pl.DataFrame":
    """Rows whose key is empty or was there before; the first of equal keys stays."""
    import polars as pl

    key = [column for column in KEYS[name] if column in typed.columns]
    if len(key) < len(KEYS[name]):
        return no_findings()
    empty = pl.any_horizontal(pl.col(key).is_null())
    wrong = typed.filter(empty | ~pl.struct(key).is_first_distinct())
    return wrong.select(
        "row",
        pl.lit(" + ".join(key)).alias("column"),
        pl.concat_str(pl.col(key).cast(pl.String).fill_null("nothing"), separator=" + ").alias("found"),
        pl.lit("a key that occurs once").alias("expected"),
        pl.lit("repeated_key").alias("code"),
        pl.lit("error").alias("severity"),
    )


def _find_dangling(tables: Mapping[str, "pl.DataFrame"]) -> list[Problem]:
    """One problem for each reference between two tables present that some rows do not keep."""
    import polars as pl

    problems = []
    for table, column, target in FOREIGN_KEYS:
        if table not in tables or target not in tables or column not in tables[table].columns:
            continue
        if "id" not in tables[target].columns:
            continue
        values = tables[table].select(pl.col(column).alias("value")).drop_nulls()
        lost = values.join(tables[target].select(pl.col("id").alias("value")), on="value", how="anti")
        if lost.height:
            found = f"{lost.height} rows with {lost['value'].n_unique()} unknown ids, first {lost['value'][0]}"
            expected = f"an id of {target}"
            problems.append(Problem(f"{table}.csv", None, column, found, expected, "unknown_reference", "warning"))
    return problems


def _printed(rows: "pl.DataFrame", extra: "pl.DataFrame | None") -> bytes:
    import polars as pl
    import polars.selectors as cs

    words = {True: "True", False: "False"}
    printed = rows.with_columns(
        cs.datetime().dt.strftime(_MOMENT),
        cs.boolean().replace_strict(words, default=None, return_dtype=pl.String),
    )
    beside = printed if extra is None or not extra.width else pl.concat([printed, extra], how="horizontal")
    return beside.write_csv().encode()
