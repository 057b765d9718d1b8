"""All sources of one market at once: read, held to the identities, and set side by side.

Knows the order of the steps and the one table that shows their outcome. Must not know screens, nor any identity or
measure of its own (`identities`, `agreement`, `assertions`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.embedded import resolve_market
from carbon.errors import Problem
from carbon.reconciliation.agreement import add_set_apart, compare_sources, observe, summarise_agreement
from carbon.reconciliation.assertions import check_assertions, check_statements, read_assertions
from carbon.reconciliation.identities import check_identities, compare_parts_with_total, summarise_identities
from carbon.reconciliation.unchecked import SetApart, printed_table, rows_set_apart
from carbon.rows import KEY, empty_rows

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "Reconciliation",
    "Sources",
    "differences_schema",
    "lines_schema",
    "printed_sums",
    "read_sources",
    "reconcile",
    "sources_of_rows",
]

TWO_SOURCES = "two sources"
_UNITS = {"volume_t": "t", "value_fen": "fen", "volume": "t", "value": "fen"}


@dataclass(frozen=True, eq=False)
class Sources:
    """What the files of one market hold.

    rows : canonical rows of all files; printed : the lines of tables with parts and totals side by side, unchecked
    quotes : prices that stand without being a close (`carbon.quotes.quotes_schema`), of rows that passed
    statements : what bulletins say in sentences (`carbon.formats.bulletins.statements_schema`)
    problems : everything wrong with the files, by file and line
    set_apart : the lines with an error as they are printed; null where nobody knows, as of the lake
    silent : names of files that hold neither a row nor a price of the market that can be used
    """

    rows: "pl.DataFrame"
    printed: "pl.DataFrame"
    quotes: "pl.DataFrame"
    statements: "pl.DataFrame"
    problems: tuple[Problem, ...]
    set_apart: SetApart | None = None
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """lines : one a check, pair and measure (`lines_schema`); differences : every comparison that is not equal
    (`differences_schema`); unanswered : printed sums that no feed covers (`carbon.reconciliation.assertions.Checked`)
    """

    lines: "pl.DataFrame"
    differences: "pl.DataFrame"
    unanswered: "pl.DataFrame"

    @property
    def holds(self) -> bool:
        """Whether every identity that must be exact is."""
        return self.lines.filter(self.lines["must_be_exact"] & ~self.lines["holds"]).is_empty()


def lines_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of the table of checks: check (an identity, "printed sum" or "two sources"), market, left,
    right, measure, same_meaning, period, days_used, products, compared, equal, equal_share, near_share (within 1 in
    10,000), within_1_percent_share, median_relative, p99_relative, largest_relative, largest_difference (tonnes or fen,
    identities only), worst_day, must_be_exact, holds (every comparison equal), and of two sources left_set_apart,
    right_set_apart and days_if_kept (`agreement.add_set_apart`).
    """
    import polars as pl

    text, share, whole, flag = pl.String, pl.Float64, pl.Int64, pl.Boolean
    return {
        **dict.fromkeys(["check", "market", "left", "right", "measure"], text),
        "same_meaning": flag,
        **dict.fromkeys(["period", "days_used", "products"], text),
        **{"compared": whole, "equal": whole},
        **dict.fromkeys(["equal_share", "near_share", "within_1_percent_share"], share),
        **dict.fromkeys(["median_relative", "p99_relative", "largest_relative"], share),
        **{"largest_difference": whole, "worst_day": pl.Date, "must_be_exact": flag, "holds": flag},
        **dict.fromkeys(["left_set_apart", "right_set_apart", "days_if_kept"], whole),
    }


