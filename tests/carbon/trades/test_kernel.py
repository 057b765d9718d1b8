"""The kernel beside plain loops over the same trades, and cut into files in any way."""

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.statistics import (
    amihud,
    herfindahl,
    realised_variance,
    realised_volatility,
    vwap,
    zero_return_share,
)
from carbon.trades import kernel as trade_kernel
from carbon.trades.kernel import FileTask, Partials, merge_days, merge_parties, sum_file, sum_trades
from carbon.trades.sums import combine

Make = Callable[[int, int, date, int], pl.DataFrame]
NO_SESSIONS = pl.Series("day", [], dtype=pl.Date)


def by_hand(trades: pl.DataFrame, market: str) -> list[dict[str, object]]:
    """The statistics by month in plain Python, with the measures of `carbon.statistics`."""
    days: dict[date, list[dict[str, int]]] = defaultdict(list)
    for row in trades.sort("time_us", maintain_order=True).iter_rows(named=True):
        days[row["day"]].append(row)
    closes = {}
    for day, rows in sorted(days.items()):
        listed = [row for row in rows if row["method"] == 10]
        if listed:
            closes[day] = (listed[-1]["price_fen"], sum(r["price_fen"] * r["quantity_t"] for r in listed))
    moves = {later: math.log(closes[later][0]) - math.log(closes[earlier][0]) for earlier, later in pairwise(closes)}
    changes = [(later, (closes[later][0] - closes[earlier][0]) / 100) for earlier, later in pairwise(closes)]
    pairs = [(day, now, before) for (_, before), (day, now) in pairwise(changes)]
    found = []
    for month in sorted({day.strftime("%Y-%m") for day in days}):
        rows = [row for day, part in sorted(days.items()) if day.strftime("%Y-%m") == month for row in part]
        listed = [row for row in rows if row["method"] == 10]
        here = [day for day in moves if day.strftime("%Y-%m") == month]
        steps = [(now, before) for day, now, before in pairs if day.strftime("%Y-%m") == month]
        covariance = float(np.cov(np.array(steps).T)[0, 1]) if len(steps) > 1 else 0.0
        sides = {side: defaultdict(int) for side in ("buyer", "seller")}
        for row in rows:
            for side, sums in sides.items():
                if row[side] is not None:
                    sums[row[side]] += row["quantity_t"]
        tonnes = sum(row["quantity_t"] for row in rows)
        fen = sum(row["price_fen"] * row["quantity_t"] for row in rows)
        average = vwap([fen / 100], [tonnes])
        found.append(
            {
                "market": market,
                "period": month,
                "trades": len(rows),
                "volume_t": tonnes,
                "value_fen": fen,
                "vwap_cny_per_t": average,
                "open_fen_per_t": listed[0]["price_fen"] if listed else None,
                "high_fen_per_t": max((row["price_fen"] for row in listed), default=None),
                "low_fen_per_t": min((row["price_fen"] for row in listed), default=None),
                "close_fen_per_t": listed[-1]["price_fen"] if listed else None,
                "sessions": len({row["day"] for row in rows}),
                "block_share": sum(row["quantity_t"] for row in rows if row["method"] == 20) / tonnes,
                "volatility_annual": realised_volatility([moves[day] for day in here]),
                "amihud_per_million_cny": amihud([moves[day] for day in here], [closes[day][1] / 1e8 for day in here]),
                "zero_return_share": zero_return_share([moves[day] for day in here]),
                "returns": len(here),
                "realised_variance": realised_variance([moves[day] for day in here]),
                "roll_spread_cny_per_t": 2 * math.sqrt(-covariance) if covariance < 0 else None,
                "buyers": len(sides["buyer"]) or None,
                "sellers": len(sides["seller"]) or None,
                "participants": len({*sides["buyer"], *sides["seller"]}) or None,
                "buyer_hhi": herfindahl(list(sides["buyer"].values())),
                "seller_hhi": herfindahl(list(sides["seller"].values())),
                "buyer_known_share": sum(sides["buyer"].values()) / tonnes,
                "seller_known_share": sum(sides["seller"].values()) / tonnes,
            }
        )
    return found


def check(found: pl.DataFrame, expected: list[dict[str, object]]) -> None:
    wanted = pl.DataFrame(expected, infer_schema_length=None)
    shared = found.select(wanted.columns).with_columns(pl.col(name).cast(kind) for name, kind in wanted.schema.items())
    floats = pl.selectors.float()
    assert_frame_equal(shared.select(~floats), wanted.select(~floats))
    assert_frame_equal(shared.select(floats), wanted.select(floats), rel_tol=1e-12, abs_tol=1e-15)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 300), days=st.integers(1, 200))
def test_statistics_are_those_of_plain_loops(some_trades: Make, seed: int, rows: int, days: int) -> None:
    trades = some_trades(rows, seed, date(2023, 11, 1), days)
    parts = [sum_trades(part, "CEA") for _, part in trades.group_by(pl.col("day").dt.year(), maintain_order=True)]
    check(combine(parts, by="month", sessions=NO_SESSIONS), by_hand(trades, "CEA"))


@pytest.mark.parametrize(("column", "code"), [("vintage", 2020), ("method", 10), ("method", 20)])
def test_a_split_gives_each_part_as_if_it_were_alone(some_trades: Make, column: str, code: int) -> None:
    trades = some_trades(3000, 5, date(2024, 1, 1), 100)
    found = combine([sum_trades(trades, "CEA", split=(column,))], by="month", sessions=NO_SESSIONS, split=(column,))
    name = {10: "listing", 20: "block"}.get(code, code)
    check(found.filter(pl.col(column) == name), by_hand(trades.filter(pl.col(column) == code), "CEA"))
    assert found["volume_t"].sum() == trades["quantity_t"].cast(pl.Int64).sum()


