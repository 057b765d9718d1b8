"""Portfolio files: headings in two languages, numbers as printed, every fault told at once."""

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.footprints.portfolio_files import portfolio_schema, read_portfolio

HEADER = "investee,asset_class,outstanding,evic,scope_1_t"


def write(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "p.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def test_a_plain_file(tmp_path: Path) -> None:
    found = read_portfolio(
        write(tmp_path, HEADER, 'Steel,listed_equity,"1,000.5",2e4,', "", "Bank,business_loan,0,5,7")
    )
    assert found.problems == ()
    assert found.rows_read == 2
    assert dict(found.rows.schema) == portfolio_schema()
    assert found.rows.select("row", "investee", "outstanding", "evic", "scope_1_t", "cny_per_unit").rows() == [
        (2, "Steel", 1000.5, 20000.0, None, 1.0),
        (4, "Bank", 0.0, 5.0, 7.0, 1.0),
    ]
    assert found.assumed == ("no column currency: every amount is taken as CNY",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_chinese_headings(tmp_path: Path, encoding: str) -> None:
    lines = (
        "被投资方,资产类别,未偿余额,股东权益,债务,币种,汇率",
        "钢铁公司,企业贷款,10,-5,40,USD,7.1",
        "银行股份有限公司,上市股权,10,,,CNY,",
    )
    found = read_portfolio(write(tmp_path, *lines, encoding=encoding))
    assert found.problems == ()
    assert found.assumed == ()
    assert found.rows.select("investee", "asset_class", "equity", "cny_per_unit").rows() == [
        ("钢铁公司", "business_loan", -5.0, 7.1),
        ("银行股份有限公司", "listed_equity", None, 1.0),
    ]


def test_a_workbook_reads_like_a_csv(tmp_path: Path) -> None:
    place = tmp_path / "p.xlsx"
    with xlsxwriter.Workbook(place) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([HEADER.split(","), ["Steel", "listed_equity", 1000.5, 20000, 3]]):
            sheet.write_row(at, 0, row)
    csv = read_portfolio(write(tmp_path, HEADER, "Steel,listed_equity,1000.5,20000,3"))
    book_rows = read_portfolio(place).rows
    assert book_rows.drop("file").equals(csv.rows.drop("file"))
    assert book_rows["file"].to_list() == ["p.xlsx"]


def test_all_faults_together(tmp_path: Path) -> None:
    header = f"{HEADER},equity,currency,cny_per_unit,score"
    lines = [
        "Good,listed_equity,1,10,,-3,,,5",
        ",mortgage,,x,-1,,,,6",
        "Dollar,business_loan,1,10,,,USD,,",
        "Yuan,business_loan,1,10,,,cny,2,",
        "Minus,business_loan,-1,inf,,,Dollar,0,0",
    ]
    found = read_portfolio(write(tmp_path, header, *lines))
    assert found.rows["investee"].to_list() == ["Good"]
    assert found.rows_read == 5
    told = {(problem.row, problem.column, problem.code) for problem in found.problems}
    assert told == {
        (3, "investee", "missing"),
        (3, "asset_class", "unknown_asset_class"),
        (3, "outstanding", "missing"),
        (3, "evic", "not_a_number"),
        (3, "scope_1_t", "negative"),
        (3, "score", "outside_scores"),
        (4, "cny_per_unit", "missing"),
        (5, "cny_per_unit", "rate_of_cny"),
        (6, "outstanding", "negative"),
        (6, "evic", "not_a_number"),
        (6, "currency", "unknown_currency"),
        (6, "cny_per_unit", "not_positive"),
        (6, "score", "outside_scores"),
    }
    assert {problem.found for problem in found.problems if problem.row == 3} == {"nothing", "mortgage", "x", "-1", "6"}


def test_missing_headings_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="asset_class or 资产类别, outstanding or 未偿余额"):
        read_portfolio(write(tmp_path, "investee,evic", "A,1"))


def test_no_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_portfolio(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile):
        read_portfolio(tmp_path / "none.xlsx")
    place = tmp_path / "empty.xlsx"
    with xlsxwriter.Workbook(place) as book:
        book.add_worksheet()
    with pytest.raises(UnknownFormat):
        read_portfolio(place)
    assert read_portfolio(write(tmp_path, HEADER)).rows.equals(pl.DataFrame(schema=portfolio_schema()))


def test_a_mistyped_heading_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownFormat, match="expected also outstanding or 未偿余额 or investment_value; not known: outstandng"
    ):
        read_portfolio(write(tmp_path, "investee,asset_class,outstandng", "A,business_loan,1"))
    found = read_portfolio(write(tmp_path, "investee,asset_class,outstanding,evci", "A,business_loan,1,5"))
    assert [(one.column, one.code, one.severity) for one in found.problems] == [("evci", "unread_heading", "warning")]
    assert found.rows["outstanding"].to_list() == [1.0]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("outstanding", "1e308", "out_of_bounds"),
        ("outstanding", "1.0001e18", "out_of_bounds"),
        ("outstanding", "1e18", None),
        ("outstanding", "1e-300", "out_of_bounds"),
        ("outstanding", "0", None),
        ("evic", "1e400", "not_a_number"),
        ("equity", "-1e19", "out_of_bounds"),
        ("equity", "-1e18", None),
        ("revenue", "1e-9", "out_of_bounds"),
        ("cny_per_unit", "1e-10", "out_of_bounds"),
        ("cny_per_unit", "1e7", "out_of_bounds"),
        ("scope_1_t", "1.1e12", "out_of_bounds"),
        ("scope_1_t", "1e-300", None),
    ],
)
def test_amounts_are_bounded(tmp_path: Path, column: str, cell: str, code: str | None) -> None:
    cells = {"investee": "A", "asset_class": "business_loan", "outstanding": "1", "currency": "USD"}
    cells |= {"cny_per_unit": "7", column: cell}
    found = read_portfolio(write(tmp_path, ",".join(cells), ",".join(cells.values())))
    assert [(one.column, one.found, one.code) for one in found.problems] == ([(column, cell, code)] if code else [])
    assert found.rows.height == (code is None)


def test_a_parquet_file_reads_like_a_csv(tmp_path: Path) -> None:
    place = tmp_path / "p.parquet"
    pl.DataFrame({"investee": ["A"], "asset_class": ["business_loan"], "outstanding": [1.5]}).write_parquet(place)
    assert read_portfolio(place).rows.select("row", "investee", "outstanding").rows() == [(1, "A", 1.5)]
    with pytest.raises(UnknownFormat):
        read_portfolio(write(tmp_path, HEADER, name="p.txt"))
