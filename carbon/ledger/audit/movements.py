"""Whether each leg could be booked as it was: its accounts, schemes, unit, kind and quantity (C02-C06, C16, C17, C29).

Knows the rules of single legs that do not change over time. Must not know balances, serial numbers or states.
"""

from typing import TYPE_CHECKING

from carbon.ledger.audit.findings import found_in, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "find_misplaced_externals",
    "find_mixed_schemes",
    "find_nowhere",
    "find_restricted",
    "find_self_transfers",
    "find_unallowed",
    "find_unknown_sources",
    "find_unknown_targets",
    "find_wrong_quantities",
]

_LARGEST = 2**53


def find_unknown_targets(log: Log) -> "pl.DataFrame":
    """C02: the acquiring account of every leg exists, and was opened before the leg."""
    return find_nowhere(log, "target")


def find_unknown_sources(log: Log) -> "pl.DataFrame":
    """C03: the transferring account of every leg exists, and was opened before the leg; so does an act's account."""
    import polars as pl

    kinds = ["close_account", "block_account", "unblock_account", "appoint"]
    acts = log.transactions.filter(pl.col("kind").is_in(kinds), pl.col("status") == "done")
    unknown = acts.join(log.accounts, left_on="subject", right_on="code", how="anti").with_columns(t=pl.col("id"))
    lost = found_in(
        unknown, "registry_transaction", found=pl.col("subject"), expected="code of an account", transaction="t"
    )
    return together([find_nowhere(log, "source"), lost])


def find_nowhere(log: Log, side: str) -> "pl.DataFrame":
    """Legs whose account on one side (source, target) is not there or was opened by a later transaction."""
    import polars as pl

    account, opened = f"{side}_id", pl.col(f"{side}_transaction_id")
    absent = log.legs.filter(pl.col(f"{side}_code").is_null())
    early = log.legs.filter(opened > pl.col("transaction_id"))
    shown = pl.format("account {}, opened by transaction {}", pl.col(f"{side}_code"), opened)
    missing = pl.format("no account with id {}", pl.col(account))
    table, last = "registry_transfer", "an account opened before"
    return together(
        [
            found_in(absent, table, found=missing, expected="an account", account=account, instrument="instrument_id"),
            found_in(early, table, found=shown, expected=last, account=account, instrument="instrument_id"),
        ]
    )


def find_mixed_schemes(log: Log) -> "pl.DataFrame":
    """C04: the accounts of a leg are of one scheme unless it is external, and both may hold units of that scheme."""
    import polars as pl

    pairs = log.acceptances.with_columns(ok=pl.lit(True))
    two = (pl.col("source_scheme") != pl.col("target_scheme")) & ~pl.col("kind").is_in(["external", "reverse"])
    used = log.legs.select("source_scheme", "target_scheme", "unit_scheme").unique()
    for side in ("source", "target"):
        keys = [f"{side}_scheme", "unit_scheme"]
        used = used.join(pairs.rename({"scheme": keys[0], "ok": f"{side}_ok"}), on=keys, how="left")
    strange = used.filter(pl.col("source_ok").is_null() | pl.col("target_ok").is_null()).drop_nulls("unit_scheme")
    strange = strange.filter(pl.col("source_scheme").is_not_null() & pl.col("target_scheme").is_not_null())
    foreign_issue = (pl.col("source_type") == "issuance") & (pl.col("source_scheme") != pl.col("unit_scheme"))
    broken = log.legs.filter(two | (foreign_issue & (pl.col("kind") != "reverse")))
    keys = ["source_scheme", "target_scheme", "unit_scheme"]
    mixed = log.legs.join(strange.select(keys), on=keys, how="semi").join(broken.select("id"), on="id", how="anti")
    shown = pl.format(
        "units of {} from {} to {}", *(pl.col(n) for n in ("unit_scheme", "source_scheme", "target_scheme"))
    )
    return found_in(
        pl.concat([broken, mixed]),
        "registry_transfer",
        found=shown,
        expected="schemes that go together",
        account="source_id",
        instrument="instrument_id",
    )


def find_misplaced_externals(log: Log) -> "pl.DataFrame":
    """C05: an external transfer goes from one scheme to another."""
    import polars as pl

    rows = log.legs.filter(pl.col("kind") == "external", pl.col("source_scheme") == pl.col("target_scheme"))
    found = pl.format("an external transfer within {}", pl.col("source_scheme"))
    return _legs(rows, found, "two registries")


def find_restricted(log: Log) -> "pl.DataFrame":
    """C06: a restricted class of units moves only in the kinds that it is limited to; reversal always may."""
    import polars as pl

    rows = log.legs.filter(pl.col("unit_only_kinds").is_not_null(), pl.col("kind") != "reverse").filter(
        ~pl.col("unit_only_kinds").str.contains(pl.format(";{};", pl.col("kind")), literal=True)
    )
    return _legs(rows, pl.col("kind"), pl.format("one of {}", pl.col("unit_only_kinds").str.strip_chars(";")))


def find_wrong_quantities(log: Log) -> "pl.DataFrame":
    """C16: the quantity of a leg is a whole number from 1 to 2^53, that of a statement from 0."""
    import polars as pl

    good = pl.col("quantity").is_between(1, _LARGEST).fill_null(False)
    stated = log.statements.filter(~pl.col("quantity_t").is_between(0, _LARGEST).fill_null(False))
    return together(
        [
            _legs(log.legs.filter(~good), pl.col("quantity"), f"a whole number from 1 to {_LARGEST}"),
            found_in(
                stated,
                "registry_statement",
                found=pl.col("quantity_t"),
                expected=f"a whole number of tonnes from 0 to {_LARGEST}",
                account="account_id",
            ),
        ]
    )


def find_self_transfers(log: Log) -> "pl.DataFrame":
    """C17: source and target are two accounts."""
    import polars as pl

    rows = log.legs.filter(pl.col("source_id") == pl.col("target_id"))
    return _legs(rows, pl.format("account {} on both sides", pl.col("source_id")), "two accounts")


def find_unallowed(log: Log) -> "pl.DataFrame":
    """C29: this kind of movement is allowed between these types of accounts for this kind of unit."""
    import polars as pl

    keys = ["kind", "source_type", "target_type", "unit_kind"]
    known = pl.all_horizontal(pl.col(keys).is_not_null()) & (pl.col("kind") != "reverse")
    rows = log.legs.filter(known).join(log.movements, on=keys, how="anti")
    found = pl.format(
        "{} of {} from {} to {}", *(pl.col(n) for n in ("kind", "unit_kind", "source_type", "target_type"))
    )
    return _legs(rows, found, "a movement that the table of movements allows")


def _legs(rows: "pl.DataFrame", found: "pl.Expr", expected: "pl.Expr | str") -> "pl.DataFrame":
    return found_in(
        rows,
        "registry_transfer",
        found=found,
        expected=expected,
        account="source_id",
        instrument="instrument_id",
    )
