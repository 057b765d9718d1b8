"""Errors on their way out: which domain error is which HTTP status, and the one shape of every error body.

Knows the table from domain errors to statuses and RFC 9457. Knows no route.
"""

import json
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from carbon.errors import CarbonError, UnknownMarket
from fhi.errors import FhiError, UnknownFramework, UnknownHub
from green_index.errors import GreenIndexError, UnknownBase, UnknownEdition, UnknownPeriod, UnknownPrintedTable

PROBLEM_JSON: Final = "application/problem+json"


STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    UnknownHub: HTTPStatus.NOT_FOUND,
    UnknownMarket: HTTPStatus.NOT_FOUND,
    UnknownEdition: HTTPStatus.NOT_FOUND,
    UnknownFramework: HTTPStatus.NOT_FOUND,
    UnknownPeriod: HTTPStatus.NOT_FOUND,
    UnknownPrintedTable: HTTPStatus.NOT_FOUND,
    UnknownBase: HTTPStatus.UNPROCESSABLE_ENTITY,
    CarbonError: HTTPStatus.UNPROCESSABLE_ENTITY,
    FhiError: HTTPStatus.UNPROCESSABLE_ENTITY,
    GreenIndexError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def problem_response(
    status: HTTPStatus, detail: str, path: str, errors: list[dict[str, Any]] | None = None
) -> Response:
    """An `application/problem+json` body (RFC 9457): type, title, status, detail, instance, and field errors."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": path,
    }
    if errors:
        body["errors"] = errors
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status_code=status.value, media_type=PROBLEM_JSON)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem body; unforeseen ones without their inner text."""
    for kind, status in STATUS.items():
        app.add_exception_handler(kind, _domain_handler(status))
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)


def _domain_handler(status: HTTPStatus) -> Any:
    def handle(request: Request, error: Exception) -> Response:
        return problem_response(status, str(error), request.url.path)

    return handle


def _invalid_request(request: Request, error: Exception) -> Response:
    details = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [
        {
            "where": ".".join(str(part) for part in detail["loc"]),
            "found": str(detail.get("input")),
            "expected": detail["msg"],
        }
        for detail in details
    ]
    listing = "; ".join(f"{entry['where']}: found {entry['found']}; {entry['expected']}" for entry in errors)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, listing, request.url.path, errors)


def _http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    return problem_response(status, detail, request.url.path)


def _unforeseen(request: Request, _error: Exception) -> Response:
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen error; see the log", request.url.path)
