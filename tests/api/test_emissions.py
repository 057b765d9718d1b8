"""A city's emissions over HTTP and on their page: documented rows, arithmetic on the embedded figures, plain words."""

import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from api import emission_words, emissions
from api.app import create_app
from api.lang import LANGUAGES, Lang, texts
from api.routers.emissions import DecouplingRow, EmissionsRow, EmissionTrendRow
from api.schemas import ProblemBody
from api.settings import Settings
from api.store import open_store
from api.web.emissions_chart import UPPER_FOOT, UPPER_TOP, draw_years
from carbon.embedded import read_embedded
from carbon.footprints.calculate import Calculation, left_out_schema
from carbon.footprints.runs import RunTerms, save_run
from carbon.footprints.schemas import activities_schema, factors_schema, lines_schema
from fhi.observations import observations
from green_index.bridge import carbon_panel, read_facts
from green_index.index import city_years

from .conftest import cells_of_tables, check_documented_rows

SVG = "{http://www.w3.org/2000/svg}"
URLS = {
    "/v1/hubs/wuhan/emissions": EmissionsRow,
    "/v1/hubs/%E6%AD%A6%E6%B1%89/emissions?from=2019&to=2020": EmissionsRow,
    "/v1/hubs/lhasa/emissions": EmissionsRow,
    "/v1/hubs/wuhan/decoupling": DecouplingRow,
    "/v1/hubs/wuhan/decoupling?base=2013&from=2019": DecouplingRow,
    "/v1/hubs/wuhan/emission-trends": EmissionTrendRow,
    "/v1/hubs/lhasa/emission-trends": EmissionTrendRow,
}


@pytest.mark.parametrize(("url", "row"), URLS.items())
def test_rows_are_the_documented_ones_as_json_and_csv(client: TestClient, url: str, row: type[Any]) -> None:
    check_documented_rows(client, url, row)


def embedded() -> dict[tuple[str, int], float]:
    """Wuhan's inventories as they are embedded, million tonnes."""
    rows = read_embedded("city_inventories").filter(pl.col("hub") == "wuhan")
    return {(series, year): mt for series, year, mt in rows.select("series", "year", "co2_mt").iter_rows()}


def gdp() -> dict[int, float]:
    rows = observations().filter(pl.col("hub") == "wuhan")
    return {int(period): value for period, value in rows.select("period", "gdp_100m_cny").iter_rows()}


def test_wuhan_from_2013_to_2023_is_arithmetic_on_the_embedded_figures(client: TestClient) -> None:
    mt, output = embedded(), gdp()
    rows = {int(row["period"]): row for row in client.get("/v1/hubs/wuhan/emissions").json()}
    assert list(rows) == list(range(2013, 2024))
    for year, row in rows.items():
        assert row["edgar_t"] == pytest.approx(mt["EDGAR", year] * 1e6)
        assert row["edgar_t_per_10k_cny"] == pytest.approx(mt["EDGAR", year] * 1e6 / (output[year] * 1e4))
        if year <= 2019:
            assert row["ratio"] == pytest.approx(mt["EDGAR", year] / mt["CEADS", year])
            assert row["missing"] == "footprints"
        else:
            assert (row["ceads_t"], row["ratio"], row["missing"]) == (None, None, "CEADS; footprints")
    steps = {(row["series"], row["year"]): row for row in client.get("/v1/hubs/wuhan/decoupling").json()}
    for series, year in [("EDGAR", year) for year in range(2014, 2024)] + [
        ("CEADS", year) for year in range(2014, 2020)
    ]:
        rise = mt[series, year] / mt[series, year - 1] - 1
        assert steps[series, year]["elasticity"] == pytest.approx(rise / (output[year] / output[year - 1] - 1))
    assert {steps["CEADS", year]["missing"] for year in (2021, 2022, 2023)} == {"emissions_from; emissions"}
    whole = client.get("/v1/hubs/wuhan/decoupling?base=2013&from=2023").json()
    edgar = next(row for row in whole if row["series"] == "EDGAR")
    rise = mt["EDGAR", 2023] / mt["EDGAR", 2013] - 1
    assert edgar["elasticity"] == pytest.approx(rise / (output[2023] / output[2013] - 1))
    assert (edgar["state"], edgar["gdp_basis"], len(whole)) == ("weak_decoupling", "current", 2)


