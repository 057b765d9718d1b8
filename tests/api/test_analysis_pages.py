"""Pages of analyses: the same figures as the API, links that resolve, both languages, and what cannot be shown said."""

import html
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.lang import LANGUAGES, Lang, texts
from api.pictures.catalogue import BAND_DRAWS

from .conftest import cells_of_tables

BLOCKS = (
    "gap",
    "obstacles",
    "strengths",
    "figures",
    "modes",
    "rank-bands",
    "importance",
    "rank-weights",
    "target",
    "what-if",
    "rank-years",
)
LATER = ("rank-changes", "coordination-years", "alerts", "scorecard", "paths")
WITHOUT_PICTURE = {"strengths", "figures", "modes", "target", "what-if", "alerts"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_citys_page_holds_every_analysis(client: TestClient, lang: Lang) -> None:
    page = client.get(f"/{lang}/hubs/wuhan/analyses").text
    assert re.findall(r'<h3 id="([^"]+)"', page) == [*BLOCKS, *LATER]
    assert texts("page", lang)["analyses_absent"] not in page
    images = [html.unescape(each) for each in re.findall(r'<img src="([^"]+)"', page)]
    assert len(images) == len(BLOCKS) + len(LATER) - len(WITHOUT_PICTURE)
    assert all(f"lang={lang}" in image and "hub=wuhan" in image for image in images)
    alts = re.findall(r'alt="([^"]*)"', page)
    assert len(alts) == len(images)
    assert all(alts)
    assert texts("analyses", lang)["picture_sensitivity"] in html.unescape(page)


@pytest.mark.parametrize(
    ("lang", "path"),
    [("en", "analyses"), ("zh", "hubs/wuhan/analyses?code=ecosystem.business.finance&value=by%3A10%25")],
)
def test_links_resolve(client: TestClient, lang: Lang, path: str) -> None:
    page = client.get(f"/{lang}/{path}").text
    targets = {html.unescape(found) for found in re.findall(r'(?:href|src)="(/[^"#]*)"', page)}
    assert any(target.startswith("/pictures/") for target in targets)
    assert any(target.startswith("/v1/") and ".csv" in target for target in targets)
    own = [target for target in targets if f"/{lang}/hubs/" not in target or "wuhan" in target]
    assert {target: client.get(target).status_code for target in own} == dict.fromkeys(own, 200)


def test_the_table_of_bands_is_the_apis(client: TestClient) -> None:
    page = client.get("/en/analyses?year=2021&hub=wuhan").text
    rows = client.get(f"/v1/robustness?year=2021&draws={BAND_DRAWS}&seed=1").json()
    table = cells_of_tables(page)[0]
    assert [row[:5] for row in table] == [
        [row["name_en"], str(row["rank"]), *(f"{row[name]:.1f}" for name in ("rank_median", "rank_p05", "rank_p95"))]
        for row in rows
        if row["rank"] is not None
    ]
    marked = re.findall(r'<tr class="marked">\s*<th scope="row"><a [^>]*>(.*?)</a></th>', page)
    # Bands, the wheel, tiers, two modes, who is ranked, and perception.
    assert marked == ["Wuhan"] * 7
    said = texts("analyses", "en")["picture_draws"]
    told = said.format(draws=f"{BAND_DRAWS:,}", seed=1, choices=rows[0]["choices"])
    assert told in html.unescape(page)


def test_tables_of_a_city_are_the_apis(client: TestClient) -> None:
    page = client.get("/en/hubs/wuhan/analyses?year=2022").text
    tables = cells_of_tables(page)
    gaps = [row for row in client.get("/v1/hubs/wuhan/gaps?year=2022").json() if row["kind"] == "group"]
    assert [row[0] for row in tables[0]] == [row["name_en"] for row in gaps]
    obstacles = client.get("/v1/hubs/wuhan/obstacles?year=2022&by=indicator").json()
    assert [(row[0], row[2]) for row in tables[1]] == [
        (row["name_en"], f"{row['obstacle']:.0%}") for row in obstacles if row["kind"] == "indicator"
    ]
    evidence = [row["evidence_en"] for row in client.get("/v1/hubs/wuhan/policy").json() if row["evidence_en"]]
    assert evidence
    assert all(text in html.unescape(page) for text in evidence)


def test_a_what_if_is_answered_or_refused_in_words(client: TestClient) -> None:
    url = "/en/hubs/wuhan/analyses?year=2022&code=ecosystem.business.finance"
    asked = client.get(f"{url}&value=as:shanghai").text
    (section,) = re.findall(r'<section aria-labelledby="what-if".*?</section>', asked, re.DOTALL)
    rows = client.get("/v1/what-if?hub=wuhan&year=2022&set=ecosystem.business.finance:as:shanghai").json()
    moved = [
        [row["name_en"], str(row["rank_before"]), str(row["rank_after"]), f"{row['score_before']:.1f}"]
        for row in rows
        if row["level"] == 0 and (row["hub"] == "wuhan" or row["rank_before"] != row["rank_after"])
    ]
    assert [row[:4] for row in cells_of_tables(section)[0]] == moved
    assert texts("analyses", "en")["picture_sensitivity"] in html.unescape(section)
    for value in ("<i>many", "-5", "as:atlantis"):
        page = client.get(url, params={"code": "ecosystem.business.finance", "year": 2022, "value": value})
        assert page.status_code == 200
        (section,) = re.findall(r'<section aria-labelledby="what-if".*?</section>', page.text, re.DOTALL)
        assert texts("page", "en")["analyses_absent"] in section
        assert "<i>many" not in section
    assert texts("page", "en")["analyses_absent"] in client.get(f"{url}.none&value=1").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_cannot_be_shown_is_said(client: TestClient, lang: Lang) -> None:
    page = client.get(f"/{lang}/hubs/lhasa/analyses?base=published&year=2017")
    assert page.status_code == 200
    absent = page.text.count(texts("page", lang)["analyses_absent"])
    assert absent >= 5
    assert "/pictures/scorecard.svg" in page.text
    assert "/pictures/gap.svg" not in page.text
    leader = client.get("/v1/scores?year=2022").json()[0]["hub"]
    first = client.get(f"/{lang}/hubs/{leader}/analyses?year=2022").text
    assert first.count(texts("analyses", lang)["page_is_leader"]) == 2
    assert "/pictures/gap.svg" not in first


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_are_linked_and_unknown_things_are_told(client: TestClient, lang: Lang) -> None:
    assert f'href="/{lang}/hubs/wuhan/analyses?' in client.get(f"/{lang}/hubs/wuhan").text
    assert f'href="/{lang}/analyses"' in client.get(f"/{lang}/").text
    for path in ("hubs/<i>atlantis/analyses", "analyses?year=1999", "analyses?base=none", "analyses?hub=<i>x"):
        missing = client.get(f"/{lang}/{path}")
        assert missing.status_code == 404
        assert texts("page", lang)["cannot_find"] in missing.text
        assert "<i>" not in missing.text


@pytest.mark.usefixtures("client")
def test_a_path_without_language_leads_to_the_readers(app: FastAPI) -> None:
    behind = TestClient(app, root_path="/index")
    for path in ("hubs/wuhan/analyses", "analyses"):
        url = f"/index/{path}?year=2022"
        answer = behind.get(url, headers={"accept-language": "en"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, f"/index/en/{path}?year=2022")
    page = behind.get("/index/en/analyses").text
    assert set(re.findall(r'<img src="(/[a-z]+/)', page)) == {"/index/"}


def test_the_pages_run_nothing_inline(client: TestClient) -> None:
    for path in ("analyses", "hubs/wuhan/analyses"):
        assert not re.search(r"<style|<script|\sstyle=|\son\w+=", client.get(f"/zh/{path}").text)


def test_every_figure_behind_a_city_is_on_its_page_with_its_source(client: TestClient) -> None:
    tables = cells_of_tables(client.get("/en/hubs/wuhan/analyses?year=2022").text)
    rows = client.get("/v1/hubs/wuhan/explanation?year=2022").json()
    known = [row for row in rows if row["part"] == "indicator"]
    shown = next(table for table in tables if table[0][0] == known[0]["name_en"] and table[0][-1] == known[0]["source"])
    assert [(row[0], row[-1]) for row in shown] == [(row["name_en"], row["source"]) for row in known]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_of_the_field_holds_every_analysis(client: TestClient, lang: Lang) -> None:
    page = client.get(f"/{lang}/analyses").text
    assert texts("page", lang)["analyses_absent"] not in page
    assert re.findall(r'<h3 id="([^"]+)"', page) == [
        *("rank-bands", "importance", "wheel", "tiers", "inequality"),
        *("modes", "convergence", "coverage", "perception", "validation"),
    ]
