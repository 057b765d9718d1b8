"""The commands `greenfin city-emissions` and `greenfin decoupling`: what a city emits, and does it part from growth.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.lang import texts
from api.opened import store_of_settings
from api.options import INVALID_DATA, FormatOption, HubArgument, LangOption, YearsOption, format_of, lang_of, years_of

if TYPE_CHECKING:
    import polars as pl


emissions_app = typer.Typer(rich_markup_mode=None)

_LISTS: Final = ("years", "trends", "sums")
_PARTS: Final = ("year", "period", "sector", "entity", "category", "activity", "gas")
_FIRST, _LAST = 1990, 2100
_FORMS: Final[Mapping[str, Callable[[Any], str]]] = {
    "mt": lambda value: f"{value / 1e6:,.2f}",
    "t": lambda value: f"{value:,.1f}",
    "two": lambda value: f"{value:.2f}",
    "three": lambda value: f"{value:.3f}",
    "change": lambda value: f"{value:+.1%}",
    "share": lambda value: f"{value:.2%}",
    "count": lambda value: f"{value:,}",
}
# Label -> column and how it is shown; those that are empty throughout are left out.
_YEARS: Final[Mapping[str, tuple[str, str]]] = {
    "period": ("period", "text"),
    "emissions_edgar_mt": ("edgar_t", "mt"),
    "emissions_ceads_mt": ("ceads_t", "mt"),
    "emissions_ratio": ("ratio", "two"),
    "emissions_edgar_per_gdp": ("edgar_t_per_10k_cny", "three"),
    "emissions_ceads_per_gdp": ("ceads_t_per_10k_cny", "three"),
    "emissions_edgar_per_head": ("edgar_t_per_head", "two"),
    "emissions_ceads_per_head": ("ceads_t_per_head", "two"),
    "emissions_edgar_change": ("edgar_change", "change"),
    "emissions_ceads_change": ("ceads_change", "change"),
}
# The footprints beside them, in a table of their own: so many columns fit no screen.
_FOOTPRINTS: Final[Mapping[str, tuple[str, str]]] = {
    "period": ("period", "text"),
    "emissions_bottom_up_entities": ("bottom_up_entities", "count"),
    "emissions_scope_1": ("bottom_up_scope_1_t", "t"),
    "emissions_scope_2_location": ("bottom_up_scope_2_location_t", "t"),
    "emissions_scope_2_market": ("bottom_up_scope_2_market_t", "t"),
    "emissions_scope_3": ("bottom_up_scope_3_t", "t"),
    "emissions_share_of_edgar": ("bottom_up_share_of_edgar", "share"),
}
_TRENDS: Final[Mapping[str, tuple[str, str]]] = {
    "emissions_measure": ("measure", "measure"),
    "emissions_series": ("series", "series"),
    "emissions_first": ("first_year", "text"),
    "emissions_last": ("last_year", "text"),
    "emissions_change_3y": ("change_3y", "change"),
    "emissions_change_whole": ("change_whole", "change"),
    "emissions_slope": ("slope", "change"),
    "emissions_slope_se": ("slope_se", "share"),
    "emissions_missing_years": ("missing_years", "text"),
}
_SUMS: Final[Mapping[str, tuple[str, str]]] = {
    **{f"emissions_{part}": (part, "text") for part in _PARTS},
    "emissions_scope": ("scope", "text"),
    "emissions_method": ("method", "way"),
    "emissions_entities": ("entities", "count"),
    "emissions_co2e": ("co2e_t", "t"),
    "emissions_biogenic": ("biogenic_t", "t"),
}
_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "emissions_series": ("series", "series"),
    "emissions_from": ("from_year", "text"),
    "emissions_year": ("year", "text"),
    "emissions_change": ("emissions_change", "change"),
    "emissions_gdp_change": ("gdp_change", "change"),
    "emissions_elasticity": ("elasticity", "two"),
    "emissions_state": ("state", "text"),
    "emissions_missing": ("missing", "lacks"),
}


@emissions_app.command("city-emissions")
def city_emissions(
    hub: HubArgument,
    years: YearsOption = None,
    listed: Annotated[
        str, typer.Option("--list", help="years, trends, or sums (of the footprints, by --by and scope).")
    ] = "years",
    by: Annotated[str, typer.Option("--by", help=f"For sums, some of: {', '.join(_PARTS)}; by comma.")] = "year,sector",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """A city's carbon dioxide by two inventories, their disagreement, intensity, trend, and its footprints beside."""
    from api import emission_words, emissions
    from api.output import write_lines, write_rows

    chosen, tongue = format_of(form), lang_of(lang)
    text, wanted = texts("cli", tongue), years_of(years)
    if listed not in _LISTS:
        raise typer.BadParameter(f"found {listed!r}; expected {', '.join(_LISTS)}", param_hint="--list")
    parts = _parts(by)
    store = store_of_settings()
    rows = emissions.city_emissions(store, hub, wanted)
    tables = {
        "years": lambda: (rows, _YEARS),
        "trends": lambda: (emissions.trends(store, hub, wanted), _TRENDS),
        "sums": lambda: (emissions.bottom_up(store, hub, parts, wanted), _SUMS),
    }
    table, columns = tables[listed]()
    if chosen != "table":
        write_rows(table, chosen)
        return
    _show(table, text[f"title_emissions_{listed}"].format(hub=_name_of(hub, tongue)), columns, text)
    footprints = rows.drop_nulls("bottom_up_entities")
    if listed == "years" and footprints.height:
        write_lines([""], chosen)
        _show(footprints, text["title_emissions_footprints"].format(hub=_name_of(hub, tongue)), _FOOTPRINTS, text)
    said = [emission_words.standing_apart(rows, tongue)]
    if listed != "sums":
        steps = emissions.decoupling(store, hub, wanted).rows
        said = [*emission_words.disagreement(rows, steps, tongue), *said, *_sources(rows)]
    write_lines(["", *said], chosen)


