from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.quotes import quotes_schema
from carbon.reconciliation.agreement import (
    agreement_schema,
    compare_sources,
    observe,
    observed_schema,
    summarise_agreement,
)
from carbon.reconciliation.reconciling import read_sources, reconcile, sources_of_rows
from carbon.rows import ALL, BLOCK, LISTING, empty_rows, rows_schema

MONDAY = date(2022, 3, 7)


def row(feed, day=0, volume=100, value=5000_00, close=5000, product="HBEA", method=LISTING):
    """One canonical row of a feed, some days after a Monday."""
    known = {
        "day": MONDAY + timedelta(days=day),
        "market": "Hubei",
        "product": product,
        "method": method,
        "close_fen_per_t": close,
        "volume_t": volume,
        "value_fen": value,
        "feed": feed,
        "file": f"{feed}.csv",
        "row": 2 + day,
    }
    return dict.fromkeys(rows_schema()) | known


def quote(feed, kind, cny, day=0, product="HBEA"):
    """One quote of a feed in CNY per tonne."""
    return {
        "day": MONDAY + timedelta(days=day),
        "market": "Hubei",
        "product": product,
        "kind": kind,
        "price_micro_per_t": round(cny * 1_000_000),
        "currency": "CNY",
        "feed": feed,
        "file": f"{feed}.csv",
        "row": 2 + day,
    }


def table(rows, quotes=(), by_year=False):
    """measure -> line of agreement."""
    known = pl.DataFrame(list(quotes), schema=quotes_schema())
    observed = observe(pl.DataFrame(list(rows), schema=rows_schema()), known)
    assert dict(observed.schema) == observed_schema()
    lines = summarise_agreement(compare_sources(observed), by_year=by_year)
    assert dict(lines.schema) == agreement_schema()
    return {(line["measure"], line["period"]) if by_year else line["measure"]: line for line in lines.to_dicts()}


def test_shares_and_differences_of_two_feeds():
    left = [row("a", day, volume=100, value=5000_00, close=5000) for day in range(4)]
    right = [
        row("b", 0),
        row("b", 1, volume=125, value=5000_01, close=5000),
        row("b", 2, volume=100, value=5100_00, close=5040),
        row("b", 3, volume=100, value=5000_00, close=6250),
    ]
    found = table([*left, *right])
    assert set(found) == {"volume", "value", "close"}
    volume, value, close = found["volume"], found["value"], found["close"]
    assert (volume["days"], volume["equal"], volume["equal_share"]) == (4, 3, 3 / 4)
    assert volume["largest_relative"] == pytest.approx(25 / 125)
    assert volume["worst_day"] == MONDAY + timedelta(days=1)
    assert (value["equal_share"], value["near_share"], value["within_1_percent_share"]) == (2 / 4, 3 / 4, 3 / 4)
    assert (close["equal_share"], close["within_1_percent_share"]) == (2 / 4, 3 / 4)
    # Relative differences 0, 0, 40/5040, 1250/6250; the median is the mean of the middle two.
    assert close["median_relative"] == pytest.approx((40 / 5040) / 2)
    assert close["p99_relative"] == pytest.approx(40 / 5040 + 0.97 * (1250 / 6250 - 40 / 5040))
    assert close["same_meaning"]
    assert close["days_used"] == "with tonnes on both sides"


def test_a_price_differs_from_half_a_fen_on():
    prices = [
        quote("a", "average", 50.0),
        quote("b", "average", 50.0049),
        quote("a", "average", 50.0, 1),
        quote("b", "average", 50.005, 1),
    ]
    line = table([], prices)["average"]
    assert (line["days"], line["equal"]) == (2, 1)
    assert line["days_used"] == "all shared days"


