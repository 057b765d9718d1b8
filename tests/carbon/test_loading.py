import math
import statistics
from collections import Counter
from datetime import UTC, datetime

import polars as pl
import pytest
from sqlmodel import delete, select

import carbon.loading
from carbon.errors import UnknownMarket
from carbon.facts import market_periods, market_years
from carbon.lake import append_rows, lake_version, read_rows
from carbon.loading import ensure_fresh, load_trades, refresh_market
from carbon.tables import DailyBar, DaySetApart, TradeFile, TradeSummary


def sql_rows(session):
    tables = (DailyBar, TradeSummary, TradeFile, DaySetApart)
    return [sorted(str(sorted(row.model_dump().items())) for row in session.exec(select(table))) for table in tables]


def totals(session, market="CEA"):
    bars = session.exec(select(DailyBar).where(DailyBar.market == market)).all()
    return sum(bar.volume_t for bar in bars), sum(bar.value_fen for bar in bars)


def test_the_national_file(session, lake, national_file):
    moment = datetime(2026, 5, 9, 8, 30, tzinfo=UTC)
    steps = []
    report = load_trades(session, lake, national_file, market="cea", loaded_at=moment, progress=steps.append)
    assert (report.file, report.format, report.market) == (national_file.name, "cneeex_daily", "CEA")
    assert (report.rows_read, report.rows_kept, report.rows_new, report.rows_already_loaded) == (675, 675, 675, 0)
    assert (report.rejected, report.errors) == (0, ())
    assert Counter(problem.code for problem in report.problems) == {"open_outside_low_high": 1}
    assert steps == ["reading", "comparing", "appending", "summarising"]
    assert len(session.exec(select(DailyBar)).all()) == 514
    logged = session.exec(select(TradeFile)).one()
    assert (logged.rows_kept, str(logged.first_day), str(logged.last_day)) == (675, "2021-07-16", "2023-08-25")
    assert logged.loaded_at.replace(tzinfo=UTC) == moment
    year = session.get(TradeSummary, ("CEA", "2022", "year", "loaded"))
    assert (year.volume_t, year.value_fen, year.lake_version) == (50_889_493, 281_400_469_428, lake_version(lake))
    assert year.source == f"loaded: {national_file.name}"


def test_the_same_file_twice_changes_nothing(session, lake, national_file):
    load_trades(session, lake, national_file, market="CEA")
    before = sql_rows(session), lake_version(lake), read_rows(lake, "CEA")
    again = load_trades(session, lake, national_file, market="CEA")
    assert (again.rows_kept, again.rows_new, again.rows_already_loaded) == (675, 0, 675)
    assert (sql_rows(session), lake_version(lake)) == before[:2]
    assert read_rows(lake, "CEA").equals(before[2])


def test_exchange_file_and_bulletins_do_not_count_twice(session, lake, settlement_file, price_file, national_file):
    load_trades(session, lake, settlement_file, market="CEA")
    settlement = totals(session)
    raw = pl.read_csv(settlement_file)
    assert settlement[0] == raw["本日成交量_吨"].sum()
    load_trades(session, lake, price_file, market="CEA")
    assert read_rows(lake, "CEA").height == 141 + 122
    both = totals(session)
    feeds = Counter(bar.feed for bar in session.exec(select(DailyBar)))
    days_of_prices = pl.read_csv(price_file, infer_schema=False)["日期"].n_unique()
    assert feeds["crc_price"] == days_of_prices
    assert both == settlement == (30_145_967, 225_642_469_551)  # two witnesses of the same tonnes, not their sum
    load_trades(session, lake, national_file, market="CEA")
    assert totals(session)[0] == both[0] + 248_023_673


def test_both_bulletins_agree_on_every_day(session, lake, settlement_file, price_file):
    load_trades(session, lake, settlement_file, market="CEA")
    first = {bar.day: (bar.volume_t, bar.value_fen) for bar in session.exec(select(DailyBar))}
    load_trades(session, lake, price_file, market="CEA")
    second = {bar.day: (bar.volume_t, bar.value_fen) for bar in session.exec(select(DailyBar))}
    assert len(first) == 77
    assert second == first


