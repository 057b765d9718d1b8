"""`greenfin index` on a tree of the product that a user's files extend, and on the embedded figures of the groups."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.index_inputs import find_framework, load_inputs
from fhi.errors import FrameworkError, UnknownFramework
from fhi.hubs import hubs
from green_index.index import RANKING, green_framework

Run = Callable[..., tuple[int, str, str]]
TREE = """
[[group]]
code = "talent"
parent = "green"
name_en = "Talent"

[[indicator]]
code = "talent.masters"
parent = "talent"
name_en = "Master's programmes"
direction = 1
unit = "count"

[[judgement]]
group = "green"
items = ["fintech", "carbon_finance", "sustainability_data", "talent"]
apart = ["green_policy"]
rule = "ratio"
scores = [4, 2, 1, 1]
who = "a user"
assumed = true
"""
GREEN = ("--framework", "green")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Run) -> Run:
    """One command of `index` in a folder with a tree that extends ours and figures for it, without a database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    (tmp_path / "mine.toml").write_text(TREE, encoding="utf-8")
    cities = hubs()["hub"].to_list()
    # Every second city has a blank for the plan, so that the embedded figure stays.
    lines = [f"{hub},2022,{place % 7},{'' if place % 2 else 0}" for place, hub in enumerate(cities)]
    text = "\n".join(["hub,period,talent.masters,green_policy.plan", *lines, ""])
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    return partial(command, "index")


def scores_of(out: str, year: str) -> dict[str, tuple[float | None, int | None]]:
    return {row["unit"]: (row["score"], row["rank"]) for row in json.loads(out) if row["period"] == year}


def test_open_figures_under_the_green_tree_are_the_ranking_of_a_fresh_store(run: Run, client: TestClient) -> None:
    code, out, _ = run("build", "--values", "open", *GREEN, "--out", "own", "--format", "json")
    assert code == 0
    ranking = client.get("/v1/scores?year=2022&base=open").json()
    found = scores_of(out, "2022")
    assert {row["hub"]: row["rank"] for row in ranking} == {hub: rank for hub, (_, rank) in found.items()}
    for row in ranking:
        assert found[row["hub"]][0] == pytest.approx(row["score"], abs=1e-9)


def test_a_tree_extended_by_a_group_of_ones_own(run: Run, tmp_path: Path) -> None:
    own = (*GREEN, "--framework", "mine.toml", "--values", "open", "--values", "mine.csv")
    code, _, err = run("build", *own, "--out", "own", "--format", "json")
    assert code == 0, err
    assert "mine.toml: judgement 1 (green)" in err
    assert "replaced_judgement" in err
    assert "no_figures" not in err
    provenance = json.loads((tmp_path / "own" / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["recipe"] == RANKING.model_dump(mode="json")
    stated = dict(pl.read_csv(tmp_path / "own" / "weights.csv").select("code", "weight").iter_rows())
    groups = ("fintech", "carbon_finance", "sustainability_data", "talent", "green_policy")
    assert [stated[group] for group in groups] == pytest.approx([4 / 8, 2 / 8, 1 / 8, 1 / 8, 0])


def test_a_figure_of_a_file_takes_the_place_of_an_embedded_one(run: Run, tmp_path: Path) -> None:
    del run
    inputs = load_inputs(["open", str(tmp_path / "mine.csv")], ["green", str(tmp_path / "mine.toml")], None, "en")
    plans = inputs.panel.filter(pl.col("code") == "green_policy.plan", pl.col("period") == "2022")
    told = {hub: (value, source) for hub, value, source in plans.select("hub", "value", "source").iter_rows()}
    embedded = {"shenzhen", "beijing", "shanghai", "guangzhou", "hangzhou", "chongqing", "xiamen", "suzhou", "chengdu"}
    for place, hub in enumerate(hubs()["hub"]):
        if place % 2 == 0:
            assert told[hub] == (0.0, "mine.csv"), hub
        elif hub in embedded:
            assert told[hub][0] == 1.0, hub
        else:
            assert told[hub][0] is None, hub
    even = sum(place % 2 == 0 and hub in embedded for place, hub in enumerate(hubs()["hub"]))
    (remark,) = (remark for remark in inputs.remarks if remark.code == "replaced")
    assert remark.found == f"{even} figures that a file has too"


def test_cities_of_a_file_without_names_keep_their_names(run: Run) -> None:
    own = (*GREEN, "--framework", "mine.toml", "--values", "open", "--values", "mine.csv")
    code, out, err = run("build", *own, "--out", "own", "--lang", "zh", "--format", "json")
    assert code == 0, err
    names = dict(hubs().select("hub", "name_zh").iter_rows())
    assert {row["unit"]: row["name"] for row in json.loads(out)} == names


def test_policy_counts_by_the_judgement_that_comes_with_the_product(run: Run) -> None:
    words = (*GREEN, "--framework", "green-policy", "--values", "open")
    code, out, err = run("build", *words, "--out", "own", "--format", "json")
    assert code == 0, err
    ranked = {unit for unit, (_, rank) in scores_of(out, "2021").items() if rank is not None}
    # A ranked city has every counted group, and ten cities have a policy score in 2021.
    assert len(ranked) == 10
    assert "wuhan" in ranked


def test_names_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(TREE, encoding="utf-8")
    for names, code in (
        (["fhi", "green"], "not_one_tree"),
        (["green-policy", str(mine)], "not_one_tree"),
        (["fhi", "green-policy"], "other_tree"),
        (["ey2019", str(mine)], "not_extendable"),
    ):
        with pytest.raises(FrameworkError) as caught:
            find_framework(names)
        assert [problem.code for problem in caught.value.problems] == [code], names
    with pytest.raises(UnknownFramework, match="green-policy"):
        find_framework(["green", "nothing"])


def test_an_embedded_name_alone_is_the_products_tree(tmp_path: Path) -> None:
    tree = find_framework(["green"])
    assert (tree.framework.hash, tree.ours, tree.files) == (green_framework("open").hash, True, ())
    mine = tmp_path / "mine.toml"
    mine.write_text(TREE, encoding="utf-8")
    assert find_framework(["green", str(mine)]).files == (mine,)


def test_figures_from_own_evidence_build_an_index(run: Run, command: Run, tmp_path: Path) -> None:
    lines = [f"{hub},{number},adopted,,a rule,2022,Gazette" for hub in hubs()["hub"][:6] for number in range(1, 14)]
    # One city has adopted one proposal less than the others.
    lines[0] = lines[0].replace("adopted", "partly")
    text = "\n".join(["hub,proposal,status,evidence_zh,evidence_en,date,source", *lines, ""])
    (tmp_path / "evidence.csv").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GREENFIN_HOME", str(tmp_path / "home"))
        patch.delenv("DATABASE_URL")
        _, out, _ = command("policy", "--list", "panel", "--evidence", "evidence.csv", "--format", "csv")
    (tmp_path / "policy.csv").write_text(out, encoding="utf-8")
    code, _, err = run("build", "--values", "open", "--values", "policy.csv", *GREEN, "--out", "own")
    assert code == 0, err
    scores = pl.read_csv(tmp_path / "own" / "scores.csv", infer_schema=False)
    here = scores.filter(pl.col("code") == "green_policy.proposals", pl.col("period") == "2022")
    told = {unit: float(score) for unit, score in here.drop_nulls("score").select("unit", "score").iter_rows()}
    assert told == {hub: 0.0 if place == 0 else 100.0 for place, hub in enumerate(hubs()["hub"][:6])}
