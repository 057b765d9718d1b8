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
    unlike = client.get("/v1/factor-choice?activity=electricity&region=wuhan&year=2023&unit=t").json()
    assert {(row["chosen"], row["reason"]) for row in unlike} == {(False, "unit_unlike")}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("factors?parameter=x", "query.parameter: found x; expected one of: carbon_content, emission_factor, net_"),
        ("factors?series=grid", "query.series: found grid; expected one of: "),
        ("factors?gas=CO3", "query.gas: found CO3; expected one of: "),
        ("factors?kind=magic", "query.kind: found magic; expected one of: combustion, electricity"),
        ("factors?activity=unicorn", "query.activity: found unicorn; expected one of: anthracite"),
        ("factors.csv?gas=co2", "query.gas: found co2; expected one of: "),
        ("factor-choice?activity=unicorn&region=wuhan&year=2023", "query.activity: found unicorn"),
        ("factor-choice?activity=electricity&region=wuhan&year=2023&series=grid", "query.series: found grid"),
    ],
)
def test_a_name_that_no_factor_has_is_refused_with_the_known_ones(client: TestClient, query: str, said: str) -> None:
    told = client.get(f"/v1/{query}")
    assert (told.status_code, told.headers["content-type"]) == (422, "application/problem+json")
    assert said in told.json()["detail"]


def test_names_that_are_defined_need_no_factor(client: TestClient) -> None:
    """A user's measurements are of the series measured, though none ships with the package."""
    assert client.get("/v1/factors?series=measured").json() == []
    assert client.get("/v1/factors?region=atlantis").status_code == 404


def test_csv_is_the_same_table(client: TestClient) -> None:
    text = client.get("/v1/factors.csv?series=heat_default").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["value"] for row in rows] == ["0.11", "0.11"]
    assert client.get("/v1/factors/cn-heat-heat.csv").content.decode("utf-8-sig").count("\n") == 2
    assert client.get("/v1/factors?limit=0").status_code == 422
