"""The commands `greenfin index`: a composite index of one's own files, without any database.

Knows commands and options. Reading lives in `api.index_inputs`, files written in `api.index_files`, the arithmetic in
`fhi`. Imports what a command needs inside the command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.lang import Lang, texts
from api.options import INVALID_DATA, FormatOption, LangOption, check_out, format_of, lang_of

if TYPE_CHECKING:
    from api.index_inputs import Inputs
    from fhi.index import IndexResult

index_app = typer.Typer(
    help="Build, check and compare a composite index of your own figures.", no_args_is_help=True, rich_markup_mode=None
)

_FRAMEWORK_HELP: Final = (
    "TOML, CSV or COINr's iMeta (CSV, XLSX); several TOML files are one tree; or fhi, green, ey2019. Files beside fhi "
    "or green extend it; green-policy beside green counts policy."
)
_VALUES_HELP: Final = "Figures: long or wide CSV, XLSX or Parquet, or COINr's iData; or open, the embedded figures."
ValuesOption = Annotated[list[str], typer.Option("--values", help=_VALUES_HELP)]
FrameworkOption = Annotated[list[str], typer.Option("--framework", help=_FRAMEWORK_HELP)]
RecipeOption = Annotated[
    Path | None, typer.Option("--recipe", help="TOML with a table a step; the defaults without it.")
]
KeepGoodOption = Annotated[
    bool, typer.Option("--keep-good", help="Leave out bad rows and go on; they are listed and written to `rejected`.")
]


@index_app.command()
def build(
    values: ValuesOption,
    framework: FrameworkOption,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made where it is absent.")],
    recipe: RecipeOption = None,
    files: Annotated[
        str, typer.Option("--files", help="csv, parquet or xlsx (a workbook with live formulas).")
    ] = "csv",
    keep_good: KeepGoodOption = False,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Show only the first so many.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Build the index; write scores, provenance and every table between; show the ranking."""
    from api import index_screens
    from api.index_files import FILE_FORMATS, RUN_FILES, WORKBOOK, result_tables, run_provenance, staged, write_run

    kinds = {kind: kind for kind in FILE_FORMATS}
    if files not in kinds:
        raise typer.BadParameter(f"found {files!r}; expected {', '.join(kinds)}", param_hint="--files")
    chosen, tongue = format_of(form), lang_of(lang)
    check_out(out, [*map(Path, (*values, *framework)), *([recipe] if recipe is not None else [])], RUN_FILES)
    inputs = _inputs(values, framework, recipe, tongue, keep_good=keep_good)
    result = _built(inputs)
    provenance = run_provenance(result, inputs.files)
    tables = result_tables(result, inputs.units, inputs.rejected)
    with staged(out) as folder:
        written = write_run(folder, tables, provenance, kinds[files])
        if files == "xlsx":
            from api.exports.workbook import write_workbook

            written.append(folder / WORKBOOK)
            write_workbook(written[-1], result, inputs.units, provenance, tongue)
    index_screens.show_result(result, inputs.units, top, chosen, tongue)
    index_screens.show_written(out, written, tongue)


@index_app.command()
def check(
    values: ValuesOption,
    framework: FrameworkOption,
    recipe: RecipeOption = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            help="TABLE=FILE, a table to hold against ours: data, denominated, imputed, treated, normalised, scores or "
            "ranks.",
        ),
    ] = None,
    tolerance: Annotated[float, typer.Option("--tolerance", min=0, help="Largest difference that agrees.")] = 1e-9,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """List everything that is wrong with the files at once; or how far tables computed elsewhere are from ours."""
    from api import index_screens

    chosen, tongue = format_of(form), lang_of(lang)
    inputs = _inputs(values, framework, recipe, tongue, keep_good=True)
    if not against:
        if not inputs.problems:
            _built(inputs)
        index_screens.show_problems(inputs, chosen, tongue)
        if inputs.problems:
            raise typer.Exit(INVALID_DATA)
        return
    from fhi.formats.expected import hold_against

    report = hold_against(_built(inputs), [_named_file(entry) for entry in against])
    index_screens.show_report(report, tolerance, chosen, tongue)
    if not (report["largest_difference"].fill_null(float("inf")) <= tolerance).all():
        raise typer.Exit(INVALID_DATA)


