from pathlib import Path

import polars as pl
import pytest

from fhi.framework import load_framework
from fhi.panel import PANEL_SCHEMA, check_panel, hash_panel

TREE = load_framework(Path(__file__).parent / "small.toml")


def panel(**changes: object) -> pl.DataFrame:
    row = {
        "hub": "wuhan",
        "period": "2022",
        "code": "a",
        "value": 1.0,
        "unit": "t",
        "status": "observed",
        "source": "test",
    }
    return pl.DataFrame([{**row, **changes}], schema=PANEL_SCHEMA)


def test_clean_panel_has_no_problem() -> None:
    assert check_panel(panel(), TREE) == []
    assert check_panel(panel(value=None), TREE) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code": "x"}, "unknown_code"),
        ({"period": "22"}, "wrong_period"),
        ({"period": "2022-13"}, "wrong_period"),
        ({"status": "guessed"}, "wrong_status"),
        ({"value": float("nan")}, "not_finite"),
        ({"value": float("inf")}, "not_finite"),
        ({"value": -1.7e308}, "out_of_range"),
        ({"value": 1e-300}, "out_of_range"),
        ({"code": "c", "value": -2.5}, "negative_for_log"),
        ({"hub": None}, "null_key"),
    ],
)
def test_each_fault_is_reported_with_its_row(changes: dict[str, object], code: str) -> None:
    (problem,) = check_panel(panel(**changes), TREE)
    assert problem.code == code
    assert "2022" in problem.where or "22" in problem.where


def test_figures_of_denominators_belong_to_a_panel(tmp_path: Path) -> None:
    more = '\n[[denominator]]\ncode = "people"\nname_en = "Residents"\n'
    path = tmp_path / "tree.toml"
    path.write_text((Path(__file__).parent / "small.toml").read_text(encoding="utf-8") + more, encoding="utf-8")
    assert check_panel(panel(code="people"), load_framework(path)) == []
    assert [problem.code for problem in check_panel(panel(code="people"), TREE)] == ["unknown_code"]


def test_duplicates_are_reported_once_a_row() -> None:
    found = check_panel(pl.concat([panel(), panel(value=2.0)]), TREE)
    assert [problem.code for problem in found] == ["duplicate", "duplicate"]


def test_a_wrong_schema_is_one_problem() -> None:
    (problem,) = check_panel(panel().drop("unit"), TREE)
    assert problem.code == "panel_schema"


@pytest.mark.parametrize("period", ["2022", "2022-Q3", "2022-06", "undated"])
def test_periods_of_three_precisions_or_none(period: str) -> None:
    assert check_panel(panel(period=period), TREE) == []


def test_hash_ignores_row_order_and_sees_a_changed_figure() -> None:
    rows = pl.concat([panel(), panel(hub="xian")])
    assert hash_panel(rows) == hash_panel(rows.reverse())
    assert hash_panel(rows) != hash_panel(pl.concat([panel(), panel(hub="xian", value=1.0000001)]))
