"""The opened store: database and lake, and the editions current in it.

Knows when an edition must be built and where it is kept. Computes nothing itself.
"""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Final

import polars as pl
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

from api import ENGINE
from api.clock import now_us
from api.db import create_tables, make_engine
from api.settings import Settings
from carbon.embedded import load_embedded
from carbon.facts import footprints_stamp
from carbon.lake import lake_version
from carbon.ledger.seed import seed_registry
from carbon.loading import ensure_fresh
from fhi.index import provenance
from fhi.recipe import Recipe
from green_index.bridge import carbon_panel, market_notes, read_facts
from green_index.editions import (
    Edition,
    EditionContent,
    edition_id,
    edition_provenance,
    freeze,
    load_edition,
    save_edition,
)
from green_index.index import Base, build_green_index, city_years, green_framework, green_panel

PREPARE_ATTEMPTS: Final = 10
PREPARE_PAUSE_S: Final = 0.05
CurrentKey = tuple[str, str, tuple[int | None, str]]


@dataclass(frozen=True)
class Store:
    """One opened database with its lake. `current` holds editions already read, by base, recipe, and the state of the
    lake and the footprints that they were made of."""

    engine: Engine
    lake: Path
    current: dict[CurrentKey, EditionContent] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_store(settings: Settings) -> Store:
    """Open the store, creating folder, tables and embedded figures where they are missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    engine = make_engine(settings.database_url)
    _prepare_beside_others(engine)
    return Store(engine=engine, lake=settings.lake)


def _prepare_beside_others(engine: Engine) -> None:
    """Prepare the store though other processes may be preparing the same empty one: whoever comes second to a table or
    a row fails, waits a moment, and finds it made. A database that does not answer at all fails at once."""
    engine.connect().close()
    for attempt in range(PREPARE_ATTEMPTS):
        try:
            _prepare(engine)
            return
        except DBAPIError:
            if attempt == PREPARE_ATTEMPTS - 1:
                raise
            sleep(PREPARE_PAUSE_S * (attempt + 1))


def _prepare(engine: Engine) -> None:
    create_tables(engine)
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, now_us())


def current_edition(store: Store, base: Base, recipe: Recipe) -> EditionContent:
    """The edition that today's figures make: read if it is stored, built and stored if not."""
    with Session(store.engine) as session:
        state = (lake_version(store.lake), footprints_stamp(session))
    key = (base, recipe.hash(), state)
    with store.lock:
        for stale in [kept for kept in store.current if kept[2] != state]:
            del store.current[stale]
        if key not in store.current:
            store.current[key] = _read_or_build(store, base, recipe)
        return store.current[key]


def current_panel(store: Store, base: Base) -> pl.DataFrame:
    """The figures that today's editions are made of: rows of fhi.panel.PANEL_SCHEMA, for analyses that change them."""
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        return green_panel(base, carbon_panel(read_facts(session), city_years()))


def _read_or_build(store: Store, base: Base, recipe: Recipe) -> EditionContent:
    with Session(store.engine) as session:
        ensure_fresh(session, store.lake)
        facts = read_facts(session)
        carbon = carbon_panel(facts, city_years())
        panel = green_panel(base, carbon)
        wanted = _edition_of(panel, base, recipe)
        if session.get(Edition, wanted) is not None:
            return load_edition(session, wanted)
        periods = panel["period"].unique().sort().to_list()
        result = build_green_index(base, carbon, recipe, tuple(market_notes(facts, periods)))
        content = freeze(result, ENGINE)
        try:
            save_edition(session, content)
            session.commit()
        except IntegrityError:
            # Another process stored the same edition meanwhile; the same inputs give the same bytes.
            session.rollback()
            save_edition(session, content)
        return content


def _edition_of(panel: pl.DataFrame, base: Base, recipe: Recipe) -> str:
    made_from = provenance(panel, green_framework(base), recipe)
    return edition_id(edition_provenance(base, made_from, recipe.normalise.bounds, ENGINE))
