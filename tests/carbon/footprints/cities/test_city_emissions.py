"""A city's inventories, footprints and trends, against arithmetic on made-up and on the embedded figures."""

import math
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.embedded import read_embedded
from carbon.facts import city_inventories
from carbon.footprints.city_emissions import (
    bottom_up,
    city_emissions,
    compare_inventories,
    emission_series,
    sum_lines,
    trends,
)
from carbon.footprints.decoupling import decoupling, series_schema
from carbon.footprints.schemas import lines_schema
from carbon.footprints.totals import UnlikeLines

Make = Callable[..., pl.DataFrame]
CITIES = pl.DataFrame(
    {
        "hub": ["wuhan"] * 5,
        "period": ["2019", "2020", "2021", "2022", "2023"],
        "gdp_100m_cny": [100.0, 110.0, None, 130.0, 140.0],
        "population_10k": [10.0, 11.0, 12.0, None, 14.0],
    }
)
INVENTORIES = pl.DataFrame(
    [
        *(("wuhan", str(year), "EDGAR", 1e6 * (1 + at), "E") for at, year in enumerate((2019, 2020, 2021, 2022))),
        ("wuhan", "2019", "CEADS", 4e6, "C"),
        ("xian", "2020", "CEADS", 9e6, "C"),
    ],
    schema=["hub", "period", "series", "co2_t", "source"],
    orient="row",
)
NO_LINES = pl.DataFrame(schema=lines_schema())
YEARS = range(2019, 2025)


def years(lines: pl.DataFrame = NO_LINES) -> dict[str, dict[str, object]]:
    rows = city_emissions(INVENTORIES, CITIES, lines, hub="wuhan", years=YEARS)
    return {row["period"]: row for row in rows.iter_rows(named=True)}


def test_two_inventories_side_by_side() -> None:
    row = compare_inventories(INVENTORIES).filter(pl.col("period") == "2019").row(0, named=True)
    assert (row["edgar_t"], row["ceads_t"], row["ratio"]) == (1e6, 4e6, 1 / 4)
    assert row["abs_log_ratio"] == pytest.approx(math.log(4))
    alone = compare_inventories(INVENTORIES).filter(pl.col("hub") == "xian").row(0, named=True)
    assert (alone["edgar_t"], alone["ceads_t"], alone["ratio"], alone["abs_log_ratio"]) == (None, 9e6, None, None)
    assert (alone["edgar_source"], alone["ceads_source"]) == (None, "C")


@given(st.floats(1, 1e9), st.floats(1, 1e9))
def test_disagreement_is_the_same_either_way_round(one: float, other: float) -> None:
    def log_ratio(edgar: float, ceads: float) -> float:
        rows = [("x", "2000", "EDGAR", edgar, "E"), ("x", "2000", "CEADS", ceads, "C")]
        frame = pl.DataFrame(rows, schema=INVENTORIES.schema, orient="row")
        return float(compare_inventories(frame)["abs_log_ratio"].item())

    assert log_ratio(one, other) == pytest.approx(log_ratio(other, one), abs=1e-9)
    assert log_ratio(one, one) == 0


def test_intensity_and_change_by_arithmetic() -> None:
    told = years()
    assert list(told) == [str(year) for year in YEARS]
    assert told["2020"]["edgar_t_per_10k_cny"] == pytest.approx(2e6 / (110 * 1e8 / 1e4))
    assert told["2020"]["edgar_t_per_head"] == pytest.approx(2e6 / (11 * 1e4))
    assert told["2019"]["ceads_t_per_10k_cny"] == pytest.approx(4e6 / (100 * 1e8 / 1e4))
    assert told["2020"]["edgar_change"] == pytest.approx(2 / 1 - 1)
    assert told["2022"]["edgar_trend_3y"] == pytest.approx((4 / 1) ** (1 / 3) - 1)
    assert told["2021"]["edgar_trend_3y"] is None
    assert told["2023"]["edgar_change"] is None


def test_what_a_year_lacks_is_null_and_named() -> None:
    told = years()
    assert told["2019"]["missing"] == "footprints"
    assert told["2021"]["missing"] == "CEADS; gdp; footprints"
    assert told["2021"]["edgar_t_per_10k_cny"] is None
    assert told["2022"]["missing"] == "CEADS; population; footprints"
    assert told["2024"]["missing"] == "EDGAR; CEADS; gdp; population; footprints"
    assert all(told["2024"][name] is None for name in told["2024"] if name not in ("hub", "period", "missing"))


def test_the_year_before_counts_though_it_is_not_shown() -> None:
    rows = city_emissions(INVENTORIES, CITIES, NO_LINES, hub="wuhan", years=[2022])
    assert rows["period"].to_list() == ["2022"]
    assert rows["edgar_change"].item() == pytest.approx(4 / 3 - 1)
    assert rows["edgar_trend_3y"].item() == pytest.approx((4 / 1) ** (1 / 3) - 1)
    assert city_emissions(INVENTORIES, CITIES, NO_LINES, hub="wuhan", years=[]).height == 0


