"""Which rows of a file are about the market asked for, and what a row without a product is taken to be.

Knows typed cells (`carbon.layout.type_cells`) and the products of markets. Must not know rules, headings or files.
"""

from typing import TYPE_CHECKING

from carbon.embedded import product_pattern, read_embedded
from carbon.errors import UnknownFormat
from carbon.layout import DEAL_LIMITS, Layout

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NotATradeFile", "assume_products", "is_assumed", "is_of_others", "refuse_quotes"]

_NEIGHBOURS = 11


class NotATradeFile(UnknownFormat):
    """The file has the headings of a trading file, but holds quotes of another market's prices."""


def refuse_quotes(rows: "pl.DataFrame", layout: Layout, file: str) -> None:
    """Refuse a file whose rows are all of products that the layout knows to be quotes.

    Raises NotATradeFile.
    """
    found = rows["product_text"].drop_nulls().unique().sort().to_list() if layout.refused else []
    if found and all(product in layout.refused for product in found):
        raise NotATradeFile(f"found {', '.join(found)} in {file}: {layout.refused[found[0]]}")


def assume_products(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Give rows without a product the one that the layout assumes, where nothing speaks against it.

    A row keeps its null where another row stands on the same day, since one of the two may be an offset, and where its
    average lies outside `DEAL_LIMITS` of the median of the eleven rows around it, since offsets cost a fraction.
    """
    import polars as pl

    if layout.assumed_product is None:
        return rows
    around = pl.col("average").rolling_median(_NEIGHBOURS, center=True, min_samples=1)
    ordered = rows.sort("day", "row").with_columns(_around=around)
    is_alone = pl.len().over("day") == 1
    is_near = (pl.col("average") / pl.col("_around")).is_between(*DEAL_LIMITS)
    assumed = pl.when(pl.col("product_text").is_null() & is_alone & is_near).then(pl.lit(layout.assumed_product))
    return ordered.with_columns(product=pl.coalesce("product", assumed)).drop("_around").sort("row")


def is_assumed(layout: Layout) -> "pl.Expr":
    """True where a row has a product that it does not print."""
    import polars as pl

    if layout.assumed_product is None:
        return pl.lit(False)
    return pl.col("product_text").is_null() & pl.col("product").is_not_null()


def is_of_others(layout: Layout, market: str) -> "pl.Expr":
    """True where a row is about another market, or about an offset that the feed prints beside the market's product.

    A row that names no market is told by its product; one that names neither stays, to be reported as an error.
    """
    import polars as pl

    others = pl.lit(False)
    if layout.other_products is not None:
        others = others | pl.col("product").str.contains(layout.other_products)
    if layout.markets:
        named = pl.col("market_text").is_in(list(layout.markets))
        codes = read_embedded("markets").filter(pl.col("market") != market)["market"].to_list()
        elsewhere = "|".join(product_pattern(code) for code in codes)
        by_product = pl.col("market_text").is_null() & pl.col("product").str.contains(elsewhere)
        others = others | (named & (pl.col("market").ne_missing(market))) | by_product
    return others.fill_null(False)
