"""What every process of bench_index.py does: take the matrix, do the work several times, tell the best run.

Runs under our interpreter and under that of the peers, so it needs numpy alone.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
LEAST_RUNS = 3
MOST_RUNS = 50
ENOUGH_S = 1.0


def handed_over() -> tuple[str, Path, Array, Array]:
    """The workload, the folder for answers, the matrix (units, indicators) and the directions, 1 or -1."""
    workload, folder = sys.argv[-2], Path(sys.argv[-1])
    return workload, folder, np.load(folder / "matrix.npy"), np.load(folder / "directions.npy")


def measure(work: Callable[[], tuple[Array, Array]], folder: Path) -> None:
    """One run to warm up, then the best of several; prints seconds and peak memory, leaves scores and ranks as files.

    work: gives scores and ranks, 1 the best, one a unit.
    """
    scores, ranks = work()
    best_cpu, best_wall, spent, runs = float("inf"), float("inf"), 0.0, 0
    while runs < LEAST_RUNS or (spent < ENOUGH_S and runs < MOST_RUNS):
        cpu, wall = time.process_time(), time.perf_counter()
        scores, ranks = work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        best_cpu, best_wall, spent, runs = min(best_cpu, cpu), min(best_wall, wall), spent + wall, runs + 1
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.save(folder / "scores.npy", np.asarray(scores, dtype=np.float64))
    np.save(folder / "ranks.npy", np.asarray(ranks, dtype=np.float64))
    print(json.dumps({"cpu_s": best_cpu, "wall_s": best_wall, "peak_mb": peak_mb}))
