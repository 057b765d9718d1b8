import itertools
import math
import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from carbon import garch
from carbon.formats import read_trades
from carbon.garch import FEWEST_RETURNS, GarchRefused, GarchUnavailable, fit_garch, garch_table
from carbon.listed import listed_days, traded_rows


def simulated(count=1000, seed=7, omega=0.1, alpha=0.1, beta=0.8):
    """Returns of a GARCH(1,1) process, as plain numbers: variances in squared per cent."""
    random = np.random.default_rng(seed)
    variance, shock, returns = omega / (1 - alpha - beta), 0.0, []
    for _ in range(count):
        variance = omega + alpha * shock**2 + beta * variance
        shock = random.normal() * math.sqrt(variance)
        returns.append((0.05 + shock) / 100)
    return np.array(returns)


def log_likelihood(returns, mu, omega, alpha, beta):
    """The Gaussian likelihood by its definition, a plain loop: independent of the package under test."""
    scaled = 100 * np.asarray(returns)
    first = (scaled - scaled.mean())[:75] ** 2
    weights = 0.94 ** np.arange(first.size)
    variance = float(first @ weights / weights.sum())
    shock_squared, total = variance, 0.0
    for value in scaled:
        variance = omega + alpha * shock_squared + beta * variance
        shock_squared = (value - mu) ** 2
        total -= 0.5 * (math.log(2 * math.pi) + math.log(variance) + shock_squared / variance)
    return total


def parameters(fit):
    return np.array([fit.mu, fit.omega, fit.alpha, fit.beta])


@pytest.fixture(scope="module")
def national_returns(national_file):
    days = listed_days(traded_rows(read_trades(national_file, market="CEA")[1].rows))
    return days["log_return"].drop_nulls().to_numpy()


def check_maximum(returns):
    """The reported likelihood is that of the definition, and no allowed neighbour has a higher one."""
    fit = fit_garch(returns)
    best = log_likelihood(returns, *parameters(fit))
    assert fit.log_likelihood == pytest.approx(best, abs=1e-6)
    for steps in itertools.product((-1, 0, 1), repeat=4):
        for size in (0.003, 0.03):
            near = parameters(fit) + size * np.array(steps) * np.maximum(np.abs(parameters(fit)), 0.01)
            if near[2] + near[3] <= 1:
                assert log_likelihood(returns, *near) <= best + 1e-4
    return fit


def test_a_simulated_series_is_fitted_at_its_maximum():
    fit = check_maximum(simulated())
    assert (fit.returns, fit.scale, fit.converged, fit.integrated) == (1000, 100.0, True, False)
    assert fit.persistence == fit.alpha + fit.beta
    assert fit.alpha == pytest.approx(0.1, abs=0.06)
    assert fit.beta == pytest.approx(0.8, abs=0.12)


def test_the_national_market_is_fitted_at_its_maximum_which_lies_on_the_bound(national_returns):
    fit = check_maximum(national_returns)
    assert fit.returns == 513
    assert fit.persistence == pytest.approx(1, abs=1e-6)
    assert fit.integrated


def test_no_coarse_choice_of_parameters_is_better(national_returns):
    fit = fit_garch(national_returns)
    grid = itertools.product((0.05, 0.3, 1.0), (0.05, 0.15, 0.3, 0.5), (0.3, 0.5, 0.7, 0.85))
    allowed = [(omega, alpha, beta) for omega, alpha, beta in grid if alpha + beta < 1]
    assert len(allowed) == 30
    assert all(log_likelihood(national_returns, fit.mu, *choice) < fit.log_likelihood for choice in allowed)


@pytest.mark.parametrize(
    ("returns", "reason"),
    [
        (simulated(FEWEST_RETURNS - 1), "found 249 returns, expected 250"),
        (np.zeros(300), "all equal"),
        (np.append(simulated(300), np.nan), "missing or infinite"),
        (np.append(simulated(300), np.inf), "missing or infinite"),
        (simulated(600).reshape(2, 300), "expected 250"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_a_reason(returns, reason):
    with pytest.raises(GarchRefused, match=reason):
        fit_garch(returns)


def test_as_many_returns_as_needed_are_enough():
    assert fit_garch(simulated(FEWEST_RETURNS)).returns == FEWEST_RETURNS


def test_a_fit_that_does_not_converge_is_refused(monkeypatch):
    from arch.univariate import ConstantMean

    honest = ConstantMean.fit
    monkeypatch.setattr(ConstantMean, "fit", lambda model, **asked: honest(model, options={"maxiter": 1}, **asked))
    with pytest.raises(GarchRefused, match=r"no convergence of GARCH\(1,1\): Iteration limit"):
        fit_garch(simulated())


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(GarchUnavailable, match=r"pip install greenfin\[garch\]"):
        fit_garch(simulated())


def test_the_package_is_imported_only_for_a_fit():
    code = "import sys, carbon.garch, carbon.periods; print(sorted({'arch', 'pandas', 'polars'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_table_of_series_names_what_was_refused():
    returns = simulated(300)
    start = date(2022, 1, 3)
    days = pl.DataFrame(
        {
            "market": ["CEA"] * 301 + ["Hubei"] * 10,
            "vintage": pl.Series([2022] * 301 + [None] * 10, dtype=pl.Int32),
            "day": [start + timedelta(days=n) for n in (*range(301), *range(10))],
            "log_return": [None, *returns, *returns[:10]],
        }
    )
    fitted, refused = garch_table(days.sample(fraction=1, shuffle=True, seed=3), ["market", "vintage"]).to_dicts()
    expected = garch.fit_garch(returns)
    assert (fitted["market"], fitted["vintage"], fitted["returns"], fitted["reason"]) == ("CEA", 2022, 300, None)
    assert (fitted["first_day"], fitted["last_day"]) == (start + timedelta(days=1), start + timedelta(days=300))
    assert (fitted["alpha"], fitted["log_likelihood"]) == (expected.alpha, expected.log_likelihood)
    assert (refused["market"], refused["vintage"], refused["returns"], refused["alpha"]) == ("Hubei", None, 10, None)
    assert "found 10 returns, expected 250" in refused["reason"]
    assert garch_table(days.clear(), ["market"]).height == 0
