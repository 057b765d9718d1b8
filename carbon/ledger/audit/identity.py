"""Transactions as wholes: one id one act, failed ones without effect, all legs and codes known (C19-C21, C41, C42).

Knows headers, bodies and what belongs to them. Must not know balances.
"""

from typing import TYPE_CHECKING, Final

from carbon.ledger.audit.findings import found_in, together
from carbon.ledger.audit.log import Log

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "find_effects_of_failed",
    "find_missing_legs",
    "find_repeated_ids",
    "find_repeated_rows",
    "find_unknown_codes",
    "find_untrue_bodies",
    "find_untrue_rows",
]

_KEYS: Final = ["transaction_id", "place"]
_ASKED: Final = ("source", "target", "instrument", "quantity", "first_serial", "compliance_year")
_NATURAL: Final = ["reference", "kind", "phase", "source_id", "target_id", "instrument_id", "quantity", "at_us"]


def find_repeated_ids(log: Log) -> "pl.DataFrame":
    """C19: every client's id stands for one transaction."""
    import polars as pl

    again = log.transactions.sort("id").filter(~pl.col("client_id").is_first_distinct())
    found = pl.format("the id {} a second time", pl.col("client_id"))
    return _of_transactions(again, found, "one transaction of this id")


def find_effects_of_failed(log: Log) -> "pl.DataFrame":
    """C20: a failed transaction says why and has no legs, statements, accounts, entities, units or representatives."""
    import polars as pl

    failed = log.transactions.filter(pl.col("status") == "failed")
    mute = log.transactions.filter((pl.col("status") == "failed") != pl.col("code").is_not_null())
    parts = [
        _of_transactions(
            mute, pl.format("{} with code {}", "status", pl.col("code").fill_null("none")), "a code if failed"
        )
    ]
    rows = {
        "registry_transfer": log.legs,
        "registry_statement": log.statements,
        "registry_account": log.accounts,
        "registry_entity": log.entities,
        "registry_instrument": log.instruments,
        "registry_representative": log.representatives,
    }
    for table, of in rows.items():
        made = of.join(failed.select(transaction_id="id"), on="transaction_id", how="semi")
        parts.append(found_in(made, table, found=pl.lit("a row of a failed transaction"), expected="none"))
    return together(parts)


def find_missing_legs(log: Log) -> "pl.DataFrame":
    """C21: the legs of a transaction are those its body lists, all of them; every leg and piece has its header.

    A reservation is settled or voided as a whole: as many legs end it as began it.
    """
    import polars as pl

    headers = log.transactions.select(transaction_id="id")
    orphans = log.legs.join(headers, on="transaction_id", how="anti")
    loose = log.pieces.join(log.legs.select(transfer_id="id"), on="transfer_id", how="anti")
    return together(
        [
            _legs_and_bodies(log),
            _half_ended(log),
            _short_imports(log),
            found_in(orphans, "registry_transfer", found=pl.lit("a leg without its transaction"), expected="one"),
            found_in(
                loose,
                "registry_piece",
                found=pl.lit("serial numbers without the leg that moved them"),
                expected="one",
                transaction=None,
                instrument="instrument_id",
            ),
        ]
    )


def find_repeated_rows(log: Log) -> "pl.DataFrame":
    """C41: imported movements that are equal in everything, with how often they occur; some are true repeats."""
    import polars as pl

    named = log.legs.drop_nulls("reference")
    named = named.filter(pl.col("reference").is_duplicated())
    repeated = named.filter(~pl.struct(_NATURAL).is_first_distinct())
    often = named.join(repeated.select(_NATURAL).unique(), on=_NATURAL, how="semi", nulls_equal=True)
    counted = often.group_by(_NATURAL, maintain_order=True).agg(
        pl.len().alias("times"), pl.col("id").min(), pl.col("transaction_id").first()
    )
    found = pl.format("{} rows alike with reference {}", pl.col("times"), pl.col("reference"))
    return found_in(
        counted.sort("id"),
        "registry_transfer",
        found=found,
        expected="one, or true repeats",
        account="source_id",
        instrument="instrument_id",
    )


