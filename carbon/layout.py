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

__all__ = [
    "AVERAGE_DECIMALS",
    "DEAL_LIMITS",
    "NUMBERS",
    "PRICES",
    "ROLES",
    "YEARS",
    "Layout",
    "PriceRule",
    "is_single_precision",
    "type_cells",
]

PriceRule = Literal["close_is_vwap", "average", "composite", "close", "total", "unstated", "none"]

PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "average", "price", "volume", "value", "cumulative_volume", "cumulative_value")
ROLES = ("day", "market", "product", "method", *NUMBERS)

# A block deal may lie 30 % off the previous close, and the close itself 10 % off it (C36): 0.7 / 1.1 and 1.3 / 0.9,
# rounded outward.
DEAL_LIMITS = (0.63, 1.45)

# Wind prints averages with six decimals: finer than a fen, so they stay outside the canonical row.
AVERAGE_DECIMALS = 6
_DECIMALS = {
    **dict.fromkeys(PRICES, 2),
    "average": AVERAGE_DECIMALS,
    "price": AVERAGE_DECIMALS,
    "volume": 0,
    "value": 2,
    "cumulative_volume": 0,
    "cumulative_value": 2,
}

# Years of other centuries are slips of the pen, and calendars are laid from the first day to the last.
YEARS = (1990, 2100)

_NONE = ["-", "--", "—", "——", "－"]
_DATE = r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?$"
_COMPACT_DATE = r"^(\d{4})(\d{2})(\d{2})$"
# Tonnes written behind the number; 万吨 is not among them, since its last digit stands before another sign.
_TONNES = r"(\d)\s*(?:t|吨)$"
_BRACKETED = r"^([^(（]*?)\s*[(（]\s*(.*?)\s*[)）]*$"


@dataclass(frozen=True)
class Layout:
    """One format as data.

    feed : name of the format
    columns : role -> heading as printed; positions : role -> column number from 0
    methods : method as printed -> code; empty where every row has `fixed_method`
    fixed_product : the product of every row, where a heading names it
    price_rule : "close_is_vwap" (the listing close is value / volume, and block rows repeat the listing prices),
    "average" (a column prints value / volume), "composite" (prices span all vintages), "close" (a close of listed
    trading beside the volume and value of the same trades), "total" (prices and average of listed trading beside volume
    and value of every method), "unstated" (nobody says what the price is) or "none"
    markets : market as printed -> market key, null for a market that is none of ours
    market_products : market key -> product, for feeds that print a market and no product
    spellings : pattern and replacement that give one product one spelling
    product_in_value : the product stands in brackets behind the value
    assumed_product : the product of a row that names none, where nothing speaks against it
    other_products : pattern of products that a feed prints beside the market's own and that are no part of it
    refused : product as printed -> why its file is no file of trades
    single_precision : numbers went through single precision and are read as its shortest decimals
    zero_is_no_trade : days without trade print zeros beside the last price
    dash_is_no_trade : days without trade print dashes, so that an empty cell is a row cut short
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
    markets: Mapping[str, str | None] = field(default_factory=dict)
    market_products: Mapping[str, str] = field(default_factory=dict)
    spellings: tuple[str, str] | None = None
    product_in_value: bool = False
    assumed_product: str | None = None
    other_products: str | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    single_precision: bool = False
    zero_is_no_trade: bool = False
    dash_is_no_trade: bool = False

    def heading(self, role: str) -> str | None:
        """The heading of a role as the file prints it; null where the format has no such column."""
        return self.columns.get(role)


def _date_expr(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    parts = [pl.coalesce(text.str.extract(_DATE, group), text.str.extract(_COMPACT_DATE, group)) for group in (1, 2, 3)]
    padded = pl.concat_str([parts[0], parts[1].str.zfill(2), parts[2].str.zfill(2)], separator="-")
    day = padded.str.to_date("%Y-%m-%d", strict=False)
    return pl.when(day.dt.year().is_between(*YEARS)).then(day)


def type_cells(cells: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Text and value of every role, side by side.

    cells : result of `carbon.formats.text.split_cells`
    Result : row; for each role `<role>_text` (String, null for an empty cell or a dash) and `<role>`: day Date, market
    String (key), product String upper case, method Int8, prices and values Int64 fen, average and price Int64 in
    10**-6 CNY, volumes Int64 tonnes; extra_text; is_note (nothing but the first text of a line), is_cut (no cell for
    volume and value, not even a dash). A value is null where its text is null or unreadable. Roles that the format
    lacks are null throughout.
    """
    import polars as pl

    raw = {role: pl.col(f"c{position}") for role, position in layout.positions.items()}
    nothing = pl.lit(None, dtype=pl.String)
    shown = {role: pl.when(~text.is_in(_NONE)).then(text) for role, text in raw.items()}
    texts = [shown.get(role, nothing).alias(f"{role}_text") for role in ROLES]
    extra = pl.col(f"c{layout.width}")
    others = [text for role, text in raw.items() if role != "day"]
    amounts = [raw[role] for role in ("volume", "value") if role in raw]
    frame = cells.select(
        "row",
        *texts,
        extra.alias("extra_text"),
        pl.all_horizontal(text.is_null() for text in [*others, extra]).alias("is_note"),
        pl.all_horizontal(amount.is_null() for amount in amounts).alias("is_cut"),
    )
    frame = _with_market_and_product(_with_plain_amounts(frame, layout), layout)
    method = (
        pl.col("method_text").replace_strict(layout.methods, default=None, return_dtype=pl.Int8)
        if layout.fixed_method is None
        else pl.lit(layout.fixed_method, dtype=pl.Int8)
    )
    return frame.with_columns(
        _date_expr(pl.col("day_text")).alias("day"),
        method.alias("method"),
        *[scaled_from_text_expr(_number_text(role, layout), _DECIMALS[role]).alias(role) for role in NUMBERS],
    )


