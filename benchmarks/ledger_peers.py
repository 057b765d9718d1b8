"""The usual ways to keep a ledger in Python, for the benchmarks: SQLModel and ORM objects, and Core on double entry.

And the floor: what the driver itself takes to store as much, without a check, an index or a holding.

The tables are those of the ledger packages in use: one transaction and one entry a side for each transfer, holdings
kept beside them. All ways keep what such code keeps: foreign keys, no holding below zero in any order of the rows
(looked at in Python, and a CHECK in the database), entries that add up to nothing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Engine,
    ForeignKey,
    Integer,
    String,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlmodel import Field, SQLModel

Rows = Sequence[tuple[int, int, int]]
"""Source account, target account, quantity; accounts from 1."""

ID = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    pass


class PeerAccount(Base):
    __tablename__ = "peer_account"
    id: Mapped[int] = mapped_column(ID, primary_key=True)
    code: Mapped[str] = mapped_column(String, unique=True)


class PeerTransaction(Base):
    __tablename__ = "peer_transaction"
    id: Mapped[int] = mapped_column(ID, primary_key=True)
    client_id: Mapped[str] = mapped_column(String, unique=True)
    kind: Mapped[str] = mapped_column(String)
    at_us: Mapped[int] = mapped_column(BigInteger)


class PeerEntry(Base):
    __tablename__ = "peer_entry"
    id: Mapped[int] = mapped_column(ID, primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey(PeerTransaction.id), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(PeerAccount.id), index=True)
    instrument: Mapped[str] = mapped_column(String)
    quantity: Mapped[int] = mapped_column(BigInteger)


class PeerHolding(Base):
    __tablename__ = "peer_holding"
    __table_args__ = (CheckConstraint("quantity >= 0", name="peer_holding_not_negative"),)
    account_id: Mapped[int] = mapped_column(ForeignKey(PeerAccount.id), primary_key=True)
    instrument: Mapped[str] = mapped_column(String, primary_key=True)
    quantity: Mapped[int] = mapped_column(BigInteger)


class Model(SQLModel, registry=Base.registry):
    """SQLModel's own classes on the same metadata, so that their foreign keys are the same too."""


class ModelTransaction(Model, table=True):
    __tablename__ = "peer_model_transaction"
    id: int | None = Field(default=None, primary_key=True, sa_type=ID)
    client_id: str = Field(unique=True)
    kind: str
    at_us: int = Field(sa_type=BigInteger)


class ModelEntry(Model, table=True):
    __tablename__ = "peer_model_entry"
    id: int | None = Field(default=None, primary_key=True, sa_type=ID)
    transaction_id: int = Field(foreign_key="peer_model_transaction.id", sa_type=ID, index=True)
    account_id: int = Field(foreign_key="peer_account.id", sa_type=ID, index=True)
    instrument: str
    quantity: int = Field(sa_type=BigInteger)


class ModelHolding(Model, table=True):
    __tablename__ = "peer_model_holding"
    __table_args__ = (CheckConstraint("quantity >= 0", name="peer_model_holding_not_negative"),)
    account_id: int = Field(primary_key=True, foreign_key="peer_account.id", sa_type=ID)
    instrument: str = Field(primary_key=True)
    quantity: int = Field(sa_type=BigInteger)


class Objects(NamedTuple):
    """The classes of one object mapper."""

    transaction: Any
    entry: Any
    holding: Any


OBJECTS = {
    "sqlmodel": Objects(ModelTransaction, ModelEntry, ModelHolding),
    "orm": Objects(PeerTransaction, PeerEntry, PeerHolding),
}
UNIT = "X"


