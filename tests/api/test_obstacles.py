"""Obstacles, gaps, strengths and the explanation, over HTTP and by command: documented rows that add up, in both
languages, and what is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.lang import texts
from api.routers.obstacles import ExplanationRow, GapRow, ObstacleRow, PositionRow

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]
URLS = {
    "/v1/hubs/wuhan/obstacles": ObstacleRow,
    "/v1/hubs/lhasa/obstacles?year=2013&by=group": ObstacleRow,
    "/v1/hubs/beijing/obstacles?year=2017&base=published": ObstacleRow,
    "/v1/hubs/wuhan/gaps": GapRow,
    "/v1/hubs/wuhan/gaps?to=%E4%B8%8A%E6%B5%B7&year=2023&by=indicator": GapRow,
    "/v1/hubs/beijing/gaps?to=wuhan&year=2017&base=published": GapRow,
    "/v1/hubs/wuhan/strengths": PositionRow,
    "/v1/hubs/lanzhou/strengths?year=2015&cut=0.25&nearest=6": PositionRow,
    "/v1/hubs/wuhan/explanation": ExplanationRow,
    "/v1/hubs/fuzhou/explanation?year=2017&base=published": ExplanationRow,
}
HUBS = ("wuhan", "shanghai", "lhasa")


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


def one(rows: list[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    (row,) = (row for row in rows if all(row[key] == value for key, value in wanted.items()))
    return row


@pytest.mark.parametrize("hub", HUBS)
def test_an_explanation_adds_up_to_the_score_that_is_ranked(client: TestClient, hub: str) -> None:
    rows = client.get(f"/v1/hubs/{hub}/explanation?year=2023").json()
    total = one(rows, part="total")
    standing = one(client.get(f"/v1/hubs/{hub}/standing?year=2023").json(), kind="score", level=0)
    assert (total["score"], total["rank"], total["coverage"]) == tuple(
        standing[name] for name in ("score", "rank", "coverage")
    )
    figures = [row for row in rows if row["part"] == "indicator"]
    assert sum(row["points"] for row in figures) == pytest.approx(total["score"], abs=1e-7)
    assert sum(row["weight"] for row in figures) == pytest.approx(1)
    assert sum(row["obstacle"] for row in figures) == pytest.approx(1)
    assert sum(row["points_lost"] for row in figures) == pytest.approx(100 - total["score"], abs=1e-7)
    leader = one(client.get("/v1/scores?year=2023").json(), rank=1)
    assert total["total_leader"] == leader["hub"]
    assert total["gap_in_total"] == pytest.approx(leader["score"] - total["score"], abs=1e-7)
    for row in rows:
        if row["gap_in_total"] is not None:
            assert row["gap_in_total"] == pytest.approx(row["gap_score_part"] + row["gap_coverage_part"])


def test_every_figure_can_be_traced_and_every_gap_is_named(client: TestClient) -> None:
    rows = client.get("/v1/hubs/wuhan/explanation?year=2023").json()
    nodes = {row["code"] for row in client.get("/v1/frameworks/green").json() if row["kind"] == "indicator"}
    figures = [row for row in rows if row["part"] == "indicator"]
    lacking = [row for row in rows if row["part"] == "no_figure"]
    assert {row["code"] for row in (*figures, *lacking)} == nodes
    assert len(figures) + len(lacking) == len(nodes)
    for row in figures:
        assert None not in (row["value"], row["unit"], row["unit_zh"], row["status"], row["source"], row["weight"])
    for row in lacking:
        assert row["score"] is None
        assert row["remark"]
        assert row["remark_zh"]


def test_parts_of_the_explanation_are_those_asked_alone(client: TestClient) -> None:
    rows = client.get("/v1/hubs/wuhan/explanation?year=2021").json()
    for room, names in (
        ("obstacles", {"points_lost": "points_lost", "obstacle": "obstacle"}),
        ("gaps", {"gap_in_total": "gap", "total_leader": "to_hub"}),
        ("strengths", {"position": "position", "verdict": "verdict", "peer_verdict": "peer_verdict"}),
    ):
        for row in client.get(f"/v1/hubs/wuhan/{room}?year=2021").json():
            here = one(rows, code=row["code"], part=row.get("kind", "indicator"))
            assert {name: here[name] for name in names} == {name: row[other] for name, other in names.items()}


def test_a_city_that_is_not_ranked_is_explained_as_far_as_it_goes(client: TestClient) -> None:
    rows = client.get("/v1/hubs/fuzhou/explanation?year=2017&base=published").json()
    total = one(rows, part="total")
    assert (total["rank"], total["points_lost"], total["gap_in_total"]) == (None, None, None)
    assert total["remark"] == texts("notes", "en")["reason_below_min_share"]
    assert one(rows, code="carbon_finance")["score"] > 0
    assert all(row["obstacle"] is None for row in rows)


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/hubs/atlantis/obstacles", 404, "unknown hub"),
        ("/v1/hubs/wuhan/obstacles?year=2050", 404, "2013 to 2023"),
        ("/v1/hubs/fuzhou/obstacles?year=2017&base=published", 404, "no total"),
        ("/v1/hubs/wuhan/obstacles?by=colour", 422, "by"),
        ("/v1/hubs/wuhan/gaps?to=atlantis", 404, "unknown hub"),
        ("/v1/hubs/wuhan/gaps?to=fuzhou&year=2017&base=published", 404, "fuzhou has no total"),
        ("/v1/hubs/wuhan/strengths?cut=0.7", 422, "cut between 0 and 0.5"),
        ("/v1/hubs/wuhan/strengths?cut=nan", 422, "cut between 0 and 0.5"),
        ("/v1/hubs/wuhan/strengths?nearest=0", 422, "4 hubs or more"),
        ("/v1/hubs/wuhan/strengths?nearest=" + "9" * 20, 422, "query.nearest"),
        ("/v1/hubs/wuhan/explanation?year=2050", 404, "2013 to 2023"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_obstacles_by_command(run: Run) -> None:
    code, out, err = run("obstacles", "wuhan", "--year", "2023", "--format", "json")
    rows = json.loads(out)
    assert (code, err) == (0, "")
    assert {row["kind"] for row in rows} == {"indicator"}
    assert [row["place"] for row in rows] == sorted(row["place"] for row in rows)
    code, out, _ = run("obstacles", "wuhan", "--year", "2023", "--by", "group", "--format", "table", "--lang", "zh")
    assert code == 0
    assert "金融科技" in out
    assert texts("analyses", "zh")["obstacles_remark"] in out


def test_gaps_by_command(run: Run) -> None:
    code, out, err = run("gaps", "wuhan", "--year", "2023", "--format", "table")
    assert (code, err) == (0, "")
    assert out.startswith("From Wuhan to Shanghai in 2023: ")
    assert texts("analyses", "en")["standing_only_here"] in out
    assert "-0.00" not in out
    code, out, _ = run("gaps", "shanghai", "--year", "2023", "--format", "table", "--lang", "zh", "--by", "group")
    assert texts("analyses", "zh")["gaps_leads"].format(city="上海") in out


def test_strengths_by_command(run: Run) -> None:
    code, out, err = run("strengths", "wuhan", "--year", "2023", "--format", "table", "--lang", "zh")
    assert (code, err) == (0, "")
    assert "优势" in out
    assert "杭州" in out


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_one_screen_explains_a_city(run: Run, lang: str) -> None:
    code, out, err = run("explain", "wuhan", "--year", "2023", "--format", "table", "--lang", lang)
    assert (code, err) == (0, "")
    text = texts("analyses", "zh" if lang == "zh" else "en")
    for key in ("title_explain_indicators", "title_explain_obstacles", "explain_sources", "explain_notes"):
        assert text[key] in out
    numbers = [line for line in out.splitlines() if line.startswith("  [")]
    assert all(f"[{number}]" in line for number, line in enumerate(numbers, 1))
    assert "…" not in out
    assert "-0.00" not in out
    # A remark on a market elsewhere is no remark on Wuhan.
    assert "Chongqing" not in out
    assert "重庆试点" not in out


def test_the_screen_of_a_city_that_is_not_ranked(run: Run) -> None:
    code, out, err = run("explain", "fuzhou", "--base", "published", "--year", "2017", "--format", "table")
    assert (code, err) == (0, "")
    assert out.startswith("Fuzhou in 2017: not ranked (")
    assert texts("analyses", "en")["title_explain_obstacles"] not in out
    code, out, _ = run("explain", "fuzhou", "--base", "published", "--year", "2017", "--format", "csv")
    assert out.splitlines()[0].startswith("hub,year,base,edition,part,")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("obstacles", "atlantis"), 3, "unknown hub"),
        (("obstacles", "wuhan", "--by", "colour"), 2, "indicator or group"),
        (("obstacles", "wuhan", "--every-year", "--year", "2022"), 2, "--every-year"),
        (("obstacles", "wuhan", "--year", "0"), 3, "no figures for 0"),
        (("strengths", "wuhan", "--nearest", "9" * 20), 2, "--nearest"),
        (("gaps", "wuhan", "--to", "atlantis"), 3, "unknown hub"),
        (("gaps", "fuzhou", "--base", "published", "--year", "2017"), 3, "no total"),
        (("strengths", "wuhan", "--cut", "0.9"), 2, "cut between 0 and 0.5"),
        (("explain", "wuhan", "--year", "1999"), 3, "2013 to 2023"),
        (("explain", "wuhan", "--lang", "fr"), 2, "zh or en"),
    ],
)
def test_wrong_words_are_told_without_a_traceback(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = run(*words)
    assert found == code
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
