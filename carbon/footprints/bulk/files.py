"""A user's own file of persons' activities, CSV or Parquet: columns by name in, checked rows and problems out.

Knows headings, and how days, codes and amounts are written. Must not know where rows are kept. Everything is a lazy
scan, so that a Parquet file larger than memory can be read; only broken rows are ever listed, and never who is in them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, UnknownFormat, UnreadableFile
from carbon.footprints.activity_cells import ResolveHubs, known_hubs
from carbon.footprints.bulk.records import (
    DECIMALS,
    LARGEST_CODE,
    MILLI,
    REQUIRED,
    ActivityRule,
    activity_rules,
    records_schema,
)
from carbon.footprints.units import canonical_units
from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HEADINGS", "PROBLEMS_A_RULE", "ActivityScan", "replaced_expr", "scan_activity_file"]

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("day", "日期"),
    "hub": ("hub", "城市"),
    "activity": ("activity", "活动"),
    "person": ("person", "用户代码"),
    "amount": ("amount", "数量"),
    "unit": ("unit", "单位"),
}
"""Headings that each column may have, one of them at a time; all are needed."""

PROBLEMS_A_RULE: Final = 1000
"""Broken rows listed for one rule and column; one more line counts the rest."""

_AGAIN: Final = r"_duplicated_\d+$"
_EXACT: Final = 1 << 50  # Below it a double has no other neighbour within half a thousandth.
_BETWEEN: Final = "\x1f"  # A sign that no name or unit holds.


@dataclass(frozen=True)
class ActivityScan:
    """A file of activities, checked but not yet read into memory.

    good : the rows to keep, in the order of the file: hub, the columns of `records_schema` but activity, and word
        (Int32), the place of activity and unit in `words`
    words : name, unit (String): every activity and unit of the file, each once
    rows_read, rows_kept : counts; problems : by rule, then row
    """

    good: "pl.LazyFrame"
    words: "pl.DataFrame"
    rows_read: int
    rows_kept: int
    problems: tuple[Problem, ...]


def scan_activity_file(path: Path, *, file: str | None = None, hubs: ResolveHubs = known_hubs) -> ActivityScan:
    """Scan and check a file of persons' activities.

    path : .csv (UTF-8, first line the headings) or .parquet; file : name to print, the path's own by default
    hubs : names of cities as written to their keys. Row numbers count the heading of a CSV file as line 1; the first
    row of a Parquet file is row 1.
    Raises UnreadableFile, UnknownFormat (all missing columns and columns given twice at once).
    """
    import polars as pl

    name = file or path.name
    scan, first_row = _scan(path)
    schema = _schema_of(scan, name)
    headings = _find_headings(schema, name)
    raw = scan.with_row_index("row", offset=first_row).select(
        pl.col("row").cast(pl.Int64), *(_raw(headings[role], schema).alias(f"{role}_raw") for role in REQUIRED)
    )
    pairs, words = _words_of(raw, name)
    typed = _typed(raw, {role: schema[heading] for role, heading in headings.items()}, pairs, _keys(raw, hubs, name))
    rules = activity_rules()
    broken = pl.any_horizontal(rule.where.fill_null(False) for rule in rules)
    counts = typed.select(
        pl.len().alias("rows"),
        broken.sum().alias("broken"),
        *(rule.where.fill_null(False).sum().alias(str(number)) for number, rule in enumerate(rules)),
    )
    told = _collect(counts, name).row(0, named=True)
    problems = [
        problem
        for number, rule in enumerate(rules)
        if told[str(number)]
        for problem in _problems(typed, rule, int(told[str(number)]), headings, name)
    ]
    kept = [column for column in records_schema() if column != "activity"]
    good = typed.filter(~broken).select("hub", *kept, "word")
    rows = int(told["rows"])
    return ActivityScan(good, words, rows, rows - int(told["broken"]), tuple(problems))


def _typed(
    raw: "pl.LazyFrame", kinds: "Mapping[str, pl.DataType]", pairs: "pl.DataFrame", keys: "pl.DataFrame"
) -> "pl.LazyFrame":
    """Each column of the rules beside the cell that it came of; null where a cell cannot be read."""
    import polars as pl

    pair = pl.concat_str(_text("activity"), _text("unit"), separator=_BETWEEN)
    units = pairs.unique("written")
    amount = _scaled("amount", kinds["amount"], DECIMALS)
    person = _scaled("person", kinds["person"], 0)
    return raw.with_columns(
        _day(kinds["day"]).alias("day"),
        replaced_expr(_text("hub"), keys["written"], keys["hub"]).alias("hub"),
        replaced_expr(_text("unit"), units["written"], units["unit"]).alias("unit"),
        replaced_expr(pair, pairs["pair"], pairs["word"]).alias("word"),
        pl.when(person.is_between(0, LARGEST_CODE)).then(person).cast(pl.Int32).alias("person"),
        pl.when(amount.abs() <= LARGEST_CODE).then(amount).alias("amount"),
    ).with_columns(pl.col("amount").cast(pl.Int32).alias("amount_milli"))


def replaced_expr(cell: "pl.Expr", written: "pl.Series", values: "pl.Series") -> "pl.Expr":
    """The value of each cell, null for others, part by part: `replace_strict` alone holds whole columns in memory."""
    return cell.map_batches(
        lambda part: part.replace_strict(written, values, default=None, return_dtype=values.dtype),
        return_dtype=values.dtype,
        is_elementwise=True,
    )


def _words_of(raw: "pl.LazyFrame", file: str) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Activity and unit as written, each pair once: pair, written (the unit), unit (its own name), word; and the words.

    A pair whose unit is not known has no word.
    """
    import polars as pl

    written = raw.select(_text("activity").alias("name"), _text("unit").alias("written"))
    found = _collect(written.unique(), file).drop_nulls().sort("name", "written")
    named = found.with_columns(canonical_units(found["written"]).alias("unit"))
    words = named.drop_nulls("unit").select("name", "unit").unique(maintain_order=True)
    places = words.with_row_index("word").with_columns(pl.col("word").cast(pl.Int32))
    pairs = named.join(places, on=["name", "unit"], how="left").select(
        pl.concat_str("name", "written", separator=_BETWEEN).alias("pair"), "written", "unit", "word"
    )
    return pairs, words


