"""Files of factors: our own layout and the UK flat file."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.footprints.factor_files import FactorReading, read_factors
from carbon.footprints.factors import embedded_factors, match_factors
from carbon.footprints.schemas import factors_schema

HEADER = "factor_id,activity,kind,parameter,gas,value,numerator,denominator,region,series,source"
GOOD = "own-1,electricity,electricity,emission_factor,CO2,0.41,kg,度,420100,supplier,contract 7"
DEFRA = "ID,Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,GHG/Unit,GHG Conversion Factor {year}"
# UK electricity of 2020 as published, and a row of road freight whose gases are published beside its total.
POWER = [
    "1_2_3_4_1,Scope 2,UK electricity,Electricity generated,Electricity: UK,,,kWh,kg CO2e,0.23314",
]
TRUCKS = "Scope 3,Managed assets- vehicles,Managed HGV (all diesel),All rigids,,,km"
ROAD = [
    f"31_311_3124_4_1,{TRUCKS},kg CO2e,0.83751",
    f"31_311_3124_4_2,{TRUCKS},kg CO2e of CO2 per unit,0.82844",
    f"31_311_3124_4_3,{TRUCKS},kg CO2e of CH4 per unit,0.00019",
    f"31_311_3124_4_4,{TRUCKS},kg CO2e of N2O per unit,0.00888",
]


def read(folder: Path, lines: list[str], name: str = "factors.csv", day: date | None = None) -> FactorReading:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_factors(path, recorded=day)


def codes(reading: FactorReading) -> list[tuple[int | None, str | None, str]]:
    return [(problem.row, problem.column, problem.code) for problem in reading.problems]


def test_own_layout(tmp_path: Path) -> None:
    reading = read(tmp_path, [HEADER, GOOD], day=date(2026, 1, 5))
    assert (reading.layout, reading.rows_read, reading.unavailable, reading.problems) == ("own", 1, 0, ())
    assert reading.rows.schema == pl.Schema(factors_schema())
    (row,) = reading.rows.iter_rows(named=True)
    assert (row["value"], row["denominator"], row["region"]) == (0.41, "kWh", "420100")
    assert (row["biogenic"], row["assumed"], row["recorded"]) == (False, False, date(2026, 1, 5))
    assert row["lower"] is row["method"] is row["confidence"] is None


def test_all_faults_together_and_good_rows_kept(tmp_path: Path) -> None:
    lines = [
        f"{HEADER},lower,upper,valid_from,valid_to,biogenic,confidence,replaces,shoe_size",
        f"{GOOD},0.4,0.5,2023-01-01,2023-12-31,否,H,,44",
        ",electricity,electricity,emission_factor,CO2,0.4,kg,kWh,CN,s,src,,,,,,,,",
        "b,diesel,fuel,emission_factor,CO2,much,kg,barrel,CN,s,src,,,2023-13-01,,maybe,A,,",
        "c,diesel,combustion,net_calorific_value,,42,kg,t,CN,s,src,,,,,,,c,",
        "d,diesel,combustion,emission_factor,,-3,kg,t,CN,s,src,,,,,,,,",
        "e,diesel,combustion,oxidation,,98,1,1,CN,s,src,99,97,2024-01-01,2023-01-01,,,,",
        "own-1,x,process,emission_factor,phlogiston,1,kg,t,CN,s,src,,,,,,,,",
    ]
    reading = read(tmp_path, lines)
    assert reading.rows["factor_id"].to_list() == ["own-1"]
    assert reading.rows_read == 7
    assert set(codes(reading)) == {
        (1, "shoe_size", "unread_heading"),
        (3, "factor_id", "missing_cell"),
        *[(4, "kind", "unknown_word"), (4, "value", "unreadable_cell"), (4, "denominator", "unknown_unit")],
        *[(4, "valid_from", "unreadable_cell"), (4, "biogenic", "unreadable_cell"), (4, "confidence", "unknown_word")],
        *[(5, "numerator", "unit_mismatch"), (5, "replaces", "replaces_itself")],
        *[(6, "gas", "missing_cell"), (6, "value", "negative_value")],
        *[(7, "value", "share_above_one"), (7, "lower", "range_without_value"), (7, "upper", "range_without_value")],
        (7, "valid_to", "days_reversed"),
        *[(8, "gas", "unknown_gas"), (8, "factor_id", "repeated_factor")],
    }
    shown = next(problem for problem in reading.problems if problem.code == "unknown_unit")
    assert str(shown) == (
        "error: factors.csv, row 4, column denominator: found barrel, expected a unit of `greenfin factors units` "
        "[unknown_unit]"
    )


def test_a_region_by_name_gets_its_code_and_a_plant_may_be_one(tmp_path: Path) -> None:
    regions = ["Gotham", "wuhan", "湖北", "420100"]
    lines = [GOOD.replace("own-1", f"own-{number}").replace("420100", name) for number, name in enumerate(regions)]
    plant = GOOD.replace("own-1", "own-9").replace("420100,supplier", "wuhan,measured")
    reading = read(tmp_path, [HEADER, *lines, plant])
    assert [(problem.row, problem.code, problem.severity) for problem in reading.problems] == [
        (2, "unknown_region", "warning")
    ]
    assert reading.rows["region"].to_list() == ["Gotham", "420100", "420000", "420100", "wuhan"]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_embedded_factors_there_and_back(tmp_path: Path, kind: str) -> None:
    factors = embedded_factors()
    path = tmp_path / f"all.{kind}"
    if kind == "csv":
        factors.write_csv(path)
    elif kind == "parquet":
        factors.write_parquet(path)
    else:
        factors.with_columns(pl.col(pl.Date, pl.Boolean).cast(pl.String)).write_excel(path)
    reading = read_factors(path)
    assert reading.problems == ()
    assert reading.rows.equals(factors)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_another_table_is_refused_with_what_is_missing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnknownFormat, match=r"expected also factor_id, activity, .*source, or the UK flat file"):
        read_factors(path)


def test_other_kinds_of_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_factors(tmp_path / "absent.csv")
    for name, error in (("x.pdf", UnknownFormat), ("x.xlsx", UnreadableFile), ("x.parquet", UnreadableFile)):
        (tmp_path / name).write_bytes(b"not at all")
        with pytest.raises(error, match=name):
            read_factors(tmp_path / name)


def test_defra_below_a_preamble(tmp_path: Path) -> None:
    lines = [
        "UK Government GHG Conversion Factors,,,,,,,,,",
        "Flat file,,,,,,,,,",
        DEFRA.format(year=2020),
        *POWER,
        *ROAD,
    ]
    reading = read(tmp_path, lines, day=date(2026, 1, 5))
    assert (reading.layout, reading.rows_read, reading.unavailable) == ("defra", 5, 0)
    assert (reading.problems, reading.assumed) == ((), ())
    power = reading.rows.row(0, named=True)
    assert (power["activity"], power["gas"], power["value"]) == ("electricity", "CO2e", 0.23314)
    assert (power["region"], power["series"], power["denominator"]) == ("GB", "defra", "kWh")
    assert (power["valid_from"], power["valid_to"]) == (date(2020, 1, 1), date(2020, 12, 31))
    assert power["factor_id"] == "defra-2020-1_2_3_4"


def test_defra_gases_are_masses_beside_the_total_and_never_added(tmp_path: Path) -> None:
    reading = read(tmp_path, [DEFRA.format(year=2020), *ROAD])
    rows = {row["gas"]: row for row in reading.rows.iter_rows(named=True)}
    # The edition of 2020 used AR4: CH4 25, N2O 298.
    assert rows["CH4"]["value"] == pytest.approx(0.00019 / 25)
    assert rows["N2O"]["value"] == pytest.approx(0.00888 / 298)
    assert rows["CO2"]["value"] == 0.82844
    assert {gas: row["series"] for gas, row in rows.items()} == {
        "CO2e": "defra",
        **dict.fromkeys(["CO2", "CH4", "N2O"], "defra_gases"),
    }
    # Turned back with the same potentials, the gases are the total.
    assert 0.82844 + rows["CH4"]["value"] * 25 + rows["N2O"]["value"] * 298 == pytest.approx(0.83751, abs=2e-5)
    days = {"first_day": [date(2020, 3, 1)], "last_day": [date(2020, 3, 1)], "parameter": ["emission_factor"]}
    ask = pl.DataFrame({"request": [0], "activity": [rows["CO2e"]["activity"]], "region": ["GB"], **days})
    assert match_factors(ask, reading.rows)["gas"].to_list() == ["CO2e"]
    asked = match_factors(ask.with_columns(series=pl.lit("defra_gases")), reading.rows)
    assert sorted(asked["gas"]) == ["CH4", "CO2", "N2O"]
    forced = ask.with_columns(factor_id=pl.lit("defra-2020-31_311_3124_4"))
    assert match_factors(forced, reading.rows)["gas"].to_list() == ["CO2e"]


@pytest.mark.parametrize(
    ("year", "methane", "is_assumed"), [(2020, 25, False), (2022, 25, True), (2023, 28, True), (2025, 28, False)]
)
def test_defra_editions_and_their_potentials(tmp_path: Path, year: int, methane: int, is_assumed: bool) -> None:
    reading = read(tmp_path, [DEFRA.format(year=year), *ROAD])
    (row,) = reading.rows.filter(pl.col("gas") == "CH4").iter_rows(named=True)
    assert row["value"] == pytest.approx(0.00019 / methane)
    assert row["assumed"] is is_assumed
    assert bool(reading.assumed) is is_assumed


def test_defra_sums_that_do_not_add_up_are_a_warning(tmp_path: Path) -> None:
    lines = [DEFRA.format(year=2020), ROAD[0].replace("0.83751", "0.83851"), *ROAD[1:]]
    reading = read(tmp_path, lines)
    assert [(problem.row, problem.code, problem.severity) for problem in reading.problems] == [
        (2, "parts_unlike_total", "warning")
    ]
    assert reading.problems[0].expected == "0.83751, the sum of its gases"
    assert reading.rows.height == 4


def test_defra_empty_is_unavailable_outside_scopes_is_biogenic_and_faults_are_told(tmp_path: Path) -> None:
    lines = [
        DEFRA.format(year=2020),
        "9_1_1,Scope 1,Fuels,Gaseous fuels,Natural gas,,,kWh (Gross CV),kg CO2e,0.18387",
        "9_2_1,Scope 1,Fuels,Gaseous fuels,Natural gas,,,cubic metres,kg CO2e,2.02",
        "9_3_1,Scope 1,Fuels,Solid fuels,Coke,,,litres,kg CO2e,",
        "9_4_1,Outside of Scopes,Outside of scopes,Petrol (average biofuel blend),,,,litres,kg CO2e,0.07",
        "9_5_1,Scope 3,Freighting goods,Vans,Average,,,furlongs,kg CO2e,1.5",
        "9_6_1,Scope 3,Freighting goods,Vans,Average,,,km,kg soot,1.5",
        "9_7_1,Scope 3,Freighting goods,Vans,Average,,,km,kg CO2e,about 2",
        "9_1_1,Scope 3,Freighting goods,Vans,Small,,,km,kg CO2e,1.5",
    ]
    reading = read(tmp_path, lines)
    assert (reading.rows_read, reading.unavailable, reading.rows.height) == (8, 1, 3)
    assert sorted(codes(reading), key=str) == [
        (6, "UOM", "unknown_unit"),
        (7, "GHG/Unit", "unknown_gas"),
        (8, "GHG Conversion Factor 2020", "unreadable_cell"),
        (9, "ID", "repeated_factor"),
    ]
    assert reading.rows["biogenic"].to_list() == [False, False, True]
    assert reading.rows["activity"].to_list()[:2] == ["natural_gas", "natural_gas"]
    assert reading.rows["denominator"].to_list() == ["kWh_gross", "m3", "L"]


def test_defra_as_a_workbook(tmp_path: Path) -> None:
    header = DEFRA.format(year=2020).split(",")
    table = pl.DataFrame([line.split(",") for line in [*POWER, *ROAD]], schema=header, orient="row")
    path = tmp_path / "flat.xlsx"
    numbers = table.with_columns(pl.col(header[-1]).cast(pl.Float64))
    numbers.write_excel(path, position="A6")
    reading = read_factors(path)
    assert (reading.layout, reading.rows_read, reading.problems) == ("defra", 5, ())
    assert reading.rows["value"][0] == 0.23314
    assert reading.rows["value"][1] == 0.83751
