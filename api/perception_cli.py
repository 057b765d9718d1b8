"""The command `greenfin perceive`: what respondents or a printed index would say of a city, learnt from figures.

Knows the command, its options and which columns people see. Computes nothing. Imports what it needs inside the
command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.lang import Lang, texts
from api.opened import store_of_settings
from api.options import FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    from api.output import Format
    from api.perception import Question, Study
    from api.store import Store

perception_app = typer.Typer(rich_markup_mode=None)

_LISTS: Final = ("predictions", "errors", "importances")


@perception_app.command()
def perceive(
    year: Annotated[
        int | None, typer.Option("--year", help="Year of the figures; without it 2017 for fhi2017, else the latest.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="fhi2017 (the totals as printed) or ratings (see --ratings).")
    ] = None,
    ratings: Annotated[
        Path | None,
        typer.Option(
            "--ratings", help="CSV: respondent, home (a city or `elsewhere`), hub, rating, and date if known."
        ),
    ] = None,
    factors: Annotated[
        str, typer.Option("--factors", help="measures, indicators, or a CSV: hub and a column a factor.")
    ] = "measures",
    listed: Annotated[str, typer.Option("--list", help="predictions, errors or importances.")] = "predictions",
    level: Annotated[float, typer.Option("--level", min=0.5, max=0.99, help="Of the intervals.")] = 0.9,
    beyond_range: Annotated[
        bool, typer.Option("--beyond-range", help="Predict cities unlike those learnt from, too; marked all the same.")
    ] = False,
    half_life: Annotated[
        float | None, typer.Option("--half-life", help="Days after which a rating counts half; all alike without it.")
    ] = None,
    as_given: Annotated[
        bool, typer.Option("--as-given", help="Mean ratings, strict and generous respondents not made alike.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of folds and shuffles.")] = 1,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Predict how cities would be rated: support vector regression on figures, with errors on cities left out.

    Refuses a city that is unlike those learnt from, and says in what, unless --beyond-range is given.
    """
    from api import perception as room
    from green_index.perception.perceive import Settings

    chosen, tongue = format_of(form), lang_of(lang)
    if listed not in _LISTS:
        raise typer.BadParameter(f"found {listed!r}; expected {', '.join(_LISTS)}", param_hint="--list")
    wanted = target or ("fhi2017" if ratings is None else "ratings")
    if wanted not in room.TARGETS:
        raise typer.BadParameter(f"found {target!r}; expected {', '.join(room.TARGETS)}", param_hint="--target")
    if (wanted == "ratings") != (ratings is not None):
        found = "no file" if ratings is None else f"{ratings} with the target {wanted}"
        raise typer.BadParameter(f"found {found}; expected a file with the target ratings", param_hint="--ratings")
    settings = Settings(
        level=level, beyond_range=beyond_range, seed=seed, centred=not as_given, half_life_days=half_life
    )
    of_year = year if year is not None else room.PRINTED_YEAR if ratings is None else DEFAULT_YEAR
    question = room.Question(of_year, ratings, factors, settings)
    found_study = _run(store_of_settings(), question)
    _show(found_study, listed, question, chosen, tongue)


def _run(store: "Store", question: "Question") -> "Study":
    """The study, a bar on standard error while it goes through the known cities."""
    from api.output import progress_bar
    from api.perception import study

    with progress_bar() as bar:
        task = bar.add_task("perceive", total=None)
        return study(store, question, lambda: bar.advance(task))


def _show(found: "Study", listed: str, question: "Question", form: "Format", lang: Lang) -> None:
    from api.analysis_screens import show_analysis
    from api.perception import last_printed, target_name

    text = texts("analyses", lang)
    said = {"year": question.year, "target": target_name(question), "level": f"{question.settings.level:.0%}"}
    title = text[f"title_perception_{listed}"].format(**said)
    remarks = [text[f"remark_perception_{listed}"].format(**said)]
    if listed == "predictions":
        if question.ratings is None:
            remarks.append(text["remark_perception_printed"].format(last=last_printed()))
        one = dict.fromkeys(("actual", "predicted", "low", "high", "combined"), "{:.1f}")
        columns = {f"name_{lang}": "{}", **one, "respondents": "{}", f"remark_{lang}": "{}"}
        show_analysis(found.predictions, title, columns, form, lang, remarks)
    elif listed == "errors":
        two = ("rmse", "baseline_rmse", "mae", "baseline_mae", "r2", "spearman", "spread")
        columns = {f"kind_{lang}": "{}", f"group_{lang}": "{}", "n": "{}", **dict.fromkeys(two, "{:.2f}")}
        show_analysis(found.errors, title, columns, form, lang, remarks)
    else:
        numbers = {"importance": "{:.2f}", "spread_of_importance": "{:.2f}"}
        columns = {f"name_{lang}": "{}", **numbers, f"nearest_{lang}": "{}", "correlation": "{:.2f}"}
        rows = found.importances
        shown = (
            rows.rename({"spread": "spread_of_importance", f"name_{lang}": "factor_name"}) if form == "table" else rows
        )
        columns = {"factor_name": "{}", **{name: how for name, how in columns.items() if name != f"name_{lang}"}}
        show_analysis(shown, title, columns, form, lang, remarks)
