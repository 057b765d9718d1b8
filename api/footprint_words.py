"""The codes in tables of factors, footprints and personal accounts as words, for people.

Knows which columns hold codes and where their words are. Computes nothing; programs get the codes.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from api.lang import Lang, texts

if TYPE_CHECKING:
    import polars as pl

__all__ = ["in_words", "person_words"]

_CODED: Final = ("approach", "dimension", "evidence", "kind", "method", "status")
_CATEGORY: Final = "category"


def in_words(rows: "pl.DataFrame", lang: Lang) -> "pl.DataFrame":
    """The rows with the words of `word_<column>_<code>` for codes, names for cities (hub), and 是 and 否 for truth.

    A code without a word stays as it is, and so does everything that is no code.
    """
    import polars as pl

    from fhi.hubs import hubs

    text = texts("cli", lang)
    words: dict[str, dict[str, str]] = {name: _words(name, text) for name in _CODED}
    names = hubs()
    words["hub"] = dict(zip(names["hub"], names[f"name_{lang}"], strict=True))
    if lang == "zh":
        from carbon.footprints.activity_words import CODES

        words[_CATEGORY] = {code: zh for code, (zh, _) in CODES[_CATEGORY].items()}
    told = [pl.col(name).replace(words[name]) for name in rows.columns if words.get(name) and _is_text(rows, name)]
    truths = [name for name, kind in rows.schema.items() if kind == pl.Boolean]
    said = {True: text["word_true"], False: text["word_false"]}
    told += [pl.col(name).replace_strict(said, default=None, return_dtype=pl.String) for name in truths]
    return rows.with_columns(told)


def person_words(rows: "pl.DataFrame", lang: Lang) -> "pl.DataFrame":
    """The same for tables of personal accounts, where a method is a methodology and a reason is one of a refusal."""
    named = {"method": "methodology", "methods": "methodologies", "reason": "refusal"}
    return in_words(rows, lang).rename({old: new for old, new in named.items() if old in rows.columns})


def _words(column: str, text: Mapping[str, str]) -> dict[str, str]:
    start = f"word_{column}_"
    return {key.removeprefix(start): word for key, word in text.items() if key.startswith(start)}


def _is_text(rows: "pl.DataFrame", name: str) -> bool:
    import polars as pl

    return rows.schema[name] == pl.String
