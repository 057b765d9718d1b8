"""The commands `greenfin load trade-records` and `greenfin trades`: single trades in, statistics out.

Knows commands, options and how the figures look to people. What is computed lives in `carbon.trades`. Imports what
a command needs inside the command, so that `--help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, get_args

import typer

from api.bulk_loads import EngineOption, lake_of_settings, load_files
from api.lang import texts
from api.options import NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from carbon.listed import Split

Name = TypeVar("Name", bound=str)

MarketsOption = Annotated[
    list[str] | None, typer.Option("--market", help="Key or product code, may be repeated; all without it.")
]
SplitOption = Annotated[str, typer.Option("--split", help="Parts kept apart: vintage, method, or both with a comma.")]

trades_app = typer.Typer(help="Statistics of single trades.", no_args_is_help=True, rich_markup_mode=None)


@trades_app.callback()
def trades() -> None:
    """Statistics of single trades."""


@trades_app.command()
def summary(
    by: Annotated[
        str, typer.Option("--by", help="day, week (ISO), month, quarter, year or all; who traded from month up.")
    ] = "month",
    market: MarketsOption = None,
    split: SplitOption = "",
    allowances: Annotated[
        Path | None,
        typer.Option("--allowances", help="CSV of market, period, allowances_t, source: adds the turnover."),
    ] = None,
    engine: EngineOption = "local",
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Volume, prices, returns, volatility, liquidity, spread, blocks, concentration and participants of the trades.

    Figures of prices are those of market-statistics, where the last listed trade of a day closes it. Participants are
    summed by month: by day and week their number and concentration are empty. Sums of each file are kept beside the
    table: another time only new files are read. An engine other than local needs the extra [spark], Java 17 and a lake
    that every worker sees under the same path.
    """
    from api.output import progress_bar, write_rows, write_table
    from carbon.periods import Span
    from carbon.trades.executors import open_engine
    from carbon.trades.summary import NoTrades, summarise_trades
    from carbon.turnover import read_allowances

    chosen, tongue = format_of(form), lang_of(lang)
    period, parts = _as_period(by, get_args(Span)), _as_split(split)
    known = None if allowances is None else read_allowances(allowances)
    with open_engine(engine) as running, progress_bar() as progress:
        task = progress.add_task(engine, total=None)
        try:
            found = summarise_trades(
                lake_of_settings(),
                by=period,
                split=parts,
                markets=market or None,
                allowances=known,
                engine=running,
                progress=lambda done, files: progress.update(task, completed=done, total=files),
            )
        except NoTrades as error:
            typer.echo(f"greenfin: {error}", err=True)
            raise typer.Exit(NOT_FOUND) from None
    if chosen != "table":
        write_rows(found.rows, chosen)
        return
    text = texts("cli", tongue)
    table = _table(found.rows, parts, text)
    title = text["trades_title"].format(files=found.files, read=found.files_read)
    write_table(table, title, frozenset(table.columns) - {text["trades_market"]}, frozenset(table.columns))