def test_bad_rows_are_set_apart_and_good_rows_kept(session, lake, write_national):
    lines = [
        "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易",
        "2022-03-02,CEA,58.0,57.0,58.0,58.0,0.0,1000,58000,挂牌协议交易",
    ]
    report = load_trades(session, lake, write_national(lines), market="CEA")
    assert (report.rows_read, report.rows_kept, report.rejected) == (2, 1, 1)
    assert [(problem.row, problem.code) for problem in report.errors] == [(3, "high_below_low")]
    logged = session.exec(select(TradeFile)).one()
    assert (logged.rows_read, logged.rows_kept, logged.rows_rejected) == (2, 1, 1)


def test_the_step_from_one_vintage_to_the_next_is_no_return(session, lake, write_national):
    days = [("01", "CEA22", 60), ("02", "CEA22", 66), ("03", "CEA23", 99), ("04", "CEA23", 99), ("07", "CEA23", 108.9)]
    lines = [
        f"2024-03-{day},{product},{price},{price},{price},{price},0.0,1000,{1000 * price},挂牌协议交易"
        for day, product, price in days
    ]
    load_trades(session, lake, write_national(lines), market="CEA")
    moves = [math.log(66 / 60), 0, math.log(108.9 / 99)]
    month = session.get(TradeSummary, ("CEA", "2024-03", "month", "loaded"))
    assert month.volatility_annual == pytest.approx(statistics.stdev(moves) * math.sqrt(252))
    assert month.zero_return_share == pytest.approx(1 / 3)
    assert month.amihud_per_million_cny == pytest.approx((moves[0] / 0.066 + moves[2] / 0.1089) / 3)


def test_strict_keeps_nothing_where_one_row_is_bad(session, lake, write_national):
    lines = [
        "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易",
        "2022-03-02,CEA,58.0,57.0,58.0,58.0,0.0,1000,58000,挂牌协议交易",
    ]
    report = load_trades(session, lake, write_national(lines), market="CEA", strict=True)
    assert (report.rows_kept, report.rows_new, report.rejected, len(report.errors)) == (0, 0, 2, 1)
    assert lake_version(lake) is None
    assert sql_rows(session)[0] == []
    assert sql_rows(session)[2] == []


def test_strict_keeps_a_file_with_warnings_only(session, lake, national_file):
    assert load_trades(session, lake, national_file, market="CEA", strict=True).rows_new == 675


def test_other_figures_for_a_loaded_day_name_the_earlier_file(session, lake, write_national):
    load_trades(session, lake, write_national(name="first.csv"), market="CEA")
    changed = [
        "2022-03-02,CEA,58.0,59.0,58.0,58.58,1.0,3000,175740,挂牌协议交易",
        "2022-03-04,CEA,58.0,59.0,58.0,58.58,1.0,3000,175740,挂牌协议交易",
    ]
    version = lake_version(lake)
    report = load_trades(session, lake, write_national(changed, name="second.csv"), market="CEA")
    problem = report.errors[0]
    assert (problem.file, problem.row, problem.code) == ("second.csv", 2, "already_loaded_otherwise")
    assert problem.found == "3000 t, 175740.00 CNY, close 58.58"
    assert problem.expected == (
        "2000 t, 117160.00 CNY, close 58.58 for CEA listing of 2022-03-02, as loaded from first.csv"
    )
    assert (report.rows_kept, report.rejected, lake_version(lake)) == (1, 1, version + 1)


def listing(day, close="58.0", high="58.5", product="CEA"):
    return f"{day},{product},58.0,{high},57.5,{close},0.0,1000,{float(close) * 1000:.0f},挂牌协议交易"


# March lies between days that are loaded, and lacks one whose high is below its low.
AROUND_MARCH = [listing("2022-02-28"), listing("2022-03-01"), listing("2022-03-02", high="57.0"), listing("2022-04-01")]


def extent(session, month="2022-03", market="CEA"):
    session.expire_all()
    return session.get(TradeSummary, (market, month, "month", "loaded")).coverage


def days_set_apart(session):
    return {(one.day and str(one.day), one.lines) for one in session.exec(select(DaySetApart))}


