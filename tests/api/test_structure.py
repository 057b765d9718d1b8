"""Tiers, modes, inequality and convergence over HTTP and by command, on the embedded figures."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.routers.structure import (
    BetaRow,
    InequalityPairRow,
    InequalityRow,
    ModeRow,
    SigmaRow,
    TierRow,
    TierSummaryRow,
)
from api.tables import examples

from .conftest import Run, check_documented_rows

URLS = {
    "/v1/tiers": TierRow,
    "/v1/tiers?method=k_means&tiers=3&resamples=5": TierRow,
    "/v1/tiers/summary?year=2019&resamples=5": TierSummaryRow,
    "/v1/modes?hub=wuhan": ModeRow,
    "/v1/inequality?from=2019&to=2020": InequalityRow,
    "/v1/inequality?of=carbon_finance&by=administrative_rank": InequalityRow,
    "/v1/inequality/pairs?from=2022": InequalityPairRow,
    "/v1/convergence/sigma": SigmaRow,
    "/v1/convergence/beta": BetaRow,
}


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


@pytest.mark.parametrize(
    ("url", "operation"),
    [("/v1/tiers", "listTiers"), ("/v1/modes", "listModes"), ("/v1/inequality", "listInequality")],
)
def test_the_documented_example_is_a_real_answer(client: TestClient, url: str, operation: str) -> None:
    assert examples()[operation] in client.get(url).json()


def test_tiers_follow_the_ranking_and_leave_nobody_out(client: TestClient) -> None:
    ranked = {row["hub"]: row["rank"] for row in client.get("/v1/scores").json() if row["rank"]}
    rows = client.get("/v1/tiers?tiers=4&resamples=0").json()
    assert {row["hub"]: row["rank"] for row in rows} == ranked
    tiers = [row["tier"] for row in sorted(rows, key=lambda row: row["rank"])]
    assert tiers == sorted(tiers)
    assert set(tiers) == {1, 2, 3, 4}
    assert {row["stability"] for row in rows} == {None}


def test_the_parts_of_inequality_add_up_on_real_scores(client: TestClient) -> None:
    for row in client.get("/v1/inequality").json():
        parts = row["gini_within"] + row["gini_between"] + row["gini_transvariation"]
        assert parts == pytest.approx(row["gini"], abs=1e-12)
        assert row["theil_within"] + row["theil_between"] == pytest.approx(row["theil"], abs=1e-12)


def test_scores_of_zero_have_no_inequality_and_say_why(client: TestClient) -> None:
    rows = client.get("/v1/inequality?of=carbon_finance.market").json()
    assert {row["missing"] for row in rows} == {"not_positive"}
    assert {row["gini"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/inequality?of=nothing", 422, "known: "),
        ("/v1/tiers?year=1999", 404, "2013 to 2023"),
        ("/v1/modes?hub=atlantis", 404, "atlantis"),
        ("/v1/inequality?from=2020&to=2019", 422, "not before 2020"),
        ("/v1/convergence/sigma?from=2030", 404, "2013 to 2023"),
        ("/v1/tiers?tiers=9", 422, "tiers"),
        ("/v1/tiers?method=k_means&resamples=201", 422, "200 at most with k_means"),
    ],
)
def test_what_is_not_understood_is_a_problem(client: TestClient, url: str, status: int, said: str) -> None:
    found = client.get(url)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    assert said in found.text


@pytest.mark.parametrize(
    "words",
    [
        ["tiers", "--resamples", "5"],
        ["tiers", "--method", "k-means", "--list", "tiers", "--resamples", "5"],
        ["modes"],
        ["inequality"],
        ["inequality", "--list", "pairs", "--years", "2022"],
        ["convergence"],
        ["convergence", "--list", "beta"],
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_in_both_languages_are_not_cut(run: Run, words: list[str], lang: str) -> None:
    code, out, _ = run(*words, "--format", "table", "--lang", lang)
    assert code == 0
    assert "…" not in out
    assert len(out.splitlines()) > 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["convergence", "--list", "beta"], ["收敛性：绿色金融科技中心指数", "绝对收敛"]),
        (["convergence", "--list", "beta", "--years", "2020-2020"], ["只有一年"]),
        (["inequality", "--of", "carbon_finance.infrastructure"], ["不平等：碳金融基础设施", "有得分不大于零"]),
        (["inequality", "--by", "administrative_rank"], ["分组：城市行政级别"]),
    ],
)
def test_codes_are_words_in_a_table(run: Run, words: list[str], said: list[str]) -> None:
    code, out, _ = run(*words, "--format", "table", "--lang", "zh")
    assert code == 0
    assert all(word in out for word in said)
    assert not any(left in out for left in ("absolute", "not_positive", "too_few", "administrative"))


def test_programs_get_whole_rows(run: Run) -> None:
    code, out, _ = run("modes", "wuhan", "--year", "2022", "--format", "json")
    rows = json.loads(out)
    assert code == 0
    assert {row["scheme"] for row in rows} == {"AIF 2019", "Li Wei 2020"}
    assert {row["assumed"] for row in rows} == {True}


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["tiers", "--method", "guess"], 2, "natural-breaks, k-means"),
        (["inequality", "--years", "2023-2013"], 2, "such as 2013-2023"),
        (["inequality", "--of", "nothing"], 4, "known:"),
        (["modes", "atlantis"], 3, "atlantis"),
        (["convergence", "--years", "1990"], 3, "2013 to 2023"),
        (["tiers", "--list", "all"], 2, "hubs, tiers"),
        (["tiers", "--method", "k-means", "--seed", str(2**32)], 2, "--seed"),
    ],
)
def test_commands_say_what_they_cannot_do(run: Run, words: list[str], exit_code: int, said: str) -> None:
    code, _, err = run(*words)
    assert code == exit_code
    assert said in err
    assert "Traceback" not in err