def _with_plain_amounts(frame: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    """Units behind tonnes taken off; a product in brackets behind the value moved to where products stand."""
    import polars as pl

    plain = frame.with_columns(pl.col("volume_text", "cumulative_volume_text").str.replace(_TONNES, "$1"))
    if not layout.product_in_value:
        return plain
    value = pl.col("value_text")
    in_brackets = value.str.extract(_BRACKETED, 2)
    return plain.with_columns(
        value_text=pl.coalesce(value.str.extract(_BRACKETED, 1), value),
        product_text=pl.coalesce(pl.when(in_brackets != "").then(in_brackets), "product_text"),
    )


def _with_market_and_product(frame: "pl.DataFrame", layout: Layout) -> "pl.DataFrame":
    import polars as pl

    market = pl.col("market_text").replace_strict(dict(layout.markets), default=None, return_dtype=pl.String)
    known = frame.with_columns(market=market if layout.markets else pl.lit(None, dtype=pl.String))
    if layout.fixed_product is not None:
        known = known.with_columns(product_text=pl.lit(layout.fixed_product))
    if layout.market_products:
        product = pl.col("market").replace_strict(dict(layout.market_products), default=None, return_dtype=pl.String)
        known = known.with_columns(product_text=product)
    upper = pl.col("product_text").str.to_uppercase()
    return known.with_columns(product=upper if layout.spellings is None else upper.str.replace(*layout.spellings))


def _number_text(role: str, layout: Layout) -> "pl.Expr":
    """The text that a number is read from: single precision shows its shortest decimals, 24.200000762939453 gives 24.2.

    Source: IEEE 754 binary32; a number that is none of its values stays as printed, but for a price of unknown meaning,
    which is rounded to the decimals that are kept of it.
    """
    import polars as pl

    text = pl.col(f"{role}_text")
    if not layout.single_precision:
        return text
    number = text.cast(pl.Float64, strict=False)
    as_printed = text
    if role == "price":
        as_printed = pl.coalesce(number.round(_DECIMALS["price"]).cast(pl.String), text)
    return pl.when(is_single_precision(text)).then(number.cast(pl.Float32).cast(pl.String)).otherwise(as_printed)


def is_single_precision(text: "pl.Expr") -> "pl.Expr":
    """True where a text is a fraction in single precision with all its digits, or with six decimals (24.200001).

    Whole numbers are never meant: they stand in both precisions alike.
    """
    import polars as pl

    number = text.cast(pl.Float64, strict=False)
    widened = number.cast(pl.Float32).cast(pl.Float64)
    is_fraction = number != number.round(0)
    return (is_fraction & ((widened == number) | (widened.round(6) == number))).fill_null(False)
