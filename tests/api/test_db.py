import pytest
from sqlalchemy import Engine, inspect, text

from api.db import StoreVersionError, create_tables, make_engine


def test_every_table_is_there_and_making_them_again_is_harmless(engine: Engine) -> None:
    create_tables(engine)
    names = set(inspect(engine).get_table_names())
    assert {"carbon_market", "carbon_facility", "edition", "edition_score", "edition_input", "edition_weight"} <= names


def test_sqlite_waits_keeps_a_log_and_checks_foreign_keys(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


def test_an_idle_connection_that_the_server_closed_is_made_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "sqlite":
        return
    monkeypatch.setattr("api.db._IDLE_S", 0)
    with engine.connect() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    ender = make_engine(engine.url.render_as_string(hide_password=False))
    with ender.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process)"), {"process": process})
    ender.dispose()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != process


def test_a_store_of_another_version_is_one_clear_error(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE edition ADD COLUMN colour TEXT"))
    with pytest.raises(StoreVersionError, match=r"table edition has columns .*colour"):
        create_tables(engine)
