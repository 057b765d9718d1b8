"""Files of units: both layouts, and every problem at once."""

from decimal import Decimal

import pytest

from carbon.rules.entities import allocate
from carbon.rules.units_file import InvalidUnits, read_units, units_from_records

HEADER = "entity,unit,unit_class,year,gross_generation_mwh,heat_gj,load_factor,verified_t"
TOML = """
[[unit]]
entity = "E"
unit = "1"
unit_class = "coal_gt300MW"
year = 2024
gross_generation_mwh = 1000000
heat_gj = 500000
load_factor = 0.65
verified_t = 850000

[[unit]]
entity = "S"
unit = "kiln"
unit_class = "cement"
year = 2024
verified_t = 5
"""


def test_toml_and_csv_give_the_same_units(tmp_path, rules):
    (tmp_path / "units.toml").write_text(TOML, encoding="utf-8")
    lines = [HEADER, "E,1,coal_gt300MW,2024,1000000,500000,0.65,850000", "S,kiln,cement,2024,,,,5"]
    (tmp_path / "units.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    toml, table = read_units(tmp_path / "units.toml"), read_units(tmp_path / "units.csv")
    assert toml.problems == table.problems == ()
    assert toml.units == table.units
    assert toml.units[0].load_factor == Decimal("0.65")
    assert [found.allocation_t for found in allocate(toml.units, rules)] == [842_650, 5]


def test_every_problem_at_once_and_the_good_rows_kept(tmp_path):
    lines = [
        HEADER,
        "E,1,coal_gt300MW,2024,1000000,500000,0.65,850000",
        "E,2,coal_big,2024,1000000,500000,0.65,850000",
        "E,3,gas,2024,-1,500000,65,850000.5",
        "",
        "E,4,gas,2024,1000000,,0.65,850000",
        "E,1,coal_gt300MW,2024,1,1,0.65,1",
        "E,5,gas,2024,1,1,0.65,1,surplus",
        "S,6,steel,2024,1,,,5",
    ]
    path = tmp_path / "units.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read_units(path)
    assert [unit.unit for unit in found.units] == ["1"]
    assert found.rows_read == 7
    assert [(problem.row, problem.column, problem.code) for problem in found.problems] == [
        (3, "unit_class", "unknown_class"),
        (4, "unit 3: gross_generation_mwh", "wrong_value"),
        (4, "unit 3: load_factor", "wrong_value"),
        (4, "unit 3: verified_t", "wrong_value"),
        (6, "unit 4: heat_gj", "missing_key"),
        (7, "unit", "repeated_unit"),
        (8, "unit 5: a cell beyond the headings", "unknown_key"),
        (9, "unit 6: gross_generation_mwh", "unknown_key"),
    ]
    assert "coal_gt300MW" in found.problems[0].expected


def test_wrong_headings_are_all_named(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("entity,unit,unit,klass\nE,1,1,gas\n", encoding="utf-8")
    with pytest.raises(InvalidUnits) as caught:
        read_units(path)
    assert [(problem.column, problem.code) for problem in caught.value.problems] == [
        ("klass", "unknown_heading"),
        ("unit", "repeated_heading"),
        ("unit_class", "missing_heading"),
        ("year", "missing_heading"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "[[unit]", "expected valid TOML"),
        ("a.toml", "", "no units"),
        ("a.toml", 'colour = "red"', "tables only"),
        ("a.csv", HEADER + "\n", "no units"),
    ],
)
def test_files_that_hold_nothing(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidUnits, match=message):
        read_units(path)


def test_records_of_an_interface():
    found = units_from_records([{"entity": "S", "unit": "1", "unit_class": "steel", "year": 2024}, {}], file="request")
    assert [unit.verified_t for unit in found.units] == [None]
    assert [problem.row for problem in found.problems] == [2]
