"""Robustness over HTTP and by command, on the embedded figures: documented rows, sums, plain words, refusals."""

import io
import json
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api import robustness as verbs
from api.choice_words import in_words
from api.lang import texts
from api.routers.robustness import AcceptabilityRow, PairRow, RobustnessRow, VariantRow
from api.tables import examples
from green_index.robustness.bands import KIND
from green_index.robustness.draws import ChoiceError

from .conftest import Run, check_documented_rows

URLS = {
    "/v1/robustness": RobustnessRow,
    "/v1/robustness?draws=50&year=2017&base=published&weights=uniform&spread=0.5": RobustnessRow,
    "/v1/robustness/acceptability?draws=500&hub=wuhan": AcceptabilityRow,
    "/v1/robustness/pairwise?draws=500&hub=%E6%AD%A6%E6%B1%89": PairRow,
    "/v1/robustness/choices?draws=50&choices=imputation,treatment": VariantRow,
}
EXAMPLES = {
    "listRobustness": "/v1/robustness",
    "listRankAcceptability": "/v1/robustness/acceptability?hub=wuhan",
    "listPairwiseWins": "/v1/robustness/pairwise?hub=wuhan",
    "listRobustnessChoices": "/v1/robustness/choices",
}


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


@pytest.mark.parametrize(("operation", "url"), EXAMPLES.items())
def test_documented_examples_are_real_answers(client: TestClient, operation: str, url: str) -> None:
    assert examples()[operation] in client.get(url).json()


def test_bands_hold_the_ranking_and_say_what_they_are(client: TestClient) -> None:
    rows = client.get("/v1/robustness?draws=2000&seed=9").json()
    ranking = client.get("/v1/scores").json()
    assert [(row["hub"], row["rank"]) for row in rows] == [(row["hub"], row["rank"]) for row in ranking]
    assert sum(row["share_first"] for row in rows) == pytest.approx(1)
    for row in rows:
        assert row["rank_min"] <= row["rank_p05"] <= row["rank_median"] <= row["rank_p95"] <= row["rank_max"]
        assert (row["draws"], row["seed"]) == (2000, 9)
        assert (row["kind"], row["kind_zh"]) == (KIND, verbs.KIND_ZH)
        assert row["choices"].startswith("weights dirichlet 0.25; normalisation minmax/zscore/rank; aggregation")
    shares = client.get("/v1/robustness/acceptability?draws=2000&seed=9&hub=wuhan").json()
    assert sum(row["share"] for row in shares) == pytest.approx(1)
    wuhan = next(row for row in rows if row["hub"] == "wuhan")
    assert sum(row["share"] * row["rank"] for row in shares) == pytest.approx(wuhan["rank_mean"])
    pairs = client.get("/v1/robustness/pairwise?draws=2000&seed=9").json()
    assert len(pairs) == 37 * 36
    share = {(row["hub"], row["other"]): row["share"] for row in pairs}
    assert all(share[pair] + share[pair[::-1]] == pytest.approx(1) for pair in share)
    above = sum(share[other, "wuhan"] for other in {row["hub"] for row in rows} - {"wuhan"})
    tied = sum(row["share_tied"] for row in pairs if row["hub"] == "wuhan")
    assert 1 + above == pytest.approx(wuhan["rank_mean"] + tied / 2)


def test_cities_that_are_not_ranked_stand_last_with_a_reason(client: TestClient) -> None:
    rows = client.get("/v1/robustness?draws=50&base=published").json()
    ranked = [row for row in rows if row["rank"] is not None]
    assert len(ranked) == 20
    assert rows[: len(ranked)] == ranked
    for row in rows[len(ranked) :]:
        assert row["reason"]
        assert row["reason_zh"]
        assert (row["rank_mean"], row["share_first"], row["draws"]) == (None, None, 0)


