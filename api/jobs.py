"""Jobs: plain functions that change the store, called by the command line and by whoever schedules them."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.progress import Progress, TaskID
from sqlmodel import Session

from api.output import progress_bar
from api.store import Store
from carbon.loading import STEPS, LoadReport, load_trades


def load_trade_files(
    store: Store, paths: list[Path], *, market: str, format_name: str | None, strict: bool
) -> list[LoadReport]:
    """Load daily trading files one after another; a bar on standard error shows how far it is.

    Each file is its own transaction: what was loaded before a failure stays, and running again completes.
    """
    reports = []
    with Session(store.engine) as session, progress_bar() as progress:
        for path in paths:
            task = progress.add_task(path.name, total=len(STEPS))
            reports.append(
                load_trades(
                    session,
                    store.lake,
                    path,
                    market=market,
                    format_name=format_name,
                    strict=strict,
                    loaded_at=datetime.now(UTC),
                    progress=partial(_show_step, progress, task, path.name),
                )
            )
    return reports


def _show_step(progress: Progress, task: TaskID, file: str, step: str) -> None:
    progress.update(task, description=f"{file}: {step}", completed=STEPS.index(step))
