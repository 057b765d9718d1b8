"""A city's periods, its two kinds of pilot figures, its shares, and what was printed beside them."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.attribution import By, MarketFrames, period_frame
from carbon.attribution_inputs import day_figures
from carbon.city_market import (
    EMBEDDED_VENUES,
    city_standing,
    comparable_figures,
    venue_days,
    venue_periods,
    with_embedded_years,
)
from carbon.embedded import embedded_summaries, read_embedded
from carbon.errors import UnknownFormat
from carbon.formats import read_trades
from carbon.market import SCREEN_ONLY_FEEDS, day_bars
from carbon.printed_facts import PILOTS, classify_facts, compare_facts, read_facts
from carbon.rows import ALL, AUCTION, BLOCK, LISTING, rows_schema

MARKETS = read_embedded("markets")
FACILITIES = read_embedded("facilities")
SCREEN_FEED = SCREEN_ONLY_FEEDS[0]
HEAD = "as_of,place,fact,value,unit,note,source"


def trade(day: str, method: int, volume: int, value: int | None, feed: str, market: str = "Hubei") -> dict[str, Any]:
    row = dict.fromkeys(rows_schema())
    named = {"day": date.fromisoformat(day), "market": market, "product": "X", "method": method, "feed": feed}
    return {**row, **named, "volume_t": volume, "value_fen": value, "file": "f", "row": 1}


def trades(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=rows_schema(), orient="row")


def figures(*given: tuple[str, str, int, str]) -> pl.DataFrame:
    """market, period, volume, coverage; a tonne costs 50 fen, the first day is that of the period."""
    rows = [
        (market, period, volume, volume * 50, date(int(period[:4]), 12, 1), coverage, "paper")
        for market, period, volume, coverage in given
    ]
    columns = {"market": pl.String, "period": pl.String, "volume_t": pl.Int64, "value_fen": pl.Int64}
    more = {"first_day": pl.Date, "coverage": pl.String, "source": pl.String}
    return pl.DataFrame(rows, schema={**columns, **more}, orient="row")


def standing(
    given: pl.DataFrame, hub: str, first: int, last: int, by: By = "year", rows: pl.DataFrame | None = None
) -> pl.DataFrame:
    venues = venue_periods(venue_days(trades() if rows is None else rows), by)
    periods = period_frame(by, date(first, 1, 1), date(last, 12, 31))
    return city_standing(MarketFrames(given, MARKETS, FACILITIES), venues, periods, hub, by=by)


def test_screen_and_all_venues_are_told_apart_by_what_a_feed_prints() -> None:
    days = venue_days(
        trades(
            trade("2020-01-02", LISTING, 10, 100, SCREEN_FEED),
            trade("2020-01-02", ALL, 25, 240, "sceex_daily"),
            trade("2020-01-03", LISTING, 7, 70, "cneeex_daily"),
            trade("2020-01-03", BLOCK, 100, 900, "cneeex_daily"),
            trade("2020-01-03", AUCTION, 1, 9, "cneeex_daily"),
        )
    )
    found = {
        (row["period"], row["venue"]): (row["volume_t"], row["value_fen"], row["source"]) for row in days.to_dicts()
    }
    assert found == {
        ("2020-01-02", "screen"): (10, 100, SCREEN_FEED),
        ("2020-01-02", "all_venue"): (25, 240, "sceex_daily"),
        ("2020-01-03", "screen"): (7, 70, "cneeex_daily"),
        ("2020-01-03", "all_venue"): (7 + 100 + 1, 70 + 900 + 9, "cneeex_daily"),
    }


def test_one_feed_makes_a_day_and_a_value_not_printed_is_null() -> None:
    rows = trades(
        trade("2020-01-02", LISTING, 10, 100, "exchange_hubei"),
        trade("2020-01-02", LISTING, 11, 110, "wind_daily"),
        trade("2020-01-03", LISTING, 5, None, "akshare_hb"),
        trade("2020-02-03", LISTING, 0, 0, "wind_daily"),
    )
    months = venue_periods(venue_days(rows), "month").filter(pl.col("venue") == "screen")
    assert months.select("period", "volume_t", "value_fen", "days").rows() == [
        ("2020-01", 10 + 5, None, 2),
        ("2020-02", 0, 0, 0),
    ]
    assert months["source"][0] == "loaded: akshare_hb, exchange_hubei"


deals = st.tuples(
    st.dates(date(2020, 1, 1), date(2021, 3, 1)), st.sampled_from([LISTING, BLOCK, AUCTION]), st.integers(0, 10**9)
)


@given(st.lists(deals, unique_by=lambda deal: deal[:2]))
def test_periods_add_up_to_their_days_and_the_screen_is_a_part(given: list[tuple[date, int, int]]) -> None:
    days = venue_days(
        trades(*(trade(day.isoformat(), method, tonnes, tonnes * 3, "cneeex_daily") for day, method, tonnes in given))
    )
    for by in ("day", "month", "year"):
        periods = venue_periods(days, by)
        for venue, kept in (("screen", (LISTING,)), ("all_venue", (LISTING, BLOCK, AUCTION))):
            whole = sum(tonnes for _, method, tonnes in given if method in kept)
            own = periods.filter(pl.col("venue") == venue)
            assert (own["volume_t"].sum(), own["value_fen"].sum()) == (whole, whole * 3)


def test_shares_of_a_registry_and_of_a_pilot() -> None:
    pilots = MARKETS.filter(pl.col("scope") == "pilot")["market"].to_list()
    given = figures(
        ("CEA", "2022", 50, "whole_year"),
        *((name, "2022", 6 if name == "Hubei" else 2, "whole_year") for name in pilots),
    )
    (row,) = standing(given, "wuhan", 2022, 2022).to_dicts()
    assert (row["custody_volume_t"], row["settled_value_fen"], row["national_volume_t"]) == (50, 2500, 50)
    assert (row["custody_share_of_national"], row["traded_share_of_national"]) == (1.0, 0.0)
    assert row["pilots_volume_t"] == 6 + 2 * 7
    assert row["pilot_share"] == row["pilot_share_at_most"] == pytest.approx(6 / 20)
    (other,) = standing(given, "shanghai", 2022, 2022).to_dicts()
    assert (other["custody_share_of_national"], other["traded_share_of_national"]) == (0.0, 1.0)
    assert other["pilot_share"] == pytest.approx(2 / 20)


def test_a_pilot_that_lacks_leaves_an_upper_bound_and_one_in_part_too() -> None:
    given = figures(
        ("Hubei", "2024", 6, "whole_year"), ("Beijing", "2024", 3, "part_of_year"), ("Tianjin", "2024", 1, "whole_year")
    )
    (row,) = standing(given, "wuhan", 2024, 2024).to_dicts()
    assert (row["pilots_volume_t"], row["pilot_share"]) == (None, None)
    assert row["pilot_share_at_most"] == pytest.approx(6 / (6 + 3 + 1))
    assert row["pilots_missing"] == "Chongqing; Fujian; Guangdong; Shanghai; Shenzhen"
    assert row["pilots_partial"] == "Beijing"
    (part,) = standing(given, "beijing", 2024, 2024).to_dicts()
    # Of a part of the hub's own figure nothing follows.
    assert part["pilot_share_at_most"] is None
    assert row["national_volume_t"] is row["custody_volume_t"] is None


def test_before_the_national_market_custody_is_a_true_zero() -> None:
    rows = standing(figures(("Hubei", "2015", 6, "whole_year"), ("CEA", "2021", 9, "whole_year")), "wuhan", 2014, 2021)
    assert rows.select("period", "custody_volume_t", "national_volume_t").rows() == [("2015", 0, 0), ("2021", 9, 9)]
    assert rows["custody_share_of_national"].to_list() == [None, 1.0]


def test_all_venues_below_the_screen_are_marked() -> None:
    rows = trades(
        trade("2022-01-04", LISTING, 10, 100, SCREEN_FEED),
        trade("2022-01-05", LISTING, 10, 100, SCREEN_FEED),
        trade("2022-01-05", ALL, 15, 150, "sceex_daily"),
    )
    given = figures(("Hubei", "2022", 20, "whole_year"))
    (row,) = standing(given, "wuhan", 2022, 2022, rows=rows).to_dicts()
    assert (row["pilot_screen_volume_t"], row["pilot_all_venue_volume_t"]) == (20, 15)
    assert (row["pilot_screen_days"], row["pilot_all_venue_days"], row["pilot_all_venue_is_low"]) == (2, 1, True)


def test_embedded_years_take_the_place_of_less_complete_loaded_ones_in_their_own_venue() -> None:
    embedded = embedded_summaries()
    hubei = {row["period"]: row for row in embedded.filter(pl.col("market") == "Hubei").to_dicts()}
    rows = trades(trade("2022-01-04", LISTING, 10, 100, SCREEN_FEED), trade("2022-01-04", ALL, 15, 150, "sceex_daily"))
    years = with_embedded_years(venue_periods(venue_days(rows), "year"), embedded)
    of_2022 = {
        row["venue"]: row
        for row in years.filter((pl.col("market") == "Hubei") & (pl.col("period") == "2022")).to_dicts()
    }
    assert of_2022["screen"]["volume_t"] == hubei["2022"]["volume_t"]
    assert of_2022["screen"]["source"].startswith("embedded: Wind")
    assert of_2022["all_venue"]["volume_t"] == 15
    assert set(years["market"]) == set(EMBEDDED_VENUES)
    days = [hubei["2022"]["first_day"], hubei["2022"]["last_day"]]
    many = [trade(day.isoformat(), LISTING, 1, 1, SCREEN_FEED) for day in pl.date_range(*days, eager=True)]
    kept = with_embedded_years(venue_periods(venue_days(trades(*many)), "year"), embedded)
    (own,) = kept.filter((pl.col("market") == "Hubei") & (pl.col("period") == "2022")).to_dicts()
    assert own["volume_t"] == len(many)


@pytest.fixture
def facts_file(tmp_path: Path):
    def write(*lines: str, head: str = HEAD) -> Path:
        path = tmp_path / "facts.csv"
        path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
        return path

    return write


def test_facts_are_read_with_their_days_and_bad_rows_are_told(facts_file) -> None:
    read = read_facts(
        facts_file(
            "2023-04,Hubei,monthly volume,594800.0,t,,page",
            "2015,Hubei,annual volume,5,t,,page",
            "2024-02-30,Hubei,daily volume,5,t,,page",
            "2024-02-28,Hubei,daily volume,many,t,,page",
            "2024-02-28,,daily volume,5,t,,page",
            "2024-02-26,Hubei,daily volume,nan,t,,page",
            "2024-02-27,Hubei,daily volume,5,t,,",
            "2015,Hubei,annual volume,6,t,,page",
        )
    )
    assert read.facts.select("row", "first_day", "last_day").rows() == [
        (2, date(2023, 4, 1), date(2023, 4, 30)),
        (3, date(2015, 1, 1), date(2015, 12, 31)),
        (8, date(2024, 2, 27), date(2024, 2, 27)),
        (9, date(2015, 1, 1), date(2015, 12, 31)),
    ]
    assert [(problem.row, problem.column, problem.code, problem.severity) for problem in read.problems] == [
        (4, "as_of", "bad_date", "error"),
        (5, "value", "bad_number", "error"),
        (6, "place", "empty_cell", "error"),
        (7, "value", "bad_number", "error"),
        (8, "source", "no_source", "warning"),
        (9, "fact", "repeated_fact", "warning"),
    ]


def test_another_header_is_refused(facts_file) -> None:
    with pytest.raises(UnknownFormat, match="expected also unit, source"):
        read_facts(facts_file("1,2,3,4,5", head="as_of,place,fact,value,note"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2023-04,Hubei,monthly volume,1,t", ("Hubei", "volume_t", "period", ["screen", "all_venue"])),
        ("2023-04-03,hbea,Daily Value,1,CNY", ("Hubei", "value_cny", "period", ["screen", "all_venue"])),
        ("2014-12-31,Hubei,cumulative volume all venues (x),1,t", ("Hubei", "volume_t", "cumulative", ["all_venue"])),
        ("2016-05-16,Hubei,cumulative spot volume,1,t", ("Hubei", "volume_t", "cumulative", ["screen", "all_venue"])),
        ("2023,China pilots,volume of all local pilots in 2023,1,t", (PILOTS, "volume_t", "period", ["as_stored"])),
    ],
)
def test_wordings_that_name_a_figure(facts_file, line: str, told: tuple[Any, ...]) -> None:
    row = classify_facts(read_facts(facts_file(f"{line},,page")).facts, MARKETS).row(0, named=True)
    assert (row["market"], row["measure"], row["extent"], row["venues"]) == told
    assert row["reason"] is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2016-05-16,Hubei,cumulative spot-forward volume,1,t", "forward trade"),
        ("2023-04,Hubei,monthly volume,1,t (lower bound)", "name no figure"),
        ("2023-04,Hubei,monthly volume of repos,1,t", "name no figure"),
        ("2023-04,Hubei,monthly volume,1,CNY", "name no figure"),
        ("2023,Hubei,monthly volume,1,t", "different periods"),
        ("2023-04,Wuhan,monthly volume,1,t", "Wuhan is no market"),
        ("2022,China pilots,volume of all local pilots in 2023,1,t", "different periods"),
    ],
)
def test_what_cannot_be_compared_says_why(facts_file, line: str, reason: str) -> None:
    facts = classify_facts(read_facts(facts_file(f"{line},,page")).facts, MARKETS)
    assert reason in facts["reason"][0]
    days = venue_days(trades(trade("2023-04-03", LISTING, 5, 50, SCREEN_FEED)))
    (row,) = compared(facts, days).to_dicts()
    assert (row["status"], row["computed"], row["venue"]) == ("unmatched", None, None)


def compared(facts: pl.DataFrame, days: pl.DataFrame, years: pl.DataFrame | None = None) -> pl.DataFrame:
    resolved = embedded_summaries().with_columns(used=pl.lit("embedded"), year=pl.col("period").cast(pl.Int32))
    opened = pl.concat(
        [MARKETS.select("market", "opened"), pl.DataFrame({"market": [PILOTS], "opened": [date(2013, 6, 18)]})]
    )
    return compare_facts(facts, comparable_figures(days, resolved if years is None else years, MARKETS), opened)


def test_a_month_and_a_cumulative_beside_what_the_days_add_up_to(facts_file) -> None:
    facts = classify_facts(
        read_facts(
            facts_file(
                "2014-04,Hubei,monthly volume,100,t,,page",
                "2014-05-02,Hubei,cumulative value,3.2,CNY,,page",
                "2014-03-31,Hubei,cumulative volume,9,t,,page",
                "2015-01-31,Hubei,cumulative volume,9,t,,page",
            )
        ).facts,
        MARKETS,
    )
    days = venue_days(
        trades(
            trade("2014-04-02", LISTING, 30, 100, SCREEN_FEED),
            trade("2014-04-30", LISTING, 60, 100, SCREEN_FEED),
            trade("2014-05-02", LISTING, 10, 200, SCREEN_FEED),
        )
    )
    rows = compared(facts, days).filter(pl.col("venue") == "screen").to_dicts()
    month, value, early, late = rows
    assert (month["computed"], month["status"]) == (90.0, "compared")
    assert month["difference_percent"] == pytest.approx(-10.0)
    assert (value["computed"], value["computed_to"]) == (4.0, date(2014, 5, 2))
    assert value["difference_percent"] == pytest.approx(25.0)
    assert (early["computed"], early["status"]) == (None, "not_covered")
    assert (late["computed"], late["status"]) == (100.0, "partly")
    assert late["reason"] == "figures from 2014-04-02 to 2014-05-02, wanted 2014-04-02 to 2015-01-31"
    others = compared(facts, days).filter(pl.col("venue") == "all_venue")
    assert set(others["status"]) == {"not_covered"}
    assert set(others["reason"]) == {"no figure of this venue is loaded"}


def test_years_answer_where_no_days_are_loaded_but_only_whole_ones(facts_file) -> None:
    facts = classify_facts(
        read_facts(
            facts_file(
                "2016-12-31,Hubei,cumulative volume,40000000,t,,page",
                "2016-11-30,Hubei,cumulative volume,40000000,t,,page",
            )
        ).facts,
        MARKETS,
    )
    whole, torn = compared(facts, venue_days(trades())).filter(pl.col("venue") == "screen").to_dicts()
    years = read_embedded("market_years").filter((pl.col("market") == "Hubei") & (pl.col("year") <= 2016))
    assert (whole["computed"], whole["status"]) == (years["volume_t"].sum(), "compared")
    assert (torn["computed"], torn["reason"]) == (None, "the figures are of longer periods than the fact")


def daily_custody(file: Path) -> pl.DataFrame:
    """Wuhan's days of a national file: period, custody_volume_t, settled_value_fen."""
    _, reading = read_trades(file, market="CEA", format_name=None, file="f")
    bars = day_figures(day_bars(reading.rows))
    periods = period_frame("day", reading.rows["day"].min(), reading.rows["day"].max())
    market = MarketFrames(bars, MARKETS, FACILITIES)
    return city_standing(market, venue_periods(venue_days(trades()), "day"), periods, "wuhan", by="day")


