"""What can go wrong in the registry, and how it is said.

Knows the names of the failures and the shape of one data problem. Must not know files, tables or screens.

    CarbonError
    +-- UnreadableFile        the file cannot be opened, decoded or unpacked
    |   +-- FileTooLarge      more bytes or rows than the caller allows
    +-- UnknownFormat         no format has this name, or no format has this header
    +-- UnknownMarket         no market has this key or product code
    +-- LakeBusy              other writers kept winning the race for the lake's next version
"""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "CarbonError",
    "FileTooLarge",
    "LakeBusy",
    "Problem",
    "Severity",
    "UnknownFormat",
    "UnknownMarket",
    "UnreadableFile",
]

Severity = Literal["error", "warning"]


class CarbonError(Exception):
    """Base of every error this package raises on purpose.

    The message says what was found, what was expected and, where it helps, what exists.
    """


class UnreadableFile(CarbonError):
    """The file cannot be opened, decoded or unpacked."""


class FileTooLarge(UnreadableFile):
    """The file holds more bytes (unpacked) or more rows than the caller allows."""


class UnknownFormat(CarbonError):
    """No format has this name, or no format has this header."""


class UnknownMarket(CarbonError):
    """No market has this key or product code."""


class LakeBusy(CarbonError):
    """Other writers kept winning the race for the next version of the lake."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one place of a file.

    file : name of the file, without its folder
    row : line number as a spreadsheet shows it (the first line of the file is 1); null for the whole file
    column : heading of the column as the file prints it; null for the whole row
    found, expected : the two halves of the message
    code : stable name of the rule, for filters and tests
    severity : "error" sets the row apart, "warning" keeps and lists it
    """

    file: str
    row: int | None
    column: str | None
    found: str
    expected: str
    code: str
    severity: Severity

    @property
    def where(self) -> str:
        """The place in words: file, row and column as far as they are known."""
        parts = [self.file]
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: found {self.found}, expected {self.expected} [{self.code}]"
