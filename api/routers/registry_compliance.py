"""What follows from the registry's log: a unit's life, the audit, compliance, and the schemes' rules.

Knows paths, words and bounds. Computes nothing.
"""

from datetime import date, timedelta
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Path, Query

from api.clock import now_us
from api.deps import PrivateDep, StoreDep
from api.registry import schemas as registry_schemas
from api.registry import store as registry_store
from api.registry.tables import VARY, written
from api.tables import add_table
from carbon.ledger.listing import MOST_ROWS, BadFilter
from carbon.ledger.orders import time_from_us

router = APIRouter(prefix="/v1", tags=["registry"])
SerialPath = Annotated[
    str,
    Path(
        max_length=512,
        description="`CEA24:1000`, a range `CEA24:1000-1999`, or an outside register's own text / 编号或区间",
        examples=["CEA24:1-1000"],
    ),
]
_CHINA = timedelta(hours=8)
_MOST_STEPS = 10_000


def _trace(store: StoreDep, serial: SerialPath) -> pl.DataFrame:
    """The whole life of a unit or of a range: every leg that moved it, in order, and where each part is now. At most
    10,000 steps: ask for a smaller range where there are more. / 单位的全部流转记录及当前持有。"""
    steps = registry_store.trace(store, serial)
    if steps.height > _MOST_STEPS:
        raise BadFilter(f"found {steps.height} steps, expected at most {_MOST_STEPS}: ask for a smaller range")
    return written(steps)


def _audit(
    store: StoreDep,
    private: PrivateDep,
    head: Annotated[
        str | None, Query(pattern="^[0-9a-f]{64}$", description="A digest published earlier / 已公布的链首摘要")
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MOST_ROWS, description="Findings of each check at most / 每项检查结果上限")
    ] = 100,
) -> pl.DataFrame:
    """All checks recomputed from the log; no row means no finding. What was found and expected only with a key, since
    it may hold persons' names. / 由日志重新计算全部检查；无结果即无问题。"""
    findings = written(registry_store.audit(store, now_us(), head=head, max_rows=limit))
    return findings if private is not None else findings.drop("found", "expected")


def _compliance(
    store: StoreDep,
    scheme: Annotated[str | None, Query(max_length=128, description="Scheme / 体系", examples=["CN"])] = None,
    year: Annotated[int | None, Query(ge=1990, le=2100, description="Compliance year / 履约年度")] = None,
    account: Annotated[str | None, Query(max_length=128, description="Account / 账户")] = None,
    as_of: Annotated[
        date | None,
        Query(ge=date(1970, 1, 1), le=date(2200, 1, 1), description="End of this day; today / 截止日"),
    ] = None,
) -> pl.DataFrame:
    """How each operator account stands with each compliance year: verified, owed, handed in, and the status that
    follows. Derived each time, kept nowhere. / 履约情况，由记录推算。"""
    today = (time_from_us(now_us()) + _CHINA).date()
    return written(registry_store.compliance(store, as_of or today, scheme=scheme, year=year, account=account))


def _rules(
    scheme: Annotated[str | None, Query(max_length=128, description="Scheme / 体系", examples=["CN"])] = None,
    year: Annotated[int | None, Query(ge=1990, le=2100, description="Compliance year / 履约年度")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="Kind such as benchmark / 规则类别")] = None,
) -> pl.DataFrame:
    """The schemes' rules as dated data: document number, source, confidence, drafts marked. / 各体系规则及其出处。"""
    return written(registry_store.rules(scheme=scheme, year=year, kind=kind))


add_table(
    router,
    "/registry/trace/{serial:path}",
    _trace,
    operation_id="traceUnit",
    summary="A unit's life / 单位流转",
    row=registry_schemas.TraceRow,
)
add_table(
    router,
    "/registry/audit",
    _audit,
    operation_id="auditLedger",
    summary="Audit / 审计",
    row=registry_schemas.FindingRow,
    headers=VARY,
)
add_table(
    router,
    "/registry/compliance",
    _compliance,
    operation_id="listCompliance",
    summary="Compliance / 履约情况",
    row=registry_schemas.ComplianceRow,
)
add_table(
    router,
    "/rules",
    _rules,
    operation_id="listRules",
    summary="Rules / 规则",
    row=registry_schemas.RuleRow,
)
