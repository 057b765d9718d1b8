"""Participants by name: one code a name for good, whoever loads at the same time and whatever is killed."""

import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import polars as pl
import pytest

from carbon import lake_files
from carbon.errors import LakeBusy, UnknownFormat
from carbon.trades.files import scan_trade_file
from carbon.trades.names import code_names, names_schema, read_names
from carbon.trades.records import FIRST_NAME_CODE
from carbon.trades.summary import load_trade_records, sum_files, summarise_trades
from carbon.trades.sums import participants
from carbon.trades.table import trade_files

KILLS = int(os.environ.get("GREENFIN_TEST_KILLS", "100"))
HEADER = "time,market,product,method,buyer,seller,price_cny,quantity_t"


def write(path: Path, *parties: str, header: str = HEADER) -> Path:
    """A file of one listed trade of 10 t at 50 CNY a buyer and seller, a minute apart."""
    lines = [f"2024-01-02 09:{30 + at}:00,CEA,CEA23,listing,{both},50,10" for at, both in enumerate(parties)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_codes_begin_above_those_of_files_and_stay(tmp_path: Path) -> None:
    assert dict(read_names(tmp_path).schema) == names_schema()
    assert code_names(tmp_path, ["b", "a"]).to_list() == [FIRST_NAME_CODE, FIRST_NAME_CODE + 1]
    assert code_names(tmp_path, ["c", "a", "d", "b"]).to_list() == [FIRST_NAME_CODE + n for n in (2, 1, 3, 0)]
    assert read_names(tmp_path).rows() == [(FIRST_NAME_CODE + n, name) for n, name in enumerate("bacd")]
    assert code_names(tmp_path, []).to_list() == []


def test_of_writers_at_the_same_time_none_gives_a_code_twice(tmp_path: Path) -> None:
    writers, rounds = 4, 3
    barrier = Barrier(writers, timeout=30)

    def load(writer: int) -> list[tuple[str, int]]:
        given = []
        for turn in range(rounds):
            # Half of the names are the writer's own, half are everybody's.
            names = [f"{writer}-{turn}", f"all-{turn}"]
            barrier.wait()
            given += zip(names, code_names(tmp_path, names).to_list(), strict=True)
        return given

    with ThreadPoolExecutor(writers) as pool:
        told = {pair for pairs in pool.map(load, range(writers)) for pair in pairs}
    kept = read_names(tmp_path)
    count = rounds * (writers + 1)
    assert told == {(name, code) for code, name in kept.iter_rows()}
    assert kept["participant"].to_list() == list(range(FIRST_NAME_CODE, FIRST_NAME_CODE + count))
    assert kept["name"].n_unique() == count


def test_a_file_of_names_is_told_by_name(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    report = load_trade_records(lake, write(tmp_path / "a.csv", "武钢, 华能 ", ",武钢", "华能,Li"))
    assert (report.rows_kept, report.rejected) == (3, 0)
    assert "buyer and seller hold no whole number: taken as names" in report.assumed
    load_trade_records(lake, write(tmp_path / "codes.csv", "0,1", "1,0"))
    load_trade_records(lake, write(tmp_path / "b.csv", "Li,新", header=HEADER.replace("er,", "er_name,")))
    rows = participants(sum_files(lake).parts, by="all", names=read_names(lake))
    told = {(row["participant"], row["name"]): (row["bought_t"], row["sold_t"]) for row in rows.to_dicts()}
    codes = {name: code for code, name in read_names(lake).iter_rows()}
    assert set(codes) == {"武钢", "华能", "Li", "新"}
    assert told == {
        (None, None): (10, 0),
        (0, None): (10, 10),
        (1, None): (10, 10),
        (codes["武钢"], "武钢"): (10, 10),
        (codes["华能"], "华能"): (10, 10),
        (codes["Li"], "Li"): (10, 10),
        (codes["新"], "新"): (0, 10),
    }


def test_whole_numbers_are_names_only_where_the_heading_says_so(tmp_path: Path) -> None:
    codes = scan_trade_file(write(tmp_path / "a.csv", "7,8", "7,Li"))
    assert codes.names == ()
    (problem,) = codes.problems
    assert (problem.row, problem.column, problem.found, problem.code) == (3, "seller", "Li", "unreadable_cell")
    assert "seller_name" in problem.expected
    names = scan_trade_file(write(tmp_path / "b.csv", "7,8", "7,Li", header=HEADER.replace("er,", "er_name,")))
    assert (names.names, names.problems) == (("7", "8", "Li"), ())
    assert not [what for what in names.assumed if "names" in what]
    assert names.good.select("buyer", "seller").collect().rows() == [(0, 1), (0, 2)]


def test_names_of_parquet_may_be_categories(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    trades = pl.read_csv(write(tmp_path / "a.csv", "Li,Wang", ",Li"))
    trades.with_columns(pl.col("buyer", "seller").cast(pl.Categorical)).write_parquet(path)
    reading = scan_trade_file(path)
    assert (reading.names, reading.rows_kept) == (("Li", "Wang"), 2)
    assert reading.good.select("buyer", "seller").collect().rows() == [(0, 1), (None, 0)]


def test_names_beside_codes_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "7,Li", header=HEADER.replace("seller,", "seller_name,"))
    with pytest.raises(UnknownFormat, match="buyer and seller_name; expected names or codes in both"):
        scan_trade_file(path)


def test_codes_of_names_are_no_codes_of_files(tmp_path: Path) -> None:
    reading = scan_trade_file(write(tmp_path / "a.csv", f"{FIRST_NAME_CODE},1", f"{FIRST_NAME_CODE - 1},1"))
    assert [(p.row, p.column, p.code) for p in reading.problems] == [(2, "buyer", "unreadable_cell")]
    assert reading.good.collect()["buyer"].to_list() == [FIRST_NAME_CODE - 1]


def test_a_trade_with_oneself_is_told_by_name(tmp_path: Path) -> None:
    reading = scan_trade_file(write(tmp_path / "a.csv", "Li,Li", "Li,li"))
    assert [(p.row, p.found, p.code) for p in reading.problems] == [(2, "Li", "buyer_is_seller")]


def test_names_of_a_file_that_is_not_kept_leave_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Li,Wang")
    path.write_text(path.read_text(encoding="utf-8").replace(",50,10", ",nothing,10"), encoding="utf-8")
    assert load_trade_records(tmp_path / "lake", path).rows_kept == 0
    assert read_names(tmp_path / "lake").is_empty()


def test_no_code_is_without_a_name_after_kills(tmp_path: Path) -> None:
    lake, rng = tmp_path / "lake", random.Random(5)
    script = (
        "import sys, pathlib; from carbon.trades.summary import load_trade_records as load; import deltalake, polars; "
    )
    script += "print('ready', flush=True); load(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    loads = max(KILLS // 10, 1)
    for number in range(loads):
        path = write(tmp_path / f"{number}.csv", f"buyer {number},seller {number % 3}", f"x{number},y{number}")
        with subprocess.Popen([sys.executable, "-c", script, str(lake), str(path)], stdout=subprocess.PIPE) as loading:
            assert loading.stdout is not None
            loading.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                loading.wait(timeout=rng.uniform(0, 0.3))
            loading.kill()
        files = [file.path for file in trade_files(lake)]
        used = {code for path in files for code in pl.read_parquet(path, hive_partitioning=False)["buyer"]}
        assert used <= set(read_names(lake)["participant"])
        load_trade_records(lake, path)
    (row,) = summarise_trades(lake, by="all").rows.to_dicts()
    assert (row["trades"], row["buyers"], row["sellers"]) == (2 * loads, 2 * loads, loads + min(loads, 3))
    names = read_names(lake)
    assert names["participant"].to_list() == list(range(FIRST_NAME_CODE, FIRST_NAME_CODE + 3 * loads + min(loads, 3)))
    assert names["name"].is_unique().all()


def test_a_lake_that_is_always_busy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake_files, "_ATTEMPTS", 0)
    with pytest.raises(LakeBusy, match="within 0 attempts"):
        code_names(tmp_path, ["a"])
