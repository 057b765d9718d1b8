"""Engines: results in the order of the tasks, progress, and errors that say what is wrong."""

import sys
import threading

import pytest

from carbon.trades.executors import LOCAL, EngineFailed, open_engine


def test_threads_give_results_in_the_order_of_the_tasks() -> None:
    told: list[tuple[int, int]] = []
    barrier = threading.Barrier(2, timeout=10)

    def square(number: int) -> int:
        # Passes only where two tasks are at work at the same time.
        barrier.wait()
        return number * number

    with open_engine(LOCAL, threads=2) as engine:
        assert engine.run(square, [3, 1, 2, 5], lambda *count: told.append(count)) == [9, 1, 4, 25]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_no_tasks_give_no_results() -> None:
    with open_engine() as engine:
        assert engine.run(abs, []) == []


def test_an_error_in_a_thread_passes_through() -> None:
    def fail(number: int) -> int:
        raise KeyError(number)

    with open_engine(threads=1) as engine, pytest.raises(KeyError, match="7"):
        engine.run(fail, [7, 8])


@pytest.mark.parametrize("name", ["dask", "spark", "local-cluster", ""])
def test_another_engine_is_refused_by_name(name: str) -> None:
    with pytest.raises(EngineFailed, match=r"expected local, spark://host:port"), open_engine(name):
        pass


def test_spark_without_pyspark_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(EngineFailed, match=r"found no pyspark.*greenfin\[spark\]"), open_engine("local[1]"):
        pass
