"""What can go wrong when figures or weights are moved: one error a kind of input, with every problem at once.

Knows text only. Must not know figures, trees or files.

GreenIndexError
└── MoveError            carries every problem
    ├── ImpossibleChange what-if figures that cannot be
    ├── UnusableEffort   costs, bounds or goals that cannot be used
    ├── UnusableRegion   weights that cannot be, or a group that has no one line of weights
    └── NotStraight      an index whose total is no straight line of scores and weights
"""

from collections.abc import Sequence

from fhi.errors import Problem
from green_index.errors import GreenIndexError


class MoveError(GreenIndexError):
    """Something that was asked of figures or weights cannot be; carries all problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s):\n{lines}")


class ImpossibleChange(MoveError):
    """A figure is to become something that it cannot be."""


class UnusableEffort(MoveError):
    """Costs, bounds or the goal of a search cannot be used."""


class UnusableRegion(MoveError):
    """A region of weights that is empty or names what is not there."""


class NotStraight(MoveError):
    """The total is no weighted sum with one set of weights for all hubs."""