def differences_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of differences: check, market, product, method, day, measure, left, right, difference (Int64 in
    unit: t, fen, or micro_per_t = 10**-6 of the currency per tonne), unit, left_from, right_from, must_be_exact.
    """
    import polars as pl

    text, whole = pl.String, pl.Int64
    return {
        **dict.fromkeys(["check", "market", "product", "method"], text),
        **{"day": pl.Date, "measure": text},
        **dict.fromkeys(["left", "right", "difference"], whole),
        **dict.fromkeys(["unit", "left_from", "right_from"], text),
        "must_be_exact": pl.Boolean,
    }


def read_sources(paths: Sequence[Path], market: str) -> Sources:
    """The rows, quotes and printed totals of one market in files of any known format.

    market : key or product code. Where two files of one format say something of the same key, their feeds are told
    apart by the file's name ("crc_price (old.csv)"); files that continue each other are one feed.
    Raises UnknownMarket, UnknownFormat, UnreadableFile, FileTooLarge.
    """
    import polars as pl

    from carbon.formats import FORMATS, read_trades, recognise
    from carbon.formats.bulletin_rows import MARKET, read_bulletins
    from carbon.formats.bulletins import NAME, statements_schema
    from carbon.quotes import quotes_schema, read_quotes

    key = resolve_market(market)
    rows, printed, quotes = [empty_rows()], [empty_rows()], [pl.DataFrame(schema=quotes_schema())]
    statements = [pl.DataFrame(schema=statements_schema())]
    apart, apart_quotes = [empty_rows()], [pl.DataFrame(schema=quotes_schema())]
    problems: list[Problem] = []
    silent: list[str] = []
    for path in paths:
        name = recognise(path)
        if name not in FORMATS:
            read = read_quotes(path, market=key, format_name=name)
            quotes.append(read.quotes.filter(pl.col("market") == key))
            problems += read.problems
            silent += [path.name] if quotes[-1].is_empty() else []
            continue
        _, reading = read_trades(path, market=key, format_name=name)
        rows.append(reading.rows)
        problems += reading.problems
        printed.append(printed_table(path, name, key))
        all_quotes = read_quotes(path, market=key, format_name=name).quotes
        quotes.append(_quotes_of_rows(all_quotes, reading.rows))
        apart.append(rows_set_apart(path, name, key, reading.problems))
        apart_quotes.append(_quotes_of_rows(all_quotes, apart[-1]))
        silent += [path.name] if reading.rows.is_empty() else []
        if name == NAME and key == MARKET:
            statements.append(read_bulletins(path).statements)
    every, left_out = pl.concat(rows), pl.concat(apart)
    label = _label(every)
    feeds = pl.concat([every, left_out]).filter(pl.col("feed") != NAME).with_columns(label)["feed"]
    return Sources(
        rows=every.with_columns(label),
        printed=pl.concat(printed).with_columns(label),
        quotes=pl.concat(quotes).with_columns(label),
        statements=pl.concat(statements),
        problems=tuple(problems),
        set_apart=SetApart(
            rows=left_out.with_columns(label),
            quotes=pl.concat(apart_quotes).with_columns(label),
            feeds=tuple(feeds.unique().sort()),
        ),
        silent=tuple(silent),
    )


def _label(rows: "pl.DataFrame") -> "pl.Expr":
    """The feed, with the file's name where another file says something of the same key."""
    import polars as pl

    is_in_two = pl.col("file").n_unique().over(KEY) > 1
    repeated = rows.filter(is_in_two)["feed"].unique().implode()
    named = pl.when(pl.col("feed").is_in(repeated)).then(pl.format("{} ({})", "feed", "file")).otherwise("feed")
    return named.alias("feed")


def sources_of_rows(rows: "pl.DataFrame") -> Sources:
    """Canonical rows alone, such as those of the lake, as sources."""
    import polars as pl

    from carbon.formats.bulletins import statements_schema
    from carbon.quotes import quotes_schema

    return Sources(
        rows=rows,
        printed=empty_rows(),
        quotes=pl.DataFrame(schema=quotes_schema()),
        statements=pl.DataFrame(schema=statements_schema()),
        problems=(),
    )


def printed_sums(market: str) -> "pl.DataFrame":
    """The sums that ship with the package for a market, each with its source (`assertions.read_assertions`)."""
    import polars as pl

    with as_file(files("carbon").joinpath("data", "printed_sums.csv")) as path:
        return read_assertions(path).filter(pl.col("market") == resolve_market(market))


