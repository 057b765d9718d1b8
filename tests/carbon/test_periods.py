import math
from datetime import date, timedelta

import polars as pl
import pytest

from carbon.calendar import market_sessions, sessions_of_years
from carbon.listed import listed_days, traded_rows
from carbon.market import day_bars
from carbon.periods import UnknownBreakdown, market_statistics, statistics_schema
from carbon.rows import ALL, AUCTION, BLOCK, LISTING, empty_rows, rows_schema


def row(day, method, volume_t, value_fen, *, close=None, product="CEA", feed="cneeex_daily", market="CEA", **prices):
    values = dict.fromkeys(rows_schema()) | {"day": day, "market": market, "product": product, "method": method}
    values |= {"volume_t": volume_t, "value_fen": value_fen, "close_fen_per_t": close, "feed": feed, "file": "f"}
    return values | {f"{name}_fen_per_t": price for name, price in prices.items()}


def frame(*rows):
    return pl.DataFrame(rows, schema=rows_schema())


MONDAY, TUESDAY, THURSDAY, NEXT = date(2022, 3, 28), date(2022, 3, 29), date(2022, 3, 31), date(2022, 4, 1)
SPRING = frame(
    row(MONDAY, LISTING, 1000, 5_000_000, close=5000, open=4900, high=5100, low=4800),
    row(MONDAY, BLOCK, 100_000, 450_000_000),
    row(TUESDAY, LISTING, 2000, 11_000_000, close=5500, open=5000, high=5600, low=5000),
    row(TUESDAY, BLOCK, 10_000, 45_000_000),
    row(THURSDAY, AUCTION, 500, 2_500_000),
    row(THURSDAY, BLOCK, 30_000, 132_000_000, product="CEA21"),
    row(THURSDAY, BLOCK, 20_000, 93_500_000),
    row(THURSDAY, LISTING, 1000, 5_400_000, close=5400, open=5500, high=5500, low=5300),
    row(NEXT, LISTING, 500, 2_700_000, close=5400, open=5400, high=5400, low=5400),
)


def test_months_by_hand():
    march, april = market_statistics(SPRING, by="month").to_dicts()
    assert (march["period"], april["period"], march["by"]) == ("2022-03", "2022-04", "month")
    volume_t = 1000 + 100_000 + 2000 + 10_000 + 500 + 30_000 + 20_000 + 1000
    value_cny = 50_000 + 4_500_000 + 110_000 + 450_000 + 25_000 + 1_320_000 + 935_000 + 54_000
    assert (march["volume_t"], march["value_fen"]) == (volume_t, value_cny * 100)
    assert march["vwap_cny_per_t"] == pytest.approx(value_cny / volume_t)
    prices = [march[f"{name}_fen_per_t"] for name in ("open", "high", "low", "close")]
    assert prices == [4900, 5600, 4800, 5400]
    assert (march["sessions"], march["calendar_sessions"], march["continuity"]) == (3, 4, 3 / 4)
    moves = [math.log(55 / 50), math.log(54 / 55)]
    assert (march["returns"], april["returns"]) == (2, 1)
    assert march["realised_variance"] == pytest.approx(moves[0] ** 2 + moves[1] ** 2)
    spread = abs(moves[0] - moves[1]) / math.sqrt(2)
    assert march["volatility_annual"] == pytest.approx(spread * math.sqrt(252))
    assert march["amihud_per_million_cny"] == pytest.approx((moves[0] / 0.11 - moves[1] / 0.054) / 2)
    assert (march["zero_return_share"], april["zero_return_share"]) == (0, 1)
    assert march["block_share"] == pytest.approx((100_000 + 10_000 + 30_000 + 20_000) / volume_t)
    # Blocks of Tuesday at 45 and of Thursday at 46.75; nothing was listed before Monday's, and CEA21 never was.
    discounts = [45 / 50 - 1, 46.75 / 55 - 1]
    assert march["block_discount_mean"] == pytest.approx(sum(discounts) / 2)
    assert march["block_discount_median"] == pytest.approx(sum(discounts) / 2)
    assert march["hhi_method"] == pytest.approx((4000**2 + 160_000**2 + 500**2) / volume_t**2)
    assert (march["hhi_vintage"], march["hhi_month"]) == (None, 1)
    assert (march["first_day"], march["last_day"], march["feed"]) == (MONDAY, THURSDAY, "cneeex_daily")
    assert (april["volatility_annual"], april["roll_spread_cny_per_t"], april["block_discount_mean"]) == (None,) * 3


