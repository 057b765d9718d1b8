"""Scores, frameworks and editions."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Path, Query

from api import DEFAULT_YEAR, queries, schemas
from api.deps import BaseQuery, StoreDep, YearQuery
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["scores"])


def _scores(store: StoreDep, year: YearQuery = DEFAULT_YEAR, base: BaseQuery = "open") -> pl.DataFrame:
    """The ranking of one year. A city that is not ranked has null rank and a reason. / 年度排名。"""
    return queries.scores(store, year, base)


def _framework(
    store: StoreDep,
    framework: Annotated[str, Path(description=f"One of {', '.join(queries.FRAMEWORKS)}", examples=["green"])],
) -> pl.DataFrame:
    """An indicator tree, one row a node: meaning, unit, direction, weight, who judged. / 指标体系。"""
    return queries.framework(store, framework)


def _editions(store: StoreDep) -> pl.DataFrame:
    """Frozen editions with the hashes of all that they were made from. / 已发布版本。"""
    return queries.editions(store)


def _notes(store: StoreDep, base: BaseQuery = "open", year: Annotated[int | None, Query()] = None) -> pl.DataFrame:
    """What a reader must know of the current figures: loaded files, partial years, unused indicators. / 数据说明。"""
    return queries.notes(store, base, year)


def _printed(store: StoreDep) -> pl.DataFrame:
    """The tables that the founding documents print. / 原始文献中公布的数据表。"""
    return queries.printed(store)


def _printed_rows(
    store: StoreDep, table: Annotated[str, Path(description="A table of /v1/printed / 表名", examples=["rank_history"])]
) -> pl.DataFrame:
    """One printed table, as printed, each row with its source. / 一个公布的数据表。"""
    return queries.printed_rows(store, table)


def _sources(store: StoreDep) -> pl.DataFrame:
    """Publisher, unit and terms of every column of the embedded figures. / 内置数据的来源。"""
    return queries.sources(store)


add_table(
    router, "/sources", _sources, operation_id="listSources", summary="Sources of the figures", row=schemas.SourceRow
)
add_table(
    router,
    "/printed",
    _printed,
    operation_id="listPrintedTables",
    summary="Printed tables",
    row=schemas.PrintedTableRow,
)
add_table(
    router,
    "/printed/{table}",
    _printed_rows,
    operation_id="getPrintedTable",
    summary="A printed table",
    row=schemas.PrintedRow,
)
add_table(router, "/notes", _notes, operation_id="listNotes", summary="Notes on the figures", row=schemas.NoteRow)
add_table(
    router,
    "/scores",
    _scores,
    operation_id="listScores",
    summary="Ranking of a year",
    row=schemas.ScoreRow,
)
add_table(
    router,
    "/frameworks/{framework}",
    _framework,
    operation_id="getFramework",
    summary="An indicator tree",
    row=schemas.NodeRow,
)
add_table(
    router,
    "/editions",
    _editions,
    operation_id="listEditions",
    summary="Editions",
    row=schemas.EditionRow,
)
