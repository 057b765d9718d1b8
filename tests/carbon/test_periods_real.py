import math

import numpy as np
import polars as pl
import pytest

from carbon import statistics
from carbon.calendar import sessions_of_years
from carbon.formats import read_trades
from carbon.listed import block_discounts, listed_days, traded_rows
from carbon.market import day_bars, summarise
from carbon.periods import market_statistics
from carbon.rows import ALL, BLOCK, empty_rows


@pytest.fixture(scope="module")
def national(national_file):
    return read_trades(national_file, market="CEA")[1].rows


def test_golden_values_of_the_national_market(national):
    whole = market_statistics(national, by="all").row(0, named=True)
    closes = listed_days(traded_rows(national))["close_fen_per_t"]
    assert (len(closes), whole["returns"], whole["sessions"]) == (514, 513, 514)
    assert whole["volatility_annual"] == pytest.approx(0.3010872, abs=5e-8)
    assert whole["volatility_annual"] / math.sqrt(252) == pytest.approx(0.0189667, abs=5e-8)
    assert whole["realised_variance"] == pytest.approx(0.1844306, abs=5e-8)
    assert whole["amihud_per_million_cny"] == pytest.approx(1.5856796, abs=5e-8)
    assert whole["roll_spread_cny_per_t"] == pytest.approx(1.1182920, abs=5e-8)
    assert -((whole["roll_spread_cny_per_t"] / 2) ** 2) == pytest.approx(-0.3126443, abs=5e-8)
    assert whole["zero_return_share"] == pytest.approx(0.3352827, abs=5e-8)
    assert whole["block_share"] == pytest.approx(0.8362, abs=5e-5)
    assert whole["block_discount_mean"] == pytest.approx(-0.0578, abs=5e-5)
    assert whole["block_discount_median"] == pytest.approx(-0.0356, abs=5e-5)
    methods = market_statistics(national, by="all", split=["method"])
    vwap = dict(methods.select("method", "vwap_cny_per_t").rows())
    assert vwap["listing"] == pytest.approx(49.8961, abs=5e-5)
    assert vwap["block"] == pytest.approx(45.7780, abs=5e-5)


def test_golden_concentration_by_month(national):
    first = national.filter(pl.col("day").dt.year() == 2021)
    assert market_statistics(first, by="year")["hhi_month"][0] == pytest.approx(0.5956140, abs=5e-8)
    tonnes = market_statistics(first, by="month")["volume_t"]
    assert tonnes[-1] / tonnes.sum() == pytest.approx(0.7581975, abs=5e-8)


def test_golden_concentration_by_vintage(settlement_file):
    rows = read_trades(settlement_file, market="CEA")[1].rows
    year = market_statistics(rows, by="year").row(0, named=True)
    assert (year["period"], year["close_fen_per_t"]) == ("2026", None)
    assert year["hhi_vintage"] == pytest.approx(0.9169507, abs=1e-7)
    vintages = market_statistics(rows, by="year", split=["vintage"])
    assert vintages["vintage"].to_list() == [2022, 2023, 2024, 2025]
    assert vintages["volume_t"].sum() == year["volume_t"]


def test_each_year_agrees_with_the_measures(national):
    days = listed_days(traded_rows(national))
    years = market_statistics(national, by="year")
    assert years["period"].to_list() == ["2021", "2022", "2023"]
    changes = np.diff(days["close_fen_per_t"].to_numpy() / 100)
    for found in years.to_dicts():
        in_year = (days["day"].dt.year() == int(found["period"])).to_numpy()
        returns = statistics.log_returns(days["close_fen_per_t"])[in_year[1:]]
        value = days["value_million_cny"].to_numpy()[1:][in_year[1:]]
        assert found["returns"] == len(returns)
        assert found["realised_variance"] == pytest.approx(statistics.realised_variance(returns))
        assert found["volatility_annual"] == pytest.approx(statistics.realised_volatility(returns))
        assert found["amihud_per_million_cny"] == pytest.approx(statistics.amihud(returns, value))
        assert found["zero_return_share"] == pytest.approx(statistics.zero_return_share(returns))
        covariance = np.cov(changes[1:][in_year[2:]], changes[:-1][in_year[2:]])[0, 1]
        expected = 2 * math.sqrt(-covariance) if covariance < 0 else None
        assert found["roll_spread_cny_per_t"] == (expected if expected is None else pytest.approx(expected))


