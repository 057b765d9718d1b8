"""How well the data bear the methods chosen: adequacy, sphericity, components and reliability of a group's
correlations, and the statistics of single indicators.

Arrays in, numbers and frames out. Knows no tree and no hubs. Correlations themselves live in fhi.correlations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array
from fhi.correlations import covariances
from fhi.treat import kurtosis, skewness
from fhi.weights.pca import Components

MIN_KMO: Final = 0.6
COMPONENT_SCHEMA: Final = pl.Schema(
    {"component": pl.Int64, "eigenvalue": pl.Float64, "share": pl.Float64, "cumulated": pl.Float64}
)
LOADING_SCHEMA: Final = pl.Schema({"code": pl.String, "component": pl.Int64, "loading": pl.Float64})
RELIABILITY_SCHEMA: Final = pl.Schema(
    {
        "code": pl.String,
        "n": pl.Int64,
        "alpha_without": pl.Float64,
        "rest_correlation": pl.Float64,
        "total_correlation": pl.Float64,
    }
)
STATISTICS_SCHEMA: Final = pl.Schema(
    {
        "code": pl.String,
        "n": pl.Int64,
        "missing": pl.Int64,
        "min": pl.Float64,
        "max": pl.Float64,
        "mean": pl.Float64,
        "median": pl.Float64,
        "sd": pl.Float64,
        "skewness": pl.Float64,
        "kurtosis": pl.Float64,
        "unique_share": pl.Float64,
        "zero_share": pl.Float64,
    }
)


@dataclass(frozen=True)
class Sphericity:
    """Bartlett's test: chi-square and degrees of freedom; `chi_square_p` gives the p."""

    chi_square: float
    degrees_of_freedom: int


@dataclass(frozen=True)
class Reliability:
    """Cronbach's alpha of a group, and RELIABILITY_SCHEMA by indicator; NaN and null where it is not defined."""

    alpha: float
    items: pl.DataFrame


def kmo(correlation: Array) -> float | None:
    """Kaiser-Meyer-Olkin measure: sum r_ij^2 / (sum r_ij^2 + sum partial_ij^2) over i != j (Kaiser 1974).

    correlation: (indicators, indicators). Null for fewer than two indicators or a singular matrix. The Handbook asks
    for 0.6 before principal components are used.
    """
    parts = _squared_off_diagonal(correlation)
    if parts is None:
        return None
    simple, partial = float(parts[0].sum()), float(parts[1].sum())
    return simple / (simple + partial) if simple + partial > 0 else None


def kmo_each(correlation: Array) -> Array | None:
    """Kaiser-Meyer-Olkin measure of every indicator: the sums of `kmo` over its own row (Kaiser 1974).

    correlation: (indicators, indicators). Returns (indicators,), NaN for one that correlates with no other; null where
    `kmo` cannot be computed. An indicator far below 0.6 has little in common with the rest.
    """
    parts = _squared_off_diagonal(correlation)
    if parts is None:
        return None
    simple, partial = (part.sum(axis=1) for part in parts)
    whole = simple + partial
    each: Array = np.where(whole > 0, simple / np.where(whole > 0, whole, 1.0), np.nan)
    return each


def _squared_off_diagonal(correlation: Array) -> tuple[Array, Array] | None:
    """Squares of correlations and of partial correlations, the diagonal zero."""
    if len(correlation) < 2 or np.linalg.cond(correlation) > 1e12:
        return None
    inverse = np.linalg.inv(correlation)
    scale = np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(len(correlation), dtype=bool)
    return np.where(off, correlation**2, 0.0), np.where(off, (inverse / scale) ** 2, 0.0)


