"""What loading a file of many rows into a table of the lake tells: its steps while it runs, and what became of the
file.

Knows no table and no file.
"""

from dataclasses import dataclass
from typing import Final

from carbon.errors import Problem

__all__ = ["LOAD_STEPS", "BulkLoadReport", "say_no_step"]

LOAD_STEPS: Final = ("checking", "sorting", "appending")


@dataclass(frozen=True)
class BulkLoadReport:
    """What became of one file of many rows. rows_read = rows_kept + rejected.

    already_loaded : the same bytes are in the table already, so that nothing was read; all counts are zero then
    assumed : what the file does not say and was taken for granted, in words
    """

    file: str
    sha256: str
    rows_read: int
    rows_kept: int
    already_loaded: bool
    problems: tuple[Problem, ...]
    assumed: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """Rows set apart."""
        return self.rows_read - self.rows_kept


def say_no_step(step: str) -> None:
    """Where nobody asked to be told of each of LOAD_STEPS as it begins."""
    del step
