"""Missing figures filled, and how far such fillings are off.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no framework and no names:
`Context` says which units and indicators belong together. Every method fills missing cells alone, within each period
or along the periods of one unit and indicator; a cell that it has no ground for stays missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError
from fhi.impute_models import fill_iteratively, fill_nearest
from fhi.recipe import ImputeStep

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

HOLD_OUT_SCHEMA: Final = pl.Schema(
    {
        "indicator": pl.Int64,
        "hidden": pl.Int64,
        "n": pl.Int64,
        "rmse": pl.Float64,
        "mae": pl.Float64,
        "nrmse": pl.Float64,
        "mean_n": pl.Int64,
        "mean_rmse": pl.Float64,
        "mean_mae": pl.Float64,
        "mean_nrmse": pl.Float64,
    }
)


@dataclass(frozen=True)
class Context:
    """What imputation may know about the axes of the cube.

    unit_group: (units,), code of the group that each unit belongs to, -1 where unknown. indicator_group:
    (indicators,), code of the lowest group of the tree above each indicator. direction: (indicators,) of 1 and -1.
    time: (periods,), where each period lies, in any unit of time (2022, 2022.25), ascending.
    """

    unit_group: Codes
    indicator_group: Codes
    direction: Array
    time: Array


@dataclass(frozen=True)
class Imputed:
    """A cube with fillings.

    cube: (periods, units, indicators), observed cells untouched, NaN where nothing could be filled. mask: true for
    filled cells. unsettled: positions of the periods in which `iterative` used up its rounds before it settled.
    """

    cube: Array
    mask: Mask
    unsettled: tuple[int, ...] = ()


def impute(x: Array, step: ImputeStep, context: Context, seed: int = 0) -> Imputed:
    """Fill the missing cells of a cube by the method of the step.

    x: (periods, units, indicators), any unit, NaN where missing; seed: of the draws of `iterative`. Raises RecipeError
    where `linear` is asked for and `context.time` does not ascend.
    """
    unsettled: tuple[int, ...] = ()
    if step.method == "iterative":
        filled, unsettled = fill_iteratively(x, step.max_rounds, seed)
    else:
        filled = IMPUTERS[step.method](x, step, context)
    mask = np.isnan(x) & ~np.isnan(filled)
    return Imputed(np.where(mask, filled, x), mask, unsettled)


def hold_out_error(x: Array, step: ImputeStep, context: Context, seed: int = 0) -> pl.DataFrame:
    """How far the method is off: hide some observed cells, fill them, compare.

    Of every indicator a share `step.hold_out_share` of its observed cells, at least one, drawn with `seed`, is hidden
    at once with those of the others. One row an indicator (HOLD_OUT_SCHEMA, in the indicator's unit): cells hidden;
    n, of these the cells that the method filled; root mean squared and mean absolute error; `nrmse`, the first
    divided by the standard deviation (n - 1) of the observed cells. The `mean_` columns say the same of filling the
    same cells by the mean of the indicator in that period, the yardstick: a method with a greater error is worse than
    no method.
    Null where nothing can be said: an indicator with fewer than two figures hides none, a constant one has no nrmse.
    """
    hidden = _hide(x, step.hold_out_share, seed)
    left = np.where(hidden, np.nan, x)
    filled = impute(left, step, context, seed).cube
    # Beside cells that the method leaves alone the yardstick would be held against harder or easier ones.
    by_mean = np.where(np.isnan(filled), np.nan, _column_mean(left, step, context))
    sd = _spread(x)
    frame = pl.DataFrame(
        {
            "indicator": np.arange(x.shape[2]),
            "hidden": hidden.sum(axis=(0, 1)),
            **_errors(x, filled, hidden, sd, ""),
            **_errors(x, by_mean, hidden, sd, "mean_"),
        }
    )
    typed = frame.lazy().select(HOLD_OUT_SCHEMA.names()).cast(HOLD_OUT_SCHEMA)
    return typed.with_columns(pl.selectors.float().fill_nan(None)).collect()


def _hide(x: Array, share: float, seed: int) -> Mask:
    """Cells to hide: of each indicator its share of the observed, at least one and never all."""
    generator = np.random.default_rng(seed)
    flat = x.reshape(-1, x.shape[2])
    hidden = np.zeros(flat.shape, dtype=bool)
    for i in range(flat.shape[1]):
        observed = np.flatnonzero(~np.isnan(flat[:, i]))
        if len(observed) >= 2:
            number = min(max(1, round(share * len(observed))), len(observed) - 1)
            hidden[generator.choice(observed, number, replace=False), i] = True
    return hidden.reshape(x.shape)


def _spread(x: Array) -> Array:
    """Standard deviation (n - 1) of each indicator over all periods and units; NaN where it is zero or unknown."""
    missing = np.isnan(x)
    n = (~missing).sum(axis=(0, 1))
    least = np.where(missing, np.inf, x).min(axis=(0, 1), initial=np.inf)
    varied = np.where(missing, -np.inf, x).max(axis=(0, 1), initial=-np.inf) > least
    count = np.where(varied, n, np.nan)
    off = np.where(missing, 0.0, x - np.nansum(x, axis=(0, 1)) / count)
    spread: Array = np.sqrt((off * off).sum(axis=(0, 1)) / (count - 1))
    return spread


def _errors(x: Array, filled: Array, hidden: Mask, sd: Array, prefix: str) -> dict[str, npt.NDArray[np.generic]]:
    off = np.where(hidden, filled - x, np.nan)
    n = (~np.isnan(off)).sum(axis=(0, 1))
    known = np.where(n > 0, n, np.nan)
    rmse = np.sqrt(np.nansum(off**2, axis=(0, 1)) / known)
    mae = np.nansum(np.abs(off), axis=(0, 1)) / known
    return {f"{prefix}n": n, f"{prefix}rmse": rmse, f"{prefix}mae": mae, f"{prefix}nrmse": rmse / sd}


def _mean(x: Array, axis: int) -> Array:
    """Mean of the figures along an axis, that axis kept; NaN where there is none."""
    count = (~np.isnan(x)).sum(axis=axis, keepdims=True)
    mean: Array = np.nansum(x, axis=axis, keepdims=True) / np.where(count > 0, count, np.nan)
    return mean


def _median(x: Array, axis: int) -> Array:
    """Median of the figures along an axis, that axis kept; NaN where there is none."""
    empty = np.isnan(x).all(axis=axis, keepdims=True)
    median: Array = np.where(empty, np.nan, np.nanmedian(np.where(empty, 0.0, x), axis=axis, keepdims=True))
    return median


def _nothing(x: Array, _step: ImputeStep, _context: Context) -> Array:
    return x


def _column_mean(x: Array, _step: ImputeStep, _context: Context) -> Array:
    return np.broadcast_to(_mean(x, 1), x.shape)


def _column_median(x: Array, _step: ImputeStep, _context: Context) -> Array:
    return np.broadcast_to(_median(x, 1), x.shape)


def _by_group(x: Array, unit_group: Codes, centre: Callable[[Array, int], Array]) -> Array:
    """The centre of the units of the same group; NaN for units of no known group."""
    filled = np.full(x.shape, np.nan)
    for code in np.unique(unit_group[unit_group >= 0]):
        members = unit_group == code
        filled[:, members] = centre(x[:, members], 1)
    return filled


def _group_mean(x: Array, _step: ImputeStep, context: Context) -> Array:
    return _by_group(x, context.unit_group, _mean)


def _group_median(x: Array, _step: ImputeStep, context: Context) -> Array:
    return _by_group(x, context.unit_group, _median)


def _by_row(x: Array, context: Context, centre: Callable[[Array, int], Array]) -> Array:
    """The centre of a unit's own min-max scores in the same lowest group, taken back to the indicator's unit.

    A constant indicator has no score, so it says nothing of the others; itself it can only take its one value.
    """
    empty = np.isnan(x).all(axis=1, keepdims=True)
    least = np.where(empty, np.nan, np.nanmin(x, axis=1, keepdims=True, initial=np.inf))
    greatest = np.where(empty, np.nan, np.nanmax(x, axis=1, keepdims=True, initial=-np.inf))
    up = context.direction > 0
    worst, best = np.where(up, least, greatest), np.where(up, greatest, least)
    scores = (x - worst) / np.where(greatest > least, best - worst, np.nan)
    filled = np.full(x.shape, np.nan)
    for code in np.unique(context.indicator_group):
        members = context.indicator_group == code
        filled[:, :, members] = centre(scores[:, :, members], 2)
    restored: Array = worst + filled * (best - worst)
    return restored


def _row_mean(x: Array, _step: ImputeStep, context: Context) -> Array:
    return _by_row(x, context, _mean)


def _row_median(x: Array, _step: ImputeStep, context: Context) -> Array:
    return _by_row(x, context, _median)


def _last_seen(x: Array) -> Codes:
    """Position of the latest period with a figure, up to and with each period; -1 where there is none yet."""
    positions = np.arange(len(x)).reshape(-1, 1, 1)
    seen: Codes = np.maximum.accumulate(np.where(np.isnan(x), -1, positions), axis=0)
    return seen


def _at(x: Array, positions: Codes) -> Array:
    found: Array = np.take_along_axis(x, np.clip(positions, 0, len(x) - 1), axis=0)
    return found


def _carry_forward(x: Array, _step: ImputeStep, _context: Context) -> Array:
    seen = _last_seen(x)
    return np.where(seen >= 0, _at(x, seen), np.nan)


def _linear(x: Array, _step: ImputeStep, context: Context) -> Array:
    """On the straight line between the figures before and after; outside of them, or with one alone, NaN."""
    if (np.diff(context.time) <= 0).any():
        remedy = "periods one after the other, such as years alone or quarters alone; or another method"
        found = f"periods that begin at {', '.join(f'{time:g}' for time in context.time)}"
        raise RecipeError([Problem("[impute] linear", found, remedy, "not_ascending")])
    before, after = _last_seen(x), len(x) - 1 - _last_seen(x[::-1])[::-1]
    between = (before >= 0) & (after < len(x))
    time = np.broadcast_to(context.time.reshape(-1, 1, 1), x.shape)
    start, end = _at(time, before), _at(time, after)
    part = (time - start) / np.where(end > start, end - start, np.nan)
    return np.where(between, _at(x, before) + part * (_at(x, after) - _at(x, before)), np.nan)


def _nearest(x: Array, step: ImputeStep, _context: Context) -> Array:
    return fill_nearest(x, step.neighbours)


IMPUTERS: Final[Mapping[str, Callable[[Array, ImputeStep, Context], Array]]] = {
    "none": _nothing,
    "mean": _column_mean,
    "median": _column_median,
    "group_mean": _group_mean,
    "group_median": _group_median,
    "row_mean": _row_mean,
    "row_median": _row_median,
    "carry_forward": _carry_forward,
    "linear": _linear,
    "knn": _nearest,
}
