"""Accounts and instruments of outside registers, opened many at once before their history is booked.

Knows the rows an import needs and the transactions that bring them in. Must not know any format.
"""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select
from sqlmodel import SQLModel

from carbon.imports.report import ImportRefused, Source, sub_act
from carbon.ledger.book import book
from carbon.ledger.bulk import ensure_foreign_accounts

if TYPE_CHECKING:
    import polars as pl

__all__ = ["add_foreign_accounts", "add_instruments"]


def add_foreign_accounts(connection: Connection, source: Source, accounts: "pl.DataFrame") -> int:
    """Open accounts of the type `foreign`; those that are there stay as they are, whatever their type.

    accounts : code, scheme String. Result: how many were opened. Raises ImportRefused.
    """
    schemes = accounts["scheme"].unique().to_list()
    new = accounts.unique(["code"], keep="first").join(
        _there(connection, "registry_account", schemes), on="code", how="anti"
    )
    for (scheme,), part in new.sort("scheme", "code").group_by("scheme", maintain_order=True):
        act = sub_act(source, f"accounts:{scheme}")
        receipt = ensure_foreign_accounts(connection, act, part["code"].to_list(), str(scheme))
        if not receipt.done:
            raise ImportRefused(receipt.message or f"found accounts of {source.file} refused ({receipt.code})")
    return new.height


def add_instruments(connection: Connection, source: Source, instruments: "pl.DataFrame") -> int:
    """Add instruments in tonnes; those that are there stay as they are.

    instruments : code, scheme, kind String, serialised Boolean, and further columns of registry_instrument
    Result: how many were added. Raises ImportRefused where one that is there has another scheme, or has serial numbers
    and the file's has none, or the other way round.
    """
    import polars as pl

    codes = instruments.unique(["code"], keep="first")
    there = _there(connection, "registry_instrument", codes["scheme"].unique().to_list(), "serialised")
    both = codes.join(there, on="code").filter(pl.col("serialised") != pl.col("serialised_right").cast(pl.Boolean))
    if both.height:
        code, wanted = both.row(0, named=True)["code"], "with" if both["serialised"][0] else "without"
        raise ImportRefused(f"found instrument {code} in the ledger, expected one {wanted} serial numbers")
    rows = codes.join(there, on="code", how="anti").sort("scheme", "code")
    if rows.height:
        _add_instruments(connection, source, [{"unit": "t", **row, "next_serial": 1} for row in rows.to_dicts()])
    return rows.height


def _there(connection: Connection, table: str, schemes: list[str], *more: str) -> "pl.DataFrame":
    """Codes of a table's rows of some schemes, and further columns."""
    import polars as pl

    made = SQLModel.metadata.tables[table]
    query = select(*(made.c[name] for name in ("code", *more))).where(made.c.scheme.in_(schemes))
    types = {"code": pl.String, **dict.fromkeys(more, pl.Boolean)}
    return pl.DataFrame([tuple(row) for row in connection.execute(query)], schema=types, orient="row")


def _add_instruments(connection: Connection, source: Source, rows: list[dict[str, Any]]) -> None:
    body: dict[str, object] = {"import": source.act.client_id, "instruments": rows}

    def effect(transaction_id: int) -> None:
        made = [{**row, "transaction_id": transaction_id} for row in rows]
        connection.execute(insert(SQLModel.metadata.tables["registry_instrument"]), made)

    receipt = book(connection, sub_act(source, "instruments"), "import_instruments", body, effect=effect)
    if not receipt.done:
        raise ImportRefused(receipt.message or f"found instruments of {source.file} refused ({receipt.code})")
