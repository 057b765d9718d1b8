"""How our indices agree with printed rankings, with and without the mere size of a city.

Knows the printed lists that come with the package, any table of ranks that a caller brings, and a panel of figures.
Knows no carbon, no SQL and no HTTP.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from fhi.arrays import Array
from fhi.correlations import correlate
from fhi.framework import Framework
from fhi.index import build_index
from fhi.observations import measures, observations, size_codes
from fhi.published import OVERALL, printed_editions
from green_index.agreement import interval, mean_shift, permutation_test
from green_index.errors import UnknownPrintedTable
from green_index.index import RANKING, green_framework
from green_index.standing import check_period

LIST_SCHEMA: Final = pl.Schema(
    {
        "against": pl.String,
        "index": pl.String,
        "dimension": pl.String,
        "year": pl.Int64,
        "hub": pl.String,
        "standing": pl.Float64,
    }
)
CANDIDATE_SCHEMA: Final = pl.Schema(
    {
        "year": pl.Int64,
        "candidate": pl.String,
        "code": pl.String,
        "size": pl.String,
        "hub": pl.String,
        "score": pl.Float64,
    }
)
VALIDATION_SCHEMA: Final = pl.Schema(
    {
        "against": pl.String,
        "dimension": pl.String,
        "year": pl.Int64,
        "candidate": pl.String,
        "code": pl.String,
        "size": pl.String,
        "listed": pl.Int64,
        "hubs": pl.Int64,
        "spearman": pl.Float64,
        "kendall": pl.Float64,
        "mean_shift": pl.Float64,
        "p_value": pl.Float64,
        "p_method": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
        "level": pl.Float64,
        "reason": pl.String,
    }
)
FEWEST: Final = 5
"""Fewer common hubs tell nothing of agreement. Ours: even a perfect order of four comes by chance in one of 24."""
FEWEST_FOR_INTERVAL: Final = 10
"""Fewer hubs drawn again and again are too few for an interval. Ours."""
TOO_FEW: Final = "too_few_hubs"
NO_FIGURES: Final = "no_figures"
NO_YEAR: Final = "no_year"
ALL_EQUAL: Final = "all_equal"
BASE: Final = "open base"
EXTENDED: Final = "extended index"
WITHOUT_SIZE: Final = "without size measures"
# As printed, the dearest city comes first; the index counts what is dear as a burden.
_WORST_FIRST: Final = frozenset({"ecosystem.business.cost"})


class UnknownList(UnknownPrintedTable):
    """No printed index that comes with the package has this name."""


@dataclass(frozen=True)
class Resampling:
    """draws: shuffles of the permutation test and samples of the bootstrap; level: of the bootstrap interval."""

    draws: int = 2000
    seed: int = 1
    level: float = 0.9


@cache
def printed_lists() -> pl.DataFrame:
    """Every printed order of cities that comes with the package: LIST_SCHEMA, one row a city of ours that it names.

    standing: greater is better: the printed score where all cities of the list have one, else the rank times -1; null
    where the city is named without rank (tiers). Single figures without an order are no lists.
    """
    rows = printed_editions().filter(
        pl.col("hub").is_not_null(), pl.col("rank").is_not_null() | pl.col("rank_text").is_not_null()
    )
    key = ["index", "edition", "dimension"]
    sign = pl.when(pl.col("dimension").is_in(list(_WORST_FIRST))).then(1.0).otherwise(-1.0)
    by_score = pl.col("score").is_not_null().all().over(key)
    return (
        rows.with_columns(
            against=pl.format("{} {} as printed", "index", "edition"),
            year=pl.col("edition").cast(pl.Int64),
            standing=pl.when(by_score).then("score").otherwise(pl.col("rank") * sign),
        )
        .sort(*key[:2], pl.col("dimension") != OVERALL, "dimension", "hub", maintain_order=True)
        .select(LIST_SCHEMA.names())
        .cast(LIST_SCHEMA)
    )


def own_lists(rows: pl.DataFrame, year: int) -> pl.DataFrame:
    """A user's printed ranks as lists: LIST_SCHEMA, to be set beside our figures of `year`.

    rows: fhi.published.EDITION_SCHEMA, of `fhi.published.read_printed_ranks`; rows without hub or rank are left out.
    """
    return (
        rows.filter(pl.col("hub").is_not_null(), pl.col("rank").is_not_null())
        .with_columns(
            against=pl.format("{} {}", "index", "edition"),
            year=pl.lit(year, pl.Int64),
            standing=-pl.col("rank").cast(pl.Float64),
        )
        .sort("against", pl.col("dimension") != OVERALL, "dimension", "hub", maintain_order=True)
        .select(LIST_SCHEMA.names())
    )


def choose_lists(lists: pl.DataFrame, wanted: str) -> pl.DataFrame:
    """The lists of one index ("FHI") or one edition ("FHI 2017"). Raises UnknownList with the names that exist."""
    edition = pl.col("against").str.strip_suffix(" as printed")
    chosen = lists.filter((pl.col("index") == wanted) | (edition == wanted) | (pl.col("against") == wanted))
    if chosen.is_empty():
        known = lists.select(edition.unique(maintain_order=True))["against"]
        raise UnknownList(f"no printed list {wanted!r}; known: {', '.join(known)}")
    return chosen


def candidates(panel: pl.DataFrame, years: Collection[int]) -> pl.DataFrame:
    """What can be held against a printed list: CANDIDATE_SCHEMA, year by year, in the order to be shown.

    The open base, the extended index, every level-1 group and every other node, each also without the measures that
    are mere size where it rests on any; then every open measure alone. `code` is null for measures; `size`: `with` or
    `without`, null where no size measure is in it (of a measure: `with` where it is itself one).
    panel: fhi.panel.PANEL_SCHEMA rows of the extended index on the open base, of all years, for weights rest on all.
    Raises UnknownPeriod for a year without open figures.
    """
    for year in years:
        check_period(observations(), str(year))
    tree, size = green_framework("open"), size_codes()
    wanted = pl.col("period").is_in([str(year) for year in years])
    whole = build_index(panel, tree, RANKING).scores.filter(wanted)
    smaller = build_index(panel.filter(~pl.col("code").is_in(list(size))), tree, RANKING).scores.filter(wanted)
    parts = []
    for code in _order(tree):
        has_size = any(_is_below(other, code, tree) for other in size)
        name = {"fintech": BASE, tree.root: EXTENDED}.get(code, code)
        parts.append(_candidate(whole, code, name, "with" if has_size else None))
        if has_size and code not in size:
            parts.append(_candidate(smaller, code, f"{name} {WITHOUT_SIZE}", "without"))
    figures = observations().filter(wanted).select("hub", "period", *measures()["measure"])
    for name, is_size in measures().select("measure", "size").iter_rows():
        one = figures.select("hub", "period", score=name, code=pl.lit(None, pl.String))
        parts.append(_labelled(one, f"{name} alone", "with" if is_size else None))
    return pl.concat(parts)


def validate(lists: pl.DataFrame, panel: pl.DataFrame, resampling: Resampling | None = None) -> pl.DataFrame:
    """Agreement of our indices with printed lists: VALIDATION_SCHEMA, list by list.

    lists: LIST_SCHEMA; panel: as for `candidates`. Against a total: all indices and level-1 groups, then every open
    measure alone, strongest first. Against a part: the indices, the level-1 group that it belongs to and the node
    itself. Over the `hubs` of the list (`listed` with a rank) that both have: Spearman (1904; ties at mean ranks),
    Kendall's tau-b, the mean absolute difference of the ranks among them, the two-sided p of a permutation test of
    Spearman's coefficient, and its percentile bootstrap interval (Efron 1979) from FEWEST_FOR_INTERVAL hubs on. Null,
    with the reason, for fewer common hubs than FEWEST and where all are equal; one row without candidate for a list
    that is too short or of a year without open figures.
    """
    terms = resampling or Resampling()
    known = {int(period) for period in observations()["period"].unique()}
    ours = candidates(panel, sorted(known & set(lists["year"])))
    tables = []
    for (against, dimension, year), one in lists.group_by("against", "dimension", "year", maintain_order=True):
        listed = one.height - one["standing"].null_count()
        head = {"against": against, "dimension": dimension, "year": year, "listed": listed}
        if year not in known or listed < FEWEST:
            reason = TOO_FEW if year in known else NO_YEAR
            tables.append(pl.DataFrame([{**head, "hubs": listed, "reason": reason}], VALIDATION_SCHEMA))
            continue
        here = ours.filter(pl.col("year") == year)
        rows = [{**head, **row} for row in _rows(one, _fitting(here, str(dimension)), terms)]
        table = pl.DataFrame(rows, VALIDATION_SCHEMA)
        alone = pl.col("code").is_null()
        by_strength = table.filter(alone).sort("spearman", descending=True, nulls_last=True)
        tables.append(pl.concat([table.filter(~alone), by_strength]))
    return pl.concat(tables) if tables else pl.DataFrame(schema=VALIDATION_SCHEMA)


def _rows(one: pl.DataFrame, ours: pl.DataFrame, terms: Resampling) -> Iterator[dict[str, object]]:
    """One row a candidate against one list."""
    ranked = one.drop_nulls("standing").select("hub", "standing")
    for (candidate, code, size), part in ours.group_by("candidate", "code", "size", maintain_order=True):
        pair = part.drop_nulls("score").join(ranked, on="hub").sort("hub").select("score", "standing").to_numpy()
        head = {"candidate": candidate, "code": code, "size": size, "hubs": len(pair)}
        if len(pair) < FEWEST:
            yield {**head, "reason": TOO_FEW if len(pair) else NO_FIGURES}
        elif (pair.min(axis=0) == pair.max(axis=0)).any():
            yield {**head, "reason": ALL_EQUAL}
        else:
            yield {**head, **_agreement(pair, terms)}


def _agreement(pair: Array, terms: Resampling) -> dict[str, object]:
    test = permutation_test(pair[:, 0], pair[:, 1], terms.draws, terms.seed)
    found: dict[str, object] = {
        "spearman": float(correlate(pair, kind="spearman").r[0, 1]),
        "kendall": float(correlate(pair, kind="kendall").r[0, 1]),
        "mean_shift": mean_shift(pair[:, 0], pair[:, 1]),
        "p_value": test.p_value,
        "p_method": "exact" if test.exact else "drawn",
    }
    if len(pair) >= FEWEST_FOR_INTERVAL:
        low, high = interval(pair[:, 0], pair[:, 1], terms.draws, terms.seed, terms.level)
        found |= {"low": low, "high": high, "level": terms.level}
    return found


def _fitting(ours: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """The candidates that say anything of this list."""
    tree = green_framework("open")
    totals = [tree.root, "fintech"]
    groups = [*tree.children[tree.root], *tree.children["fintech"]]
    own = dimension.split(".")[0]
    if own in groups:
        return ours.filter(pl.col("code").is_in([*totals, own, dimension]))
    return ours.filter(pl.col("code").is_null() | pl.col("code").is_in([*totals, *groups]))


def _candidate(scores: pl.DataFrame, code: str, name: str, size: str | None) -> pl.DataFrame:
    return _labelled(scores.filter(pl.col("code") == code), name, size)


def _labelled(figures: pl.DataFrame, name: str, size: str | None) -> pl.DataFrame:
    return figures.select(
        year=pl.col("period").cast(pl.Int64),
        candidate=pl.lit(name),
        code="code",
        size=pl.lit(size, pl.String),
        hub="hub",
        score="score",
    )


def _order(tree: Framework) -> list[str]:
    """The base, the whole, its level-1 groups and those of the base, then every other node, in file order."""
    first = ["fintech", tree.root, *tree.children["fintech"], *(code for code in tree.children[tree.root])]
    ordered = dict.fromkeys([*first, *tree.node])
    return list(ordered)


def _is_below(code: str, group: str, tree: Framework) -> bool:
    """Is the node the group itself or anywhere below it?"""
    above: str | None = code
    while above is not None and above != group:
        above = tree.node[above].parent
    return above == group
