"""The extended index: a base tree and the carbon and policy groups read as one, over one panel.

Knows which base editions exist, how they join the added groups, and how trees of a user's own extend them. Knows no
carbon table, no SQL and no HTTP.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final, Literal, get_args

import polars as pl

from fhi.errors import Problem
from fhi.framework import Framework, extend_framework
from fhi.index import IndexResult, build_index
from fhi.notes import Note
from fhi.observations import observations, open_panel
from fhi.panel import PANEL_SCHEMA
from fhi.published import printed_panel
from fhi.recipe import NormaliseStep, Recipe, WeighStep
from green_index.errors import UnknownBase
from green_index.policy_rows import policy_panel

Base = Literal["open", "published"]
BASES: Final[tuple[Base, ...]] = get_args(Base)

MIN_HUBS: Final = 5
"""Fewer hubs are no field to be scored in. Ours; it keeps a market whose daily file was loaded from being judged
against one other only."""

# The FHI method: judgements above, principal components below.
_WEIGHTS: Final = WeighStep(otherwise="pca_nicoletti")
RANKING: Final = Recipe(normalise=NormaliseStep(min_hubs=MIN_HUBS), weights=_WEIGHTS)
TRACKING: Final = Recipe(normalise=NormaliseStep(bounds="pooled", min_hubs=MIN_HUBS), weights=_WEIGHTS)

_BASE_TREES: Final[Mapping[str, tuple[str, ...]]] = {
    "open": ("fhi.toml", "fhi_judgements.toml"),
    "published": ("fhi_published.toml",),
}
_ADDED: Final = ("green.toml", "green_judgements.toml")
READY_JUDGEMENTS: Final[Mapping[str, str]] = {"green-policy": "green_policy_judgements.toml"}
"""Judgements that come with the package and take the place of others where they are asked for by name."""


@dataclass(frozen=True)
class GreenResult:
    """One run of the extended index over one base, with what a reader must know of its figures."""

    base: Base
    index: IndexResult
    notes: tuple[Note, ...]


def as_base(name: str) -> Base:
    """The base edition of this name. Raises UnknownBase with the names that exist."""
    for base in BASES:
        if name == base:
            return base
    raise UnknownBase(f"unknown base {name!r}; known: {', '.join(BASES)}")


@cache
def base_framework(base: Base) -> Framework:
    """The base tree alone: the open FHI tree, or the printed total."""
    return _load(_BASE_TREES[base], ())[0]


@cache
def green_framework(base: Base) -> Framework:
    """The base tree and the added groups, read as one tree."""
    return _load((*_BASE_TREES[base], *_ADDED), ())[0]


def extended_framework(
    base: Base, own: Sequence[Path], *, green: bool = True, ready: Sequence[str] = ()
) -> tuple[Framework, tuple[Problem, ...]]:
    """The tree of a base, with the added groups unless `green` is false, and a user's own files read as one tree; with
    one remark for each judgement of ours that a file of theirs takes the place of.

    ready: names of READY_JUDGEMENTS, which take the place of ours as a user's do. Raises what
    `fhi.framework.extend_framework` raises.
    """
    names = (*_BASE_TREES[base], *_ADDED) if green else _BASE_TREES[base]
    return _load(names, own, tuple(READY_JUDGEMENTS[name] for name in ready))


def _load(
    names: Sequence[str], own: Sequence[Path], ready: Sequence[str] = ()
) -> tuple[Framework, tuple[Problem, ...]]:
    with ExitStack() as opened:
        folders = [opened.enter_context(as_file(files(name).joinpath("frameworks"))) for name in ("fhi", "green_index")]
        ours, extra = (
            [folder / name for name in some for folder in folders if (folder / name).is_file()]
            for some in (names, ready)
        )
        return extend_framework(ours, [*extra, *own])


def city_years() -> pl.DataFrame:
    """The hubs and years that the index covers: hub, period, gdp_100m_cny (10^8 CNY), population_10k (10^4 persons)."""
    return observations().select("hub", "period", "gdp_100m_cny", "population_10k")


def base_panel(base: Base) -> pl.DataFrame:
    """Panel rows (fhi.panel.PANEL_SCHEMA) of the base edition, over the years of `city_years`."""
    return _BASE_PANELS[base]()


def _printed() -> pl.DataFrame:
    return printed_panel(city_years()["period"].unique().sort().to_list())


_BASE_PANELS: Final[Mapping[Base, Callable[[], pl.DataFrame]]] = {"open": open_panel, "published": _printed}


def green_panel(base: Base, carbon: pl.DataFrame, policy: pl.DataFrame | None = None) -> pl.DataFrame:
    """Base, carbon and policy rows as one panel, for the periods that the base can speak of.

    carbon: rows of `green_index.bridge.carbon_panel`; policy: rows of `green_index.policy_rows.policy_panel`, those of
    the embedded evidence without it.
    """
    rows = base_panel(base)
    periods = rows["period"].unique().sort().to_list()
    added = policy_panel(periods) if policy is None else policy
    within = pl.col("period").is_in(periods)
    parts = (table.filter(within).select(PANEL_SCHEMA.names()) for table in (carbon, added))
    return pl.concat([rows, *parts])


def build_green_index(
    base: Base, carbon: pl.DataFrame, recipe: Recipe = RANKING, notes: tuple[Note, ...] = ()
) -> GreenResult:
    """The extended index of every hub and year on the chosen base.

    carbon: rows of `green_index.bridge.carbon_panel`; notes: what is to be said about them. Raises the errors of
    `fhi.index.build_index`.
    """
    index = build_index(green_panel(base, carbon), green_framework(base), recipe)
    return GreenResult(base=base, index=index, notes=(*notes, *index.notes))