@pytest.mark.parametrize(
    ("day", "volume_t", "value_fen"),
    [
        ("2021-11-26", 37_228_212, 159_651_772_194),
        ("2022-01-21", 186_650_355, 807_199_687_236),
        ("2022-08-16", 194_922_371, 854_563_205_558),
        ("2022-12-28", 229_127_782, 1_044_788_569_839),
    ],
)
def test_custody_adds_up_to_the_official_cumulatives(
    national_file: Path, day: str, volume_t: int, value_fen: int
) -> None:
    """Printed by the registry and the exchange; to the tonne and the fen."""
    until = daily_custody(national_file).filter(pl.col("period") <= day)
    assert (until["custody_volume_t"].sum(), until["settled_value_fen"].sum()) == (volume_t, value_fen)


def test_custody_is_what_the_registry_counts_up_itself(settlement_file: Path) -> None:
    """The registry's bulletins print running sums by vintage and method; their growth is our custody of those days."""
    _, reading = read_trades(settlement_file, market="CEA", format_name=None, file="f")
    kinds = reading.rows.sort("day").group_by("product", "method", maintain_order=True)
    growth = kinds.agg(
        volume=pl.col("cumulative_volume_t").last()
        - pl.col("cumulative_volume_t").first()
        + pl.col("volume_t").first(),
        value=pl.col("cumulative_value_fen").last()
        - pl.col("cumulative_value_fen").first()
        + pl.col("value_fen").first(),
    )
    days = daily_custody(settlement_file)
    assert days["custody_volume_t"].sum() == growth["volume"].sum()
    assert days["settled_value_fen"].sum() == growth["value"].sum()


