"""One faulty row made from real rows for each rule; and the real files themselves."""

import csv
import gzip
from collections import Counter
from itertools import pairwise

import pytest

from carbon.formats import read_trades

REAL = {
    "national": ("cneeex_2021_2023_merged.csv", "CEA"),
    "settlement": ("CRC_volume_C.csv", "CEA"),
    "price": ("CRC_price_C.csv", "CEA"),
    "wind": ("raw_wind_HBEA.csv.gz", "Hubei"),
}


@pytest.fixture
def lines_of(market_files):
    def read(name):
        data = (market_files / REAL[name][0]).read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
        return [next(csv.reader([line])) for line in text.splitlines()]

    return read


@pytest.fixture
def reread(tmp_path):
    def write_and_read(name, lines, market=None):
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows(lines)
        return read_trades(path, market=market or REAL[name][1])[1]

    return write_and_read


@pytest.mark.parametrize(
    ("name", "rows_kept", "without_trade", "warnings"),
    [
        ("national", 675, 0, {"open_outside_low_high": 1}),
        ("settlement", 141, 0, {}),
        ("price", 122, 0, {"vwap_outside_low_high": 6, "close_outside_low_high": 1}),
        ("wind", 2610, 1417, {"cumulative_volume_step": 7}),
    ],
)
def test_the_real_files_have_no_error(market_files, name, rows_kept, without_trade, warnings):
    file, market = REAL[name]
    _, reading = read_trades(market_files / file, market=market)
    assert [problem for problem in reading.problems if problem.severity == "error"] == []
    assert Counter(problem.code for problem in reading.problems) == warnings
    assert (reading.rows.height, reading.rows_without_trade) == (rows_kept, without_trade)
    assert reading.rows_read == rows_kept + without_trade
    assert reading.rows_rejected == 0


def test_the_first_national_row_is_kept_though_its_open_is_below_its_low(national_file):
    _, reading = read_trades(national_file, market="CEA")
    first = reading.rows.row(0, named=True)
    assert (first["row"], first["open_fen_per_t"], first["low_fen_per_t"]) == (2, 4800, 5123)
    assert (first["volume_t"], first["value_fen"]) == (4_103_953, 21_023_005_325)
    assert reading.problems[0].where == "cneeex_2021_2023_merged.csv, row 2, column 开盘价"


def test_settlement_steps_are_checked_in_135_rows(lines_of, reread):
    lines = lines_of("settlement")
    seen, checkable = set(), []
    for position in sorted(range(1, len(lines)), key=lambda p: lines[p][0]):
        key = tuple(lines[position][1:3])
        if key in seen:
            checkable.append(position)
        seen.add(key)
    assert (len(lines) - 1, len(checkable)) == (141, 135)
    # Every checkable row is really looked at: one tonne and one fen more in its running sums are noticed in that very
    # row.
    for position in checkable:
        lines[position][5] = str(int(lines[position][5]) + 1 + position * 7)
    noticed = {problem.row for problem in reread("settlement", lines).problems}
    assert {position + 1 for position in checkable} <= noticed


def test_wind_steps_are_those_a_plain_loop_finds(lines_of, market_files):
    traded = [line for line in lines_of("wind")[5:] if len(line) > 3 and line[3]][::-1]
    steps = [(int(float(after[5])) - int(float(before[5])), int(after[3])) for before, after in pairwise(traded)]
    expected = sum(1 for step, volume in steps if step != volume)
    _, reading = read_trades(market_files / REAL["wind"][0], market="Hubei")
    assert sum(problem.code == "cumulative_volume_step" for problem in reading.problems) == expected


# file, line of the file (1 is the header), changes by heading, then code, heading and text of the one error
FAULTS = [
    ("national", 3, {"日期": "2021-02-30"}, "unreadable_date", "日期", "2021-02-30"),
    ("national", 3, {"日期": ""}, "unreadable_date", "日期", "nothing"),
    ("national", 3, {"日期": "0021-07-19"}, "unreadable_date", "日期", "0021-07-19"),
    ("national", 3, {"日期": "9999-12-31"}, "unreadable_date", "日期", "9999-12-31"),
    ("national", 3, {"日成交量": "viele"}, "unreadable_number", "日成交量", "viele"),
    ("national", 3, {"收盘价": "52,3"}, "unreadable_number", "收盘价", "52,3"),
    ("national", 3, {"最低价": "-52.08"}, "negative", "最低价", "-52.08"),
    ("national", 3, {"日成交额": "6841289.001"}, "finer_than_fen", "日成交额", "6841289.001"),
    ("national", 3, {"日成交量": "130800.5"}, "not_whole_tonnes", "日成交量", "130800.5"),
    ("national", 3, {"日成交额": ""}, "missing_figure", "日成交额", "nothing"),
    ("national", 3, {"日成交额": "0"}, "missing_figure", "日成交额", "0"),
    ("national", 3, {"最低价": "0"}, "zero_price", "最低价", "0"),
    ("national", 3, {"最高价": "52.07"}, "high_below_low", "最高价", "52.07"),
    ("national", 6, {"最高价": "54.06"}, "high_below_low", "最高价", "54.06"),
    ("national", 3, {"日成交额": "6841944"}, "value_not_price_x_volume", "日成交额", "6841944"),
    ("national", 6, {"日成交额": "3000000"}, "price_outside_limits", "日成交额", "3000000 (30.0 CNY/t)"),
    ("national", 6, {"日成交额": "8000000"}, "price_outside_limits", "日成交额", "8000000 (80.0 CNY/t)"),
    ("national", 3, {"配额类型": "HBEA"}, "unknown_product", "配额类型", "HBEA"),
    ("national", 3, {"交易方式": "Auction"}, "unknown_method", "交易方式", "Auction"),
    ("price", 4, {"成交额（元）": "4500000"}, "price_outside_limits", "成交额（元）", "4500000 (45.0 CNY/t)"),
    ("price", 3, {"成交量（吨）": "5316.2"}, "not_whole_tonnes", "成交量（吨）", "5316.2"),
    ("settlement", 3, {"本日成交量_吨": "-600000"}, "negative", "本日成交量_吨", "-600000"),
    ("settlement", 3, {"配额类型": "GDEA"}, "unknown_product", "配额类型", "GDEA"),
    ("wind", 6, {"当日成交额": "12290"}, "value_not_price_x_volume", "当日成交额", "12290"),
    ("wind", 6, {"收盘价": "teuer"}, "unreadable_number", "收盘价", "teuer"),
]


