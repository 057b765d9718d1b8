"""The commands `greenfin footprint calculate`, `show`, `lines`, `runs`, `trace` and `recompute`.

Knows commands, options and which columns people see. Computes nothing. Imports what a command needs inside the command,
so that `--help` stays quick.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.footprint_quality_cli import quality_app
from api.footprint_words import in_words
from api.lang import texts
from api.opened import opened_store
from api.options import INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.footprints import Calculated
    from api.lang import Lang
    from api.output import Format
    from api.store import Store
    from carbon.footprints.boundary import Approach

footprint_app = typer.Typer(
    help="Footprints: emissions that can be traced.", no_args_is_help=True, rich_markup_mode=None
)
footprint_app.add_typer(quality_app)

# As in `carbon.footprints.gwp` and `carbon.footprints.boundary`, which a help text may not import.
_GWP_SET: Final = "AR5GWP100"
_APPROACHES: Final = ("equity", "operational", "financial")
_ID_SIGNS: Final = 12

EntityOption = Annotated[str | None, typer.Option("--entity", help="Code of the company or plant; all without it.")]
YearOption = Annotated[
    int | None, typer.Option("--year", min=1990, max=2100, help="Year in which the periods end; all without it.")
]
RunOption = Annotated[
    str | None,
    typer.Option("--run", help="Id of a run or its beginning; without it, for each entity and year the newest run."),
]


@footprint_app.command()
def calculate(
    entity: EntityOption = None,
    year: YearOption = None,
    gwp: Annotated[str, typer.Option("--gwp", help="Set of warming potentials, such as AR5GWP100.")] = _GWP_SET,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Only factors recorded by this day.")] = None,
    approach: Annotated[
        str | None, typer.Option("--approach", help="equity, operational or financial; needs the next two.")
    ] = None,
    company: Annotated[str | None, typer.Option("--company", help="The company that reports.")] = None,
    ownership: Annotated[
        Path | None,
        typer.Option("--ownership", help="CSV: parent, child, share, and operational, financial, from, to."),
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Calculate the emissions of the loaded activities and keep the result. The same inputs change nothing.

    Without --approach each activity counts at its own share. For CSV and JSON: the totals; what could not be calculated
    is told on standard error.
    """
    from api import footprints as verbs

    chosen, tongue = format_of(form), lang_of(lang)
    boundary = _approach_of(approach, company, ownership)
    with opened_store() as store:
        try:
            made = verbs.calculate_footprint(
                store,
                entity=entity,
                year=year,
                gwp_set=gwp,
                as_of=_day_of(as_of, "--as-of"),
                approach=boundary,
                company=company,
                ownership=ownership,
            )
        except verbs.NoActivities as error:
            typer.echo(f"greenfin: {error}", err=True)
            raise typer.Exit(NOT_FOUND) from None
        _show_calculated(store, made, chosen, tongue)
    if made.calculation.lines.is_empty():
        raise typer.Exit(INVALID_DATA)


