"""The commands `greenfin reconcile` and `greenfin anomalies`: sources of one market against each other and the rules.

Knows the commands, their options and which columns people see. Computes nothing: that is done in
`carbon.reconciliation` and `carbon.anomalies`. Imports what a command needs inside it: `--help` stays quick.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.lang import Lang, texts
from api.options import FAILED, INVALID_DATA, NOT_FOUND, FormatOption, LangOption, format_of, lang_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from api.output import Format
    from carbon.errors import Problem
    from carbon.reconciliation.reconciling import Reconciliation, Sources

_SHOWN_DIFFERENCES: Final = 40

reconcile_app = typer.Typer(rich_markup_mode=None)

FilesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE...]", help="Trading and price files of any known layout; what is loaded without one."
    ),
]
MarketOption = Annotated[str, typer.Option("--market", help="Market or product code, such as CEA or HBEA.")]


@reconcile_app.command("reconcile")
def reconcile(
    market_name: MarketOption,
    files: FilesArgument = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="CSV of printed sums: day, volume_t, value_cny, and from, market, source."),
    ] = None,
    by_year: Annotated[bool, typer.Option("--by-year", help="Agreement of two sources by year as well.")] = False,
    differences: Annotated[
        bool, typer.Option("--differences", help="Every difference by day instead of one line a check.")
    ] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """Hold files of one market against each other: sums that must be equal, printed sums, and days on which two agree.

    Ends with 4 where a sum that must be exact is not; two sources may differ. Ends with 1 where a file holds no row or
    price of the market that can be used, with 3 where nothing is loaded.
    """
    import polars as pl

    from carbon.reconciliation.assertions import read_assertions
    from carbon.reconciliation.reconciling import printed_sums
    from carbon.reconciliation.reconciling import reconcile as reconcile_sources

    chosen, tongue = format_of(form), lang_of(lang)
    sources = _sources(files or [], market_name, tongue)
    sums = [printed_sums(market_name)]
    if against is not None:
        sums.append(read_assertions(against, market_name))
    found = reconcile_sources(sources, pl.concat(sums), by_year=by_year)
    _show_reconciliation(found, sources, chosen, tongue, only_differences=differences)
    _say_unused(sources.silent, market_name, tongue)
    if not found.holds:
        raise typer.Exit(INVALID_DATA)
    if sources.silent:
        raise typer.Exit(FAILED)


@reconcile_app.command("anomalies")
def anomalies(
    market_name: MarketOption,
    files: FilesArgument = None,
    rates: Annotated[bool, typer.Option("--rates", help="How many rows each rule marks, instead of the rows.")] = False,
    lang: LangOption = "en",
    form: FormatOption = None,
) -> None:
    """List rows that can be read and look wrong: prices beyond the limits, closed days, outliers and more.

    Ends with 1 where a file holds no row of the market that can be used (prices without tonnes are no rows), with 3
    where nothing is loaded.
    """
    from api import screens
    from carbon.anomalies.rules import count_by_rule, find_anomalies

    chosen, tongue = format_of(form), lang_of(lang)
    text = texts("cli", tongue)
    rows = _sources(files or [], market_name, tongue, needs_rows=True).rows
    found = find_anomalies(rows)
    if rates:
        screens.show_table(
            count_by_rule(rows, found), text["title_anomaly_rates"].format(market=market_name), chosen, tongue
        )
    else:
        title = text["title_anomalies"].format(market=market_name, rows=rows.height)
        screens.show_table(found, title, chosen, tongue)
    unused = [path.name for path in files or [] if path.name not in set(rows["file"])]
    _say_unused(unused, market_name, tongue)
    if unused:
        raise typer.Exit(FAILED)


def _sources(files: list[Path], market: str, tongue: Lang, *, needs_rows: bool = False) -> "Sources":
    """What the files hold, or what is loaded; ends with 1 where the files hold nothing of the market, with 3 where
    nothing is loaded.

    needs_rows : prices without tonnes count as nothing
    """
    from carbon.embedded import resolve_market
    from carbon.reconciliation.reconciling import read_sources, sources_of_rows

    key = resolve_market(market)
    if files:
        sources = read_sources(files, key)
    else:
        from api.settings import Settings
        from carbon.lake import read_rows

        sources = sources_of_rows(read_rows(Settings.from_env(os.environ).lake, key))
    if sources.rows.is_empty() and (needs_rows or sources.quotes.is_empty()):
        _say_problems(sources.problems, tongue)
        _say_unused([path.name for path in files], key, tongue)
        if not files:
            typer.echo(texts("cli", tongue)["no_rows_of"].format(markets=key), err=True)
        raise typer.Exit(FAILED if files else NOT_FOUND)
    return sources


def _say_unused(names: "Sequence[str]", market: str, tongue: Lang) -> None:
    """The files of which nothing can be used, on standard error."""
    from carbon.embedded import resolve_market

    text, key = texts("cli", tongue)["no_row_in_file"], resolve_market(market)
    for name in names:
        typer.echo(f"greenfin: {text.format(file=name, market=key)}", err=True)


def _show_reconciliation(
    found: "Reconciliation", sources: "Sources", form: "Format", tongue: Lang, *, only_differences: bool
) -> None:
    from api.output import write_lines, write_rows

    text = texts("cli", tongue)
    if form != "table":
        write_rows(found.differences if only_differences else found.lines, form)
    else:
        if not only_differences:
            _show_lines(found.lines, tongue)
            _show_set_apart(found.lines, tongue)
            write_lines([""], form)
        shown = found.differences if only_differences else _sums_that_differ(found.differences)
        if shown.height or only_differences:
            _show_differences(shown, tongue)
        if shown.height < found.differences.height:
            left = found.differences.height - shown.height
            write_lines([text["reconcile_more"].format(count=left)], form)
    write_lines([text["reconcile_unanswered"].format(**row) for row in _unanswered(found.unanswered)], form)
    _say_problems(sources.problems, tongue)


def _sums_that_differ(differences: "pl.DataFrame") -> "pl.DataFrame":
    """The first differences of sums: two sources differ on so many days that their shares are told instead."""
    import polars as pl

    from carbon.reconciliation.reconciling import TWO_SOURCES

    return differences.filter(pl.col("check") != TWO_SOURCES).head(_SHOWN_DIFFERENCES)


def _unanswered(sums: "pl.DataFrame") -> "list[dict[str, object]]":
    """One entry a reason: how many printed sums, and their first and last day."""
    import polars as pl

    if sums.is_empty():
        return []
    grouped = sums.group_by("reason", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("day").min().alias("first"), pl.col("day").max().alias("last")
    )
    return grouped.to_dicts()


def _show_lines(lines: "pl.DataFrame", tongue: Lang) -> None:
    import polars as pl

    from api.output import write_table

    text = texts("cli", tongue)
    largest = pl.coalesce(pl.col("largest_difference").cast(pl.String), _percent("largest_relative"))
    verdict = (
        pl.when("holds")
        .then(pl.lit(text["reconcile_exact"]))
        .when("must_be_exact")
        .then(pl.lit(text["reconcile_broken"]))
        .otherwise(pl.lit(""))
    )
    table = lines.select(
        pl.col("check").alias(text["reconcile_check"]),
        pl.format("{} ~ {}", "left", "right").alias(text["reconcile_pair"]),
        _measure_and_period().alias(text["reconcile_measure"]),
        pl.col("compared").alias(text["reconcile_compared"]),
        _percent("equal_share").alias(text["reconcile_equal"]),
        _percent("near_share").alias(text["reconcile_near"]),
        _percent("within_1_percent_share").alias(text["reconcile_within"]),
        largest.alias(text["reconcile_largest"]),
        pl.col("worst_day").cast(pl.String).alias(text["reconcile_worst"]),
        verdict.alias(text["reconcile_verdict"]),
    )
    words = {text[name] for name in ("reconcile_check", "reconcile_pair", "reconcile_measure", "reconcile_verdict")}
    right = frozenset(set(table.columns) - words)
    write_table(table, text["title_reconcile"], right, whole=right | {text["reconcile_verdict"]})


def _show_set_apart(lines: "pl.DataFrame", tongue: Lang) -> None:
    """Pairs of sources of which lines that broke a rule were left out, and the days compared were they kept."""
    import polars as pl

    from api.output import NONE, write_lines, write_table

    text = texts("cli", tongue)
    told = lines.filter(pl.any_horizontal(pl.col("left_set_apart", "right_set_apart") > 0))
    if told.is_empty():
        return
    sides = {
        text[f"reconcile_{side}"]: pl.col(f"{side}_set_apart").cast(pl.String).fill_null(NONE)
        for side in ("left", "right")
    }
    table = told.select(
        pl.format("{} ~ {}", "left", "right").alias(text["reconcile_pair"]),
        _measure_and_period().alias(text["reconcile_measure"]),
        **sides,
        **{text["reconcile_compared"]: "compared", text["reconcile_if_kept"]: "days_if_kept"},
    )
    write_lines([""], "table")
    write_table(table, text["title_set_apart"], frozenset(table.columns[2:]), whole=frozenset(table.columns))


def _measure_and_period() -> "pl.Expr":
    import polars as pl

    named = pl.format("{}, {}", "measure", "period")
    return pl.when(pl.col("period") == "all").then("measure").otherwise(named)


def _show_differences(differences: "pl.DataFrame", tongue: Lang) -> None:
    import polars as pl

    from api.output import write_table

    text = texts("cli", tongue)
    table = differences.select(
        pl.col("check").alias(text["reconcile_check"]),
        pl.col("day").cast(pl.String).alias(text["reconcile_day"]),
        pl.format("{} {}", pl.col("product").fill_null(""), pl.col("method").fill_null(""))
        .str.strip_chars()
        .alias(text["product"]),
        pl.format("{}, {}", "measure", "unit").alias(text["reconcile_measure"]),
        pl.format("{} ~ {}", "left_from", "right_from").alias(text["reconcile_pair"]),
        pl.col("left").cast(pl.String).alias(text["reconcile_left"]),
        pl.col("right").cast(pl.String).alias(text["reconcile_right"]),
        pl.col("difference").cast(pl.String).alias(text["reconcile_difference"]),
    )
    figures = {text[name] for name in ("reconcile_left", "reconcile_right", "reconcile_difference", "reconcile_day")}
    write_table(table, text["title_differences"], frozenset(figures))


def _percent(column: str) -> "pl.Expr":
    """A share as per cent with two decimals, so that 99.96 does not read as all; null stays null."""
    import polars as pl

    return pl.format("{} %", (pl.col(column) * 100).round(2))


def _say_problems(problems: "tuple[Problem, ...]", tongue: Lang) -> None:
    """How many rows each file's rules set apart or warn of, on standard error; `greenfin load trades` lists them."""
    text = texts("cli", tongue)
    for file in dict.fromkeys(problem.file for problem in problems):
        own = [problem for problem in problems if problem.file == file]
        apart = {problem.row for problem in own if problem.severity == "error"}
        warned = {problem.row for problem in own if problem.severity == "warning"}
        codes = ", ".join(sorted({problem.code for problem in own}))
        typer.echo(
            text["reconcile_problems"].format(file=file, apart=len(apart), warned=len(warned), codes=codes), err=True
        )
