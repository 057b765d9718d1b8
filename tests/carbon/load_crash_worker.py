"""A process that loads trading files until it is killed, and says on its output at which step it is.

The warm process and its lines are those of `ledger/crash_worker.py`; this adds the job "trades": {"lake", "files":
[[market, path], ...]}, with a line `<name> step <file> <step>` before each step and `<name> ack <file> <rows kept>
<rows new>` after each file.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

# Whatever loading imports on the way is imported once, before the first fork.
import chinese_calendar  # noqa: F401
from sqlalchemy import Engine
from sqlmodel import Session

import carbon.cross_checks
import carbon.formats
import carbon.market
import carbon.statistics
import carbon.tables  # noqa: F401
from carbon.loading import load_trades

sys.path.insert(0, str(Path(__file__).with_name("ledger")))

import crash_worker


def do_trades(engine: Engine, job: dict[str, Any]) -> Iterator[str]:
    for market, path in job["files"]:
        file = Path(path)
        say_step = partial(crash_worker.say, job["name"], "step", file.name)
        with Session(engine) as session:
            report = load_trades(session, Path(job["lake"]), file, market=market, progress=say_step)
        yield f"{file.name} {report.rows_kept} {report.rows_new}"


crash_worker.DO["trades"] = do_trades

if __name__ == "__main__":
    crash_worker.main()
