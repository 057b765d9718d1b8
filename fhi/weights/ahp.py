"""Weights from pairwise judgements: the analytic hierarchy process (Saaty 1980).

Arrays in, arrays out. Knows no tree and nobody's judgements.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from fhi.arrays import Array
from fhi.errors import JudgementError

_RECIPROCAL_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class AhpWeights:
    """Weights that sum to 1, with the consistency of the judgements they come from.

    `consistency_ratio` is null where the random index is zero (one or two items are always consistent).
    """

    weights: Array
    lambda_max: float
    consistency_index: float
    consistency_ratio: float | None
    random_index: str


def eigenvector_weights(matrix: Array, *, random_index: str) -> AhpWeights:
    """Principal right eigenvector of a reciprocal matrix, normalised to sum 1, with Saaty's consistency.

    matrix: (n, n), a_ij > 0 and a_ji = 1 / a_ij; CI = (lambda_max - n) / (n - 1), CR = CI / RI(n) under the named
    random-index table. Raises JudgementError for a matrix that is not square, positive and reciprocal, or larger
    than the table.
    """
    check_reciprocal(matrix)
    n = len(matrix)
    values, vectors = np.linalg.eig(matrix)
    first = int(np.argmax(values.real))
    vector = np.abs(vectors[:, first].real)
    lambda_max = float(values[first].real)
    index = max((lambda_max - n) / (n - 1), 0.0) if n > 1 else 0.0
    random = random_index_of(n, random_index)
    ratio = index / random if random > 0 else None
    return AhpWeights(vector / vector.sum(), lambda_max, index, ratio, random_index)


def check_reciprocal(matrix: Array) -> None:
    """Raises JudgementError, naming the entry, unless the matrix is square, positive and reciprocal."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise JudgementError(f"found a matrix of shape {matrix.shape}; expected a square one")
    if not (np.isfinite(matrix) & (matrix > 0)).all():
        raise JudgementError("found an entry that is not positive and finite; expected ratios above zero")
    off = np.abs(matrix * matrix.T - 1)
    if off.max() > _RECIPROCAL_TOLERANCE:
        row, column = (int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
        raise JudgementError(
            f"entry ({row + 1}, {column + 1}) is {matrix[row, column]:g} and its mirror "
            f"{matrix[column, row]:g}; expected mirror entries to be reciprocal"
        )


def random_index_of(n: int, table: str) -> float:
    """Mean consistency index of random n x n matrices in the named table (n up to 15).

    Raises JudgementError for an unknown table or a larger n.
    """
    tables = _random_index_tables()
    if table not in tables:
        raise JudgementError(f"unknown random-index table {table!r}; known: {', '.join(sorted(tables))}")
    if n not in tables[table]:
        raise JudgementError(f"{n} items; the random-index table {table} ends at {max(tables[table])}")
    return tables[table][n]


@cache
def _random_index_tables() -> dict[str, dict[int, float]]:
    text = files("fhi").joinpath("data", "random_index.csv").read_text(encoding="utf-8")
    tables: dict[str, dict[int, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        tables.setdefault(row["table"], {})[int(row["n"])] = float(row["random_index"])
    return tables
