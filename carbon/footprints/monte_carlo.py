"""How uncertain a sum of emissions is, by trial: Monte Carlo with one draw a factor and one an activity in each trial.

Knows how lines become products of factors and activities, how draws are shared out, and percentiles. Must not know
files, storage or how a line was calculated. Used for lopsided or wide ranges, where error propagation
(`carbon.footprints.uncertainty`) is only an approximation: 2006 IPCC Guidelines for National Greenhouse Gas
Inventories, volume 1, chapter 3, approach 2.

A factor has one multiplier in a trial, however many lines use it: those lines go up and down together. Lines are first
added up to one coefficient for each activity and set of factors, so that no table of lines x trials is ever made.
The draws depend on the seed and on the sources in the order of their names: blocks of a fixed number of trials and of
sources each have a generator of their own, so that any number of threads gives the same bytes.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError
from carbon.footprints.quality import check_grouping, countable, with_year
from carbon.footprints.uncertainty import line_sources

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

__all__ = ["TRIALS", "TooManyTrials", "simulate"]

TRIALS: Final = 10_000
"""Trials without a wish: the standard error of the 97.5th percentile is then 2.7 % of the standard deviation."""

_MOST_VALUES: Final = 50_000_000
"""Groups times trials held at once: 400 MB."""

_TRIALS_A_BLOCK: Final = 500
_SOURCES_A_BLOCK: Final = 512
_FACTOR_STREAM, _ACTIVITY_STREAM = 0, 1
_ALL = "_all"


class TooManyTrials(CarbonError):
    """Groups times trials do not fit into memory, or there are no trials."""


@dataclass(frozen=True, eq=False)
class _Sources:
    """Uncertain things of one kind, by name: shapes and half-widths, one entry each."""

    kinds: "NDArray[np.int8]"
    lows: "NDArray[np.float64]"
    highs: "NDArray[np.float64]"
    stream: int


@dataclass(frozen=True, eq=False)
class _Model:
    """A sum of products. For each group and set of factors: what does not depend on activities, and what does.

    fixed : one coefficient a product, kg; by_activity : products x activities, kg; sets : factors of each product;
    groups : the group of each product; group_count : how many there are
    """

    fixed: "NDArray[np.float64]"
    by_activity: "csc_matrix"
    sets: list[tuple[int, ...]]
    groups: "NDArray[np.int64]"
    group_count: int


def simulate(
    lines: "pl.DataFrame",
    factors: "pl.DataFrame",
    activities: "pl.DataFrame",
    *,
    seed: int,
    trials: int = TRIALS,
    by: Sequence[str] = (),
    method: str = "location",
    threads: int = 1,
) -> "pl.DataFrame":
    """Emissions of each group with mean, deviation and percentiles over the trials.

    lines, factors, activities : as in `carbon.footprints.uncertainty.line_sources`; seed : 0 or more, the same seed
    gives the same bytes; by : columns of the lines, or year, the sum of all without; method : location or market
    Result: the columns of `by`; trials Int64; co2e_kg, without any draw; mean_kg, sd_kg; p2_5_kg, p50_kg, p97_5_kg;
    mean_error_kg, the standard error of the mean; assumed_sources UInt32, how many sources of the whole were taken as
    normal because their shape is not known. A line without a range stays as it is: `propagate` tells the share covered.
    Raises UnknownGrouping, TooManyTrials.
    """
    import numpy as np
    import polars as pl

    chosen = with_year(countable(lines, method)).filter(pl.col("co2e_kg").is_not_null())
    group = check_grouping(chosen, by) or [_ALL]
    chosen = chosen.with_columns(pl.lit(0).alias(_ALL))
    keys = chosen.select(group).unique().sort(group)
    if trials < 1 or keys.height * trials > _MOST_VALUES:
        raise TooManyTrials(
            f"found {trials} trials of {keys.height} groups, expected at least 1 and at most {_MOST_VALUES} in all"
        )
    if keys.is_empty():
        trials_of: NDArray[np.float64] = np.empty((0, trials))
        totals: NDArray[np.float64] = np.empty(0)
        assumed = 0
    else:
        model, of_factors, of_activities, assumed = _build(chosen, keys, line_sources(chosen, factors, activities))
        trials_of = _run(model, of_factors, of_activities, seed, trials, threads)
        # Without draws every multiplier is 1.
        products = model.fixed + np.asarray(model.by_activity.sum(axis=1)).ravel()
        totals = np.bincount(model.groups, products, model.group_count).astype(np.float64)
    lower, middle, upper = np.percentile(trials_of, [2.5, 50, 97.5], axis=1)
    deviation = trials_of.std(axis=1, ddof=1) if trials > 1 else np.full(keys.height, np.nan)
    figures = {
        "co2e_kg": totals,
        "mean_kg": trials_of.mean(axis=1),
        "sd_kg": deviation,
        "p2_5_kg": lower,
        "p50_kg": middle,
        "p97_5_kg": upper,
        "mean_error_kg": deviation / np.sqrt(trials),
    }
    return keys.drop(_ALL, strict=False).hstack(
        pl.DataFrame(figures, nan_to_null=True).select(
            pl.lit(trials, dtype=pl.Int64).alias("trials"),
            *figures,
            pl.lit(assumed, dtype=pl.UInt32).alias("assumed_sources"),
        )
    )


def _build(
    lines: "pl.DataFrame", keys: "pl.DataFrame", sources: "pl.DataFrame"
) -> "tuple[_Model, _Sources, _Sources, int]":
    """The sum of products, and the sources in the order of their names. Lines are added in a fixed order."""
    import numpy as np
    import polars as pl
    from scipy.sparse import csc_matrix

    of_factors, factor_frame, assumed = _named(sources.filter(pl.col("kind") == "factor"), _FACTOR_STREAM)
    # The range of a line stands in the place of its activity's.
    of_activities, activity_frame, also = _named(sources.filter(pl.col("kind") != "factor"), _ACTIVITY_STREAM)
    sets = (
        sources.filter(pl.col("kind") == "factor")
        .join(factor_frame, on=["kind", "source"], how="left", maintain_order="left")
        .group_by("line")
        .agg(members=pl.col("number").sort())
    )
    single = sources.filter(pl.col("kind") != "factor").join(
        activity_frame, on=["kind", "source", "relative_low", "relative_high"], how="left", maintain_order="left"
    )
    group = keys.columns
    told = (
        lines.with_row_index("line")
        .select("line", "co2e_kg", *group)
        .join(keys.with_row_index("row"), on=group, how="left", nulls_equal=True)
        .join(sets, on="line", how="left")
        .join(single.select("line", mover="number"), on="line", how="left")
        .with_columns(members=pl.col("members").fill_null([]))
    )
    products = told.select("row", "members").unique().sort("row", "members").with_row_index("product")
    # Sorted, so that the sums do not depend on the order of the lines.
    terms = told.join(products, on=["row", "members"], how="left").sort("product", "mover", "co2e_kg")
    is_fixed = terms["mover"].is_null()
    fixed, moving = terms.filter(is_fixed), terms.filter(~is_fixed)
    moved = (moving["product"].to_numpy().astype(np.int64), moving["mover"].to_numpy().astype(np.int64))
    shape = (products.height, len(of_activities.kinds))
    model = _Model(
        fixed=np.bincount(fixed["product"].to_numpy(), fixed["co2e_kg"].to_numpy(), products.height).astype(np.float64),
        by_activity=csc_matrix((moving["co2e_kg"].to_numpy(), moved), shape=shape),
        sets=[tuple(members) for members in products["members"].to_list()],
        groups=products["row"].to_numpy().astype(np.int64),
        group_count=keys.height,
    )
    return model, of_factors, of_activities, assumed + also


def _named(sources: "pl.DataFrame", stream: int) -> "tuple[_Sources, pl.DataFrame, int]":
    """Sources once each, by name, with their number; how many shapes were assumed."""
    from carbon.footprints.distributions import shape_kinds

    columns = ["kind", "source", "relative_low", "relative_high"]
    found = sources.unique(columns, keep="first", maintain_order=True).sort(columns).with_row_index("number")
    lows = found["relative_low"].to_numpy()
    kinds, assumed = shape_kinds(found["distribution"].to_list(), lows)
    named = _Sources(kinds, lows, found["relative_high"].to_numpy(), stream)
    return named, found.select("number", *columns), int(assumed.sum())


def _run(
    model: _Model, of_factors: _Sources, of_activities: _Sources, seed: int, trials: int, threads: int
) -> "NDArray[np.float64]":
    """Groups x trials, kg."""
    import numpy as np

    starts = range(0, trials, _TRIALS_A_BLOCK)

    def one(start: int) -> "NDArray[np.float64]":
        block = start // _TRIALS_A_BLOCK
        return _one_block(model, of_factors, of_activities, seed, block)[:, : trials - start]

    if threads <= 1:
        return np.hstack([one(start) for start in starts])
    with ThreadPoolExecutor(threads) as pool:
        return np.hstack(list(pool.map(one, starts)))


def _one_block(
    model: _Model, of_factors: _Sources, of_activities: _Sources, seed: int, block: int
) -> "NDArray[np.float64]":
    """Groups x trials of one block of trials. Always drawn in full, so that more trials begin with the same ones."""
    import numpy as np

    values = np.repeat(model.fixed[:, None], _TRIALS_A_BLOCK, axis=1)
    count = len(of_activities.kinds)
    for start in range(0, count, _SOURCES_A_BLOCK):
        stop = min(start + _SOURCES_A_BLOCK, count)
        values += model.by_activity[:, start:stop] @ _draw(of_activities, seed, block, start, stop)
    drawn = [
        _draw(of_factors, seed, block, start, min(start + _SOURCES_A_BLOCK, len(of_factors.kinds)))
        for start in range(0, len(of_factors.kinds), _SOURCES_A_BLOCK)
    ]
    moved = np.vstack(drawn) if drawn else np.empty((0, _TRIALS_A_BLOCK))
    for product, members in enumerate(model.sets):
        for factor in members:
            values[product] *= moved[factor]
    total = np.zeros((model.group_count, _TRIALS_A_BLOCK))
    np.add.at(total, model.groups, values)
    return total


def _draw(sources: _Sources, seed: int, block: int, start: int, stop: int) -> "NDArray[np.float64]":
    """Multipliers of the sources start..stop in a block of trials, from a generator of this place alone."""
    import numpy as np

    from carbon.footprints.distributions import multipliers

    place = np.random.SeedSequence(seed, spawn_key=(sources.stream, block, start // _SOURCES_A_BLOCK))
    draws = np.random.Generator(np.random.PCG64(place)).random((stop - start, _TRIALS_A_BLOCK))
    return multipliers(draws, sources.kinds[start:stop], sources.lows[start:stop], sources.highs[start:stop])
