"""Files of price indices: good rows kept, every fault named."""

from pathlib import Path

import pytest

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.footprints.deflator_files import read_deflators


@pytest.fixture
def write(tmp_path: Path):
    def make(text: str) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_good_rows(write) -> None:
    read = read_deflators(write("year,deflator\n2013,100\n 2014 , 102.5 \n"))
    assert read.rows.rows() == [(None, 2013, 100.0, 2), (None, 2014, 102.5, 3)]
    assert read.problems == ()
    named = read_deflators(write("hub,deflator,year\nwuhan,1,2013\n武汉,1.1,2014\n"))
    assert named.rows.select("hub", "year").rows() == [("wuhan", 2013), ("武汉", 2014)]


def test_every_fault_is_named_and_good_rows_stay(write) -> None:
    read = read_deflators(write("year,deflator\nsoon,1\n2014,0\n2015,nan\n2016,\n2017,1\n2018,1\n2018,2\n1,-1\n"))
    assert read.rows["year"].to_list() == [2017]
    told = [(problem.row, problem.column, problem.found, problem.code) for problem in read.problems]
    assert told == [
        (2, "year", "soon", "unreadable_deflator"),
        (3, "deflator", "0", "unreadable_deflator"),
        (4, "deflator", "nan", "unreadable_deflator"),
        (5, "deflator", "nothing", "unreadable_deflator"),
        (7, "year", "2018", "duplicate_deflator"),
        (8, "year", "2018", "duplicate_deflator"),
        (9, "deflator", "-1", "unreadable_deflator"),
        (9, "year", "1", "unreadable_deflator"),
    ]


def test_a_file_without_the_headings_is_refused(write, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="headings year, prices; expected also deflator"):
        read_deflators(write("year,prices\n2013,1\n"))
    with pytest.raises(UnreadableFile):
        read_deflators(tmp_path / "nowhere.csv")
    with pytest.raises(UnknownFormat, match="nothing; expected also year, deflator"):
        read_deflators(write(""))


def test_a_line_with_too_many_cells_is_told_and_left_out(write) -> None:
    read = read_deflators(write("year,deflator\n2013,100,1\n2014,101\n"))
    assert [(problem.row, problem.code) for problem in read.problems] == [(2, "too_many_cells")]
    assert read.rows["year"].to_list() == [2014]
