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

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: where it stands, what was found, what was expected."""

    where: str
    found: str
    expected: str
    code: str

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; expected {self.expected} [{self.code}]"


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
