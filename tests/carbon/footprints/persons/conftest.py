"""A ledger with one platform in Wuhan whose credits go to an account of Wuhan's scheme, and invented methods."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, Engine

from carbon.footprints.persons.accounts import register_platform
from carbon.footprints.persons.methods import store_methods
from carbon.ledger.book import Act
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.post import begin_writing, writing

from ....databases import fill_ledger
from .world import METHODS, PLATFORM, SALTS, SCHEME


def _fill(engine: Engine) -> None:
    fill_ledger(engine)
    with writing(engine) as connection:
        assert register_entity(connection, Act("e1", 1, "tester"), name="App operator", code="APP", contact="K").done
        opened = open_account(
            *(connection, Act("e2", 2, "tester")), code="APP", scheme=SCHEME, type="trading", entity="APP",
            primary="P", secondary="S",
        )  # fmt: skip
        assert opened.done
        ledger = {"scheme": SCHEME, "ledger_account": "APP", "instrument": "WHTPH"}
        assert register_platform(connection, platform=PLATFORM, name="App", salts=SALTS[PLATFORM], at_us=3, **ledger)
        assert register_platform(connection, platform="other", name="Other app", salts=SALTS["other"], at_us=4)
        added, problems = store_methods(connection, METHODS, at_us=5)
        assert (added, problems) == (METHODS.height, ())


@pytest.fixture
def registry(engine_on: Callable[..., Engine]) -> Engine:
    """Platforms `app` (certifies) and `other` (does not), and the methods of `world.METHODS`."""
    return engine_on(_fill)


@pytest.fixture
def writer(registry: Engine) -> Iterator[Connection]:
    """A writer's connection; what it does is undone at the end."""
    with registry.connect() as connection:
        begin_writing(connection)
        yield connection
        connection.rollback()


@pytest.fixture
def today() -> date:
    """The day of every record that names no other."""
    return date(2025, 6, 30)
