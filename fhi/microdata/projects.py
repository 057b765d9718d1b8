"""Platform projects: loans and campaigns, counted where the platform sits and where the borrower lives.

Knows the input and four nodes: volume of two industries, and residents' borrowing and fund raising online.
"""

from typing import Final

import polars as pl

from fhi.microdata.rows import (
    SECTORS,
    Builder,
    Given,
    Rows,
    add_true_zeros,
    exact_sum,
    from_micro,
    panel_rows,
    with_population,
)
from fhi.microdata.schema import Column, InputSchema

_ONLINE: Final = {"p2p": "experience.p2p.online_lending", "crowdfunding": "experience.crowdfunding.online_funding"}
_KINDS: Final = {kind: SECTORS[kind] for kind in _ONLINE}

PROJECTS: Final = InputSchema(
    "projects",
    "platform projects: one row a loan or campaign that was funded",
    "平台项目：每个成功的借款或众筹项目一行",
    (
        Column("platform_kind", "平台类型", "category", "kind of platform", "平台类型", values=_KINDS),
        Column("platform_city", "平台城市", "city", "city of the platform's firm", "平台企业所在城市"),
        Column("borrower_city", "借款人城市", "city", "city of who borrowed or raised", "借款人或发起人城市", False),
        Column("date", "日期", "date", "day it was funded", "满标或成功日期"),
        Column("amount_cny", "金额_元", "number", "amount in CNY", "金额（元）", True, 0.0),
    ),
)


def make_projects(groups: pl.DataFrame, given: Given) -> Rows:
    """Volume by the platform's city (CNY); borrowing by the borrower's city (CNY per resident), with its parts.

    groups: hub (of the platform), borrower_city (hub), period, platform_kind, amount (sum, millionths of CNY), rows.
    The report names amount, number and mean size of residents' projects without saying how they become one; assumed
    is amount per resident, with the open population of the year (null without one), so it is estimated. Amount,
    number and mean size are parts.
    """
    keys, sums = ["period", "platform_kind"], ["amount", "rows"]
    volume = add_true_zeros(_total(groups, "hub"), keys, sums, given.complete)
    kind = pl.col("platform_kind")
    observed = pl.lit("observed")
    cite = pl.lit(f"{given.files}: sum of amounts by city of the platform")
    panel = [panel_rows(volume, "industry." + kind + ".volume", from_micro("amount"), "CNY", observed, cite)]
    online = with_population(add_true_zeros(_total(groups, "borrower_city"), keys, sums, given.complete))
    code = kind.replace_strict(_ONLINE, return_dtype=pl.String)
    cite = pl.lit(f"{given.files}: amounts by city of the borrower / resident population (open figures); assumed")
    estimated = pl.lit("estimated")
    per_head = from_micro("amount") / pl.col("population")
    panel.append(panel_rows(online, code, per_head, "CNY per head", estimated, cite))
    mean = pl.when(pl.col("rows") > 0).then(from_micro("amount") / pl.col("rows"))
    parts = [
        panel_rows(online, code + f".{part}", value, unit, observed, pl.lit(f"{given.files}: {part} by borrower"))
        for part, value, unit in (
            ("amount", from_micro("amount"), "CNY"),
            ("number", pl.col("rows"), "projects"),
            ("mean_size", mean, "CNY"),
        )
    ]
    return Rows(pl.concat(panel), pl.concat(parts))


def _total(groups: pl.DataFrame, city: str) -> pl.DataFrame:
    chosen = groups.select(pl.col(city).alias("hub"), "period", "platform_kind", "amount", "rows").drop_nulls("hub")
    return chosen.group_by("hub", "period", "platform_kind").sum()


BUILDERS: Final = {
    "projects": Builder(
        schema=PROJECTS,
        codes=(*(f"industry.{kind}.volume" for kind in _ONLINE), *_ONLINE.values()),
        dated="date",
        keys=("platform_kind",),
        sums={"amount": exact_sum("amount_cny")},
        make=make_projects,
    )
}
