"""The commands `greenfin factors` and `greenfin load factors`: emission factors, which one is taken and why.

Knows commands, options and exit codes. Choosing lives in `carbon.footprints.factor_choice`, reading files in
`carbon.footprints.factor_files`. Imports what a command needs inside it, so that `--help` stays quick.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.footprint_words import in_words
from api.lang import Lang, texts
from api.opened import opened_session
from api.options import INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.output import Format
    from carbon.footprints.factor_files import FactorReading
    from carbon.footprints.factor_tables import FactorsReport

factors_app = typer.Typer(help="Emission factors, and which one is taken.", no_args_is_help=True, rich_markup_mode=None)

_PARAMETERS: Final = "emission_factor, net_calorific_value, carbon_content or oxidation"
_US_PER_S: Final = 1_000_000
_MANY: Final = 20

ActivityOption = Annotated[str | None, typer.Option("--activity", help="What the factor is for, such as diesel.")]
SeriesOption = Annotated[str | None, typer.Option("--series", help="One series alone, such as grid_average.")]


@factors_app.command("find")
def find(
    activity: Annotated[str, typer.Argument(help="electricity, heat, diesel, natural_gas, bituminous_coal, ...")],
    region: Annotated[
        str, typer.Option("--region", help="Hub, province, GB/T 2260 code, CN, World or another country.")
    ] = "CN",
    year: Annotated[
        int | None, typer.Option("--year", min=1900, max=2100, help="Calendar year of the activity.")
    ] = None,
    day: Annotated[str | None, typer.Option("--day", help="Day of the activity, in place of --year.")] = None,
    parameter: Annotated[str, typer.Option("--parameter", help=_PARAMETERS)] = "emission_factor",
    series: SeriesOption = None,
    method: Annotated[str | None, typer.Option("--method", help="location or market, for scope 2.")] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", help="Unit of the amount; prefers factors per such a unit.")
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The factors that could serve an activity in one place and time, the one taken, and why."""
    import polars as pl

    from carbon.footprints.factor_tables import all_factors
    from carbon.footprints.factors import candidates
    from carbon.footprints.schemas import METHODS, PARAMETERS

    chosen, tongue = format_of(form), lang_of(lang)
    first, last = _days_of(year, day)
    _check_word(parameter, PARAMETERS, "--parameter")
    if method is not None:
        _check_word(method, METHODS, "--method")
    place = _region_of(region)
    with opened_session() as session:
        factors = all_factors(session)
    wanted = {"parameter": parameter, "series": series, "method": method, "unit": unit}
    _check_names(factors, {"series": series})
    found = candidates(factors, activity, region=place, first_day=first, last_day=last, **wanted)  # type: ignore[arg-type]
    if found.is_empty():
        said = texts("cli", tongue)
        known = ", ".join(factors["activity"].unique().sort())
        lines = [said["no_factor"].format(activity=activity, region=place, known=known)]
        others = factors.filter(pl.col("activity") == activity)["parameter"].unique().sort().to_list()
        if others and parameter not in others:
            words = {"activity": activity, "parameter": parameter, "others": ", ".join(others)}
            lines.append(said["no_factor_but"].format(**words))
        typer.echo("greenfin: " + "\n".join(lines), err=True)
        raise typer.Exit(NOT_FOUND)
    _show_candidates(found, f"{activity}, {region}, {_span(first, last)}", chosen, tongue)
    beside = factors.filter((pl.col("activity") == activity) & (pl.col("parameter") != parameter))["parameter"]
    if chosen == "table" and not found["chosen"].any() and not beside.is_empty():
        words = {"activity": activity, "others": ", ".join(beside.unique().sort())}
        typer.echo(texts("cli", tongue)["factor_other_parameters"].format(**words))


