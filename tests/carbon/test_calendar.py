from datetime import date

import polars as pl
import pytest

from carbon.calendar import (
    calendar_additions,
    exchange_sessions,
    is_session,
    market_sessions,
    sessions_of_years,
    trading_calendar,
)


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


def test_additions_are_sourced_and_change_something():
    additions = calendar_additions()
    assert additions.filter(pl.any_horizontal(pl.all().is_null())).is_empty()
    assert set(additions["kind"]) == {"extra_session", "closed"}
    assert set(additions["confidence"]) <= {"high", "medium", "low"}
    assert not additions.select("market", "day").is_duplicated().any()
    common = set(sessions_of_years(range(2013, 2026)))
    for day, kind in additions.select("day", "kind").iter_rows():
        assert (day in common) == (kind == "closed")


def test_extra_sessions_of_guangdong_are_its_own():
    sunday = date(2024, 7, 21)
    assert calendar_additions("Guangdong").filter(pl.col("kind") == "extra_session").height == 15
    assert sunday in set(market_sessions("Guangdong", [2024]))
    assert sunday not in set(market_sessions("Hubei", [2024]))
    # Four extra days in July 2024, one closed day in February.
    assert market_sessions("Guangdong", [2024]).len() == exchange_sessions(2024).len() + 4 - 1
    assert market_sessions("Guangdong", [2024]).is_sorted()


def test_every_day_of_a_year_has_a_reason():
    calendar = trading_calendar("CEA", [2024, 2999])
    assert calendar.height == 366
    by_reason = dict(calendar.group_by("reason").len().iter_rows())
    assert by_reason["closed"] == 1
    assert by_reason["weekday"] == exchange_sessions(2024).len() - 1
    assert by_reason["weekend"] == sum(day.weekday() >= 5 for day in calendar["day"])
    assert sum(by_reason.values()) == 366
    assert calendar.filter(pl.col("is_session")).height == by_reason["weekday"]


def test_days_are_told_apart_and_unknown_years_are_null():
    days = pl.DataFrame(
        {
            "market": ["Guangdong", "Hubei", "Hubei", "Hubei", None],
            "day": [date(2023, 7, 16), date(2023, 7, 16), date(2023, 7, 17), date(1999, 7, 16), date(2023, 7, 17)],
            "note": list("abcde"),
        }
    )
    told = is_session(days)
    assert told["note"].to_list() == list("abcde")
    assert told["is_session"].to_list() == [True, False, True, None, None]
    assert told["reason"].to_list() == ["extra_session", "weekend", "weekday", None, None]
    assert is_session(told).equals(told)
    assert is_session(days.clear()).schema == told.schema


def test_the_long_file_trades_on_the_additions_of_guangdong(market_files):
    rows = pl.read_csv(market_files / "cn_carbon_daily_best.csv.gz", infer_schema=False)
    traded = rows.filter((pl.col("market") == "Guangdong") & (pl.col("volume_t").cast(pl.Float64) > 0))
    days = traded.select("market", day=pl.col("date").str.to_date())
    outside = set(days.filter(~pl.col("day").is_in(sessions_of_years(range(2013, 2026)).implode()))["day"])
    listed = set(calendar_additions("Guangdong").filter(pl.col("kind") == "extra_session")["day"])
    assert outside == listed
    assert is_session(days)["is_session"].all()


def test_the_national_series_has_no_row_on_the_closed_day(market_files):
    rows = pl.read_csv(market_files / "cn_carbon_daily_best.csv.gz", infer_schema=False)
    printed = rows.filter(pl.col("market") == "CEA")["date"].str.to_date().unique().sort()
    sessions = market_sessions("CEA", range(2021, 2026))
    assert printed.to_list() == sessions.filter(sessions >= date(2021, 7, 16)).to_list()
