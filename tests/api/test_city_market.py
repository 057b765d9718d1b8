"""The carbon market by city over HTTP: documented rows, CSV, entity tags, errors, and a registry with holders in it."""

from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api.routers.city_market import AttributionRow, CityMarketRow
from api.schemas import ProblemBody
from carbon.embedded import read_embedded
from fhi.hubs import hubs

from .conftest import check_documented_rows

URLS = {
    "/v1/hubs/wuhan/carbon-market": CityMarketRow,
    "/v1/hubs/%E4%B8%8A%E6%B5%B7/carbon-market?by=year&from=2021-07-16": CityMarketRow,
    "/v1/attribution": AttributionRow,
    "/v1/attribution?year=2024": AttributionRow,
    "/v1/attribution?as_of=9999-12-31": AttributionRow,
}


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


def test_an_answer_that_the_client_holds_is_not_sent_again(client: TestClient) -> None:
    url = "/v1/attribution?year=2022"
    tag = client.get(url).headers["etag"]
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    assert client.head(url).headers["etag"] == tag


def test_wuhan_by_year_is_custody_of_the_nation_and_the_hubei_pilot(client: TestClient) -> None:
    rows = {row["period"]: row for row in client.get("/v1/hubs/wuhan/carbon-market").json()}
    years = {
        (row["market"], str(row["year"])): row["volume_t"]
        for row in read_embedded("market_years").iter_rows(named=True)
    }
    assert list(rows) == [str(year) for year in range(2014, 2026)]
    for period, row in rows.items():
        assert row["custody_volume_t"] == years.get(("CEA", period), 0)
        assert row["pilot_screen_volume_t"] == years.get(("Hubei", period))
        assert row["pilot_all_venue_volume_t"] is None


def test_every_city_has_a_row_and_the_columns_add_up(client: TestClient) -> None:
    rows = client.get("/v1/attribution?year=2022").json()
    assert len(rows) == hubs().height + 1
    assert [row["name_en"] for row in rows if row["hub"] is None] == ["unattributed"]
    whole = read_embedded("market_years").filter(pl.col("year") == 2022)["volume_t"].sum()
    assert sum(row["traded_known_t"] for row in rows) == whole
    assert sum(row["custody_known_t"] for row in rows) == whole


def test_months_need_loaded_files(client: TestClient) -> None:
    assert client.get("/v1/hubs/wuhan/carbon-market?by=day").json() == []
    months = client.get("/v1/attribution?year=2022&by=month").json()
    assert {row["period"] for row in months} == {f"2022-{month:02}" for month in range(1, 13)}
    (wuhan,) = (row for row in months if row["hub"] == "wuhan" and row["period"] == "2022-03")
    assert (wuhan["traded_volume_t"], wuhan["traded_missing"], wuhan["custody_missing"]) == (None, "Hubei", "CEA")


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/hubs/atlantis/carbon-market", 404, "unknown hub 'atlantis'"),
        ("/v1/hubs/wuhan/carbon-market?by=week", 422, "query.by: found week"),
        ("/v1/hubs/wuhan/carbon-market?from=soon", 422, "query.from: found soon"),
        ("/v1/attribution?year=1066", 422, "query.year: found 1066"),
        ("/v1/attribution?by=day", 422, "query.by: found day"),
    ],
)
def test_wrong_questions_are_problems(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    ProblemBody.model_validate(answer.json())
    assert said in answer.json()["detail"]


def test_holders_of_the_registry_stand_in_their_city(fresh_registry: Any) -> None:
    """On each database: a plant in Wuhan, one of no known city, and a foreign account that is no part of the sums."""
    people = {"primary": "P", "secondary": "S"}
    for number, (code, hub, scheme) in enumerate((("A", "wuhan", "CN"), ("B", None, "CN"), ("E", None, "EU"))):
        assert fresh_registry.act(
            "register_entity", f"e{number}", name=code, code=code, contact="K", hub=hub
        ).is_success
        body = {"code": f"{code}-1", "scheme": scheme, "type": "trading", "entity": code, **people}
        assert fresh_registry.act("open_account", f"o{number}", **body).is_success
    for code, quantity in (("A-1", 700), ("B-1", 300)):
        body = {"scheme": "CN", "instrument": "CEA24", "quantity": quantity, "target": code}
        assert fresh_registry.act("issue", f"i{code}", **body).is_success
    url = "/v1/attribution?year=2025&as_of=2025-12-31"
    rows = {row["hub"]: row for row in fresh_registry.client.get(url).json()}
    assert (rows["wuhan"]["holdings_t"], rows["wuhan"]["participants"]) == (700, 1)
    assert (rows[None]["holdings_t"], rows[None]["participants"]) == (300, 1)
    assert (rows["lhasa"]["holdings_t"], rows["lhasa"]["participants"]) == (0, 0)
    earlier = fresh_registry.client.get("/v1/attribution?year=2025&as_of=2025-01-01").json()
    assert {row["participants"] for row in earlier} == {None}
