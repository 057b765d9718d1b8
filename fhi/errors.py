"""What can go wrong in the base index, as values and as exceptions.

Knows nothing but text. Data errors are gathered as `Problem` values and raised once, at the border:

FhiError
├── FrameworkError     a tree or judgement file that cannot be used; carries every problem at once
├── PanelError         observations that break the panel schema; carries every problem at once
├── RecipeError        a recipe that cannot be used; carries every problem at once
├── JudgementError     a pairwise matrix that is not square, positive and reciprocal
├── WeightError        weights that cannot be derived from the data of a group
├── ConstantIndicator  an indicator with one value only, where the recipe asks for an error
├── UnknownHub         a city name or code that no hub carries
└── UnknownFramework   a framework id that does not exist
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_MOST_NAMES: Final = 40


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: where it stands, what was found, what was expected."""

    where: str
    found: str
    expected: str
    code: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; expected {self.expected} [{self.code}]"


def one_of(known: Iterable[str], wrong: object = None) -> str:
    """What is known, for `expected` of a problem: the name nearest to a wrong one first, then up to forty names."""
    names = sorted(known)
    if not names:
        return "none is declared"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    listed = ", ".join(names[:_MOST_NAMES]) + more
    near = difflib.get_close_matches(str(wrong), names, n=1) if wrong is not None else []
    return f"{near[0]!r}? known: {listed}" if near else f"one of {listed}"


def plain_words(message: str) -> str:
    """A message of the library that checks values, as what was expected: without the words that it begins with."""
    return message.removeprefix("Value error, ").removeprefix("Input should be ")


class FhiError(Exception):
    """Base of every error that this package raises on purpose."""


class _Problems(FhiError):
    """An error that carries all problems of one input."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s):\n{lines}")


class FrameworkError(_Problems):
    """A framework or judgement file cannot be used."""


class PanelError(_Problems):
    """Observations break the panel schema."""


class RecipeError(_Problems):
    """A recipe cannot be used, or asks for something that the data do not have."""


class JudgementError(FhiError):
    """A pairwise matrix is not square, positive and reciprocal."""


class WeightError(FhiError):
    """No weights can be derived from the data of a group."""


class ConstantIndicator(FhiError):
    """An indicator has one value only and the recipe asks for an error."""


class UnknownHub(FhiError):
    """No hub carries this name or code."""


class UnknownFramework(FhiError):
    """No framework has this id."""
