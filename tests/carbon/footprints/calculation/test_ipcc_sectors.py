"""The IPCC's defaults with methane and nitrous oxide: as printed, as calculated, and only where they are asked for.

Printed figures: IPCC, 2006 Guidelines, volume 2, tables 2.2 to 2.5 (stationary), 3.2.1 and 3.2.2 (road), kg/TJ of net
calorific value; net calorific values of table 1.2, carbon of table 1.3. GWP: Fifth Assessment Report, CH4 28, N2O 265.
"""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.footprints.calculate import calculate
from carbon.footprints.factors import embedded_factors, series_table

from .frames import SCOPE_1, activity_rows

FACTORS = embedded_factors()
TABLES = {
    "ipcc_energy_industries": "energy",
    "ipcc_manufacturing": "manufacturing",
    "ipcc_commercial": "commercial",
    "ipcc_residential": "residential",
}
NEW = [*TABLES, "ipcc_road", "beijing_transport_2019", "defra"]
CO2_PER_C = 44 / 12
GWP = {"CO2": 1, "CH4": 28, "N2O": 265}
# Value, lower and upper limit, as the tables print them.
OIL, OIL_10 = (3, 1, 10), (10, 3, 30)
GAS, GAS_5 = (1, 0.3, 3), (5, 1.5, 15)
N2O_OIL, N2O_GAS, N2O_COAL, N2O_WOOD = (0.6, 0.2, 2), (0.1, 0.03, 0.3), (1.5, 0.5, 5), (4, 1.5, 15)
WOOD_30, WOOD_300 = (30, 10, 100), (300, 100, 900)
METHANE = {
    "diesel": (OIL, OIL, OIL_10, OIL_10),
    "petrol": (OIL, OIL, OIL_10, OIL_10),
    "kerosene": (OIL, OIL, OIL_10, OIL_10),
    "lpg": (GAS, GAS, GAS_5, GAS_5),
    "natural_gas": (GAS, GAS, GAS_5, GAS_5),
    "bituminous_coal": (GAS, OIL_10, OIL_10, WOOD_300),
    "wood": (WOOD_30, WOOD_30, WOOD_300, WOOD_300),
}
NITROUS = {
    **dict.fromkeys(("diesel", "petrol", "kerosene"), N2O_OIL),
    **dict.fromkeys(("lpg", "natural_gas"), N2O_GAS),
    **{"bituminous_coal": N2O_COAL, "wood": N2O_WOOD},
}
CO2_PRINTED = {
    **{"diesel": (74_100, 72_600, 74_800), "petrol": (69_300, 67_500, 73_000), "lpg": (63_100, 61_600, 65_600)},
    **{"natural_gas": (56_100, 54_300, 58_300), "kerosene": (71_900, 70_800, 73_700)},
    **{"fuel_oil": (77_400, 75_500, 78_800), "bituminous_coal": (94_600, 89_500, 99_700)},
    **{"wood": (112_000, 95_000, 132_000)},
}
ROAD = {
    "diesel": ((74_100, 72_600, 74_800), (3.9, 1.6, 9.5), (3.9, 1.3, 12)),
    "natural_gas": ((56_100, 54_300, 58_300), (92, 50, 1540), (3, 1, 77)),
    "lpg": ((63_100, 61_600, 65_600), (62, None, None), (0.2, None, None)),
    "petrol_uncontrolled": ((69_300, 67_500, 73_000), (33, 9.6, 110), (3.2, 0.96, 11)),
    "petrol_oxidation_catalyst": ((69_300, 67_500, 73_000), (25, 7.5, 86), (8, 2.6, 24)),
    "petrol_low_mileage_1995": ((69_300, 67_500, 73_000), (3.8, 1.1, 13), (5.7, 1.9, 17)),
}


def triple(series: str, activity: str, gas: str) -> tuple[float | None, ...]:
    rows = FACTORS.filter(series=series, activity=activity, gas=gas, parameter="emission_factor")
    assert rows.select("numerator", "denominator", "region").rows() == [("kg", "TJ", "World")]
    (row,) = rows.select("value", "lower", "upper").rows()
    return tuple(row)


