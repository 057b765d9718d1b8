"""The command `greenfin market-statistics`: loaded trading by period, vintage, method and product.

Knows the command, its options and which columns people see. Computes nothing: the measures live in `carbon.periods`,
`carbon.turnover` and `carbon.garch`. Imports what the command needs inside it, so that `--help` stays quick.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from api.lang import Lang, texts
from api.options import INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    import polars as pl

    from api.market_rates import Currency
    from api.output import Format
    from carbon.listed import Split
    from carbon.periods import By

statistics_app = typer.Typer(rich_markup_mode=None)


@statistics_app.command("market-statistics")
def market_statistics(
    names: Annotated[
        list[str] | None,
        typer.Option("--market", help="Key or product code, such as CEA or HBEA; again for more; all without it."),
    ] = None,
    by: Annotated[str, typer.Option("--by", help="day, month, quarter, year or all.")] = "year",
    split: Annotated[
        str, typer.Option("--split", help="Parts kept apart: vintage, method, product, or several with commas.")
    ] = "",
    feeds: Annotated[
        list[str] | None, typer.Option("--feed", help="Feed that counts before the others; again for the next.")
    ] = None,
    allowances: Annotated[
        Path | None,
        typer.Option("--allowances", help="CSV of market, period, allowances_t, source: adds the turnover."),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option("--currency", help="EUR or USD: value and VWAP in it too, at loaded rates; none without it."),
    ] = None,
    garch: Annotated[
        bool, typer.Option("--garch", help="Fit GARCH(1,1) to all returns instead (pip install 'greenfin[garch]').")
    ] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Statistics of loaded trading by period, and by vintage, method or product.

    Prices and returns are those of listed trading; figures that a feed does not allow are empty, never zero. A figure
    in another currency has the rate of the last day with trades beside it, or the latest before it, and its day.
    """
    from carbon.garch import garch_table
    from carbon.listed import listed_days, traded_rows
    from carbon.market import FEED_PRIORITY
    from carbon.periods import market_statistics as statistics
    from carbon.turnover import add_turnover, read_allowances

    chosen, tongue = format_of(form), lang_of(lang)
    period, parts, target = _period_of(by), _parts_of(split), _currency_of(currency)
    if garch and target is not None:
        raise typer.BadParameter("found with --garch; returns have no currency", param_hint="--currency")
    known = None if allowances is None else read_allowances(allowances)
    rows = _loaded_rows(names or [], tongue)
    order = [*(feeds or []), *[feed for feed in FEED_PRIORITY if feed not in (feeds or [])]]
    _check_feeds(feeds or [], rows)
    if garch:
        fits = garch_table(listed_days(traded_rows(rows, order), parts), ["market", *parts])
        _show_fits(fits, chosen, tongue)
        return
    found = statistics(rows, by=period, split=parts, feeds=order)
    turned = found if known is None else add_turnover(found, known)
    if target is None:
        _show(turned, parts, chosen, tongue)
    else:
        _show_in_currency(_converted(turned, target), parts, target, chosen, tongue)


def _period_of(name: str) -> "By":
    from carbon.periods import By

    periods: tuple[By, ...] = get_args(By)
    for known in periods:
        if name == known:
            return known
    raise typer.BadParameter(f"found {name!r}; expected {', '.join(periods)}", param_hint="--by")


def _currency_of(name: str | None) -> "Currency | None":
    from api.market_rates import Currency

    currencies: tuple[Currency, ...] = get_args(Currency)
    for known in currencies:
        if name is not None and name.upper() == known:
            return known
    if name is not None:
        raise typer.BadParameter(f"found {name!r}; expected {', '.join(currencies)}", param_hint="--currency")
    return None


def _converted(rows: "pl.DataFrame", target: "Currency") -> "pl.DataFrame":
    """Statistics with value and VWAP in another currency, at the rates of the store that the environment names."""
    from api.market_rates import with_currency
    from api.settings import Settings
    from api.store import open_store

    store = open_store(Settings.from_env(os.environ))
    try:
        return with_currency(store, rows, target)
    finally:
        store.close()


def _parts_of(text: str) -> "list[Split]":
    """The parts of a list with commas, in the order of the columns. Raises typer.BadParameter."""
    from carbon.listed import Split

    parts: tuple[Split, ...] = get_args(Split)
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in parts]
    if unknown:
        raise typer.BadParameter(f"found {unknown[0]!r}; expected {', '.join(parts)}", param_hint="--split")
    return [part for part in parts if part in wanted]


def _check_feeds(feeds: list[str], rows: "pl.DataFrame") -> None:
    loaded = rows["feed"].unique().sort().to_list()
    unknown = [feed for feed in feeds if feed not in loaded]
    if unknown:
        raise typer.BadParameter(f"found {unknown[0]!r}; loaded are {', '.join(loaded)}", param_hint="--feed")


def _loaded_rows(names: list[str], lang: Lang) -> "pl.DataFrame":
    """The rows of these markets, or of all loaded ones; a market without rows ends the command with exit code 3."""
    import polars as pl

    from api.settings import Settings
    from carbon.embedded import resolve_market
    from carbon.lake import lake_markets, read_rows

    lake = Settings.from_env(os.environ).lake
    loaded = lake_markets(lake)
    wanted = sorted({resolve_market(name) for name in names}) or loaded
    absent = [market for market in wanted if market not in loaded]
    if absent or not wanted:
        text = texts("cli", lang)
        message = text["no_rows_of"].format(markets=", ".join(absent)) if absent else text["no_rows_at_all"]
        typer.echo(f"greenfin: {message}", err=True)
        raise typer.Exit(NOT_FOUND)
    return pl.concat([read_rows(lake, market) for market in wanted])