def test_years_and_months_agree_with_the_summaries_of_the_market(national):
    sessions = sessions_of_years([2021, 2022, 2023])
    shared = [
        "market",
        "period",
        "by",
        "volume_t",
        "value_fen",
        "sessions",
        "calendar_sessions",
        "first_day",
        "last_day",
    ]
    measures = ["vwap_cny_per_t", "continuity", "block_share"]
    for by in ("year", "month"):
        ours = market_statistics(national, by=by, sessions=sessions)
        theirs = summarise(day_bars(national), by=by, sessions=sessions)
        assert ours.select(shared).rows() == theirs.select(shared).rows()
        assert ours["close_fen_per_t"].to_list() == theirs["last_close_fen_per_t"].to_list()
        for name in measures:
            assert ours[name].to_list() == [None if x is None else pytest.approx(x) for x in theirs[name]]


def test_block_discounts_weighted_by_tonnes(national):
    pairs = block_discounts(traded_rows(national))
    assert pairs.height == national.filter((pl.col("method") == BLOCK) & (pl.col("volume_t") > 0)).height
    assert pairs["previous_day"].null_count() == 0
    assert (pairs["previous_day"] < pairs["day"]).all()
    volume = pairs["volume_t"].to_numpy()
    at_close = volume * pairs["previous_close_fen_per_t"].to_numpy()
    paid = volume * pairs["price_fen_per_t"].to_numpy()
    weighted = np.sum(at_close * pairs["discount"].to_numpy()) / np.sum(at_close)
    assert weighted == pytest.approx(np.sum(paid) / np.sum(at_close) - 1)


# data.md, section 6: year -> tonnes, million CNY, mean price, close at the end of the year, days with trades.
ANNUAL = {
    "2021": (178_789_350, 7_661, 42.85, 5422, 114),
    "2022": (50_889_493, 2_814, 55.30, 5500, 242),
    "2023": (211_943_768, 14_444, 68.15, 7942, 242),
    "2024": (188_583_776, 18_108, 96.02, 9749, 242),
    "2025": (234_597_856, 14_630, 62.36, 7463, 233),
}


def test_the_annual_table_of_the_national_market(market_files):
    text = pl.read_csv(market_files / "cn_carbon_daily_best.csv.gz", infer_schema=False)
    daily = text.filter(pl.col("market") == "CEA").select(
        pl.col("date").str.to_date().alias("day"),
        market=pl.lit("CEA"),
        product=pl.lit("CEA"),
        method=pl.lit(ALL, dtype=pl.Int8),
        close_fen_per_t=(pl.col("close").cast(pl.Float64) * 100).round().cast(pl.Int64),
        volume_t=pl.col("volume_t").cast(pl.Float64).cast(pl.Int64),
        value_fen=(pl.col("value_cny").cast(pl.Float64) * 100).round().cast(pl.Int64),
        feed=pl.lit("some_feed"),
    )
    years = market_statistics(pl.concat([empty_rows(), daily], how="diagonal"), by="year")
    assert years["period"].to_list() == list(ANNUAL)
    for found, (volume_t, million_cny, vwap, close, sessions) in zip(years.to_dicts(), ANNUAL.values(), strict=True):
        assert found["volume_t"] == volume_t
        assert round(found["value_fen"] / 1e8) == million_cny
        assert found["vwap_cny_per_t"] == pytest.approx(vwap, abs=0.005)
        assert (found["close_fen_per_t"], found["sessions"]) == (close, sessions)
    assert years["value_fen"][-1] == 1_462_989_112_806  # 14,629,891,128.06 CNY


def test_the_year_2025_by_method(market_files):
    rows = read_trades(market_files / "cea_daily_2025_cneeex.csv", market="CEA")[1].rows
    year = market_statistics(rows, by="year").row(0, named=True)
    assert (year["period"], year["volume_t"], year["sessions"]) == ("2025", 234_597_856, 233)
    assert year["value_fen"] == 1_462_989_112_806
    assert year["vwap_cny_per_t"] == pytest.approx(62.36, abs=0.005)
    assert year["block_share"] == pytest.approx(0.66, abs=0.005)
    assert year["close_fen_per_t"] == 7463
    assert (year["calendar_sessions"], year["continuity"]) == (243, pytest.approx(233 / 243))
    methods = market_statistics(rows, by="year", split=["method"])
    assert dict(methods.select("method", "volume_t").rows())["auction"] == 337_000
