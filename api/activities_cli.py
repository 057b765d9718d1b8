"""The commands `greenfin load activities`, `greenfin activities` and `greenfin template activity`.

Knows commands, options and exit codes. Reading, checking and keeping live in `carbon.footprints`. Imports what a
command needs inside it, so that `--help` stays quick.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.clock import now_us
from api.lang import Lang, texts
from api.opened import opened_session
from api.options import INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl
    from sqlmodel import Session

    from api.output import Format
    from carbon.errors import Problem
    from carbon.footprints.activity_files import ActivityReading
    from carbon.footprints.activity_mapping import ActivityMapping
    from carbon.footprints.activity_store import StoreReport

activities_app = typer.Typer(help="Activities behind footprints.", no_args_is_help=True, rich_markup_mode=None)
template_app = typer.Typer(help="Files to fill in.", no_args_is_help=True, rich_markup_mode=None)

_US_PER_S = 1_000_000


@dataclass(frozen=True)
class _Loaded:
    """A file read and kept; store and reading are null where its headings or its mapping are unusable."""

    file: str
    reading: "ActivityReading | None"
    store: "StoreReport | None"
    problems: "Sequence[Problem]"


@activities_app.callback()
def activities() -> None:
    """Activities behind footprints."""


@template_app.callback()
def templates() -> None:
    """Files to fill in."""


def load_activities(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Activities (.csv, .csv.gz, .xlsx or .parquet).")
    ],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="TOML that names columns and words of files of your own.")
    ] = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Entity of rows that name none.")] = None,
    year: Annotated[int | None, typer.Option("--year", help="Period of rows that name none.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read activities; list everything that is wrong; keep the good rows. Twice changes nothing."""
    from carbon.errors import CarbonError

    chosen, tongue = format_of(form), lang_of(lang)
    rules = _mapping(mapping, entity, year)
    loaded: list[_Loaded] = []
    with opened_session() as session:
        for path in files:
            try:
                loaded.append(_load(session, path, rules))
            except CarbonError:
                # What stands before the file that cannot be read is kept, so it is told.
                if loaded:
                    _show_loaded(loaded, chosen, tongue)
                raise
    _show_loaded(loaded, chosen, tongue)
    if any(one.store is None or not one.store.new + one.store.already_loaded for one in loaded):
        raise typer.Exit(INVALID_DATA)


def load_reported(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Workbooks of the ITR tool (.xlsx), or a sheet (.csv).")
    ],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read emissions that companies report, as the ITR tool lays them out; list what is missing, never as zero."""
    from carbon.errors import CarbonError
    from carbon.footprints.activity_files import ActivityReading
    from carbon.footprints.activity_store import store_activities
    from carbon.formats.itr_sample import read_itr

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    loaded: list[_Loaded] = []
    missing: list[str] = []
    with opened_session() as session:
        for path in files:
            try:
                found = read_itr(path)
            except CarbonError:
                _show_reported(loaded, missing, chosen, tongue)
                raise
            kept = store_activities(session, found.rows)
            reading = ActivityReading(found.rows, found.figures_read, found.problems, found.assumed)
            loaded.append(_Loaded(path.name, reading, kept, (*found.problems, *kept.problems)))
            missing += [text["reported_missing"].format(**one) for one in found.missing.iter_rows(named=True)]
    _show_reported(loaded, missing, chosen, tongue)
    if any(one.store is None or not one.store.new + one.store.already_loaded for one in loaded):
        raise typer.Exit(INVALID_DATA)


@activities_app.command("list")
def list_activities(
    entity: Annotated[
        list[str] | None, typer.Option("--entity", help="Of this entity only, may be repeated; all without it.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", help="Recorded on this day or later.")] = None,
    replaced: Annotated[bool, typer.Option("--replaced", help="Also rows that a later one has corrected.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The activities that are loaded, by entity and period; corrected ones give way to their correction."""
    from api.screens import show_table
    from carbon.footprints.activity_store import read_stored

    chosen, tongue = format_of(form), lang_of(lang)
    day = None if since is None else _day_of(since)
    with opened_session() as session:
        found = read_stored(session, entities=entity, since=day, replaced=replaced)
    if found.is_empty():
        typer.echo(f"greenfin: {texts('cli', tongue)['no_activities']}", err=True)
        raise typer.Exit(NOT_FOUND)
    title = texts("cli", tongue)["title_activities"].format(rows=found.height)
    show_table(_readable(found) if chosen == "table" else found, title, chosen, tongue)


