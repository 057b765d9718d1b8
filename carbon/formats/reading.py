"""From one file to canonical rows and everything wrong with it.

Knows the order of the steps: split, type, check, set apart. Must not know any one publisher's headings or the lake.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.checks import ROW_RULES
from carbon.cross_checks import find_repeats, find_unknown_products
from carbon.embedded import product_pattern
from carbon.errors import Problem
from carbon.findings import to_problems
from carbon.formats.text import decode, read_bytes, split_cells
from carbon.layout import NUMBERS, PRICES, Layout, type_cells
from carbon.rows import LISTING, rows_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Limits", "Reading", "read_rows_of"]


@dataclass(frozen=True)
class Limits:
    """How much of a file is read at most: unpacked bytes, and rows below the header."""

    max_bytes: int
    max_rows: int


@dataclass(frozen=True, eq=False)
class Reading:
    """What one file holds. rows_read = rows kept + rejected + without trade + repeated.

    rows : canonical rows that passed, ascending by line (`carbon.rows.rows_schema`)
    problems : all errors and warnings, by line
    rows_without_trade : calendar days without volume and value; rows_repeated : same key and figures as an earlier line
    """

    rows: "pl.DataFrame"
    problems: tuple[Problem, ...]
    rows_read: int
    rows_without_trade: int
    rows_repeated: int

    @property
    def rows_rejected(self) -> int:
        """Rows set apart by at least one error."""
        return self.rows_read - self.rows.height - self.rows_without_trade - self.rows_repeated


def read_rows_of(path: Path, layout: Layout, *, market: str, file: str, limits: Limits) -> Reading:
    """Read one file by its layout and check every row for the market asked for.

    market : market key; file : name to print in problems
    Raises UnreadableFile, FileTooLarge, UnknownMarket.
    """
    import polars as pl

    text = decode(read_bytes(path, max_bytes=limits.max_bytes), file)
    cells = split_cells(text, file, width=layout.width, header_rows=layout.header_rows, max_rows=limits.max_rows)
    typed = _without_notes(type_cells(cells, layout))
    products = find_unknown_products(typed, layout, market=market, pattern=product_pattern(market))
    findings = pl.concat([rule(typed, layout) for rule in ROW_RULES.values()] + [find_repeats(typed, layout), products])
    is_error = pl.col("severity") == "error"
    whole_file = findings.filter(is_error & (pl.col("row") <= layout.header_rows)).height > 0
    bad = findings.filter(is_error)["row"]
    repeated = findings.filter(pl.col("code") == "repeated_row")["row"]
    without_trade = _is_without_trade() & ~pl.col("row").is_in(bad.implode())
    good = typed.filter(~pl.col("row").is_in(bad.implode()) & ~pl.col("row").is_in(repeated.implode()) & ~without_trade)
    kept = good.clear() if whole_file else good
    return Reading(
        rows=_canonical(kept, layout, market, file),
        problems=tuple(to_problems(findings, file)),
        rows_read=typed.height,
        rows_without_trade=typed.filter(without_trade).height,
        rows_repeated=len(set(repeated) - set(bad)),
    )


def _is_without_trade() -> "pl.Expr":
    import polars as pl

    return pl.col("volume_text").is_null() & pl.col("value_text").is_null()


def _without_notes(typed: "pl.DataFrame") -> "pl.DataFrame":
    """Leave out blank lines and footers: no figure, no method, and nothing that reads as a day."""
    import polars as pl

    others = [f"{role}_text" for role in ("method", *NUMBERS)] + ["extra_text"]
    return typed.filter(pl.col("day").is_not_null() | pl.any_horizontal(pl.col(*others).is_not_null()))


def _canonical(good: "pl.DataFrame", layout: Layout, market: str, file: str) -> "pl.DataFrame":
    import polars as pl

    # A zero price is how some feeds write "none"; block rows print the listing's prices or the composite, not their
    # own.
    prices = [
        pl.when((pl.col("method") == LISTING) & (pl.col(role) > 0)).then(pl.col(role)).alias(f"{role}_fen_per_t")
        for role in PRICES
    ]
    return good.select(
        "day",
        pl.lit(market).alias("market"),
        "product",
        "method",
        *prices,
        pl.col("volume").alias("volume_t"),
        pl.col("value").alias("value_fen"),
        pl.col("cumulative_volume").alias("cumulative_volume_t"),
        pl.col("cumulative_value").alias("cumulative_value_fen"),
        pl.lit(layout.feed).alias("feed"),
        pl.lit(file).alias("file"),
        "row",
    ).cast(dict(rows_schema()))  # type: ignore[arg-type]
