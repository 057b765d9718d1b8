"""Ownership read from a file of links: who has which share of whom, from when to when.

Knows the headings and how wrong cells are told. Must not know what shares are used for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from carbon.errors import Problem
from carbon.formats.user_tables import read_cells

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OwnershipReading", "read_ownership"]

_NEEDED: Final = ("parent", "child", "share")
_OPTIONAL: Final = ("operational", "financial", "from", "to")
_YES: Final = ("yes", "true", "1", "是")
_NO: Final = ("no", "false", "0", "否")
_EXPECTED: Final = {
    "parent": "the code of an entity",
    "child": "the code of another entity",
    "share": "a number from 0 to 1",
    "operational": "yes or no",
    "financial": "yes or no",
    "from": "a day such as 2023-01-01",
    "to": "a day such as 2023-12-31, not before the first",
}


@dataclass(frozen=True)
class OwnershipReading:
    """Links of a file (`carbon.footprints.boundary.ownership_schema`) and what is wrong with its other rows."""

    links: "pl.DataFrame"
    problems: tuple[Problem, ...]


def read_ownership(path: Path) -> OwnershipReading:
    """Links of a CSV file with the headings parent, child, share and, where wanted, operational, financial (yes or no:
    does the parent control the child), from, to (days, included).

    Every wrong cell is reported; rows with one are left out. Columns that are not read are warned of.
    Raises UnreadableFile, FileTooLarge, and UnknownFormat where a heading is missing or stands twice.
    """
    import polars as pl

    read = read_cells(path, _NEEDED, _OPTIONAL)
    text = read.rows
    links = text.select(
        *("parent", "child"),
        pl.col("share").cast(pl.Float64, strict=False),
        *(_yes_no(name) for name in ("operational", "financial")),
        pl.col("from").str.to_date("%Y-%m-%d", strict=False).alias("first_day"),
        pl.col("to").str.to_date("%Y-%m-%d", strict=False).alias("last_day"),
        "row",
    )
    problems = [*read.problems, *_problems(text, links, path.name)]
    wrong = [problem.row for problem in problems if problem.row is not None]
    return OwnershipReading(links.filter(~pl.col("row").is_in(wrong)), tuple(problems))


def _yes_no(name: str) -> "pl.Expr":
    import polars as pl

    word = pl.col(name).str.to_lowercase()
    return pl.when(word.is_in(_YES)).then(True).when(word.is_in(_NO)).then(False).alias(name)


def _problems(text: "pl.DataFrame", links: "pl.DataFrame", file: str) -> list[Problem]:
    import polars as pl

    read = links.rename({"first_day": "from", "last_day": "to"}).drop("row").rename(lambda name: f"{name}_read")
    both = text.hstack(read)
    wrong = {name: pl.col(name).is_not_null() & pl.col(f"{name}_read").is_null() for name in _OPTIONAL}
    wrong |= {name: pl.col(name).is_null() for name in ("parent", "child")}
    wrong["child"] = wrong["child"] | (pl.col("parent") == pl.col("child"))
    wrong["share"] = ~pl.col("share_read").is_between(0, 1).fill_null(False)
    wrong["to"] = wrong["to"] | (pl.col("to_read") < pl.col("from_read"))
    found = [
        (row, name, cell)
        for name, where in wrong.items()
        for row, cell in both.filter(where.fill_null(False)).select("row", name).iter_rows()
    ]
    return [
        Problem(file, row, name, cell or "nothing", _EXPECTED[name], "unreadable_link", "error")
        for row, name, cell in sorted(found, key=lambda one: (one[0], one[1]))
    ]