@factors_app.command("list")
def list_factors(
    activity: ActivityOption = None,
    series: SeriesOption = None,
    region: Annotated[str | None, typer.Option("--region", help="One region alone, by code or name.")] = None,
    parameter: Annotated[str | None, typer.Option("--parameter", help=_PARAMETERS)] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """All factors, embedded and loaded; some of them with the options."""
    import polars as pl

    from carbon.footprints.factor_tables import all_factors
    from carbon.footprints.schemas import PARAMETERS

    chosen, tongue = format_of(form), lang_of(lang)
    if parameter is not None:
        _check_word(parameter, PARAMETERS, "--parameter")
    place = None if region is None else _region_of(region)
    with opened_session() as session:
        factors = all_factors(session)
    _check_names(factors, {"activity": activity, "series": series})
    for name, value in (("activity", activity), ("series", series), ("region", place), ("parameter", parameter)):
        if value is not None:
            factors = factors.filter(pl.col(name) == value)
    if factors.is_empty():
        typer.echo(f"greenfin: {texts('cli', tongue)['no_factors']}", err=True)
        raise typer.Exit(NOT_FOUND)
    _show_list(factors, chosen, tongue)


@factors_app.command("show")
def show(
    factor_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the factor, as `factors list` shows it.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Everything about one factor: value, range, validity, series, source and confidence."""
    import polars as pl

    from api.output import write_rows, write_table
    from carbon.footprints.factor_tables import all_factors

    chosen, tongue = format_of(form), lang_of(lang)
    with opened_session() as session:
        found = all_factors(session).filter(pl.col("factor_id") == factor_id)
    text = texts("cli", tongue)
    if found.is_empty():
        typer.echo(f"greenfin: {text['unknown_factor'].format(factor_id=factor_id)}", err=True)
        raise typer.Exit(NOT_FOUND)
    if chosen != "table":
        write_rows(found, chosen)
        return
    row = in_words(found, tongue).row(0, named=True)
    lines = [(text.get(f"column_{name}", name), _cell(value)) for name, value in row.items() if value is not None]
    table = pl.DataFrame(lines, schema={text["column_name"]: pl.String, text["value"]: pl.String}, orient="row")
    write_table(table, row[f"name_{tongue}"] or factor_id)


@factors_app.command("units")
def units(lang: LangOption = "en", form: FormatOption = None) -> None:
    """The units that activities and factors may have, what each measures, and other ways to write it."""
    import polars as pl

    from api.screens import show_table
    from carbon.footprints.units import unit_names

    chosen, tongue = format_of(form), lang_of(lang)
    names = unit_names()
    if chosen == "table":
        shown = names.select("unit", "dimension", pl.col(f"name_{tongue}").alias("name"), "aliases")
        names = in_words(shown, tongue)
    show_table(names, texts("cli", tongue)["title_units"], chosen, tongue)


def load_factors(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Factors in our columns, or the UK flat file (.csv, .xlsx, .parquet)."),
    ],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read factors of your own; list every row that breaks a rule; keep the good ones. Twice changes nothing.

    A factor is never changed: a correction has an id of its own and names the old one in `replaces`. Ends with 4 where
    a file holds no factor that can be used.
    """
    from api.clock import now_us
    from carbon.errors import CarbonError
    from carbon.footprints.factor_files import read_factors
    from carbon.footprints.factor_tables import store_factors

    chosen, tongue = format_of(form), lang_of(lang)
    today = datetime.fromtimestamp(now_us() / _US_PER_S, tz=UTC).date()
    done: list[tuple[str, FactorReading, FactorsReport]] = []
    with opened_session() as session:
        for path in files:
            try:
                reading = read_factors(path, recorded=today)
            except CarbonError:
                # What stands before the file that cannot be read is kept, so it is told.
                if done:
                    _show_loaded(done, chosen, tongue)
                raise
            done.append((path.name, reading, store_factors(session, reading.rows, path.name)))
    _show_loaded(done, chosen, tongue)
    if any(not report.new + report.already_loaded for _, _, report in done):
        raise typer.Exit(INVALID_DATA)


def _days_of(year: int | None, day: str | None) -> tuple[date, date]:
    if (year is None) == (day is None):
        raise typer.BadParameter("found both or neither; expected one of --year and --day", param_hint="--year")
    if day is None:
        return date(year or 0, 1, 1), date(year or 0, 12, 31)
    try:
        return date.fromisoformat(day), date.fromisoformat(day)
    except ValueError:
        raise typer.BadParameter(f"found {day!r}; expected a day such as 2023-06-30", param_hint="--day") from None


def _region_of(text: str) -> str:
    """The code of a region by any of its names; one that nobody knows ends the command with exit code 3."""
    from carbon.footprints.factor_regions import UnknownRegion, resolve_region

    try:
        return resolve_region(text)
    except UnknownRegion as error:
        typer.echo(f"greenfin: {error}", err=True)
        raise typer.Exit(NOT_FOUND) from error


def _check_names(factors: "pl.DataFrame", asked: dict[str, str | None]) -> None:
    """A name that no factor has ends the command with exit code 3, and the known ones are told."""
    from carbon.footprints.factor_names import UnknownFactorName, check_names

    try:
        check_names(factors, asked)
    except UnknownFactorName as error:
        typer.echo(f"greenfin: {error}", err=True)
        raise typer.Exit(NOT_FOUND) from error


def _check_word(word: str, words: tuple[str, ...], option: str) -> None:
    if word not in words:
        raise typer.BadParameter(f"found {word!r}; expected {', '.join(words)}", param_hint=option)


def _span(first: date, last: date) -> str:
    return str(first) if first == last else str(first.year)


def _per() -> "pl.Expr":
    """0.4044 kg CO2 per kWh."""
    import polars as pl

    gas = pl.when(pl.col("gas").is_not_null()).then(pl.format(" {}", "gas")).otherwise(pl.lit(""))
    number = pl.col("value").map_elements(lambda value: f"{value:.6g}", return_dtype=pl.String)
    below = pl.when(pl.col("denominator") == "1").then(pl.lit("")).otherwise(pl.format("/{}", "denominator"))
    above = pl.when(pl.col("numerator") == "1").then(pl.lit("")).otherwise(pl.format(" {}", "numerator"))
    return pl.concat_str(number, above, gas, below)


def _valid() -> "pl.Expr":
    import polars as pl

    days = [pl.col(name).cast(pl.String).fill_null("…") for name in ("valid_from", "valid_to")]
    whole = pl.col("valid_from").dt.year() == pl.col("valid_to").dt.year()
    year = whole & (pl.col("valid_from").dt.ordinal_day() == 1) & (pl.col("valid_to").dt.month() == 12)
    return (
        pl.when(year.fill_null(False))
        .then(pl.col("valid_from").dt.year().cast(pl.String))
        .when(pl.col("valid_from").is_null() & pl.col("valid_to").is_null())
        .then(pl.lit("–"))
        .otherwise(pl.format("{} .. {}", *days))
    )


def _show_candidates(found: "pl.DataFrame", title: str, form: "Format", lang: Lang) -> None:
    """The whole frame for programs; for people the first so many, with the choice and its reason below."""
    import polars as pl

    from api.output import write_lines, write_rows, write_table

    text = texts("cli", lang)
    if form != "table":
        write_rows(found, form)
        return
    taken = pl.when(pl.col("chosen")).then(pl.lit("✓")).otherwise(pl.lit(""))
    rows = found.select(
        taken.alias(text["column_chosen"]),
        pl.col("factor_id").alias(text["column_factor_id"]),
        _per().alias(text["value"]),
        pl.col("region").alias(text["column_region"]),
        _valid().alias(text["column_valid"]),
        pl.col("series").alias(text["column_series"]),
        pl.when(pl.col("chosen")).then(pl.lit("")).otherwise(f"reason_{lang}").alias(text["column_reason"]),
    )
    whole = frozenset({text["column_factor_id"], text["value"]})
    write_table(rows.head(_MANY), text["title_factors_find"].format(what=title), frozenset(), whole)
    lines = [text["more_factors"].format(count=rows.height - _MANY)] if rows.height > _MANY else []
    for row in found.filter("chosen").with_columns(_per().alias("per")).iter_rows(named=True):
        said = {"factor_id": row["factor_id"], "per": row["per"], "reason": row[f"reason_{lang}"]}
        lines += [text["factor_taken"].format(**said), text["factor_source"].format(source=row["source"])]
    if not found["chosen"].any():
        unlike = found["reason"].is_in(["unit_unlike"]).any()
        lines.append(text["factor_none_unit" if unlike else "factor_none_taken"])
    write_lines(lines, form)


def _show_list(factors: "pl.DataFrame", form: "Format", lang: Lang) -> None:
    import polars as pl

    from api.output import write_rows, write_table

    if form != "table":
        write_rows(factors, form)
        return
    text = texts("cli", lang)
    rows = factors.select(
        pl.col("factor_id").alias(text["column_factor_id"]),
        pl.col(f"name_{lang}").fill_null(pl.col("name_en")).alias(text["column_name"]),
        _per().alias(text["value"]),
        pl.col("region").alias(text["column_region"]),
        _valid().alias(text["column_valid"]),
        pl.col("series").alias(text["column_series"]),
        pl.col("confidence").alias(text["column_confidence"]),
    )
    write_table(
        rows, text["title_factors"].format(count=rows.height), frozenset(), frozenset({text["column_factor_id"]})
    )


def _cell(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _show_loaded(done: "list[tuple[str, FactorReading, FactorsReport]]", form: "Format", lang: Lang) -> None:
    """A line a file, and every problem with file, row, column, found and expected."""
    from api.output import write_lines
    from api.screens import show_problems

    text = texts("cli", lang)
    problems = [one for _, reading, report in done for one in (*reading.problems, *report.problems)]
    show_problems(problems, form, lang)
    lines = []
    for name, reading, report in done:
        apart = reading.rows_read - reading.unavailable - reading.rows.height + report.refused
        counts = {"new": report.new, "already": report.already_loaded, "apart": apart}
        layout = {"layout": reading.layout, "read": reading.rows_read, "unavailable": reading.unavailable}
        lines.append(text["loaded_factors"].format(file=name, **layout, **counts))
        lines += [text["factor_assumed"].format(file=name, assumed=assumed) for assumed in reading.assumed]
    write_lines(lines, form)
