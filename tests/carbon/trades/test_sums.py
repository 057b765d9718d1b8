"""Statistics of trades beside those of bars made of the same trades, and participants beside plain sums."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from carbon.calendar import market_sessions
from carbon.listed import traded_rows
from carbon.periods import Span, UnknownBreakdown, market_statistics, traded_statistics
from carbon.rows import rows_schema
from carbon.statistics import herfindahl
from carbon.trades.kernel import sum_trades
from carbon.trades.summary import sum_files, summarise_trades
from carbon.trades.sums import combine, participants, participants_schema, statistics_schema

Make = Callable[[int, int, date, int], pl.DataFrame]
Fill = Callable[[Path, pl.DataFrame, str, str], None]
WHO = ["buyers", "sellers", "participants", "buyer_hhi", "seller_hhi", "buyer_known_share", "seller_known_share"]


def daily_rows(trades: pl.DataFrame, market: str, product: pl.Expr) -> pl.DataFrame:
    """The trades as the daily table of an exchange prints them: a row a product, method and day, as canonical rows."""
    listed = pl.col("method") == 10
    price = pl.col("price_fen").cast(pl.Int64)
    prices = {"open": price.first(), "high": price.max(), "low": price.min(), "close": price.last()}
    return (
        trades.sort("time_us", maintain_order=True)
        .group_by("day", "method", product.alias("product"), maintain_order=True)
        .agg(
            *(pl.when(listed.first()).then(what).alias(f"{name}_fen_per_t") for name, what in prices.items()),
            volume_t=pl.col("quantity_t").cast(pl.Int64).sum(),
            value_fen=(price * pl.col("quantity_t")).sum(),
        )
        .with_columns(
            *(pl.lit(None, pl.Int64).alias(f"cumulative_{unit}") for unit in ("volume_t", "value_fen")),
            market=pl.lit(market),
            feed=pl.lit("trades"),
            file=pl.lit("a test"),
            row=pl.int_range(pl.len()),
        )
        .select(pl.col(name).cast(kind) for name, kind in rows_schema().items())
    )


@pytest.mark.parametrize("by", get_args(Span))
@pytest.mark.parametrize("split", [(), ("vintage",), ("method",), ("vintage", "method")])
def test_trades_and_bars_of_them_give_the_same_figures(
    tmp_path: Path, some_trades: Make, fill: Fill, by: Span, split: tuple[str, ...]
) -> None:
    rows = []
    for market, seed in (("CEA", 21), ("Hubei", 22), ("Guangdong", 23)):
        trades = some_trades(3000, seed, date(2023, 11, 20), 90)
        fill(tmp_path, trades, market, market)
        # Without vintages there is one product, since a bar closes at one of several and trades at the last of all.
        code = pl.format("CEA{}", pl.col("vintage") - 2000) if "vintage" in split else pl.lit("CEA")
        rows.append(daily_rows(trades, market, code))
    expected = traded_statistics(traded_rows(pl.concat(rows)), by=by, split=split)
    if by != "week":
        assert_frame_equal(expected, market_statistics(pl.concat(rows), by=by, split=split))
    found = summarise_trades(tmp_path, by=by, split=split).rows
    shared = [name for name in expected.columns if name not in ("product", "hhi_vintage")]
    assert set(shared) <= set(found.columns)
    order = ["market", "period", "vintage", "method"]
    assert_frame_equal(found.select(shared), expected.select(shared).sort(order), rel_tol=1e-12)
    told = expected.null_count().row(0, named=True)
    assert by == "day" or told["realised_variance"] < expected.height
    assert by in ("day", "week") or told["roll_spread_cny_per_t"] < expected.height
    assert found["trades"].sum() == 3 * 3000
    assert dict(found.schema) == statistics_schema()


@pytest.mark.parametrize("by", ["day", "week"])
def test_who_traded_is_not_known_by_day_and_week(trade_lake: Path, by: Span) -> None:
    rows = summarise_trades(trade_lake, by=by).rows
    assert rows.select(WHO).null_count().row(0) == (rows.height,) * len(WHO)
    assert rows["volume_t"].sum() == summarise_trades(trade_lake, by="all").rows["volume_t"].sum()
    with pytest.raises(UnknownBreakdown, match=f"found period '{by}', expected one of month, quarter, year, all"):
        participants(sum_files(trade_lake).parts, by=by)


def test_who_traded_by_longer_periods_is_that_of_the_trades_together(some_trades: Make) -> None:
    trades = some_trades(4000, 8, date(2023, 8, 1), 300)
    parts = [sum_trades(part, "CEA") for _, part in trades.group_by(pl.col("day").dt.year(), maintain_order=True)]
    for by, name in (
        ("quarter", pl.format("{}Q{}", pl.col("day").dt.year(), (pl.col("day").dt.month() + 2) // 3)),
        ("year", pl.col("day").dt.year().cast(pl.String)),
        ("all", pl.lit("all")),
    ):
        rows = combine(parts, by=by)
        assert rows["period"].to_list() == trades.select(name.unique().sort()).to_series().to_list()
        for row in rows.to_dicts():
            own = trades.filter(name == row["period"])
            for side in ("buyer", "seller"):
                sums = own.drop_nulls(side).group_by(side).agg(pl.col("quantity_t").sum())["quantity_t"]
                assert row[f"{side}s"] == sums.len()
                assert row[f"{side}_hhi"] == pytest.approx(herfindahl(sums), rel=1e-12)
                assert row[f"{side}_known_share"] == sums.sum() / own["quantity_t"].sum()
            assert row["participants"] == len({*own["buyer"].drop_nulls(), *own["seller"].drop_nulls()})


def test_roll_and_variance_by_hand(tmp_path: Path, some_trades: Make, fill: Fill) -> None:
    closes = {date(2024, 3, 28): 5000, date(2024, 3, 29): 5200, date(2024, 4, 1): 5100, date(2024, 4, 2): 5400}
    closes[date(2024, 4, 3)] = 5400
    trades = pl.concat(
        some_trades(1, number, day, 1).with_columns(price_fen=pl.lit(fen, pl.Int32), method=pl.lit(10, pl.Int8))
        for number, (day, fen) in enumerate(closes.items())
    )
    fill(tmp_path, trades, "CEA", "one")
    (row,) = summarise_trades(tmp_path, by="all").rows.to_dicts()
    moves = [math.log(52 / 50), math.log(51 / 52), math.log(54 / 51), 0.0]
    assert (row["returns"], row["zero_return_share"]) == (4, 1 / 4)
    assert row["realised_variance"] == pytest.approx(sum(move**2 for move in moves), rel=1e-12)
    # Changes 2, -1, 3, 0: pairs (change, the one before) are (-1, 2), (3, -1) and (0, 3), of means 2/3 and 4/3.
    pairs = [(-1, 2), (3, -1), (0, 3)]
    covariance = sum((now - 2 / 3) * (before - 4 / 3) for now, before in pairs) / 2
    assert row["roll_spread_cny_per_t"] == pytest.approx(2 * math.sqrt(-covariance), rel=1e-12)


def test_weeks_are_those_of_iso_8601_and_run_over_the_new_year(tmp_path: Path, some_trades: Make, fill: Fill) -> None:
    trades = some_trades(2000, 9, date(2024, 12, 23), 20)
    fill(tmp_path, trades, "Hubei", "one")
    tonnes: dict[str, int] = {}
    for day, quantity in trades.select("day", "quantity_t").iter_rows():
        year, week, _ = day.isocalendar()
        tonnes[f"{year}-W{week:02}"] = tonnes.get(f"{year}-W{week:02}", 0) + quantity
    rows = summarise_trades(tmp_path, by="week").rows
    assert dict(rows.select("period", "volume_t").iter_rows()) == tonnes
    # 2024-W52, then 30 and 31 December with 2 and 3 January, then a week without a holiday.
    assert dict(rows.select("period", "calendar_sessions").iter_rows()) == dict(
        zip(sorted(tonnes), (5, 4, 5), strict=True)
    )


def test_each_market_has_its_own_calendar(tmp_path: Path, some_trades: Make, fill: Fill) -> None:
    for market in ("Guangdong", "Hubei"):
        fill(tmp_path, some_trades(2000, 4, date(2023, 7, 1), 31), market, market)
    rows = summarise_trades(tmp_path, by="month").rows
    sessions = dict(rows.select("market", "calendar_sessions").iter_rows())
    for market, count in sessions.items():
        assert count == sum(day.month == 7 for day in market_sessions(market, [2023]))
    # Guangdong opened on the weekend of 15 July 2023.
    assert sessions["Guangdong"] == sessions["Hubei"] + 2


def test_no_trades_give_no_participants() -> None:
    assert dict(participants([], by="year").schema) == participants_schema()


@pytest.mark.parametrize("split", [(), ("method",), ("vintage", "method")])
def test_both_sides_add_up_to_the_volume(trade_lake: Path, split: tuple[str, ...]) -> None:
    rows = participants(sum_files(trade_lake, split=split, keep=False).parts, by="month", split=split)
    keys = ["market", "period", "vintage", "method"]
    sums = rows.group_by(keys).agg(pl.col("bought_t", "sold_t", "bought_share", "sold_share", "net_t").sum())
    whole = summarise_trades(trade_lake, by="month", split=split, keep=False).rows.select(*keys, "volume_t")
    both = whole.join(sums, on=keys, how="full", nulls_equal=True, coalesce=True)
    assert both.null_count()["volume_t"].item() == both.null_count()["bought_t"].item() == 0
    assert both["bought_t"].to_list() == both["sold_t"].to_list() == both["volume_t"].to_list()
    assert both["net_t"].to_list() == [0] * both.height
    assert both["bought_share"].to_list() == pytest.approx([1.0] * both.height)


def test_a_participant_is_the_sum_of_its_trades(tmp_path: Path, some_trades: Make, fill: Fill) -> None:
    trades = some_trades(2000, 7, date(2024, 11, 1), 120)
    fill(tmp_path, trades, "Hubei", "one")
    rows = participants(sum_files(tmp_path).parts, by="year")
    in_2024 = trades.filter(pl.col("day").dt.year() == 2024)
    for row in rows.filter(pl.col("period") == "2024").iter_rows(named=True):
        for side, column in (("buyer", "bought_t"), ("seller", "sold_t")):
            own = in_2024.filter(pl.col(side).eq_missing(row["participant"]))
            assert row[column] == own["quantity_t"].sum()
    totals = [bought + sold for bought, sold in rows.filter(period="2025").select("bought_t", "sold_t").iter_rows()]
    assert totals == sorted(totals, reverse=True)
