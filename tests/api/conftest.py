"""The real application on a home of its own, opened once for all tests of this folder."""

import html
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlmodel import Session

from api import cli
from api.app import create_app
from api.keys import create_key
from api.routers import registry_acts, registry_compliance
from api.settings import Settings
from api.store import Store, open_store
from carbon.ledger.orders import us_from_time
from carbon.loading import load_trades

from .page_laws import CONTRAST, LAWS, OVERFLOW

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

Run = Callable[..., tuple[int, str, str]]


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


@contextmanager
def serve(settings: Settings) -> Iterator[str]:
    """Address of the real application, served on a free port of this machine."""
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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the real application on a home that holds nothing."""
    with serve(Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("served"))})) as address:
        yield address


LISTED, BLOCK = "挂牌协议交易", "大宗协议交易"
TRADES = (
    "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式",
    f"2024-11-28,CEA23,100,100,100,100,0,1000,100000,{LISTED}",
    f"2024-11-28,CEA24,98,98,98,98,0,500,49000,{LISTED}",
    f"2024-11-28,CEA23,100,100,100,100,0,10000,950000,{BLOCK}",
    f"2024-12-02,CEA23,102,102,102,102,2,2000,204000,{LISTED}",
    f"2024-12-03,CEA24,,,,,,4000,380000,{BLOCK}",
    f"2025-01-02,CEA24,97,97,97,97,-4.9,100,9700,{LISTED}",
)
"""An invented file of the national exchange: no trade on Friday 2024-11-29, a block alone on 2024-12-03."""


def load_lines(store: Store, folder: Path, lines: Sequence[str]) -> None:
    """Load a trading file of the national market, header first; every row must be kept."""
    path = folder / f"{sha256(str(lines).encode()).hexdigest()[:8]}.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    with Session(store.engine) as session:
        report = load_trades(session, store.lake, path, market="CEA")
    assert report.rows_kept == len(lines) - 1


@contextmanager
def open_traded(folder: Path) -> Iterator[TestClient]:
    """The application on a store of its own that holds the invented file."""
    with TestClient(create_app(Settings.from_env({"GREENFIN_HOME": str(folder / "home")}))) as opened:
        load_lines(opened.app.state.store, folder, TRADES)  # type: ignore[attr-defined]
        yield opened


@pytest.fixture(scope="session")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The application on a store that holds the invented file, for tests that only read."""
    with open_traded(tmp_path_factory.mktemp("traded")) as opened:
        yield opened


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[TestClient]:
    """The same for one test, which loads more."""
    with open_traded(tmp_path) as opened:
        yield opened


@pytest.fixture
def load_more(growing: TestClient, tmp_path: Path) -> Callable[[Sequence[str]], None]:
    """Load further rows, without header, into the store of `growing`."""
    return lambda rows: load_lines(growing.app.state.store, tmp_path, [TRADES[0], *rows])  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def traded_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the application on a home that holds the invented file."""
    settings = Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("traded"))})
    store = open_store(settings)
    load_lines(store, tmp_path_factory.mktemp("files"), TRADES)
    store.close()
    with serve(settings) as address:
        yield address


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
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


@pytest.fixture(scope="session")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as it is once opened; copied for each test, for that is quicker than to make it."""
    home = tmp_path_factory.mktemp("first") / "home"
    open_store(Settings.from_env({"GREENFIN_HOME": str(home)})).close()
    return home


@pytest.fixture
def run(home: Path, first_home: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command on a home of its own."""
    shutil.copytree(first_home, home)
    monkeypatch.setenv("GREENFIN_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return command


def check_documented_rows(client: TestClient, url: str, row: type[Any]) -> None:
    """A table over HTTP has rows, each with the documented columns in their order, and as many as CSV."""
    answer = client.get(url)
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.json()
    assert rows
    for entry in rows:
        row.model_validate(entry)
        assert list(entry) == list(row.model_fields)
    path, _, query = url.partition("?")
    table = client.get(f"{path}.csv?{query}")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert pl.read_csv(table.content, infer_schema=False).height == len(rows)


def cells_of_tables(page: str) -> list[list[list[str]]]:
    """Cell texts of each table of a page, row by row, headings apart."""
    return [
        [
            [
                " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())
                for cell in re.findall(r"<t[dh].*?</t[dh]>", row)
            ]
            for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
        ]
        for body in re.findall(r"<tbody.*?</tbody>", page, re.DOTALL)
    ]


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


CHROMIUM = "GREENFIN_TEST_CHROMIUM"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Visit:
    """A page opened in the browser with all that it asked for and complained of."""

    page: "Page"
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def faults(self) -> list[str]:
        """What is wrong with the page as it stands: wider than its window, laws broken, texts too weak."""
        width = self.page.evaluate(OVERFLOW)
        broken = [f"{width} pixels too wide"] if width else []
        return [*broken, *self.page.evaluate(LAWS), *self.page.evaluate(CONTRAST)]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Headless Chromium: the one of the environment variable, or the system's."""
    path = Path(os.environ.get(CHROMIUM, "/usr/bin/chromium"))
    if not path.is_file():
        pytest.skip(f"no Chromium at {path}; set {CHROMIUM} to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@contextmanager
def open_page(
    browser: "Browser", address: str, width: int = 1280, *, scripts: bool = True, idle: bool = False
) -> Iterator[Visit]:
    """Open a page, with all that it asks for later where `idle`; requests beyond this machine are refused and noted."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, reduced_motion="reduce"
    )
    seen = Visit(context.new_page())

    def note(route: "Route", request: "Request") -> None:
        seen.requests.append(request.url)
        if urlsplit(request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            route.abort()

    seen.page.route("**/*", note)
    seen.page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    seen.page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
    seen.page.on("requestfailed", lambda request: seen.complaints.append(f"failed: {request.url}"))
    seen.page.goto(address, wait_until="networkidle" if idle else "load")
    yield seen
    context.close()


@pytest.fixture
def visit(browser: "Browser") -> Callable[..., AbstractContextManager[Visit]]:
    """Open a page in the browser: see `open_page`."""
    return partial(open_page, browser)
