import gzip
from datetime import date

import pytest

from carbon.errors import FileTooLarge, UnknownFormat, UnknownMarket, UnreadableFile
from carbon.formats import FORMATS, read_trades, recognise, wind_daily
from carbon.formats.headings import RepeatedHeading
from carbon.formats.text import read_bytes, split_cells
from carbon.market import FEED_PRIORITY, SCREEN_ONLY_FEEDS
from carbon.rows import BLOCK, LISTING, rows_schema

HEADER = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
GOOD = "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易"


def test_every_format_has_a_place_among_the_feeds():
    assert set(FORMATS) == {feed.split(":")[0] for feed in FEED_PRIORITY}
    assert len(FEED_PRIORITY) == len(set(FEED_PRIORITY))
    assert set(SCREEN_ONLY_FEEDS) <= set(FEED_PRIORITY)


def test_the_real_files_are_recognised(national_file, settlement_file, price_file, wind_file):
    files = [national_file, price_file, settlement_file, wind_file]
    assert [recognise(file) for file in files] == ["cneeex_daily", "crc_price", "crc_settlement", "wind_daily"]


def test_other_files_are_refused_with_a_list_of_headers(market_files):
    for name in ("../facts/national_cea_annual.csv", "../bundle/markets.csv"):
        with pytest.raises(UnknownFormat, match=r"(?s)first line.*cneeex_daily: 日期,配额类型.*wind_daily: 指标名称"):
            recognise(market_files / name)


def test_an_unknown_format_lists_those_that_exist(write_national):
    with pytest.raises(UnknownFormat, match=r"'excel'.*cneeex_daily, crc_price, crc_settlement, wind_daily, exchange_"):
        read_trades(write_national(), market="CEA", format_name="excel")


def test_a_format_that_does_not_fit_the_header(write_national):
    with pytest.raises(UnknownFormat, match=r"first line of national.csv: 日期"):
        read_trades(write_national(), market="CEA", format_name="wind_daily")


def test_an_unknown_market(write_national):
    with pytest.raises(UnknownMarket, match="'EUA'"):
        read_trades(write_national(), market="EUA")


