"""A home with the town of `town` in it, and commands that run there."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.registry import store as registry_store
from api.settings import Settings
from api.store import open_store
from carbon.ledger.book import Act

from .town import START_US, TOWN, Run


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the town in it, made by the verbs themselves; copied for each test."""
    home = tmp_path_factory.mktemp("town")
    store = open_store(Settings.from_env({"GREENFIN_HOME": str(home)}))
    for number, (verb, asked) in enumerate(TOWN):
        act = Act(f"town-{number}", START_US + number, "mayor")
        assert registry_store.perform(store, verb, act, asked).done, verb
    store.close()
    return home


@pytest.fixture
def run(town: Path, home: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command on a town of its own."""
    shutil.copytree(town, home)
    monkeypatch.setenv("GREENFIN_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return command


@pytest.fixture
def engine_of(home: Path) -> Iterator[Engine]:
    """The engine of the town that the commands use."""
    store = open_store(Settings.from_env({"GREENFIN_HOME": str(home)}))
    yield store.engine
    store.close()
