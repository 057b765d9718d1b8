"""The arithmetic of pairwise matrices in which some pairs were not answered.

Arrays in, arrays out; NaN stands for a pair not answered. Knows no random index and does not check its input: that is
`fhi.weights.ahp`'s work. Source of both methods: Bozoki, Fulop & Ronyai 2010, On optimal completion of incomplete
pairwise comparison matrices, Mathematical and Computer Modelling 52, 318-333.
"""

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array

Answered = npt.NDArray[np.bool_]


def parts_of(answered: Answered) -> list[list[int]]:
    """Items that are connected by answers, part by part, each in order; one part where all are.

    answered: (n, n), symmetric.
    """
    left = list(range(len(answered)))
    parts = []
    while left:
        part = [left[0]]
        for item in part:
            part.extend(other for other in left if answered[item, other] and other not in part)
        left = [item for item in left if item not in part]
        parts.append(sorted(part))
    return parts


def least_squares_priorities(matrix: Array) -> Array:
    """Weights w > 0, sum 1, that minimise the sum over answered pairs of (ln a_ij - ln w_i + ln w_j)^2.

    matrix: (n, n), positive and reciprocal, NaN where not answered, its answers connected. The logarithms solve
    L y = b with the Laplacian L of the graph of answers and b_i = sum over answered j of ln a_ij, in closed form; for
    a complete matrix they are the mean logarithms of the rows.
    """
    n = len(matrix)
    answered = ~np.isnan(matrix)
    laplacian = np.diag(answered.sum(axis=1)) - answered.astype(float)
    sums = np.log(np.where(answered, matrix, 1.0)).sum(axis=1)
    logs = np.linalg.solve(laplacian + 1 / n, sums)
    shares = np.exp(logs - logs.max())
    weights: Array = shares / shares.sum()
    return weights


def complete_by_least_lambda(matrix: Array) -> Array:
    """The matrix with its gaps filled so that its principal eigenvalue, and so its inconsistency, is least.

    matrix: (n, n), positive and reciprocal, NaN where not answered, its answers connected. In the logarithms of the
    missing entries the eigenvalue is convex, and its derivative is (v_i a_ij w_j - v_j a_ji w_i) / (v w) with the
    left and right eigenvectors v and w; so the minimum is one, and starting from logarithmic least squares finds it.
    """
    from scipy.optimize import minimize

    row, column = np.nonzero(np.triu(np.isnan(matrix)))
    if len(row) == 0:
        return matrix.copy()
    start = np.log(least_squares_priorities(matrix))

    def filled(logs: Array) -> Array:
        full = matrix.copy()
        full[row, column] = np.exp(logs)
        full[column, row] = np.exp(-logs)
        return full

    def growth(logs: Array) -> tuple[float, Array]:
        full = filled(logs)
        value, right = principal(full)
        left = principal(full.T)[1]
        slope = left[row] * full[row, column] * right[column] - left[column] * full[column, row] * right[row]
        return value, slope / (left @ right)

    found = minimize(growth, start[row] - start[column], jac=True, method="BFGS", options={"gtol": 1e-12})
    best: Array = found.x
    return filled(best)


def principal(matrix: Array) -> tuple[float, Array]:
    """Greatest eigenvalue of a positive matrix and its right eigenvector, scaled to sum 1 (Perron: all positive)."""
    values, vectors = np.linalg.eig(matrix)
    first = int(np.argmax(values.real))
    vector: Array = np.abs(vectors[:, first].real)
    return float(values[first].real), vector / vector.sum()
