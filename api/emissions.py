"""The verbs about what a city emits: its years, its trends, its decoupling, and its footprints added up.

Knows which store holds which input and in which order they are asked. Computes nothing: the rules live in
`carbon.footprints.city_emissions` and `carbon.footprints.decoupling`. Knows no HTTP and no screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sqlmodel import Session

from api.store import Store
from carbon import facts
from carbon.errors import Problem
from carbon.footprints import city_emissions as cities
from carbon.footprints.decoupling import decoupling as decouple
from carbon.footprints.decoupling import with_constant_prices
from carbon.footprints.deflator_files import InvalidDeflators, read_deflators
from fhi.errors import UnknownHub
from fhi.hubs import find_hub
from green_index.index import city_years

__all__ = ["Decoupled", "bottom_up", "city_emissions", "decoupling", "known_years", "trends"]


@dataclass(frozen=True)
class Decoupled:
    """Rows of `carbon.footprints.decoupling.decoupling`, and what is wrong with the file of deflators."""

    rows: pl.DataFrame
    problems: tuple[Problem, ...]


def known_years() -> range:
    """The years from the first to the last with an inventory, or with GDP, of any city."""
    periods = pl.concat([facts.city_inventories()["period"], city_years()["period"]]).cast(pl.Int32)
    first, last = periods.min(), periods.max()
    return range(first, last + 1) if isinstance(first, int) and isinstance(last, int) else range(0)


def city_emissions(store: Store, name: str, years: Sequence[int] | None = None) -> pl.DataFrame:
    """A city's inventories and footprints by year: see `carbon.footprints.city_emissions.city_emissions`.

    name : slug, name or code; years : all that are known without them. Raises UnknownHub.
    """
    hub = find_hub(name)
    with Session(store.engine) as session:
        lines = facts.footprint_lines(session)
    wanted = known_years() if years is None else years
    return cities.city_emissions(facts.city_inventories(), city_years(), lines, hub=hub, years=wanted)


def trends(store: Store, name: str, years: Sequence[int] | None = None) -> pl.DataFrame:
    """How a city's inventories move: see `carbon.footprints.city_emissions.trends`. Raises UnknownHub."""
    return cities.trends(city_emissions(store, name, years))


def decoupling(
    store: Store,
    name: str,
    years: Sequence[int] | None = None,
    base_year: int | None = None,
    deflators: Path | None = None,
) -> Decoupled:
    """Tapio's elasticity of a city's inventories by year: see `carbon.footprints.decoupling.decoupling`.

    years : those to be told, against others where need be; base_year : every year against this one; against the year
    before without it. deflators : file of price indices (see
    `carbon.footprints.deflator_files`); GDP is at current prices without it.
    Raises UnknownHub, UnreadableFile, InvalidDeflators (also where the file has none of this city), InvalidSeries.
    """
    hub = find_hub(name)
    wanted = known_years() if years is None else years
    series = cities.emission_series(city_emissions(store, hub, _with_earlier(wanted, base_year)))
    told = pl.col("year").is_in(list(wanted))
    if deflators is None:
        return Decoupled(decouple(series, base_year=base_year).filter(told), ())
    read = read_deflators(deflators)
    slugs = pl.col("hub").map_elements(_slug_of, return_dtype=pl.String)
    own = read.rows.with_columns(slug=slugs.fill_null(hub)).filter(pl.col("slug") == hub)
    if own.is_empty():
        wrong = "".join(f"; {problem}" for problem in read.problems)
        raise InvalidDeflators(f"{deflators.name}: found no deflator of {hub}, expected at least one{wrong}")
    constant = with_constant_prices(series, own.select("slug", "year", "deflator").rename({"slug": "hub"}))
    return Decoupled(decouple(constant, base_year=base_year).filter(told), read.problems)


def _with_earlier(years: Sequence[int], base_year: int | None) -> list[int]:
    """The years and those that they are told against, as far as any are known, in order."""
    known = known_years()
    others = [year - 1 for year in years] if base_year is None else [base_year]
    return sorted({*years, *(year for year in others if year in known)})


def _slug_of(name: str) -> str:
    """The slug of a city by any of its names; the name as it is of one that is none of ours."""
    try:
        return find_hub(name)
    except UnknownHub:
        return name


def bottom_up(
    store: Store, name: str, by: Sequence[str] = ("year", "sector"), years: Sequence[int] | None = None
) -> pl.DataFrame:
    """A city's footprints added up by scope and the groups asked for: see
    `carbon.footprints.city_emissions.sum_lines`. Raises UnknownHub, UnlikeLines.
    """
    hub = find_hub(name)
    with Session(store.engine) as session:
        lines = facts.footprint_lines(session)
    own = lines.filter(pl.col("hub") == hub)
    if years is not None:
        own = own.filter(pl.col("last_day").dt.year().is_in(list(years)))
    return cities.sum_lines(own, ("hub", *by))
