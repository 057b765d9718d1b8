"""Where a function is mapped over tasks: threads of this process, or Apache Spark.

Knows how to start and stop an engine and to give every task to it. Must not know what the function computes. The same
function and tasks give the same results in the same order on each engine. A function for Spark is a module's own and
its tasks and results can be pickled; the workers import that module, so carbon is installed wherever they run.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from carbon.errors import CarbonError

if TYPE_CHECKING:
    from pyspark import SparkContext

__all__ = ["LOCAL", "Done", "Engine", "EngineFailed", "open_engine"]

Task = TypeVar("Task")
Result = TypeVar("Result")
Done = Callable[[int, int], None]
"""Called with the number of tasks done so far, and of all."""

LOCAL = "local"
_ANY_PYTHON = "python3"  # What PySpark starts on workers unless PYSPARK_PYTHON names another.
_PARTS_A_CORE = 2  # A task of Spark costs about 0.1 s by itself; two let a quick core take over from a slow one.
_MOST_THREADS = 4  # Each holds one slice of a file; more gain little where one file is read by several threads anyway.


class EngineFailed(CarbonError):
    """The engine is not known, not installed, cannot be started, or a task failed on it."""


@dataclass(frozen=True)
class Engine:
    """An engine that is running: threads of this process, or a Spark context."""

    name: str
    threads: int
    spark: "SparkContext | None" = None

    def run(self, work: Callable[[Task], Result], tasks: Sequence[Task], done: Done | None = None) -> list[Result]:
        """The result of each task, in the order of the tasks.

        done : told how many tasks are done, by threads after each, by Spark at the end.
        Raises EngineFailed for a task that fails on Spark; an error in a thread passes through.
        """
        say = done or _say_nothing
        if not tasks:
            return []
        if self.spark is None:
            return _run_in_threads(work, tasks, self.threads, say)
        results = _run_on_spark(self.spark, work, tasks)
        say(len(tasks), len(tasks))
        return results


@contextmanager
def open_engine(name: str = LOCAL, *, threads: int | None = None) -> Iterator[Engine]:
    """An engine for as long as the block lasts; a Spark context that was running before stays.

    name : "local", "spark://host:port", "local-cluster[workers,cores,MB]" (a real cluster on this machine) or
        "local[n]" (Spark in one process)
    threads : of "local"; as many as there are processors without it, four at most
    Raises EngineFailed.
    """
    if name == LOCAL:
        yield Engine(name, threads or min(os.cpu_count() or 1, _MOST_THREADS))
        return
    if not name.startswith(("spark://", "local-cluster[", "local[")):
        raise EngineFailed(f"found engine {name!r}, expected local, spark://host:port or local-cluster[2,1,1024]")
    spark, is_ours = _start_spark(name)
    try:
        yield Engine(name, 1, spark)
    finally:
        if is_ours:
            spark.stop()


def _say_nothing(done: int, tasks: int) -> None:
    del done, tasks


def _run_in_threads(work: Callable[[Task], Result], tasks: Sequence[Task], threads: int, done: Done) -> list[Result]:
    results = []
    with ThreadPoolExecutor(threads) as pool:
        try:
            for count, result in enumerate(pool.map(work, tasks), 1):
                results.append(result)
                done(count, len(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _start_spark(master: str) -> "tuple[SparkContext, bool]":
    """A Spark context on this master, and whether it was started here."""
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
    except ImportError:
        raise EngineFailed(
            f"found no pyspark, expected it for engine {master}: pip install 'greenfin[spark]'"
        ) from None
    running = SparkContext._active_spark_context  # No public name tells it without starting one.
    if running is not None:
        return running, False
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        # One task a core: more threads inside a task would only stand in each other's way.
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
        "spark.executorEnv.OMP_NUM_THREADS": "1",
    }
    if master.startswith("local"):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    conf = SparkConf().setMaster(master).setAppName("greenfin").setAll(list(settings.items()))
    try:
        spark = SparkContext(conf=conf)
    except (PySparkException, OSError) as error:
        raise EngineFailed(f"Spark did not start on {master}; it needs Java 17 or newer: {error}") from error
    if spark.pythonExec == _ANY_PYTHON:
        spark.pythonExec = sys.executable
    return spark, True


def _run_on_spark(spark: "SparkContext", work: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    try:
        parts = min(len(tasks), spark.defaultParallelism * _PARTS_A_CORE)
        return spark.parallelize(tasks, parts).map(work).collect()
    except (PySparkException, Py4JError) as error:
        # What Python said is the last line before the frames of Java and Spark's own remark.
        lines = str(error).partition("\n\tat ")[0].splitlines()
        shown = next((line for line in reversed(lines) if line.strip() and "SQLSTATE" not in line), "")
        raise EngineFailed(f"a task failed on {spark.master}; does every worker see the same files? {shown}") from error
