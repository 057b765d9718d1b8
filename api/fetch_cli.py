"""The command `greenfin fetch`: ask akshare for the figures of a market, keep them in a file, and load them if wanted.

Knows the command, its options and exit codes. The asking lives in `api.fetching`, the loading in `carbon.loading`.
Imports what the command needs inside it, so that `--help` stays quick.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from api.lang import Lang, texts
from api.options import INVALID_DATA, FormatOption, LangOption, format_of, lang_of
from api.output import Format, write_lines

_SYMBOLS: Final = "湖北 上海 北京 重庆 广东 天津 深圳 福建 (one site for all pilots), bj, sz, hb, gz (exchanges), eu"
_LONGEST_S: Final = 3600

fetch_app = typer.Typer(rich_markup_mode=None)


@fetch_app.command()
def fetch(
    symbol: Annotated[str, typer.Argument(help=f"{_SYMBOLS}; or the full name of akshare's function.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE.csv", help="Where to keep the frame as it came.")],
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, max=_LONGEST_S, help="Seconds until akshare is given up.")
    ] = 30,
    load: Annotated[bool, typer.Option("--load", help="Load the file afterwards, as `load trades` would.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.csv if it is there.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Fetch daily figures of a carbon market with akshare (pip install 'greenfin[fetch]') into a CSV file.

    The figures belong to their publishers: whether they may be passed on is between you and them.
    """
    from api import fetching

    chosen, tongue = format_of(form), lang_of(lang)
    source = fetching.find_source(symbol)
    if source is None:
        raise typer.BadParameter(f"found {symbol!r}; expected {', '.join(fetching.SOURCES)}", param_hint="SYMBOL")
    if load and source.market is None:
        raise typer.BadParameter(
            f"found {symbol}, whose rows belong to no market of the registry; expected to fetch it without --load",
            param_hint="--load",
        )
    _check_place(to, force)
    fetched = fetching.fetch(source, timeout_s=timeout)
    _check_place(to, force)
    fetching.write_whole(to, fetched.text)
    text = texts("cli", tongue)
    words = {"file": to, "rows": fetched.rows, "function": source.function, "version": fetched.version}
    lines = [text["fetched"].format(**words)]
    if fetched.undated:
        lines.append(text["fetched_undated"].format(file=to, undated=fetched.undated, rows=fetched.rows))
    write_lines(lines, chosen)
    if load and source.market is not None:
        _load(to, source.market, chosen, tongue)


def _check_place(to: Path, force: bool) -> None:
    if to.suffix.lower() != ".csv":
        raise typer.BadParameter(f"found {to}; expected a name that ends in .csv", param_hint="--to")
    if not to.absolute().parent.is_dir():
        raise typer.BadParameter(f"found no folder {to.absolute().parent}; expected one that exists", param_hint="--to")
    if to.is_dir():
        raise typer.BadParameter(f"found the folder {to}; expected the name of a file", param_hint="--to")
    if to.exists() and not force:
        raise typer.BadParameter(
            f"found the file {to}; expected a name that is free, or --force to replace it", param_hint="--to"
        )


def _load(file: Path, market: str, form: Format, lang: Lang) -> None:
    """Load the file; the layout is known by its headings."""
    from api import jobs, screens
    from api.settings import Settings
    from api.store import open_store

    store = open_store(Settings.from_env(os.environ))
    try:
        reports = jobs.load_trade_files(store, [file], market=market, format_name=None, strict=False)
    finally:
        store.close()
    screens.show_load(reports, form, lang)
    if any(report.rejected and not report.rows_kept for report in reports):
        raise typer.Exit(INVALID_DATA)
