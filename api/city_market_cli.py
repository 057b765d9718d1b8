"""The commands `greenfin city-market` and `greenfin attribution`: the carbon market by city.

Knows the commands, their options and which columns people see. Computes nothing. Imports what a command needs inside
the command, so that `--help` stays quick.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api import DEFAULT_YEAR
from api.lang import texts
from api.opened import store_of_settings
from api.options import FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.city_market import PrintedFacts
    from api.output import Format
    from carbon.attribution import By

city_market_app = typer.Typer(rich_markup_mode=None)

_LISTS: Final = ("periods", "facts")
_WORDING: Final = 25
_FORMS: Final[Mapping[str, Callable[[Any], str]]] = {
    "t": lambda value: f"{value:,}",
    "number": lambda value: f"{value:,.0f}",
    "cny": lambda value: f"{value / 1e8:,.2f}",
    "share": lambda value: f"{value:.1%}",
    "percent": lambda value: f"{value:+.1f}",
    "count": lambda value: str(value.count(";") + 1),
}
# Label -> column and how it is shown: t (whole tonnes), cny (fen in millions of CNY), share (per cent) or as it is.
_CITY: Final[Mapping[str, tuple[str, str]]] = {
    "period": ("period", "text"),
    "city_custody": ("custody_volume_t", "t"),
    "city_settled": ("settled_value_fen", "cny"),
    "city_custody_share": ("custody_share_of_national", "share"),
    "city_screen": ("pilot_screen_volume_t", "t"),
    "city_all_venue": ("pilot_all_venue_volume_t", "t"),
    "city_pilot_share": ("pilot_share", "share"),
    "city_pilot_share_at_most": ("pilot_share_at_most", "share"),
    "city_pilots_missing": ("pilots_missing", "count"),
    "city_pilots_partial": ("pilots_partial", "count"),
}
_ATTRIBUTION: Final[Mapping[str, tuple[str, str]]] = {
    "period": ("period", "text"),
    "city_traded": ("traded_volume_t", "t"),
    "city_traded_value": ("traded_value_fen", "cny"),
    "city_custody": ("custody_volume_t", "t"),
    "city_settled": ("settled_value_fen", "cny"),
    "city_holdings": ("holdings_t", "t"),
    "city_verified": ("verified_t", "t"),
    "city_due": ("due_t", "t"),
    "city_surrendered": ("surrendered_t", "t"),
    "city_offsets": ("offsets_used_t", "t"),
    "city_participants": ("participants", "t"),
}
_FACTS: Final[Mapping[str, tuple[str, str]]] = {
    "fact_as_of": ("as_of", "text"),
    "fact_place": ("place", "text"),
    "fact_fact": ("fact", "wording"),
    "fact_printed": ("value", "number"),
    "unit": ("unit", "text"),
    "fact_venue": ("venue", "text"),
    "fact_computed": ("computed", "number"),
    "fact_difference": ("difference_percent", "percent"),
    "fact_status": ("status", "text"),
}


@city_market_app.command("city-market")
def city_market(
    hub: Annotated[str, typer.Argument(help="Slug, name in either language, or GB/T 2260 code.")],
    by: Annotated[str, typer.Option("--by", help="day, month or year; days and months need loaded files.")] = "year",
    first: Annotated[str | None, typer.Option("--from", help="Only periods that end on this day or later.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Only periods that begin on this day or earlier.")] = None,
    facts: Annotated[
        Path | None,
        typer.Option("--facts", help="CSV of printed facts: as_of, place, fact, value, unit, note, source."),
    ] = None,
    listed: Annotated[
        str, typer.Option("--list", help="For JSON and CSV: periods, or the facts beside our figures.")
    ] = "periods",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """A city's part of the carbon market: custody, its pilot exchange on screen and at all venues, and its shares."""
    from api import city_market as verbs
    from api.output import write_rows
    from api.registry.options import day_of

    chosen, text = format_of(form), texts("cli", lang_of(lang))
    if listed not in _LISTS:
        raise typer.BadParameter(f"found {listed!r}; expected {' or '.join(_LISTS)}", param_hint="--list")
    if listed == "facts" and facts is None:
        raise typer.BadParameter(
            "found no --facts; expected the file whose facts are to be listed", param_hint="--list"
        )
    period, days = _by(by, ("day", "month", "year")), (day_of(first, "--from"), day_of(last, "--to"))
    store = store_of_settings()
    beside = None if facts is None else verbs.printed_facts(store, facts)
    rows = verbs.city_market(store, hub, period, *days)
    if chosen != "table":
        write_rows(beside.facts if beside is not None and listed == "facts" else rows, chosen)
    else:
        _show(rows, text["title_city_market"].format(hub=hub), _CITY, text)
    if beside is not None:
        _tell_facts(beside, chosen, text)


