from datetime import date
from pathlib import Path

import polars as pl
import pytest

from carbon.errors import UnreadableFile
from carbon.formats.headings import RepeatedHeading
from carbon.periods import market_statistics
from carbon.rows import BLOCK, LISTING, rows_schema
from carbon.turnover import BadAllowances, add_turnover, check_allowances, read_allowances

HEADER = "market,period,allowances_t,source\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "allowances.csv"
    path.write_text(text, encoding="utf-8")
    return path


def statistics(split: list[str] | None = None) -> pl.DataFrame:
    base = dict.fromkeys(rows_schema()) | {"market": "CEA", "product": "CEA", "feed": "cneeex_daily", "file": "f"}
    rows = [
        base | {"day": date(2022, 3, 1), "method": LISTING, "volume_t": 300, "value_fen": 1},
        base | {"day": date(2022, 3, 1), "method": BLOCK, "volume_t": 500, "value_fen": 1},
        base | {"day": date(2023, 3, 1), "method": LISTING, "volume_t": 100, "value_fen": 1},
    ]
    return market_statistics(pl.DataFrame(rows, schema=rows_schema()), by="year", split=split or [])


def test_turnover_by_hand(tmp_path: Path) -> None:
    known = read_allowances(write(tmp_path, HEADER + 'CEA,2022,"4,000",an annual report\nHubei,2023,50,another\n'))
    assert dict(known.schema) == {
        "market": pl.String,
        "period": pl.String,
        "allowances_t": pl.Int64,
        "source": pl.String,
    }
    turned = add_turnover(statistics(), known)
    assert turned["turnover"].to_list() == [(300 + 500) / 4000, None]
    assert turned["allowances_source"].to_list() == ["an annual report", None]
    by_method = add_turnover(statistics(["method"]), known)
    assert by_method.filter(pl.col("period") == "2022")["turnover"].sum() == pytest.approx(800 / 4000)


def test_no_allowances_in_issue_is_no_turnover() -> None:
    none = pl.DataFrame({"market": "CEA", "period": "2022", "allowances_t": 0, "source": "s"})
    assert add_turnover(statistics(), none)["turnover"].to_list() == [None, None]


def test_every_bad_row_is_told_at_once(tmp_path: Path) -> None:
    lines = "CEA,2021,1.5,s\nCEA,2022,,s\nCEA,2023,many,s\nCEA,2024,0,s\nCEA,2025,10,s\n"
    with pytest.raises(BadAllowances) as wrong:
        read_allowances(write(tmp_path, HEADER + lines))
    told = str(wrong.value)
    for row, found in ((2, "'1.5'"), (3, "None"), (4, "'many'"), (5, "'0'")):
        assert f"row {row}: found {found}, expected tonnes above zero" in told
    assert "row 6" not in told


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadAllowances, match="no column source"):
        read_allowances(write(tmp_path, "market,period,allowances_t\nCEA,2022,1\n"))
    with pytest.raises(BadAllowances, match=r"CEA 2022 more than once.*CEA 2023 without a source"):
        read_allowances(write(tmp_path, HEADER + "CEA,2022,1,s\nCEA,2022,2,s\nCEA,2023,2,\n"))
    with pytest.raises(UnreadableFile):
        read_allowances(tmp_path / "absent.csv")
    with pytest.raises(UnreadableFile):
        read_allowances(write(tmp_path, ""))
    with pytest.raises(BadAllowances, match="no column market"):
        check_allowances(pl.DataFrame({"period": ["2022"]}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_allowances_are_read_in_the_encodings_of_market_files(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "allowances.csv"
    path.write_bytes((HEADER + "CEA,2022,4000,全国碳市场年度报告，生态环境部\n").encode(encoding))
    known = read_allowances(path)
    assert known.row(0) == ("CEA", "2022", 4000, "全国碳市场年度报告，生态环境部")


def test_two_columns_of_allowances_that_differ_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "market,period,allowances_t,source,allowances_t\nCEA,2022,4000,a report,5000\n")
    with pytest.raises(RepeatedHeading, match=r"allowances.csv heading 'allowances_t' over columns 3, 5"):
        read_allowances(path)
