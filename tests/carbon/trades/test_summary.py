"""The table of trades and the sums kept beside it: once only, all or nothing, and no file read twice."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import Barrier

import polars as pl
import pytest
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from carbon.lake_files import NewFile
from carbon.trades import summary as trade_lake
from carbon.trades.kernel import FileTask, Partials
from carbon.trades.records import trades_schema
from carbon.trades.summary import NoTrades, load_trade_records, summarise_trades
from carbon.trades.table import commit_parts, trade_files, write_part
from carbon.turnover import BadAllowances

KILLS = int(os.environ.get("GREENFIN_TEST_KILLS", "100"))
Make = Callable[[int, int, date, int], pl.DataFrame]
Fill = Callable[[Path, pl.DataFrame, str, str], None]


def same_numbers(left: pl.DataFrame, right: pl.DataFrame) -> None:
    floats = pl.selectors.float()
    assert_frame_equal(left.select(~floats), right.select(~floats))
    assert_frame_equal(left.select(floats), right.select(floats), rel_tol=1e-12, abs_tol=0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the kernel was given, as they come."""
    given: list[str] = []
    kernel = trade_lake.sum_file

    def watched(task: FileTask) -> Partials:
        given.append(task.path)
        return kernel(task)

    monkeypatch.setattr(trade_lake, "sum_file", watched)
    return given


def test_the_table_is_delta_parted_by_market_and_year_and_sorted_by_time(trade_lake: Path) -> None:
    table = DeltaTable(str(trade_lake / "trades"))
    assert table.metadata().partition_columns == ["market", "year"]
    rows = pl.scan_delta(table).collect()
    assert rows.height == 4000 + 3000 + 500
    assert rows.select(trades_schema().keys()).schema == trades_schema()
    for file in trade_files(trade_lake):
        part = pl.read_parquet(file.path, hive_partitioning=False)
        assert part.height == file.rows
        assert part["time_us"].is_sorted()
        assert (part["day"].min(), part["day"].max()) == (file.first_day, file.last_day)
        assert "market" not in part.columns


def test_a_source_is_added_once(tmp_path: Path, some_trades: Make) -> None:
    part = write_part(tmp_path, some_trades(50, 1, date(2024, 1, 1), 9), "CEA", 2024, "source")
    assert trade_files(tmp_path) == []
    assert commit_parts(tmp_path, [part], "source")
    version = DeltaTable(str(tmp_path / "trades")).version()
    again = write_part(tmp_path, some_trades(50, 1, date(2024, 1, 1), 9), "CEA", 2024, "source")
    assert again.path == part.path
    assert not commit_parts(tmp_path, [again], "source")
    assert DeltaTable(str(tmp_path / "trades")).version() == version
    assert [file.rows for file in trade_files(tmp_path)] == [50]


def test_of_writers_of_one_source_at_the_same_time_one_wins(tmp_path: Path, some_trades: Make) -> None:
    part = write_part(tmp_path, some_trades(50, 1, date(2024, 1, 1), 9), "CEA", 2024, "source")
    other = write_part(tmp_path, some_trades(70, 2, date(2024, 1, 1), 9), "CEA", 2024, "other")
    barrier = Barrier(4, timeout=30)

    def commit(given: tuple[NewFile, str]) -> bool:
        barrier.wait()
        return commit_parts(tmp_path, [given[0]], given[1])

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(commit, [(part, "source"), (part, "source"), (part, "source"), (other, "other")]))
    assert sum(won[:3]) == 1
    assert won[3]
    assert sorted(file.rows for file in trade_files(tmp_path)) == [50, 70]


