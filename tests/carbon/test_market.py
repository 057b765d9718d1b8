from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.calendar import sessions_of_years
from carbon.formats import read_trades
from carbon.market import bars_schema, count_calendar_sessions, day_bars, summaries_schema, summarise
from carbon.rows import ALL, AUCTION, BLOCK, LISTING, empty_rows, rows_schema

MARCH = sessions_of_years([2022])


def row(day, method, volume_t, value_fen, *, close=None, product="CEA", feed="cneeex_daily", market="CEA"):
    values = dict.fromkeys(rows_schema()) | {"day": day, "market": market, "product": product, "method": method}
    return values | {"volume_t": volume_t, "value_fen": value_fen, "close_fen_per_t": close, "feed": feed, "file": "f"}


def frame(*rows):
    return pl.DataFrame(rows, schema=rows_schema())


MONDAY, TUESDAY, THURSDAY = date(2022, 3, 7), date(2022, 3, 8), date(2022, 3, 10)
WEEK = frame(
    row(MONDAY, LISTING, 1000, 5_000_000, close=5000),
    row(MONDAY, BLOCK, 100_000, 450_000_000),
    row(TUESDAY, LISTING, 2000, 11_000_000, close=5500),
    row(THURSDAY, AUCTION, 500, 2_500_000),
    row(THURSDAY, LISTING, 1000, 5_500_000, close=5500),
)


def test_bars_by_hand():
    bars = day_bars(WEEK)
    assert dict(bars.schema) == bars_schema()
    monday, _, thursday = bars.to_dicts()
    assert (monday["listing_volume_t"], monday["block_volume_t"], monday["auction_volume_t"]) == (1000, 100_000, 0)
    assert (monday["volume_t"], monday["value_fen"]) == (101_000, 455_000_000)
    assert (thursday["auction_value_fen"], thursday["close_fen_per_t"]) == (2_500_000, 5500)


def test_no_rows_no_bars():
    assert day_bars(empty_rows()).height == 0
    empty = summarise(day_bars(empty_rows()), by="year", sessions=MARCH)
    assert dict(empty.schema) == summaries_schema()
    assert empty.height == 0


def test_one_feed_a_day_and_the_exchange_comes_first():
    rows = frame(
        row(MONDAY, LISTING, 1000, 5_000_000, feed="crc_settlement", product="CEA21"),
        row(MONDAY, LISTING, 1000, 5_000_000, feed="crc_price", close=5000),
        row(MONDAY, LISTING, 1000, 5_000_000, feed="cneeex_daily", close=5001),
        row(TUESDAY, LISTING, 1000, 5_000_000, feed="crc_settlement", product="CEA21"),
        row(TUESDAY, LISTING, 3000, 9_000_000, feed="another_feed", product="CEA21"),
    )
    bars = day_bars(rows)
    assert bars["feed"].to_list() == ["cneeex_daily", "crc_settlement"]
    assert bars["volume_t"].to_list() == [1000, 1000]
    assert bars["close_fen_per_t"].to_list() == [5001, None]
    assert day_bars(rows, feeds=["another_feed"])["feed"].to_list() == ["cneeex_daily", "another_feed"]


def test_prices_are_those_of_the_product_with_the_most_tonnes():
    rows = frame(
        row(MONDAY, LISTING, 10, 30_000, close=3000, product="SZA-2014", market="Shenzhen"),
        row(MONDAY, LISTING, 90, 360_000, close=4000, product="SZA-2016", market="Shenzhen"),
    )
    assert day_bars(rows)["close_fen_per_t"].to_list() == [4000]


def test_methods_counted_together_leave_every_part_unknown():
    bar = {"product": "BEA", "feed": "exchange_beijing", "market": "Beijing"}
    rows = frame(row(MONDAY, ALL, 10, 50_000, **bar), row(TUESDAY, ALL, 30, 160_000, **bar))
    bars = day_bars(rows)
    parts = [name for name in bars.columns if name.startswith(("listing", "block", "auction"))]
    assert len(parts) == 6
    assert bars.select(parts).null_count().row(0) == (2,) * 6
    assert bars.select("volume_t", "value_fen").rows() == [(10, 50_000), (30, 160_000)]
    summary = summarise(bars, by="year", sessions=MARCH).row(0, named=True)
    assert (summary["volume_t"], summary["value_fen"], summary["sessions"]) == (40, 210_000, 2)
    assert summary["block_share"] is None


