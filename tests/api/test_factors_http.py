import csv
import io

import pytest
from starlette.testclient import TestClient

from carbon.footprints.factors import embedded_factors


def test_pages_follow_each_other_to_the_end(client: TestClient) -> None:
    seen, url = [], "/v1/factors?limit=150"
    while url:
        answer = client.get(url)
        assert answer.status_code == 200
        seen += [row["factor_id"] for row in answer.json()]
        link = answer.headers.get("Link")
        url = "" if link is None else link[link.index("<") + 1 : link.index(">")]
    assert seen == embedded_factors()["factor_id"].to_list()


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("series=grid_reporting", ["2015-national", "2021-national", "2022-national"]),
        ("series=grid_average&region=wuhan", []),
        ("series=grid_average&region=湖北&on=2023-06-30", ["2023-420000"]),
        ("activity=electricity&region=CN&gas=CO2&kind=electricity&on=2014-01-01", []),
        ("series=grid_average&region=420000", ["2021-420000", "2022-420000", "2023-420000"]),
    ],
)
def test_filters(client: TestClient, query: str, names: list[str]) -> None:
    found = [row["factor_id"].split("-", 2)[2] for row in client.get(f"/v1/factors?{query}").json()]
    assert found == names


def test_one_factor_and_none(client: TestClient) -> None:
    (row,) = client.get("/v1/factors/leak-R410A:HFC32").json()
    assert (row["gas"], row["value"]) == ("HFC32", 0.5)
    missing = client.get("/v1/factors/nothing/like/it")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("application/problem+json")


def test_choice_is_the_same_as_on_the_command_line(client: TestClient) -> None:
    rows = client.get("/v1/factor-choice?activity=electricity&region=wuhan&year=2023").json()
    (chosen,) = [row for row in rows if row["chosen"]]
    assert (chosen["factor_id"], chosen["value"], chosen["reason"]) == ("cn-grid_average-2023-420000", 0.4044, "exact")
    assert rows[0] == chosen
    assert client.get("/v1/factor-choice?activity=electricity&region=atlantis&year=2023").status_code == 404
    assert client.get("/v1/factor-choice?activity=electricity&region=wuhan").status_code == 422
    assert client.get("/v1/factor-choice?activity=unicorn&region=wuhan&year=2023").json() == []


def test_csv_is_the_same_table(client: TestClient) -> None:
    text = client.get("/v1/factors.csv?series=heat_default").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["value"] for row in rows] == ["0.11", "0.11"]
    assert client.get("/v1/factors/cn-heat-heat.csv").content.decode("utf-8-sig").count("\n") == 2
    assert client.get("/v1/factors?limit=0").status_code == 422