def find_unknown_codes(log: Log) -> "pl.DataFrame":
    """C42: schemes, units, kinds, phases, roles, states and reasons of refusal are ones that are known."""
    import polars as pl

    from carbon.ledger.post import code_names

    schemes = log.schemes["scheme"].to_list()
    kinds = [*log.movements["kind"].unique().to_list(), "reverse"]
    types = ["issuance", "government", "operator", "trading", "surrender", "cancellation", "carried_over", "external"]
    known: list[tuple[str, pl.DataFrame, str, list[str]]] = [
        ("registry_transfer", log.legs, "kind", kinds),
        ("registry_transfer", log.legs, "phase", ["posted", "reserve", "settle", "void"]),
        ("registry_account", log.accounts, "scheme", schemes),
        ("registry_account", log.accounts, "type", [*types, "foreign"]),
        ("registry_account", log.accounts, "status", ["open", "blocked", "closed"]),
        ("registry_instrument", log.instruments, "scheme", schemes),
        ("registry_instrument", log.instruments, "kind", ["allowance", "offset", "money"]),
        ("registry_instrument", log.instruments, "unit", ["t", "fen"]),
        ("registry_representative", log.representatives, "role", ["primary", "secondary"]),
        ("registry_statement", log.statements, "kind", ["verified", "final_allocation"]),
        ("registry_transaction", log.transactions, "status", ["done", "failed"]),
        ("registry_transaction", log.transactions.drop_nulls("code"), "code", list(code_names())),
    ]
    parts = []
    for table, rows, column, codes in known:
        odd = rows.filter(~pl.col(column).is_in(codes).fill_null(False))
        found = pl.format("{} {}", pl.lit(column), pl.col(column).fill_null("nothing"))
        own = None if table == "registry_transaction" else "transaction_id"
        parts.append(found_in(odd, table, found=found, expected="one of " + ", ".join(codes[:12]), transaction=own))
    lost = log.legs.filter(pl.col("unit_code").is_null())
    parts.append(
        found_in(lost, "registry_transfer", found=pl.format("no unit with id {}", "instrument_id"), expected="a unit")
    )
    return together(parts)


def find_untrue_bodies(log: Log) -> "pl.DataFrame":
    """BODY: the digest of every transaction is that of its body, and both are of the same kind; so of kept tables."""
    import polars as pl

    rows = log.bodies.untrue.with_columns(t=pl.col("id"))
    found, expected = pl.col("found"), pl.col("expected")
    return together(
        [
            found_in(rows, "registry_transaction", found=found, expected=expected, transaction="t"),
            found_in(log.bodies.contents, "registry_kept_table", found=found, expected=expected),
        ]
    )


def find_untrue_rows(log: Log) -> "pl.DataFrame":
    """ROWS: entities, accounts and units are as the body of the transaction that opened them says."""
    import polars as pl

    codes = log.entities.select(pl.col("id").alias("entity_id"), holder="code")
    accounts = log.accounts.join(codes, on="entity_id", how="left", maintain_order="left")
    accounts = accounts.drop("entity_id").rename({"holder": "entity_id"})
    tables = {"registry_entity": log.entities, "registry_account": accounts, "registry_instrument": log.instruments}
    parts = []
    for table, rows in tables.items():
        said = log.bodies.facts.filter(pl.col("table") == table)
        names = [name for name in said["name"].unique(maintain_order=True) if name in rows.columns]
        texts = rows.select("id", "transaction_id", *(pl.col(name).cast(pl.String) for name in names))
        long = texts.unpivot(on=names, index=["id", "transaction_id"], variable_name="field", value_name="now")
        wrong = long.join(said, left_on=["transaction_id", "field"], right_on=["transaction_id", "name"]).filter(
            pl.col("now").ne_missing(pl.col("value"))
        )
        found = pl.format("{} is {}", pl.col("field"), pl.col("now").fill_null("nothing"))
        parts.append(found_in(wrong.sort("id", "field"), table, found=found, expected=pl.col("value")))
        absent = said.unique("transaction_id", maintain_order=True).join(rows, on="transaction_id", how="anti")
        lost = pl.lit("no row that this transaction opened")
        parts.append(found_in(absent, table, found=lost, expected="one", id=None))
    return together(parts)


