"""The market's page over the real application: the numbers of the API, in a picture and in tables."""

import html
import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from api.app import create_app
from api.lang import LANGUAGES, Lang, texts
from api.settings import Settings
from api.web.market_chart import (
    LEFT,
    PRICE_FOOT,
    PRICE_TOP,
    RIGHT,
    VOLUME_FOOT,
    VOLUME_TOP,
    choose_bucket,
    draw_chart,
    nice_steps,
)
from carbon.loading import load_trades

from .conftest import cells_of_tables

SVG = "{http://www.w3.org/2000/svg}"
MOST_BYTES = 300_000


def picture(page: str) -> ElementTree.Element:
    """The chart of a page, which must be well-formed."""
    (found,) = re.findall(r'<svg class="chart-svg".*?</svg>', page, re.DOTALL)
    return ElementTree.fromstring(found)


def path_of(svg: ElementTree.Element, name: str) -> str:
    return next((path.get("d") or "" for path in svg.iter(f"{SVG}path") if path.get("class") == name), "")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("market", ["CEA", "Hubei", "hbea", "Fujian"])
def test_every_market_has_a_page_in_both_languages(client: TestClient, lang: Lang, market: str) -> None:
    answer = client.get(f"/{lang}/markets/{market}")
    assert (answer.status_code, answer.headers["content-language"]) == (200, lang)
    names = client.get("/v1/markets").json()
    for row in names:
        assert f"/{lang}/markets/{row['market']}" in answer.text
        assert row[f"name_{lang}"] in answer.text
    assert len(re.findall("<h1", answer.text)) == 1
    assert f'hreflang="{lang}" href="/{lang}/markets/{market}"' in answer.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_unknown_market_is_a_page_that_lists_the_markets(client: TestClient, lang: Lang) -> None:
    answer = client.get(f"/{lang}/markets/<i>MARS")
    assert answer.status_code == 404
    assert "&lt;i&gt;MARS" in answer.text
    assert "<i>MARS" not in answer.text
    assert f"/{lang}/markets/Hubei" in answer.text
    assert texts("page", lang)["cannot_find"] in answer.text


