"""Transformations of raw figures before they are normalised, and outliers tamed.

Arrays in, arrays and tables of what was changed out; NaN stands for missing inside this package's arithmetic only.
Knows no framework: the caller says what is forced on which indicator by its code.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.recipe import ForcedTreatment, TreatStep

Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

CHANGE_SCHEMA: Final = pl.Schema(
    {"period": pl.Int64, "unit": pl.Int64, "indicator": pl.Int64, "before": pl.Float64, "after": pl.Float64}
)
SUMMARY_SCHEMA: Final = pl.Schema(
    {
        "period": pl.Int64,
        "indicator": pl.Int64,
        "n": pl.Int64,
        "skewness_before": pl.Float64,
        "kurtosis_before": pl.Float64,
        "passed_before": pl.Boolean,
        "method": pl.String,
        "forced": pl.Boolean,
        "points": pl.Int64,
        "skewness": pl.Float64,
        "kurtosis": pl.Float64,
        "passed": pl.Boolean,
    }
)
# The share of the range that keeps the least figure off zero before a logarithm (COIN Tool).
_OFFSET: Final = 0.01


@dataclass(frozen=True)
class Treated:
    """Figures with their outliers tamed.

    cube: (periods, units, indicators). changes: CHANGE_SCHEMA, one row a changed cell, in the order of the cube.
    summary: SUMMARY_SCHEMA, one row an indicator and period (period null where pooled): skewness and kurtosis before
    and after, what was done (`none`, `winsorise`, `log`, `boxcox`), how many points winsorising moved, whether it
    passes now. Period, unit and indicator are positions.
    """

    cube: Array
    changes: pl.DataFrame
    summary: pl.DataFrame


def keep(x: Array) -> Array:
    """The figures as they are."""
    return x


def log1p(x: Array) -> Array:
    """ln(1 + x) for x >= 0, any shape: tames figures that span decades and keeps a true zero at zero.

    Raises ValueError where a figure is negative.
    """
    if np.nanmin(x, initial=0.0) < 0:
        raise ValueError(f"log1p needs figures of zero or more; found {np.nanmin(x)}")
    return np.log1p(x)


TRANSFORMS: Final[Mapping[str, Callable[[Array], Array]]] = {"none": keep, "log1p": log1p}


def skewness(x: Array) -> Array:
    """Bias-corrected skewness along the first axis: g1 sqrt(n (n - 1)) / (n - 2), the type 2 of Joanes and Gill
    (1998), which SAS and Excel print.

    x: (units, ...), NaN ignored. NaN where there are fewer than three figures or all are alike.
    """
    return _shape(x)[0]


def kurtosis(x: Array) -> Array:
    """Bias-corrected excess kurtosis along the first axis: (n - 1) ((n + 1) g2 + 6) / ((n - 2) (n - 3)), the type 2
    of Joanes and Gill (1998); 0 for a normal distribution.

    x: (units, ...), NaN ignored. NaN where there are fewer than four figures or all are alike.
    """
    return _shape(x)[1]


def passes(x: Array, max_skewness: float, max_kurtosis: float) -> Mask:
    """Whether |skewness| < max_skewness or kurtosis < max_kurtosis along the first axis; true where the skewness is
    not known."""
    return _fine(*_shape(x), max_skewness, max_kurtosis)


def _fine(skew: Array, kurt: Array, max_skewness: float, max_kurtosis: float) -> Mask:
    fine: Mask = np.isnan(skew) | (np.abs(skew) < max_skewness) | (kurt < max_kurtosis)
    return fine


def winsorise(x: Array, max_points: int, max_skewness: float, max_kurtosis: float) -> tuple[Array, Counts]:
    """Move extreme figures of every column to the next one, one at a time, until the indicator passes.

    x: (units, indicators), NaN where missing. The side is that of the skewness, looked at anew each time. Figures that
    tie at the extreme move together, earlier moved ones among them, and each counts as a point; where they are more
    than `max_points` they stay, so that the cap holds (COINr 1.1.14 passes it there). They stay too where only one
    value would be left, for that is no cure. Returns the figures and how many of each column differ from the original;
    whether they pass is to be asked again.
    """
    return _move_while(x, max_points, lambda skew, kurt: ~_fine(skew, kurt, max_skewness, max_kurtosis))


def move_points(x: Array, points: int) -> tuple[Array, int]:
    """Winsorise whatever the skewness: as `winsorise`, until `points` figures are moved or nothing can be."""
    moved, changed = _move_while(x[:, None], points, lambda skew, _: ~np.isnan(skew))
    return moved[:, 0], int(changed[0])


def _move_while(x: Array, max_points: int, wanted: Callable[[Array, Array], Mask]) -> tuple[Array, Counts]:
    """Move extremes of columns as long as it is wanted, given skewness and kurtosis of what has become of them."""
    moved, points = x.copy(), np.zeros(x.shape[1], dtype=np.int64)
    going = np.flatnonzero(points < max_points)
    while len(going):
        skew, kurt = _shape(moved[:, going])
        going, skew = going[wanted(skew, kurt)], skew[wanted(skew, kurt)]
        further = _move_extremes(moved[:, going], greatest=skew >= 0)
        count = ((x[:, going] != further) & ~np.isnan(further)).sum(axis=0)
        done = (count <= max_points) & _varies(further)
        going, count = going[done], count[done]
        moved[:, going], points[going] = further[:, done], count
        going = going[count < max_points]
    return moved, points


def log_range(x: Array) -> Array:
    """ln(x - min + 0.01 (max - min)), the logarithm of the COIN Tool; order is kept.

    x: (units,), NaN where missing. Where the skewness is negative the mirror image is taken,
    -ln(max - x + 0.01 (max - min)): the plain logarithm stretches the low tail further, so that it makes the skewness
    worse that it was called to cure (COINr 1.1.14 does that). Constant figures stay as they are.
    """
    if not _varies(x):
        return x
    least, greatest = np.nanmin(x), np.nanmax(x)
    margin = _OFFSET * (greatest - least)
    if skewness(x) < 0:
        return -np.log(greatest - x + margin)
    logarithm: Array = np.log(x - least + margin)
    return logarithm


def boxcox(x: Array) -> Array:
    """(s^lambda - 1) / lambda, ln s where lambda is 0, of s = (x - min) / (max - min) + 0.01, with the lambda of the
    greatest likelihood (Box and Cox 1964); order is kept.

    x: (units,), NaN where missing. Shifted and scaled by the range, so that the unit of x does not matter; lambda
    above 1 serves negative skewness. Constant figures stay as they are.
    """
    if not _varies(x):
        return x
    from scipy.special import boxcox as transform
    from scipy.stats import boxcox_normmax

    least, greatest = np.nanmin(x), np.nanmax(x)
    positive = (x - least) / (greatest - least) + _OFFSET
    exponent = float(boxcox_normmax(positive[~np.isnan(x)], method="mle"))
    transformed: Array = transform(positive, exponent)
    return transformed


FALL_BACKS: Final[Mapping[str, Callable[[Array], Array]]] = {"none": keep, "log": log_range, "boxcox": boxcox}


def treat(x: Array, step: TreatStep, codes: Sequence[str], *, pooled: bool = False) -> Treated:
    """Tame the outliers of every indicator, within each period or over all periods at once.

    x: (periods, units, indicators), any unit, NaN where missing; codes: of the indicators, which
    `step.by_indicator` names; pooled: whether the figures of all periods are judged as one column, which keeps them
    comparable.

    An indicator that passes stays. One that does not is winsorised up to `step.max_points`; if it still does not
    pass, its original figures are transformed by `step.fall_back` (`none`: they stay as they were) and it is asked
    again, so that the summary can say what did not pass in the end. A forced treatment is done whether the indicator
    passes or not, and nothing else is, also where the method of the step is `none` (COINr 1.1.14 forgets it).
    """
    columns = x.reshape(1, -1, x.shape[2]) if pooled else x
    treated = columns.copy()
    done: dict[tuple[int, int], tuple[str, int]] = {}
    shape = _shape(np.moveaxis(columns, 1, 0))
    passing = _fine(*shape, step.max_skewness, step.max_kurtosis)
    free = np.array([code not in step.by_indicator for code in codes], dtype=bool)
    periods, tamed = np.nonzero(~passing & free & (step.method != "none"))
    treated[periods, :, tamed], methods = _tame(columns[periods, :, tamed].T, step)
    done.update(zip(zip(periods.tolist(), tamed.tolist(), strict=True), methods, strict=True))
    for i in np.flatnonzero(~free).tolist():
        for period, column in enumerate(columns[:, :, i]):
            treated[period, :, i], method, count = _force(column, step.by_indicator[codes[i]])
            done[period, i] = method, count
    shapes = shape, _shape(np.moveaxis(treated, 1, 0)) if done else shape
    summary = _summary((~np.isnan(columns)).sum(axis=1), shapes, step, codes, done)
    if pooled:
        summary = summary.with_columns(period=pl.lit(None, dtype=pl.Int64))
    cube = treated.reshape(x.shape)
    return Treated(cube, _changes(x, cube), summary)


def _force(x: Array, forced: ForcedTreatment) -> tuple[Array, str, int]:
    if forced.method == "winsorise":
        moved, points = move_points(x, forced.points or 0)
        return moved, "winsorise", points
    return FALL_BACKS[forced.method](x), forced.method, 0


def _tame(x: Array, step: TreatStep) -> tuple[Array, list[tuple[str, int]]]:
    """Winsorise columns of (units, columns), else fall back: the figures as (columns, units), and of each column the
    method that they come from and the points moved."""
    moved, points = winsorise(x, step.max_points, step.max_skewness, step.max_kurtosis)
    how = [("winsorise", count) for count in points.tolist()]
    for column in np.flatnonzero(~passes(moved, step.max_skewness, step.max_kurtosis)).tolist():
        moved[:, column], how[column] = FALL_BACKS[step.fall_back](x[:, column]), (step.fall_back, 0)
    return moved.T, how


def _shape(x: Array) -> tuple[Array, Array]:
    """Skewness and excess kurtosis along the first axis, both of type 2."""
    missing = np.isnan(x)
    n = (~missing).sum(axis=0).astype(np.float64)
    least, greatest = (end.reduce(x, axis=0, initial=np.nan) for end in (np.fmin, np.fmax))
    # Judged by the range, not by the variance: the mean of equal figures can be off by a last digit.
    varied = greatest > least
    span = np.where(varied, greatest - least, np.nan)
    part = np.where(missing, 0.0, (x - least) / span)
    count = np.where(varied, n, np.nan)
    off = np.where(missing, 0.0, part - part.sum(axis=0) / count)
    square = off * off
    second, third, fourth = (power.sum(axis=0) / count for power in (square, square * off, square * square))
    many, more = np.where(n > 2, n, np.nan), np.where(n > 3, n, np.nan)
    skew: Array = third / second**1.5 * np.sqrt(many * (many - 1)) / (many - 2)
    kurt: Array = (more - 1) * ((more + 1) * (fourth / second**2 - 3) + 6) / ((more - 2) * (more - 3))
    return skew, kurt


def _move_extremes(x: Array, *, greatest: Mask) -> Array:
    """The figures of each column with the greatest or the least of them set to the next one. Every column varies."""
    up = np.where(greatest, x, -x)
    end = np.fmax.reduce(up, axis=0)
    following = np.fmax.reduce(np.where(up < end, up, np.nan), axis=0)
    moved = np.where(up == end, following, up)
    return np.where(greatest, moved, -moved)


def _varies(x: Array) -> Mask:
    """Is there more than one value along the first axis?"""
    varies: Mask = np.fmax.reduce(x, axis=0, initial=np.nan) > np.fmin.reduce(x, axis=0, initial=np.nan)
    return varies


def _changes(before: Array, after: Array) -> pl.DataFrame:
    where = np.nonzero((before != after) & ~np.isnan(before))
    columns = dict(zip(("period", "unit", "indicator"), where, strict=True))
    return pl.DataFrame({**columns, "before": before[where], "after": after[where]}).cast(CHANGE_SCHEMA)


def _summary(
    n: npt.NDArray[np.int64],
    shapes: tuple[tuple[Array, Array], tuple[Array, Array]],
    step: TreatStep,
    codes: Sequence[str],
    done: Mapping[tuple[int, int], tuple[str, int]],
) -> pl.DataFrame:
    """n: how many figures, (periods, indicators); shapes: skewness and kurtosis of that shape, before and after."""
    periods, width = n.shape
    where = [(period, i) for period in range(periods) for i in range(width)]
    before, after = shapes
    limits = step.max_skewness, step.max_kurtosis
    frame = pl.DataFrame(
        {
            "period": np.repeat(np.arange(periods), width),
            "indicator": np.tile(np.arange(width), periods),
            "n": n.ravel(),
            "skewness_before": before[0].ravel(),
            "kurtosis_before": before[1].ravel(),
            "passed_before": _fine(*before, *limits).ravel(),
            "method": [done.get(cell, ("none", 0))[0] for cell in where],
            "forced": [codes[i] in step.by_indicator for _, i in where],
            "points": [done.get(cell, ("none", 0))[1] for cell in where],
            "skewness": after[0].ravel(),
            "kurtosis": after[1].ravel(),
            "passed": _fine(*after, *limits).ravel(),
        }
    )
    return frame.lazy().cast(SUMMARY_SCHEMA).with_columns(pl.selectors.float().fill_nan(None)).collect()
