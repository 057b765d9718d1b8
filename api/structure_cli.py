"""The commands `greenfin tiers`, `modes`, `inequality` and `convergence`: the field of hubs as a whole.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api import DEFAULT_YEAR
from api.lang import texts
from api.opened import store_of_settings
from api.options import (
    BaseOption,
    FormatOption,
    LangOption,
    YearOption,
    YearsOption,
    format_of,
    lang_of,
    one_of,
    years_of,
)

if TYPE_CHECKING:
    import polars as pl

structure_app = typer.Typer(rich_markup_mode=None)

_METHODS: Final = {"natural-breaks": "natural_breaks", "k-means": "k_means"}
OfOption = Annotated[str, typer.Option("--of", help="total, or the code of a group or indicator.")]


@structure_app.command("tiers")
def tiers_command(
    year: YearOption = DEFAULT_YEAR,
    method: Annotated[
        str, typer.Option("--method", help="natural-breaks (of the total) or k-means (of the level-1 scores).")
    ] = "natural-breaks",
    tiers: Annotated[
        int | None, typer.Option("--tiers", min=1, max=8, help="How many; the least that fits well without it.")
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", min=0, max=2000, help="For the stability.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of the resampling and of k-means.")] = 1,
    listed: Annotated[str, typer.Option("--list", help="hubs or tiers.")] = "hubs",
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Tiers of the cities, and how firmly each stands in its tier when the cities are drawn again."""
    from api import structure
    from api.analysis_screens import show_analysis
    from green_index.index import as_base
    from green_index.tiers import TIER_METHODS

    chosen, tongue = format_of(form), lang_of(lang)
    if method not in _METHODS:
        raise typer.BadParameter(f"found {method!r}; expected {', '.join(_METHODS)}", param_hint="--method")
    one_of(listed, ("hubs", "tiers"), "--list")
    how = next(known for known in TIER_METHODS if known == _METHODS[method])
    hubs, summary = structure.tiers(store_of_settings(), year, as_base(base), how, tiers, resamples, seed)
    text = texts("analyses", tongue)
    remarks = [text["remark_tiers"].format(resamples=resamples, seed=seed)]
    if listed == "tiers":
        columns = dict.fromkeys(("tier", "hubs"), "{}") | dict.fromkeys(
            ("lowest", "highest", "mean", "jaccard", "goodness"), "{:.2f}"
        )
        show_analysis(summary, text["title_tiers"].format(year=year), columns, chosen, tongue, remarks)
        return
    columns = {"tier": "{}", "rank": "{}", f"name_{tongue}": "{}", "score": "{:.1f}"} | {
        "stability": "{:.0%}",
        "other_tier": "{}",
        "points_to_other": "{:.1f}",
    }
    show_analysis(hubs, text["title_tiers"].format(year=year), columns, chosen, tongue, remarks)


