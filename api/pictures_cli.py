"""The command `greenfin picture`: an analysis as an SVG file, for a report.

Knows the command and its options. Draws and computes nothing. Imports what the command needs inside it, so that
`--help` stays quick.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from api import DEFAULT_YEAR
from api.opened import store_of_settings
from api.options import LangOption, lang_of

pictures_app = typer.Typer(rich_markup_mode=None)

_MOST_DRAWS = 1_000_000


@pictures_app.command()
def picture(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="rank-bands, rank-years, rank-changes, rank-weights, wheel, coordination-years, obstacles, gap, "
            "tiers, inequality, importance, perception, scorecard or paths.",
        ),
    ],
    hub: Annotated[
        str | None,
        typer.Argument(
            metavar="[HUB]", help="The city that is drawn, or marked among all: slug, name, or GB/T 2260 code."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; standard output without it.")] = None,
    year: Annotated[int, typer.Option("--year", help="Calendar year.")] = DEFAULT_YEAR,
    to: Annotated[str, typer.Option("--to", help="For gap: another city, or leader.")] = "leader",
    draws: Annotated[
        int | None, typer.Option("--draws", min=16, max=_MOST_DRAWS, help="Of bands, or of importance.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**53, help="Of the draws.")] = 1,
    base: Annotated[
        str, typer.Option("--base", help="open (open figures) or published (FHI 2017 as printed).")
    ] = "open",
    lang: LangOption = "en",
) -> None:
    """Write an analysis as a picture (SVG), in English or Chinese."""
    from api.pictures.catalogue import UnknownPicture, Wanted, WithoutCity, draw
    from green_index.index import as_base

    wanted = Wanted(lang_of(lang), hub, year, as_base(base), to, draws, seed)
    if out is not None and out.is_dir():
        raise typer.BadParameter(f"found the folder {out}; expected a file name", param_hint="--out")
    try:
        drawn = draw(store_of_settings(), name, wanted)
    except UnknownPicture as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    except WithoutCity as error:
        raise typer.BadParameter(str(error), param_hint="HUB") from None
    if out is None:
        sys.stdout.buffer.write(drawn.encode())
    else:
        out.write_bytes(drawn.encode())
