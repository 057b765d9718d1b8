"""The feeds that print one line a market and day: small files of our own, with a few published rows."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.formats import FORMATS, read_trades, recognise
from carbon.formats.headings import place_headings
from carbon.layout import Layout, type_cells
from carbon.rows import ALL, LISTING
from carbon.scope import NotATradeFile

HEADERS = {
    "exchange_hubei": "品种,日期,最新,涨跌幅,最高,最低,成交量,成交额,昨收盘价",
    "exchange_beijing": "日期,成交量（吨）,成交均价（元/吨）,成交额（元）",
    "akshare_domestic": ",日期,成交价,成交量,成交额,地点",
    "akshare_sz": "交易日期,市场交易指数,开盘价,最高价,最低价,成交均价,收盘价,成交量,成交额",
    "akshare_gz": "日期,品种,开盘价,收盘价,最高价,最低价,涨跌,涨跌幅,成交数量,成交金额",
    "akshare_hb": "日期,成交价,成交量,最新,涨跌",
    "sceex_daily": "交易日期,交易机构,交易品种,开盘价,最高价,最低价,成交均价,成交量,成交金额",
}
OLD_HUBEI = "交易品种,日期,最新,涨跌幅,最高,最低,成交量,成交额,昨收盘价"
AKSHARE_BEIJING = "日期,成交量,成交均价,成交额,成交单位"


@pytest.fixture
def read(tmp_path):
    def write_and_read(header, lines, market, encoding="utf-8"):
        path = tmp_path / "feed.csv"
        path.write_text("\n".join([HEADERS.get(header, header), *lines]) + "\n", encoding=encoding)
        return read_trades(path, market=market)

    return write_and_read


def codes(reading, severity="error"):
    return [(p.row, p.code) for p in reading.problems if p.severity == severity]


@pytest.mark.parametrize(("name", "header"), [*HEADERS.items(), ("exchange_hubei", OLD_HUBEI)])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_each_header_is_recognised(tmp_path, name, header, encoding):
    path = tmp_path / "feed.csv"
    path.write_text(header + "\n", encoding=encoding)
    assert recognise(path) == name
    assert sum(known.find_layout(header.split(",")) is not None for known in FORMATS.values()) == 1


def test_brackets_and_spaces_of_headings_make_no_difference_but_units_do():
    headings = {"volume": "成交量（吨）"}
    assert place_headings(["日期", "成交量 (吨)"], headings) == {"volume": 1}
    assert place_headings(["日期", "成交量（万吨）"], headings) is None
    assert place_headings(["日期", "成交量"], headings) is None


def test_hubei_in_its_two_layouts_and_two_ways_to_write_a_day(read):
    line = "HBEA,{},29.28,1.81%,31.0,28.5,54874.0,1590609.55,28.76"
    for header, day in (("exchange_hubei", "2020-09-11 00:00:00"), (OLD_HUBEI, "2020-9-11")):
        name, reading = read(header, [line.format(day)], "HBEA")
        assert (name, reading.problems) == ("exchange_hubei", ())
        assert reading.rows.select("day", "product", "method", "close_fen_per_t", "volume_t", "value_fen").row(0) == (
            *(date(2020, 9, 11), "HBEA", LISTING, 2928, 54_874, 159_060_955),
        )


def test_hubei_mean_price_outside_the_range_is_a_warning_and_a_swapped_value_an_error(read):
    good = "HBEA,2024-08-30,42.07,-0.0019,44.99,42.05,1000,43000,42.15"
    _, reading = read("exchange_hubei", [good.replace("43000", "42000"), good.replace("08-30,", "08-29,")], "Hubei")
    assert codes(reading, "warning") == [(2, "vwap_outside_low_high")]
    _, reading = read("exchange_hubei", [good.replace("1000,43000", "43000,1000")], "Hubei")
    assert (2, "price_outside_limits") in codes(reading)


def test_a_day_without_trade_keeps_no_carried_price(read):
    lines = [
        "HBEA,2020-07-10,27.1,0.00%,27.5,27.0,100,2710,27.10",
        "HBEA,2020-07-11,27.1,0.00%,--,--,--,--,27.10",
        "HBEA,2020-07-12,27.1,0.00%,27.1,27.1,0,0.00,27.10",
    ]
    _, reading = read("exchange_hubei", lines, "Hubei")
    assert (reading.rows_read, reading.rows.height, reading.rows_without_trade, reading.problems) == (3, 1, 2, ())


def test_hubei_without_a_value_has_tonnes_and_no_value(read):
    _, reading = read("akshare_hb", ["2024-08-30,42.01,13321,42.07,-0.08"], "Hubei")
    assert reading.problems == ()
    assert reading.rows.select("volume_t", "value_fen", "close_fen_per_t").row(0) == (13_321, None, 4207)
    _, other = read("akshare_hb", ["2024-08-30,42.01,13321,42.07,-0.08"], "Beijing")
    assert [p.code for p in other.problems] == ["unknown_product"]
    assert other.rows.height == 0


def test_guangdong_with_a_compact_day(read):
    line = "20200911,GDEA,27.87,28.05,28.30,27.80,0.18,0.65%,114991,3225804.60"
    _, reading = read("akshare_gz", [line], "Guangdong")
    assert reading.problems == ()
    assert reading.rows.select("day", "method", "open_fen_per_t", "volume_t", "value_fen").row(0) == (
        *(date(2020, 9, 11), LISTING, 2787, 114_991, 322_580_460),
    )


BRACKETS = [
    *('"95,000.00(BEA)"', '"95,000.00（BEA）"', '"95,000.00(BEA）"', '"95,000.00 (BEA)"'),
    *('"95,000.00( BEA )"', '"95,000.00(BEA))"', '"95,000(BEA)"'),
]


@pytest.mark.parametrize("value", BRACKETS)
def test_beijing_brackets(read, value):
    _, reading = read("exchange_beijing", [f"2024-09-03 00:00:00,1000,95,{value}"], "BEA")
    assert reading.problems == ()
    assert reading.rows.select("product", "method", "volume_t", "value_fen").row(0) == ("BEA", ALL, 1000, 9_500_000)
    assert reading.rows.select("open_fen_per_t", "close_fen_per_t").row(0) == (None, None)


def test_beijing_from_akshare_with_the_product_in_a_column_or_behind_the_value(read):
    lines = ['2019-12-12,9215,74.66,"687,957.00（BEA）",', "2019-12-11,100,75.0,7500.0,BEA"]
    name, reading = read(AKSHARE_BEIJING, lines, "BEA")
    assert (name, reading.problems) == ("exchange_beijing", ())
    assert reading.rows.select("product", "value_fen").rows() == [("BEA", 68_795_700), ("BEA", 750_000)]


def test_offsets_beside_bea_on_one_day_are_never_bea(read):
    lines = [
        '2019-12-12,9215,74.66,"687,957.00(BEA)"',
        '2019-12-12,500,8,"4,000.00(CCER)"',
        '2019-12-12,500,30,"15,000.00（PCER）"',
        '2019-12-12,10,40,"400.00(林业碳汇)"',
        '2019-12-12,10,40,"400.00(XYZ)"',
        '2019-12-12,10,12,"120.00"',
    ]
    _, reading = read("exchange_beijing", lines, "Beijing")
    assert reading.rows.select("row", "product", "volume_t").rows() == [(2, "BEA", 9215)]
    assert (reading.rows_read, reading.rows_of_others, reading.rows_rejected) == (6, 3, 2)
    assert [(p.row, p.code, p.found) for p in reading.problems] == [
        (6, "unknown_product", "XYZ"),
        (7, "unknown_product", "nothing"),
    ]


def test_beijing_rows_without_a_product_are_bea_only_near_the_price_around_them(read):
    lines = [
        f'2014-12-{day:02},100,{price},"{price * 100:,}.00"' for day, price in enumerate([50, 51, 52, 5, 53, 54], 1)
    ]
    _, reading = read("exchange_beijing", lines, "Beijing")
    assert reading.rows["volume_t"].sum() == 5 * 100
    assert codes(reading) == [(5, "unknown_product")]
    assert [(p.row, p.severity, p.found) for p in reading.problems if p.code == "product_assumed"] == [
        (None, "warning", "5 rows without a product, rows 2 to 7")
    ]


def test_single_precision_is_read_as_its_shortest_decimals(read):
    lines = [
        "0,2014-04-03,24.200000762939453,51468.0,1245530.0,湖北",
        "1,2021-03-18,28.1299991607666,551.0,15501.400390625,湖北",
        "2,2021-03-19,24.200001,100.0,2420.10009765625,湖北",
        "3,2021-03-22,24.2,100.0,2420.0,湖北",
    ]
    _, reading = read("akshare_domestic", lines, "Hubei")
    assert reading.rows["value_fen"].to_list() == [124_553_000, 1_550_140, 242_010, 242_000]
    assert set(reading.rows["product"]) == {"HBEA"}
    assert reading.rows["close_fen_per_t"].null_count() == 4
    assert [(p.row, p.code, p.found) for p in reading.problems] == [
        (None, "single_precision", "1 values of 131072 CNY and more in single precision")
    ]


@given(st.integers(min_value=1, max_value=2**17 * 100 - 1))
def test_every_fen_below_2_17_cny_survives_single_precision(fen):
    widened = float(np.float32(fen / 100))
    layout = Layout("f", {"value": "v"}, {"value": 0}, 1, 1, "none", fixed_method=ALL, single_precision=True)
    cells = pl.DataFrame({"row": [2], "c0": [repr(widened)], "c1": [None]}, schema_overrides={"c1": pl.String})
    assert type_cells(cells, layout)["value"].to_list() == [fen]


def test_places_of_the_domestic_feed(read):
    lines = [
        "0,2019-01-02,30.0,10.0,300.0,湖北",
        "1,2019-01-02,60.0,10.0,600.0,北京",
        "2,2019-01-03,60.0,10.0,600.0,武汉",
    ]
    _, reading = read("akshare_domestic", lines, "BEA")
    assert reading.rows.select("market", "product", "value_fen").rows() == [("Beijing", "BEA", 60_000)]
    assert reading.rows_of_others == 1
    assert [(p.row, p.code, p.found) for p in reading.problems] == [(4, "unknown_market", "武汉")]


def test_a_price_that_moves_without_trade_is_reported(read):
    lines = [
        "0,2015-05-22,26.81,10.0,268.0,湖北",
        "1,2015-05-23,53.62,0.0,0.0,湖北",
        "2,2015-05-24,53.62,0.0,0.0,湖北",
    ]
    _, reading = read("akshare_domestic", lines, "Hubei")
    assert [(p.row, p.code, p.found) for p in reading.problems] == [(3, "price_moved_without_trade", "53.62")]
    assert (reading.rows.height, reading.rows_without_trade) == (1, 2)


def test_shenzhen_rows_with_blocks_only_have_no_prices(read):
    lines = [
        "2021-12-08,SZA-2016,7.88,,,,7.88,91000,910000.0",
        "2021-12-08,SZA-2014,11.98,11.98,11.98,11.98,11.98,2,23.96",
    ]
    _, reading = read("akshare_sz", lines, "SZA")
    assert reading.problems == ()
    assert reading.rows.select("product", "method", "open_fen_per_t", "close_fen_per_t").rows() == [
        ("SZA-2016", ALL, None, None),
        ("SZA-2014", ALL, 1198, 1198),
    ]


def test_european_quotes_are_refused(read):
    lines = ["2021-12-08,欧盟EUA,,,,,78.5,1000,", "2021-12-07,欧盟CER,,,,,1.5,10,"]
    with pytest.raises(NotATradeFile, match=r"欧盟CER, 欧盟EUA in feed\.csv.*quotes without a value"):
        read("akshare_sz", lines, "Shenzhen")


SCEEX = [
    "2016-07-21,深圳排放权交易所,SZA-2015,30.80,30.80,30.80,30.80,10000 t,308000.00",
    "2016-07-21,深圳排放权交易所,SZA2014,-,-,-,-,-,-",
    "2023-07-24,北京绿色交易所,BEA,-,-,-,139.00,1500,208500.00",
    "2022-02-17,湖北碳排放权交易中心,,,,,,,",
    ",,,,,,,13,806.00",
    "2018-01-09,欧洲能源交易所,EEX-EUA(Dec18),7,7,7,7,10,70",
    "2019-07-02,上海环境能源交易所,SHEA,40.55,41.55,42.55,40.55,46700,1893685.00",
]


def test_one_file_of_many_markets(read):
    _, shenzhen = read("sceex_daily", SCEEX, "Shenzhen")
    assert shenzhen.rows.select("row", "product", "method", "volume_t", "value_fen", "high_fen_per_t").rows() == [
        (2, "SZA-2015", ALL, 10_000, 30_800_000, 3080)
    ]
    # The row that names no market may be anyone's: it is reported to each.
    assert codes(shenzhen) == [(6, "unknown_market"), (6, "unreadable_date")]
    assert (shenzhen.rows_without_trade, shenzhen.rows_of_others, shenzhen.rows_rejected) == (1, 4, 1)
    _, hubei = read("sceex_daily", SCEEX, "Hubei")
    assert codes(hubei)[:2] == [(5, "cut_row"), (5, "unknown_product")]
    _, shanghai = read("sceex_daily", SCEEX, "Shanghai")
    assert (8, "high_below_low") in codes(shanghai)


def test_ten_thousand_tonnes_are_no_tonnes(read):
    for text, tonnes in (("10000 t", 10_000), ("1,000吨", 1000), ("1.5万吨", None)):
        line = SCEEX[0].replace("10000 t,308000.00", f'"{text}",{30.8 * (tonnes or 15_000):.2f}')
        _, reading = read("sceex_daily", [line], "Shenzhen")
        assert reading.rows["volume_t"].to_list() == ([] if tonnes is None else [tonnes])
        assert codes(reading) == ([(2, "unreadable_number")] if tonnes is None else [])


def test_an_average_beside_totals_may_leave_them_but_not_where_it_is_all_there_is(read):
    blocks = "2021-06-23,深圳排放权交易所,SZA2019,35.46,35.46,35.46,35.46,28971,966799.56"
    _, reading = read("sceex_daily", [blocks], "Shenzhen")
    assert (codes(reading, "warning"), reading.rows.height) == ([(2, "average_not_value_per_volume")], 1)
    offsets = "2018-07-26,北京环境交易所,BEA,-,-,-,70.11,174701,8306199.50"
    _, reading = read("sceex_daily", [offsets], "Beijing")
    assert (codes(reading), reading.rows.height) == ([(2, "value_not_price_x_volume")], 0)
