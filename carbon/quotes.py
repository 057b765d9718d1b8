"""Quotes: prices that stand without tonnes, or whose meaning is not the close; and the rates printed beside them.

Knows which column of a format is which kind of price, and the shape of a quote. Must not know the lake or SQL. A kind
is never turned into another: a close, an average and a "latest" of one day may differ by a third (Hubei), so only
prices of one kind are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.errors import CarbonError, Problem, UnknownFormat, UnknownMarket
from carbon.rows import ALL, LISTING

if TYPE_CHECKING:
    import polars as pl

    from carbon.formats.parts import Part
    from carbon.layout import Layout

__all__ = ["MarketNeeded", "QuoteReading", "quotes_schema", "rates_schema", "read_quotes"]

_MICRO_PER_FEN = 10_000
_CNY = "CNY"
_LATEST = "最新"


class MarketNeeded(CarbonError):
    """The file does not say which market its prices belong to, and the caller did not either."""


@dataclass(frozen=True, eq=False)
class QuoteReading:
    """What one file holds: quotes (`quotes_schema`), rates (`rates_schema`) and everything wrong with them, by line."""

    quotes: "pl.DataFrame"
    rates: "pl.DataFrame"
    problems: tuple[Problem, ...]


def quotes_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of quotes.

    day Date; market String, a market key or the name of a foreign system; product String, null where none is printed;
    kind String: close, average, latest, unstated, primary (auction) or secondary (exchange, basis not stated);
    price_micro_per_t Int64, 10**-6 of the currency per tonne; currency, feed, file String; row Int64.
    """
    import polars as pl

    return {
        "day": pl.Date,
        **dict.fromkeys(["market", "product", "kind"], pl.String),
        "price_micro_per_t": pl.Int64,
        **dict.fromkeys(["currency", "feed", "file"], pl.String),
        "row": pl.Int64,
    }


