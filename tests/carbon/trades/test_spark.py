"""The kernel on a real Spark cluster of worker processes on this machine: the same numbers as threads give."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from carbon.trades.executors import Engine, EngineFailed, open_engine
from carbon.trades.kernel import FileTask, sum_file
from carbon.trades.summary import summarise_trades

MASTER = "local-cluster[2,1,1024]"

# Sockets that PySpark leaves to the collector, and its own imports.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Engine]:
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'greenfin[spark]'")
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine; Spark needs Java 17 or newer")
    with open_engine(MASTER) as engine:
        yield engine


def test_tasks_run_in_other_processes_and_come_back_in_order(cluster: Engine) -> None:
    # Of this function alone, so that it travels by value: the workers cannot import a test.
    def process_id(task: int) -> tuple[int, int]:
        return task, os.getpid()

    told: list[tuple[int, int]] = []
    answers = cluster.run(process_id, list(range(8)), lambda *count: told.append(count))
    assert [task for task, _ in answers] == list(range(8))
    assert os.getpid() not in {process for _, process in answers}
    assert told == [(8, 8)]


@pytest.mark.parametrize("split", [(), ("vintage", "method")])
def test_the_cluster_gives_the_numbers_of_threads(cluster: Engine, trade_lake: Path, split: tuple[str, ...]) -> None:
    here = summarise_trades(trade_lake, by="month", split=split, keep=False)
    there = summarise_trades(trade_lake, by="month", split=split, keep=False, engine=cluster)
    assert (here.files, here.files_read) == (there.files, there.files_read)
    assert here.files_read > 1
    floats = pl.selectors.float()
    assert_frame_equal(here.rows.select(~floats), there.rows.select(~floats))
    assert_frame_equal(here.rows.select(floats), there.rows.select(floats), rel_tol=1e-12, abs_tol=0)


def test_a_task_that_fails_says_so(cluster: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="does every worker see the same files"):
        cluster.run(sum_file, [FileTask(str(tmp_path / "absent.parquet"), "CEA", 1)])
