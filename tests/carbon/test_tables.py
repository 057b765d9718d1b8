from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from carbon.embedded import load_embedded
from carbon.tables import DailyBar, DaySetApart, TradeFile, TradeSummary

BAR = {
    **{"market": "CEA", "day": date(2022, 3, 1), "feed": "cneeex_daily", "close_fen_per_t": 5800},
    **{"high_fen_per_t": 5850, "low_fen_per_t": 5750},
    **{"listing_volume_t": 1000, "listing_value_fen": 5_800_000, "block_volume_t": 100_000},
    **{"block_value_fen": 550_000_000, "auction_volume_t": 0, "auction_value_fen": 0},
    **{"volume_t": 101_000, "value_fen": 555_800_000},
}
UNKNOWN_PARTS = {name: None for name in BAR if name.startswith(("listing", "block", "auction"))}
SUMMARY = {
    **{"market": "CEA", "period": "2022", "by": "year", "origin": "loaded", "volume_t": 1, "value_fen": 2},
    **{"sessions": 1, "coverage": "part_of_year", "source": "loaded: a.csv"},
}
FILE = {
    **{"sha256": "0" * 64, "file": "a.csv", "market": "CEA", "format": "cneeex_daily"},
    **{"rows_read": 3, "rows_kept": 2, "rows_rejected": 1},
}


def test_good_rows_pass(session):
    load_embedded(session)
    session.add_all([DailyBar(**BAR), TradeSummary(**SUMMARY), TradeFile(**FILE)])
    session.commit()
    assert session.get(DailyBar, ("CEA", date(2022, 3, 1))).value_fen == 555_800_000


def test_a_bar_may_know_its_totals_only(session):
    load_embedded(session)
    session.add(DailyBar(**{**BAR, **UNKNOWN_PARTS}))
    session.commit()
    session.expire_all()
    bar = session.get(DailyBar, ("CEA", date(2022, 3, 1)))
    assert (bar.listing_volume_t, bar.volume_t) == (None, 101_000)


def test_amounts_beyond_32_bits_pass(session):
    load_embedded(session)
    large = {"volume_t": 3 * 10**9, "value_fen": 10**15}
    session.add(TradeSummary(**{**SUMMARY, **large}))
    session.commit()
    session.expire_all()
    assert session.get(TradeSummary, ("CEA", "2022", "year", "loaded")).value_fen == 10**15


@pytest.mark.parametrize(
    ("table", "good", "change"),
    [
        (DailyBar, BAR, {"volume_t": 101_001}),
        (DailyBar, BAR, {"value_fen": 1}),
        (DailyBar, BAR, {"high_fen_per_t": 5700}),
        (DailyBar, BAR, {"close_fen_per_t": 0}),
        (DailyBar, BAR, {"listing_volume_t": -1000, "volume_t": 99_000}),
        (DailyBar, BAR, {"block_volume_t": None}),
        (DailyBar, BAR, {"listing_volume_t": None}),
        (DailyBar, BAR, {"listing_volume_t": None, "listing_value_fen": None}),
        (DailyBar, BAR, {**UNKNOWN_PARTS, "volume_t": -1}),
        (DailyBar, BAR, {"market": "Atlantis"}),
        (TradeSummary, SUMMARY, {"by": "week"}),
        (TradeSummary, SUMMARY, {"origin": "guessed"}),
        (TradeSummary, SUMMARY, {"period": "2022-03"}),
        (TradeSummary, SUMMARY, {"continuity": 1.5}),
        (TradeSummary, SUMMARY, {"block_share": -0.1}),
        (TradeSummary, SUMMARY, {"coverage": "whole year"}),
        (TradeSummary, SUMMARY, {"first_day": date(2022, 2, 1), "last_day": date(2022, 1, 1)}),
        (TradeFile, FILE, {"sha256": "abc"}),
        (TradeFile, FILE, {"rows_kept": 4}),
        (TradeFile, FILE, {"rows_rejected": -1}),
    ],
)
def test_the_database_refuses(session, table, good, change):
    load_embedded(session)
    session.add(table(**{**good, **change}))
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()


@pytest.mark.parametrize("change", [{"lines": 0}, {"trade_file": 99}, {}])
def test_a_day_set_apart_is_of_a_file_and_there_once(session, change):
    load_embedded(session)
    session.add(TradeFile(**FILE, id=1))
    session.commit()
    good = {"trade_file": 1, "day": date(2022, 3, 1), "lines": 2}
    session.add(DaySetApart(**good))
    session.commit()
    session.add(DaySetApart(**good | change))
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()


def test_a_file_is_logged_once(session):
    load_embedded(session)
    session.add_all([TradeFile(**FILE), TradeFile(**FILE)])
    with pytest.raises(IntegrityError):
        session.commit()
    session.rollback()
