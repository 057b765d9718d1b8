"""From one file to canonical rows and everything wrong with it.

Knows the order of the steps: split, type, check, set apart. Must not know any one publisher's headings or the lake.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbon.checks import ROW_RULES
from carbon.cross_checks import find_repeats, find_unknown_products
from carbon.embedded import product_pattern
from carbon.errors import Problem
from carbon.feed_checks import FEED_RULES
from carbon.findings import to_problems
from carbon.formats.text import decode, read_bytes, split_cells
from carbon.layout import PRICES, Layout, type_cells
from carbon.rows import ALL, LISTING, rows_schema
from carbon.scope import assume_products, is_of_others, refuse_quotes

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Limits", "Reading", "canonical_rows", "lines_set_apart", "read_rows_of"]


@dataclass(frozen=True)
class Limits:
    """How much of a file is read at most: unpacked bytes, and rows below the header."""

    max_bytes: int
    max_rows: int


@dataclass(frozen=True, eq=False)
class Reading:
    """What one file holds. rows_read = rows kept + rejected + without trade + repeated + of others.

    rows : canonical rows that passed, ascending by line (`carbon.rows.rows_schema`)
    problems : all errors and warnings, by line
    rows_without_trade : calendar days without volume and value; rows_repeated : same key and figures as an earlier line
    set_apart : the lines set apart by an error (`lines_set_apart`); none where the whole file is refused by its heading
    rows_of_others : about another market than the one asked for, or about offsets that the feed prints beside it; no
    rule is applied to them
    """

    rows: "pl.DataFrame"
    problems: tuple[Problem, ...]
    rows_read: int
    rows_without_trade: int
    rows_repeated: int
    set_apart: "pl.DataFrame"
    rows_of_others: int = 0

    @property
    def rows_rejected(self) -> int:
        """Rows set apart by at least one error."""
        not_rejected = self.rows.height + self.rows_without_trade + self.rows_repeated + self.rows_of_others
        return self.rows_read - not_rejected


def read_rows_of(path: Path, layout: Layout, *, market: str, file: str, limits: Limits) -> Reading:
    """Read one file by its layout and check every row for the market asked for.

    market : market key; file : name to print in problems
    Raises UnreadableFile, FileTooLarge, UnknownMarket, NotATradeFile.
    """
    import polars as pl

    text = decode(read_bytes(path, max_bytes=limits.max_bytes), file)
    cells = split_cells(text, file, width=layout.width, header_rows=layout.header_rows, max_rows=limits.max_rows)
    every = type_cells(cells, layout)
    every = every.filter(pl.col("day").is_not_null() | ~pl.col("is_note"))
    refuse_quotes(every, layout, file)
    typed = assume_products(every.filter(~is_of_others(layout, market)), layout)
    products = find_unknown_products(typed, layout, market=market, pattern=product_pattern(market))
    rules = [*ROW_RULES.values(), *FEED_RULES.values()]
    findings = pl.concat([rule(typed, layout) for rule in rules] + [find_repeats(typed, layout), products])
    is_error = pl.col("severity") == "error"
    whole_file = findings.filter(is_error & (pl.col("row") <= layout.header_rows)).height > 0
    bad = findings.filter(is_error)["row"]
    repeated = findings.filter(pl.col("code") == "repeated_row")["row"]
    without_trade = _is_without_trade(layout) & ~pl.col("row").is_in(bad.implode())
    good = typed.filter(~pl.col("row").is_in(bad.implode()) & ~pl.col("row").is_in(repeated.implode()) & ~without_trade)
    kept = good.clear() if whole_file else good
    return Reading(
        rows=canonical_rows(kept, layout, market, file),
        problems=tuple(to_problems(findings, file)),
        rows_read=every.height,
        rows_without_trade=typed.filter(without_trade).height,
        rows_repeated=len(set(repeated) - set(bad)),
        set_apart=lines_set_apart(bad.clear() if whole_file else bad, [typed]),
        rows_of_others=every.height - typed.height,
    )


def lines_set_apart(bad: "pl.Series", typed: Sequence["pl.DataFrame"]) -> "pl.DataFrame":
    """The lines set apart and the days that they are about: row Int64, day Date (null where it cannot be read).

    bad : rows with an error, in any order and repeated; typed : cells (`carbon.layout.type_cells`) that tell the days
    """
    import polars as pl

    days = pl.concat([pl.DataFrame(schema={"row": pl.Int64, "day": pl.Date}), *(one["row", "day"] for one in typed)])
    known = days.drop_nulls("day").unique("row", keep="first", maintain_order=True)
    lines = pl.DataFrame({"row": bad.unique().sort()}, schema={"row": pl.Int64})
    return lines.join(known, on="row", how="left", maintain_order="left")


def _is_without_trade(layout: Layout) -> "pl.Expr":
    import polars as pl

    roles = [role for role in ("volume", "value") if role in layout.columns]
    is_none = [
        pl.col(f"{role}_text").is_null() | (pl.lit(layout.zero_is_no_trade) & (pl.col(role) == 0).fill_null(False))
        for role in roles
    ]
    return pl.all_horizontal(is_none)


def canonical_rows(good: "pl.DataFrame", layout: Layout, market: str, file: str) -> "pl.DataFrame":
    """Rows in `carbon.rows.rows_schema`; block and auction rows have no prices, and a price of zero means none."""
    import polars as pl

    # A zero price is how some feeds write "none"; block rows print the listing's prices or the composite, not their
    # own; and beside totals a line without a range had no listed trade, so that its prices are those of another day.
    has_range = pl.col("high").is_not_null() | pl.col("low").is_not_null()
    is_priced = (pl.col("method") == LISTING) | ((pl.col("method") == ALL) & has_range)
    prices = [pl.when(is_priced & (pl.col(role) > 0)).then(pl.col(role)).alias(f"{role}_fen_per_t") for role in PRICES]
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