@pytest.mark.parametrize(("name", "row", "changes", "code", "heading", "found"), FAULTS)
def test_one_faulty_row_is_set_apart(lines_of, reread, name, row, changes, code, heading, found):
    lines = lines_of(name)
    clean = reread(name, lines)
    columns = {text.split(":")[1] if ":" in text else text: place for place, text in reversed([*enumerate(lines[0])])}
    for changed, text in changes.items():
        lines[row - 1][columns[changed]] = text
    reading = reread(name, lines)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert {problem.row for problem in errors} == {row}
    hit = next(problem for problem in errors if problem.code == code)
    assert (hit.file, hit.column, hit.found) == (f"{name}.csv", lines[0][columns[heading]], found)
    assert hit.expected
    assert reading.rows_rejected == 1
    assert reading.rows.height == clean.rows.height - 1
    untouched = clean.rows.filter(clean.rows["row"] != row)
    assert reading.rows.equals(untouched)


def test_a_value_half_a_fen_a_tonne_and_one_fen_off_still_passes(lines_of, reread):
    lines = lines_of("national")
    close, volume = 5230, 130_800
    limit_fen = volume // 2 + 1
    for gap_fen, rejected in ((limit_fen, 0), (limit_fen + 1, 1)):
        lines[2][8] = f"{(close * volume + gap_fen) / 100:.2f}"
        assert reread("national", lines).rows_rejected == rejected


def test_extra_cells(lines_of, reread):
    lines = lines_of("national")
    lines[9].append("left over")
    reading = reread("national", lines)
    assert [(p.row, p.code, p.found, p.expected) for p in reading.problems if p.severity == "error"] == [
        (10, "extra_cells", "left over", "10 cells")
    ]
    assert reading.rows.height == 674


def test_rows_of_one_key_with_other_figures_are_all_set_apart(lines_of, reread):
    lines = lines_of("national")
    other = [*lines[2]]
    other[7], other[8] = "100", "5230"
    reading = reread("national", [*lines, other])
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert [(problem.row, problem.code) for problem in errors] == [(3, "duplicate_key"), (677, "duplicate_key")]
    assert "3, 677" in errors[0].expected
    assert "100 t, 5230 CNY for CEA 2021-07-19" in errors[1].found
    assert reading.rows.height == 674


def test_a_row_said_twice_counts_once(lines_of, reread):
    lines = lines_of("national")
    reading = reread("national", [*lines, lines[2], lines[2]])
    repeated = [problem for problem in reading.problems if problem.code == "repeated_row"]
    assert [(problem.row, problem.severity) for problem in repeated] == [(677, "warning"), (678, "warning")]
    assert (reading.rows_read, reading.rows.height, reading.rows_repeated, reading.rows_rejected) == (677, 675, 2, 0)


def test_a_broken_running_sum_is_a_warning_and_the_row_is_kept(lines_of, reread):
    lines = lines_of("settlement")
    lines[1][5] = "5285985"
    lines[1][6] = "416368044.46"
    reading = reread("settlement", lines)
    assert {(problem.row, problem.column, problem.severity) for problem in reading.problems} == {
        (2, "累计成交量_吨", "warning"),
        (2, "累计成交额_元", "warning"),
    }
    assert {problem.found for problem in reading.problems} == {
        "5285985 (81401 above the row before)",
        "416368044.46 (6517170.01 above the row before)",
    }
    assert reading.rows.height == 141


def test_a_wind_file_of_another_market_is_one_problem_in_the_header(lines_of, reread):
    reading = reread("wind", lines_of("wind"), market="Guangdong")
    assert [(p.row, p.code, p.found) for p in reading.problems if p.severity == "error"] == [
        (1, "unknown_product", "HBEA")
    ]
    assert reading.rows.height == 0
    assert reading.rows_rejected == 2610


def test_all_problems_of_a_file_come_at_once(lines_of, reread):
    lines = lines_of("national")
    lines[2][0], lines[3][9], lines[4][7] = "soon", "Auction", "-1"
    reading = reread("national", lines)
    assert {problem.row for problem in reading.problems if problem.severity == "error"} == {3, 4, 5}
    assert reading.rows.height == 672
