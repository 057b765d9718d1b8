"""The commands `greenfin rules`, `allocate` and `check-code`: the schemes' rules, without any database.

Knows commands and options. The rules and their arithmetic live in `carbon.rules`, credit codes in `carbon.uscc`.
Imports what a command needs inside the command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.options import INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of
from api.registry.options import LARGEST_T, day_of

if TYPE_CHECKING:
    from carbon.rules.book import Rules

rules_app = typer.Typer(rich_markup_mode=None)

SchemeOption = Annotated[
    str | None, typer.Option("--scheme", help="Key of a scheme, such as CN or CN-HB; all without it.")
]
NetSales = Annotated[
    int | None,
    typer.Option(
        "--net-sales",
        min=-LARGEST_T,
        max=LARGEST_T,
        help="Tonnes sold less bought, for the carry-over (with --holding).",
    ),
]
OldHolding = Annotated[
    int | None,
    typer.Option("--holding", min=0, max=LARGEST_T, help="Tonnes held of old vintages, for the carry-over."),
]


@rules_app.command()
def rules(
    scheme: SchemeOption = None,
    year: Annotated[int | None, typer.Option("--year", help="Only rules that apply to this compliance year.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Only this kind, such as benchmark or deadline.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="TOML of your own, to add or replace rules.")] = None,
    drafts: Annotated[bool, typer.Option("--drafts/--no-drafts", help="Show drafts too, marked as such.")] = True,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show the schemes' rules: figures, document, source, how far it can be trusted, and since when."""
    from typing import get_args

    import polars as pl

    from api.registry import rules_screens
    from carbon.rules.book import rule_rows
    from carbon.rules.models import Kind

    chosen, tongue = format_of(form), lang_of(lang)
    if kind is not None and kind not in get_args(Kind):
        raise typer.BadParameter(f"found {kind!r}; expected {', '.join(get_args(Kind))}", param_hint="--kind")
    rows = rule_rows(_rules(scheme, file), scheme=scheme, year=year, kind=kind)
    rules_screens.show_rules(rows if drafts else rows.filter(pl.col("status") != "draft"), chosen, tongue)


@rules_app.command()
def allocate(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="TOML or CSV of units; --example prints one to start from.")
    ] = None,
    scheme: Annotated[str, typer.Option("--scheme", help="Key of the scheme.")] = "CN",
    rules: Annotated[Path | None, typer.Option("--rules", help="TOML of your own, to add or replace rules.")] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="Only rules known and in force on this day, such as 2025-12-31.")
    ] = None,
    drafts: Annotated[
        bool, typer.Option("--drafts", help="Use drafts where nothing is final; marked as such.")
    ] = False,
    net_sales: NetSales = None,
    holding: OldHolding = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a file to start from, and do nothing else.")
    ] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Calculate allocations line by line, to be checked by hand: then what is owed, until when, and the limits.

    Bad rows are listed all at once, and what is left is calculated; the exit code is then 4.
    """
    from api.registry import rules_screens
    from api.registry.calculations import calculate
    from carbon.rules.units_file import read_units

    chosen, tongue = format_of(form), lang_of(lang)
    if example:
        typer.echo(rules_screens.units_example(), nl=False)
        return
    if file is None:
        raise typer.BadParameter("found no file; expected one, or --example", param_hint="FILE")
    if (net_sales is None) != (holding is None):
        raise typer.BadParameter("found one of --net-sales and --holding; expected both or neither")
    day = day_of(on, "--on")
    reading = read_units(file)
    if holding is not None and len({unit.entity for unit in reading.units}) > 1:
        raise typer.BadParameter("found several entities in the file; expected one, with --holding")
    done, reasons = calculate(
        reading.units,
        _rules(scheme, rules),
        scheme=scheme,
        on_date=day,
        drafts=drafts,
        net_sales_t=net_sales,
        holding_t=holding,
    )
    rules_screens.show_calculations(done, chosen, tongue)
    for problem in (*map(str, reading.problems), *reasons):
        typer.echo(problem, err=True)
    if reading.problems or reasons:
        rules_screens.warn_partly(reading, len(reasons), tongue)
        raise typer.Exit(INVALID_DATA)


@rules_app.command("check-code")
def check_code(
    codes: Annotated[list[str], typer.Argument(metavar="CODE...", help="Unified social credit codes.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Check unified social credit codes (GB 32100); a wrong one is told, the right one never guessed. Exit code 4."""
    from api.registry import rules_screens

    chosen, tongue = format_of(form), lang_of(lang)
    if not rules_screens.show_codes(codes, chosen, tongue):
        raise typer.Exit(INVALID_DATA)


def _rules(scheme: str | None, extra: Path | None) -> "Rules":
    """The rules of a scheme or of all. Ends the command where no scheme has this key."""
    from carbon.rules.book import InvalidRules, load_rules

    try:
        return load_rules(scheme, extra)
    except InvalidRules as error:
        if any(problem.code != "scheme" for problem in error.problems):
            raise
        typer.echo(f"greenfin: {error}", err=True)
        raise typer.Exit(NOT_FOUND) from None
