"""Cells of few persons taken out of totals before anybody sees them.

Knows which figures of a cell tell of persons and when there are too few of them. Must not know the lake, whose sums
stay whole, nor screens.

A cell is a city, month, activity and unit. One person's trips and kWh are personal data; so may be those of two or
three persons to whoever knows one of them. The number below which a cell is not shown is the caller's, five by default
in the commands.

**What this does not prevent (complementary disclosure).** Whoever has a total that includes a suppressed cell, and all
the other cells of that total, gets the cell by subtraction. No totals over cells are printed beside them for that
reason; who makes and publishes such totals has to take out a second cell of each, or publish the total without the
cells. The same holds for two answers: with two thresholds, or before and after another file was loaded, a cell that is
hidden in one and shown in the other tells what the difference is. A cell of many persons of whom one did nearly all of
it is shown: this counts persons and does not weigh them.
"""

from typing import TYPE_CHECKING, Final

from carbon.errors import CarbonError
from carbon.footprints.bulk.kernel import MOST_COUNTED

if TYPE_CHECKING:
    import polars as pl

__all__ = ["InvalidThreshold", "suppress_small_cells"]

_FIGURES: Final = (
    *("rows", "amount_milli", "amount", "persons", "activity_persons", "co2e_kg", "baseline_kg", "reduction_kg"),
)


class InvalidThreshold(CarbonError):
    """A number of persons that the sums cannot tell."""


def suppress_small_cells(totals: "pl.DataFrame", least: int) -> "pl.DataFrame":
    """The same rows with `suppressed` (Boolean) behind them; where it is true every figure is null.

    totals : `carbon.footprints.bulk.sums.totals_schema`, with `carbon.footprints.bulk.emissions.emissions_schema` or
    without; least : persons of a cell that is shown, 1 for all cells, MOST_COUNTED at most
    persons is of the city and month and so stands in every row of the month: it is null in suppressed rows, and told in
    the others of the month, each of which has at least as many persons. Raises InvalidThreshold.
    """
    import polars as pl

    if not 1 <= least <= MOST_COUNTED:
        raise InvalidThreshold(f"found {least} persons, expected a number from 1 to {MOST_COUNTED}")
    told = totals.with_columns(suppressed=pl.col("activity_persons") < least)
    figures = [name for name in _FIGURES if name in totals.columns]
    return told.with_columns(pl.when(~pl.col("suppressed")).then(name).alias(name) for name in figures)
