from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.errors import FileTooLarge
from carbon.formats import read_trades, recognise
from carbon.formats.bulletin_rows import compare_statements, read_bulletins
from carbon.formats.bulletins import looks_like_bulletin, read_line, statements_schema
from carbon.formats.reading import Limits
from carbon.rows import BLOCK, LISTING, rows_schema

DAY = (
    "[20220315] 今日全国碳市场碳排放配额(CEA)挂牌协议交易成交量748吨,成交额43,214.90元,开盘价58.00元/吨,"
    "最高价58.00元/吨,最低价57.50元/吨,收盘价57.77元/吨,收盘价较前一日下跌0.40%。今日大宗协议交易成交量190,656吨,成交额10,581,408.00元。"
    "今日全国碳排放配额(CEA)总成交量191,404吨,总成交额10,624,622.90元。"
    "截至今日,全国碳市场碳排放配额(CEA)累计成交量188,716,043吨,累计成交额8,190,561,408.52元。"
)
WEEK = (
    "[weekly 2025-12-15..12-19] 本周(12月15日至12月19日)全国碳市场综合价格行情为:最高价62.98元/吨,最低价57.74元/吨,"
    "收盘价较上周五上涨7.53%。本周挂牌协议交易成交量526.85万吨,成交额3.18亿元;本周大宗协议交易成交量446.03万吨,成交额2.62亿元;"
    "本周无单向竞价交易。本周全国碳排放配额总成交量972.88万吨,总成交额5.80亿元。"
    "截至本周,全国碳市场碳排放配额累计成交量8.42亿吨,累计成交额560.33亿元。"
)


def figures(line):
    """(period, method, measure) -> (amount, precision) of one bulletin that is read without a problem."""
    bulletin = read_line(line, 1)
    assert bulletin.problems == ()
    return {(s.period, s.method, s.measure): (s.amount, s.precision) for s in bulletin.statements}


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines, name="bulletins.txt"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write_lines


def codes_of(reading):
    return [(problem.row, problem.code) for problem in reading.problems]


def test_a_daily_bulletin_to_the_tonne_and_fen():
    found = figures(DAY)
    assert found == {
        ("day", "listing", "volume"): (748, 1),
        ("day", "listing", "value"): (4_321_490, 1),
        ("day", "listing", "open"): (5800, 1),
        ("day", "listing", "high"): (5800, 1),
        ("day", "listing", "low"): (5750, 1),
        ("day", "listing", "close"): (5777, 1),
        ("day", "listing", "change"): (-40, 1),
        ("day", "block", "volume"): (190_656, 1),
        ("day", "block", "value"): (1_058_140_800, 1),
        ("day", "all", "volume"): (748 + 190_656, 1),
        ("day", "all", "value"): (4_321_490 + 1_058_140_800, 1),
        ("to_date", "all", "volume"): (188_716_043, 1),
        ("to_date", "all", "value"): (819_056_140_852, 1),
    }


def test_a_weekly_bulletin_keeps_its_precision():
    found = figures(WEEK)
    assert found["week", "listing", "volume"] == (5_268_500, 100)  # 526.85万吨: the last digit is 10^4 / 100 t
    assert found["week", "block", "value"] == (26_200_000_000, 100_000_000)  # 2.62亿元 in fen, to 10^6 CNY
    assert found["week", "auction", "volume"] == (0, 1)
    assert found["week", "composite", "change"] == (753, 1)
    assert found["to_date", "all", "volume"] == (842_000_000, 1_000_000)


def test_days_of_a_week():
    days = {(s.first_day, s.last_day) for s in read_line(WEEK, 1).statements if s.period == "week"}
    assert days == {(date(2025, 12, 15), date(2025, 12, 19))}


@pytest.mark.parametrize(("words", "change"), [("上涨1.05%", 105), ("下跌1.05%", -105), ("持平", 0)])
def test_words_give_the_sign(words, change):
    line = f"[20210811] 今日挂牌协议交易成交量10吨,成交额559.00元,收盘价55.90元/吨,收盘价较前一日{words}。"
    assert figures(line)["day", "listing", "change"] == (change, 1)


def test_full_width_signs_are_read_the_same():
    wide = DAY.replace(",成交额", "，成交额").replace("(CEA)", "（CEA）").replace("%", "％")
    assert wide != DAY
    assert figures(wide) == figures(DAY)


