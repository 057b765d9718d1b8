"""Validation over HTTP and by command: documented rows, choice of lists, a user's file, and what is refused."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.lang import LANGUAGES, texts
from api.routers.perception import ValidationRow

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    "url", ["/v1/validation", "/v1/validation?against=FHI%202017", "/v1/validation?dimension=overall&against=FHI"]
)
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str) -> None:
    check_documented_rows(client, url, ValidationRow)


def test_lists_are_chosen_and_unknown_ones_are_a_problem(client: TestClient) -> None:
    every = client.get("/v1/validation").json()
    one = client.get("/v1/validation?against=FHI%202017&dimension=experience").json()
    wanted = ("FHI 2017 as printed", "experience")
    assert one == [row for row in every if (row["against"], row["dimension"]) == wanted]
    answer = client.get("/v1/validation?against=FHI%202020")
    assert answer.status_code == 404
    assert "GFHI 2021" in answer.json()["detail"]
    answer = client.get("/v1/validation?dimension=nope")
    assert answer.status_code == 404
    assert "overall" in answer.json()["detail"]


def test_a_pipe_gets_the_rows_of_the_interface(run: Run, client: TestClient) -> None:
    code, out, err = run("validate", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out) == client.get("/v1/validation").json()
    _, out, _ = run("validate", "--dimension", "industry", "--format", "csv")
    rows = pl.read_csv(io.StringIO(out))
    assert rows.columns == list(ValidationRow.model_fields)
    assert rows["dimension"].unique().to_list() == ["industry"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tables_for_people_are_whole_and_say_what_is_not_shown(run: Run, lang: str) -> None:
    said = texts("analyses", "zh" if lang == "zh" else "en")
    code, out, err = run("validate", "--format", "table", "--lang", lang)
    assert (code, err, "…" in out) == (0, "", False)
    assert out.startswith(said["title_validation"])
    assert (
        said["validation_short"].format(against="FHI 2018 as printed", dimension="overall", listed=1, needed=5) in out
    )
    assert said["validation_parts"].format(count=21) in out
    code, out, _ = run("validate", "--dimension", "all", "--format", "table", "--lang", lang)
    assert (code, "…" in out, "ecosystem.attention" in out) == (0, False, True)


def test_a_users_file_one_edition_or_all(run: Run, tmp_path: Path) -> None:
    cities = ("beijing", "shanghai", "shenzhen", "guangzhou", "hangzhou", "wuhan", "Atlantis")
    lines = [f"Mine,{edition},overall,{city},{rank}" for edition in (1, 2) for rank, city in enumerate(cities, 1)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["index,edition,dimension,city,rank", *lines, ""]), encoding="utf-8")
    code, out, err = run("validate", "--ranks", str(path), "--index", "Mine 2", "--year", "2020", "--format", "json")
    rows = [row for row in json.loads(out) if row["against"].startswith("Mine")]
    assert (code, "Atlantis" in err) == (0, True)
    assert {(row["against"], row["year"], row["listed"]) for row in rows} == {("Mine 2", 2020, 6)}
    (gdp,) = (row for row in rows if row["candidate"] == "gdp_100m_cny alone")
    # GDP 2020: Shanghai, Beijing, Shenzhen, Guangzhou, Hangzhou, Wuhan; two neighbours change places.
    assert gdp["spearman"] == pytest.approx(1 - 6 * 2 / (6 * 35))
    assert gdp["p_method"] == "exact"
    _, out, _ = run("validate", "--ranks", str(path), "--index", "all", "--format", "json")
    assert {"Mine 1", "Mine 2"} < {row["against"] for row in json.loads(out)}
    _, out, _ = run("validate", "--ranks", str(path), "--index", "Mine 1", "--format", "table")
    assert "Mine 1" in out


def test_what_cannot_be_done_is_told_without_traceback(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("index,edition,dimension,city,rank\nMine,1,overall,wuhan,1\n", encoding="utf-8")
    for words, code, message in (
        (("--against", "FHI 2020"), 3, "known: FHI 2017"),
        (("--ranks", str(path)), 4, "Mine 1"),
        (("--ranks", str(path), "--index", "Mine 1", "--year", "2050"), 0, ""),
        (("--draws", "5"), 2, "100"),
        (("--dimension", "nope"), 3, "overall"),
        (("--ranks", str(tmp_path / "none.csv")), 4, "no such file"),
    ):
        found, _, err = run("validate", *words)
        assert (found, message in err, "Traceback" in err) == (code, True, False), (words, err)
