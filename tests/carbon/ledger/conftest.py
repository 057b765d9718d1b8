"""A ledger as every store begins: schemes, instruments and their own accounts, and a small town of holders."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import Connection, Engine
from sqlmodel import Session

from carbon.embedded import load_embedded
from carbon.ledger.book import Act
from carbon.ledger.orders import Receipt
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.post import writing
from carbon.ledger.seed import seed_registry

HOLDERS = ("A", "B", "C")


@pytest.fixture
def ledger(engine: Engine) -> Engine:
    """An engine on a ledger that is seeded and has no holders yet."""
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)
    return engine


@pytest.fixture
def new_act() -> Callable[[], Act]:
    """Acts with ids and times that go up: a1 at 1 us, a2 at 2 us, ..."""
    numbers = count(1)
    return lambda: _act(next(numbers))


def _act(number: int) -> Act:
    return Act(f"a{number}", number, "tester")


@pytest.fixture
def town(ledger: Engine, new_act: Callable[[], Act]) -> Engine:
    """The ledger with entities A, B, C, each with an operator account of the national scheme by the same name."""
    with writing(ledger) as connection:
        for name in HOLDERS:
            assert register_entity(connection, new_act(), name=f"Works {name}", code=name, contact="K").done
            opened = open_account(
                connection, new_act(), code=name, scheme="CN", type="operator", entity=name, primary="P", secondary="S"
            )
            assert opened.done
    return ledger


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
