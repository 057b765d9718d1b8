"""Tapio's elasticity by arithmetic, and that every pair of changes has exactly one state."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from carbon.footprints.decoupling import (
    InvalidSeries,
    decoupling,
    decoupling_states,
    series_schema,
    with_constant_prices,
)

Make = Callable[..., pl.DataFrame]
amounts = st.floats(1e-3, 1e9)


def pair(emissions: tuple[float, float], gdp: tuple[float, float]) -> dict[str, object]:
    """The one row of two years."""
    rows = [("x", "S", 2000 + at, emissions[at], gdp[at], "constant") for at in (0, 1)]
    return decoupling(pl.DataFrame(rows, schema=series_schema(), orient="row")).row(0, named=True)


# Emissions and GDP were 100; what they are now, the elasticity, and the state of Tapio (2005).
CASES = [
    (90, 110, -10 / 10, "strong_decoupling"),
    (105, 110, 5 / 10, "weak_decoupling"),
    (100, 110, 0, "weak_decoupling"),
    (110, 110, 10 / 10, "expansive_coupling"),
    (115, 110, 15 / 10, "expansive_negative_decoupling"),
    (110, 90, 10 / -10, "strong_negative_decoupling"),
    (95, 90, -5 / -10, "weak_negative_decoupling"),
    (100, 90, 0, "weak_negative_decoupling"),
    (90, 90, -10 / -10, "recessive_coupling"),
    (85, 90, -15 / -10, "recessive_decoupling"),
    # On the bounds, which belong to coupling.
    (108, 110, 8 / 10, "expansive_coupling"),
    (112, 110, 12 / 10, "expansive_coupling"),
    (92, 90, -8 / -10, "recessive_coupling"),
    (88, 90, -12 / -10, "recessive_coupling"),
    (107.9, 110, 7.9 / 10, "weak_decoupling"),
    (112.1, 110, 12.1 / 10, "expansive_negative_decoupling"),
]


@pytest.mark.parametrize(("emissions", "gdp", "elasticity", "state"), CASES)
def test_elasticity_and_state_by_arithmetic(emissions: float, gdp: float, elasticity: float, state: str) -> None:
    row = pair((100, emissions), (100, gdp))
    assert row["elasticity"] == pytest.approx(elasticity, rel=1e-9)
    assert row["state"] == state
    assert row["emissions_change"] == pytest.approx((emissions - 100) / 100)
    assert row["gdp_change"] == pytest.approx((gdp - 100) / 100)
    assert row["missing"] is None


def test_there_are_eight_states_with_names_in_both_languages() -> None:
    states = decoupling_states()
    assert states["state"].to_list() == [
        *("strong_decoupling", "weak_decoupling", "expansive_coupling", "expansive_negative_decoupling"),
        *("strong_negative_decoupling", "weak_negative_decoupling", "recessive_coupling", "recessive_decoupling"),
    ]
    assert {case[3] for case in CASES} == set(states["state"])
    assert states.select("name_zh", "name_en").null_count().row(0) == (0, 0)
    assert states["name_zh"].n_unique() == states["name_en"].n_unique() == 8
    row = pair((100, 90), (100, 110))
    assert (row["state_zh"], row["state_en"]) == ("强脱钩", "strong decoupling")


@given(st.tuples(amounts, amounts), st.tuples(amounts, amounts))
def test_every_pair_has_exactly_one_state(emissions: tuple[float, float], gdp: tuple[float, float]) -> None:
    assume(gdp[0] != gdp[1])
    row = pair(emissions, gdp)
    e, rises = row["elasticity"], "rises" if gdp[1] > gdp[0] else "falls"
    assert isinstance(e, float)
    inside = [
        each["state"]
        for each in decoupling_states().iter_rows(named=True)
        if each["gdp"] == rises
        and (each["above"] is None or e > each["above"] or (e == each["above"] and each["includes_above"]))
        and (each["below"] is None or e < each["below"] or (e == each["below"] and each["includes_below"]))
    ]
    assert inside == [row["state"]]


@given(st.tuples(amounts, amounts), st.tuples(amounts, amounts), st.floats(1e-3, 1e3))
def test_units_do_not_matter(emissions: tuple[float, float], gdp: tuple[float, float], factor: float) -> None:
    assume(abs(gdp[1] / gdp[0] - 1) > 1e-6)
    plain = pair(emissions, gdp)["elasticity"]
    scaled = pair((emissions[0] * factor, emissions[1] * factor), (gdp[0] / factor, gdp[1] / factor))["elasticity"]
    assert scaled == pytest.approx(plain, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("emissions", "gdp", "missing"),
    [
        ((100, 90), (100, 100), "gdp_unchanged"),
        ((None, 90), (100, 110), "emissions_from"),
        ((100, None), (100, 110), "emissions"),
        ((100, 90), (None, 110), "gdp_from"),
        ((100, 90), (100, None), "gdp"),
        ((0, 90), (100, 110), "emissions_from"),
        ((100, float("nan")), (0, 110), "emissions; gdp_from"),
    ],
)
def test_what_lacks_is_null_and_named(
    make_series: Make, emissions: tuple[float, float], gdp: tuple[float, float], missing: str
) -> None:
    rows = make_series((2000, emissions[0], gdp[0]), (2001, emissions[1], gdp[1]))
    row = decoupling(rows).row(0, named=True)
    assert (row["elasticity"], row["state"], row["state_zh"], row["missing"]) == (None, None, None, missing)


def test_a_missing_year_is_never_bridged(make_series: Make) -> None:
    rows = decoupling(make_series((2000, 100, 100), (2002, 90, 110), (2003, 99, 121)))
    assert rows.select("from_year", "year", "state", "missing").rows() == [
        (2000, 2001, None, "emissions; gdp"),
        (2001, 2002, None, "emissions_from; gdp_from"),
        (2002, 2003, "expansive_coupling", None),
    ]


def test_against_a_base_year(make_series: Make) -> None:
    rows = decoupling(make_series((1999, 80, 50), (2000, 100, 100), (2001, 95, 150), (2002, 130, 120)), base_year=2000)
    assert rows.select("from_year", "year", "base", "elasticity").rows() == [
        (2000, 1999, "2000", pytest.approx((-20 / 100) / (-50 / 100))),
        (2000, 2001, "2000", pytest.approx((-5 / 100) / (50 / 100))),
        (2000, 2002, "2000", pytest.approx((30 / 100) / (20 / 100))),
    ]
    unknown = decoupling(make_series((2001, 95, 150)), base_year=2000)
    assert unknown.select("state", "missing").rows() == [(None, "emissions_from; gdp_from")]


def test_the_step_of_two_years_is_the_base_year_of_the_first(make_series: Make) -> None:
    rows = make_series((2000, 100, 100), (2001, 97, 104))
    step, whole = decoupling(rows), decoupling(rows, base_year=2000)
    assert step.drop("base").equals(whole.drop("base"))


def test_cities_and_series_stand_apart(make_series: Make) -> None:
    rows = pl.concat(
        [
            make_series((2000, 100, 100), (2001, 90, 110)),
            make_series((2000, 100, 100), (2001, 115, 110), series="CEADS"),
            make_series((2001, 100, 100), hub="xian"),
        ]
    )
    assert decoupling(rows).select("hub", "series", "state").rows() == [
        ("wuhan", "CEADS", "expansive_negative_decoupling"),
        ("wuhan", "EDGAR", "strong_decoupling"),
    ]


def test_a_year_that_stands_twice_is_refused(make_series: Make) -> None:
    with pytest.raises(InvalidSeries, match="wuhan EDGAR 2000"):
        decoupling(make_series((2000, 100, 100), (2000, 101, 100)))


def test_a_deflator_makes_prices_constant(make_series: Make) -> None:
    """GDP of 100 and 121, of which prices rose by 10 %: 100 and 110. Without a deflator there is no real GDP."""
    rows = make_series((2000, 100, 100), (2001, 105, 121), (2002, 105, 130))
    deflators = pl.DataFrame({"hub": ["wuhan", "wuhan"], "year": [2000, 2001], "deflator": [50.0, 55.0]})
    told = decoupling(with_constant_prices(rows, deflators))
    assert told["gdp_basis"].to_list() == ["constant", "constant"]
    assert told["elasticity"].to_list() == [pytest.approx(5 / 10), None]
    assert told["missing"].to_list() == [None, "gdp"]
    assert decoupling(rows)["elasticity"][0] == pytest.approx(5 / 21)


def test_a_deflator_beyond_all_measure_makes_no_figure(make_series: Make) -> None:
    """100 / 1e-308 is more than a number holds; 100 / 1e308 to 100 / 1e-300 is a rise that none holds."""
    rows = make_series((2000, 100, 100), (2001, 105, 100), (2002, 105, 100))
    deflators = pl.DataFrame({"hub": ["wuhan"] * 3, "year": [2000, 2001, 2002], "deflator": [1e308, 1e-300, 1e-308]})
    told = decoupling(with_constant_prices(rows, deflators))
    assert told["gdp_change"].to_list() == [None, None]
    assert told["missing"][1] == "gdp"


def test_prices_of_two_kinds_make_no_growth(make_series: Make) -> None:
    rows = make_series((2000, 100, 100), (2001, 90, 110)).with_columns(gdp_basis=pl.Series(["current", "constant"]))
    row = decoupling(rows).row(0, named=True)
    assert (row["gdp_change"], row["state"], row["missing"]) == (None, None, "unlike_prices")


def test_no_rows_make_no_rows(make_series: Make) -> None:
    assert decoupling(make_series()).height == 0
    assert decoupling(make_series((2000, 1, 1))).height == 0