@structure_app.command()
def modes(
    hub: Annotated[str | None, typer.Argument(help="Slug, name or code; all cities without it.")] = None,
    year: YearOption = DEFAULT_YEAR,
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """What drives a hub, by a rule that is told, with the margin by which it decides."""
    from api import structure
    from api.analysis_screens import show_analysis
    from green_index.index import as_base
    from green_index.modes import RULE_EN, RULE_ZH

    chosen, tongue = format_of(form), lang_of(lang)
    rows = structure.modes(store_of_settings(), year, as_base(base), hub)
    text = texts("analyses", tongue)
    columns = {f"name_{tongue}": "{}", "scheme": "{}", f"mode_{tongue}": "{}"}
    columns |= dict.fromkeys(("finance", "technology", "ecosystem", "regulation", "margin"), "{:.0f}")
    columns |= {f"decided_by_{tongue}": "{}", "coverage": "{:.0%}", "agrees": "{}"}
    rows = _words_of_agreement(rows, text) if chosen == "table" else rows
    rule = RULE_ZH if tongue == "zh" else RULE_EN
    title = text["title_modes"].format(year=year)
    show_analysis(rows, title, columns, chosen, tongue, [text["remark_modes"].format(rule=rule)])


@structure_app.command()
def inequality(
    by: Annotated[str, typer.Option("--by", help="region or administrative_rank.")] = "region",
    years: YearsOption = None,
    of: OfOption = "total",
    listed: Annotated[str, typer.Option("--list", help="years, or pairs of groups.")] = "years",
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """How unequal the cities are, and how much of it lies between regions: Theil and Dagum's Gini, taken apart."""
    import polars as pl

    from api import structure
    from api.analysis_screens import show_analysis
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    one_of(by, structure.GROUPINGS, "--by")
    one_of(listed, ("years", "pairs"), "--list")
    grouping = next(known for known in structure.GROUPINGS if known == by)
    store, edition = store_of_settings(), as_base(base)
    code = structure.root_of(store, edition) if of == "total" else of
    whole, pairs = structure.inequality_by(store, edition, code, grouping, years_of(years))
    text = texts("analyses", tongue)
    columns = {"year": "{}", "hubs": "{}", "mean": "{:.1f}"} | dict.fromkeys(
        ("gini", "gini_within", "gini_between", "gini_transvariation", "theil", "theil_within", "theil_between"),
        "{:.4f}",
    )
    columns["missing"] = "{}"
    if listed == "pairs":
        names = structure.group_names(grouping, tongue) if chosen == "table" else {}
        whole = pairs.with_columns(pl.col("group", "other").replace(names))
        columns = {"year": "{}", "group": "{}", "other": "{}", "gini": "{:.4f}", "affluence": "{:.3f}"}
    title = text["title_inequality"].format(code=structure.node_name(store, edition, code, tongue))
    remark = text["remark_inequality"].format(source=text[f"grouping_{grouping}"])
    show_analysis(_in_words(whole, text) if chosen == "table" else whole, title, columns, chosen, tongue, [remark])


@structure_app.command()
def convergence(
    years: YearsOption = None,
    of: OfOption = "total",
    listed: Annotated[str, typer.Option("--list", help="sigma (spread by year) or beta (catching up).")] = "sigma",
    base: BaseOption = "open",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Do the cities draw together? Spread by year, and whether those that began low grew faster."""
    from api import structure
    from api.analysis_screens import show_analysis
    from green_index.index import as_base

    chosen, tongue = format_of(form), lang_of(lang)
    one_of(listed, ("sigma", "beta"), "--list")
    store, edition = store_of_settings(), as_base(base)
    code = structure.root_of(store, edition) if of == "total" else of
    spread, catching_up = structure.convergence(store, edition, code, years_of(years))
    text = texts("analyses", tongue)
    title = text["title_convergence"].format(code=structure.node_name(store, edition, code, tongue))
    if chosen == "table":
        spread, catching_up = _in_words(spread, text), _in_words(catching_up, text)
    if listed == "sigma":
        columns = {"year": "{}", "hubs": "{}", "mean": "{:.1f}", "variation": "{:.4f}", "log_spread": "{:.4f}"}
        show_analysis(spread, title, columns | {"missing": "{}"}, chosen, tongue, [text["remark_pooled"]])
        return
    columns = dict.fromkeys(("kind", "first_period", "last_period", "hubs"), "{}")
    columns |= dict.fromkeys(("slope", "slope_se", "slope_se_robust", "p_value", "r_squared", "speed"), "{:.4f}")
    columns |= {"half_life_years": "{:.1f}", "missing": "{}"}
    show_analysis(catching_up, title, columns, chosen, tongue, [text["remark_pooled"]])


def _words_of_agreement(rows: "pl.DataFrame", text: Mapping[str, str]) -> "pl.DataFrame":
    import polars as pl

    words = {True: text["agrees_yes"], False: text["agrees_no"]}
    return rows.with_columns(pl.col("agrees").replace_strict(words, default=None, return_dtype=pl.String))


def _in_words(rows: "pl.DataFrame", text: Mapping[str, str]) -> "pl.DataFrame":
    """Codes of `kind` and `missing` as words, where the rows have such columns."""
    import polars as pl

    starts = {"kind": "convergence_", "missing": "missing_"}
    return rows.with_columns(
        pl.col(name).replace({key.removeprefix(start): word for key, word in text.items() if key.startswith(start)})
        for name, start in starts.items()
        if name in rows.columns
    )
