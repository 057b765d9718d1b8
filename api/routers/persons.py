"""Personal carbon accounts over HTTP: sums for everybody, acts and single accounts with a key.

Knows paths, bodies and words. Computes nothing: the same verbs as `greenfin persons`. A person's id stands in bodies
only, never in a path or a query, since those are logged. Every act is safe to repeat: consents and records by their
content, a certification by its `Idempotency-Key`, an erasure because the second finds nothing.
"""

from http import HTTPStatus
from typing import Annotated, Any, Final

import polars as pl
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api import persons
from api.clock import now_us
from api.deps import ReaderDep, StoreDep, WriterDep
from api.errors import REPLAYED, problem_response, refused_act
from api.person_salts import SaltsError, load_salts
from api.person_schemas import (
    CertificationRow,
    CertifiedBody,
    CertifyBody,
    CityAccountsRow,
    ClaimBody,
    ConsentBody,
    ErasedBody,
    MethodRow,
    OutcomeRow,
    OwnRow,
    PersonBody,
    PersonTotalRow,
    RecordedRow,
)
from api.routers.registry_acts import ClientIdHeader
from api.schemas import ProblemBody
from api.tables import add_table, to_json
from carbon.footprints.persons.hashing import Salts
from carbon.footprints.persons.record import claims_schema
from carbon.footprints.persons.refusals import PersonRefusal
from carbon.footprints.persons.totals import PARTS
from carbon.ledger.book import Act

router = APIRouter(prefix="/v1/registry/persons", tags=["persons"])

_MOST: Final = 2000
_UNKNOWN: Final = "unknown_platform"
_PROBLEM: Final[dict[str, Any]] = {"content": {"application/problem+json": {"schema": ProblemBody.model_json_schema()}}}
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "No key, or an unknown or revoked one / 缺少密钥或密钥无效", **_PROBLEM},
    403: {"description": "The key may not do this / 密钥无此权限", **_PROBLEM},
    404: {"description": "No such platform / 未找到平台", **_PROBLEM},
    409: {"description": "Refused, with its code / 被拒绝", **_PROBLEM},
    422: {"description": "Not understood / 内容有误", **_PROBLEM},
    503: {"description": "The salts are not set / 未设置盐值", **_PROBLEM},
}


Consents = Annotated[list[ConsentBody], Field(min_length=1, max_length=_MOST)]
Claims = Annotated[list[ClaimBody], Field(min_length=1, max_length=_MOST)]


def _salts(request: Request, store: StoreDep, platform: str) -> Salts:
    """The salts of a platform; one that is not registered needs none, it is not found."""
    if not persons.is_registered(store, platform):
        raise HTTPException(HTTPStatus.NOT_FOUND, str(PersonRefusal(_UNKNOWN, f"the platform {platform[:80]!r}")))
    try:
        return load_salts(request.app.state.settings, platform)
    except SaltsError as missing:
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, str(missing)) from None


SaltsDep = Annotated[Salts, Depends(_salts)]


def _refused(error: PersonRefusal, request: Request) -> Response:
    status = HTTPStatus.NOT_FOUND if error.code == _UNKNOWN else HTTPStatus.CONFLICT
    return problem_response(status, str(error), request.url.path, more={"code": error.code})


def _rows(frame: pl.DataFrame) -> Response:
    return Response(to_json(frame), media_type="application/json")


def _documented(example: Any, more: type[BaseModel] | Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": more, "content": {"application/json": {"example": example}}}, **_PROBLEMS}


def _methods(store: StoreDep) -> pl.DataFrame:
    """The methodologies with factors, caps, source and confidence. / 方法学及其因子、上限、来源与可信度。"""
    return persons.method_rows(store)


def _totals(
    store: StoreDep,
    by: Annotated[
        str, Query(description="Any of platform, hub, month, method, with commas / 分组", examples=["hub,month"])
    ] = "hub,month",
) -> pl.DataFrame:
    """Sums of all entries by city and month, erased persons' too. / 按城市与月份合计。"""
    parts = tuple(dict.fromkeys(part.strip() for part in by.split(",") if part.strip()))
    if not set(parts) <= set(PARTS):
        detail = f"query.by: found {by[:80]}; expected some of {', '.join(PARTS)}"
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    rows = persons.sums(store, parts)
    missing = [pl.lit(None, pl.String).alias(part) for part in PARTS if part not in parts]
    return rows.with_columns(missing).select(*PersonTotalRow.model_fields)


def _accounts(store: StoreDep) -> pl.DataFrame:
    """Personal carbon accounts of each city by year, ours and printed ones. / 各城市个人碳账户数。"""
    return persons.accounts_by_city(store)


def _certifications(store: StoreDep) -> pl.DataFrame:
    """What was certified; grams are always tonnes x 10^6. / 核发记录。"""
    return persons.certifications(store)


for _path, _call, _operation, _summary, _row in (
    ("/methods", _methods, "listPersonalMethods", "Methodologies / 方法学", MethodRow),
    ("/totals", _totals, "listPersonalTotals", "Sums of personal accounts / 个人减排合计", PersonTotalRow),
    ("/accounts", _accounts, "listPersonalAccounts", "Accounts of cities / 各城市账户数", CityAccountsRow),
    ("/certifications", _certifications, "listCertifications", "Certifications / 核发记录", CertificationRow),
):
    add_table(router, _path, _call, operation_id=_operation, summary=_summary, row=_row)


@router.post(
    "/{platform}/consents",
    operation_id="changeConsents",
    summary="Give and withdraw consent / 同意与撤回",
    response_class=Response,
    responses=_documented(
        [{"row": 1, "status": "opened", "code": None, "reason_en": None, "reason_zh": None}], list[OutcomeRow]
    ),
)
def consents(
    request: Request, store: StoreDep, _actor: WriterDep, platform: str, salts: SaltsDep, body: Consents
) -> Response:
    """Row after row; the first consent opens the account. A withdrawal never reaches back. / 首次同意即开户。"""
    names = ("person", "hub", "event", "day", "purposes", "methods")
    listed = pl.List(pl.String)
    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        **{"row": pl.Int64, "person": pl.String, "hub": pl.String, "event": pl.String, "day": pl.Date},
        **{"purposes": listed, "methods": listed},
    }
    rows = [(number, *(getattr(one, name) for name in names)) for number, one in enumerate(body, 1)]
    try:
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        return _rows(persons.change_consents(store, platform, salts, frame, now_us()))
    except PersonRefusal as error:
        return _refused(error, request)


