"""How the benchmarks measure: the best of several runs, the peak memory of a process, and work in a process of its own.

Runs under our interpreter and under that of the peers, so it needs numpy alone.
"""

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Given = TypeVar("Given")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Figures:
    """CPU seconds (of all threads) and wall seconds of the best run, and the peak memory of the process in MB."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def peak_mb() -> float:
    """The most memory that this process ever held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # The other figure is never told below the memory that the parent held when it started this process.
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def best_of(work: Callable[[], Answer], least: int = 2, most: int = 2, enough_s: float = 0.0) -> tuple[Answer, Figures]:
    """The last answer and the best of at least `least` runs; of more, up to `most`, until they took `enough_s`."""
    best_cpu, best_wall, spent, runs = float("inf"), float("inf"), 0.0, 0
    while runs < least or (spent < enough_s and runs < most):
        cpu, wall = time.process_time(), time.perf_counter()
        answer = work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        best_cpu, best_wall, spent, runs = min(best_cpu, cpu), min(best_wall, wall), spent + wall, runs + 1
    return answer, Figures(best_cpu, best_wall, peak_mb())


def measure_apart(work: Callable[[Given], Answer], given: Given, runs: int = 2) -> tuple[Answer, Figures]:
    """`best_of` of a function of a module, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(best_of, partial(work, given), runs, runs).result()


def handed_over() -> tuple[str, Path, Array, Array]:
    """The workload, the folder for answers, the matrix (units, indicators) and the directions, 1 or -1."""
    workload, folder = sys.argv[-2], Path(sys.argv[-1])
    return workload, folder, np.load(folder / "matrix.npy"), np.load(folder / "directions.npy")


def measure_scores(work: Callable[[], tuple[Array, Array]], folder: Path) -> None:
    """One run to warm up, then the best of several; prints the figures, leaves scores and ranks as files.

    work: gives scores and ranks, 1 the best, one a unit.
    """
    work()
    (scores, ranks), figures = best_of(work, least=3, most=50, enough_s=1.0)
    np.save(folder / "scores.npy", np.asarray(scores, dtype=np.float64))
    np.save(folder / "ranks.npy", np.asarray(ranks, dtype=np.float64))
    print(json.dumps(asdict(figures)))
