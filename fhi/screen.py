"""Which units and indicators have figures enough to take part.

Arrays in, arrays and a table of what goes out; NaN stands for missing inside this package's arithmetic only. Knows no
tree: the caller says which columns belong together. Fills nothing and weighs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError
from fhi.recipe import ScreenStep

Mask = npt.NDArray[np.bool_]
Absent = Literal["null", "null_or_zero"]

GONE_SCHEMA: Final = pl.Schema(
    {
        "period": pl.Int64,
        "unit": pl.Int64,
        "indicator": pl.Int64,
        "group": pl.String,
        "reason": pl.String,
        "share": pl.Float64,
        "min_share": pl.Float64,
    }
)
# Shares are ratios of counts: 0.9 of 10 must reach a threshold of 0.9 whatever the last digit of either.
_SLACK: Final = 1e-12


@dataclass(frozen=True)
class Availability:
    """Shares of cells with a figure, 0 to 1.

    units: (periods, units), of a unit over all indicators; indicators: (periods, indicators), of an indicator over all
    units; groups: (periods, units) by the name of the group, of a unit over the indicators of that group. NaN where
    there is no cell to count.
    """

    units: Array
    indicators: Array
    groups: Mapping[str, Array]


@dataclass(frozen=True)
class Screened:
    """What takes part.

    cube: the figures, NaN for all that goes. rows: (periods, units) and indicators: (indicators,), true for what
    stays. gone: GONE_SCHEMA, one row a thing that goes and reason: `dropped` (asked for), `indicator_share`,
    `unit_share` or `group_share`; period, unit and indicator are positions, null where the row is not about one.
    """

    cube: Array
    rows: Mask
    indicators: Mask
    gone: pl.DataFrame


def availability(x: Array, groups: Mapping[str, Sequence[int]], absent: Absent = "null") -> Availability:
    """Shares of cells with a figure of units, of indicators and of units inside groups, in each period.

    x: (periods, units, indicators), NaN where missing; groups: positions of the indicators of each group; absent:
    whether a zero counts as no figure.
    """
    here = _here(x, absent)
    return Availability(
        units=_share(here, axis=2),
        indicators=_share(here, axis=1),
        groups={name: _share(here[:, :, list(columns)], axis=2) for name, columns in groups.items()},
    )


def screen(x: Array, step: ScreenStep, groups: Mapping[str, Sequence[int]], units: Sequence[str]) -> Screened:
    """Leave out the indicators, then the (period, unit) rows, that have too few figures.

    x: (periods, units, indicators), NaN where missing; groups: positions of the indicators of each lowest group;
    units: codes of the units, which `step.keep` and `step.drop` name.

    An indicator is judged once for all periods, so that years rest on the same ones: its share is of all (period,
    unit) cells, of the units as given. A unit is judged in each period, on the indicators that stay; a group that has
    lost all of its indicators judges nobody. Nothing is judged twice: an indicator does not go because units went.
    Method `none` leaves everything as it is.

    Raises RecipeError where a unit is both to be kept and to be dropped.
    """
    both = [unit for unit in step.keep if unit in step.drop]
    if both:
        raise RecipeError([Problem(f"[screen] {unit}", "in keep and in drop", "one of them", "both") for unit in both])
    periods, number, width = x.shape
    if step.method == "none":
        everything = np.ones((periods, number), dtype=bool), np.ones(width, dtype=bool)
        return Screened(x.copy(), *everything, pl.DataFrame(schema=GONE_SCHEMA))
    here = _here(x, step.absent)
    share = _share(here.reshape(-1, width), axis=0)
    indicators = _reaches(share, step.min_indicator_share)
    gone = [_table("indicator_share", share, ~indicators, ("indicator",), step.min_indicator_share)]
    kept, dropped = _named(units, step.keep), _named(units, step.drop)
    rows = np.tile(~dropped, (periods, 1))
    gone.append(_table("dropped", np.full((periods, number), np.nan), ~rows, ("period", "unit"), None))
    for name, columns, least in _tests(step, groups, indicators):
        share = _share(here[:, :, columns], axis=2)
        short = ~_reaches(share, least) & ~kept & ~dropped
        reason = "unit_share" if name is None else "group_share"
        gone.append(_table(reason, share, short, ("period", "unit"), least, name))
        rows &= ~short
    cube = np.where(rows[:, :, None] & indicators, x, np.nan)
    return Screened(cube, rows, indicators, pl.concat(gone))


def _tests(
    step: ScreenStep, groups: Mapping[str, Sequence[int]], indicators: Mask
) -> list[tuple[str | None, list[int], float]]:
    """What a unit is judged on: name of the group (none for the whole), positions that stay, least share."""
    whole = [int(i) for i in np.flatnonzero(indicators)]
    tests: list[tuple[str | None, list[int], float]] = [(None, whole, step.min_unit_share)]
    for name, columns in groups.items():
        staying = [i for i in columns if indicators[i]]
        if staying:
            tests.append((name, staying, step.min_group_share))
    return tests


def _here(x: Array, absent: Absent) -> Mask:
    here: Mask = ~np.isnan(x)
    return here & (x != 0) if absent == "null_or_zero" else here


def _share(here: Mask, axis: int) -> Array:
    cells = here.shape[axis]
    counts = here.sum(axis=axis).astype(np.float64)
    share: Array = counts / cells if cells else np.full(counts.shape, np.nan)
    return share


def _reaches(share: Array, least: float) -> Mask:
    reaches: Mask = np.nan_to_num(share) >= least - _SLACK
    return reaches


def _named(units: Sequence[str], names: Sequence[str]) -> Mask:
    return np.isin(np.array(units, dtype=object), list(names))


def _table(
    reason: str, share: Array, short: Mask, axes: tuple[str, ...], least: float | None, group: str | None = None
) -> pl.DataFrame:
    where = np.nonzero(short)
    found = pl.DataFrame(dict(zip(axes, where, strict=True)))
    found = found.with_columns(
        pl.Series("share", share[where]).fill_nan(None),
        group=pl.lit(group, dtype=pl.String),
        reason=pl.lit(reason),
        min_share=pl.lit(least, dtype=pl.Float64),
        **{name: pl.lit(None, dtype=pl.Int64) for name in ("period", "unit", "indicator") if name not in axes},
    )
    return found.select(GONE_SCHEMA.names()).cast(GONE_SCHEMA)
