"""The registry as anybody may read it: schemes, units, holders, accounts, holdings and every movement.

Knows paths and words. Persons' names are in the rows only for requests that bring a key.
"""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Path

from api.deps import PrivateDep, StoreDep
from api.registry import schemas as registry_schemas
from api.registry import store as registry_store
from api.registry.tables import VARY, add_listing, written
from api.tables import add_table

router = APIRouter(prefix="/v1/registry", tags=["registry"])
AccountPath = Annotated[str, Path(description="Code of the account / 账户编号", examples=["CN:government"])]
ClientIdPath = Annotated[str, Path(description="The id that the client gave the act / 业务编号")]

_HOW = (
    " Every column filters: by its name (equal), `_in`, and for numbers and times `_from` and `_to`, for what may be"
    " missing `_null`. Pages follow by the `Link` header."
)

_LISTS = (
    (
        "schemes",
        "listSchemes",
        "Schemes / 交易体系",
        "National scheme, pilots, foreign schemes and offset programmes. / 全国、试点、境外体系与自愿减排机制。",
        registry_schemas.SchemeRow,
    ),
    (
        "instruments",
        "listInstruments",
        "Kinds of units / 单位种类",
        "Vintages of allowances, batches of offset credits, money. / 各年度配额、减排量批次与资金。",
        registry_schemas.InstrumentRow,
    ),
    (
        "entities",
        "listEntities",
        "Holders / 持有人",
        "Companies and other holders; the contact only with a key. / 企业及其他持有人；联系人仅凭密钥显示。",
        registry_schemas.EntityRow,
    ),
    (
        "accounts",
        "listAccounts",
        "Accounts / 账户",
        "All accounts with their holder and state. / 全部账户及其持有人和状态。",
        registry_schemas.AccountRow,
    ),
    (
        "representatives",
        "listRepresentatives",
        "Representatives / 账户代表人",
        "Who may act for which account, now and before. Needs a key. / 账户代表人（现任与历任），需密钥。",
        registry_schemas.RepresentativeRow,
    ),
    (
        "holdings",
        "listHoldings",
        "Holdings / 持有量",
        "What each account holds of each kind of unit, and how much of it is reserved. / 各账户持有量与冻结量。",
        registry_schemas.HoldingRow,
    ),
    (
        "transactions",
        "listTransactions",
        "Transactions / 业务记录",
        "Every act in the order of the log, done or refused; who acted and what was asked only with a key. /"
        " 全部业务（含被拒绝者）。",
        registry_schemas.TransactionRow,
    ),
    (
        "transfers",
        "listTransfers",
        "Legs / 变动明细",
        "Every leg of every movement; `account` finds both sides. / 全部变动明细。",
        registry_schemas.TransferRow,
    ),
    (
        "blocks",
        "listBlocks",
        "Serial blocks / 编号区间",
        "The runs of serial numbers and who holds them now. / 编号区间及当前持有账户。",
        registry_schemas.BlockRow,
    ),
    (
        "statements",
        "listStatements",
        "Statements / 核查排放量与最终配额",
        "Verified emissions and final allocations as they were stated. / 已报告的核查排放量与最终配额。",
        registry_schemas.StatementRow,
    ),
    (
        "seals",
        "listSeals",
        "Seals / 封存链",
        "The links of the hash chain over the log. / 日志哈希链。",
        registry_schemas.SealRow,
    ),
)


def _account(store: StoreDep, private: PrivateDep, code: AccountPath) -> pl.DataFrame:
    """One account, as a list of one row; its representatives only with a key. / 一个账户；代表人仅凭密钥显示。"""
    return written(registry_store.account(store, code, private=private is not None))


def _transaction(store: StoreDep, private: PrivateDep, client_id: ClientIdPath) -> pl.DataFrame:
    """One act with its legs, a row for each; nulls where nothing moved. / 一笔业务及其变动明细。"""
    return written(registry_store.transaction(store, client_id, private=private is not None))


def _checks() -> pl.DataFrame:
    """The 44 checks and the EU response codes for them. / 44 项检查及欧盟对应代码。"""
    return registry_store.checks()


for _name, _operation, _summary, _words, _row in _LISTS:
    add_listing(
        router,
        f"/{_name}",
        _name,
        operation_id=_operation,
        summary=_summary,
        description=_words + _HOW,
        row=_row,
    )
add_table(
    router,
    "/accounts/{code:path}",
    _account,
    operation_id="getAccount",
    summary="An account / 一个账户",
    row=registry_schemas.OneAccountRow,
    headers=VARY,
)
add_table(
    router,
    "/transactions/{client_id:path}",
    _transaction,
    operation_id="getTransaction",
    summary="A transaction with its legs / 一笔业务",
    row=registry_schemas.TransactionLegRow,
    headers=VARY,
)
add_table(
    router,
    "/checks",
    _checks,
    operation_id="listChecks",
    summary="Checks / 检查项",
    row=registry_schemas.CheckRow,
)
