"""Our own ledger in the layout of euets.info: transactions of every scheme with the European codes, where one fits.

Knows which European transaction type a movement of ours is. Must not know how the tables are written.

Each leg that moved units is a block: id is the leg's, transactionID the client's id of its transaction, unitType_id the
instrument's code, tradingSystem_id the giver's scheme. Registries, years and projects of that layout have no
counterpart here and are null. A movement without a code is left out and listed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, text

from carbon.errors import Problem
from carbon.formats.eu import EuetsTables, transaction_types, write_euets
from carbon.formats.eu.layouts import LAYOUTS

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TYPE_OF_KIND", "TYPE_OF_REVERSED", "export_ledger_euets"]

# Main and supplementary type of each kind of movement: rows of carbon/formats/eu/transaction_types.csv whose name says
# the same. What has no row there (an opening, a recall, money) is left out: a code that nearly fits would be a lie.
TYPE_OF_KIND: Final[Mapping[str, tuple[int, int]]] = {
    "issue": (10, 52),
    "pre_allocate": (10, 53),
    "allocate": (10, 53),
    "supplement": (10, 53),
    "auction": (10, 37),
    "transfer": (10, 0),
    "external": (3, 0),
    "surrender": (10, 2),
    "cancel": (4, 0),
    "cancel_replace": (10, 41),
    "carry_over": (10, 34),
    "convert": (2, 0),
    "correct": (10, 55),
}
# A reversal, by the kind of what it undoes.
TYPE_OF_REVERSED: Final[Mapping[str, tuple[int, int]]] = {
    "surrender": (10, 92),
    "cancel": (10, 94),
    "cancel_replace": (10, 94),
}
_LEGS: Final = (
    "SELECT l.id, t.client_id, s.scheme, l.at_us, l.kind, o.kind AS reversed, l.source_id, l.target_id,"
    " i.code AS instrument, l.quantity FROM registry_transfer l JOIN registry_transaction t ON t.id = l.transaction_id"
    " JOIN registry_account s ON s.id = l.source_id JOIN registry_instrument i ON i.id = l.instrument_id"
    " LEFT JOIN registry_transfer o ON o.id = l.reverses_id WHERE l.phase IN ('posted', 'settle')"
)
_ACCOUNTS: Final = (
    "SELECT a.id, a.scheme, a.code, coalesce(e.name, a.code) AS name, a.entity_id, a.type, a.status"
    " FROM registry_account a LEFT JOIN registry_entity e ON e.id = a.entity_id ORDER BY a.id"
)


def export_ledger_euets(
    connection: Connection, path: Path, *, scheme: str | None = None, form: Literal["zip", "folder"] = "zip"
) -> tuple[Problem, ...]:
    """Write the ledger's movements, accounts and holders as tables of euets.info.

    scheme : only movements out of this scheme's accounts; null for all
    Result: one warning for each kind of movement that has no European code, with how many legs were left out.
    """
    import polars as pl

    schema = {"id": pl.Int64, "client_id": pl.String, "scheme": pl.String, "at_us": pl.Int64, "kind": pl.String}
    more = {"reversed": pl.String, "source_id": pl.Int64, "target_id": pl.Int64, "instrument": pl.String}
    one = "" if scheme is None else " AND s.scheme = :scheme"
    legs = _frame(
        connection,
        f"{_LEGS}{one} ORDER BY l.id",
        {**schema, **more, "quantity": pl.Int64},
        {} if scheme is None else {"scheme": scheme},
    )
    coded = _coded(legs)
    left = coded.filter(pl.col("main").is_null())
    tables = {"transaction": _transactions(coded.filter(pl.col("main").is_not_null())), **_parties(connection)}
    write_euets(EuetsTables({**tables, **_codes(connection)}), path, form=form)
    return tuple(
        Problem(path.name, None, None, f"{count} legs of {what}", "a kind with a European code", "no_code", "warning")
        for what, count in left.group_by("what").len().sort("what").iter_rows()
    )


def _coded(legs: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    what = pl.when(pl.col("kind") == "reverse").then(pl.format("reverse {}", "reversed")).otherwise("kind")
    types = {**TYPE_OF_KIND, **{f"reverse {kind}": code for kind, code in TYPE_OF_REVERSED.items()}}
    halves = [
        pl.col("what").replace_strict({name: code[half] for name, code in types.items()}, default=None).cast(pl.Int64)
        for half in (0, 1)
    ]
    return legs.with_columns(what.alias("what")).with_columns(halves[0].alias("main"), halves[1].alias("supplementary"))


def _transactions(legs: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    empty = [pl.lit(None, dtype=pl.Int64).alias(name) for name in ("acquiringYear", "transferringYear", "project_id")]
    return legs.with_columns(
        pl.col("client_id").alias("transactionID"),
        pl.col("scheme").alias("tradingSystem_id"),
        pl.from_epoch("at_us", time_unit="us").alias("date"),
        pl.col("main").alias("transactionTypeMain_id"),
        pl.col("supplementary").alias("transactionTypeSupplementary_id"),
        pl.col("source_id").alias("transferringAccount_id"),
        pl.col("target_id").alias("acquiringAccount_id"),
        pl.col("instrument").alias("unitType_id"),
        pl.col("quantity").alias("amount"),
        *empty,
    ).select(list(LAYOUTS["transaction"]))


def _parties(connection: Connection) -> "dict[str, pl.DataFrame]":
    """Accounts and holders, with the columns of that layout that we can fill; the others are absent."""
    import polars as pl

    words = dict.fromkeys(("scheme", "code", "name"), pl.String)
    rest = {"entity_id": pl.Int64, "type": pl.String, "status": pl.String}
    accounts = _frame(connection, _ACCOUNTS, {"id": pl.Int64, **words, **rest})
    holders = {"id": pl.Int64, "name": pl.String}
    return {
        "account": accounts.select(
            "id",
            pl.col("scheme").alias("tradingSystem_id"),
            pl.col("code").alias("accountIDTransactions"),
            "name",
            pl.col("entity_id").alias("accountHolder_id"),
            pl.col("type").alias("accountType_id"),
            (pl.col("status") != "closed").alias("isOpen"),
        ),
        "account_holder": _frame(connection, "SELECT id, name FROM registry_entity ORDER BY id", holders),
    }


def _codes(connection: Connection) -> "dict[str, pl.DataFrame]":
    import polars as pl

    pair = {"id": pl.String, "description": pl.String}
    types = transaction_types()
    used = {*TYPE_OF_KIND.values(), *TYPE_OF_REVERSED.values()}
    main = types.filter(pl.col("supplementary") == 0).select(
        pl.col("main").alias("id"), pl.col("name").alias("description")
    )
    supplementary = types.filter(pl.col("main").is_null() & pl.col("supplementary").is_in([half for _, half in used]))
    none = pl.DataFrame({"id": [0], "description": ["No supplementary type"]})
    return {
        "account_type": _frame(connection, "SELECT DISTINCT type, type FROM registry_account ORDER BY 1", pair),
        "trading_system_code": _frame(connection, "SELECT scheme, name_en FROM registry_scheme ORDER BY 1", pair),
        "unit_type": _frame(connection, "SELECT code, kind FROM registry_instrument ORDER BY 1", pair),
        "transaction_type_main": main,
        "transaction_type_supplementary": pl.concat(
            [none, supplementary.select(pl.col("supplementary").alias("id"), pl.col("name").alias("description"))]
        ),
    }


def _frame(
    connection: Connection, query: str, schema: Mapping[str, Any], values: Mapping[str, Any] | None = None
) -> "pl.DataFrame":
    import polars as pl

    rows = [tuple(row) for row in connection.execute(text(query), dict(values or {}))]
    return pl.DataFrame(rows, schema=dict(schema), orient="row")
