"""The verbs about what would move a city: what-if, least effort, break-even weights, best and worst rank.

Knows which figures and which framework are asked, and the names in the rows. Computes nothing: the rules live in
`green_index.moves`. Knows no HTTP and no screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from api.lang import LANGUAGES, texts
from api.store import Store, current_edition, current_panel
from fhi.errors import Problem
from fhi.framework import Framework
from fhi.hubs import find_hub, hubs
from fhi.index import build_index
from fhi.observations import units
from green_index.index import RANKING, Base, base_framework, base_panel, green_framework
from green_index.moves.bands import BAND_SCHEMA, bands_beside
from green_index.moves.break_even import break_even as weigh_even
from green_index.moves.changes import Change, read_change
from green_index.moves.efforts import Effort, fix_indicators, read_efforts
from green_index.moves.errors import ImpossibleChange
from green_index.moves.goals import Goal
from green_index.moves.rank_range import rank_range as range_of_ranks
from green_index.moves.regions import read_bounds, read_region
from green_index.moves.scenario import what_if as suppose
from green_index.moves.straight import straight_line
from green_index.moves.targets import find_target
from green_index.standing import check_period

_NAMES: Final = ("hub", "name_zh", "name_en")
MOST_CHANGES: Final = 100
LEAD: Final = 0.01
"""Points by which a hub is passed unless another lead is asked for."""


@dataclass(frozen=True)
class WhatIfRows:
    """ranks: `green_index.moves.scenario.WHAT_IF_SCHEMA` of the total for every city and of every group for the cities
    that change, with bands of the total; figures: what changed; shifts: bounds and weights that moved besides."""

    ranks: pl.DataFrame
    figures: pl.DataFrame
    shifts: pl.DataFrame


@dataclass(frozen=True)
class TargetRows:
    """answer: `green_index.moves.targets.ANSWER_SCHEMA`, one row; moves: MOVE_SCHEMA, one row an indicator."""

    answer: pl.DataFrame
    moves: pl.DataFrame


@dataclass(frozen=True)
class BreakEvenRows:
    """nearest, intervals, pairs: the tables of `green_index.moves.break_even.BreakEven`."""

    nearest: pl.DataFrame
    intervals: pl.DataFrame
    pairs: pl.DataFrame


@dataclass(frozen=True)
class RankRangeRows:
    """ranges, weights: the tables of `green_index.moves.rank_range.RankRange`."""

    ranges: pl.DataFrame
    weights: pl.DataFrame


def changes_of(name: str, asked: Sequence[str], like: str | None, framework: Framework) -> list[Change]:
    """The changes asked for: `CODE=VALUE`, or `CITY/CODE=VALUE` of another city; a code alone, or nothing at all,
    takes the figures of the city `like`.

    Raises UnknownHub, and ImpossibleChange with every text that is no change.
    """
    hub = find_hub(name)
    other = None if like is None else find_hub(like)
    if other is not None and not asked:
        return [Change(hub, framework.root, "as", other=other)]
    found: list[Change] = []
    problems: list[Problem] = []
    for text in asked:
        city, slash, rest = text.partition("/")
        own, told = (find_hub(city.strip()), rest) if slash else (hub, text)
        if other is not None and "=" not in told and ":" not in told:
            found.append(Change(own, told.strip(), "as", other=other))
            continue
        change = read_change(own, told)
        if isinstance(change, Problem):
            problems.append(change)
        elif change.other is not None:
            found.append(Change(change.hub, change.code, change.how, other=find_hub(change.other)))
        else:
            found.append(change)
    if len(asked) > MOST_CHANGES:
        problems.append(Problem("what-if", f"{len(asked)} changes", f"at most {MOST_CHANGES}", "too_many"))
    if problems:
        raise ImpossibleChange(problems)
    return found


def what_if(
    store: Store,
    name: str,
    asked: Sequence[str],
    year: int,
    base: Base,
    like: str | None = None,
    draws: int = 0,
    seed: int = 0,
) -> WhatIfRows:
    """Score and rank of every city before and after other figures, by the ranking recipe.

    asked, like: see `changes_of`; draws: of a robustness run before and after, none for 0. Raises UnknownHub,
    UnknownPeriod, ImpossibleChange.
    """
    tree, panel, period = green_framework(base), current_panel(store, base), str(year)
    found = suppose(panel, tree, RANKING, period, changes_of(name, asked, like, tree))
    changed = found.cells["hub"].unique().to_list()
    ranks = found.hubs.filter((pl.col("code") == tree.root) | pl.col("hub").is_in(changed))
    bands = pl.DataFrame(schema=BAND_SCHEMA)
    if draws:
        bands = bands_beside(panel, found.panel, tree, RANKING, period, draws, seed)
    bands = bands.with_columns(code=pl.lit(tree.root))
    ranks = ranks.join(bands, on=["hub", "code"], how="left", maintain_order="left")
    return WhatIfRows(
        ranks=_told(ranks, tree, "group", store, base),
        figures=_told(found.cells, tree, "indicator", store, base),
        shifts=_told(found.shifts.with_columns(period=pl.lit(period)), tree, "indicator", store, base),
    )


def target(
    store: Store,
    name: str,
    year: int,
    base: Base,
    goal: Goal,
    costs: Path | None = None,
    fixed: Sequence[str] = (),
    *,
    base_alone: bool = False,
) -> TargetRows:
    """The least effort that brings a city to a rank or a score, by the ranking recipe.

    costs: file of efforts, see `green_index.moves.efforts.read_efforts`; 1 a point without. fixed: indicators and
    groups that stay. base_alone: in the base index, without the added groups; no edition holds that one. Raises
    UnknownHub, UnknownPeriod, UnusableEffort.
    """
    hub = find_hub(name)
    tree = base_framework(base) if base_alone else green_framework(base)
    panel = base_panel(base) if base_alone else current_panel(store, base)
    efforts: dict[str, Effort] = {} if costs is None else read_efforts(costs, tree)
    stays = fix_indicators(efforts, tree, fixed)
    found = find_target(panel, tree, RANKING, str(year), hub, goal, efforts, stays)
    passed = hubs().select(hub_to_pass="hub", pass_zh="name_zh", pass_en="name_en")
    answer = found.answer.join(passed, on="hub_to_pass", how="left", maintain_order="left")
    needed = found.moves.with_columns(reachable=pl.lit(found.answer["reachable"][0]))
    told = [_told(rows, tree, node, store, base) for rows, node in ((answer, None), (needed, "indicator"))]
    if base_alone:
        told = [rows.with_columns(edition=pl.lit(None, dtype=pl.String)) for rows in told]
    return TargetRows(answer=told[0], moves=told[1])


def break_even(store: Store, name: str, year: int, base: Base, level: str | None = None) -> BreakEvenRows:
    """The weights at which a city's rank changes, of the children of a group (the root without one) or of all
    indicators that every ranked city has. Raises UnknownHub, UnknownPeriod, NotStraight, UnusableRegion.
    """
    hub, tree, panel = find_hub(name), green_framework(base), current_panel(store, base)
    check_period(panel, str(year))
    line = straight_line(build_index(panel, tree, RANKING), str(year), level)
    found = weigh_even(line, hub)
    others = hubs().select(other="hub", other_zh="name_zh", other_en="name_en")
    pairs = found.pairs.join(others, on="other", how="left", maintain_order="left")
    left_out = pl.lit("; ".join(line.left_out) or None, dtype=pl.String).alias("left_out")
    return BreakEvenRows(
        nearest=_told(found.nearest.with_columns(left_out), tree, "group", store, base),
        intervals=_told(found.intervals, tree, "group", store, base),
        pairs=_told(pairs, tree, "group", store, base),
    )


def rank_range(
    store: Store,
    name: str | None,
    year: int,
    base: Base,
    region: str = "free",
    level: str | None = None,
    bounds: Sequence[str] = (),
    on_hub: Callable[[], None] | None = None,
) -> RankRangeRows:
    """Best and worst rank of a city, or of every one, for any weights in a region: `free`, or `20%` for weights within
    20 per cent of each stated one; of the codes of `level` as for `break_even`. bounds: further ones, see
    `green_index.moves.regions.read_bounds`. on_hub: called after each city.

    Raises UnknownHub, UnknownPeriod, NotStraight, UnusableRegion.
    """
    tree, panel = green_framework(base), current_panel(store, base)
    wanted = None if name is None else [find_hub(name)]
    check_period(panel, str(year))
    line = straight_line(build_index(panel, tree, RANKING), str(year), level)
    space = read_region(region, line.codes, line.weights, *read_bounds(bounds))
    found = range_of_ranks(line, space, wanted, on_hub)
    left_out = pl.lit("; ".join(line.left_out) or None, dtype=pl.String).alias("left_out")
    ranges = found.ranges.with_columns(left_out).sort("rank", "hub")
    return RankRangeRows(
        ranges=_told(ranges, tree, None, store, base), weights=_told(found.witnesses, tree, "group", store, base)
    )


def _told(rows: pl.DataFrame, tree: Framework, node: str | None, store: Store, base: Base) -> pl.DataFrame:
    """Rows with the names of cities and nodes in both languages, the year, the base and the edition.

    node: what the column `code` is called in the names beside it, such as `group`; None where there is no such column.
    """
    edition = current_edition(store, base, RANKING).id
    told = rows.with_columns(
        pl.col("period").cast(pl.Int64).alias("year"), pl.lit(base).alias("base"), pl.lit(edition).alias("edition")
    ).drop("period")
    front = ["year", "base", "edition"]
    if "hub" in told.columns:
        told = told.join(hubs().select(_NAMES), on="hub", how="left", maintain_order="left")
        front = [*_NAMES, *front]
    if node is not None:
        for lang in LANGUAGES:
            names = {code: each.name_zh if lang == "zh" else each.name_en for code, each in tree.node.items()}
            named = pl.col("code").replace_strict(names, return_dtype=pl.String)
            told = told.with_columns(named.alias(f"{node}_{lang}"))
        front = [*front, "code", f"{node}_zh", f"{node}_en"]
    if "unit" in told.columns:
        told = told.with_columns(unit_zh=pl.col("unit").replace_strict(units(tree), default=pl.col("unit")))
        front = [*front, "unit", "unit_zh"]
    if "kind" in told.columns:
        told = told.with_columns(
            pl.when(pl.col("kind").is_not_null())
            .then(pl.lit(texts("analyses", lang)["kind_sensitivity"]))
            .alias(f"kind_{lang}")
            for lang in LANGUAGES
        )
    return told.select(*front, pl.exclude(front))
