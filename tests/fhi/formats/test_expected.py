from pathlib import Path

import polars as pl
import pytest

from fhi.errors import PanelError
from fhi.formats.expected import hold_against
from fhi.framework import load_framework
from fhi.index import IndexResult, build_index
from fhi.panel import PANEL_SCHEMA
from fhi.recipe import Recipe

TREE = load_framework(Path(__file__).parents[1] / "small.toml")


@pytest.fixture(scope="module")
def result() -> IndexResult:
    rows = [
        {"hub": hub, "period": "2022", "code": code, "value": value, "unit": "u", "status": "observed", "source": "s"}
        for hub, value in (("x", 1.0), ("y", 2.0), ("z", 5.0))
        for code in "ab"
    ]
    return build_index(pl.DataFrame(rows, schema=PANEL_SCHEMA), TREE, Recipe())


def held(result: IndexResult, folder: Path, table: str, text: str) -> dict[str, object]:
    path = folder / "theirs.csv"
    path.write_text(text, encoding="utf-8")
    return hold_against(result, [(table, path)]).row(0, named=True)


def test_the_largest_difference_and_its_place(result: IndexResult, tmp_path: Path) -> None:
    # Min-max of 1, 2, 5 is 0, 25, 100; b is turned.
    row = held(result, tmp_path, "normalised", "uCode,a,b,other\nx,0,100,7\ny,25,75.5,7\nz,100,0,7\n")
    assert (row["cells"], row["only_ours"], row["only_theirs"]) == (6, 0, 0)
    assert (row["largest_difference"], row["unit"], row["code"]) == (0.5, "y", "b")
    assert (row["ours"], row["theirs"]) == (75.0, 75.5)


def test_cells_that_one_side_lacks_are_counted(result: IndexResult, tmp_path: Path) -> None:
    row = held(result, tmp_path, "data", "unit,a\nx,1\nq,9\n")
    assert (row["cells"], row["only_ours"], row["only_theirs"], row["largest_difference"]) == (1, 2, 1, 0.0)


def test_ranks_and_scores_of_groups(result: IndexResult, tmp_path: Path) -> None:
    assert held(result, tmp_path, "ranks", "hub,a\nx,3\ny,2\nz,1\n")["largest_difference"] == 0
    assert held(result, tmp_path, "scores", "hub,g\nx,50\ny,50\nz,50\n")["largest_difference"] == 0


def test_periods_are_matched_where_a_file_has_them(result: IndexResult, tmp_path: Path) -> None:
    row = held(result, tmp_path, "data", "hub,Time,a\nx,2022,1\nx,2021,99\n")
    assert (row["cells"], row["largest_difference"], row["only_theirs"]) == (1, 0.0, 1)


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("nothing", "uCode,a\nx,1\n", "table 'nothing': found no such table; expected one of data, "),
        ("data", "who,a\nx,1\n", "expected a column uCode, unit or hub"),
        ("data", "uCode,q\nx,1\n", "columns named as codes of the framework"),
    ],
)
def test_what_cannot_be_held_against(result: IndexResult, tmp_path: Path, table: str, text: str, message: str) -> None:
    with pytest.raises(PanelError, match=message):
        held(result, tmp_path, table, text)
