"""The commands `greenfin load personal-activities` and `greenfin footprint city-totals`: persons' activities by the
hundred million in, totals of cities out.

Knows commands, options and how the figures look to people. What is computed lives in `carbon.footprints.bulk`. Imports
what a command needs inside the command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.bulk_loads import EngineOption, lake_of_settings, load_files
from api.lang import texts
from api.opened import opened_session
from api.options import NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

_GWP_SET: Final = "AR5GWP100"  # As in `carbon.footprints.gwp`, which a help text may not import.
_MOST_COUNTED: Final = 100  # As in `carbon.footprints.bulk.kernel`.


def load_personal_activities(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Activities of persons (.csv, .parquet), one a row.")
    ],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read activities of persons in bulk, columns by name; list rows that break a rule; keep the good ones.

    Columns, all needed: day, hub, activity, person, amount, unit. A person is a whole-number code: texts, phone numbers
    and ids are refused and not printed. Amounts have at most three decimals. The same file again changes nothing; rows
    have no id, so the same rows in another file count once more.
    Consent, caps and credits of persons are kept by greenfin persons, not here.
    """
    from carbon.footprints.bulk.summary import load_personal_activities as load

    lake = lake_of_settings()
    load_files(
        files,
        lambda path, progress: load(lake, path, hubs=_hubs, progress=progress),
        loaded="personal_loaded",
        lang=lang,
        form=form,
    )


def city_totals(
    hub: Annotated[
        list[str] | None, typer.Option("--hub", help="Key, name or GB/T 2260 code, may be repeated; all without it.")
    ] = None,
    year: Annotated[int | None, typer.Option("--year", help="Of this calendar year only.")] = None,
    gwp: Annotated[str, typer.Option("--gwp", help="Set of warming potentials, such as AR5GWP100.")] = _GWP_SET,
    least: Annotated[
        int,
        typer.Option(
            "--least-persons", min=1, max=_MOST_COUNTED, help="Cells of fewer persons are not shown; 1 shows all."
        ),
    ] = 5,
    engine: EngineOption = "local",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Persons' activities by city, month and activity: rows, amount, persons, emissions and what is saved.

    Sums of each city and year are kept: another time only new files are read, and a changed factor or method reads
    none. Savings come of the methods of personal accounts and are before the caps of persons. Persons are counted once
    a city and month, whatever they did: never add them up; activity_persons are those of the row, up to 100. A row of
    few persons has no figures and is marked suppressed: do not publish totals that include it beside the other rows. An
    engine other than local needs the extra [spark], Java 17 and a lake that every worker sees under the same path.
    """
    from api.output import progress_bar, write_lines, write_rows, write_table
    from carbon.footprints.bulk.summary import NoPersonalActivities, sum_cities
    from carbon.footprints.bulk.suppression import suppress_small_cells
    from carbon.trades.executors import open_engine
    from fhi.hubs import find_hub

    chosen, tongue = format_of(form), lang_of(lang)
    wanted = None if not hub else [find_hub(name) for name in hub]
    with open_engine(engine) as running, progress_bar() as progress:
        task = progress.add_task(engine, total=None)
        try:
            found = sum_cities(
                lake_of_settings(),
                hubs=wanted,
                engine=running,
                progress=lambda done, parts: progress.update(task, completed=done, total=parts),
            )
        except NoPersonalActivities as error:
            typer.echo(f"greenfin: {error}", err=True)
            raise typer.Exit(NOT_FOUND) from None
    rows = _with_emissions(found.rows if year is None else _of_year(found.rows, year), gwp)
    rows = suppress_small_cells(rows, least)
    text, hidden = texts("cli", tongue), int(rows["suppressed"].sum())
    told = [text["city_totals_suppressed"].format(hidden=hidden, cells=rows.height, least=least)] if hidden else []
    if chosen != "table":
        write_rows(rows, chosen)
        write_lines(told, chosen)
        return
    table = _table(rows, tongue)
    title = text["city_totals_title"].format(parts=found.parts, read=found.parts_read)
    right = frozenset(text[name] for name in ("city_totals_rows", "column_amount", "city_totals_persons"))
    right |= frozenset(text[name] for name in ("column_co2e_kg", "city_totals_saved_kg"))
    write_table(table, title, right)
    write_lines([text["city_totals_note"], *told], chosen)


def _hubs(names: "pl.Series") -> "pl.Series":
    """The key of each city, by any of its names."""
    from fhi.hubs import resolve_hubs

    return resolve_hubs(names, suggest=False)["hub"]


def _of_year(rows: "pl.DataFrame", year: int) -> "pl.DataFrame":
    import polars as pl

    return rows.filter(pl.col("month").str.starts_with(f"{year:04}-"))


def _with_emissions(rows: "pl.DataFrame", gwp: str) -> "pl.DataFrame":
    """The totals with the factors and methods of the store applied."""
    from carbon.footprints.bulk.emissions import add_emissions
    from carbon.footprints.factor_tables import all_factors
    from carbon.footprints.persons.methods import all_methods

    with opened_session() as session:
        factors, methods = all_factors(session), all_methods(session.connection())
    return add_emissions(rows, methods=methods, factors=factors, gwp_set=gwp)


def _table(rows: "pl.DataFrame", lang: "str") -> "pl.DataFrame":
    """What people see: whole rows and persons with thousands signs, amounts and kilograms with one decimal."""
    import polars as pl

    from api.output import NONE
    from fhi.hubs import hubs

    text = texts("cli", "zh" if lang == "zh" else "en")
    names = dict(hubs().select("hub", f"name_{lang}").iter_rows())

    def told(column: str, decimals: int) -> pl.Expr:
        return (
            pl.col(column).map_elements(lambda value: f"{value:,.{decimals}f}", return_dtype=pl.String).fill_null(NONE)
        )

    return rows.select(
        pl.col("hub").replace(names).alias(text["column_hub"]),
        pl.col("month").alias(text["column_month"]),
        pl.col("activity").alias(text["column_activity"]),
        pl.col("unit").alias(text["column_unit"]),
        told("rows", 0).alias(text["city_totals_rows"]),
        told("amount", 1).alias(text["column_amount"]),
        told("persons", 0).alias(text["city_totals_persons"]),
        told("co2e_kg", 1).alias(text["column_co2e_kg"]),
        told("reduction_kg", 1).alias(text["city_totals_saved_kg"]),
        pl.col("factor_ids").list.join(", ").fill_null(NONE).alias(text["city_totals_factors"]),
        pl.when("suppressed")
        .then(pl.lit(text["city_totals_few"]))
        .otherwise(pl.col("remarks").fill_null(NONE))
        .alias(text["column_remarks"]),
    )
