"""The dual wheel over HTTP and by command: documented rows, one answer by hand, and what is refused."""

import json
from collections.abc import Callable
from math import sqrt

import pytest
from fastapi.testclient import TestClient

from api.lang import texts
from api.routers.coordination import CoordinationRow

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]
URLS = (
    "/v1/coordination",
    "/v1/coordination?hub=wuhan",
    "/v1/coordination?year=2017&base=published",
    "/v1/coordination?hub=%E6%AD%A6%E6%B1%89&year=2022&systems=three-way&weights=4,3,3&formula=standard",
    "/v1/coordination?systems=experience,carbon_finance.market,ecosystem.business.cost&year=2013",
)


@pytest.mark.parametrize("url", URLS)
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str) -> None:
    check_documented_rows(client, url, CoordinationRow)


def test_scores_are_those_on_pooled_bounds(client: TestClient) -> None:
    (row,) = client.get("/v1/coordination?hub=wuhan&year=2021").json()
    rows = client.get("/v1/hubs/wuhan/standing?year=2021").json()
    pooled = {entry["code"]: entry["score_pooled"] / 100 for entry in rows if entry["kind"] == "score"}
    first, second = pooled["fintech"], pooled["carbon_finance"]
    assert (row["u_1"], row["u_2"]) == (pytest.approx(first), pytest.approx(second))
    coupled = sqrt((1 - abs(first - second)) * min(first, second) / max(first, second))
    assert row["coordination"] == pytest.approx(sqrt(coupled * (first + second) / 2))
    assert row["edition"].startswith("open-pooled-")


def test_a_city_without_one_wheel_says_so(client: TestClient) -> None:
    rows = client.get("/v1/coordination?year=2017&base=published").json()
    (row,) = (row for row in rows if row["hub"] == "fuzhou")
    assert (row["u_1"], row["coordination"], row["rank"], row["grade"]) == (None, None, None, None)
    assert row["reason"] == texts("analyses", "en")["standing_missing_system"]
    assert row["reason_zh"] == texts("analyses", "zh")["standing_missing_system"]
    assert row["ranked"] == 20


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("hub=atlantis", 404, "unknown hub"),
        ("year=2050", 404, "2013 to 2023"),
        ("systems=fintech", 422, "found 1"),
        ("systems=fintech,experience", 422, "experience within fintech"),
        ("weights=1", 422, "2 positive numbers"),
        ("weights=1,nan", 422, "2 positive numbers"),
        ("weights=a,b", 422, "numbers by comma"),
        ("formula=other", 422, "formula"),
        ("base=printed", 422, "base"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client: TestClient, query: str, status: int, said: str) -> None:
    answer = client.get(f"/v1/coordination?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_citys_years_in_both_languages(run: Run, lang: str) -> None:
    code, out, err = run("coordination", "wuhan", "--format", "table", "--lang", lang)
    assert code == 0, err
    years = [line.split()[0] for line in out.splitlines() if line[:2] == "20"]
    assert years == [str(year) for year in range(2013, 2024)]
    text = texts("analyses", "zh" if lang == "zh" else "en")
    assert text["coordination_rule"].format(band=0.1, high=0.5) in out
    assert text["coordination_formula_corrected"].format(weights="0.5,0.5") in out
    assert "…" not in out


def test_all_cities_of_the_usual_year(run: Run) -> None:
    code, out, err = run("coordination", "--format", "json")
    rows = json.loads(out)
    assert (code, err, len(rows)) == (0, "", 37)
    assert {row["year"] for row in rows} == {2022}
    assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)


def test_what_is_assumed_and_what_is_missing_is_said(run: Run) -> None:
    _, out, _ = run("coordination", "wuhan", "--systems", "three-way", "--format", "table")
    assert "Assumed: carbon_finance for green finance" in out
    _, out, _ = run("coordination", "--base", "published", "--year", "2017", "--format", "table")
    assert "Fuzhou, 2017: a system has no score." in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("atlantis",), 3, "unknown hub"),
        (("--year", "1999"), 3, "2013 to 2023"),
        (("--systems", "fintech,nowhere"), 2, "unknown_system"),
        (("--weights", "1,2,3"), 2, "--weights"),
        (("--formula", "best"), 2, "corrected or standard"),
        (("--format", "xml"), 2, "table, json or csv"),
        (("--base", "printed"), 4, "unknown base"),
    ],
)
def test_wrong_words_are_told_without_a_traceback(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = run("coordination", *words)
    assert found == code
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
