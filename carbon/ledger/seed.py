"""What every ledger begins with: schemes, which units they accept, the allowed movements, instruments and own accounts.

Knows the embedded tables and how they enter an empty or an older ledger. Must not know the clock. What is there already
is left as it is, so that seeding again changes nothing.
"""

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, insert, select
from sqlmodel import SQLModel

from carbon.ledger import tables as _tables  # noqa: F401  (registers the tables)
from carbon.ledger.book import Act, book
from carbon.ledger.orders import body_sha256, canonical_body
from carbon.ledger.post import writing
from carbon.ledger.verbs import SYSTEM_ACCOUNTS, system_account

if TYPE_CHECKING:
    import polars as pl

__all__ = ["movements", "seed_registry"]

_ACTOR: Final = "greenfin"


def seed_registry(engine: Engine, at_us: int) -> None:
    """Bring in what is missing of schemes, acceptances, movements, instruments and the schemes' own accounts.

    at_us : time to note for it, microseconds since 1970 UTC; the tables and guards must exist
    """
    with engine.connect() as connection:
        if not any(_missing(connection).values()):
            return
    with writing(engine) as connection:
        # Looked at once more, since another process may have been quicker.
        missing = _missing(connection)
        for table in ("registry_scheme", "registry_acceptance", "registry_movement"):
            _insert(connection, table, missing[table])
        accounts, instruments = missing["registry_account"], missing["registry_instrument"]
        if accounts or instruments:
            body = {"accounts": accounts, "instruments": instruments}
            act = Act(f"seed:{body_sha256(canonical_body('seed', body))[:16]}", at_us, _ACTOR)
            book(connection, act, "seed", body, effect=lambda made: _insert_parties(connection, body, made))


def _missing(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The embedded rows that the ledger does not have yet, by table."""
    from carbon.rules.schemes import load_instruments, load_schemes

    schemes = load_schemes()
    codes = schemes["scheme"].to_list()
    own = [
        {"code": system_account(scheme, type), "scheme": scheme, "type": type, "status": "open"}
        for scheme in codes
        for type in SYSTEM_ACCOUNTS
    ]
    accepted = _embedded("acceptance").select("scheme", "unit_scheme").to_dicts()
    itself = [{"scheme": scheme, "unit_scheme": scheme} for scheme in codes]
    wanted: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {
        "registry_scheme": ([{**row, "state": "open"} for row in schemes.drop("confidence").to_dicts()], ("scheme",)),
        "registry_acceptance": (itself + accepted, ("scheme", "unit_scheme")),
        "registry_movement": (movements().to_dicts(), ("kind", "source_type", "target_type", "unit_kind")),
        "registry_account": (own, ("code",)),
        "registry_instrument": (
            [{**row, "next_serial": 1} for row in load_instruments().drop("confidence", "note").to_dicts()],
            ("code",),
        ),
    }
    missing = {}
    for table, (rows, keys) in wanted.items():
        there = _keys(connection, table, keys)
        missing[table] = [row for row in rows if tuple(row[name] for name in keys) not in there]
    return missing


def _keys(connection: Connection, table: str, names: tuple[str, ...]) -> set[tuple[Any, ...]]:
    made = SQLModel.metadata.tables[table]
    query = select(*(made.c[name] for name in names))
    if table == "registry_account":
        query = query.where(made.c.type.in_(SYSTEM_ACCOUNTS))
    elif table == "registry_instrument":
        # Imports may add a million of them; ours come with a source.
        query = query.where(made.c.source.is_not(None))
    return {tuple(row) for row in connection.execute(query)}


def movements() -> "pl.DataFrame":
    """The allowed movements: kind, source_type, target_type, unit_kind String, from_blocked Boolean."""
    import polars as pl

    return _embedded("movements").with_columns(pl.col("from_blocked").cast(pl.Boolean))


def _insert_parties(connection: Connection, body: dict[str, list[dict[str, Any]]], transaction: int) -> None:
    for table, part in (("registry_account", "accounts"), ("registry_instrument", "instruments")):
        _insert(connection, table, [{**row, "transaction_id": transaction} for row in body[part]])


def _insert(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(SQLModel.metadata.tables[table]), rows)


def _embedded(name: str) -> "pl.DataFrame":
    import polars as pl

    return pl.read_csv(files("carbon.ledger").joinpath(f"{name}.csv").read_bytes())