@pytest.fixture
def lines(make_lines: Make) -> pl.DataFrame:
    """Two companies in Wuhan in 2022, with one in Xi'an and one of no known city."""
    year = {"first_day": date(2022, 1, 1), "last_day": date(2022, 12, 31)}
    rows = [
        {"co2e_kg": 2_000_000.0},
        {"co2e_kg": 28_000.0, "gas": "CH4"},
        {"co2e_kg": 500_000.0, "gas": "CO2e", "entity": "mill", "sector": "paper"},
        {"co2e_kg": 900_000.0, "biogenic": True, "entity": "mill", "sector": "paper"},
        *({"co2e_kg": kg, "scope": 2, "method": way} for way, kg in (("location", 3e6), ("market", 1e6))),
        {"co2e_kg": 4_000_000.0, "scope": 3},
        {"co2e_kg": 7_000.0, "hub": "xian"},
        {"co2e_kg": 5_000.0, "hub": None, "sector": None},
    ]
    return make_lines(*({**year, **row} for row in rows))


def test_the_sum_of_footprints_keeps_scopes_and_methods_apart(lines: pl.DataFrame) -> None:
    row = years(lines)["2022"]
    assert row["bottom_up_scope_1_t"] == 2000 + 28 + 500
    assert row["bottom_up_scope_2_location_t"] == 3000
    assert row["bottom_up_scope_2_market_t"] == 1000
    assert row["bottom_up_scope_3_t"] == 4000
    assert row["bottom_up_scope_1_co2_t"] == 2000 + 500
    assert row["bottom_up_entities"] == 2
    assert row["bottom_up_share_of_edgar"] == pytest.approx(2500 / 4e6)
    assert row["missing"] == "CEADS; population"
    assert row["edgar_t"] == 4e6


def test_an_entity_of_biogenic_emissions_alone_is_not_counted(make_lines: Make) -> None:
    """Biogenic CO2 is in none of the sums beside which the number of entities stands."""
    wood = {"biogenic": True, "co2e_kg": 5000.0}
    rows = ({"entity": "mill", "co2e_kg": 1000.0}, {"entity": "mill", **wood}, {"entity": "wood", **wood})
    (row,) = bottom_up(make_lines(*rows)).iter_rows(named=True)
    assert (row["bottom_up_entities"], row["bottom_up_scope_1_t"]) == (1, 1.0)
    assert sum_lines(make_lines(*rows), ("hub",))["entities"].to_list() == [1]
    assert bottom_up(make_lines(rows[2])).is_empty()


def test_a_year_without_a_scope_is_null_not_zero(make_lines: Make) -> None:
    row = bottom_up(make_lines({"co2e_kg": 1000.0, "scope": 2, "method": "location"})).row(0, named=True)
    assert (row["hub"], row["period"], row["bottom_up_scope_2_location_t"]) == ("wuhan", "2023", 1)
    assert (row["bottom_up_scope_1_t"], row["bottom_up_scope_1_co2_t"], row["bottom_up_scope_2_market_t"]) == (
        None,
        None,
        None,
    )


def test_sums_by_sector_and_scope(lines: pl.DataFrame) -> None:
    rows = sum_lines(lines.filter(pl.col("hub") == "wuhan"))
    assert rows.select("sector", "scope", "method", "entities", "co2e_t", "biogenic_t").rows() == [
        ("paper", "1", None, 1, 500, 900),
        ("steel", "1", None, 1, 2028, None),
        ("steel", "2", "location", 1, 3000, None),
        ("steel", "2", "market", 1, 1000, None),
        ("steel", "3", None, 1, 4000, None),
    ]


def test_parts_add_up_over_any_grouping(lines: pl.DataFrame) -> None:
    def by_scope(rows: pl.DataFrame) -> list[tuple[object, ...]]:
        return rows.group_by("scope", "method").agg(pl.col("co2e_t").sum()).sort("scope", "method").rows()

    whole = by_scope(sum_lines(lines, ()))
    assert whole[0] == ("1", None, 2000 + 28 + 500 + 7 + 5)
    for grouping in (("hub",), ("sector",), ("hub", "sector", "year"), ("entity", "gas")):
        assert by_scope(sum_lines(lines, grouping)) == [
            (scope, method, pytest.approx(tonnes)) for scope, method, tonnes in whole
        ]


def test_lines_of_two_sets_of_warming_potentials_are_not_added(make_lines: Make) -> None:
    lines = make_lines({"co2e_kg": 1.0}, {"co2e_kg": 1.0, "gwp_set": "AR6GWP100"})
    with pytest.raises(UnlikeLines):
        bottom_up(lines)


def trend_of(figures: dict[int, float | None]) -> dict[str, object]:
    rows = [("x", str(year), "EDGAR", figure, "E") for year, figure in figures.items() if figure is not None]
    inventories = pl.DataFrame(rows, schema=INVENTORIES.schema, orient="row")
    told = city_emissions(inventories, CITIES, NO_LINES, hub="x", years=list(figures))
    return trends(told).filter(series="EDGAR", measure="emissions").row(0, named=True)