def test_trades_without_a_vintage_are_a_part_of_their_own(some_trades: Make) -> None:
    trades = some_trades(500, 6, date(2024, 1, 1), 20).with_columns(
        vintage=pl.when(pl.col("vintage") > 2019).then("vintage")
    )
    found = combine(
        [sum_trades(trades, "CEA", split=("vintage",))], by="year", sessions=NO_SESSIONS, split=("vintage",)
    )
    tonnes = dict(trades.group_by("vintage").agg(pl.col("quantity_t").cast(pl.Int64).sum()).iter_rows())
    assert dict(found.select("vintage", "volume_t").iter_rows()) == tonnes
    assert None in tonnes
    assert found["buyer_hhi"].null_count() == 0


def test_a_year_adds_up_its_months(some_trades: Make) -> None:
    trades = some_trades(2000, 7, date(2024, 1, 1), 366)
    part = sum_trades(trades, "CEA")
    months = combine([part], by="month", sessions=NO_SESSIONS)
    (year,) = combine([part], by="year", sessions=NO_SESSIONS).to_dicts()
    for name in ("trades", "volume_t", "value_fen", "sessions"):
        assert year[name] == months[name].sum()
    bought = trades.drop_nulls("buyer").group_by("buyer").agg(pl.col("quantity_t").sum())["quantity_t"].to_list()
    assert year["buyer_hhi"] == pytest.approx(herfindahl(bought), rel=1e-12)
    assert year["participants"] == len({*trades["buyer"].drop_nulls(), *trades["seller"].drop_nulls()})


def joined(parts: list[Partials]) -> Partials:
    return Partials(
        merge_days(pl.concat(part.days for part in parts), ()),
        merge_parties(pl.concat(part.parties for part in parts), ()),
    )


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_any_cut_gives_the_sums_of_the_whole(some_trades: Make, seed: int, data: st.DataObject) -> None:
    trades = some_trades(60, seed, date(2024, 1, 28), 8)
    marks = data.draw(st.lists(st.integers(0, 2), min_size=60, max_size=60))
    # Three files that hold trades of the same days, given in an order of their own.
    cut = [trades.filter(pl.Series(marks) == number) for number in data.draw(st.permutations([0, 1, 2]))]
    moments = trades["time_us"].n_unique() == trades.height
    parts = [sum_trades(part, "CEA", timed=True) for part in cut if part.height]
    whole = joined([sum_trades(trades, "CEA", timed=True)])
    if moments:
        assert_frame_equal(joined(parts).days, whole.days)
    assert_frame_equal(joined(parts).parties, whole.parties)


def test_a_file_larger_than_a_slice_gives_the_same_sums(
    some_trades: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = some_trades(1000, 8, date(2024, 1, 1), 50)
    trades.write_parquet(tmp_path / "a.parquet")
    task = FileTask(str(tmp_path / "a.parquet"), "CEA", trades.height, ("vintage",))
    whole = sum_file(task)
    monkeypatch.setattr(trade_kernel, "SLICE_ROWS", 77)
    pieces = sum_file(task)
    order = ["market", "day", "vintage"]
    assert_frame_equal(pieces.days.sort(order), whole.days.sort(order))
    order = ["market", "month", "vintage", "party"]
    assert_frame_equal(pieces.parties.sort(order), whole.parties.sort(order))


def test_codes_far_from_zero_count_alike(some_trades: Make) -> None:
    near = some_trades(400, 9, date(2024, 1, 1), 30)
    far = near.with_columns(pl.col("buyer", "seller") + (1 << 30))
    parties = sum_trades(far, "CEA").parties
    assert parties["party"].min() >= 1 << 30
    assert_frame_equal(parties.with_columns(pl.col("party") - (1 << 30)), sum_trades(near, "CEA").parties)


def test_codes_far_apart_cost_no_memory_and_count_alike(some_trades: Make) -> None:
    near = some_trades(400, 9, date(2024, 1, 1), 30)
    far = near.with_columns(pl.col("buyer", "seller") * 100_000_000)
    assert far["buyer"].max() > 10**9
    told = [combine([sum_trades(part, "CEA")], by="month", sessions=NO_SESSIONS) for part in (near, far)]
    assert_frame_equal(*told)


def test_the_largest_trades_are_summed_without_loss() -> None:
    rows = 4096
    trades = pl.DataFrame(
        {
            "day": pl.Series([date(2024, 1, 2)] * rows),
            "method": pl.Series([10] * rows, dtype=pl.Int8),
            "buyer": pl.Series([1] * rows, dtype=pl.Int32),
            "seller": pl.Series([None] * rows, dtype=pl.Int32),
            "price_fen": pl.Series([1023] * rows, dtype=pl.Int32),
            "quantity_t": pl.Series([np.iinfo(np.int32).max] * rows, dtype=pl.Int32),
        }
    )
    part = sum_trades(trades, "CEA")
    assert part.days["volume_t"].item() == rows * (2**31 - 1)
    assert part.days["value_fen"].item() == 1023 * rows * (2**31 - 1)
    assert part.parties.rows() == [
        ("CEA", date(2024, 1, 1), 1, rows * (2**31 - 1), 0),
        ("CEA", date(2024, 1, 1), None, 0, rows * (2**31 - 1)),
    ]
    (month,) = combine([part], by="month", sessions=NO_SESSIONS).to_dicts()
    assert (month["buyers"], month["sellers"], month["seller_hhi"], month["seller_known_share"]) == (1, None, None, 0.0)
