"""Reservations and reversals: each ends or undoes one earlier leg, once, and no more of it than there is (C22, C28).

Knows pairs of legs. Must not know balances, which follow.
"""

from typing import TYPE_CHECKING, Final

from carbon.ledger.audit.findings import found_in, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_wrong_reservations", "find_wrong_reversals"]

_SAME: Final = ("source_id", "target_id", "instrument_id")


def find_wrong_reservations(log: Log) -> "pl.DataFrame":
    """C22: a reservation is settled or voided once, in time, by a leg like it, and not beyond its quantity.

    A warning where one has expired at the time of the question and is still open.
    """
    import polars as pl

    names = [*_SAME, "kind", "phase", "quantity", "expires_at_us"]
    began = log.legs.select(reserve_id="id", **{f"{name}_then": pl.col(name) for name in names})
    ends = log.legs.filter(pl.col("phase").is_in(["settle", "void"]) | pl.col("reserve_id").is_not_null())
    pairs = ends.join(began, on="reserve_id", how="left", maintain_order="left")
    settled = pl.col("phase") == "settle"
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_then")) for name in (*_SAME, "kind"))
    reasons = (
        pl.when(pl.col("phase_then").ne_missing("reserve"))
        .then(pl.lit("no reserved leg that it ends"))
        .when(~settled & (pl.col("phase") != "void"))
        .then(pl.lit("a leg that names a reservation and is neither settled nor voided"))
        .when(pl.col("reserve_id") >= pl.col("id"))
        .then(pl.lit("an end before the beginning"))
        .when(~same)
        .then(pl.lit("other accounts, unit or kind than were reserved"))
        .when(pl.col("quantity") > pl.col("quantity_then"))
        .then(pl.format("{} of {} reserved", "quantity", "quantity_then"))
        .when(~settled & (pl.col("quantity") != pl.col("quantity_then")))
        .then(pl.format("{} of {} reserved made free", "quantity", "quantity_then"))
        .when(settled & (pl.col("at_us") >= pl.col("expires_at_us_then")))
        .then(pl.lit("settled after it had expired"))
        .when(~pl.col("reserve_id").is_first_distinct())
        .then(pl.lit("ended a second time"))
    )
    wrong = pairs.with_columns(reason=reasons).drop_nulls("reason")
    open_legs = log.legs.filter(pl.col("phase") == "reserve").join(ends.select(id="reserve_id"), on="id", how="anti")
    late = open_legs.filter(pl.col("expires_at_us") <= log.as_of_us)
    sides = {"account": "source_id", "instrument": "instrument_id"}
    return together(
        [
            found_in(wrong, "registry_transfer", found=pl.col("reason"), expected="one end in time", **sides),
            found_in(
                late,
                "registry_transfer",
                found=pl.lit("a reservation that has expired and is open"),
                expected="voided",
                severity="warning",
                **sides,
            ),
        ]
    )


def find_wrong_reversals(log: Log) -> "pl.DataFrame":
    """C28: a reversal names its original, mirrors every leg of it and happens once."""
    import polars as pl

    names = [*_SAME, "kind", "phase", "quantity", "transaction_id"]
    then = log.legs.select(reverses_id="id", **{f"{name}_then": pl.col(name) for name in names})
    backs = log.legs.filter((pl.col("kind") == "reverse") | pl.col("reverses_id").is_not_null())
    undone = log.transactions.select(transaction_id="id", original="reverses")
    pairs = backs.join(then, on="reverses_id", how="left", maintain_order="left")
    pairs = pairs.join(undone, on="transaction_id", how="left", maintain_order="left")
    mirrored = (
        pl.col("source_id").eq_missing(pl.col("target_id_then"))
        & pl.col("target_id").eq_missing(pl.col("source_id_then"))
        & pl.col("instrument_id").eq_missing(pl.col("instrument_id_then"))
        & pl.col("quantity").eq_missing(pl.col("quantity_then"))
    )
    reasons = (
        pl.when(pl.col("transaction_id_then").is_null())
        .then(pl.lit("a reversal without its original"))
        .when(
            (pl.col("kind") != "reverse") | (pl.col("kind_then") == "reverse") | (pl.col("reverses_id") >= pl.col("id"))
        )
        .then(pl.lit("a leg that cannot be reversed or is no reversal"))
        .when(~pl.col("phase_then").is_in(["posted", "settle"]) | (pl.col("phase") != "posted"))
        .then(pl.lit("a reversal of units that did not move"))
        .when(~mirrored)
        .then(pl.lit("a reversal that is no mirror of its original"))
        .when(pl.col("original").ne_missing(pl.col("transaction_id_then")))
        .then(pl.lit("a leg of another transaction than the one reversed"))
        .when(~pl.col("reverses_id").is_first_distinct())
        .then(pl.lit("a second reversal of the same leg"))
    )
    wrong = pairs.with_columns(reason=reasons).drop_nulls("reason")
    legs = found_in(
        wrong,
        "registry_transfer",
        found=pl.col("reason"),
        expected="the mirror of one earlier leg, once",
        account="source_id",
        instrument="instrument_id",
    )
    return together([legs, _wrong_headers(log)])


def _wrong_headers(log: Log) -> "pl.DataFrame":
    """Transactions that reverse what is not there, a second time, or in part."""
    import polars as pl

    heads = log.transactions.filter(pl.col("reverses").is_not_null(), pl.col("status") == "done").sort("id")
    originals = log.transactions.select(reverses="id", kind_then="kind", status_then="status")
    moved = log.legs.filter(pl.col("phase").is_in(["posted", "settle"]))
    was = moved.group_by(reverses="transaction_id").agg(was=pl.len())
    back = log.legs.filter(pl.col("reverses_id").is_not_null()).group_by(id="transaction_id").agg(back=pl.len())
    rows = heads.join(originals, on="reverses", how="left", maintain_order="left")
    rows = rows.join(was, on="reverses", how="left", maintain_order="left").join(back, on="id", how="left")
    rows = rows.sort("id").with_columns(pl.col("was", "back").fill_null(0))
    reasons = (
        pl.when(pl.col("status_then").ne_missing("done") | (pl.col("reverses") >= pl.col("id")))
        .then(pl.lit("a reversal of no booked transaction"))
        .when(pl.col("kind_then") == "reverse")
        .then(pl.lit("a reversal of a reversal"))
        .when(~pl.col("reverses").is_first_distinct())
        .then(pl.lit("a second reversal of the same transaction"))
        .when(pl.col("was") != pl.col("back"))
        .then(pl.format("{} of {} legs reversed", "back", "was"))
    )
    wrong = rows.with_columns(reason=reasons, t=pl.col("id")).drop_nulls("reason")
    return found_in(
        wrong,
        "registry_transaction",
        found=pl.col("reason"),
        expected="every leg of one earlier transaction",
        transaction="t",
    )
