import csv
import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhi.formats.cells import key_text, read_numbers
from fhi.formats.tables import ROW, read_table

TEXT = 'code,name\n1,"武汉, 湖北"\n2,西安\n'
ROWS = [{"code": "1", "name": "武汉, 湖北", ROW: 2}, {"code": "2", "name": "西安", ROW: 3}]


def rows_of(path: Path, *sheets: str) -> list[dict[str, object]]:
    table, problems = read_table(path, sheets)
    assert problems == []
    assert table is not None
    return table.frame.to_dicts()


def write(folder: Path, data: bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings_that_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    assert rows_of(write(tmp_path, TEXT.encode(encoding))) == ROWS


@pytest.mark.parametrize(("old", "new"), [("\n", "\r\n"), ("\n", "\r"), ("\n", "\n\n"), ("\n1", "\n ,\n1")])
def test_line_ends_and_empty_rows(tmp_path: Path, old: str, new: str) -> None:
    found = rows_of(write(tmp_path, TEXT.replace(old, new).encode()))
    assert [(row["code"], row["name"]) for row in found if str(row["code"]).strip()] == [
        (row["code"], row["name"]) for row in ROWS
    ]


def test_row_numbers_are_those_of_a_spreadsheet(tmp_path: Path) -> None:
    found = rows_of(write(tmp_path, b'a,b\n\n1,"two\nlines"\n,\n3,4\n'))
    assert [(row[ROW], row["a"]) for row in found] == [(3, "1"), (5, "3")]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(tmp_path: Path, delimiter: str) -> None:
    text = "code,name\n1,x\n".replace(",", delimiter)
    assert rows_of(write(tmp_path, text.encode())) == [{"code": "1", "name": "x", ROW: 2}]


CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffd\ufeff"), max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5))
def test_cells_come_back_as_they_were_written(tmp_path: Path, cells: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *cells])
    table, _ = read_table(write(tmp_path, out.getvalue().encode()), ())
    assert table is not None
    found = [tuple(cell or "" for cell in row[:3]) for row in table.frame.rows()]
    assert found == [row for row in cells if any(row)]


def test_a_workbook_keeps_every_digit_and_every_text(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("notes").write(0, 0, "not this one")
        sheet = book.add_worksheet("IDATA")
        sheet.write_row(0, 0, ["code", "mixed", "number", "text", "year"])
        sheet.write_row(1, 0, ["a", 1.0000000001, 1e-20, "007", 2018])
        sheet.write_row(2, 0, ["b", "12%", 123456789.123, "7", 2019])
        sheet.write_formula(3, 2, "=1/0", None, "#DIV/0!")
        sheet.write(3, 0, "c")
    found = rows_of(path, "panel", "iData")
    assert [list(row.values())[:5] for row in found] == [
        ["a", "1.0000000001", 1e-20, "007", 2018.0],
        ["b", "12%", 123456789.123, "7", 2019.0],
        ["c", None, None, None, None],
    ]
    assert rows_of(path.rename(tmp_path / "other.xlsx"), "IDATA")[0]["code"] == "a"


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"a": [1, 2], "b": [0.5, None]}).write_parquet(path)
    assert rows_of(path) == [{"a": 1, "b": 0.5, ROW: 2}, {"a": 2, "b": None, ROW: 3}]


@pytest.mark.parametrize("name", ["none.csv", "none.xlsx", "none.parquet"])
def test_a_missing_file_is_a_problem(tmp_path: Path, name: str) -> None:
    table, (problem,) = read_table(tmp_path / name, ())
    assert table is None
    assert problem.code == "no_file"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.csv", "empty_file"),
        (b"a,b\n", "a.csv", "empty_file"),
        (b"\x00\x01\x02", "a.csv", "not_text"),
        (b"PK\x03\x04\x00", "a.csv", "not_text"),
        (b"\xff\xff\xff\xff\xfe\x80\x80", "a.csv", "not_text"),
        (b"no parquet", "a.parquet", "not_parquet"),
        (b"no workbook", "a.xlsx", "not_a_workbook"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, data: bytes, name: str, code: str) -> None:
    _, problems = read_table(write(tmp_path, data, name), ())
    assert [problem.code for problem in problems] == [code]


@pytest.mark.parametrize(
    ("cell", "number", "code"),
    [
        ("12", 12.0, None),
        (" -1.5e3 ", -1500.0, None),
        ("", None, None),
        ("NA", None, None),
        ("NaN", None, None),
        ("12%", None, "percent_sign"),
        ("1,234.5", None, "thousands_separator"),
        ("1 234", None, "thousands_separator"),
        ("1,234", None, "decimal_comma"),
        ("0,5", None, "decimal_comma"),
        ("-inf", None, "not_finite"),
        ("1e999", None, "not_finite"),
        ("n/a", None, "not_a_number"),
        ("0x10", None, "not_a_number"),
    ],
)
def test_cells_are_numbers_or_are_told(cell: str, number: float | None, code: str | None) -> None:
    found = read_numbers(pl.Series([7, 8]), pl.Series("x", [cell, "1"]), "x")
    assert found.values.to_list() == [number, 1.0]
    assert found.bad[ROW].to_list() == ([7] if code else [])
    assert found.bad["code"].to_list() == ([code] if code else [])


def test_keys_are_text_however_they_are_stored() -> None:
    assert key_text(pl.Series([2018, None])).to_list() == ["2018", None]
    assert key_text(pl.Series([2018.0, 0.5, float("nan")])).to_list() == ["2018", "0.5", None]
    assert key_text(pl.Series([" 2018-Q3 ", "NA", ""])).to_list() == ["2018-Q3", None, None]
    assert key_text(pl.Series(["NA", ""]), na_is_text=True).to_list() == ["NA", None]


def test_parquet_columns_that_are_no_cells_are_named(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"unit": ["x"], "a": [[1.0]], "b": [b"1.0\xff"]}).write_parquet(path)
    table, problems = read_table(path, ())
    assert table is None
    assert [problem.found for problem in problems] == ["column a of List(Float64)", "column b of Binary"]


def test_dates_and_truth_values_of_parquet_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"a": [date(2020, 1, 1)], "b": [True]}).write_parquet(path)
    assert rows_of(path) == [{"a": "2020-01-01", "b": "true", ROW: 2}]