def test_canonical_rows(write_national):
    name, reading = read_trades(write_national(), market="cea")
    assert name == "cneeex_daily"
    assert dict(reading.rows.schema) == rows_schema()
    listing, block = reading.rows.head(2).to_dicts()
    assert listing == {
        **{"day": date(2022, 3, 1), "market": "CEA", "product": "CEA", "method": LISTING},
        **{"open_fen_per_t": 5800, "high_fen_per_t": 5850, "low_fen_per_t": 5750, "close_fen_per_t": 5800},
        **{"volume_t": 1000, "value_fen": 5_800_000, "cumulative_volume_t": None, "cumulative_value_fen": None},
        **{"feed": "cneeex_daily", "file": "national.csv", "row": 2},
    }
    # The file repeats the listing prices on block rows; they are not the block's.
    assert block["method"] == BLOCK
    assert {block[f"{price}_fen_per_t"] for price in ("open", "high", "low", "close")} == {None}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_and_packing(tmp_path, national_file, encoding, packed):
    text = national_file.read_text(encoding="utf-8-sig")
    data = text.encode(encoding)
    path = tmp_path / ("again.csv.gz" if packed else "again.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    _, again = read_trades(path, market="CEA")
    _, first = read_trades(national_file, market="CEA")
    assert again.rows.drop("file").equals(first.rows.drop("file"))


@pytest.mark.parametrize("written", ["2022-03-01", "2022-3-1", "2022/3/1", "2022/03/01", "20220301", "2022年3月1日"])
def test_ways_to_write_a_day(write_national, written):
    _, reading = read_trades(write_national([GOOD.replace("2022-03-01", written)]), market="CEA")
    assert reading.rows["day"].to_list() == [date(2022, 3, 1)]


def test_days_with_midnight(write_national):
    _, reading = read_trades(write_national([GOOD.replace("2022-03-01", "2022-03-01 00:00:00")]), market="CEA")
    assert reading.rows["day"].to_list() == [date(2022, 3, 1)]


def test_thousands_signs(write_national):
    line = GOOD.replace(",1000,58000,", ',"1,000","58,000.00",')
    _, reading = read_trades(write_national([line]), market="CEA")
    assert reading.rows.select("volume_t", "value_fen").row(0) == (1000, 5_800_000)


def test_columns_in_another_order_and_one_more(tmp_path):
    path = tmp_path / "turned.csv"
    path.write_text(
        "备注,交易方式,日成交额,日成交量,收盘价,最低价,最高价,开盘价,配额类型,日期\n"
        "x,挂牌协议交易,58000,1000,58.0,57.5,58.5,58.0,CEA,2022-03-01\n",
        encoding="utf-8",
    )
    _, reading = read_trades(path, market="CEA")
    assert reading.rows.select("volume_t", "value_fen", "open_fen_per_t").row(0) == (1000, 5_800_000, 5800)


def test_blank_lines_and_notes_keep_the_line_numbers(write_national):
    lines = ["", GOOD, "", GOOD.replace("2022-03-01", "2022-03-02"), "", "数据来源：某某"]
    _, reading = read_trades(write_national(lines), market="CEA")
    assert reading.rows["row"].to_list() == [3, 5]
    assert reading.rows_read == 2
    assert reading.problems == ()


def test_days_without_trade_are_counted_and_not_kept(write_national):
    _, reading = read_trades(write_national([GOOD, "2022-03-02,CEA,-,-,-,58.0,-,-,-,挂牌协议交易"]), market="CEA")
    assert (reading.rows_read, reading.rows.height, reading.rows_without_trade) == (2, 1, 1)


def test_a_file_with_only_a_header(write_national):
    _, reading = read_trades(write_national([]), market="CEA")
    assert reading.rows.height == 0
    assert dict(reading.rows.schema) == rows_schema()
    assert reading.rows_read == 0


def test_wind_rows(wind_file):
    _, reading = read_trades(wind_file, market="HBEA")
    first, last = reading.rows.row(0, named=True), reading.rows.row(-1, named=True)
    assert (first["row"], first["day"], first["volume_t"], first["value_fen"]) == (6, date(2025, 5, 6), 300, 1_228_800)
    assert first["cumulative_volume_t"] == 101_215_629  # printed as 1.01215629E8
    assert (last["row"], last["day"], last["close_fen_per_t"]) == (4032, date(2014, 4, 28), 2443)
    assert reading.rows["method"].unique().to_list() == [LISTING]
    assert reading.rows["close_fen_per_t"].null_count() == 2  # 2015-01-28 and 2015-02-06 print an average only


def test_wind_files_of_other_pilots_are_recognised(tmp_path):
    measures = ["收盘价", "成交均价", "当日成交量", "当日成交额", "累计成交额", "当日成交额"]
    header = ["指标名称", *[f"广东:{measure}:碳排放权(GDEA)" for measure in measures]]
    lines = [header, *[[name, *["-"] * 6] for name in ("频率", "单位", "指标ID", "来源")]]
    lines += [["2022/3/1", "80.5", "80.5", "100", "8050", "9050", "8050"], ["2022/2/28", *[""] * 6]]
    lines += [[""] * 7, ["数据来源：Wind", *[""] * 6]]
    path = tmp_path / "gdea.csv"
    path.write_text("\n".join(",".join(line) for line in lines), encoding="gb18030")
    name, reading = read_trades(path, market="GDEA")
    assert name == "wind_daily"
    assert reading.rows.select("row", "market", "product", "volume_t", "value_fen", "cumulative_value_fen").row(0) == (
        *(6, "Guangdong", "GDEA", 100, 805_000, 905_000),
    )
    assert (reading.rows_read, reading.rows_without_trade, reading.problems) == (2, 1, ())


def test_wind_headers_that_do_not_fit():
    good = ["指标名称", "湖北:当日成交量:碳排放权(HBEA)", "湖北:当日成交额:碳排放权(HBEA)"]
    assert wind_daily.find_layout(good) is not None
    assert wind_daily.find_layout([]) is None
    assert wind_daily.find_layout(["日期", *good[1:]]) is None
    assert wind_daily.find_layout([*good, "备注"]) is None
    assert wind_daily.find_layout([*good, "广东:收盘价:碳排放权(GDEA)"]) is None
    assert wind_daily.find_layout(good[:2]) is None


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UnreadableFile, match=r"nowhere\.csv"):
        recognise(tmp_path / "nowhere.csv")
    with pytest.raises(UnreadableFile):
        recognise(tmp_path)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"x" * 10_000)[:-20])
    with pytest.raises(UnreadableFile, match=r"broken\.csv\.gz"):
        read_bytes(broken)
    quotes = tmp_path / "quotes.csv"
    quotes.write_text(f'{HEADER}\n2022-03-01,"CEA,58\n', encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"quotes\.csv"):
        read_trades(quotes, market="CEA")
    carriage_returns = tmp_path / "old_mac.csv"
    carriage_returns.write_bytes(f"{HEADER}\r{GOOD}\r".encode())
    with pytest.raises(UnreadableFile, match=r"old_mac\.csv.*first line"):
        recognise(carriage_returns)
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    with pytest.raises(UnknownFormat, match="an empty line"):
        recognise(empty)


