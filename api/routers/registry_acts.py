"""Acting on the registry: one route a verb, each under the id that its client gives it.

Knows how a verb is asked for over HTTP and how its receipt is answered. Every act needs a key with the role `write`;
its name is the actor in the log.

* 201: done now; `Location` names the transaction.
* 200 with `Idempotent-Replayed: true`: the same id and body was done before, nothing happened now.
* 409: the ledger refuses, with the `code` of the check. A refusal is recorded under its id for ever and answered again;
  an id that was used for another body is C19 and not recorded.
* 422: the body cannot be understood; nothing was recorded, the id is free.
"""

import json
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Body, Header, Request, Response
from pydantic import AfterValidator

from api.clock import now_us
from api.deps import StoreDep, WriterDep
from api.errors import PROBLEM_JSON, REPLAYED, refused_act
from api.registry import schemas as registry_schemas
from api.registry import store as registry_store
from api.registry.bodies import BODIES
from api.registry.bodies import Body as Asked
from api.schemas import ProblemBody
from carbon.ledger.book import Act
from carbon.ledger.orders import Receipt

MOST_BYTES: Final = 256 * 1024
# Ids under which the software itself acts when it sets up a ledger.
_OWN_IDS: Final = "seed:"


def _free_id(value: str) -> str:
    if value.startswith(_OWN_IDS):
        raise ValueError(f"ids that begin with {_OWN_IDS} belong to the software itself")
    return value


ClientIdHeader = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="The client's id of the act, 1 to 128 visible ASCII characters; the same id and body is done once /"
        " 业务编号，同一编号与内容只执行一次",
        examples=["order-2026-000017"],
    ),
    AfterValidator(_free_id),
]

router = APIRouter(prefix="/v1/registry", tags=["registry acts"])

WORDS: Final[dict[str, tuple[str, str]]] = {
    "register_entity": ("Register a holder", "登记持有人"),
    "open_account": ("Open an account", "开立账户"),
    "appoint": ("Appoint a representative", "变更代表人"),
    "close_account": ("Close an empty account for ever", "关闭账户"),
    "block_account": ("Block an account", "冻结账户"),
    "unblock_account": ("Let a blocked account move again", "解除账户冻结"),
    "open_scheme": ("Open a scheme's registry", "开放登记簿"),
    "close_scheme": ("Close a scheme's registry", "暂停登记簿"),
    "add_instrument": ("Add a kind of unit", "新增单位种类"),
    "issue": ("Issue units", "签发单位"),
    "opening": ("Book an assumed opening balance", "登记期初余额（假定）"),
    "pre_allocate": ("Pre-allocate allowances", "预分配配额"),
    "transfer": ("Transfer units", "划转"),
    "transfer_linked": ("Transfer several things at once, all or none", "关联划转（券款对付）"),
    "cancel": ("Cancel units", "注销"),
    "deposit": ("Deposit money", "入金"),
    "withdraw": ("Withdraw money", "出金"),
    "reverse": ("Reverse a transaction", "冲正"),
    "reserve": ("Reserve units for linked movements", "预冻结"),
    "settle": ("Settle a reservation", "交收"),
    "void": ("Void a reservation", "解除预冻结"),
    "report_verified": ("Report verified emissions", "报告核查排放量"),
    "finalise_allocation": ("Finalise an allocation: supplement or recall", "核定最终配额（多退少补）"),
    "surrender": ("Surrender allowances", "清缴配额"),
    "use_offsets": ("Use offset credits", "使用减排量抵销"),
    "carry_over": ("Carry allowances over", "结转配额"),
}
_PROBLEM: Final = {"content": {PROBLEM_JSON: {"schema": ProblemBody.model_json_schema()}}}
_REFUSED: Final = {"content": {PROBLEM_JSON: {"schema": registry_schemas.RefusalBody.model_json_schema()}}}
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "No key, or an unknown or revoked one / 缺少密钥或密钥无效", **_PROBLEM},
    403: {"description": "The key may not write / 密钥无写入权限", **_PROBLEM},
    409: {"description": "Refused by a check of the ledger / 未通过检查", **_REFUSED},
    413: {"description": f"More than {MOST_BYTES} bytes / 内容过大", **_PROBLEM},
    422: {"description": "Not understood; nothing was recorded / 内容有误，未记录", **_PROBLEM},
    503: {"description": "Busy; send the same again / 繁忙，请重发", **_PROBLEM},
}


def _done_example(verb: str, *, replayed: bool) -> dict[str, Any]:
    made = {"transaction": 1042, "client_id": f"example-{verb}", "kind": verb, "status": "done", "replayed": replayed}
    return {"model": registry_schemas.ReceiptBody, "content": {"application/json": {"example": made}}}


