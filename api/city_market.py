"""The verbs about cities and the carbon market: attribution of a year, a city's periods, and printed facts beside them.

Knows which store holds which input and in which order they are asked. Computes nothing: the rules live in
`carbon.attribution`, `carbon.city_market` and `carbon.printed_facts`. Knows no HTTP and no screen.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from sqlmodel import Session

from api.clock import now_us
from api.db import one_state
from api.store import Store
from carbon import facts
from carbon.attribution import By, MarketFrames, attribute, check_sums, national_totals, period_frame
from carbon.attribution_inputs import read_ledger, read_markets
from carbon.city_market import city_standing, comparable_figures, venue_days, venue_periods, with_embedded_years
from carbon.errors import Problem
from carbon.lake import read_rows
from carbon.ledger.orders import time_from_us
from carbon.loading import ensure_fresh
from carbon.printed_facts import PILOTS, classify_facts, compare_facts, read_facts
from carbon.rows import empty_rows
from carbon.rules.book import load_rules
from carbon.rules.schemes import load_schemes
from fhi.hubs import find_hub, hubs

__all__ = ["PrintedFacts", "attribution", "attribution_sums", "city_market", "printed_facts", "today"]

_CHINA: Final = timedelta(hours=8)
_NATIONAL: Final = ("national", "pilot")
UNATTRIBUTED: Final = ("未归属", "unattributed")
"""Name of the null hub in both languages."""


@dataclass(frozen=True)
class PrintedFacts:
    """The facts of a file beside our figures (columns: `carbon.printed_facts.compare_facts`), and its problems."""

    facts: pl.DataFrame
    problems: tuple[Problem, ...]


def today() -> date:
    """The day in China, whose calendar the rules follow."""
    return (time_from_us(now_us()) + _CHINA).date()


def attribution(store: Store, year: int, by: By = "year", as_of: date | None = None) -> pl.DataFrame:
    """One row a city and period of a year, and one for what has no known city: hub, name_zh, name_en, period, and the
    columns of `carbon.attribution.attribute`.

    by : year or month; as_of : last day of the ledger that counts, today in China without it
    """
    return _attributed(store, year, by, as_of or today())[0]


def attribution_sums(store: Store, year: int, by: By = "year", as_of: date | None = None) -> pl.DataFrame:
    """Each column's sum over all cities beside its national figure: see `carbon.attribution.check_sums`."""
    return _attributed(store, year, by, as_of or today())[1]


def _attributed(store: Store, year: int, by: By, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    periods = period_frame(by, date(year, 1, 1), date(year, 12, 31))
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        market = read_markets(session, by)
    schemes = load_schemes().filter(pl.col("kind").is_in(_NATIONAL))["scheme"].to_list()
    with one_state(store.engine) as connection:
        ledger = read_ledger(connection, load_rules(), periods, as_of, schemes=schemes)
    rows = attribute(market, ledger, periods, hubs=hubs()["hub"].to_list())
    return _named(rows), check_sums(rows, national_totals(market, ledger, periods))


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their city's names behind its slug; a hub that is none of ours has none."""
    unknown = pl.col("hub").is_null()
    named = rows.join(hubs().select("hub", "name_zh", "name_en"), on="hub", how="left", maintain_order="left")
    names = [
        pl.when(unknown).then(pl.lit(word)).otherwise(pl.col(column)).alias(column)
        for column, word in zip(("name_zh", "name_en"), UNATTRIBUTED, strict=True)
    ]
    return named.with_columns(names).select("hub", "name_zh", "name_en", *rows.columns[1:])


def city_market(
    store: Store, name: str, by: By = "year", first: date | None = None, last: date | None = None
) -> pl.DataFrame:
    """A city's part of the carbon market: see `carbon.city_market.city_standing`. Raises UnknownHub.

    first, last : only periods that touch these days; all that have figures without them
    """
    hub = find_hub(name)
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        market = read_markets(session, by)
        embedded = facts.market_periods(session, "year").filter(pl.col("origin") == "embedded")
    seated = market.facilities.filter((pl.col("hub") == hub) & (pl.col("role") == "exchange"))["market"]
    venues = venue_periods(venue_days(_rows(store, seated.drop_nulls().to_list())), by)
    if by == "year":
        venues = with_embedded_years(venues, embedded)
    return city_standing(market, venues, _span(market, by, first, last), hub, by=by)


def _span(market: MarketFrames, by: By, first: date | None, last: date | None) -> pl.DataFrame:
    """The periods from the first figure to the last, or as far as asked for."""
    days = market.figures.select(pl.col("first_day").min().alias("first"), pl.col("first_day").max().alias("last"))
    begin, end = days.row(0)
    wanted = period_frame(by, begin, end) if begin is not None else period_frame(by, date.min, date.min).clear()
    return wanted.filter(
        (pl.lit(True) if first is None else pl.col("end") >= first)
        & (pl.lit(True) if last is None else pl.col("start") <= last)
    )


def _rows(store: Store, markets: list[str]) -> pl.DataFrame:
    return pl.concat([empty_rows(), *(read_rows(store.lake, market) for market in sorted(set(markets)))])


def printed_facts(store: Store, path: Path) -> PrintedFacts:
    """The facts of a file of the user's own beside what the loaded and embedded figures add up to.

    Raises UnreadableFile, UnknownFormat.
    """
    read = read_facts(path)
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        markets, years = facts.markets(session), facts.market_years(session)
    told = classify_facts(read.facts, markets)
    pilots = markets.filter(pl.col("scope") == "pilot").select(pl.lit(PILOTS).alias("market"), pl.col("opened").min())
    opened = pl.concat([markets.select("market", "opened"), pilots.head(1)])
    wanted = told["market"].drop_nulls().unique()
    days = venue_days(_rows(store, wanted.filter(wanted.is_in(markets["market"].to_list())).to_list()))
    figures = comparable_figures(days, years, markets)
    return PrintedFacts(facts=compare_facts(told, figures, opened), problems=read.problems)