def test_a_month_that_lost_a_day_is_a_part_until_another_file_has_it(session, lake, write_national):
    load_trades(session, lake, write_national(AROUND_MARCH), market="CEA")
    assert days_set_apart(session) == {("2022-03-02", 1)}
    assert extent(session) == "part_of_month"
    refresh_market(session, lake, "CEA")
    assert extent(session) == "part_of_month"
    append_rows(lake, read_rows(lake, "CEA").with_columns(day=pl.col("day").dt.offset_by("1y")))
    assert ensure_fresh(session, lake) == ["CEA"]
    assert extent(session) == "part_of_month"
    load_trades(session, lake, write_national([listing("2022-03-02")], name="later.csv"), market="CEA")
    assert extent(session) == "whole_month"
    load_trades(session, lake, write_national(AROUND_MARCH), market="CEA")
    assert (extent(session), days_set_apart(session)) == ("whole_month", {("2022-03-02", 1)})


def test_a_day_of_which_one_line_was_kept_is_not_lost(session, lake, write_national):
    block = "2022-03-02,CEA,58.0,58.5,57.5,58.0,0.0,100000,5500000,大宗协议交易"
    load_trades(session, lake, write_national([*AROUND_MARCH, block]), market="CEA")
    assert (extent(session), days_set_apart(session)) == ("whole_month", {("2022-03-02", 1)})


def test_lines_without_a_day_are_counted_and_belong_to_no_month(session, lake, write_national):
    good = [line for line in AROUND_MARCH if "57.0" not in line]
    lines = [*good, listing("2022-02-30"), listing("soon")]
    load_trades(session, lake, write_national(lines), market="CEA")
    assert (extent(session), days_set_apart(session)) == ("whole_month", {(None, 2)})


def test_the_same_file_twice_logs_its_days_once(session, lake, write_national):
    path = write_national([*AROUND_MARCH, listing("2022-02-30")])
    load_trades(session, lake, path, market="CEA")
    before = sql_rows(session)
    load_trades(session, lake, path, market="CEA")
    assert sql_rows(session) == before
    assert days_set_apart(session) == {("2022-03-02", 1), (None, 1)}


def test_a_file_logged_without_its_days_gets_them_when_it_is_loaded_again(session, lake, write_national):
    path = write_national(AROUND_MARCH)
    load_trades(session, lake, path, market="CEA")
    session.exec(delete(DaySetApart))
    session.commit()
    refresh_market(session, lake, "CEA")
    assert extent(session) == "whole_month"
    load_trades(session, lake, path, market="CEA")
    assert (extent(session), len(session.exec(select(TradeFile)).all())) == ("part_of_month", 1)


def test_a_file_of_which_nothing_is_kept_leaves_its_month_a_part(session, lake, write_national):
    good = [line for line in AROUND_MARCH if "57.0" not in line]
    load_trades(session, lake, write_national(good), market="CEA")
    assert extent(session) == "whole_month"
    bulletin = write_national([listing("2022-03-02", high="57.0")], name="bulletin.csv")
    load_trades(session, lake, bulletin, market="CEA", strict=True)
    assert extent(session) == "whole_month"
    assert load_trades(session, lake, bulletin, market="CEA").rows_kept == 0
    assert extent(session) == "part_of_month"
    logged = session.exec(select(TradeFile).where(TradeFile.file == "bulletin.csv")).one()
    assert (logged.rows_kept, logged.rows_rejected, logged.first_day) == (0, 1, None)


def test_a_file_of_another_market_says_nothing_of_this_ones_days(session, lake, write_national):
    good = [line for line in AROUND_MARCH if "57.0" not in line]
    load_trades(session, lake, write_national(good), market="CEA")
    load_trades(session, lake, write_national([listing("2022-03-02", product="GDEA")], name="other.csv"), market="CEA")
    assert (extent(session), days_set_apart(session)) == ("whole_month", set())
    assert len(session.exec(select(TradeFile)).all()) == 1