def test_a_small_archive_cannot_fill_the_memory(tmp_path):
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress((HEADER + "\n").encode() + b"0" * 20_000_000))
    assert bomb.stat().st_size < 50_000
    with pytest.raises(FileTooLarge, match="more than 1000000 bytes"):
        read_trades(bomb, market="CEA", max_bytes=1_000_000)


def test_too_many_rows(write_national):
    path = write_national([GOOD] * 11)
    with pytest.raises(FileTooLarge, match="more than 10 rows"):
        read_trades(path, market="CEA", max_rows=10)
    assert read_trades(path, market="CEA", max_rows=11)[1].rows.height == 1


@pytest.mark.parametrize(
    ("line", "extra"),
    [("1,2,,x", "x"), ("1,2,y,x", "y"), ("1,2" + "," * 100 + "z", "z"), ("1,2,, ,", None), ("1,2" + "," * 100, None)],
)
def test_no_cell_beyond_the_headings_is_lost(line: str, extra: str | None) -> None:
    cells = split_cells(f"a,b\n3,4\n\n{line}\n5\n", "f", width=2, header_rows=1)
    assert cells.rows() == [(2, "3", "4", None), (3, None, None, None), (4, "1", "2", extra), (5, "5", None, None)]


@pytest.mark.parametrize(("line", "told"), [("1" + "," * 200, "a line with over 130 cells"), ('1,"ann\n2,3', "quotes")])
def test_lines_that_cannot_be_read_are_told_in_one_line_without_their_cells(line: str, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told) as caught:
        split_cells(f"a,b\n{line}\n", "f.csv", width=2, header_rows=1)
    assert "\n" not in str(caught.value)
    assert "ann" not in str(caught.value)
    assert "f.csv" in str(caught.value)


def test_cells_beyond_the_headings_are_seen():
    cells = split_cells("a,b\n1,2\n3,4,5,6\n7\n", "f", width=2, header_rows=1)
    assert cells.rows() == [(2, "1", "2", None), (3, "3", "4", "5"), (4, "7", None, None)]


def test_an_encoding_nobody_uses(tmp_path):
    path = tmp_path / "noise.csv"
    path.write_bytes(b"\xff\x80\xff\x81,\xff\n\xff\x80\xff\xff")
    with pytest.raises((UnreadableFile, UnknownFormat), match=r"noise\.csv"):
        recognise(path)


def test_two_unlike_columns_of_one_heading_are_refused(write_national):
    path = write_national([f"{GOOD},999"], header=f"{HEADER},日成交量")
    with pytest.raises(RepeatedHeading, match=r"national.csv heading '日成交量' over columns 8, 11 with unlike cells"):
        read_trades(path, market="CEA")


@pytest.mark.parametrize(("heading", "cell"), [("日成交量", "1000"), ("备注", "a")])
def test_equal_columns_and_columns_that_nobody_reads_do_no_harm(write_national, heading, cell):
    path = write_national([f"{GOOD},{cell},{cell}x"], header=f"{HEADER},{heading},备注")
    _, reading = read_trades(path, market="CEA")
    assert reading.rows["volume_t"].to_list() == [1000]
    assert reading.problems == ()


def test_headings_that_differ_in_their_brackets_are_one(tmp_path):
    header = (
        "日期,交易品种,交易类型,收盘价（元/吨）,最高价（元/吨）,最低价（元/吨）,成交量（吨）,成交额（元）,成交额(元)"
    )
    path = tmp_path / "price.csv"
    path.write_text(f"{header}\n2026-1-5,CEA,挂牌协议,50,50,50,42,2100,2200\n", encoding="utf-8")
    with pytest.raises(RepeatedHeading, match=r"'成交额（元）' over columns 8, 9"):
        read_trades(path, market="CEA")


def test_the_column_that_wind_prints_twice_is_read(wind_file):
    _, reading = read_trades(wind_file, market="Hubei")
    assert reading.rows["cumulative_volume_t"].null_count() < reading.rows.height
