"""The page of a city's emissions in a real browser: it fits, obeys the laws, is drawn, and needs no script."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest

from api.lang import LANGUAGES, Lang

from .page_laws import CLIPPED

pytestmark = pytest.mark.browser
Visiting = Callable[..., AbstractContextManager[Any]]

LINES: Final = """() => [...document.querySelectorAll('svg.chart-svg path.line')].map((path) => {
  const style = getComputedStyle(path);
  return [path.getBoundingClientRect().width > 0, style.stroke, style.strokeDasharray, style.fill];
})"""
"""Whether each line is seen, and how it is drawn."""


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("hub", ["wuhan", "lhasa"])
def test_the_page_fits_obeys_the_laws_and_is_drawn(
    visit: Visiting, site: str, lang: Lang, hub: str, width: int
) -> None:
    with visit(f"{site}/{lang}/hubs/{hub}/emissions", width, scripts=True, idle=True) as seen:
        assert seen.complaints == []
        assert all(url.startswith(site) for url in seen.requests)
        assert seen.faults() == []
        assert seen.page.evaluate(CLIPPED) == []
        drawn = seen.page.evaluate(LINES)
        assert len(drawn) == (4 if hub == "wuhan" else 2)
        assert all(visible and stroke != "none" and fill == "none" for visible, stroke, _, fill in drawn)
        # Told apart by more than colour.
        assert len({dashes for _, _, dashes, _ in drawn}) == len(drawn) // 2


def test_the_page_is_whole_without_scripts_and_its_links_work(visit: Visiting, site: str) -> None:
    with visit(f"{site}/en/hubs/wuhan", scripts=False) as seen:
        seen.page.click("main a[href$='/hubs/wuhan/emissions']")
        assert seen.page.url == f"{site}/en/hubs/wuhan/emissions"
        assert "factor of 1.29" in seen.page.locator("#disagreement + ul").inner_text()
        assert seen.page.locator("svg.chart-svg path.line").count() == 4
        assert seen.page.locator("table").count() == 3
        seen.page.click("main a:has-text('Shanghai')")
        assert seen.page.url == f"{site}/en/hubs/shanghai/emissions"
