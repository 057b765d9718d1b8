"""The command `greenfin`: the same verbs as the HTTP API.

Knows commands, options and exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 invalid data. Imports what a
command needs inside the command, so that `--help` stays quick.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.activities_cli import activities_app, load_activities, load_reported, template_app
from api.bulk_activities_cli import city_totals, load_personal_activities
from api.city_market_cli import city_market_app
from api.coordination_cli import coordination_app
from api.emissions_cli import emissions_app
from api.factors_cli import factors_app, load_factors
from api.fetch_cli import fetch_app
from api.footprint_cli import footprint_app
from api.footprint_quality_cli import financed_app
from api.index_cli import index_app
from api.keys_cli import keys_app
from api.lang import texts
from api.microdata_cli import microdata_app
from api.moves_cli import moves_app
from api.obstacles_cli import obstacles_app
from api.opened import store_of_settings
from api.options import (
    FAILED,
    INVALID_DATA,
    NOT_FOUND,
    BaseOption,
    FormatOption,
    LangOption,
    YearOption,
    format_of,
    lang_of,
)
from api.output import write_lines, write_rows
from api.perception_cli import perception_app
from api.persons_cli import persons_app
from api.pictures_cli import pictures_app
from api.policy_cli import policy_app
from api.rates_cli import load_rates, rates_app
from api.reconcile_cli import reconcile_app
from api.registry.audit_cli import audit_app
from api.registry.cli import registry_app
from api.registry.rules_cli import rules_app
from api.robustness_cli import robustness_app
from api.sensitivity_cli import sensitivity_app
from api.statistics_cli import statistics_app
from api.structure_cli import structure_app
from api.tracking_cli import tracking_app
from api.trades_cli import load_trade_records, trades_app
from api.validation_cli import validation_app

LAYOUTS: Final = (
    "cneeex_daily, exchange_year, vintage_panel, crc_price, crc_settlement, exchange_hubei, exchange_beijing, "
    "akshare_gz, akshare_sz, akshare_hb, akshare_domestic, sceex_daily, wind_daily, seee_bulletins or long_daily"
)

app = typer.Typer(
    name="greenfin",
    help="How well a city stands as a green-fintech hub, and why.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
load_app = typer.Typer(help="Load files of your own.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(load_app, name="load")
app.add_typer(index_app, name="index")
app.add_typer(microdata_app, name="microdata")
app.add_typer(registry_app, name="registry")
app.add_typer(keys_app, name="keys")
app.add_typer(rules_app)
app.add_typer(fetch_app)
app.add_typer(audit_app)
app.add_typer(reconcile_app)
app.add_typer(rates_app)
load_app.command("rates")(load_rates)
app.add_typer(statistics_app)
app.add_typer(trades_app, name="trades")
load_app.command("trade-records")(load_trade_records)
app.add_typer(city_market_app)
app.add_typer(emissions_app)
app.add_typer(persons_app, name="persons")
app.add_typer(footprint_app, name="footprint")
footprint_app.command("city-totals")(city_totals)
load_app.command("personal-activities")(load_personal_activities)
app.add_typer(activities_app, name="activities")
app.add_typer(template_app, name="template")
load_app.command("activities")(load_activities)
load_app.command("reported")(load_reported)
app.add_typer(factors_app, name="factors")
load_app.command("factors")(load_factors)
app.add_typer(financed_app)
app.add_typer(policy_app)
app.add_typer(perception_app)
app.add_typer(validation_app)
app.add_typer(tracking_app)
app.add_typer(coordination_app)
app.add_typer(obstacles_app)
app.add_typer(moves_app)
app.add_typer(structure_app)
app.add_typer(sensitivity_app)
app.add_typer(robustness_app)
app.add_typer(pictures_app)


@app.command()
def rank(
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only the first so many.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Rank the cities in one year: score, level-1 scores, coverage."""
    from api import queries, screens
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    store = store_of_settings()
    edition = as_base(base)
    rows = queries.scores(store, year, edition)
    screens.show_ranking(rows.head(top) if top else rows, queries.notes(store, edition, year), chosen, tongue)


