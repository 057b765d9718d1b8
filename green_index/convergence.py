"""Do the hubs draw together over the years? Spread (sigma) and catching up (beta).

Knows figures by hub and period. Knows no index and no region by name.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array

SIGMA_SCHEMA: Final = pl.Schema(
    {
        "period": pl.String,
        "hubs": pl.Int64,
        "mean": pl.Float64,
        "variation": pl.Float64,
        "log_spread": pl.Float64,
        "missing": pl.String,
    }
)
BETA_SCHEMA: Final = pl.Schema(
    {
        "kind": pl.String,
        "first_period": pl.String,
        "last_period": pl.String,
        "years": pl.Int64,
        "hubs": pl.Int64,
        "slope": pl.Float64,
        "slope_se": pl.Float64,
        "slope_se_robust": pl.Float64,
        "p_value": pl.Float64,
        "r_squared": pl.Float64,
        "speed": pl.Float64,
        "half_life_years": pl.Float64,
        "missing": pl.String,
    }
)
TOO_FEW: Final = "too_few_hubs"
TOO_FEW_YEARS: Final = "too_few_years"
NOT_POSITIVE: Final = "not_positive"
_MOST_GROWTH: Final = 1.0


@dataclass(frozen=True)
class Line:
    """A straight line fitted by least squares: one slope of interest, its errors, and how much it explains."""

    slope: float
    slope_se: float
    slope_se_robust: float
    p_value: float
    r_squared: float


def sigma(figures: pl.DataFrame) -> pl.DataFrame:
    """Spread of the hubs in every period: SIGMA_SCHEMA; falling spread is sigma convergence.

    figures: hub, period, value. Only hubs with a figure in every period, so that hubs that come or go do not look like
    convergence. variation = standard deviation (n - 1) / mean; log_spread = standard deviation of ln value (n - 1),
    null where a value is not above zero.
    """
    kept = _balanced(figures)
    rows: list[tuple[object, ...]] = []
    for period in figures["period"].unique().sort():
        y = kept.filter(pl.col("period") == period).sort("hub")["value"].to_numpy()
        if len(y) < 2:
            rows.append((period, len(y), None, None, None, TOO_FEW))
            continue
        positive = bool((y > 0).all())
        logs = float(np.log(y).std(ddof=1)) if positive else None
        variation = float(y.std(ddof=1) / y.mean()) if y.mean() > 0 else None
        rows.append((period, len(y), float(y.mean()), variation, logs, None if positive else NOT_POSITIVE))
    return pl.DataFrame(rows, schema=SIGMA_SCHEMA, orient="row")


def beta(figures: pl.DataFrame, groups: pl.DataFrame | None = None) -> pl.DataFrame:
    """Do hubs that began low grow faster? One row (BETA_SCHEMA), from the first to the last period.

    figures: hub, period (a year), value; groups: hub, group, for convergence within groups (`conditional`: a constant
    of its own for each group), without them `absolute`. The mean yearly growth of ln value is set on ln of the first
    value by least squares; a slope below zero is beta convergence. speed = -ln(1 + years x slope) / years and half-life
    ln 2 / speed (Barro and Sala-i-Martin 1992), null where the slope is not below zero or too steep for them. Robust
    errors are HC1 (MacKinnon and White 1985). Only hubs with a figure in both years.
    """
    first, last = figures["period"].min(), figures["period"].max()
    years = int(str(last)[:4]) - int(str(first)[:4])
    ends = (
        figures.filter(pl.col("period").is_in([first, last]))
        .drop_nulls("value")
        .pivot("period", index="hub", values="value")
    )
    # A year in which no hub has a figure makes no column.
    absent = {str(end) for end in (first, last)} - set(ends.columns)
    ends = (
        ends.with_columns(pl.lit(None, dtype=pl.Float64).alias(end) for end in sorted(absent)).drop_nulls().sort("hub")
    )
    kind = "absolute" if groups is None else "conditional"
    head = (kind, first, last, years, ends.height)
    design = _constants(ends, groups)
    short = TOO_FEW_YEARS if years < 1 else TOO_FEW if ends.height < design.shape[1] + 3 else None
    if short is not None:
        return pl.DataFrame([(*head, *[None] * 7, short)], schema=BETA_SCHEMA, orient="row")
    began, ended = ends[str(first)].to_numpy(), ends[str(last)].to_numpy()
    if not ((began > 0).all() and (ended > 0).all()):
        return pl.DataFrame([(*head, *[None] * 7, NOT_POSITIVE)], schema=BETA_SCHEMA, orient="row")
    line = fit_line(np.log(began), np.log(ended / began) / years, design)
    reach = 1 + years * line.slope
    speed = -float(np.log(reach)) / years if 0 < reach < _MOST_GROWTH else None
    half_life = float(np.log(2)) / speed if speed else None
    row = (*head, line.slope, line.slope_se, line.slope_se_robust, line.p_value, line.r_squared, speed, half_life, None)
    return pl.DataFrame([row], schema=BETA_SCHEMA, orient="row")


def fit_line(x: Array, y: Array, constants: Array) -> Line:
    """Least squares of y on x and on columns of constants; the slope of x with plain and HC1 standard errors.

    x, y: (n,); constants: (n, k), full rank beside x. p_value is two-sided, from Student's t with n - k - 1 degrees of
    freedom and the plain error; r_squared is against the mean of y.
    """
    from scipy.special import stdtr

    design = np.column_stack([x, constants])
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    left = y - design @ coefficients
    free = len(y) - design.shape[1]
    plain = inverse * (left @ left) / free
    robust = inverse @ (design.T * left**2) @ design @ inverse * len(y) / free
    error = float(np.sqrt(plain[0, 0]))
    slope = float(coefficients[0])
    spread = float(((y - y.mean()) ** 2).sum())
    return Line(
        slope=slope,
        slope_se=error,
        slope_se_robust=float(np.sqrt(robust[0, 0])),
        p_value=float(2 * stdtr(free, -abs(slope) / error)) if error > 0 else 0.0,
        r_squared=1 - float(left @ left) / spread if spread > 0 else 1.0,
    )


def _balanced(figures: pl.DataFrame) -> pl.DataFrame:
    known = figures.drop_nulls("value")
    periods = figures["period"].n_unique()
    return known.filter(pl.col("period").n_unique().over("hub") == periods)


def _constants(ends: pl.DataFrame, groups: pl.DataFrame | None) -> Array:
    if groups is None:
        return np.ones((ends.height, 1))
    named = ends.join(groups.select("hub", "group"), on="hub", how="left", maintain_order="left")
    dummies = named["group"].fill_null("").to_dummies().to_numpy()
    return np.asarray(dummies, dtype=np.float64)
