"""A city over time: its track, why its rank moved, alerts, printed ranks beside our back-cast, scores by month."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query

from api import tracking
from api.bulk_tables import refuse
from api.deps import BaseQuery, FirstYearQuery, LastYearQuery, StoreDep
from api.routers.hubs import HubPath
from api.schemas import Row
from api.tables import add_table

router = APIRouter(prefix="/v1", tags=["analyses"])
_MOST_DRAWS = 5_000

_Bands = Annotated[int, Query(ge=0, le=_MOST_DRAWS, description="Draws for rank bands; none without / 抽样次数")]
_Draws = Annotated[int, Query(ge=1, le=_MOST_DRAWS, description="Draws for rank bands / 抽样次数")]
_Seed = Annotated[int, Query(ge=0, le=2**63 - 1, description="Of the draws / 随机种子")]
_SomeHub = Annotated[str | None, Query(alias="hub", description="A city; all of them without it / 城市")]
_FirstMonth = Annotated[
    str | None,
    Query(alias="from", description="First month; all that are loaded without it / 起始月", examples=["2022-01"]),
]
_LastMonth = Annotated[str | None, Query(alias="to", description="Last month / 截止月", examples=["2023-12"])]
_FromEdition = Annotated[str | None, Query(description="A stored edition, with `to_edition` / 起始版本")]
_ToEdition = Annotated[str | None, Query(description="A stored edition, with `from_edition` / 目标版本")]
_FromPeriod = Annotated[str | None, Query(description="Period of `from_edition`; its last without it / 起始版本的期次")]
_ToPeriod = Annotated[str | None, Query(description="Period of `to_edition`; its last without it / 目标版本的期次")]


class TrackRow(Row):
    """A city in one year. `rank` is of the year by itself; `rank_pooled` and `score_pooled` rest on bounds pooled over
    years and compare between them. `gained` places of `rank_pooled` since `from_year` are exactly own + others + method
    + revision. The band is sensitivity to choices, no confidence interval; null where no draws were asked for."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    base: str
    edition: str
    edition_pooled: str
    rank: int | None
    ranked: int
    rank_pooled: int | None
    rank_median: float | None
    rank_p05: float | None
    rank_p95: float | None
    score_pooled: float | None
    coverage: float
    from_year: int | None
    gained: int | None
    own: float | None
    others: float | None
    method: float | None
    revision: float | None
    score_change: float | None
    reason_zh: str | None
    reason_en: str | None


class RankChangeRow(Row):
    """Why a city's rank moved. `kind` rank: the change in places gained and its parts own, others, method, revision;
    score: the change in points and its parts; points: each node of the tree, by its figures and by its weight."""

    hub: str
    name_zh: str
    name_en: str
    from_edition: str
    to_edition: str
    from_period: str
    to_period: str
    kind: str
    code: str
    label_zh: str
    label_en: str
    level: int | None
    before: float | None
    after: float | None
    change: float | None
    by_score: float | None
    by_weight: float | None
    remark_zh: str | None
    remark_en: str | None


class AlertRow(Row):
    """A city whose band of ranks moved from one year to the next: strong where the bands share no rank, weak where the
    median left the former band, entered and left where it is ranked in one of the years only."""

    hub: str
    name_zh: str
    name_en: str
    base: str
    from_period: str
    to_period: str
    kind: str
    direction: str | None
    rank_before: int | None
    rank_median_before: float | None
    rank_p05_before: float | None
    rank_p95_before: float | None
    rank_after: int | None
    rank_median_after: float | None
    rank_p05_after: float | None
    rank_p95_after: float | None
    draws: int
    seed: int
    text_zh: str
    text_en: str


class PrintedBesideRow(Row):
    """A printed rank beside ours for the same year and node. `printed_*` as printed; `backcast_*` computed by us from
    open figures; `extended_*` the extended index, beside totals. Null where there is none."""

    hub: str
    name_zh: str
    name_en: str
    year: int
    index: str
    code: str
    label_zh: str
    label_en: str
    printed_rank: int | None
    printed_text: str | None
    printed_ranked: int | None
    printed_score: float | None
    printed_source: str | None
    backcast_rank: int | None
    backcast_ranked: int | None
    backcast_score: float | None
    backcast_coverage: float | None
    extended_rank: int | None
    extended_ranked: int | None
    edition: str