def test_a_feed_that_leaves_sessions_out_gives_a_lower_bound():
    pilot = {"product": "FJEA", "market": "Fujian"}
    rows = frame(
        row(MONDAY, ALL, 10, 30_000, feed="sceex_daily", **pilot),
        row(date(2023, 3, 7), ALL, 10, 30_000, feed="akshare_domestic", **pilot),
    )
    found = summarise(day_bars(rows), by="year", sessions=sessions_of_years([2022, 2023]))
    assert found.select("period", "coverage").rows() == [("2022", "lower_bound"), ("2023", "part_of_year")]


def test_rows_without_a_value_make_no_bar():
    hubei = {"product": "HBEA", "market": "Hubei"}
    rows = frame(
        row(MONDAY, LISTING, 10, None, close=3000, feed="akshare_hb", **hubei),
        row(TUESDAY, LISTING, 10, None, close=3000, feed="akshare_hb", **hubei),
        row(TUESDAY, LISTING, 10, 30_000, close=3000, feed="wind_daily", **hubei),
    )
    assert day_bars(rows).select("day", "value_fen").rows() == [(TUESDAY, 30_000)]


def test_screen_trades_leave_blocks_unknown():
    bars = day_bars(
        frame(row(MONDAY, LISTING, 10, 30_000, close=3000, product="HBEA", feed="wind_daily", market="Hubei"))
    )
    assert bars.select("block_volume_t", "block_value_fen", "auction_volume_t").row(0) == (None, None, None)
    assert summarise(bars, by="year", sessions=MARCH)["block_share"].to_list() == [None]


def test_a_month_by_hand():
    summary = summarise(day_bars(WEEK), by="month", sessions=MARCH, opened=date(2021, 7, 16)).row(0, named=True)
    assert (summary["period"], summary["volume_t"]) == ("2022-03", 1000 + 100_000 + 2000 + 500 + 1000)
    assert summary["vwap_cny_per_t"] == pytest.approx((50_000 + 4_500_000 + 110_000 + 25_000 + 55_000) / 104_500)
    assert (summary["sessions"], summary["calendar_sessions"]) == (3, 4)  # Monday to Thursday
    assert summary["continuity"] == 3 / 4
    assert summary["block_share"] == pytest.approx(100_000 / 104_500)
    assert (summary["last_close_fen_per_t"], summary["first_day"], summary["last_day"]) == (5500, MONDAY, THURSDAY)
    assert summary["coverage"] == "part_of_month"


def test_days_without_tonnes_are_no_sessions():
    rows = frame(row(MONDAY, LISTING, 10, 50_000, close=5000), row(TUESDAY, LISTING, 0, 0, close=6000))
    year = summarise(day_bars(rows), by="year", sessions=MARCH).row(0, named=True)
    assert (year["sessions"], year["last_close_fen_per_t"], year["last_day"]) == (1, 5000, MONDAY)


def test_a_day_set_apart_leaves_its_month_a_part_and_its_year_as_it_was():
    first, last = date(2022, 1, 4), date(2022, 12, 30)
    bars = day_bars(
        frame(*(row(day, LISTING, 10, 50_000, close=5000) for day in (first, MONDAY, TUESDAY, date(2022, 4, 1), last)))
    )
    months, years = (
        {
            one["period"]: one["coverage"]
            for one in summarise(bars, by=by, sessions=MARCH, set_apart=[TUESDAY, THURSDAY]).to_dicts()
        }
        for by in ("month", "year")
    )
    assert months == {"2022-01": "whole_month", "2022-03": "part_of_month", "2022-04": "whole_month"} | {
        "2022-12": "whole_month"
    }
    assert years == {"2022": "whole_year"}
    found = summarise(bars, by="month", sessions=MARCH, set_apart=[TUESDAY])
    assert set(found["coverage"]) == {"whole_month"}


