"""What an act saved, and how much of it counts under the caps: whole grams, exactly.

Knows the formula reduction = (baseline - activity factor) x amount and the order in which caps are used up. Must not
know persons, consent or storage.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LARGEST_MILLI", "capped", "reduction_g_expr"]

LARGEST_MILLI: Final = 10**12
"""The largest amount of one record: a thousand million units, in thousandths."""
_UG_MILLI_PER_G: Final = 10**9


def reduction_g_expr() -> "pl.Expr":
    """Whole grams saved: (baseline_ug - activity_ug) x amount_milli, rounded down, never below zero.

    Columns: baseline_ug, activity_ug (micrograms of CO2e per unit), amount_milli (thousandths of the unit), Int64. The
    product is exact in 128 bits. Rounded down, so that no gram is credited that was not saved.
    """
    import polars as pl

    saved_ug = (pl.col("baseline_ug") - pl.col("activity_ug")).clip(0).cast(pl.Int128)
    return (saved_ug * pl.col("amount_milli").cast(pl.Int128) // _UG_MILLI_PER_G).cast(pl.Int64)


def capped(rows: "pl.DataFrame", used: "pl.DataFrame") -> "pl.DataFrame":
    """The grams of each row that count under the caps of a day and of a year, in the order of the rows.

    rows : account, method String, valid_from, day Date, reduction_g, cap_day_g, cap_year_g Int64 (null without cap)
    used : account, method, valid_from, day, credited_g: what was credited before
    A cap belongs to one row of a method (method, valid_from) and to one account: what was credited under another row
    does not count against it, nor what an erased account of the same person was (`erasure`: it cannot be known).
    Result : rows with credited_g, 0 <= credited_g <= reduction_g.
    """
    import polars as pl

    by_day = ["account", "method", "valid_from", "day"]
    by_year = ["account", "method", "valid_from", "year"]
    before = used.with_columns(pl.col("day").dt.year().alias("year"))
    of_day = before.group_by(by_day).agg(pl.col("credited_g").sum().alias("used_day_g"))
    of_year = before.group_by(by_year).agg(pl.col("credited_g").sum().alias("used_year_g"))
    left = (
        rows.with_columns(pl.col("day").dt.year().alias("year"))
        .join(of_day, on=by_day, how="left", maintain_order="left")
        .join(of_year, on=by_year, how="left", maintain_order="left")
    )
    return (
        left.with_columns(
            _part("reduction_g", pl.col("cap_day_g") - pl.col("used_day_g").fill_null(0), by_day, "within")
        )
        .with_columns(_part("within", pl.col("cap_year_g") - pl.col("used_year_g").fill_null(0), by_year, "credited_g"))
        .drop("within", "year", "used_day_g", "used_year_g")
    )


def _part(column: str, left_g: "pl.Expr", over: list[str], name: str) -> "pl.Expr":
    """What of a column still fits into what is left of a cap, row after row; all of it where there is no cap."""
    import polars as pl

    reached = pl.min_horizontal(pl.col(column).cum_sum().over(over), left_g.clip(0))
    fits = reached - reached.shift(1).over(over).fill_null(0)
    return pl.when(left_g.is_null()).then(pl.col(column)).otherwise(fits).alias(name)
