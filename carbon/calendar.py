"""When the exchanges are open: Monday to Friday, public holidays apart, and the days on which a market differed.

Knows the published holiday calendar of China, by year, and the additions of `carbon/data/calendar_additions.csv`: extra
weekend sessions before a deadline and closed days, each with where it was seen. Must not know trades or today's date;
a year that the calendar does not know is null, never guessed.
"""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "calendar_additions",
    "exchange_sessions",
    "is_session",
    "market_sessions",
    "sessions_of_years",
    "trading_calendar",
]

_FRIDAY = 5
_EXTRA, _CLOSED = "extra_session", "closed"


@cache
def exchange_sessions(year: int) -> "pl.Series | None":
    """The session days of one year, ascending, as a Date series called `day`; null for a year not known.

    Source: `chinese_calendar` (State Council holiday notices). Working weekends are no sessions.
    """
    import chinese_calendar
    import polars as pl

    first, last = date(year, 1, 1), date(year, 12, 31)
    try:
        holidays = chinese_calendar.get_holidays(first, last, include_weekends=False)
    except NotImplementedError:
        return None
    days = pl.date_range(first, last, eager=True).alias("day")
    return days.filter((days.dt.weekday() <= _FRIDAY) & ~days.is_in(holidays))


def sessions_of_years(years: Iterable[int]) -> "pl.Series":
    """The session days of several years in one ascending Date series; years not known add nothing."""
    import polars as pl

    known = [sessions for year in sorted(set(years)) if (sessions := exchange_sessions(year)) is not None]
    return pl.concat([pl.Series("day", [], dtype=pl.Date), *known])


def calendar_additions(market: str | None = None) -> "pl.DataFrame":
    """The days on which a market differed from the common calendar: market, day, kind (extra_session or closed),
    seen_in (the figures that show it), confidence (high, medium, low).

    market : market key; null gives those of all markets. A day that only one unofficial feed shows is not among them.
    """
    from importlib.resources import files

    import polars as pl

    schema = dict.fromkeys(["market", "day", "kind", "seen_in", "confidence"], pl.String)
    text = files("carbon").joinpath("data", "calendar_additions.csv").read_bytes()
    additions = pl.read_csv(text, schema=schema).with_columns(pl.col("day").str.to_date("%Y-%m-%d"))
    return additions if market is None else additions.filter(pl.col("market") == market)


def trading_calendar(market: str, years: Iterable[int]) -> "pl.DataFrame":
    """Every calendar day of the years that are known, ascending, and whether the market was open on it.

    Columns: market String, day Date, is_session Boolean, reason String (weekday, weekend, holiday, extra_session,
    closed), seen_in String (for an addition), confidence String: high for the notices of the State Council, that of the
    addition on other days. Years that the holiday calendar does not know have no rows.
    """
    import polars as pl

    wanted = sorted(set(years))
    common = sessions_of_years(wanted)
    known = sorted(set(common.dt.year().to_list()))
    empty = pl.Series("day", [], dtype=pl.Date)
    days = pl.concat([empty, *(pl.date_range(date(y, 1, 1), date(y, 12, 31), eager=True).alias("day") for y in known)])
    is_weekend = pl.col("day").dt.weekday() > _FRIDAY
    usual = pl.when(pl.col("day").is_in(common.implode())).then(pl.lit("weekday"))
    additions = calendar_additions(market).drop("market")
    dated = days.to_frame().join(additions, on="day", how="left", maintain_order="left")
    reason = pl.coalesce("kind", usual, pl.when(is_weekend).then(pl.lit("weekend")).otherwise(pl.lit("holiday")))
    return dated.select(
        pl.lit(market).alias("market"),
        "day",
        reason.is_in(["weekday", _EXTRA]).alias("is_session"),
        reason.alias("reason"),
        "seen_in",
        pl.col("confidence").fill_null("high"),
    )


def market_sessions(market: str, years: Iterable[int]) -> "pl.Series":
    """The session days of one market, additions included, as one ascending Date series called `day`.

    market : market key; years : those not known add nothing.
    """
    calendar = trading_calendar(market, years)
    return calendar.filter(calendar["is_session"])["day"]


def is_session(days: "pl.DataFrame") -> "pl.DataFrame":
    """Whether each market was open on each day.

    days : a frame with market String and day Date, nulls allowed; further columns stay
    Result : the same rows in their order, with is_session Boolean (null where the calendar does not know the year) and
    reason String (see `trading_calendar`), replacing columns of these names.
    """
    import polars as pl

    asked = days.drop("is_session", "reason", strict=False)
    years = asked["day"].dt.year().drop_nulls().unique().to_list()
    markets = asked["market"].drop_nulls().unique(maintain_order=True).to_list()
    empty = trading_calendar("", [])
    calendars = pl.concat([empty, *(trading_calendar(market, years) for market in markets)])
    known = calendars.select("market", "day", "is_session", "reason")
    return asked.join(known, on=["market", "day"], how="left", maintain_order="left")
