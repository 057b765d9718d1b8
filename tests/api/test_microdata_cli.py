"""`greenfin microdata` as a user runs it, and its panel as the figures of an index."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from green_index.index import base_framework

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]

JOBS = """行业,城市,日期,月薪_元,学历
网贷,武汉市,2022-03-01,8000-12000,硕士
网贷,北京,2022-03-05,20000,本科
网贷,湖北省武汉市洪山区,2022/4/1,14000,博士
网贷,武昌市,2022/4/1,9000,博士
网贷,上海,someday,9000,博士
"""
FIRMS = """企业名称,行业,城市,是否运营
甲,区块链,武汉,是
乙,区块链,420100,是
丙,区块链,北京,否
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command in a folder with two files of rows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.csv").write_text(JOBS, encoding="utf-8")
    (tmp_path / "firms.csv").write_text(FIRMS, encoding="utf-8")
    return command


def test_kinds_name_every_node_that_can_be_built_and_why_the_rest_cannot(run: Run) -> None:
    _, out, _ = run("microdata", "kinds", "--format", "json")
    rows = json.loads(out)
    codes = {code for row in rows for code in row["codes"]}
    assert codes == set(base_framework("open").indicator)
    assert all(row["rows"] for row in rows if row["kind"] is None)


def test_schema_says_what_a_cell_must_be(run: Run) -> None:
    _, out, _ = run("microdata", "schema", "jobs", "--format", "json")
    columns = {row["name"]: row for row in json.loads(out)}
    assert columns["city"]["required"]
    assert columns["degree"]["name_zh"] == "学历"
    code, _, err = run("microdata", "schema", "jbs")
    assert code == 4
    assert "jobs" in err


def test_build_counts_every_row_and_sets_apart_what_it_cannot_use(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("microdata", "build", "jobs=jobs.csv", "--out", "made", "--format", "json")
    assert code == 0
    rows = {row["what"]: row for row in json.loads(out)}
    assert (rows["rows"]["rows"], rows["used"]["rows"]) == (5, 3)
    assert rows["bad date (unreadable)"]["rows"] == 1
    assert rows["unknown city 武昌市"]["expected"] == "wuhan"
    parts = pl.read_csv(tmp_path / "made" / "parts.csv").filter(pl.col("hub") == "wuhan")
    assert (10_000 + 14_000) / 2 in parts["value"].to_list()
    assert pl.read_csv(tmp_path / "made" / "unknown_cities.csv")["name"].to_list() == ["武昌市"]
    assert pl.read_csv(tmp_path / "made" / "jobs_not_used.csv").height == 2


def test_several_kinds_make_one_panel_that_the_index_takes(run: Run, tmp_path: Path) -> None:
    code, _, _ = run("microdata", "build", "jobs=jobs.csv", "firms=firms.csv", "--period", "2022", "--out", "made")
    assert code == 0
    panel = pl.read_csv(tmp_path / "made" / "panel.csv")
    firms = dict(panel.filter(pl.col("code") == "industry.blockchain.firms").select("hub", "value").iter_rows())
    assert firms["wuhan"] == 2
    code, out, _ = run("index", "check", "--values", "made/panel.csv", "--framework", "fhi", "--format", "json")
    assert (code, json.loads(out)) == (0, [])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("jobs.csv", "--out", "o"), 2, "KIND=FILE"),
        (("firms=firms.csv", "--out", "o"), 4, "the period of the snapshot"),
        (("jobs=none.csv", "--out", "o"), 4, "none.csv"),
        (("jobs=jobs.csv", "--by", "week", "--out", "o"), 2, "year, quarter or month"),
        (("crimes=jobs.csv", "--out", "o"), 4, "expected one of firms"),
    ],
)
def test_wrong_use_ends_with_a_message_and_a_code(run: Run, words: tuple[str, ...], code: int, message: str) -> None:
    found, _, err = run("microdata", "build", *words)
    assert found == code
    assert message in err
    assert "Traceback" not in err


def test_one_bad_file_leaves_nothing_of_the_others(run: Run, tmp_path: Path) -> None:
    code, _, err = run("microdata", "build", "jobs=jobs.csv", "firms=none.csv", "--period", "2022", "--out", "made")
    assert code == 4
    assert "none.csv: found no such file" in err
    assert not (tmp_path / "made").exists()


def test_rows_are_never_overwritten_by_what_is_made_of_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "panel.csv").write_text(JOBS, encoding="utf-8")
    code, _, err = run("microdata", "build", "jobs=panel.csv", "--out", ".")
    assert code == 2
    assert "would be overwritten" in " ".join(err.replace("│", " ").split())
    assert (tmp_path / "panel.csv").read_text(encoding="utf-8") == JOBS
