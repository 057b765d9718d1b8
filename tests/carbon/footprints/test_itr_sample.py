"""Reported emissions of both layouts of the ITR tool; what is missing stays missing and is listed."""

from datetime import date

import polars as pl
import pytest
import xlsxwriter

from carbon.errors import UnknownFormat
from carbon.footprints.calculate import calculate
from carbon.footprints.schemas import activities_schema, factors_schema
from carbon.formats.itr_sample import read_itr

FIRST = [
    [
        "company_name",
        "company_lei",
        "company_id",
        "country",
        "region",
        "sector",
        "exposure",
        "currency",
        "report_date",
        "market_cap",
        "emissions_metric",
        "production_metric",
        "2019_ghg_s1",
        "2019_ghg_s2",
        "2019_ghg_s3",
        "2020_ghg_s1",
        "2020_ghg_s1s2",
        "2020_production",
    ],
    [
        *("A", "LEI1", "US01", "US", "North America", "Steel", "equity", "USD", "2021-12-31"),
        *(1e9, "Mt CO2", "Fe_ton", 1.25, 0.5, None, 1.0, 1.6, 7e6),
    ],
    [
        *("B", "LEI2", "DE02", "DE", "Europe", "Steel", "equity", "USD", "2021-12-31"),
        *(1e9, "t CO2e", "Fe_ton", 10, 0, 30, None, None, 7e6),
    ],
]
SECOND = [
    [
        "company_name",
        "company_lei",
        "company_id",
        "sector",
        "report_date",
        "metric",
        "submetric",
        "unit",
        "base_year",
        "2019",
        "2020",
    ],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "S1", None, "t CO2e", None, 100, 110],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "S2", "location-based", "t CO2e", None, 20, None],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "S2", "market", "t CO2e", None, 15, None],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "S3", "Business travel", "kt CO2e", None, 3, None],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "S3", "11", "t CO2e", None, 4, None],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "production", None, "Fe_ton", None, 5, 6],
    ["A", "LEI1", "US01", "Steel", "2021-12-31", "S1 intensity", None, "t CO2e/Fe_ton", None, 5, 6],
]


def book(tmp_path, rows, name):
    path = tmp_path / "itr.xlsx"
    with xlsxwriter.Workbook(path) as made:
        made.add_worksheet("Read me").write(0, 0, "about")
        sheet = made.add_worksheet(name)
        for line, row in enumerate(rows):
            sheet.write_row(line, 0, row)
    return path


def figures(reading):
    names = ("entity", "period", "scope", "category", "method", "amount", "unit")
    return reading.rows.select(names).rows()


def lost(reading):
    return reading.missing.select("entity", "period", "scope", "reason").rows()


def codes(reading):
    return [(problem.code, problem.row, problem.column) for problem in reading.problems]


def second(*rows):
    """A second layout with these rows: company, report_date, metric, submetric, unit, base_year, 2019."""
    made = [["N", "L", row[0], "Steel", *row[1:], None] for row in rows]
    return [SECOND[0], *made]


def test_the_first_layout(tmp_path):
    reading = read_itr(book(tmp_path, FIRST, "ITR input data"))
    assert figures(reading) == [
        ("DE02", "2019", 1, None, None, 10.0, "t"),
        ("DE02", "2019", 2, None, None, 0.0, "t"),
        ("DE02", "2019", 3, None, None, 30.0, "t"),
        ("US01", "2019", 1, None, None, 1.25, "Mt"),
        ("US01", "2019", 2, None, None, 0.5, "Mt"),
        ("US01", "2020", 1, None, None, 1.0, "Mt"),
    ]
    assert reading.figures_read == 7
    assert codes(reading) == [("combined_scopes", 2, "2020_ghg_s1s2")]
    # Not zero, and not filled from other years. The sum of two scopes says nothing of either.
    assert lost(reading) == [
        ("US01", "2019", 3, "empty"),
        ("US01", "2020", 2, "empty"),
        ("US01", "2020", 3, "empty"),
    ]
    assert reading.assumed == (
        "3 figures in t CO2 are taken as CO2e, as the ITR tool takes them",
        "2 figures of scope 2 name no method",
    )


def test_rows_are_activities(tmp_path):
    rows = read_itr(book(tmp_path, FIRST, "ITR input data")).rows
    assert rows.schema == activities_schema()
    row = rows.row(0, named=True)
    assert (row["activity"], row["series"], row["evidence"], row["verified"]) == (
        *("reported_emissions", "reported", "supplier", None),
    )
    assert (row["first_day"], row["last_day"], row["recorded"]) == (
        *(date(2019, 1, 1), date(2019, 12, 31), date(2021, 12, 31)),
    )
    assert (row["sector"], row["hub"], row["share"], row["row"], row["file"]) == ("Steel", None, 1.0, 3, "itr.xlsx")
    assert rows["activity_id"].n_unique() == rows.height


