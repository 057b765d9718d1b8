"""The JSON contract of market data: one model a kind of row. Used to document the API, not to compute.

Field names are ASCII with units last; null means unknown or no trade, never zero.
"""

from datetime import date

from api.schemas import Row

__all__ = ["BarRow", "PeriodRow", "PointRow", "SeriesRow"]


class BarRow(Row):
    """One day of a market; vintage and method null for all together. Prices are those of listed trading."""

    market: str
    day: date
    vintage: int | None
    method: str | None
    open_fen_per_t: int | None
    high_fen_per_t: int | None
    low_fen_per_t: int | None
    close_fen_per_t: int | None
    listing_volume_t: int | None
    listing_value_fen: int | None
    block_volume_t: int | None
    block_value_fen: int | None
    auction_volume_t: int | None
    auction_value_fen: int | None
    volume_t: int
    value_fen: int | None
    vwap_cny_per_t: float | None
    block_share: float | None
    feed: str


class PeriodRow(Row):
    """One period and part of a market; vintage, method and product null where not kept apart, and the columns from
    currency on null where no currency is asked for, or with the reason in rate_note."""

    market: str
    period: str
    by: str
    vintage: int | None
    method: str | None
    product: str | None
    volume_t: int
    value_fen: int | None
    vwap_cny_per_t: float | None
    open_fen_per_t: int | None
    high_fen_per_t: int | None
    low_fen_per_t: int | None
    close_fen_per_t: int | None
    sessions: int
    calendar_sessions: int | None
    continuity: float | None
    returns: int
    realised_variance: float | None
    volatility_annual: float | None
    amihud_per_million_cny: float | None
    roll_spread_cny_per_t: float | None
    zero_return_share: float | None
    block_share: float | None
    block_discount_mean: float | None
    block_discount_median: float | None
    hhi_method: float | None
    hhi_vintage: float | None
    hhi_month: float | None
    first_day: date
    last_day: date
    feed: str
    currency: str | None
    value_in_currency: float | None
    vwap_in_currency_per_t: float | None
    rate: float | None
    rate_day: date | None
    rate_carried_forward: bool | None
    rate_note: str | None


class SeriesRow(Row):
    """One series that has figures, with its span."""

    series_id: str
    market: str
    measure: str
    vintage: int | None
    method: str | None
    unit: str
    currency: str | None
    frequency: str
    first: date
    last: date
    source: str


class PointRow(Row):
    """One day or period of a series; `day` is the day, or the first one of the period."""

    series_id: str
    period: str
    day: date
    value: float | None
    unit: str
    currency: str | None
    value_cny: float | None
    value_eur: float | None
    rate: float | None
    rate_day: date | None
    filled: bool
    source: str | None
    note: str | None