def test_unknown_calendar_years_are_null():
    rows = frame(row(date(2099, 3, 2), LISTING, 10, 50_000, close=5000))
    year = summarise(day_bars(rows), by="year", sessions=MARCH).row(0, named=True)
    assert (year["calendar_sessions"], year["continuity"], year["coverage"]) == (None, None, "part_of_year")


def test_more_sessions_than_the_calendar_are_whole_continuity():
    saturday = date(2022, 3, 12)
    periods = pl.DataFrame(
        {
            "period_start": [date(2022, 1, 1)],
            "period_end": [date(2022, 12, 31)],
            "first_loaded": [saturday],
            "last_loaded": [saturday],
            "sessions": [1],
        }
    )
    counted = count_calendar_sessions(periods, MARCH).row(0, named=True)
    assert (counted["calendar_sessions"], counted["continuity"]) == (0, 1.0)


@pytest.fixture(scope="module")
def national_bars(national_file):
    return day_bars(read_trades(national_file, market="CEA")[1].rows)


def test_the_national_file_hits_the_official_cumulatives(outside_data, national_bars):
    official = pl.read_csv(outside_data / "facts" / "national_cea_cumulative_check.csv", infer_schema=False)
    inside = official.filter(pl.col("date").str.to_date() <= national_bars["day"].max())
    assert inside.height == 4
    for day, volume_t, value_cny in inside.select("date", "official_cum_volume_t", "official_cum_value_cny").rows():
        until = national_bars.filter(pl.col("day") <= date.fromisoformat(day))
        assert until["volume_t"].sum() == int(volume_t)
        assert until["value_fen"].sum() == int(value_cny.replace(".", ""))


def test_the_national_file_as_years(national_bars):
    years = summarise(
        national_bars, by="year", sessions=sessions_of_years([2021, 2022, 2023]), opened=date(2021, 7, 16)
    )
    assert years["volume_t"].to_list()[:2] == [178_789_350, 50_889_493]
    assert years["value_fen"].to_list()[:2] == [766_123_002_299, 281_400_469_428]
    assert years["sessions"].to_list() == [114, 242, 158]
    assert years["continuity"].to_list() == [1.0, 1.0, 1.0]
    assert years["coverage"].to_list() == ["whole_year", "whole_year", "part_of_year"]
    assert years["block_share"][0] == pytest.approx(0.8279, abs=5e-5)


AMOUNTS = st.tuples(
    st.dates(min_value=date(2021, 7, 16), max_value=date(2024, 12, 31)),
    st.sampled_from([LISTING, BLOCK, AUCTION]),
    st.integers(min_value=1, max_value=10**8),
    st.integers(min_value=1, max_value=10**12),
)


@settings(deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=40))
def test_months_add_up_to_years(amounts):
    rows = frame(
        *[
            row(day, method, volume, value, close=5000 if method == LISTING else None)
            for day, method, volume, value in amounts
        ]
    )
    bars = day_bars(rows)
    sessions = sessions_of_years(range(2021, 2025))
    months = summarise(bars, by="month", sessions=sessions)
    years = summarise(bars, by="year", sessions=sessions)
    added = months.group_by(pl.col("period").str.head(4)).agg(pl.col("volume_t", "value_fen", "sessions").sum())
    assert added.sort("period").rows() == years.select("period", "volume_t", "value_fen", "sessions").rows()
    assert years["volume_t"].sum() == rows["volume_t"].sum()
    assert years["continuity"].is_between(0, 1).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(AMOUNTS, min_size=1, max_size=20, unique_by=lambda amount: amount[:2]), st.randoms())
def test_bars_do_not_depend_on_the_order_of_rows(amounts, random):
    rows = [
        row(day, method, volume, value, close=5000 if method == LISTING else None)
        for day, method, volume, value in amounts
    ]
    shuffled = random.sample(rows, len(rows))
    assert day_bars(frame(*rows)).equals(day_bars(frame(*shuffled)))
