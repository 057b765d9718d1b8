"""Search index series: how much a city looks for FinTech.

Knows the input and the node search heat.
"""

from typing import Final

import polars as pl

from fhi.microdata.rows import Builder, Given, Rows, exact_sum, from_micro, panel_rows
from fhi.microdata.schema import Column, InputSchema

_TERMS: Final = {"fintech_zh": ("金融科技",), "internet_finance": ("互联网金融",), "fintech_en": ("Fintech",)}

SEARCHES: Final = InputSchema(
    "searches",
    "search index: one row a city, day (or week) and term",
    "搜索指数：每城市、日期（或周）、词一行",
    (
        Column("city", "城市", "city", "where the searches came from", "搜索来源城市"),
        Column("date", "日期", "date", "the day, or a day of the week", "日期"),
        Column("term", "词", "category", "what was searched for", "搜索词", values=_TERMS),
        Column(
            "index", "指数", "number", "searches in the days that the row covers", "该行所含天数的搜索量", True, 0.0
        ),
        Column("days", "天数", "number", "days that it covers; 1 if empty", "所含天数，空则为1", False, 1.0, 31.0),
    ),
)


def make_searches(groups: pl.DataFrame, given: Given) -> Rows:
    """Searches a week, added over the terms; each term as a part.

    groups: hub, period, term, index (sum, millionths), days (sum, millionths). A term's weekly mean is its searches
    per day covered, times 7, so missing days and weeks cut by the period's ends do not lower it. Null where a term
    that others have is missing.
    """
    weekly = groups.sort("hub", "period", "term").with_columns(
        weekly=from_micro("index") / from_micro("days") * 7.0, covered=from_micro("days")
    )
    terms = weekly.group_by("period").agg(terms=pl.col("term").n_unique())
    totals = weekly.group_by("hub", "period", maintain_order=True).agg(pl.col("weekly").sum(), found=pl.len())
    totals = totals.join(terms, on="period", how="left")
    value = pl.when(pl.col("found") == pl.col("terms")).then("weekly")
    code, unit, observed = pl.lit("ecosystem.attention.search"), "searches per week", pl.lit("observed")
    cite = pl.format(
        f"{given.files}: sum over terms of searches per day covered, times 7; {{}} of {{}} terms", "found", "terms"
    )
    panel = panel_rows(totals, code, value, unit, observed, cite)
    cite = pl.format(f"{given.files}: searches per day covered, times 7; {{}} days", pl.col("covered").cast(pl.Int64))
    return Rows(panel, panel_rows(weekly, code + "." + pl.col("term"), pl.col("weekly"), unit, observed, cite))


BUILDERS: Final = {
    "searches": Builder(
        schema=SEARCHES,
        codes=("ecosystem.attention.search",),
        dated="date",
        keys=("term",),
        sums={
            "index": exact_sum("index"),
            "days": (pl.col("days").fill_null(1.0) * 1e6).round().cast(pl.Int128).sum(),
        },
        make=make_searches,
    )
}
