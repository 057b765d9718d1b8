"""Sums of cities on a real Spark cluster of worker processes on this machine: equal to those of threads, to the bit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from carbon.footprints.bulk.kernel import PartTask, sum_part
from carbon.footprints.bulk.summary import sum_cities
from carbon.trades.executors import Engine, EngineFailed, open_engine

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
    with open_engine("local-cluster[2,1,1024]") as engine:
        yield engine


def test_the_cluster_gives_the_totals_of_threads(cluster: Engine, activity_lake: Path) -> None:
    here = sum_cities(activity_lake, keep=False)
    there = sum_cities(activity_lake, keep=False, engine=cluster)
    assert here.parts == here.parts_read == there.parts_read == 3 * 2
    assert_frame_equal(here.rows, there.rows, check_exact=True)


def test_a_task_that_fails_says_so(cluster: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="does every worker see the same files"):
        cluster.run(sum_part, [PartTask("wuhan", 2024, (str(tmp_path / "absent.parquet"),), (1,))])
