"""The pages over the real application: same numbers as the API, both languages, nothing from outside."""

import base64
import csv
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import api
from api.lang import LANGUAGES, Lang, texts
from api.web.render import format_figure, format_percent, format_score
from api.web.texts import preferred_language

WEB = Path(api.__file__).parent / "web"
PAGES = (
    "/{lang}/",
    "/{lang}/?year=2023&base=published&hub=wuhan",
    "/{lang}/hubs/wuhan",
    "/{lang}/hubs/lhasa?base=published&year=2020",
    "/{lang}/method",
    "/{lang}/method?framework=fhi-2017",
    "/{lang}/hubs/atlantis",
)


class Reader(HTMLParser):
    """Tags with their attributes, cell texts of each table, and all text of one page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.inside.append(tag)
        if tag == "br" and self.inside:
            self.tables[-1][-1][-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][-1][-1] += data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def rows_of(table: list[list[str]]) -> list[list[str]]:
    return [[" ".join(cell.split()) for cell in row] for row in table[1:]]


def get(client: TestClient, path: str) -> Reader:
    return Reader(client.get(path).text)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_answers_in_its_language(client: TestClient, lang: Lang, page: str) -> None:
    answer = client.get(page.format(lang=lang))
    assert answer.status_code == (404 if "atlantis" in page else 200)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == lang
    reader = Reader(answer.text)
    assert reader.find("html") == [{"lang": {"zh": "zh-CN", "en": "en"}[lang]}]
    alternates = {link["hreflang"]: link["href"] for link in reader.find("link") if link["rel"] == "alternate"}
    assert alternates == {each: page.format(lang=each) for each in LANGUAGES}
    assert len(reader.find("h1")) == 1


@pytest.mark.parametrize(
    ("accept", "lang"),
    [
        ("", "zh"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh;q=0.7", "zh"),
        ("fr, en;q=0.2", "en"),
        ("fr", "zh"),
        ("*", "zh"),
        ("en;q=x", "zh"),
    ],
)
def test_the_front_door_leads_to_the_readers_language(client: TestClient, accept: str, lang: str) -> None:
    answer = client.get("/?year=2021", headers={"accept-language": accept}, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/{lang}/?year=2021"
    assert answer.headers["vary"] == "Accept-Language"
    assert preferred_language(accept) == lang


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("year", "base"), [(2022, "open"), (2023, "open"), (2013, "open"), (2022, "published")])
def test_the_ranking_shows_the_rows_of_the_api(client: TestClient, lang: Lang, year: int, base: str) -> None:
    rows = client.get(f"/v1/scores?year={year}&base={base}").json()
    html = client.get(f"/{lang}/?year={year}&base={base}").text
    tables = [rows_of(table) for table in Reader(html).tables]
    groups = [code for code in ("fintech", "carbon_finance", "sustainability_data") if code in rows[0]]

    def parts(row: dict[str, float | None]) -> list[str]:
        values = [row[code] for code in groups]
        return [f"{value:.1f}" if value is not None else "—" for value in values]

    ranked = [row for row in rows if row["rank"] is not None]
    for row, cells in zip(ranked, tables[0], strict=True):
        wanted = [row[f"name_{lang}"], f"{row['score']:.1f}", *parts(row), f"{row['coverage']:.0%}"]
        assert cells[0].lstrip("=") == str(row["rank"])
        assert cells[1:] == wanted
    unranked = [row for row in rows if row["rank"] is None]
    shown = tables[1] if unranked else []
    for row, cells in zip(unranked, shown, strict=True):
        wanted = [row[f"name_{lang}"], *parts(row), f"{row['coverage']:.0%}"]
        assert [cell.split(" ")[0] if cell.startswith("—") else cell for cell in cells[:-1]] == wanted
        assert cells[-1] == row["reason_zh" if lang == "zh" else "reason"]
        assert cells[-1]
    assert len(ranked) + len(unranked) == 37
    assert rows[0]["edition"] in html


def test_hubs_are_unranked_on_the_printed_base_and_say_why(client: TestClient) -> None:
    unranked = rows_of(get(client, "/en/?base=published").tables[1])
    assert len(unranked) == 17
    assert all(row[-1] for row in unranked)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_links_of_the_ranking_give_the_same_rows_as_data(client: TestClient, lang: Lang) -> None:
    reader = get(client, f"/{lang}/?year=2021&base=published")
    links = [link["href"] or "" for link in reader.find("a")]
    as_json = next(link for link in links if link.startswith("/v1/scores?"))
    as_csv = next(link for link in links if link.startswith("/v1/scores.csv?"))
    rows = client.get(as_json).json()
    assert {(row["year"], row["base"]) for row in rows} == {(2021, "published")}
    table = list(csv.DictReader(client.get(as_csv).content.decode("utf-8-sig").splitlines()))
    assert [row["hub"] for row in table] == [row["hub"] for row in rows]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("hub", ["wuhan", "shanghai", "lhasa"])
def test_the_city_page_shows_the_rows_of_the_api(client: TestClient, lang: Lang, hub: str) -> None:
    rows = client.get(f"/v1/hubs/{hub}/standing?year=2022").json()
    groups, back, leads, years = (rows_of(table) for table in get(client, f"/{lang}/hubs/{hub}?year=2022").tables)
    by_name = {(row[f"name_{lang}"], f"{row['score']:.1f}") for row in rows if row["kind"] == "score"}
    assert {(cells[0], cells[1]) for cells in groups} == by_name
    for kind, table in (("holds_back", back), ("leads", leads)):
        wanted = [
            [row[f"name_{lang}"], f"{row['points']:.1f}", f"{row['score']:.1f}"] for row in rows if row["kind"] == kind
        ]
        assert [cells[:3] for cells in table] == wanted
        sources = [row["source"] for row in rows if row["kind"] == kind]
        assert [cells[-1] for cells in table] == sources
    every = client.get(f"/v1/hubs/{hub}/standing").json()
    totals = [row for row in every if row["level"] == 0]
    assert [cells[0][:4] for cells in years] == [str(row["year"]) for row in reversed(totals)]
    assert [cells[2] for cells in years] == [f"{row['score_pooled']:.1f}" for row in reversed(totals)]
    assert [cells[3] for cells in years] == [f"{row['score']:.1f}" for row in reversed(totals)]


def test_the_city_page_compares_with_the_best_other_city_unless_one_is_named(client: TestClient) -> None:
    best = [row["hub"] for row in client.get("/v1/scores").json()[:2]]

    def compared(path: str) -> str:
        block = re.search(r'id="page-data">(.*?)</script>', client.get(path).text)
        assert block
        return str(json.loads(block[1])["chart"]["other"]["hub"])

    assert compared("/zh/hubs/wuhan") == next(hub for hub in best if hub != "wuhan")
    assert compared(f"/zh/hubs/{best[0]}") == best[1]
    assert compared("/zh/hubs/wuhan?vs=beijing") == "beijing"
    assert compared("/zh/hubs/wuhan?vs=wuhan") == compared("/zh/hubs/wuhan")


def test_radar_and_table_of_the_other_city_hold_the_same_scores(client: TestClient) -> None:
    html = client.get("/en/hubs/wuhan?vs=lhasa&base=published").text
    block = re.search(r'id="page-data">(.*?)</script>', html)
    assert block
    chart = json.loads(block[1])["chart"]
    rows = client.get("/v1/hubs/lhasa/standing?year=2022&base=published").json()
    theirs = {row["code"]: row["score"] for row in rows if row["kind"] == "score"}
    assert chart["otherScores"] == theirs
    assert theirs["green"] is None
    shown = [cells[2].split(" ")[0] for cells in rows_of(Reader(html).tables[0])]
    assert shown[0] == "—"
    assert len(chart["axes"]) >= 3


def test_a_year_with_markets_in_part_says_so(client: TestClient) -> None:
    assert "part of year" in client.get("/en/?year=2023").text
    reader = get(client, "/en/hubs/shenzhen?year=2023")
    partial = [cells[0] for cells in rows_of(reader.tables[-1]) if "some markets in part" in cells[0]]
    assert "2023 some markets in part" in partial
    assert "非全年" in client.get("/zh/hubs/shenzhen?year=2023").text


@pytest.mark.parametrize("framework", ["green", "fhi", "fhi-2017", "green-2017"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_method_page_shows_every_node(client: TestClient, lang: Lang, framework: str) -> None:
    nodes = client.get(f"/v1/frameworks/{framework}").json()
    tables = get(client, f"/{lang}/method?framework={framework}").tables
    groups = [cells[0].split(" ")[-1] for cells in rows_of(tables[0])]
    assert sorted(groups) == sorted(node["code"] for node in nodes if node["kind"] == "group")
    leaves = {cells[0].split(" ")[-1]: cells for table in tables[1:] for cells in rows_of(table)}
    indicators = [node for node in nodes if node["kind"] == "indicator"]
    assert set(leaves) == {node["code"] for node in indicators}
    for node in indicators:
        cells = leaves[node["code"]]
        shown = " ".join(cells)
        unit = "unit_zh" if lang == "zh" else "unit"
        meaning = (f"definition_{lang}", f"null_means_{lang}", f"zero_means_{lang}")
        for column in ("name_zh", "name_en", *meaning, unit, "source"):
            assert " ".join(node[column].split()) in shown
        weight = "—" if node["weight"] is None else f"{node['weight']:.1%}"
        assert cells[-1].startswith(weight)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_note_of_the_year_is_on_the_ranking_page_in_its_language(client: TestClient, lang: Lang) -> None:
    notes = client.get("/v1/notes?year=2022").json()
    assert notes
    page = client.get(f"/{lang}/?year=2022").text
    for note in notes:
        assert html.escape(note[f"text_{lang}"], quote=False) in page


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    [
        "/hubs/atlantis",
        "/hubs/wuhan?vs=atlantis",
        "/?hub=atlantis",
        "/?year=1999",
        "/?year=abc",
        "/?year=2014&base=published",
        "/hubs/wuhan?year=99999999999999999999",
        "/?base=nonsense",
        "/method?framework=nonsense",
        "/no/such/page",
    ],
)
def test_what_is_unknown_is_a_page_in_the_language(client: TestClient, lang: Lang, path: str) -> None:
    answer = client.get(f"/{lang}{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{texts('page', lang)['cannot_find']}</h1>" in answer.text


def test_the_api_still_answers_problems_in_json(client: TestClient) -> None:
    assert client.get("/v1/hubs/atlantis").headers["content-type"] == "application/problem+json"


def test_a_city_is_found_by_name_and_code(client: TestClient) -> None:
    assert client.get("/zh/hubs/武汉").text.count("<h1>武汉") == 1
    assert client.get("/en/hubs/420100").text.count("<h1>Wuhan") == 1


def test_what_a_reader_types_is_escaped(client: TestClient) -> None:
    evil = "<script>alert(1)</script>"
    for path in ("/en/hubs/x", "/en/", "/en/method"):
        html = client.get(path, params={"vs": evil, "hub": evil, "framework": evil, "year": evil}).text
        assert evil not in html
        assert "&lt;script&gt;" in html or "/hubs/x" in html
    assert evil not in client.get("/zh/", params={"q": f'"{evil}'}).text


@pytest.mark.usefixtures("client")
def test_links_keep_the_prefix_of_a_proxy(app: FastAPI) -> None:
    behind = TestClient(app, root_path="/index")
    answer = behind.get("/index/en/hubs/wuhan?year=2021")
    assert answer.status_code == 200
    reader = Reader(answer.text)
    targets = [tag.get("href") or tag.get("src") for tag in (*reader.find("a"), *reader.find("link"))]
    assert {target for target in targets if target and not target.startswith(("/index/", "#"))} == set()
    assert "/index/zh/hubs/wuhan?year=2021" in targets
    assert behind.get("/index/", follow_redirects=False).headers["location"] == "/index/zh/"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_pages_take_nothing_from_outside_and_run_nothing_inline(client: TestClient, lang: Lang, page: str) -> None:
    answer = client.get(page.format(lang=lang))
    reader = Reader(answer.text)
    for _tag, attributes in reader.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "srcset", "poster"):
            target = attributes.get(name)
            assert target is None or re.match(r"(/(?!/)|#)", target), target
    for script in reader.find("script"):
        assert "src" in script or script.get("type") == "application/json"
    assert not reader.find("style")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_own_scripts_and_styles_name_no_other_host() -> None:
    files = [path for path in (WEB / "static").glob("*") if path.suffix in (".css", ".js")]
    assert len(files) >= 4
    for path in files:
        assert "//" not in re.sub(r"(^|\s)//.*", "", path.read_text(encoding="utf-8")), path.name


def test_linked_files_are_served(client: TestClient) -> None:
    reader = get(client, "/zh/hubs/wuhan")
    files = [tag.get("src") or tag.get("href") for tag in (*reader.find("script"), *reader.find("link"))]
    served = [target for target in files if target and target.startswith("/static/")]
    assert len(served) == 4
    for target in (*served, "/static/vendor/echarts/LICENSE", "/static/vendor/echarts/NOTICE"):
        assert client.get(target).status_code == 200


def test_every_internal_link_leads_somewhere(client: TestClient) -> None:
    found: set[str] = set()
    for page in PAGES[:-1]:
        for link in get(client, page.format(lang="en")).find("a"):
            target = (link["href"] or "").split("#")[0]
            found |= {target} if target else set()
    assert len(found) > 50
    assert {client.get(target).status_code for target in found} == {200}


def test_vendored_library_is_the_file_that_its_source_names() -> None:
    folder = WEB / "static" / "vendor" / "echarts"
    content = (folder / "echarts.min.js").read_bytes()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    stated = re.findall(r"sha512-[A-Za-z0-9+/=]+", (folder / "SOURCE.md").read_text())
    assert integrity == stated[1]
    assert f"{len(content)} bytes" in (folder / "SOURCE.md").read_text()
    assert "Apache License" in (folder / "LICENSE").read_text()
    assert (folder / "NOTICE").is_file()
    assert (folder / "licenses" / "LICENSE-d3").is_file()


def test_both_languages_have_the_same_texts_with_the_same_places() -> None:
    zh, en = texts("page", "zh"), texts("page", "en")
    assert list(zh) == sorted(zh)
    assert list(zh) == list(en)
    for key in zh:
        assert set(re.findall(r"\{\w*\}", zh[key])) == set(re.findall(r"\{\w*\}", en[key])), key
        assert zh[key].strip()


def test_no_text_is_left_unused() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (*WEB.glob("templates/*.html"), *WEB.glob("static/*.js"))
    )
    families = r"(base|framework|rule|weight|status|step|transform|cannot_find|reason|remark)_|.*_means$"
    unused = [
        key
        for key in texts("page", "en")
        if not re.match(families, key) and not re.search(rf"\b{key.removeprefix('js_')}\b", sources)
    ]
    assert unused == []


def test_figures_are_written_for_readers() -> None:
    assert [format_score(value) for value in (79.66, -0.25, 100.0)] == ["79.7", "−0.2", "100.0"]
    assert [format_figure(value) for value in (268545751.51, 0.97934, -0.0123, 0.0)] == [
        "268,545,752",
        "0.9793",
        "−0.0123",
        "0",
    ]
    assert [format_percent(1 / 3), format_percent(0.5396, 1)] == ["33%", "54.0%"]