def test_trend_of_steady_growth_is_that_growth() -> None:
    row = trend_of({2000 + at: 100 * 1.1**at for at in range(6)})
    assert row["change_3y"] == pytest.approx(0.1)
    assert row["change_whole"] == pytest.approx(0.1)
    assert row["slope"] == pytest.approx(math.log(1.1))
    assert row["slope_se"] == pytest.approx(0, abs=1e-12)
    assert (row["first_year"], row["last_year"], row["years"], row["missing_years"]) == (2000, 2005, 6, None)


def test_slope_and_its_error_by_hand() -> None:
    """ln of 1, e, e^3, e^4 on four years: x - 1.5 is -1.5, -.5, .5, 1.5; slope (3 + .5 + .5 + 3) / 5 = 1.4; the
    residuals .1, -.3, .3, -.1 square to .2; the error is sqrt(.2 / 2 / 5)."""
    row = trend_of({2000 + at: math.exp(power) for at, power in enumerate((0, 1, 3, 4))})
    assert row["slope"] == pytest.approx(1.4)
    assert row["slope_se"] == pytest.approx(math.sqrt(0.2 / 2 / 5))


def test_trend_names_missing_years_and_never_bridges_three_of_them() -> None:
    row = trend_of({2000: 100.0, 2001: None, 2002: 110.0, 2003: None, 2004: 121.0, 2005: None})
    assert (row["years"], row["missing_years"], row["change_3y"]) == (3, "2001; 2003; 2005", None)
    assert row["change_whole"] == pytest.approx(1.21 ** (1 / 4) - 1)
    assert (row["first_year"], row["last_year"], row["first"], row["last"]) == (2000, 2004, 100.0, 121.0)
    few = trend_of({2000: 100.0, 2001: 90.0})
    assert (few["slope"], few["slope_se"]) == (pytest.approx(math.log(0.9)), None)
    one = trend_of({2000: 100.0, 2001: None})
    assert (one["slope"], one["change_whole"], one["years"]) == (None, None, 1)
    none = trend_of({2000: None, 2001: None})
    assert (none["slope"], none["first_year"], none["years"], none["missing_years"]) == (None, None, 0, "2000; 2001")


@given(st.lists(st.floats(1, 1e6), min_size=3, max_size=12))
def test_slope_is_least_squares(figures: list[float]) -> None:
    row = trend_of({2000 + at: figure for at, figure in enumerate(figures)})
    x, y = np.arange(len(figures), dtype=float), np.log(figures)
    design = np.column_stack([np.ones_like(x), x])
    solved, *_ = np.linalg.lstsq(design, y, rcond=None)
    residual = y - design @ solved
    error = math.sqrt(residual @ residual / (len(figures) - 2) * np.linalg.inv(design.T @ design)[1, 1])
    assert row["slope"] == pytest.approx(solved[1], rel=1e-6, abs=1e-9)
    assert row["slope_se"] == pytest.approx(error, rel=1e-6, abs=1e-9)


def test_series_keep_every_year_and_say_which_prices() -> None:
    rows = city_emissions(INVENTORIES, CITIES, NO_LINES, hub="wuhan", years=YEARS)
    series = emission_series(rows)
    assert dict(series.schema) == series_schema()
    assert series.height == 2 * len(YEARS)
    assert series["gdp_basis"].unique().to_list() == ["current"]
    last = decoupling(series).filter(series="CEADS", year=2020).row(0, named=True)
    assert (last["state"], last["missing"]) == (None, "emissions")


def test_wuhan_against_the_embedded_figures() -> None:
    """Row by row what the embedded table and the printed GDP of two years give by hand."""
    mt = {
        (row["series"], row["year"]): row["co2_mt"]
        for row in read_embedded("city_inventories").filter(pl.col("hub") == "wuhan").iter_rows(named=True)
    }
    gdp = {2018: 14847.29, 2019: 16223.21}
    cities = pl.DataFrame(
        [("wuhan", str(year), value, 1000.0) for year, value in gdp.items()], schema=CITIES.schema, orient="row"
    )
    rows = city_emissions(city_inventories(), cities, NO_LINES, hub="wuhan", years=range(2013, 2024))
    by_year = {row["period"]: row for row in rows.iter_rows(named=True)}
    for year in range(2013, 2024):
        assert by_year[str(year)]["edgar_t"] == pytest.approx(mt["EDGAR", year] * 1e6)
        ceads = mt.get(("CEADS", year))
        assert (ceads is None) == (year > 2019)
        assert by_year[str(year)]["ceads_t"] == (None if ceads is None else pytest.approx(ceads * 1e6))
    assert by_year["2019"]["ratio"] == pytest.approx(99.149 / 127.622)
    assert by_year["2019"]["edgar_t_per_10k_cny"] == pytest.approx(99.149e6 / (16223.21 * 1e4))
    step = decoupling(emission_series(rows)).filter(series="CEADS", year=2019).row(0, named=True)
    expected = (127.622 / 98.715 - 1) / (16223.21 / 14847.29 - 1)
    assert step["elasticity"] == pytest.approx(expected)
    assert expected > 1.2
    assert step["state"] == "expansive_negative_decoupling"
