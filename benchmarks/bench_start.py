"""How long a user waits: `greenfin --help` and `greenfin rank` from a cold start, beside the bare interpreter.

Each command runs as a whole process with a fresh home; CPU is user + system time, memory is the peak of the process.
Goals: --help within 0.3 s CPU of the bare interpreter; rank on the embedded data under 2 s of wall time.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
HELP_GOAL_S = 0.3
RANK_GOAL_S = 2.0


def run_once(command: list[str]) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak kilobytes of one process on a home of its own."""
    home = tempfile.mkdtemp()
    started = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        command,
        {**os.environ, "GREENFIN_HOME": home},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    shutil.rmtree(home, ignore_errors=True)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(command: list[str]) -> tuple[float, float, int]:
    """Medians of wall and CPU seconds and the greatest peak, over ROUNDS runs after one to warm the disk."""
    run_once(command)
    runs = [run_once(command) for _ in range(ROUNDS)]
    return (
        statistics.median(run[0] for run in runs),
        statistics.median(run[1] for run in runs),
        max(run[2] for run in runs),
    )


def main() -> None:
    greenfin = str(Path(sys.executable).with_name("greenfin"))
    commands = {
        "bare interpreter": [sys.executable, "-c", "pass"],
        "greenfin --help": [greenfin, "--help"],
        "greenfin rank (cold)": [greenfin, "rank"],
    }
    found = {name: measure(command) for name, command in commands.items()}
    bare_cpu = found["bare interpreter"][1]
    print(f"{'':22} {'wall s':>8} {'CPU s':>8} {'over bare':>10} {'peak MB':>8}")
    for name, (wall, cpu, peak) in found.items():
        print(f"{name:22} {wall:8.3f} {cpu:8.3f} {cpu / bare_cpu:9.1f}x {peak / 1024:8.0f}")
    over = found["greenfin --help"][1] - bare_cpu
    rank_wall = found["greenfin rank (cold)"][0]
    print(f"--help: {over:.3f} s CPU over the bare interpreter (goal {HELP_GOAL_S})")
    print(f"rank: {rank_wall:.2f} s wall from a cold start (goal {RANK_GOAL_S})")


if __name__ == "__main__":
    main()
