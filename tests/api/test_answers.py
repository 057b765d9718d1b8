import polars as pl
import pytest
from fastapi.testclient import TestClient

URL = "/v1/scores.csv?year=2022"


def test_a_program_reads_the_csv_from_its_address(site: str) -> None:
    """polars asks with HEAD and byte ranges, as the README shows."""
    table = pl.read_csv(f"{site}{URL}")
    assert table.height == 37
    assert table.columns[0] == "hub"


def test_what_the_client_holds_is_not_sent_again(client: TestClient) -> None:
    first = client.get(URL)
    again = client.get(URL, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(URL, headers={"If-None-Match": "*"}).status_code == 304
    other = client.get("/v1/scores.csv?year=2021", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_head_tells_the_length_and_sends_nothing(client: TestClient) -> None:
    whole, head = client.get(URL), client.head(URL)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=3-3", slice(3, 4)),
    ],
)
def test_one_byte_range(client: TestClient, asked: str, part: slice) -> None:
    whole = client.get(URL).content
    answer = client.get(URL, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    assert answer.headers["content-range"].endswith(f"/{len(whole)}")


def test_a_range_beyond_the_end_and_one_that_is_none(client: TestClient) -> None:
    whole = client.get(URL).content
    beyond = client.get(URL, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert beyond.headers["content-type"] == "application/problem+json"
    for odd in ("bytes=0-1,3-4", "bytes=-", "bytes=5-2", "lines=1-2", "bytes=0-" + "9" * 5000):
        assert client.get(URL, headers={"Range": odd}).content == whole
