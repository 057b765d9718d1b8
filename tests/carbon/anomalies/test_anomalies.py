from datetime import date
from math import log

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.anomalies.outliers import isolation_scores, robust_scores
from carbon.anomalies.price_limits import limits_of
from carbon.anomalies.rows import anomalies_schema
from carbon.anomalies.rules import RULES, count_by_rule, find_anomalies
from carbon.calendar import market_sessions
from carbon.formats import read_trades
from carbon.rows import ALL, BLOCK, LISTING, empty_rows, rows_schema

SESSIONS = [day for day in market_sessions("CEA", [2022, 2023]) if day >= date(2022, 3, 1)]


def row(session=0, close=5000, method=LISTING, volume=100_000, **others):
    """One canonical row on a session of the national market from 2022-03-01 on, priced at its close."""
    price = close if method == LISTING else None
    known = {
        "day": SESSIONS[session],
        "market": "CEA",
        "product": "CEA",
        "method": method,
        **dict.fromkeys(["open_fen_per_t", "high_fen_per_t", "low_fen_per_t", "close_fen_per_t"], price),
        "volume_t": volume,
        "value_fen": volume * close,
        "feed": "cneeex_daily",
        "file": "a.csv",
        "row": 2 + session,
    }
    return dict.fromkeys(rows_schema()) | known | others


def marked(*rows, without=()):
    """(rule, severity, row) of each anomaly, those of some rules left out."""
    found = find_anomalies(pl.DataFrame(list(rows), schema=rows_schema()))
    assert dict(found.schema) == anomalies_schema()
    return found.filter(~pl.col("rule").is_in(list(without))).select("rule", "severity", "row").rows()


def test_limits_come_from_the_rule_book():
    (limits,) = limits_of(["CEA", "Hubei"])
    assert (limits.listing_share, limits.block_share, limits.block_from_t) == (0.1, 0.3, 100_000)
    assert limits.since == date(2021, 6, 22)
    assert limits.composite_since == date(2023, 8, 28)
    assert "2021-06-22" in limits.listing_source
    assert limits_of(["Hubei", "Nowhere"]) == []


# 4316 x 1.1 = 4747.6 and x 0.9 = 3884.4: rounded half up to 4748 and 3884.
@pytest.mark.parametrize(("close", "is_beyond"), [(4748, False), (4749, True), (3884, False), (3883, True)])
def test_a_listing_price_within_ten_per_cent_rounded_to_the_fen(close, is_beyond):
    found = marked(row(0, 4316), row(1, close))
    assert found == ([("listing_beyond_limit", "warning", 3)] if is_beyond else [])


def test_any_of_the_four_prices_is_held_to_the_limit_and_marked_once():
    spike = row(1, 5000, high_fen_per_t=5501, open_fen_per_t=5501)
    assert marked(row(0), spike) == [("listing_beyond_limit", "warning", 3)]


# 4316 x 0.7 = 3021.2 and x 1.3 = 5610.8: 3021 and 5611 for each of the deals.
@pytest.mark.parametrize(
    ("value", "is_beyond"),
    [(3021 * 100_000, False), (3021 * 100_000 - 1, True), (5611 * 100_000, False), (5611 * 100_000 + 1, True)],
)
def test_a_block_within_thirty_per_cent_of_the_close_before(value, is_beyond):
    found = marked(row(0, 4316), row(1, 4500), row(1, method=BLOCK, value_fen=value, row=9))
    assert found == ([("block_beyond_limit", "warning", 9)] if is_beyond else [])


def test_a_breach_is_told_with_its_limit_and_source():
    found = find_anomalies(pl.DataFrame([row(0, 4316), row(1, 4749)], schema=rows_schema())).row(0, named=True)
    assert found["found"] == "close of 47.49 CNY/t"
    assert found["expected"] == "38.84 to 47.48 CNY/t, within 10% of the close of 43.16 on 2022-03-01"
    assert found["source"] == "上海环境能源交易所公告 2021-06-22 (high)"
    assert (found["file"], found["method"], found["day"]) == ("a.csv", "listing", SESSIONS[1])


