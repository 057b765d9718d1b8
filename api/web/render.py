"""From a template and its data to an HTML answer: escaping, number formats, security headers.

Knows templates and how figures look. Knows no query and no figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.lang import LANGUAGES, Lang, texts
from api.web.texts import other_language, script_texts

FOLDER: Final = Path(__file__).parent
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
MINUS: Final = "\u2212"


@dataclass(frozen=True)
class Page:
    """Which page is asked for: language, prefix of the application, path after the language, query as sent."""

    lang: Lang
    root: str
    rest: str
    query: str

    def link(self, lang: Lang) -> str:
        """This page with its query in a language."""
        question = f"?{self.query}" if self.query else ""
        return f"{self.root}/{lang}/{self.rest}{question}"


def page_of(request: Request) -> Page:
    """The page that a request asks for; its path begins with a language."""
    root = request.scope.get("root_path", "")
    path = request.url.path.removeprefix(root)
    lang = next(lang for lang in LANGUAGES if path.startswith(f"/{lang}/"))
    return Page(lang, root, path.removeprefix(f"/{lang}/"), request.url.query)


def render(page: Page, template: str, data: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    """One page as an HTML answer. data: what its template needs beside the texts and links that every page has."""
    lang = page.lang
    frame = {
        "t": texts("page", lang),
        "lang": lang,
        "name": f"name_{lang}",
        "other_name": f"name_{other_language(lang)}",
        "definition": f"definition_{lang}",
        "root": page.root,
        "here": f"{page.root}/{lang}",
        "other_lang": other_language(lang),
        "links": {each: page.link(each) for each in LANGUAGES},
        "script_texts": script_texts(lang),
    }
    html = _environment().get_template(template).render({**frame, **data})
    return HTMLResponse(html, status_code=status.value, headers={**HEADERS, "Content-Language": lang})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {"score": format_score, "percent": format_percent, "figure": format_figure, "query": urlencode}
    )
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "allow_nan": False}
    return environment


def format_score(value: float) -> str:
    """A score or gap in points: one decimal."""
    return f"{value:,.1f}".replace("-", MINUS)


def format_percent(share: float, decimals: int = 0) -> str:
    """A share of 1 in per cent."""
    return f"{share:.{decimals}%}"


def format_figure(value: float) -> str:
    """A raw figure: thousands signs, and four digits where it is small."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace("-", MINUS)
