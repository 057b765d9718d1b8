"""A ledger as every store begins, and how a test imports into it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, text

from api.db import make_engine
from carbon.imports.report import ImportReport
from carbon.ledger.audit import audit
from carbon.ledger.book import Act
from carbon.ledger.post import writing

from ...databases import fill_ledger

NOW_US = 1_795_000_000_000_000  # in November 2026


@pytest.fixture
def ledger(engine_on: Callable[..., Engine]) -> Engine:
    return engine_on(fill_ledger)


@pytest.fixture
def new_ledger(new_database: Callable[..., AbstractContextManager[str]]) -> Iterator[Callable[[], Engine]]:
    """Further empty ledgers, on SQLite."""
    with ExitStack() as stack:

        def make() -> Engine:
            engine = make_engine(stack.enter_context(new_database("sqlite", fill_ledger)))
            stack.callback(engine.dispose)
            return engine

        yield make


Import = Callable[..., ImportReport]


@pytest.fixture
def bring() -> Import:
    """Import in a database transaction of its own: `bring(engine, import_offsets, path, ...)`."""

    def call(engine: Engine, verb: Callable[..., ImportReport], path: Path, **asked: object) -> ImportReport:
        with writing(engine) as connection:
            return verb(connection, Act(str(asked.pop("client_id", "")), NOW_US, "tester"), path, **asked)

    return call


@pytest.fixture
def look() -> Callable[..., list[tuple]]:
    """Rows of a query."""

    def call(engine: Engine, query: str, **values: object) -> list[tuple]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    return call


@pytest.fixture
def is_sound(look: Callable[..., list[tuple]]) -> Callable[[Engine], None]:
    """Assert that the audit is clean, every unit is somewhere once, and blocks add up to holdings."""

    def call(engine: Engine) -> None:
        with engine.connect() as connection:
            found: pl.DataFrame = audit(connection)
        assert found.is_empty(), found.head(5).to_dicts()
        assert look(engine, "SELECT 1 FROM registry_holding GROUP BY instrument_id HAVING sum(quantity) <> 0") == []
        assert (
            look(
                engine,
                "SELECT h.quantity FROM registry_holding h JOIN registry_instrument i ON i.id = h.instrument_id"
                " LEFT JOIN registry_block b ON b.account_id = h.account_id AND b.instrument_id = h.instrument_id"
                " WHERE i.serialised AND NOT h.contra GROUP BY h.account_id, h.instrument_id, h.quantity"
                " HAVING coalesce(sum(b.serial_last - b.serial_first + 1), 0) <> h.quantity",
            )
            == []
        )

    return call
