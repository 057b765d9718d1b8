"""What the figures of a run say about its framework: one table a question.

Knows results of `fhi.index`. The statistics live in `fhi.diagnostics` and `fhi.correlations`. Knows no files and no
language.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import polars as pl

from fhi.arrays import Array
from fhi.correlations import CorrelationKind, correlation_frame, cross_frame, flag_pairs, influence, mark_groups
from fhi.diagnostics import (
    bartlett,
    chi_square_p,
    component_frame,
    describe_indicators,
    kmo,
    kmo_each,
    loading_frame,
    reliability,
)
from fhi.index import IndexResult
from fhi.screen import availability
from fhi.steps import lowest_groups
from fhi.weigh import stated_weights
from fhi.weights.pca import components_of, correlation_matrix

KINDS: Final[tuple[CorrelationKind, ...]] = ("pearson", "spearman", "kendall")


def statistics(result: IndexResult) -> pl.DataFrame:
    """Statistics of every indicator's figures over all units and periods (fhi.diagnostics.STATISTICS_SCHEMA)."""
    return describe_indicators(_flat(result.steps.cubes["data"]), result.steps.codes)


def availabilities(result: IndexResult) -> pl.DataFrame:
    """Shares of cells with a figure: kind (unit, indicator, group), hub, period, code, share; least first."""
    steps = result.steps
    found = availability(steps.cubes["data"], lowest_groups(result.framework))
    units = [
        ("unit", hub, period, None, float(found.units[p, h]))
        for p, period in enumerate(steps.periods)
        for h, hub in enumerate(steps.hubs)
    ]
    indicators = [
        ("indicator", None, period, code, float(found.indicators[p, i]))
        for p, period in enumerate(steps.periods)
        for i, code in enumerate(steps.codes)
    ]
    groups = [
        ("group", hub, period, group, float(shares[p, h]))
        for group, shares in found.groups.items()
        for p, period in enumerate(steps.periods)
        for h, hub in enumerate(steps.hubs)
    ]
    columns = {"kind": pl.String, "hub": pl.String, "period": pl.String, "code": pl.String, "share": pl.Float64}
    frame = pl.DataFrame([*units, *indicators, *groups], schema=columns, orient="row")
    return frame.sort("kind", "share", "code", "hub", "period", nulls_last=True)


def correlations(result: IndexResult) -> pl.DataFrame:
    """All pairs of indicators by all three kinds, with n and p, marked by group; nothing is hidden."""
    x = _flat(result.steps.cubes["normalised"])
    parent = {code: node.parent for code, node in result.framework.node.items() if node.parent}
    return pl.concat([mark_groups(correlation_frame(x, result.steps.codes, kind), parent) for kind in KINDS])


def flags(result: IndexResult) -> pl.DataFrame:
    """Pairs that a reader should look at (fhi.correlations.FLAG_SCHEMA): redundant siblings, opposite signs between
    siblings or with the parent, indicators that go with a denominator."""
    framework = result.framework
    parent = {code: node.parent for code, node in framework.node.items() if node.parent}
    scores = {code: values.reshape(-1) for code, values in result.tree.scores.items()}
    pairs = []
    for group, children in framework.children.items():
        x = np.stack([scores[child] for child in children], axis=1)
        pairs += [correlation_frame(x, children), cross_frame(x, children, scores[group][:, None], [group])]
    if framework.denominators:
        pairs.append(denominator_correlations(result))
    return flag_pairs(pl.concat(pairs), parent, denominators=list(framework.denominator))


def denominator_correlations(result: IndexResult) -> pl.DataFrame:
    """Every indicator's score with every denominator (fhi.correlations.CORRELATION_SCHEMA): does it measure size?"""
    return cross_frame(
        _flat(result.steps.cubes["normalised"]),
        result.steps.codes,
        _flat(result.steps.denominators),
        list(result.framework.denominator),
    )


def reliabilities(result: IndexResult) -> pl.DataFrame:
    """Cronbach's alpha of every group, KMO and Bartlett's test, then each child's alpha without it and correlations.

    group, alpha, kmo, bartlett_p, code, n, alpha_without, rest_correlation, total_correlation, child_kmo.
    """
    parts = []
    for group, children in result.framework.children.items():
        x = np.stack([result.tree.scores[child].reshape(-1) for child in children], axis=1)
        found = reliability(x, children)
        adequacy, each, p = _adequacy(x)
        parts.append(
            found.items.select(
                pl.lit(group).alias("group"),
                pl.lit(None if np.isnan(found.alpha) else found.alpha, dtype=pl.Float64).alias("alpha"),
                pl.lit(adequacy, dtype=pl.Float64).alias("kmo"),
                pl.lit(p, dtype=pl.Float64).alias("bartlett_p"),
                pl.all(),
                pl.Series("child_kmo", each, dtype=pl.Float64).fill_nan(None),
            )
        )
    return pl.concat(parts)


