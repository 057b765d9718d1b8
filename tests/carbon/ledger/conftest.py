"""A ledger as every store begins: schemes, instruments and their own accounts, and a small town of holders."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import Connection, Engine

from carbon.ledger.book import Act
from carbon.ledger.orders import Receipt
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.post import writing

from ...databases import fill_ledger

HOLDERS = ("A", "B", "C")


@pytest.fixture
def ledger(engine_on: Callable[..., Engine]) -> Engine:
    """An engine on a ledger that is seeded and has no holders yet."""
    return engine_on(fill_ledger)


def _acts() -> Callable[[], Act]:
    numbers = count(1)
    return lambda: _act(next(numbers))


def _act(number: int) -> Act:
    return Act(f"a{number}", number, "tester")


def _fill_town(engine: Engine) -> None:
    fill_ledger(engine)
    new_act = _acts()
    with writing(engine) as connection:
        for name in HOLDERS:
            assert register_entity(connection, new_act(), name=f"Works {name}", code=name, contact="K").done
            opened = open_account(
                connection, new_act(), code=name, scheme="CN", type="operator", entity=name, primary="P", secondary="S"
            )
            assert opened.done


@pytest.fixture
def new_act() -> Callable[[], Act]:
    """Acts with ids and times that go up: a1 at 1 us, a2 at 2 us, ..."""
    return _acts()


@pytest.fixture
def town(engine_on: Callable[..., Engine], new_act: Callable[[], Act]) -> Engine:
    """A ledger with entities A, B, C, each with an operator account of the national scheme by the same name."""
    for _ in HOLDERS:
        # What registered an entity and what opened its account.
        new_act(), new_act()
    return engine_on(_fill_town)


@pytest.fixture
def writer(town: Engine) -> Iterator[Connection]:
    """A writer's connection on the town; what it does is undone at the end."""
    with town.connect() as connection:
        from carbon.ledger.post import begin_writing

        begin_writing(connection)
        yield connection
        connection.rollback()


Do = Callable[..., Receipt]


@pytest.fixture
def do(writer: Connection, new_act: Callable[[], Act]) -> Do:
    """Call a verb on the writer's connection with the next act: `do(issue, scheme="CN", ...)`."""

    def call(verb: Callable[..., Receipt], **asked: object) -> Receipt:
        return verb(writer, new_act(), **asked)

    return call
