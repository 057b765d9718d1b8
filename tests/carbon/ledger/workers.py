"""Running acts in other threads and other processes, and killing the processes: what the tests of races and of crashes
have in common.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

from sqlalchemy import Engine

Work = Callable[[Engine], Any]


def at_once(engine: Engine, works: Sequence[Work | Sequence[Work]]) -> list[list[Any]]:
    """Let each writer do its works one after the other, all writers beginning together.

    Result : what each work of each writer came to; an exception stands where one was raised
    """
    barrier = Barrier(len(works))

    def one(mine: Work | Sequence[Work]) -> list[Any]:
        came: list[Any] = []
        with engine.connect():
            barrier.wait()
        for work in mine if isinstance(mine, Sequence) else [mine]:
            try:
                came.append(work(engine))
            except Exception as failure:
                came.append(failure)
        return came

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


class Workers:
    """A warm process that forks a child for each job (see `crash_worker`)."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, *jobs: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(jobs) + "\n")
        self.process.stdin.flush()

    def lines(self, children: int = 1) -> Iterator[list[str]]:
        """What the children say, word by word, until all of them are gone."""
        assert self.process.stdout is not None
        while children:
            words = self.process.stdout.readline().split()
            assert words, "the workers died"
            children -= words[1] == "gone"
            yield words


@contextmanager
def warm_workers() -> Iterator[Workers]:
    script = Path(__file__).with_name("crash_worker.py")
    process = subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Workers(process)
    finally:
        process.communicate()


def kill(pid: int) -> None:
    """The signal that nothing can catch; one who ended by itself is left in peace."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
