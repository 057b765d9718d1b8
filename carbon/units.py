"""Money and mass: fen and CNY, tonnes and kilograms.

Knows the conversions and is the only place where integers become floats. Must not know files, tables or markets.
"""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "FEN_PER_CNY",
    "KG_PER_T",
    "T_PER_MT",
    "cny_from_fen",
    "cny_from_fen_expr",
    "fen_from_text",
    "kg_from_t",
    "scaled_from_text_expr",
    "t_from_kg",
    "t_from_mt_expr",
    "well_formed_number_expr",
]

FEN_PER_CNY = 100
KG_PER_T = 1000
T_PER_MT = 1_000_000

# 20 digits before the point and 18 after: the noise of a double (24.200001) stays visible, int64 never overflows
# unseen.
_DECIMAL_PRECISION, _DECIMAL_SCALE = 38, 18
_LARGEST = 10**12  # CNY or tonnes in one cell: past this, sums and products of a file could leave int64
_THOUSANDS = r"^([+-]?)\d{1,3}(?:[,，]\d{3})+(?:\.\d*)?$"


def fen_from_text(text: str) -> int:
    """Exact fen of one decimal amount of CNY, never by way of a binary float.

    text : CNY as printed, e.g. "210230053.25"; thousands signs and E notation are read
    Result : integer fen (1/100 CNY), e.g. 21023005325.
    Raises ValueError where the text is no number or is finer than one fen.
    """
    try:
        amount_fen = Decimal(text.strip().replace(",", "")) * FEN_PER_CNY
    except InvalidOperation:
        raise ValueError(f"found {text!r}, expected an amount of CNY") from None
    if not amount_fen.is_finite() or amount_fen != amount_fen.to_integral_value():
        raise ValueError(f"found {text!r}, expected an amount of CNY with at most two decimals")
    return int(amount_fen)


def cny_from_fen(amount_fen: int | None) -> float | None:
    """CNY (or CNY per tonne) as a float from integer fen (or fen per tonne); null stays null."""
    return None if amount_fen is None else amount_fen / FEN_PER_CNY


def kg_from_t(quantity_t: int) -> int:
    """Kilograms of a whole number of tonnes."""
    return quantity_t * KG_PER_T


def t_from_kg(quantity_kg: float) -> float:
    """Tonnes of a quantity in kilograms, as a float."""
    return quantity_kg / KG_PER_T


def cny_from_fen_expr(column: str) -> "pl.Expr":
    """The same as `cny_from_fen` for a column: int64 fen in, float64 CNY out, null stays null."""
    import polars as pl

    # Polars divides by a constant through its reciprocal (5123 / 100 gives 51.230000000000004); rounding undoes that.
    return (pl.col(column).cast(pl.Float64) / FEN_PER_CNY).round(2)


def t_from_mt_expr(column: str) -> "pl.Expr":
    """Tonnes (float64) of a column in million tonnes; null stays null."""
    import polars as pl

    return pl.col(column).cast(pl.Float64) * T_PER_MT


def _decimal_expr(text: "pl.Expr") -> "pl.Expr":
    import polars as pl

    plain = pl.when(text.str.contains(_THOUSANDS)).then(text.str.replace_all(r"[,，]", "")).otherwise(text)
    return plain.cast(pl.Decimal(_DECIMAL_PRECISION, _DECIMAL_SCALE), strict=False)


def well_formed_number_expr(text: "pl.Expr") -> "pl.Expr":
    """True where a text column holds a decimal number below 10**12 in size, else false.

    Thousands signs in their places and E notation are read: "1,234.50" and "1.38E7" are numbers, "12,34" and "10t"
    are not.
    """
    return (_decimal_expr(text).abs() < _LARGEST).fill_null(False)


def scaled_from_text_expr(text: "pl.Expr", decimals: int) -> "pl.Expr":
    """Exact integers from a text column: the number times 10**decimals, as int64.

    text : String expression; decimals : 2 turns CNY into fen, 0 reads whole tonnes
    Result : Int64; null where the text is null, no number, finer than the unit, or 10**12 and more.
    """
    import polars as pl

    number = _decimal_expr(text)
    rounded = number.cast(pl.Decimal(_DECIMAL_PRECISION, decimals), strict=False)
    # A decimal is stored as the integer wanted here; only texts that lose nothing by the rounding count.
    is_exact = rounded.cast(pl.Decimal(_DECIMAL_PRECISION, _DECIMAL_SCALE), strict=False) == number
    return pl.when(is_exact & (number.abs() < _LARGEST)).then(rounded.to_physical()).cast(pl.Int64, strict=False)