def test_the_day_may_stand_in_the_text():
    line = DAY.removeprefix("[20220315] ").replace("截至今日", "截至2022年3月15日")
    assert figures(line) == figures(DAY)


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("今日大宗协议交易成交量190,656吨", "今日大宗协议交易大约190,656吨", "unreadable_sentence"),
        ("成交量748吨", "成交量7,48吨", "unreadable_sentence"),
        ("成交额43,214.90元", "成交额43,214.905元", "unreadable_sentence"),
        ("[20220315]", "[20220230]", "unreadable_date"),
        ("[20220315] ", "", "unreadable_date"),
        ("截至今日", "截至2022年3月16日", "unlike_day"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_text(before, after, code):
    assert before in DAY
    problems = read_line(DAY.replace(before, after), 7).problems
    assert [problem[3] for problem in problems] == [code]
    assert problems[0][1]
    assert problems[0][2]


def test_a_weekly_text_that_names_other_days():
    problems = read_line(WEEK.replace("(12月15日至", "(12月8日至"), 1).problems
    assert [problem[3] for problem in problems] == ["unlike_day"]


def test_looks():
    assert looks_like_bulletin(DAY)
    assert looks_like_bulletin(WEEK)
    assert not looks_like_bulletin("日期,配额类型,交易方式")


@given(
    number=st.decimals(min_value=0, max_value=9999, places=2),
    factor=st.sampled_from([("", 1), ("万", 10**4), ("亿", 10**8)]),
)
def test_every_amount_is_exact_and_every_rounded_one_knows_its_digit(number, factor):
    sign, times = factor
    found = figures(f"[20210811] 今日总成交额{number:,}{sign}元。")
    amount, precision = found["day", "all", "value"]
    assert amount == number * times * 100
    assert precision == (1 if times == 1 else Decimal("0.01") * times * 100)


def test_rows_of_a_day(write):
    reading = read_bulletins(write(DAY)).reading
    assert dict(reading.rows.schema) == rows_schema()
    listing, block = reading.rows.to_dicts()
    prices = [listing[f"{name}_fen_per_t"] for name in ("open", "high", "low", "close")]
    assert (listing["day"], listing["method"], prices) == (date(2022, 3, 15), LISTING, [5800, 5800, 5750, 5777])
    assert (listing["volume_t"], listing["value_fen"], listing["product"]) == (748, 4_321_490, "CEA")
    assert (block["method"], block["volume_t"], block["value_fen"]) == (BLOCK, 190_656, 1_058_140_800)
    assert block["close_fen_per_t"] is None
    assert (reading.rows_read, reading.rows_rejected, reading.problems) == (2, 0, ())


def test_a_weekly_bulletin_makes_no_row_of_a_day(write):
    found = read_bulletins(write(WEEK))
    assert found.reading.rows.is_empty()
    assert found.problems == ()
    assert dict(found.statements.schema) == statements_schema()


def test_parts_that_are_not_the_total_set_the_day_apart(write):
    path = write(DAY.replace("总成交量191,404吨", "总成交量191,405吨"), DAY.replace("[20220315]", "[20220316]"))
    reading = read_bulletins(path).reading
    assert [code for code in codes_of(reading) if code[0] == 1] == [(1, "parts_not_total")]
    assert reading.rows["row"].unique().to_list() == [2]
    assert reading.rows_rejected == 2


def test_rounded_parts_may_be_off_by_half_their_last_digits(write):
    # Three figures to 100 t: together at most 150 t off.
    assert codes_of(read_bulletins(write(WEEK.replace("972.88万吨", "972.89万吨")))) == []
    assert codes_of(read_bulletins(write(WEEK.replace("972.88万吨", "972.90万吨")))) == [(1, "parts_not_total")]


def test_an_unreadable_sentence_sets_the_rows_apart_and_keeps_the_other_statements(write):
    found = read_bulletins(write(DAY.replace("今日大宗协议交易成交量190,656吨", "今日大宗协议约190,656吨")))
    assert found.reading.rows.is_empty()
    assert (1, "unreadable_sentence") in codes_of(found)
    assert found.statements.filter(pl.col("method") == "listing").height == 7


def test_a_change_against_the_closes_is_checked_where_the_day_before_is_known(write):
    before = pl.DataFrame({"day": [date(2022, 3, 14)], "close_fen_per_t": [5800]})  # 57.77 / 58.00 - 1 = -0.40 %
    assert read_bulletins(write(DAY), closes=before).problems == ()
    wrong = read_bulletins(write(DAY.replace("下跌0.40%", "下跌0.43%")), closes=before)
    assert codes_of(wrong) == [(1, "change_not_closes")]
    turned = read_bulletins(write(DAY.replace("下跌0.40%", "上涨0.40%")), closes=before)
    assert codes_of(turned) == [(1, "unsigned_change")]
    friday = pl.DataFrame({"day": [date(2022, 3, 11)], "close_fen_per_t": [6000]})
    assert read_bulletins(write(DAY), closes=friday).problems == ()


def test_sums_since_the_opening(write):
    next_day = DAY.replace("[20220315]", "[20220316]").replace("下跌0.40%", "持平")
    grown = next_day.replace("188,716,043", "188,907,447").replace("8,190,561,408.52", "8,201,186,031.42")
    assert 188_716_043 + 191_404 == 188_907_447
    assert codes_of(read_bulletins(write(DAY, grown))) == []
    assert codes_of(read_bulletins(write(DAY, grown.replace("188,907,447", "188,907,448")))) == [(2, "cumulative_step")]
    fallen = grown.replace("188,907,447", "188,716,042")
    assert codes_of(read_bulletins(write(DAY, fallen))) == [(2, "cumulative_falls")]


def test_the_same_day_twice_with_other_figures(write):
    other = DAY.replace("748吨", "747吨").replace("191,404", "191,403")
    reading = read_bulletins(write(DAY, other)).reading
    assert {row for row, code in codes_of(reading) if code == "duplicate_key"} == {1, 2}
    # The block deals are alike in both, and set apart with their bulletins all the same.
    assert reading.rows.is_empty()


def test_bulletins_are_the_national_market_s(write):
    reading = read_bulletins(write(DAY), market="Hubei").reading
    assert reading.rows.is_empty()
    assert codes_of(reading) == [(1, "unknown_product")]


def test_too_many_lines(write):
    with pytest.raises(FileTooLarge, match="more than 1 rows"):
        read_bulletins(write(DAY, DAY), limits=Limits(max_bytes=10_000, max_rows=1))


def test_the_real_bulletins(market_files):
    path = market_files / "seee_bulletins.txt"
    assert recognise(path) == "seee_bulletins"
    name, reading = read_trades(path, market="CEA")
    assert name == "seee_bulletins"
    assert (reading.rows_read, reading.rows.height) == (6, 6)
    assert reading.rows.group_by("method").agg(pl.len()).sort("method").rows() == [(LISTING, 4), (BLOCK, 2)]
    # 15,764,291.20 / 157,536 = 100.07 lies above the composite high of 99.80 (C37); nothing else is said.
    assert codes_of(reading) == [(4, "vwap_outside_low_high")]
    assert read_bulletins(path).statements.height == 13 + 13 + 13 + 15 + 12 + 13


def test_every_exact_statement_of_2021_and_2022_is_the_sum_of_the_exchange_s_rows(market_files, national_file):
    _, national = read_trades(national_file, market="CEA")
    closes = national.rows.filter(pl.col("method") == LISTING).select("day", "close_fen_per_t")
    found = read_bulletins(market_files / "seee_bulletins.txt", closes=closes)
    assert {code for _, code in codes_of(found)} == {"vwap_outside_low_high"}
    compared = compare_statements(found.statements, national.rows).filter(pl.col("computed").is_not_null())
    assert compared.height == 8 * 3 + 8
    assert compared["difference"].unique().to_list() == [0]
    assert compared["agrees"].all()
    sums = compared.filter((pl.col("period") == "to_date") & (pl.col("unit") == "fen")).sort("last_day")
    assert sums["computed"].to_list() == [32_618_781_402, 807_199_687_236, 819_056_140_852, 905_842_623_314]


def test_the_rounded_week_of_2025_agrees_within_its_digits(market_files):
    _, year = read_trades(market_files / "cea_daily_2025_cneeex.csv", market="CEA")
    found = read_bulletins(market_files / "seee_bulletins.txt")
    compared = compare_statements(found.statements, year.rows).filter(pl.col("computed").is_not_null())
    assert compared["row"].unique().to_list() == [6]
    assert compared.height == 8
    assert compared["agrees"].all()
    assert (2 * compared["difference"].abs() <= compared["precision"]).all()


def test_rows_that_do_not_reach_over_the_period_say_nothing(write):
    statements = read_bulletins(write(DAY)).statements
    rows = read_bulletins(write(DAY)).reading.rows
    compared = compare_statements(statements, rows)
    assert compared.filter(pl.col("period") == "to_date")["agrees"].to_list() == [None, None]
    assert compared.filter(pl.col("period") == "day")["difference"].to_list() == [0] * 6
