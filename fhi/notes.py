"""Notes: what a reader of a result must know, as values that every language can be written from.

Knows the shape of a note. Knows no language and no indicator.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One remark on a run.

    code: what kind of remark; subject: the node, market or group it is about; periods: those it holds for, none where
    it holds for all; detail: a figure or reason that belongs to it, as text.
    """

    code: str
    subject: str
    periods: tuple[str, ...] = ()
    detail: str | None = None

    def holds_for(self, period: str) -> bool:
        """Does it speak of this period?"""
        return not self.periods or period in self.periods
