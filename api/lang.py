"""The two languages and their texts. Knows the locale files; names of cities, groups and indicators are in the rows."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, Literal, get_args

Lang = Literal["zh", "en"]
LANGUAGES: Final[tuple[Lang, ...]] = get_args(Lang)


@cache
def texts(name: Literal["analyses", "cli", "notes", "page", "workbook"], lang: Lang) -> Mapping[str, str]:
    """The texts of the command line, of its analyses, of notes, of the pages or of the workbook in one language."""
    found: dict[str, str] = json.loads(files("api").joinpath("locales", f"{name}.{lang}.json").read_bytes())
    return found
