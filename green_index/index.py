"""The extended index: a base tree and the carbon groups read as one, over one panel.

Knows which base editions exist and how they join the added groups. Knows no carbon table, no SQL and no HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import Final, Literal, get_args

import polars as pl

from fhi.framework import Framework, load_framework
from fhi.index import IndexResult, build_index
from fhi.notes import Note
from fhi.observations import observations, open_panel
from fhi.panel import PANEL_SCHEMA
from fhi.published import printed_panel
from fhi.recipe import NormaliseStep, Recipe, WeighStep
from green_index.errors import UnknownBase

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
    return _load((), _BASE_TREES[base])


@cache
def green_framework(base: Base) -> Framework:
    """The base tree and the added groups, read as one tree."""
    return _load(_ADDED, _BASE_TREES[base])


def _load(added: tuple[str, ...], base: tuple[str, ...]) -> Framework:
    with (
        as_file(files("fhi").joinpath("frameworks")) as fhi_folder,
        as_file(files("green_index").joinpath("frameworks")) as green_folder,
    ):
        return load_framework(*(fhi_folder / name for name in base), *(green_folder / name for name in added))


def city_years() -> pl.DataFrame:
    """The hubs and years that the index covers: hub, period, gdp_100m_cny (10^8 CNY), population_10k (10^4 persons)."""
    return observations().select("hub", "period", "gdp_100m_cny", "population_10k")


def base_panel(base: Base) -> pl.DataFrame:
    """Panel rows (fhi.panel.PANEL_SCHEMA) of the base edition, over the years of `city_years`."""
    return _BASE_PANELS[base]()


def _printed() -> pl.DataFrame:
    return printed_panel(city_years()["period"].unique().sort().to_list())


_BASE_PANELS: Final[Mapping[Base, Callable[[], pl.DataFrame]]] = {"open": open_panel, "published": _printed}


def green_panel(base: Base, carbon: pl.DataFrame) -> pl.DataFrame:
    """Base and carbon rows as one panel, for the periods that the base can speak of.

    carbon: rows of `green_index.bridge.carbon_panel`.
    """
    rows = base_panel(base)
    within = pl.col("period").is_in(rows["period"].unique().to_list())
    return pl.concat([rows, carbon.filter(within).select(PANEL_SCHEMA.names())])


def build_green_index(
    base: Base, carbon: pl.DataFrame, recipe: Recipe = RANKING, notes: tuple[Note, ...] = ()
) -> GreenResult:
    """The extended index of every hub and year on the chosen base.

    carbon: rows of `green_index.bridge.carbon_panel`; notes: what is to be said about them. Raises the errors of
    `fhi.index.build_index`.
    """
    index = build_index(green_panel(base, carbon), green_framework(base), recipe)
    return GreenResult(base=base, index=index, notes=(*notes, *index.notes))
