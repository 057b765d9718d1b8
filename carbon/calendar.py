"""When the exchanges are open: Monday to Friday, public holidays apart.

Knows the published holiday calendar of China, by year. Must not know trades or today's date; a year that the calendar
does not know is null, never guessed. Extra weekend sessions that an exchange announces before a deadline are not in it.
"""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["exchange_sessions", "sessions_of_years"]

_FRIDAY = 5


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
