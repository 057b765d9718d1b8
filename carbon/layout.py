"""What a format says about itself, and how its cells become typed columns.

Knows roles (what a column means) and how dates, prices and amounts are written. Must not know any one publisher's
headings: those are data at the top of each format's module.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from carbon.units import scaled_from_text_expr

if TYPE_CHECKING:
    import polars as pl

__all__ = ["AVERAGE_DECIMALS", "NUMBERS", "PRICES", "ROLES", "Layout", "PriceRule", "type_cells"]

PriceRule = Literal["close_is_vwap", "average", "composite", "none"]

PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "average", "volume", "value", "cumulative_volume", "cumulative_value")
ROLES = ("day", "product", "method", *NUMBERS)

# Wind prints averages with six decimals: finer than a fen, so they stay outside the canonical row.
AVERAGE_DECIMALS = 6
_DECIMALS = {
    **dict.fromkeys(PRICES, 2),
    "average": AVERAGE_DECIMALS,
    "volume": 0,
    "value": 2,
    "cumulative_volume": 0,
    "cumulative_value": 2,
}

_NONE = ["-", "--", "—", "——", "－"]
_DATE = r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?$"
_COMPACT_DATE = r"^(\d{4})(\d{2})(\d{2})$"


@dataclass(frozen=True)
class Layout:
    """One format as data.

    feed : name of the format
    columns : role -> heading as printed; positions : role -> column number from 0
    methods : method as printed -> code; empty where every row has `fixed_method`
    fixed_product : the product of every row, where a heading names it
    price_rule : "close_is_vwap" (the listing close is value / volume, and block rows repeat the listing prices),
    "average" (a column prints value / volume), "composite" (prices span all vintages) or "none"
    cumulative_columns : roles that print a running sum
    """

    feed: str
    columns: Mapping[str, str]
    positions: Mapping[str, int]
    width: int
    header_rows: int
    price_rule: PriceRule
    methods: Mapping[str, int] = field(default_factory=dict)
    fixed_method: int | None = None
    fixed_product: str | None = None

    def heading(self, role: str) -> str | None:
        """The heading of a role as the file prints it; null where the format has no such column."""
        return self.columns.get(role)


def _date_expr(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    parts = [pl.coalesce(text.str.extract(_DATE, group), text.str.extract(_COMPACT_DATE, group)) for group in (1, 2, 3)]
    padded = pl.concat_str([parts[0], parts[1].str.zfill(2), parts[2].str.zfill(2)], separator="-")
    return padded.str.to_date("%Y-%m-%d", strict=False)


def type_cells(cells: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Text and value of every role, side by side.

    cells : result of `carbon.formats.text.split_cells`
    Result : row; for each role `<role>_text` (String, null for an empty cell or a dash) and `<role>`: day Date, product
    String upper case, method Int8, prices and values Int64 fen, average Int64 in 10**-6 CNY, volumes Int64 tonnes;
    extra_text. A value is null where its text is null or unreadable. Roles that the format lacks are null throughout.
    """
    import polars as pl

    texts = []
    for role in ROLES:
        position = layout.positions.get(role)
        text = pl.lit(None, dtype=pl.String) if position is None else pl.col(f"c{position}")
        texts.append(pl.when(~text.is_in(_NONE)).then(text).alias(f"{role}_text"))
    extra = pl.col(f"c{layout.width}").alias("extra_text")
    frame = cells.select("row", *texts, extra)
    if layout.fixed_product is not None:
        frame = frame.with_columns(product_text=pl.lit(layout.fixed_product))
    method = (
        pl.col("method_text").replace_strict(layout.methods, default=None, return_dtype=pl.Int8)
        if layout.fixed_method is None
        else pl.lit(layout.fixed_method, dtype=pl.Int8)
    )
    return frame.with_columns(
        _date_expr(pl.col("day_text")).alias("day"),
        pl.col("product_text").str.to_uppercase().alias("product"),
        method.alias("method"),
        *[scaled_from_text_expr(pl.col(f"{role}_text"), _DECIMALS[role]).alias(role) for role in NUMBERS],
    )
