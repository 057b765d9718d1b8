"""Firms and venture deals: how many firms a sector has in a city, and what capital stands behind them.

Knows the two inputs and the nodes firms and capital of the five industries. Knows no file and no score.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from fhi.microdata.rows import (
    MICRO,
    SECTORS,
    Builder,
    Given,
    Rows,
    add_true_zeros,
    exact_sum,
    from_micro,
    no_rows,
    panel_rows,
    status_of,
)
from fhi.microdata.schema import Column, InputSchema

LICENSED: Final = ("payment", "credit")
_OPEN_SECTORS: Final = tuple(sector for sector in SECTORS if sector not in LICENSED)
_OPERATING: Final = {
    "yes": ("true", "1", "y", "是", "运营", "正常运营", "存续", "在业", "开业", "operating"),
    "no": ("false", "0", "n", "否", "停业", "停运", "注销", "吊销", "清算", "closed"),
}

FIRMS: Final = InputSchema(
    "firms",
    "firms: one row a firm, as they stand at the period",
    "企业：每家企业一行，截至该时期",
    (
        Column("name", "企业名称", "text", "name of the firm; a name counts once a city and sector", "企业名称"),
        Column("sector", "行业", "category", "its FinTech sector", "所属行业", values=SECTORS),
        Column("city", "城市", "city", "city of registration", "注册城市"),
        Column("operating", "是否运营", "category", "does it operate normally", "是否正常运营", values=_OPERATING),
        Column(
            "registered_capital_cny", "注册资本_元", "number", "registered capital in CNY", "注册资本（元）", False, 0.0
        ),
        Column(
            "founded", "成立年份", "year", "year it was founded; later than the period: not counted", "成立年份", False,
            1900, 2100,
        ),
    ),
)  # fmt: skip
DEALS: Final = InputSchema(
    "deals",
    "venture deals: one row a deal",
    "风险投资：每笔一行",
    (
        Column("sector", "行业", "category", "FinTech sector of the firm", "企业所属行业", values=SECTORS),
        Column("city", "城市", "city", "city of the firm", "企业所在城市"),
        Column("date", "日期", "date", "day it was announced", "公布日期"),
        Column("amount_cny", "金额_元", "number", "CNY; empty if undisclosed", "金额（元），未披露则空", False, 0.0),
        Column("round", "轮次", "text", "round, such as A", "轮次", False),
    ),
)  # fmt: skip


def make_firms(groups: pl.DataFrame, given: Given) -> Rows:
    """Firms a sector: distinct names that operate and were founded by the period; registered capital as a part.

    groups: hub, period, sector, counts (firms), capital (sum of their largest, millionths of CNY), known and unknown
    (firms whose capital is). A firm named twice counts once, with its largest capital, and operates if any row says
    so. Registered capital (payment and credit only: the report counts it there) is estimated where a firm's is
    unknown, and null where all are.
    """
    totals = add_true_zeros(groups, ["period", "sector"], ["counts", "capital", "unknown"], given.complete)
    code = "industry." + pl.col("sector")
    observed = pl.lit("observed")
    cite = pl.lit(f"{given.files}: number of operating firms, by name")
    panel = panel_rows(totals, code + ".firms", pl.col("counts"), "firms", observed, cite)
    licensed = totals.filter(pl.col("sector").is_in(LICENSED))
    capital = pl.when((pl.col("known") > 0) | (pl.col("counts") == 0)).then(from_micro("capital"))
    cite = pl.format(
        f"{given.files}: sum of registered capital of operating firms; unknown for {{}} of {{}}", "unknown", "counts"
    )
    parts = panel_rows(licensed, code + ".capital.registered", capital, "CNY", status_of(pl.col("unknown") > 0), cite)
    return Rows(panel, parts)


def make_deals(groups: pl.DataFrame, given: Given) -> Rows:
    """Venture funding of the period: the sum of disclosed amounts; number of deals as a part.

    groups: hub, period, sector, amount (sum, millionths of CNY), disclosed (deals with an amount). Estimated where
    some amount is undisclosed, null where all are. For payment and credit it is a part only: see `combine_capital`.
    """
    sums = ["rows", "amount", "disclosed"]
    totals = add_true_zeros(groups, ["period", "sector"], sums, given.complete)
    hidden = pl.col("rows") - pl.col("disclosed")
    amount = pl.when((pl.col("disclosed") > 0) | (pl.col("rows") == 0)).then(from_micro("amount"))
    cite = pl.format(f"{given.files}: sum of venture deals; amount undisclosed in {{}} of {{}}", hidden, "rows")
    code = "industry." + pl.col("sector") + ".capital"
    licensed = pl.col("sector").is_in(LICENSED)
    status = status_of(hidden > 0)
    panel = panel_rows(totals.filter(~licensed), code, amount, "CNY", status, cite)
    venture = panel_rows(totals.filter(licensed), code + ".venture", amount, "CNY", status, cite)
    cite = pl.lit(f"{given.files}: number of venture deals")
    deals = panel_rows(totals, code + ".deals", pl.col("rows"), "deals", pl.lit("observed"), cite)
    return Rows(panel, pl.concat([venture, deals]))


def combine_capital(parts: pl.DataFrame) -> pl.DataFrame:
    """Capital of payment and credit, in PANEL_SCHEMA: venture funding plus registered capital, in CNY, estimated.

    parts: auxiliary rows of firms and of deals. The report counts both (section 05, capital strength) without saying
    how; the sum is assumed. Null where either part is unknown: a deal list that is not complete says nothing of a hub
    that is not in it.
    """
    made = []
    for sector in LICENSED:
        code = f"industry.{sector}.capital"
        venture, registered = (
            parts.filter(pl.col("code") == f"{code}.{part}").select("hub", "period", "value", "source")
            for part in ("venture", "registered")
        )
        both = venture.join(registered, on=["hub", "period"], how="full", coalesce=True, suffix="_registered")
        unknown = pl.lit("not given")
        sources = (pl.coalesce("source", unknown), pl.coalesce("source_registered", unknown))
        cite = pl.format("venture funding ({}) + registered capital ({}); the sum is assumed", *sources)
        total = pl.col("value") + pl.col("value_registered")
        made.append(panel_rows(both, pl.lit(code), total, "CNY", pl.lit("estimated"), cite))
    return pl.concat([no_rows(), *made]).sort("code", "hub", "period")


def _counts() -> pl.Expr:
    """Does a firm (one group of rows with its name) operate, and was it founded by the period?"""
    year = pl.col("period").str.slice(0, 4).cast(pl.Int32)
    return (pl.col("closed") < pl.col("rows")) & (pl.col("founded").is_null() | (pl.col("founded") <= year))


def _codes(name: str, sectors: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"industry.{sector}.{name}" for sector in sectors)


BUILDERS: Final = {
    "firms": Builder(
        schema=FIRMS,
        codes=_codes("firms", tuple(SECTORS)),
        dated=None,
        keys=("sector", "name"),
        sums={
            "closed": (pl.col("operating") == "no").sum().cast(pl.Int64),
            "capital": (pl.col("registered_capital_cny") * MICRO).round().cast(pl.Int128).max(),
            "founded": pl.col("founded").min(),
        },
        make=make_firms,
        distinct="name",
        totals={
            "counts": _counts().sum().cast(pl.Int64),
            "capital": pl.col("capital").filter(_counts()).sum(),
            "known": pl.col("capital").filter(_counts()).count().cast(pl.Int64),
            "unknown": pl.col("capital").filter(_counts()).null_count().cast(pl.Int64),
        },
    ),
    "deals": Builder(
        schema=DEALS,
        codes=_codes("capital", _OPEN_SECTORS),
        dated="date",
        keys=("sector",),
        sums={"amount": exact_sum("amount_cny"), "disclosed": pl.col("amount_cny").count().cast(pl.Int64)},
        make=make_deals,
    ),
}