def test_the_second_layout(tmp_path):
    reading = read_itr(book(tmp_path, SECOND, "ITR V2 esg data"))
    assert figures(reading) == [
        ("US01", "2019", 1, None, None, 100.0, "t"),
        ("US01", "2019", 2, None, "location", 20.0, "t"),
        ("US01", "2019", 2, None, "market", 15.0, "t"),
        ("US01", "2019", 3, "c06", None, 3.0, "kt"),
        ("US01", "2019", 3, "c11", None, 4.0, "t"),
        ("US01", "2020", 1, None, None, 110.0, "t"),
    ]
    assert lost(reading) == [("US01", "2020", 2, "empty"), ("US01", "2020", 3, "empty")]
    assert (reading.problems, reading.figures_read) == ((), 6)


def test_a_sheet_saved_as_csv(tmp_path):
    path = tmp_path / "esg.csv"
    path.write_text("\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in SECOND) + "\n")
    from_book = read_itr(book(tmp_path, SECOND, "ITR V2 esg data"))
    from_csv = read_itr(path)
    assert figures(from_csv) == figures(from_book)
    assert from_csv.rows["activity_id"].to_list() == from_book.rows["activity_id"].to_list()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((None, "2021-12-31", "S1", None, "t CO2e", None, 1), "missing_cell"),
        (("A", "2021-12-31", "S1", None, "t CO2e", None, "n/a"), "unreadable_cell"),
        (("A", "soon", "S1", None, "t CO2e", None, 1), "unreadable_cell"),
        (("A", "2021-12-31", "S1", None, "t CO2e", None, -1), "negative_amount"),
        (("A", "2021-12-31", "S1", None, "t CO2e/MWh", None, 1), "unknown_unit"),
        (("A", "2021-12-31", "S1", None, None, None, 1), "unknown_unit"),
        (("A", "2021-12-31", "S1+S2", None, "t CO2e", None, 1), "combined_scopes"),
        (("A", "2021-12-31", "S1", "electricity", "t CO2e", None, 1), "unknown_submetric"),
        (("A", "2021-12-31", "S3", "4,9", "t CO2e", None, 1), "unknown_submetric"),
        (("A", "2018-12-31", "S1", None, "t CO2e", None, 1), "recorded_too_early"),
        (("A", "2021-12-31", "S1", "ignore", "t CO2e", None, 1), "disabled_row"),
        (("A", "2021-12-31", "S1", None, "t CO2e", "x", 1), "disabled_row"),
    ],
)
def test_what_is_set_apart(tmp_path, row, code):
    reading = read_itr(book(tmp_path, second(row), "ITR V2 esg data"))
    assert (reading.rows.height, reading.figures_read) == (0, 1)
    assert codes(reading) == [(code, 2, "2019")]
    if row[0] is not None and code != "combined_scopes":
        scope = int(row[2][1])
        assert lost(reading)[scope - 1] == ("A", "2019", scope, "set_apart")


def test_the_latest_report_counts_and_no_part_beside_its_whole(tmp_path):
    rows = second(
        ("A", "2020-12-31", "S1", None, "t CO2e", None, 1),
        ("A", "2021-12-31", "S1", "total", "t CO2e", None, 2),
        ("A", "2021-12-31", "S2", None, "t CO2e", None, 3),
        ("A", "2021-12-31", "S2", "market", "t CO2e", None, 4),
        ("A", "2021-12-31", "S3", None, "t CO2e", None, 5),
        ("A", "2021-12-31", "S3", "Cat 6: travel", "t CO2e", None, 6),
    )
    reading = read_itr(book(tmp_path, rows, "ITR V2 esg data"))
    assert sorted(reading.rows["amount"]) == [2.0, 4.0, 5.0]
    assert codes(reading) == [("older_report", 2, "2019"), ("part_of_total", 4, "2019"), ("part_of_total", 7, "2019")]
    assert {problem.severity for problem in reading.problems} == {"warning"}
    assert reading.missing.is_empty()


def test_a_workbook_of_something_else(tmp_path):
    with pytest.raises(UnknownFormat, match="emissions_metric"):
        read_itr(book(tmp_path, [["a", "b"], [1, 2]], "S"))


def test_nothing_reported(tmp_path):
    reading = read_itr(book(tmp_path, SECOND[:1], "ITR V2 esg data"))
    assert (reading.figures_read, reading.rows.height, reading.missing.height) == (0, 0, 0)
    assert reading.missing.schema["scope"] == pl.Int8


def test_reported_emissions_are_counted_as_they_are(tmp_path):
    rows = read_itr(book(tmp_path, FIRST, "ITR input data")).rows
    schema = factors_schema()
    factor = {
        **{"factor_id": "one-for-one", "activity": "reported_emissions", "kind": "process", "gas": "CO2e"},
        **{"parameter": "emission_factor", "value": 1.0, "numerator": "kg", "denominator": "kg", "region": "World"},
        **{"series": "reported", "biogenic": False, "assumed": False, "recorded": date(2020, 1, 1)},
    }
    result = calculate(rows, pl.DataFrame([{**dict.fromkeys(schema), **factor}], schema=schema, orient="row"))
    scope_1 = result.lines.filter(pl.col("scope") == 1).select("entity", "period", "co2e_kg").sort("entity", "period")
    assert scope_1.rows() == [("DE02", "2019", 10 * 1e3), ("US01", "2019", 1.25 * 1e9), ("US01", "2020", 1.0 * 1e9)]