def test_no_limit_is_guessed_and_none_is_applied_over_a_gap_or_another_product():
    assert marked(row(0, market="Hubei", product="HBEA"), row(1, 9000, market="Hubei", product="HBEA")) == []
    assert marked(row(0, product="CEA19-20"), row(1, 9000, product="CEA21")) == []
    assert marked(row(0), row(2, 9000)) == [("session_without_row", "note", None)]
    # The feed has a row of another product in between, so that the close before is known to be the last one.
    assert marked(row(0), row(1, product="CEA21"), row(2, 9000)) == [("listing_beyond_limit", "warning", 4)]


def test_a_composite_of_vintages_is_only_noted():
    late = [at for at, day in enumerate(SESSIONS) if day >= date(2023, 9, 1)][:2]
    assert marked(row(late[0]), row(late[1], 9000, row=3)) == [("listing_beyond_limit", "note", 3)]
    vintage = {"product": "CEA21"}
    assert marked(row(late[0], **vintage), row(late[1], 9000, row=3, **vintage)) == [
        ("listing_beyond_limit", "warning", 3)
    ]


@pytest.mark.parametrize(("volume", "is_small"), [(99_999, True), (1, True), (100_000, False), (0, False)])
def test_a_block_has_its_least_tonnes(volume, is_small):
    found = marked(row(0, method=BLOCK, volume=volume))
    assert found == ([("block_too_small", "warning", 2)] if is_small else [])


def test_days_that_are_no_sessions():
    saturday = {"day": date(2022, 3, 5), "product": "GDEA", "market": "Guangdong"}
    assert marked(row(**saturday)) == [("closed_day", "warning", 2)]
    idle = row(**saturday, volume=0)
    assert marked(idle, without=["price_without_tonnes"]) == [("closed_day", "note", 2)]
    assert marked(row(**saturday | {"day": date(2022, 7, 30)})) == []
    assert marked(row(**saturday | {"day": date(1999, 7, 30)})) == []


def test_gaps_are_told_once_a_run():
    found = find_anomalies(pl.DataFrame([row(0), row(3), row(4), row(6)], schema=rows_schema()))
    assert found.select("day", "found").rows() == [
        (SESSIONS[1], f"no row on 2 sessions until {SESSIONS[2]}"),
        (SESSIONS[5], f"no row on 1 sessions until {SESSIONS[5]}"),
    ]
    assert marked(*(row(at, market="Hubei", product="HBEA") for at in (0, 9))) == []


def test_a_price_that_no_trade_made():
    assert marked(row(0), row(1, volume=0)) == [("price_without_tonnes", "note", 3)]
    stale = row(1, 5000, low_fen_per_t=5010, high_fen_per_t=5020, open_fen_per_t=5010)
    assert marked(row(0), stale) == [("stale_close", "warning", 3)]
    assert marked(row(0), row(1, 5015, low_fen_per_t=5010, high_fen_per_t=5020, open_fen_per_t=5010)) == []


def test_half_figures_are_marked_where_the_feed_prints_both():
    assert marked(row(0), row(1, value_fen=0)) == [("half_figure", "warning", 3)]
    assert marked(row(0), row(1, value_fen=None)) == [("half_figure", "warning", 3)]
    assert marked(row(0, value_fen=None), row(1, value_fen=None)) == []


def test_an_outlier_needs_a_history_and_both_methods():
    calm = [row(at, 5000 + at % 2) for at in range(100)]
    assert marked(*calm) == []
    jump = row(100, 5450, volume=90_000_000, high_fen_per_t=5450, low_fen_per_t=4900, open_fen_per_t=4900)
    assert marked(*calm, jump) == [("outlier", "note", 102)]
    assert marked(*calm[:10], {**jump, "day": SESSIONS[10]}) == []


def test_blocks_and_totals_are_no_listing_moves():
    calm = [row(at, 5000 + at % 2) for at in range(100)]
    jump = row(100, 5450, volume=90_000_000, method=ALL, close_fen_per_t=5450)
    assert marked(*calm, jump) == []