def test_the_long_table_of_the_national_market_lost_four_days(session, lake, market_files, national_file):
    """Lines whose parts are not their total; the exchange's own file has the first of these days."""
    load_trades(session, lake, market_files / "cn_carbon_daily_best.csv.gz", market="CEA")
    lost = {"2023-01-06", "2023-10-30", "2024-04-17", "2024-06-25"}
    assert days_set_apart(session) == {(day, 1) for day in lost}
    months = market_periods(session, "month").filter(pl.col("origin") == "loaded")
    partly = months.filter(pl.col("coverage") != "whole_month")["period"]
    assert set(partly) == {day[:7] for day in lost}
    load_trades(session, lake, national_file, market="CEA")
    assert [extent(session, day[:7]) for day in sorted(lost)] == ["whole_month", *["part_of_month"] * 3]


def test_an_unknown_market_loads_nothing(session, lake, write_national):
    with pytest.raises(UnknownMarket, match="'EUA'"):
        load_trades(session, lake, write_national(), market="EUA")
    assert lake_version(lake) is None


def test_a_file_may_carry_another_name(session, lake, write_national):
    report = load_trades(session, lake, write_national(name="upload-17.tmp"), market="CEA", file_name="march.csv")
    assert report.file == "march.csv"
    assert read_rows(lake, "CEA")["file"].unique().to_list() == ["march.csv"]


def test_a_crash_between_the_stores_is_healed(session, lake, national_file, wind_file, monkeypatch):
    load_trades(session, lake, wind_file, market="HBEA")

    def crash(*_):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(carbon.loading, "_derive", crash)
        with pytest.raises(RuntimeError, match="power cut"):
            load_trades(session, lake, national_file, market="CEA")
    assert read_rows(lake, "CEA").height == 675
    assert totals(session) == (0, 0)
    assert session.exec(select(TradeFile)).one().market == "Hubei"
    assert set(ensure_fresh(session, lake)) == {"CEA", "Hubei"}
    assert totals(session)[0] == 248_023_673
    assert ensure_fresh(session, lake) == []
    report = load_trades(session, lake, national_file, market="CEA")
    assert (report.rows_new, len(session.exec(select(TradeFile)).all())) == (0, 2)


def test_refresh_makes_the_same_figures_again(session, lake, national_file):
    load_trades(session, lake, national_file, market="CEA")
    before = sql_rows(session)
    refresh_market(session, lake, "cea")
    assert sql_rows(session) == before


def test_refresh_without_a_lake(session, lake):
    refresh_market(session, lake, "CEA")
    assert ensure_fresh(session, lake) == []
    assert sql_rows(session)[0] == []


def test_another_writer_makes_figures_stale(session, lake, write_national):
    load_trades(session, lake, write_national(), market="CEA")
    more = read_rows(lake, "CEA").with_columns(day=pl.col("day").dt.offset_by("1w"))
    append_rows(lake, more)
    before = totals(session)
    assert ensure_fresh(session, lake) == ["CEA"]
    assert totals(session) == (2 * before[0], 2 * before[1])


@pytest.mark.parametrize("cut", [1, 300, 674])
def test_a_file_in_two_parts_gives_the_same_figures(session, lake, tmp_path, national_file, cut):
    lines = national_file.read_text(encoding="utf-8-sig").splitlines()
    for name, part in (("late.csv", lines[cut + 1 :]), ("early.csv", lines[1 : cut + 1])):
        path = tmp_path / name
        path.write_text("\n".join([lines[0], *part]), encoding="utf-8")
        load_trades(session, lake, path, market="CEA")
    parts = market_periods(session, "month").filter(pl.col("origin") == "loaded").drop("source")
    other = tmp_path / "whole"
    load_trades(session, other, national_file, market="CEA")
    refresh_market(session, other, "CEA")
    whole = market_periods(session, "month").filter(pl.col("origin") == "loaded").drop("source")
    assert parts.equals(whole)


def test_part_of_a_year_does_not_replace_the_whole(session, lake, national_file):
    load_trades(session, lake, national_file, market="CEA")
    years = {row["year"]: row for row in market_years(session).filter(pl.col("market") == "CEA").to_dicts()}
    assert [years[year]["used"] for year in (2021, 2022, 2023, 2024)] == ["loaded", "loaded", "embedded", "embedded"]
    assert years[2023]["volume_t"] == 211_943_768
    assert years[2023]["passed_over"] == "loaded CEA 2023 ends 2023-08-25, embedded runs to 2023-12-29: embedded kept"
    assert years[2022]["passed_over"] is None
