"""Tables of users: no heading and no cell is passed over in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from carbon.errors import Problem, UnknownFormat, UnreadableFile
from carbon.footprints.deflator_files import read_deflators
from carbon.footprints.ownership_files import read_ownership
from carbon.footprints.persons.files import read_claims, read_consents
from carbon.footprints.persons.methods import read_methods
from carbon.footprints.portfolio_files import read_portfolio
from carbon.formats.eu.sheets import read_sheets
from carbon.formats.itr_sample import read_itr
from carbon.formats.user_tables import cells_of, read_sheet_cells

Read = Callable[[Path], tuple[Problem, ...]]

READERS = {
    "parent,child,share": ("a,b,0.5", lambda path: read_ownership(path).problems),
    "year,deflator": ("2020,1.5", lambda path: read_deflators(path).problems),
    "claim,person,day,method,amount,unit": ("c,p,2025-06-01,walk,1,pkm", lambda path: read_claims(path).problems),
    "person,hub,event,day,purposes,methods": (
        "p,wuhan,given,2025-06-01,record,*",
        lambda path: read_consents(path).problems,
    ),
    "method,valid_from,activity,baseline_g,activity_g,unit,source,confidence,name_zh,name_en": (
        "m,2025-01-01,walk,1,0,pkm,s,M,z,e",
        lambda path: read_methods(path).problems,
    ),
    "investee,asset_class,outstanding": ("A,business_loan,1", lambda path: read_portfolio(path).problems),
}
PARTS = [(heading, row, read) for heading, (row, read) in READERS.items()]
NAMES = [heading.split(",")[0] for heading in READERS]
SECRET = ("claim", "person")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(("heading", "row", "read"), PARTS, ids=NAMES)
def test_a_cell_past_an_empty_extra_one_is_told(
    heading: str, row: str, read: Read, file: Callable[[str], Path]
) -> None:
    assert read(file(f"{heading}\n{row}\n")) == ()
    (problem,) = read(file(f"{heading}\n{row},,,lost\n"))
    assert (problem.row, problem.code, problem.severity) == (2, "too_many_cells", "error")


@pytest.mark.parametrize(("heading", "row", "read"), PARTS, ids=NAMES)
def test_columns_that_nobody_reads_are_told(heading: str, row: str, read: Read, file: Callable[[str], Path]) -> None:
    number = heading.count(",") + 2
    told = read(file(f"{heading},stranger,,\n{row},x,y,\n"))
    below_none, named = sorted(told, key=lambda one: "below" not in one.found)
    is_secret = heading.startswith(SECRET)
    assert (named.row, named.column) == (None, f"column {number}" if is_secret else "stranger")
    assert (below_none.column, below_none.found) == (
        f"column {number + 1}",
        "1 cells below no heading, which are not read",
    )
    assert {named.severity, below_none.severity} == {"warning"}
    assert {named.code, below_none.code} == {"unread_heading"}


@pytest.mark.parametrize(("heading", "row", "read"), PARTS, ids=NAMES)
def test_missing_repeated_and_mistyped_headings_are_told_at_once(
    heading: str, row: str, read: Read, file: Callable[[str], Path]
) -> None:
    first, second, *rest = heading.split(",")
    is_secret = heading.startswith(SECRET)
    with pytest.raises(UnknownFormat) as caught:
        read(file(f"{','.join([first, second + 'x', first.upper(), *rest])}\n{row},1\n"))
    told = str(caught.value)
    assert f"expected also {second}" in told
    assert f"expected one {first}, not columns 1 and 3" in told
    assert (f"not known: {second}x" in told) is not is_secret


def test_a_row_with_nothing_but_warnings_is_kept(file: Callable[[str], Path]) -> None:
    text = "parent,child,share,remark\na,b,0.5,mine\n"
    assert read_ownership(file(text)).links["share"].to_list() == [0.5]


def test_capital_letters_of_headings_make_no_difference() -> None:
    read = cells_of("Parent,CHILD\na,b\n", "f", ("parent", "child"), ())
    assert read.rows.rows() == [(2, "a", "b")]


@pytest.mark.parametrize("content", [b"not a workbook", b"PK\x03\x04 cut short", b""])
@pytest.mark.parametrize(
    "read", [read_sheets, read_itr, read_portfolio, lambda path: read_sheet_cells(path, lambda names: names)]
)
def test_a_broken_workbook_is_told_in_one_line(content: bytes, read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "broken.xlsx"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        read(path)
    told = str(caught.value)
    assert "\n" not in told
    assert str(tmp_path) not in told
    assert "found broken.xlsx" in told
    assert "expected an .xlsx workbook" in told


def test_numbers_of_a_workbook_keep_every_digit(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["investee", "asset_class", "outstanding"])
        sheet.write_row(1, 0, ["A", "business_loan", 1234567.890123])
    assert read_portfolio(path).rows["outstanding"].to_list() == [1234567.890123]
