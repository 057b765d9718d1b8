"""Tables computed elsewhere, held against ours: how large is the largest difference, and where?

Knows results of `fhi.index` and wide tables with a column of units, such as COINr exports. Computes no index.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from fhi.errors import PanelError, Problem
from fhi.formats.tables import ROW, read_table
from fhi.index import IndexResult
from fhi.steps import wide_table

REPORT_SCHEMA: Final = pl.Schema(
    {
        "table": pl.String,
        "file": pl.String,
        "cells": pl.Int64,
        "only_ours": pl.Int64,
        "only_theirs": pl.Int64,
        "largest_difference": pl.Float64,
        "unit": pl.String,
        "code": pl.String,
        "ours": pl.Float64,
        "theirs": pl.Float64,
    }
)
_UNITS: Final = ("ucode", "unit", "hub", "code")
_PERIODS: Final = ("time", "period", "year")


def hold_against(result: IndexResult, tables: Sequence[tuple[str, Path]]) -> pl.DataFrame:
    """REPORT_SCHEMA, one row a table: cells that both have, cells that one has alone, the largest absolute difference
    and where it is.

    tables: name of ours (a step of `result.steps.cubes`, `scores` or `ranks`) and a wide file: a column of units
    (uCode, unit or hub), perhaps one of periods, and one column a code. Codes that we do not have are passed over, so
    that one file may hold more than we know; a file without a common code is a problem. Raises PanelError for an
    unknown table name or a file that cannot be read so.
    """
    return pl.concat([_hold_one(result, name, path) for name, path in tables])


def our_tables(result: IndexResult) -> dict[str, pl.DataFrame]:
    """What can be held against, as long frames hub, period, code, value."""
    names = list(result.steps.cubes)
    long = {
        name: wide_table(result.steps, name).unpivot(index=["hub", "period"], variable_name="code") for name in names
    }
    scores = result.scores.select("hub", "period", "code", value="score")
    ranks = result.scores.select("hub", "period", "code", value=pl.col("rank").cast(pl.Float64))
    return {**long, "scores": scores, "ranks": ranks}


def _hold_one(result: IndexResult, name: str, path: Path) -> pl.DataFrame:
    known = our_tables(result)
    if name not in known:
        raise PanelError([Problem(f"table {name!r}", "no such table", f"one of {', '.join(known)}", "unknown_table")])
    theirs = _read(path, result)
    both = known[name].drop_nulls("value").join(theirs, on=[*_keys(theirs), "code"], how="full", coalesce=True)
    asked = both.filter(pl.col("code").is_in(theirs["code"].unique().to_list()))
    compared = asked.with_columns(difference=(pl.col("value") - pl.col("theirs")).abs())
    cells = compared.filter(pl.col("difference").is_not_null())
    worst = cells.sort("difference", descending=True, maintain_order=True).head(1)
    row = worst.select(largest_difference="difference", unit="hub", code="code", ours="value", theirs="theirs")
    if row.height == 0:
        row = pl.DataFrame({column: [None] for column in row.columns})
    counts = compared.select(
        table=pl.lit(name),
        file=pl.lit(path.name),
        cells=pl.col("difference").is_not_null().sum(),
        only_ours=(pl.col("value").is_not_null() & pl.col("theirs").is_null()).sum(),
        only_theirs=(pl.col("value").is_null() & pl.col("theirs").is_not_null()).sum(),
    )
    return pl.concat([counts.head(1), row], how="horizontal").select(REPORT_SCHEMA.names()).cast(REPORT_SCHEMA)


def _keys(frame: pl.DataFrame) -> list[str]:
    return [name for name in ("hub", "period") if name in frame.columns]


def _read(path: Path, result: IndexResult) -> pl.DataFrame:
    """hub, perhaps period, code, theirs: the figures that a file has of our codes."""
    table, problems = read_table(path, ("iData",))
    if table is None:
        raise PanelError(problems)
    headings = {name.strip().lower(): name for name in table.frame.columns if name != ROW}
    unit = next((headings[name] for name in _UNITS if name in headings), None)
    codes = [name for name in table.frame.columns if name in result.framework.node]
    if unit is None or not codes:
        found = ", ".join(table.frame.columns[1:9])
        expected = "a column uCode, unit or hub, and columns named as codes of the framework"
        raise PanelError([Problem(path.name, f"columns {found}", expected, "no_codes")])
    period = next((headings[name] for name in _PERIODS if name in headings), None)
    keys = [pl.col(unit).cast(pl.String).alias("hub")]
    if period is not None:
        keys.append(pl.col(period).cast(pl.String).alias("period"))
    figures = [pl.col(code).cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False) for code in codes]
    wide = table.frame.select(*keys, *figures)
    index = [name for name in ("hub", "period") if name in wide.columns]
    return wide.unpivot(index=index, variable_name="code", value_name="theirs").drop_nulls("theirs")
