"""Other currencies: figures in EUR or USD with the rate and its day beside them.

Knows how a rate is chosen and applied, and the words by which a source says that it printed an old rate again. Must
not know where rates come from, files or SQL. The rate is the latest one on or before the day, never one of a later day,
and no older than the caller allows; without one the figure is null. A rate that was carried forward is as old as the
one it repeats.
"""

from typing import TYPE_CHECKING

from carbon.errors import CarbonError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MAX_AGE_DAYS", "UnknownCurrency", "convert", "rates_on"]

# A month and a holiday week: the longest pause of the national market is 10 days (C40).
MAX_AGE_DAYS = 31

_COLUMNS = {"EUR": "per_eur", "USD": "per_usd"}

_CARRIED = "carried forward"
_SINCE = r"carried forward since (\d{4}-\d{2})\b"


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
    sources of one day the first by name is used, and one that is of that day before one that was carried forward.
    A rate whose source says "carried forward since 2024-02" is of the last day of that month (it is one for the whole
    month), and its age counts from there; where the source does not say since when, rate_day and age are null.
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
    known = _known_rates(rates, currency, _COLUMNS[to])
    distinct = asked.drop_nulls().unique().sort("day")
    matched = distinct.join_asof(
        known, left_on="day", right_on="from_day", strategy="backward", tolerance=f"{max_age_days}d", coalesce=False
    ).drop("from_day")
    return _with_age(asked.join(matched, on="day", how="left", maintain_order="left"))


def _known_rates(rates: "pl.DataFrame", currency: str, column: str) -> "pl.DataFrame":
    """The rates of a currency, one a day: from_day (sorted), rate_day (null where nobody says), rate, rate_source."""
    import polars as pl

    day, source = pl.col("day").cast(pl.Date), pl.col("source").cast(pl.String)
    is_carried = source.str.contains(_CARRIED, literal=True).fill_null(False)
    month_end = (source.str.extract(_SINCE) + "-01").str.to_date("%Y-%m-%d", strict=False).dt.month_end()
    of_day = pl.when(is_carried).then(pl.min_horizontal(month_end, pl.when(month_end.is_not_null()).then(day)))
    return (
        rates.filter((pl.col("currency") == currency) & (pl.col(column) > 0) & pl.col("day").is_not_null())
        .select(
            of_day.otherwise(day).alias("rate_day"),
            day.alias("printed"),
            pl.col(column).cast(pl.Float64).alias("rate"),
            source.alias("rate_source"),
            is_carried.alias("carried"),
        )
        .with_columns(from_day=pl.coalesce("rate_day", "printed"))
        .sort("from_day", "carried", "rate_source", "printed")
        .unique("from_day", keep="first", maintain_order=True)
        .select("from_day", "rate_day", "rate", "rate_source")
        .sort("from_day")
    )


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
