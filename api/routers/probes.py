"""Probes for those who run the service."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from api import queries, schemas
from api.deps import StoreDep
from api.errors import PROBLEM_JSON, problem_response

router = APIRouter(tags=["probes"])
_UNREADY: dict[int | str, dict[str, Any]] = {
    503: {"content": {PROBLEM_JSON: {"schema": schemas.ProblemBody.model_json_schema()}}}
}


@router.get("/livez", operation_id="getLive", summary="Is the process up?")
def live() -> schemas.Probe:
    """Touches nothing. / 进程存活。"""
    return schemas.Probe(status="ok")


@router.get(
    "/readyz", operation_id="getReady", summary="Can it answer?", responses=_UNREADY, response_model=schemas.Probe
)
def ready(request: Request, store: StoreDep) -> schemas.Probe | Response:
    """Checks the database and that editions are there; 503 where not. / 服务就绪。"""
    try:
        found = queries.editions(store)
    except SQLAlchemyError as error:
        reason = f"the database does not answer ({type(error).__name__})"
        return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, reason, request.url.path)
    return schemas.Probe(status="ok", editions=found.height, newest_year=int(found["last_year"].max()))  # type: ignore[arg-type]