@router.post(
    "/{platform}/records",
    operation_id="recordReductions",
    summary="Record reductions / 记录减排",
    response_class=Response,
    responses=_documented(
        [
            {
                **{"row": 1, "status": "recorded", "code": None, "method": "bus", "day": "2025-06-01"},
                **{"reduction_g": 1200, "credited_g": 1000, "over_cap_g": 200, "reason_en": None, "reason_zh": None},
            }
        ],
        list[RecordedRow],
    ),
)
def records(
    request: Request, store: StoreDep, _actor: WriterDep, platform: str, salts: SaltsDep, body: Claims
) -> Response:
    """Each row is recorded, replayed or refused by itself, with the reason. / 逐行记录，拒绝者说明原因。"""
    rows = [
        (number, one.claim, one.person, one.day, one.method, int(one.amount * 1000), one.unit)
        for number, one in enumerate(body, 1)
    ]
    try:
        frame = pl.DataFrame(rows, schema=claims_schema(), orient="row")
        return _rows(persons.record_claims(store, platform, salts, frame, now_us()))
    except PersonRefusal as error:
        return _refused(error, request)


@router.post(
    "/{platform}/person",
    operation_id="showPerson",
    summary="What one person has / 个人账户",
    response_class=Response,
    responses=_documented(
        [
            {
                **{"hub": "wuhan", "month": "2025-06", "method": "bus", "entries": 2, "reduction_g": 2400},
                **{"credited_g": 2000, "over_cap_g": 400, "certified_g": 0, "balance_g": 2000},
            }
        ],
        list[OwnRow],
    ),
)
def person(
    request: Request, store: StoreDep, _reader: ReaderDep, platform: str, salts: SaltsDep, body: PersonBody
) -> Response:
    """By month and method; a POST, since the person's id must not stand in an address. / 按月份与方法学。"""
    try:
        return _rows(persons.show(store, platform, salts, body.person)[0])
    except PersonRefusal as error:
        return _refused(error, request)


@router.post(
    "/{platform}/erase",
    operation_id="erasePerson",
    summary="Erase a person / 删除个人账户",
    response_model=ErasedBody,
    responses=_documented({"erased": True}, ErasedBody),
)
def erase(
    request: Request, store: StoreDep, _actor: WriterDep, platform: str, salts: SaltsDep, body: PersonBody
) -> ErasedBody | Response:
    """Account, consents and entries go, the totals stay; a second time changes nothing. / 删除后合计不变。"""
    try:
        return ErasedBody(erased=persons.erase(store, platform, salts, body.person, now_us()))
    except PersonRefusal as error:
        return _refused(error, request)


@router.post(
    "/{platform}/certify",
    operation_id="certifyReductions",
    summary="Make tonnes of grams and issue them / 核发减排量",
    response_model=CertifiedBody,
    responses=_documented(
        {
            **{"transaction": 1042, "client_id": "cert-2025-06", "tonnes": 3, "accounts": 1800, "entries": 21000},
            "replayed": False,
        },
        CertifiedBody,
    ),
)
def certify(
    request: Request,
    response: Response,
    store: StoreDep,
    actor: WriterDep,
    platform: str,
    client_id: ClientIdHeader,
    body: CertifyBody,
) -> CertifiedBody | Response:
    """Whole tonnes into the platform's ledger account; the rest of the grams stays. / 整吨签发至平台账户。"""
    act = Act(client_id, now_us(), actor)
    try:
        made = persons.certify(store, act, platform=platform, day=body.day, tonnes=body.tonnes, rule=body.rule)
    except PersonRefusal as error:
        return _refused(error, request)
    if not made.receipt.done:
        return refused_act(made.receipt, request.url.path)
    if made.replayed:
        response.headers[REPLAYED] = "true"
    return CertifiedBody(
        transaction=made.receipt.transaction_id,
        client_id=client_id,
        tonnes=made.tonnes,
        accounts=made.accounts,
        entries=made.entries,
        replayed=made.replayed,
    )
