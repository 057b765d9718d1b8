"""Weights that give each child a wanted share of influence on the composite.

Arrays in, arrays out; knows the children's names, because a target belongs to a name and not to a place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fhi.arrays import Array
from fhi.errors import WeightError
from fhi.weights.pca import correlation_matrix

DEFAULT_TOLERANCE: Final = 0.001


@dataclass(frozen=True)
class InfluenceWeights:
    """Weights (children,) that sum to 1, and what they reach.

    targets and obtained: (children,), shares that sum to 1, of the correlations of the children with the composite;
    largest_miss: the greatest difference of the two; reached: whether that is within `tolerance`. Weights that miss
    are the best there are without a negative one, and never called a success.
    """

    weights: Array
    targets: Array
    obtained: Array
    largest_miss: float
    tolerance: float
    reached: bool


def influence_weights(
    scores: Array, names: Sequence[str], targets: Mapping[str, float], *, tolerance: float = DEFAULT_TOLERANCE
) -> InfluenceWeights:
    """Weights whose arithmetic composite correlates with the children in the proportions of the targets.

    scores: (units, children), no NaN, any unit; names: of the children, in their order; targets: of every child, by
    name, not negative, any sum. The correlations of the children with the composite are in proportion to R u, with
    their correlation matrix R and u_j = w_j sd_j; so u = R^-1 t where that has no negative entry, and otherwise the
    least squares of shares (a convex problem: its minimum is one) with u >= 0. COINr's `get_opt_weights` has the same
    aim, but gives targets in alphabetical order to weights in another, knows no bound at zero, and reports success
    wherever it stops. Raises WeightError for targets that are missing, unknown, negative or all zero, and for scores
    that cannot be correlated.
    """
    wanted = _wanted(names, targets)
    if scores.ndim != 2 or scores.shape[1] != len(names):
        raise WeightError(
            f"found scores of shape {scores.shape}; expected one column for each of {len(names)} children"
        )
    correlation = correlation_matrix(scores)
    standard = _solve(correlation, wanted)
    obtained = _shares(correlation, standard)
    weights = standard / np.std(scores, axis=0, ddof=1)
    miss = float(np.abs(obtained - wanted).max())
    return InfluenceWeights(weights / weights.sum(), wanted, obtained, miss, tolerance, miss <= tolerance)


def _wanted(names: Sequence[str], targets: Mapping[str, float]) -> Array:
    unknown = [name for name in targets if name not in names]
    missing = [name for name in names if name not in targets]
    if unknown or missing or len(set(names)) != len(names):
        found = [f"no target of {', '.join(missing)}"] if missing else []
        found += [f"a target of {', '.join(unknown)}, no child here"] if unknown else []
        raise WeightError(f"{' and '.join(found) or 'a name twice'}; expected one target a child: {', '.join(names)}")
    wanted = np.array([float(targets[name]) for name in names])
    if not np.isfinite(wanted).all() or (wanted < 0).any() or wanted.sum() <= 0:
        wrong = ", ".join(f"{name} {targets[name]:g}" for name in names)
        raise WeightError(f"found targets {wrong}; expected shares of influence, none negative and not all zero")
    shares: Array = wanted / wanted.sum()
    return shares


def _shares(correlation: Array, standard: Array) -> Array:
    """Share of each child in the sum of correlations with the composite of standardised weights."""
    along = correlation @ standard
    shares: Array = along / along.sum()
    return shares


def _solve(correlation: Array, wanted: Array) -> Array:
    """Standardised weights u >= 0 with 1'R u = 1 that bring R u nearest to the wanted shares."""
    from scipy.optimize import minimize

    exact = np.asarray(np.linalg.lstsq(correlation, wanted, rcond=None)[0], dtype=np.float64)
    if (exact >= 0).all() and np.allclose(correlation @ exact, wanted, rtol=0, atol=1e-12):
        return exact
    reach = correlation.sum(axis=0)
    if not (reach > 0).any():
        raise WeightError("the indicators run against each other so far that no composite follows them; turn some")

    def misfit(u: Array) -> tuple[float, Array]:
        off = correlation @ u - wanted
        return float(off @ off), 2 * correlation @ off

    fits = [
        minimize(
            misfit,
            start / max(float(reach @ start), 1e-3),
            jac=True,
            method="SLSQP",
            bounds=[(0.0, None)] * len(wanted),
            constraints={"type": "eq", "fun": lambda u: reach @ u - 1, "jac": lambda _: reach},
            options={"ftol": 1e-15, "maxiter": 1000},
        )
        for start in [np.ones(len(wanted)), exact.clip(min=0.0), wanted, *np.eye(len(wanted))[reach > 0]]
    ]
    feasible = [fit for fit in fits if abs(float(reach @ fit.x) - 1) < 1e-6]
    best: Array = min(feasible or fits, key=lambda fit: float(fit.fun)).x.clip(min=0.0)
    return best
