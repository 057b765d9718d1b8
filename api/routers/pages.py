"""The web pages for people, in Chinese and English.

Knows paths of pages and how an unknown city, year or tree is answered. Shapes nothing and computes nothing.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from api import queries
from api.deps import StoreDep
from api.store import Store
from api.web import views
from api.web.render import FOLDER, Page, page_of, render
from api.web.texts import preferred_language
from green_index.index import BASES

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
PageDep = Annotated[Page, Depends(page_of)]


def mount_static(app: FastAPI) -> None:
    """Serve scripts, styles and the vendored chart library under /static."""
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


@router.get("/")
def choose_language(request: Request) -> RedirectResponse:
    """To the ranking in the reader's language, with the query as it is."""
    lang = preferred_language(request.headers.get("accept-language", ""))
    question = f"?{request.url.query}" if request.url.query else ""
    target = f"{request.scope.get('root_path', '')}/{lang}/{question}"
    return RedirectResponse(target, headers={"Vary": "Accept-Language"})


@router.get("/zh/")
@router.get("/en/")
def ranking(page: PageDep, store: StoreDep, year: str = "", base: str = "", hub: str = "") -> HTMLResponse:
    """The ranking of one year."""
    return _answer(page, store, "ranking.html", lambda: views.show_ranking(store, page.lang, year, base, hub))


@router.get("/zh/hubs/{hub}")
@router.get("/en/hubs/{hub}")
def city(page: PageDep, store: StoreDep, hub: str, year: str = "", base: str = "", vs: str = "") -> HTMLResponse:
    """One city: its standing, its years, what holds it back and where it leads."""
    return _answer(page, store, "hub.html", lambda: views.show_hub(store, page.lang, hub, year, base, vs))


@router.get("/zh/method")
@router.get("/en/method")
def method(page: PageDep, store: StoreDep, framework: str = "green") -> HTMLResponse:
    """How scores come about, with one indicator tree."""
    return _answer(page, store, "method.html", lambda: views.show_method(store, framework))


@router.get("/zh/{rest:path}")
@router.get("/en/{rest:path}")
def no_page(page: PageDep, store: StoreDep, rest: str) -> HTMLResponse:
    """Any other path below a language: a page that says so."""
    return not_found(page, store, views.NotFound("page", rest))


def _answer(page: Page, store: Store, template: str, show: Callable[[], dict[str, Any]]) -> HTMLResponse:
    """The page, or one that names what was not found."""
    try:
        return render(page, template, show())
    except views.NotFound as error:
        return not_found(page, store, error)


def not_found(page: Page, store: Store, error: views.NotFound) -> HTMLResponse:
    """The page that says what was not found, and what there is."""
    data = {
        "what": error.what,
        "wanted": error.wanted,
        "years": {base: views.known_years(store, base) for base in BASES},
        "frameworks": queries.FRAMEWORKS,
        "cities": views.cities(store),
    }
    return render(page, "not_found.html", data, HTTPStatus.NOT_FOUND)