def _tell_facts(beside: "PrintedFacts", form: "Format", text: Mapping[str, str]) -> None:
    """The facts that daily figures answer as a table for people; the others, and what is wrong with the file, as
    remarks."""
    import polars as pl

    from api.output import write_lines

    others = pl.col("status") == "unmatched"
    if form == "table":
        write_lines([""], form)
        _show(beside.facts.filter(~others), text["title_city_facts"], _FACTS, text)
    left = beside.facts.filter(others)
    lines = [
        text["fact_left"].format(row=row, as_of=as_of, place=place, fact=fact, reason=reason)
        for row, as_of, place, fact, reason in left.select("row", "as_of", "place", "fact", "reason").iter_rows()
    ]
    write_lines(["", text["facts_unmatched"].format(count=left.height), *lines, *map(str, beside.problems)], form)


@city_market_app.command()
def attribution(
    year: Annotated[int, typer.Option("--year", min=1990, max=2100, help="Calendar year.")] = DEFAULT_YEAR,
    by: Annotated[str, typer.Option("--by", help="year or month; months need loaded files.")] = "year",
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Last day of the registry that counts; today without it.")
    ] = None,
    sums: Annotated[bool, typer.Option("--sums", help="Each column's sum beside its national figure instead.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """The carbon market by city: trades, custody, and what holders hold and owe. Each column adds up nationally."""
    from api import city_market as verbs
    from api import screens
    from api.output import write_lines, write_rows
    from api.registry.options import day_of

    chosen, tongue = format_of(form), lang_of(lang)
    text, period, day = texts("cli", tongue), _by(by, ("year", "month")), day_of(as_of, "--as-of")
    store = store_of_settings()
    if sums:
        found = verbs.attribution_sums(store, year, period, day)
        screens.show_table(found, text["title_attribution_sums"].format(year=year), chosen, tongue)
        return
    rows = verbs.attribution(store, year, period, day)
    if chosen != "table":
        write_rows(rows, chosen)
        return
    columns = {"city": (f"name_{tongue}", "text"), **_ATTRIBUTION}
    told = _with_something(rows)
    _show(told, text["title_attribution"].format(year=year), columns, text)
    write_lines([text["attribution_nothing"].format(count=rows.height - told.height)], chosen)


def _with_something(rows: "pl.DataFrame") -> "pl.DataFrame":
    """Rows with a figure other than zero or with a market that has none, and those of no known city."""
    import polars as pl

    numbers = [name for name, kind in _ATTRIBUTION.values() if kind != "text"]
    some = pl.any_horizontal(pl.col(numbers).fill_null(0) != 0)
    return rows.filter(some | pl.col("hub").is_null() | pl.col("traded_missing").is_not_null())


def _by(name: str, allowed: "tuple[By, ...]") -> "By":
    for known in allowed:
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected {', '.join(allowed)}", param_hint="--by")


def _show(rows: "pl.DataFrame", title: str, columns: Mapping[str, tuple[str, str]], text: Mapping[str, str]) -> None:
    """The chosen columns for people; those that are empty throughout are left out."""
    from api.output import write_table

    filled = {
        label: (name, kind)
        for label, (name, kind) in columns.items()
        if rows.height == 0 or rows[name].null_count() < rows.height
    }
    table = rows.select(_cell(name, kind).alias(text[label]) for label, (name, kind) in filled.items())
    numbers = frozenset(text[label] for label, (_, kind) in filled.items() if kind != "text")
    write_table(table, title, numbers)


def _cell(name: str, kind: str) -> "pl.Expr":
    import polars as pl

    column = pl.col(name)
    if kind == "text":
        return column.cast(pl.String)
    if kind == "wording":
        cut = column.str.slice(0, _WORDING) + "..."
        return pl.when(column.str.len_chars() > _WORDING).then(cut).otherwise(column)
    return column.map_elements(_FORMS[kind], return_dtype=pl.String)
