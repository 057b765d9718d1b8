"""What every command shares: options, exit codes, and how a wrong option is told.

Knows no command.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from api.lang import Lang
from api.output import Format, chosen_format

NOT_FOUND: Final = 3
INVALID_DATA: Final = 4
FAILED: Final = 1
_FIRST_YEAR, _LAST_YEAR = 1990, 2100

FormatOption = Annotated[
    str | None, typer.Option("--format", help="table, json or csv; a table on a terminal, CSV in a pipe without it.")
]
LangOption = Annotated[str, typer.Option("--lang", help="zh or en, for table labels and names.")]
HubArgument = Annotated[str, typer.Argument(help="Slug, name in either language, or GB/T 2260 code.")]
YearOption = Annotated[int, typer.Option("--year", help="Calendar year.")]
YearsOption = Annotated[str | None, typer.Option("--years", help="2013-2023 or 2019; all that are known without it.")]
BaseOption = Annotated[str, typer.Option("--base", help="open (open figures) or published (FHI 2017 as printed).")]


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


def one_of(found: str, known: Iterable[str], option: str) -> str:
    """The word found, where it is known; refused with the known ones where it is not."""
    words = tuple(known)
    if found not in words:
        raise typer.BadParameter(f"found {found!r}; expected {', '.join(words)}", param_hint=option)
    return found


def years_of(span: str | None) -> range | None:
    """The years of `2013-2023` or `2019`; none for none."""
    if span is None:
        return None
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", span.strip())
    if found is not None:
        first, last = int(found[1]), int(found[2] or found[1])
        if _FIRST_YEAR <= first <= last <= _LAST_YEAR:
            return range(first, last + 1)
    expected = f"years from {_FIRST_YEAR} to {_LAST_YEAR} such as 2013-2023"
    raise typer.BadParameter(f"found {span!r}; expected {expected}", param_hint="--years")


def check_out(out: Path, inputs: Iterable[Path], names: Iterable[str]) -> None:
    """Refuse a place for output that is no folder, or where a file of one of these names would replace an input."""
    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"found the file {out}; expected a folder, or a name that is free", param_hint="--out")
    written = [out / name for name in names if (out / name).is_file()]
    lost = [path for path in inputs if path.is_file() and any(path.samefile(place) for place in written)]
    if lost:
        found = f"found the folder of {', '.join(map(str, lost))}, which would be overwritten"
        raise typer.BadParameter(f"{found}; expected another folder", param_hint="--out")
