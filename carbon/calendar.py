"""When the exchanges are open: Monday to Friday, public holidays apart.

Knows the published holiday calendar of China, by year. Must not know trades or today's date; a year that the calendar
does not know is null, never guessed. Extra weekend sessions that an exchange announces before a deadline are not in it.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["exchange_sessions", "sessions_of_years"]

_SATURDAY = 5


def exchange_sessions(year: int) -> "pl.Series | None":
    """The session days of one year, ascending, as a Date series called `day`; null for a year not known.

    Source: `chinese_calendar` (State Council holiday notices). Working weekends are no sessions.
    """
    import chinese_calendar
    import polars as pl

    day, sessions = date(year, 1, 1), []
    while day.year == year:
        try:
            is_session = day.weekday() < _SATURDAY and not chinese_calendar.is_holiday(day)
        except NotImplementedError:
            return None
        if is_session:
            sessions.append(day)
        day += timedelta(days=1)
    return pl.Series("day", sessions, dtype=pl.Date)


def sessions_of_years(years: Iterable[int]) -> "pl.Series":
    """The session days of several years in one ascending Date series; years not known add nothing."""
    import polars as pl

    known = [sessions for year in sorted(set(years)) if (sessions := exchange_sessions(year)) is not None]
    return pl.concat([pl.Series("day", [], dtype=pl.Date), *known])