def _adequacy(x: Array) -> tuple[float | None, Array, float | None]:
    """KMO, KMO of each column and the p of Bartlett's test over the complete rows; null where not defined."""
    none = np.full(x.shape[1], np.nan)
    complete = x[~np.isnan(x).any(axis=1)]
    if x.shape[1] < 2 or len(complete) < 3 or (np.ptp(complete, axis=0) == 0).any():
        return None, none, None
    correlation = correlation_matrix(complete)
    test = bartlett(correlation, len(complete))
    each = kmo_each(correlation)
    p = None if test is None else chi_square_p(test.chi_square, test.degrees_of_freedom)
    return kmo(correlation), none if each is None else each, p


def components(result: IndexResult) -> pl.DataFrame:
    """Principal components of every group: group, component, eigenvalue, share, cumulated, code, loading.

    Over the complete rows of the children that have scores; groups that cannot be correlated are left out.
    """
    parts = []
    for group, children in result.framework.children.items():
        x = np.stack([result.tree.scores[child].reshape(-1) for child in children], axis=1)
        used = np.flatnonzero(~np.isnan(x).all(axis=0))
        complete = x[:, used][~np.isnan(x[:, used]).any(axis=1)]
        if len(used) < 2 or len(complete) < 3 or (np.ptp(complete, axis=0) == 0).any():
            continue
        found = components_of(correlation_matrix(complete))
        names = [children[i] for i in used]
        table = component_frame(found).join(loading_frame(found, names), on="component", maintain_order="left")
        parts.append(table.select(pl.lit(group).alias("group"), pl.all()))
    return pl.concat(parts) if parts else pl.DataFrame(schema={"group": pl.String})


def weights_table(result: IndexResult) -> pl.DataFrame:
    """Every node's stated weight beside what it does.

    group, code, weight (stated among its siblings), weight_in_total (product of the weights above it, null where one
    cannot be derived), influence (share of squared correlations with the parent, Paruolo, Saisana and Saltelli 2013),
    r (correlation with the parent), then method, assumed, consistency ratio and its table.
    """
    framework = result.framework
    reach = {framework.root: 1.0}
    parts = []
    for group in framework.top_down:
        children, weights = framework.children[group], stated_weights(result.tree.weights[group])
        reach |= {child: reach[group] * float(w) for child, w in zip(children, weights, strict=True)}
        x = np.stack([result.tree.scores[child].reshape(-1) for child in children], axis=1)
        found = influence(x, result.tree.scores[group].reshape(-1), children, weights)
        parts.append(found.select("code", "r", "influence"))
    stated = result.weights.join(pl.concat(parts), on="code", how="left", maintain_order="left")
    return stated.select(
        "group",
        "code",
        "weight",
        pl.col("code").replace_strict(reach, return_dtype=pl.Float64).fill_nan(None).alias("weight_in_total"),
        "influence",
        "r",
        "method",
        "assumed",
        "consistency_ratio",
        "random_index",
        "kmo",
    )


def imputation_errors(result: IndexResult) -> pl.DataFrame:
    """Cells missing and filled, and the error of a hold-out test, by indicator (fhi.impute.HOLD_OUT_SCHEMA)."""
    return result.steps.imputation


def treatments(result: IndexResult) -> pl.DataFrame:
    """Skewness and kurtosis before and after, and what was done, by indicator (fhi.treat.SUMMARY_SCHEMA)."""
    return result.steps.treatment


DIAGNOSES: Final[Mapping[str, Callable[[IndexResult], pl.DataFrame]]] = {
    "flags": flags,
    "reliability": reliabilities,
    "statistics": statistics,
    "availability": availabilities,
    "correlations": correlations,
    "denominators": denominator_correlations,
    "components": components,
    "imputation": imputation_errors,
    "treatment": treatments,
}


def _flat(cube: Array) -> Array:
    """(periods, units, columns) as (observations, columns)."""
    return cube.reshape(cube.shape[0] * cube.shape[1], cube.shape[2])
