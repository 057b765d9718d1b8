"""The commands `greenfin microdata`: rows about firms, deals, advertisements and texts, made into figures of cities.

Knows commands and options. The reading, checking and counting live in `fhi.microdata`. Imports what a command needs
inside the command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.lang import texts
from api.options import INVALID_DATA, FormatOption, LangOption, check_out, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from fhi.microdata.build import MicrodataResult
    from fhi.microdata.rows import By

_TABLES: Final = ("parts", "bad_rows", "unknown_cities", "passages")

microdata_app = typer.Typer(
    help="Make figures of cities from rows about firms, jobs, texts and more.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@microdata_app.command()
def kinds(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List the kinds of microdata and the nodes of the FHI tree that each feeds."""
    import polars as pl

    from api import screens
    from fhi.microdata.build import BUILDERS, COMBINED, UNBUILT

    tongue = lang_of(lang)
    rows: list[tuple[str | None, str, str | None, list[str]]] = [
        (kind, entry.schema.title_zh if tongue == "zh" else entry.schema.title, entry.dated, list(entry.codes))
        for kind, entry in BUILDERS.items()
    ]
    rows += [(" + ".join(parts), "", None, [code]) for code, parts in COMBINED.items()]
    rows += [(None, why, None, [code]) for code, why in UNBUILT.items()]
    columns = pl.Schema(
        {"kind": pl.String(), "rows": pl.String(), "period_from": pl.String(), "codes": pl.List(pl.String)}
    )
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    screens.show_table(frame, texts("cli", tongue)["title_kinds"], format_of(form))


@microdata_app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="A kind of the list that `greenfin microdata kinds` shows.")],
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show the columns that a kind needs, what a cell must be, and what it means."""
    import polars as pl

    from api import screens
    from fhi.errors import PanelError, Problem
    from fhi.microdata.build import BUILDERS
    from fhi.microdata.schema import describe_schema

    if kind not in BUILDERS:
        raise PanelError([Problem("kind", kind, f"one of {', '.join(BUILDERS)}", "unknown_kind")])
    tongue, chosen = lang_of(lang), format_of(form)
    rows = describe_schema(BUILDERS[kind].schema)
    other = "meaning" if tongue == "zh" else "meaning_zh"
    shown = rows if chosen != "table" else rows.select(pl.exclude(other))
    screens.show_table(shown, texts("cli", tongue)["title_schema"].format(kind=kind), chosen)


@microdata_app.command()
def build(
    files: Annotated[
        list[str], typer.Argument(metavar="KIND=FILE...", help="CSV or Parquet files, each with its kind.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for panel.csv and what was not used.")],
    period: Annotated[
        str | None, typer.Option("--period", help="Of kinds without a date: 2022, 2022-Q3 or 2022-06.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="year, quarter or month, for kinds with dates.")] = "year",
    complete: Annotated[
        bool, typer.Option("--complete", help="The files hold every case: a city that is not in them is a true zero.")
    ] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Build panel rows; list bad rows by rule and unknown cities with the nearest name; write what was not used."""
    from api import screens
    from api.index_files import staged, write_tables
    from api.output import progress_bar
    from fhi.microdata.build import BUILDERS, build_microdata, join_results

    chosen, tongue = format_of(form), lang_of(lang)
    by_kind = _by_kind(files)
    names = [f"{name}.csv" for name in ("panel", *_TABLES, *(f"{kind}_not_used" for kind in by_kind))]
    check_out(out, [path for paths in by_kind.values() for path in paths], names)
    results = []
    with staged(out) as folder, progress_bar() as progress:
        task = progress.add_task("", total=len(by_kind))
        for kind, paths in by_kind.items():
            progress.update(task, description=kind)
            dated = kind in BUILDERS and BUILDERS[kind].dated is not None
            results.append(
                build_microdata(
                    kind,
                    paths,
                    period=None if dated else period,
                    by=_as_by(by) if dated else "year",
                    complete=complete,
                    set_apart=folder / f"{kind}_not_used.csv",
                )
            )
            progress.advance(task)
        tables = _tables(results, join_results(results))
        written = write_tables(folder, tables, dict.fromkeys(tables, ("csv",)))
    screens.show_table(_report(results), texts("cli", tongue)["title_microdata"], chosen)
    typer.echo(
        texts("cli", tongue)["written"].format(out=out, files=", ".join(path.name for path in written)), err=True
    )
    if not any(result.counts.good for result in results):
        raise typer.Exit(INVALID_DATA)


def _by_kind(files: list[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for entry in files:
        kind, sign, path = entry.partition("=")
        if not sign:
            raise typer.BadParameter(f"found {entry!r}; expected KIND=FILE, such as jobs=jobs.csv")
        found.setdefault(kind, []).append(Path(path))
    return found


def _as_by(name: str) -> "By":
    for known in ("year", "quarter", "month"):
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected year, quarter or month", param_hint="--by")


def _tables(results: list["MicrodataResult"], panel: "pl.DataFrame") -> dict[str, "pl.DataFrame"]:
    """What is written: the panel, and what else there is."""
    import polars as pl

    parts = {
        "parts": pl.concat([result.parts for result in results]),
        "bad_rows": pl.concat(
            [result.bad_rows.select(pl.lit(result.kind).alias("kind"), pl.all()) for result in results]
        ),
        "unknown_cities": pl.concat(
            [result.unknown_cities.select(pl.lit(result.kind).alias("kind"), pl.all()) for result in results]
        ),
    }
    passages = [result.passages for result in results if result.passages is not None]
    if passages:
        parts["passages"] = pl.concat(passages)
    return {"panel": panel} | {name: table for name, table in parts.items() if table.height}


def _report(results: list["MicrodataResult"]) -> "pl.DataFrame":
    """One row a kind, then one a rule that rows break and one an unknown city: what, rows, and what was expected."""
    import polars as pl

    rows: list[tuple[str, str, int, str | None]] = []
    for result in results:
        counts = result.counts
        rows += [
            (result.kind, "rows", counts.rows, None),
            (result.kind, "used", counts.good, f"{result.panel.height} figures"),
        ]
        rows += [
            (result.kind, f"bad {row['column']} ({row['code']})", row["rows"], row["expected"])
            for row in result.bad_counts.iter_rows(named=True)
        ]
        rows += [
            (result.kind, f"unknown city {row['name']}", row["rows"], row["suggestion"] or row["reason"])
            for row in result.unknown_cities.iter_rows(named=True)
        ]
    columns = {"kind": pl.String, "what": pl.String, "rows": pl.Int64, "expected": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")
