"""The real application on a home of its own, opened once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that holds nothing yet."""
    return Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("home"))})


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    """The application as it is served."""
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the running application."""
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home for commands that change it."""
    return tmp_path / "home"
