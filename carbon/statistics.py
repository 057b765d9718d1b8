"""The measures of a market, one small function each: returns, volatility, liquidity, spread, concentration, discounts.

Knows formulas. Must not know rows, days or units beyond those in its arguments. Arrays in, numbers out; a measure that
cannot be computed is None.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

__all__ = [
    "SESSIONS_A_YEAR",
    "amihud",
    "block_discount",
    "herfindahl",
    "log_returns",
    "price_change_covariance",
    "realised_variance",
    "realised_volatility",
    "roll_spread",
    "vwap",
    "zero_return_share",
]

SESSIONS_A_YEAR = 252


def log_returns(closes: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Differences of the natural logarithms of consecutive prices.

    closes : (n,), any currency per tonne, above zero; result : (n - 1,), empty for fewer than two prices.
    """
    import numpy as np

    return np.diff(np.log(np.asarray(closes, dtype=np.float64)))


def realised_variance(returns: ArrayLike) -> float | None:
    """Sum of squared daily returns, without unit and not annualised; None where there is no return."""
    import numpy as np

    values = np.asarray(returns, dtype=np.float64)
    return float(np.sum(values**2)) if values.size else None


def realised_volatility(returns: ArrayLike, *, sessions_a_year: int = SESSIONS_A_YEAR) -> float | None:
    """Sample standard deviation (n - 1) of daily returns times sqrt(sessions a year); None for fewer than two
    returns.
    """
    import numpy as np

    values = np.asarray(returns, dtype=np.float64)
    return None if values.size < 2 else float(values.std(ddof=1) * math.sqrt(sessions_a_year))


def amihud(returns: ArrayLike, values_million_cny: ArrayLike) -> float | None:
    """Mean of |return| / value traded, per million CNY (Amihud 2002, doi 10.1016/S1386-4181(01)00024-6).

    returns, values_million_cny : (n,), of the same days; days of zero value are left out; None where none is left.
    """
    import numpy as np

    moves, values = np.abs(np.asarray(returns, float)), np.asarray(values_million_cny, float)
    traded = values > 0
    return float(np.mean(moves[traded] / values[traded])) if traded.any() else None


def price_change_covariance(prices: ArrayLike) -> float | None:
    """Sample covariance (n - 1) of consecutive price changes, in squared units of price; None for fewer than four
    prices.
    """
    import numpy as np

    changes = np.diff(np.asarray(prices, dtype=np.float64))
    return None if changes.size < 3 else float(np.cov(changes[1:], changes[:-1])[0, 1])


def roll_spread(prices: ArrayLike) -> float | None:
    """Effective spread 2 sqrt(-covariance of consecutive changes), in the unit of price (Roll 1984, doi
    10.2307/2327617).

    None where the covariance is not negative, and for fewer than four prices.
    """
    covariance = price_change_covariance(prices)
    return None if covariance is None or covariance >= 0 else 2 * math.sqrt(-covariance)


def zero_return_share(returns: ArrayLike) -> float | None:
    """Share of returns that are exactly zero, 0 to 1; None where there is none."""
    import numpy as np

    values = np.asarray(returns, dtype=np.float64)
    return float(np.mean(values == 0)) if values.size else None


def herfindahl(amounts: ArrayLike) -> float | None:
    """Sum of squared shares, 1/n to 1 (Herfindahl-Hirschman); None where the amounts add up to nothing.

    amounts : (n,), tonnes or value by month, method, vintage or participant; zero or more.
    """
    import numpy as np

    values = np.asarray(amounts, dtype=np.float64)
    total = values.sum()
    return float(np.sum((values / total) ** 2)) if total > 0 else None


def vwap(values: ArrayLike, volumes: ArrayLike) -> float | None:
    """Sum of values / sum of volumes, in value per unit of volume; None where nothing was traded."""
    import numpy as np

    volume = float(np.sum(np.asarray(volumes, dtype=np.float64)))
    return float(np.sum(np.asarray(values, dtype=np.float64))) / volume if volume > 0 else None


def block_discount(
    block_prices: ArrayLike, previous_closes: ArrayLike
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Price of block deals over the listing close of the session before, less one: -0.05 is five per cent below.

    block_prices, previous_closes : (n,), same unit, closes above zero; result : (n,).
    """
    import numpy as np

    return np.asarray(block_prices, dtype=np.float64) / np.asarray(previous_closes, dtype=np.float64) - 1
