"""Files of activities, CSV, XLSX or Parquet: columns by name in, checked activities and everything wrong out.

Knows the three kinds of files and the order of the steps. Must not know where activities are kept, factors or results.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, UnreadableFile
from carbon.footprints.activities import activity_rules, with_ids
from carbon.footprints.activity_cells import ResolveHubs, known_hubs, type_activities
from carbon.footprints.activity_mapping import ActivityMapping, UnusableActivities
from carbon.footprints.activity_words import COLUMNS, REQUIRED, heading_words
from carbon.footprints.double_counting import find_double_counting
from carbon.footprints.schemas import activities_schema
from carbon.formats.text import decode, extra_column, read_bytes, split_cells
from carbon.formats.user_tables import read_parquet_cells, read_sheet_cells, table_kind
from carbon.row_rules import PROBLEMS_A_RULE, broken_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DATA_SHEETS", "EXAMPLES", "ActivityReading", "read_activities"]

DATA_SHEETS: Final = ("activities", "活动数据")
"""Names of the sheet that the template gives to the rows."""
EXAMPLES: Final = ("EXAMPLE", "示例")
"""A row with this id shows how to fill in the template; it is left out and counted."""


@dataclass(frozen=True)
class ActivityReading:
    """What a file holds: rows_read = rows + set apart + examples.

    rows : good rows in `activities_schema`, in the order of the file; problems : by rule, then row; assumed : what the
    file does not say and was taken for granted, in words; examples : rows of the template that only show how
    """

    rows: "pl.DataFrame"
    rows_read: int
    problems: tuple[Problem, ...]
    assumed: tuple[str, ...] = ()
    examples: int = 0


@dataclass(frozen=True)
class _Table:
    """Cells as text (row, c0 .. of the headings), what stands beyond the headings, and how the file is called."""

    cells: "pl.DataFrame"
    headings: list[str]
    file: str


def read_activities(
    path: Path,
    *,
    mapping: ActivityMapping | None = None,
    recorded: date | None = None,
    hubs: ResolveHubs = known_hubs,
) -> ActivityReading:
    """Read and check a file of activities; nothing is kept anywhere.

    path : .csv (UTF-8 with or without BOM, GB18030), .csv.gz, .xlsx or .parquet
    mapping : columns and words of a file that is not made from the template
    recorded : day of the record for rows that name none; hubs : keys of cities from what the file calls them
    Row numbers are those of a spreadsheet; the first row of a Parquet file is row 1. All problems are told together:
    of rows (`carbon.footprints.activities.activity_rules`), of the file (`carbon.footprints.double_counting`), and as
    warnings columns that nobody reads. A row with an error is set apart.
    Raises UnusableActivities (all mistakes of mapping and headings), UnknownFormat, UnreadableFile, FileTooLarge.
    """
    import polars as pl

    rules = mapping or ActivityMapping()
    table = _read_table(path, rules)
    places, warnings = _place(table, rules)
    raw = _raw(table, places, rules)
    is_example = pl.col("activity_id").str.to_uppercase().is_in(list(EXAMPLES)).fill_null(False)
    examples = raw.filter(is_example).height
    typed = type_activities(raw.filter(~is_example), values=rules.values, decimal=rules.decimal, hubs=hubs)
    day = pl.when(pl.col("recorded_raw").is_null()).then(pl.lit(recorded, dtype=pl.Date)).otherwise("recorded")
    typed = typed.with_columns(day.alias("recorded"))
    problems = [*warnings, *_beyond(table), *_row_problems(typed, table, places)]
    crowded = [problem.row for problem in problems if problem.code == "too_many_cells"]
    good = with_ids(typed.filter(~broken_expr(activity_rules()) & ~pl.col("row").is_in(crowded)))
    rows = good.with_columns(file=pl.lit(table.file)).select(activities_schema().keys())
    twice = find_double_counting(rows)
    apart = twice.filter(pl.col("severity") == "error")["index"].unique()
    problems += _listed(twice.with_columns(row=rows["row"].gather(twice["index"])), table, places)
    kept = rows.with_row_index("index").filter(~pl.col("index").is_in(apart.implode())).drop("index")
    good_cells = typed.filter(pl.col("row").is_in(kept["row"].implode()))
    return ActivityReading(kept, raw.height, tuple(problems), _assumed(good_cells, recorded), examples)


def _read_table(path: Path, mapping: ActivityMapping) -> _Table:
    kind = table_kind(path, "activities")
    if kind == "csv":
        return _read_csv(path, mapping)
    if kind == "xlsx":
        return _read_xlsx(path, mapping)
    headings, cells = read_parquet_cells(path)
    return _Table(cells, headings, path.name)


def _read_csv(path: Path, mapping: ActivityMapping) -> _Table:
    text = decode(read_bytes(path), path.name)
    if mapping.separator != ",":
        text = _with_commas(text, mapping.separator)
    lines = text.split("\n", mapping.header_row)
    if len(lines) < mapping.header_row:
        raise UnreadableFile(f"found {path.name} with fewer than {mapping.header_row} lines, expected headings there")
    headings = [cell.strip() for cell in next(csv.reader(io.StringIO(lines[mapping.header_row - 1])), [])]
    cells = split_cells(text, path.name, width=len(headings), header_rows=mapping.header_row)
    return _Table(cells, headings, path.name)


def _with_commas(text: str, separator: str) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(csv.reader(io.StringIO(text), delimiter=separator))
    return made.getvalue()


def _read_xlsx(path: Path, mapping: ActivityMapping) -> _Table:
    sheets = read_sheet_cells(path, lambda names: [_sheet(names, mapping, path.name)])
    name, cells = next(iter(sheets.items()))
    if cells.height < mapping.header_row:
        raise UnreadableFile(f"found sheet {name} of {path.name} without headings, expected them in its first row")
    headings = [cell or "" for cell in cells.drop("row").row(mapping.header_row - 1)]
    return _Table(cells.slice(mapping.header_row), headings, path.name)


def _sheet(names: list[str], mapping: ActivityMapping, file: str) -> str:
    if mapping.sheet is None:
        return next((name for name in names if name in DATA_SHEETS), names[0])
    if mapping.sheet in names:
        return mapping.sheet
    wrong = Problem(file, None, None, f"the sheets {', '.join(names)}", mapping.sheet, "missing_sheet", "error")
    raise UnusableActivities((*mapping.problems, wrong))


def _place(table: _Table, mapping: ActivityMapping) -> tuple[dict[str, int], list[Problem]]:
    """Column to the position of its heading, and warnings of headings that are not read.

    Raises UnusableActivities with all that is wrong with mapping and headings.
    """
    words = heading_words()
    wrong = list(mapping.problems)
    named = {heading: column for column, heading in mapping.columns.items()}
    places: dict[str, int] = {}
    unread = []
    for at, heading in enumerate(table.headings):
        column = named.get(heading)
        # A column that the mapping places elsewhere is not taken from a heading of its name.
        column = column or next(
            (known for known in [words.get(heading.casefold())] if known not in mapping.columns), None
        )
        if column is None:
            unread += [heading] if heading else []
        elif column in places:
            first = table.headings[places[column]]
            wrong.append(
                _of_file(table.file, heading, f"{heading!r} beside {first!r}", f"one {column}", "repeated_heading")
            )
        else:
            places[column] = at
    shown = ", ".join(filter(None, table.headings)) or "no headings"
    for column, heading in mapping.columns.items():
        if heading not in table.headings:
            wrong.append(_of_file(table.file, None, shown, f"the heading {heading} for {column}", "missing_heading"))
    labels = {one.name: f"{one.name} ({one.name_zh})" for one in COLUMNS}
    for column in REQUIRED:
        if column not in places and column not in mapping.fixed and column not in mapping.columns:
            wrong.append(_of_file(table.file, None, shown, f"a column {labels[column]}", "missing_heading"))
    if wrong:
        raise UnusableActivities(tuple(wrong))
    expected = "a heading of the template, or a column of the mapping"
    return places, [
        Problem(table.file, None, heading, "a column that is not read", expected, "unread_heading", "warning")
        for heading in unread
    ]


def _of_file(file: str, heading: str | None, found: str, expected: str, code: str) -> Problem:
    return Problem(file, None, heading, found, expected, code, "error")


def _raw(table: _Table, places: dict[str, int], mapping: ActivityMapping) -> "pl.DataFrame":
    """row and every column of the template as text; empty lines left out, fixed values where a row has no cell."""
    import polars as pl

    filled = table.cells.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    return filled.select("row", *(_cell(one.name, places, mapping) for one in COLUMNS))


def _cell(name: str, places: dict[str, int], mapping: ActivityMapping) -> "pl.Expr":
    import polars as pl

    fixed = pl.lit(mapping.fixed.get(name), dtype=pl.String)
    cell = pl.coalesce(pl.col(f"c{places[name]}"), fixed) if name in places else fixed
    return cell.alias(name)


def _beyond(table: _Table) -> list[Problem]:
    """Lines of a CSV file with more cells than headings: something stands in the wrong column."""
    import polars as pl

    extra = extra_column(len(table.headings))
    if extra not in table.cells.columns:
        return []
    crowded = table.cells.filter(pl.col(extra).is_not_null()).select("row", found=extra)
    findings = crowded.with_columns(
        column=pl.lit(None, dtype=pl.String),
        expected=pl.lit("no more cells than headings"),
        code=pl.lit("too_many_cells"),
        severity=pl.lit("error"),
    )
    return _listed(findings, table, {})


def _row_problems(typed: "pl.DataFrame", table: _Table, places: dict[str, int]) -> list[Problem]:
    import polars as pl

    rules = activity_rules()
    told = typed.select(rule.where.fill_null(False).sum().alias(str(at)) for at, rule in enumerate(rules)).row(0)
    problems = []
    for rule, count in zip(rules, told, strict=True):
        if not count:
            continue
        findings = typed.filter(rule.where.fill_null(False)).select(
            "row",
            column=pl.lit(rule.column),
            found=pl.coalesce(f"{rule.column}_raw", pl.col(rule.column).cast(pl.String), pl.lit("nothing")),
            expected=pl.lit(rule.expected),
            code=pl.lit(rule.code),
            severity=pl.lit(rule.severity),
        )
        problems += _listed(findings, table, places)
    return problems


def _listed(findings: "pl.DataFrame", table: _Table, places: dict[str, int]) -> list[Problem]:
    """Findings as problems, PROBLEMS_A_RULE for each rule and column at most; one more counts the rest."""
    file, listed = table.file, []
    for part in findings.partition_by("code", "column", maintain_order=True):
        column, expected, code, severity = part.select("column", "expected", "code", "severity").row(0)
        heading = table.headings[places[column]] if column in places else column
        listed += [
            Problem(file, row, heading, found, wanted, code, severity)
            for row, found, wanted in part.select("row", "found", "expected").head(PROBLEMS_A_RULE).iter_rows()
        ]
        if part.height > PROBLEMS_A_RULE:
            rest = f"{part.height - PROBLEMS_A_RULE} more rows like this"
            listed.append(Problem(file, None, heading, rest, expected, code, severity))
    return listed


def _assumed(typed: "pl.DataFrame", recorded: date | None) -> tuple[str, ...]:
    """What was taken for granted of the rows that are kept."""
    told = []
    without_day = typed["recorded_raw"].null_count() if recorded is not None else 0
    without_share = typed["share_raw"].null_count()
    if without_share:
        told.append(f"{without_share} rows without a share: counted whole (control approach)")
    if without_day:
        told.append(f"{without_day} rows without a day of record: {recorded}, the day of loading")
    return tuple(told)
