"""States replayed in the order of the log: schemes open or closed, accounts open, blocked or closed (C01, C07, C23).

Knows the acts that change states. Must not know how the database keeps the current state: it is compared, not trusted.
"""

from typing import TYPE_CHECKING, Final

from carbon.ledger.audit.findings import found_in, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_blocked_moves", "find_closed_moves", "find_closed_schemes", "state_changes"]

_ACCOUNT: Final = {"close_account": "closed", "block_account": "blocked", "unblock_account": "open"}
_SCHEME: Final = {"close_scheme": "closed", "open_scheme": "open"}


def state_changes(log: Log, states: dict[str, str]) -> "pl.DataFrame":
    """The booked acts of these kinds in log order: transaction_id, subject, state."""
    import polars as pl

    acts = log.transactions.filter(pl.col("status") == "done", pl.col("kind").is_in(list(states)))
    state = pl.col("kind").replace_strict(states, return_dtype=pl.String)
    return acts.sort("id").select(pl.col("id").alias("transaction_id"), "subject", state.alias("state"))


def find_closed_schemes(log: Log) -> "pl.DataFrame":
    """C01: no leg touches an account of a scheme that was closed then; the scheme's state is what the log makes it."""
    import polars as pl

    changes = state_changes(log, _SCHEME)
    parts = [_legs_in_state(log, changes, f"{side}_scheme", ["closed"]) for side in ("source", "target")]
    rows = pl.concat(parts).unique("id", keep="first", maintain_order=True)
    shown = pl.format("a movement while {} was closed", pl.col("subject"))
    final = _final(log.schemes, "scheme", changes).filter(pl.col("state").ne_missing(pl.col("derived")))
    kept = found_in(
        final,
        "registry_scheme",
        found=pl.format("{} is {}", pl.col("scheme"), pl.col("state")),
        expected=pl.format("{}, as the log says", pl.col("derived")),
        id=None,
        transaction=None,
    )
    return together([_of_legs(rows, shown, "an open scheme"), kept])


def find_blocked_moves(log: Log) -> "pl.DataFrame":
    """C07: only surrender and cancellation against replacement leave a blocked account; its state follows from the log.

    A reversal and the voiding of a reservation always may.
    """
    import polars as pl

    rows = _legs_in_state(log, state_changes(log, _ACCOUNT), "source_code", ["blocked"])
    keys = ["kind", "source_type", "target_type", "unit_kind"]
    free = log.movements.filter(pl.col("from_blocked"))
    held = rows.filter(pl.col("phase") != "void", pl.col("kind") != "reverse").join(free, on=keys, how="anti")
    shown = pl.format("{} from {} while it was blocked", pl.col("kind"), pl.col("source_code"))
    kept = _wrong_states(log).filter(pl.col("status").ne("closed") & pl.col("derived").ne("closed"))
    return together([_of_legs(held, shown, "an open account"), _of_accounts(kept)])


def find_closed_moves(log: Log) -> "pl.DataFrame":
    """C23: a closed account takes and gives nothing and stays closed; only an empty one closes.

    What was reserved for an account that closed meanwhile may still be given up.
    """
    import polars as pl

    changes = state_changes(log, _ACCOUNT)
    ends = changes.filter(pl.col("state") == "closed").unique("subject", keep="first", maintain_order=True)
    ends = ends.rename({"transaction_id": "end"}).drop("state")
    parts = [
        log.legs.join(ends, left_on=f"{side}_code", right_on="subject", how="inner", coalesce=False).filter(
            (pl.col("transaction_id") > pl.col("end")) & still_allowed.not_()
        )
        for side, still_allowed in (("source", pl.lit(False)), ("target", pl.col("phase") == "void"))
    ]
    rows = pl.concat(parts).unique("id", keep="first", maintain_order=True)
    again = changes.join(ends, on="subject").filter(pl.col("transaction_id") > pl.col("end"))
    acts = found_in(
        again.with_columns(id=pl.col("transaction_id")),
        "registry_transaction",
        found=pl.format("{} made {} after it was closed", pl.col("subject"), pl.col("state")),
        expected="an account that stays closed",
    )
    kept = _wrong_states(log).filter(pl.col("status").eq("closed") | pl.col("derived").eq("closed"))
    shown = pl.format("a movement of {} after it was closed", pl.col("subject"))
    return together([_of_legs(rows, shown, "none"), acts, _closed_full(log, ends), _of_accounts(kept)])


def _closed_full(log: Log, ends: "pl.DataFrame") -> "pl.DataFrame":
    """Accounts that held something when they were closed."""
    import polars as pl

    moved = log.legs.filter(pl.col("phase").is_in(["posted", "settle"]))
    sides = [
        moved.select("transaction_id", "instrument_id", subject=f"{side}_code", account_id=f"{side}_id", q=sign)
        for side, sign in (("source", -pl.col("quantity")), ("target", pl.col("quantity")))
    ]
    before = pl.concat(sides).join(ends, on="subject").filter(pl.col("transaction_id") < pl.col("end"))
    full = before.group_by("end", "subject", "account_id", "instrument_id", maintain_order=True).agg(pl.col("q").sum())
    return found_in(
        full.filter(pl.col("q") != 0),
        "registry_transaction",
        found=pl.format("{} closed with {}", pl.col("subject"), pl.col("q")),
        expected="an empty account",
        id="end",
        transaction="end",
        account="account_id",
        instrument="instrument_id",
    )


def _legs_in_state(log: Log, changes: "pl.DataFrame", column: str, states: list[str]) -> "pl.DataFrame":
    """Legs whose subject (a column) was in one of these states just before their transaction; with `subject`."""
    import polars as pl

    legs = log.legs.with_columns(subject=pl.col(column)).join(changes, on="subject", how="semi")
    if legs.is_empty():
        return legs.with_columns(state=pl.lit(None, pl.String))
    return (
        legs.sort("transaction_id", maintain_order=True)
        .join_asof(changes, on="transaction_id", by="subject", allow_exact_matches=False, check_sortedness=False)
        .filter(pl.col("state").is_in(states))
    )


def _final(rows: "pl.DataFrame", key: str, changes: "pl.DataFrame") -> "pl.DataFrame":
    """Rows with the state that the log ends with, `derived`; open where no act changed it."""
    import polars as pl

    last = changes.unique("subject", keep="last", maintain_order=True).select("subject", derived="state")
    return rows.join(last, left_on=key, right_on="subject", how="left").with_columns(
        pl.col("derived").fill_null("open")
    )


def _wrong_states(log: Log) -> "pl.DataFrame":
    import polars as pl

    final = _final(log.accounts, "code", state_changes(log, _ACCOUNT))
    return final.filter(pl.col("status").ne_missing(pl.col("derived"))).with_columns(pl.col("status").fill_null("?"))


def _of_accounts(rows: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    expected = pl.format("{}, as the log says", pl.col("derived"))
    return found_in(rows, "registry_account", found=pl.col("status"), expected=expected, transaction=None, account="id")


def _of_legs(rows: "pl.DataFrame", found: "pl.Expr", expected: str) -> "pl.DataFrame":
    return found_in(
        rows, "registry_transfer", found=found, expected=expected, account="source_id", instrument="instrument_id"
    )
