"""Jobs: plain functions that change the store, called by the command line and by whoever schedules them."""

from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress
from sqlmodel import Session

from api.store import Store
from carbon.loading import LoadReport, load_trades


def load_trade_files(
    store: Store, paths: list[Path], *, market: str, format_name: str | None, strict: bool
) -> list[LoadReport]:
    """Load daily trading files one after another; a bar on standard error shows how far it is.

    Each file is its own transaction: what was loaded before a failure stays, and running again completes.
    """
    reports = []
    with Session(store.engine) as session, _progress() as progress:
        task = progress.add_task("loading", total=len(paths))
        for path in paths:
            reports.append(
                load_trades(
                    session,
                    store.lake,
                    path,
                    market=market,
                    format_name=format_name,
                    strict=strict,
                    loaded_at=datetime.now(UTC),
                )
            )
            progress.advance(task)
    return reports


def _progress() -> Progress:
    from rich.console import Console

    return Progress(console=Console(stderr=True), transient=True)
