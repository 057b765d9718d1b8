"""Rates of exchange as the user loaded them, beside the figures of a market.

Knows that rates are in the store and what a reader is told where there is none. Which rate belongs to a day is known to
`carbon.fx`: never one of the future.
"""

from typing import Final, Literal

import polars as pl
from sqlmodel import Session

from api.store import Store
from carbon.fx import MAX_AGE_DAYS, rates_on
from carbon.rates import read_rates
from carbon.units import cny_from_fen_expr

__all__ = ["CONVERTED", "NO_RATE", "Currency", "no_rate", "with_currency", "with_rates"]

Currency = Literal["EUR", "USD"]

CONVERTED: Final = pl.Schema(
    {
        "currency": pl.String(),
        **dict.fromkeys(("value_in_currency", "vwap_in_currency_per_t", "rate"), pl.Float64()),
        "rate_day": pl.Date(),
        "rate_carried_forward": pl.Boolean(),
        "rate_note": pl.String(),
    }
)
"""What `with_currency` adds."""


def no_rate(to: Currency) -> str:
    """What a reader is told where no rate to a currency may be used."""
    return f"no rate of {to} in the {MAX_AGE_DAYS} days up to this one is loaded: greenfin load rates FILE"


NO_RATE: Final = no_rate("EUR")


def with_rates(store: Store, rows: pl.DataFrame, day: str, currency: str, to: Currency = "EUR") -> pl.DataFrame:
    """Add rate (units of `to` for one unit of the currency, Float64), rate_day (Date) and note (String, null where a
    rate stands).

    day : name of the column that holds the day of each row
    """
    with Session(store.engine) as session:
        rates = read_rates(session, currency)
    found = rates_on(rows[day], rates, to=to, currency=currency)
    rated = pl.concat([rows, found.select("rate", "rate_day")], how="horizontal")
    return rated.with_columns(pl.when(pl.col("rate").is_null()).then(pl.lit(no_rate(to))).alias("note"))


def with_currency(store: Store, statistics: pl.DataFrame, to: Currency | None) -> pl.DataFrame:
    """Add the columns of `CONVERTED`: value and VWAP of each period in another currency; all null where none is asked.

    statistics : with value_fen, vwap_cny_per_t and last_day, such as `carbon.periods.market_statistics`
    rate : that of the period's last day with trades, as in the series, or the latest before it; rate_day : its own day,
    and rate_carried_forward says that it is of another day than the one it is used for. Without a rate the figures are
    null and rate_note says why; it is null too where there is no figure to convert.
    """
    if to is None:
        return statistics.with_columns(pl.lit(None, kind).alias(name) for name, kind in CONVERTED.items())
    rated = with_rates(store, statistics, "last_day", "CNY", to)
    is_known = pl.col("rate").is_not_null()
    has_figure = pl.any_horizontal(pl.col("value_fen", "vwap_cny_per_t").is_not_null())
    return rated.with_columns(
        pl.lit(to).alias("currency"),
        (cny_from_fen_expr("value_fen") * pl.col("rate")).alias("value_in_currency"),
        (pl.col("vwap_cny_per_t") * pl.col("rate")).alias("vwap_in_currency_per_t"),
        pl.when(is_known).then(pl.col("rate_day").ne_missing(pl.col("last_day"))).alias("rate_carried_forward"),
        pl.when(has_figure).then("note").alias("rate_note"),
    ).select(*statistics.columns, *(pl.col(name).cast(kind) for name, kind in CONVERTED.items()))