@trades_app.command()
def participants(
    by: Annotated[str, typer.Option("--by", help="month, quarter, year or all.")] = "year",
    market: MarketsOption = None,
    split: SplitOption = "",
    top: Annotated[int, typer.Option("--top", min=1, help="So many of each market and period, in a table.")] = 10,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """What each participant bought and sold, the largest first; one without a code is nobody known.

    A name is shown as the file that was loaded writes it: mind who may see it. Sums are kept by month: no day, no week.
    """
    import polars as pl

    from api.output import write_rows, write_table
    from api.screens import decimals
    from carbon.trades.names import read_names
    from carbon.trades.summary import NoTrades, sum_files
    from carbon.trades.sums import PartySpan
    from carbon.trades.sums import participants as sums_of_participants

    chosen, text = format_of(form), texts("cli", lang_of(lang))
    period, parts = _as_period(by, get_args(PartySpan)), _as_split(split)
    try:
        summed = sum_files(lake_of_settings(), split=parts, markets=market or None)
    except NoTrades as error:
        typer.echo(f"greenfin: {error}", err=True)
        raise typer.Exit(NOT_FOUND) from None
    rows = sums_of_participants(summed.parts, by=period, split=parts, names=read_names(lake_of_settings()))
    if chosen != "table":
        write_rows(rows, chosen)
        return
    first = rows.filter(pl.int_range(pl.len()).over("market", "period", *parts) < top)
    table = first.select(
        pl.col("market").alias(text["trades_market"]),
        pl.col("period").alias(text["period"]),
        *(pl.col(part).alias(text[part]) for part in parts),
        pl.coalesce("name", pl.col("participant").cast(pl.String), pl.lit(text["trades_unknown"])).alias(
            text["trades_participant"]
        ),
        *(
            pl.col(name)
            .map_elements(lambda tonnes: f"{tonnes:,}", return_dtype=pl.String)
            .alias(text[f"trades_{name}"])
            for name in ("bought_t", "sold_t", "net_t")
        ),
        decimals("bought_share", 4).alias(text["trades_bought_share"]),
        decimals("sold_share", 4).alias(text["trades_sold_share"]),
    )
    write_table(table, text["trades_participants_title"], frozenset(table.columns) - {text["trades_market"]})


def load_trade_records(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of single trades (.csv, .parquet).")],
    market: Annotated[
        str | None, typer.Option("--market", help="Market of files without a column market; key or product code.")
    ] = None,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Read files of single trades, columns by name; list rows that break a rule; keep the good ones.

    Columns: time (or time_us), market, product, method, vintage, buyer, seller, price_cny (or price_fen), quantity_t;
    one of each. Buyers and sellers are whole numbers or names, one kind a file: names under buyer_name and seller_name,
    or where no cell is a whole number. Names are kept in the lake as they are written: load codes where they are
    nobody's business. The same file again changes nothing.
    """
    from carbon.trades.summary import load_trade_records as load

    lake = lake_of_settings()
    load_files(
        files,
        lambda path, progress: load(lake, path, market=market, progress=progress),
        loaded="trades_loaded",
        lang=lang,
        form=form,
    )


def _as_period(name: str, known: "tuple[Name, ...]") -> "Name":
    for period in known:
        if name == period:
            return period
    raise typer.BadParameter(f"found {name!r}; expected {', '.join(known)}", param_hint="--by")


def _as_split(text: str) -> "tuple[Split, ...]":
    known: tuple[Literal["vintage", "method"], ...] = ("vintage", "method")
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in known]
    if unknown:
        raise typer.BadParameter(f"found {unknown[0]!r}; expected {' or '.join(known)}", param_hint="--split")
    return tuple(part for part in known if part in wanted)


def _table(rows: "pl.DataFrame", parts: tuple[str, ...], text: "Mapping[str, str]") -> "pl.DataFrame":
    """What people see: the most used figures, tonnes with thousands signs and values in millions."""
    import polars as pl

    from api.screens import decimals

    with_turnover = rows["turnover"].count() > 0
    return rows.select(
        pl.col("market").alias(text["trades_market"]),
        pl.col("period").alias(text["period"]),
        *(pl.col(part).alias(text[part]) for part in parts),
        pl.col("volume_t").map_elements(lambda tonnes: f"{tonnes:,}", return_dtype=pl.String).alias(text["volume_t"]),
        (pl.col("value_fen") / 1e8).alias(text["value_million_cny"]),
        decimals("vwap_cny_per_t", 2).alias(text["vwap_cny_per_t"]),
        decimals("volatility_annual", 3).alias(text["volatility_annual"]),
        pl.col("participants").alias(text["trades_participants"]),
        decimals("buyer_hhi", 4).alias(text["trades_buyer_hhi"]),
        decimals("seller_hhi", 4).alias(text["trades_seller_hhi"]),
        *([decimals("turnover", 4).alias(text["trades_turnover"])] if with_turnover else []),
    )
