import gzip
from collections import Counter
from datetime import date
from functools import cache

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon.formats import exchange_year, long_daily, read_trades, recognise, vintage_panel
from carbon.market import day_bars
from carbon.rows import ALL, AUCTION, BLOCK, LISTING, rows_schema

YEAR_LINE = "2025-03-03,89.5,1000,89500.0,100000,8800000.0,0,0.0,101000,8889500.0"
PANEL_LINE = "2023-09-01,CEA22,68.48,73.06,68.48,69.21,1.73,172094.0,11910551.56,172094.0,11910551.56,,,,,2023-09"
LONG_HEADER = (
    "market,product,date,open,high,low,close,avg,volume_t,value_cny,listed_volume_t,listed_value_cny,"
    "block_volume_t,block_value_cny,auction_volume_t,auction_value_cny,cum_reported,source"
)


@pytest.fixture
def write(tmp_path):
    def write_lines(header, *lines, name="wide.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write_lines


@pytest.fixture(scope="module")
def best(market_files):
    """Readings of the long table, each market read once."""
    path = market_files / "cn_carbon_daily_best.csv.gz"
    return cache(lambda market: read_trades(path, market=market)[1])


def codes_of(reading):
    return [(problem.row, problem.code) for problem in reading.problems]


def errors_of(reading):
    return [(problem.row, problem.code) for problem in reading.problems if problem.severity == "error"]


# --- a year of the exchange


def test_one_line_makes_a_row_for_each_method_with_deals(write):
    auction = "2025-03-04,89.5,0,0.0,0,0.0,500,44000.0,500,44000.0"
    name, reading = read_trades(write(exchange_year.KNOWN_HEADER, YEAR_LINE, auction), market="CEA")
    assert name == "exchange_year"
    assert dict(reading.rows.schema) == rows_schema()
    assert reading.rows.select("day", "method", "close_fen_per_t", "volume_t", "value_fen", "row").rows() == [
        (date(2025, 3, 3), LISTING, 8950, 1000, 8_950_000, 2),
        (date(2025, 3, 3), BLOCK, None, 100_000, 880_000_000, 2),
        # Nothing was listed that day: a true zero, beside the close that the exchange printed.
        (date(2025, 3, 4), LISTING, 8950, 0, 0, 3),
        (date(2025, 3, 4), AUCTION, None, 500, 4_400_000, 3),
    ]
    assert (reading.rows_read, reading.rows_rejected, reading.problems) == (4, 0, ())


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        (",101000,", ",101001,", "total_volume_t"),
        (",8889500.0", ",8889500.01", "total_amount_cny"),
        (",1000,89500.0,", ",1000,89500.01,", "total_amount_cny"),
    ],
)
def test_a_difference_of_one_tonne_or_fen_is_an_error(write, before, after, column):
    assert before in YEAR_LINE
    other = YEAR_LINE.replace("2025-03-03", "2025-03-04")
    path = write(exchange_year.KNOWN_HEADER, YEAR_LINE.replace(before, after), other)
    _, reading = read_trades(path, market="CEA")
    assert [(problem.row, problem.column, problem.code) for problem in reading.problems] == [
        (2, column, "parts_not_total")
    ]
    assert reading.rows["row"].unique().to_list() == [3]
    assert reading.rows_rejected == 2


def test_rules_of_rows_hold_for_every_part(write):
    lines = [
        YEAR_LINE.replace("03-03", "02-30"),
        YEAR_LINE.replace("03-03", "03-04").replace(",1000,89500.0,", ",1000.5,89500.0,"),
        YEAR_LINE.replace("03-03", "03-05").replace("8800000.0", "1800000.0").replace(",8889500.0", ",1889500.0"),
        YEAR_LINE.replace("03-03", "03-06") + ",more",
    ]
    _, reading = read_trades(write(exchange_year.KNOWN_HEADER, *lines), market="CEA")
    assert errors_of(reading) == [
        (2, "unreadable_date"),
        (3, "not_whole_tonnes"),
        (4, "price_outside_limits"),  # a block at 18.00 beside a close of 89.50
        (5, "extra_cells"),
    ]
    assert reading.rows.is_empty()


