"""A small history with something of everything, and the ways to falsify it: helpers of the tests of chain and audit."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlmodel import Session, SQLModel

from api.db import create_tables, make_engine
from carbon.embedded import load_embedded
from carbon.ledger.book import Act
from carbon.ledger.obligations import carry_over, finalise_allocation, report_verified, surrender, use_offsets
from carbon.ledger.orders import Leg, Order, us_from_time
from carbon.ledger.parties import (
    add_instrument,
    appoint,
    block_account,
    close_account,
    close_scheme,
    open_account,
    open_scheme,
    register_entity,
    unblock_account,
)
from carbon.ledger.post import post, writing
from carbon.ledger.seed import seed_registry
from carbon.ledger.settlement import reserve, settle, void
from carbon.ledger.verbs import Movement, cancel, deposit, issue, pre_allocate, reverse, transfer, transfer_linked
from carbon.rules.book import load_rules

RULES = load_rules()
# Published examples: a code printed in the documentation of python-stdnum, and none of our own making.
CREDIT_CODE = "91110000600037341L"


def day(year: int, month: int, number: int) -> int:
    """Noon in China of a day, microseconds since 1970 UTC."""
    return us_from_time(datetime(year, month, number, 4, tzinfo=UTC))


def tell(engine: Engine) -> None:
    """Book the history on a seeded ledger: two power plants and a trader through the year 2024 and beyond."""
    with writing(engine) as connection:
        _open(connection)
        _grant(connection)
        _trade(connection)
        _comply(connection)


def done(verb: Callable[..., Any], connection: Connection, id: str, at_us: int, **asked: Any) -> None:
    receipt = verb(connection, Act(id, at_us, "tester"), **asked)
    assert receipt.done, receipt


def _open(connection: Connection) -> None:
    at = day(2024, 1, 2)
    for name, code in (("P", CREDIT_CODE), ("Q", None), ("T", None)):
        sector = {"P": "power", "Q": "power"}.get(name)
        done(
            register_entity, connection, f"e{name}", at, name=f"电厂 {name}", uscc=code, code=name, sector=sector,
            hub="wuhan", contact="K",
        )  # fmt: skip
        kind = "trading" if name == "T" else "operator"
        years = {"first_year": 2019} if name == "P" else {}
        done(
            open_account, connection, f"o{name}", at, code=name, scheme="CN", type=kind, entity=name, primary="X",
            secondary="Y", **years,
        )  # fmt: skip
    done(
        register_entity, connection, "eOld", at, name="Old", code="Old", contact="K",
    )  # fmt: skip
    done(
        open_account, connection, "oOld", at, code="Old", scheme="CN", type="operator", entity="Old", primary="X",
        secondary="Y",
    )  # fmt: skip
    done(
        open_account, connection, "oOwner", at, code="owner", scheme="CCER", type="trading", entity="T", primary="X",
        secondary="Y",
    )  # fmt: skip
    done(appoint, connection, "appoint", at, account="P", role="primary", name="Z")
    done(
        add_instrument, connection, "pre", at, code="CEA24-P", scheme="CN", kind="allowance", serialised=True,
        vintage_from=2024, vintage_to=2024, only_kinds=("issue", "surrender", "pre_allocate"),
    )  # fmt: skip
    done(close_account, connection, "closeOld", at, account="Old")
    done(close_scheme, connection, "shut", at, scheme="CN-HB")
    done(open_scheme, connection, "reopen", at, scheme="CN-HB")
    done(close_scheme, connection, "shut again", at, scheme="CN-TJ")


def _grant(connection: Connection) -> None:
    at = day(2024, 3, 1)
    done(issue, connection, "issue", at, scheme="CN", instrument="CEA24", quantity=200_000)
    done(issue, connection, "issueP", at, scheme="CN", instrument="CEA24-P", quantity=50)
    done(issue, connection, "issueH", at, scheme="CN-HB", instrument="HBEA", quantity=70)
    done(issue, connection, "offsets", at, scheme="CCER", instrument="CCER", quantity=300, target="owner")
    asked = {"scheme": "CN", "instrument": "CEA24", "compliance_year": 2024}
    done(pre_allocate, connection, "grantP", at, account="P", quantity=70_000, **asked)
    done(pre_allocate, connection, "grantQ", at, account="Q", quantity=30_000, **asked)
    done(deposit, connection, "money", at, scheme="CN", account="T", instrument="CNY", quantity=9_000_000)
    done(transfer, connection, "tooMuch", at, source="Q", target="T", instrument="CEA24", quantity=2_000)
    refused = transfer(
        connection, Act("refused", at, "tester"), source="Q", target="T", instrument="CEA24", quantity=10**9
    )
    assert refused.code == "C18"


def _trade(connection: Connection) -> None:
    at = day(2025, 5, 2)
    sale = Movement("P", "T", "CEA24", 1_000)
    done(reserve, connection, "hold", at, movements=[sale, Movement("T", "P", "CNY", 70_000)], expires_at_us=at + 10)
    done(settle, connection, "settle", at + 5, reservation="hold", quantities=[900, 63_000])
    done(reserve, connection, "hold2", at, movements=[Movement("Q", "P", "CEA24", 50)], expires_at_us=at + 10)
    done(void, connection, "void", at + 20, reservation="hold2")
    done(reserve, connection, "hold3", at, movements=[Movement("Q", "T", "CEA24", 7)], expires_at_us=day(2030, 1, 1))
    done(transfer, connection, "part", at, source="T", target="Q", instrument="CEA24", quantity=40, first_serial=10)
    done(transfer_linked, connection, "both", at, movements=[
        Movement("Q", "T", "CEA24", 5), Movement("T", "Q", "CNY", 400),
    ])  # fmt: skip
    done(transfer, connection, "mistake", at, source="P", target="Q", instrument="CEA24", quantity=123)
    done(reverse, connection, "undo", at, original="mistake", reason="typing")
    done(block_account, connection, "block", at, account="Q")
    done(unblock_account, connection, "unblock", at + 1, account="Q")
    done(
        transfer, connection, "toP", at, kind="external", source="owner", target="P", instrument="CCER",
        quantity=60,
    )  # fmt: skip


def _comply(connection: Connection) -> None:
    at = day(2025, 6, 2)
    year = {"account": "P", "compliance_year": 2024}
    done(report_verified, connection, "verified", at, quantity_t=1_019, **year)
    done(
        finalise_allocation, connection, "final", at, scheme="CN", instrument="CEA24", final_t=71_000, **year
    )  # fmt: skip
    asked = {"rules": RULES, "scheme": "CN", **year}
    done(surrender, connection, "surrender", at, instrument="CEA24", quantity=969, **asked)
    done(use_offsets, connection, "use", at, instrument="CCER", quantity=50, **asked)
    done(cancel, connection, "cancel", at, scheme="CN", account="T", instrument="CEA24", quantity=3)
    carried = {"rules": RULES, "scheme": "CN", "account": "P", "instrument": "CEA24", "into": "CEA25"}
    done(carry_over, connection, "carry", day(2026, 6, 1), quantity=9_000, **carried)
    legs = tuple(Leg("deposit", "CN:issuance", "T", "CNY", 11, reference=reference) for reference in ("R1", "R2"))
    body = {"movements": [{"source": "CN:issuance", "target": "T", "instrument": "CNY", "quantity": 11}] * 2}
    receipt = post(connection, Order("imported", "deposit", at, "tester", body, legs))
    assert receipt.done, receipt


def strip(engine: Engine) -> None:
    """Copy every table of the registry into one without keys, constraints and triggers, as whoever has the file can."""
    tables = [name for name in SQLModel.metadata.tables if name.startswith("registry_")]
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            query = "SELECT name FROM sqlite_master WHERE type = '{}' AND name LIKE 'registry%'"
            for kind in ("view", "trigger"):
                for name in connection.exec_driver_sql(query.format(kind)).scalars().all():
                    connection.exec_driver_sql(f"DROP {kind.upper()} {name}")
        for name in tables:
            connection.exec_driver_sql(f"CREATE TABLE bare_{name} AS SELECT * FROM {name}")
            connection.exec_driver_sql(f"DROP TABLE {name}" + ("" if sqlite else " CASCADE"))
            connection.exec_driver_sql(f"ALTER TABLE bare_{name} RENAME TO {name}")
        connection.commit()


def run(connection: Connection, statement: str, **values: object) -> None:
    """One statement that changes at least one row, so that no case goes stale unseen."""
    assert connection.execute(text(statement), values).rowcount != 0, statement


def add_row(connection: Connection, table: str, like: str, **changed: object) -> int:
    """Slip a row into a table: a copy of one that fits a condition, with the next id and some columns changed."""
    row = dict(connection.execute(text(f"SELECT * FROM {table} WHERE {like} LIMIT 1")).mappings().one())
    if "id" in row:
        row["id"] = connection.execute(text(f"SELECT max(id) + 1 FROM {table}")).scalar_one()
    row.update(changed)
    names = ", ".join(row)
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)
    return int(row.get("id") or 0)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Engine]:
    """An engine on a seeded ledger that lives as long as a module of tests: an SQLite file, or a PostgreSQL schema."""
    url, schema = f"sqlite:///{folder / 'history.sqlite'}", f"greenfin_{uuid4().hex}"
    offered = os.environ.get("GREENFIN_TEST_POSTGRESQL")
    if kind == "postgresql":
        if not offered:
            pytest.skip("GREENFIN_TEST_POSTGRESQL holds no URL of a PostgreSQL database")
        url = f"{offered}?options=-csearch_path%3D{schema}"
        _on_server(offered, f"CREATE SCHEMA {schema}")
    engine = make_engine(url)
    create_tables(engine)
    with Session(engine) as session:
        load_embedded(session)
    seed_registry(engine, 0)
    yield engine
    engine.dispose()
    if kind == "postgresql":
        _on_server(str(offered), f"DROP SCHEMA {schema} CASCADE")


def _on_server(url: str, statement: str) -> None:
    server = make_engine(url)
    with server.begin() as connection:
        connection.execute(text(statement))
    server.dispose()
