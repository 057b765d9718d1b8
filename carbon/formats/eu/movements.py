"""Transactions of the European log as movements a ledger can book: who gave how many units of what to whom, and when.

Knows the transaction type codes and our words for them. Must not know accounts, holdings or how a movement is booked.
"""

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["euets_movements", "movements_of", "transaction_types"]

_COLUMNS = ("reference", "at_us", "kind", "eu_code", "source", "target", "instrument", "quantity_t", "row")


def transaction_types() -> "pl.DataFrame":
    """The transaction type codes known, with our word for each.

    Result: main (Int64, null: with any main type), supplementary (Int64), slug, name (String). A row with a main type
    goes before the row of its supplementary type alone.
    Source: the code tables of euets.info and Regulation (EC) 916/2007 Annex I, as far as the research file lists them
    (confidence H); the words are ours. Retirement, replacement and change of expiry are "other": the units were
    surrendered before, or are Kyoto units that no allowance account holds.
    """
    import polars as pl

    schema = {"main": pl.Int64, "supplementary": pl.Int64, "slug": pl.String, "name": pl.String}
    data = files("carbon").joinpath("formats", "eu", "transaction_types.csv").read_bytes()
    return pl.read_csv(data, schema=schema)


def euets_movements(transactions: "pl.DataFrame") -> "pl.DataFrame":
    """The blocks of the euets.info table `transaction` as movements, one a block, in the order of the table.

    transactions : typed table as `read_euets` gives it, amounts in tonnes (one unit is one tonne of CO2e)
    Result: as `movements_of`; reference is "transactionID/id", row the line of the file if no row was set apart.
    """
    import polars as pl

    return movements_of(
        transactions.select(
            pl.format("{}/{}", pl.col("transactionID").fill_null(""), pl.col("id")).alias("reference"),
            pl.col("date").alias("at"),
            pl.col("transactionTypeMain_id").alias("main"),
            pl.col("transactionTypeSupplementary_id").alias("supplementary"),
            pl.col("transferringAccount_id").cast(pl.String).alias("source"),
            pl.col("acquiringAccount_id").cast(pl.String).alias("target"),
            pl.col("unitType_id").alias("instrument"),
            pl.col("amount").alias("quantity_t"),
            pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("row"),
        )
    )


def movements_of(blocks: "pl.DataFrame") -> "pl.DataFrame":
    """Blocks of any European source as movements; kind is null where the type code is unknown (check C42).

    blocks : reference, at (Datetime, UTC), main, supplementary (Int64), source, target, instrument (String),
    quantity_t (Int64), row (Int64)
    Result: reference, at_us (Int64, microseconds since 1970 in UTC), kind (String), eu_code ("main-supplementary" as
    printed, "?" for a missing half), source, target, instrument, quantity_t, row. Nothing is dropped: a movement
    without kind is to be set apart by whoever books, with eu_code as the raw text.
    """
    import polars as pl

    types = transaction_types()
    pairs = types.drop_nulls("main").select("main", "supplementary", pl.col("slug").alias("pair"))
    alone = types.filter(pl.col("main").is_null()).select("supplementary", pl.col("slug").alias("alone"))
    known_main = pl.col("main").is_in(types["main"].drop_nulls().unique().implode())
    half = [pl.col(name).cast(pl.String).fill_null("?") for name in ("main", "supplementary")]
    return (
        blocks.join(pairs, on=["main", "supplementary"], how="left", maintain_order="left")
        .join(alone, on="supplementary", how="left", maintain_order="left")
        .with_columns(
            pl.col("at").dt.epoch("us").alias("at_us"),
            # An unknown main type makes the supplementary type mean nothing we know.
            pl.coalesce("pair", pl.when(known_main).then(pl.col("alone"))).alias("kind"),
            pl.format("{}-{}", *half).alias("eu_code"),
        )
        .select(_COLUMNS)
    )
