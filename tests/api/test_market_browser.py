"""The market's page in a real browser: it fits, obeys the laws, is drawn, and needs no script."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import pytest

from api.lang import LANGUAGES, Lang

from .page_laws import CLIPPED

pytestmark = pytest.mark.browser
Visiting = Callable[..., AbstractContextManager[Any]]

BOXES: Final = """() => [...document.querySelectorAll('svg.chart-svg path')].map((path) => {
  const box = path.getBoundingClientRect();
  const style = getComputedStyle(path);
  return [path.getAttribute('class'), box.width > 0 && box.height > 0, style.stroke, style.fill];
})"""
"""Class, size and colours of each path that the chart draws."""


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("market", ["CEA", "Hubei"])
def test_the_page_fits_obeys_the_laws_and_is_drawn(
    visit: Visiting, traded_site: str, lang: Lang, market: str, width: int
) -> None:
    with visit(f"{traded_site}/{lang}/markets/{market}", width, scripts=True, idle=True) as seen:
        assert seen.complaints == []
        assert all(url.startswith(traded_site) for url in seen.requests)
        assert seen.faults() == []
        assert seen.page.evaluate(CLIPPED) == []
        drawn = {name: (visible, stroke, fill) for name, visible, stroke, fill in seen.page.evaluate(BOXES)}
        bars = {"bar-listing", "bar-block"} if market == "CEA" else {"bar-all"}
        assert set(drawn) == {"price", *bars}
        assert all(visible for visible, *_ in drawn.values())
        assert drawn["price"][1] != "none"
        assert len({fill for name, (_, _, fill) in drawn.items() if name != "price"}) == len(bars)


def test_the_page_is_whole_without_scripts_and_its_links_work(visit: Visiting, traded_site: str) -> None:
    with visit(f"{traded_site}/en/markets/CEA", scripts=False) as seen:
        assert seen.page.locator("svg.chart-svg path").count() == 3
        assert seen.page.locator("table").count() == 3
        seen.page.click("nav.markets a:has-text('Hubei')")
        assert seen.page.url == f"{traded_site}/en/markets/Hubei"
        seen.page.click("#wuhan ~ p a")
        assert seen.page.url == f"{traded_site}/en/hubs/wuhan"
