"""How consistent pairwise judgements are, and which of them contradict each other most.

Arrays in, numbers out. Knows positive matrices with NaN for a pair that was not answered; knows no priorities' names,
no random-index tables and nobody's judgements.
"""

from dataclasses import dataclass

import numpy as np

from fhi.arrays import Array


@dataclass(frozen=True)
class Triad:
    """Three items whose answers contradict each other: items counted from 0, and what `first over last` is.

    `direct` is a_ik as answered, `implied` is a_ij a_jk, `inconsistency` is min(|1 - direct / implied|,
    |1 - implied / direct|): 0 where they agree, towards 1 the worse it gets.
    """

    items: tuple[int, int, int]
    direct: float
    implied: float
    inconsistency: float


def worst_triad(matrix: Array) -> Triad | None:
    """The triad that contradicts itself most; its inconsistency is Koczkodaj's index of the whole matrix.

    matrix: (n, n), reciprocal, NaN where not answered. Null where no three items are all compared with each other.
    Source: Koczkodaj 1993, Mathematical and Computer Modelling 18(7), 79-84.
    """
    logs = np.log(matrix)
    n = len(matrix)
    first, second, third = (index.ravel() for index in np.indices((n, n, n)))
    ordered = (first < second) & (second < third)
    i, j, k = first[ordered], second[ordered], third[ordered]
    gap = np.abs(logs[i, k] - logs[i, j] - logs[j, k])
    if len(gap) == 0 or np.isnan(gap).all():
        return None
    worst = int(np.nanargmax(gap))
    items = (int(i[worst]), int(j[worst]), int(k[worst]))
    implied = float(matrix[items[0], items[1]] * matrix[items[1], items[2]])
    return Triad(items, float(matrix[items[0], items[2]]), implied, float(-np.expm1(-gap[worst])))


def geometric_index(matrix: Array, weights: Array) -> float | None:
    """Geometric consistency index: mean squared log error of the answers, ln(a_ij w_j / w_i), over the spare answers.

    matrix: (n, n), reciprocal, NaN where not answered; weights: (n,), of logarithmic least squares. The sum over
    pairs is divided by the number of answers beyond the n - 1 that a tree needs, for a complete matrix by
    (n - 1)(n - 2) / 2 (Crawford & Williams 1985; Aguaron & Moreno-Jimenez 2003, EJOR 147, 137-145).
    Null where no answer is spare, for then nothing can contradict.
    """
    error = np.log(matrix) - np.log(weights)[:, None] + np.log(weights)[None, :]
    upper = error[np.triu_indices(len(matrix), 1)]
    answered = upper[~np.isnan(upper)]
    spare = len(answered) - (len(matrix) - 1)
    return float((answered**2).sum() / spare) if spare > 0 else None
