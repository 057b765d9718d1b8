"""The pages in a real browser: drawn, sorted, compared, from this machine alone. Skipped where there is no Chromium."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from api.lang import LANGUAGES, Lang, texts

PAGES = (
    "/{lang}/?base=published&hub=wuhan",
    "/{lang}/hubs/wuhan",
    "/{lang}/hubs/lhasa?base=published",
    "/{lang}/method",
    "/{lang}/hubs/atlantis",
)
WIDTHS = (390, 1280)

DRAWN: Final = """id => {
  const svg = document.querySelector(`#${id} svg`);
  return svg ? svg.querySelectorAll('path, text').length : 0;
}"""
"""How many shapes and texts a chart holds."""

GLYPHS: Final = """() => {
  const pixels = (text) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const pen = canvas.getContext('2d');
    pen.font = '48px ' + getComputedStyle(document.body).fontFamily;
    pen.fillText(text, 4, 50);
    return pen.getImageData(0, 0, 64, 64).data.join();
  };
  const [wu, han, none, unassigned, empty] = ['武', '汉', '\\uffff', '\\u2fe0', ' '].map(pixels);
  return { wu, han, none, unassigned, empty };
}"""
"""Pictures of two Chinese characters, of two that no font has, and of nothing."""

pytestmark = pytest.mark.browser
Visiting = Callable[..., AbstractContextManager[Any]]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_obey_the_laws_and_stay_on_this_machine(
    visit: Visiting, site: str, lang: Lang, path: str, width: int
) -> None:
    with visit(site + path.format(lang=lang), width, idle=True) as seen:
        assert {urlsplit(url).hostname for url in seen.requests} == {"127.0.0.1"}
        expected_404 = [note for note in seen.complaints if "404" in note and "atlantis" in path]
        assert [note for note in seen.complaints if note not in expected_404] == []
        assert seen.faults() == []


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_charts_are_drawn(visit: Visiting, site: str, lang: Lang, width: int) -> None:
    with visit(f"{site}/{lang}/hubs/wuhan", width) as seen:
        assert seen.page.evaluate(DRAWN, "radar") > 20
        assert seen.page.evaluate(DRAWN, "years") > 40
        names = seen.page.locator("#radar svg text").all_text_contents()
        assert {"zh": "上海", "en": "Shanghai"}[lang] in names
        box = seen.page.locator("#radar svg").bounding_box()
        assert box
        assert 0 < box["width"] <= width
    with visit(f"{site}/{lang}/", width) as seen:
        widths = seen.page.locator("tbody .bar.total .fill").evaluate_all(
            "bars => bars.map(bar => bar.getBoundingClientRect().width)"
        )
        assert len(widths) == 37
        assert widths == sorted(widths, reverse=True)
        assert widths[0] > 50


@pytest.mark.parametrize("lang", LANGUAGES)
def test_another_city_redraws_and_is_kept_in_the_address(visit: Visiting, site: str, lang: Lang) -> None:
    with visit(f"{site}/{lang}/hubs/wuhan?year=2021") as seen:
        page = seen.page
        before = page.locator("#radar").inner_html()
        page.select_option("#other", "beijing")
        name = {"zh": "北京", "en": "Beijing"}[lang]
        page.wait_for_function("name => document.getElementById('radar-note').textContent.includes(name)", arg=name)
        assert page.url == f"{site}/{lang}/hubs/wuhan?year=2021&vs=beijing"
        assert page.locator("#radar").inner_html() != before
        assert name in (page.get_attribute("#radar", "aria-label") or "")
        assert page.get_attribute("a[data-switch]", "href") == "/{}/hubs/wuhan?year=2021&vs=beijing".format(
            {"zh": "en", "en": "zh"}[lang]
        )
        redrawn = page.locator("table.groups").inner_text()
        page.reload()
        assert page.locator("table.groups").inner_text() == redrawn
        assert page.input_value("#other") == "beijing"
        assert seen.complaints == []


def test_a_city_that_cannot_be_fetched_is_said_and_nothing_changes(visit: Visiting, site: str) -> None:
    with visit(f"{site}/en/hubs/wuhan") as seen:
        table = seen.page.locator("table.groups").inner_text()
        seen.page.route("**/v1/**", lambda route: route.abort())
        seen.page.select_option("#other", "beijing")
        wanted = texts("page", "en")["js_failed"].format(other="Beijing")
        seen.page.wait_for_function("text => document.getElementById('radar-note').textContent === text", arg=wanted)
        assert seen.page.locator("table.groups").inner_text() == table
        assert seen.page.url.endswith("/en/hubs/wuhan")


def test_missing_groups_are_left_out_of_the_radar_and_named(visit: Visiting, site: str) -> None:
    with visit(f"{site}/en/hubs/lhasa?base=published") as seen:
        assert "FinTech" in seen.page.locator("#radar-note").inner_text()
        assert seen.page.evaluate(DRAWN, "radar") > 0
        assert seen.complaints == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_ranking_sorts_by_its_headings(visit: Visiting, site: str, lang: Lang) -> None:
    with visit(f"{site}/{lang}/") as seen:
        table = seen.page.locator("table[data-sortable]")
        ranks = table.locator("tbody td.rank")
        first = ranks.all_inner_texts()
        table.locator("thead button").nth(4).press("Enter")
        values = [float(text) for text in table.locator("tbody td:nth-child(5) .figure").all_inner_texts()]
        assert values == sorted(values, reverse=True)
        assert table.locator("thead th[aria-sort]").count() == 1
        assert table.locator("thead th").nth(4).get_attribute("aria-sort") == "descending"
        table.locator("thead button").nth(4).click()
        assert table.locator("thead th").nth(4).get_attribute("aria-sort") == "ascending"
        table.locator("thead button").nth(0).click()
        assert ranks.all_inner_texts() == first
        assert table.locator("thead th").nth(0).get_attribute("aria-sort") == "ascending"


def test_forms_and_figures_do_without_scripts(visit: Visiting, site: str) -> None:
    with visit(f"{site}/zh/", scripts=False) as seen:
        seen.page.select_option("select[name=year]", "2021")
        seen.page.select_option("select[name=hub]", "wuhan")
        seen.page.click(".choice button")
        assert seen.page.url == f"{site}/zh/?year=2021&base=open&hub=wuhan#found"
        assert "武汉" in seen.page.locator("tr.marked").inner_text()
        seen.page.click("tr.marked a")
        seen.page.select_option("#other", "beijing")
        seen.page.click(".choice button")
        assert "北京" in seen.page.locator("table.groups").inner_text()
        assert seen.page.locator("table").count() == 4


def test_chinese_characters_have_glyphs(visit: Visiting, site: str) -> None:
    with visit(f"{site}/zh/hubs/wuhan") as seen:
        pictures = seen.page.evaluate(GLYPHS)
        assert len({pictures["wu"], pictures["han"], pictures["none"], pictures["empty"]}) == 4
        assert pictures["unassigned"] not in (pictures["wu"], pictures["han"])


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(visit: Visiting, site: str) -> None:
    with visit(f"{site}/en/") as seen:
        seen.page.keyboard.press("Tab")
        focus = seen.page.evaluate(
            "() => { const a = document.activeElement; const box = a.getBoundingClientRect();"
            " return [a.className, getComputedStyle(a).outlineStyle, box.left >= 0]; }"
        )
        assert focus == ["skip", "solid", True]
        seen.page.keyboard.press("Enter")
        assert seen.page.evaluate("document.activeElement.id") == "content"
