import itertools
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.listed import traded_rows
from carbon.periods import market_statistics
from carbon.rows import ALL, AUCTION, BLOCK, LISTING, rows_schema

TRADES = st.tuples(
    st.dates(min_value=date(2021, 11, 1), max_value=date(2023, 2, 28)),
    st.sampled_from([("CEA", "CEA"), ("CEA", "CEA21"), ("CEA", "CEA22"), ("Hubei", "HBEA")]),
    st.sampled_from([LISTING, BLOCK, AUCTION, ALL]),
    st.sampled_from(["cneeex_daily", "crc_settlement", "wind_daily"]),
    st.integers(min_value=1, max_value=10**8),
    st.integers(min_value=1, max_value=10**12),
    st.one_of(st.none(), st.integers(min_value=100, max_value=20_000)),
)
MANY = st.lists(TRADES, min_size=1, max_size=40, unique_by=lambda trade: trade[:4])


def rows_of(trades, *, factor=1):
    rows = [
        {
            **dict.fromkeys(rows_schema()),
            "day": day,
            "market": market,
            "product": product,
            "method": method,
            "feed": feed,
            "volume_t": volume,
            "value_fen": value * factor,
            "close_fen_per_t": price * factor if price is not None and method in (LISTING, ALL) else None,
        }
        for day, (market, product), method, feed, volume, value, price in trades
    ]
    return pl.DataFrame(rows, schema=rows_schema())


SPLITS = [split for count in range(4) for split in itertools.combinations(("vintage", "method", "product"), count)]


@settings(max_examples=25)
@given(MANY, st.sampled_from(["day", "month", "quarter", "year", "all"]))
def test_parts_add_up_to_the_whole(trades, by):
    rows = rows_of(trades)
    whole = market_statistics(rows, by=by).select("market", "period", "volume_t", "value_fen")
    assert whole["volume_t"].sum() == traded_rows(rows)["volume_t"].sum()
    for split in SPLITS:
        parts = market_statistics(rows, by=by, split=split)
        assert parts.select("market", "period", *split).is_unique().all()
        added = parts.group_by("market", "period").agg(pl.col("volume_t", "value_fen").sum())
        assert added.sort("market", "period").equals(whole)


@settings(max_examples=25)
@given(MANY, st.sampled_from(SPLITS))
def test_shorter_periods_add_up_to_longer_ones(trades, split):
    rows = rows_of(trades)
    summed = ["volume_t", "value_fen", "sessions", "returns"]
    keys = ["market", "vintage", "method", "product"]

    def sums(by):
        found = market_statistics(rows, by=by, split=split)
        return found.group_by(keys).agg(pl.col(summed).sum()).sort(keys, nulls_last=True)

    whole = sums("all")
    assert all(sums(by).equals(whole) for by in ("day", "month", "quarter", "year"))
    months = market_statistics(rows, by="month", split=split)
    years = market_statistics(rows, by="year", split=split)
    added = months.with_columns(period=pl.col("period").str.head(4)).group_by(*keys, "period")
    of_months = added.agg(pl.col(summed).sum(), pl.col("realised_variance").sum()).sort(*keys, "period")
    of_years = years.sort(*keys, "period")
    assert of_months.select(summed).equals(of_years.select(summed))
    expected = of_years["realised_variance"].fill_null(0).to_list()
    assert of_months["realised_variance"].to_list() == pytest.approx(expected)


@settings(max_examples=25)
@given(MANY, st.integers(min_value=2, max_value=50))
def test_the_currency_changes_prices_and_nothing_else(trades, factor):
    ours, scaled = (market_statistics(rows_of(trades, factor=number), by="quarter") for number in (1, factor))
    same = ["realised_variance", "volatility_annual", "zero_return_share", "block_share", "block_discount_mean"]
    for name in (*same, "block_discount_median", "hhi_method", "hhi_vintage", "hhi_month"):
        assert scaled[name].to_list() == [None if x is None else pytest.approx(x, abs=1e-9) for x in ours[name]]
    for name in ("vwap_cny_per_t", "roll_spread_cny_per_t"):
        assert scaled[name].to_list() == [None if x is None else pytest.approx(x * factor) for x in ours[name]]
    assert scaled["close_fen_per_t"].to_list() == (ours["close_fen_per_t"] * factor).to_list()


@settings(max_examples=25)
@given(MANY, st.sampled_from(SPLITS), st.randoms())
def test_the_order_of_rows_makes_no_difference(trades, split, random):
    shuffled = random.sample(trades, len(trades))
    ours = market_statistics(rows_of(trades), by="month", split=split)
    assert ours.equals(market_statistics(rows_of(shuffled), by="month", split=split))


@settings(max_examples=25)
@given(MANY)
def test_shares_lie_between_zero_and_one(trades):
    found = market_statistics(rows_of(trades), by="year")
    for name in ("continuity", "zero_return_share", "block_share", "hhi_method", "hhi_vintage", "hhi_month"):
        values = found[name].drop_nulls()
        assert values.is_between(0, 1 + 1e-12).all()
        assert not values.is_nan().any()
    assert (found["sessions"] >= 1).all()
    assert (found["first_day"] <= found["last_day"]).all()
