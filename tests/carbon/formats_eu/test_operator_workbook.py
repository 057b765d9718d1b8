"""The Commission's compliance workbook: real headings, fictitious rows."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.formats.eu import read_operator_workbook

LABELS = [
    *("REGISTRY_CODE", "IDENTIFIER_IN_REG", "INSTALLATION_NAME", "INSTALLATION_IDENTIFIER", "PERMIT_IDENTIFIER"),
    *("MAIN_ACTIVITY_TYPE_CODE", "MAIN_ACTIVITY_TYPE_NAME"),
    *("ALLOCATION2008", "VERIFIED_EMISSIONS_2008", "ALLOCATION_2013", "ALLOCATION_RESERVE_2013"),
    *("ALLOCATION_TRANSITIONAL_2013", "VERIFIED_EMISSIONS_2013"),
]


def write_book(
    path: Path, rows: Sequence[Sequence[object]], *, labels: Sequence[str] = LABELS, preface: int = 2
) -> Path:
    """A workbook with a read-me, and the rows below a preface on the sheet data."""
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Read Me").write(0, 0, "Extracted")
        sheet = book.add_worksheet("data")
        for line in range(preface):
            sheet.write(line, 0, "a line of the preface")
        for line, cells in enumerate([labels, *rows], start=preface):
            sheet.write_row(line, 0, cells)
    return path


GOOD = ["ZZ", 21, "Kiln", 1, "ZZ-0001", 29, "Cement", 100, 90, 80, 5, -1, 70]


@pytest.mark.parametrize("preface", [0, 2, 21])
def test_years_are_long_and_signs_for_none_are_null(tmp_path: Path, preface: int) -> None:
    mill = ["ZZ", 22, "Mill", 2, "ZZ-0002", 36, "Paper", -1, "n/a", 10, 0, 3, "Excluded"]
    read = read_operator_workbook(write_book(tmp_path / "book.xlsx", [GOOD, mill], preface=preface))
    columns = ["installation_id", "year", "allocated_t", "allocated_reserve_t", "allocated_transitional_t"]
    assert read.years.select(*columns, "verified_t", "verified_status").rows() == [
        ("ZZ_1", 2008, 100, None, None, 90, None),
        ("ZZ_1", 2013, 80, 5, None, 70, None),
        ("ZZ_2", 2013, 10, 0, 3, None, "Excluded"),
    ]
    assert read.installations.select("identifier_in_registry", "account_name").rows() == [("21", None), ("22", None)]
    assert read.installations["activity_code"].to_list() == [29, 36]
    assert read.installations["row"].to_list() == [preface + 2, preface + 3]
    assert not read.labels_shifted
    assert read.problems == ()


def test_a_shifted_label_is_seen_and_said(tmp_path: Path) -> None:
    rows = [["ZZ", "1624 - Anlagenkonto", *GOOD[2:]], ["ZZ", "Fictitious Works", "Mill", 2, *GOOD[4:]]]
    read = read_operator_workbook(write_book(tmp_path / "book.xlsx", rows))
    assert read.labels_shifted
    assert read.installations["account_name"].to_list() == ["1624 - Anlagenkonto", "Fictitious Works"]
    assert read.installations["identifier_in_registry"].to_list() == [None, None]
    assert read.installations["installation_id"].to_list() == ["ZZ_1", "ZZ_2"]
    assert [(p.code, p.column) for p in read.problems] == [("shifted_label", "IDENTIFIER_IN_REG")]


def test_bad_figures_and_repeats_are_set_apart(tmp_path: Path) -> None:
    rows = [
        GOOD,
        [*GOOD[:3], 2, *GOOD[4:7], 100.5, *GOOD[8:]],
        [*GOOD[:3], 3, *GOOD[4:7], -2, *GOOD[8:]],
        [*GOOD[:3], 4, *GOOD[4:7], "Excluded", *GOOD[8:]],
        GOOD,
    ]
    read = read_operator_workbook(write_book(tmp_path / "book.xlsx", rows))
    assert read.installations["installation_id"].to_list() == ["ZZ_1"]
    assert read.rejected["row"].to_list() == [5, 6, 7, 8]
    assert [(p.row, p.code, p.found) for p in read.problems] == [
        (5, "tonnes", "100.5"),
        (6, "tonnes", "-2"),
        (7, "tonnes", "Excluded"),
        (8, "repeated_key", "ZZ + 1"),
    ]


def test_other_workbooks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="INSTALLATION_IDENTIFIER"):
        read_operator_workbook(write_book(tmp_path / "book.xlsx", [], labels=["REGISTRY_CODE"]))
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    with pytest.raises(UnreadableFile):
        read_operator_workbook(broken)
