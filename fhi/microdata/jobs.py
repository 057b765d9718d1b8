"""Job advertisements: the talent supply of a sector in a city.

Knows the input and the node talent of the five industries. Knows no file.
"""

from typing import Final

import polars as pl

from fhi.microdata.rows import SECTORS, Builder, Given, Rows, exact_sum, panel_rows
from fhi.microdata.schema import Column, InputSchema

_DEGREES: Final = {
    "any": ("不限", "学历不限", "无要求", "unrestricted"),
    "secondary": ("初中", "高中", "中专", "中技", "高中及以上", "中专及以上", "初中及以下"),
    "associate": ("大专", "专科", "大专及以上", "college"),
    "bachelor": ("本科", "学士", "本科及以上", "bachelor's"),
    "master": ("硕士", "研究生", "硕士及以上", "硕士研究生", "mba", "master's"),
    "doctor": ("博士", "博士及以上", "博士研究生", "phd", "doctorate"),
}

JOBS: Final = InputSchema(
    "jobs",
    "job advertisements: one row an advertisement",
    "招聘信息：每条一行",
    (
        Column("sector", "行业", "category", "FinTech sector of the employer", "雇主所属行业", values=SECTORS),
        Column("city", "城市", "city", "city of the post", "工作城市"),
        Column("date", "日期", "date", "day it was published", "发布日期"),
        Column(
            "salary_cny_per_month", "月薪_元", "salary", "pay in CNY a month, a figure or a range", "月薪（元）或范围",
            False, 1.0, 1e6,
        ),
        Column("degree", "学历", "category", "lowest degree asked for", "最低学历要求", False, values=_DEGREES),
    ),
)  # fmt: skip


def make_jobs(groups: pl.DataFrame, given: Given) -> Rows:
    """The talent index (0 to 100), and mean salary, share of master's or higher and number of ads as parts.

    groups: hub, period, sector, salary (sum, millionths of CNY a month), salaries, degrees (ads that state them),
    masters (ads asking for a master's degree or higher). The report uses both means (section 06) without saying how
    they become one; assumed is the mean of the two min-max scores over the hubs of that sector and period, so it
    compares hubs within a period only, and is estimated. Null where a part is unknown, or is the same in every hub.
    """
    keys = ["period", "sector"]
    means = groups.sort("hub", "period", "sector").with_columns(
        salary=pl.when(pl.col("salaries") > 0).then(
            pl.col("salary").cast(pl.Float64) / (pl.col("salaries").cast(pl.Float64) * 1e6)
        ),
        share=pl.when(pl.col("degrees") > 0).then(pl.col("masters") / pl.col("degrees")),
    )
    scores = [_score(pl.col(part), keys) for part in ("salary", "share")]
    index = (scores[0] + scores[1]) / 2
    code = "industry." + pl.col("sector") + ".talent"
    cite = pl.lit(
        f"{given.files}: mean of the min-max scores, over the hubs of the period, of mean salary and share of "
        "master's degrees; the rule is assumed"
    )
    panel = panel_rows(means, code, index, "index", pl.lit("estimated"), cite)
    observed = pl.lit("observed")
    parts = [
        panel_rows(means, code + f".{part}", value, unit, observed, pl.lit(f"{given.files}: {formula}"))
        for part, value, unit, formula in (
            ("salary", pl.col("salary"), "CNY per month", "mean of stated salaries"),
            ("masters", pl.col("share"), "share", "ads asking for a master's or higher / ads stating a degree"),
            ("ads", pl.col("rows"), "advertisements", "number of advertisements"),
        )
    ]
    return Rows(panel, pl.concat(parts))


def _score(part: pl.Expr, keys: list[str]) -> pl.Expr:
    low, high = part.min().over(keys), part.max().over(keys)
    return pl.when(high > low).then((part - low) / (high - low) * 100)


BUILDERS: Final = {
    "jobs": Builder(
        schema=JOBS,
        codes=tuple(f"industry.{sector}.talent" for sector in SECTORS),
        dated="date",
        keys=("sector",),
        sums={
            "salary": exact_sum("salary_cny_per_month"),
            "salaries": pl.col("salary_cny_per_month").count().cast(pl.Int64),
            "degrees": pl.col("degree").count().cast(pl.Int64),
            "masters": pl.col("degree").is_in(["master", "doctor"]).sum().cast(pl.Int64),
        },
        make=make_jobs,
    )
}
