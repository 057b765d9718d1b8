"""Other ways to count ranks over random weights, for the benchmark: the same answer, (units, places) of counts.

Every way takes a matrix of scores (units, indicators), a number of draws and a seed, and draws Dirichlet(1) weights.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from measuring import Array

Counts = npt.NDArray[np.int64]
_BLOCK = 2**17


def _blocks(matrix: Array, draws: int, seed: int) -> Iterator[Array]:
    """Weights in blocks whose scores fit into a core's own memory, (draws of the block, indicators)."""
    generator = np.random.default_rng(seed)
    size = max(_BLOCK // len(matrix), 1)
    for start in range(0, draws, size):
        yield generator.standard_exponential((min(size, draws - start), matrix.shape[1]))


def plain_loop(matrix: Array, draws: int, seed: int) -> Counts:
    """One draw after another, ranked by scipy."""
    from scipy.stats import rankdata

    generator = np.random.default_rng(seed)
    units = len(matrix)
    counts = np.zeros((units, units), dtype=np.int64)
    everyone = np.arange(units)
    for _ in range(draws):
        weights = generator.standard_exponential(matrix.shape[1])
        ranks = rankdata(-(matrix @ (weights / weights.sum())), method="min").astype(int)
        counts[everyone, ranks - 1] += 1
    return counts


def by_polars(matrix: Array, draws: int, seed: int) -> Counts:
    """All scores of a block as one long column, ranked over the draw."""
    import polars as pl

    units = len(matrix)
    counts = np.zeros(units * units, dtype=np.int64)
    for weights in _blocks(matrix, draws, seed):
        scores = weights @ matrix.T
        frame = pl.DataFrame(
            {
                "draw": np.repeat(np.arange(len(weights)), units),
                "unit": np.tile(np.arange(units), len(weights)),
                "score": scores.reshape(-1),
            }
        )
        ranked = frame.select("unit", rank=pl.col("score").rank("min", descending=True).over("draw"))
        taken = ranked.group_by("unit", "rank").len()
        places = taken["unit"].to_numpy() * units + taken["rank"].to_numpy().astype(np.int64) - 1
        counts[places] += taken["len"].to_numpy()
    return counts.reshape(units, units)


def blocked_argsort(matrix: Array, draws: int, seed: int) -> Counts:
    """Block by block: a product of 64-bit floats, argsort, one count of places."""
    units = len(matrix)
    counts = np.zeros(units * units, dtype=np.int64)
    offset = np.arange(units) * units
    for weights in _blocks(matrix, draws, seed):
        order = np.argsort(-(weights @ matrix.T), axis=1)
        counts += np.bincount((order + offset).ravel(), minlength=units * units)
    return counts.reshape(units, units).T


def product_alone(matrix: Array, draws: int, seed: int) -> Counts:
    """The matrix product alone, in 32-bit floats, over weights drawn once: the least that any way must do."""
    weights = next(_blocks(matrix, draws, seed)).astype(np.float32)
    turned = np.ascontiguousarray(matrix.T, dtype=np.float32)
    scores = np.empty((len(weights), len(matrix)), dtype=np.float32)
    for start in range(0, draws, len(weights)):
        np.matmul(weights[: draws - start], turned, out=scores[: draws - start])
    return np.zeros((0, 0), dtype=np.int64)


def drawing_alone(matrix: Array, draws: int, seed: int) -> Counts:
    """The generator's own exponentials alone, 64 bits each."""
    for _ in _blocks(matrix, draws, seed):
        pass
    return np.zeros((0, 0), dtype=np.int64)