@template_app.command("activity")
def template_activity(
    output: Annotated[Path, typer.Option("--output", help="File to write, .xlsx or .csv.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    lang: LangOption = "en",
) -> None:
    """Write an empty table of activities with headings, allowed words and an example."""
    from carbon.footprints.activity_template import write_template

    tongue = lang_of(lang)
    if output.exists() and not overwrite:
        raise typer.BadParameter(
            f"found the file {output}; expected a free name, or --overwrite", param_hint="--output"
        )
    write_template(output, lang=tongue)
    typer.echo(texts("cli", tongue)["template_written"].format(file=output), err=True)


def _mapping(path: Path | None, entity: str | None, year: int | None) -> "ActivityMapping":
    from carbon.footprints.activity_mapping import ActivityMapping, read_mapping, with_fixed

    mapping = ActivityMapping() if path is None else read_mapping(path)
    fixed = {"entity": entity, "period": None if year is None else str(year)}
    return with_fixed(mapping, {name: value for name, value in fixed.items() if value is not None})


def _load(session: "Session", path: Path, mapping: "ActivityMapping") -> _Loaded:
    from carbon.footprints.activity_files import read_activities
    from carbon.footprints.activity_mapping import UnusableActivities
    from carbon.footprints.activity_store import store_activities

    today = datetime.fromtimestamp(now_us() / _US_PER_S, tz=UTC).date()
    try:
        reading = read_activities(path, mapping=mapping, recorded=today, hubs=_hubs)
    except UnusableActivities as error:
        return _Loaded(path.name, None, None, error.problems)
    rows, claimed = _without_claimed(session, reading.rows)
    kept = store_activities(session, rows)
    return _Loaded(path.name, reading, kept, (*reading.problems, *claimed, *kept.problems))


def _without_claimed(session: "Session", rows: "pl.DataFrame") -> "tuple[pl.DataFrame, list[Problem]]":
    """The rows that no person was credited for, and a problem for each that one was: it counts once only."""
    from api.persons import claimed_before
    from api.settings import Settings
    from carbon.errors import Problem

    claimed = claimed_before(session.get_bind().engine, Settings.from_env(os.environ), rows)
    expected = "one of the two: what a person was credited for, a company that names the platform does not count again"
    taken = rows.join(claimed, on="activity_id", how="semi")
    problems = [
        Problem(row["file"], row["row"], "platform", row["platform"], expected, "claimed_by_person", "error")
        for row in taken.iter_rows(named=True)
    ]
    return rows.join(claimed, on="activity_id", how="anti"), problems


def _hubs(names: "pl.Series") -> "pl.Series":
    """The key of each city, by any of its names."""
    from fhi.hubs import resolve_hubs

    return resolve_hubs(names, suggest=False)["hub"]


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"found {text!r}; expected a day such as 2026-01-05", param_hint="--since") from None


def _show_loaded(loaded: "Sequence[_Loaded]", form: "Format", lang: Lang) -> None:
    """Every problem, then a line a file and what was assumed."""
    from api.output import write_lines
    from api.screens import show_problems

    text = texts("cli", lang)
    show_problems([problem for one in loaded for problem in one.problems], form, lang)
    lines = []
    for one in loaded:
        if one.reading is None or one.store is None:
            lines.append(text["activities_unusable"].format(file=one.file))
            continue
        refused = one.reading.rows_read - one.reading.examples - one.store.new - one.store.already_loaded
        lines.append(
            text["loaded_activities"].format(
                file=one.file,
                read=one.reading.rows_read,
                new=one.store.new,
                already=one.store.already_loaded,
                refused=refused,
                examples=one.reading.examples,
            )
        )
        lines += [text["activities_assumed"].format(assumed=words) for words in one.reading.assumed]
    write_lines(lines, form)


def _show_reported(loaded: "Sequence[_Loaded]", missing: list[str], form: "Format", lang: Lang) -> None:
    from api.output import write_lines

    if loaded:
        _show_loaded(loaded, form, lang)
        write_lines(missing, form)


def _readable(found: "pl.DataFrame") -> "pl.DataFrame":
    """What fits on a screen: the first letters of an id, figures as text with every digit."""
    import polars as pl

    return found.select(
        pl.col("activity_id").str.slice(0, 12),
        *("entity", "hub", "period", "scope", "category", "activity"),
        pl.col("amount").cast(pl.String),
        *("unit", "evidence", "recorded"),
    )