@footprint_app.command()
def show(
    entity: EntityOption = None,
    year: YearOption = None,
    by: Annotated[
        str, typer.Option("--by", help="With commas: entity, hub, sector, category, activity, period, year, gas.")
    ] = "",
    listed: Annotated[str, typer.Option("--list", help="For JSON and CSV: totals, calculated or left_out.")] = "totals",
    run: RunOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Totals by scope, and how much of what was asked for is in them. Scope 2 by location and by market are two figures
    of one thing and never added; biogenic CO2 is apart."""
    from api import footprints as verbs
    from api.output import write_lines
    from api.screens import show_table

    chosen, tongue = format_of(form), lang_of(lang)
    text, groups = texts("cli", tongue), [part.strip() for part in by.split(",") if part.strip()]
    if listed not in ("totals", "calculated", "left_out"):
        raise typer.BadParameter(f"found {listed!r}; expected totals, calculated or left_out", param_hint="--list")
    with opened_store() as store, _told_missing():
        summed = verbs.footprint_totals(store, groups, run=run, entity=entity, year=year)
        parts = [name for name in groups if name != "gas"]
        covered = verbs.footprint_calculated(store, parts, run=run, entity=entity, year=year)
        left = verbs.footprint_left_out(store, run=run, entity=entity, year=year)
        others = verbs.other_terms(store) if run is None else None
    if others is not None and others.height:
        terms = "; ".join(
            sorted({f"{row[3]} {row[4]} ({row[1] or '*'}): --run {row[0][:12]}" for row in others.rows()})
        )
        typer.echo(text["footprint_other_terms"].format(terms=terms), err=True)
    if summed.is_empty() and left.is_empty():
        typer.echo(f"greenfin: {text['no_footprint_lines']}", err=True)
        raise typer.Exit(NOT_FOUND)
    if chosen != "table":
        show_table({"totals": summed, "calculated": covered, "left_out": left}[listed], "", chosen)
        return
    show_table(in_words(_readable(summed), tongue), text["title_footprint"], chosen, tongue)
    write_lines([""], chosen)
    show_table(in_words(_with_percent(covered), tongue), text["title_footprint_calculated"], chosen, tongue)
    if left.height:
        write_lines(["", text["footprint_left"].format(count=left["activity_id"].n_unique())], chosen)


@footprint_app.command()
def lines(
    entity: EntityOption = None,
    year: YearOption = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only the largest so many.")] = None,
    run: RunOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Every line with its factors and its arithmetic, to be checked by hand."""
    import polars as pl

    from api import footprints as verbs
    from api.screens import show_table

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    with opened_store() as store, _told_missing():
        found = verbs.footprint_lines(store, run=run, entity=entity, year=year, lang=tongue)
    if found.is_empty():
        typer.echo(f"greenfin: {text['no_footprint_lines']}", err=True)
        raise typer.Exit(NOT_FOUND)
    if top is not None:
        found = found.sort(pl.col("co2e_kg").abs(), descending=True, maintain_order=True).head(top)
    if chosen != "table":
        show_table(found, "", chosen)
        return
    short = _with_remarks(found, tongue).select(
        pl.col("activity_id").str.slice(0, _ID_SIGNS),
        *("entity", "period", "scope", "category", "activity", "method", "working", "remarks"),
    )
    show_table(in_words(short, tongue), text["title_footprint_lines"], chosen, tongue)


@footprint_app.command("runs")
def list_runs(lang: LangOption = "en", form: FormatOption = None) -> None:
    """The results that are kept, the newest first, and which one superseded which."""
    import polars as pl

    from api import footprints as verbs
    from api.screens import show_table

    chosen, tongue = format_of(form), lang_of(lang)
    with opened_store() as store:
        found = verbs.runs(store)
    if chosen == "table":
        ids = pl.col("id", "supersedes", "superseded_by").str.slice(0, _ID_SIGNS)
        names = (
            "created",
            "kind",
            "entity",
            "year",
            "gwp_set",
            "approach",
            "company",
            "activities",
            "lines",
            "left_out",
        )
        found = in_words(found.with_columns(ids), tongue).select("id", *names, "supersedes", "superseded_by")
    show_table(found, texts("cli", tongue)["title_footprint_runs"], chosen, tongue)


@footprint_app.command()
def trace(
    activity_id: Annotated[str, typer.Argument(metavar="ACTIVITY_ID", help="Id of a loaded activity.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """An activity, every figure that was ever calculated from it, and every factor behind it with its source."""
    import polars as pl

    from api import footprints as verbs
    from api.output import write_lines
    from api.screens import show_table

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    with opened_store() as store, _told_missing():
        found = verbs.trace(store, activity_id, tongue)
        row = verbs.activity(store, activity_id)
    if chosen != "table":
        show_table(found, "", chosen)
        return
    names = ("entity", "period", "scope", "category", "activity", "amount", "unit", "evidence", "evidence_ref")
    shown = row.select(*names, "verified", "recorded", "replaces", "file", "row")
    show_table(in_words(shown, tongue), text["title_footprint_activity"], chosen, tongue)
    figures = ("created", "run", "superseded_by", "method", "gas", "working", "remarks", "left_out")
    told = _with_remarks(found, tongue).with_columns(pl.col("run", "superseded_by").str.slice(0, _ID_SIGNS))
    write_lines([""], chosen)
    results = in_words(told.select(figures).unique(maintain_order=True), tongue)
    show_table(results, text["title_footprint_trace"], chosen, tongue)
    factors = found.select(
        *("factor_id", "factor_name"),
        pl.col("value").cast(pl.String),
        *("unit", "region", "valid_from", "valid_to", "series", "source", "confidence", "assumed"),
    )
    write_lines([""], chosen)
    used = in_words(factors.drop_nulls("factor_id").unique(maintain_order=True), tongue)
    show_table(used, text["title_footprint_factors"], chosen, tongue)


@footprint_app.command()
def recompute(
    since: Annotated[str, typer.Option("--since", help="Factors recorded on this day or later are looked at.")],
    run: RunOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Calculate anew what used a factor that was replaced, or has a better one, since a day: the runs that count today,
    or one. The old run stays; nothing changed: no new run."""
    import polars as pl

    from api import footprints as verbs
    from api.output import write_lines
    from api.screens import show_table

    chosen, tongue = format_of(form), lang_of(lang)
    text, day = texts("cli", tongue), _day_of(since, "--since")
    with opened_store() as store, _told_missing():
        every = verbs.recompute_footprint(store, day or date.min, run)
    said = []
    for made in every:
        words = {"old": made.old[:_ID_SIGNS], "since": since, "lines": made.changes.height}
        if made.new is None:
            said.append(text["footprint_unchanged"].format(**words))
            continue
        difference = f"{made.changes['difference_kg'].sum():,.3f}"
        words |= {"new": made.new[:_ID_SIGNS], "difference": difference}
        said.append(text["footprint_recomputed"].format(**words))
    runs = [
        made.changes.select(pl.lit(made.old).alias("run"), pl.lit(made.new, dtype=pl.String).alias("new_run"), pl.all())
        for made in every
    ]
    rows = pl.concat(runs)
    if chosen != "table":
        show_table(rows, "", chosen)
    elif rows.height:
        short = rows.with_columns(pl.col("activity_id").str.slice(0, _ID_SIGNS)).drop("run", "new_run")
        show_table(in_words(short, tongue), text["title_footprint_changes"], chosen, tongue)
    write_lines(said, chosen)


def _show_calculated(store: "Store", made: "Calculated", form: "Format", lang: "Lang") -> None:
    """The totals; then what was not calculated, in a table for people and as remarks for programs."""
    import polars as pl

    from api import footprints as verbs
    from api.output import write_lines
    from api.screens import show_problems, show_table

    text = texts("cli", lang)
    summed = verbs.footprint_totals(store, run=made.run)
    show_table(in_words(_readable(summed), lang) if form == "table" else summed, text["title_footprint"], form, lang)
    if form == "table" and made.problems:
        write_lines([""], form)
        show_problems(made.problems, form, lang)
    counted = made.calculation.activities
    left = made.calculation.left_out["activity_id"].n_unique()
    said = [
        text["footprint_calculated" if made.is_new else "footprint_known"].format(
            run=made.run[:_ID_SIGNS], activities=counted, lines=made.calculation.lines.height, left=left
        )
    ]
    if made.outside.height:
        reasons = made.outside.group_by("reason").agg(pl.len()).sort("reason")
        told = ", ".join(f"{reason} {count}" for reason, count in reasons.iter_rows())
        said.append(text["footprint_outside"].format(count=made.outside.height, reasons=told))
    problems = [] if form == "table" else [str(problem) for problem in made.problems]
    write_lines([*problems, *said], form)


def _readable(summed: "pl.DataFrame") -> "pl.DataFrame":
    """Totals for people: tonnes with three decimals instead of kilograms and milligrams."""
    import polars as pl

    tonnes = [
        (pl.col(name) / 1000)
        .map_elements(lambda value: f"{value:,.3f}", return_dtype=pl.String)
        .alias(name.replace("_kg", "_t"))
        for name in ("co2e_kg", "biogenic_kg")
    ]
    return summed.with_columns(tonnes).drop("co2e_mg", "co2e_kg", "biogenic_kg")


def _with_remarks(found: "pl.DataFrame", lang: "Lang") -> "pl.DataFrame":
    """The codes of the remarks as words."""
    import polars as pl

    text = texts("cli", lang)
    words = {
        remarks: "; ".join(text.get(f"line_remark_{code}", code) for code in remarks.split("; "))
        for remarks in found["remarks"].drop_nulls().unique()
    }
    return found.with_columns(pl.col("remarks").replace_strict(words, default=None, return_dtype=pl.String))


def _with_percent(covered: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return covered.with_columns(
        pl.col("calculated_share").map_elements(lambda value: f"{value:.1%}", return_dtype=pl.String)
    )


def _approach_of(name: str | None, company: str | None, ownership: Path | None) -> "Approach | None":
    if name is None:
        if company is not None or ownership is not None:
            raise typer.BadParameter("found none with --company or --ownership; expected one", param_hint="--approach")
        return None
    if company is None or ownership is None:
        raise typer.BadParameter(
            f"found {name} without --company and --ownership; expected all three", param_hint="--approach"
        )
    for known in _APPROACHES:
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected {', '.join(_APPROACHES)}", param_hint="--approach")


def _day_of(text: str | None, option: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"found {text!r}; expected a day such as 2024-01-01", param_hint=option) from None


@contextmanager
def _told_missing() -> Iterator[None]:
    """A run or activity that does not exist ends with its own exit code."""
    from api.footprints import UnknownActivity
    from carbon.footprints.runs import UnknownRun

    try:
        yield
    except (UnknownRun, UnknownActivity) as error:
        typer.echo(f"greenfin: {error}", err=True)
        raise typer.Exit(NOT_FOUND) from None
