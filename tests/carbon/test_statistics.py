"""Golden values: research/registries-and-markets.md, 7.4, measured on the listing rows of the national file."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon import statistics

PRICES = st.lists(st.floats(min_value=1, max_value=1000), min_size=4, max_size=40)


@pytest.fixture(scope="module")
def national(national_file):
    columns = {"日期": "day", "收盘价": "close", "日成交量": "volume", "日成交额": "value", "交易方式": "method"}
    frame = pl.read_csv(national_file).rename(columns).with_columns(pl.col("day").str.to_date())
    is_listing = pl.col("method") == "挂牌协议交易"
    return frame.filter(is_listing).sort("day"), frame.filter(~is_listing).sort("day")


@pytest.fixture(scope="module")
def closes(national):
    return national[0]["close"].to_numpy()


def test_returns_and_volatility(closes):
    returns = statistics.log_returns(closes)
    assert (len(closes), len(returns)) == (514, 513)
    assert returns.std(ddof=1) == pytest.approx(0.0189667, abs=5e-8)
    assert statistics.realised_volatility(returns) == pytest.approx(0.3010872, abs=5e-8)
    assert statistics.realised_variance(returns) == pytest.approx(0.1844306, abs=5e-8)


def test_amihud(national, closes):
    millions = national[0]["value"].to_numpy()[1:] / 1e6
    assert statistics.amihud(statistics.log_returns(closes), millions) == pytest.approx(1.5856796, abs=5e-8)


def test_roll(closes):
    assert statistics.price_change_covariance(closes) == pytest.approx(-0.3126443, abs=5e-8)
    assert statistics.roll_spread(closes) == pytest.approx(1.1182920, abs=5e-8)


def test_zero_returns(closes):
    assert statistics.zero_return_share(statistics.log_returns(closes)) == pytest.approx(0.3352827, abs=5e-8)


def test_prices_by_method(national):
    listing, block = national
    assert statistics.vwap(listing["value"], listing["volume"]) == pytest.approx(49.8961, abs=5e-5)
    assert statistics.vwap(block["value"], block["volume"]) == pytest.approx(45.7780, abs=5e-5)
    total = listing["volume"].sum() + block["volume"].sum()
    assert block["volume"].sum() / total == pytest.approx(0.8362, abs=5e-5)


def test_concentration_by_month(national):
    months = (
        pl.concat(national)
        .filter(pl.col("day").dt.year() == 2021)
        .group_by(pl.col("day").dt.month())
        .agg(pl.col("volume").sum())
        .sort("day")
    )
    assert statistics.herfindahl(months["volume"]) == pytest.approx(0.5956140, abs=5e-8)
    assert months["volume"][-1] / months["volume"].sum() == pytest.approx(0.7581975, abs=5e-8)


def test_concentration_by_vintage(settlement_file):
    vintages = pl.read_csv(settlement_file).group_by("配额类型").agg(pl.col("本日成交量_吨").sum())
    assert statistics.herfindahl(vintages["本日成交量_吨"]) == pytest.approx(0.9169507, abs=1e-7)


def test_block_discounts_are_to_the_close_before(national):
    listing, block = national
    before = listing.select("day", previous=pl.col("close").shift(1))
    paired = block.join(before, on="day", how="left")
    discounts = statistics.block_discount(paired["value"] / paired["volume"], paired["previous"])
    assert np.mean(discounts) == pytest.approx(-0.0578, abs=5e-5)
    assert np.median(discounts) == pytest.approx(-0.0356, abs=5e-5)
    same_day = block.join(listing.select("day", "close"), on="day", suffix="_listing", how="left")
    otherwise = statistics.block_discount(same_day["value"] / same_day["volume"], same_day["close_listing"])
    assert np.mean(otherwise) != pytest.approx(-0.0578, abs=5e-5)


def test_what_cannot_be_computed_is_none():
    assert statistics.log_returns([50.0]).size == 0
    assert statistics.realised_variance([]) is None
    assert statistics.realised_volatility([0.1]) is None
    assert statistics.amihud([0.1], [0.0]) is None
    assert statistics.price_change_covariance([1.0, 2.0, 3.0]) is None
    assert statistics.roll_spread([1.0, 2.0, 4.0, 8.0, 16.0]) is None  # changes rise together
    assert statistics.zero_return_share([]) is None
    assert statistics.herfindahl([]) is None
    assert statistics.herfindahl([0, 0]) is None
    assert statistics.vwap([0.0], [0.0]) is None


def test_by_hand():
    assert statistics.log_returns([50.0, 55.0])[0] == pytest.approx(math.log(55 / 50))
    assert statistics.realised_variance([0.1, -0.2]) == pytest.approx(0.1**2 + 0.2**2)
    assert statistics.realised_volatility([0.1, -0.1]) == pytest.approx(math.sqrt(2 * 0.1**2 / 1) * math.sqrt(252))
    assert statistics.amihud([0.1, -0.2, 0.3], [2.0, 4.0, 0.0]) == pytest.approx((0.1 / 2 + 0.2 / 4) / 2)
    assert statistics.herfindahl([3, 1]) == pytest.approx((3 / 4) ** 2 + (1 / 4) ** 2)
    assert statistics.block_discount([38.0], [40.0])[0] == pytest.approx(38 / 40 - 1)


@given(PRICES, st.floats(min_value=0.01, max_value=100))
def test_returns_do_not_depend_on_the_currency(prices, factor):
    scaled = statistics.log_returns([price * factor for price in prices])
    assert scaled == pytest.approx(statistics.log_returns(prices), abs=1e-9)


@given(st.lists(st.integers(min_value=1, max_value=10**9), min_size=1, max_size=30))
def test_concentration_lies_between_even_and_single(amounts):
    value = statistics.herfindahl(amounts)
    assert 1 / len(amounts) - 1e-12 <= value <= 1 + 1e-12
