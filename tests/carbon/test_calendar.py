from datetime import date

import polars as pl
import pytest

from carbon.calendar import exchange_sessions, sessions_of_years


@pytest.mark.parametrize(("year", "sessions"), [(2022, 242), (2023, 242), (2025, 243)])
def test_sessions_a_year(year, sessions):
    assert exchange_sessions(year).len() == sessions


def test_holidays_and_working_weekends_are_no_sessions():
    days = set(exchange_sessions(2022))
    assert date(2022, 10, 3) not in days  # Monday, National Day
    assert date(2022, 10, 8) not in days  # Saturday worked in exchange
    assert date(2022, 9, 30) in days
    assert all(day.weekday() < 5 for day in days)


def test_unknown_years_are_null_and_add_nothing():
    assert exchange_sessions(1999) is None
    assert exchange_sessions(2999) is None
    assert sessions_of_years([2999, 2022]).equals(exchange_sessions(2022))
    assert sessions_of_years([]).dtype == pl.Date
    assert sessions_of_years([2023, 2022, 2022]).is_sorted()


def test_the_national_exchange_kept_to_it(national_file):
    printed = pl.read_csv(national_file)["日期"].str.to_date().unique().sort()
    sessions = sessions_of_years([2021, 2022, 2023])
    expected = sessions.filter(sessions.is_between(printed.min(), printed.max()))
    assert printed.to_list() == expected.to_list()
