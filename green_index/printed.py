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

from fhi.other_indices import gfhi_tiers, other_indices
from fhi.published import (
    FHI_2017,
    OVERALL,
    WUHAN_2021,
    printed_editions,
    printed_facts,
    printed_partial_ranks,
    printed_totals,
    rank_history,
)
from green_index.errors import UnknownPrintedTable

BOTH: Final = "the two documents; each row names its own"
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
    "rank_history": PrintedTable("历次位次", "Ranks in later editions", WUHAN_2021, rank_history),
    "hub_modes": PrintedTable("金融科技中心模式", "Modes of fintech hubs", WUHAN_2021, _own("hub_modes")),
    "fintech_plans": PrintedTable("金融科技规划", "FinTech plans issued", WUHAN_2021, _own("fintech_plans")),
    "firm_counts": PrintedTable("企业数量", "Counts of firms", WUHAN_2021, _own("firm_counts")),
    "development_paths": PrintedTable("发展路径", "Paths of development", WUHAN_2021, _own("development_paths")),
    "policy_proposals": PrintedTable("瑞士政策建议", "Swiss policy proposals", WUHAN_2021, _own("policy_proposals")),
    "application_scenarios": PrintedTable(
        "应用场景", "Application scenarios", WUHAN_2021, _own("application_scenarios")
    ),
    "other_indices": PrintedTable("其他指数", "Other indices", WUHAN_2021, other_indices),
    "editions": PrintedTable(
        "已公布各版位次（统一格式）", "Every printed edition in one shape", BOTH, printed_editions
    ),
    "gfhi_tiers": PrintedTable("全球金融科技中心指数梯队", "Tiers of the GFHI 2021", WUHAN_2021, gfhi_tiers),
}


def own_files() -> tuple[str, ...]:
    """Printed tables whose file lies in this package; the others are read by `fhi`, which names their publishers."""
    folder = files("green_index").joinpath("data")
    return tuple(name for name in PRINTED_TABLES if folder.joinpath(f"{name}.csv").is_file())


def printed_table(name: str) -> pl.DataFrame:
    """One printed table, each row with its `source`. Raises UnknownPrintedTable, naming those that exist."""
    if name not in PRINTED_TABLES:
        raise UnknownPrintedTable(f"unknown printed table {name!r}; known: {', '.join(PRINTED_TABLES)}")
    entry = PRINTED_TABLES[name]
    rows = entry.read()
    return rows if "source" in rows.columns else rows.with_columns(pl.lit(entry.source).alias("source"))


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
    nodes = {OVERALL: "fintech", "industry": "industry", "experience": "experience", "ecosystem": "ecosystem"}
    return (
        printed_editions()
        .filter(pl.col("hub") == hub, pl.col("index") == "FHI", pl.col("dimension").is_in(list(nodes)))
        .drop_nulls("rank")
        .select(
            "rank",
            "source",
            year=pl.col("edition").cast(pl.Int64),
            code=pl.col("dimension").replace_strict(nodes, return_dtype=pl.String),
        )
        .select(PRINTED_RANK_SCHEMA.names())
        .sort("year", "code")
    )
