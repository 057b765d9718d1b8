"""Engines (SQLite always, PostgreSQL where GREENFIN_TEST_POSTGRESQL names one), the shared real files, and rows made
from them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel, create_engine, text

import carbon.tables

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
TABLES = [
    SQLModel.metadata.tables[table.__tablename__]
    for table in (
        carbon.tables.Market,
        carbon.tables.Facility,
        carbon.tables.TradeFile,
        carbon.tables.DailyBar,
        carbon.tables.TradeSummary,
    )
]


def sqlite_engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _(connection, _record):
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def postgresql_engine(url: str, schema: str) -> Engine:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
        connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    engine.dispose()
    return create_engine(url, connect_args={"options": f"-csearch_path={schema}"})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = sqlite_engine()
    else:
        url = os.environ.get("GREENFIN_TEST_POSTGRESQL")
        if not url:
            pytest.skip("GREENFIN_TEST_POSTGRESQL holds no address of a PostgreSQL server")
        made = postgresql_engine(url, f"carbon_test_{os.getpid()}")
    SQLModel.metadata.create_all(made, tables=TABLES)
    yield made
    SQLModel.metadata.drop_all(made, tables=TABLES)
    made.dispose()


@pytest.fixture
def session(engine) -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


@pytest.fixture
def lake(tmp_path) -> Path:
    return tmp_path / "lake"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the real files of ../shared/data are absent")
    return SHARED


@pytest.fixture(scope="session")
def market_files(shared) -> Path:
    return shared / "markets"


@pytest.fixture(scope="session")
def national_file(market_files) -> Path:
    return market_files / "cneeex_2021_2023_merged.csv"


@pytest.fixture(scope="session")
def settlement_file(market_files) -> Path:
    return market_files / "CRC_volume_C.csv"


@pytest.fixture(scope="session")
def price_file(market_files) -> Path:
    return market_files / "CRC_price_C.csv"


@pytest.fixture(scope="session")
def wind_file(market_files) -> Path:
    return market_files / "raw_wind_HBEA.csv.gz"


NATIONAL_HEADER = "日期,配额类型,开盘价,最高价,最低价,收盘价,涨幅,日成交量,日成交额,交易方式"
NATIONAL_LINES = [
    "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,1000,58000,挂牌协议交易",
    "2022-03-01,CEA,58.0,58.5,57.5,58.0,0.0,100000,5500000,大宗协议交易",
    "2022-03-02,CEA,58.0,59.0,58.0,58.58,1.0,2000,117160,挂牌协议交易",
    "2022-03-03,CEA,58.6,59.0,58.0,58.58,0.0,500,29290,挂牌协议交易",
]


@pytest.fixture
def write_national(tmp_path):
    """Write a file in the exchange's layout: our own four good lines, or others."""

    def write(lines=None, name="national.csv", header=NATIONAL_HEADER) -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *(NATIONAL_LINES if lines is None else lines)]) + "\n", encoding="utf-8")
        return path

    return write
