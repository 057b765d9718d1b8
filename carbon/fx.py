"""Other currencies: figures in EUR or USD with the rate and its day beside them.

Knows how a rate is chosen and applied. Must not know where rates come from, files or SQL. The rate is the latest one
on or before the day, never one of a later day, and no older than the caller allows; without one the figure is null.
"""

from typing import TYPE_CHECKING

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MAX_AGE_DAYS", "UnknownCurrency", "convert", "rates_on"]

# A month and a holiday week: the longest pause of the national market is 10 days (C40).
MAX_AGE_DAYS = 31

_COLUMNS = {"EUR": "per_eur", "USD": "per_usd"}


class UnknownCurrency(CarbonError):
    """Figures can be given in EUR and USD only."""


def rates_on(
    days: "pl.Series", rates: "pl.DataFrame", *, to: str, currency: str = "CNY", max_age_days: int = MAX_AGE_DAYS
) -> "pl.DataFrame":
    """The rate that holds on each of some days.

    days : Date, any order, repeats and nulls allowed; rates : day, currency, per_eur, per_usd, source
    (`carbon.quotes.rates_schema`; further columns do not matter)
    to : EUR or USD; currency : that of the figures, for the same currency the rate is 1 on the day itself
    max_age_days : most days between the rate and the day it is used for, 0 or more
    Result, one row for each day in the order given: day, rate Float64 (units of `to` for one unit of the currency),
    rate_day Date, rate_age_days Int64, rate_source String; the last four null where no rate is young enough. Of several
    sources of one day the first by name is used.
    Raises UnknownCurrency for another target.
    """
    import polars as pl

    if to not in _COLUMNS:
        raise UnknownCurrency(f"found currency {to!r}, expected one of {', '.join(_COLUMNS)}")
    asked = days.cast(pl.Date).rename("day").to_frame()
    if currency == to:
        return _with_age(
            asked.with_columns(
                rate=pl.when(pl.col("day").is_not_null()).then(pl.lit(1.0)),
                rate_day=pl.col("day"),
                rate_source=pl.when(pl.col("day").is_not_null()).then(pl.lit("same currency")),
            )
        )
    known = (
        rates.filter((pl.col("currency") == currency) & (pl.col(_COLUMNS[to]) > 0) & pl.col("day").is_not_null())
        .sort("day", "source")
        .unique("day", keep="first", maintain_order=True)
        .select(
            pl.col("day").cast(pl.Date).alias("rate_day"),
            pl.col(_COLUMNS[to]).cast(pl.Float64).alias("rate"),
            pl.col("source").cast(pl.String).alias("rate_source"),
        )
        .sort("rate_day")
    )
    distinct = asked.drop_nulls().unique().sort("day")
    matched = distinct.join_asof(
        known, left_on="day", right_on="rate_day", strategy="backward", tolerance=f"{max_age_days}d", coalesce=False
    )
    return _with_age(asked.join(matched, on="day", how="left", maintain_order="left"))


def convert(
    figures: "pl.DataFrame",
    rates: "pl.DataFrame",
    *,
    column: str,
    result: str,
    to: str,
    currency: str = "CNY",
    day: str = "day",
    max_age_days: int = MAX_AGE_DAYS,
) -> "pl.DataFrame":
    """Figures of one column in another currency, with the rate and its day beside them.

    figures : any frame; column : amounts or prices in units of `currency` (not fen), day : their Date column
    result : name of the new column (Float64, column x rate); beside it rate, rate_day, rate_age_days and rate_source
    with the same name in front ("vwap_eur_per_t_rate"). A figure is null where the amount, the day or the rate is.
    Raises UnknownCurrency for a target other than EUR and USD.
    """
    import polars as pl

    found = rates_on(figures[day], rates, to=to, currency=currency, max_age_days=max_age_days)
    beside = found.drop("day").rename({name: f"{result}_{name}" for name in found.columns if name != "day"})
    joined = pl.concat([figures, beside], how="horizontal")
    converted = (pl.col(column).cast(pl.Float64) * pl.col(f"{result}_rate")).alias(result)
    return joined.with_columns(converted).select(*figures.columns, result, *beside.columns)


def _with_age(found: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    age = (pl.col("day") - pl.col("rate_day")).dt.total_days()
    return found.select("day", "rate", "rate_day", age.cast(pl.Int64).alias("rate_age_days"), "rate_source")
