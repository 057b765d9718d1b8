"""The canonical row: one market, product, method and day of trading, as one feed prints it.

Knows the columns, their types and units, and the method codes. Must not know outside headings, files' encodings or
storage.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ALL",
    "AUCTION",
    "BLOCK",
    "FIGURES",
    "KEY",
    "LISTING",
    "METHOD_NAMES",
    "PARTS",
    "empty_rows",
    "rows_schema",
]

# The codes of the exchange's own query interface.
LISTING, BLOCK, AUCTION = 10, 20, 21
# Ours: every method together, as feeds print that do not tell them apart. What was listed is then unknown, not zero.
ALL = 30
METHOD_NAMES = {LISTING: "listing", BLOCK: "block", AUCTION: "auction", ALL: "all"}
PARTS = (LISTING, BLOCK, AUCTION)

KEY = ("market", "product", "method", "day", "feed")
FIGURES = ("open_fen_per_t", "high_fen_per_t", "low_fen_per_t", "close_fen_per_t", "volume_t", "value_fen")


def rows_schema() -> "dict[str, type[pl.DataType]]":
    """Columns and types of canonical rows.

    day Date; market, product, feed, file String; method Int8 (10 listing, 20 block, 21 auction, 30 all together);
    prices in fen per tonne, volumes in tonnes and values in fen as Int64; row Int64, the line of the file as a
    spreadsheet shows it. Prices are those of listed trading: null on block and auction rows and wherever the feed
    prints none. value_fen is null where a feed prints tonnes without a value, and never zero instead.
    """
    import polars as pl

    return {
        "day": pl.Date,
        "market": pl.String,
        "product": pl.String,
        "method": pl.Int8,
        "open_fen_per_t": pl.Int64,
        "high_fen_per_t": pl.Int64,
        "low_fen_per_t": pl.Int64,
        "close_fen_per_t": pl.Int64,
        "volume_t": pl.Int64,
        "value_fen": pl.Int64,
        "cumulative_volume_t": pl.Int64,
        "cumulative_value_fen": pl.Int64,
        "feed": pl.String,
        "file": pl.String,
        "row": pl.Int64,
    }


def empty_rows() -> "pl.DataFrame":
    """A frame without rows, in the canonical schema."""
    import polars as pl

    return pl.DataFrame(schema=rows_schema())
