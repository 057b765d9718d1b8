"""The embedded factors themselves: sources, units, ranges, and that they are what their publishers printed."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from carbon.footprints.factor_regions import embedded_regions, resolve_region
from carbon.footprints.factors import embedded_factors, series_table
from carbon.footprints.gwp import gwp_values
from carbon.footprints.schemas import CONFIDENCES, METHODS, PARAMETERS, factors_schema
from carbon.footprints.units import dimensions

FACTORS = embedded_factors()
GRID = FACTORS.filter(pl.col("series") == "grid_average")


def value_of(factor_id: str) -> float:
    (value,) = FACTORS.filter(pl.col("factor_id") == factor_id)["value"]
    return float(value)


def test_columns_are_those_of_the_contract() -> None:
    assert FACTORS.schema == pl.Schema(factors_schema())
    assert FACTORS["factor_id"].to_list() == sorted(set(FACTORS["factor_id"]))


def test_each_factor_has_source_confidence_and_words_that_exist() -> None:
    needed = ("activity", "kind", "parameter", "value", "numerator", "denominator", "region", "series", "source")
    assert FACTORS.select(needed).null_count().sum_horizontal().item() == 0
    assert (
        FACTORS.select("confidence", "biogenic", "assumed", "recorded", "name_zh", "name_en")
        .null_count()
        .sum_horizontal()
        .item()
        == 0
    )
    assert set(FACTORS["confidence"]) <= set(CONFIDENCES)
    assert set(FACTORS["parameter"]) <= set(PARAMETERS)
    assert set(FACTORS["method"].drop_nulls()) <= set(METHODS)
    assert set(FACTORS["series"]) <= set(series_table()["series"])
    assert set(FACTORS["region"]) <= set(embedded_regions()["region"])
    gases = set(gwp_values("AR5GWP100")["gas"]) | {"C"}
    assert set(FACTORS["gas"].drop_nulls()) <= gases


def test_units_exist_and_measure_what_the_parameter_is() -> None:
    above, below = dimensions(FACTORS["numerator"]), dimensions(FACTORS["denominator"])
    told = FACTORS.with_columns(above.alias("above"), below.alias("below"))
    assert told["above"].null_count() == told["below"].null_count() == 0
    expected = {
        "emission_factor": "mass",
        "carbon_content": "mass",
        "net_calorific_value": "energy",
        "oxidation": "share",
    }
    assert told.filter(pl.col("above") != pl.col("parameter").replace_strict(expected)).is_empty()


def test_ranges_hold_the_value() -> None:
    assert FACTORS.filter(pl.col("lower") > pl.col("value")).is_empty()
    assert FACTORS.filter(pl.col("upper") < pl.col("value")).is_empty()
    assert FACTORS.filter((pl.col("value") < 0) | ~pl.col("value").is_finite()).is_empty()
    assert FACTORS.filter(pl.col("valid_from") > pl.col("valid_to")).is_empty()


def test_one_question_has_one_answer_in_a_series() -> None:
    """No two rows of a series, place, span and gas per the same kind of unit."""
    key = ["activity", "parameter", "series", "region", "valid_from", "valid_to", "gas", "biogenic", "per"]
    per = FACTORS.with_columns(dimensions(FACTORS["denominator"]).alias("per"))
    assert per.filter(pl.struct(key).is_duplicated()).is_empty()


@pytest.mark.parametrize(
    ("year", "national", "central", "hubei"),
    # Announcements 2024 No. 12, 2024 No. 33 and 2025 No. 47 of the Ministry of Ecology and Environment.
    [(2021, 0.5568, 0.5354, 0.3672), (2022, 0.5366, 0.5395, 0.4364), (2023, 0.5306, 0.5271, 0.4044)],
)
def test_grid_averages_as_announced(year: int, national: float, central: float, hubei: float) -> None:
    names = {"national": national, "central": central, "420000": hubei}
    assert {name: value_of(f"cn-grid_average-{year}-{name}") for name in names} == names


def test_each_year_has_the_country_seven_grids_and_thirty_provinces() -> None:
    regions = embedded_regions().select("region", "kind")
    of_kind = GRID.drop("kind").join(regions, on="region")
    counted = of_kind.group_by("valid_from", "kind").len().sort("valid_from", "kind")
    years = [date(2021, 1, 1), date(2022, 1, 1), date(2023, 1, 1)]
    expected = [
        (year, kind, count) for year in years for kind, count in (("country", 1), ("grid", 7), ("province", 30))
    ]
    assert counted.rows() == expected
    # Tibet has no factor of its own, and the rest of China is not on the mainland grids.
    missing = set(regions.filter(pl.col("kind") == "province")["region"]) - set(GRID["region"])
    assert missing == {"540000", "710000", "810000", "820000"}


def test_a_grid_lies_between_its_provinces() -> None:
    """An average can be neither above nor below all of its parts; Tibet alone is not printed."""
    parents = embedded_regions().select("region", "parent", "kind").filter(pl.col("kind") == "province")
    provinces = GRID.drop("kind").join(parents, on="region")
    spans = provinces.group_by("parent", "valid_from").agg(low=pl.col("value").min(), high=pl.col("value").max())
    grids = GRID.filter(pl.col("region").str.starts_with("CN-grid")).join(
        spans, left_on=["region", "valid_from"], right_on=["parent", "valid_from"]
    )
    assert grids.height == 21
    assert grids.filter(~pl.col("value").is_between("low", "high")).is_empty()


def test_the_four_series_of_electricity_stay_apart() -> None:
    of_2022 = FACTORS.filter((pl.col("activity") == "electricity") & (pl.col("region") == "CN"))
    of_2022 = of_2022.filter(pl.col("valid_from") == date(2022, 1, 1))
    printed = {"grid_average": 0.5366, "grid_residual": 0.5856, "grid_fossil": 0.8325, "grid_reporting": 0.5703}
    assert dict(of_2022.select("series", "value").iter_rows()) == printed
    # Fossil alone is dirtier than what is left when green trades are taken out, and that than the average.
    assert printed["grid_fossil"] > printed["grid_residual"] > printed["grid_average"]


def test_reporting_factors_by_year_of_report() -> None:
    rows = FACTORS.filter(pl.col("series") == "grid_reporting").sort("valid_from")
    assert rows.select("value", "valid_from", "valid_to").rows() == [
        (0.6101, date(2015, 1, 1), date(2020, 12, 31)),
        (0.581, date(2021, 1, 1), date(2021, 12, 31)),
        (0.5703, date(2022, 1, 1), date(2022, 12, 31)),
    ]


def test_power_guide_default_changes_on_the_day_of_the_notice() -> None:
    carbon = FACTORS.filter((pl.col("series") == "power_guide") & (pl.col("parameter") == "carbon_content"))
    assert carbon.sort("value").select("value", "valid_from", "valid_to").rows() == [
        (30.85, date(2022, 6, 8), None),  # 0.03085 tC/GJ
        (33.56, None, date(2022, 6, 7)),  # 0.03356 tC/GJ
    ]
    assumed = FACTORS.filter(pl.col("assumed"))
    assert assumed["factor_id"].to_list() == ["cn-power-oxidation-coal"]


@pytest.mark.parametrize(
    ("fuel", "per", "printed_t"),
    # What two public programs that cite the guide print as t CO2 per t, or per 10^4 Nm3.
    [
        ("petrol", "t", 2.925056),
        ("diesel", "t", 3.095910),
        ("bituminous_coal", "t", 1.741750),
        ("lignite", "t", 1.172864),
        ("coke", "t", 2.860419),
        ("petroleum_coke", "t", 3.211542),
        ("crude_oil", "t", 3.020202),
        ("fuel_oil", "t", 3.170461),
        ("lng", "t", 2.831257),
        ("lpg", "t", 3.101330),
        ("natural_gas", "万Nm3", 21.621888),
        ("blast_furnace_gas", "万Nm3", 8.481132),
        ("converter_gas", "万Nm3", 15.124032),
        ("coke_oven_gas", "万Nm3", 8.863806),
    ],
)
def test_provincial_guide_gives_the_printed_products(fuel: str, per: str, printed_t: float) -> None:
    ncv, carbon, oxidation = (value_of(f"cn-guide2025-{part}-{fuel}") for part in ("ncv", "carbon", "oxidation"))
    (denominator,) = FACTORS.filter(pl.col("factor_id") == f"cn-guide2025-ncv-{fuel}")["denominator"]
    assert denominator == per
    # GJ per unit, kg C per GJ, a share; t CO2 = kg C x 44/12 / 1000.
    assert ncv * carbon * oxidation * 44 / 12 / 1000 == pytest.approx(printed_t, rel=2e-3)


def test_freight_as_the_standard_prints_it() -> None:
    # GB/T 51366-2019, table E.0.1, kg CO2e per t km: the larger the truck the less.
    diesel = [value_of(f"cn-freight-truck-diesel-{load}t") for load in (2, 8, 10, 18, 30, 46)]
    assert diesel == [0.286, 0.179, 0.162, 0.129, 0.078, 0.057]


def test_industry_default_is_not_the_misprint() -> None:
    # 0.02618 tC/GJ; one program has the digits of the calorific value, 23.076, there.
    assert value_of("cn-industry-carbon-bituminous_coal") == 26.18
    assert value_of("cn-industry-ncv-bituminous_coal") == 23.076


@pytest.mark.parametrize("blend", ["R404A", "R410A", "R407C", "R507A"])
def test_a_leaked_blend_weighs_what_leaked(blend: str) -> None:
    parts = FACTORS.filter(pl.col("factor_id").str.starts_with(f"leak-{blend}:"))
    assert parts["value"].sum() == pytest.approx(1)
    assert parts["gas"].n_unique() == parts.height > 1
    # Weighted with the potentials it is the printed potential of the blend.
    both = parts.join(gwp_values("AR4GWP100"), on="gas").select((pl.col("value") * pl.col("gwp")).sum()).item()
    printed = dict(gwp_values("AR4GWP100").iter_rows())[blend]
    assert both == pytest.approx(printed)


def test_ipcc_defaults_are_those_of_the_shared_copy(outside_data: Path) -> None:
    folder = outside_data / "factors" / "bonsai_ipcc_generic"
    names = {
        "gas_diesel_oil": "diesel",
        "motor_gasoline": "petrol",
        "anthracite": "anthracite",
        "natural_gas": "natural_gas",
    }
    names |= {"other_bituminous_coal": "bituminous_coal", "residual_fuel_oil": "fuel_oil", "charcoal": "charcoal"}
    for file, part in (("par_energy_content_per_mass", "ncv"), ("par_carbon_content_per_energy", "carbon")):
        printed = pl.read_csv(folder / f"{file}.csv")
        for product, activity in names.items():
            rows = printed.filter(pl.col("product") == product)
            given = dict(rows.select("property", "value").iter_rows())
            (ours,) = FACTORS.filter(pl.col("factor_id") == f"ipcc-{part}-{activity}").iter_rows(named=True)
            expected = (given["def"], given["min"], given["max"])
            assert (ours["value"], ours["lower"], ours["upper"]) == expected


def test_biogenic_fuels_are_marked() -> None:
    fuels = FACTORS.filter(pl.col("series") == "ipcc_default").group_by("activity").agg(pl.col("biogenic").unique())
    marked = {name for name, (flag,) in fuels.iter_rows() if flag}
    assert {"wood", "charcoal", "biogas", "biodiesel", "municipal_waste_biomass"} <= marked
    assert not {"diesel", "peat", "municipal_waste_fossil", "natural_gas"} & marked


@pytest.mark.parametrize(
    ("text", "region"),
    [
        *[
            ("wuhan", "420100"),
            ("武汉", "420100"),
            ("Hubei", "420000"),
            ("湖北", "420000"),
            ("华中", "CN-grid-central"),
        ],
        *[("CN", "CN"), ("china", "CN"), ("420106", "420106"), ("FR", "FR"), ("World", "World")],
        *[("beijing", "110000"), ("Central China", "CN-grid-central")],
    ],
)
def test_regions_by_any_of_their_names(text: str, region: str) -> None:
    assert resolve_region(text) == region


def test_hubs_are_those_of_the_index() -> None:
    path = Path(__file__).parents[3] / "fhi" / "data" / "hubs.csv"
    hubs = pl.read_csv(path, infer_schema=False).select("hub", "gbt2260", "name_zh", "name_en").sort("hub")
    ours = embedded_regions().drop_nulls("hub").select("hub", gbt2260="region", name_zh="name_zh", name_en="name_en")
    assert ours.sort("hub").equals(hubs)


def test_every_region_leads_to_the_world() -> None:
    parents = dict(embedded_regions().select("region", "parent").iter_rows())
    for region in parents:
        steps, place = 0, region
        while place != "World":
            place, steps = parents[place], steps + 1
        assert steps <= 4
