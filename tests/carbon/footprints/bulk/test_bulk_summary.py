"""The table of persons' activities and the sums kept beside it: once only, all or nothing, nothing read twice."""

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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.footprints.bulk import summary
from carbon.footprints.bulk.kernel import MOST_COUNTED, PartTask
from carbon.footprints.bulk.records import records_schema
from carbon.footprints.bulk.summary import NoPersonalActivities, load_personal_activities, sum_cities
from carbon.footprints.bulk.sums import totals_schema
from carbon.footprints.bulk.table import TooManyActivities, activity_parts, code_activities, write_part
from carbon.trades.executors import open_engine

KILLS = int(os.environ.get("GREENFIN_TEST_KILLS", "100"))
Make = Callable[..., pl.DataFrame]


def plain_totals(rows: pl.DataFrame) -> pl.DataFrame:
    """Totals of a user's rows by group_by."""
    monthly = rows.with_columns(month=pl.col("day").dt.strftime("%Y-%m"))
    keys = ["hub", "month", "activity", "unit"]
    sums = monthly.group_by(keys).agg(
        rows=pl.len().cast(pl.Int64),
        amount_milli=pl.col("milli").sum(),
        activity_persons=pl.col("person").n_unique().clip(upper_bound=MOST_COUNTED).cast(pl.Int64),
    )
    persons = monthly.group_by("hub", "month").agg(persons=pl.col("person").n_unique().cast(pl.Int64))
    told = sums.join(persons, on=["hub", "month"]).with_columns(amount=pl.col("amount_milli") / 1000)
    return told.select(totals_schema().keys()).sort(keys)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The cities and years that the kernel was given, as they come."""
    given_: list[tuple[str, int]] = []
    kernel = summary.sum_part

    def watched(task: PartTask) -> pl.DataFrame:
        given_.append((task.hub, task.year))
        return kernel(task)

    monkeypatch.setattr(summary, "sum_part", watched)
    return given_


@given(
    seeds=st.lists(st.integers(0, 2**31), min_size=1, max_size=3, unique=True),
    count=st.integers(1, 300),
    persons=st.integers(1, 500),
    suffix=st.sampled_from([".csv", ".parquet"]),
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_totals_are_those_of_a_plain_group_by(
    seeds: list[int],
    count: int,
    persons: int,
    suffix: str,
    some_rows: Make,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("totals")
    files = [some_rows(count, seed, persons=persons) for seed in seeds]
    for number, rows in enumerate(files):
        path = folder / f"{number}{suffix}"
        asked = rows.drop("milli")
        asked.write_csv(path) if suffix == ".csv" else asked.write_parquet(path)
        report = load_personal_activities(folder / "lake", path)
        assert (report.rows_kept, report.rejected, report.problems) == (count, 0, ())
    expected = plain_totals(pl.concat(files))
    for threads in (1, 4):
        with open_engine(threads=threads) as engine:
            found = sum_cities(folder / "lake", engine=engine, keep=False)
        assert_frame_equal(found.rows, expected, check_exact=True)


def test_the_table_is_delta_parted_by_city_and_year_and_sorted(activity_lake: Path) -> None:
    table = DeltaTable(str(activity_lake / "personal_activities"))
    assert table.metadata().partition_columns == ["hub", "year"]
    rows = pl.scan_delta(table).collect()
    assert rows.height == 2 * 3000
    assert rows.select(records_schema().keys()).schema == records_schema()
    parts = activity_parts(activity_lake)
    assert [(part.hub, part.year, len(part.paths)) for part in parts] == [
        (hub, year, 2) for hub in ("beijing", "suzhou", "wuhan") for year in (2023, 2024)
    ]
    for part in parts:
        for path, count in zip(part.paths, part.rows, strict=True):
            file = pl.read_parquet(path, hive_partitioning=False)
            assert file.columns == list(records_schema())
            assert file.height == count
            assert file["day"].dt.year().unique().to_list() == [part.year]
            order = file.with_columns(pl.col("day").dt.month().alias("month")).select("month", "person", "day")
            assert order.equals(order.sort("month", "person", "day"))


def test_the_same_file_again_changes_nothing(activity_lake: Path, tmp_path: Path) -> None:
    version = DeltaTable(str(activity_lake / "personal_activities")).version()
    before = sum_cities(activity_lake, keep=False).rows
    report = load_personal_activities(activity_lake, tmp_path / "1.parquet")
    assert report.already_loaded
    assert (report.rows_read, report.rows_kept) == (0, 0)
    assert DeltaTable(str(activity_lake / "personal_activities")).version() == version
    assert_frame_equal(sum_cities(activity_lake, keep=False).rows, before)


def test_only_the_city_and_year_that_changed_is_read_again(
    activity_lake: Path, tmp_path: Path, some_rows: Make, reads: list[tuple[str, int]]
) -> None:
    first = sum_cities(activity_lake)
    assert (first.parts, first.parts_read, len(reads)) == (6, 6, 6)
    assert sum_cities(activity_lake).parts_read == 0
    assert len(reads) == 6
    more = some_rows(100, 9, date(2024, 1, 1), 20).with_columns(hub=pl.lit("wuhan"))
    more.drop("milli").write_parquet(tmp_path / "more.parquet")
    load_personal_activities(activity_lake, tmp_path / "more.parquet")
    again = sum_cities(activity_lake)
    assert (again.parts_read, reads[6:]) == (1, [("wuhan", 2024)])
    assert_frame_equal(again.rows, plain_totals(pl.concat([some_rows(3000, 1), some_rows(3000, 2), more])))
    # Of each city and year only the sums of its newest files are kept.
    assert len(list((activity_lake / "personal_activity_sums").rglob("*.parquet"))) == 6


def test_some_cities_only(activity_lake: Path, reads: list[tuple[str, int]]) -> None:
    rows = sum_cities(activity_lake, hubs=["wuhan"]).rows
    assert rows["hub"].unique().to_list() == ["wuhan"]
    assert {hub for hub, _ in reads} == {"wuhan"}
    with pytest.raises(NoPersonalActivities, match="found no activities of persons of lhasa, expected some"):
        sum_cities(activity_lake, hubs=["lhasa"])


def test_a_lake_without_activities_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoPersonalActivities, match="greenfin load personal-activities"):
        sum_cities(tmp_path)


def test_what_was_written_but_not_named_in_the_log_is_never_read(activity_lake: Path, some_rows: Make) -> None:
    before = sum_cities(activity_lake, keep=False).rows
    rows = some_rows(50, 3, date(2024, 1, 1), 20).select(
        "day", pl.col("person").cast(pl.Int32), activity=pl.lit(0, pl.Int16), amount_milli=pl.lit(1, pl.Int32)
    )
    write_part(activity_lake, rows, "wuhan", 2024, "cut short")
    assert_frame_equal(sum_cities(activity_lake, keep=False).rows, before)


def test_a_file_larger_than_a_slice_gives_the_same(
    tmp_path: Path, some_rows: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = some_rows(3000, 1)
    rows.drop("milli").write_parquet(tmp_path / "rows.parquet")
    monkeypatch.setattr(summary, "SLICE_ROWS", 500)
    load_personal_activities(tmp_path / "lake", tmp_path / "rows.parquet")
    assert_frame_equal(sum_cities(tmp_path / "lake").rows, plain_totals(rows))
    assert list((tmp_path / "lake").glob("personal_staging_*")) == []
    # Six cities and years of 500 rows or so: some come in two pieces of 500 rows at most.
    pieces = [count for part in activity_parts(tmp_path / "lake") for count in part.rows]
    assert len(pieces) > 6
    assert max(pieces) <= 500


def test_of_loads_of_one_file_at_the_same_time_one_counts(tmp_path: Path, some_rows: Make) -> None:
    rows, other = some_rows(500, 1), some_rows(300, 2)
    rows.drop("milli").write_parquet(tmp_path / "rows.parquet")
    other.drop("milli").write_parquet(tmp_path / "other.parquet")
    barrier = Barrier(4, timeout=30)

    def load(name: str) -> None:
        barrier.wait()
        load_personal_activities(tmp_path / "lake", tmp_path / name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, ["rows.parquet", "rows.parquet", "rows.parquet", "other.parquet"]))
    assert_frame_equal(sum_cities(tmp_path / "lake").rows, plain_totals(pl.concat([rows, other])))


def test_a_load_that_is_killed_leaves_nothing_half_written(tmp_path: Path, some_rows: Make) -> None:
    lake, files = tmp_path / "lake", []
    script = (
        "import sys, pathlib, polars, deltalake; "
        "from carbon.footprints.bulk.summary import load_personal_activities as load; "
        "print('ready', flush=True); load(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    )
    dice = random.Random(21)
    for number in range(KILLS // 10):
        files.append(some_rows(20_000, number, persons=5000))
        path = tmp_path / f"{number}.parquet"
        files[-1].drop("milli").write_parquet(path)
        with subprocess.Popen([sys.executable, "-c", script, str(lake), str(path)], stdout=subprocess.PIPE) as loading:
            assert loading.stdout is not None
            loading.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                loading.wait(timeout=dice.uniform(0, 0.4))
            loading.kill()
        # The files before are whole by now; this one is there as a whole or not at all.
        assert sum(sum(part.rows) for part in activity_parts(lake)) in (number * 20_000, (number + 1) * 20_000)
        load_personal_activities(lake, path)
        assert load_personal_activities(lake, path).already_loaded
    assert_frame_equal(sum_cities(lake).rows, plain_totals(pl.concat(files)))


def test_kept_sums_that_cannot_be_read_are_made_anew(activity_lake: Path) -> None:
    whole = sum_cities(activity_lake).rows
    kept = sorted((activity_lake / "personal_activity_sums").rglob("*.parquet"))
    kept[0].write_bytes(kept[0].read_bytes()[:50])
    again = sum_cities(activity_lake)
    assert_frame_equal(again.rows, whole)
    assert again.parts_read == 1
    assert sum_cities(activity_lake).parts_read == 0


def test_more_activities_than_codes_are_refused_before_anything_is_kept(tmp_path: Path) -> None:
    words = pl.DataFrame({"name": [f"a{number}" for number in range(1 << 15)], "unit": "km"})
    with pytest.raises(TooManyActivities, match="found 32768 new activities beside 0, expected at most 32767"):
        code_activities(tmp_path, words)
    assert code_activities(tmp_path, words.head(2))["activity"].to_list() == [0, 1]
    assert code_activities(tmp_path, words.slice(1, 2))["activity"].to_list() == [1, 2]
