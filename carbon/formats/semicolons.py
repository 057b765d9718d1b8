"""Tables whose cells stand between semicolons, as spreadsheets write them where the comma is before the decimals.

Knows the separator. Must not know what any column means, nor whether a comma in a cell is one of thousands or of
decimals: whoever reads numbers refuses it there.
"""

import csv
import io

from carbon.errors import UnreadableFile

__all__ = ["comma_separated", "has_semicolons"]


def has_semicolons(text: str) -> bool:
    """Whether the first line of a file has semicolons and no comma."""
    first = text.split("\n", 1)[0]
    return ";" in first and "," not in first


def comma_separated(text: str, file: str) -> str:
    """The same table with commas between its cells, a line a line; cells with a comma are quoted.

    text : as `has_semicolons` knows it; file : to print in errors. Raises UnreadableFile where the quotes do not match.
    """
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    try:
        writer.writerows(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    except csv.Error as error:
        raise UnreadableFile(f"found {file}: {error}; expected cells between semicolons") from error
    return made.getvalue()