def bartlett(correlation: Array, observations: int) -> Sphericity | None:
    """Bartlett's test that the indicators are uncorrelated: -(n - 1 - (2k + 5) / 6) ln det R (Bartlett 1950).

    correlation: (k, k); observations: n. Null for fewer than two indicators or a singular matrix.
    """
    k = len(correlation)
    sign, log_determinant = np.linalg.slogdet(correlation)
    if k < 2 or sign <= 0:
        return None
    statistic = max(-(observations - 1 - (2 * k + 5) / 6) * float(log_determinant), 0.0)
    return Sphericity(statistic, k * (k - 1) // 2)


def chi_square_p(statistic: float, degrees_of_freedom: int) -> float:
    """Chance of a chi-square at least this great; small where indicators do correlate."""
    from scipy.special import gammaincc

    return float(gammaincc(degrees_of_freedom / 2, statistic / 2))


def component_frame(components: Components) -> pl.DataFrame:
    """One row a component: COMPONENT_SCHEMA, counted from 1."""
    columns = {
        "component": np.arange(1, len(components.eigenvalues) + 1),
        "eigenvalue": components.eigenvalues,
        "share": components.explained,
        "cumulated": np.cumsum(components.explained),
    }
    return pl.DataFrame(columns, schema=COMPONENT_SCHEMA)


def loading_frame(components: Components, codes: Sequence[str]) -> pl.DataFrame:
    """One row an indicator and component: LOADING_SCHEMA."""
    count = components.loadings.shape[1]
    columns = {
        "code": [code for code in codes for _ in range(count)],
        "component": np.tile(np.arange(1, count + 1), len(codes)),
        "loading": components.loadings.ravel(),
    }
    return pl.DataFrame(columns, schema=LOADING_SCHEMA)


def cronbach(x: Array) -> float:
    """Cronbach's alpha: k^2 x mean covariance between indicators / sum of the covariance matrix (Cronbach 1951).

    x: (units, indicators), turned so that more is better in each, NaN where missing; covariances are pairwise
    complete, as in COINr. Of unlike units give z-scores, which makes it the standardised alpha. NaN for fewer than
    two indicators, for a pair with fewer than two common units, and where the sum of covariances is not positive.
    """
    return _alpha(covariances(x))


def reliability(x: Array, codes: Sequence[str]) -> Reliability:
    """Cronbach's alpha, and for each indicator the alpha without it and its correlations (Handbook 2008, Table 11).

    x: as for `cronbach`; codes: one a column. `n` is the number of figures; `rest_correlation` is with the sum of the
    other indicators, `total_correlation` with the sum of all, both from the pairwise covariances. An indicator whose
    alpha_without is above alpha does not measure what the others do.
    """
    covariance = covariances(x)
    kept = [np.delete(np.arange(len(codes)), i) for i in range(len(codes))]
    own, with_all = np.diag(covariance), covariance.sum(axis=1)
    rest = np.array([covariance[np.ix_(others, others)].sum() for others in kept])
    with np.errstate(invalid="ignore", divide="ignore"):
        rest_correlation = np.where((own > 0) & (rest > 0), (with_all - own) / np.sqrt(own * rest), np.nan)
        total_correlation = np.where(own > 0, with_all / np.sqrt(own * covariance.sum()), np.nan)
    columns = {
        "code": list(codes),
        "n": (~np.isnan(x)).sum(axis=0),
        "alpha_without": [_alpha(covariance[np.ix_(others, others)]) for others in kept],
        "rest_correlation": rest_correlation,
        "total_correlation": total_correlation,
    }
    return Reliability(_alpha(covariance), pl.DataFrame(columns, schema=RELIABILITY_SCHEMA).fill_nan(None))


def _alpha(covariance: Array) -> float:
    k, total, own = len(covariance), float(covariance.sum()), float(np.trace(covariance))
    # Opposites add up to nothing but rounding.
    if k < 2 or not total > 1e-12 * own:
        return float("nan")
    between = (total - own) / (k * (k - 1))
    return k * k * between / total


def describe_indicators(x: Array, codes: Sequence[str]) -> pl.DataFrame:
    """Statistics of every column: STATISTICS_SCHEMA, null where a figure is not defined.

    x: (units, indicators), any units, NaN where missing; codes: one a column. sd divides by n - 1; skewness and excess
    kurtosis are the bias-corrected type 2 (fhi.treat); the shares of different figures and of zeros are of the
    figures there are. unique_share far below 1 warns of a score with few steps, zero_share of zeros that may stand
    for missing.
    """
    n = (~np.isnan(x)).sum(axis=0)
    ordered = np.sort(x, axis=0)
    different = ((np.diff(ordered, axis=0) > 0).sum(axis=0) + 1) if len(x) else n
    some = np.where(n > 0, n, 1)
    mean = np.where(n > 0, np.nansum(x, axis=0) / some, np.nan)
    squares = np.nansum((x - mean) ** 2, axis=0)
    empty = n == 0
    columns = {
        "code": list(codes),
        "n": n,
        "missing": len(x) - n,
        "min": np.where(empty, np.nan, np.nanmin(x, axis=0, initial=np.inf)),
        "max": np.where(empty, np.nan, np.nanmax(x, axis=0, initial=-np.inf)),
        "mean": mean,
        "median": _medians(ordered, n),
        "sd": np.where(n > 1, np.sqrt(squares / np.where(n > 1, n - 1, 1)), np.nan),
        "skewness": skewness(x),
        "kurtosis": kurtosis(x),
        "unique_share": np.where(empty, np.nan, different / some),
        "zero_share": np.where(empty, np.nan, (x == 0).sum(axis=0) / some),
    }
    return pl.DataFrame(columns, schema=STATISTICS_SCHEMA).fill_nan(None)


def _medians(ordered: Array, n: npt.NDArray[np.int64]) -> Array:
    """Median of each column of sorted figures, NaN at their end; n: how many are figures."""
    if len(ordered) == 0:
        return np.full(ordered.shape[1], np.nan)
    lower, upper = np.maximum((n - 1) // 2, 0)[None, :], np.minimum(n // 2, len(ordered) - 1)[None, :]
    pair = np.concatenate([np.take_along_axis(ordered, lower, axis=0), np.take_along_axis(ordered, upper, axis=0)])
    middle: Array = np.where(n > 0, pair.mean(axis=0), np.nan)
    return middle
