"""Scores, frameworks and editions."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Path

from api import queries, schemas
from api.deps import BaseQuery, StoreDep, YearQuery
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["scores"])


def _scores(store: StoreDep, year: YearQuery = queries.DEFAULT_YEAR, base: BaseQuery = "open") -> pl.DataFrame:
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


add_table(
    router,
    "/scores",
    _scores,
    operation_id="listScores",
    summary="Ranking of a year",
    row=schemas.ScoreRow,
    example={
        "hub": "wuhan",
        "name_zh": "武汉",
        "name_en": "Wuhan",
        "year": 2022,
        "base": "open",
        "edition": "open-period-0123456789ab",
        "rank": 5,
        "ranked": 37,
        "score": 50.0,
        "fintech": 60.0,
        "carbon_finance": 40.0,
        "sustainability_data": 35.0,
        "coverage": 0.3,
        "reason": None,
        "reason_zh": None,
    },
)
add_table(
    router,
    "/frameworks/{framework}",
    _framework,
    operation_id="getFramework",
    summary="An indicator tree",
    row=schemas.NodeRow,
    example={
        "framework": "green",
        "code": "carbon_finance.market.volume",
        "parent": "carbon_finance.market",
        "level": 3,
        "kind": "indicator",
        "name_zh": "碳市场成交量",
        "name_en": "Traded volume",
        "direction": 1,
        "unit": "t",
        "transform": "log1p",
        "definition_zh": "",
        "definition_en": "allowances traded in the period on exchanges seated in the hub",
        "null_means": "no figure although an exchange is seated in the hub",
        "zero_means": "no exchange seated in the hub: a true zero",
        "source": "daily bars or their yearly sums",
        "judgement_rule": None,
        "judged_by": None,
        "judged_when": None,
        "judgement_reason": None,
        "weight": 0.2,
        "weight_method": "ahp_equal",
        "weight_assumed": True,
        "consistency_ratio": 0.0,
    },
)
add_table(
    router,
    "/editions",
    _editions,
    operation_id="listEditions",
    summary="Editions",
    row=schemas.EditionRow,
    example={
        "edition": "open-period-0123456789ab",
        "base": "open",
        "bounds": "period",
        "first_year": 2013,
        "last_year": 2023,
        "framework": "green",
        "framework_hash": "0" * 64,
        "recipe_hash": "0" * 64,
        "data_version": "0" * 64,
        "seed": 0,
        "engine": "greenfin 0.1.0",
        "content_hash": "0" * 64,
        "notes": ["Hubei 2023: whole year"],
    },
)
