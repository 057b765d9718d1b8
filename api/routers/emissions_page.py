"""The pages of cities' emissions, in Chinese and English.

Knows their paths and how an unknown city is answered. Shapes nothing and computes nothing.
"""

from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import StoreDep
from api.routers.pages import PageDep, not_found
from api.web import emissions_views, views
from api.web.render import render
from api.web.texts import preferred_language

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/hubs/{hub}/emissions")
def choose_language(request: Request, hub: str) -> RedirectResponse:
    """To the page of a city's emissions in the reader's language."""
    lang = preferred_language(request.headers.get("accept-language", ""))
    target = f"{request.scope.get('root_path', '')}/{lang}/hubs/{quote(hub, safe='')}/emissions"
    return RedirectResponse(target, headers={"Vary": "Accept-Language"})


@router.get("/zh/hubs/{hub}/emissions")
@router.get("/en/hubs/{hub}/emissions")
def emissions_page(page: PageDep, store: StoreDep, hub: str) -> HTMLResponse:
    """One city: its emissions by two inventories, their intensity, trend and decoupling."""
    try:
        return render(page, "emissions.html", emissions_views.show_emissions(store, page.lang, hub))
    except views.NotFound as error:
        return not_found(page, store, error)
