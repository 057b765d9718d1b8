"""The market as data: bars, statistics, series; every format, as the tools of its readers would ask for it."""

import io
import json
import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from api import market_rows
from api.app import create_app
from api.market_rates import CONVERTED, NO_RATE, no_rate
from api.market_series import FREQUENCIES, MEASURES, Method, SeriesId, UnknownSeries, parse_series_id, write_series_id
from api.settings import Settings
from carbon.loading import load_trades
from carbon.rates_tables import FxRate


def get(client: TestClient, url: str) -> list[dict[str, Any]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return rows


def values(client: TestClient, url: str) -> dict[str, float | None]:
    return {row["period"]: row["value"] for row in get(client, url)}


# --- what the figures are ---------------------------------------------------------------------------------------------


def test_a_bar_holds_the_sums_of_its_day(traded: TestClient) -> None:
    rows = {row["day"]: row for row in get(traded, "/v1/markets/CEA/bars")}
    assert list(rows) == ["2024-11-28", "2024-12-02", "2024-12-03", "2025-01-02"]
    first = rows["2024-11-28"]
    assert (first["listing_volume_t"], first["block_volume_t"]) == (1000 + 500, 10000)
    assert first["value_fen"] == 100 * (100000 + 49000 + 950000)
    assert first["close_fen_per_t"] == 100 * 100
    assert first["vwap_cny_per_t"] == (100000 + 49000 + 950000) / 11500
    assert first["block_share"] == 10000 / 11500
    assert rows["2024-12-03"]["close_fen_per_t"] is None
    assert (first["vintage"], first["method"], first["feed"]) == (None, None, "cneeex_daily")


def test_bars_of_one_vintage_and_method_hide_the_others(traded: TestClient) -> None:
    (block,) = get(traded, "/v1/markets/CEA/bars?vintage=2024&method=block")
    assert (block["day"], block["vintage"], block["method"]) == ("2024-12-03", 2024, "block")
    assert (block["volume_t"], block["value_fen"], block["listing_volume_t"]) == (4000, 38000000, None)
    listed = get(traded, "/v1/markets/CEA/bars?vintage=2024&method=listing")
    assert [row["close_fen_per_t"] for row in listed] == [9800, 9700]
    assert [row["block_volume_t"] for row in listed] == [None, None]
    assert [row["block_share"] for row in listed] == [None, None]


def test_the_parts_of_the_bars_add_up_to_the_whole(traded: TestClient) -> None:
    whole = sum(row["volume_t"] for row in get(traded, "/v1/markets/CEA/bars"))
    parts = [
        row["volume_t"]
        for vintage in (2023, 2024)
        for method in get_args(Method)
        for row in get(traded, f"/v1/markets/CEA/bars?vintage={vintage}&method={method}")
    ]
    assert sum(parts) == whole == 1000 + 500 + 10000 + 2000 + 4000 + 100


def test_a_span_has_both_its_ends(traded: TestClient) -> None:
    rows = get(traded, "/v1/markets/CEA/bars?from=2024-12-02&to=2024-12-03")
    assert [row["day"] for row in rows] == ["2024-12-02", "2024-12-03"]


def test_of_two_feeds_one_counts_and_the_other_can_be_asked_for(growing: TestClient, outside_data: Path) -> None:
    with Session(growing.app.state.store.engine) as session:  # type: ignore[attr-defined]
        store = growing.app.state.store  # type: ignore[attr-defined]
        load_trades(session, store.lake, outside_data / "markets" / "CRC_volume_C.csv", market="CEA")
    feeds = {row["feed"] for row in get(growing, "/v1/markets/CEA/bars")}
    assert feeds == {"cneeex_daily", "crc_settlement"}
    assert {row["feed"] for row in get(growing, "/v1/markets/CEA/bars?feed=crc_settlement")} == {"crc_settlement"}


def test_statistics_by_part_add_up_to_the_whole(traded: TestClient) -> None:
    (whole,) = get(traded, "/v1/markets/CEA/periods?by=all")
    split = get(traded, "/v1/markets/CEA/periods?by=quarter&split=method,vintage")
    assert sum(row["volume_t"] for row in split) == whole["volume_t"] == 17600
    assert sum(row["value_fen"] for row in split) == whole["value_fen"]
    assert {(row["period"], row["vintage"], row["method"]) for row in split} == {
        ("2024Q4", 2023, "listing"),
        ("2024Q4", 2023, "block"),
        ("2024Q4", 2024, "listing"),
        ("2024Q4", 2024, "block"),
        ("2025Q1", 2024, "listing"),
    }


# --- series -----------------------------------------------------------------------------------------------------------


@st.composite
def series_ids(draw: st.DrawFn) -> SeriesId:
    frequency = draw(st.sampled_from(FREQUENCIES))
    method = draw(st.none() | st.sampled_from(get_args(Method)))
    names = [
        name
        for name, measure in MEASURES.items()
        if (measure.daily or frequency != "d") and (measure.by_method or method is None)
    ]
    market = draw(st.sampled_from(["CEA", "Hubei", "Tianjin"]))
    return SeriesId(market, draw(st.sampled_from(names)), frequency, draw(st.none() | st.integers(2000, 2099)), method)


@given(series_ids())
def test_reading_an_id_undoes_writing_it(series: SeriesId) -> None:
    text = write_series_id(series)
    assert parse_series_id(text) == series
    assert write_series_id(parse_series_id(text)) == text


@given(st.text(max_size=30) | st.from_regex(r"[A-Z]{3}(\.\d\d)?(\.block)?\.(close|volume)\.[dmx]", fullmatch=True))
def test_a_text_is_an_id_only_where_it_is_written_so(text: str) -> None:
    try:
        series = parse_series_id(text)
    except UnknownSeries:
        series = None
    assert series is None or write_series_id(series) == text
    assert (series is None) == (
        re.fullmatch(r"[A-Z]{3}(\.[0-9]{2})?(\.block\.volume|\.volume|\.close)\.[dm]", text) is None
    )


def test_ids_read_as_documented() -> None:
    assert parse_series_id("CEA.25.listing.volume.d") == SeriesId("CEA", "volume", "d", 2025, "listing")
    assert parse_series_id("Hubei.vwap.m") == SeriesId("Hubei", "vwap", "m")
    for text in ("CEA.close", "CEA.listing.close.d", "CEA.sessions.d", "CEA.listing.25.volume.d", "CEA.close.d\n"):
        with pytest.raises(UnknownSeries, match="expected"):
            parse_series_id(text)
    with pytest.raises(UnknownSeries, match="1999"):
        write_series_id(SeriesId("CEA", "close", "d", 1999))


def test_a_day_without_trade_is_null_unless_carried_forward_and_marked(traded: TestClient) -> None:
    plain = get(traded, "/v1/series/CEA.close.d?to=2024-12-04")
    # The calendar of the exchange: Thursday, Friday, then Monday to Wednesday.
    days = ["2024-11-28", "2024-11-29", "2024-12-02", "2024-12-03", "2024-12-04"]
    assert [row["day"] for row in plain] == days
    assert [row["value"] for row in plain] == [100.0, None, 102.0, None, None]
    assert not any(row["filled"] for row in plain)
    filled = get(traded, "/v1/series/CEA.close.d?to=2024-12-04&fill=forward")
    assert [row["value"] for row in filled] == [100.0, 100.0, 102.0, 102.0, 102.0]
    assert [row["filled"] for row in filled] == [False, True, False, True, True]


def test_a_price_is_carried_into_a_span_that_begins_later(traded: TestClient) -> None:
    (row,) = get(traded, "/v1/series/CEA.close.d?from=2024-11-29&to=2024-11-29&fill=forward")
    assert (row["value"], row["filled"]) == (100.0, True)


def test_amounts_are_never_carried_forward(traded: TestClient) -> None:
    rows = get(traded, "/v1/series/CEA.volume.d?from=2024-11-29&to=2024-12-04&fill=forward")
    assert [row["value"] for row in rows] == [None, 2000.0, 4000.0, None]
    assert not any(row["filled"] for row in rows)


def test_series_of_periods_are_sums_of_their_parts(traded: TestClient) -> None:
    assert values(traded, "/v1/series/CEA.volume.m") == {"2024-11": 11500.0, "2024-12": 6000.0, "2025-01": 100.0}
    assert values(traded, "/v1/series/CEA.24.volume.q") == {"2024Q4": 4500.0, "2025Q1": 100.0}
    assert values(traded, "/v1/series/CEA.23.listing.vwap.q") == pytest.approx(
        {"2024Q4": (100000 + 204000) / 3000}, rel=1e-15
    )
    assert values(traded, "/v1/series/CEA.block_share.m")["2024-12"] == 4000 / 6000


def test_years_without_loaded_rows_are_the_embedded_ones(client: TestClient, traded: TestClient) -> None:
    embedded = values(client, "/v1/series/CEA.volume.y")
    assert embedded["2021"] == 178789350
    assert embedded["2024"] == 188583776
    loaded = values(traded, "/v1/series/CEA.volume.y")
    assert loaded == {**embedded, "2024": 17500.0, "2025": 100.0}


def test_every_listed_series_has_the_figures_that_the_list_says(traded: TestClient) -> None:
    listed = get(traded, "/v1/series?market=CEA")
    assert len({row["series_id"] for row in listed}) == len(listed) > 100
    for row in listed:
        points = get(traded, f"/v1/series/{row['series_id']}")
        assert {(point["unit"], point["currency"]) for point in points} <= {(row["unit"], row["currency"])}
        known = [point for point in points if point["value"] is not None]
        assert known, row["series_id"]
        if row["frequency"] == "d":
            assert (known[0]["day"], known[-1]["day"]) == (row["first"], row["last"])
        assert parse_series_id(row["series_id"]).measure == row["measure"]


def test_the_list_is_narrowed_by_its_parameters(traded: TestClient) -> None:
    rows = get(traded, "/v1/series?market=CEA&measure=close&frequency=d")
    assert [row["series_id"] for row in rows] == ["CEA.23.close.d", "CEA.24.close.d", "CEA.close.d"]
    assert {row["market"] for row in get(traded, "/v1/series?market=HBEA")} == {"Hubei"}


def test_without_rates_a_figure_in_euro_is_null_and_says_why(traded: TestClient) -> None:
    row = get(traded, "/v1/series/CEA.close.d?currency=EUR")[0]
    assert (row["value"], row["value_eur"], row["rate"], row["value_cny"]) == (None, None, None, 100.0)
    assert (row["currency"], row["unit"], row["note"]) == ("EUR", "EUR/t", NO_RATE)


def test_euro_is_the_figure_times_the_last_rate_that_is_not_of_the_future(growing: TestClient) -> None:
    rates = {date(2024, 11, 27): 0.131, date(2024, 12, 2): 0.130, date(2024, 12, 31): 0.132}
    tag = growing.get("/v1/series/CEA.close.d").headers["etag"]
    with Session(growing.app.state.store.engine) as session:  # type: ignore[attr-defined]
        for day, rate in rates.items():
            session.add(FxRate(currency="CNY", day=day, source="made up", per_eur=rate, file="f", sha256="0" * 64))
        session.commit()
    assert growing.get("/v1/series/CEA.close.d").headers["etag"] != tag
    rows = {row["day"]: row for row in get(growing, "/v1/series/CEA.close.d?currency=EUR")}
    assert (rows["2024-11-28"]["value"], rows["2024-11-28"]["rate_day"]) == (100.0 * 0.131, "2024-11-27")
    assert (rows["2024-12-02"]["value"], rows["2024-12-02"]["rate_day"]) == (102.0 * 0.130, "2024-12-02")
    assert (rows["2025-01-02"]["value_eur"], rows["2025-01-02"]["value_cny"]) == (97.0 * 0.132, 97.0)
    assert rows["2024-12-02"]["note"] is None
    # A month is converted at the rate of its last day with trades, December at that of the 3rd.
    months = {row["period"]: row for row in get(growing, "/v1/series/CEA.value.m")}
    assert (months["2024-12"]["rate"], months["2024-12"]["rate_day"]) == (0.130, "2024-12-02")
    assert months["2024-12"]["value_eur"] == (204000 + 380000) * 0.130
    tonnes = get(growing, "/v1/series/CEA.volume.d?currency=EUR")[0]
    assert (tonnes["value"], tonnes["unit"], tonnes["currency"], tonnes["note"]) == (11500.0, "t", None, None)


def test_statistics_in_another_currency_have_the_rate_and_its_day_beside_them(growing: TestClient) -> None:
    rates = {date(2024, 11, 28): (0.131, 0.140), date(2024, 12, 2): (0.130, None)}
    with Session(growing.app.state.store.engine) as session:  # type: ignore[attr-defined]
        for day, (euro, dollar) in rates.items():
            session.add(
                FxRate(
                    currency="CNY", day=day, source="made up", per_eur=euro, per_usd=dollar, file="f", sha256="0" * 64
                )
            )
        session.commit()
    url = "/v1/markets/CEA/periods?by=month"
    november, december, january = get(growing, f"{url}&currency=EUR")
    assert november["last_day"] == november["rate_day"] == "2024-11-28"
    assert november["value_in_currency"] == november["value_fen"] / 100 * 0.131
    assert november["vwap_in_currency_per_t"] == november["vwap_cny_per_t"] * 0.131
    assert (november["currency"], november["rate_carried_forward"], november["rate_note"]) == ("EUR", False, None)
    # The last trades of December are of the 3rd: the rate of the day before.
    assert (december["rate"], december["rate_day"], december["rate_carried_forward"]) == (0.130, "2024-12-02", True)
    assert december["value_in_currency"] == (204000 + 380000) * 0.130
    # On 2 January the rate of 2 December is 31 days old, the most there may be; a day less and there is none.
    assert january["rate_day"] == "2024-12-02"
    dollars = {row["period"]: row for row in get(growing, f"{url}&currency=USD")}
    assert dollars["2024-12"]["rate"] == 0.140
    assert (dollars["2025-01"]["value_in_currency"], dollars["2025-01"]["rate"]) == (None, None)
    assert dollars["2025-01"]["rate_note"] == no_rate("USD")
    plain = get(growing, url)[0]
    assert [plain[name] for name in CONVERTED] == [None] * len(CONVERTED)
    assert growing.get(f"{url}&currency=GBP").status_code == 422


def test_the_real_file_gives_the_printed_sums(tmp_path: Path, outside_data: Path) -> None:
    with TestClient(create_app(Settings.from_env({"GREENFIN_HOME": str(tmp_path)}))) as client:
        store = client.app.state.store  # type: ignore[attr-defined]
        with Session(store.engine) as session:
            path = outside_data / "markets" / "cneeex_2021_2023_merged.csv"
            load_trades(session, store.lake, path, market="CEA")
        for name, url in (("listBars", "bars"), ("listPeriodStatistics", "periods")):
            assert documented()[name] in get(client, f"/v1/markets/CEA/{url}")
        daily = values(client, "/v1/series/CEA.volume.d?to=2021-12-31")
        assert sum(filter(None, daily.values())) == 178789350
        value = values(client, "/v1/series/CEA.value.y")["2021"]
        assert value == 7661230022.99
        closes = [v for v in values(client, "/v1/series/CEA.close.d").values() if v is not None]
        assert (len(closes), closes[0]) == (514, 51.23)


def documented() -> dict[str, Any]:
    text = (Path(market_rows.__file__).parent / "market_examples.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_documented_series_are_answers(client: TestClient) -> None:
    assert documented()["listSeries"] in get(client, "/v1/series")
    assert documented()["getSeries"] in get(client, "/v1/series/CEA.volume.y")


def test_without_loaded_files_the_lists_are_empty_and_whole(client: TestClient) -> None:
    assert get(client, "/v1/markets/Fujian/bars") == []
    assert get(client, "/v1/markets/Fujian/periods?by=month") == []
    assert get(client, "/v1/series/Fujian.close.d?fill=forward") == []
    empty = pl.read_parquet(io.BytesIO(client.get("/v1/markets/Fujian/bars.parquet").content))
    assert empty.columns == list(market_rows.BarRow.model_fields)
