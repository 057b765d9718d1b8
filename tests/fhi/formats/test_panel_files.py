from pathlib import Path

import polars as pl
import pytest

from fhi.errors import PanelError
from fhi.formats.panel_files import REMARKS, PanelFile, load_panel
from fhi.framework import load_framework
from fhi.panel import PANEL_SCHEMA, check_panel

TREE = load_framework(Path(__file__).parents[1] / "malformed" / "panels" / "tree.toml")


def read(folder: Path, text: str, name: str = "figures.csv") -> PanelFile:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_panel(path, TREE)


def figures(file: PanelFile) -> list[tuple[object, ...]]:
    return file.panel.select("hub", "period", "code", "value").rows()


def faults(file: PanelFile) -> list[str]:
    return [problem.code for problem in file.problems if problem.code not in REMARKS]


def test_wide_with_our_own_headings(tmp_path: Path) -> None:
    file = read(tmp_path, "HUB,Name,Period,smog,buses\nwuhan,Wuhan,2022-Q3,12,\nxian,,2022-Q3,NA,3\n")
    assert figures(file) == [
        ("wuhan", "2022-Q3", "smog", 12.0),
        ("xian", "2022-Q3", "smog", None),
        ("wuhan", "2022-Q3", "buses", None),
        ("xian", "2022-Q3", "buses", 3.0),
    ]
    assert file.panel.schema == PANEL_SCHEMA
    assert file.panel.select("unit", "status", "source").unique().rows() == [("t", "observed", "figures.csv")]
    assert file.units.to_dicts() == [{"hub": "wuhan", "name": "Wuhan"}, {"hub": "xian", "name": "xian"}]
    assert faults(file) == []
    assert check_panel(file.panel, TREE) == []


def test_a_file_without_time_has_one_period(tmp_path: Path) -> None:
    file = read(tmp_path, "unit,smog\na,1\nb,2\n")
    assert figures(file) == [("a", "undated", "smog", 1.0), ("b", "undated", "smog", 2.0)]
    assert check_panel(file.panel, TREE) == []


def test_long_as_our_own_panels(tmp_path: Path) -> None:
    text = "hub,period,code,value,unit,status,source\nx,2020,smog,1.5,kg,estimated,yearbook\nx,2020,residents,,,,\n"
    file = read(tmp_path, text)
    assert file.panel.rows() == [
        ("x", "2020", "smog", 1.5, "kg", "estimated", "yearbook"),
        ("x", "2020", "residents", None, "", "observed", "figures.csv"),
    ]
    path = tmp_path / "again.parquet"
    file.panel.write_parquet(path)
    assert load_panel(path, TREE).panel.equals(file.panel)


def test_in_a_long_file_without_hub_unit_is_the_unit(tmp_path: Path) -> None:
    file = read(tmp_path, "unit,year,code,value,unit_of_measure\nx,2020,smog,1,kg\nx,2020,buses,2,\n")
    assert file.panel.select("hub", "code", "value", "unit").rows() == [
        ("x", "smog", 1.0, "kg"),
        ("x", "buses", 2.0, "t"),
    ]


def test_a_heading_that_is_a_code_is_that_code(tmp_path: Path) -> None:
    path = tmp_path / "tree.csv"
    path.write_text("code,parent,name_en,direction\nt,,T,\nname,t,Name,1\nTime,t,Time,1\n")
    data = tmp_path / "data.csv"
    data.write_text("uCode,name,Time,period\nx,5,6,2020\n")
    file = load_panel(data, load_framework(path))
    assert figures(file) == [("x", "2020", "name", 5.0), ("x", "2020", "Time", 6.0)]
    assert file.problems == ()


