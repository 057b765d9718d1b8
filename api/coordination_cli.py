"""The command `greenfin coordination`: do the wheels of a city turn together, and which of them leads.

Knows the command, its options and which columns people see. Computes nothing. Imports what the command needs inside
it, so that `--help` stays quick.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from api import DEFAULT_YEAR
from api.lang import Lang, texts
from api.opened import store_of_settings
from api.options import FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from green_index.coordination import Formula

coordination_app = typer.Typer(rich_markup_mode=None)


@coordination_app.command()
def coordination(
    hub: Annotated[
        str | None, typer.Argument(help="Slug, name in either language, or GB/T 2260 code; all without it.")
    ] = None,
    year: Annotated[
        int | None, typer.Option("--year", help=f"One year; every year of a city, {DEFAULT_YEAR} of all, without it.")
    ] = None,
    systems: Annotated[
        str, typer.Option("--systems", help="dual, three-way, or two to four codes of the tree by comma.")
    ] = "dual",
    weights: Annotated[
        str | None, typer.Option("--weights", help="What each system counts, by comma; alike without it.")
    ] = None,
    formula: Annotated[
        str, typer.Option("--formula", help="corrected (Wang Shujia et al. 2021) or standard.")
    ] = "corrected",
    base: Annotated[
        str, typer.Option("--base", help="open (open figures) or published (FHI 2017 as printed).")
    ] = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The dual wheel: coupling coordination of fintech and carbon finance, its grade, and which of them leads."""
    from api import standing_analyses
    from api.analysis_screens import show_analysis
    from green_index.coordination import InvalidSystems
    from green_index.index import as_base

    chosen, tongue, wanted = format_of(form), lang_of(lang), _formula(formula)
    known = as_base(base)
    shown = DEFAULT_YEAR if hub is None and year is None else year
    try:
        rows = standing_analyses.coordination(store_of_settings(), known, systems, weights, wanted, hub, shown)
    except InvalidSystems as error:
        wrong = {problem.where for problem in error.problems}
        raise typer.BadParameter(str(error), param_hint="--weights" if wrong == {"weights"} else "--systems") from None
    first = "year" if hub is not None else f"name_{tongue}"
    columns = {
        first: "{}",
        "rank": "{}",
        **dict.fromkeys(("u_1", "u_2", "u_3", "u_4"), "{:.3f}"),
        **dict.fromkeys(("coupling", "development", "coordination"), "{:.3f}"),
        f"grade_{tongue}": "{}",
        "lead": "{:+.3f}",
        f"leading_{tongue}": "{}",
        f"quadrant_{tongue}": "{}",
        "coverage": "{:.0%}",
    }
    title = _title(rows, hub is not None, tongue)
    show_analysis(rows, title, columns, chosen, tongue, _remarks(rows, tongue) if chosen == "table" else ())


def _formula(name: str) -> "Formula":
    from green_index.coordination import FORMULAS

    for known in FORMULAS:
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected corrected or standard", param_hint="--formula")


def _title(rows: "pl.DataFrame", of_one_city: bool, lang: Lang) -> str:
    from green_index.index import as_base, green_framework

    tree = green_framework(as_base(rows["base"][0]))
    codes = rows["systems"][0].split(",")
    names = (tree.node[code].name_zh if lang == "zh" else tree.node[code].name_en for code in codes)
    systems = ", ".join(f"U{i} {name}" for i, name in enumerate(names, 1))
    text = texts("analyses", lang)
    if of_one_city:
        return text["title_coordination_city"].format(city=rows[f"name_{lang}"][0], systems=systems)
    return text["title_coordination_year"].format(year=rows["year"][0], systems=systems)


def _remarks(rows: "pl.DataFrame", lang: Lang) -> list[str]:
    """What the figures are by, what is assumed, and why some are missing."""
    from green_index.coordination import BAND, HIGH

    text, head = texts("analyses", lang), rows.row(0, named=True)
    said = [
        "",
        text[f"coordination_formula_{head['formula']}"].format(weights=head["weights"]),
        text["coordination_rule"].format(band=BAND, high=HIGH),
    ]
    if head["assumed"]:
        said.append(text["coordination_assumed"].format(assumed=head["assumed"]))
    reason = "reason_zh" if lang == "zh" else "reason"
    return said + [
        text["coordination_reason"].format(city=row[f"name_{lang}"], year=row["year"], reason=row[reason])
        for row in rows.drop_nulls("reason").iter_rows(named=True)
    ]
