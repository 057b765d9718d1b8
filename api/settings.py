"""What the environment may set. Knows names of variables and their defaults; opens nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

HOME: Final = "GREENFIN_HOME"
DATABASE: Final = "DATABASE_URL"
PERSON_SALTS: Final = "GREENFIN_PERSON_SALTS"


class SettingsError(Exception):
    """A variable of the environment cannot be used."""


class Settings(BaseModel):
    """Where data live.

    home: folder of the SQLite database and of the Delta tables. database_url: SQLAlchemy URL; SQLite in `home`
    unless set. person_salts: file of the secret salts of personal accounts (`api.person_salts`); null where not set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    database_url: str
    person_salts: Path | None = None

    @property
    def lake(self) -> Path:
        """Folder of the Delta tables."""
        return self.home / "lake"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Settings from GREENFIN_HOME, DATABASE_URL and GREENFIN_PERSON_SALTS.

        Raises SettingsError for another GREENFIN_ variable (a slip of the pen would else pass unseen) and for a
        database other than SQLite and PostgreSQL.
        """
        known = (HOME, PERSON_SALTS)
        unknown = sorted(name for name in environ if name.startswith("GREENFIN_") and name not in known)
        unknown = [name for name in unknown if not name.startswith("GREENFIN_TEST_")]
        if unknown:
            raise SettingsError(f"unknown variable {', '.join(unknown)}; known: {HOME}, {DATABASE}, {PERSON_SALTS}")
        home = Path(environ[HOME]).expanduser() if environ.get(HOME) else _default_home()
        url = environ.get(DATABASE) or f"sqlite:///{home.absolute() / 'greenfin.sqlite'}"
        if not url.startswith(("sqlite:", "postgresql")):
            kind = url.split(":", 1)[0]
            raise SettingsError(f"{DATABASE} names {kind!r}; expected sqlite:///... or postgresql+psycopg://...")
        salts = Path(environ[PERSON_SALTS]).expanduser() if environ.get(PERSON_SALTS) else None
        try:
            return cls(home=home, database_url=url, person_salts=salts)
        except ValidationError as error:
            raise SettingsError(str(error)) from error


def _default_home() -> Path:
    from platformdirs import user_data_path

    return user_data_path("greenfin", appauthor=False)