@pytest.mark.parametrize("activity", METHANE)
def test_stationary_figures_are_those_printed(activity: str) -> None:
    for series, methane in zip(TABLES, METHANE[activity], strict=True):
        assert triple(series, activity, "CH4") == methane
        assert triple(series, activity, "N2O") == NITROUS[activity]


def test_ranges_that_were_not_read_are_null() -> None:
    """Of table 2.2 the fuels beside the seven above were read without their limits."""
    rows = FACTORS.filter(pl.col("series") == "ipcc_energy_industries", pl.col("parameter") == "emission_factor")
    ranged = rows.filter(pl.col("lower").is_not_null() | pl.col("upper").is_not_null())
    assert set(ranged["activity"]) == set(METHANE)
    told = pl.col("remark").str.contains("the range was not read", literal=True)
    assert rows.filter(told != pl.col("lower").is_null()).is_empty()
    groups = {
        **dict.fromkeys(("crude_oil", "fuel_oil", "petroleum_coke", "biodiesel"), (3, 0.6)),
        **dict.fromkeys(("coke_oven_gas", "blast_furnace_gas", "converter_gas", "biogas"), (1, 0.1)),
        **dict.fromkeys(("anthracite", "coking_coal", "lignite", "coke", "peat"), (1, 1.5)),
        **{"municipal_waste_fossil": (30, 4), "charcoal": (200, 4), "black_liquor": (3, 2), "gas_coke": (1, 0.1)},
    }
    for activity, (methane, nitrous) in groups.items():
        assert triple("ipcc_energy_industries", activity, "CH4") == (methane, None, None)
        assert triple("ipcc_energy_industries", activity, "N2O") == (nitrous, None, None)


@pytest.mark.parametrize("activity", ROAD)
def test_road_figures_are_those_printed(activity: str) -> None:
    assert tuple(triple("ipcc_road", activity, gas) for gas in GWP) == ROAD[activity]


def test_carbon_of_the_sectors_is_that_of_the_default_and_gives_the_printed_co2() -> None:
    """The tables print CO2 as carbon of table 1.3 x 44/12, rounded to three figures."""
    columns = ["activity", "parameter", "gas", "value", "numerator", "denominator", "biogenic", "lower", "upper"]
    fuel = pl.col("parameter") != "emission_factor"
    default = FACTORS.filter(fuel, pl.col("series") == "ipcc_default").select(columns)
    for series in TABLES:
        own = FACTORS.filter(fuel, pl.col("series") == series).select(columns)
        assert own.join(default, on=columns, how="anti", nulls_equal=True).is_empty()
        burnt = set(FACTORS.filter(pl.col("series") == series, pl.col("gas") == "CH4")["activity"])
        assert set(own.filter(pl.col("parameter") == "carbon_content")["activity"]) == burnt
    carbon = default.filter(pl.col("parameter") == "carbon_content")
    for activity, printed in CO2_PRINTED.items():
        (row,) = carbon.filter(pl.col("activity") == activity).select("value", "lower", "upper").rows()
        assert [figure * CO2_PER_C * 1000 for figure in row] == pytest.approx(printed, rel=2.5e-3)


@pytest.mark.parametrize(
    ("series", "methane", "nitrous"),
    [
        ("ipcc_energy_industries", 3, 0.6),
        ("ipcc_manufacturing", 3, 0.6),
        ("ipcc_commercial", 10, 0.6),
        ("ipcc_residential", 10, 0.6),
    ],
)
def test_ten_tonnes_of_diesel_by_sector(series: str, methane: float, nitrous: float) -> None:
    rows = activity_rows({**SCOPE_1, "activity": "diesel", "amount": 10.0, "unit": "t", "series": series})
    found = calculate(rows, FACTORS)
    assert found.problems == ()
    terajoules = 10 * 43.0 / 1000
    expected = {
        "CO2": 10 * 43.0 * 20.2 * CO2_PER_C,
        "CH4": terajoules * methane,
        "N2O": terajoules * nitrous,
    }
    assert dict(found.lines.select("gas", "emissions_kg").iter_rows()) == pytest.approx(expected, rel=1e-12)
    weighed = {gas: expected[gas] * GWP[gas] for gas in GWP}
    assert dict(found.lines.select("gas", "co2e_kg").iter_rows()) == pytest.approx(weighed, rel=1e-12)
    ids = dict(found.lines.select("gas", "factor_ids").iter_rows())
    name = TABLES[series]
    assert ids["CH4"] == [f"ipcc-{name}-ncv-diesel", f"ipcc-{name}-ch4-diesel"]
    assert ids["CO2"] == [f"ipcc-{name}-{part}-diesel" for part in ("ncv", "carbon", "oxidation")]