def test_the_year_2025(market_files):
    path = market_files / "cea_daily_2025_cneeex.csv"
    assert recognise(path) == "exchange_year"
    _, reading = read_trades(path, market="CEA")
    assert reading.problems == ()
    assert reading.rows["row"].n_unique() == 243
    assert reading.rows["volume_t"].sum() == 234_597_856
    assert reading.rows["value_fen"].sum() == 1_462_989_112_806
    days = day_bars(reading.rows)
    assert days.height == 243
    assert days.filter(pl.col("volume_t") > 0).height == 243 - 10
    assert days.row(-1, named=True)["close_fen_per_t"] == 7463
    blocks = day_bars(reading.rows)["block_volume_t"].sum()
    assert blocks / 234_597_856 == pytest.approx(0.66, abs=0.005)


def test_another_market_s_name_for_a_national_file(market_files):
    _, reading = read_trades(market_files / "cea_daily_2025_cneeex.csv", market="Hubei")
    assert reading.rows.is_empty()
    assert codes_of(reading) == [(1, "unknown_product")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    volumes=st.lists(st.tuples(*[st.integers(0, 10**7)] * 3), min_size=1, max_size=8),
    fault=st.none() | st.integers(1, 1000),
)
def test_nothing_is_lost_or_made_up(tmp_path, volumes, fault):
    lines, tonnes = [], 0
    for number, parts in enumerate(volumes):
        total = sum(parts)
        is_faulty = fault is not None and number == 0
        tonnes += 0 if is_faulty else total
        cells = ",".join(f"{part},{part * 50}.00" for part in parts)
        lines.append(
            f"2025-01-{number + 1:02},50.00,{cells},{total + (fault or 0 if is_faulty else 0)},{total * 50}.00"
        )
    path = tmp_path / "generated.csv"
    path.write_text("\n".join([exchange_year.KNOWN_HEADER, *lines]), encoding="utf-8")
    _, reading = read_trades(path, market="CEA")
    assert reading.rows["volume_t"].sum() == tonnes
    assert reading.rows["value_fen"].sum() == tonnes * 5000
    assert reading.rows_read == reading.rows.height + reading.rows_rejected
    assert errors_of(reading) == ([] if fault is None else [(2, "parts_not_total")])


# --- the panel by vintage


def test_the_faults_of_the_panel_and_nothing_else(market_files):
    path = market_files / "cea_daily_by_vintage_excerpt.csv"
    assert recognise(path) == "vintage_panel"
    _, reading = read_trades(path, market="CEA")
    assert codes_of(reading) == [
        (3, "parts_not_total"),  # 28,500 beside 28,250 + 0
        (4, "open_outside_low_high"),
        (5, "unsigned_change"),  # 50.52 after 56.00 is a fall of 9.79 %
        (6, "value_not_price_x_volume"),  # 56 t for 560 CNY at 56.00
        (8, "misplaced_row"),
        (9, "misplaced_row"),
        (10, "misplaced_row"),
        (11, "open_outside_low_high"),
        # 64.11 / 1.082 = 59.25, and the open of 67.00 lies 13 % above that; 64.11 / 0.918 = 69.84.
        (13, "unsigned_change"),
    ]
    fall = next(problem for problem in reading.problems if problem.row == 5)
    assert (fall.column, fall.found, fall.severity) == ("chg_pct", "9.79", "warning")
    assert "a fall, -9.79" in fall.expected
    assert "46.02" in fall.expected  # 50.52 / 1.0979
    assert sorted(reading.rows["row"].unique().to_list()) == [2, 4, 5, 7, 11, 12, 13, 14]


def test_an_empty_cell_is_not_a_zero(write):
    with_auction = PANEL_LINE.replace("11910551.56,,,,,2023-09", "11910551.56,0.0,0.0,,,2023-09")
    _, reading = read_trades(
        write(vintage_panel.KNOWN_HEADER, PANEL_LINE, with_auction.replace("22,", "21,")), market="CEA"
    )
    assert reading.rows.select("product", "method").rows() == [("CEA22", LISTING), ("CEA21", LISTING)]
    assert reading.problems == ()
    listed_not_printed = PANEL_LINE.replace(",172094.0,11910551.56,,,,,", ",,,,,,,")
    _, reading = read_trades(write(vintage_panel.KNOWN_HEADER, listed_not_printed), market="CEA")
    assert reading.rows.is_empty()
    # 172094 t without a way of trading are set apart, and no day without trade.
    assert (reading.rows_read, reading.rows_without_trade, reading.rows_rejected) == (1, 0, 1)
    assert {problem.column for problem in reading.problems} == set(vintage_panel.TOTAL)
    assert {problem.code for problem in reading.problems} == {"missing_figure"}
    nothing = listed_not_printed.replace("172094.0", "0.0").replace("11910551.56", "0.0")
    _, reading = read_trades(write(vintage_panel.KNOWN_HEADER, nothing), market="CEA")
    assert (reading.rows_read, reading.rows_without_trade, reading.problems) == (1, 1, ())


