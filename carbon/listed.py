"""What listed trading says about price: one close a day, the moves between closes, and blocks beside the close before.

Knows rows, which feed counts, and which prices are those of listed trading. Must not know periods, files or storage.
Pure: frames in, frames out; the order of the rows given makes no difference.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from carbon.market import FEED_PRIORITY, SCREEN_ONLY_FEEDS, choose_feeds
from carbon.products import vintage_expr
from carbon.rows import ALL, BLOCK, LISTING, METHOD_NAMES
from carbon.units import FEN_PER_CNY

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Split", "block_discounts", "listed_days", "traded_rows"]

Split = Literal["vintage", "method", "product"]

_PRICES = ("open_fen_per_t", "high_fen_per_t", "low_fen_per_t", "close_fen_per_t")
_FEN_PER_MILLION_CNY = FEN_PER_CNY * 1_000_000


def traded_rows(rows: "pl.DataFrame", feeds: Sequence[str] = FEED_PRIORITY) -> "pl.DataFrame":
    """The rows with tonnes of the feeds that count, ascending by market, day, product and method.

    rows : canonical rows; feeds : as in `carbon.market.choose_feeds`
    Result : canonical rows, where `method` is a name (listing, block, auction, all) and these columns are added:
    vintage Int32 (null where the product code names none); method_known Boolean, false where the feed prints all
    methods together or screen trades only, so that blocks are not known.
    """
    import polars as pl

    name = pl.col("method").replace_strict(METHOD_NAMES, return_dtype=pl.String)
    is_known = (pl.col("method") != ALL) & ~pl.col("feed").is_in(SCREEN_ONLY_FEEDS)
    return (
        choose_feeds(rows, feeds)
        .filter(pl.col("volume_t") > 0)
        .sort("market", "day", "product", "method", "volume_t", "value_fen")
        .with_columns(vintage_expr("product").alias("vintage"), is_known.alias("method_known"), name.alias("method"))
    )


def listed_days(traded: "pl.DataFrame", split: Sequence[Split] = ()) -> "pl.DataFrame":
    """One row a market, part and day with a listed close and tonnes, ascending by market, part and day.

    traded : result of `traded_rows`; split : the parts kept apart; each has a series of closes of its own
    Result : market, the columns of the split, day, feed, listed_product; open, high, low, close in fen per tonne: those
    of the listed product with the most tonnes that day (ties by name), as in `carbon.market.day_bars`;
    value_million_cny Float64 of that day's listed trading (null where the feed prints all methods together); log_return
    Float64 against the listed close before; change_cny_per_t and change_before_cny_per_t Float64, this price change and
    the one before it. Null where there is no close before, and where the close before is that of another product:
    vintages differ by multiples in price, and the step from one to another is nobody's return.
    Prices on rows of all methods together are shown as listed prices, since blocks and auctions make no close; but such
    days have no return and no price change, as nobody knows whether anything was listed.
    """
    import polars as pl

    keys = ["market", *split]
    listing, whole = METHOD_NAMES[LISTING], METHOD_NAMES[ALL]
    priced = traded.filter(pl.col("method").is_in([listing, whole]))
    is_told = (pl.col("method") == listing).all() & (pl.col("value_fen").null_count() == 0)
    days_values = priced.group_by(*keys, "day").agg(
        pl.when(is_told).then(pl.col("value_fen").sum() / _FEN_PER_MILLION_CNY).alias("value_million_cny"),
        (pl.col("method") == listing).all().alias("is_listed"),
    )
    days = (
        priced.filter(pl.col("close_fen_per_t") > 0)
        .sort("volume_t", descending=True, maintain_order=True)
        .group_by(*keys, "day", maintain_order=True)
        .agg(pl.col(*_PRICES, "feed").first(), pl.col("product").first().alias("listed_product"))
        .join(days_values, on=[*keys, "day"], how="left", nulls_equal=True)
        .sort(*keys, "day")
    )
    close = pl.col("close_fen_per_t")
    series = [*keys, "is_listed"]
    is_step = pl.col("is_listed") & (pl.col("listed_product") == pl.col("listed_product").shift(1).over(series))
    moved = days.with_columns(
        pl.when(is_step).then(close.cast(pl.Float64).log().diff().over(series)).alias("log_return"),
        pl.when(is_step).then(close.diff().over(series) / FEN_PER_CNY).alias("change_cny_per_t"),
    )
    before = pl.col("change_cny_per_t").shift(1).over(series)
    return moved.with_columns(before.alias("change_before_cny_per_t")).drop("is_listed")


def block_discounts(traded: "pl.DataFrame") -> "pl.DataFrame":
    """Every block row beside the last listed close of the same product before its day, ascending by day.

    traded : result of `traded_rows`
    Result : market, vintage, product, day, feed, volume_t; price_fen_per_t Float64 (value / volume); previous_day Date
    and previous_close_fen_per_t Int64, null where the product was not listed before; discount Float64, price over that
    close less one (-0.05 is five per cent below).
    """
    import polars as pl

    keys = ["market", "product"]
    closes = listed_days(traded, ["product"]).select(
        *keys, "day", previous_day="day", previous_close_fen_per_t="close_fen_per_t", is_close=pl.lit(True)
    )
    blocks = traded.filter(pl.col("method") == METHOD_NAMES[BLOCK]).with_columns(is_close=pl.lit(False))
    # Within a day blocks come first, so that the close filled forward is one of an earlier day.
    stacked = pl.concat([blocks, closes], how="diagonal").sort("day", "is_close", maintain_order=True)
    previous = ("previous_day", "previous_close_fen_per_t")
    paired = stacked.with_columns(pl.col(previous).forward_fill().over(keys)).filter(~pl.col("is_close"))
    price = pl.col("value_fen") / pl.col("volume_t")
    return paired.select(
        *("market", "vintage", "product", "day", "feed", "volume_t"),
        price.alias("price_fen_per_t"),
        *previous,
        (price / pl.col("previous_close_fen_per_t") - 1).alias("discount"),
    )