def _answered(request: Request, receipt: Receipt) -> Response:
    if not receipt.done:
        return refused_act(receipt, request.url.path)
    content = registry_schemas.ReceiptBody(
        transaction=receipt.transaction_id,
        client_id=receipt.client_id,
        kind=receipt.kind,
        status="done",
        replayed=receipt.replayed,
    )
    headers = {"Location": _place(request, receipt.client_id), **({REPLAYED: "true"} if receipt.replayed else {})}
    status = HTTPStatus.OK if receipt.replayed else HTTPStatus.CREATED
    return Response(content.model_dump_json(), status, headers, "application/json")


def _place(request: Request, client_id: str) -> str:
    """Where the transaction is found: by its path, but for ids that a path cannot hold as they are."""
    path = f"{request.scope.get('root_path', '')}/v1/registry/transactions"
    named = quote(client_id, safe="")
    if client_id in (".", "..") or client_id.endswith(".csv"):
        return f"{path}?client_id={named}"
    return f"{path}/{named}"


def _add_act(verb: str) -> None:
    english, chinese = WORDS[verb]

    def act(
        request: Request,
        background: BackgroundTasks,
        store: StoreDep,
        actor: WriterDep,
        client_id: ClientIdHeader,
        body: Asked,
    ) -> Response:
        at_us = now_us()
        receipt = registry_store.perform(store, verb, Act(client_id, at_us, actor), body.asked())
        background.add_task(registry_store.seal_if_due, store, at_us)
        answer = _answered(request, receipt)
        answer.background = background
        return answer

    examples: dict[str, Any] = {
        f"{verb}-{number}": {"value": body} for number, body in enumerate(act_examples()[verb], 1)
    }
    act.__annotations__["body"] = Annotated[BODIES[verb], Body(openapi_examples=examples)]
    router.add_api_route(
        f"/acts/{verb}",
        act,
        methods=["POST"],
        operation_id=verb.split("_")[0] + "".join(part.capitalize() for part in verb.split("_")[1:]),
        summary=f"{english} / {chinese}",
        description=f"{registry_store.VERBS[verb].call.__doc__} / {chinese}。",
        status_code=201,
        response_class=Response,
        responses={
            201: {"description": "Done / 已执行", **_done_example(verb, replayed=False)},
            200: {"description": "Done before / 此前已执行", **_done_example(verb, replayed=True)},
            **_PROBLEMS,
        },
    )


@cache
def act_examples() -> dict[str, list[dict[str, Any]]]:
    """Bodies of each verb that are known to work one after another: a small town's compliance year."""
    text = files("api.registry").joinpath("act_examples.json").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = json.loads(text)
    return found


for _verb in BODIES:
    _add_act(_verb)


@router.post(
    "/acts/expire",
    operation_id="expire",
    summary="Void the reservations that have expired / 解除到期预冻结",
    responses={
        200: {
            "content": {
                "application/json": {
                    "example": [
                        {
                            "transaction": 1043,
                            "client_id": "example-expire:example-reserve",
                            "kind": "void",
                            "status": "done",
                            "code": None,
                            "message": None,
                            "replayed": False,
                        }
                    ]
                }
            }
        },
        **{status: said for status, said in _PROBLEMS.items() if status in (401, 403, 422, 503)},
    },
)
def expire(store: StoreDep, actor: WriterDep, client_id: ClientIdHeader) -> list[registry_schemas.ExpiredBody]:
    """Void every reservation whose time has passed; a receipt for each, none where none had. / 到期冻结全部解除。"""
    receipts = registry_store.expire(store, Act(client_id, now_us(), actor))
    return [
        registry_schemas.ExpiredBody(
            transaction=receipt.transaction_id,
            client_id=receipt.client_id,
            kind=receipt.kind,
            status="done" if receipt.done else "failed",
            code=receipt.code,
            message=receipt.message,
            replayed=receipt.replayed,
        )
        for receipt in receipts
    ]


@router.post(
    "/seals",
    operation_id="seal",
    summary="Seal the log / 封存日志",
    status_code=201,
    response_model=registry_schemas.SealBody,
    responses={
        200: {
            "description": "Nothing was left to seal / 无新增记录",
            "content": {"application/json": {"example": {"seal": 7, "sha256": "5a" * 32, "rows": 0}}},
        },
        201: {"description": "Sealed / 已封存"},
        **{status: said for status, said in _PROBLEMS.items() if status in (401, 403, 503)},
    },
)
def seal(store: StoreDep, _actor: WriterDep) -> registry_schemas.SealBody | Response:
    """Seal everything in the log that is not sealed yet; `sha256` is what to publish. Where nothing was left, the last
    seal with 0 rows. / 封存全部未封存记录；sha256 供公布。"""
    made = registry_store.seal(store, now_us())
    if made is not None:
        return registry_schemas.SealBody(seal=made.id, sha256=made.sha256, rows=made.rows)
    last = registry_store.page(store, "seals", sort="-seal", limit=1).rows.row(0, named=True)
    content = registry_schemas.SealBody(seal=last["seal"], sha256=last["sha256"], rows=0)
    return Response(content.model_dump_json(), media_type="application/json")