def test_the_index_and_the_table_say_the_same_intensity(client: TestClient) -> None:
    store = client.app.state.store  # type: ignore[attr-defined]
    with Session(store.engine) as session:
        panel = carbon_panel(read_facts(session), city_years()).filter(pl.col("hub") == "wuhan")
    names = {"footprint.intensity": "edgar_t_per_10k_cny", "footprint.per_capita": "edgar_t_per_head"}
    names |= {"footprint.trend": "edgar_trend_3y", "quality.agreement": "abs_log_ratio"}
    rows = emissions.city_emissions(store, "wuhan")
    for code, column in names.items():
        index = panel.filter(pl.col("code") == f"sustainability_data.{code}").sort("period")["value"].to_list()
        assert rows[column].to_list() == [None if value is None else pytest.approx(value) for value in index]


def test_years_asked_for_are_told_against_the_years_before(client: TestClient) -> None:
    whole = client.get("/v1/hubs/wuhan/decoupling").json()
    part = client.get("/v1/hubs/wuhan/decoupling?from=2018&to=2019").json()
    assert part == [row for row in whole if row["year"] in (2018, 2019)]
    for span, years in (("from=2099", [2099]), ("to=1990", [1990]), ("from=2019&to=2019", [2019])):
        rows = client.get(f"/v1/hubs/wuhan/emissions?{span}").json()
        assert [int(row["period"]) for row in rows] == years


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("/v1/hubs/atlantis/emissions", 404, "unknown hub 'atlantis'"),
        ("/v1/hubs/atlantis/decoupling.csv", 404, "unknown hub 'atlantis'"),
        ("/v1/hubs/wuhan/emissions?from=soon", 422, "query.from: found soon"),
        ("/v1/hubs/wuhan/decoupling?base=1066", 422, "query.base: found 1066"),
        ("/v1/hubs/wuhan/emissions?from=2020&to=2019", 422, "query.to: found 2019; expected a year not before 2020"),
        ("/v1/hubs/wuhan/emissions.csv?from=2020&to=2019", 422, "query.to: found 2019"),
        ("/v1/hubs/wuhan/decoupling?from=2020&to=2019", 422, "query.to: found 2019"),
        ("/v1/hubs/wuhan/emission-trends?from=2020&to=2019", 422, "query.to: found 2019"),
        ("/v1/hubs/wuhan/carbon-market?from=2023-02-01&to=2023-01-31", 422, "query.to: found 2023-01-31"),
    ],
)
def test_wrong_questions_are_problems(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    ProblemBody.model_validate(answer.json())
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_wuhans_page_says_the_disagreement_plainly(client: TestClient, lang: Lang) -> None:
    answer = client.get(f"/{lang}/hubs/wuhan/emissions")
    assert (answer.status_code, answer.headers["content-language"]) == (200, lang)
    page = html.unescape(answer.text)
    mt = embedded()
    factors = {year: mt["CEADS", year] / mt["EDGAR", year] for year in range(2013, 2020)}
    text = texts("notes", lang)
    last = text["emissions_disagree"].format(year=2019, edgar="99.1", ceads="127.6", factor=f"{factors[2019]:.2f}")
    assert last in page
    assert f"{min(factors.values()):.2f}" in page
    assert f"{max(factors.values()):.2f}" in page
    assert text["emissions_ends"].format(series="CEADs", last=2019) in page
    assert text["emissions_current_prices"] in page
    assert text["emissions_no_footprints"] in page
    assert "CC BY 4.0" in page
    assert "2013–2023" in page


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("hub", ["wuhan", "lhasa"])
def test_tables_hold_the_rows_of_the_api(client: TestClient, lang: Lang, hub: str) -> None:
    years, trends, states, *_ = cells_of_tables(client.get(f"/{lang}/hubs/{hub}/emissions").text)
    rows = client.get(f"/v1/hubs/{hub}/emissions").json()
    assert [shown[0] for shown in years] == [row["period"] for row in rows]
    for shown, row in zip(years, rows, strict=True):
        assert shown[1] == f"{row['edgar_t'] / 1e6:,.2f}"
        assert shown[4] == f"{row['edgar_t_per_10k_cny']:.3f}"
        wanted = "—" if row["ceads_t"] is None else f"{row['ceads_t'] / 1e6:,.2f}"
        assert shown[2].split(" ")[0] == wanted
    assert len(trends) == len(client.get(f"/v1/hubs/{hub}/emission-trends").json())
    steps = client.get(f"/v1/hubs/{hub}/decoupling").json()
    named = {row["year"]: row[f"state_{lang}"] for row in steps if row["series"] == "EDGAR"}
    assert {int(shown[0]): shown[1].rsplit(" ", 1)[0] for shown in states} == named


def test_the_picture_breaks_where_an_inventory_ends(client: TestClient) -> None:
    (found,) = re.findall(r'<svg class="chart-svg".*?</svg>', client.get("/en/hubs/wuhan/emissions").text, re.DOTALL)
    svg = ElementTree.fromstring(found)
    paths = [(path.get("class"), path.get("d") or "") for path in svg.iter(f"{SVG}path")]
    assert [name for name, _ in paths] == ["line line-edgar", "line line-ceads"] * 2
    assert [path.count("L") for _, path in paths] == [10, 6, 10, 6]
    assert len(list(svg.iter(f"{SVG}circle"))) == 2 * (11 + 7)
    assert svg.findtext(f"{SVG}title") == svg.get("aria-label")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_are_linked_and_unknown_cities_are_told(client: TestClient, lang: Lang) -> None:
    assert f'href="/{lang}/hubs/wuhan/emissions"' in client.get(f"/{lang}/hubs/wuhan").text
    page = client.get(f"/{lang}/hubs/wuhan/emissions").text
    targets = {html.unescape(target) for target in re.findall(r'href="(/[^"#]*)"', page)}
    assert {f"/{lang}/hubs/wuhan", "/v1/hubs/wuhan/emissions", "/v1/hubs/wuhan/emissions.csv"} <= targets
    assert f"/{lang}/hubs/shanghai/emissions" in targets
    own = [target for target in targets if "/hubs/" not in target or "wuhan" in target]
    assert {client.get(target).status_code for target in own} == {200}
    missing = client.get(f"/{lang}/hubs/<i>atlantis/emissions")
    assert missing.status_code == 404
    assert "<i>atlantis" not in missing.text
    assert texts("page", lang)["cannot_find"] in missing.text


@pytest.mark.usefixtures("client")
def test_a_path_without_language_leads_to_the_readers(app: FastAPI) -> None:
    behind = TestClient(app, root_path="/index")
    answer = behind.get("/index/hubs/wuhan/emissions", headers={"accept-language": "en"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/index/en/hubs/wuhan/emissions")


def test_the_page_runs_nothing_inline(client: TestClient) -> None:
    page = client.get("/zh/hubs/wuhan/emissions").text
    assert not re.search(r"<style|<script|\sstyle=|\son\w+=", page)


@pytest.fixture(scope="module")
def footprints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The application on a home where a run of Wuhan's and of Beijing's companies in 2019 is stored."""
    settings = Settings.from_env({"GREENFIN_HOME": str(tmp_path_factory.mktemp("home"))})
    store_footprints(settings)
    with TestClient(create_app(settings)) as opened:
        yield opened


def store_footprints(settings: Settings) -> None:
    year = {"first_day": date(2019, 1, 1), "last_day": date(2019, 12, 31), "recorded": date(2020, 1, 30)}
    plain = {**dict.fromkeys(lines_schema()), **year, "biogenic": False, "factor_ids": ["f"], "gwp_set": "AR5GWP100"}
    plant = {**plain, "entity": "plant", "hub": "wuhan", "sector": "<b>steel", "evidence": "metered", "pcaf": 2}
    rows = [
        {**plant, "activity_id": "a", "scope": 1, "gas": "CO2", "co2e_kg": 991_490_000.0},
        {**plant, "activity_id": "b", "scope": 2, "method": "location", "gas": "CO2e", "co2e_kg": 5_000.0},
        {**plain, "activity_id": "c", "entity": "x", "hub": "beijing", "scope": 1, "gas": "CO2", "co2e_kg": 1.0},
    ]
    lines = pl.DataFrame(rows, schema=lines_schema(), orient="row")
    activities = pl.DataFrame(schema=activities_schema())
    store = open_store(settings)
    with Session(store.engine) as session:
        made = Calculation(lines, pl.DataFrame(schema=left_out_schema()), (), 3)
        save_run(session, made, activities, pl.DataFrame(schema=factors_schema()), RunTerms(), created_us=1)
    store.close()


def test_footprints_stand_beside_the_inventory(footprints: TestClient) -> None:
    rows = {row["period"]: row for row in footprints.get("/v1/hubs/wuhan/emissions").json()}
    row = rows["2019"]
    assert (row["bottom_up_scope_1_t"], row["bottom_up_scope_2_location_t"], row["bottom_up_entities"]) == (
        991490,
        5,
        1,
    )
    assert row["bottom_up_share_of_edgar"] == pytest.approx(991_490 / 99.149e6)
    assert (row["missing"], row["edgar_t"]) == (None, pytest.approx(99.149e6))
    assert rows["2018"]["bottom_up_scope_1_t"] is None
    page = footprints.get("/en/hubs/wuhan/emissions").text
    said = texts("notes", "en")["emissions_footprints_share"].format(year=2019, entities=1, share="1.00%")
    assert said in html.unescape(page)
    assert "&lt;b&gt;steel" in page
    assert "<b>steel" not in page
    assert [row[3:] for row in cells_of_tables(page)[3]] == [["1", "991,490.0"], ["1", "5.0"]]


def test_footprints_reach_the_index(footprints: TestClient) -> None:
    store = footprints.app.state.store  # type: ignore[attr-defined]
    with Session(store.engine) as session:
        panel = carbon_panel(read_facts(session), city_years())
    found = panel.filter(pl.col("code").str.starts_with("sustainability_data.quality"), pl.col("period") == "2019")
    own = dict(found.filter(pl.col("hub") == "wuhan").select("code", "value").iter_rows())
    quality = "sustainability_data.quality"
    assert (own[f"{quality}.coverage"], own[f"{quality}.score"], own[f"{quality}.timeliness"]) == (1.0, 2.0, 30.0)
    beijing = dict(found.filter(pl.col("hub") == "beijing").select("code", "value").iter_rows())
    assert (beijing[f"{quality}.coverage"], beijing[f"{quality}.score"]) == (0.0, None)


def test_gaps_inside_the_years_are_named() -> None:
    schema = {"period": pl.String, "edgar_t": pl.Float64, "ceads_t": pl.Float64, "ratio": pl.Float64}
    rows = pl.DataFrame(
        [
            ("2013", 1.0, 1.0, 1.0),
            *((str(year), 1.0, None, None) for year in (2014, 2015, 2016)),
            ("2017", 1.0, 1.0, 1.0),
        ],
        schema=schema,
        orient="row",
    ).with_columns(abs_log_ratio=pl.col("ratio").log())
    states = pl.DataFrame(schema={"series": pl.String, "year": pl.Int32, "state": pl.String})
    said = emission_words.disagreement(rows, states, "en")
    assert said[-1] == "CEADs has no figure for 2014-2016: nothing is filled in."
    assert not [sentence for sentence in said if "no year after" in sentence]


figures = st.lists(st.one_of(st.none(), st.floats(0.001, 1e9)), min_size=1, max_size=30)


@given(figures)
def test_every_figure_is_a_dot_inside_the_picture(values: list[float | None]) -> None:
    chart = draw_years(range(2000, 2000 + len(values)), {"a": values}, {"a": values})
    known = [value for value in values if value is not None]
    assert (chart is None) == (not known)
    if chart is not None:
        dots = chart.upper.dots["a"]
        assert len(dots) == len(known)
        assert all(UPPER_TOP - 0.1 <= y <= UPPER_FOOT + 0.1 for _, y in dots)
        order = sorted(range(len(known)), key=lambda at: known[at])
        heights = [dots[at][1] for at in order]
        assert heights == sorted(heights, reverse=True)
        assert chart.upper.lines["a"].count("M") + chart.upper.lines["a"].count("L") == len(known)


def test_a_file_of_deflators_is_read_for_the_city(client: TestClient, tmp_path: Path) -> None:
    """Prices that double each year turn growth into a fall."""
    path = tmp_path / "prices.csv"
    path.write_text("hub,year,deflator\n武汉,2018,1\nwuhan,2019,2\nxian,2018,7\nyichang,2019,1\n", encoding="utf-8")
    told = emissions.decoupling(client.app.state.store, "wuhan", range(2019, 2020), None, path)  # type: ignore[attr-defined]
    row = told.rows.filter(pl.col("series") == "EDGAR").row(0, named=True)
    rise = 99.149 / 92.62 - 1
    assert row["elasticity"] == pytest.approx(rise / (16223.21 / 2 / 14847.29 - 1))
    assert (row["state"], row["gdp_basis"]) == ("strong_negative_decoupling", "constant")
    assert emission_words.prices(told.rows, "en") == texts("notes", "en")["emissions_constant_prices"]
