"""The Commission's transaction file: real headings, fictitious rows."""

from pathlib import Path

import pytest

from carbon.errors import UnknownFormat
from carbon.formats.eu import ec_movements, read_ec_transactions

HEADER = (
    "TRANSACTION_ID,TRANSACTION_TYPE,TRANSACTION_DATE,UNIT_TYPE_DESCRIPTION,SUPP_UNIT_TYPE_DESCRIPTION,"
    "ORIGINATING_REGISTRY,PROJECT_IDENTIFIER,TRACK,AMOUNT,TRANSFERRING_REGISTRY_NAME,ACQUIRING_REGISTRY_NAME,"
    "TRANSFERRING_ACCOUNT_NAME,ACQUIRING_ACCOUNT_NAME,TRANSFERRING_ACCOUNT_IDENTIFIER,ACQUIRING_ACCOUNT_IDENTIFIER"
)
ROWS = [
    "ZZ1,10-2,2021-04-20 09:00:00.500,EU General Allowances (EUA),,ZZ,,,1200, Zedland ,Zedland,Works,State,11.0,12",
    "ZZ2,3-0,2010-05-01 00:00:00,CER - Certified Emission Reduction Unit,No supplementary unit type,QQ,55,1,30,"
    "Zedland,Quland,,,11,",
    "ZZ3,10-0,2009-05-01 00:00:00,AAU - Assigned Amount Unit,Allowance issued for the 2008-2012 period and subsequent "
    "5-year periods and is converted from an AAU,ZZ,,,7,Zedland,Zedland,,,11,12",
    "ZZ4,10-0,2009-05-01 00:00:00,Moon Unit,,ZZ,,,7,Zedland,Zedland,,,11,12",
    "ZZ5,10,2009-05-01 00:00:00,EU General Allowances (EUA),,ZZ,,,7,Zedland,Zedland,,,11,12",
    "ZZ6,10-0,2009-05-01 00:00:00,EU General Allowances (EUA),,ZZ,,,-7,Zedland,Zedland,,,11,12",
    "ZZ7,10-0,2009-05-01 00:00:00,EU General Allowances (EUA),,ZZ,,,,Zedland,Zedland,,,11,12",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "transactions.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    return path


def test_blocks_are_typed_and_bad_ones_set_apart(file: Path) -> None:
    read = read_ec_transactions(file)
    assert read.rows["transaction_id"].to_list() == ["ZZ1", "ZZ2", "ZZ3", "ZZ4"]
    assert read.rows["unit_type"].to_list() == ["EUA_2013", "CER", "EUA_2008", None]
    assert read.rows.select("main", "supplementary").rows() == [(10, 2), (3, 0), (10, 0), (10, 0)]
    assert read.rows["quantity_t"].sum() == 1200 + 30 + 7 + 7
    assert read.rows["transferring_registry"][0] == "Zedland"
    assert read.rejected["row"].to_list() == [6, 7, 8]
    assert [(p.row, p.code, p.severity) for p in read.problems] == [
        (5, "unknown_unit_type", "warning"),
        (6, "transaction_type", "error"),
        (7, "tonnes", "error"),
        (8, "missing_cell", "error"),
    ]
    # The raw text of what is unknown stays with the row (C42).
    assert read.rows["unit_type_description"][3] == "Moon Unit"


def test_blocks_become_movements(file: Path) -> None:
    moved = ec_movements(read_ec_transactions(file).rows)
    assert moved["kind"].to_list() == ["surrender", "external", "transfer", "transfer"]
    assert moved["source"].to_list() == ["Zedland:11"] * 4
    assert moved["target"].to_list() == ["Zedland:12", None, "Zedland:12", "Zedland:12"]
    assert moved["reference"].to_list() == ["ZZ1/2", "ZZ2/3", "ZZ3/4", "ZZ4/5"]


def test_columns_missing_and_unknown_are_said(tmp_path: Path) -> None:
    path = tmp_path / "transactions.csv"
    header = HEADER.replace("TRACK", "WEATHER")
    path.write_text(header + "\n" + ROWS[0] + "\n", encoding="utf-8")
    read = read_ec_transactions(path)
    assert {(p.column, p.code) for p in read.problems} == {("TRACK", "missing_column"), ("WEATHER", "unknown_column")}
    assert read.rows["track"].to_list() == [None]
    path.write_text(HEADER.replace("AMOUNT", "VALUE") + "\n", encoding="utf-8")
    with pytest.raises(UnknownFormat, match="AMOUNT"):
        read_ec_transactions(path)