def test_lines_that_make_no_row_are_counted_and_their_faults_said(write):
    lines = [
        YEAR_LINE,
        "Monday,96.1,,,,,,,,",
        "2025-03-04,96.1,,,,,,,,",
        "2025-03-05,96.1,10,961.0,0,0.0,0,0.0,ten,961.0",
        "Source: bulletins,,,,,,,,,",
    ]
    _, reading = read_trades(write(exchange_year.KNOWN_HEADER, *lines), market="CEA")
    assert errors_of(reading) == [(3, "unreadable_date"), (5, "unreadable_number")]
    # The first line is two rows; the note of one cell is none.
    assert (reading.rows_read, reading.rows.height) == (2 + 1 + 1 + 1, 2)
    assert (reading.rows_rejected, reading.rows_without_trade) == (2, 1)


def test_a_change_is_held_against_the_session_before(write):
    first = PANEL_LINE
    # 2023-09-04 is the Monday after Friday 2023-09-01: 69.00 / 69.21 - 1 = -0.30 %.
    good = "2023-09-04,CEA22,69.0,69.0,69.0,69.0,-0.30,1000.0,69000.0,1000.0,69000.0,,,,,2023-09"
    path = write(vintage_panel.KNOWN_HEADER, first, good)
    assert read_trades(path, market="CEA")[1].problems == ()
    for text, code in (("0.30", "unsigned_change"), ("-0.35", "change_not_closes"), ("low", "unreadable_change")):
        path = write(vintage_panel.KNOWN_HEADER, first, good.replace("-0.30", text))
        _, reading = read_trades(path, market="CEA")
        assert codes_of(reading) == [(3, code)]
        assert reading.rows.height == 2
    later = good.replace("2023-09-04", "2023-09-05").replace("-0.30", "0.30")
    assert read_trades(write(vintage_panel.KNOWN_HEADER, first, later), market="CEA")[1].problems == ()


# --- the long table


def test_a_line_is_read_by_what_its_source_counts(write):
    lines = [
        "CEA,CEA,2024-01-02,80.0,81.0,79.0,80.0,,1100.0,87000.0,1000.0,80000.0,100.0,7000.0,,,,sirui_wind",
        "Hubei,HBEA,2024-01-02,,41.0,40.0,41.0,40.5,100.0,4050.0,,,,,,,5000.0,sirui_wind",
        "Hubei,HBEA,2014-04-02,,,,,21.5,100.0,2100.0,,,,,,,,zeka_tanjiaoyi",
        "Hubei,HBEA,2014-04-05,,,,,21.5,0.0,0.0,,,,,,,,zeka_tanjiaoyi",
        "Hubei,HBEA,2014-04-08,,,,,99.0,100.0,2100.0,,,,,,,,somebody_else",
        "Paris,EUA,2014-04-08,,,,,99.0,100.0,2100.0,,,,,,,,somebody_else",
    ]
    path = write(LONG_HEADER, *lines)
    assert recognise(path) == "long_daily"
    _, reading = read_trades(path, market="Hubei")
    assert reading.rows.select("row", "method", "volume_t", "feed").rows() == [
        (3, LISTING, 100, "long_daily:sirui_wind:screen"),
        (4, ALL, 100, "long_daily:zeka_tanjiaoyi"),
        (6, ALL, 100, "long_daily:somebody_else"),
    ]
    assert codes_of(reading) == [(7, "unknown_market")]
    counts = (reading.rows_read, reading.rows_of_others, reading.rows_without_trade, reading.rows_rejected)
    assert counts == (6, 1, 1, 1)
    _, national = read_trades(path, market="CEA")
    assert national.rows.select("method", "volume_t", "feed").rows() == [
        (LISTING, 1000, "long_daily:sirui_wind"),
        (BLOCK, 100, "long_daily:sirui_wind"),
    ]
    assert "long_daily:sirui_wind:screen" in long_daily.SCREEN_ONLY_FEEDS


