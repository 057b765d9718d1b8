"""Rules that look past one row: the market's products, repeats inside a file, and rows the lake already holds.

Knows keys and figures of rows. Must not know how files are opened or how the lake stores them.
"""

from typing import TYPE_CHECKING

from carbon.embedded import product_codes
from carbon.findings import findings_where, no_findings, price_text
from carbon.layout import PRICES, Layout
from carbon.rows import FIGURES, KEY, METHOD_NAMES

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_conflicts", "find_repeats", "find_unknown_products"]

_KEY_IN_FILE = ["product", "method", "day"]
_FIGURES_IN_FILE = [*PRICES, "volume", "value"]


def find_unknown_products(rows: "pl.DataFrame", layout: Layout, *, market: str, pattern: str) -> "pl.DataFrame":
    """Error `unknown_product`: a product that the market asked for does not trade (C42).

    pattern : regular expression of the market's product codes, `carbon.embedded.product_pattern`
    A product named in the header gives one finding, in row 1, for the whole file. Where rows name their market, only
    rows of a known one are looked at: the others are wrong already.
    """
    import polars as pl

    expected = pl.lit(f"a product of the market {market}, with or without a vintage: {product_codes(market)}")
    if layout.fixed_product is not None:
        import re

        if re.search(pattern, layout.fixed_product.upper()):
            return no_findings()
        header = pl.DataFrame({"row": [1]}, schema={"row": pl.Int64})
        return findings_where(
            header,
            pl.lit(True),
            code="unknown_product",
            severity="error",
            column=layout.heading("product"),
            found=pl.lit(layout.fixed_product),
            expected=expected,
        )
    return findings_where(
        rows,
        ~pl.col("product").str.contains(pattern).fill_null(False) & _market_is_known(layout),
        code="unknown_product",
        severity="error",
        column=layout.heading("product"),
        found=pl.col("product_text"),
        expected=expected,
    )


def _market_is_known(layout: Layout) -> "pl.Expr":
    import polars as pl

    return pl.col("market").is_not_null() if layout.markets else pl.lit(True)


def find_repeats(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `duplicate_key` and warning `repeated_row` (C41), by product, method and day.

    Rows of one key with unlike figures are all errors, since nothing says which is right. Where all figures are the
    same, the first row counts and each later one is a warning.
    """
    import polars as pl

    known = rows.filter(pl.all_horizontal(pl.col(*_KEY_IN_FILE).is_not_null()))
    repeats = known.filter(pl.len().over(*_KEY_IN_FILE) > 1).sort("row")
    if repeats.is_empty():
        return no_findings()
    compared = repeats.with_columns(
        unlike=pl.struct(_FIGURES_IN_FILE).n_unique().over(*_KEY_IN_FILE) > 1,
        first=pl.col("row").first().over(*_KEY_IN_FILE),
        rows=pl.col("row").cast(pl.String).str.join(", ").over(*_KEY_IN_FILE),
    )
    found = pl.format("{} t, {} CNY for {} {}", "volume_text", "value_text", "product", pl.col("day").cast(pl.String))
    unlike = findings_where(
        compared,
        pl.col("unlike"),
        code="duplicate_key",
        severity="error",
        column=layout.heading("day"),
        found=found,
        expected=pl.format("the same figures in all rows of this product, method and day: {}", "rows"),
    )
    alike = findings_where(
        compared,
        ~pl.col("unlike") & (pl.col("row") != pl.col("first")),
        code="repeated_row",
        severity="warning",
        column=layout.heading("day"),
        found=found,
        expected=pl.format("one row of this product, method and day; it stands in row {}", "first"),
    )
    return pl.concat([unlike, alike])


def find_conflicts(rows: "pl.DataFrame", loaded: "pl.DataFrame") -> "pl.DataFrame":
    """Error `already_loaded_otherwise`: the lake holds the same key with other figures (C39).

    rows, loaded : canonical rows; figures are the prices, volume_t and value_fen
    The finding names the file that was loaded first. Rows are never overwritten.
    """
    import polars as pl

    both = rows.join(loaded.select(*KEY, *FIGURES, "file"), on=list(KEY), suffix="_loaded")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_loaded")) for name in FIGURES)
    method = pl.col("method").replace_strict(METHOD_NAMES, return_dtype=pl.String)
    return findings_where(
        both,
        differs,
        code="already_loaded_otherwise",
        severity="error",
        column=None,
        found=pl.format("{} t, {} CNY{}", "volume_t", price_text("value_fen"), _close("close_fen_per_t")),
        expected=pl.format(
            "{} t, {} CNY{} for {} {} of {}, as loaded from {}",
            "volume_t_loaded",
            price_text("value_fen_loaded"),
            _close("close_fen_per_t_loaded"),
            "product",
            method,
            pl.col("day").cast(pl.String),
            "file_loaded",
        ),
    )


def _close(column: str) -> "pl.Expr":
    import polars as pl

    return pl.when(pl.col(column).is_null()).then(pl.lit("")).otherwise(pl.format(", close {}", price_text(column)))
