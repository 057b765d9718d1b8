from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.fx import MAX_AGE_DAYS, UnknownCurrency, convert, rates_on
from carbon.quotes import rates_schema, read_quotes

START = date(2024, 1, 1)


def rates_of(*rows):
    """Rates from (day, per_eur, per_usd), of CNY."""
    return pl.DataFrame(
        [(day, "CNY", eur, usd, "test", 1) for day, eur, usd in rows], schema=rates_schema(), orient="row"
    )


RATES = rates_of((date(2024, 1, 2), 0.125, 0.14), (date(2024, 1, 9), 0.13, None), (date(2024, 1, 16), 0.128, 0.15))


def test_the_rate_of_the_day_or_the_latest_before():
    days = pl.Series([date(2024, 1, 8), date(2024, 1, 9), date(2024, 1, 2)])
    found = rates_on(days, RATES, to="EUR")
    assert found.rows() == [
        (date(2024, 1, 8), 0.125, date(2024, 1, 2), 6, "test"),
        (date(2024, 1, 9), 0.13, date(2024, 1, 9), 0, "test"),
        (date(2024, 1, 2), 0.125, date(2024, 1, 2), 0, "test"),
    ]


def test_a_day_before_every_rate_has_none():
    found = rates_on(pl.Series([date(2024, 1, 1)]), RATES, to="EUR").row(0)
    assert found == (date(2024, 1, 1), None, None, None, None)


def test_a_missing_rate_is_passed_over_not_taken_as_zero():
    found = rates_on(pl.Series([date(2024, 1, 10)]), RATES, to="USD").row(0, named=True)
    assert (found["rate"], found["rate_day"], found["rate_age_days"]) == (0.14, date(2024, 1, 2), 8)


def test_an_old_rate_is_not_used():
    last = date(2024, 1, 16)
    days = pl.Series([last + timedelta(MAX_AGE_DAYS), last + timedelta(MAX_AGE_DAYS + 1)])
    assert rates_on(days, RATES, to="EUR")["rate"].to_list() == [0.128, None]
    assert rates_on(days, RATES, to="EUR", max_age_days=MAX_AGE_DAYS + 1)["rate"].to_list() == [0.128, 0.128]
    assert rates_on(pl.Series([date(2024, 1, 10)]), RATES, to="EUR", max_age_days=0)["rate"].to_list() == [None]


def test_other_currencies_do_not_matter():
    krw = RATES.with_columns(currency=pl.lit("KRW"), per_eur=pl.lit(0.0007), day=pl.lit(date(2024, 1, 8)))
    found = rates_on(pl.Series([date(2024, 1, 8)]), pl.concat([RATES, krw]), to="EUR")
    assert found["rate"].to_list() == [0.125]


def test_the_same_currency_is_one_on_the_day():
    found = rates_on(pl.Series([date(2024, 1, 8), None]), RATES.clear(), to="EUR", currency="EUR")
    assert found["rate"].to_list() == [1.0, None]
    assert found["rate_age_days"].to_list() == [0, None]


def test_of_two_sources_the_first_by_name():
    both = pl.concat([RATES, RATES.with_columns(source=pl.lit("another"), per_eur=pl.col("per_eur") * 2)])
    found = rates_on(pl.Series([date(2024, 1, 2)]), both, to="EUR").row(0, named=True)
    assert (found["rate"], found["rate_source"]) == (0.25, "another")


def test_an_unknown_target():
    with pytest.raises(UnknownCurrency, match="'GBP', expected one of EUR, USD"):
        rates_on(pl.Series([START]), RATES, to="GBP")


def test_converted_figures_have_the_rate_and_its_day_beside_them():
    figures = pl.DataFrame(
        {"day": [date(2024, 1, 3), date(2024, 1, 1), None, date(2024, 1, 9)], "vwap": [80.0] * 3 + [None]}
    )
    found = convert(figures, RATES, column="vwap", result="vwap_eur_per_t", to="EUR")
    assert found.columns == [
        *["day", "vwap", "vwap_eur_per_t", "vwap_eur_per_t_rate", "vwap_eur_per_t_rate_day"],
        *["vwap_eur_per_t_rate_age_days", "vwap_eur_per_t_rate_source"],
    ]
    assert found["vwap_eur_per_t"].to_list() == [80.0 * 0.125, None, None, None]
    assert found["vwap_eur_per_t_rate_day"].to_list() == [date(2024, 1, 2), None, None, date(2024, 1, 9)]


def test_no_rates_at_all_give_nulls():
    figures = pl.DataFrame({"day": [START], "value": [1]})
    found = convert(figures, RATES.clear(), column="value", result="value_usd", to="USD")
    assert found["value_usd"].to_list() == [None]
    assert found.schema["value_usd"] == pl.Float64


