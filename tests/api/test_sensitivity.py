"""Which choice matters most, by command and over HTTP: documented rows, idle choices told, and what is refused."""

import io
import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.lang import LANGUAGES, texts
from api.routers.sensitivity import SensitivityRow
from api.sensitivity import USUAL
from green_index.robustness.sobol_study import FACTORS, REASONS

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]
FEW = "choices=weights,aggregation&draws=16"


@pytest.mark.parametrize(
    "url",
    [f"/v1/sensitivity?{FEW}", f"/v1/sensitivity?{FEW}&hub=%E6%AD%A6%E6%B1%89&base=published&year=2017"],
)
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str) -> None:
    check_documented_rows(client, url, SensitivityRow)


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("hub=atlantis", 404, "atlantis"),
        ("year=2050", 404, "2050"),
        ("base=printed", 422, "base"),
        ("draws=8", 422, "greater than or equal to 16"),
        ("draws=100000", 422, "less than or equal to 4096"),
        ("choices=wieghts", 422, "weights"),
        ("choices=weights&weights=stated", 422, "a choice with two options at least"),
        ("choices=normalisation,aggregation,imputation,treatment,left_out", 422, "at most 300"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(client: TestClient, query: str, status: int, told: str) -> None:
    answer = client.get(f"/v1/sensitivity?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


def test_every_city_that_is_ranked_has_every_choice(client: TestClient) -> None:
    rows = client.get(f"/v1/sensitivity?{FEW}&year=2022").json()
    scores = client.get("/v1/scores?year=2022").json()
    assert len({row["edition"] for row in (*rows, *scores)}) == 1
    ranked = [row["hub"] for row in scores if row["rank"] is not None]
    assert {row["target"] for row in rows} == {"ranking", *ranked}
    assert len(rows) == (1 + len(ranked)) * len(FACTORS)
    for row in rows:
        idle = row["choice"] not in ("weights", "aggregation")
        assert (row["reason"] == "one_option") == idle
        if idle:
            assert (row["options"], row["total"], row["moved"]) == (1, None, None)
        assert (row["draws"], row["runs"]) == (16, 16 * 4)
        assert row["kind"] == "sensitivity to choices"


def test_one_city_has_the_rows_it_has_among_all(client: TestClient) -> None:
    everyone = client.get(f"/v1/sensitivity?{FEW}").json()
    alone = client.get(f"/v1/sensitivity?{FEW}&hub=wuhan").json()
    assert alone == [row for row in everyone if row["target"] == "wuhan"]
    assert {row["name_zh"] for row in alone} == {"武汉"}
    assert everyone[0]["name_zh"] == "整个排名"


def test_words_for_all_choices_and_reasons() -> None:
    for lang in LANGUAGES:
        said = texts("analyses", lang)
        assert {f"sensitivity_choice_{choice}" for choice in FACTORS} <= set(said)
        assert {f"sensitivity_reason_{reason}" for reason in REASONS} <= set(said)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("who", [(), ("--hub", "wuhan")])
def test_tables_for_people_are_whole(run: Run, lang: str, who: tuple[str, ...]) -> None:
    code, out, err = run("sensitivity", *who, "--draws", "32", "--format", "table", "--lang", lang)
    assert (code, err.strip()) == (0, "")
    assert "…" not in out
    text = texts("analyses", lang)
    assert text["remark_sensitivity"] in out
    assert text["sensitivity_reason_one_option"] in out
    lines = out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(text["column_choice_en"]))
    named = {text[f"sensitivity_choice_{choice}"] for choice in FACTORS}
    table = lines[start + 1 : start + 1 + len(FACTORS)]
    assert all(any(line.startswith(name) for name in named) for line in table)
    assert "-0.00" not in out


def test_the_first_named_city_is_in_the_title(run: Run) -> None:
    code, out, _ = run("sensitivity", "--hub", "武汉", "--draws", "16", "--choices", "weights", "--format", "table")
    assert code == 0
    assert "the rank of Wuhan" in out
    assert "16 draws a sample, 48 recomputations, seed 1" in out


def test_a_pipe_gets_rows_and_the_same_seed_the_same(run: Run) -> None:
    words = ("sensitivity", "--draws", "64", "--choices", "weights,normalisation", "--seed", "5")
    code, out, err = run(*words, "--format", "csv")
    assert code == 0
    assert "Sensitivity to choices" in err
    rows = pl.read_csv(io.StringIO(out))
    assert rows.columns == list(SensitivityRow.model_fields)
    assert run(*words, "--format", "csv")[1] == out
    other = json.loads(run(*words[:-1], "6", "--format", "json")[1])
    assert [row["total"] for row in other] != rows["total"].to_list()


def test_usual_choices_are_varied_and_the_others_said_not_to_be(run: Run) -> None:
    code, out, _ = run("sensitivity", "--hub", "wuhan", "--draws", "16", "--format", "json")
    assert code == 0
    rows: list[dict[str, Any]] = json.loads(out)
    assert {row["choice"] for row in rows if row["options"] > 1} == set(USUAL)
    assert rows[0]["runs"] == 16 * (2 + len(USUAL))


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--hub", "atlantis"), 3, "unknown hub 'atlantis'"),
        (("--year", "1999"), 3, "no figures for 1999"),
        (("--choices", "wieghts"), 4, "found wieghts"),
        (("--weights", "stated", "--choices", "weights"), 4, "a choice with two options"),
        (("--draws", "4"), 2, "--draws"),
        (("--draws", "16", "--seed", "9" * 20), 2, "--seed"),
    ],
)
def test_what_cannot_be_done_is_told_without_traceback(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    ended, out, err = run("sensitivity", *words)
    assert ended == code
    assert told in err
    assert (out, "Traceback" in err) == ("", False)
