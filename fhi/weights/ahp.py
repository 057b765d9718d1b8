"""Weights from pairwise judgements: the analytic hierarchy process (Saaty 1980).

Arrays in, arrays out. Knows no tree and nobody's judgements. A missing entry of a matrix is NaN: not answered.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np

from fhi.arrays import Array
from fhi.errors import JudgementError
from fhi.weights.consistency import Triad, geometric_index, worst_triad
from fhi.weights.incomplete import complete_by_least_lambda, least_squares_priorities, parts_of, principal

Priority = Literal["eigenvector", "geometric_mean"]

_RECIPROCAL_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class AhpWeights:
    """Weights that sum to 1, with the consistency of the judgements they come from.

    `consistency_ratio` is null where the judgements cannot contradict each other: the random index is zero (one or
    two items), or the answers given form a tree. `geometric_index` and `worst` (whose inconsistency is Koczkodaj's
    index) are null in the same cases and where no three items are all compared. `missing` counts the pairs that were
    not answered.
    """

    weights: Array
    lambda_max: float
    consistency_index: float
    consistency_ratio: float | None
    random_index: str
    geometric_index: float | None = None
    worst: Triad | None = None
    missing: int = 0

    @property
    def koczkodaj(self) -> float | None:
        """Koczkodaj's index: the inconsistency of the worst triad, null where there is none."""
        return self.worst.inconsistency if self.worst is not None else None


def priority_weights(matrix: Array, *, priority: Priority, random_index: str) -> AhpWeights:
    """Weights of a judgement, complete or not, under the named rule of priority.

    matrix: (n, n), a_ij > 0 and a_ji = 1 / a_ij, NaN for a pair not answered (one of two mirror entries is enough).
    `eigenvector`: the principal eigenvector, of an incomplete matrix after its gaps are filled so that lambda_max is
    least. `geometric_mean`: logarithmic least squares, which for a complete matrix are the geometric means of its
    rows and for an incomplete one solve the Laplacian of its graph (both Bozoki, Fulop & Ronyai 2010, Mathematical
    and Computer Modelling 52, 318-333). lambda_max is that of the (filled) matrix under either rule; CI =
    (lambda_max - n) / (n - 1) and CR = CI / RI(n) under the named table. The tables are of complete matrices, so that
    the ratio of an incomplete one is on the lenient side. Raises JudgementError for a matrix that is not square,
    positive and reciprocal, larger than the table, or whose answers do not connect all items, naming the parts.
    """
    answers = mirrored(matrix)
    check_connected(answers)
    n = len(answers)
    missing = int(np.isnan(answers[np.triu_indices(n, 1)]).sum())
    squares = least_squares_priorities(answers)
    full = complete_by_least_lambda(answers) if missing else answers
    lambda_max, vector = principal(full)
    index = max((lambda_max - n) / (n - 1), 0.0) if n > 1 else 0.0
    random = random_index_of(n, random_index)
    spare = (n - 1) * (n - 2) // 2 - missing
    return AhpWeights(
        weights=vector if priority == "eigenvector" else squares,
        lambda_max=lambda_max,
        consistency_index=index,
        consistency_ratio=index / random if random > 0 and spare > 0 else None,
        random_index=random_index,
        geometric_index=geometric_index(answers, squares),
        worst=worst_triad(answers),
        missing=missing,
    )


def eigenvector_weights(matrix: Array, *, random_index: str) -> AhpWeights:
    """Principal right eigenvector of a complete reciprocal matrix, normalised to sum 1, with Saaty's consistency.

    matrix: (n, n), a_ij > 0 and a_ji = 1 / a_ij; CI = (lambda_max - n) / (n - 1), CR = CI / RI(n) under the named
    random-index table. Raises JudgementError for a matrix that is not square, positive and reciprocal, or larger
    than the table.
    """
    check_reciprocal(matrix)
    return priority_weights(matrix, priority="eigenvector", random_index=random_index)


def geometric_weights(matrix: Array, *, random_index: str) -> AhpWeights:
    """Geometric means of the rows of a complete reciprocal matrix, normalised to sum 1: logarithmic least squares.

    Shapes, consistency and errors as in `eigenvector_weights` (Crawford & Williams 1985, Journal of Mathematical
    Psychology 29, 387-405; in Chinese courses 方根法).
    """
    check_reciprocal(matrix)
    return priority_weights(matrix, priority="geometric_mean", random_index=random_index)


def check_reciprocal(matrix: Array) -> None:
    """Raises JudgementError, naming the entry, unless the matrix is square, complete, positive and reciprocal."""
    _check_square(matrix)
    if not (np.isfinite(matrix) & (matrix > 0)).all():
        raise JudgementError("found an entry that is not positive and finite; expected ratios above zero")
    _check_mirrors(matrix)


def mirrored(matrix: Array) -> Array:
    """The matrix with every answer also in its mirror entry and ones on its diagonal; NaN where neither was answered.

    matrix: (n, n), NaN where not answered. Raises JudgementError, naming the entry, unless it is square, and positive
    and reciprocal where it is answered.
    """
    _check_square(matrix)
    answered = ~np.isnan(matrix)
    wrong = answered & ~(np.isfinite(matrix) & (matrix > 0))
    if wrong.any():
        row, column = (int(place[0]) for place in np.nonzero(wrong))
        raise JudgementError(
            f"entry ({row + 1}, {column + 1}) is {matrix[row, column]:g}, not positive and finite; "
            "expected ratios above zero"
        )
    _check_mirrors(matrix)
    whole: Array = np.where(answered, matrix, 1 / matrix.T)
    np.fill_diagonal(whole, 1.0)
    return whole


def check_connected(matrix: Array) -> None:
    """Raises JudgementError, naming the parts, unless a chain of answers leads from any item to any other."""
    parts = parts_of(~np.isnan(matrix))
    if len(parts) > 1:
        named = " | ".join(", ".join(str(item + 1) for item in part) for part in parts)
        raise JudgementError(
            f"the answers leave the items in {len(parts)} parts that are not compared with each other ({named}); "
            "expected a chain of answers between any two items: compare one item of each part with another part"
        )


def _check_square(matrix: Array) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) == 0:
        raise JudgementError(f"found a matrix of shape {matrix.shape}; expected a square one")


def _check_mirrors(matrix: Array) -> None:
    off = np.nan_to_num(np.abs(matrix * matrix.T - 1), nan=0.0)
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
