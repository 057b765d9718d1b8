"""Orders from pairwise comparison: which of two units has more weight of children on its side.

Arrays in, arrays out; NaN stands for missing inside this package's arithmetic only. Knows no tree. Scores count by
their order alone, so that no child can make up for another (OECD/JRC Handbook 2008, step 7: non-compensatory).

The support of a over b is the share of weight of the children where a is the better of the two, ties (within 1e-12 of
the child's greatest absolute score) counting half.
Where children are missing, two units are compared on those that both have, their weights re-scaled to sum to 1; of
two units without any common child nothing can be said, and the support is one half each way.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fhi.arrays import Array
from fhi.errors import Problem, RecipeError
from fhi.labels import Labels

MAX_KEMENY: Final = 40
_BLOCK_CELLS: Final = 2_000_000
_TIE: Final = 1e-10
_TIE_OF_SCORES: Final = 1e-12


def support_matrix(scores: Array, weights: Array) -> Array:
    """Support of every unit over every other: COINr's outranking matrix, and that of Handbook Table 36.

    scores, weights: (units, children), weights of `fhi.aggregate.rescaled_weights`. Returns (units, units), the row
    over the column, in [0, 1]; mirror entries sum to 1; 0 on the diagonal; NaN for a unit with too few children.
    Meant to be read, so of moderate size: memory grows with the square of the units.
    """
    support = (1 + _net_support(scores, weights, slice(None))) / 2
    np.fill_diagonal(support, np.where(np.isnan(weights).any(axis=1), np.nan, 0.0))
    return support


def copeland(scores: Array, weights: Array) -> Array:
    """Copeland score: how many units a unit beats, less how many beat it (Copeland 1951).

    scores, weights: (periods, units, children), see fhi.aggregate. Returns (periods, units), whole numbers between
    -(n - 1) and n - 1 that sum to 0 in a period; NaN for a unit with too few children. A beats b where its support is
    above one half (within 1e-10). Done in blocks of about 2 million cells, so that memory stays within some 100 MB
    however many units; time grows with units^2 x children (10,000 units x 10 children: some 10 s).
    """
    won = np.full(scores.shape[:2], np.nan)
    for period in range(scores.shape[0]):
        ranked = np.flatnonzero(~np.isnan(weights[period]).any(axis=1))
        own, share = scores[period, ranked], weights[period, ranked]
        size = max(_BLOCK_CELLS // max(len(ranked), 1), 1)
        for first in range(0, len(ranked), size):
            rows = slice(first, first + size)
            net = _net_support(own, share, rows)
            won[period, ranked[rows]] = (net > 2 * _TIE).sum(axis=1) - (net < -2 * _TIE).sum(axis=1)
    return won


def kemeny(scores: Array, weights: Array, labels: Labels | None = None) -> Array:
    """Number of units ranked behind in the Kemeny-Young order of the support matrix.

    scores, weights: (periods, units, children), see fhi.aggregate. Returns (periods, units): n - 1 for the first of n
    ranked units, 0 for the last; NaN for a unit with too few children. Of several best orders one is returned, see
    `kemeny_order`; so no two units share a score, even units that are alike. Raises RecipeError for a period with
    more than 40 ranked units.
    """
    behind = np.full(scores.shape[:2], np.nan)
    for period in range(scores.shape[0]):
        ranked = np.flatnonzero(~np.isnan(weights[period]).any(axis=1))
        if len(ranked) > MAX_KEMENY:
            where = (labels or Labels()).place(period)
            expected = f"at most {MAX_KEMENY} for an exact Kemeny order; use copeland, which has no such limit"
            raise RecipeError([Problem(where, f"{len(ranked)} units", expected, "too_many_units")])
        order = kemeny_order(support_matrix(scores[period, ranked], weights[period, ranked]))
        behind[period, ranked[order]] = np.arange(len(ranked))[::-1]
    return behind


def kemeny_score(support: Array, order: npt.NDArray[np.int64]) -> float:
    """How well an order agrees with the comparisons: sum of the support of every unit over those ranked behind it.

    support: (units, units) as of `support_matrix`; order: positions of the units, best first. Between 0 and
    n(n - 1) / 2 (Young and Levenglick 1978; Handbook 2008, Table 37).
    """
    turned = support[np.ix_(order, order)]
    return float(turned[np.triu_indices(len(order), 1)].sum())


def kemeny_order(support: Array) -> npt.NDArray[np.int64]:
    """The order of the units with the greatest Kemeny score: proven best, not searched for (Kemeny 1959).

    support: (units, units) as of `support_matrix`, no NaN off the diagonal. Returns positions, best first. Solved as
    a linear program over "a before b" with the rule that orders have no circles added where it is broken; where its
    solution is not whole, as an integer program (HiGHS). Of several best orders one is returned, always the same for
    the same data: units are put to the solver by falling mean support, those alike in row order, the solver takes no
    chances, and neighbours in its order whose comparison is a tie are then put in that order too. Raises RecipeError
    for more than 40 units.
    """
    n = len(support)
    if n > MAX_KEMENY:
        expected = f"at most {MAX_KEMENY} for an exact Kemeny order; use the Copeland order"
        raise RecipeError([Problem("kemeny", f"{n} units", expected, "too_many_units")])
    start = np.argsort(-np.where(np.eye(n, dtype=bool), 0.0, support).sum(axis=1).round(10), kind="stable")
    if n < 2:
        return start.astype(np.int64)
    placed = support[np.ix_(start, start)]
    order = np.argsort(-_best_tournament(placed).sum(axis=1), kind="stable")
    return start[_settle_ties(order, placed)].astype(np.int64)


def _net_support(scores: Array, weights: Array, rows: slice) -> Array:
    """Support of `rows` over every unit, less that of the unit over them: (rows, units) in [-1, 1]."""
    n = len(scores)
    mine, share = scores[rows], weights[rows]
    net = np.zeros((len(mine), n))
    common = np.zeros((len(mine), n))
    common_there = np.zeros((len(mine), n))
    net_there = np.zeros((len(mine), n))
    # Scores of groups are sums: the same terms in another order differ in their last digits.
    near = _TIE_OF_SCORES * np.fmax.reduce(np.abs(np.where(weights > 0, scores, 0.0)), axis=0, initial=0.0)
    for child in range(scores.shape[1]):
        here = weights[:, child] > 0
        ours = share[:, child] > 0
        if not here.any() or not ours.any():
            continue
        a, b = mine[:, child, None], scores[None, :, child]
        sign = (a - b > near[child]).astype(np.float64) - (b - a > near[child])
        both = ours[:, None] & here[None, :]
        sign[~both] = 0.0
        net += sign * np.where(ours, share[:, child], 0.0)[:, None]
        net_there += sign * np.where(here, weights[:, child], 0.0)[None, :]
        common += both * np.where(ours, share[:, child], 0.0)[:, None]
        common_there += both * np.where(here, weights[:, child], 0.0)[None, :]
    # Where weights are each unit's own (benefit of the doubt) the two views differ; their mean is fair to both.
    net = net / np.where(common > 0, common, 1.0) + net_there / np.where(common_there > 0, common_there, 1.0)
    unknown: npt.NDArray[np.bool_] = np.isnan(weights.sum(axis=1))
    net[:, unknown] = np.nan
    net[unknown[rows]] = np.nan
    halved: Array = net / 2
    return halved


def _best_tournament(support: Array) -> npt.NDArray[np.bool_]:
    """Which unit stands before which in a best order, (units, units)."""
    n = len(support)
    first, second = np.triu_indices(n, 1)
    gain = support[first, second] - support[second, first]
    gain[np.abs(gain) < _TIE] = 0.0
    triples = np.array([(a, b, c) for a in range(n) for b in range(a + 1, n) for c in range(b + 1, n)], dtype=np.int64)
    triples = triples.reshape(-1, 3)
    column = np.zeros((n, n), dtype=np.int64)
    column[first, second] = np.arange(len(first))
    sides = np.stack([column[triples[:, i], triples[:, j]] for i, j in ((0, 1), (1, 2), (0, 2))], axis=1)
    used = np.zeros(len(sides), dtype=bool)
    whole = False
    while True:
        chosen = _solve(gain, sides[used], whole=whole)
        turn = chosen[sides[:, 0]] + chosen[sides[:, 1]] - chosen[sides[:, 2]]
        broken = ((turn > 1 + 1e-6) | (turn < -1e-6)) & ~used
        if broken.any():
            used |= broken
        elif whole or np.abs(chosen - chosen.round()).max() < 1e-6:
            break
        else:
            whole = True
    before = np.zeros((n, n), dtype=bool)
    before[first, second] = chosen > 0.5
    before[second, first] = chosen <= 0.5
    return before


def _settle_ties(order: npt.NDArray[np.int64], support: Array) -> npt.NDArray[np.int64]:
    """The order with tied neighbours by rising number: a swap of two whose comparison is a tie costs nothing."""
    settled = order.tolist()
    swapped = True
    while swapped:
        swapped = False
        for i in range(len(settled) - 1):
            above, below = settled[i], settled[i + 1]
            if above > below and abs(support[above, below] - support[below, above]) < _TIE:
                settled[i], settled[i + 1] = below, above
                swapped = True
    return np.array(settled, dtype=np.int64)


def _solve(gain: Array, sides: npt.NDArray[np.int64], *, whole: bool) -> Array:
    """Greatest gain with every x in [0, 1] and 0 <= x_ab + x_bc - x_ac <= 1 for the triples given.

    sides: (triples, 3), positions of ab, bc and ac among the pairs. `whole` asks for zeros and ones only.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    rules: list[Any] = []
    if len(sides):
        rows = np.repeat(np.arange(len(sides)), 3)
        values = np.tile([1.0, 1.0, -1.0], len(sides))
        matrix = csr_array((values, (rows, sides.ravel())), shape=(len(sides), len(gain)))
        rules = [LinearConstraint(matrix, 0.0, 1.0)]
    result = milp(
        -gain,
        integrality=np.full(len(gain), int(whole)),
        bounds=Bounds(0.0, 1.0),
        constraints=rules,
        options={"mip_rel_gap": 0.0},
    )
    if result.x is None:
        raise RuntimeError(f"HiGHS found no Kemeny order: {result.message}")
    chosen: Array = result.x
    return chosen
