"""What is made of the kernel's sums: totals of cities by month and activity, in the words and units of the files.

Knows how sums of parts are put together. Must not know files, tables, engines or factors.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbon.footprints.bulk.kernel import sums_schema
from carbon.footprints.bulk.records import MILLI

if TYPE_CHECKING:
    import polars as pl

__all__ = ["combine", "totals_schema"]


def totals_schema() -> "dict[str, type[pl.DataType]]":
    """Columns of `combine`.

    hub; month String, 2024-01; activity, unit String; rows Int64; amount_milli Int64, exact, in thousandths of the
    unit; amount Float64, in the unit; persons Int64: different persons of the city and month, whatever they did: the
    same in every row of the month, never to be added up; activity_persons Int64: different persons of the row itself,
    counted up to `carbon.footprints.bulk.kernel.MOST_COUNTED`
    """
    import polars as pl

    return {
        **dict.fromkeys(("hub", "month", "activity", "unit"), pl.String),
        **{"rows": pl.Int64, "amount_milli": pl.Int64, "amount": pl.Float64},
        **dict.fromkeys(("persons", "activity_persons"), pl.Int64),
    }


def combine(parts: "Sequence[pl.DataFrame]", words: "pl.DataFrame") -> "pl.DataFrame":
    """One row a city, month, activity and unit with rows, ascending, in `totals_schema`.

    parts : of `sum_part`, in any order, each city and year once; words : `words_schema`, every code of the parts
    """
    import polars as pl

    sums = pl.concat(parts) if parts else pl.DataFrame(schema=sums_schema())
    told = sums.join(words, on="activity", how="left").select(
        "hub",
        pl.col("month").dt.strftime("%Y-%m"),
        pl.col("name").alias("activity"),
        *("unit", "rows", "amount_milli", (pl.col("amount_milli").cast(pl.Float64) / MILLI).alias("amount")),
        *("persons", "activity_persons"),
    )
    return told.sort("hub", "month", "activity", "unit")
