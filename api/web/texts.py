"""The pages' texts in both languages and the choice between them.

Knows the Accept-Language header. Names of cities, groups and indicators are not here: rows hold them.
"""

from typing import Final

from api.lang import LANGUAGES, Lang, texts

DEFAULT: Final[Lang] = "zh"


def script_texts(lang: Lang) -> dict[str, str]:
    """The texts that scripts need: keys that begin with `js_`, without that beginning."""
    return {key.removeprefix("js_"): text for key, text in texts("page", lang).items() if key.startswith("js_")}


def other_language(lang: Lang) -> Lang:
    """The language to switch to."""
    return LANGUAGES[1 - LANGUAGES.index(lang)]


def preferred_language(accept: str) -> Lang:
    """The language that an Accept-Language header (RFC 9110) likes best; Chinese unless English is liked more."""
    likes: dict[str, float] = {}
    for part in accept.split(","):
        tag, _, parameter = part.strip().partition(";")
        likes.setdefault(tag.split("-")[0].strip().lower(), _quality(parameter))
    anything = likes.get("*", 0.0)
    liked = {lang: likes.get(lang, anything) for lang in LANGUAGES}
    return "en" if liked["en"] > liked["zh"] else DEFAULT


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
