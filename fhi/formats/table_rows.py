"""Rows of a framework table as texts by key, whatever the layout.

Knows which keys there are and how a number is written. Must not know which column holds which key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhi.formats.tables import ROW, Table
from fhi.nodes import Indicator

OWN_KEYS: Final = ("kind", "level", *Indicator.model_fields)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


@dataclass(frozen=True)
class Row:
    """One row of a framework table: its number, the kind of entry it makes, its texts by key, the headings by key."""

    number: int
    kind: str
    texts: Mapping[str, str]
    columns: Mapping[str, str]

    def place(self, file: str) -> str:
        """Where the row stands, for a message."""
        return f"{file} row {self.number} ({self.texts.get('code', 'without code')})"


def texts_of(table: Table, key_of: Mapping[str, str]) -> list[tuple[int, dict[str, str]]]:
    """Row number and texts by key of every row; empty cells and "NA" are left out. key_of: key by heading."""
    found = []
    for cells in table.frame.iter_rows(named=True):
        texts = {key: _text(cells[heading]) for heading, key in key_of.items() if cells[heading] is not None}
        found.append((cells[ROW], {key: text for key, text in texts.items() if text not in ("", "NA")}))
    return found


def _text(cell: object) -> str:
    """A cell as a person would write it: 2, not 2.0."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def number_of(text: str) -> float | str:
    """A text as the number it writes; anything else stays text, for its key to refuse."""
    if not _NUMBER.match(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number
