"""A user's table of many rows, CSV or Parquet, as a lazy scan: columns found by headings, cells, and rows that break
rules.

Knows files, headings and how rows are checked in bounded memory. Must not know what the rows are: headings, rules and
the word for the table ("trades", "activities") are given. A Parquet file larger than memory can be read; only broken
rows are ever listed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, UnknownFormat, UnreadableFile
from carbon.formats.text import is_there
from carbon.row_rules import PROBLEMS_A_RULE, RowRule, broken_expr, list_problems
from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CheckedRows",
    "ScannedTable",
    "check_rows",
    "collect_scan",
    "find_headings",
    "found_expr",
    "replaced_expr",
    "scaled_expr",
    "scan_table",
]

_AGAIN: Final = r"_duplicated_\d+$"


@dataclass(frozen=True)
class ScannedTable:
    """A file that was opened, but not yet read.

    rows : its columns, with the number of each row in `row` (UInt32): the heading of a CSV file is line 1, the first
        row of a Parquet file is row 1
    schema : of the file, without `row`; file, what : names of the file and of what its rows are, to print
    """

    rows: "pl.LazyFrame"
    schema: "pl.Schema"
    file: str
    what: str


@dataclass(frozen=True)
class CheckedRows:
    """How many rows there are and how many keep every rule, the rows kept, and problems by rule, then row."""

    good: "pl.LazyFrame"
    rows_read: int
    rows_kept: int
    problems: tuple[Problem, ...]


def scan_table(path: Path, file: str, what: str) -> ScannedTable:
    """Open a file.

    path : .csv (UTF-8, first line the headings; every cell is text) or .parquet; file, what : to print
    Raises UnreadableFile, UnknownFormat (another kind of file, a heading that stands twice in a Parquet file).
    """
    import polars as pl

    if not is_there(path):
        raise UnreadableFile(f"found no file {path.name}, expected a file of {what} (.csv or .parquet)")
    kind = path.suffix.casefold()
    if kind not in (".csv", ".parquet"):
        raise UnknownFormat(f"found {path.name}, expected a name that ends in .csv or .parquet")
    scan = (
        pl.scan_parquet(path, glob=False)
        if kind == ".parquet"
        else pl.scan_csv(path, infer_schema=False, glob=False, encoding="utf8")
    )
    try:
        schema = scan.collect_schema()
    except pl.exceptions.DuplicateError as error:
        raise UnknownFormat(f"found in {file}: {error}; expected each heading once") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFile(_unreadable(file, what, error)) from error
    return ScannedTable(scan.with_row_index("row", offset=1 if kind == ".parquet" else 2), schema, file, what)


def collect_scan(frame: "pl.LazyFrame", table: ScannedTable) -> "pl.DataFrame":
    """What was asked of a scanned file, read in bounded memory. Raises UnreadableFile."""
    import polars as pl

    try:
        return frame.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(_unreadable(table.file, table.what, error)) from error


def _unreadable(file: str, what: str, error: Exception) -> str:
    """In one line; what the parser says of a text quotes cells, which may name a person."""
    first = str(error).split("\n")[0]
    if "more fields" in first:
        first = "a line with more cells than headings"
    elif "could not parse" in first:
        first = "quotes that do not match"
    return f"found {file} to be unreadable, expected a table of {what}: {first}"


def find_headings(
    table: ScannedTable,
    headings: Mapping[str, tuple[str, ...]],
    optional: Collection[str] = (),
    *,
    hide: bool = False,
) -> dict[str, str]:
    """Role to heading, one each, for the roles that the file has.

    headings : of each role, those that it may have; hide : do not quote the first line, which may name a person where
    headings are missing
    Raises UnknownFormat for roles with several headings, and for those that are missing and not optional, all at once.
    """
    # The reader of CSV renames headings that come a second time.
    plain = [re.sub(_AGAIN, "", name) for name in table.schema]
    columns = [old if old in table.schema else name for old, name in zip(plain, table.schema, strict=True)]
    given = {role: [heading for heading in columns if heading in names] for role, names in headings.items()}
    twice = [" and ".join(found) for found in given.values() if len(found) > 1]
    if twice:
        raise UnknownFormat(
            f"found in {table.file} the columns {'; '.join(twice)}; expected one column for each of these"
        )
    missing = [" or ".join(headings[role]) for role, found in given.items() if not found and role not in optional]
    if missing:
        shown = f"{len(columns)} columns" if hide else f"the columns {', '.join(columns) or 'none'}"
        raise UnknownFormat(f"found in {table.file} {shown}; expected also {'; '.join(missing)}")
    return {role: found[0] for role, found in given.items() if found}


def found_expr(heading: str, schema: "pl.Schema") -> "pl.Expr":
    """The cell as it was found; of a text without spaces around it, an empty one as null."""
    import polars as pl

    if schema[heading] != pl.String:
        return pl.col(heading)
    text = pl.col(heading).str.strip_chars()
    return pl.when(text != "").then(text)


def scaled_expr(raw: "pl.Expr", kind: "pl.DataType", decimals: int) -> "pl.Expr":
    """Whole numbers (Int64) of 10**-decimals; null where the cell is no such number, or 10**12 and more.

    raw : the cell as it was found; kind : its type
    """
    import polars as pl

    if kind.is_integer():
        whole = raw.cast(pl.Int64, strict=False)
        # More than any column holds; without the limit the product could leave int64 unseen.
        scale: int = 10**decimals
        return pl.when(whole.abs() < 1 << 40).then(whole) * scale
    return scaled_from_text_expr(raw.cast(pl.String), decimals)


def replaced_expr(cell: "pl.Expr", written: "pl.Series", values: "pl.Series") -> "pl.Expr":
    """The value of each cell, null for others.

    written, values : what may be in a cell, each once, and what stands for it
    Part by part: `replace_strict` alone holds whole columns in memory (polars 2.1).
    """
    return cell.map_batches(
        lambda part: part.replace_strict(written, values, default=None, return_dtype=values.dtype),
        return_dtype=values.dtype,
        is_elementwise=True,
    )


def check_rows(
    typed: "pl.LazyFrame", rules: Sequence[RowRule], headings: Mapping[str, str], table: ScannedTable
) -> CheckedRows:
    """Set apart the rows that break a rule whose severity is error, and list every broken one.

    typed : row, the columns of the rules, and `<column>_raw` for each; headings : of these columns in the file
    Raises UnreadableFile.
    """
    import polars as pl

    broken = broken_expr(rules)
    counts = typed.select(
        pl.len().alias("rows"),
        broken.sum().alias("broken"),
        *(rule.where.fill_null(False).sum().alias(str(number)) for number, rule in enumerate(rules)),
    )
    told = collect_scan(counts, table).row(0, named=True)
    problems: list[Problem] = []
    for number, rule in enumerate(rules):
        if count := int(told[str(number)]):
            heading = headings.get(rule.column, rule.column)
            problems += list_problems(rule, _cells(typed, rule, table), count, file=table.file, heading=heading)
    rows = int(told["rows"])
    return CheckedRows(typed.filter(~broken), rows, rows - int(told["broken"]), tuple(problems))


def _cells(typed: "pl.LazyFrame", rule: RowRule, table: ScannedTable) -> list[tuple[int, str]]:
    """Row and cell, of the first rows that break a rule."""
    import polars as pl

    cell = pl.col(f"{rule.column}_raw").cast(pl.String).fill_null("nothing")
    shown = cell if rule.shown is None else pl.lit(rule.shown)
    broken = typed.filter(rule.where).select("row", shown.alias("found")).head(PROBLEMS_A_RULE)
    return collect_scan(broken, table).sort("row").rows()
