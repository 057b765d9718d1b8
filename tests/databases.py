"""Databases for tests: what a test wants to find in one is made once, and copied for each test.

Knows how a database of each kind is made and copied, and what tests commonly want in it. Must not know what they test.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, make_url
from sqlmodel import Session

from api.db import create_tables, make_engine
from carbon.embedded import load_embedded
from carbon.ledger.seed import seed_registry

Fill = Callable[[Engine], None]
NewDatabase = Callable[[Fill], AbstractContextManager[str]]


def fill_ledger(engine: Engine) -> None:
    """Every table of the project, the embedded figures, and a ledger as every store begins."""
    create_tables(engine)
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)


def sqlite_copies(folder: Path) -> NewDatabase:
    """How to get the URL of an SQLite file in a folder: what fills it is used once, and its file copied."""
    originals: dict[Fill, Path] = {}

    @contextmanager
    def new_database(fill: Fill) -> Iterator[str]:
        if fill not in originals:
            file = folder / f"{uuid4().hex}.sqlite"
            _fill(f"sqlite:///{file}", fill)
            originals[fill] = file
        file = folder / f"{uuid4().hex}.sqlite"
        shutil.copyfile(originals[fill], file)
        yield f"sqlite:///{file}"
        for path in folder.glob(f"{file.name}*"):
            path.unlink()

    return new_database


@contextmanager
def postgresql_copies(server_url: str) -> Iterator[NewDatabase]:
    """The same with databases of PostgreSQL, which are dropped at the end; the user of the URL may create them."""
    originals: dict[Fill, str] = {}
    server = make_engine(server_url).execution_options(isolation_level="AUTOCOMMIT")

    def tell(statement: str) -> None:
        with server.connect() as connection:
            connection.exec_driver_sql(statement)

    def url_of(name: str) -> str:
        return make_url(server_url).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def new_database(fill: Fill) -> Iterator[str]:
        if fill not in originals:
            name = f"greenfin_{uuid4().hex}"
            tell(f"CREATE DATABASE {name}")
            _fill(url_of(name), fill)
            originals[fill] = name
        name = f"greenfin_{uuid4().hex}"
        # Files are copied far quicker than as little as this is written to the log; older servers know no other way.
        strategy = "STRATEGY FILE_COPY" if version >= (15,) else ""
        tell(f"CREATE DATABASE {name} TEMPLATE {originals[fill]} {strategy}")
        yield url_of(name)
        tell(f"DROP DATABASE {name} WITH (FORCE)")

    tell("SELECT 1")
    version = server.dialect.server_version_info or (0,)
    yield new_database
    for name in originals.values():
        tell(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


def _fill(url: str, fill: Fill) -> None:
    engine = make_engine(url)
    fill(engine)
    engine.dispose()
