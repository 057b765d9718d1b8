"""The shared real files of the carbon market, and rows made from them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session


@pytest.fixture
def session(engine) -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


@pytest.fixture
def lake(tmp_path) -> Path:
    return tmp_path / "lake"


@pytest.fixture(scope="session")
def market_files(outside_data) -> Path:
    return outside_data / "markets"


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
