"""What a rule about the rows of a table is, and how rows that break it are told.

Knows where a rule is broken, in which column, and the words for it. Must not know any one rule, files or storage.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem, Severity

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PROBLEMS_A_RULE", "RowRule", "broken_expr", "is_lost", "list_problems"]

PROBLEMS_A_RULE: Final = 1000
"""Broken rows listed for one rule and column; one more line counts the rest."""


@dataclass(frozen=True)
class RowRule:
    """One rule: its code and severity, the column it looks at, where it is broken (Boolean, null counts as false), and
    what was expected.

    shown : what to print for the cell instead of itself; null to print the cell
    """

    code: str
    severity: Severity
    column: str
    where: "pl.Expr"
    expected: str
    shown: str | None = None


def is_lost(column: str) -> "pl.Expr":
    """True where something is in `<column>_raw`, but no value came of it in the column."""
    import polars as pl

    return pl.col(f"{column}_raw").is_not_null() & pl.col(column).is_null()


def broken_expr(rules: Sequence[RowRule]) -> "pl.Expr":
    """True for a row that breaks at least one rule whose severity is error."""
    import polars as pl

    return pl.any_horizontal(rule.where.fill_null(False) for rule in rules if rule.severity == "error")


def list_problems(
    rule: RowRule, found: Iterable[tuple[int, str]], count: int, *, file: str, heading: str
) -> list[Problem]:
    """A problem for each row found that breaks a rule, and one more that counts those which are not listed.

    found : row and what is there, PROBLEMS_A_RULE of them at most; count : of all rows that break the rule
    heading : of the rule's column, as the file prints it
    """
    listed = [Problem(file, row, heading, text, rule.expected, rule.code, rule.severity) for row, text in found]
    if count > len(listed):
        rest = f"{count - len(listed)} more rows like this"
        listed.append(Problem(file, None, heading, rest, rule.expected, rule.code, rule.severity))
    return listed