class MonthlyScoreRow(Row):
    """A city in one month, on bounds pooled over the months asked for. `carried_share` of the weight rests on yearly
    figures carried forward; `missing` names what lacks a daily file."""

    hub: str
    name_zh: str
    name_en: str
    month: str
    base: str
    edition: str
    rank: int | None
    ranked: int
    score: float | None
    fintech: float | None
    carbon_finance: float | None
    sustainability_data: float | None
    coverage: float
    carried_share: float | None
    missing: list[str] | None


def _years(store: StoreDep, base: BaseQuery, first: int | None, last: int | None) -> list[int]:
    known = tracking.years_of(store, base)
    begin, end = first or known[0], last or known[-1]
    if begin >= end:
        raise refuse("from", str(begin), f"a year before {end}")
    return list(range(begin, end + 1))


def _track(
    store: StoreDep,
    hub: HubPath,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
    base: BaseQuery = "open",
    draws: _Bands = 0,
    seed: _Seed = 1,
) -> pl.DataFrame:
    """Rank and score of a city by year, and the places gained since the year before, split exactly into own change,
    others' change, method and revised data. / 城市历年位次、得分与变化分解。"""
    return tracking.track(store, base, _years(store, base, first, last), hub, draws, seed)


def _rank_changes(
    store: StoreDep,
    hub: HubPath,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
    base: BaseQuery = "open",
    from_edition: _FromEdition = None,
    to_edition: _ToEdition = None,
    from_period: _FromPeriod = None,
    to_period: _ToPeriod = None,
) -> pl.DataFrame:
    """Why a city's rank moved between two years of today's edition, or between two stored editions: in places by part,
    in points by part, and in points by group and indicator. / 两期或两版之间位次变化的分解。"""
    if from_edition is not None and to_edition is not None:
        return tracking.edition_changes(store, hub, from_edition, to_edition, from_period, to_period)
    for name, given in (("from_edition", from_edition), ("to_edition", to_edition)):
        if given is not None:
            raise refuse(name, given, "both from_edition and to_edition, or neither")
    for name, given in (("from_period", from_period), ("to_period", to_period)):
        if given is not None:
            raise refuse(name, given, "from_edition and to_edition beside it")
    years = _years(store, base, first, last)
    return tracking.rank_changes(store, base, hub, years[0], years[-1])


def _alerts(
    store: StoreDep,
    first: FirstYearQuery = None,
    last: LastYearQuery = None,
    base: BaseQuery = "open",
    hub: _SomeHub = None,
    draws: _Draws = tracking.DRAWS,
    seed: _Seed = 1,
) -> pl.DataFrame:
    """Whose band of ranks moved from one year to the next. Bands are sensitivity to choices, no confidence intervals.
    / 位次区间变动提示。"""
    return tracking.alerts(store, base, _years(store, base, first, last), hub, draws, seed)


def _printed(store: StoreDep, hub: HubPath) -> pl.DataFrame:
    """A city's printed FHI and GFHI ranks beside those that open figures give for the same year.
    / 公布位次与回算位次。"""
    return tracking.printed_and_backcast(store, hub)


def _months(
    store: StoreDep, first: _FirstMonth = None, last: _LastMonth = None, base: BaseQuery = "open"
) -> pl.DataFrame:
    """Scores and ranks by month, from loaded daily files and yearly figures carried forward. / 逐月得分。"""
    return tracking.monthly_scores(store, base, first, last)


add_table(
    router,
    "/hubs/{hub}/track",
    _track,
    operation_id="getTrack",
    summary="A city over the years",
    row=TrackRow,
)
add_table(
    router,
    "/hubs/{hub}/rank-changes",
    _rank_changes,
    operation_id="getRankChanges",
    summary="Why a city's rank moved",
    row=RankChangeRow,
)
add_table(
    router,
    "/hubs/{hub}/printed-and-backcast",
    _printed,
    operation_id="getPrintedAndBackcast",
    summary="Printed ranks beside our back-cast",
    row=PrintedBesideRow,
)
add_table(
    router,
    "/alerts",
    _alerts,
    operation_id="listAlerts",
    summary="Whose rank band moved",
    row=AlertRow,
)
add_table(
    router,
    "/monthly-scores",
    _months,
    operation_id="listMonthlyScores",
    summary="Scores by month",
    row=MonthlyScoreRow,
)
