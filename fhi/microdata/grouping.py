"""From checked rows to groups of them: the pass that must not grow with the rows.

Knows builders, periods and how to spread rows over parts on disk. Knows no indicator.

Files are read one after another, since a stream that reads many at once holds a piece of each. Where a kind counts
distinct names, which may be as many as the rows, its rows are first written to temporary files, spread by the hash of
the name so that equal names stand together, and then counted file by file: exactly, and in the memory of one part.
"""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from fhi.microdata.reading import Checked, collect_all
from fhi.microdata.rows import Builder, By

PARTS: Final = 64
# Rows kept in memory for each part until they are written.
_WAITING: Final = 5_000


def group_rows(checked: Checked, builder: Builder, period: str | None, by: By, paths: Sequence[Path]) -> pl.DataFrame:
    """Groups of all rows: fault, city columns (hubs), period, keys but `distinct`, rows, and sums or totals.

    period: of a snapshot, for a builder without a date; by: length of periods, for one with dates; paths: the files,
    to name in an error. Bad rows have null keys and are counted by fault. Kinds with `distinct` take some 25 bytes a
    row on disk, in the folder for temporary files, while this runs.

    Raises PanelError where a file breaks off.
    """
    ok = pl.col("fault").is_null()
    keys = [*(column.name for column in checked.schema.of_type("city")), *builder.keys]
    asked = [pl.when(ok).then(pl.col(name)).alias(name) for name in keys]
    if builder.dated is not None:
        asked.append(pl.when(ok).then(_period_number(builder.dated, by)).alias("period"))
        keys.append("period")
    used = {name for total in builder.sums.values() for name in total.meta.root_names()} - {*keys, "fault"}
    rows = checked.frame.with_columns(**builder.figures).select("fault", *asked, *sorted(used))
    name = partial(_name_periods, builder=builder, period=period, by=by)
    if builder.distinct is None:
        return name(collect_all([_add_up(rows, builder, keys)], paths)[0])
    kept = ["fault", *(key for key in keys if key != builder.distinct), "period"]
    with tempfile.TemporaryDirectory() as folder:
        part = (pl.col(builder.distinct).hash() % PARTS).alias("part")
        target = pl.PartitionBy(folder, key=part, include_key=False)
        spread = rows.sink_parquet(target, compression="lz4", row_group_size=_WAITING, lazy=True)
        collect_all([spread], paths)
        parts = [pl.scan_parquet(path) for path in sorted(Path(folder).iterdir())]
        # One part after another: its groups, as many as names, are gone before the next.
        totals = [
            name(collect_all([_add_up(part, builder, keys)], paths)[0])
            .group_by(kept)
            .agg(pl.col("rows").sum(), **builder.totals)
            for part in parts or [rows.head(0)]
        ]
    return pl.concat(totals).group_by(kept, maintain_order=True).sum()


def _add_up(rows: pl.LazyFrame, builder: Builder, keys: Sequence[str]) -> pl.LazyFrame:
    # Keeping the order is what makes polars read one file after another.
    return rows.group_by("fault", *keys, maintain_order=True).agg(rows=pl.len().cast(pl.Int64), **builder.sums)


def _period_number(column: str, by: By) -> pl.Expr:
    """Year times 100, plus the quarter or month: a number groups faster than text."""
    if column == "year":
        return pl.col(column) * 100
    date = pl.col(column).dt
    inside = {"year": pl.lit(0), "quarter": date.quarter().cast(pl.Int32), "month": date.month().cast(pl.Int32)}[by]
    return date.year() * 100 + inside


def _name_periods(groups: pl.DataFrame, builder: Builder, period: str | None, by: By) -> pl.DataFrame:
    if builder.dated is None:
        return groups.with_columns(period=pl.lit(period, pl.String))
    year = (pl.col("period") // 100).cast(pl.String)
    inside = pl.col("period") % 100
    named = {
        "year": year,
        "quarter": year + "-Q" + inside.cast(pl.String),
        "month": year + "-" + inside.cast(pl.String).str.zfill(2),
    }
    return groups.with_columns(period=named[by])
