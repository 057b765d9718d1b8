"""The rules a row of a trading file must keep, each a small function with its own code.

Knows typed cells (`carbon.layout.type_cells`), the limits of the exchanges and how a finding is worded. Must not know
how files are opened, nor where good rows go. Each rule takes all rows at once and returns all its findings; what
needs other rows or the lake is in `carbon.cross_checks`.

An error sets the row apart; a warning keeps and lists it. Numbers in brackets are the checks of the domain notes
(C35-C43).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from carbon.findings import findings_where, no_findings, price_text
from carbon.layout import AVERAGE_DECIMALS, DEAL_LIMITS, NUMBERS, PRICES, YEARS, Layout
from carbon.rows import ALL, LISTING
from carbon.units import well_formed_number_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ROW_RULES", "RowRule", "average_is_off", "has_ranges"]

_RATIO_LOW, _RATIO_HIGH = DEAL_LIMITS
_MATCH = ["product", "method", "day"]
_FEN = 100
_PRICE_WORD = {"average": "average or close", "price": "price"}


def _is_listing() -> "pl.Expr":
    import polars as pl

    return pl.col("method") == LISTING


def _has_listed_prices() -> "pl.Expr":
    import polars as pl

    return pl.col("method").is_in([LISTING, ALL])


def find_extra_cells(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `extra_cells`: more cells than headings, so that columns may have moved."""
    import polars as pl

    text = pl.col("extra_text")
    expected = pl.lit(f"{layout.width} cells")
    return findings_where(
        rows, text.is_not_null(), code="extra_cells", severity="error", column=None, found=text, expected=expected
    )


