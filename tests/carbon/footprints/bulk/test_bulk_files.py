"""A user's file of persons' activities: every fault is told where it is, good rows stay, and nobody is named."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbon.errors import Problem, UnknownFormat, UnreadableFile
from carbon.footprints.bulk.files import ActivityScan, scan_activity_file
from carbon.row_rules import PROBLEMS_A_RULE

HEADER = "day,hub,activity,person,amount,unit"
GOOD = "2024-05-31,wuhan,bus,7,12.345,pkm"


def scan(folder: Path, *lines: str, header: str = HEADER) -> ActivityScan:
    path = folder / "mine.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return scan_activity_file(path)


def rows_of(found: ActivityScan) -> list[tuple[object, ...]]:
    """Good rows: hub, day, person, thousandths, and activity and unit in words."""
    good = found.good.collect()
    words = found.words.rows()
    return [(*row[:-1], words[row[-1]]) for row in good.iter_rows()]


def test_a_good_row_is_whole_numbers(tmp_path: Path) -> None:
    found = scan(tmp_path, GOOD)
    assert rows_of(found) == [("wuhan", date(2024, 5, 31), 7, 12_345, ("bus", "pkm"))]
    assert (found.rows_read, found.rows_kept, found.problems) == (1, 1, ())
    assert found.good.collect().schema == {
        **{"hub": pl.String, "day": pl.Date, "person": pl.Int32, "amount_milli": pl.Int32, "word": pl.Int32}
    }


def test_chinese_headings_units_and_slashes_are_read(tmp_path: Path) -> None:
    lines = ("2024/05/31, WUHAN ,electricity,0,0.5,度", "2024-05-31,wuhan,electricity,2147483647,2147483.647,kWh")
    found = scan(tmp_path, *lines, header="日期,城市,活动,用户代码,数量,单位")
    assert rows_of(found) == [
        ("wuhan", date(2024, 5, 31), 0, 500, ("electricity", "kWh")),
        ("wuhan", date(2024, 5, 31), 2**31 - 1, 2**31 - 1, ("electricity", "kWh")),
    ]


@pytest.mark.parametrize(
    ("line", "code", "column", "found"),
    [
        (",wuhan,bus,7,1,pkm", "missing_cell", "day", "nothing"),
        ("2024-05-31,,bus,7,1,pkm", "missing_cell", "hub", "nothing"),
        ("2024-05-31,wuhan,,7,1,pkm", "missing_cell", "activity", "nothing"),
        ("2024-05-31,wuhan,bus,,1,pkm", "missing_cell", "person", "nothing"),
        ("2024-05-31,wuhan,bus,7,,pkm", "missing_cell", "amount", "nothing"),
        ("2024-05-31,wuhan,bus,7,1, ", "missing_cell", "unit", "nothing"),
        ("2024-02-30,wuhan,bus,7,1,pkm", "unreadable_cell", "day", "2024-02-30"),
        ("1999-12-31,wuhan,bus,7,1,pkm", "implausible_day", "day", "1999-12-31"),
        ("2024-05-31,atlantis,bus,7,1,pkm", "unknown_hub", "hub", "atlantis"),
        ("2024-05-31,wuhan,bus,7,1,parsec", "unknown_unit", "unit", "parsec"),
        ("2024-05-31,wuhan,bus,7,-0.001,pkm", "negative", "amount", "-0.001"),
        ("2024-05-31,wuhan,bus,7,1.0001,pkm", "unreadable_cell", "amount", "1.0001"),
        ("2024-05-31,wuhan,bus,7,2147483.648,pkm", "unreadable_cell", "amount", "2147483.648"),
        ("2024-05-31,wuhan,bus,7,much,pkm", "unreadable_cell", "amount", "much"),
    ],
)
def test_each_fault_is_told_by_row_and_column(tmp_path: Path, line: str, code: str, column: str, found: str) -> None:
    read = scan(tmp_path, GOOD, line, GOOD)
    assert (read.rows_read, read.rows_kept) == (3, 2)
    (problem,) = read.problems
    assert (problem.row, problem.code, problem.column, problem.found) == (3, code, column, found)
    assert problem.severity == "error"


@pytest.mark.parametrize("person", ["Wang Wu", "13800138000", "420106199001011234", "-1", "7.5", "a1b2c3"])
def test_whoever_is_named_is_refused_and_not_printed(tmp_path: Path, person: str) -> None:
    read = scan(tmp_path, f"2024-05-31,wuhan,bus,{person},1,pkm")
    (problem,) = read.problems
    assert (problem.row, problem.column, problem.code) == (2, "person", "unreadable_cell")
    assert person not in str(problem)
    assert "whole-number code" in problem.expected
    assert read.rows_kept == 0


def test_all_faults_of_a_file_at_once_and_only_so_many_of_a_kind(tmp_path: Path) -> None:
    bad = ["2024-05-31,atlantis,bus,7,1,pkm"] * (PROBLEMS_A_RULE + 5)
    read = scan(tmp_path, *bad, "2024-05-31,wuhan,bus,x,-1,parsec")
    assert (read.rows_read, read.rows_kept) == (PROBLEMS_A_RULE + 6, 0)
    codes = [problem.code for problem in read.problems]
    assert codes.count("unknown_hub") == PROBLEMS_A_RULE + 1
    assert set(codes) == {"unknown_hub", "unreadable_cell", "unknown_unit", "negative"}
    assert "5 more rows like this" in {problem.found for problem in read.problems}


def test_headings_missing_or_twice_are_all_told(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"expected also hub or 城市; unit or 单位"):
        scan(tmp_path, GOOD, header="day,x,activity,person,amount,y")
    with pytest.raises(UnknownFormat, match=r"found in mine.csv the columns day and 日期; expected one column"):
        scan(tmp_path, GOOD, header="day,日期,activity,person,amount,unit")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"found no file mine.csv"):
        scan_activity_file(tmp_path / "mine.csv")
    (tmp_path / "mine.parquet").write_bytes(b"no table")
    with pytest.raises(UnreadableFile, match=r"found mine.parquet to be unreadable"):
        scan_activity_file(tmp_path / "mine.parquet")
    (tmp_path / "mine.txt").write_text(HEADER)
    with pytest.raises(UnknownFormat, match=r"ends in .csv or .parquet"):
        scan_activity_file(tmp_path / "mine.txt")


def test_parquet_of_any_numeric_kind_gives_the_same(tmp_path: Path) -> None:
    days = [date(2024, 5, 31), date(2024, 6, 1)]
    columns = {"hub": ["wuhan"] * 2, "activity": ["bus"] * 2, "unit": ["pkm"] * 2}
    kinds = {
        "whole": {"day": days, "person": [1, 2], "amount": [3, 4]},
        "floats": {"day": days, "person": [1.0, 2.0], "amount": [3.0, 4.0]},
        "moments": {
            **{"day": [datetime(one.year, one.month, one.day) for one in days]},
            **{"person": pl.Series([1, 2], dtype=pl.UInt16), "amount": pl.Series(["3", "4.000"])},
        },
    }
    for name, kind in kinds.items():
        path = tmp_path / f"{name}.parquet"
        pl.DataFrame({**columns, **kind}).write_parquet(path)
        found = scan_activity_file(path)
        assert found.problems == ()
        assert rows_of(found) == [
            ("wuhan", days[0], 1, 3000, ("bus", "pkm")),
            ("wuhan", days[1], 2, 4000, ("bus", "pkm")),
        ]


def test_rows_of_parquet_count_from_one(tmp_path: Path) -> None:
    rows = {"day": [date(2024, 5, 31)], "hub": ["x"], "activity": ["bus"], "person": [1], "amount": [1], "unit": ["km"]}
    pl.DataFrame(rows).write_parquet(tmp_path / "mine.parquet")
    (problem,) = scan_activity_file(tmp_path / "mine.parquet").problems
    assert isinstance(problem, Problem)
    assert problem.row == 1


def test_a_city_by_any_name_where_names_are_given(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}\n2024-05-31,江城,bus,7,1,pkm\n2024-05-31,wuhan,bus,7,1,pkm\n", encoding="utf-8")
    found = scan_activity_file(path, hubs=lambda names: names.replace_strict({"江城": "wuhan"}, default=None))
    assert found.good.collect()["hub"].to_list() == ["wuhan"]
    assert [problem.code for problem in found.problems] == ["unknown_hub"]


@given(
    amounts=st.lists(
        st.integers(-(2**33), 2**33).map(lambda milli: milli / 1000)
        | st.floats(width=64)
        | st.sampled_from([0.1 + 0.2, 1.0005, -0.0, 2147483.647, 2147483.648, 1.7e308]),
        min_size=1,
        max_size=20,
    )
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_doubles_count_as_the_decimals_they_print(amounts: list[float], tmp_path: Path) -> None:
    rows = pl.DataFrame({"amount": amounts}, schema={"amount": pl.Float64}).with_columns(
        day=pl.lit(date(2024, 5, 31)), hub=pl.lit("wuhan"), activity=pl.lit("bus"), person=pl.lit(1), unit=pl.lit("km")
    )
    rows.write_parquet(tmp_path / "mine.parquet")
    found = scan_activity_file(tmp_path / "mine.parquet")
    expected = [
        int(milli)
        for milli in (Decimal(repr(amount)) * 1000 for amount in amounts)
        if milli.is_finite() and milli == milli.to_integral_value() and 0 <= milli < 2**31
    ]
    assert found.good.collect()["amount_milli"].to_list() == expected
    assert len({problem.row for problem in found.problems}) == len(amounts) - len(expected)


def test_columns_that_nobody_reads_are_told_and_lines_without_cells_left_out(tmp_path: Path) -> None:
    found = scan(tmp_path, "", f"{GOOD},420106199001011234", ",,,,,,", header=f"{HEADER},idcard")
    assert (found.rows_read, found.rows_kept) == (1, 1)
    (problem,) = found.problems
    assert (problem.row, problem.column, problem.code, problem.severity) == (
        None,
        "idcard",
        "unread_heading",
        "warning",
    )


def test_a_first_line_without_headings_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"found in mine.csv 6 columns; expected also day or 日期") as caught:
        scan(tmp_path, GOOD, header="2024-05-31,wuhan,bus,13800138000,1,pkm")
    assert "13800138000" not in str(caught.value)


@pytest.mark.parametrize("line", [f"{GOOD},,13800138000", f"{GOOD},13800138000", '2024-05-31,"13800138000'])
def test_a_line_that_cannot_be_split_is_told_in_one_line_and_not_quoted(tmp_path: Path, line: str) -> None:
    with pytest.raises(UnreadableFile, match=r"found mine.csv to be unreadable") as caught:
        scan(tmp_path, GOOD, line)
    assert "13800138000" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_columns_of_types_that_no_cell_has_are_refused_in_one_line(tmp_path: Path) -> None:
    columns = {"day": [date(2024, 5, 31)], "hub": ["wuhan"], "activity": ["bus"], "person": [1], "unit": ["pkm"]}
    pl.DataFrame({**columns, "amount": [[1.0]]}).write_parquet(tmp_path / "lists.parquet")
    with pytest.raises(UnreadableFile, match="cannot cast List type") as caught:
        scan_activity_file(tmp_path / "lists.parquet")
    assert "\n" not in str(caught.value)


def test_a_parquet_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.parquet", tmp_path / "cut.parquet"
    pl.DataFrame({name: ["1"] for name in HEADER.split(",")}).write_parquet(whole)
    cut.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(UnreadableFile, match=r"found cut.parquet to be unreadable"):
        scan_activity_file(cut)


def test_a_name_that_no_file_can_have_is_a_missing_file() -> None:
    with pytest.raises(UnreadableFile, match=r"found no file n+"):
        scan_activity_file(Path("n" * 300 + ".csv"))


@pytest.mark.parametrize("cell", ["1e308", "NaN", "inf", "-inf", "", "１２", "1e400"])
def test_amounts_that_are_none_are_set_apart(tmp_path: Path, cell: str) -> None:
    found = scan(tmp_path, GOOD, f"2024-05-31,wuhan,bus,7,{cell},pkm")
    assert (found.rows_read, found.rows_kept) == (2, 1)
    assert {problem.column for problem in found.problems} == {"amount"}


def test_many_unknown_cities_are_only_so_many_problems(tmp_path: Path) -> None:
    count = 20_000
    columns = {"day": date(2024, 5, 31), "activity": "bus", "person": 1, "unit": "pkm", "amount": 1}
    rows = pl.select(
        hub=pl.format("city {}", pl.int_range(count)), **{name: pl.lit(one) for name, one in columns.items()}
    )
    rows.write_parquet(tmp_path / "cities.parquet")
    found = scan_activity_file(tmp_path / "cities.parquet")
    assert (found.rows_read, found.rows_kept) == (count, 0)
    assert len(found.problems) == PROBLEMS_A_RULE + 1
    assert f"{count - PROBLEMS_A_RULE} more rows like this" in {problem.found for problem in found.problems}