def test_only_the_co2_of_wood_is_biogenic() -> None:
    rows = activity_rows({**SCOPE_1, "activity": "wood", "amount": 2.0, "unit": "t", "series": "ipcc_residential"})
    lines = calculate(rows, FACTORS).lines.sort("gas")
    expected = [
        ("CH4", False, 2 * 15.6 / 1000 * 300),
        ("CO2", True, 2 * 15.6 * 30.5 * CO2_PER_C),
        ("N2O", False, 2 * 15.6 / 1000 * 4),
    ]
    assert lines.select("gas", "biogenic").rows() == [line[:2] for line in expected]
    assert lines["emissions_kg"].to_list() == pytest.approx([line[2] for line in expected], rel=1e-12)


def test_road_needs_a_technology_for_petrol() -> None:
    road = {"scope": 1, "category": "mobile", "amount": 1.0, "unit": "t", "series": "ipcc_road"}
    rows = activity_rows(*({**road, "activity": name} for name in ("petrol", "petrol_low_mileage_1995", "diesel")))
    found = calculate(rows, FACTORS)
    assert [(problem.row, problem.code) for problem in found.problems] == [(2, "no_factor")]
    terajoules = {"petrol_low_mileage_1995": 44.3 / 1000, "diesel": 43.0 / 1000}
    expected = {
        (name, gas): size * ROAD[name][at][0]  # type: ignore[operator]
        for name, size in terajoules.items()
        for at, gas in enumerate(GWP)
    }
    lines = {(name, gas): kg for name, gas, kg in found.lines.select("activity", "gas", "emissions_kg").iter_rows()}
    assert lines == pytest.approx(expected, rel=1e-12)


def test_series_that_were_added_change_nothing_that_does_not_ask_for_them() -> None:
    """Every fuel in China, in the world and in a city, by mass and by energy: the same lines as without them."""
    table = series_table().filter(pl.col("series").is_in([name for name in NEW if name != "defra"]))
    assert table.height == len(NEW) - 1
    assert table["priority"].null_count() == table.height
    before = FACTORS.filter(~pl.col("series").is_in(NEW))
    fuels = sorted(set(before.filter(pl.col("parameter") == "carbon_content")["activity"]))
    assert len(fuels) > 50
    rows = activity_rows(
        *(
            {**SCOPE_1, "activity": fuel, "amount": 3.0, "unit": unit, "region": region, "category": category}
            for fuel in fuels
            for unit in ("t", "GJ")
            for region in ("CN", "World", "420100")
            for category in ("stationary", "mobile")
        )
    )
    with_them, without = calculate(rows, FACTORS), calculate(rows, before)
    assert with_them.lines.equals(without.lines)
    assert with_them.left_out.equals(without.left_out)
    assert set(with_them.lines["gas"]) == {"CO2"}


def test_a_chinese_fuel_takes_no_gas_of_another_series() -> None:
    rows = activity_rows({**SCOPE_1, "activity": "diesel", "amount": 1.0, "unit": "t", "region": "420100"})
    lines = calculate(rows, FACTORS).lines
    assert lines["gas"].to_list() == ["CO2"]
    assert lines["emissions_kg"].to_list() == pytest.approx([42.652 * 20.2 * 0.98 * CO2_PER_C], rel=1e-12)


@settings(max_examples=20)
@given(
    st.sampled_from(sorted(METHANE)),
    st.sampled_from(sorted(TABLES)),
    st.floats(min_value=0.001, max_value=1e6),
    st.floats(min_value=0.001, max_value=1e3),
)
def test_gases_grow_with_the_fuel_and_go_by_its_energy(activity: str, series: str, amount: float, times: float) -> None:
    """k times the fuel is k times each gas; tonnes and the gigajoules in them give the same."""
    (ncv,) = FACTORS.filter(series="ipcc_default", activity=activity, parameter="net_calorific_value")["value"]
    row = {**SCOPE_1, "activity": activity, "series": series}
    rows = activity_rows(
        {**row, "amount": amount, "unit": "t"},
        {**row, "amount": amount * times, "unit": "t"},
        {**row, "amount": amount * ncv, "unit": "GJ"},
    )
    lines = calculate(rows, FACTORS).lines
    one, many, energy = (
        dict(lines.filter(activity_id=name).select("gas", "emissions_kg").iter_rows()) for name in ("a0", "a1", "a2")
    )
    assert set(one) == set(GWP)
    assert many == pytest.approx({gas: kg * times for gas, kg in one.items()}, rel=1e-9)
    assert energy == pytest.approx(one, rel=1e-9)