def test_the_real_facts_of_hubei_and_wuhan(outside_data: Path, wind_file: Path) -> None:
    """32 facts: 13 name a figure of daily trading. Wind's first day follows the opening by 26 days."""
    read = read_facts(outside_data / "facts" / "hubei_wuhan_facts.csv")
    assert (read.facts.height, read.problems) == (32, ())
    _, reading = read_trades(wind_file, market="Hubei", format_name=None, file="wind")
    rows = compared(classify_facts(read.facts, MARKETS), venue_days(reading.rows))
    assert set(rows["row"]) == set(range(2, 34))
    assert rows.filter(pl.col("status") == "unmatched").height == 19
    named = rows.filter(pl.col("status") != "unmatched")["row"].unique()
    assert named.len() == 32 - 19
    screen = {row["row"]: row for row in rows.filter(pl.col("venue") == "screen").to_dicts()}
    raw = reading.rows.filter(pl.col("day").is_between(date(2023, 4, 1), date(2023, 4, 30)))
    assert (screen[19]["computed"], screen[19]["status"]) == (raw["volume_t"].sum(), "compared")
    # Wind's own running sum on 2015-07-08 begins at 2,051,655 t on 2014-04-28 and skips what it later corrected.
    first = reading.rows.filter(pl.col("day") == date(2014, 4, 28))
    before = 2_051_655 - first["volume_t"].item()
    assert before == 1_994_298
    assert screen[7]["status"] == "partly"
    assert screen[7]["computed"] + before < screen[7]["value"]
    (pilots,) = rows.filter(pl.col("market") == PILOTS).to_dicts()
    # 28.1 Mt by the shared research on prices, against 70.12 Mt printed.
    assert pilots["computed"] / 1e6 == pytest.approx(28.1, abs=0.05)
    assert pilots["difference_percent"] == pytest.approx((28.1 / 70.12 - 1) * 100, abs=0.1)
    assert pilots["status"] == "partly"
