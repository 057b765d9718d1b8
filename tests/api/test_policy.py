"""Policy and coverage over HTTP and by command: documented rows, bounds, own evidence, and what is refused."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.lang import LANGUAGES, texts
from api.routers.policy import CoverageRow, PathStageRow, PolicyAreaRow, ProposalRow
from fhi.panel import PANEL_SCHEMA
from green_index.policy import STAGES, STATUSES

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]
URLS = {
    "/v1/hubs/wuhan/policy": ProposalRow,
    "/v1/hubs/%E6%AD%A6%E6%B1%89/policy?year=2021": ProposalRow,
    "/v1/hubs/lhasa/policy": ProposalRow,
    "/v1/hubs/wuhan/paths": PathStageRow,
    "/v1/hubs/lhasa/paths?year=2020": PathStageRow,
    "/v1/policy": PolicyAreaRow,
    "/v1/policy?year=2019": PolicyAreaRow,
    "/v1/coverage": CoverageRow,
    "/v1/coverage?year=2017&base=published": CoverageRow,
}
EVIDENCE = "hub,proposal,status,evidence_zh,evidence_en,date,source\n"


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/v1/hubs/atlantis/policy", 404),
        ("/v1/hubs/atlantis/paths", 404),
        ("/v1/coverage?year=2050", 404),
        ("/v1/coverage?base=printed", 422),
        ("/v1/policy?year=soon", 422),
    ],
)
def test_what_is_not_there_is_a_problem(client: TestClient, url: str, status: int) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_statuses_have_words_in_both_languages(client: TestClient) -> None:
    for lang in LANGUAGES:
        said = texts("analyses", lang)
        assert {f"policy_status_{status}" for status in STATUSES} <= set(said)
        assert {f"policy_stage_{status}" for status in STAGES} <= set(said)
    for row in client.get("/v1/hubs/wuhan/policy").json():
        assert (row["status"] == "unknown") == (row["source"] is None)
        assert row["status_en"] == texts("analyses", "en")[f"policy_status_{row['status']}"]


def test_areas_of_every_city_agree_with_its_scorecard(client: TestClient) -> None:
    areas = client.get("/v1/policy").json()
    assert len(areas) == 37 * 6
    card = client.get("/v1/hubs/wuhan/policy").json()
    (total,) = (row for row in areas if (row["hub"], row["area"]) == ("wuhan", "all"))
    counts = {status: sum(row["status"] == status for row in card) for status in STATUSES}
    assert {status: total[status] for status in STATUSES} == counts
    assert total["share_low"] == counts["adopted"] / 16
    assert total["share_high"] == (counts["adopted"] + counts["unknown"]) / 16
    (other,) = (row for row in areas if (row["hub"], row["area"]) == ("beijing", "all"))
    assert (other["unknown"], other["share_low"], other["share_high"]) == (16, 0, 1)


def test_coverage_says_of_every_city_whether_it_is_ranked_and_why(client: TestClient) -> None:
    rows = [row for row in client.get("/v1/coverage?year=2017&base=published").json() if row["level"] == 0]
    ranks = {row["hub"]: row["rank"] for row in client.get("/v1/scores?year=2017&base=published").json()}
    assert {row["hub"]: row["rank"] for row in rows} == ranks
    for row in rows:
        assert (row["rank"] is None) == bool(row["missing"])
        assert row["why_en"].startswith("not ranked: FinTech: no figures") == (row["rank"] is None)
        assert row["why_zh"]


def test_coverage_is_that_of_the_ranking(client: TestClient) -> None:
    scores = {row["hub"]: row for row in client.get("/v1/scores?year=2022").json()}
    for row in client.get("/v1/coverage?year=2022").json():
        mine = scores[row["hub"]]
        assert row["edition"] == mine["edition"]
        if row["level"] == 0:
            assert (row["coverage"], row["score"]) == (mine["coverage"], mine["score"])
        elif row["counted"]:
            assert row["score"] == mine[row["code"]]
        else:
            # In 2022 every city that the paper speaks of has a plan; of the others nothing is known.
            told = "no figures" if row["coverage"] == 0 else "figures that no score is made of"
            assert row["why_en"].startswith(told)
            assert row["why_en"].endswith("shown apart, not counted")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("listed", ["proposals", "areas", "paths", "panel"])
def test_tables_for_people_are_whole(run: Run, listed: str, lang: str) -> None:
    code, out, err = run("policy", "wuhan", "--list", listed, "--format", "table", "--lang", lang)
    assert (code, err) == (0, "")
    assert "…" not in out
    title = texts("analyses", "zh" if lang == "zh" else "en")[f"title_policy_{listed}"]
    assert out.startswith(title.format(city={"zh": "武汉", "en": "Wuhan"}[lang], year=""))


def test_areas_of_all_cities_for_people(run: Run) -> None:
    code, out, err = run("policy", "--format", "table", "--year", "2021")
    assert (code, err) == (0, "")
    assert "as known at the end of 2021" in out
    # Three proposals are partly done by then: 6, 9 and 12.
    (line,) = (line for line in out.splitlines() if line.startswith("Wuhan"))
    assert line.split()[-2:] == ["3", "13"]
    assert "0–13 / 16" in line
    assert "No evidence is held for the other 36 cities" in out


def test_a_pipe_gets_rows(run: Run) -> None:
    code, out, _ = run("policy", "wuhan", "--format", "csv")
    assert code == 0
    assert pl.read_csv(io.StringIO(out)).columns == list(ProposalRow.model_fields)
    code, out, _ = run("policy", "--list", "areas", "--format", "json")
    assert len(json.loads(out)) == 37 * 6
    code, out, _ = run("policy", "wuhan", "--list", "panel", "--format", "csv")
    assert pl.read_csv(io.StringIO(out)).columns == PANEL_SCHEMA.names()
    code, out, _ = run("coverage", "--year", "2022", "--format", "csv")
    assert pl.read_csv(io.StringIO(out)).columns == list(CoverageRow.model_fields)


def test_own_evidence_adds_and_replaces(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = [f"beijing,{number},adopted,,a rule,2022,Gazette" for number in range(1, 13)]
    path.write_text(EVIDENCE + "\n".join([*rows, "wuhan,3,adopted,,a rule,2023,Gazette", ""]), encoding="utf-8")
    code, out, err = run("policy", "--list", "areas", "--evidence", str(path), "--format", "json")
    assert (code, err) == (0, "")
    total = {row["hub"]: row for row in json.loads(out) if row["area"] == "all"}
    assert (total["beijing"]["share_low"], total["beijing"]["share_high"]) == (12 / 16, 1)
    assert (total["wuhan"]["adopted"], total["wuhan"]["partly"]) == (1, 7)
    code, out, _ = run("policy", "beijing", "--list", "panel", "--evidence", str(path), "--format", "csv")
    shares = pl.read_csv(io.StringIO(out)).filter(code="green_policy.proposals")
    assert shares.select("period", "value").rows() == [(2022, 1.0), (2023, 1.0)]


def test_what_cannot_be_done_is_told_without_traceback(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(EVIDENCE + "atlantis,17,maybe,,,,\n", encoding="utf-8")
    for words, code, message in (
        (("policy", "--list", "paths"), 2, "found no city"),
        (("policy", "wuhan", "--list", "plans"), 2, "expected proposals, areas, paths, panel"),
        (("policy", "atlantis"), 3, "atlantis"),
        (("policy", "--evidence", str(path)), 4, "3 problem(s)"),
        (("policy", "--evidence", str(tmp_path / "none.csv")), 4, "no such file"),
        (("coverage", "--year", "2050"), 3, "2013 to 2023"),
        (("coverage", "--base", "printed"), 4, "open, published"),
    ):
        found, _, err = run(*words)
        assert (found, message in err, "Traceback" in err) == (code, True, False), (words, err)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_coverage_for_people(run: Run, lang: str) -> None:
    code, out, err = run("coverage", "--year", "2017", "--base", "published", "--format", "table", "--lang", lang)
    assert (code, err) == (0, "")
    assert "…" not in out
    said = texts("analyses", "zh" if lang == "zh" else "en")
    assert out.startswith(said["title_coverage"].format(year=2017, base="published", ranked=20, cities=37))
    apart = {"zh": "绿色政策", "en": "Green policy"}[lang]
    assert said["coverage_rule"].format(group="33%", root="100%", apart=apart) in out


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_tree_says_who_judged_it_when_and_how_consistently(run: Run, lang: str) -> None:
    code, out, err = run("framework", "green", "--format", "table", "--lang", lang)
    assert (code, err) == (0, "")
    (line,) = (line for line in out.splitlines() if "pairwise" in line and "2026-11" in line)
    # Principal eigenvalue of 1, 2, 3 / 1/2, 1, 2 / 1/3, 1/2, 1 is 3.0092: (3.0092 - 3) / 2 / 0.58.
    assert f"{(3.0092 - 3) / 2 / 0.58:.3f}" in line
    assert "this project" in line
