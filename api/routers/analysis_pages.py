"""The pages of analyses, in Chinese and English: of all cities in a year, and of one city.

Knows their paths and how an unknown city or year is answered. Shapes nothing and computes nothing.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import StoreDep
from api.routers.pages import PageDep, not_found
from api.store import Store
from api.web import analysis_views, views
from api.web.render import Page, render
from api.web.texts import preferred_language

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/analyses")
def choose_language(request: Request) -> RedirectResponse:
    """To the page of all cities in the reader's language."""
    return _to_language(request, "analyses")


@router.get("/hubs/{hub}/analyses")
def choose_language_of_city(request: Request, hub: str) -> RedirectResponse:
    """To the page of one city in the reader's language."""
    return _to_language(request, f"hubs/{quote(hub, safe='')}/analyses")


@router.get("/zh/analyses")
@router.get("/en/analyses")
def analyses(page: PageDep, store: StoreDep, year: str = "", base: str = "", hub: str = "") -> HTMLResponse:
    """All cities of one year: rank bands, which choice matters, the dual wheel, tiers, inequality."""
    return _answer(
        page, store, "analyses.html", lambda: analysis_views.show_analyses(store, page.lang, year, base, hub)
    )


@router.get("/zh/hubs/{hub}/analyses")
@router.get("/en/hubs/{hub}/analyses")
def city_analyses(
    page: PageDep, store: StoreDep, hub: str, year: str = "", base: str = "", code: str = "", value: str = ""
) -> HTMLResponse:
    """One city: why it stands there, how sure that is, what would move it, over the years, policy and paths."""

    def show() -> dict[str, Any]:
        return analysis_views.show_city_analyses(store, page.lang, hub, year, base, code, value)

    return _answer(page, store, "analyses_city.html", show)


def _to_language(request: Request, rest: str) -> RedirectResponse:
    lang = preferred_language(request.headers.get("accept-language", ""))
    question = f"?{request.url.query}" if request.url.query else ""
    target = f"{request.scope.get('root_path', '')}/{lang}/{rest}{question}"
    return RedirectResponse(target, headers={"Vary": "Accept-Language"})


def _answer(page: Page, store: Store, template: str, show: Callable[[], dict[str, Any]]) -> HTMLResponse:
    try:
        return render(page, template, show())
    except views.NotFound as error:
        return not_found(page, store, error)