def test_days_without_tonnes_are_not_compared():
    rows = [row("a", 0), row("a", 1, volume=0, value=0, close=4900), row("b", 0), row("b", 1)]
    found = table(rows, [quote("icap", "secondary", 50.0, day) for day in range(3)])
    assert found["close"]["days"] == 1
    assert found["close ~ secondary"]["days_used"] == "with tonnes on the left"
    only_b = table([row("b", 0), row("b", 1, volume=None)], [quote("icap", "secondary", 50.0, day) for day in range(3)])
    assert only_b["close ~ secondary"]["days"] == 1
    carried = table(
        [row("a", 0), row("b", 0)],
        [quote("a", "average", 1.0, day) for day in range(2)] + [quote("b", "average", 1.0, day) for day in range(2)],
    )
    assert carried["average"]["days"] == 1


def test_a_close_is_never_set_against_an_average_and_others_say_their_names():
    quotes = [
        quote("a", "close", 50),
        quote("b", "average", 50),
        quote("c", "unstated", 50),
        quote("d", "latest", 50),
        quote("e", "secondary", 50),
    ]
    assert set(table([], quotes)) == {
        "close ~ unstated",
        "close ~ latest",
        "close ~ secondary",
        "average ~ unstated",
        "average ~ secondary",
        "unstated ~ latest",
        "unstated ~ secondary",
        "latest ~ secondary",
    }
    assert not any(line["same_meaning"] for line in table([], quotes).values())
    same = table([], [quote("a", "unstated", 50), quote("b", "unstated", 50)])["unstated"]
    assert not same["same_meaning"]


def test_the_last_deal_keeps_its_name():
    found = table([row("exchange_hubei"), row("wind_daily")], [quote("exchange_hubei", "latest", 50)])
    assert "latest ~ close" in found
    assert "close" not in found


def test_vintages_of_one_day_are_joined_by_product():
    rows = [
        row(feed, product=product, close=close, volume=close)
        for feed, closes in (("a", (10, 20)), ("b", (10, 21)))
        for product, close in zip(("SZA-2014", "SZA-2015"), closes, strict=True)
    ]
    found = table(rows)
    assert (found["close"]["days"], found["close"]["equal"], found["close"]["products"]) == (2, 1, "each")
    assert (found["volume"]["days"], found["volume"]["equal"]) == (2, 1)


def test_a_product_renamed_by_year_is_still_the_same_product():
    found = table(
        [
            row("a", 0, product="TJEA16"),
            row("a", 1, product="TJEA17"),
            row("b", 0, product="TJEA"),
            row("b", 1, product="TJEA"),
        ]
    )
    assert (found["close"]["days"], found["volume"]["days"]) == (2, 2)


def test_vintages_against_a_composite_are_added_up_and_not_priced():
    rows = [row("a", product="CEA24", volume=1), row("a", product="CEA25", volume=2), row("b", product="CEA", volume=3)]
    found = table(rows)
    assert set(found) == {"volume", "value"}
    assert (found["volume"]["equal"], found["volume"]["products"]) == (1, "all together")


def test_methods_are_added_up_and_a_repeated_figure_counts_once():
    rows = [row("a", volume=1), row("a", volume=2, method=BLOCK, close=None), row("b", volume=3, method=ALL)]
    assert table(rows)["volume"]["equal"] == 1
    unlike = table([row("a"), row("b")], [quote("a", "average", 1), quote("a", "average", 2), quote("b", "average", 1)])
    assert "average" not in unlike


def test_years_stand_beside_the_whole():
    rows = [row(feed, day, volume=volume) for feed in "ab" for day, volume in ((0, 5), (400, 6 if feed == "a" else 7))]
    found = table(rows, by_year=True)
    shares = {period: line["equal_share"] for (measure, period), line in found.items() if measure == "volume"}
    assert shares == {"all": 1 / 2, "2022": 1.0, "2023": 0.0}


def test_nothing_gives_nothing():
    assert summarise_agreement(compare_sources(observe(empty_rows()))).is_empty()
    assert table([row("a")]) == {}


figures = st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)), min_size=1, max_size=15)


