"""Rows of the real UK flat file of 2020, read and recomputed: 24 totals with their gases, 3 without.

The excerpt names its source in its first two lines. CH4 25 and N2O 298 are the potentials of the Fourth Assessment
Report, which the methodology paper of the 2020 edition names; CH4 28 and N2O 265 those of the Fifth.
"""

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.footprints.calculate import calculate
from carbon.footprints.factor_files import FactorReading, read_factors
from carbon.footprints.schemas import activities_schema
from carbon.formats.defra_factors import defra_columns, defra_rows

EXCERPT = Path(__file__).with_name("defra_2020_excerpt.csv")
HEADER = "Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,{gas},Lookup,GHG Conversion Factor 2020"
GASES = ("CO2", "CH4", "N2O")
AR4 = {"CO2": 1, "CH4": 25, "N2O": 298}
AR5 = {"CO2": 1, "CH4": 28, "N2O": 265}
CATEGORIES = {"1": "stationary", "2": "electricity", "3": "c04"}


def printed() -> list[dict[str, str]]:
    """The rows of the excerpt as they are printed."""
    with EXCERPT.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream))
    return [dict(zip(lines[2], line, strict=True)) for line in lines[3:]]


def published() -> dict[tuple[str, ...], dict[str, str]]:
    """What is printed of each thing and unit: gas to text; CO2e is the total."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in printed():
        key = tuple(row[name] for name in ("Scope", "Level 1", "Level 2", "Level 3", "Column Text", "UOM"))
        found.setdefault(key, {})[row["GHG"].removeprefix("kg ")] = row["GHG Conversion Factor 2020"]
    return found


def decimals(texts: dict[str, str]) -> int:
    return max(len(text.partition(".")[2]) for text in texts.values())


@pytest.fixture(scope="module")
def reading() -> FactorReading:
    return read_factors(EXCERPT, recorded=date(2026, 1, 5))


def activities(rows: pl.DataFrame, series: str) -> pl.DataFrame:
    """1000 of the unit of every total, to be counted with the factors of one series."""
    totals = rows.filter(pl.col("gas") == "CO2e")
    scopes = totals["remark"].str.extract(r"^Scope (\d)", 1)
    made = [
        {
            **dict.fromkeys(activities_schema()),
            **{"activity_id": row["factor_id"], "entity": "E", "share": 1.0, "region": "GB", "credit_note": False},
            **{"period": "2020", "first_day": date(2020, 1, 1), "last_day": date(2020, 12, 31)},
            **{"scope": int(scope), "category": CATEGORIES[scope], "activity": row["activity"], "series": series},
            **{"amount": 1000.0, "unit": row["denominator"], "file": "x.csv", "row": at + 2},
        }
        for at, (row, scope) in enumerate(zip(totals.iter_rows(named=True), scopes, strict=True))
    ]
    return pl.DataFrame(made, schema=activities_schema())


def totals_of(rows: pl.DataFrame, series: str, gwp_set: str) -> dict[str, float]:
    """kg CO2e by the id of the total, scope 2 by location."""
    result = calculate(activities(rows, series), rows, gwp_set=gwp_set, methods=("location",))
    lines = result.lines.group_by("activity_id").agg(pl.col("co2e_kg").sum())
    return dict(lines.iter_rows())


def test_the_edition_is_that_of_2020() -> None:
    totals = {(key[3], key[5]): texts["CO2e"] for key, texts in published().items()}
    # Totals of 2020 that other texts of that year print too; those of 2019 and 2021 are others.
    assert totals["Electricity: UK", "kWh"] == "0.23314"
    assert totals["Natural gas", "cubic metres"] == "2.02266"
    assert totals["Diesel (average biofuel blend)", "litres"] == "2.54603"
    assert totals["LPG", "litres"] == "1.55537"


def test_every_row_is_read(reading: FactorReading) -> None:
    # 24 totals with three gases each, and 3 totals alone.
    assert (reading.layout, reading.rows_read, reading.rows.height) == ("defra", 24 * 4 + 3, 24 * 4 + 3)
    assert (reading.problems, reading.assumed, reading.unavailable) == ((), (), 0)
    assert reading.rows["factor_id"].n_unique() == reading.rows.height
    assert reading.rows.group_by("series").len().sort("series").rows() == [("defra", 27), ("defra_gases", 72)]
    assert not reading.rows["assumed"].any()


def test_masses_of_the_gases_are_the_printed_parts_over_their_potentials(reading: FactorReading) -> None:
    values = dict(reading.rows.select("factor_id", "value").iter_rows())
    diesel = "defra-2020-fuels/liquid_fuels/diesel_(average_biofuel_blend)/litres"
    assert values[diesel] == 2.54603
    assert values[f"{diesel}:CO2"] == 2.51072
    assert values[f"{diesel}:CH4"] == pytest.approx(0.00025 / 25, rel=1e-12)
    assert values[f"{diesel}:N2O"] == pytest.approx(0.03506 / 298, rel=1e-12)


def test_totals_are_the_masses_times_the_potentials_of_the_edition(reading: FactorReading) -> None:
    values = dict(reading.rows.select("factor_id", "value").iter_rows())
    whole = [texts for texts in published().values() if len(texts) == 4]
    heads = [key for key in values if f"{key}:CH4" in values]
    assert len(whole) == len(heads) == 24
    for texts, head in zip(whole, heads, strict=True):
        again = sum(values[f"{head}:{gas}"] * AR4[gas] for gas in GASES)
        # Three parts and the total, each rounded by half of the last decimal.
        assert abs(again - float(texts["CO2e"])) <= 4 * 0.5 * 10 ** -decimals(texts) + 1e-9, head


def test_calculated_from_the_gases_every_total_comes_back(reading: FactorReading) -> None:
    rows = reading.rows
    by_total, by_gas = totals_of(rows, "defra", "AR4GWP100"), totals_of(rows, "defra_gases", "AR4GWP100")
    assert (len(by_total), len(by_gas)) == (27, 24)
    named = dict(zip(_heads(rows), _whole(), strict=True))
    for head, texts in named.items():
        assert by_total[head] == pytest.approx(1000 * float(texts["CO2e"]), rel=1e-12)
        assert abs(by_gas[head] - by_total[head]) <= 1000 * 4 * 0.5 * 10 ** -decimals(texts) + 1e-6, head


def test_under_the_fifth_report_the_totals_are_others(reading: FactorReading) -> None:
    rows = reading.rows
    newer = totals_of(rows, "defra_gases", "AR5GWP100")
    for head, texts in zip(_heads(rows), _whole(), strict=True):
        expected = sum(float(texts[gas]) / AR4[gas] * AR5[gas] for gas in GASES)
        assert newer[head] == pytest.approx(1000 * expected, rel=1e-12)
    # UK electricity: 0.23314 by AR4, 0.23307 by AR5; diesel: 2.54603 and 2.54218.
    power = next(head for head in _heads(rows) if head.endswith("electricity:_uk/kWh"))
    assert newer[power] == pytest.approx(1000 * (0.23104 + 0.00072 * 28 / 25 + 0.00138 * 265 / 298), rel=1e-12)
    assert newer[power] < 1000 * 0.23314
    # A total in CO2e has its potentials in it: another set changes nothing.
    assert totals_of(rows, "defra", "AR5GWP100") == totals_of(rows, "defra", "AR4GWP100")


def _heads(rows: pl.DataFrame) -> list[str]:
    """Ids of the totals that have gases, in the order of the file."""
    names = set(rows["factor_id"])
    return [name for name in rows["factor_id"] if f"{name}:CH4" in names]


def _whole() -> list[dict[str, str]]:
    return [texts for texts in published().values() if len(texts) == 4]


def test_a_column_text_that_repeats_the_unit_is_no_part_of_the_name(reading: FactorReading) -> None:
    found = reading.rows.filter(pl.col("gas") == "CO2e").select("activity", "denominator").rows()
    assert {unit for name, unit in found if name == "natural_gas"} == {"m3", "t"}
    assert {unit for name, unit in found if name == "diesel"} == {"L", "t"}
    assert {unit for name, unit in found if name == "fuels/gaseous_fuels/cng"} == {"kWh_gross", "kWh", "L"}
    luxury = "passenger_vehicles/cars_(by_market_segment)/luxury"
    assert {name for name, _ in found if name.startswith(luxury)} == {f"{luxury}/diesel", f"{luxury}/petrol"}


def test_a_printed_nought_is_a_figure(reading: FactorReading) -> None:
    values = dict(reading.rows.select("factor_id", "value").iter_rows())
    assert values["defra-2020-passenger_vehicles/cars_(by_market_segment)/luxury/diesel/km:CH4"] == 0.0


def test_a_hotel_abroad_is_not_a_factor_of_the_united_kingdom(reading: FactorReading) -> None:
    regions = dict(reading.rows.filter(pl.col("gas") == "CO2e").select("activity", "region").iter_rows())
    assert regions["hotel_stay/hotel_stay/switzerland"] == "World"
    assert set(regions.values()) == {"World", "GB"}


def made(folder: Path, *rows: str, gas: str = "GHG") -> FactorReading:
    path = folder / "flat.csv"
    path.write_text("\n".join([HEADER.format(gas=gas), *rows]) + "\n", encoding="utf-8")
    return read_factors(path)


def told(reading: FactorReading) -> list[tuple[int | None, str | None, str, str]]:
    return [(problem.row, problem.column, problem.code, problem.severity) for problem in reading.problems]


def test_energy_and_bounds_are_set_apart_with_a_warning(tmp_path: Path) -> None:
    reading = made(
        tmp_path,
        "Scope 2,SECR kWh UK electricity for EVs,Vans,Class III,,Battery Electric Vehicle,km,kWh,Class III km,0.33263",
        "Scope 1,Refrigerant & other,Kyoto protocol - blends,R1234yf,,,kg,kg CO2e,R1234yf,< 1",
        "Scope 1,Fuels,Gaseous fuels,LPG,,Volume,litres,kg CO2e,LPG litres,1.55537",
    )
    assert (reading.rows_read, reading.rows.height, reading.unavailable) == (3, 1, 0)
    assert told(reading) == [
        (2, "GHG", "not_an_emission", "warning"),
        (3, "GHG Conversion Factor 2020", "only_a_bound", "warning"),
    ]


def test_under_the_newer_heading_a_mass_of_methane_is_not_taken_for_co2e(tmp_path: Path) -> None:
    row = "Scope 1,Fuels,Gaseous fuels,LPG,,Volume,litres,kg CH4,LPG litres,0.00113"
    assert told(made(tmp_path, row, gas="GHG/Unit")) == [(2, "GHG/Unit", "unknown_gas", "error")]
    assert told(made(tmp_path, row)) == []


@pytest.mark.parametrize(("total", "is_told"), [("2533", False), ("2532.97", False), ("2532.96", True)])
def test_rounding_follows_the_decimals_that_are_printed(tmp_path: Path, total: str, is_told: bool) -> None:
    # 2528.26 + 3.4 + 1.33 = 2532.99, and four figures of two decimals may differ by 0.02.
    start = "Scope 1,Fuels,Gaseous fuels,CNG,,Tonnes,tonnes,kg {},CNG tonnes,{}"
    figures = (("CO2e", total), ("CH4", "3.4"), ("CO2", "2528.26"), ("N2O", "1.33"))
    reading = made(tmp_path, *(start.format(*figure) for figure in figures))
    assert bool(reading.problems) is is_told
    assert reading.rows.height == 4


@pytest.mark.parametrize(
    ("text", "value"), [('"21,453.34"', 21453.34), ('"1,25"', None), ("1.5E-3", 0.0015), (".", None)]
)
def test_commas_stand_between_thousands_only(tmp_path: Path, text: str, value: float | None) -> None:
    reading = made(tmp_path, f"Scope 3,Material use,Construction,Soils,,Closed-loop source,tonnes,kg CO2e,Soils,{text}")
    assert reading.rows["value"].to_list() == ([] if value is None else [value])
    assert bool(reading.problems) is (value is None)


@settings(deadline=None, max_examples=60)
@given(
    parts=st.tuples(*[st.floats(0, 5000, allow_subnormal=False)] * 3),
    places=st.integers(1, 5),
    trimmed=st.booleans(),
)
def test_figures_rounded_one_by_one_are_never_told_to_be_unlike(
    parts: tuple[float, float, float], places: int, trimmed: bool
) -> None:
    shown = [f"{value:.{places}f}" for value in (sum(parts), *parts)]
    if trimmed:
        # As a spreadsheet does it. Four figures that end in zeros agree exactly: 0.02 is less than their last place.
        shown = [text.rstrip("0").rstrip(".") for text in shown]
    header = HEADER.format(gas="GHG").split(",")
    start = ["Scope 1", "Fuels", "Gaseous fuels", "CNG", None, "Tonnes", "tonnes"]
    lines = [[*start, f"kg {gas}", None, text] for gas, text in zip(("CO2e", *GASES), shown, strict=True)]
    names = [f"c{at}" for at in range(len(header))]
    cells = pl.DataFrame(lines, schema=dict.fromkeys(names, pl.String), orient="row").with_row_index("row", 2)
    columns = defra_columns(header)
    assert columns is not None
    found = defra_rows(cells.with_columns(pl.col("row").cast(pl.Int64)), columns, "x.csv", None)
    assert found.problems == ()
    assert found.rows.height == 4
