"""Two results side by side: whose rank moves, and how far two rankings agree.

Knows score frames alone: no framework, no recipe, and not how the results were made.
"""

from typing import Final

import numpy as np
import polars as pl

from fhi.correlations import correlate
from fhi.errors import PanelError, Problem

_KEY: Final = ["period", "code", "hub"]
SHIFT_SCHEMA: Final = pl.Schema(
    {
        "hub": pl.String,
        "period": pl.String,
        "code": pl.String,
        "first_rank": pl.Int64,
        "second_rank": pl.Int64,
        "shift": pl.Int64,
        "first_score": pl.Float64,
        "second_score": pl.Float64,
    }
)
AGREEMENT_SCHEMA: Final = pl.Schema(
    {
        "period": pl.String,
        "code": pl.String,
        "n": pl.Int64,
        "only_first": pl.Int64,
        "only_second": pl.Int64,
        "spearman": pl.Float64,
        "kendall": pl.Float64,
        "mean_shift": pl.Float64,
        "largest_shift": pl.Int64,
        "equal_share": pl.Float64,
    }
)


def rank_shift(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Ranks and scores of every unit and node in both results: SHIFT_SCHEMA, sorted by period, node and unit.

    first, second: score frames with hub, period, code, score and rank (1 is best), such as IndexResult.scores; other
    columns are left alone. `shift` is the rank in the first less that in the second: above zero where the unit stands
    higher in the second. Null where either has no rank; a row that one frame lacks is null on that side. Raises
    PanelError for a frame without these columns or with two rows of one unit, period and node.
    """
    problems = [*_check("first", first), *_check("second", second)]
    if problems:
        raise PanelError(problems)
    left, right = (
        frame.select(*_KEY, pl.col("rank").alias(f"{name}_rank"), pl.col("score").alias(f"{name}_score"))
        for name, frame in (("first", first), ("second", second))
    )
    both = left.join(right, on=_KEY, how="full", coalesce=True).with_columns(
        shift=pl.col("first_rank").cast(pl.Int64) - pl.col("second_rank").cast(pl.Int64)
    )
    return both.select(SHIFT_SCHEMA.names()).cast(SHIFT_SCHEMA).sort(_KEY)


def agreement(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """How far two results rank alike: AGREEMENT_SCHEMA, one row a period and node that either has.

    first, second: as for `rank_shift`. Over the n units that both rank: Spearman and Kendall tau-b correlation of the
    ranks (null for fewer than three units or where all share one rank), the mean and the largest absolute change of
    rank, and the share of units with equal ranks (null without any). Ranks are those of each result among all its
    own units: where `only_first` or `only_second`, the units that one of them ranks alone, are not zero, units may
    have moved for no other reason than that.
    """
    shifts = rank_shift(first, second)
    one, two = pl.col("first_rank").is_not_null(), pl.col("second_rank").is_not_null()
    moved = pl.col("shift").abs()
    numbers = shifts.group_by("period", "code", maintain_order=True).agg(
        n=(one & two).sum().cast(pl.Int64),
        only_first=(one & ~two).sum().cast(pl.Int64),
        only_second=(~one & two).sum().cast(pl.Int64),
        mean_shift=moved.mean(),
        largest_shift=moved.max(),
        equal_share=(moved == 0).mean(),
        first_ranks=pl.col("first_rank").filter(one & two),
        second_ranks=pl.col("second_rank").filter(one & two),
    )
    pairs = [np.array([a, b], dtype=np.float64).T for a, b in numbers.select("first_ranks", "second_ranks").iter_rows()]
    found = numbers.with_columns(
        spearman=pl.Series([float(correlate(pair, kind="spearman").r[0, 1]) for pair in pairs], dtype=pl.Float64),
        kendall=pl.Series([float(correlate(pair, kind="kendall").r[0, 1]) for pair in pairs], dtype=pl.Float64),
    )
    return found.select(AGREEMENT_SCHEMA.names()).cast(AGREEMENT_SCHEMA).fill_nan(None)


def _check(name: str, frame: pl.DataFrame) -> list[Problem]:
    wanted = [*_KEY, "score", "rank"]
    absent = [column for column in wanted if column not in frame.columns]
    if absent:
        expected = f"a score frame with {', '.join(wanted)}"
        return [Problem(f"the {name} result", f"no column {', '.join(absent)}", expected, "missing_column")]
    double = frame.filter(pl.struct(_KEY).is_duplicated()).select(_KEY).unique(maintain_order=True)
    return [
        Problem(f"the {name} result", f"several rows of {', '.join(map(str, row))}", "one row each", "duplicate")
        for row in double.head(20).iter_rows()
    ]
