"""Rates of exchange in a plain table of the user's own: day, currency, per_eur, per_usd and source.

Knows its headings (ours) and what a rate must be. per_eur and per_usd are EUR and USD for one unit of the currency; one
of the two may be empty. Must not know other formats, nor how a rate is used.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from carbon.findings import findings_where
from carbon.formats.text import MAX_ROWS, split_cells
from carbon.layout import Layout

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HEADINGS", "KNOWN_HEADER", "NAME", "find_layout", "read_table"]

NAME = "rates_csv"
HEADINGS = ("day", "currency", "per_eur", "per_usd", "source")
KNOWN_HEADER = ",".join(HEADINGS)

# The dearest and the cheapest currency in use lie within 10**5 of the euro; figures times a rate must stay finite.
_RATE_LIMITS = (1e-9, 1e9)


def find_layout(header: Sequence[str]) -> Layout | None:
    """A layout without columns for a first line with all five headings; null where one is missing."""
    if any(heading not in header for heading in HEADINGS):
        return None
    return Layout(feed=NAME, columns={}, positions={}, width=len(header), header_rows=1, price_rule="none")


def read_table(text: str, file: str) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Rates and findings (`carbon.findings`) of the whole text.

    Result: row, day, currency, per_eur, per_usd, source; rows with an error are left out. Errors: `unreadable_date`,
    `unknown_currency` (no three letters), `unreadable_rate` (not above zero, or of no currency there is),
    `missing_figure` (no rate, no source), `duplicate_key` (day, currency and source twice).
    Raises FileTooLarge, UnreadableFile.
    """
    import polars as pl

    header = [cell.strip() for cell in text.split("\n", 1)[0].split(",")]
    cells = split_cells(text, file, width=len(header), header_rows=1, max_rows=MAX_ROWS)
    named = cells.select("row", *(pl.col(f"c{header.index(name)}").alias(name) for name in HEADINGS))
    filled = named.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))
    typed = filled.select(
        "row",
        pl.col("day").alias("day_text"),
        pl.col("day").str.to_date("%Y-%m-%d", strict=False),
        pl.col("currency"),
        *(pl.col(name).alias(f"{name}_text") for name in ("per_eur", "per_usd")),
        *(pl.col(name).cast(pl.Float64, strict=False) for name in ("per_eur", "per_usd")),
        "source",
    )
    findings = _findings(typed)
    good = typed.filter(~pl.col("row").is_in(findings["row"].implode()))
    return good.select("row", *HEADINGS), findings


def _findings(typed: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    key = ["day", "currency", "source"]
    no_rate = pl.col("per_eur_text").is_null() & pl.col("per_usd_text").is_null()
    is_rate = {name: pl.col(name).is_between(*_RATE_LIMITS) for name in ("per_eur", "per_usd")}
    rules: list[tuple[pl.Expr, str, str, pl.Expr, str]] = [
        (pl.col("day").is_null(), "unreadable_date", "day", pl.col("day_text"), "a day such as 2026-01-05"),
        (
            ~pl.col("currency").str.contains("^[A-Z]{3}$").fill_null(False),
            "unknown_currency",
            "currency",
            pl.col("currency"),
            "three letters, such as CNY",
        ),
        *(
            (
                pl.col(f"{name}_text").is_not_null() & ~is_rate[name].fill_null(False),
                "unreadable_rate",
                name,
                pl.col(f"{name}_text"),
                f"a rate above zero, from {_RATE_LIMITS[0]:g} to {_RATE_LIMITS[1]:g}",
            )
            for name in ("per_eur", "per_usd")
        ),
        (no_rate, "missing_figure", "per_eur", pl.lit("no rate"), "per_eur, per_usd or both"),
        (pl.col("source").is_null(), "missing_figure", "source", pl.col("source"), "who published the rate"),
        (pl.len().over(key) > 1, "duplicate_key", "day", pl.col("day_text"), "one row a day, currency and source"),
    ]
    return pl.concat(
        findings_where(typed, where, code=code, severity="error", column=column, found=found, expected=pl.lit(expected))
        for where, code, column, found, expected in rules
    )