@given(figures)
def test_sides_change_places_without_changing_the_verdict(days):
    rows = [row(feed, n, volume=pair[place]) for n, pair in enumerate(days) for place, feed in enumerate("ab")]
    swapped = [line | {"feed": "b" if line["feed"] == "a" else "a"} for line in rows]
    one, other = table(rows)["volume"], table(swapped)["volume"]
    equal = sum(left == right for left, right in days)
    assert (one["days"], one["equal"]) == (other["days"], other["equal"]) == (len(days), equal)
    assert 0 <= one["equal_share"] <= one["near_share"] <= one["within_1_percent_share"] <= 1


@pytest.mark.parametrize(
    ("measure", "days", "share"),
    [("latest ~ close", 1726, 99.6), ("volume", 1726, 99.8), ("value", 1726, 99.5)],
)
def test_wind_and_the_exchange_of_hubei(market_files, wind_file, measure, days, share):
    found = reconcile(read_sources([wind_file, market_files / "raw_exchange_hubei.csv.gz"], "Hubei")).lines
    line = found.filter(pl.col("measure") == measure, check="two sources").row(0, named=True)
    assert line["compared"] == days
    assert round(line["near_share"] * 100, 1) == share


def test_wind_and_icap(market_files, wind_file):
    found = reconcile(read_sources([wind_file, market_files / "raw_icap_secondary_7_ets.csv.gz"], "Hubei")).lines
    line = found.filter(pl.col("measure") == "secondary ~ average").row(0, named=True)
    assert line["compared"] == 2399
    assert round(line["near_share"] * 100, 1) == 93.6


def test_the_national_close_of_icap_changes_its_basis(market_files, national_file):
    files = [national_file, market_files / "raw_icap_secondary_7_ets.csv.gz"]
    found = reconcile(read_sources(files, "CEA"), by_year=True).lines.filter(measure="close ~ secondary")
    shares = dict(found.select("period", "equal_share").iter_rows())
    assert shares["2021"] > 0.99
    assert shares["2022"] == 1


SCEEX = "raw_sceex_all_markets_2016_2023.csv.gz"
LONG = "cn_carbon_daily_best.csv.gz"
TANJIAOYI = "raw_tanjiaoyi_hubei.csv.gz"


@pytest.mark.parametrize(
    ("market", "files", "left", "measure", "days", "share"),
    [
        ("Guangdong", (LONG, SCEEX), "long_daily:sirui_wind:screen", "average", 994, 92.3),
        ("Guangdong", (LONG, SCEEX), "long_daily:sirui_wind:screen", "volume", 994, 94.1),
        ("Shanghai", (LONG, SCEEX), "long_daily:zeka_tanjiaoyi", "value", 457, 96.6),
        ("Hubei", ("raw_wind_HBEA.csv.gz", SCEEX), "sceex_daily", "average", 987, 85.4),
        ("Hubei", ("raw_wind_HBEA.csv.gz", SCEEX), "sceex_daily", "volume", 987, 86.5),
        ("Hubei", ("raw_wind_HBEA.csv.gz", SCEEX), "sceex_daily", "value", 987, 86.1),
        ("Hubei", ("raw_wind_HBEA.csv.gz", TANJIAOYI), "akshare_domestic", "unstated ~ average", 1617, 48),
        ("Hubei", ("raw_wind_HBEA.csv.gz", TANJIAOYI), "akshare_domestic", "unstated ~ close", 1617, 36),
        ("Hubei", ("raw_wind_HBEA.csv.gz", TANJIAOYI), "akshare_domestic", "volume", 1617, 96.5),
        ("Hubei", ("raw_wind_HBEA.csv.gz", TANJIAOYI), "akshare_domestic", "value", 1617, 96.2),
        ("Guangdong", (LONG, SCEEX), "long_daily:sirui_wind:screen", "value", 994, 93.5),
        ("CEA", (LONG, "raw_icap_secondary_7_ets.csv.gz"), "icap_prices", "secondary ~ close", 715, 74.8),
    ],
)
def test_the_table_of_the_domain_notes(market_files, market, files, left, measure, days, share):
    """Days and per cent of the notes, which compare the raw files: here rows that break a rule are set apart first."""
    found = reconcile(read_sources([market_files / name for name in files], market)).lines
    (line,) = found.filter(pl.col("left") == left, pl.col("measure") == measure).to_dicts()
    assert 0.9 * days <= line["compared"] <= days + 1
    assert line["near_share"] * 100 == pytest.approx(share, abs=1)


