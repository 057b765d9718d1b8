"""How indicators go together: correlations of three kinds with their observations and p, flags, and influence.

Arrays and frames in and out. Knows no tree but the parent of a code where it is told; knows no hubs. Missing figures
are left out pair by pair; every pair is shown, significant or not (COINr's get_corr hides cells above p = 0.05 unless
told otherwise, and a reader takes the gaps for zeros).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from fhi.arrays import Array

CorrelationKind = Literal["pearson", "spearman", "kendall"]
CORRELATION_SCHEMA: Final = pl.Schema(
    {"a": pl.String, "b": pl.String, "kind": pl.String, "r": pl.Float64, "n": pl.Int64, "p": pl.Float64}
)
FLAG_SCHEMA: Final = pl.Schema([("flag", pl.String), ("group", pl.String), *CORRELATION_SCHEMA.items()])
INFLUENCE_SCHEMA: Final = pl.Schema(
    {
        "code": pl.String,
        "weight": pl.Float64,
        "r": pl.Float64,
        "n": pl.Int64,
        "squared": pl.Float64,
        "influence": pl.Float64,
    }
)
MIN_OBSERVATIONS: Final = 3


@dataclass(frozen=True)
class Correlations:
    """Correlations of the columns of one array with those of another, and what they rest on.

    r, n, p: (columns, other columns). r is NaN for fewer than three common observations (two always give 1 or -1) and
    where one of the pair does not vary among them; p is the chance of so strong a correlation where there is none,
    two-sided, NaN where r is.
    """

    r: Array
    n: npt.NDArray[np.int64]
    p: Array


def correlate(x: Array, other: Array | None = None, kind: CorrelationKind = "pearson") -> Correlations:
    """Correlations of every column of x with every column of `other`, or of x itself; pairwise complete.

    x: (units, columns), other: (units, other columns), NaN where missing, any units. Spearman ranks each pair anew
    among the units that have both (mean ranks for ties); Kendall is tau-b. p: Student's t with n - 2 degrees of
    freedom for Pearson and Spearman; for Kendall the exact distribution where there are no ties and few units, else
    the normal one (scipy.stats.kendalltau). Pearson is a handful of products whatever is missing; Spearman is one for
    all columns that lack the same units; so many indicators cost little.
    """
    y = x if other is None else other
    match kind:
        case "pearson":
            found = _pearson(x, y)
        case "spearman":
            found = _spearman(x, y)
        case "kendall":
            found = _kendall(x, y)
    if other is None:
        diagonal = np.diag(found.r)
        np.fill_diagonal(found.r, np.where(np.isnan(diagonal), np.nan, 1.0))
    return found


def covariances(x: Array) -> Array:
    """Covariances (n - 1) of the columns of x, pairwise complete: each pair about its means over its common units.

    x: (units, columns), NaN where missing. Returns (columns, columns), NaN for fewer than two common units.
    """
    scaled, scale = _scale(x)
    sums = _pair_sums(scaled, scaled)
    found: Array = np.where(sums.n > 1, sums.products / np.where(sums.n > 1, sums.n - 1, 1), np.nan)
    return found * np.outer(scale, scale)


def correlation_frame(x: Array, codes: Sequence[str], kind: CorrelationKind = "pearson") -> pl.DataFrame:
    """Every pair of columns once, in the order of the codes: CORRELATION_SCHEMA, null where not defined.

    x: (units, columns), NaN where missing; codes: one a column.
    """
    first, second = np.triu_indices(len(codes), 1)
    return _long(correlate(x, kind=kind), first, second, codes, codes, kind)


def cross_frame(
    x: Array,
    codes: Sequence[str],
    other: Array,
    other_codes: Sequence[str],
    kind: CorrelationKind = "pearson",
) -> pl.DataFrame:
    """Every column of x (a) with every column of `other` (b), such as parents or denominators: CORRELATION_SCHEMA.

    x: (units, columns), other: (units, other columns), NaN where missing; a code and another for each column.
    """
    first, second = (axis.ravel() for axis in np.indices((len(codes), len(other_codes))))
    return _long(correlate(x, other, kind), first, second, codes, other_codes, kind)


def mark_groups(pairs: pl.DataFrame, parent: Mapping[str, str]) -> pl.DataFrame:
    """The pairs with `group_a` and `group_b`, the parents of both, and `inside`: are they siblings?

    pairs: CORRELATION_SCHEMA; parent: code of the parent by code. Null where a code has no parent there.
    """
    groups = {
        f"group_{side}": pl.col(side).replace_strict(dict(parent), default=None, return_dtype=pl.String)
        for side in ("a", "b")
    }
    return pairs.with_columns(**groups).with_columns(
        inside=(pl.col("group_a") == pl.col("group_b")).fill_null(value=False)
    )


def flag_pairs(
    pairs: pl.DataFrame,
    parent: Mapping[str, str],
    *,
    redundant: float = 0.9,
    opposed: float = -0.4,
    denominators: Collection[str] = (),
    size: float = 0.6,
) -> pl.DataFrame:
    """Pairs that a reader should look at: FLAG_SCHEMA, strongest correlation first.

    pairs: CORRELATION_SCHEMA, siblings with siblings, children with parents, indicators with denominators, in any
    mixture. `redundant`: siblings with |r| of at least that, which count one thing twice. `opposed_siblings` and
    `opposed_parent`: r of at most that (COINr's get_corr_flags takes -0.4): one pulls against the other, or against
    its own group. `size`: |r| of at least that with a denominator, so that the indicator measures size
    (COINr's get_denom_corr). A pair can bear two flags.
    """
    marked = mark_groups(pairs, parent)
    above_b, above_a = pl.col("group_a") == pl.col("b"), pl.col("group_b") == pl.col("a")
    strong = pl.col("r").abs()
    is_denominator = pl.col("a").is_in(list(denominators)) | pl.col("b").is_in(list(denominators))
    rules = {
        "redundant": (pl.col("inside") & (strong >= redundant), pl.col("group_a")),
        "opposed_siblings": (pl.col("inside") & (pl.col("r") <= opposed), pl.col("group_a")),
        "opposed_parent": (
            (above_a | above_b).fill_null(value=False) & (pl.col("r") <= opposed),
            pl.when(above_b).then(pl.col("b")).otherwise(pl.col("a")),
        ),
        "size": (is_denominator & (strong >= size), pl.coalesce("group_a", "group_b")),
    }
    found = [
        marked.filter(rule).with_columns(flag=pl.lit(name), group=group).select(FLAG_SCHEMA.names())
        for name, (rule, group) in rules.items()
    ]
    return pl.concat(found).sort(pl.col("r").abs(), "flag", "a", "b", descending=[True, False, False, False])


def influence(children: Array, parent: Array, codes: Sequence[str], weights: Array) -> pl.DataFrame:
    """How much each child shapes its parent, beside the weight it was given: INFLUENCE_SCHEMA.

    children: (units, children), parent: (units,), NaN where missing; weights: (children,), NaN where there is none.
    `squared` is the share of the parent's variance that goes with the child, the squared Pearson correlation (the
    linear main effect of Paruolo, Saisana and Saltelli 2013), and `influence` its share of the sum over the
    children, to be held against weight: they differ where children vary or correlate unlike. r keeps the sign that a
    square hides.
    """
    found = correlate(children, parent[:, None])
    r = found.r[:, 0]
    squared = r**2
    total = np.nansum(squared)
    share = squared / total if total > 0 else np.full(len(r), np.nan)
    columns = {
        "code": list(codes),
        "weight": weights,
        "r": r,
        "n": found.n[:, 0],
        "squared": squared,
        "influence": share,
    }
    return pl.DataFrame(columns, schema=INFLUENCE_SCHEMA).fill_nan(None)


@dataclass(frozen=True)
class _PairSums:
    """Common units of each pair of columns, and sums over them about their means there."""

    n: npt.NDArray[np.int64]
    products: Array
    squares: Array
    other_squares: Array


def _scale(x: Array) -> tuple[Array, Array]:
    """Columns less their mean and divided by their greatest distance from it, and that distance.

    Keeps squares of very great and very small figures within range. A column that does not vary becomes zeros.
    """
    some = ~np.isnan(x)
    first = np.where(some.any(axis=0), np.nanmin(x, axis=0, initial=np.inf), 0.0)
    last = np.where(some.any(axis=0), np.nanmax(x, axis=0, initial=-np.inf), 0.0)
    mean = np.where(first < last, np.nansum(x, axis=0) / np.maximum(some.sum(axis=0), 1), first)
    scale = np.where(first < last, np.maximum(last - mean, mean - first), 1.0)
    return (x - mean) / scale, scale


def _pair_sums(x: Array, y: Array) -> _PairSums:
    """Sums of every pair from products of whole arrays, each pair's own mean taken off.

    Where a pair's common units lie so close together, for their distance from the column's mean, that the difference
    would lose more than three digits, the pair is summed again on its own.
    """
    have_x, have_y = ~np.isnan(x), ~np.isnan(y)
    a, b = np.where(have_x, x, 0.0), np.where(have_y, y, 0.0)
    mask_x, mask_y = have_x.astype(np.float64), have_y.astype(np.float64)
    n = mask_x.T @ mask_y
    count = np.maximum(n, 1)
    sum_x, sum_y = a.T @ mask_y, mask_x.T @ b
    raw_x, raw_y = (a * a).T @ mask_y, mask_x.T @ (b * b)
    squares, other_squares = raw_x - sum_x**2 / count, raw_y - sum_y**2 / count
    products = a.T @ b - sum_x * sum_y / count
    close = (n > 1) & ((squares < 1e-3 * raw_x) | (other_squares < 1e-3 * raw_y))
    for i, j in np.argwhere(close).tolist():
        both = have_x[:, i] & have_y[:, j]
        one, two = x[both, i], y[both, j]
        one = one - one.mean() if np.ptp(one) > 0 else np.zeros(len(one))
        two = two - two.mean() if np.ptp(two) > 0 else np.zeros(len(two))
        products[i, j], squares[i, j], other_squares[i, j] = one @ two, one @ one, two @ two
    return _PairSums(n.round().astype(np.int64), products, squares, other_squares)


def _pearson(x: Array, y: Array) -> Correlations:
    sums = _pair_sums(_scale(x)[0], _scale(y)[0])
    defined = (sums.n >= MIN_OBSERVATIONS) & (sums.squares > 0) & (sums.other_squares > 0)
    length = np.sqrt(np.where(defined, sums.squares, 1.0)) * np.sqrt(np.where(defined, sums.other_squares, 1.0))
    r: Array = np.where(defined, np.clip(sums.products / length, -1.0, 1.0), np.nan)
    return Correlations(r, sums.n, _t_test(r, sums.n))


def _spearman(x: Array, y: Array) -> Correlations:
    r = np.full((x.shape[1], y.shape[1]), np.nan)
    n = np.zeros(r.shape, dtype=np.int64)
    symmetric = x is y
    patterns = list(enumerate(_patterns(x)))
    for i, (left, have_left) in patterns:
        for j, (right, have_right) in patterns if symmetric else enumerate(_patterns(y)):
            if symmetric and j < i:
                continue
            both = have_left & have_right
            here = np.ix_(left, right)
            n[here] = both.sum()
            if both.sum() >= MIN_OBSERVATIONS:
                one = _ranks(x[np.ix_(both, left)])
                two = one if symmetric and i == j else _ranks(y[np.ix_(both, right)])
                r[here] = one.T @ two
            if symmetric:
                r[np.ix_(right, left)], n[np.ix_(right, left)] = r[here].T, n[here].T
    r = np.clip(r, -1.0, 1.0)
    return Correlations(r, n, _t_test(r, n))


def _patterns(x: Array) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
    """Columns of x that have the same units, each set with those units."""
    have = ~np.isnan(x)
    columns: dict[bytes, list[int]] = {}
    for i in range(x.shape[1]):
        columns.setdefault(have[:, i].tobytes(), []).append(i)
    return [(np.array(same, dtype=np.int64), have[:, same[0]]) for same in columns.values()]


def _ranks(block: Array) -> Array:
    """Mean ranks of each column, less their mean and of length 1; NaN for a column that does not vary."""
    from scipy.stats import rankdata

    ranks = rankdata(block, axis=0) - (len(block) + 1) / 2
    length = np.linalg.norm(ranks, axis=0)
    unit: Array = ranks / np.where(length > 0, length, np.nan)
    return unit


def _t_test(r: Array, n: npt.NDArray[np.int64]) -> Array:
    """Two-sided p of correlations by Student's t with n - 2 degrees of freedom: I(1 - r^2; (n - 2) / 2, 1 / 2)."""
    from scipy.special import betainc

    free = np.where(n > 2, n - 2, 1) / 2
    p: Array = np.where(np.isnan(r), np.nan, betainc(free, 0.5, np.clip(1 - np.nan_to_num(r) ** 2, 0.0, 1.0)))
    return p


def _kendall(x: Array, y: Array) -> Correlations:
    from scipy.stats import kendalltau

    shape = (x.shape[1], y.shape[1])
    r, p = np.full(shape, np.nan), np.full(shape, np.nan)
    n = (~np.isnan(x)).astype(np.int64).T @ (~np.isnan(y)).astype(np.int64)
    symmetric = x is y
    for i, j in np.argwhere(n >= MIN_OBSERVATIONS).tolist():
        if symmetric and j < i:
            r[i, j], p[i, j] = r[j, i], p[j, i]
            continue
        both = ~np.isnan(x[:, i]) & ~np.isnan(y[:, j])
        a, b = x[both, i], y[both, j]
        if np.ptp(a) > 0 and np.ptp(b) > 0:
            r[i, j], p[i, j] = kendalltau(a, b)
    return Correlations(r, n, p)


def _long(
    found: Correlations,
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    codes: Sequence[str],
    other_codes: Sequence[str],
    kind: CorrelationKind,
) -> pl.DataFrame:
    columns = {
        "a": [codes[i] for i in first.tolist()],
        "b": [other_codes[j] for j in second.tolist()],
        "kind": [kind] * len(first),
        "r": found.r[first, second],
        "n": found.n[first, second],
        "p": found.p[first, second],
    }
    return pl.DataFrame(columns, schema=CORRELATION_SCHEMA).fill_nan(None)