def find_unreadable_dates(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `unreadable_date`: no day of the calendar from 1990 to 2100 (C40)."""
    import polars as pl

    return findings_where(
        rows,
        pl.col("day").is_null(),
        code="unreadable_date",
        severity="error",
        column=layout.heading("day"),
        found=pl.col("day_text"),
        expected=pl.lit(f"a day of {YEARS[0]} to {YEARS[1]} such as 2026-01-05, 2026-1-5, 2026/1/5 or 20260105"),
    )


def find_unknown_methods(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `unknown_method`: a trading method that the format does not know (C42)."""
    import polars as pl

    return findings_where(
        rows,
        pl.col("method").is_null(),
        code="unknown_method",
        severity="error",
        column=layout.heading("method"),
        found=pl.col("method_text"),
        expected=pl.lit("one of " + ", ".join(layout.methods)),
    )


def _without_value(rows: "pl.DataFrame", role: str) -> "pl.DataFrame":
    """The few rows where a text is there but no value came of it; only these are looked at closely."""
    import polars as pl

    return rows.filter(pl.col(role).is_null() & pl.col(f"{role}_text").is_not_null())


def find_unreadable_numbers(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `unreadable_number`: a figure that is no decimal number below 10**12."""
    import polars as pl

    return pl.concat(
        findings_where(
            _without_value(rows, role),
            ~well_formed_number_expr(pl.col(f"{role}_text")),
            code="unreadable_number",
            severity="error",
            column=layout.heading(role),
            found=pl.col(f"{role}_text"),
            expected=pl.lit("a decimal number below 10**12, such as 1,234.50"),
        )
        for role in NUMBERS
        if role in layout.columns
    )


def find_fractions(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Errors `not_whole_tonnes` (a lot is 1 t, C35) and `finer_than_fen` (a tick is 0.01 CNY, C35)."""
    import polars as pl

    return pl.concat(
        findings_where(
            _without_value(rows, role),
            well_formed_number_expr(pl.col(f"{role}_text")),
            code="not_whole_tonnes" if role.endswith("volume") else "finer_than_fen",
            severity="error",
            column=layout.heading(role),
            found=pl.col(f"{role}_text"),
            expected=pl.lit("whole tonnes" if role.endswith("volume") else "CNY with at most two decimals"),
        )
        for role in NUMBERS
        if role in layout.columns and role not in ("average", "price")
    )


def find_negatives(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `negative`: a price, volume or value below zero (C16)."""
    import polars as pl

    return pl.concat(
        findings_where(
            rows,
            pl.col(role) < 0,
            code="negative",
            severity="error",
            column=layout.heading(role),
            found=pl.col(f"{role}_text"),
            expected=pl.lit("zero or more"),
        )
        for role in NUMBERS
        if role in layout.columns
    )


def find_missing_figures(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `missing_figure`: a volume without a value, a value without a volume, or one of them zero alone.

    Nothing is missing where the format prints only one of the two.
    """
    import polars as pl

    if not {"volume", "value"} <= layout.columns.keys():
        return no_findings()
    findings = []
    for role, other in (("volume", "value"), ("value", "volume")):
        is_alone = pl.col(f"{role}_text").is_null() & pl.col(f"{other}_text").is_not_null()
        is_zero_alone = (pl.col(role) == 0) & (pl.col(other) > 0)
        findings.append(
            findings_where(
                rows,
                is_alone | is_zero_alone,
                code="missing_figure",
                severity="error",
                column=layout.heading(role),
                found=pl.col(f"{role}_text"),
                expected=pl.format("a {} beside the {} {}", pl.lit(role), pl.lit(other), f"{other}_text"),
            )
        )
    return pl.concat(findings)


def find_zero_prices(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `zero_price`: a listing row with tonnes but a price of zero. On other rows a zero means "none" and is
    read as null.
    """
    import polars as pl

    return pl.concat(
        findings_where(
            rows,
            _is_listing() & (pl.col("volume") > 0) & (pl.col(role) == 0),
            code="zero_price",
            severity="error",
            column=layout.heading(role),
            found=pl.col(f"{role}_text"),
            expected=pl.format("a price above zero, since {} t were traded", "volume"),
        )
        for role in PRICES
    )


def find_high_below_low(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `high_below_low`, on every row: a block row that repeats the listing prices cannot have them crossed either
    (C37).
    """
    import polars as pl

    return findings_where(
        rows,
        pl.col("high") < pl.col("low"),
        code="high_below_low",
        severity="error",
        column=layout.heading("high"),
        found=pl.col("high_text"),
        expected=pl.format("at least the low of {}", "low_text"),
    )


def find_wrong_values(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `value_not_price_x_volume`: value against a price that is value / volume rounded to the fen (C37).

    |value - price x volume| may be half a fen for each tonne plus one fen. Evidence: 514 of 514 listing closes of the
    national file, 2610 of 2610 averages of the Hubei file keep it. Composite prices are held to the wide limit instead,
    and so are averages of listed trading beside totals. Where no row of a product has a range of prices, though, its
    average is held to be that of all its tonnes.
    """
    import polars as pl

    if layout.price_rule == "close_is_vwap":
        role, applies, scale = "close", _is_listing(), 1
    elif layout.price_rule in ("average", "total"):
        applies = pl.lit(True) if layout.price_rule == "average" else ~has_ranges()
        role, scale = "average", 10 ** (AVERAGE_DECIMALS - 2)
    else:
        return no_findings()
    return findings_where(
        rows,
        applies & average_is_off(role, scale),
        code="value_not_price_x_volume",
        severity="error",
        column=layout.heading("value"),
        found=pl.col("value_text"),
        expected=pl.format("{} CNY/t x {} t, within half a fen for each tonne", f"{role}_text", "volume"),
    )


def has_ranges() -> "pl.Expr":
    """True where any row of the product has a high or a low."""
    import polars as pl

    return (pl.col("high").is_not_null() | pl.col("low").is_not_null()).any().over("product")


def average_is_off(role: str, scale: int) -> "pl.Expr":
    """True where value is further from price x volume than half a fen a tonne and one fen.

    role : the price, in 1/scale fen
    """
    import polars as pl

    volume, value = pl.col("volume").cast(pl.Int128), pl.col("value").cast(pl.Int128)
    gap = (value * scale - pl.col(role).cast(pl.Int128) * volume).abs()
    return 2 * gap > scale * (volume + 2)


def find_wide_prices(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Error `price_outside_limits`: value / volume against the price printed in the row (C36).

    For block rows that repeat the listing prices and for every row whose price is not that of all its tonnes. A block
    may lie 30 % and the close 10 % off the previous close, so value / volume lies within 0.63 and 1.45 of the close.
    """
    import polars as pl

    role, scale = "close", 1
    if layout.price_rule == "close_is_vwap":
        applies = ~_is_listing()
    elif layout.price_rule in ("composite", "close"):
        applies = pl.lit(True)
    elif layout.price_rule in ("total", "unstated"):
        role, scale = ("average" if layout.price_rule == "total" else "price"), 10 ** (AVERAGE_DECIMALS - 2)
        applies = pl.lit(True)
    else:
        return no_findings()
    price = pl.col(role) / scale
    if layout.price_rule == "total":
        price = pl.coalesce(price, pl.col("close").cast(pl.Float64))
    implied = pl.col("value") / pl.col("volume")
    return findings_where(
        rows.with_columns(_price=price),
        applies & (pl.col("volume") > 0) & (price > 0) & ~(implied / price).is_between(_RATIO_LOW, _RATIO_HIGH),
        code="price_outside_limits",
        severity="error",
        column=layout.heading("value"),
        found=pl.format("{} ({} CNY/t)", "value_text", (implied / _FEN).round(2)),
        expected=pl.format(
            f"{{}} t at {_RATIO_LOW} to {_RATIO_HIGH} times the {_PRICE_WORD.get(role, role)} of {{}}",
            "volume",
            price_text("close") if role == "close" else (pl.col("_price") / _FEN).round(4),
        ),
    )


def find_outside_low_high(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warnings `open_outside_low_high`, `close_outside_low_high` on rows with prices of listed trading (C37).

    No error: the first row of the national file has its open below its low, and the official cumulatives need that row.
    """
    import polars as pl

    return pl.concat(
        findings_where(
            rows,
            _has_listed_prices() & ((pl.col(role) < pl.col("low")) | (pl.col(role) > pl.col("high"))),
            code=f"{role}_outside_low_high",
            severity="warning",
            column=layout.heading(role),
            found=pl.col(f"{role}_text"),
            expected=pl.format("from the low of {} to the high of {}", "low_text", "high_text"),
        )
        for role in ("open", "close")
    )


def find_vwap_outside(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warning `vwap_outside_low_high` on listing rows where the close is not value / volume, beyond half a fen of
    rounding (C37).
    """
    import polars as pl

    if layout.price_rule not in ("composite", "close"):
        return no_findings()
    implied = pl.col("value") / pl.col("volume")
    is_outside = (implied < pl.col("low") - 0.5) | (implied > pl.col("high") + 0.5)
    return findings_where(
        rows,
        _is_listing() & (pl.col("volume") > 0) & is_outside,
        code="vwap_outside_low_high",
        severity="warning",
        column=layout.heading("value"),
        found=pl.format("{} ({} CNY/t)", "value_text", (implied / _FEN).round(2)),
        expected=pl.format("from the low of {} to the high of {} CNY/t", "low_text", "high_text"),
    )


def find_cumulative_steps(rows: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Warnings `cumulative_volume_step`, `cumulative_value_step`: a running sum that does not rise by the day's
    figure (C38).

    Steps are taken between the rows of one product and method in order of days; the first has nothing to be checked by.
    """
    import polars as pl

    findings = [no_findings()]
    for role in ("volume", "value"):
        running = f"cumulative_{role}"
        if running not in layout.columns:
            continue
        known = rows.filter(pl.all_horizontal(pl.col(*_MATCH, role, running).is_not_null()))
        steps = known.unique(_MATCH, keep="first", maintain_order=True).sort(_MATCH)
        step = pl.col(running) - pl.col(running).shift(1).over("product", "method")
        findings.append(
            findings_where(
                steps.with_columns(step=step),
                pl.col("step") != pl.col(role),
                code=f"{running}_step",
                severity="warning",
                column=layout.heading(running),
                found=pl.format("{} ({} above the row before)", f"{running}_text", _amount("step", role)),
                expected=pl.format("a rise by the day's {}", f"{role}_text"),
            )
        )
    return pl.concat(findings)


def _amount(column: str, role: str) -> "pl.Expr":
    import polars as pl

    return price_text(column) if role == "value" else pl.col(column)


RowRule = Callable[["pl.DataFrame", Layout], "pl.DataFrame"]

ROW_RULES: dict[str, RowRule] = {
    "extra_cells": find_extra_cells,
    "unreadable_date": find_unreadable_dates,
    "unknown_method": find_unknown_methods,
    "unreadable_number": find_unreadable_numbers,
    "fractions": find_fractions,
    "negative": find_negatives,
    "missing_figure": find_missing_figures,
    "zero_price": find_zero_prices,
    "high_below_low": find_high_below_low,
    "value_not_price_x_volume": find_wrong_values,
    "price_outside_limits": find_wide_prices,
    "outside_low_high": find_outside_low_high,
    "vwap_outside_low_high": find_vwap_outside,
    "cumulative_step": find_cumulative_steps,
}