def test_roll_by_hand_over_the_border_of_months():
    closes = {date(2022, 3, 29): 5000, date(2022, 3, 30): 5200, date(2022, 3, 31): 5100, date(2022, 4, 1): 5400}
    closes[date(2022, 4, 6)] = 5300
    rows = frame(*[row(day, LISTING, 10, 50_000, close=close) for day, close in closes.items()])
    # Changes 2, -1, 3, -1: pairs (change, the one before) are (-1, 2) in March and (3, -1), (-1, 3) in April.
    march, april = market_statistics(rows, by="month").to_dicts()
    assert march["roll_spread_cny_per_t"] is None
    covariance = (3 - 1) * (-1 - 1) + (-1 - 1) * (3 - 1)
    assert april["roll_spread_cny_per_t"] == pytest.approx(2 * math.sqrt(-covariance))
    rising = frame(*[row(MONDAY + timedelta(days=n), LISTING, 1, 1, close=1000 * 2**n) for n in range(5)])
    assert market_statistics(rising, by="all")["roll_spread_cny_per_t"].to_list() == [None]


@pytest.mark.parametrize(
    ("by", "periods"),
    [
        ("day", ["2022-03-28", "2022-03-29", "2022-03-31", "2022-04-01"]),
        ("month", ["2022-03", "2022-04"]),
        ("quarter", ["2022Q1", "2022Q2"]),
        ("year", ["2022"]),
        ("all", ["all"]),
    ],
)
def test_names_of_periods(by, periods):
    found = market_statistics(SPRING, by=by)
    assert found["period"].to_list() == periods
    assert set(found["by"]) == {by}
    assert dict(found.schema) == statistics_schema()


def test_no_rows_no_periods():
    empty = market_statistics(empty_rows(), by="month", split=["vintage", "method", "product"])
    assert dict(empty.schema) == statistics_schema()
    assert empty.height == 0
    quiet = frame(row(MONDAY, LISTING, 0, 0, close=5000))
    assert market_statistics(quiet, by="month").height == 0


def test_parts_by_method():
    parts = market_statistics(SPRING, by="quarter", split=["method"]).filter(pl.col("period") == "2022Q1")
    auction, block, listing = parts.to_dicts()
    assert [part["method"] for part in (auction, block, listing)] == ["auction", "block", "listing"]
    assert (auction["volume_t"], block["volume_t"], listing["volume_t"]) == (500, 160_000, 4000)
    assert (block["close_fen_per_t"], block["returns"], block["volatility_annual"]) == (None, 0, None)
    assert (listing["close_fen_per_t"], listing["returns"]) == (5400, 2)
    assert block["block_discount_median"] == pytest.approx((45 / 50 + 46.75 / 55) / 2 - 1)
    assert (listing["block_discount_mean"], auction["block_discount_mean"]) == (None, None)
    assert (listing["sessions"], auction["sessions"], auction["continuity"]) == (3, 1, 1 / 4)


VINTAGES = frame(
    row(MONDAY, LISTING, 10, 30_000, close=3000, product="SZA-2014", market="Shenzhen"),
    row(MONDAY, LISTING, 90, 360_000, close=4000, product="SZA-2016", market="Shenzhen"),
    row(TUESDAY, LISTING, 50, 155_000, close=3100, product="SZA-2014", market="Shenzhen"),
    row(TUESDAY, LISTING, 20, 84_000, close=4200, product="SZA-2016", market="Shenzhen"),
    row(TUESDAY, BLOCK, 30, 114_000, product="SZA-2016", market="Shenzhen"),
)


