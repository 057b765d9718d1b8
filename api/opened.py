"""The store that the environment names, opened for one command and closed at its end.

Knows settings and the store. Imports them only when it is asked, so that `--help` stays quick.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlmodel import Session

    from api.store import Store

__all__ = ["opened_session", "opened_store", "store_of_settings"]


def store_of_settings() -> "Store":
    """The store that the environment names, for a command that ends the process."""
    from api.settings import Settings
    from api.store import open_store

    return open_store(Settings.from_env(os.environ))


@contextmanager
def opened_store() -> "Iterator[Store]":
    """The store that the environment names, closed at the end."""
    store = store_of_settings()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_session() -> "Iterator[Session]":
    """A session of the store that the environment names, closed at the end; what is not committed is undone."""
    from sqlmodel import Session

    with opened_store() as store, Session(store.engine) as session:
        yield session