def test_robust_scores_by_hand():
    moves = [0.01, -0.01, 0.02, 0.5]
    # Median of the three before is 0.01, deviations 0, 0.02, 0.01: median 0.01.
    scores = robust_scores(moves, smallest_scale=1e-9, window=3, fewest=3)
    assert np.isnan(scores[:3]).all()
    assert scores[3] == pytest.approx((0.5 - 0.01) / (0.01 * 1.4826))
    assert robust_scores([0.0, 0.0, 0.0, 0.5], smallest_scale=0.1, window=3, fewest=3)[3] == pytest.approx(5)
    assert robust_scores([], smallest_scale=1).size == 0


@given(st.lists(st.floats(-0.1, 0.1), min_size=25, max_size=60), st.floats(-1, 1))
def test_a_move_is_never_judged_by_itself_or_by_later_ones(moves, last):
    before = robust_scores([*moves, 0.0], smallest_scale=0.01, fewest=20)
    after = robust_scores([*moves, last], smallest_scale=0.01, fewest=20)
    assert np.array_equal(before[:-1], after[:-1], equal_nan=True)


def test_isolation_scores():
    points = np.array([[0.0, 1.0]] * 60 + [[9.0, 1.0]])
    scores = isolation_scores(points)
    assert scores.argmax() == 60
    assert np.array_equal(scores, isolation_scores(points))
    assert isolation_scores(np.ones((5, 2))).tolist() == [0.0] * 5
    assert isolation_scores(np.ones((1, 2))).tolist() == [0.0]


def test_every_rule_is_counted():
    rows = pl.DataFrame([row(0), row(1, 9000)], schema=rows_schema())
    counted = count_by_rule(rows, find_anomalies(rows))
    assert counted["rule"].to_list() == list(RULES)
    assert counted.filter(rule="listing_beyond_limit").row(0) == ("listing_beyond_limit", 2, 1, 0, 1 / 2)
    assert counted["warnings"].sum() == 1
    assert count_by_rule(empty_rows(), find_anomalies(empty_rows()))["share"].null_count() == len(RULES)


def test_clean_rows_of_the_national_market_give_no_warning(national_file, price_file, settlement_file):
    for file, outliers in ((national_file, 4), (price_file, 0), (settlement_file, 0)):
        rows = read_trades(file, market="CEA")[1].rows
        found = find_anomalies(rows)
        assert found.filter(severity="warning").is_empty()
        assert found.filter(rule="outlier").height == outliers
        assert set(found["rule"]) <= {"outlier", "session_without_row"}
    moves = find_anomalies(read_trades(national_file, market="CEA")[1].rows)
    assert date(2023, 4, 6) in moves["day"].to_list()  # The fall of 9.79 per cent: log(0.9021) is more than 0.1.
    assert abs(log(0.9021)) > 0.1


def test_the_first_breach_of_a_changed_file_is_found(national_file):
    rows = read_trades(national_file, market="CEA")[1].rows
    is_day = (pl.col("day") == date(2022, 5, 10)) & (pl.col("method") == LISTING)
    assert rows.filter(is_day).height == 1
    changed = rows.with_columns(pl.when(is_day).then(9999).otherwise("close_fen_per_t").alias("close_fen_per_t"))
    found = find_anomalies(changed).filter(severity="warning", rule="listing_beyond_limit")
    assert found["day"].to_list()[0] == date(2022, 5, 10)


def test_the_closed_days_of_the_sichuan_page_are_marked(market_files):
    path = market_files / "raw_sceex_all_markets_2016_2023.csv.gz"
    found = find_anomalies(read_trades(path, market="Hubei")[1].rows).filter(rule="closed_day")
    # Days that no other source of Hubei has; the same Sunday stands in the rows of five other markets.
    assert found["day"].to_list() == [date(2020, 12, 19), date(2021, 11, 14), date(2022, 3, 20)]
    assert set(found["severity"]) == {"warning"}


def test_wind_of_hubei_gives_no_warning(wind_file):
    rows = read_trades(wind_file, market="Hubei")[1].rows
    found = find_anomalies(rows)
    assert set(found["severity"]) == {"note"}
    assert set(found["rule"]) == {"outlier"}
    assert found.height / rows.height < 0.01
