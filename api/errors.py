"""Errors on their way out: which domain error is which HTTP status, and the one shape of every error body.

Knows the table from domain errors to statuses and RFC 9457. Knows no route.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.keys import KeyMissing, KeyProblem, KeyTooWeak
from api.registry.store import NotInLedger, check_name
from carbon.errors import CarbonError, UnknownMarket
from carbon.ledger.chain import SealBusy
from carbon.ledger.listings import UnknownListing
from carbon.ledger.orders import IdInUse, Receipt
from carbon.ledger.trace import UnknownSerial
from fhi.errors import FhiError, UnknownFramework, UnknownHub
from green_index.errors import GreenIndexError, UnknownBase, UnknownEdition, UnknownPeriod, UnknownPrintedTable

PROBLEM_JSON: Final = "application/problem+json"
REPLAYED: Final = "Idempotent-Replayed"
_REALM: Final = 'Bearer realm="greenfin registry"'
_LONGEST_ECHO: Final = 200
_PERSONS: Final = "/v1/registry/persons/"
_BUSY: Final = "the database is busy or does not answer; the same request may be sent again"

STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    UnknownHub: HTTPStatus.NOT_FOUND,
    UnknownMarket: HTTPStatus.NOT_FOUND,
    UnknownEdition: HTTPStatus.NOT_FOUND,
    UnknownFramework: HTTPStatus.NOT_FOUND,
    UnknownPeriod: HTTPStatus.NOT_FOUND,
    UnknownPrintedTable: HTTPStatus.NOT_FOUND,
    UnknownListing: HTTPStatus.NOT_FOUND,
    NotInLedger: HTTPStatus.NOT_FOUND,
    UnknownSerial: HTTPStatus.NOT_FOUND,
    SealBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    UnknownBase: HTTPStatus.UNPROCESSABLE_ENTITY,
    CarbonError: HTTPStatus.UNPROCESSABLE_ENTITY,
    FhiError: HTTPStatus.UNPROCESSABLE_ENTITY,
    GreenIndexError: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def problem_response(
    status: HTTPStatus,
    detail: str,
    path: str,
    errors: list[dict[str, Any]] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """An `application/problem+json` body (RFC 9457): type, title, status, detail, instance, field errors, and more
    members of the problem's own.
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": path,
    }
    if errors:
        body["errors"] = errors
    body |= more or {}
    # Half of a surrogate pair, which a client may have sent, has no UTF-8; its escape is what JSON writes for it.
    content = json.dumps(body, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(content, status_code=status.value, media_type=PROBLEM_JSON)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem body; unforeseen ones without their inner text."""
    for kind, status in STATUS.items():
        app.add_exception_handler(kind, _domain_handler(status))
    app.add_exception_handler(IdInUse, _id_in_use)
    app.add_exception_handler(KeyProblem, _key_problem)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(PoolTimeout, _busy)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)


def refused_act(receipt: Receipt, path: str) -> Response:
    """The answer to an act that the ledger refused: 409 with the code of the check, and the EU response code."""
    assert receipt.code is not None
    more = {"act_status": receipt.status, "transaction": receipt.transaction_id, "client_id": receipt.client_id}
    more |= {"kind": receipt.kind, "replayed": receipt.replayed}
    answer = _check_problem(receipt.code, receipt.message or "", path, more)
    if receipt.replayed:
        answer.headers[REPLAYED] = "true"
    return answer


def _check_problem(code: str, detail: str, path: str, more: Mapping[str, object]) -> Response:
    check = check_name(code)
    named = {"code": code, "eu_response": check.eu_response, "check_en": check.name_en, "check_zh": check.name_zh}
    return problem_response(HTTPStatus.CONFLICT, detail, path, more={**named, **more})


def _id_in_use(request: Request, error: Exception) -> Response:
    return _check_problem("C19", str(error), request.url.path, {})


def _key_problem(request: Request, error: Exception) -> Response:
    """401 without a good key, 403 where a good one lacks the role (RFC 6750); a revoked key counts as unknown."""
    said = "" if isinstance(error, KeyMissing) else ', error="invalid_token"'
    if isinstance(error, KeyTooWeak):
        said = ', error="insufficient_scope"'
    status = HTTPStatus.FORBIDDEN if isinstance(error, KeyTooWeak) else HTTPStatus.UNAUTHORIZED
    answer = problem_response(status, str(error), request.url.path)
    answer.headers["WWW-Authenticate"] = _REALM + said
    return answer


def _busy(request: Request, _error: Exception) -> Response:
    answer = problem_response(HTTPStatus.SERVICE_UNAVAILABLE, _BUSY, request.url.path)
    answer.headers["Retry-After"] = "1"
    return answer


def _domain_handler(status: HTTPStatus) -> Any:
    def handle(request: Request, error: Exception) -> Response:
        return problem_response(status, str(error), request.url.path)

    return handle


def _invalid_request(request: Request, error: Exception) -> Response:
    details = error.errors() if isinstance(error, RequestValidationError) else []
    # What stands in a body of the personal accounts may name a person.
    is_secret = request.url.path.startswith(_PERSONS)
    errors = [
        {
            "where": ".".join(str(part) for part in detail["loc"]),
            "found": "(not shown)" if is_secret and detail["loc"][0] == "body" else _shortened(detail.get("input")),
            "expected": detail["msg"],
        }
        for detail in details
    ]
    listing = "; ".join(f"{entry['where']}: found {entry['found']}; {entry['expected']}" for entry in errors)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, listing, request.url.path, errors)


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}..."


def _http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    return problem_response(status, detail, request.url.path)


def _unforeseen(request: Request, _error: Exception) -> Response:
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen error; see the log", request.url.path)
