"""What every command shares: options, exit codes, and how a wrong option is told.

Knows no command.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from api.lang import Lang
from api.output import Format, chosen_format

NOT_FOUND: Final = 3
INVALID_DATA: Final = 4
FAILED: Final = 1

FormatOption = Annotated[
    str | None, typer.Option("--format", help="table, json or csv; a table on a terminal, CSV in a pipe without it.")
]
LangOption = Annotated[str, typer.Option("--lang", help="zh or en, for table labels and names.")]


def format_of(name: str | None) -> Format:
    """The output format of this name; the usual one of terminal or pipe for none."""
    for known in ("table", "json", "csv"):
        if name == known:
            return known
    if name is not None:
        raise typer.BadParameter(f"found {name!r}; expected table, json or csv", param_hint="--format")
    return chosen_format(None)


def lang_of(name: str) -> Lang:
    """The language of this name."""
    for known in ("zh", "en"):
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected zh or en", param_hint="--lang")


def check_out(out: Path, inputs: Iterable[Path], names: Iterable[str]) -> None:
    """Refuse a place for output that is no folder, or where a file of one of these names would replace an input."""
    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"found the file {out}; expected a folder, or a name that is free", param_hint="--out")
    written = [out / name for name in names if (out / name).is_file()]
    lost = [path for path in inputs if path.is_file() and any(path.samefile(place) for place in written)]
    if lost:
        found = f"found the folder of {', '.join(map(str, lost))}, which would be overwritten"
        raise typer.BadParameter(f"{found}; expected another folder", param_hint="--out")