@index_app.command()
def weights(
    values: ValuesOption,
    framework: FrameworkOption,
    recipe: RecipeOption = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show every node's stated weight, its weight in the total, and its influence on its parent."""
    from api import index_screens
    from fhi.diagnose import weights_table

    chosen, tongue = format_of(form), lang_of(lang)
    result = _built(_inputs(values, framework, recipe, tongue))
    index_screens.show_weights(weights_table(result), result, chosen, tongue)


@index_app.command()
def diagnose(
    values: ValuesOption,
    framework: FrameworkOption,
    recipe: RecipeOption = None,
    part: Annotated[
        str,
        typer.Option(
            "--part",
            help="flags, reliability, statistics, availability, correlations, denominators, components, imputation "
            "or treatment.",
        ),
    ] = "flags",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Show what the figures say about the framework: one table a question."""
    from api import screens
    from api.index_files import as_units
    from fhi.diagnose import DIAGNOSES

    if part not in DIAGNOSES:
        raise typer.BadParameter(f"found {part!r}; expected {', '.join(DIAGNOSES)}", param_hint="--part")
    chosen, tongue = format_of(form), lang_of(lang)
    rows = as_units(DIAGNOSES[part](_built(_inputs(values, framework, recipe, tongue))))
    title = texts("cli", tongue)["title_diagnose"].format(part=part, rows=rows.height)
    screens.show_table(rows, title, chosen)


@index_app.command()
def compare(
    first: Annotated[
        Path | None, typer.Argument(help="A result folder or scores file; with --values, a recipe (TOML).")
    ] = None,
    second: Annotated[Path | None, typer.Argument(help="What to set beside it, of the same kind.")] = None,
    values: Annotated[list[str] | None, typer.Option("--values", help="Figures, to build both recipes.")] = None,
    framework: Annotated[list[str] | None, typer.Option("--framework", help=_FRAMEWORK_HELP)] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="One choice to change, such as normalise.method=zscore; may be given again."),
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Leave each node out in turn, at every level.")
    ] = False,
    units: Annotated[bool, typer.Option("--units", help="Show every unit's shift instead of the agreement.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Set two results or two recipes side by side; change one choice; or leave one node out at a time."""
    import polars as pl

    from api import index_screens, screens
    from api.index_files import as_units
    from fhi.compare import agreement, rank_shift
    from fhi.rebuild import adjust, leave_one_out

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    if bool(values) != bool(framework):
        raise typer.BadParameter("found one of --values and --framework; expected both, or two results and neither")
    if values and framework:
        if (second is not None) + bool(change) + leave_out != 1:
            raise typer.BadParameter("expected one of: a second recipe, --set, --leave-one-out")
        base = _inputs(values, framework, first, tongue)
        before = _built(base)
        if leave_out:
            screens.show_table(leave_one_out(before), text["title_leave_one_out"], chosen)
            return
        if second is not None:
            other = _inputs(values, framework, second, tongue)
        else:
            other = _with_recipe(base, adjust(base.recipe, dict(_choice(entry) for entry in change or [])))
        frames = before.scores, _built(other).scores
    elif first is not None and second is not None and not (change or leave_out):
        frames = index_screens.read_scores(first), index_screens.read_scores(second)
    else:
        raise typer.BadParameter(
            "expected two results; or --values and --framework with recipes, --set or --leave-one-out"
        )
    if units:
        screens.show_table(as_units(rank_shift(*frames)), text["title_shift"], chosen)
        return
    index_screens.show_agreement(
        agreement(*frames), pl.concat(frame.select("code", "level") for frame in frames), chosen, tongue
    )


@index_app.command()
def recipe(lang: LangOption = "en", form: FormatOption = None) -> None:
    """List every step and option of a recipe, its default and what it may be."""
    from api import screens
    from fhi.describe import recipe_rows

    chosen, tongue = format_of(form), lang_of(lang)
    rows = recipe_rows()
    shown = rows if chosen != "table" else rows.drop("step_means")
    screens.show_table(shown, texts("cli", tongue)["title_recipe"], chosen)


def _inputs(
    values: list[str], framework: list[str], recipe: Path | None, lang: Lang, *, keep_good: bool = False
) -> "Inputs":
    """Everything read; raises PanelError for bad rows unless the good ones are to be kept."""
    from api.index_inputs import load_inputs
    from fhi.errors import PanelError

    inputs = load_inputs(values, framework, recipe, lang)
    if inputs.problems and not keep_good:
        raise PanelError(inputs.problems)
    for problem in (*inputs.remarks, *inputs.problems):
        typer.echo(str(problem), err=True)
    return inputs


def _built(inputs: "Inputs") -> "IndexResult":
    from fhi.index import build_index

    return build_index(inputs.panel, inputs.framework, inputs.recipe, inputs.units)


def _with_recipe(inputs: "Inputs", recipe: object) -> "Inputs":
    from dataclasses import replace

    return replace(inputs, recipe=recipe)  # type: ignore[arg-type]


def _choice(entry: str) -> tuple[str, object]:
    """`normalise.method=zscore` as a key and a value; values are TOML, bare words texts."""
    import tomllib

    key, sign, value = entry.partition("=")
    if not sign:
        raise typer.BadParameter(f"found {entry!r}; expected KEY=VALUE", param_hint="--set")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _named_file(entry: str) -> tuple[str, Path]:
    name, sign, path = entry.partition("=")
    if not sign:
        raise typer.BadParameter(f"found {entry!r}; expected TABLE=FILE", param_hint="--against")
    return name.strip(), Path(path)
