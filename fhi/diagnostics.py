"""How well the data bear the methods chosen: sampling adequacy and sphericity of a group's correlations.

Arrays in, numbers out. Knows no tree and no hubs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from fhi.arrays import Array

MIN_KMO: Final = 0.6


@dataclass(frozen=True)
class Sphericity:
    """Bartlett's test: chi-square and degrees of freedom; `chi_square_p` gives the p."""

    chi_square: float
    degrees_of_freedom: int


def kmo(correlation: Array) -> float | None:
    """Kaiser-Meyer-Olkin measure: sum r_ij^2 / (sum r_ij^2 + sum partial_ij^2) over i != j (Kaiser 1974).

    correlation: (indicators, indicators). Null for fewer than two indicators or a singular matrix. The Handbook asks
    for 0.6 before principal components are used.
    """
    if len(correlation) < 2 or np.linalg.cond(correlation) > 1e12:
        return None
    inverse = np.linalg.inv(correlation)
    scale = np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(len(correlation), dtype=bool)
    simple = float((correlation[off] ** 2).sum())
    partial = float(((inverse / scale)[off] ** 2).sum())
    return simple / (simple + partial) if simple + partial > 0 else None


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
