"""Balances recomputed from the legs: never below what is reserved, and what the holdings say (C18, C24, C25).

Knows how each phase of a leg moves units between what is free and what is reserved. Must not know serial numbers.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

from carbon.ledger.audit.findings import found_in, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

__all__ = ["find_overdrafts", "find_unbalanced", "find_untrue_holdings", "recomputed_holdings"]

_KEYS: Final = ["account_id", "instrument_id"]


class _Flows(NamedTuple):
    """Every leg as movements between keys. Key 2k is what is free of the holding k, 2k + 1 what is reserved of it."""

    keys: "pl.DataFrame"
    source: "NDArray[np.int64]"
    target: "NDArray[np.int64]"
    quantity: "NDArray[np.int64]"
    leg: "NDArray[np.int64]"


def find_overdrafts(log: Log) -> "pl.DataFrame":
    """C18: in the order of the log no account ever gives or reserves more than it holds free; the first time is named.

    The issuance account of a scheme may, since units come from there. Also finds what is settled or voided beyond what
    was reserved.
    """
    import numpy as np
    import polars as pl

    from carbon.ledger.overdraft import LARGEST_SUM, UNLIMITED, find_dips

    flows = _flows(log, log.legs.filter(pl.col("quantity") > 0))
    if float(flows.quantity.sum(dtype=np.float64)) > LARGEST_SUM:
        rows = log.legs.filter(pl.col("quantity") == pl.col("quantity").max()).head(1)
        return _of_legs(rows, pl.col("quantity"), f"quantities of at most {LARGEST_SUM} in all, to be followed")
    contra = flows.keys["contra"].to_numpy()
    opening = np.zeros(2 * contra.size, np.int64)
    opening[::2][contra] = UNLIMITED
    dips = find_dips(flows.source, flows.target, flows.quantity, opening)
    first = pl.DataFrame(
        {"key": dips.key // 2, "reserved": dips.key % 2 == 1, "id": flows.leg[dips.row], "lowest": dips.lowest}
    )
    rows = first.join(flows.keys, on="key").join(log.legs.select("id", "transaction_id"), on="id").sort("id")
    what = pl.when("reserved").then(pl.lit("reserved")).otherwise(pl.lit("free"))
    found = pl.format("first of the legs that bring what is {} below zero, at worst to {}", what, pl.col("lowest"))
    return found_in(
        rows,
        "registry_transfer",
        found=found,
        expected="0 or more",
        account="account_id",
        instrument="instrument_id",
    )


def find_unbalanced(log: Log) -> "pl.DataFrame":
    """C24: debits equal credits for each unit and phase, and the holdings of each unit add up to zero."""
    import polars as pl

    debit = pl.col("quantity").filter(pl.col("source_code").is_not_null()).sum().alias("debit")
    credit = pl.col("quantity").filter(pl.col("target_code").is_not_null()).sum().alias("credit")
    sums = log.legs.group_by("instrument_id", "phase", maintain_order=True).agg(debit, credit)
    apart = sums.filter(pl.col("debit") != pl.col("credit"))
    totals = log.holdings.group_by("instrument_id", maintain_order=True).agg(pl.col("quantity").sum())
    over = totals.filter(pl.col("quantity") != 0)
    found = pl.format("debits of {} and credits of {}, {}", pl.col("debit"), pl.col("credit"), pl.col("phase"))
    whole = {"id": None, "transaction": None, "instrument": "instrument_id"}
    return together(
        [
            found_in(apart, "registry_transfer", found=found, expected="as much of each", **whole),
            found_in(
                over, "registry_holding", found=pl.format("holdings of {} in all", "quantity"), expected="0", **whole
            ),
        ]
    )


def find_untrue_holdings(log: Log) -> "pl.DataFrame":
    """C25: each holding is what the legs make it, and issued is held, surrendered, cancelled, carried and reserved."""
    import polars as pl

    now = log.holdings.select(*_KEYS, "quantity", "reserved", "contra")
    types = log.accounts.select(pl.col("id").alias("account_id"), issues=pl.col("type") == "issuance")
    both = recomputed_holdings(log).drop("contra").join(now, on=_KEYS, how="full", suffix="_now", coalesce=True)
    names = ("quantity", "reserved", "quantity_now", "reserved_now")
    both = both.with_columns(pl.col(names).fill_null(0)).join(types, on="account_id", how="left").sort(_KEYS)
    same = (pl.col("quantity") == pl.col("quantity_now")) & (pl.col("reserved") == pl.col("reserved_now"))
    free = pl.col("contra").fill_null(False) & ~pl.col("issues").fill_null(False)
    held = found_in(
        both.filter(~same),
        "registry_holding",
        found=pl.format("{}, of which {} reserved", "quantity_now", "reserved_now"),
        expected=pl.format("{}, of which {} reserved, as the log says", "quantity", "reserved"),
        id=None,
        transaction=None,
        account="account_id",
        instrument="instrument_id",
    )
    unlimited = found_in(
        both.filter(free),
        "registry_holding",
        found=pl.lit("a holding that may fall below zero"),
        expected="that of the issuance account alone",
        id=None,
        transaction=None,
        account="account_id",
        instrument="instrument_id",
    )
    return together([held, unlimited, _issued_elsewhere(log)])


def recomputed_holdings(log: Log) -> "pl.DataFrame":
    """What the legs make of each holding: account_id, instrument_id, quantity, reserved Int64, contra Boolean."""
    import polars as pl

    from carbon.ledger.overdraft import net_by_key

    flows = _flows(log, log.legs)
    net = net_by_key(flows.source, flows.target, flows.quantity, 2 * flows.keys.height)
    return flows.keys.select(
        *_KEYS,
        pl.Series("quantity", net[0::2] + net[1::2], pl.Int64),
        pl.Series("reserved", net[1::2], pl.Int64),
        "contra",
    )


def _issued_elsewhere(log: Log) -> "pl.DataFrame":
    """Units whose issued quantity, from the log, is not what all other accounts hold, from the holdings."""
    import polars as pl

    moved = log.legs.filter(pl.col("phase").is_in(["posted", "settle"]))
    out = moved.filter(pl.col("source_type") == "issuance").group_by("instrument_id").agg(out=pl.col("quantity").sum())
    back = (
        moved.filter(pl.col("target_type") == "issuance").group_by("instrument_id").agg(back=pl.col("quantity").sum())
    )
    types = log.accounts.select(pl.col("id").alias("account_id"), "type")
    others = log.holdings.join(types, on="account_id", how="left").filter(pl.col("type").ne_missing("issuance"))
    kept = others.group_by("instrument_id").agg(kept=pl.col("quantity").sum())
    joined = out.join(back, on="instrument_id", how="full", coalesce=True)
    joined = joined.join(kept, on="instrument_id", how="full", coalesce=True).fill_null(0).sort("instrument_id")
    issued = pl.col("out") - pl.col("back")
    return found_in(
        joined.filter(issued != pl.col("kept")),
        "registry_holding",
        found=pl.format("{} held, surrendered, cancelled or carried over", "kept"),
        expected=pl.format("{} issued", issued),
        id=None,
        transaction=None,
        instrument="instrument_id",
    )


def _flows(log: Log, legs: "pl.DataFrame") -> _Flows:
    """Posted: free to free. Reserved: to the sender's reserve. Settled and voided: out of it, the rest set free."""
    import numpy as np
    import polars as pl

    sides = [legs.select(pl.col(f"{side}_id").alias("account_id"), "instrument_id") for side in ("source", "target")]
    keys = pl.concat(sides).unique().sort(_KEYS).with_row_index("key").with_columns(pl.col("key").cast(pl.Int64))
    types = log.accounts.select(pl.col("id").alias("account_id"), contra=pl.col("type") == "issuance")
    keys = keys.join(types, on="account_id", how="left", maintain_order="left").with_columns(
        pl.col("contra").fill_null(False)
    )
    for side in ("source", "target"):
        named = keys.select("key", "instrument_id", pl.col("account_id").alias(f"{side}_id")).rename(
            {"key": f"{side}_key"}
        )
        legs = legs.join(named, on=[f"{side}_id", "instrument_id"], how="left", maintain_order="left", nulls_equal=True)
    reserves = log.legs.filter(pl.col("phase") == "reserve").select(reserve_id="id", reserved="quantity")
    legs = legs.select("id", "phase", "source_key", "target_key", "quantity", "reserve_id")
    legs = legs.join(reserves, on="reserve_id", how="left", maintain_order="left")
    free, kept, reached = 2 * pl.col("source_key"), 2 * pl.col("source_key") + 1, 2 * pl.col("target_key")
    held, ended = pl.col("phase") == "reserve", pl.col("phase").is_in(["settle", "void"])
    main = legs.select(
        "id",
        source=pl.when(ended).then(kept).otherwise(free),
        target=pl.when(held).then(kept).when(pl.col("phase") == "void").then(free).otherwise(reached),
        quantity="quantity",
    )
    rest = legs.filter(pl.col("phase") == "settle", pl.col("reserved") > pl.col("quantity")).select(
        "id", source=kept, target=free, quantity=pl.col("reserved") - pl.col("quantity")
    )
    moves = main if rest.is_empty() else pl.concat([main, rest]).sort("id", maintain_order=True)
    source, target, quantity, leg = (
        moves[name].fill_null(0).to_numpy().astype(np.int64) for name in ("source", "target", "quantity", "id")
    )
    return _Flows(keys, source, target, quantity, leg)


def _of_legs(rows: "pl.DataFrame", found: "pl.Expr", expected: str) -> "pl.DataFrame":
    return found_in(
        rows, "registry_transfer", found=found, expected=expected, account="source_id", instrument="instrument_id"
    )
