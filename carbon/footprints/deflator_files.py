"""Price indices of cities read from a file, to turn GDP at current prices into GDP at constant prices.

Knows the headings and how wrong cells are told. Must not know what the indices are used for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError, Problem
from carbon.formats.user_tables import read_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DeflatorReading", "InvalidDeflators", "read_deflators"]

_NEEDED: Final = ("year", "deflator")
_EXPECTED: Final = {
    "year": "a year such as 2019",
    "deflator": "a number above zero",
    "twice": "one deflator a city and year",
}
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


class InvalidDeflators(CarbonError):
    """A file of deflators without any that can be used."""


@dataclass(frozen=True)
class DeflatorReading:
    """Good rows (hub String, null where the file names no city; year Int32, deflator Float64, row Int64: of the file)
    and what is wrong with the others."""

    rows: "pl.DataFrame"
    problems: tuple[Problem, ...]


def read_deflators(path: Path) -> DeflatorReading:
    """Deflators of a CSV file with the headings year, deflator (an index of prices to any base) and, where it holds
    several cities, hub.

    Every wrong cell is reported and its row left out; of two rows of a city and year both are left out. Columns that
    are not read are warned of.
    Raises UnreadableFile, FileTooLarge, and UnknownFormat where a heading is missing or stands twice.
    """
    import polars as pl

    cells = read_cells(path, _NEEDED, ("hub",))
    read = cells.rows.select(
        "hub",
        *(pl.col(name).alias(f"{name}_found") for name in _NEEDED),
        pl.col("year").cast(pl.Int32, strict=False),
        pl.col("deflator").cast(pl.Float64, strict=False),
        "row",
    )
    wrong = {
        "year": ~pl.col("year").is_between(_FIRST_YEAR, _LAST_YEAR).fill_null(False),
        "deflator": ~((pl.col("deflator") > 0) & pl.col("deflator").is_finite()).fill_null(False),
    }
    problems = [
        Problem(path.name, row, name, cell or "nothing", _EXPECTED[name], "unreadable_deflator", "error")
        for name, where in wrong.items()
        for row, cell in read.filter(where).select("row", f"{name}_found").iter_rows()
    ]
    good = read.filter(~pl.any_horizontal(wrong.values()))
    twice = pl.struct("hub", "year").is_duplicated()
    problems += [
        Problem(path.name, row, "year", str(year), _EXPECTED["twice"], "duplicate_deflator", "error")
        for row, year in good.filter(twice).select("row", "year").iter_rows()
    ]
    told = sorted([*cells.problems, *problems], key=lambda problem: (problem.row or 0, problem.column or ""))
    return DeflatorReading(good.filter(~twice).select("hub", "year", "deflator", "row"), tuple(told))
