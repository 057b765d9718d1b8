"""Rates of exchange as the user loaded them, beside the figures of a market.

Knows that rates are in the store and what a reader is told where there is none. Which rate belongs to a day is known to
`carbon.fx`: never one of the future.
"""

from typing import Final

import polars as pl
from sqlmodel import Session

from api.store import Store
from carbon.fx import MAX_AGE_DAYS, rates_on
from carbon.rates import read_rates

__all__ = ["NO_RATE", "with_rates"]

NO_RATE: Final = f"no rate of EUR in the {MAX_AGE_DAYS} days up to this one is loaded: greenfin load rates FILE"


def with_rates(store: Store, rows: pl.DataFrame, day: str, currency: str) -> pl.DataFrame:
    """Add rate (EUR for one unit of the currency, Float64), rate_day (Date) and note (String, null where there is a
    rate).

    day : name of the column that holds the day of each row
    """
    with Session(store.engine) as session:
        rates = read_rates(session, currency)
    found = rates_on(rows[day], rates, to="EUR", currency=currency)
    rated = pl.concat([rows, found.select("rate", "rate_day")], how="horizontal")
    return rated.with_columns(pl.when(pl.col("rate").is_null()).then(pl.lit(NO_RATE)).alias("note"))
