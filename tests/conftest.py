"""Fixtures that every package's tests share."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import Engine, text

from api.db import create_tables, make_engine

from .databases import Fill, postgresql_copies, sqlite_copies

# How long an example takes says nothing about its truth, and machines differ.
settings.register_profile("greenfin", deadline=None)
settings.load_profile("greenfin")

EngineOn = Callable[[Fill], Engine]
Opened = AbstractContextManager[str]
POSTGRESQL = "GREENFIN_TEST_POSTGRESQL"
LONG = ("test_crash.py", "test_load_crash.py", "test_docs.py")
_SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes begin first, so that no processor waits at the end for the one that has such a file."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of published reference figures, outside the project; tests that need it skip where it is absent."""
    folder = _SHARED / "reference"
    if not folder.is_dir():
        pytest.skip("the shared reference figures are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def outside_data() -> Path:
    """Folder of real outside files; tests that need it skip where it is absent."""
    folder = _SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the shared data files are not beside this checkout")
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of database: SQLite, and PostgreSQL where that is offered."""
    if request.param == "postgresql" and not os.environ.get(POSTGRESQL):
        pytest.skip(f"{POSTGRESQL} holds no URL of a PostgreSQL database")
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database: an SQLite file, and a schema of its own in PostgreSQL."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    url = os.environ[POSTGRESQL]
    schema = f"greenfin_{uuid4().hex}"
    server = make_engine(url)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{url}?options=-csearch_path%3D{schema}"
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Fill], Opened]]:
    """How to get the URL of a database: `new_database(kind, fill)`; what fills it is used once, and then copied."""
    copies = {"sqlite": sqlite_copies(tmp_path_factory.mktemp("databases"))}
    with ExitStack() as stack:
        if url := os.environ.get(POSTGRESQL):
            copies["postgresql"] = stack.enter_context(postgresql_copies(url))
        yield lambda kind, fill: copies[kind](fill)


@pytest.fixture
def engine_on(database_kind: str, new_database: Callable[[str, Fill], Opened]) -> Iterator[EngineOn]:
    """An engine, as the product makes it, on a database of this kind: `engine_on(fill)`."""
    with ExitStack() as stack:

        def open_engine(fill: Fill) -> Engine:
            engine = make_engine(stack.enter_context(new_database(database_kind, fill)))
            stack.callback(engine.dispose)
            return engine

        yield open_engine


@pytest.fixture
def engine(engine_on: EngineOn) -> Engine:
    """An engine, as the product makes it, on an empty database with every table of the project."""
    return engine_on(create_tables)
