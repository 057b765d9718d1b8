"""GARCH(1,1) of daily returns, fitted by the package `arch` (optional extra `garch`).

Knows one model, when it refuses to fit it, and how fits of several series stand in one table. Must not know feeds,
prices or storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import ArrayLike

__all__ = ["FEWEST_RETURNS", "SCALE", "GarchFit", "GarchRefused", "GarchUnavailable", "fit_garch", "garch_table"]

FEWEST_RETURNS = 250
"""About one year of sessions: with fewer returns alpha and beta are hardly told apart."""

SCALE = 100.0
"""Returns are fitted in per cent: optimisers fail on variances of 10^-4."""

_BOUND_TOLERANCE = 1e-6


class GarchUnavailable(CarbonError):
    """The package that fits the model is not installed."""


class GarchRefused(CarbonError):
    """The returns do not allow a fit, or the fit did not converge."""


@dataclass(frozen=True)
class GarchFit:
    """One fitted model: r_t = mu + e_t, h_t = omega + alpha e_(t-1)^2 + beta h_(t-1), e_t normal with variance h_t.

    returns : number of returns; scale : what each was multiplied by before the fit (100: per cent)
    mu : per session, in scaled returns; omega : in squared scaled returns; alpha, beta : without unit
    persistence : alpha + beta; log_likelihood : Gaussian, of the scaled returns
    converged : the optimiser reported success; integrated : persistence lies at its bound of one, so that shocks never
    die out, there is no long-run variance and the maximum is one on the bound
    backcast : the variance before the first return, in squared scaled returns
    """

    returns: int
    scale: float
    mu: float
    omega: float
    alpha: float
    beta: float
    persistence: float
    log_likelihood: float
    converged: bool
    integrated: bool
    backcast: float


def fit_garch(returns: ArrayLike) -> GarchFit:
    """Fit GARCH(1,1) with a constant mean and normal errors by maximum likelihood (Bollerslev 1986, doi
    10.1016/0304-4076(86)90063-1).

    returns : (n,), log returns per session as plain numbers (0.01 is one per cent), oldest first
    The variance before the first return is the mean of the first 75 squared deviations from the mean return, weighted
    0.94^i, as `arch` does and RiskMetrics proposed; it is in the result, so that the likelihood can be checked.
    Raises GarchUnavailable without `arch`; GarchRefused for fewer than 250 returns, for values that are not finite,
    for returns that are all equal, and where the optimiser fails.
    """
    import numpy as np

    values = np.asarray(returns, dtype=np.float64)
    _check(values)
    try:
        from arch import arch_model
    except ImportError:
        raise GarchUnavailable("found no package arch, expected it: pip install greenfin[garch]") from None
    scaled = values * SCALE
    # Our own scale, stated in the result, instead of one that depends on the data.
    model = arch_model(scaled, mean="Constant", vol="GARCH", p=1, q=1, dist="normal", rescale=False)
    fit = model.fit(disp="off", show_warning=False)
    if fit.convergence_flag != 0:
        raise GarchRefused(f"found no convergence of GARCH(1,1): {fit.optimization_result.message}")
    mu, omega, alpha, beta = (float(value) for value in fit.params)
    return GarchFit(
        returns=values.size,
        scale=SCALE,
        mu=mu,
        omega=omega,
        alpha=alpha,
        beta=beta,
        persistence=alpha + beta,
        log_likelihood=float(fit.loglikelihood),
        converged=True,
        integrated=alpha + beta > 1 - _BOUND_TOLERANCE,
        backcast=float(model.volatility.backcast(scaled - scaled.mean())),
    )


def garch_table(days: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """One fit a series: the keys, first_day, last_day, the fields of `GarchFit`, and reason where it was refused.

    days : the keys, day and log_return (null where there is none), such as `carbon.listed.listed_days`
    Where a series is refused its figures are null and reason says why. Raises GarchUnavailable without `arch`.
    """
    import polars as pl

    schema: dict[str, pl.DataType | type[pl.DataType]] = {key: days.schema[key] for key in keys}
    schema |= {"first_day": pl.Date, "last_day": pl.Date, "returns": pl.Int64, "scale": pl.Float64}
    schema |= dict.fromkeys(("mu", "omega", "alpha", "beta", "persistence", "log_likelihood"), pl.Float64)
    schema |= {"converged": pl.Boolean, "integrated": pl.Boolean, "backcast": pl.Float64, "reason": pl.String}
    rows = []
    for key, series in days.drop_nulls("log_return").sort("day").group_by(keys, maintain_order=True):
        row = {**dict(zip(keys, key, strict=True)), "first_day": series["day"][0], "last_day": series["day"][-1]}
        try:
            fitted = asdict(fit_garch(series["log_return"]))
        except GarchRefused as refusal:
            fitted = {"returns": series.height, "reason": str(refusal)}
        rows.append(row | fitted)
    return pl.DataFrame(rows, schema=schema).sort(keys, nulls_last=True)


def _check(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    import numpy as np

    if values.ndim != 1 or values.size < FEWEST_RETURNS:
        raise GarchRefused(f"found {values.size} returns, expected {FEWEST_RETURNS} at least for GARCH(1,1)")
    if not np.isfinite(values).all():
        raise GarchRefused("found returns that are missing or infinite, expected finite numbers")
    if np.ptp(values) == 0:
        raise GarchRefused("found returns that are all equal, expected some that differ")