def rates_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of rates: day Date, currency String, per_eur and per_usd Float64 (EUR and USD for one unit of
    the currency, null where not printed), source String, row Int64.
    """
    import polars as pl

    return {
        "day": pl.Date,
        "currency": pl.String,
        "per_eur": pl.Float64,
        "per_usd": pl.Float64,
        "source": pl.String,
        "row": pl.Int64,
    }


def read_quotes(path: Path, *, market: str | None = None, format_name: str | None = None) -> QuoteReading:
    """The quotes and rates of one file.

    path : a file of any known format (`carbon.formats`); market : key or product code, or the name of a foreign system
    as the file prints it; null keeps every market of a file that names them
    Days on which a source carries its last price forward are quotes like any other: compare only days with tonnes.
    A column of closes gives kind close ("最新" kind latest), one of averages kind average, and one that nobody explains
    kind unstated. Block and auction rows are left out, since they repeat the listing's prices; zero means none.
    Raises MarketNeeded, UnknownFormat, UnknownMarket, UnreadableFile, FileTooLarge.
    """
    from carbon.embedded import resolve_market
    from carbon.formats import FORMATS, QUOTE_FORMATS, Limits, bulletins, icap, long_daily, rates_csv, recognise
    from carbon.formats.text import MAX_BYTES, MAX_ROWS, read_header

    name = recognise(path) if format_name is None else format_name
    if name == icap.NAME:
        return _read_icap(path, market)
    if name == rates_csv.NAME:
        return _read_rates(path)
    if name not in FORMATS:
        raise UnknownFormat(f"found format {name!r}, expected one of {', '.join(FORMATS | QUOTE_FORMATS)}")
    if name == bulletins.NAME:
        return _read_bulletins(path)
    if market is None:
        raise MarketNeeded(f"found {path.name} in the format {name} without a market, expected a market to be named")
    key = resolve_market(market)
    if name == long_daily.NAME:
        parts, _, _ = long_daily.read_sources(path, key, path.name, Limits(max_bytes=MAX_BYTES, max_rows=MAX_ROWS))
        return _quotes_of_parts(parts, key, path.name)
    layout = FORMATS[name].find_layout(read_header(path))
    if layout is None:
        raise UnknownFormat(f"found in the first line of {path.name} other headings than those of {name}")
    return _quotes_of_parts([_part_of(path, layout, key)], key, path.name)


def _read_icap(path: Path, market: str | None) -> QuoteReading:
    import polars as pl

    from carbon.findings import to_problems
    from carbon.formats.icap import NAME, decode_icap, market_of, name_sources, read_blocks
    from carbon.formats.text import read_bytes

    prices, rates, findings = read_blocks(decode_icap(read_bytes(path)))
    systems = prices["system"].unique().to_list()
    quotes = prices.select(
        "day",
        pl.col("system")
        .replace_strict({name: market_of(name) for name in systems}, return_dtype=pl.String)
        .alias("market"),
        pl.lit(None, dtype=pl.String).alias("product"),
        "kind",
        "price_micro_per_t",
        "currency",
        pl.lit(NAME).alias("feed"),
        pl.lit(path.name).alias("file"),
        "row",
    )
    repeated = _find_repeats(quotes)
    agreed, unlike = _agreed_rates(rates)
    named, carried = name_sources(agreed)
    kept = quotes.join(repeated.select("row", "market", "kind"), on=["row", "market", "kind"], how="anti")
    if market is not None:
        kept = kept.filter(pl.col("market") == _key_among(market, kept))
    problems = to_problems(pl.concat([findings, repeated.drop("market", "kind"), unlike, carried]), path.name)
    return QuoteReading(
        quotes=kept.sort("day", "market", "kind").cast(dict(quotes_schema())),  # type: ignore[arg-type]
        rates=named.select(*rates_schema()),
        problems=tuple(problems),
    )


def _key_among(market: str, quotes: "pl.DataFrame") -> str:
    """The market as the quotes name it. Raises UnknownMarket, listing the systems of the file."""
    from carbon.embedded import resolve_market

    names = quotes["market"].unique().sort().to_list()
    if market in names:
        return market
    try:
        return resolve_market(market)
    except UnknownMarket:
        raise UnknownMarket(f"found market {market!r}, expected one of {', '.join(names)}") from None


def _find_repeats(quotes: "pl.DataFrame") -> "pl.DataFrame":
    """Quotes of one day, market and kind with unlike prices: all are set apart, since nothing says which is right."""
    import polars as pl

    key = ["day", "market", "kind"]
    unlike = quotes.filter(pl.col("price_micro_per_t").n_unique().over(key) > 1)
    return unlike.select(
        "row",
        pl.col("market").alias("column"),
        pl.format("{} at {} millionths", pl.col("day").cast(pl.String), "price_micro_per_t").alias("found"),
        pl.lit("one price of this day, market and kind").alias("expected"),
        pl.lit("duplicate_key").alias("code"),
        pl.lit("error").alias("severity"),
        "market",
        "kind",
    )


def _agreed_rates(rates: "pl.DataFrame") -> "tuple[pl.DataFrame, pl.DataFrame]":
    """One rate a day and currency, and a finding for each row where blocks print different ones; those are left out."""
    import polars as pl

    from carbon.findings import findings_where

    key = ["day", "currency"]
    is_unlike = (pl.col("per_eur").n_unique().over(key) > 1) | (pl.col("per_usd").n_unique().over(key) > 1)
    marked = rates.with_columns(unlike=is_unlike)
    findings = findings_where(
        marked,
        pl.col("unlike"),
        code="rates_differ",
        severity="error",
        column="Exchange rate",
        found=pl.format(
            "{}: {} EUR, {} USD",
            "currency",
            pl.col("per_eur").cast(pl.String).fill_null("nothing"),
            pl.col("per_usd").cast(pl.String).fill_null("nothing"),
        ),
        expected=pl.lit("the same rate in all blocks of this day"),
    )
    agreed = marked.filter(~pl.col("unlike")).unique(key, keep="first", maintain_order=True).drop("unlike")
    return agreed, findings


def _read_rates(path: Path) -> QuoteReading:
    import polars as pl

    from carbon.findings import to_problems
    from carbon.formats.headings import refuse_repeated_headings
    from carbon.formats.rates_csv import HEADINGS, read_table
    from carbon.formats.text import decode, read_bytes, read_header

    refuse_repeated_headings(path, read_header(path), HEADINGS)
    rates, findings = read_table(decode(read_bytes(path), path.name), path.name)
    return QuoteReading(
        quotes=pl.DataFrame(schema=quotes_schema()),
        rates=rates.select(*rates_schema()).sort("day", "currency", "source"),
        problems=tuple(to_problems(findings, path.name)),
    )


def _read_bulletins(path: Path) -> QuoteReading:
    """The closes of the daily bulletins, and those of the Friday that weekly ones name."""
    import polars as pl

    from carbon.formats.bulletin_rows import PRODUCT, read_bulletins
    from carbon.formats.bulletins import NAME

    reading = read_bulletins(path)
    bad = [problem.row for problem in reading.problems if problem.severity == "error" and problem.row is not None]
    closes = reading.statements.filter((pl.col("measure") == "close") & ~pl.col("row").is_in(bad))
    quotes = closes.select(
        pl.col("last_day").alias("day"),
        "market",
        pl.lit(PRODUCT).alias("product"),
        pl.lit("close").alias("kind"),
        (pl.col("amount") * _MICRO_PER_FEN).alias("price_micro_per_t"),
        pl.lit(_CNY).alias("currency"),
        pl.lit(NAME).alias("feed"),
        "file",
        "row",
    )
    return QuoteReading(quotes.sort("day", "row"), pl.DataFrame(schema=rates_schema()), reading.problems)


def _part_of(path: Path, layout: "Layout", market: str) -> "Part":
    """The rows of one market in a file whose lines are rows."""
    from carbon.formats.parts import Part
    from carbon.formats.text import decode, read_bytes, split_cells
    from carbon.layout import type_cells
    from carbon.scope import assume_products, is_of_others, refuse_quotes

    text = decode(read_bytes(path), path.name)
    cells = split_cells(text, path.name, width=layout.width, header_rows=layout.header_rows)
    typed = type_cells(cells, layout)
    refuse_quotes(typed, layout, path.name)
    return Part(assume_products(typed.filter(~is_of_others(layout, market)), layout), layout)


def _quotes_of_parts(parts: "Sequence[Part]", market: str, file: str) -> QuoteReading:
    import polars as pl

    from carbon.findings import no_findings, to_problems

    quotes, findings = [pl.DataFrame(schema=quotes_schema())], [no_findings()]
    for part in parts:
        kinds = _kinds(part.layout)
        listed = part.typed.filter(_has_price(kinds) & pl.col("method").is_in([LISTING, ALL]))
        wrong = _find_wrong_quotes(listed, part.layout, kinds, market)
        findings.append(wrong)
        of_file = (wrong["row"] <= part.layout.header_rows).any()
        good = listed.clear() if of_file else listed.filter(~pl.col("row").is_in(wrong["row"].implode()))
        quotes += [_quotes_of(good, role, kind, market, part.layout.feed, file) for role, kind in kinds.items()]
    return QuoteReading(
        quotes=pl.concat(quotes).sort("day", "product", "kind", "row"),
        rates=pl.DataFrame(schema=rates_schema()),
        problems=tuple(to_problems(pl.concat(findings), file)),
    )


def _kinds(layout: "Layout") -> dict[str, str]:
    """Role -> kind of the columns that hold one price of the day."""
    close = "latest" if layout.heading("close") == _LATEST else "close"
    kinds = {"close": close, "average": "average", "price": "unstated"}
    return {role: kind for role, kind in kinds.items() if role in layout.positions}


def _has_price(kinds: dict[str, str]) -> "pl.Expr":
    import polars as pl

    return pl.any_horizontal(pl.col(f"{role}_text").is_not_null() for role in kinds) if kinds else pl.lit(False)


def _find_wrong_quotes(rows: "pl.DataFrame", layout: "Layout", kinds: dict[str, str], market: str) -> "pl.DataFrame":
    import polars as pl

    from carbon.checks import find_negatives, find_unreadable_dates, find_unreadable_numbers
    from carbon.cross_checks import find_unknown_products
    from carbon.embedded import product_pattern

    columns = [heading for role in kinds if (heading := layout.heading(role)) is not None]
    numbers = pl.concat([find_unreadable_numbers(rows, layout), find_negatives(rows, layout)])
    return pl.concat(
        [
            find_unreadable_dates(rows, layout),
            numbers.filter(pl.col("column").is_in(columns)),
            find_unknown_products(rows, layout, market=market, pattern=product_pattern(market)),
        ]
    )


def _quotes_of(good: "pl.DataFrame", role: str, kind: str, market: str, feed: str, file: str) -> "pl.DataFrame":
    import polars as pl

    micro = pl.col(role) * (_MICRO_PER_FEN if role == "close" else 1)
    named = good.filter(pl.col(role) > 0).with_columns(
        market=pl.lit(market),
        kind=pl.lit(kind),
        price_micro_per_t=micro,
        currency=pl.lit(_CNY),
        feed=pl.lit(feed),
        file=pl.lit(file),
    )
    return named.select(pl.col(name).cast(kind_of) for name, kind_of in quotes_schema().items())
