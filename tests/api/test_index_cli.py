"""`greenfin index` as a user runs it: on files of their own, without a database."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from api.index_files import RUN_FILES
from fhi.recipe import Recipe
from green_index.index import RANKING

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]

TREE = """code,parent,name_en,name_zh,direction,weight
total,,Total,总分,,
g,total,Growth,增长,,3
h,total,Health,健康,,1
a,g,Alpha,甲,1,1
b,g,Beta,乙,-1,1
c,h,Gamma,丙,1,1
"""
FIGURES = """unit,name,a,b,c
x,武汉甲,1,10,5
y,Yonder,3,30,6
z,Zed,5,20,
"""
RECIPE = """
[normalise]
lower = 1
upper = 100
[aggregate]
method = "harmonic"
by_level = { 0 = "arithmetic" }
min_share_root = 0.5
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """Run one command of `index` in a folder with a tree, figures and a recipe, and no database in reach."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    for name, text in (("tree.csv", TREE), ("figures.csv", FIGURES), ("recipe.toml", RECIPE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return partial(command, "index")


OWN = ("--values", "figures.csv", "--framework", "tree.csv", "--recipe", "recipe.toml")


def scores(folder: Path) -> dict[tuple[str, str], tuple[float | None, int | None]]:
    table = pl.read_csv(folder / "scores.csv")
    assert table.columns[:4] == ["unit", "code", "score", "rank"]
    return {(unit, code): (score, rank) for unit, code, score, rank in table.select(table.columns[:4]).iter_rows()}


def test_build_writes_every_node_of_the_tree_by_hand(run: Run, tmp_path: Path) -> None:
    code, _, _ = run("build", *OWN, "--out", "out")
    assert code == 0
    found = scores(tmp_path / "out")
    assert len(found) == 3 * 6
    a, b = {"x": 1.0, "y": 50.5, "z": 100.0}, {"x": 100.0, "y": 1.0, "z": 50.5}
    g = {unit: 2 / (1 / a[unit] + 1 / b[unit]) for unit in "xyz"}
    for unit in "xyz":
        assert found[unit, "a"][0] == pytest.approx(a[unit])
        assert found[unit, "g"][0] == pytest.approx(g[unit])
    assert found["x", "total"][0] == pytest.approx(0.75 * g["x"] + 0.25 * 1)
    assert found["y", "total"][0] == pytest.approx(0.75 * g["y"] + 0.25 * 100)
    assert found["z", "total"][0] == pytest.approx(g["z"])
    assert found["z", "c"] == (None, None)
    assert [found[unit, "total"][1] for unit in "zyx"] == [1, 2, 3]


def test_build_says_what_a_run_was_made_from(run: Run, tmp_path: Path) -> None:
    run("build", *OWN, "--out", "out")
    first = (tmp_path / "out" / "provenance.json").read_bytes()
    content = json.loads(first)
    assert set(content["input_files"]) == {"figures.csv", "tree.csv", "recipe.toml"}
    assert content["recipe"]["aggregate"]["method"] == "harmonic"
    assert {"framework_hash", "recipe_hash", "data_version", "seed", "engine"} <= set(content)
    run("build", *OWN, "--out", "again")
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_build_writes_parquet_on_request_and_scores_in_any_case(run: Run, tmp_path: Path) -> None:
    code, _, _ = run("build", *OWN, "--out", "out", "--files", "parquet")
    assert code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"scores.csv", "scores.parquet", "normalised.parquet", "weights.parquet", "provenance.json"} <= names
    assert pl.read_parquet(tmp_path / "out" / "data.parquet")["a"].to_list() == [1, 3, 5]


def test_build_writes_a_workbook_on_request(run: Run, tmp_path: Path) -> None:
    code, _, err = run("build", *OWN, "--out", "out", "--files", "xlsx", "--lang", "zh")
    assert code == 0
    assert "index.xlsx" in err
    sheet = pl.read_excel(tmp_path / "out" / "index.xlsx", sheet_id=0)
    assert len(sheet) >= 6


@pytest.mark.parametrize(("lang", "head", "unit"), [("en", "Growth", "Yonder"), ("zh", "增长", "武汉甲")])
def test_build_shows_the_ranking_to_people(run: Run, lang: str, head: str, unit: str) -> None:
    _, out, _ = run("build", *OWN, "--out", "out", "--format", "table", "--lang", lang)
    assert head in out
    assert unit in out
    assert "50%" in out or "75%" in out


def test_build_gives_programs_the_total_of_every_unit(run: Run) -> None:
    _, out, _ = run("build", *OWN, "--out", "out", "--format", "json")
    assert {row["unit"]: row["rank"] for row in json.loads(out)} == {"x": 3, "y": 2, "z": 1}
    _, out, _ = run("build", *OWN, "--out", "out", "--format", "json", "--top", "1")
    assert [row["unit"] for row in json.loads(out)] == ["z"]


def test_bad_rows_stop_a_build_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "figures.csv").write_text(FIGURES + "q,Q,many,1,2\n", encoding="utf-8")
    code, out, err = run("build", *OWN, "--out", "out")
    assert (code, out) == (4, "")
    assert "figures.csv row 5, column a: found many" in err
    assert not (tmp_path / "out").exists()


def test_bad_rows_can_be_set_apart(run: Run, tmp_path: Path) -> None:
    (tmp_path / "figures.csv").write_text(FIGURES + "q,Q,many,1,2\n", encoding="utf-8")
    code, _, err = run("build", *OWN, "--out", "out", "--keep-good")
    assert code == 0
    assert "found many" in err
    rejected = pl.read_csv(tmp_path / "out" / "rejected.csv").row(0, named=True)
    assert (rejected["file"], rejected["column"], rejected["found"]) == ("figures.csv", "a", "many")


def test_check_lists_every_problem_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "figures.csv").write_text("unit,a,b,d\nx,1,ten,1\ny,2,3,4\ny,2,3,4\n", encoding="utf-8")
    code, out, _ = run("check", "--values", "figures.csv", "--framework", "tree.csv", "--format", "json")
    assert code == 4
    found = {row["code"] for row in json.loads(out)}
    assert {"not_a_number", "unknown_column", "duplicate"} <= found


def test_check_of_sound_files_says_so(run: Run) -> None:
    code, out, _ = run("check", *OWN, "--format", "table")
    assert code == 0
    assert "nothing wrong: 3 units, 1 period(s), 3 indicators, 1 of 9 figures missing" in out


def test_check_against_a_table_computed_elsewhere(run: Run, tmp_path: Path) -> None:
    (tmp_path / "theirs.csv").write_text("uCode,a,b\nx,1,100\ny,50.5,1\nz,100,50.5\n", encoding="utf-8")
    code, out, _ = run("check", *OWN, "--against", "normalised=theirs.csv", "--format", "json")
    (row,) = json.loads(out)
    assert (code, row["cells"], row["agrees"]) == (0, 6, True)
    (tmp_path / "theirs.csv").write_text("uCode,a\nx,2\n", encoding="utf-8")
    code, out, _ = run("check", *OWN, "--against", "normalised=theirs.csv", "--format", "json")
    assert (code, json.loads(out)[0]["largest_difference"]) == (4, 1.0)


def test_weights_show_what_is_stated_and_what_it_does(run: Run) -> None:
    _, out, _ = run("weights", *OWN, "--format", "json")
    rows = {row["code"]: row for row in json.loads(out)}
    assert rows["g"]["weight"] == 3 / 4
    assert rows["a"]["weight_in_total"] == pytest.approx(3 / 8)
    _, out, _ = run("weights", *OWN, "--format", "table")
    assert "In total" in out


def test_diagnose_answers_one_question_at_a_time(run: Run) -> None:
    _, out, _ = run("diagnose", *OWN, "--part", "statistics", "--format", "json")
    rows = {row["code"]: row for row in json.loads(out)}
    assert (rows["a"]["mean"], rows["c"]["missing"]) == (3.0, 1)
    code, _, err = run("diagnose", *OWN, "--part", "everything")
    assert code == 2
    assert "correlations" in err


def test_recipe_lists_what_can_be_chosen(run: Run) -> None:
    _, out, _ = run("recipe", "--format", "json")
    assert {row["step"] for row in json.loads(out)} >= {"screen", "denominate", "impute", "treat", "weights"}


def test_compare_two_results(run: Run) -> None:
    run("build", *OWN, "--out", "first")
    run("build", "--values", "figures.csv", "--framework", "tree.csv", "--out", "second")
    code, out, _ = run("compare", "first", "second", "--format", "json")
    assert code == 0
    total = next(row for row in json.loads(out) if row["code"] == "total")
    assert total["n"] == 2  # z has no health, which the default recipe asks for
    assert total["only_first"] == 1
    _, out, _ = run("compare", "first", "second", "--units", "--format", "json")
    assert {row["unit"] for row in json.loads(out)} == {"x", "y", "z"}


def test_compare_one_choice_changed(run: Run) -> None:
    code, out, _ = run(
        "compare", "recipe.toml", *OWN[:4], "--set", "aggregate.method=geometric", "--set", "seed=5", "--format", "json"
    )
    assert code == 0
    assert {row["code"] for row in json.loads(out)} >= {"total", "g", "h"}
    code, _, err = run("compare", "recipe.toml", *OWN[:4], "--set", "aggregate.method=geometrc")
    assert code == 4
    assert "'geometric'?" in err


def test_compare_leave_one_out(run: Run) -> None:
    _, out, _ = run("compare", "recipe.toml", *OWN[:4], "--leave-one-out", "--format", "json")
    assert {row["code"] for row in json.loads(out)} == {"a", "b", "c", "g", "h"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("build", "--values", "none.csv", "--framework", "tree.csv", "--out", "o"), 4, "none.csv"),
        (("build", "--values", "figures.csv", "--framework", "nothing", "--out", "o"), 3, "known: fhi, green"),
        (("build", *OWN, "--out", "o", "--files", "docx"), 2, "csv, parquet, xlsx"),
        (("compare",), 2, "expected two results"),
        (("compare", "figures.csv", "figures.csv"), 4, "no column"),
        (("check", *OWN, "--against", "theirs.csv"), 2, "TABLE=FILE"),
    ],
)
def test_wrong_use_ends_with_a_message_and_a_code(run: Run, words: tuple[str, ...], code: int, message: str) -> None:
    found, _, err = run(*words)
    assert found == code
    assert message in err
    assert "Traceback" not in err


def test_without_a_recipe_an_embedded_tree_is_built_as_the_product_builds_it(run: Run, tmp_path: Path) -> None:
    run("build", "--values", "open", "--framework", "fhi", "--out", "own")
    run("build", *OWN[:4], "--out", "other")
    made = {
        name: json.loads((tmp_path / name / "provenance.json").read_text(encoding="utf-8"))["recipe"]
        for name in ("own", "other")
    }
    assert made["own"] == RANKING.model_dump(mode="json")
    assert made["other"] == Recipe().model_dump(mode="json")


def test_the_embedded_open_figures_under_another_tree(run: Run) -> None:
    code, out, _ = run("build", "--values", "open", "--framework", "ey2019", "--out", "ey", "--format", "json")
    assert code == 0
    latest = [row for row in json.loads(out) if row["period"] == "2023"]
    assert len(latest) == 37
    assert {row["name"] for row in latest if row["unit"] == "wuhan"} == {"Wuhan"}


def test_the_same_figure_in_two_files_is_a_problem(run: Run) -> None:
    code, _, err = run(
        "build", "--values", "figures.csv", "--values", "figures.csv", "--framework", "tree.csv", "--out", "o"
    )
    assert code == 4
    assert "a figure in one file only" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compare", "recipe.toml", "recipe.toml", *OWN[:4], "--set", "seed=5"), "expected one of: a second recipe"),
        (("compare", "recipe.toml", *OWN[:4], "--set", "seed=5", "--leave-one-out"), "expected one of: a second"),
        (("compare", "first", "second", "--values", "figures.csv"), "expected both"),
        (("compare", "first", "second", "--leave-one-out"), "expected two results"),
        (("build", *OWN, "--out", "tree.csv"), "expected a folder"),
    ],
)
def test_an_option_that_would_be_passed_over_is_wrong_use(run: Run, words: tuple[str, ...], message: str) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_an_input_file_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(FIGURES, encoding="utf-8")
    code, _, err = run("build", "--values", "data.csv", *OWN[2:], "--out", ".")
    assert code == 2
    assert "would be overwritten" in " ".join(err.replace("│", " ").split())
    assert (tmp_path / "data.csv").read_text(encoding="utf-8") == FIGURES


def test_tables_of_an_earlier_run_do_not_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "filled.toml").write_text('[impute]\nmethod = "mean"\n[weights]\nmethod = "equal"\n', encoding="utf-8")
    run("build", *OWN[:4], "--recipe", "filled.toml", "--out", "out")
    (tmp_path / "out" / "own.txt").write_text("mine", encoding="utf-8")
    assert (tmp_path / "out" / "imputed.csv").is_file()
    run("build", *OWN, "--out", "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"own.txt", "scores.csv"} <= names
    assert not {"imputed.csv", "imputation.csv", "changes.csv"} & names


def test_a_build_that_cannot_be_written_leaves_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out" / "weights.csv").mkdir(parents=True)
    code, _, err = run("build", *OWN, "--out", "out")
    assert code == 1
    assert "weights.csv: found a folder; expected a file" in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["weights.csv"]


def test_every_table_of_a_run_is_known_by_name(run: Run, tmp_path: Path) -> None:
    recipe = '[screen]\nmethod = "availability"\n[impute]\nmethod = "mean"\n[treat]\nmethod = "winsorise"\n'
    (tmp_path / "all.toml").write_text(recipe + '[weights]\nmethod = "equal"\n', encoding="utf-8")
    run("build", *OWN[:4], "--recipe", "all.toml", "--out", "out")
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"screened.csv", "imputed.csv", "treated.csv"} <= made <= set(RUN_FILES)


@pytest.mark.parametrize("code", ["rank", "code", "score", "level"])
def test_a_group_may_be_called_as_a_column(run: Run, tmp_path: Path, code: str) -> None:
    tree = TREE.replace("\ng,", f"\n{code},").replace(",g,", f",{code},").replace("Health", "Growth")
    (tmp_path / "tree.csv").write_text(tree, encoding="utf-8")
    status, out, _ = run("build", *OWN, "--out", "out", "--format", "table")
    assert status == 0
    assert f"Growth ({code})" in " ".join(out.split())


def test_files_of_the_same_name_have_a_hash_each(run: Run, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "figures.csv").write_text("unit,a,b,c\nw,2,2,2\n", encoding="utf-8")
    run("build", *OWN, "--values", "more/figures.csv", "--out", "out")
    files = json.loads((tmp_path / "out" / "provenance.json").read_bytes())["input_files"]
    assert {"figures.csv", "more/figures.csv"} <= files.keys()


def test_questions_about_denominators_of_a_tree_without_any(run: Run) -> None:
    code, out, _ = run("diagnose", *OWN, "--part", "denominators", "--format", "json")
    assert (code, json.loads(out)) == (0, [])