def test_each_vintage_has_a_price_of_its_own():
    old, new = market_statistics(VINTAGES, by="all", split=["vintage"]).to_dicts()
    assert (old["vintage"], new["vintage"]) == (2014, 2016)
    assert (old["close_fen_per_t"], new["close_fen_per_t"]) == (3100, 4200)
    assert old["realised_variance"] == pytest.approx(math.log(31 / 30) ** 2)
    assert new["realised_variance"] == pytest.approx(math.log(42 / 40) ** 2)
    assert new["block_discount_mean"] == pytest.approx(38 / 40 - 1)
    late = VINTAGES.filter((pl.col("day") == TUESDAY) | (pl.col("product") == "SZA-2016"))
    for by in ("month", "all"):
        vintages = market_statistics(late, by=by, split=["vintage"])
        assert vintages.select("vintage", "sessions", "calendar_sessions").rows() == [(2014, 1, 2), (2016, 2, 2)]
    by_product = market_statistics(VINTAGES, by="all", split=["product"])
    assert by_product["product"].to_list() == ["SZA-2014", "SZA-2016"]
    assert by_product["vintage"].to_list() == [None, None]


def test_rows_without_a_vintage_keep_their_measures():
    whole, parts = (market_statistics(SPRING, by="all", split=split) for split in ([], ["vintage"]))
    assert parts["vintage"].to_list() == [2021, None]
    listed = ("close_fen_per_t", "returns", "realised_variance", "amihud_per_million_cny", "zero_return_share")
    assert parts.select(listed).row(1) == whole.select(listed).row(0)
    assert parts["block_discount_mean"].to_list() == [None, pytest.approx((45 / 50 + 46.75 / 55) / 2 - 1)]


def test_together_the_price_is_that_of_the_product_with_the_most_tonnes():
    both = market_statistics(VINTAGES, by="all").row(0, named=True)
    assert (both["vintage"], both["close_fen_per_t"]) == (None, 3100)
    # From 40 for one vintage to 31 for another is no return.
    assert (both["returns"], both["realised_variance"], both["volatility_annual"]) == (0, None, None)
    assert both["block_discount_mean"] == pytest.approx(38 / 40 - 1)
    assert both["hhi_vintage"] == pytest.approx((60 / 200) ** 2 + (140 / 200) ** 2)
    closes = listed_days(traded_rows(VINTAGES))["close_fen_per_t"].to_list()
    assert closes == day_bars(VINTAGES)["close_fen_per_t"].to_list() == [4000, 3100]


def test_price_changes_are_those_of_one_product():
    leads = [("SZA-2014", 3000), ("SZA-2014", 3300), ("SZA-2016", 4000), ("SZA-2016", 4400), ("SZA-2016", 4000)]
    leads += [("SZA-2016", 4200), ("SZA-2014", 3000)]
    days = [MONDAY + timedelta(days=n) for n in range(len(leads))]
    rows = frame(
        *[row(day, LISTING, 1, 1, close=close, product=name) for day, (name, close) in zip(days, leads, strict=True)]
    )
    listed = listed_days(traded_rows(rows))
    assert listed["listed_product"].to_list() == [name for name, _ in leads]
    assert listed["change_cny_per_t"].to_list() == [None, 3, None, 4, -4, 2, None]
    assert listed["change_before_cny_per_t"].to_list() == [None, None, 3, None, 4, -4, 2]
    whole = market_statistics(rows, by="all").row(0, named=True)
    moves = [math.log(ratio) for ratio in (33 / 30, 44 / 40, 40 / 44, 42 / 40)]
    assert whole["returns"] == 4
    assert whole["realised_variance"] == pytest.approx(sum(move**2 for move in moves))
    # Pairs of neighbouring changes: (-4, 4) and (2, -4).
    covariance = (-4 - -1) * (4 - 0) + (2 - -1) * (-4 - 0)
    assert whole["roll_spread_cny_per_t"] == pytest.approx(2 * math.sqrt(-covariance))


