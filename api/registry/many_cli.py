"""The commands `greenfin registry` for many acts at once: files of acts, and outside registers in and out.

Knows commands and options. Files of acts are read by `api.registry.files` and run by `api.registry.batch`; formats of
outside registers are those of `carbon.imports`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.lang import texts
from api.options import FAILED, INVALID_DATA, FormatOption, LangOption, format_of, lang_of
from api.registry.options import ActorOption, IdOption
from api.registry.session import ask, registry

if TYPE_CHECKING:
    from carbon.imports import Door

many_app = typer.Typer(rich_markup_mode=None)

FormatName = Annotated[str, typer.Argument(metavar="FORMAT", help="A format that `greenfin registry formats` lists.")]


@many_app.command("batch")
def batch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON lines: verb, id, and the verb's fields.")],
    keep_going: Annotated[
        bool,
        typer.Option(
            "--keep-going",
            help="Go on after an act that is refused; else what follows is left alone and can be run later.",
        ),
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the file; nothing is carried out.")] = False,
    actor: ActorOption = "cli",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Carry out the acts of a file one by one, checked as a whole first. The same file again changes nothing."""
    from api.clock import now_us
    from api.output import progress_bar
    from api.registry import batch as registry_batch
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store
    from api.registry.files import read_acts

    wanted = ask(None, actor, None, form, lang)
    acts = read_acts(file)
    if check:
        typer.echo(texts("cli", wanted.lang)["registry_file_good"].format(acts=len(acts)), err=True)
        return
    with registry() as store, progress_bar() as progress:
        task = progress.add_task(file.name, total=len(acts))
        outcomes = registry_batch.run_acts(
            store,
            acts,
            now_us=now_us,
            actor=wanted.actor,
            keep_going=keep_going,
            advance=lambda count: progress.advance(task, count),
        )
        registry_store.seal_if_due(store, now_us())
    registry_screens.show_outcomes(outcomes, wanted.form, wanted.lang)
    if any(outcome.status != "done" for outcome in outcomes):
        raise typer.Exit(FAILED)


@many_app.command()
def formats(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List the formats of outside registers that can be imported and exported."""
    import polars as pl

    from api.registry import screens as registry_screens
    from carbon.imports import EXPORTS, IMPORTS

    chosen, tongue = format_of(form), lang_of(lang)
    rows = [
        (way, name, door.en, door.zh)
        for way, doors in (("import", IMPORTS), ("export", EXPORTS))
        for name, door in doors.items()
    ]
    frame = pl.DataFrame(rows, schema=["way", "format", "means", "means_zh"], orient="row")
    if chosen == "table":
        frame = frame.select("way", "format", pl.col("means_zh" if tongue == "zh" else "means").alias("means"))
    registry_screens.show_rows(frame, texts("cli", tongue)["registry_title_formats"], chosen, tongue)


@many_app.command("import")
def import_file(
    format: FormatName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File, folder or archive.")],
    problems: Annotated[
        Path | None, typer.Option("--problems", help="CSV to write everything to that was wrong.")
    ] = None,
    client_id: IdOption = None,
    actor: ActorOption = "cli",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Book the file of an outside register, all or nothing. The same file again changes nothing, whatever its name.

    Without --id the id follows from the content of the file.
    """
    from api.clock import now_us
    from api.output import progress_bar
    from api.registry import screens as registry_screens
    from api.registry import store as registry_store
    from carbon.imports import IMPORTS
    from carbon.ledger.book import Act
    from carbon.ledger.post import writing

    wanted = ask(client_id, actor, None, form, lang)
    door = _door(format, IMPORTS)
    if problems is not None:
        check_free(problems, "--problems", replace=False)
    with registry() as store, progress_bar() as progress:
        task = progress.add_task(file.name, total=None)
        with writing(store.engine) as connection:
            report = door.load()(
                connection,
                Act(wanted.client_id or "", now_us(), wanted.actor),
                file,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        registry_store.seal_if_due(store, now_us())
    registry_screens.show_import(report, problems, wanted.form, wanted.lang)
    if not report.replayed and not report.rows_booked and any(one.severity == "error" for one in report.problems):
        raise typer.Exit(INVALID_DATA)


@many_app.command("export")
def export_file(
    format: FormatName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; its ending tells the container.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file of this name.")] = False,
    imported: Annotated[
        str | None,
        typer.Option("--imported", help="Id of the import to give back, for euets; the latest without it."),
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Write the registry, or an imported release, in an outside register's format; list what has no place there."""
    from api.registry import screens as registry_screens
    from carbon.imports import EXPORTS

    chosen, tongue = format_of(form), lang_of(lang)
    door = _door(format, EXPORTS)
    check_free(file, "FILE", replace=replace)
    if imported is not None and format != "euets":
        raise typer.BadParameter(f"found {format}, which no import stands for; expected euets", param_hint="--imported")
    which = {} if imported is None else {"client_id": imported}
    with registry() as store, store.engine.connect() as connection:
        result = door.load()(connection, file, **which)
    registry_screens.show_export(file, result if isinstance(result, tuple) else (), chosen, tongue)


def check_free(path: Path, hint: str, *, replace: bool) -> None:
    """Refuse a name that is taken, or in no folder: nobody's file is lost by a slip of the finger."""
    if not path.parent.is_dir():
        raise typer.BadParameter(f"found {path}; expected a name in a folder that is there", param_hint=hint)
    if path.is_dir() or (path.exists() and not replace):
        more = ", or --replace" if path.is_file() and hint == "FILE" else ""
        raise typer.BadParameter(f"found {path}; expected a name that is free{more}", param_hint=hint)


def _door(name: str, doors: "Mapping[str, Door]") -> "Door":
    if name not in doors:
        raise typer.BadParameter(f"found {name[:40]!r}; expected {', '.join(doors)}", param_hint="FORMAT")
    return doors[name]
