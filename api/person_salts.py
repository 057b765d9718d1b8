"""Where the secret salts of personal carbon accounts come from: one file, outside the place where data live.

Knows the layout of that file and which variable names it (GREENFIN_PERSON_SALTS). No message holds a salt.

    claims = "..."          # of this registry, the same for all platforms
    [persons]
    app = "..."             # one for each platform, each at least 32 bytes
"""

import tomllib
from typing import Final

from api.settings import PERSON_SALTS, Settings, SettingsError
from carbon.footprints.persons.hashing import BadSalt, Salts

__all__ = ["SaltsError", "load_salts"]

_LAYOUT: Final = 'claims = "..." and below [persons] a line PLATFORM = "...", each of at least 32 bytes'


class SaltsError(SettingsError):
    """The salts are not set, cannot be read, or lie beside the data."""


def load_salts(settings: Settings, platform: str) -> Salts:
    """The salts of a platform. Raises SaltsError."""
    path = settings.person_salts
    if path is None:
        raise SaltsError(f"{PERSON_SALTS} is not set; expected the path of a file with {_LAYOUT}")
    if path.resolve().is_relative_to(settings.home.resolve()):
        raise SaltsError(f"{PERSON_SALTS} names a file in the folder of the data; expected one that is kept apart")
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        # What the parser says may quote a line of the file.
        raise SaltsError(f"{PERSON_SALTS} names a file that cannot be read; expected {_LAYOUT}") from None
    persons = found.get("persons")
    secret = persons.get(platform) if isinstance(persons, dict) else None
    claims = found.get("claims")
    if not isinstance(secret, str) or not isinstance(claims, str):
        raise SaltsError(
            f"the file of {PERSON_SALTS} has no salt of claims or of {platform[:80]!r}; expected {_LAYOUT}"
        )
    try:
        return Salts(secret.encode(), claims.encode())
    except BadSalt as weak:
        raise SaltsError(f"the file of {PERSON_SALTS}: {weak}") from None
