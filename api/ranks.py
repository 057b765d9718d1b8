"""Printed ranks that a user brings, for `greenfin validate`. Knows the file layout and how cities become hubs."""

from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from fhi.errors import PanelError, Problem, UnknownHub
from fhi.hubs import find_hub

_COLUMNS: Final = ("index", "edition", "dimension", "city", "rank")


def read_ranks(path: Path, index: str) -> tuple[pl.DataFrame, list[str]]:
    """Overall ranks of one index and edition ("CFCI 14"): frame (hub, standing = -rank) and the cities left out.

    Raises PanelError for a file that is no table in UTF-8, lacks one of the columns index, edition, dimension, city,
    rank, does not hold that index, or has a rank that is no number.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except PolarsError as error:
        raise PanelError([Problem(path.name, str(error), "a CSV table in UTF-8", "unreadable_file")]) from error
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        found, expected = ", ".join(frame.columns), ", ".join(_COLUMNS)
        raise PanelError([Problem(path.name, f"columns {found}", f"columns {expected}", "missing_column")])
    label = pl.col("index") + " " + pl.col("edition")
    wanted = frame.filter(label == index, pl.col("dimension") == "overall", pl.col("rank").is_not_null())
    if wanted.height == 0:
        known = ", ".join(frame.select(label.alias("label"))["label"].unique().sort().drop_nulls())
        raise PanelError([Problem(path.name, f"no overall ranks of {index!r}", f"one of {known}", "unknown_index")])
    typed = wanted.with_columns(standing=-pl.col("rank").cast(pl.Float64, strict=False))
    wrong = typed.filter(pl.col("standing").is_null()).select("city", "rank").iter_rows()
    problems = [
        Problem(f"{path.name}, {index}, {city}", f"rank {rank!r}", "a number", "wrong_rank") for city, rank in wrong
    ]
    if problems:
        raise PanelError(problems)
    rows, left_out = [], []
    for city, standing in typed.select("city", "standing").iter_rows():
        try:
            rows.append((find_hub(city), standing))
        except UnknownHub:
            left_out.append(city)
    return pl.DataFrame(rows, schema={"hub": pl.String, "standing": pl.Float64}, orient="row"), left_out
