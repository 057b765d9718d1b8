"""The commands `greenfin load rates` and `greenfin rates`: rates of exchange of the user's own.

Knows commands, options and exit codes. Reading and keeping live in `carbon.rates`, the choice of a rate in `carbon.fx`.
Imports what a command needs inside it, so that `--help` stays quick.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.lang import Lang, texts
from api.opened import opened_session
from api.options import FAILED, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.output import Format
    from carbon.rates import RatesReport

rates_app = typer.Typer(rich_markup_mode=None)

# As `carbon.fx.MAX_AGE_DAYS`, which a help text may not import.
_MAX_AGE_DAYS = 31


def load_rates(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="ICAP price explorer, or day,currency,per_eur,per_usd,source (.csv)."),
    ],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read rates of exchange; list every line that breaks a rule; keep the good ones. Twice changes nothing.

    Ends with 1 where a file holds no rate that can be used.
    """
    from carbon.rates import load_rates as load

    chosen, tongue = format_of(form), lang_of(lang)
    with opened_session() as session:
        reports = [load(session, path) for path in files]
    _show_reports(reports, chosen, tongue)
    unused = [report.file for report in reports if not report.rates_new + report.rates_already_loaded]
    for name in unused:
        typer.echo(f"greenfin: {texts('cli', tongue)['no_rate_in_file'].format(file=name)}", err=True)
    if unused:
        raise typer.Exit(FAILED)


@rates_app.command()
def rates(
    currency: Annotated[str, typer.Option("--currency", help="Three letters, such as CNY.")] = "CNY",
    day: Annotated[
        str | None, typer.Option("--day", help="Day to use a rate for; all loaded rates without it.")
    ] = None,
    max_age: Annotated[
        int, typer.Option("--max-age-days", min=0, help="Most days between the rate and --day.")
    ] = _MAX_AGE_DAYS,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The loaded rates of a currency, or the ones that hold on a day: the latest on or before it, never a later one."""
    from api.screens import show_table
    from carbon.rates import read_rates

    chosen, tongue = format_of(form), lang_of(lang)
    wanted = None if day is None else _day_of(day)
    with opened_session() as session:
        known = read_rates(session, currency)
    found = known if wanted is None else _rates_of_day(known, currency.upper(), wanted, max_age)
    title = texts("cli", tongue)["title_rates"].format(currency=currency.upper())
    if found.is_empty() or (wanted is not None and found["rate"].null_count() == found.height):
        message = texts("cli", tongue)["no_rate"].format(currency=currency.upper(), day=wanted or "–")
        typer.echo(f"greenfin: {message}", err=True)
        raise typer.Exit(NOT_FOUND)
    show_table(_readable(found) if chosen == "table" else found, title, chosen, tongue)


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"found {text!r}; expected a day such as 2026-01-05", param_hint="--day") from None


def _readable(found: "pl.DataFrame") -> "pl.DataFrame":
    """Rates as text with six significant digits: a table for people shows fewer."""
    import polars as pl

    names = [name for name in ("rate", "per_eur", "per_usd") if name in found.columns]
    return found.with_columns(pl.col(names).map_elements(lambda rate: f"{rate:.6g}", return_dtype=pl.String))


def _rates_of_day(known: "pl.DataFrame", currency: str, day: date, max_age_days: int) -> "pl.DataFrame":
    """The rate to EUR and to USD on one day: day, currency, to, rate, rate_day, rate_age_days, rate_source."""
    import polars as pl

    from carbon.fx import rates_on

    days = pl.Series("day", [day])
    return pl.concat(
        rates_on(days, known, to=to, currency=currency, max_age_days=max_age_days).select(
            "day",
            pl.lit(currency).alias("currency"),
            pl.lit(to).alias("to"),
            *["rate", "rate_day", "rate_age_days", "rate_source"],
        )
        for to in ("EUR", "USD")
    )


def _show_reports(reports: "list[RatesReport]", form: "Format", lang: Lang) -> None:
    """A line a file, and every problem with file, row, column, found and expected."""
    from api.output import write_lines
    from api.screens import show_problems

    text = texts("cli", lang)
    show_problems([problem for report in reports for problem in report.problems], form, lang)
    lines = [
        text["loaded_rates"].format(
            file=report.file,
            read=report.rates_read,
            new=report.rates_new,
            already=report.rates_already_loaded,
            conflicts=report.rates_in_conflict,
        )
        for report in reports
    ]
    write_lines(lines, form)
