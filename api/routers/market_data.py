"""Trading of the carbon markets as data: daily bars, statistics by part, tidy series.

Knows paths, parameters and words. Computes nothing. Figures need loaded files, apart from the yearly series of embedded
sums; without them a list is empty.
"""

import json
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException

from api import market_frames, market_rows, series_frames
from api.bulk_tables import Build, add_bulk_table, refuse
from api.deps import StoreDep
from api.market_rates import Currency
from api.market_series import Frequency, Method, SeriesId, UnknownSeries, parse_series_id
from carbon.listed import Split
from carbon.periods import By

router = APIRouter(prefix="/v1", tags=["markets"])

MarketPath = Annotated[str, Path(description="Key or product code, such as CEA or HBEA / 市场", examples=["CEA"])]
_From = Annotated[date | None, Query(alias="from", description="First day, included / 起始日（含）")]
_To = Annotated[date | None, Query(alias="to", description="Last day, included / 截止日（含）")]
_Vintage = Annotated[int | None, Query(ge=2000, le=2099, description="Year of the vintage / 配额年度")]
_MethodQuery = Annotated[Method | None, Query(description="One method alone / 交易方式")]
_Feed = Annotated[str | None, Query(description="One feed alone, by its name in the rows / 数据来源")]
_Period = Annotated[By, Query(description="Period / 周期")]
_SplitQuery = Annotated[
    str | None,
    Query(
        description="Parts kept apart: any of vintage, method, product, with commas / 拆分维度", examples=["vintage"]
    ),
]
_Currency = Annotated[
    Currency | None, Query(description="Value and VWAP in this currency too; needs loaded rates / 换算货币")
]
_PARTS: tuple[Split, ...] = ("vintage", "method", "product")


def _bars(
    store: StoreDep,
    market: MarketPath,
    start: _From = None,
    end: _To = None,
    vintage: _Vintage = None,
    method: _MethodQuery = None,
    feed: _Feed = None,
) -> Build:
    """One bar a day with trades: prices of listed trading, tonnes and fen by method. Of several feeds one counts a day;
    `feed` asks for another. From loaded files only. Also as `.csv`, `.parquet`, `.arrow`. / 日行情。"""
    return lambda: _checked(
        lambda: market_frames.bars(store, market, start=start, end=end, vintage=vintage, method=method, feed=feed)
    )


def _periods(
    store: StoreDep,
    market: MarketPath,
    by: _Period = "year",
    split: _SplitQuery = None,
    feed: _Feed = None,
    currency: _Currency = None,
) -> Build:
    """Statistics of the loaded rows by day, month, quarter, year or over all, for the market or by vintage, method and
    product: the parts add up to the whole. With `currency` also value and VWAP in it, at the rate of the last day with
    trades, with that rate and its day. Also as `.csv`, `.parquet`, `.arrow`. / 分周期、年度、方式的统计。"""
    parts = _parts(split)
    return lambda: _checked(
        lambda: market_frames.period_statistics(store, market, by=by, split=parts, feed=feed, currency=currency)
    )


def _series_list(
    store: StoreDep,
    market: Annotated[str | None, Query(description="Key or product code / 市场")] = None,
    measure: Annotated[str | None, Query(description="Name of the measure, such as close / 指标")] = None,
    frequency: Annotated[Frequency | None, Query(description="d, m, q or y / 频率")] = None,
) -> Build:
    """Every series that has figures. An id reads MARKET[.VINTAGE][.METHOD].MEASURE.FREQUENCY, such as CEA.close.d,
    CEA.25.listing.volume.d, Hubei.vwap.m, and never changes. Also as `.csv`, `.parquet`, `.arrow`. / 时间序列目录。"""
    return lambda: _checked(
        lambda: series_frames.list_series(store, market=market, measure=measure, frequency=frequency)
    )


def _series(
    store: StoreDep,
    series_id: Annotated[str, Path(description="Id of the series / 序列编号", examples=["CEA.volume.y"])],
    start: _From = None,
    end: _To = None,
    currency: Annotated[series_frames.SeriesCurrency, Query(description="Currency of `value` / 货币")] = "local",
    fill: Annotated[
        series_frames.Fill, Query(description="`forward` carries prices over days without trade, marked / 填充")
    ] = "none",
) -> Build:
    """One series, a row a day or period: null without trade; in CNY and EUR with the rate and its day beside it. EUR
    needs loaded rates. Also as `.csv`, `.parquet`, `.arrow`. / 一个时间序列。"""
    series = _known(series_id)
    return lambda: _checked(
        lambda: series_frames.series_rows(store, series, start=start, end=end, currency=currency, fill=fill)
    )


def _known(series_id: str) -> SeriesId:
    try:
        return parse_series_id(series_id)
    except UnknownSeries as error:
        raise HTTPException(404, str(error)) from error


def _parts(split: str | None) -> list[Split]:
    names = [] if split is None else split.split(",")
    parts = [part for part in _PARTS if part in names]
    if len(parts) < len(names):
        raise refuse("split", str(split), f"any of {', '.join(_PARTS)}, each once, with commas between them")
    return parts


def _checked(make: Build) -> Any:
    """The frame; a parameter that turns out to be unusable is refused as the others are."""
    try:
        return make()
    except market_frames.BadParameter as error:
        raise refuse(error.name, error.found, error.expected) from error


@cache
def _examples() -> dict[str, dict[str, Any]]:
    text = files("api").joinpath("market_examples.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


for _path, _builder, _operation, _summary, _row in (
    ("/markets/{market}/bars", _bars, "listBars", "Daily bars / 日行情", market_rows.BarRow),
    (
        "/markets/{market}/periods",
        _periods,
        "listPeriodStatistics",
        "Statistics by period and part / 分项统计",
        market_rows.PeriodRow,
    ),
    ("/series", _series_list, "listSeries", "Time series / 时间序列目录", market_rows.SeriesRow),
    ("/series/{series_id}", _series, "getSeries", "A time series / 一个时间序列", market_rows.PointRow),
):
    add_bulk_table(
        router,
        _path,
        _builder,
        market_frames.store_stamp,
        operation_id=_operation,
        summary=_summary,
        row=_row,
        example=_examples()[_operation],
    )
