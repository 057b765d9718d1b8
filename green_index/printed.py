"""What the two founding documents print, table by table, as they print it.

Knows the tables and their source. Computes nothing from them; no figure here enters a score but the printed totals,
and those only by way of `fhi.published`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

from fhi.published import printed_facts, printed_partial_ranks, printed_totals
from green_index.errors import UnknownPrintedTable

FHI_2017: Final = "FinTech Hub Index report 2017, Academy of Internet Finance, Zhejiang University (2017-09-29)"
WUHAN_2021: Final = "叶楠 (Ye Nan): 武汉构建绿色金融科技中心的战略与路径研究, ISSN 1003-8477, 2021(11), 63-70"


PRINTED_RANK_SCHEMA: Final = pl.Schema({"year": pl.Int64, "code": pl.String, "rank": pl.Int64, "source": pl.String})


@dataclass(frozen=True)
class PrintedTable:
    """One table: what it is, in both languages, where it is printed, and how to read it."""

    title_zh: str
    title_en: str
    source: str
    read: Callable[[], pl.DataFrame]


def _own(name: str) -> Callable[[], pl.DataFrame]:
    @cache
    def read() -> pl.DataFrame:
        return pl.read_csv(files("green_index").joinpath("data", f"{name}.csv").read_bytes(), infer_schema_length=None)

    return read


PRINTED_TABLES: Final[Mapping[str, PrintedTable]] = {
    "fhi2017_totals": PrintedTable("2017年指数总分与位次", "FHI 2017: totals and ranks", FHI_2017, printed_totals),
    "fhi2017_partial_ranks": PrintedTable(
        "2017年各指标前几名", "FHI 2017: first cities by node", FHI_2017, printed_partial_ranks
    ),
    "fhi2017_facts": PrintedTable("2017年报告单项数据", "FHI 2017: single figures", FHI_2017, printed_facts),
    "rank_history": PrintedTable("历次位次", "Ranks in later editions", WUHAN_2021, _own("rank_history")),
    "hub_modes": PrintedTable("金融科技中心模式", "Modes of fintech hubs", WUHAN_2021, _own("hub_modes")),
    "fintech_plans": PrintedTable("金融科技规划", "FinTech plans issued", WUHAN_2021, _own("fintech_plans")),
    "firm_counts": PrintedTable("企业数量", "Counts of firms", WUHAN_2021, _own("firm_counts")),
    "development_paths": PrintedTable("发展路径", "Paths of development", WUHAN_2021, _own("development_paths")),
    "policy_proposals": PrintedTable("瑞士政策建议", "Swiss policy proposals", WUHAN_2021, _own("policy_proposals")),
    "application_scenarios": PrintedTable(
        "应用场景", "Application scenarios", WUHAN_2021, _own("application_scenarios")
    ),
    "other_indices": PrintedTable("其他指数", "Other indices", WUHAN_2021, _own("other_indices")),
}


def printed_table(name: str) -> pl.DataFrame:
    """One printed table, each row with its `source`. Raises UnknownPrintedTable, naming those that exist."""
    if name not in PRINTED_TABLES:
        raise UnknownPrintedTable(f"unknown printed table {name!r}; known: {', '.join(PRINTED_TABLES)}")
    entry = PRINTED_TABLES[name]
    return entry.read().with_columns(pl.lit(entry.source).alias("source"))


def list_printed() -> pl.DataFrame:
    """The printed tables: table, title_zh, title_en, rows, source."""
    rows = [
        (name, entry.title_zh, entry.title_en, entry.read().height, entry.source)
        for name, entry in PRINTED_TABLES.items()
    ]
    return pl.DataFrame(rows, schema=["table", "title_zh", "title_en", "rows", "source"], orient="row")


def printed_ranks(hub: str) -> pl.DataFrame:
    """A hub's printed FHI ranks: year, code (node of the base tree below `fintech`), rank, source.

    2017 from the report (the 20 printed cities), later editions as the 2021 paper cites them (Wuhan).
    """
    first = printed_totals().filter(pl.col("hub") == hub).to_dicts()
    columns = {"rank": "fintech", "industry_rank": "industry", "experience_rank": "experience"}
    columns["ecosystem_rank"] = "ecosystem"
    rows = [(2017, code, row[column], FHI_2017) for row in first for column, code in columns.items()]
    later = (
        PRINTED_TABLES["rank_history"]
        .read()
        .filter(pl.col("hub") == hub, pl.col("index") == "FHI", pl.col("edition") > 2017)
    )
    nodes = {"total rank": "fintech", "industry rank": "industry", "experience rank": "experience"}
    for edition, measure, rank in later.select("edition", "measure", "value").iter_rows():
        rows.append((edition, nodes[measure], int(rank), f"FHI {edition}, as cited by {WUHAN_2021}"))
    return pl.DataFrame(rows, schema=PRINTED_RANK_SCHEMA, orient="row").sort("year", "code")
