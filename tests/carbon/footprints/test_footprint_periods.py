from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.periods import PERIOD_LEVELS, first_day_expr, last_day_expr, period_expr, periods_of


def spans(*texts):
    return periods_of(pl.Series(list(texts), dtype=pl.String)).sort("text")


@pytest.mark.parametrize(
    ("text", "period", "first", "last", "level"),
    [
        ("2023", "2023", date(2023, 1, 1), date(2023, 12, 31), "year"),
        ("2023年", "2023", date(2023, 1, 1), date(2023, 12, 31), "year"),
        ("2023-Q3", "2023-Q3", date(2023, 7, 1), date(2023, 9, 30), "quarter"),
        ("2023q1", "2023-Q1", date(2023, 1, 1), date(2023, 3, 31), "quarter"),
        ("2023年第4季度", "2023-Q4", date(2023, 10, 1), date(2023, 12, 31), "quarter"),
        ("2024-02", "2024-02", date(2024, 2, 1), date(2024, 2, 29), "month"),
        ("2023年6月", "2023-06", date(2023, 6, 1), date(2023, 6, 30), "month"),
        (" 2023/6/30 ", "2023-06-30", date(2023, 6, 30), date(2023, 6, 30), "day"),
        ("2023年6月30日", "2023-06-30", date(2023, 6, 30), date(2023, 6, 30), "day"),
        ("2023-06-30 00:00:00", "2023-06-30", date(2023, 6, 30), date(2023, 6, 30), "day"),
    ],
)
def test_what_a_period_spans(text, period, first, last, level):
    assert spans(text).row(0) == (text, period, level, first, last)


NO_PERIODS = [
    *("", "abc", "23", "1989", "2101", "2023-13", "2023-Q5", "2023-02-29", "2023-6-31", "2023.1", "20230630"),
    *("2023-06-30 12:00:00", "2023/2024", "２０２３"),
]


@pytest.mark.parametrize("text", NO_PERIODS)
def test_what_is_no_period(text):
    assert spans(text).row(0) == (text, None, None, None, None)


def test_nothing_is_no_period():
    assert spans(None, None).height == 0


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)), st.sampled_from(PERIOD_LEVELS))
def test_a_day_lies_in_each_of_its_periods(day, level):
    quarter = (day.month - 1) // 3 + 1
    written = {
        "year": f"{day.year}",
        "quarter": f"{day.year}-Q{quarter}",
        "month": f"{day.year}-{day.month:02}",
        "day": day.isoformat(),
    }[level]
    frame = pl.DataFrame({"period": [written]}).select(
        again=period_expr(pl.col("period")),
        first=first_day_expr(pl.col("period")),
        last=last_day_expr(pl.col("period")),
    )
    again, first, last = frame.row(0)
    assert again == written
    assert first <= day <= last
    lengths = {"year": (365, 366), "quarter": (90, 91, 92), "month": (28, 29, 30, 31), "day": (1,)}
    assert (last - first).days + 1 in lengths[level]
    following = last + timedelta(days=1)
    assert following.day == 1 or level == "day"