def make_tables(engine: Engine, accounts: int, quantity: int) -> None:
    """The peers' tables, with accounts 1 to `accounts` that hold `quantity` each."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(insert(PeerAccount), [{"id": n + 1, "code": f"A{n}"} for n in range(accounts)])
        rows = [{"account_id": n + 1, "instrument": UNIT, "quantity": quantity} for n in range(accounts)]
        for objects in OBJECTS.values():
            session.execute(insert(objects.holding), rows)
        session.commit()


def import_with_objects(engine: Engine, rows: Rows, objects: Objects) -> None:
    """Objects added to a session, holdings changed as objects, one commit."""
    with Session(engine) as session:
        holdings = {holding.account_id: holding for holding in session.scalars(select(objects.holding))}
        for number, (source, target, quantity) in enumerate(rows):
            if holdings[source].quantity < quantity:
                raise ValueError(f"row {number}")
            holdings[source].quantity -= quantity
            holdings[target].quantity += quantity
        for start in range(0, len(rows), 5_000):
            part = rows[start : start + 5_000]
            made = [
                objects.transaction(client_id=f"t{start + n}", kind="transfer", at_us=start + n)
                for n in range(len(part))
            ]
            session.add_all(made)
            session.flush()
            for transaction, (source, target, quantity) in zip(made, part, strict=True):
                for account, change in ((source, -quantity), (target, quantity)):
                    session.add(
                        objects.entry(
                            transaction_id=transaction.id, account_id=account, instrument=UNIT, quantity=change
                        )
                    )
            session.flush()
        session.commit()


def import_with_core(engine: Engine, rows: Rows) -> None:
    """Insert-many of dictionaries, holdings added up in Python and written at the end, one commit."""
    with engine.begin() as connection:
        held = dict(connection.execute(select(PeerHolding.account_id, PeerHolding.quantity)).all())
        before = dict(held)
        last = connection.execute(text("SELECT coalesce(max(id), 0) FROM peer_transaction")).scalar_one()
        for start in range(0, len(rows), 10_000):
            headers, entries = [], []
            for n, (source, target, quantity) in enumerate(rows[start : start + 10_000], start):
                if held[source] < quantity:
                    raise ValueError(f"row {n}")
                held[source] -= quantity
                held[target] += quantity
                id = last + n + 1
                headers.append({"id": id, "client_id": f"t{n}", "kind": "transfer", "at_us": n})
                entries.append({"transaction_id": id, "account_id": source, "instrument": UNIT, "quantity": -quantity})
                entries.append({"transaction_id": id, "account_id": target, "instrument": UNIT, "quantity": quantity})
            connection.execute(insert(PeerTransaction), headers)
            connection.execute(insert(PeerEntry), entries)
        connection.execute(
            update(PeerHolding)
            .where(PeerHolding.account_id == bindparam("a"), PeerHolding.instrument == UNIT)
            .values(quantity=bindparam("q")),
            [{"a": account, "q": quantity} for account, quantity in held.items() if quantity != before[account]],
        )


def commit_with_objects(engine: Engine, rows: Rows, objects: Objects) -> None:
    """One session and one commit for each transfer: two holdings looked up and changed, three objects added."""
    for source, target, quantity in rows:
        with Session(engine) as session:
            if engine.dialect.name == "sqlite":
                session.execute(text("BEGIN IMMEDIATE"))
            # Locked in one order, so that two writers never wait for each other in a ring.
            held = {
                account: session.get(objects.holding, (account, UNIT), with_for_update=True)
                for account in sorted((source, target))
            }
            giver, taker = held[source], held[target]
            if giver is None or taker is None or giver.quantity < quantity:
                raise ValueError(f"{source} has too little")
            giver.quantity -= quantity
            taker.quantity += quantity
            transaction = objects.transaction(client_id=uuid4().hex, kind="transfer", at_us=0)
            session.add(transaction)
            session.flush()
            for account, change in ((source, -quantity), (target, quantity)):
                session.add(
                    objects.entry(transaction_id=transaction.id, account_id=account, instrument=UNIT, quantity=change)
                )
            session.commit()


def read_with_orm(engine: Engine) -> int:
    """Every holding as an object, then its columns as lists."""
    with Session(engine) as session:
        found = session.scalars(select(PeerHolding)).all()
        columns = ([h.account_id for h in found], [h.instrument for h in found], [h.quantity for h in found])
        return len(columns[0])


FLOOR = (
    "CREATE TABLE peer_floor"
    " (kind text, source_id bigint, target_id bigint, quantity bigint, at_us bigint, reference text)"
)


def import_at_the_floor(engine: Engine, rows: Rows) -> None:
    """The same transfers in one table without a key, written in the way that the driver is fastest at, one commit."""
    connection: Any = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute(FLOOR)
    if engine.dialect.name == "sqlite":
        lines = (
            ("transfer", source, target, quantity, n, f"r{n}") for n, (source, target, quantity) in enumerate(rows)
        )
        cursor.executemany("INSERT INTO peer_floor VALUES (?, ?, ?, ?, ?, ?)", lines)
    else:
        with cursor.copy("COPY peer_floor FROM STDIN (FORMAT csv)") as stream:
            for start in range(0, len(rows), 50_000):
                part = enumerate(rows[start : start + 50_000], start)
                stream.write("".join(f"transfer,{s},{t},{q},{n},r{n}\n" for n, (s, t, q) in part))
    connection.commit()
    connection.close()


def commit_at_the_floor(engine: Engine, rows: Rows) -> None:
    """One row a commit on a bare connection."""
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    order = f"INSERT INTO peer_floor VALUES ('transfer', {mark}, {mark}, {mark}, 0, null)"
    for row in rows:
        connection.execute(order, row)
        connection.commit()
    pooled.close()
