"""The pages of the carbon markets, in Chinese and English.

Knows their paths and how an unknown market is answered. Shapes nothing and computes nothing.
"""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import StoreDep
from api.routers.pages import PageDep
from api.web import market_views
from api.web.render import render
from api.web.texts import preferred_language
from carbon.errors import UnknownMarket

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/markets/{market}")
def choose_language(request: Request, market: str) -> RedirectResponse:
    """To the market's page in the reader's language."""
    lang = preferred_language(request.headers.get("accept-language", ""))
    target = f"{request.scope.get('root_path', '')}/{lang}/markets/{quote(market, safe='')}"
    return RedirectResponse(target, headers={"Vary": "Accept-Language"})


@router.get("/zh/markets/{market}")
@router.get("/en/markets/{market}")
def market_page(page: PageDep, store: StoreDep, market: str) -> HTMLResponse:
    """One market: price and volume, years and months, Wuhan's part."""
    try:
        return render(page, "market.html", market_views.show_market(store, market))
    except UnknownMarket:
        data = {"wanted": market, "markets": market_views.market_names(store)}
        return render(page, "market_not_found.html", data, HTTPStatus.NOT_FOUND)