def test_bad_cells_and_rows_are_left_out_and_nothing_else(tmp_path: Path) -> None:
    head = "uCode,Time,region,smog,buses,metro,residents\n"
    rows = "a,2020,n,12%,3,4,100\nb,202,n,1,3,4,100\nc,2020,n,1,-3,inf,100\nd,2020,n,1,2,3,4\nd,2020,n,1,2,3,5\n"
    file = read(tmp_path, head + rows)
    assert sorted(figures(file), key=str) == [
        ("a", "2020", "buses", 3.0),
        ("a", "2020", "metro", 4.0),
        ("a", "2020", "residents", 100.0),
        ("c", "2020", "residents", 100.0),
        ("c", "2020", "smog", 1.0),
    ]
    assert file.rejected.columns == ["row", "column", "found", "expected", "code"]
    assert file.rejected.select("row", "column", "found", "code").rows() == [
        (2, "smog", "12%", "percent_sign"),
        (3, "Time", "202", "wrong_period"),
        (4, "buses", "-3", "negative_for_log"),
        (4, "metro", "inf", "not_finite"),
        (5, "uCode", "d 2020 in more than one row", "duplicate"),
        (6, "uCode", "d 2020 in more than one row", "duplicate"),
    ]
    assert faults(file) == file.rejected["code"].to_list()
    assert str(file.problems[0]).startswith("figures.csv row 2, column smog: found 12%; expected a plain number")


def test_every_bad_cell_is_kept_though_few_are_told(tmp_path: Path) -> None:
    file = read(tmp_path, "uCode,smog,buses\n" + "".join(f"u{i},x,1\n" for i in range(50)))
    assert file.rejected["row"].to_list() == list(range(2, 52))
    assert len(faults(file)) == 11
    assert [problem.found for problem in file.problems if problem.code == "not_a_number"][
        -1
    ] == "40 more cells like this"


def test_codes_near_to_a_known_one_are_offered(tmp_path: Path) -> None:
    file = read(tmp_path, "hub,period,code,value\nx,2020,smgo,1\nx,2020,,1\n")
    assert [problem.code for problem in file.problems][:2] == ["unknown_code", "unknown_code"]
    assert "'smog'?" in file.problems[0].expected
    assert file.rejected["found"].to_list() == ["smgo", "nothing"]
    assert file.panel.is_empty()


def test_the_latest_period_tells_the_attributes(tmp_path: Path) -> None:
    file = read(
        tmp_path, "uCode,uName,Time,region,smog\na,New,2021,south,1\na,Old,2020,north,2\nb,B,2020,east,2\nb,,2021,,1\n"
    )
    assert file.units.rows() == [("a", "New", "south"), ("b", "B", "east")]
    assert [problem.where for problem in file.problems if problem.code == "two_values"] == [
        "figures.csv, column uName",
        "figures.csv, column region",
    ]


def test_namibia_has_a_code(tmp_path: Path) -> None:
    file = read(tmp_path, "uCode,Time,region,smog\nNA,2020,NA,1\n")
    assert figures(file) == [("NA", "2020", "smog", 1.0)]
    assert file.units.rows() == [("NA", "NA", None)]


@pytest.mark.parametrize("text", ["", "city,smog\nx,1\n", 'uCode,smog\n"x,1\n'])
def test_a_file_that_is_no_panel_at_all_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(PanelError, match=r"figures\.csv"):
        read(tmp_path, text)


def test_wide_and_long_say_the_same(tmp_path: Path) -> None:
    wide = read(tmp_path, "hub,period,smog,metro\nx,2020,1,2\ny,2021,,4\n", "same.csv")
    path = tmp_path / "long" / "same.csv"
    path.parent.mkdir()
    wide.panel.select("hub", "period", "code", pl.col("value")).write_csv(path)
    assert load_panel(path, TREE).panel.equals(wide.panel)


def test_figures_too_great_or_too_small_to_compute_with_are_left_out(tmp_path: Path) -> None:
    file = read(tmp_path, "unit,smog\nx,1e300\ny,1e-300\nz,0\n")
    assert figures(file) == [("z", "undated", "smog", 0.0)]
    assert faults(file) == ["out_of_range", "out_of_range"]
