"""Whether a new load holds about as many rows as the one before.

Knows two numbers of rows. Must not know files or registers.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from carbon.findings import findings_where, no_findings

if TYPE_CHECKING:
    import polars as pl

__all__ = ["check_not_fewer"]


def check_not_fewer(new_rows: int, previous_rows: int, share: float = 0.99) -> "pl.DataFrame":
    """A finding where a new load has fewer rows than a share of the last (check C43), for a cut-off download.

    new_rows, previous_rows : numbers of rows; share : from 0 to 1, taken as the decimal it is written as
    Result : findings, none or one of code "C43", without a row. Source: validate_data of carbonplan/offsets-db-data.
    Raises ValueError for negative numbers or a share outside 0 to 1.
    """
    import polars as pl

    if new_rows < 0 or previous_rows < 0 or not 0 <= share <= 1:
        raise ValueError(f"found {new_rows}, {previous_rows} and {share}, expected rows >= 0 and a share from 0 to 1")
    # The decimal 0.99 of 100 rows is 99; the binary float is a little more or less.
    least = Fraction(str(share)) * previous_rows
    if new_rows >= least:
        return no_findings()
    return findings_where(
        pl.DataFrame({"row": [None]}, schema={"row": pl.Int64}),
        pl.lit(True),
        code="C43",
        severity="error",
        column=None,
        found=pl.lit(f"{new_rows} rows"),
        expected=pl.lit(f"at least {float(least):g}, {share} of the {previous_rows} of the load before"),
    )
