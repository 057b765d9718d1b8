"""What a product code says: the product without its vintage, and the year of the vintage.

Knows how codes are written (CEA25, CEA19-20, SZA-2016, TJEA13). Must not know markets, rows or files. Expressions for
columns only, so that the same rule serves frames and lazy scans.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["base_product_expr", "vintage_expr"]

# Letters, then two digits or a year of this century at the very end; "19-20" is one allowance for two years.
_CODE = r"^(.*\p{L})-?(?:(?:20)?\d{2}-)?((?:20)?\d{2})$"
_CENTURY = 2000


def vintage_expr(column: str) -> "pl.Expr":
    """The year of the vintage that a product code ends in, as Int32; null where it names none.

    column : String column of product codes, in any case. CEA25 -> 2025, SZA-2016 -> 2016, TJEA13 -> 2013, HBEA -> null,
    CQEA-1 -> null. CEA19-20 (the joint allowances of the first national period) -> 2020, the later year.
    Two digits are read as a year of this century: no carbon market of China is older.
    """
    import polars as pl

    digits = pl.col(column).str.strip_chars().str.extract(_CODE, 2).cast(pl.Int32)
    return pl.when(digits < _CENTURY).then(digits + _CENTURY).otherwise(digits)


def base_product_expr(column: str) -> "pl.Expr":
    """The product code without its vintage, upper case: CEA25 -> CEA, SZA-2016 -> SZA; CQEA-1 and HBEA stay.

    column : String column of product codes; null stays null.
    """
    import polars as pl

    code = pl.col(column).str.strip_chars().str.to_uppercase()
    return pl.coalesce(code.str.extract(_CODE, 1), code)