def test_stated_weights_without_other_choices_move_nothing(client: TestClient) -> None:
    rows = client.get("/v1/robustness?draws=50&weights=stated&choices=weights").json()
    assert {row["share_as_stated"] for row in rows} == {1.0}
    assert {row["choices"] for row in rows} == {"none"}


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("draws=100001", 422, "less than or equal to 100000"),
        ("choices=wights", 422, "'weights'?"),
        ("choices=left_out,revision,normalisation,treatment", 422, "expected at most 300"),
        ("options=normalisation%3Dminmax,borda", 422, "normalisation borda, aggregation geometric"),
        ("options=normalisation", 422, "AXIS=OPTION,OPTION"),
        ("options=normalisation%3Dminmux", 422, "'minmax'?"),
        ("options=left_out%3Dnowhere", 422, "choices left_out: found nowhere"),
        ("spread=3", 422, "expected below 1.414, the square root of 2, for 3 children"),
        ("weights=experts", 422, "no group with two experts or more"),
        ("weights=guess", 422, "query.weights"),
        ("year=1999", 404, "no figures for 1999"),
    ],
)
def test_what_cannot_be_is_a_problem(client: TestClient, query: str, status: int, told: str) -> None:
    answer = client.get(f"/v1/robustness?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


def test_unknown_cities_are_not_found(client: TestClient) -> None:
    assert client.get("/v1/robustness/pairwise?hub=atlantis&draws=50").status_code == 404


def test_the_same_question_is_answered_without_drawing_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get("/v1/robustness?draws=77").json()
    monkeypatch.setattr(verbs, "robustness", lambda *_words, **_more: pytest.fail("drawn again"))
    assert client.get("/v1/robustness?draws=77").json() == first


def test_every_choice_has_options_of_its_own() -> None:
    asked = verbs.Asked(choices=",".join(verbs.CHOICES), options=("left_out=b,c",), error=0.1)
    choices = verbs.read_choices(asked, ["a"])
    assert choices.left_out == ("b", "c")
    assert choices.normalisation == ("minmax", "zscore", "rank")
    assert (choices.revision.relative_error, choices.revision.panels) == (0.1, verbs.PANELS)
    assert verbs.read_choices(verbs.Asked(choices="left_out"), ["a"]).left_out == ("a",)
    assert verbs.read_choices(verbs.Asked(choices="left_out"), ["a"]).weights.kind == "stated"
    with pytest.raises(ChoiceError) as raised:
        verbs.read_choices(verbs.Asked(choices="weight", options=("x=y",), weights="guess"), [])
    assert [problem.where for problem in raised.value.problems] == ["choices", "options", "weights"]


@pytest.mark.parametrize(("lang", "city", "worst"), [("en", "Wuhan", "Worst"), ("zh", "武汉", "最差")])
def test_bands_for_people(run: Run, lang: str, city: str, worst: str) -> None:
    code, out, err = run("robustness", "--draws", "300", "--format", "table", "--lang", lang)
    assert code == 0, err
    text = texts("analyses", "zh" if lang == "zh" else "en")
    assert out.startswith(text["title_robustness_bands"].format(year=2022, draws="300", seed=1))
    assert city in out
    assert worst in out
    assert text["kind_sensitivity"] in out
    told = in_words("weights dirichlet 0.25; normalisation minmax/zscore/rank", "zh" if lang == "zh" else "en")
    assert told in out
    assert all(len(line) <= 120 for line in out.splitlines() if line[:4].strip().isdigit())
    assert "…" not in out


@pytest.mark.parametrize("listed", ["acceptability", "pairwise", "choices"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_other_lists_for_people(run: Run, listed: str, lang: str) -> None:
    hub = ("--hub", "wuhan") if listed != "choices" else ()
    words = ("robustness", "--draws", "300", "--list", listed, *hub, "--format", "table", "--lang", lang)
    code, out, err = run(*words)
    assert code == 0, err
    text = texts("analyses", "zh" if lang == "zh" else "en")
    assert out.startswith(text[f"title_robustness_{listed}"].format(year=2022, draws="300", seed=1))
    assert text["kind_sensitivity"] in out


def test_the_same_rows_for_any_number_of_threads(run: Run) -> None:
    words = ("robustness", "--draws", "40000", "--seed", "4", "--choices", "weights,treatment,revision")
    code, one, err = run(*words, "--threads", "1", "--format", "csv")
    assert code == 0, err
    assert texts("analyses", "en")["kind_sensitivity"] in err
    verbs.forget()
    assert run(*words, "--threads", "2", "--format", "csv")[1] == one
    rows = pl.read_csv(io.StringIO(one))
    assert rows["draws"].unique().to_list() == [40000]
    assert "; error 0.05" in rows["choices"][0]


def test_a_program_gets_json(run: Run) -> None:
    words = ("robustness", "--draws", "50", "--list", "pairwise", "--hub", "wuhan", "--format", "json")
    code, out, err = run(*words)
    assert code == 0, err
    rows = json.loads(out)
    assert list(rows[0]) == list(PairRow.model_fields)
    assert {row["hub"] for row in rows} == {"wuhan"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--list", "band"), 2, "bands, acceptability, pairwise, choices"),
        (("--hub", "wuhan"), 2, "--list acceptability or pairwise"),
        (("--draws", "0"), 2, "--draws"),
        (("--year", "1999"), 3, "no figures for 1999"),
        (("--list", "pairwise", "--hub", "atlantis", "--draws", "50"), 3, "atlantis"),
        (("--choices", "wights"), 4, "'weights'?"),
        (("--base", "opn"), 4, "unknown base"),
    ],
)
def test_wrong_words_get_a_message_and_a_code(run: Run, words: tuple[str, ...], code: int, told: str) -> None:
    found, out, err = run("robustness", *words)
    assert found == code
    assert out == ""
    assert told in err
    assert "Traceback" not in err
