"""Loaded trading as the market's routes and page show it: daily bars, and statistics by period and part.

Knows which loaded rows answer which question. Knows no HTTP and no page. Frames out, one row a day or period; what is
missing is null, never zero.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl
from sqlmodel import Session, select

from api import __version__
from api.market_rates import Currency, with_currency
from api.market_series import METHODS, Method
from api.store import Store
from carbon.embedded import resolve_market
from carbon.lake import lake_version, read_rows
from carbon.market import bars_schema, choose_feeds, day_bars
from carbon.periods import By, Split, market_statistics
from carbon.products import vintage_expr
from carbon.rates import rates_stamp
from carbon.tables import TradeFile
from carbon.units import FEN_PER_CNY

__all__ = ["BadParameter", "bars", "check_span", "period_statistics", "store_stamp", "within"]


class BadParameter(Exception):
    """A parameter that cannot be used: its name, what was found and what was expected."""

    def __init__(self, name: str, found: str, expected: str) -> None:
        super().__init__(f"{name}: found {found}, expected {expected}")
        self.name = name
        self.found = found
        self.expected = expected


def store_stamp(store: Store) -> str:
    """What all market answers follow from: the versions of this software and of the lake, the files loaded, the rates.

    The same text means the same answers; the hashes of the files tell two stores of one lake version apart.
    """
    with Session(store.engine) as session:
        files = sorted(session.exec(select(TradeFile.sha256)))
        rates = rates_stamp(session)
    return "\n".join([__version__, str(lake_version(store.lake)), *files, rates])


def bars(
    store: Store,
    market: str,
    *,
    start: date | None = None,
    end: date | None = None,
    vintage: int | None = None,
    method: Method | None = None,
    feed: str | None = None,
) -> pl.DataFrame:
    """One row a day that has rows, ascending: market, day, vintage and method as asked (null: all together), then the
    columns of `carbon.market.bars_schema`, vwap_cny_per_t, block_share (0..1) and feed.

    vintage : a year; method : this one alone, and then the other methods' amounts are null; feed : rows of this one,
    else of the feed that counts that day (`carbon.market.choose_feeds`).
    Raises UnknownMarket, and BadParameter for a feed without rows and for start after end.
    """
    key = resolve_market(market)
    check_span(start, end)
    rows = _rows_of(store, key, feed).filter(within(start, end))
    if vintage is not None:
        rows = rows.filter(vintage_expr("product") == vintage)
    if method is not None:
        rows = rows.filter(pl.col("method") == METHODS[method])
    # A bar counts zero where a feed tells of no block; here the blocks were left out, so they are not known.
    left_out = [name for name in METHODS if method not in (None, name)]
    hidden = [pl.lit(None, pl.Int64).alias(f"{name}_{unit}") for name in left_out for unit in ("volume_t", "value_fen")]
    figures = [name for name in bars_schema() if name not in ("market", "day", "feed")]
    tonnes = pl.when(pl.col("volume_t") > 0).then(pl.col("volume_t"))
    return (
        day_bars(rows)
        .with_columns(hidden)
        .select(
            "market",
            "day",
            pl.lit(vintage, pl.Int32).alias("vintage"),
            pl.lit(method, pl.String).alias("method"),
            *figures,
            (pl.col("value_fen") / (tonnes * FEN_PER_CNY)).alias("vwap_cny_per_t"),
            (pl.col("block_volume_t") / tonnes).alias("block_share"),
            "feed",
        )
    )


def period_statistics(
    store: Store,
    market: str,
    *,
    by: By,
    split: Sequence[Split] = (),
    feed: str | None = None,
    currency: Currency | None = None,
) -> pl.DataFrame:
    """Statistics of the loaded rows of a market by period and part: see `carbon.periods.market_statistics`; then value
    and VWAP in another currency (`api.market_rates.with_currency`), null where none is asked for.

    feed as in `bars`. Raises UnknownMarket, BadParameter.
    """
    found = market_statistics(_rows_of(store, resolve_market(market), feed), by=by, split=split)
    return with_currency(store, found, currency)


def check_span(start: date | None, end: date | None) -> None:
    """Raise BadParameter where a span ends before it begins."""
    if start is not None and end is not None and start > end:
        raise BadParameter("to", end.isoformat(), f"a day not before {start.isoformat()}, the value of `from`")


def within(start: date | None, end: date | None) -> pl.Expr:
    """Does `day` lie in the span, both ends included? A missing end is open."""
    after = pl.lit(True) if start is None else pl.col("day") >= start
    return after if end is None else after & (pl.col("day") <= end)


def _rows_of(store: Store, key: str, feed: str | None) -> pl.DataFrame:
    rows = read_rows(store.lake, key)
    if feed is None:
        return choose_feeds(rows)
    feeds = rows["feed"].unique().sort().to_list()
    if feed not in feeds:
        raise BadParameter("feed", feed, f"one of {', '.join(feeds)}" if feeds else f"none: {key} has no loaded rows")
    return rows.filter(pl.col("feed") == feed)
