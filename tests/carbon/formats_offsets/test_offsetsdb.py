from pathlib import Path

import polars as pl
import pytest

from carbon.errors import UnknownFormat, UnreadableFile
from carbon.formats.offsets import read_registers
from carbon.formats.offsets.offsetsdb import CREDIT_COLUMNS, PROJECT_COLUMNS, read_offsetsdb, write_offsetsdb
from carbon.formats.offsets.offsetsdb_rows import credits_from_events, events_from_credits, projects_to_offsetsdb

HEADER = "id," + ",".join(CREDIT_COLUMNS)


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "credits.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def test_floats_become_whole_tonnes_and_a_vintage_may_be_missing(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        '1,4212.0,ACR1129,2025.0,2026-04-13 00:00:00+00:00,retirement,"Duke, University",r,n,b,,',
        "2,7.0,VCS1340,,2026-04-13,issuance,,,,,,",
    )
    reading = read_offsetsdb(path)
    assert (reading.table, reading.problems) == ("credits", ())
    assert reading.rows.select("id", "quantity", "vintage").rows() == [("1", 4212, 2025), ("2", 7, None)]
    events = events_from_credits(reading.rows, file="credits.csv")
    assert events["register"].to_list() == ["american_carbon_registry", "verra"]
    assert events.select("account", "first", "is_buffer", "row").row(0) == ("Duke, University", None, None, 2)
    assert events["quantity_kg"].to_list() == [4_212_000, 7_000]


def test_faulty_credit_rows_are_set_apart(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "1,0.0,ACR1,2025,2026-04-13,retirement,,,,,,",
        "2,,ACR1,2025,2026-04-13,retirement,,,,,,",
        "3,1.5,ACR1,2025,2026-04-13,retirement,,,,,,",
        "4,1.0,XYZ1,2025,2026-04-13,retirement,,,,,,",
        "5,1.0,ACR1,2025,13/04/2026,retirement,,,,,,",
        "6,1.0,ACR1,2025,2026-04-13,swap,,,,,,",
        "7,1.0,ACR1,later,2026-04-13,issuance,,,,,,",
        "8,1.0,ACR1,2025,,issuance,,,,,,",
    )
    reading = read_offsetsdb(path)
    assert [(problem.row, problem.code) for problem in reading.problems] == [
        (2, "C16"),
        (3, "C16"),
        (4, "C16"),
        (5, "C42"),
        (6, "unreadable_day"),
        (7, "C42"),
        (8, "unreadable_vintage"),
        (9, "no_day"),
    ]
    assert reading.rows["id"].to_list() == ["8"]
    assert reading.quarantine["row"].to_list() == [2, 3, 4, 5, 6, 7, 8]
    assert '"swap"' in reading.quarantine["raw"][5]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_all_raw_events_survive_the_tables_of_offsetsdb(outside_data: Path, tmp_path: Path, ending: str) -> None:
    raw = read_registers(outside_data / "offsets" / "offsetsdb_registry_samples.zip")
    credits, projects = tmp_path / f"credits.{ending}", tmp_path / f"projects.{ending}"
    write_offsetsdb(credits_from_events(raw.events), credits)
    rows = projects_to_offsetsdb(raw.projects, raw.events)
    write_offsetsdb(rows, projects)
    read_credits, read_projects = read_offsetsdb(credits), read_offsetsdb(projects)
    assert read_credits.rows_read == raw.events.height > 1_000
    assert events_from_credits(read_credits.rows, file="x").equals(raw.events)
    assert read_projects.table == "projects"
    assert read_projects.rows.columns == list(PROJECT_COLUMNS)
    assert read_projects.rows.equals(rows)


def test_aggregated_issuances_have_the_same_sum(outside_data: Path) -> None:
    events = read_registers(outside_data / "offsets" / "offsetsdb_registry_samples.zip").events
    rows = credits_from_events(events, aggregate=True)
    assert rows.columns == list(CREDIT_COLUMNS)
    assert rows["quantity"].sum() == events["quantity_t"].sum()
    keys = {
        (event["project_id"], event["day"], event["vintage"])
        for event in events.iter_rows(named=True)
        if event["event"] == "issuance"
    }
    assert rows.filter(pl.col("transaction_type") == "issuance").height == len(keys)


def test_lists_in_parquet_keep_their_text(tmp_path: Path) -> None:
    row = dict.fromkeys(PROJECT_COLUMNS)
    row |= {"project_id": "VCS1", "protocol": ["vm0007", "vm0015"], "issued": 5.0, "is_compliance": False}
    path = tmp_path / "projects.parquet"
    pl.DataFrame([row]).write_parquet(path)
    read = read_offsetsdb(path).rows.to_dicts()[0]
    assert read["protocol"] == '["vm0007","vm0015"]'
    assert (read["issued"], read["is_compliance"], read["retired"]) == (5, False, None)


def test_a_project_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "projects.csv"
    pl.DataFrame([dict.fromkeys(PROJECT_COLUMNS, None) | {"project_id": "VCS1"}] * 2).write_csv(path)
    assert [(problem.row, problem.code) for problem in read_offsetsdb(path).problems] == [(3, "C41")]


def test_other_tables_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UnknownFormat, match="expected one of these tables"):
        read_offsetsdb(path)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(UnreadableFile):
        read_offsetsdb(tmp_path / "broken.parquet")
    with pytest.raises(UnknownFormat, match="ends with"):
        write_offsetsdb(pl.DataFrame({"quantity": [1]}), tmp_path / "credits.xlsx")
