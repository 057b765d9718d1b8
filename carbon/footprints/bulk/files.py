"""A user's own file of persons' activities, CSV or Parquet: columns by name in, checked rows and problems out.

Knows headings, and how days, codes and amounts are written. Must not know where rows are kept. Everything is a lazy
scan, so that a Parquet file larger than memory can be read; only broken rows are ever listed, and never who is in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.footprints.activity_cells import ResolveHubs, known_hubs
from carbon.footprints.bulk.records import DECIMALS, LARGEST_CODE, REQUIRED, activity_rules, records_schema
from carbon.footprints.units import canonical_units
from carbon.scans import (
    ScannedTable,
    check_rows,
    collect_scan,
    find_headings,
    found_expr,
    replaced_expr,
    scaled_expr,
    scan_table,
)

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HEADINGS", "ActivityScan", "scan_activity_file"]

HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("day", "日期"),
    "hub": ("hub", "城市"),
    "activity": ("activity", "活动"),
    "person": ("person", "用户代码"),
    "amount": ("amount", "数量"),
    "unit": ("unit", "单位"),
}
"""Headings that each column may have, one of them at a time; all are needed."""

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
    row of a Parquet file is row 1. Lines without any cell are left out; columns that are not read are warned of.
    Raises UnreadableFile, UnknownFormat (all missing columns and columns given twice at once).
    """
    import polars as pl

    name = file or path.name
    table = scan_table(path, name, "activities")
    headings = find_headings(table, HEADINGS, hide=True)
    raw = table.rows.select(
        pl.col("row").cast(pl.Int64),
        *(found_expr(headings[role], table.schema).alias(f"{role}_raw") for role in REQUIRED),
    ).filter(pl.any_horizontal(pl.col(f"{role}_raw").is_not_null() for role in REQUIRED))
    pairs, words = _words_of(raw, table)
    kinds = {role: table.schema[heading] for role, heading in headings.items()}
    checked = check_rows(_typed(raw, kinds, pairs, _keys(raw, hubs, table)), activity_rules(), headings, table)
    kept = [column for column in records_schema() if column != "activity"]
    good = checked.good.select("hub", *kept, "word")
    problems = (*_unread(table, headings), *checked.problems)
    return ActivityScan(good, words, checked.rows_read, checked.rows_kept, problems)


def _unread(table: ScannedTable, headings: Mapping[str, str]) -> list[Problem]:
    """Warnings of columns that nobody reads."""
    read = headings.values()
    expected = f"no columns but {', '.join(HEADINGS)}"
    return [
        Problem(
            table.file, None, heading or f"{at}", "a column that is not read", expected, "unread_heading", "warning"
        )
        for at, heading in enumerate(table.schema, 1)
        if heading not in read
    ]


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


def _words_of(raw: "pl.LazyFrame", table: ScannedTable) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Activity and unit as written, each pair once: pair, written (the unit), unit (its own name), word; and the words.

    A pair whose unit is not known is left out, so that a file of nothing else costs nothing.
    """
    import polars as pl

    written = raw.select(_text("activity").alias("name"), _text("unit").alias("written"))
    found = collect_scan(written.unique(), table).drop_nulls().sort("name", "written")
    named = found.with_columns(canonical_units(found["written"]).alias("unit"))
    words = named.drop_nulls("unit").select("name", "unit").unique(maintain_order=True)
    places = words.with_row_index("word").with_columns(pl.col("word").cast(pl.Int32))
    pairs = named.join(places, on=["name", "unit"]).select(
        pl.concat_str("name", "written", separator=_BETWEEN).alias("pair"), "written", "unit", "word"
    )
    return pairs, words


def _keys(raw: "pl.LazyFrame", hubs: ResolveHubs, table: ScannedTable) -> "pl.DataFrame":
    """What the file calls its cities, and their keys: written, hub; without cities that nobody knows."""
    import polars as pl

    written = collect_scan(raw.select(_text("hub").alias("written").unique()), table)["written"].drop_nulls().sort()
    return pl.DataFrame({"written": written, "hub": hubs(written).cast(pl.String)}).drop_nulls()


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
    if kind == pl.Float64:
        exact = partial(_scaled_floats, scale=10**decimals)
        return raw.map_batches(exact, return_dtype=pl.Int64, is_elementwise=True)
    return scaled_expr(raw, kind, decimals)


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
