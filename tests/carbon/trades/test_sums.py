"""What participants bought and sold, beside plain sums of the same trades."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from carbon.trades.summary import sum_files, summarise_trades
from carbon.trades.sums import participants, participants_schema


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


def test_a_participant_is_the_sum_of_its_trades(
    tmp_path: Path,
    some_trades: Callable[[int, int, date, int], pl.DataFrame],
    fill: Callable[[Path, pl.DataFrame, str, str], None],
) -> None:
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