@emissions_app.command()
def decoupling(
    hub: HubArgument,
    years: YearsOption = None,
    base: Annotated[
        int | None,
        typer.Option("--base", min=_FIRST, max=_LAST, help="Every year against this one, not the year before."),
    ] = None,
    deflator: Annotated[
        Path | None, typer.Option("--deflator", help="CSV of price indices: year, deflator, and hub if for several.")
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Do a city's emissions part from its growth? Tapio's elasticity and its eight named states, by inventory."""
    from api import emission_words, emissions
    from api.output import write_lines, write_rows

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    told = emissions.decoupling(store_of_settings(), hub, years_of(years), base, deflator)
    if chosen != "table":
        write_rows(told.rows, chosen)
    else:
        columns = {**_STATES, "emissions_state": (f"state_{tongue}", "text")}
        _show(told.rows, text["title_decoupling"].format(hub=_name_of(hub, tongue)), columns, text)
    write_lines(["", emission_words.prices(told.rows, tongue), *map(str, told.problems)], chosen)
    if any(problem.severity == "error" for problem in told.problems):
        raise typer.Exit(INVALID_DATA)


def _name_of(hub: str, lang: str) -> str:
    """What people call a city, whichever of its names was given. Raises UnknownHub."""
    from fhi.hubs import find_hub, hubs

    return str(hubs().filter(hub=find_hub(hub))[f"name_{lang}"][0])


def _parts(by: str) -> list[str]:
    parts = [part.strip() for part in by.split(",") if part.strip()]
    unknown = [part for part in parts if part not in _PARTS]
    if unknown or len(set(parts)) < len(parts):
        raise typer.BadParameter(f"found {by!r}; expected some of {', '.join(_PARTS)}, each once", param_hint="--by")
    return parts


def _sources(rows: "pl.DataFrame") -> list[str]:
    """Who published the inventories shown."""
    return [
        str(source)
        for name in ("edgar_source", "ceads_source")
        for source in rows[name].drop_nulls().unique(maintain_order=True)
    ]


def _show(rows: "pl.DataFrame", title: str, columns: Mapping[str, tuple[str, str]], text: Mapping[str, str]) -> None:
    """The chosen columns for people; those that are empty throughout are left out."""
    from api.output import write_table

    filled = {
        label: (name, kind)
        for label, (name, kind) in columns.items()
        if name in rows.columns and (rows.height == 0 or rows[name].null_count() < rows.height)
    }
    table = rows.select(_cell(name, kind, text).alias(text[label]) for label, (name, kind) in filled.items())
    numbers = frozenset(text[label] for label, (_, kind) in filled.items() if kind in _FORMS)
    write_table(table, title, numbers, frozenset())


def _cell(name: str, kind: str, text: Mapping[str, str]) -> "pl.Expr":
    """A column as text: a number in its form, else the words for the codes in it where there are any."""
    import polars as pl

    column = pl.col(name)
    if kind in _FORMS:
        return column.map_elements(_FORMS[kind], return_dtype=pl.String)
    start = f"emissions_{kind}_"
    words = {key.removeprefix(start): word for key, word in text.items() if key.startswith(start)}
    if not words:
        return column.cast(pl.String)
    return column.str.split("; ").list.eval(pl.element().replace(words)).list.join("; ")
