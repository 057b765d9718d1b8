"""Fixtures that every package's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import Engine, text

from api.db import create_tables, make_engine

# How long an example takes says nothing about its truth, and machines differ.
settings.register_profile("greenfin", deadline=None)
settings.load_profile("greenfin")

POSTGRESQL = "GREENFIN_TEST_POSTGRESQL"
_SHARED = Path(__file__).resolve().parents[1].parent / "shared"


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
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database: an SQLite file, and a schema of its own in PostgreSQL where that is offered."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    url = os.environ.get(POSTGRESQL)
    if not url:
        pytest.skip(f"{POSTGRESQL} holds no URL of a PostgreSQL database")
    schema = f"greenfin_{uuid4().hex}"
    server = make_engine(url)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{url}?options=-csearch_path%3D{schema}"
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine, as the product makes it, on an empty database with every table of the project."""
    made = make_engine(database_url)
    create_tables(made)
    yield made
    made.dispose()
