"""The real application on a home of its own, opened once for all tests of this folder."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from api import cli
from api.app import create_app
from api.keys import create_key
from api.routers import registry_acts, registry_compliance
from api.settings import Settings
from carbon.ledger.orders import us_from_time


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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the real application, served on a free port of this machine."""
    settings = Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("served"))})
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning", ws="none"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.started, "the server did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=30)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run one command of the command line as a user would: exit code, standard output, standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["greenfin", *words])
        try:
            cli.main()
            code = 0
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


TODAY_US = us_from_time(datetime(2025, 11, 3, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Registry:
    """The real application on a ledger of its own, with a key that writes and one that only reads."""

    client: TestClient
    writer: dict[str, str]
    reader: dict[str, str]

    def act(self, verb: str, client_id: str, **body: object) -> Response:
        """Ask for an act with the writer's key."""
        headers = {**self.writer, "Idempotency-Key": client_id}
        return self.client.post(f"/v1/registry/acts/{verb}", json=body, headers=headers)

    def rows(self, path: str, **query: object) -> list[dict[str, Any]]:
        """Rows of one page, read without a key."""
        answer = self.client.get(f"/v1/registry/{path}", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found


@contextmanager
def open_registry(settings: Settings) -> Iterator[Registry]:
    """The application on these settings, with its two keys, on a day in the middle of the compliance year 2024."""
    app = create_app(settings)
    with pytest.MonkeyPatch.context() as patch, TestClient(app, raise_server_exceptions=False) as client:
        for module in (registry_acts, registry_compliance):
            patch.setattr(module, "now_us", lambda: TODAY_US)
        engine = app.state.store.engine
        keys = [
            {"Authorization": f"Bearer {create_key(engine, name, 1, roles)}"}
            for name, roles in (("writer", ["write"]), ("reader", ["read"]))
        ]
        yield Registry(client, *keys)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A ledger that all registry tests of this folder write to; each uses ids and codes of its own."""
    with open_registry(Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("registry"))})) as opened:
        yield opened


@pytest.fixture
def fresh_registry(database_url: str, tmp_path: Path) -> Iterator[Registry]:
    """An empty ledger on each database."""
    with open_registry(Settings(home=tmp_path / "home", database_url=database_url)) as opened:
        yield opened