def _legs_and_bodies(log: Log) -> "pl.DataFrame":
    """Bodies that list legs against the legs that are there, in their order."""
    import polars as pl

    asked = log.bodies.legs
    rows = log.legs.join(asked.select("transaction_id").unique(), on="transaction_id", how="semi")
    place = pl.int_range(pl.len()).over("transaction_id", order_by="id").cast(pl.Int64)
    there = rows.select(
        "transaction_id",
        "id",
        "source_id",
        "instrument_id",
        place=place,
        **{f"{name}_now": pl.col(f"{name}_code") for name in ("source", "target")},
        instrument_now="unit_code",
        quantity_now="quantity",
        first_serial_now="first_serial",
        compliance_year_now="compliance_year",
    )
    both = asked.join(there, on=_KEYS, how="full", coalesce=True, maintain_order="left_right")
    other = pl.any_horizontal(
        pl.col(name).is_not_null() & pl.col(name).ne_missing(pl.col(f"{name}_now")) for name in _ASKED
    )
    wrong = both.filter(pl.col("count").is_null() | pl.col("id").is_null() | other)
    shown = ("quantity", "instrument", "source", "target")
    now = [pl.col(f"{name}_now").cast(pl.String).fill_null("?") for name in shown]
    body = [pl.col(name).cast(pl.String).fill_null("?") for name in shown]
    found = pl.when(pl.col("id").is_null()).then(pl.lit("no leg")).otherwise(pl.format("{} {} from {} to {}", *now))
    listed = pl.when(pl.col("count").is_null()).then(pl.lit("no such leg"))
    expected = listed.otherwise(pl.format("{} {} from {} to {}, as the body lists", *body))
    return found_in(
        wrong,
        "registry_transfer",
        found=found,
        expected=expected,
        account="source_id",
        instrument="instrument_id",
    )


def _short_imports(log: Log) -> "pl.DataFrame":
    """Imports that booked other rows or quantities of a kind than their body counts; assumed openings are beside it."""
    import polars as pl

    said = log.bodies.sums
    legs = log.legs.join(said.select("transaction_id").unique(), on="transaction_id", how="semi")
    own = legs.filter(pl.col("reference").ne_missing("assumed opening"))
    keys = ["transaction_id", "kind"]
    there = own.group_by(keys).agg(rows_now=pl.len().cast(pl.Int64), quantity_now=pl.col("quantity").sum())
    both = said.join(there, on=keys, how="full", coalesce=True).fill_null(0).sort(keys)
    wrong = both.filter((pl.col("rows") != pl.col("rows_now")) | (pl.col("quantity") != pl.col("quantity_now")))
    shown = "{} rows of {}, {} in all"
    return found_in(
        wrong,
        "registry_transaction",
        found=pl.format(shown, "rows_now", "kind", "quantity_now"),
        expected=pl.format(shown, "rows", "kind", "quantity"),
        id="transaction_id",
    )


def _half_ended(log: Log) -> "pl.DataFrame":
    """Reservations of which some legs were ended by a transaction and others not by the same."""
    import polars as pl

    began = log.legs.filter(pl.col("phase") == "reserve").select(reserve_id="id", reservation="transaction_id")
    size = began.group_by("reservation").agg(begun=pl.len())
    ended = log.legs.filter(pl.col("phase").is_in(["settle", "void"])).join(began, on="reserve_id")
    whole = (
        ended.group_by("transaction_id", "reservation", maintain_order=True)
        .agg(ended=pl.len())
        .join(size, on="reservation")
    )
    half = whole.filter(pl.col("ended") != pl.col("begun"))
    found = pl.format("{} legs of a reservation ended at once", pl.col("ended"))
    expected = pl.format("all {} of it", pl.col("begun"))
    return found_in(half, "registry_transaction", found=found, expected=expected, id="transaction_id")


def _of_transactions(rows: "pl.DataFrame", found: "pl.Expr", expected: str) -> "pl.DataFrame":
    import polars as pl

    return found_in(
        rows.with_columns(t=pl.col("id")), "registry_transaction", found=found, expected=expected, transaction="t"
    )
