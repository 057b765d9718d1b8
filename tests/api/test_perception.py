"""Perception over HTTP and by command: documented rows, a survey of one's own, and what is refused."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.lang import LANGUAGES, texts
from api.perception import printed_study
from api.routers.perception import PerceptionErrorRow, PerceptionImportanceRow, PerceptionRow
from fhi.hubs import hubs
from green_index.perception import perceive

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]
URLS = {
    "/v1/perception": PerceptionRow,
    "/v1/perception/errors": PerceptionErrorRow,
    "/v1/perception/importances": PerceptionImportanceRow,
}


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


@pytest.mark.parametrize(
    ("url", "status"), [("/v1/perception?year=2050", 404), ("/v1/perception/errors?year=soon", 422)]
)
def test_what_is_not_there_is_a_problem(client: TestClient, url: str, status: int) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_refusals_are_told_and_lifted_only_when_asked(client: TestClient) -> None:
    plain = {row["hub"]: row for row in client.get("/v1/perception").json()}
    asked = {row["hub"]: row for row in client.get("/v1/perception?beyond_range=true").json()}
    assert len(plain) == 37
    assert (plain["lhasa"]["predicted"], plain["lhasa"]["reason"]) == (None, perceive.OUT_OF_RANGE)
    assert plain["lhasa"]["remark_en"].startswith("outside the range: ")
    assert plain["lhasa"]["remark_zh"].startswith("超出学习样本范围：")
    assert asked["lhasa"]["low"] < asked["lhasa"]["predicted"] < asked["lhasa"]["high"]
    assert asked["lhasa"]["in_range"] is False
    for name in ("wuhan", "suzhou"):
        assert plain[name] == asked[name]


def test_the_newest_year_names_the_factor_that_a_known_city_lacks() -> None:
    """Shanghai has no house price of 2021 to 2023."""
    rows = printed_study(2022).importances
    assert dict(rows.select("factor", "reason").drop_nulls().iter_rows()) == {
        "house_price_cny_per_m2": perceive.MISSING_FACTOR
    }


def test_known_cities_come_first_as_rated_then_predicted_then_refused(client: TestClient) -> None:
    rows = client.get("/v1/perception").json()
    known, new = rows[:20], rows[20:]
    assert [row["actual"] for row in known] == sorted((row["actual"] for row in known), reverse=True)
    predicted = [row["predicted"] for row in new if row["predicted"] is not None]
    assert predicted == sorted(predicted, reverse=True)
    assert [row["predicted"] for row in new[len(predicted) :]] == [None] * (17 - len(predicted))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("listed", ["predictions", "errors", "importances"])
def test_tables_for_people_are_whole(run: Run, listed: str, lang: str) -> None:
    code, out, err = run("perceive", "--list", listed, "--format", "table", "--lang", lang)
    assert (code, err.strip()) == (0, "")
    assert "…" not in out
    title = texts("analyses", "zh" if lang == "zh" else "en")[f"title_perception_{listed}"]
    assert out.startswith(title.split("{")[0])


def test_people_are_told_that_only_the_leading_cities_are_printed(run: Run, tmp_path: Path) -> None:
    """The last printed total is Guiyang's 30.8; a survey of one's own has no such bound."""
    _, out, _ = run("perceive", "--format", "table")
    assert "below the last printed total, 30.8." in out
    files = ("--ratings", str(_survey(tmp_path)), "--factors", str(tmp_path / "factors.csv"))
    _, out, _ = run("perceive", *files, "--format", "table")
    assert "30.8" not in out


def test_a_pipe_gets_the_rows_of_the_interface(run: Run, client: TestClient) -> None:
    code, out, _ = run("perceive", "--list", "errors", "--format", "json")
    assert code == 0
    assert json.loads(out) == client.get("/v1/perception/errors").json()
    _, out, _ = run("perceive", "--year", "2017", "--target", "fhi2017", "--format", "csv")
    assert pl.read_csv(io.StringIO(out)).columns == list(PerceptionRow.model_fields)


def _survey(folder: Path) -> Path:
    """Thirty invented respondents who rate cities by two invented factors, and their own city far too well."""
    rng = np.random.default_rng(1)
    names = hubs()["hub"].to_list()
    factors = pl.DataFrame({"hub": names, "rent": rng.uniform(size=37), "rail": rng.uniform(size=37)})
    factors.write_csv(folder / "factors.csv")
    truth = {hub: 8 * rent - rail for hub, rent, rail in factors.iter_rows()}
    lines = ["respondent,home,hub,rating,date"]
    for number in range(30):
        home = names[number % 5]
        lines.append(f"r{number},{home},{home},99,2024-01-01")
        for hub in rng.choice([name for name in names[:25] if name != home], 8, replace=False):
            lines.append(f"r{number},{home},{hub},{truth[str(hub)] + number / 10:.3f},2024-01-{number + 1:02}")
    path = folder / "ratings.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_a_survey_with_factors_of_ones_own(run: Run, tmp_path: Path) -> None:
    ratings = _survey(tmp_path)
    files = ("--ratings", str(ratings), "--factors", str(tmp_path / "factors.csv"))
    code, out, err = run("perceive", *files, "--format", "json")
    assert (code, "jackknife+" in err) == (0, True)
    rows = {row["hub"]: row for row in json.loads(out)}
    assert {row["target"] for row in rows.values()} == {"ratings.csv"}
    assert {row["factors"] for row in rows.values()} == {"factors.csv"}
    assert max(row["actual"] for row in rows.values() if row["known"]) < 20
    assert all((row["combined"] is None) == (not row["in_range"]) for row in rows.values())
    code, out, err = run("perceive", *files, "--half-life", "10", "--list", "errors", "--format", "json")
    errors = json.loads(out)
    assert {row["kind"] for row in errors} >= {perceive.LEAVE_ONE_OUT, perceive.LEAVE_HOME_OUT}
    assert errors[0]["rmse"] < errors[0]["baseline_rmse"] / 2
    for lang in LANGUAGES:
        code, out, err = run("perceive", *files, "--lang", lang, "--format", "table")
        assert (code, err.strip(), "…" in out) == (0, "", False)


def test_indicators_of_the_index_may_be_the_factors(run: Run) -> None:
    code, out, _ = run("perceive", "--factors", "indicators", "--list", "importances", "--format", "json")
    assert code == 0
    used = [row for row in json.loads(out) if row["reason"] is None]
    assert "ecosystem.business.finance" in {row["factor"] for row in used}
    assert all(row["unit"] == "score 0-100" for row in used)


def test_what_cannot_be_done_is_told_without_traceback(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("respondent,home,hub,rating\nr1,atlantis,wuhan,5\n", encoding="utf-8")
    few = tmp_path / "few.csv"
    few.write_text("respondent,home,hub,rating\nr1,elsewhere,wuhan,5\n", encoding="utf-8")
    for words, code, message in (
        (("--list", "all"), 2, "expected predictions, errors, importances"),
        (("--target", "gfci"), 2, "expected fhi2017, ratings"),
        (("--target", "ratings"), 2, "found no file"),
        (("--target", "fhi2017", "--ratings", str(path)), 2, "expected a file with the target ratings"),
        (("--year", "2050"), 3, "2013 to 2023"),
        (("--ratings", str(path)), 4, "found 'atlantis'"),
        (("--ratings", str(few)), 4, "expected at least 10"),
        (("--ratings", str(tmp_path / "none.csv")), 4, "no such file"),
        (("--factors", str(tmp_path / "none.csv")), 4, "no such file"),
        (("--ratings", str(few), "--half-life", "30"), 4, "1 rows without date"),
    ):
        found, _, err = run("perceive", *words)
        assert (found, message in err, "Traceback" in err) == (code, True, False), (words, err)