def test_the_real_rate_of_the_last_day_of_2024(market_files):
    rates = read_quotes(market_files / "icap-graph-price-data-excerpt.csv").rates
    figures = pl.DataFrame({"day": [date(2025, 1, 2)], "value": [100.0]})
    found = convert(figures, rates, column="value", result="eur", to="EUR").row(0, named=True)
    assert found["eur"] == pytest.approx(100 * 0.128099405, rel=1e-12)
    assert (found["eur_rate_day"], found["eur_rate_age_days"]) == (date(2024, 12, 31), 2)


@st.composite
def histories(draw):
    offsets = draw(st.lists(st.integers(0, 200), unique=True, max_size=20))
    numbers = draw(st.lists(st.floats(0.01, 10), min_size=len(offsets), max_size=len(offsets)))
    return rates_of(*[(START + timedelta(o), n, None) for o, n in zip(offsets, numbers, strict=True)])


@given(histories(), st.lists(st.integers(-5, 260), max_size=20), st.integers(0, 60))
def test_never_a_rate_of_the_future_and_always_the_latest(rates, offsets, max_age):
    days = [START + timedelta(offset) for offset in offsets]
    found = rates_on(pl.Series("d", days, dtype=pl.Date), rates, to="EUR", max_age_days=max_age)
    assert found["day"].to_list() == days
    known = dict(rates.select("day", "per_eur").iter_rows())
    for row in found.iter_rows(named=True):
        young = [day for day in known if row["day"] - timedelta(max_age) <= day <= row["day"]]
        assert row["rate_day"] == max(young, default=None)
        assert row["rate"] == (known[max(young)] if young else None)


@given(histories(), st.randoms())
def test_the_order_of_the_rates_does_not_matter(rates, random):
    order = list(range(rates.height))
    random.shuffle(order)
    days = pl.Series([START + timedelta(offset) for offset in range(0, 250, 7)])
    assert_frame_equal(rates_on(days, rates, to="EUR"), rates_on(days, rates[order], to="EUR"))


def carried(*rows):
    """Rates to EUR from (day, per_eur, source)."""
    return pl.DataFrame(
        [(day, "CNY", eur, None, source, 1) for day, eur, source in rows], schema=rates_schema(), orient="row"
    )


PRINTED = "icap_prices (one rate for the month)"
REPEATED = "icap_prices (carried forward since 2024-02)"


def test_a_rate_printed_again_is_as_old_as_the_one_it_repeats():
    rates = carried((date(2024, 2, 28), 0.128, PRINTED), (date(2024, 3, 15), 0.128, REPEATED))
    found = rates_on(pl.Series([date(2024, 2, 28), date(2024, 3, 15)]), rates, to="EUR")
    assert found["rate_day"].to_list() == [date(2024, 2, 28), date(2024, 2, 29)]
    assert found["rate_age_days"].to_list() == [0, 15]
    assert rates_on(pl.Series([date(2024, 3, 15)]), rates, to="EUR", max_age_days=14)["rate"].to_list() == [None]


def test_a_younger_rate_counts_before_one_printed_again_on_the_day():
    rates = carried((date(2024, 3, 15), 0.128, REPEATED), (date(2024, 3, 14), 0.2, "ECB"))
    found = rates_on(pl.Series([date(2024, 3, 15)]), rates, to="EUR").row(0, named=True)
    assert (found["rate"], found["rate_day"], found["rate_source"]) == (0.2, date(2024, 3, 14), "ECB")


def test_the_age_of_a_rate_carried_forward_from_nobody_knows_when_is_null():
    rates = carried((date(2024, 3, 15), 0.128, "a page (carried forward)"))
    found = rates_on(pl.Series([date(2024, 3, 15)]), rates, to="EUR").row(0, named=True)
    assert (found["rate"], found["rate_day"], found["rate_age_days"]) == (0.128, None, None)


def test_the_real_rate_of_february_2024_grows_old(market_files):
    rates = read_quotes(market_files / "raw_icap_secondary_7_ets.csv.gz").rates
    days = pl.Series([date(2024, 2, 29), date(2024, 3, 29), date(2024, 6, 28)])
    found = rates_on(days, rates, to="EUR", max_age_days=200)
    # 29 March, and 28 June after 31 + 30 + 31 days of March to May.
    assert found["rate_age_days"].to_list() == [0, 29, 31 + 30 + 31 + 28]
    assert found["rate"].to_list() == [0.128099405] * 3
    assert rates_on(days, rates, to="EUR")["rate"].to_list() == [0.128099405, 0.128099405, None]