def test_a_load_that_is_killed_leaves_nothing_half_written(tmp_path: Path, some_trades: Make) -> None:
    lake, paths, tonnes = tmp_path / "lake", [], []
    for number in range(KILLS // 4):
        trades = some_trades(20_000, number, date(2020, 1, 1), 2000).drop("day")
        paths.append(tmp_path / f"{number}.parquet")
        trades.with_columns(market=pl.lit("CEA"), product=pl.lit("CEA23")).write_parquet(paths[-1])
        tonnes.append(int(trades["quantity_t"].cast(pl.Int64).sum()))
    script = (
        "import sys, pathlib; from carbon.trades.summary import load_trade_records as load; import deltalake, polars; "
    )
    script += "print('ready', flush=True); load(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    rng = random.Random(21)
    for number, path in enumerate(paths):
        with subprocess.Popen([sys.executable, "-c", script, str(lake), str(path)], stdout=subprocess.PIPE) as loading:
            assert loading.stdout is not None
            loading.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                loading.wait(timeout=rng.uniform(0, 0.3))
            loading.kill()
        # The file before is whole by now; this one is there as a whole or not at all.
        assert sum(file.rows for file in trade_files(lake)) in (number * 20_000, (number + 1) * 20_000)
        load_trade_records(lake, path)
        assert load_trade_records(lake, path).already_loaded
    rows = summarise_trades(lake, by="year").rows
    assert rows["trades"].sum() == len(paths) * 20_000
    assert rows["volume_t"].sum() == sum(tonnes)


def test_what_was_written_but_not_named_in_the_log_is_never_read(trade_lake: Path, some_trades: Make) -> None:
    before = summarise_trades(trade_lake, by="month", keep=False).rows
    write_part(trade_lake, some_trades(50, 9, date(2024, 1, 1), 9), "CEA", 2024, "cut short")
    (trade_lake / "trades" / "market=CEA" / "year=2024" / ".half.tmp").write_bytes(b"PAR1")
    same_numbers(summarise_trades(trade_lake, by="month", keep=False).rows, before)


def test_two_files_of_the_same_days_are_as_one(tmp_path: Path, some_trades: Make, fill: Fill) -> None:
    trades = some_trades(2000, 4, date(2024, 3, 25), 30)
    fill(tmp_path / "one", trades, "CEA", "whole")
    odd = pl.int_range(pl.len()) % 2 == 1
    fill(tmp_path / "two", trades.filter(odd), "CEA", "odd")
    fill(tmp_path / "two", trades.filter(~odd), "CEA", "even")
    assert trades["time_us"].n_unique() == trades.height
    one, two = (summarise_trades(tmp_path / name, by="month") for name in ("one", "two"))
    assert (one.files, two.files) == (1, 2)
    same_numbers(one.rows, two.rows)


def test_returns_cross_the_borders_of_months_years_and_files(tmp_path: Path, some_trades: Make, fill: Fill) -> None:
    trades = some_trades(3000, 11, date(2023, 12, 1), 62).with_columns(method=pl.lit(10, pl.Int8))
    fill(tmp_path, trades, "Hubei", "one")
    rows = summarise_trades(tmp_path, by="month").rows
    assert rows["period"].to_list() == ["2023-12", "2024-01"]
    closes = trades.group_by("day").agg(pl.col("price_fen").last()).sort("day")
    moves = closes.with_columns(move=pl.col("price_fen").log().diff()).drop_nulls()
    for period, volatility in rows.select("period", "volatility_annual").iter_rows():
        month = moves.filter(pl.col("day").dt.strftime("%Y-%m") == period)["move"]
        assert volatility == pytest.approx(month.std() * 252**0.5, rel=1e-12)
    assert moves.filter(pl.col("day") == date(2024, 1, 1)).height == 1


def test_only_a_new_file_is_read_again(trade_lake: Path, some_trades: Make, fill: Fill, reads: list[str]) -> None:
    first = summarise_trades(trade_lake, by="month")
    assert first.files_read == first.files == len(reads)
    reads.clear()
    same_numbers(summarise_trades(trade_lake, by="month").rows, first.rows)
    assert reads == []
    fill(trade_lake, some_trades(100, 12, date(2025, 5, 1), 20), "Hubei", "later")
    refreshed = summarise_trades(trade_lake, by="month")
    assert (len(reads), refreshed.files_read) == (1, 1)
    assert "market=Hubei/year=2025" in reads[0]
    same_numbers(refreshed.rows, summarise_trades(trade_lake, by="month", keep=False).rows)


def test_kept_sums_do_not_need_the_files(trade_lake: Path) -> None:
    first = summarise_trades(trade_lake, by="month")
    for file in trade_files(trade_lake):
        file.path.unlink()
    same_numbers(summarise_trades(trade_lake, by="month").rows, first.rows)
    with pytest.raises(FileNotFoundError):
        summarise_trades(trade_lake, by="month", keep=False)


def test_sums_cut_short_are_made_again(trade_lake: Path, reads: list[str]) -> None:
    first = summarise_trades(trade_lake, by="month")
    reads.clear()
    next((trade_lake / "trade_partials").rglob("parties.parquet")).unlink()
    same_numbers(summarise_trades(trade_lake, by="month").rows, first.rows)
    assert len(reads) == 1


def test_progress_counts_the_files_that_are_read(trade_lake: Path) -> None:
    told: list[tuple[int, int]] = []
    files = summarise_trades(trade_lake, by="month", progress=lambda *count: told.append(count)).files
    assert told == [(done, files) for done in range(1, files + 1)]


def test_turnover_is_volume_over_allowances_in_issue(trade_lake: Path) -> None:
    allowances = pl.DataFrame({"market": ["CEA"], "period": ["2024"], "allowances_t": [10**9], "source": ["a notice"]})
    rows = summarise_trades(trade_lake, by="year", allowances=allowances).rows
    volume = rows.filter(market="CEA", period="2024")["volume_t"].item()
    told = {(row["market"], row["period"]): row["turnover"] for row in rows.iter_rows(named=True)}
    assert told.pop(("CEA", "2024")) == volume / 10**9
    assert set(told.values()) == {None}
    with pytest.raises(BadAllowances):
        summarise_trades(trade_lake, by="year", allowances=allowances.drop("source"))


def test_no_trades_are_told(tmp_path: Path, trade_lake: Path) -> None:
    with pytest.raises(NoTrades, match=r"found no trades, expected some"):
        summarise_trades(tmp_path / "empty", by="month")
    with pytest.raises(NoTrades, match="of Beijing"):
        summarise_trades(trade_lake, by="month", markets=["BEA"])


def test_a_file_of_trades_is_loaded_once(tmp_path: Path) -> None:
    path, lake = tmp_path / "mine.csv", tmp_path / "lake"
    path.write_text(
        "time,market,product,method,buyer,seller,price_cny,quantity_t\n"
        "2024-01-02 09:30:00,CEA,CEA23,listing,1,2,80.50,100\n"
        "2024-01-02 14:00:00,CEA,CEA23,block,,3,79,100000\n"
        "2024-01-03 09:30:00,HBEA,HBEA,listing,1,2,nothing,100\n",
        encoding="utf-8",
    )
    report = load_trade_records(lake, path)
    assert (report.rows_read, report.rows_kept, report.rejected) == (3, 2, 1)
    again = load_trade_records(lake, path)
    assert again.already_loaded
    assert (again.sha256, again.rows_kept) == (report.sha256, 0)
    (row,) = summarise_trades(lake, by="year").rows.to_dicts()
    assert (row["volume_t"], row["value_fen"]) == (100 + 100_000, 100 * 8050 + 100_000 * 7900)
    assert (row["open_fen_per_t"], row["trades"], row["buyers"]) == (8050, 2, 1)
    assert row["buyer_known_share"] == 100 / 100_100


def test_a_file_larger_than_memory_goes_by_parts(
    tmp_path: Path, some_trades: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = some_trades(900, 13, date(2023, 12, 1), 60).sample(fraction=1, shuffle=True, seed=1)
    trades = trades.with_columns(market=pl.lit("CEA"), product=pl.lit("CEA23")).drop("day")
    trades.write_parquet(tmp_path / "big.parquet")
    load_trade_records(tmp_path / "whole", tmp_path / "big.parquet")
    monkeypatch.setattr(trade_lake, "SLICE_ROWS", 100)
    report = load_trade_records(tmp_path / "parts", tmp_path / "big.parquet")
    assert report.rows_kept == 900
    same_numbers(*(summarise_trades(tmp_path / name, by="month").rows for name in ("whole", "parts")))
    assert not list((tmp_path / "parts").glob("trade_staging_*"))


def test_what_killed_loads_left_is_removed_after_a_day(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for name in ("trade_staging_old", "trade_staging_of_now", "trade_stage"):
        (lake / name / "market=CEA").mkdir(parents=True)
        (lake / name / "market=CEA" / "0.parquet").write_bytes(b"PAR1")
    yesterday = (lake / "trade_staging_old").stat().st_mtime - 25 * 3600
    for name in ("trade_staging_old", "trade_stage"):
        os.utime(lake / name, (yesterday, yesterday))
    path = tmp_path / "mine.csv"
    path.write_text("time,product,price_cny,quantity_t\n2024-01-02 09:30:00,CEA23,80,1\n", encoding="utf-8")
    load_trade_records(lake, path, market="CEA")
    assert {place.name for place in lake.glob("trade_sta*")} == {"trade_staging_of_now", "trade_stage"}