def test_methods_together_leave_blocks_unknown():
    rows = frame(
        row(MONDAY, ALL, 10, 30_000, close=3000, product="FJEA", feed="some_feed", market="Fujian"),
        row(TUESDAY, ALL, 10, 33_000, close=3300, product="FJEA", feed="some_feed", market="Fujian"),
    )
    whole = market_statistics(rows, by="all").row(0, named=True)
    assert (whole["volume_t"], whole["close_fen_per_t"], whole["returns"]) == (20, 3300, 0)
    unknown = ("block_share", "hhi_method", "realised_variance", "amihud_per_million_cny", "block_discount_mean")
    assert [whole[name] for name in unknown] == [None] * 5
    assert market_statistics(rows, by="all", split=["method"])["method"].to_list() == ["all"]


def test_days_of_all_methods_together_stand_outside_the_returns():
    closes = [(MONDAY, 3000), (TUESDAY, 3300), (THURSDAY, 3600)]
    listed = frame(*[row(day, LISTING, 10, 33_000, close=close, product="BEA") for day, close in closes])
    assert market_statistics(listed, by="all")["returns"].to_list() == [2]
    for mixed in (
        frame(*listed.to_dicts(), row(TUESDAY, ALL, 5, 10_000, product="BEA-X")),
        frame(*listed.to_dicts()[::2], row(TUESDAY, ALL, 10, 33_000, close=3300, product="BEA")),
    ):
        whole = market_statistics(mixed, by="all").row(0, named=True)
        assert whole["returns"] == 1
        assert whole["realised_variance"] == pytest.approx(math.log(36 / 30) ** 2)
        assert whole["amihud_per_million_cny"] == pytest.approx(math.log(36 / 30) / 0.00033)
        days = listed_days(traded_rows(mixed))
        assert days["close_fen_per_t"].to_list() == [3000, 3300, 3600]
        assert days["value_million_cny"].to_list() == [pytest.approx(0.00033), None, pytest.approx(0.00033)]


def test_equal_tonnes_are_told_apart_by_name():
    pair = [row(MONDAY, LISTING, 10, 30_000, close=close, product=name) for name, close in (("B", 2), ("A", 1))]
    for rows in (frame(*pair), frame(*reversed(pair))):
        assert market_statistics(rows, by="all")["close_fen_per_t"].to_list() == [1]
        assert day_bars(rows)["close_fen_per_t"].to_list() == [1]


def test_screen_trades_leave_blocks_unknown():
    rows = frame(row(MONDAY, LISTING, 10, 30_000, close=3000, product="HBEA", feed="wind_daily", market="Hubei"))
    found = market_statistics(rows, by="all").row(0, named=True)
    assert (found["block_share"], found["hhi_method"]) == (None, None)


def test_a_value_that_is_missing_is_not_zero():
    rows = frame(row(MONDAY, LISTING, 10, None, close=3000), row(TUESDAY, LISTING, 10, 30_000, close=3000))
    whole = market_statistics(rows, by="all").row(0, named=True)
    assert (whole["volume_t"], whole["value_fen"], whole["vwap_cny_per_t"]) == (20, None, None)
    assert market_statistics(rows, by="day")["value_fen"].to_list() == [None, 30_000]
    assert listed_days(traded_rows(rows))["value_million_cny"].to_list() == [None, pytest.approx(0.0003)]


def test_days_without_listed_tonnes_make_no_price():
    rows = frame(
        row(MONDAY, LISTING, 10, 30_000, close=3000),
        row(TUESDAY, LISTING, 0, 0, close=9000),
        row(TUESDAY, BLOCK, 10, 27_000),
        row(THURSDAY, LISTING, 10, 33_000, close=3300),
    )
    whole = market_statistics(rows, by="all").row(0, named=True)
    assert (whole["sessions"], whole["returns"], whole["high_fen_per_t"]) == (3, 1, None)
    assert whole["realised_variance"] == pytest.approx(math.log(1.1) ** 2)
    assert whole["block_discount_mean"] == pytest.approx(27 / 30 - 1)


