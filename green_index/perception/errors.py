"""What can be wrong with ratings and factors, gathered and raised once.

Knows problems as values. Knows no file and no model.
"""

from collections.abc import Sequence

from fhi.errors import Problem
from green_index.errors import GreenIndexError


class PerceptionError(GreenIndexError):
    """Ratings or factors that no model of perception can be made of; carries all problems."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s):\n{lines}")