def _show(rows: "pl.DataFrame", parts: "list[Split]", form: "Format", lang: Lang) -> None:
    """The whole frame for programs; for people what fits a screen, in CNY and per cent."""
    import polars as pl

    from api.output import share, write_rows, write_table
    from api.screens import decimals
    from carbon.units import cny_from_fen_expr

    if form != "table":
        write_rows(rows, form)
        return
    text = texts("cli", lang)
    several = ["market"] if rows["market"].n_unique() > 1 else []
    names = [*several, "period", *parts]
    # How steadily a part trades says little; its room is needed for the names of parts.
    wanted = ["block_share", "turnover"] if parts or several else ["continuity", "block_share", "turnover"]
    shares = [name for name in wanted if name in rows.columns]
    figures = rows.with_columns(cny_from_fen_expr("close_fen_per_t").alias("close")).select(
        pl.col("volume_t").map_elements(lambda tonnes: f"{tonnes:,}", return_dtype=pl.String).alias(text["volume_t"]),
        decimals("vwap_cny_per_t", 2).alias(text["vwap_cny_per_t"]),
        decimals("close", 2).alias(text["close"]),
        pl.col("sessions").alias(text["sessions"]),
        *[pl.col(name).map_elements(share, return_dtype=pl.String).alias(text[name]) for name in shares],
        decimals("block_discount_median", 4).alias(text["block_discount"]),
        decimals("volatility_annual", 3).alias(text["volatility_annual"]),
        decimals("amihud_per_million_cny", 3).alias(text["amihud"]),
        decimals("roll_spread_cny_per_t", 3).alias(text["roll_spread"]),
    )
    labels = rows.select(pl.col(name).cast(pl.String).alias(text[name]) for name in names)
    whole = frozenset([text["volume_t"], text["volatility_annual"], *labels.columns])
    title = text["title_market_statistics"].format(markets=", ".join(rows["market"].unique().sort()))
    write_table(labels.hstack(figures), title, frozenset(figures.columns), whole)


def _show_in_currency(
    rows: "pl.DataFrame", parts: "list[Split]", target: "Currency", form: "Format", lang: Lang
) -> None:
    """The whole frame for programs; for people value and VWAP in both currencies, the rate, its day, and below why one
    is missing.
    """
    import polars as pl

    from api.output import NONE, write_lines, write_rows, write_table
    from api.screens import decimals
    from carbon.fx import MAX_AGE_DAYS
    from carbon.units import cny_from_fen_expr

    if form != "table":
        write_rows(rows, form)
        return
    text = texts("cli", lang)
    # A rate of an earlier day carries a mark, which the line below explains.
    mark = pl.when("rate_carried_forward").then(pl.lit("*")).otherwise(pl.lit(""))
    figures = rows.with_columns(cny_from_fen_expr("value_fen").alias("value_cny")).select(
        pl.col("volume_t").map_elements(lambda tonnes: f"{tonnes:,}", return_dtype=pl.String).alias(text["volume_t"]),
        decimals("value_cny", 2).alias(text["statistics_value"]),
        decimals("value_in_currency", 2).alias(text["statistics_value_in"].format(currency=target)),
        decimals("vwap_cny_per_t", 2).alias(text["vwap_cny_per_t"]),
        decimals("vwap_in_currency_per_t", 2).alias(text["statistics_vwap_in"].format(currency=target)),
        decimals("rate", 6).alias(text["statistics_rate"].format(currency=target)),
        pl.format("{}{}", pl.col("rate_day").cast(pl.String).fill_null(NONE), mark).alias(text["statistics_rate_day"]),
    )
    names = [*(["market"] if rows["market"].n_unique() > 1 else []), "period", *parts]
    labels = rows.select(pl.col(name).cast(pl.String).alias(text[name]) for name in names)
    markets = ", ".join(rows["market"].unique().sort())
    title = text["title_in_currency"].format(markets=markets, currency=target)
    write_table(labels.hstack(figures), title, frozenset(figures.columns))
    carried = [text["statistics_rate_carried"]] if rows["rate_carried_forward"].any() else []
    reason = text["statistics_no_rate"].format(currency=target, days=MAX_AGE_DAYS)
    write_lines([*carried, *([reason] if rows["rate_note"].drop_nulls().len() else [])], form)


def _show_fits(fits: "pl.DataFrame", form: "Format", lang: Lang) -> None:
    """The fits and, for people, the reason of every refusal below; exit code 4 where nothing could be fitted."""
    import polars as pl

    from api.output import NONE, write_lines
    from api.screens import show_table

    text = texts("cli", lang)
    technical = ("scale", "converged", "backcast", "reason")
    show_table(fits if form != "table" else fits.drop(technical), text["title_garch"], form)
    key = fits.columns[: fits.columns.index("first_day")]
    refused = fits.filter(pl.col("reason").is_not_null())
    for row in refused.select(*key, "reason").iter_rows():
        write_lines([" ".join(NONE if value is None else str(value) for value in row[:-1]) + f": {row[-1]}"], form)
    if any(fits["integrated"].drop_nulls()):
        write_lines([text["garch_integrated"]], form)
    if refused.height == fits.height:
        raise typer.Exit(INVALID_DATA)
