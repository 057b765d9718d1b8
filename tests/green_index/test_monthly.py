"""Months: spans, figures carried forward and marked, trading by month from made-up bars, editions of months."""

import dataclasses
from datetime import date

import polars as pl
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from fhi.errors import PanelError
from fhi.index import build_index
from fhi.panel import PANEL_SCHEMA, check_panel
from green_index.bridge import CarbonFacts, carbon_panel, month_rows
from green_index.editions import content_hash, freeze, list_editions, load_edition, save_edition
from green_index.index import TRACKING, GreenResult, city_years, green_framework, green_panel
from green_index.monthly import (
    NoMonths,
    WrongMonths,
    carry_forward,
    check_loaded,
    loaded_span,
    month_span,
    monthly_panel,
    monthly_scores,
)

from .conftest import MARKET_YEAR_TYPES, market_year

VOLUME = "carbon_finance.market.volume"
CUSTODY = "carbon_finance.infrastructure.custody"
FACILITIES = "carbon_finance.infrastructure.facilities"


def yearly(*rows: tuple[str, str, str, float | None, str, str]) -> pl.DataFrame:
    """hub, year, code, value, status, source."""
    entries = [(hub, year, code, value, "t", status, source) for hub, year, code, value, status, source in rows]
    return pl.DataFrame(entries, schema=PANEL_SCHEMA, orient="row")


@pytest.fixture
def months_of() -> pl.DataFrame:
    """Daily files of market P for April and June 2016, of N for June 2016 and January 2017."""
    rows = [
        market_year("P", "2016-04", volume_t=10, value_cny=300.0, continuity=0.5, coverage="part_of_month"),
        market_year("P", "2016-06", volume_t=20, value_cny=600.0, continuity=0.25),
        market_year("N", "2016-06", volume_t=100, value_cny=1800.0, continuity=1.0),
        market_year("N", "2017-01", volume_t=0, value_cny=0.0),
    ]
    loaded = pl.DataFrame(rows, schema_overrides=MARKET_YEAR_TYPES)
    return loaded.with_columns(used=pl.lit("loaded"), source=pl.lit("loaded: made.csv"))


def grid(*months: str) -> pl.DataFrame:
    return pl.DataFrame(
        [(hub, month) for hub in ("wuhan", "xian") for month in months], schema=["hub", "period"], orient="row"
    )


def figures(rows: pl.DataFrame, code: str) -> dict[tuple[str, str], float | None]:
    return {
        (hub, month): value
        for hub, month, value in rows.filter(pl.col("code") == code).select("hub", "period", "value").iter_rows()
    }


def test_a_span_of_months() -> None:
    assert month_span("2022-11", "2023-02") == ["2022-11", "2022-12", "2023-01", "2023-02"]
    assert month_span("2022-11", "2022-11") == ["2022-11"]
    with pytest.raises(WrongMonths, match="found months from 2023-02 to 2022-11"):
        month_span("2023-02", "2022-11")
    with pytest.raises(WrongMonths, match="found 1801 months"):
        month_span("1900-01", "2050-01")


