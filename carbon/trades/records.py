"""Single trades: their columns and units, and the rules that each must keep.

Knows one trade: when, where, what, between whom, at what price and how much. Must not know files, headings, storage or
statistics. A participant is a whole-number code, that of a file or one that stands for a name; who is not known is
null. Money is fen, mass is tonnes.
"""

from typing import TYPE_CHECKING

from carbon.row_rules import RowRule, is_lost
from carbon.rows import AUCTION, BLOCK, LISTING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FIRST_NAME_CODE", "LARGEST_VALUE_FEN", "METHODS", "day_expr", "trade_rules", "trades_schema"]

METHODS = {"listing": LISTING, "block": BLOCK, "auction": AUCTION}
LARGEST_VALUE_FEN = 1 << 41
"""No trade may be worth as much (22 thousand million CNY): sums of 2**22 trades then stay within int64."""

FIRST_NAME_CODE = 1 << 30
"""Codes from here up stand for names (`carbon.trades.names`); a file's own codes are below."""

_UTC8_US = 8 * 3600 * 1_000_000
_DAY_US = 24 * 3600 * 1_000_000
_UNREADABLE = {
    "time_us": "a moment such as 2024-01-02 09:30:01.5 or 2024-01-02T01:30:01Z, or microseconds since 1970 UTC",
    "vintage": "a year such as 2023",
    "buyer": f"a whole-number code below {FIRST_NAME_CODE}; names need the heading buyer_name",
    "seller": f"a whole-number code below {FIRST_NAME_CODE}; names need the heading seller_name",
    "price_fen": "a price with at most two decimals of CNY, up to 21474836.47",
    "quantity_t": "whole tonnes, up to 2147483647",
}
_REQUIRED = ("time_us", "market", "product", "method", "price_fen", "quantity_t")


def trades_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of trades.

    time_us Int64, microseconds since 1970 UTC; day Date, the day in China Standard Time (UTC+8) at that moment;
    market String, key of `carbon.markets`; product String; vintage Int16, null where the product has none; method Int8
    (10 listing, 20 block, 21 auction); buyer, seller Int32, codes from 0, null where not known; price_fen Int32, fen
    per tonne; quantity_t Int32. The value of a trade is price_fen x quantity_t, in fen, as Int64.
    """
    import polars as pl

    return {
        "time_us": pl.Int64,
        "day": pl.Date,
        "market": pl.String,
        "product": pl.String,
        "vintage": pl.Int16,
        "method": pl.Int8,
        "buyer": pl.Int32,
        "seller": pl.Int32,
        "price_fen": pl.Int32,
        "quantity_t": pl.Int32,
    }


def day_expr(time_us: "pl.Expr") -> "pl.Expr":
    """The trading day of a moment: its day in China Standard Time (UTC+8, no summer time since 1991)."""
    import polars as pl

    return ((time_us + _UTC8_US) // _DAY_US).cast(pl.Int32).cast(pl.Date)


def trade_rules() -> list[RowRule]:
    """The rules of a row that has each column of `trades_schema`, typed, and beside it `<column>_raw`, as it was found.

    missing_cell       a cell that every trade needs is empty
    unreadable_cell    a cell that is no number or moment, or too large for its column
    unknown_market, unknown_method   a code that nobody knows (C42)
    not_positive       a price or quantity of zero or less (C16)
    negative_code      a participant below zero
    value_too_large    a value from 2**41 fen up
    buyer_is_seller    warning: the same participant on both sides
    """
    import polars as pl

    rules = [
        RowRule("missing_cell", "error", name, pl.col(f"{name}_raw").is_null(), "a value in every row")
        for name in _REQUIRED
    ]
    rules += [
        RowRule("unreadable_cell", "error", name, is_lost(name), expected) for name, expected in _UNREADABLE.items()
    ]
    rules.append(RowRule("unknown_market", "error", "market", is_lost("market"), "the key or a product of a market"))
    known = ", ".join(f"{name} ({code})" for name, code in METHODS.items())
    rules.append(RowRule("unknown_method", "error", "method", is_lost("method"), f"one of {known}"))
    rules += [
        RowRule("not_positive", "error", name, pl.col(name) <= 0, "more than zero")
        for name in ("price_fen", "quantity_t")
    ]
    rules += [RowRule("negative_code", "error", name, pl.col(name) < 0, "zero or more") for name in ("buyer", "seller")]
    value = pl.col("price_fen").cast(pl.Int64) * pl.col("quantity_t").cast(pl.Int64)
    return [
        *rules,
        RowRule(
            "value_too_large",
            "error",
            "quantity_t",
            value >= LARGEST_VALUE_FEN,
            f"a value below {LARGEST_VALUE_FEN} fen",
        ),
        RowRule(
            "buyer_is_seller", "warning", "seller", pl.col("buyer") == pl.col("seller"), "another one than the buyer"
        ),
    ]
