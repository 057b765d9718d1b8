"""How frames reach a terminal or a pipe: a table for people, CSV or JSON for programs.

Knows shapes of output. Knows no language, no verb and computes nothing.
"""

import sys
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import polars as pl
    from rich.progress import Progress

Format = Literal["table", "json", "csv"]
NONE: Final = "–"
PIPE_WIDTH: Final = 120


def chosen_format(wanted: Format | None) -> Format:
    """The format asked for; without one, a table on a terminal and CSV in a pipe."""
    return wanted or ("table" if sys.stdout.isatty() else "csv")


def write_rows(frame: "pl.DataFrame", form: Format) -> None:
    """Rows to standard output as CSV or as one JSON array."""
    if form == "json":
        sys.stdout.write(frame.write_json() + "\n")
        return
    import polars as pl

    lists = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    sys.stdout.write(frame.with_columns(pl.col(lists).list.join("; ")).write_csv())


def write_table(
    frame: "pl.DataFrame", title: str, right: frozenset[str] = frozenset(), whole: frozenset[str] | None = None
) -> None:
    """A titled table to standard output; `right` names the columns to align right, `whole` those never to be wrapped
    (the same ones unless it is given)."""
    unwrapped = right if whole is None else whole
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in frame.columns:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name in unwrapped, overflow="fold")
    for row in frame.iter_rows():
        table.add_row(*(show(value) for value in row))
    if title:
        console.print(title, style="italic", highlight=False, soft_wrap=True)
    console.print(table)


def progress_bar() -> "Progress":
    """A bar for long work, on standard error, gone when the work is done."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), transient=True)


def write_lines(lines: list[str], form: Format) -> None:
    """Remarks: below a table on standard output, else on standard error, so that a pipe holds rows only."""
    stream = sys.stdout if form == "table" else sys.stderr
    for line in lines:
        stream.write(line + "\n")


def show(value: object) -> str:
    """A cell for people: a dash for missing, one decimal from 100 up, three significant digits below one."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if value == 0 or abs(value) >= 1:
            return f"{value:,.1f}"
        return f"{value:.3g}"
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return str(value)


def share(value: float | None) -> str:
    """A share of 0..1 in per cent, a dash for missing."""
    return NONE if value is None else f"{value:.0%}"
