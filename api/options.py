"""What every command shares: options, exit codes, and how a wrong option is told.

Knows no command.
"""

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
