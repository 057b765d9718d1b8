"""How market data travel: formats, tags, pages, refusals, and what the tools of readers send."""

import csv
import io
import json
import re
import urllib.request
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from api import market_rows, schemas
from api.bulk_tables import LIMIT

PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
LISTS = {
    "/v1/markets/CEA/bars": market_rows.BarRow,
    "/v1/markets/CEA/bars?vintage=2024&method=block": market_rows.BarRow,
    "/v1/markets/CEA/periods?by=month&split=vintage,method": market_rows.PeriodRow,
    "/v1/markets/cea/periods?by=all": market_rows.PeriodRow,
    "/v1/series": market_rows.SeriesRow,
    "/v1/series/CEA.close.d": market_rows.PointRow,
    "/v1/series/CEA.24.block.value.q?currency=EUR": market_rows.PointRow,
}


def with_suffix(url: str, suffix: str) -> str:
    path, mark, query = url.partition("?")
    return f"{path}.{suffix}{mark}{query}"


def get(client: TestClient, url: str) -> list[dict[str, Any]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


@pytest.mark.parametrize(("url", "row"), LISTS.items())
def test_json_is_a_flat_list_of_the_documented_rows(traded: TestClient, url: str, row: type[schemas.Row]) -> None:
    rows = get(traded, url)
    assert rows
    for entry in rows:
        row.model_validate(entry)
        assert list(entry) == list(row.model_fields)


@pytest.mark.parametrize("url", LISTS)
def test_every_format_holds_the_same_rows(traded: TestClient, url: str) -> None:
    rows = get(traded, url)
    parquet = traded.get(with_suffix(url, "parquet"))
    arrow = traded.get(with_suffix(url, "arrow"))
    assert (parquet.headers["content-type"], arrow.headers["content-type"]) == (PARQUET, ARROW)
    frame = pl.read_parquet(io.BytesIO(parquet.content))
    assert frame.equals(pl.read_ipc_stream(io.BytesIO(arrow.content)))
    assert json.loads(frame.write_json()) == rows
    text = traded.get(with_suffix(url, "csv"))
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert [{name: cell or None for name, cell in row.items()} for row in table] == [
        {name: None if value is None else str(value).lower() if value in (True, False) and isinstance(value, bool)
         else pl.Series([value]).cast(pl.String).item() for name, value in row.items()}
        for row in rows
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        (PARQUET, PARQUET),
        (f"application/json;q=0.1, {ARROW}", ARROW),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/json;q=0, text/csv;q=x, */*;q=0.1", PARQUET),
    ],
)
def test_the_accept_header_chooses_the_format(traded: TestClient, accept: str, media: str) -> None:
    answer = traded.get("/v1/markets/CEA/bars", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"], answer.headers["vary"]) == (200, media, "Accept")


def test_a_format_that_is_not_offered_is_said(traded: TestClient) -> None:
    answer = traded.get("/v1/series", headers={"accept": "image/png"})
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
    assert "image/png" in answer.json()["detail"]


@pytest.mark.parametrize("suffix", ["", ".csv", ".parquet", ".arrow"])
def test_head_tag_and_range(traded: TestClient, suffix: str) -> None:
    url = f"/v1/markets/CEA/bars{suffix}?from=2024-12-01"
    whole = traded.get(url)
    head = traded.head(url)
    assert head.content == b""
    assert (head.headers["content-length"], head.headers["etag"]) == (str(len(whole.content)), whole.headers["etag"])
    held = traded.get(url, headers={"if-none-match": whole.headers["etag"]})
    assert (held.status_code, held.content) == (304, b"")
    part = traded.get(url, headers={"range": "bytes=2-9"})
    assert (part.status_code, part.content) == (206, whole.content[2:10])
    assert part.headers["etag"] == whole.headers["etag"]
    beyond = traded.get(url, headers={"range": "bytes=9999999-"})
    assert (beyond.status_code, "etag" in beyond.headers) == (416, False)


def test_the_tag_changes_with_the_data_and_the_question(
    growing: TestClient, load_more: Callable[[Sequence[str]], None]
) -> None:
    urls = ["/v1/markets/CEA/bars", "/v1/markets/CEA/bars?vintage=2024", "/v1/markets/CEA/bars.csv", "/v1/series"]
    before = [growing.get(url).headers["etag"] for url in urls]
    assert len(set(before)) == len(urls)
    assert [growing.get(url).headers["etag"] for url in urls] == before
    load_more(["2025-01-03,CEA24,96,96,96,96,-1,200,19200,挂牌协议交易"])
    after = [growing.get(url).headers["etag"] for url in urls]
    assert not set(before) & set(after)
    assert get(growing, "/v1/markets/CEA/bars")[-1]["volume_t"] == 200


def test_pages_follow_by_their_links_and_hold_every_row_once(
    growing: TestClient, load_more: Callable[[Sequence[str]], None]
) -> None:
    whole = get(growing, "/v1/markets/CEA/periods?by=day&split=method")
    url, found, seen = "/v1/markets/CEA/periods?by=day&split=method&limit=2", [], []
    while url:
        answer = growing.get(url)
        found += answer.json()
        seen.append(url)
        match = (
            re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("link", "")) if "link" in answer.headers else None
        )
        url = match[1] if match else ""
    assert found == whole
    assert len(seen) == -(-len(whole) // 2) == 3
    load_more(["2025-01-03,CEA24,96,96,96,96,-1,200,19200,挂牌协议交易"])
    late = growing.get(seen[1])
    assert late.status_code == 422
    assert late.json()["errors"][0]["where"] == "query.after"
    assert "begin again" in late.json()["detail"]


@pytest.mark.parametrize(
    ("url", "status", "where", "found", "expected"),
    [
        ("/v1/markets/MARS/bars", 404, None, "MARS", "CEA"),
        ("/v1/markets/CEA/bars?from=soon", 422, "query.from", "soon", "date"),
        ("/v1/markets/CEA/bars?from=2025-01-02&to=2025-01-01", 422, "query.to", "2025-01-01", "not before 2025-01-02"),
        ("/v1/markets/CEA/bars?method=swap", 422, "query.method", "swap", "listing"),
        ("/v1/markets/CEA/bars?vintage=24", 422, "query.vintage", "24", "2000"),
        ("/v1/markets/CEA/bars?feed=x", 422, "query.feed", "x", "cneeex_daily"),
        ("/v1/markets/HBEA/bars.parquet?feed=x", 422, "query.feed", "x", "no loaded rows"),
        ("/v1/markets/CEA/bars?after=2", 422, "query.after", "2", "Link header"),
        (f"/v1/markets/CEA/bars?limit={LIMIT + 1}", 422, "query.limit", str(LIMIT + 1), str(LIMIT)),
        ("/v1/markets/CEA/periods?by=hour", 422, "query.by", "hour", "quarter"),
        ("/v1/markets/CEA/periods?split=city", 422, "query.split", "city", "vintage, method, product"),
        ("/v1/markets/CEA/periods?split=method,method", 422, "query.split", "method,method", "each once"),
        ("/v1/series?measure=closing", 422, "query.measure", "closing", "close"),
        ("/v1/series?frequency=w", 422, "query.frequency", "w", "q"),
        ("/v1/series/CEA.closing.d", 404, None, "CEA.closing.d", "vwap"),
        ("/v1/series/MARS.close.d", 404, None, "MARS", "CEA"),
        ("/v1/series/CEA.close.d?currency=USD", 422, "query.currency", "USD", "EUR"),
        ("/v1/series/CEA.close.d?fill=back", 422, "query.fill", "back", "forward"),
    ],
)
def test_what_cannot_be_answered_names_parameter_found_and_expected(
    traded: TestClient, url: str, status: int, where: str | None, found: str, expected: str
) -> None:
    answer = traded.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert found in body["detail"]
    assert expected in body["detail"]
    if where is not None:
        (entry,) = body["errors"]
        assert (entry["where"], entry["found"]) == (where, found)
        assert expected in entry["expected"]


# --- what the tools of readers send -----------------------------------------------------------------------------------


def test_pandas_reads_the_csv_address(traded_site: str) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(f"{traded_site}/v1/series/CEA.close.d.csv?to=2024-12-02", parse_dates=["day"])
    assert frame["value"].dropna().tolist() == [100.0, 102.0]
    assert frame.columns[0] == "series_id"
    assert int(frame["value"].isna().sum()) == 1


def test_polars_scans_the_parquet_address_by_head_and_ranges(traded_site: str) -> None:
    lazy = pl.scan_parquet(f"{traded_site}/v1/markets/CEA/bars.parquet")
    frame = lazy.filter(pl.col("day") >= date(2024, 12, 1)).select("day", "volume_t").collect()
    assert frame["volume_t"].to_list() == [2000, 4000, 100]


def test_a_plain_download_as_r_makes_it_is_a_parquet_file(traded_site: str) -> None:
    """`arrow::read_parquet(url)` downloads the whole address without an Accept header of its own."""
    with urllib.request.urlopen(f"{traded_site}/v1/series.parquet?market=CEA") as answer:
        content = answer.read()
    assert (content[:4], content[-4:]) == (b"PAR1", b"PAR1")
    assert pl.read_parquet(io.BytesIO(content)).height > 100


def test_grafana_asks_for_json_rows_with_iso_days_and_for_csv(traded: TestClient) -> None:
    """The Infinity source sends its own Accept header and wants a flat array with a time in each row."""
    url = "/v1/series/CEA.close.d?from=2024-11-28&to=2024-12-31"
    rows = traded.get(url, headers={"accept": "application/json;q=0.9,text/plain"}).json()
    assert all(date.fromisoformat(row["day"]) for row in rows)
    text = traded.get(url, headers={"accept": "text/csv; charset=utf-8"})
    assert text.content.decode("utf-8-sig").startswith("series_id,period,day,value,")
