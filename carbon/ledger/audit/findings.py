"""The shape of one finding of the audit, and the few ways in which one is made.

Knows columns of findings. Must not know any check. A finding names its row by table and id, and the transaction,
account and unit by their ids; `audit` puts codes and clients' ids in their place.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["found_in", "no_findings", "together"]

_NUMBERS = ("id", "transaction_id", "account_id", "instrument_id")
_COLUMNS = ("table", *_NUMBERS, "found", "expected", "severity")


def found_in(
    rows: "pl.DataFrame",
    table: str,
    *,
    found: "pl.Expr",
    expected: "pl.Expr | str",
    id: str | None = "id",
    transaction: str | None = "transaction_id",
    account: str | None = None,
    instrument: str | None = None,
    severity: str | None = None,
) -> "pl.DataFrame":
    """One finding for each row. id, transaction, account, instrument : columns that hold these ids, null for none.

    severity : null for that of the check. Result : table, id, transaction_id, account_id, instrument_id, found,
    expected, severity.
    """
    import polars as pl

    columns = zip(_NUMBERS, (id, transaction, account, instrument), strict=True)
    ids = [(pl.lit(None) if name is None else pl.col(name)).cast(pl.Int64).alias(to) for to, name in columns]
    return rows.select(
        pl.lit(table).alias("table"),
        *ids,
        found.cast(pl.String).fill_null("nothing").alias("found"),
        (pl.lit(expected) if isinstance(expected, str) else expected).cast(pl.String).alias("expected"),
        pl.lit(severity, pl.String).alias("severity"),
    )


def no_findings() -> "pl.DataFrame":
    """A frame of findings without rows."""
    import polars as pl

    return pl.DataFrame(schema={name: pl.Int64 if name in _NUMBERS else pl.String for name in _COLUMNS})


def together(parts: "Iterable[pl.DataFrame]") -> "pl.DataFrame":
    """The findings of several parts of one check."""
    import polars as pl

    return pl.concat([no_findings(), *parts])