@app.command()
def standing(
    hub: Annotated[str, typer.Argument(help="Slug, name in either language, or GB/T 2260 code.")],
    year: Annotated[int | None, typer.Option("--year", help="Year shown in a table; rows of one year only.")] = None,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Where a city stands and why: ranks, gaps, what holds it back, where it leads, and all years."""
    from api import queries, screens
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    store = store_of_settings()
    edition = as_base(base)
    if chosen != "table":
        write_rows(queries.standing(store, hub, edition, year), chosen)
        return
    here = queries.standing(store, hub, edition, year or DEFAULT_YEAR)
    screens.show_standing(here, queries.standing(store, hub, edition), queries.hub(store, hub), tongue)


@app.command()
def market(
    name: Annotated[str, typer.Argument(metavar="MARKET", help="Key or product code, such as CEA or HBEA.")],
    by: Annotated[str, typer.Option("--by", help="month or year.")] = "year",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Statistics of a carbon market by month or year."""
    from api import queries, screens

    if by not in ("month", "year"):
        raise typer.BadParameter(f"found {by!r}; expected month or year", param_hint="--by")
    chosen, tongue = format_of(form), lang_of(lang)
    rows = queries.market_statistics(store_of_settings(), name, "month" if by == "month" else "year")
    screens.show_market(rows, name, chosen, tongue)


@app.command()
def markets(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List the carbon markets."""
    from api import queries, screens

    screens.show_table(
        queries.markets(store_of_settings()), texts("cli", lang_of(lang))["title_markets"], format_of(form)
    )


@app.command()
def hubs(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List the cities."""
    from api import queries, screens

    screens.show_table(queries.hubs(store_of_settings()), texts("cli", lang_of(lang))["title_hubs"], format_of(form))


@app.command()
def framework(
    name: Annotated[str, typer.Argument(metavar="ID", help="fhi, fhi-2017, green or green-2017.")] = "green",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show an indicator tree: meaning, unit, direction, weight, who judged."""
    from api import queries, screens
    from api.framework_screens import judgement_lines

    chosen, tongue = format_of(form), lang_of(lang)
    rows = queries.framework(store_of_settings(), name)
    screens.show_tree(rows, texts("cli", tongue)["title_framework"].format(framework=name), chosen, tongue)
    if chosen == "table":
        write_lines(judgement_lines(rows, tongue), chosen)


@app.command()
def editions(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List the frozen editions and what each was made from."""
    from api import queries, screens

    screens.show_table(
        queries.editions(store_of_settings()), texts("cli", lang_of(lang))["title_editions"], format_of(form)
    )


@app.command()
def sources(lang: LangOption = "en", form: FormatOption = None) -> None:
    """Name the publisher, unit and terms of every column of the embedded figures."""
    from api import queries, screens

    screens.show_table(
        queries.sources(store_of_settings()), texts("cli", lang_of(lang))["title_sources"], format_of(form)
    )


@app.command()
def printed(
    table: Annotated[str | None, typer.Argument(help="A table of the list; the list without it.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show what the founding documents print, table by table."""
    from api import queries, screens

    store, title = store_of_settings(), texts("cli", lang_of(lang))["title_printed"]
    rows = queries.printed_rows(store, table) if table else queries.printed(store)
    screens.show_table(rows, f"{title}: {table}" if table else title, format_of(form))


@load_app.command("trades")
def load_trades(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Daily trading files (.csv, .csv.gz).")],
    market_name: Annotated[str, typer.Option("--market", help="Market or product code, such as CEA or HBEA.")],
    format_in: Annotated[
        str | None, typer.Option("--format-in", help=f"Layout: {LAYOUTS}; recognised by the header without it.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Keep nothing of a file that has a bad row.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read daily trading files; list every row that breaks a rule; keep the good ones. Twice changes nothing.

    Ends with 1 where a file holds no row of the market that can be used, with 4 where --strict refused one.
    """
    from api import jobs, screens

    chosen, tongue = format_of(form), lang_of(lang)
    store = store_of_settings()
    reports = jobs.load_trade_files(store, files, market=market_name, format_name=format_in, strict=strict)
    screens.show_load(reports, chosen, tongue)
    unused = [report for report in reports if not report.rows_kept]
    if unused:
        refused = strict and any(report.errors for report in unused)
        raise typer.Exit(INVALID_DATA if refused else FAILED)


@app.command()
def serve(
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8000,
) -> None:
    """Serve the page and the API."""
    import uvicorn

    from api.app import create_app
    from api.settings import Settings

    typer.echo(texts("cli", "en")["serving"].format(host=host, port=port))
    typer.echo(texts("cli", "zh")["serving"].format(host=host, port=port))
    uvicorn.run(create_app(Settings.from_env(os.environ)), host=host, port=port, log_level="warning")


def main() -> None:
    """Run the command line; a known error becomes one message and an exit code, never a traceback."""
    try:
        app()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        typer.echo(f"greenfin: {getattr(error, 'orig', None) or error}", err=True)
        sys.exit(code)


def _exit_code(error: Exception) -> int | None:
    """Exit code of a known error; None for one that nobody foresaw."""
    from sqlalchemy.exc import SQLAlchemyError

    from api.db import StoreVersionError
    from api.settings import SettingsError
    from carbon.errors import CarbonError, UnknownMarket
    from fhi.errors import FhiError, UnknownFramework, UnknownHub
    from green_index.errors import GreenIndexError, UnknownEdition, UnknownPeriod, UnknownPrintedTable

    missing = (UnknownMarket, UnknownHub, UnknownFramework, UnknownPeriod, UnknownEdition, UnknownPrintedTable)
    if isinstance(error, missing):
        return NOT_FOUND
    if isinstance(error, (CarbonError, FhiError, GreenIndexError)):
        return INVALID_DATA
    if isinstance(error, (SettingsError, StoreVersionError, SQLAlchemyError, OSError)):
        return FAILED
    return None
