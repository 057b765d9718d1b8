import codecs
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openapi_spec_validator import validate

from api import schemas
from green_index.printed import BOTH

TABLES = {
    "/v1/hubs": schemas.HubRow,
    "/v1/hubs/wuhan": schemas.HubRow,
    "/v1/hubs/wuhan/standing": schemas.StandingRow,
    "/v1/frameworks/fhi": schemas.NodeRow,
    "/v1/frameworks/fhi-2017": schemas.NodeRow,
    "/v1/frameworks/green": schemas.NodeRow,
    "/v1/frameworks/green-2017": schemas.NodeRow,
    "/v1/scores": schemas.ScoreRow,
    "/v1/scores?year=2017&base=published": schemas.ScoreRow,
    "/v1/sources": schemas.SourceRow,
    "/v1/printed": schemas.PrintedTableRow,
    "/v1/notes": schemas.NoteRow,
    "/v1/notes?year=2022&base=published": schemas.NoteRow,
    "/v1/markets": schemas.MarketRow,
    "/v1/markets/CEA/statistics?by=year": schemas.MarketPeriodRow,
    "/v1/markets/HBEA/statistics": schemas.MarketPeriodRow,
    "/v1/editions": schemas.EditionRow,
}


NEED_FILES = (
    *("/v1/markets/{market}/bars", "/v1/markets/{market}/periods", "/v1/factor-choice"),
    *("/v1/footprints", "/v1/footprints/lines", "/v1/footprints/runs"),
    "/v1/monthly-scores",
    *("/v1/what-if", "/v1/what-if/figures", "/v1/what-if/shifts", "/v1/target", "/v1/target/moves"),
    *("/v1/break-even", "/v1/break-even/intervals", "/v1/break-even/pairs"),
    *("/v1/rank-range", "/v1/rank-range/weights"),
)


def with_suffix(url: str) -> str:
    path, _, query = url.partition("?")
    return f"{path}.csv" + (f"?{query}" if query else "")


@pytest.mark.parametrize(("url", "row"), TABLES.items())
def test_json_is_a_flat_list_of_the_documented_rows(client: TestClient, url: str, row: type[schemas.Row]) -> None:
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    rows = answer.json()
    assert rows
    for entry in rows:
        row.model_validate(entry)
        assert set(entry) == set(row.model_fields)
        assert all(name.isascii() for name in entry)


@pytest.mark.parametrize("url", TABLES)
def test_csv_holds_the_same_rows(client: TestClient, url: str) -> None:
    rows = client.get(url).json()
    answer = client.get(with_suffix(url))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(codecs.BOM_UTF8)
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert list(table[0]) == list(rows[0])
    assert len(table) == len(rows)
    for row, cells in zip(rows, table, strict=True):
        assert all(same(value, cells[name]) for name, value in row.items()), row


def same(value: Any, cell: str) -> bool:
    """Does a CSV cell say what a JSON value says? Missing is an empty cell."""
    if value is None:
        return cell == ""
    if isinstance(value, bool):
        return cell == str(value).lower()
    if isinstance(value, float):
        return float(cell) == value
    return cell == ("; ".join(value) if isinstance(value, list) else str(value))


def test_ranking_is_whole_and_ordered(client: TestClient) -> None:
    rows = client.get("/v1/scores?year=2022&base=open").json()
    assert [row["rank"] for row in rows] == list(range(1, 38))
    assert all(row["ranked"] == 37 and 0 < row["coverage"] < 1 for row in rows)


def test_a_city_that_is_not_ranked_has_null_and_a_reason_in_both_languages(client: TestClient) -> None:
    rows = client.get("/v1/scores?year=2017&base=published").json()
    unranked = [row for row in rows if row["rank"] is None]
    assert len(unranked) == 37 - 20
    for row in unranked:
        assert row["score"] is None
        assert row["reason"] == "no score of FinTech"
        assert row["reason_zh"] == "缺少：金融科技"
    assert all(row["reason"] is None for row in rows if row["rank"] is not None)


def test_standing_of_one_year_or_all(client: TestClient) -> None:
    every = client.get("/v1/hubs/wuhan/standing").json()
    one = client.get("/v1/hubs/wuhan/standing?year=2022").json()
    assert {row["year"] for row in every} == set(range(2013, 2024))
    assert one == [row for row in every if row["year"] == 2022]
    assert sum(row["kind"] == "holds_back" for row in one) == 5
    assert sum(row["kind"] == "leads" for row in one) == 5


def test_a_missing_score_says_why_in_both_languages(client: TestClient) -> None:
    rows = client.get("/v1/hubs/suzhou/standing?year=2017&base=published").json()
    (total,) = (row for row in rows if row["code"] == "green")
    assert (total["score"], total["rank"]) == (None, None)
    assert total["reason"] == "too few figures"
    assert total["reason_zh"] == "数据不足"
    assert all(row["reason"] is None for row in rows if row["score"] is not None)


def test_the_same_number_everywhere(client: TestClient) -> None:
    (score,) = (row for row in client.get("/v1/scores?year=2022").json() if row["hub"] == "wuhan")
    (total,) = (row for row in client.get("/v1/hubs/wuhan/standing?year=2022").json() if row["code"] == "green")
    assert (score["score"], score["rank"]) == (total["score"], total["rank"])


