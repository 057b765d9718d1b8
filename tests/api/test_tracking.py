"""Tracks, changes of rank, alerts, months and printed ranks over HTTP and by command."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api import tracking
from api.lang import texts
from api.routers.tracking import AlertRow, MonthlyScoreRow, PrintedBesideRow, RankChangeRow, TrackRow
from api.settings import Settings
from api.store import open_store
from api.tables import examples

from .conftest import check_documented_rows

Run = Callable[..., tuple[int, str, str]]
PARTS = ("own", "others", "method", "revision")
URLS = {
    "/v1/hubs/wuhan/track": TrackRow,
    "/v1/hubs/%E6%AD%A6%E6%B1%89/track?from=2022&draws=50": TrackRow,
    "/v1/hubs/hangzhou/track?base=published": TrackRow,
    "/v1/hubs/wuhan/rank-changes": RankChangeRow,
    "/v1/hubs/lhasa/rank-changes?from=2020&to=2021": RankChangeRow,
    "/v1/hubs/wuhan/printed-and-backcast": PrintedBesideRow,
    "/v1/hubs/lhasa/printed-and-backcast": PrintedBesideRow,
    "/v1/alerts?from=2019&to=2021&draws=500": AlertRow,
}


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/hubs/atlantis/track", 404, "unknown hub"),
        ("/v1/hubs/wuhan/track?from=2012", 404, "no figures for 2012"),
        ("/v1/hubs/wuhan/track?from=2023", 422, "expected a year before 2023"),
        ("/v1/hubs/wuhan/track?draws=1000000", 422, "less than or equal to 5000"),
        ("/v1/hubs/wuhan/track?base=printed", 422, "published"),
        ("/v1/hubs/atlantis/rank-changes", 404, "unknown hub"),
        ("/v1/hubs/wuhan/rank-changes?to=2050", 404, "no figures for 2050"),
        ("/v1/hubs/wuhan/rank-changes?from_edition=x", 422, "both from_edition and to_edition"),
        ("/v1/hubs/wuhan/rank-changes?to_period=2020", 422, "from_edition and to_edition beside it"),
        ("/v1/hubs/wuhan/rank-changes?from_edition=x&to_edition=y", 404, "no edition 'x'; stored: open-"),
        ("/v1/hubs/atlantis/printed-and-backcast", 404, "unknown hub"),
        ("/v1/alerts?from=2021&to=2021", 422, "expected a year before 2021"),
        ("/v1/alerts?hub=atlantis", 404, "unknown hub"),
        ("/v1/monthly-scores", 404, "greenfin load trades FILE --market CEA"),
        ("/v1/monthly-scores?from=2022-13", 422, "expected a year and a month"),
    ],
)
def test_what_is_not_there_is_a_problem(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_the_parts_of_every_year_sum_to_the_places_gained(client: TestClient) -> None:
    rows = client.get("/v1/hubs/wuhan/track?from=2013&to=2023").json()
    assert [row["year"] for row in rows] == list(range(2013, 2024))
    ranks = [row["rank_pooled"] for row in rows]
    for before, row in zip(ranks, rows[1:], strict=False):
        assert sum(row[part] for part in PARTS) == row["gained"] == before - row["rank_pooled"]
    ranking = {
        row["year"]: row["rank"] for row in client.get("/v1/hubs/wuhan/standing").json() if row["code"] == "green"
    }
    assert {row["year"]: row["rank"] for row in rows} == ranking


def test_bands_hold_the_median_and_are_drawn_alike_for_a_seed(client: TestClient) -> None:
    url = "/v1/hubs/wuhan/track?from=2022&draws=300&seed=7"
    rows = client.get(url).json()
    assert rows == client.get(url).json()
    for row in rows:
        assert 1 <= row["rank_p05"] <= row["rank_median"] <= row["rank_p95"] <= 37


def test_points_of_the_tree_sum_to_the_change_of_the_score(client: TestClient) -> None:
    rows = client.get("/v1/hubs/wuhan/rank-changes?from=2013&to=2023").json()
    track = {row["year"]: row for row in client.get("/v1/hubs/wuhan/track").json()}
    by_kind = {kind: {row["code"]: row for row in rows if row["kind"] == kind} for kind in ("rank", "score", "points")}
    change = track[2023]["score_pooled"] - track[2013]["score_pooled"]
    assert by_kind["points"]["green"]["change"] == pytest.approx(change, abs=1e-8)
    assert by_kind["score"]["score"]["change"] == pytest.approx(change, abs=1e-8)
    level_one = sum(row["change"] for row in by_kind["points"].values() if row["level"] == 1)
    assert level_one == pytest.approx(change, abs=1e-8)
    whole = by_kind["rank"]["rank"]
    assert (whole["before"], whole["after"]) == (track[2013]["rank_pooled"], track[2023]["rank_pooled"])
    assert sum(by_kind["rank"][part]["change"] for part in PARTS) == whole["change"]
    assert whole["label_zh"] == texts("analyses", "zh")["track_part_rank"]


def test_two_stored_editions_of_one_panel_differ_by_method_alone(client: TestClient) -> None:
    """Bounds of each year and pooled bounds over the same figures and the same year: all is method."""
    by_bounds = {row["bounds"]: row["edition"] for row in client.get("/v1/editions").json() if row["base"] == "open"}
    query = f"from_edition={by_bounds['period']}&to_edition={by_bounds['pooled']}&from_period=2020&to_period=2020"
    moved = 0
    for hub in ("wuhan", "beijing", "chongqing"):
        rows = client.get(f"/v1/hubs/{hub}/rank-changes?{query}").json()
        ranks = {row["code"]: row for row in rows if row["kind"] == "rank"}
        (year,) = (row for row in client.get(f"/v1/hubs/{hub}/track").json() if row["year"] == 2020)
        assert (ranks["rank"]["before"], ranks["rank"]["after"]) == (year["rank"], year["rank_pooled"])
        assert ranks["method"]["change"] == year["rank"] - year["rank_pooled"]
        assert [ranks[part]["change"] for part in ("own", "others", "revision")] == [0, 0, 0]
        assert {(row["from_edition"], row["to_edition"]) for row in rows} == {
            (by_bounds["period"], by_bounds["pooled"])
        }
        moved += abs(ranks["rank"]["change"])
    assert moved
    reply = client.get(f"/v1/hubs/wuhan/rank-changes?{query.replace('from_period=2020', 'from_period=2012')}")
    assert reply.status_code == 404


def test_alerts_follow_from_the_bands_of_the_track(client: TestClient) -> None:
    found = {row["hub"]: row for row in client.get("/v1/alerts?from=2019&to=2020&draws=400&seed=3").json()}
    assert found
    for hub in ("wuhan", "lhasa"):
        before, after = client.get(f"/v1/hubs/{hub}/track?from=2019&to=2020&draws=400&seed=3").json()
        inside = before["rank_p05"] <= after["rank_median"] <= before["rank_p95"]
        assert (hub in found) == (not inside)
    wuhan = found["wuhan"]
    assert (wuhan["kind"], wuhan["direction"]) == ("weak", "down")
    assert "weak" in wuhan["text_en"]
    assert "弱" in wuhan["text_zh"]
    assert client.get("/v1/alerts?from=2019&to=2020&draws=400&seed=3&hub=lhasa").json() == []


@pytest.fixture(scope="module")
def with_cea(tmp_path_factory: pytest.TempPathFactory, outside_data: Path) -> Path:
    """A home that holds the real daily file of the national market, of July 2021 to August 2023."""
    from sqlmodel import Session

    from carbon.loading import load_trades

    home = tmp_path_factory.mktemp("months") / "home"
    store = open_store(Settings.from_env({"GREENFIN_HOME": str(home)}))
    with Session(store.engine) as session:
        load_trades(session, store.lake, outside_data / "markets" / "cneeex_2021_2023_merged.csv", market="CEA")
    store.close()
    return home


def test_months_of_a_real_daily_file(with_cea: Path, outside_data: Path) -> None:
    store = open_store(Settings.from_env({"GREENFIN_HOME": str(with_cea)}))
    rows = tracking.monthly_scores(store, "open", "2022-01", "2023-06")
    assert rows.height == 37 * 18
    documented = examples()["listMonthlyScores"]
    (row,) = rows.filter(pl.col("hub") == "wuhan", pl.col("month") == "2022-12").to_dicts()
    MonthlyScoreRow.model_validate(row)
    assert list(row) == list(MonthlyScoreRow.model_fields)
    assert row | {"edition": None} == documented | {"edition": None}
    content = tracking._monthly_edition(store, "open", "2022-01", "2023-06", keep=False)
    volumes = content.inputs.filter(pl.col("code") == "carbon_finance.market.volume")
    traded = pl.read_csv(outside_data / "markets" / "cneeex_2021_2023_merged.csv", infer_schema=False)
    tonnes = traded.select(day=pl.col("日期"), t=pl.col("日成交量").cast(pl.Float64)).drop_nulls("t")
    december = tonnes.filter(pl.col("day").str.replace_all("/", "-").str.starts_with("2022-12"))["t"].sum()
    value = dict(volumes.filter(pl.col("period") == "2022-12").select("hub", "value").iter_rows())
    # Shanghai has the exchange; Wuhan's own exchange has no file loaded; Lhasa has none.
    assert (value["shanghai"], value["wuhan"], value["lhasa"]) == (december, None, 0.0)
    custody = content.inputs.filter(pl.col("code") == "carbon_finance.infrastructure.custody", pl.col("hub") == "wuhan")
    assert custody.filter(pl.col("period") == "2022-12")["value"].to_list() == [december]
    gdp = content.inputs.filter(pl.col("code") == "ecosystem.business.gdp_per_capita", pl.col("hub") == "wuhan")
    assert gdp["status"].unique().to_list() == ["carried_forward"]
    assert gdp.filter(pl.col("period") == "2022-12")["source"][0].endswith("carried forward from 2021")
    store.close()


def test_only_the_command_keeps_an_edition_of_months(
    with_cea: Path, command: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENFIN_HOME", str(with_cea))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def kept() -> list[str]:
        code, out, err = command("editions", "--format", "json")
        assert code == 0, err
        return [row["edition"] for row in json.loads(out)]

    store = open_store(Settings.from_env({"GREENFIN_HOME": str(with_cea)}))
    (edition,) = tracking.monthly_scores(store, "open", "2022-03", "2022-05")["edition"].unique()
    store.close()
    assert edition not in kept()
    words = ("track", "--monthly", "--from", "2022-03", "--to", "2022-05")
    code, out, err = command(*words, "--format", "csv")
    assert code == 0, err
    rows = pl.read_csv(io.StringIO(out))
    assert rows["edition"].unique().to_list() == [edition]
    assert edition in kept()
    assert command(*words, "--format", "csv")[1] == out
    code, out, _ = command("track", "武汉", *words[1:], "--format", "json")
    assert [row["month"] for row in json.loads(out)] == ["2022-03", "2022-04", "2022-05"]
    for lang in ("en", "zh"):
        code, out, err = command(*words, "--format", "table", "--lang", lang)
        assert code == 0, err
        assert edition in out
        assert "…" not in out
        assert {"en": "Traded volume", "zh": "成交量"}[lang] in out
    code, _, err = command("track", "--monthly", "--from", "2030-01", "--to", "2030-02")
    assert code == 3
    assert "no daily figures of any market from 2030-01 to 2030-02" in err


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_for_people(run: Run, lang: str) -> None:
    text, node = texts("analyses", "zh" if lang == "zh" else "en"), texts("analyses", "zh" if lang == "zh" else "en")
    city = {"en": "Wuhan", "zh": "武汉"}[lang]
    code, out, err = run(
        "track", "wuhan", "--years", "2019-2021", "--draws", "100", "--format", "table", "--lang", lang
    )
    assert code == 0, err
    assert out.startswith(text["title_track"].format(city=city, base="open"))
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line[:3] == "202"}
    assert lines["2020"][1:3] == ["5", "4"]
    assert {*text["column_band"].split(), *text["column_part_revision"].split()} <= set(out.split())
    assert text["alerts_remark"].format(draws=100, seed=1) in out
    code, out, err = run("track", "--years", "2022-2023", "--format", "table", "--lang", lang)
    assert code == 0, err
    assert text["title_track_all"].format(first=2022, last=2023, base="open") in out
    assert len(out.splitlines()) == 1 + 1 + 37 + 1
    code, out, err = run(
        "track", "wuhan", "--list", "nodes", "--years", "2022-2023", "--format", "table", "--lang", lang
    )
    assert code == 0, err
    for kind in ("rank", "score", "points"):
        assert node[f"title_track_{kind}"].format(city=city, from_period="2022", to_period="2023") in out
    code, out, err = run("track", "wuhan", "--printed", "--format", "table", "--lang", lang)
    assert code == 0, err
    assert text["title_printed_beside"].format(city=city) in out
    assert "FinTech Hub Index report 2017" in out
    code, out, err = run("alerts", "--years", "2019-2020", "--draws", "200", "--format", "table", "--lang", lang)
    assert code == 0, err
    assert text["title_alerts"].format(first=2019, last=2020, base="open") in out
    assert city in out
    code, out, err = run(
        "alerts", "lhasa", "--years", "2019-2020", "--draws", "200", "--format", "table", "--lang", lang
    )
    assert (code, text["alerts_none"] in out) == (0, True)


def test_a_pipe_gets_rows_as_the_api_gives_them(run: Run, client: TestClient) -> None:
    code, out, err = run("track", "wuhan", "--years", "2019-2021", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out) == client.get("/v1/hubs/wuhan/track?from=2019&to=2021").json()
    code, out, err = run("track", "wuhan", "--list", "nodes", "--years", "2019-2021", "--format", "json")
    assert json.loads(out) == client.get("/v1/hubs/wuhan/rank-changes?from=2019&to=2021").json()
    code, out, err = run("track", "wuhan", "--printed", "--format", "json")
    assert json.loads(out) == client.get("/v1/hubs/wuhan/printed-and-backcast").json()
    code, out, err = run("track", "wuhan", "--printed", "--years", "2017-2018", "--format", "json")
    assert {row["year"] for row in json.loads(out)} == {2017, 2018}
    code, out, err = run("track", "wuhan", "--year", "2020", "--format", "json")
    assert [row["year"] for row in json.loads(out)] == [2019, 2020]
    code, out, err = run("alerts", "--years", "2019-2020", "--draws", "200", "--format", "json")
    assert json.loads(out) == client.get("/v1/alerts?from=2019&to=2020&draws=200").json()


def test_stored_editions_by_command(run: Run) -> None:
    code, out, _ = run("editions", "--format", "json")
    assert run("track", "wuhan")[0] == 0
    code, out, _ = run("editions", "--format", "json")
    ids = {row["bounds"]: row["edition"] for row in json.loads(out) if row["base"] == "open"}
    words = ("track", "wuhan", "--from-edition", ids["pooled"], "--to-edition", ids["pooled"])
    code, out, err = run(*words, "--from-period", "2020", "--format", "table")
    assert code == 0, err
    assert f"From {ids['pooled']} to {ids['pooled']}." in out
    assert "Wuhan, 2020 to 2023: rank, and places gained by part" in out
    code, _, err = run(*words, "--from-period", "2012")
    assert code == 3
    assert "no figures for 2012" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("track", "atlantis"), 3, "unknown hub"),
        (("track", "wuhan", "--years", "2012-2023"), 3, "no figures for 2012; known: 2013 to 2023"),
        (("track", "wuhan", "--years", "2023-2013"), 2, "expected two years such as 2013-2023"),
        (("track", "wuhan", "--years", "2020"), 2, "expected two years such as 2013-2023"),
        (("track", "--base", "printed"), 4, "unknown base"),
        (("track", "--printed"), 2, "expected one"),
        (("track", "--list", "nodes"), 2, "expected one"),
        (("track", "wuhan", "--list", "all"), 2, "expected years or nodes"),
        (("track", "wuhan", "--from-edition", "x"), 2, "expected both"),
        (("track", "wuhan", "--from-edition", "x", "--to-edition", "y"), 3, "no edition 'x'"),
        (("track", "wuhan", "--printed", "--monthly"), 2, "expected one of"),
        (("track", "wuhan", "--from", "2022-01"), 2, "expected --monthly"),
        (("track", "--monthly"), 3, "greenfin load trades FILE --market CEA"),
        (("alerts", "atlantis"), 3, "unknown hub"),
        (("track", "--monthly", "--to", "soon"), 4, "expected a year and a month"),
        (("alerts", "--draws", "0"), 2, "greater than or equal to 1"),
        (("alerts", "--draws", "1", "--seed", "9" * 20), 2, "--seed"),
        (("track", "wuhan", "--draws", "1", "--seed", "9" * 20), 2, "--seed"),
    ],
)
def test_wrong_words_are_told_without_a_traceback(run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = run(*words)
    assert found == code
    assert said in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
