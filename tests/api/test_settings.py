from pathlib import Path

import pytest

from api.settings import Settings, SettingsError


def test_home_holds_the_database_and_the_lake() -> None:
    settings = Settings.from_env({"GREENFIN_HOME": "/somewhere"})
    assert settings.database_url == "sqlite:////somewhere/greenfin.sqlite"
    assert settings.lake == Path("/somewhere/lake")


def test_default_home_is_the_users_data_folder() -> None:
    assert Settings.from_env({}).home.name == "greenfin"


def test_database_url_is_taken_as_it_is() -> None:
    url = "postgresql+psycopg://user@host/name"
    assert Settings.from_env({"GREENFIN_HOME": "/x", "DATABASE_URL": url}).database_url == url


def test_a_slip_in_a_name_is_an_error() -> None:
    with pytest.raises(SettingsError, match="GREENFIN_HMOE"):
        Settings.from_env({"GREENFIN_HMOE": "/x"})


def test_another_kind_of_database_is_an_error_that_keeps_the_secret() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"DATABASE_URL": "mysql://user:secret@host/name"})
    assert "mysql" in str(caught.value)
    assert "secret" not in str(caught.value)
