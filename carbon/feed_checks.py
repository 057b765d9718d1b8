"""Rules for feeds that print one line a market and day: rows cut short, markets nobody knows, averages beside totals,
prices without trade, and what a reading had to assume.

Knows typed cells (`carbon.layout.type_cells`) and the flags of a layout. Must not know how files are opened. As in
`carbon.checks` an error sets the row apart and a warning keeps and lists it; a finding without a row is about the file.
"""

from typing import TYPE_CHECKING

from carbon.checks import RowRule, average_is_off, has_ranges
from carbon.findings import findings_where, no_findings
from carbon.layout import AVERAGE_DECIMALS, Layout, is_single_precision
from carbon.scope import is_assumed

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FEED_RULES"]

# Single precision has 24 binary digits: from 2**17 CNY its steps are wider than a fen (2**-6 CNY).
_FEN_LOST_FROM = 2**17 * 100
_AVERAGE_SCALE = 10 ** (AVERAGE_DECIMALS - 2)


def find_cut_rows(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `cut_row`: neither figures nor the dashes of a day without trade; the rest of the line stands elsewhere."""
    import polars as pl

    if not layout.dash_is_no_trade:
        return no_findings()
    return findings_where(
        rows,
        pl.col("is_cut"),
        code="cut_row",
        severity="error",
        column=layout.heading("volume"),
        found=pl.lit("empty cells"),
        expected=pl.lit("a volume and a value, or a dash in each on a day without trade"),
    )


def find_unknown_markets(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `unknown_market`: a row that names no market, or one that the format does not know (C42)."""
    import polars as pl

    if not layout.markets:
        return no_findings()
    return findings_where(
        rows,
        pl.col("market").is_null(),
        code="unknown_market",
        severity="error",
        column=layout.heading("market"),
        found=pl.col("market_text"),
        expected=pl.lit("one of " + ", ".join(layout.markets)),
    )


def find_averages_beside_totals(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warning `average_not_value_per_volume`: the average of listed trading beside totals of every method (C37).

    Block deals explain the difference up to the limits of `price_outside_limits`; the totals stand.
    """
    import polars as pl

    if layout.price_rule != "total":
        return no_findings()
    return findings_where(
        rows,
        has_ranges() & average_is_off("average", _AVERAGE_SCALE),
        code="average_not_value_per_volume",
        severity="warning",
        column=layout.heading("average"),
        found=pl.col("average_text"),
        expected=pl.format("{} CNY / {} t within half a fen, unless blocks are among them", "value_text", "volume"),
    )


def find_moves_without_trade(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warning `price_moved_without_trade`: a carried-forward price that is not that of the row before."""
    import polars as pl

    if not layout.zero_is_no_trade or "price" not in layout.columns:
        return no_findings()
    ordered = rows.sort("product", "day", "row").with_columns(
        before=pl.col("price").shift(1).over("product"), before_text=pl.col("price_text").shift(1).over("product")
    )
    return findings_where(
        ordered,
        (pl.col("volume") == 0) & (pl.col("price") != pl.col("before")),
        code="price_moved_without_trade",
        severity="warning",
        column=layout.heading("price"),
        found=pl.col("price_text"),
        expected=pl.format("the price of the row before, {}, on a day without trade", "before_text"),
    )


def find_assumed_products(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warning `product_assumed`, one for the file: rows that name no product and were read as the market's own."""
    assumed = rows.filter(is_assumed(layout)).sort("row")["row"].to_list()
    if not assumed:
        return no_findings()
    return _about_file(
        layout,
        role="product",
        code="product_assumed",
        found=f"{len(assumed)} rows without a product, rows {assumed[0]} to {assumed[-1]}",
        expected=f"a product in every row; they were read as {layout.assumed_product}",
    )


def find_lost_digits(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warning `single_precision`, one for the file: values that lost their fen on the way."""
    import polars as pl

    if not layout.single_precision:
        return no_findings()
    # A file in which no fraction shows single precision went another way, and its whole numbers are what they are.
    went_through = rows.filter(is_single_precision(pl.col("value_text"))).height > 0
    lost = rows.filter(went_through & (pl.col("value") >= _FEN_LOST_FROM))
    if lost.is_empty():
        return no_findings()
    return _about_file(
        layout,
        role="value",
        code="single_precision",
        found=f"{lost.height} values of 131072 CNY and more in single precision",
        expected="values to the fen; these are known to one part in 16 million",
    )


def _about_file(layout: Layout, *, role: str, code: str, found: str, expected: str) -> "pl.DataFrame":
    """One warning without a row."""
    import polars as pl

    return findings_where(
        pl.DataFrame({"row": [None]}, schema={"row": pl.Int64}),
        pl.lit(True),
        code=code,
        severity="warning",
        column=layout.heading(role),
        found=pl.lit(found),
        expected=pl.lit(expected),
    )


FEED_RULES: dict[str, RowRule] = {
    "cut_row": find_cut_rows,
    "unknown_market": find_unknown_markets,
    "average_not_value_per_volume": find_averages_beside_totals,
    "price_moved_without_trade": find_moves_without_trade,
    "product_assumed": find_assumed_products,
    "single_precision": find_lost_digits,
}