def test_a_feed_with_values_goes_before_one_without_as_in_the_bars():
    hubei = {"market": "Hubei", "product": "HBEA"}
    rows = frame(
        row(MONDAY, LISTING, 10, None, close=3000, feed="exchange_hubei", **hubei),
        row(MONDAY, ALL, 12, 36_000, feed="sceex_daily", **hubei),
        row(TUESDAY, LISTING, 10, 30_000, close=3000, feed="exchange_hubei", **hubei),
        row(TUESDAY, LISTING, 7, None, close=3000, feed="exchange_hubei", market="Hubei", product="HBEA20"),
    )
    bars, days = day_bars(rows), market_statistics(rows, by="day")
    assert days.select("feed", "volume_t", "value_fen").rows() == [
        ("sceex_daily", 12, 36_000),
        ("exchange_hubei", 10 + 7, None),
    ]
    # What was paid for 7 of Tuesday's 17 tonnes is not known, and a bar of 10 t would pass for the whole day.
    assert bars.select("day", "feed", "volume_t").rows() == [(MONDAY, "sceex_daily", 12)]


def test_one_feed_a_day_and_the_one_asked_for_comes_first():
    rows = frame(
        row(MONDAY, LISTING, 1000, 5_000_000, close=5000),
        row(MONDAY, LISTING, 600, 3_000_000, feed="crc_settlement", product="CEA24"),
        row(MONDAY, LISTING, 400, 2_000_000, feed="crc_settlement", product="CEA25"),
        row(TUESDAY, LISTING, 70, 350_000, feed="crc_settlement", product="CEA25"),
    )
    whole = market_statistics(rows, by="all").row(0, named=True)
    assert (whole["volume_t"], whole["feed"]) == (1070, "cneeex_daily;crc_settlement")
    told = market_statistics(rows, by="all", split=["vintage"], feeds=["crc_settlement"])
    assert told.select("vintage", "volume_t", "feed").rows() == [
        (2024, 600, "crc_settlement"),
        (2025, 470, "crc_settlement"),
    ]
    mixed = market_statistics(rows, by="all", split=["vintage"])
    columns = ("vintage", "volume_t", "close_fen_per_t", "hhi_method")
    assert mixed.select(columns).rows() == [(2025, 70, None, 1), (None, 1000, 5000, 1)]


def test_sessions_of_the_calendar():
    given = sessions_of_years([2022])
    assert market_statistics(SPRING, by="all", sessions=given)["calendar_sessions"].to_list() == [5]
    assert market_statistics(SPRING, by="day")["calendar_sessions"].to_list() == [1, 1, 1, 1]
    assert market_statistics(SPRING, by="quarter")["calendar_sessions"].to_list() == [4, 1]
    unknown = frame(*[row(date(year, 3, 2), LISTING, 10, 50_000, close=5000) for year in (2022, 2099)])
    for by in ("year", "all"):
        found = market_statistics(unknown, by=by)
        assert found["calendar_sessions"].to_list()[-1] is None
        assert found["continuity"].to_list()[-1] is None


def test_each_market_has_sessions_of_its_own():
    # Guangdong traded on Sunday 2022-08-07 before its deadline; the common calendar has no weekends.
    friday, sunday, tuesday = date(2022, 8, 5), date(2022, 8, 7), date(2022, 8, 9)
    days = [row(day, LISTING, 1, 1, market="Guangdong", product="GDEA") for day in (friday, sunday, tuesday)]
    rows = frame(*days, row(friday, LISTING, 1, 1), row(tuesday, LISTING, 1, 1))
    assert market_statistics(rows, by="all", sessions=sessions_of_years([2022]))["calendar_sessions"].to_list() == [
        3,
        3,
    ]
    national, guangdong = market_statistics(rows, by="all").to_dicts()
    assert (national["calendar_sessions"], national["continuity"]) == (3, 2 / 3)
    own = market_sessions("Guangdong", [2022])
    assert sunday in own.to_list()
    assert guangdong["calendar_sessions"] == own.is_between(friday, tuesday).sum() > 3


def test_unknown_periods_and_parts_are_refused():
    with pytest.raises(UnknownBreakdown, match=r"found period 'week', expected one of day, month, quarter, year, all"):
        market_statistics(SPRING, by="week")
    for split in (["buyer"], ["method", "method"]):
        with pytest.raises(UnknownBreakdown, match=r"expected any of vintage, method, product"):
            market_statistics(SPRING, by="year", split=split)