@pytest.mark.usefixtures("client")
def test_a_path_without_language_leads_to_the_readers(app: FastAPI, client: TestClient) -> None:
    answer = client.get("/markets/CEA", headers={"accept-language": "en"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/en/markets/CEA")
    behind = TestClient(app, root_path="/index")
    answer = behind.get("/index/markets/CEA", headers={"accept-language": "zh"}, follow_redirects=False)
    assert answer.headers["location"] == "/index/zh/markets/CEA"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("market", ["CEA", "Beijing"])
def test_without_files_the_page_shows_the_embedded_years_and_how_to_load(
    client: TestClient, lang: Lang, market: str
) -> None:
    page = client.get(f"/{lang}/markets/{market}").text
    assert f"greenfin load trades FILE --market {market}" in page
    rows = client.get(f"/v1/markets/{market}/statistics?by=year").json()
    shown = cells_of_tables(page)[0]
    assert [cells[0][:4] for cells in shown] == [row["period"] for row in reversed(rows)]
    assert [cells[1] for cells in shown] == [f"{row['volume_t']:,}" for row in reversed(rows)]
    assert [cells[3] for cells in shown] == [f"{row['vwap_cny_per_t']:,.2f}" for row in reversed(rows)]
    svg = picture(page)
    # One level of the average price a year, and one bar.
    assert path_of(svg, "price").count("M") == len(rows)
    assert path_of(svg, "bar-all").count("M") == len(rows)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_picture_breaks_where_nothing_was_traded_and_tells_methods_apart(traded: TestClient, lang: Lang) -> None:
    page = traded.get(f"/{lang}/markets/CEA").text
    svg = picture(page)
    # Closes of 28 November, 2 December and 2 January, with a session without a close before each of the later ones.
    assert path_of(svg, "price").count("M") == 3
    assert path_of(svg, "bar-listing").count("M") == 3
    assert path_of(svg, "bar-block").count("M") == 2
    assert path_of(svg, "bar-auction") == ""
    assert svg.get("role") == "img"
    title, description = svg.findtext(f"{SVG}title"), svg.findtext(f"{SVG}desc")
    assert title == svg.get("aria-label")
    assert description
    for figure in ("2024-11-28", "2025-01-02", "17,600", "97.00", f"{14000 / 17600:.1%}"):
        assert figure in description
    assert html.escape(description.split(". ")[0]) in page.split("</svg>")[-1]


def test_the_tables_hold_the_rows_of_the_api(traded: TestClient) -> None:
    years, months, _wuhan = cells_of_tables(traded.get("/en/markets/CEA").text)
    for shown, by in ((years, "year"), (months, "month")):
        rows = traded.get(f"/v1/markets/CEA/statistics?by={by}").json()[::-1]
        assert len(shown) == len(rows)
        for cells, row in zip(shown, rows, strict=True):
            assert cells[0].startswith(row["period"])
            assert cells[1:4] == [
                f"{row['volume_t']:,}",
                f"{row['value_cny'] / 1e6:,.2f}",
                f"{row['vwap_cny_per_t']:,.2f}",
            ]
            assert cells[5] == str(row["sessions"])
            wanted = "—" if row["block_share"] is None else f"{row['block_share']:.0%}"
            assert cells[7].split(" ")[0] == wanted


def test_a_loaded_year_that_is_less_than_the_embedded_one_says_so(traded: TestClient) -> None:
    rows = traded.get("/v1/markets/CEA/statistics", params={"by": "year"}).json()
    notes = [row["note"] for row in rows if row["origin"] == "loaded" and row["note"]]
    assert any("embedded volume" in note for note in notes)
    page = html.unescape(traded.get("/en/markets/CEA").text)
    assert all(note in page for note in notes)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("market", "role"), [("CEA", "custody"), ("Hubei", "exchange"), ("Tianjin", "none")])
def test_wuhans_part_is_that_of_the_rows(client: TestClient, lang: Lang, market: str, role: str) -> None:
    page = client.get(f"/{lang}/markets/{market}").text
    assert texts("page", lang)[f"market_wuhan_{role}"].format(since="2021-07-16") in html.unescape(page)
    assert f'href="/{lang}/hubs/wuhan"' in page
    shown = {cells[0]: cells[1:] for cells in cells_of_tables(page)[-1]}
    rows = client.get("/v1/hubs/wuhan/carbon-market?by=year").json()
    assert list(shown) == [row["period"] for row in reversed(rows)]
    for row in rows:
        tonnes = [row[name] for name in ("custody_volume_t", "pilot_screen_volume_t", "pilot_all_venue_volume_t")]
        wanted = ["—" if each is None else f"{each:,}" for each in tonnes]
        assert [cell.split(" ")[0] for cell in shown[row["period"]][:3]] == wanted
    national = {row["period"]: row["volume_t"] for row in client.get("/v1/markets/CEA/statistics?by=year").json()}
    assert shown["2022"][0] == f"{national['2022']:,}"
    # Of 2022 the figures of four pilots are lower bounds, so that Hubei's share is at most this.
    known = next(row for row in rows if row["period"] == "2022")
    assert shown["2022"][3] == f"≤ {known['pilot_volume_t'] / known['pilots_known_t']:.1%}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_takes_nothing_from_outside_and_links_to_what_is_there(traded: TestClient, lang: Lang) -> None:
    answer = traded.get(f"/{lang}/markets/CEA")
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script", answer.text)
    targets = set(re.findall(r'(?:href|src)="([^"]+)"', answer.text))
    assert all(re.match(r"(/(?!/)|#)", target) for target in targets)
    found = {target.replace("&amp;", "&").split("#")[0] for target in targets}
    assert {traded.get(target).status_code for target in found if target} == {200}
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_eleven_years_of_days_stay_small(tmp_path: Path, outside_data: Path) -> None:
    with TestClient(create_app(Settings.from_env({"GREENFIN_HOME": str(tmp_path)}))) as client:
        store = client.app.state.store  # type: ignore[attr-defined]
        with Session(store.engine) as session:
            load_trades(session, store.lake, outside_data / "markets" / "raw_wind_HBEA.csv.gz", market="Hubei")
        answer = client.get("/zh/markets/Hubei")
        days = client.get("/v1/markets/Hubei/bars").json()
    assert len(days) > 2500
    assert len(answer.content) < MOST_BYTES
    drawn = path_of(picture(answer.text), "price")
    assert len(re.findall("[ML]", drawn)) == sum(row["close_fen_per_t"] is not None for row in days)
    # This feed prints screen trades only: blocks are unknown, and the page says so.
    assert texts("page", "zh")["market_blocks_unknown"] in answer.text


# --- geometry ---------------------------------------------------------------------------------------------------------


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(2, 8))
def test_round_figures_enclose_what_is_drawn_evenly(one: float, two: float, most: int) -> None:
    low, high = sorted((one, two))
    steps = nice_steps(low, high, most)
    width = max(high, 1.0) * 1e-6
    assert steps[0] <= low + width
    assert steps[-1] >= high - width
    assert 2 <= len(steps) <= most + 2
    gaps = [after - before for before, after in pairwise(steps)]
    assert max(gaps) - min(gaps) <= max(gaps) * 1e-6
    assert min(gaps) > 0


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0.01, 1000)), min_size=1, max_size=40)
)
def test_everything_is_drawn_within_its_panel_and_bars_stack(days: list[tuple[int, int, float]]) -> None:
    start = date(2024, 1, 1)
    dates = [start + timedelta(days=at) for at in range(len(days))]
    prices = pl.DataFrame({"day": dates, "price": [price for *_, price in days], "breaks": [False] * len(days)})
    amounts = pl.DataFrame(
        {
            "method": ["listing"] * len(days) + ["block"] * len(days),
            "start": dates * 2,
            "end": dates * 2,
            "volume_t": [listed for listed, *_ in days] + [block for _, block, _ in days],
        }
    )
    chart = draw_chart(prices, amounts, "day")
    points = [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", chart.price_path)]
    assert len(points) == len(days)
    assert all(LEFT <= x <= RIGHT and PRICE_TOP <= y <= PRICE_FOOT for x, y in points)
    highest = min(range(len(days)), key=lambda at: points[at][1])
    assert days[highest][2] >= max(price for *_, price in days) * 0.99
    tops: dict[str, list[tuple[float, float]]] = {}
    for method, path in chart.bars.items():
        shapes = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)", path)
        tops[method] = [(float(foot), float(top)) for _, foot, top, _ in shapes]
        assert all(LEFT - 0.1 <= float(left) < float(right) + 0.1 <= RIGHT + 0.2 for left, _, _, right in shapes)
        assert all(VOLUME_TOP <= top <= foot <= VOLUME_FOOT for foot, top in tops[method])
    if all(listed and block for listed, block, _ in days):
        assert [foot for foot, _ in tops["block"]] == [top for _, top in tops["listing"]]


def test_one_bar_stands_for_more_where_there_are_many_days() -> None:
    assert [choose_bucket(days) for days in (1, 130, 131, 640, 641, 2500)] == [
        "day",
        "day",
        "week",
        "week",
        "month",
        "month",
    ]