PRICE = "日期,交易品种,交易类型,收盘价（元/吨）,最高价（元/吨）,最低价（元/吨）,成交量（吨）,成交额（元）"
SETTLEMENT = "日期,配额类型,交易方式,本日成交量_吨,本日成交额_元,累计成交量_吨,累计成交额_元"


def two_files(tmp_path):
    """Two bulletins of five days over two years; the first breaks a rule on two lines of 2026 and has one without a
    day, the second on one of 2025.
    """
    prices = [
        "2025-12-30,CEA25,挂牌协议,50,50,50,10,500",
        "2025-12-31,CEA25,挂牌协议,50,50,50,10,500",
        "2026-1-5,CEA25,挂牌协议,50,50,50,10,500",
        "2026-1-6,CEA25,挂牌协议,50,40,50,10,500",
        "2026-1-7,CEA25,挂牌协议,50,40,50,10,500",
        "soon,CEA25,挂牌协议,50,50,50,10,500",
    ]
    settled = [
        "2025-12-30,CEA25,挂牌协议交易,10,500,10,500",
        "2025-12-31,CEA25,挂牌协议交易,ten,500,20,1000",
        "2026-01-05,CEA25,挂牌协议交易,10,500,30,1500",
        "2026-01-06,CEA25,挂牌协议交易,10,500,40,2000",
        "2026-01-07,CEA25,挂牌协议交易,10,500,50,2500",
    ]
    paths = []
    for name, header, lines in (("price.csv", PRICE, prices), ("settlement.csv", SETTLEMENT, settled)):
        paths.append(tmp_path / name)
        paths[-1].write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return paths


def test_lines_set_apart_stand_beside_each_pair(tmp_path):
    found = reconcile(read_sources(two_files(tmp_path), "CEA"), by_year=True).lines.filter(check="two sources")
    columns = ["period", "left", "compared", "left_set_apart", "right_set_apart", "days_if_kept"]
    volumes = found.filter(measure="volume").select(columns).rows()
    # The tonnes of 31 December cannot be read, so that this day would not be compared either way; those of January can.
    assert volumes == [
        ("all", "crc_price", 2, 2 + 1, 1, 2 + 2),
        ("2025", "crc_price", 1, 0, 1, 1),
        ("2026", "crc_price", 1, 2, 0, 1 + 2),
    ]


def test_lines_of_the_lake_are_not_known_to_be_set_apart(tmp_path):
    rows = read_sources(two_files(tmp_path), "CEA").rows
    found = reconcile(sources_of_rows(rows)).lines
    assert found["days_if_kept"].null_count() == found["left_set_apart"].null_count() == found.height > 0


@pytest.mark.parametrize(("market", "days"), [("Shanghai", 457), ("Chongqing", 375)])
def test_why_fewer_days_are_compared_than_the_notes_do(market_files, market, days):
    sources = read_sources([market_files / LONG, market_files / SCEEX], market)
    apart = {(each.file, each.row) for each in sources.problems if each.severity == "error"}
    line = (
        reconcile(sources)
        .lines.filter(check="two sources", measure="volume", left="long_daily:zeka_tanjiaoyi")
        .row(0, named=True)
    )
    assert line["compared"] < line["days_if_kept"] <= days
    assert line["days_if_kept"] > 0.9 * days
    assert 0 < line["left_set_apart"] <= sum(file == LONG for file, _ in apart)
    assert 0 < line["right_set_apart"] <= sum(file == SCEEX for file, _ in apart)


def test_the_lines_of_icap_are_not_counted(market_files, wind_file):
    found = reconcile(read_sources([wind_file, market_files / "raw_icap_secondary_7_ets.csv.gz"], "Hubei")).lines
    (line,) = found.filter(measure="secondary ~ average").to_dicts()
    assert (line["left_set_apart"], line["right_set_apart"], line["days_if_kept"]) == (None, 0, 2399)
