import dataclasses
import math
from datetime import date

import polars as pl
import pytest

from fhi.errors import PanelError
from fhi.notes import Note
from fhi.panel import check_panel
from green_index.bridge import CarbonFacts, carbon_panel, market_notes, passed_over_notes
from green_index.index import green_framework


def figure(carbon: CarbonFacts, cities: pl.DataFrame, code: str, hub: str, period: str) -> tuple[float | None, str]:
    panel = carbon_panel(carbon, cities)
    (row,) = panel.filter(pl.col("code") == code, pl.col("hub") == hub, pl.col("period") == period).iter_rows(
        named=True
    )
    return row["value"], row["source"]


def value(carbon: CarbonFacts, cities: pl.DataFrame, code: str, hub: str, period: str) -> float | None:
    return figure(carbon, cities, code, hub, period)[0]


VOLUME = "carbon_finance.market.volume"


def test_rows_fit_the_tree(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    assert check_panel(carbon_panel(carbon, cities), green_framework("open")) == []


def test_units_are_those_of_the_tree(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    units = carbon_panel(carbon, cities).select("code", "unit").unique()
    tree = green_framework("open").indicator
    assert dict(units.iter_rows()) == {code: tree[code].unit for code in units["code"]}


def test_a_hub_without_exchange_traded_a_true_zero(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    assert figure(carbon, cities, VOLUME, "xian", "2016") == (0.0, "no carbon exchange seated in the hub")
    assert value(carbon, cities, VOLUME, "wuhan", "2013") == 0.0
    assert value(carbon, cities, "carbon_finance.market.continuity", "xian", "2016") is None


def test_an_exchange_without_figure_is_unknown_not_zero(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    found, source = figure(carbon, cities, VOLUME, "wuhan", "2018")
    assert found is None
    assert "no figure" in source


def test_a_hubs_markets_add_up_and_say_where_from(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    found, source = figure(carbon, cities, VOLUME, "wuhan", "2016")
    assert found == 1000 + 3000
    assert source == "N: sums (whole year); P: sums (whole year)"
    assert "part of year" in figure(carbon, cities, VOLUME, "wuhan", "2014")[1]
    assert "P: no figure" in figure(carbon, cities, VOLUME, "wuhan", "2017")[1]


def test_means_by_value_leave_out_what_is_unknown(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    market = "carbon_finance.market"
    expected = (0.5 * 20_000 + 1.0 * 60_000) / (20_000 + 60_000)
    assert value(carbon, cities, f"{market}.continuity", "wuhan", "2016") == pytest.approx(expected)
    assert value(carbon, cities, f"{market}.liquidity", "wuhan", "2016") == 3.0
    assert value(carbon, cities, f"{market}.liquidity", "wuhan", "2015") is None


def test_custody_is_the_volume_of_the_registrys_market_from_its_opening(
    carbon: CarbonFacts, cities: pl.DataFrame
) -> None:
    custody = "carbon_finance.infrastructure.custody"
    assert [value(carbon, cities, custody, "wuhan", year) for year in ("2015", "2016", "2017")] == [0.0, 3000.0, 1000.0]
    assert value(carbon, cities, custody, "wuhan", "2018") is None
    assert value(carbon, cities, custody, "xian", "2018") == 0.0


def test_a_pilots_registry_settles_its_own_market_only(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    """Another pilot market, in Xi'an, adds nothing to what Wuhan's registry of its own pilot settles."""
    elsewhere = pl.DataFrame([{"market": "Q", "scope": "pilot", "hub": "xian", "opened": date(2014, 1, 1)}])
    traded = carbon.market_years.filter(pl.col("market") == "P").with_columns(market=pl.lit("Q"))
    changed = dataclasses.replace(
        carbon,
        markets=pl.concat([carbon.markets, elsewhere]),
        market_years=pl.concat([carbon.market_years, traded]),
        facilities=carbon.facilities.filter(pl.col("role") == "registry").with_columns(
            scope=pl.lit("pilot"), market=pl.lit("P"), since=date(2014, 4, 2)
        ),
    )
    assert value(changed, cities, "carbon_finance.infrastructure.custody", "wuhan", "2015") == 1000.0


def test_facilities_are_weighed_from_their_opening(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    code = "carbon_finance.infrastructure.facilities"
    assert [value(carbon, cities, code, "wuhan", year) for year in ("2013", "2014", "2016")] == [0.0, 1.0, 1.0 + 3.0]
    assert "weights assumed" in figure(carbon, cities, code, "wuhan", "2016")[1]


def test_footprint_per_gdp_per_head_and_over_three_years(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    footprint = "sustainability_data.footprint"
    assert value(carbon, cities, f"{footprint}.intensity", "wuhan", "2013") == 1e6 / (100 * 1e8 / 1e4)
    assert value(carbon, cities, f"{footprint}.per_capita", "wuhan", "2013") == 1e6 / (10 * 1e4)
    assert value(carbon, cities, f"{footprint}.trend", "wuhan", "2016") == pytest.approx(0.1)
    assert value(carbon, cities, f"{footprint}.trend", "wuhan", "2015") is None
    assert value(carbon, cities, f"{footprint}.intensity", "xian", "2013") is None


def test_agreement_needs_both_inventories(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    code = "sustainability_data.quality.agreement"
    assert value(carbon, cities, code, "wuhan", "2013") == pytest.approx(abs(math.log(1e6 / 2e6)))
    assert value(carbon, cities, code, "wuhan", "2014") is None


def test_a_pilot_counts_from_its_year(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    code = "sustainability_data.disclosure.lowcarbon_pilot"
    assert [value(carbon, cities, code, "wuhan", year) for year in ("2014", "2015")] == [0.0, 1.0]
    assert value(carbon, cities, code, "xian", "2018") == 0.0


def test_a_fact_of_an_unknown_hub_is_a_problem_never_dropped(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    elsewhere = dataclasses.replace(carbon, markets=carbon.markets.with_columns(hub=pl.lit("atlantis")))
    with pytest.raises(PanelError, match=r"carbon markets: found hub atlantis"):
        carbon_panel(elsewhere, cities)


def test_notes_name_loaded_years_partial_ones_and_files_passed_over(carbon: CarbonFacts) -> None:
    assert market_notes(carbon, ["2014", "2016"]) == [
        Note("loaded_figures", "N", ("2016",)),
        Note("part_of_year", "P", ("2014",)),
    ]
    assert market_notes(carbon, ["2015"]) == []
    shorter = carbon.market_years.with_columns(passed_over=pl.lit("loaded P 2015 ends early: embedded kept"))
    notes = passed_over_notes(shorter)
    assert Note("loaded_file_less_complete", "P", ("2015",), "loaded P 2015 ends early: embedded kept") in notes
    assert passed_over_notes(carbon.market_years) == []


FROM_STORE = {
    *(f"sustainability_data.quality.{name}" for name in ("coverage", "score", "timeliness")),
    "sustainability_data.disclosure.entities",
    "sustainability_data.accounts.personal",
}


def test_an_empty_store_adds_no_rows(carbon: CarbonFacts, cities: pl.DataFrame) -> None:
    """So that the editions of those who load no footprints stay what they are."""
    assert FROM_STORE.isdisjoint(carbon_panel(carbon, cities)["code"])
    beyond = carbon.personal_accounts.clear().vstack(
        pl.DataFrame([("wuhan", "2025", 1, "p", True)], schema=carbon.personal_accounts.schema, orient="row")
    )
    later = dataclasses.replace(carbon, personal_accounts=beyond)
    assert carbon_panel(later, cities).equals(carbon_panel(carbon, cities))


def test_footprints_change_no_other_row(carbon: CarbonFacts, footprints: CarbonFacts, cities: pl.DataFrame) -> None:
    """An inventory is never replaced by the sum of footprints."""
    panel = carbon_panel(footprints, cities)
    assert set(panel["code"]) >= FROM_STORE
    assert panel.filter(~pl.col("code").is_in(FROM_STORE)).equals(carbon_panel(carbon, cities))
    assert check_panel(panel, green_framework("open")) == []
    tree = green_framework("open").indicator
    units = panel.filter(pl.col("code").is_in(FROM_STORE)).select("code", "unit").unique()
    assert dict(units.iter_rows()) == {code: tree[code].unit for code in FROM_STORE}


def test_quality_of_footprints_is_that_of_the_city(footprints: CarbonFacts, cities: pl.DataFrame) -> None:
    quality = "sustainability_data.quality"
    for name, expected in (("coverage", 0.75), ("score", 2.5), ("timeliness", 60.0)):
        found, source = figure(footprints, cities, f"{quality}.{name}", "wuhan", "2016")
        assert found == expected
        assert "2 entities" in source
        assert figure(footprints, cities, f"{quality}.{name}", "wuhan", "2017") == (None, "no footprints known")
        assert value(footprints, cities, f"{quality}.{name}", "xian", "2016") is None


def test_disclosure_is_the_share_of_operators_with_a_footprint(footprints: CarbonFacts, cities: pl.DataFrame) -> None:
    """Of Wuhan's operators in 2016, the works (twice an operator, once counted) has one and the mill has none."""
    code = "sustainability_data.disclosure.entities"
    found, source = figure(footprints, cities, code, "wuhan", "2016")
    assert found == 1 / 2
    assert source.startswith("1 of 2 holders")
    assert value(footprints, cities, code, "xian", "2016") == 0.0
    assert figure(footprints, cities, code, "wuhan", "2017") == (None, "no entities known")
    closed = dataclasses.replace(
        footprints, footprint_entities=footprints.footprint_entities.with_columns(period=pl.lit("2015"))
    )
    assert value(closed, cities, code, "wuhan", "2015") == 2 / 3


def test_accounts_are_per_head_and_never_added(footprints: CarbonFacts, cities: pl.DataFrame) -> None:
    code = "sustainability_data.accounts.personal"
    found, source = figure(footprints, cities, code, "wuhan", "2016")
    assert found == 2000 / (10 * 1e4)
    assert source.startswith("printed")
    assert value(footprints, cities, code, "wuhan", "2017") == 900 / (10 * 1e4)
    assert figure(footprints, cities, code, "xian", "2016") == (None, "no figure known")
