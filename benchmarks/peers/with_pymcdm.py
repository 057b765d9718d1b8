"""The workloads of bench_index.py by pymcdm 1.4.

Its CRITIC does not turn indicators where less is better, so it is given turned ones, as the others take them.
"""

import numpy as np
from measuring import Array, handed_over, measure_scores
from pymcdm.helpers import normalize_matrix, rrankdata
from pymcdm.methods import TOPSIS, WSM
from pymcdm.normalizations import minmax_normalization, vector_normalization
from pymcdm.weights import critic_weights, entropy_weights


def as_they_are(column: Array, cost: bool = False) -> Array:  # noqa: ARG001 pymcdm names it
    return column


def by_entropy(matrix: Array, directions: Array) -> tuple[Array, Array]:
    scores = 0.01 + 0.99 * normalize_matrix(matrix, minmax_normalization, directions)
    total = WSM(as_they_are)(scores, entropy_weights(scores), np.ones(len(directions)))
    return total, rrankdata(total)


def by_topsis(matrix: Array, directions: Array) -> tuple[Array, Array]:
    weights = critic_weights(normalize_matrix(matrix, minmax_normalization, directions))
    closeness = TOPSIS(vector_normalization)(matrix, weights, directions)
    return closeness, rrankdata(closeness)


WORK = {"entropy": by_entropy, "topsis": by_topsis}


def main() -> None:
    workload, folder, matrix, directions = handed_over()
    measure_scores(lambda: WORK[workload](matrix, directions), folder)


if __name__ == "__main__":
    main()
