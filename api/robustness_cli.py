"""The command `greenfin robustness`: how far a ranking hangs on choices that could have been made otherwise.

Knows the command, its options and which columns people see. Computes nothing. Imports what it needs inside the command,
so that `--help` stays quick.
"""

import os
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.choice_options import ChoicesOption, ErrorOption, OtherOptions, SeedOption, SpreadOption, WeightsOption
from api.lang import texts
from api.opened import opened_store
from api.options import BaseOption, FormatOption, LangOption, YearOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.robustness import Asked
    from green_index.index import Base

robustness_app = typer.Typer(rich_markup_mode=None)

_LISTS: Final = ("bands", "acceptability", "pairwise", "choices")
_MOST_DRAWS: Final = 10_000_000
_BANDS: Final = {
    "rank": "{}",
    "name": "{}",
    "rank_mean": "{:.1f}",
    "rank_median": "{:.1f}",
    "rank_p05": "{:.1f}",
    "rank_p95": "{:.1f}",
    "rank_min": "{}",
    "rank_max": "{}",
    "share_first": "{:.1%}",
    "share_top5": "{:.1%}",
    "share_as_stated": "{:.1%}",
    "coverage": "{:.0%}",
}
_COLUMNS: Final = {
    "bands": _BANDS,
    "acceptability": {"name": "{}", "rank": "{}", "share": "{:.2%}"},
    "pairwise": {"name": "{}", "other": "{}", "share": "{:.2%}", "share_tied": "{:.2%}"},
    "choices": {
        "normalisation": "{}",
        "aggregation": "{}",
        "imputation": "{}",
        "treatment": "{}",
        "left_out": "{}",
        "revision": "{}",
        "scale": "{}",
        "odds": "{:.2%}",
        "hubs_moved": "{}",
        "mean_shift": "{:.2f}",
    },
}


@robustness_app.command("robustness")
def robustness(
    draws: Annotated[int, typer.Option("--draws", min=1, max=_MOST_DRAWS, help="How many draws.")] = 10_000,
    seed: SeedOption = 1,
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    choices: ChoicesOption = "weights,normalisation,aggregation",
    options: OtherOptions = None,
    weights: WeightsOption = "dirichlet",
    spread: SpreadOption = 0.25,
    error: ErrorOption = 0.05,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Without effect on the rows; all processors without it.")
    ] = None,
    listed: Annotated[str, typer.Option("--list", help=f"{', '.join(_LISTS)}.")] = "bands",
    hub: Annotated[str | None, typer.Option("--hub", help="One city, for acceptability and pairwise.")] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Bands of rank over random weights and other choices: sensitivity to choices, not confidence intervals."""
    from api import robustness as verbs
    from api.analysis_screens import show_analysis
    from api.choice_words import in_words
    from green_index.index import as_base

    if listed not in _LISTS:
        raise typer.BadParameter(f"found {listed!r}; expected {', '.join(_LISTS)}", param_hint="--list")
    if hub is not None and listed not in ("acceptability", "pairwise"):
        raise typer.BadParameter("expected with --list acceptability or pairwise", param_hint="--hub")
    chosen, tongue, edition = format_of(form), lang_of(lang), as_base(base)
    asked = verbs.Asked(choices, tuple(options or ()), weights, spread, error)
    rows, words = _draw(listed, (draws, seed, threads or os.cpu_count() or 1), year, edition, asked, hub)
    text = texts("analyses", tongue)
    title = text[f"title_robustness_{listed}"].format(year=year, draws=f"{draws:,}", seed=seed)
    remarks = [text["kind_sensitivity"], text["robustness_rests_on"].format(choices=in_words(words, tongue))]
    remarks += [text["robustness_scale"]] if listed == "choices" else []
    table = _for_people(rows, listed, tongue) if chosen == "table" else rows
    show_analysis(table, title, _COLUMNS[listed], chosen, tongue, remarks)


def _draw(
    listed: str, how: tuple[int, int, int], year: int, base: "Base", asked: "Asked", hub: str | None
) -> "tuple[pl.DataFrame, str]":
    """The rows of a list and what was varied; how : draws, seed, threads."""
    from api import robustness as verbs
    from api.output import progress_bar

    with opened_store() as store, progress_bar() as bar:
        made, drawn = bar.add_task("variants", total=None), bar.add_task("draws", total=how[0])
        run = verbs.Run(
            *how,
            progress=lambda done, _of: bar.update(drawn, completed=done),
            building=lambda done, of: bar.update(made, completed=done, total=of),
        )
        words = verbs.study(store, year, base, asked, run).words
        if listed == "bands":
            return verbs.bands(store, year, base, asked, run), words
        if listed == "choices":
            return verbs.variants(store, year, base, asked, run), words
        verb = verbs.acceptability if listed == "acceptability" else verbs.pairwise
        return verb(store, year, base, asked, run, hub), words


def _for_people(rows: "pl.DataFrame", listed: str, lang: str) -> "pl.DataFrame":
    """Names in one language under the headings of cities; cities that are not ranked have no bands to show."""
    names = {f"{column}_{lang}": column for column in ("name", "other") if f"{column}_{lang}" in rows.columns}
    table = rows.drop("other", strict=False).rename(names)
    return table.drop_nulls("rank") if listed == "bands" else table
