"""How unequal the hubs are, and how much of it lies between regions: Theil's T and Dagum's Gini, taken apart exactly.

Knows arrays of figures with the group of each, and frames of scores. Knows no index, no region by name and no HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array

INEQUALITY_SCHEMA: Final = pl.Schema(
    {
        "period": pl.String,
        "code": pl.String,
        "hubs": pl.Int64,
        "mean": pl.Float64,
        "gini": pl.Float64,
        "gini_within": pl.Float64,
        "gini_between": pl.Float64,
        "gini_transvariation": pl.Float64,
        "theil": pl.Float64,
        "theil_within": pl.Float64,
        "theil_between": pl.Float64,
        "missing": pl.String,
    }
)
PAIR_SCHEMA: Final = pl.Schema(
    {
        "period": pl.String,
        "code": pl.String,
        "group": pl.String,
        "other": pl.String,
        "hubs": pl.Int64,
        "other_hubs": pl.Int64,
        "gini": pl.Float64,
        "affluence": pl.Float64,
    }
)
NO_FIGURES: Final = "no_figures"
NOT_POSITIVE: Final = "not_positive"
"""A figure of zero or less: shares and logarithms of it are not defined, and nothing is computed."""


@dataclass(frozen=True)
class Theil:
    """T = between + within. within_by_group: each group's own T, in the order of `groups`."""

    total: float
    between: float
    within: float
    groups: tuple[str, ...]
    within_by_group: Array


@dataclass(frozen=True)
class Dagum:
    """G = within + between + transvariation, none of them negative.

    pairs: (groups, groups), the Gini ratio between two groups, of one group on the diagonal; affluence: D of each pair,
    0 where the two overlap wholly and 1 where they do not overlap, 0 on the diagonal.
    """

    total: float
    within: float
    between: float
    transvariation: float
    groups: tuple[str, ...]
    pairs: Array
    affluence: Array


def theil(figures: Array, groups: Sequence[str]) -> Theil:
    """Theil's T = mean(y/mu ln(y/mu)) and its parts between and within groups (Theil 1967).

    figures: (n,), all above zero; groups: the group of each. With p_k a group's share of the units and s_k of the sum,
    between = sum s_k ln(s_k / p_k) and within = sum s_k T_k. Raises ValueError for no figure or one not above zero.
    """
    y = _checked(figures, groups)
    named = np.array(groups)
    names = tuple(sorted(set(groups)))
    members = [y[named == name] for name in names]
    own = np.array([_theil_of(part) for part in members])
    population = np.array([len(part) / len(y) for part in members])
    share = np.array([part.sum() / y.sum() for part in members])
    between = float((share * np.log(share / population)).sum())
    return Theil(_theil_of(y), between, float((share * own).sum()), names, own)


def _theil_of(y: Array) -> float:
    relative = y / y.mean()
    return float((relative * np.log(relative)).mean())


def dagum(figures: Array, groups: Sequence[str]) -> Dagum:
    """Dagum's Gini and its three parts (Dagum 1997, Empirical Economics 22: 515-531).

    figures: (n,), all above zero; groups: the group of each. G_jh is the mean absolute difference of units of two
    groups over the sum of their means; D_jh = (d - p)/(d + p) from the mean excess d of the richer group over the
    poorer and the mean excess p the other way. within = sum G_jj p_j s_j, between = sum G_jh (p_j s_h + p_h s_j) D_jh
    over pairs, transvariation the same with 1 - D_jh. Raises ValueError as `theil` does.
    """
    y = _checked(figures, groups)
    named = np.array(groups)
    names = tuple(sorted(set(groups)))
    members = [y[named == name] for name in names]
    population = np.array([len(part) / len(y) for part in members])
    share = np.array([part.sum() / y.sum() for part in members])
    pairs, affluence = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for j, first in enumerate(members):
        for h, second in enumerate(members):
            pairs[j, h], affluence[j, h] = _pair(first, second, same=j == h)
    weight = np.outer(population, share)
    apart = ~np.eye(len(names), dtype=bool)
    return Dagum(
        total=float(np.abs(y[:, None] - y[None, :]).mean() / (2 * y.mean())),
        within=float((pairs * weight)[~apart].sum()),
        between=float((pairs * weight * affluence)[apart].sum()),
        transvariation=float((pairs * weight * (1 - affluence))[apart].sum()),
        groups=names,
        pairs=pairs,
        affluence=affluence,
    )


def _pair(first: Array, second: Array, *, same: bool) -> tuple[float, float]:
    excess = first[:, None] - second[None, :]
    over, under = float(np.maximum(excess, 0).mean()), float(np.maximum(-excess, 0).mean())
    gini = (over + under) / float(first.mean() + second.mean())
    return gini, 0.0 if same or over + under == 0 else abs(over - under) / (over + under)


def _checked(figures: Array, groups: Sequence[str]) -> Array:
    y = np.asarray(figures, dtype=np.float64)
    if y.ndim != 1 or len(y) != len(groups) or len(y) == 0:
        raise ValueError(f"{y.shape} figures in {len(groups)} groups; expected one group a figure, and one at least")
    if not (np.isfinite(y) & (y > 0)).all():
        raise ValueError("a figure of zero or less, or none; expected figures above zero")
    return y


def inequality(figures: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Theil and Dagum by period and code: INEQUALITY_SCHEMA.

    figures: hub, period, code, value; missing values are left out and `hubs` says how many are in. groups: hub, group.
    Where a figure is not above zero, or none is there, results are null and `missing` says why.
    """
    rows = [(*key, *_measures(part)) for key, part in _parts(figures, groups)]
    return pl.DataFrame(rows, schema=INEQUALITY_SCHEMA, orient="row").sort("code", "period")


def group_pairs(figures: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Gini ratios within and between groups: PAIR_SCHEMA, a group with itself and each pair once, by period and code;
    arguments as for `inequality`. Periods for which nothing can be computed have no rows."""
    rows = []
    for key, part in _parts(figures, groups):
        y = part["value"].to_numpy()
        if len(y) == 0 or not (y > 0).all():
            continue
        found = dagum(y, part["group"].to_list())
        sizes = dict(part["group"].value_counts().iter_rows())
        rows += [
            (*key, a, b, sizes[a], sizes[b], float(found.pairs[j, h]), None if j == h else float(found.affluence[j, h]))
            for j, a in enumerate(found.groups)
            for h, b in enumerate(found.groups)
            if h >= j
        ]
    return pl.DataFrame(rows, schema=PAIR_SCHEMA, orient="row").sort("code", "period", "group", "other")


def _parts(figures: pl.DataFrame, groups: pl.DataFrame) -> list[tuple[tuple[str, str], pl.DataFrame]]:
    joined = figures.join(groups.select("hub", "group"), on="hub", how="inner").sort("code", "period", "hub")
    return [
        ((str(period), str(code)), part.drop_nulls("value"))
        for (period, code), part in joined.group_by("period", "code", maintain_order=True)
    ]


def _measures(part: pl.DataFrame) -> tuple[object, ...]:
    y, groups = part["value"].to_numpy(), part["group"].to_list()
    if len(y) == 0:
        return (0, *[None] * 8, NO_FIGURES)
    if not (y > 0).all():
        return (len(y), float(y.mean()), *[None] * 7, NOT_POSITIVE)
    split, share = dagum(y, groups), theil(y, groups)
    ginis = (split.total, split.within, split.between, split.transvariation)
    return (len(y), float(y.mean()), *ginis, share.total, share.within, share.between, None)