def reconcile(sources: Sources, assertions: "pl.DataFrame | None" = None, *, by_year: bool = False) -> Reconciliation:
    """Every identity that applies, every printed sum that the rows can answer, and every pair of sources.

    assertions : printed sums (`assertions.read_assertions`); by_year : also one line of agreement a year
    """
    import polars as pl

    checks = [
        check_identities(sources.rows),
        compare_parts_with_total(sources.printed),
        check_statements(sources.rows, sources.statements),
    ]
    unanswered = pl.DataFrame()
    if assertions is not None:
        checked = check_assertions(sources.rows, assertions)
        checks.append(checked.identities)
        unanswered = _answered_by_none(checked.unanswered, checked.identities)
    identities = pl.concat(checks)
    compared = compare_sources(observe(sources.rows, sources.quotes))
    table = summarise_agreement(compared, by_year=by_year)
    if sources.set_apart is not None:
        table = _with_set_apart(table, compared, sources, sources.set_apart, by_year=by_year)
    lines = [_lines_of_identities(identities), _lines_of_agreement(table)]
    differences = [_differences_of_identities(identities), _differences_of_agreement(compared)]
    return Reconciliation(lines=pl.concat(lines), differences=pl.concat(differences), unanswered=unanswered)


def _quotes_of_rows(quotes: "pl.DataFrame", rows: "pl.DataFrame") -> "pl.DataFrame":
    """The quotes of lines that gave a row, under the feed of that row: a line set apart has no price to compare."""
    feeds = rows.select("file", "row", "feed").unique(["file", "row"])
    named = quotes.drop("feed").join(feeds, on=["file", "row"], maintain_order="left")
    return named.select(quotes.columns)


def _answered_by_none(unanswered: "pl.DataFrame", identities: "pl.DataFrame") -> "pl.DataFrame":
    """The printed sums that no feed covers: market, first_day, day, source, reason (why each feed does not)."""
    import polars as pl

    answered = identities.filter(pl.col("rule") == "printed sum").select("market", "day", source="right_from").unique()
    named = unanswered.with_columns(pl.col("source").fill_null("printed"))
    open_ones = named.join(answered, on=["market", "day", "source"], how="anti")
    why = pl.concat_str("feed", "reason", separator=": ", ignore_nulls=True).str.join("; ").alias("reason")
    return open_ones.group_by("market", "first_day", "day", "source", maintain_order=True).agg(why)


def _lines_of_identities(identities: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    # Each printed sum has a source of its own, which the differences name.
    is_printed = pl.col("rule") == "printed sum"
    together = identities.with_columns(
        pl.when(is_printed).then(pl.lit("printed")).otherwise("right_from").alias("right_from")
    )
    named = summarise_identities(together).rename({"rule": "check", "left_from": "left", "right_from": "right"})
    return _filled(named.with_columns(same_meaning=pl.lit(True), period=pl.lit("all")), lines_schema())


def _with_set_apart(
    table: "pl.DataFrame", compared: "pl.DataFrame", sources: Sources, apart: SetApart, *, by_year: bool
) -> "pl.DataFrame":
    """The table of agreement beside the lines that were set apart, and the days with them."""
    import polars as pl

    usable = apart.rows.drop_nulls(["day", "product", "method"])
    rows, quotes = pl.concat([sources.rows, usable]), pl.concat([sources.quotes, apart.quotes])
    if_kept = summarise_agreement(compare_sources(observe(rows, quotes)), by_year=by_year)
    return add_set_apart(table, compared, if_kept, apart.rows, apart.feeds)


def _lines_of_agreement(table: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    told = table.rename({"days": "compared"}).with_columns(
        check=pl.lit(TWO_SOURCES), must_be_exact=pl.lit(False), holds=pl.col("equal") == pl.col("compared")
    )
    return _filled(told, lines_schema())


def _differences_of_identities(identities: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    unequal = identities.filter(pl.col("difference").ne_missing(0)).rename({"rule": "check"})
    return _filled(unequal.with_columns(unit=pl.col("measure").replace_strict(_UNITS)), differences_schema())


def _differences_of_agreement(compared: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    unit = pl.col("measure").replace_strict(_UNITS, default="micro_per_t", return_dtype=pl.String)
    told = compared.filter(~pl.col("is_equal")).with_columns(
        check=pl.lit(TWO_SOURCES), unit=unit, must_be_exact=pl.lit(False)
    )
    sides = {"left": "left_from", "right": "right_from", "left_amount": "left", "right_amount": "right"}
    return _filled(told.rename(sides), differences_schema())


def _filled(frame: "pl.DataFrame", schema: "dict[str, type[pl.DataType]]") -> "pl.DataFrame":
    import polars as pl

    known = set(frame.columns)
    cells = [(pl.col(name) if name in known else pl.lit(None)).cast(kind).alias(name) for name, kind in schema.items()]
    return frame.select(cells)
