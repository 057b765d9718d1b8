"""The UK allocation workbook: sums equal the publisher's totals, a total that does not add up is said."""

from collections.abc import Sequence
from pathlib import Path

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from carbon.errors import UnknownFormat
from carbon.formats.eu import read_uk_allocations

WORKBOOK = Path("registry", "ukets_allocation_table_2021_2026.xlsx")
HEADINGS = ["Permit ID", "Installation ID", "Installation Name", "Account Holder Name"]
FIGURES = ["(A) Allocation (Standard) 2021", "(B) Allocation (NER) 2021", "(C) Allocation (Total) 2021"]


def test_the_workbook_adds_up_to_its_own_totals(outside_data: Path) -> None:
    read = read_uk_allocations(outside_data / WORKBOOK)
    plain = fastexcel.read_excel(outside_data / WORKBOOK).load_sheet(0).to_polars()
    assert read.installations.height == plain.height == 482
    assert read.problems == ()
    assert read.rejected.height == 0
    assert read.allocations.height == 482 * 6 * 2
    for year in range(2021, 2027):
        of_year = read.allocations.filter(year=year)
        assert of_year["allocated_t"].sum() == plain[f"(C) Allocation (Total) {year}"].sum()
        assert of_year.filter(kind="standard")["allocated_t"].sum() == plain[f"(A) Allocation (Standard) {year}"].sum()
        assert of_year.filter(kind="new_entrants")["allocated_t"].sum() == plain[f"(B) Allocation (NER) {year}"].sum()
    ravenhead = read.allocations.filter(installation_id="1000200", kind="standard")
    assert ravenhead["allocated_t"].to_list() == [22_483] * 6


def write_book(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for line, cells in enumerate(rows):
                sheet.write_row(line, 0, cells)
    return path


def test_all_sheets_are_read_and_defects_set_apart(tmp_path: Path) -> None:
    header = [*HEADINGS, *FIGURES]
    first = [
        header,
        ["P1", 1, "Kiln", "Works Ltd", 10, 5, 15],
        ["P2", 2, "Mill", "Works Ltd", 10, 5, 16],
        ["P3", 3, "Pit", "Works Ltd", 1.5, 0, 1.5],
        ["P4", 1, "Kiln again", "Works Ltd", 1, 0, 1],
        ["P5", 5, "Yard", "Works Ltd", "", "", ""],
    ]
    second = [["UK ETS", ""], header, ["P6", 6, "Dock", "Works Ltd", 7, 0, 7]]
    read = read_uk_allocations(write_book(tmp_path / "uk.xlsx", {"One": first, "Two": second, "Notes": [["text"]]}))
    assert read.installations.select("installation_id", "sheet", "row").rows() == [
        ("1", "One", 2),
        ("5", "One", 6),
        ("6", "Two", 3),
    ]
    figures = read.allocations.select("installation_id", "kind", "allocated_t", "sheet").rows()
    assert sorted(figures, key=str) == sorted(
        [
            ("1", "standard", 10, "One"),
            ("1", "new_entrants", 5, "One"),
            ("5", "standard", None, "One"),
            ("5", "new_entrants", None, "One"),
            ("6", "standard", 7, "Two"),
            ("6", "new_entrants", 0, "Two"),
        ],
        key=str,
    )
    assert read.rejected.select("sheet", "row").rows() == [("One", 3), ("One", 4), ("One", 5)]
    said = {(p.file, p.row, p.code) for p in read.problems}
    assert said == {
        ("uk.xlsx [One]", 3, "total"),
        ("uk.xlsx [One]", 4, "untyped_cell"),
        ("uk.xlsx [One]", 5, "installation_id"),
        ("uk.xlsx", None, "unknown_sheet"),
    }
    total = next(p for p in read.problems if p.code == "total")
    assert (total.found, total.expected) == ("16", "standard + new entrants = 15")
    assert read.allocations.schema["allocated_t"] == pl.Int64


def test_a_workbook_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat):
        read_uk_allocations(write_book(tmp_path / "uk.xlsx", {"Notes": [["text"]]}))