@pytest.mark.parametrize(
    ("year", "activity", "kg"),
    # UK conversion factors, flat file, business travel on land, kg CO2e per passenger and kilometre.
    [
        *[(2020, "bus", 0.10312), (2020, "bus_london", 0.07856), (2020, "coach", 0.02732)],
        *[(2020, "national_rail", 0.03694), (2020, "international_rail", 0.00497)],
        *[(2020, "light_rail", 0.02991), (2020, "metro", 0.0275)],
        *[(2025, "bus", 0.10385), (2025, "bus_outside_london", 0.12525), (2025, "bus_london", 0.06875)],
        *[(2025, "coach", 0.02776), (2025, "national_rail", 0.03546), (2025, "international_rail", 0.00446)],
        *[(2025, "light_rail", 0.0286), (2025, "metro", 0.0278)],
    ],
)
def test_passengers_of_the_united_kingdom_stay_there(year: int, activity: str, kg: float) -> None:
    span = {"period": str(year), "first_day": date(year, 1, 1), "last_day": date(year, 12, 31)}
    trip = {"scope": 3, "category": "c06", "activity": activity, "amount": 250.0, "unit": "pkm", **span}
    found = calculate(activity_rows({**trip, "region": "GB"}, {**trip, "region": "420100"}), FACTORS)
    assert found.lines.select("activity_id", "gas", "remarks").rows() == [("a0", "CO2e", None)]
    assert found.lines["co2e_kg"].to_list() == pytest.approx([250 * kg], rel=1e-12)
    assert [(problem.row, problem.code) for problem in found.problems] == [(3, "no_factor")]


@pytest.mark.parametrize(
    ("activity", "parts"),
    # The same file of 2020: the parts of CO2, CH4 and N2O, in kg CO2e and rounded to five decimals.
    [
        *[("bus", (0.10231, 0.00002, 0.00079)), ("bus_london", (0.07808, 0.00001, 0.00047))],
        *[("coach", (0.02679, 0.00001, 0.00052)), ("national_rail", (0.03659, 0.00006, 0.00029))],
        *[("international_rail", (0.00492, 0.00002, 0.00003)), ("light_rail", (0.02964, 0.00009, 0.00018))],
        ("metro", (0.02726, 0.00008, 0.00016)),
    ],
)
def test_totals_of_2020_are_the_sum_of_their_gases(activity: str, parts: tuple[float, ...]) -> None:
    (value,) = FACTORS.filter(factor_id=f"gb-2020-{activity}")["value"]
    assert value == pytest.approx(sum(parts), abs=2.1e-5)


@pytest.mark.parametrize(("activity", "day_kg"), [("car", 5.98), ("metro", 1.35)])
def test_travel_in_beijing_is_the_quotient_of_what_was_printed(activity: str, day_kg: float) -> None:
    """5.98 and 1.35 kg for the 22 km of a day, rounded to 0.1 g per km; of low confidence and only when asked for."""
    (row,) = FACTORS.filter(series="beijing_transport_2019", activity=activity).iter_rows(named=True)
    assert row["value"] == round(day_kg / 22, 4)
    assert (row["confidence"], row["region"], row["denominator"]) == ("L", "110000", "pkm")
    trip = {"scope": 3, "category": "c07", "activity": activity, "amount": 22.0, "unit": "pkm", "region": "110000"}
    found = calculate(activity_rows({**trip, "series": "beijing_transport_2019"}, trip), FACTORS)
    assert found.lines["co2e_kg"].to_list() == pytest.approx([day_kg], abs=22 * 0.00005)
    assert [(problem.row, problem.code) for problem in found.problems] == [(3, "no_factor")]