def test_one_day_from_two_sources_is_no_repeat(write):
    line = "Fujian,FJEA,2020-01-02,,,,,20.0,100.0,2000.0,,,,,,,,one"
    _, reading = read_trades(write(LONG_HEADER, line, line.replace(",one", ",two")), market="Fujian")
    assert reading.problems == ()
    assert reading.rows["feed"].to_list() == ["long_daily:one", "long_daily:two"]
    _, twice = read_trades(write(LONG_HEADER, line, line.replace("2000.0", "2001.0")), market="Fujian")
    assert codes_of(twice) == [(2, "duplicate_key"), (3, "duplicate_key")]


def test_numbers_that_went_through_single_precision(write):
    line = "Chongqing,CQEA,2015-06-15,,,,,20.459999,4190.0,85727.3984375,,,,,,,,zeka_tanjiaoyi"
    _, reading = read_trades(write(LONG_HEADER, line), market="Chongqing")
    assert reading.rows["value_fen"].to_list() == [8_572_740]
    _, other = read_trades(write(LONG_HEADER, line.replace("zeka_tanjiaoyi", "else")), market="Chongqing")
    assert codes_of(other) == [(2, "finer_than_fen")]


@pytest.mark.parametrize(
    ("market", "lines"),
    [
        *[("CEA", 1083), ("Hubei", 2637), ("Guangdong", 2480), ("Beijing", 1524), ("Shanghai", 2214)],
        *[("Shenzhen", 2372), ("Tianjin", 971), ("Chongqing", 1906), ("Fujian", 592)],
    ],
)
def test_every_line_of_the_best_table_is_kept_or_accounted_for(best, market, lines):
    reading = best(market)
    rejected = {problem.row for problem in reading.problems if problem.severity == "error"}
    kept = set(reading.rows["row"].to_list())
    assert not kept & rejected
    assert len(kept) + len(rejected) + reading.rows_without_trade == lines
    assert lines + reading.rows_of_others == 15_779


def test_hubei_s_splice_is_exact_to_the_tonne(best):
    reading = best("Hubei")
    before = reading.rows.filter(pl.col("feed") == "long_daily:zeka_tanjiaoyi")
    assert before["volume_t"].sum() == 1_994_298
    # Wind's running sum of the next day less that day (2014-04-28: 2,051,655 - 57,357).
    assert before["volume_t"].sum() == 2_051_655 - 57_357
    assert reading.problems == ()


def test_the_national_lines_whose_parts_are_not_their_total(best, market_files):
    path = market_files / "cn_carbon_daily_best.csv.gz"
    reading = best("CEA")
    wrong = sorted({row for row, code in errors_of(reading)})
    assert {code for _, code in errors_of(reading)} == {"parts_not_total"}
    raw = gzip.decompress(path.read_bytes()).decode().splitlines()
    for row in wrong:
        cells = raw[row - 1].split(",")
        tonnes = [float(cell or 0) for cell in cells[10:16:2]]
        values = [float(cell or 0) for cell in cells[11:16:2]]
        assert (sum(tonnes), round(sum(values), 2)) != (float(cells[8]), float(cells[9]))
    assert len(wrong) == 4
    year = reading.rows.filter(pl.col("day").dt.year() == 2025)
    assert year["volume_t"].sum() == 234_597_856


def test_wrong_lines_of_the_sichuan_page_are_found(best):
    crossed = Counter(
        market
        for market in ("Shenzhen", "Chongqing", "Shanghai", "Fujian")
        for problem in best(market).problems
        if problem.code == "high_below_low"
    )
    assert crossed == {"Shenzhen": 8, "Chongqing": 2, "Shanghai": 1}
    shenzhen = best("Shenzhen")
    strange = [problem for problem in shenzhen.problems if problem.code == "unknown_product"]
    assert [problem.found for problem in strange] == ["GDEA"]
