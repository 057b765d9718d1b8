"""What benchmarks of tables of many rows share: our way beside its peers in processes of their own, and how it is told.

Knows neither trades nor activities: the functions to measure and the goals are given.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import polars as pl
from measuring import Figures, measure_apart

HERE = Path(__file__).resolve().parent
PEERS_PYTHON = HERE.parent / ".venv" / "peers" / "bin" / "python"
SPARK_MASTER = "local-cluster[2,1,1024]"
AT_SCALE = 10**8
MOST_OF_READING, MOST_MB, MOST_GROWTH = 3, 1024, 10


@dataclass(frozen=True)
class Peers:
    """Other ways to the same answer.

    script : runs one of them, in this folder; most_rows : up to which size each way runs; goals : how many times as
    fast ours must be; goal_rows : the size that each goal is meant for; once : ways that run once at any size
    """

    script: str
    most_rows: Mapping[str, int]
    goals: Mapping[str, float]
    goal_rows: Mapping[str, int]
    once: tuple[str, ...] = ()


def run_peer(script: str, way: str, lake: Path, runs: int) -> tuple[pl.DataFrame, Figures]:
    """The answer of one way and its figures; stops where it fails."""
    done = subprocess.run(
        [str(PEERS_PYTHON), str(HERE / script), way, str(lake), str(runs)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    if done.returncode:
        raise SystemExit(f"{way} failed:\n{done.stderr}")
    return pl.read_parquet(lake / f"answer-{way}.parquet"), Figures(**json.loads(done.stdout.splitlines()[-1]))


def say_ratio(what: str, ratio: float, goal: float | None = None) -> None:
    """How many times as fast, and whether the goal is met."""
    told = "" if goal is None else f" (goal {goal:g}: {'met' if ratio >= goal else 'missed'})"
    print(f"ratio: {what}: {ratio:.1f} times{told}", flush=True)


def say_most(what: str, found: float, unit: str, most: float | None = None) -> None:
    """A figure that may be at most so much."""
    told = "" if most is None else f" (goal at most {most:g}: {'met' if found <= most else 'missed'})"
    print(f"ratio: {what}: {found:.1f} {unit}{told}", flush=True)


def bench_engines(
    lake: Path,
    rows: int,
    read_columns: Callable[[Path], int],
    ours: Callable[[Path], pl.DataFrame],
    check: Callable[[pl.DataFrame, pl.DataFrame, str], None],
    peers: Peers,
) -> float:
    """Seconds of ours, after everything beside it was told.

    read_columns : the limit, reading the columns alone; gives the rows; check : stops where an answer (second) is not
    ours (first)
    """
    at_scale = rows >= AT_SCALE
    runs = 2 if at_scale else 3
    read, floor = measure_apart(read_columns, lake, runs)
    if read != rows:
        raise SystemExit(f"found {read} rows, expected {rows}")
    print(f"reading the columns only: {floor.wall_s:.3f} s, peak {floor.peak_mb:.0f} MB", flush=True)
    answer, figures = measure_apart(ours, lake, runs)
    speed = rows / figures.wall_s
    print(f"carbon: {figures.wall_s:.3f} s, {speed:,.0f} rows/s, peak {figures.peak_mb:.0f} MB", flush=True)
    say_most("carbon beside reading", figures.wall_s / floor.wall_s, "times", MOST_OF_READING if at_scale else None)
    say_most("carbon's peak memory", figures.peak_mb, "MB", MOST_MB if at_scale else None)
    for way, most in peers.most_rows.items():
        if rows > most:
            print(f"{way}: left out above {most:,} rows")
            continue
        theirs, told = run_peer(peers.script, way, lake, 1 if at_scale or way in peers.once else 2)
        check(answer, theirs, way)
        print(f"{way}: {told.wall_s:.3f} s, peak {told.peak_mb:.0f} MB, the same answer", flush=True)
        goal = peers.goals[way] if rows == peers.goal_rows[way] else None
        say_ratio(f"carbon is faster than {way}", told.wall_s / figures.wall_s, goal)
    return figures.wall_s


def has_spark() -> bool:
    """Whether Spark can run here; says what is missing."""
    if shutil.which("java") is None:
        print("Spark: left out, no Java on this machine")
        return False
    if find_spec("pyspark") is None:
        print("Spark: left out, pyspark is not installed")
        return False
    return True


def bench_sizes(bench: Callable[[int, Path], float]) -> None:
    """Run a benchmark at the size of the first argument (10^7 without it), or of `all` at three, with the growth.

    bench : number of rows and a folder to the seconds of ours
    """
    if not PEERS_PYTHON.exists():
        raise SystemExit("the peers' environment .venv/peers is absent; make it with: make .venv/peers.stamp")
    asked = sys.argv[1] if len(sys.argv) > 1 else "10000000"
    sizes = [10**6, 10**7, 10**8] if asked == "all" else [int(asked)]
    with tempfile.TemporaryDirectory() as name:
        seconds = {rows: bench(rows, Path(name)) for rows in sizes}
    if len(seconds) > 1:
        say_most("10^7 to 10^8 takes longer by", seconds[10**8] / seconds[10**7], "times", MOST_GROWTH)
