"""What the commands share that load files of many rows into the lake, and sum them by an engine.

Knows how the progress and the result of such a load look to people. Must not know what the rows are.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.lang import texts
from api.options import INVALID_DATA, format_of, lang_of

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from carbon.bulk_loading import BulkLoadReport
    from carbon.errors import Problem

EngineOption = Annotated[
    str, typer.Option("--engine", help="local, spark://host:port or local-cluster[workers,cores,MB].")
]


def lake_of_settings() -> Path:
    """The folder of the lake that the environment names."""
    from api.settings import Settings

    return Settings.from_env(os.environ).lake


def load_files(
    files: Sequence[Path],
    load: "Callable[[Path, Callable[[str], None]], BulkLoadReport]",
    *,
    loaded: str,
    lang: str,
    form: str | None,
) -> None:
    """Load files one after another, show every problem and then a line for each file.

    load : loads one file, telling each of `carbon.bulk_loading.LOAD_STEPS` as it begins
    loaded : key of the text of a file that was loaded, with file, read, new and rejected
    Ends with INVALID_DATA where a file has rows, but none that could be kept.
    """
    from api.output import progress_bar, write_lines
    from api.screens import show_problems
    from carbon.bulk_loading import LOAD_STEPS

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    lines: list[str] = []
    problems: list[Problem] = []
    kept_none = False
    with progress_bar() as progress:
        for path in files:
            task = progress.add_task(path.name, total=len(LOAD_STEPS))
            report = load(path, partial(_show_step, progress, task, path.name))
            said = text["bulk_already" if report.already_loaded else loaded]
            lines.append(
                said.format(file=report.file, read=report.rows_read, new=report.rows_kept, rejected=report.rejected)
            )
            lines += [text["bulk_assumed"].format(file=report.file, what=what) for what in report.assumed]
            problems += report.problems
            kept_none = kept_none or bool(report.rejected and not report.rows_kept)
    show_problems(problems, chosen, tongue)
    write_lines(lines, chosen)
    if kept_none:
        raise typer.Exit(INVALID_DATA)


def _show_step(progress: "Progress", task: "TaskID", file: str, step: str) -> None:
    from carbon.bulk_loading import LOAD_STEPS

    progress.update(task, description=f"{file}: {step}", completed=LOAD_STEPS.index(step))
