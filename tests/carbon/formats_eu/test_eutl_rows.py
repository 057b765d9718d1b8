"""EUTL compliance rows and installations: counts and sums of the real extracts, defects said and set apart."""

import csv
import gzip
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.formats.eu import read_eutl_compliance, read_eutl_installations

COMPLIANCE = Path("registry", "eutl_installation_year_2005_2020.parquet")
INSTALLATIONS = Path("registry", "eutl_installations.csv.gz")
FIGURES = ("allocated", "allocated_second", "verified", "surrendered")


def test_compliance_rows_keep_counts_and_sums(outside_data: Path) -> None:
    read = read_eutl_compliance(outside_data / COMPLIANCE)
    plain = pl.read_parquet(outside_data / COMPLIANCE)
    assert read.rows.height == plain.height == 194_078
    assert read.rejected.height == 0
    assert read.problems == ()
    for name in FIGURES:
        figures = [int(figure) for figure in plain[name] if figure is not None]
        assert read.rows[f"{name}_t"].sum() == sum(figures)
        assert read.rows[f"{name}_t"].null_count() == plain.height - len(figures)
    assert read.rows["compliance_code"].equals(plain["compliance_code"])
    assert read.rows["account_id"].n_unique() == 16_018
    # The published totals of the scheme: 1,908 Mt in 2013 and 1,530 Mt in 2019.
    total = dict(read.rows.group_by("year").agg(pl.col("verified_t").sum()).iter_rows())
    assert round(total[2013] / 1e6) == 1908
    assert round(total[2019] / 1e6) == 1530


def test_the_third_figure_of_an_allocation_cell_is_not_lost(outside_data: Path) -> None:
    read = read_eutl_compliance(outside_data / COMPLIANCE).rows
    raw = [cell.replace("*", " ").split() for cell in read["allocated_raw"].drop_nulls()]
    assert len(raw) == 8_174
    for name, position in [("allocated_t", 0), ("allocated_second_t", 1), ("allocated_third_t", 2)]:
        printed = sum(int(cell[position]) for cell in raw if len(cell) > position)
        assert read.filter(pl.col("allocated_raw").is_not_null())[name].sum() == printed


def rows_of(**changes: object) -> pl.DataFrame:
    row: dict[str, object] = {
        **{"account_id": 1, "year": 2013, "allocated": 1.0, "allocated_second": None, "allocated_raw": None},
        **{"verified": 2.0, "verified_status": None, "surrendered": 2.0, "compliance_code": "A"},
    }
    schema = {
        **{"account_id": pl.Int64, "year": pl.Int64, "allocated": pl.Float64, "allocated_second": pl.Float64},
        **{"allocated_raw": pl.String, "verified": pl.Float64, "verified_status": pl.String},
        **{"surrendered": pl.Float64, "compliance_code": pl.String},
    }
    return pl.DataFrame([row | changes], schema=schema)


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"verified": 2.5}, "tonnes", "error"),
        ({"surrendered": -1.0}, "tonnes", "error"),
        ({"account_id": 9}, "repeated_key", "error"),
        ({"account_id": None}, "repeated_key", "error"),
        ({"compliance_code": "Q"}, "unknown_compliance_code", "warning"),
        ({"verified_status": "Perhaps"}, "unknown_verified_status", "warning"),
    ],
)
def test_a_defect_is_said_where_it_is(tmp_path: Path, changes: dict[str, object], code: str, severity: str) -> None:
    path = tmp_path / "rows.parquet"
    pl.concat([rows_of(account_id=9), rows_of(**changes)]).write_parquet(path)
    read = read_eutl_compliance(path)
    assert [(p.row, p.code, p.severity) for p in read.problems] == [(2, code, severity)]
    assert read.rows.height + read.rejected.height == 2
    assert read.rejected["row"].to_list() == ([2] if severity == "error" else [])


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows_of().drop("verified").write_parquet(path)
    with pytest.raises(UnknownFormat, match="verified"):
        read_eutl_compliance(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(UnreadableFile):
        read_eutl_compliance(path)


def test_installations_are_complete(outside_data: Path) -> None:
    read = read_eutl_installations(outside_data / INSTALLATIONS)
    with gzip.open(outside_data / INSTALLATIONS, "rt", encoding="utf-8", newline="") as stream:
        plain = list(csv.DictReader(stream))
    assert read.rows.height == len(plain) == 16_040
    assert read.rows["account_id"].sum() == sum(int(row["account_id"]) for row in plain)
    assert read.rows["country"].n_unique() == 32
    assert read.rows["last_year"].null_count() == sum(row["final_emissions_year"] == "0" for row in plain)
    assert read.rows["activity_code"].null_count() == 0
    assert read.rows.filter(latitude=0.0, longitude=0.0).height == 0
    # One permit date of the real file has a year of five digits.
    assert [(p.row, p.column, p.found, p.severity) for p in read.problems] == [
        (6475, "permit_entry_date", "12013-01-01", "warning")
    ]
    accounts = read_eutl_compliance(outside_data / COMPLIANCE).rows.select("account_id").unique()
    assert accounts.join(read.rows, on="account_id", how="anti").height == 0


def test_an_installation_without_an_account_is_set_apart(tmp_path: Path) -> None:
    header = (
        "account_id,installation_id,installation_name,permit_id,permit_entry_date,permit_expiration_Date,"
        "subsidiary_undertaking_name,parent_undertaking_name,EPRTR_id,initial_emissions_year,final_emissions_year,"
        "first_address_line,second_address_line,postcode,city,country,lat,lon,main_activity"
    )
    row = "{},1,Kiln,P1,2005-01-26,,,,,2005,0,Street 1,,1000,Zed,ZZ,{},{},29-Production of cement clinker"
    path = tmp_path / "installations.csv"
    lines = [row.format("1", "0", "0"), row.format("", "1", "2"), row.format("1", "1", "2"), row.format("2", "0", "7")]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    read = read_eutl_installations(path)
    assert read.rejected["row"].to_list() == [3, 4]
    # Latitude 0 alone is a place; 0 and 0 is how the log prints "not known".
    assert read.rows.select("account_id", "latitude", "longitude").rows() == [(1, None, None), (2, 0.0, 7.0)]
    assert read.rows.select("permit_entered", "last_year", "activity_code", "activity_name").row(0) == (
        date(2005, 1, 26),
        None,
        29,
        "Production of cement clinker",
    )
    path.write_text("account_id\n1\n", encoding="utf-8")
    with pytest.raises(UnknownFormat, match="main_activity"):
        read_eutl_installations(path)
