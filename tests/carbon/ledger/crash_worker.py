"""A process that writes to ledgers and lakes until it is killed, and says on its output what was committed.

Run as a script, it reads jobs from its input, one JSON object a line, and forks a child for each, so that a hundred
deaths cost one start of Python. Lines on its output: `<name> pid <number>`, `<name> ready`, `<name> ack <what>` after
each commit, `<name> end`, and `<name> gone` from the parent once the child is no more. Nothing is opened, and no
thread started, before the fork.

Jobs: {"name", "do": "acts" | "import" | "load", "url", ...}. "gate" names a file: a child that is ready waits until
nobody has it locked.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import deltalake  # noqa: F401
import polars as pl
from acts import outcomes
from sqlalchemy import Engine
from sqlmodel import Session

from api.db import make_engine
from carbon.ledger.book import Act
from carbon.ledger.bulk import import_movements
from carbon.ledger.post import writing
from carbon.loading import load_trades


def say(name: str, *words: object) -> None:
    """One line, in one write: a reader sees all of it or nothing."""
    os.write(1, (" ".join(map(str, (name, *words))) + "\n").encode())


def do_acts(engine: Engine, job: dict[str, Any]) -> Iterator[str]:
    """Do the acts from..to of a file, `group` of them in each database transaction; their places and outcomes."""
    steps = json.loads(Path(job["file"]).read_text())
    for at in range(job["from"], job["to"], job["group"]):
        came = []
        with writing(engine) as connection:
            for place in range(at, min(at + job["group"], job["to"])):
                came += [(place, *one) for one in outcomes(connection, steps[place])]
        for one in came:
            yield " ".join(map(str, one))


def do_import(engine: Engine, job: dict[str, Any]) -> Iterator[str]:
    frame = pl.read_ipc(job["file"])
    with writing(engine) as connection:
        report = import_movements(
            connection,
            Act(job["id"], 1, "t"),
            frame,
            scheme="EU",
            source_name="movements.arrow",
            sha256=sha256(job["id"].encode()).hexdigest(),
            openings="assume",
        )
    yield f"{report.receipt.status} {report.rows_booked}"


def do_load(engine: Engine, job: dict[str, Any]) -> Iterator[str]:
    for file in job["files"]:
        with Session(engine) as session:
            report = load_trades(session, Path(job["lake"]), Path(file), market="CEA")
        yield f"{file} {report.rows_kept}"


DO = {"acts": do_acts, "import": do_import, "load": do_load}


def work(job: dict[str, Any]) -> None:
    name = job["name"]
    say(name, "pid", os.getpid())
    engine = make_engine(job["url"])
    with engine.connect():
        say(name, "ready")
        if "gate" in job:
            with Path(job["gate"]).open() as gate:
                fcntl.flock(gate, fcntl.LOCK_SH)
    for done in DO[job["do"]](engine, job):
        say(name, "ack", done)
    say(name, "end")


def main() -> None:
    for line in sys.stdin:
        children = {}
        for job in json.loads(line):
            child = os.fork()
            if child == 0:
                try:
                    work(job)
                except BaseException as failure:
                    say(job["name"], "failed", repr(failure).replace("\n", " "))
                    os._exit(1)
                os._exit(0)
            children[child] = job["name"]
        while children:
            child, _status = os.wait()
            say(children.pop(child), "gone")


if __name__ == "__main__":
    main()
