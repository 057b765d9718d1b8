"""The command `greenfin sensitivity`: which choice matters most, for the ranking or for a city.

Knows the command, its options and which columns people see. Computes nothing. Imports what it needs inside the command,
so that `--help` stays quick.
"""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.choice_options import ChoicesOption, ErrorOption, OtherOptions, SeedOption, SpreadOption, WeightsOption
from api.lang import Lang, texts
from api.opened import opened_store
from api.options import BaseOption, FormatOption, LangOption, YearOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.output import Format

sensitivity_app = typer.Typer(rich_markup_mode=None)

_SHARES: Final = (
    *("first_order", "first_order_low", "first_order_high"),
    *("total", "total_low", "total_high"),
)


@sensitivity_app.command("sensitivity")
def sensitivity(
    hub: Annotated[
        str | None, typer.Option("--hub", help="One city; without it the ranking (all cities too in CSV and JSON).")
    ] = None,
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    draws: Annotated[
        int, typer.Option("--draws", min=16, max=16_384, help="Of each of two samples; best a power of two.")
    ] = 1024,
    seed: SeedOption = 1,
    choices: ChoicesOption = "weights,normalisation,aggregation,imputation,treatment",
    options: OtherOptions = None,
    weights: WeightsOption = "dirichlet",
    spread: SpreadOption = 0.25,
    error: ErrorOption = 0.05,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Which choice matters most: Sobol indices of weights, normalisation and other choices, with sampling intervals."""
    import polars as pl

    from api import sensitivity as verbs
    from api.output import progress_bar
    from green_index.index import as_base

    chosen, tongue, edition = format_of(form), lang_of(lang), as_base(base)
    asked = verbs.Asked(choices, tuple(options or ()), weights, spread, error)
    with opened_store() as store, progress_bar() as bar:
        made, run = bar.add_task("variants", total=None), bar.add_task("recomputations", total=None)
        study = verbs.Study(
            draws,
            seed,
            progress=lambda done, of: bar.update(run, completed=done, total=of),
            building=lambda done, of: bar.update(made, completed=done, total=of),
        )
        rows = verbs.sensitivity(store, year, edition, asked, study, hub)
    if chosen == "table" and hub is None:
        rows = rows.filter(pl.col("target") == verbs.RANKING_TARGET)
    _show(rows, chosen, tongue, is_hub=hub is not None)


def _show(rows: "pl.DataFrame", form: "Format", lang: Lang, *, is_hub: bool) -> None:
    from api.analysis_screens import show_analysis
    from api.choice_words import in_words

    text, first = texts("analyses", lang), rows.row(0, named=True)
    said = {name: f"{first[name]:,}" for name in ("draws", "runs")}
    said |= {name: "–" if first[name] is None else f"{first[name]:.2f}" for name in ("mean", "deviation")}
    kind = "sensitivity_hub" if is_hub else "sensitivity"
    title = text[f"title_{kind}"].format(city=first[f"name_{lang}"], year=first["year"], seed=first["seed"], **said)
    target = text["remark_sensitivity_hub" if is_hub else "remark_sensitivity_ranking"].format(**said)
    columns = {f"choice_{lang}": "{}", "options": "{}"} | dict.fromkeys(_SHARES, "{:z.2f}")
    columns |= {"moved": "{:.0%}", f"reason_{lang}": "{}"}
    between = [
        text["remark_sensitivity_between"].format(choice=row[f"choice_{lang}"], between=in_words(row["between"], lang))
        for row in rows.head(7).iter_rows(named=True)
        if row["options"] > 1
    ]
    show_analysis(rows, title, columns, form, lang, [target, *between, text["remark_sensitivity"]])