def _keys(raw: "pl.LazyFrame", hubs: ResolveHubs, file: str) -> "pl.DataFrame":
    """What the file calls its cities, and their keys: written, hub; null for a city that nobody knows."""
    import polars as pl

    written = _collect(raw.select(_text("hub").alias("written").unique()), file)["written"].drop_nulls().sort()
    return pl.DataFrame({"written": written, "hub": hubs(written).cast(pl.String)})


def _text(role: str) -> "pl.Expr":
    import polars as pl

    return pl.col(f"{role}_raw").cast(pl.String).str.strip_chars()


def _day(kind: "pl.DataType") -> "pl.Expr":
    """A day: a date, a moment at midnight without time zone, or a text."""
    import polars as pl

    raw = pl.col("day_raw")
    if kind == pl.Date:
        return raw
    if isinstance(kind, pl.Datetime):
        return pl.when(raw.dt.time() == pl.time(0, 0)).then(raw.dt.date())
    text = raw.cast(pl.String)
    return pl.coalesce(text.str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%Y/%m/%d"))


def _scaled(role: str, kind: "pl.DataType", decimals: int) -> "pl.Expr":
    """Whole numbers of 10**-decimals; null where the cell is no such number."""
    import polars as pl

    raw = pl.col(f"{role}_raw")
    if kind.is_integer():
        whole = raw.cast(pl.Int64, strict=False)
        # More than any column holds; without the limit the product could leave int64 unseen.
        return pl.when(whole.abs() < 1 << 40).then(whole) * (MILLI if decimals else 1)
    if kind == pl.Float64:
        exact = partial(_scaled_floats, scale=10**decimals)
        return raw.map_batches(exact, return_dtype=pl.Int64, is_elementwise=True)
    return scaled_from_text_expr(raw.cast(pl.String), decimals)


def _scaled_floats(values: "pl.Series", scale: int) -> "pl.Series":
    """Whole numbers of 1 / scale; null for a double that is not the nearest one to such a number."""
    import numpy as np
    import polars as pl

    numbers = values.to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        whole = np.rint(numbers * scale)
        is_exact = (np.abs(whole) < _EXACT) & (whole / scale == numbers)
    told = pl.Series(np.where(is_exact, whole, 0).astype(np.int64))
    return told.set(pl.Series(~is_exact), None)


def _raw(heading: str, schema: "pl.Schema") -> "pl.Expr":
    """The cell as it was found, an empty text as null."""
    import polars as pl

    if schema[heading] != pl.String:
        return pl.col(heading)
    text = pl.col(heading).str.strip_chars()
    return pl.when(text != "").then(text)


def _collect(frame: "pl.LazyFrame", file: str) -> "pl.DataFrame":
    import polars as pl

    try:
        return frame.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(f"found {file} to be unreadable, expected a table of activities: {error}") from error


def _scan(path: Path) -> "tuple[pl.LazyFrame, int]":
    import polars as pl

    if not path.is_file():
        raise UnreadableFile(f"found no file {path.name}, expected a file of activities (.csv or .parquet)")
    if path.suffix.casefold() == ".parquet":
        return pl.scan_parquet(path, glob=False), 1
    if path.suffix.casefold() == ".csv":
        return pl.scan_csv(path, infer_schema=False, glob=False, encoding="utf8"), 2
    raise UnknownFormat(f"found {path.name}, expected a name that ends in .csv or .parquet")


def _schema_of(scan: "pl.LazyFrame", file: str) -> "pl.Schema":
    import polars as pl

    try:
        return scan.collect_schema()
    except pl.exceptions.DuplicateError as error:
        raise UnknownFormat(f"found in {file}: {error}; expected each heading once") from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFile(f"found {file} to be unreadable, expected a table of activities: {error}") from error


def _find_headings(schema: "pl.Schema", file: str) -> dict[str, str]:
    """Role to heading. Raises UnknownFormat for roles with several, and for those that are missing, all at once."""
    # The reader of CSV renames headings that come a second time.
    columns = [re.sub(_AGAIN, "", name) if re.sub(_AGAIN, "", name) in schema else name for name in schema]
    given = {role: [heading for heading in columns if heading in names] for role, names in HEADINGS.items()}
    twice = [" and ".join(found) for found in given.values() if len(found) > 1]
    if twice:
        raise UnknownFormat(f"found in {file} the columns {'; '.join(twice)}; expected one column for each of these")
    missing = [" or ".join(HEADINGS[role]) for role, found in given.items() if not found]
    if missing:
        raise UnknownFormat(
            f"found in {file} the columns {', '.join(columns) or 'none'}; expected also {'; '.join(missing)}"
        )
    return {role: found[0] for role, found in given.items()}


def _problems(
    typed: "pl.LazyFrame", rule: ActivityRule, count: int, headings: Mapping[str, str], file: str
) -> list[Problem]:
    import polars as pl

    column = headings[rule.column]
    cell = (
        pl.col(f"{rule.column}_raw").cast(pl.String).fill_null("nothing") if rule.shown is None else pl.lit(rule.shown)
    )
    broken = typed.filter(rule.where).select("row", cell.alias("found")).head(PROBLEMS_A_RULE)
    found = _collect(broken, file).sort("row")
    listed = [Problem(file, row, column, text, rule.expected, rule.code, "error") for row, text in found.iter_rows()]
    if count > PROBLEMS_A_RULE:
        rest = f"{count - PROBLEMS_A_RULE} more rows like this"
        listed.append(Problem(file, None, column, rest, rule.expected, rule.code, "error"))
    return listed
