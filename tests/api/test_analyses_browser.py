"""Pages of analyses in a real browser: they fit, obey the laws, show every picture, and need no script."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest

from api.lang import LANGUAGES, Lang
from api.pictures.catalogue import PICTURES

pytestmark = pytest.mark.browser
Visiting = Callable[..., AbstractContextManager[Any]]

OPEN: Final = """async () => {
  document.querySelectorAll('details').forEach((each) => { each.open = true; });
  const images = [...document.images];
  images.forEach((each) => { each.loading = 'eager'; });
  await Promise.all(images.map((each) => each.decode()));
  return images.map((each) => each.naturalWidth);
}"""
"""Open every table and wait for every picture; how wide each is drawn."""

CUT: Final = """() => {
  const drawn = document.documentElement;
  const frame = drawn.getBoundingClientRect();
  return [...drawn.querySelectorAll('text')].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top || box.bottom > frame.bottom;
  }).map((text) => text.textContent);
}"""
"""Texts of a picture, opened by itself, that do not fit into it."""


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(("path", "pictures"), [("analyses", 6), ("hubs/wuhan/analyses", 10)])
def test_the_page_fits_and_obeys_the_laws(
    visit: Visiting, site: str, lang: Lang, width: int, path: str, pictures: int
) -> None:
    with visit(f"{site}/{lang}/{path}", width, scripts=True, idle=True) as seen:
        assert seen.page.evaluate(OPEN) == [960] * pictures
        assert seen.complaints == []
        assert all(url.startswith(site) for url in seen.requests)
        assert seen.faults() == []


def test_the_page_is_whole_without_scripts_and_its_links_work(visit: Visiting, site: str) -> None:
    with visit(f"{site}/en/hubs/wuhan", scripts=False) as seen:
        seen.page.click("main a[href*='/hubs/wuhan/analyses']")
        assert seen.page.url.startswith(f"{site}/en/hubs/wuhan/analyses")
        assert seen.page.locator("table").count() >= 10
        seen.page.click("main a:has-text('All cities')")
        assert seen.page.url.startswith(f"{site}/en/analyses")
        assert seen.page.locator("tr.marked").count() > 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_of_a_picture_is_cut(visit: Visiting, site: str, lang: Lang) -> None:
    with visit(f"{site}/{lang}/method", scripts=True) as seen:
        cut: dict[str, list[str]] = {}
        for name in PICTURES:
            seen.page.goto(f"{site}/pictures/{name}.svg?hub=wuhan&lang={lang}")
            cut[name] = seen.page.evaluate(CUT)
            assert seen.page.evaluate("() => getComputedStyle(document.querySelector('text')).fontSize") == "16px"
        assert {name: texts for name, texts in cut.items() if texts} == {}