@pytest.mark.parametrize("name", ["wuhan", "武汉", "420100", "Wuhan"])
def test_a_city_by_any_of_its_names(client: TestClient, name: str) -> None:
    assert client.get(f"/v1/hubs/{name}").json()[0]["hub"] == "wuhan"


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/hubs/atlantis", 404, "unknown hub 'atlantis'"),
        ("/v1/hubs/atlantis/standing.csv", 404, "unknown hub 'atlantis'"),
        ("/v1/hubs/wuhan/standing?year=1999", 404, "2013 to 2023"),
        ("/v1/scores?year=1999", 404, "2013 to 2023"),
        ("/v1/scores?year=2016&base=published", 404, "2017 to 2023"),
        ("/v1/scores?year=soon", 422, "query.year: found soon"),
        ("/v1/scores?base=printed", 422, "query.base: found printed"),
        ("/v1/frameworks/unknown", 404, "green-2017"),
        ("/v1/markets/MARS/statistics", 404, "CEA"),
        ("/v1/markets/CEA/statistics?by=hour", 422, "query.by: found hour"),
        ("/v1/printed/nothing", 404, "rank_history"),
        ("/v1/nothing", 404, "Not Found"),
    ],
)
def test_errors_are_problem_documents(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    schemas.ProblemBody.model_validate(body)
    assert body["status"] == status
    assert said in body["detail"]
    assert body["instance"] == url.partition("?")[0]


def test_writing_is_not_offered(client: TestClient) -> None:
    answer = client.post("/v1/hubs")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["fhi", "fhi-2017", "green", "green-2017"])
def test_a_framework_is_called_what_it_was_asked_by(client: TestClient, name: str) -> None:
    assert {row["framework"] for row in client.get(f"/v1/frameworks/{name}").json()} == {name}


def test_every_embedded_table_names_its_publisher(client: TestClient) -> None:
    """All data files but those that are lists of sources themselves."""
    root = Path(__file__).resolve().parents[2]
    files = {
        path.name for package in ("fhi", "carbon", "green_index") for path in (root / package / "data").glob("*.csv")
    }
    rows = client.get("/v1/sources").json()
    assert files - {"sources.csv", "open_measures.csv"} == {row["file"] for row in rows}
    assert all(row["publisher"] and row["terms"] for row in rows)


def test_printed_tables_are_there_as_printed_with_their_source(client: TestClient) -> None:
    for entry in client.get("/v1/printed").json():
        rows = client.get(f"/v1/printed/{entry['table']}").json()
        assert len(rows) == entry["rows"]
        sources = {row["source"] for row in rows}
        assert all(source.endswith(entry["source"]) for source in sources) or (entry["source"] == BOTH and all(sources))


def test_printed_ranks_stand_beside_our_own(client: TestClient) -> None:
    rows = client.get("/v1/hubs/wuhan/standing").json()
    printed = {(row["year"], row["code"]): row["rank"] for row in rows if row["kind"] == "printed"}
    assert printed[2017, "fintech"] == 7
    assert printed[2018, "fintech"] == 11
    assert printed[2019, "industry"] == 16
    assert not [row for row in client.get("/v1/hubs/lhasa/standing").json() if row["kind"] == "printed"]


def test_probes(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "ok", "editions": None, "newest_year": None}
    ready = client.get("/readyz").json()
    assert ready["status"] == "ok"
    assert ready["editions"] >= 2
    assert ready["newest_year"] == 2023


def test_openapi_is_valid_with_unique_operation_ids_tags_and_examples(app: FastAPI) -> None:
    document = app.openapi()
    validate(document)
    operations = [
        operation for path, entry in document["paths"].items() for operation in entry.values() if path.startswith("/v1")
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(operation["tags"] and operation["summary"] and operation["description"] for operation in operations)
    for operation in operations:
        content = operation["responses"]["200"]["content"]
        if "application/json" in content:
            assert content["application/json"]["example"], operation["operationId"]
        else:
            assert "text/csv" in content


def test_documented_examples_are_rows_that_the_api_gives(app: FastAPI, client: TestClient) -> None:
    """Figures in the documentation are computed ones: each example is found in the answer, hashes apart. Those of the
    registry need a ledger with something in it, those of daily trading a loaded file, and a choice of factors a
    question: see test_registry_reads, test_market_data, test_factors_http and test_moves.
    """
    volatile = {"edition", "framework_hash", "recipe_hash", "data_version", "content_hash", "engine", "notes"}
    volatile |= {"edition_pooled", "from_edition", "to_edition"}
    for path, entry in app.openapi()["paths"].items():
        if not path.startswith("/v1") or path.startswith("/v1/registry") or path in NEED_FILES:
            continue
        content = entry["get"]["responses"]["200"].get("content", {})
        if "application/json" not in content:
            continue
        (example,) = content["application/json"]["example"]
        url = path.format(
            **{"hub": "wuhan", "framework": "green", "market": "CEA", "table": "rank_history"},
            **{"series_id": "CEA.volume.y", "factor_id": "cn-grid_average-2023-420000"},
        )
        kept = {name: value for name, value in example.items() if name not in volatile}
        rows = [{name: row[name] for name in kept} for row in client.get(url).json()]
        assert kept in rows, path


def test_documentation_page_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
