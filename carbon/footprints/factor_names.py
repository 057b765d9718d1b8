"""Which names of factors there are: activities, series, parameters, gases and kinds.

Knows `factors_schema` and the table of series. Must not know regions, storage or how one factor is chosen. A name that
no factor has is a mistake of the one who asks: an empty answer would hide it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError
from carbon.footprints.factor_ranking import series_table
from carbon.footprints.schemas import MEASURED, PARAMETERS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NAMED", "UnknownFactorName", "check_names", "known_names"]

NAMED: Final = ("activity", "series", "parameter", "gas", "kind")
"""The columns of `factors_schema` whose names can be asked for."""


class UnknownFactorName(CarbonError):
    """No factor has this name. column : one of NAMED; found : the name; expected : the known ones."""

    def __init__(self, column: str, found: str, known: list[str]) -> None:
        self.column, self.found, self.expected = column, found, f"one of: {', '.join(known)}"
        super().__init__(f"{column}: found {found!r}, expected {self.expected}")


def known_names(factors: "pl.DataFrame", column: str) -> list[str]:
    """The names of one column, ascending; parameters and series that are defined count though no factor has them.

    factors : `factors_schema`; column : one of NAMED
    """
    defined = {"parameter": PARAMETERS, "series": (*series_table()["series"], MEASURED)}
    return sorted({*factors[column].drop_nulls().unique(), *defined.get(column, ())})


def check_names(factors: "pl.DataFrame", asked: Mapping[str, str | None]) -> None:
    """Refuse the first name that there is none of; null is not asked for.

    factors : `factors_schema`; asked : column of NAMED to name. Raises UnknownFactorName.
    """
    for column, name in asked.items():
        if name is not None and name not in (known := known_names(factors, column)):
            raise UnknownFactorName(column, name, known)