@pytest.mark.parametrize("month", ["2022-13", "2022-00", "2022", "soon", "2022-1", "2022-01-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(WrongMonths, match="expected a year and a month such as 2022-01"):
        month_span("2022-01", month)


def test_the_span_that_can_be_told_begins_after_a_whole_year() -> None:
    assert loaded_span(["2014-03", "2013-05", "2024-09"], ["2014", "2013"]) == ("2014-03", "2024-09")
    with pytest.raises(NoMonths, match="greenfin load trades FILE --market CEA"):
        loaded_span([], ["2013"])
    with pytest.raises(NoMonths, match="greenfin load trades FILE"):
        loaded_span(["2013-05"], ["2013"])


def test_a_span_without_any_daily_file_is_refused() -> None:
    check_loaded(["2022-05"], ["2022-04", "2022-05"])
    with pytest.raises(NoMonths, match="from 2023-01 to 2023-02; months with daily figures: 2022-05 to 2022-07"):
        check_loaded(["2022-05", "2022-07"], ["2023-01", "2023-02"])
    with pytest.raises(NoMonths, match="none is loaded"):
        check_loaded([], ["2023-01"])


def test_each_month_has_the_last_whole_year_before_it_and_says_so() -> None:
    rows = yearly(
        ("wuhan", "2020", "a", 1.0, "observed", "book"),
        ("wuhan", "2021", "a", 2.0, "estimated", "book"),
        ("wuhan", "2022", "a", 3.0, "observed", "book"),
        ("xian", "2020", "a", 4.0, "observed", "book"),
        ("xian", "2021", "a", None, "observed", "none"),
    )
    carried = carry_forward(rows, ["2021-12", "2022-01", "2022-12", "2024-06"])
    told = {(row["hub"], row["period"]): (row["value"], row["status"], row["source"]) for row in carried.to_dicts()}
    assert carried.schema == PANEL_SCHEMA
    assert told == {
        ("wuhan", "2021-12"): (1.0, "carried_forward", "book; carried forward from 2020"),
        ("wuhan", "2022-01"): (2.0, "carried_forward", "book; carried forward from 2021"),
        ("wuhan", "2022-12"): (2.0, "carried_forward", "book; carried forward from 2021"),
        ("wuhan", "2024-06"): (3.0, "carried_forward", "book; carried forward from 2022"),
        ("xian", "2021-12"): (4.0, "carried_forward", "book; carried forward from 2020"),
        # The year before has none: an older figure does not stand in for it.
        ("xian", "2022-01"): (None, "observed", "none"),
        ("xian", "2022-12"): (None, "observed", "none"),
    }
    with pytest.raises(NoMonths, match="before 2020-07; expected months from 2021-01 on"):
        carry_forward(rows, ["2020-07", "2021-01"])


def test_trading_by_month_is_null_without_a_daily_file_and_zero_without_an_exchange(
    carbon: CarbonFacts, months_of: pl.DataFrame
) -> None:
    rows = month_rows(carbon, months_of, grid("2014-03", "2014-04", "2016-04", "2016-05", "2016-06", "2017-01"))
    volume = figures(rows, VOLUME)
    assert [volume["wuhan", month] for month in ("2014-03", "2014-04")] == [0.0, None]
    assert [volume["wuhan", month] for month in ("2016-04", "2016-05", "2016-06")] == [10.0, None, 20.0 + 100]
    assert volume["wuhan", "2017-01"] == 0.0
    assert {volume["xian", month] for month in ("2014-04", "2016-05", "2016-06")} == {0.0}
    continuity = figures(rows, "carbon_finance.market.continuity")
    assert continuity["wuhan", "2016-06"] == pytest.approx((0.25 * 600 + 1.0 * 1800) / (600 + 1800))
    assert continuity["wuhan", "2016-05"] is continuity["xian", "2016-06"] is None
    (source,) = rows.filter(pl.col("code") == VOLUME, pl.col("hub") == "wuhan", pl.col("period") == "2016-04")["source"]
    assert source == "N: no figure; P: loaded: made.csv (part of month)"


def test_custody_and_facilities_count_from_the_month_in_which_they_begin(
    carbon: CarbonFacts, months_of: pl.DataFrame
) -> None:
    rows = month_rows(carbon, months_of, grid("2014-03", "2014-04", "2016-06", "2016-07", "2017-01"))
    custody, count = figures(rows, CUSTODY), figures(rows, FACILITIES)
    assert [custody["wuhan", month] for month in ("2014-04", "2016-06", "2016-07", "2017-01")] == [0.0, 0.0, None, 0.0]
    assert [count["wuhan", month] for month in ("2014-03", "2014-04", "2016-06", "2016-07")] == [0.0, 1.0, 1.0, 4.0]
    with pytest.raises(PanelError, match="wuhan"):
        month_rows(carbon, months_of, grid("2016-06").filter(pl.col("hub") == "xian"))


def test_what_is_known_by_month_is_never_carried_forward(
    carbon: CarbonFacts, months_of: pl.DataFrame, cities: pl.DataFrame
) -> None:
    months = ["2016-05", "2016-06"]
    fast = month_rows(carbon, months_of, grid(*months, "2016-07"))
    panel = monthly_panel(carbon_panel(carbon, cities), fast, months)
    assert sorted(panel["period"].unique()) == months
    assert check_panel(panel, green_framework("open")) == []
    quick = panel.filter(pl.col("code").is_in(fast["code"].unique().implode()))
    assert "carried_forward" not in quick["status"]
    assert quick.height == 2 * 2 * fast["code"].n_unique()
    slow = panel.filter(~pl.col("code").is_in(fast["code"].unique().implode()), pl.col("value").is_not_null())
    assert slow.height
    assert slow["status"].unique().to_list() == ["carried_forward"]
    assert slow["source"].str.ends_with("; carried forward from 2015").all()


def test_an_edition_of_months_is_kept_and_listed_beside_those_of_years(
    engine: Engine, carbon: CarbonFacts, months_of: pl.DataFrame
) -> None:
    months = month_span("2016-05", "2017-01")
    hubs = city_years().select("hub").unique().join(pl.DataFrame({"period": months}), how="cross")
    whole = green_panel("open", carbon_panel(carbon, city_years()))
    panel = monthly_panel(whole, month_rows(carbon, months_of, hubs), months)
    result = build_index(panel, green_framework("open"), TRACKING)
    content = freeze(GreenResult("open", result, result.notes), "test 1")
    with Session(engine) as session:
        save_edition(session, content)
        session.commit()
        row = list_editions(session).row(0, named=True)
        back = load_edition(session, content.id)
    assert (row["first_year"], row["last_year"], row["bounds"]) == (2016, 2017, "pooled")
    assert content_hash(back) == content_hash(content)
    scores = monthly_scores(back.scores, back.inputs, back.framework, (CUSTODY, VOLUME))
    assert scores.height == 37 * len(months)
    wuhan = {row["month"]: row for row in scores.filter(pl.col("hub") == "wuhan").iter_rows(named=True)}
    assert wuhan["2016-05"]["missing"] == [VOLUME]
    assert wuhan["2016-08"]["missing"] == [CUSTODY, VOLUME]
    assert wuhan["2016-06"]["missing"] is wuhan["2017-01"]["missing"] is None
    # Bounds are pooled: June's 120 t are the most of any hub and month, and the score of its volume is 100.
    best = back.inputs.filter(pl.col("code") == VOLUME, pl.col("hub") == "wuhan", pl.col("period") == "2016-06")
    assert best["normalised"].to_list() == [100.0]
    weights = back.inputs.filter(pl.col("hub") == "wuhan", pl.col("period") == "2016-06").drop_nulls("weight")
    carried = weights.filter(pl.col("status") == "carried_forward")["weight"].sum()
    assert wuhan["2016-06"]["carried_share"] == pytest.approx(carried / weights["weight"].sum())
    assert 0 < wuhan["2016-06"]["carried_share"] < 1


def test_an_exchange_that_opened_in_a_month_is_seated_from_that_month(
    carbon: CarbonFacts, months_of: pl.DataFrame
) -> None:
    late = carbon.markets.with_columns(opened=pl.lit(date(2016, 5, 31)))
    rows = month_rows(dataclasses.replace(carbon, markets=late), months_of, grid("2016-04", "2016-05"))
    volume = figures(rows, VOLUME)
    assert (volume["wuhan", "2016-04"], volume["wuhan", "2016-05"]) == (0.0, None)
