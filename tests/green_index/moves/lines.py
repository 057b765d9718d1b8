"""Lines of totals drawn at random, with ties and equal hubs among them, for the tests of weights."""

import numpy as np
from hypothesis import strategies as st

from green_index.moves.straight import Straight


def line_of(scores: list[list[float]], weights: list[float], base: list[float] | None = None) -> Straight:
    """A line over codes a, b, c, ... of hubs h0, h1, ..."""
    matrix = np.array(scores, dtype=float)
    return Straight(
        group="all",
        period="2020",
        hubs=tuple(f"h{i}" for i in range(len(matrix))),
        codes=tuple("abcdef"[: matrix.shape[1]]),
        scores=matrix,
        weights=np.array(weights, dtype=float) / sum(weights),
        base=np.zeros(len(matrix)) if base is None else np.array(base, dtype=float),
    )


@st.composite
def lines(draw: st.DrawFn, codes: int | None = None) -> Straight:
    """Two to six hubs on two to four codes, figures on a coarse scale so that many are level."""
    m = codes or draw(st.integers(min_value=2, max_value=4))
    n = draw(st.integers(min_value=2, max_value=6))
    score = st.integers(min_value=0, max_value=10).map(lambda x: x * 10.0)
    scores = draw(st.lists(st.lists(score, min_size=m, max_size=m), min_size=n, max_size=n))
    weights = draw(st.lists(st.integers(min_value=1, max_value=6), min_size=m, max_size=m))
    base = draw(st.lists(st.integers(min_value=0, max_value=3).map(float), min_size=n, max_size=n))
    return line_of(scores, [float(weight) for weight in weights], base)


def simplex_grid(codes: int, steps: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """All weights in multiples of 1 / steps, (points, codes)."""
    if codes == 1:
        return np.array([[steps]]) / steps
    points = [
        [first, *(rest * steps)]
        for first in range(steps + 1)
        for rest in (
            simplex_grid(codes - 1, steps - first) * (steps - first) / steps
            if first < steps
            else np.zeros((1, codes - 1))
        )
    ]
    return np.array(points) / steps
