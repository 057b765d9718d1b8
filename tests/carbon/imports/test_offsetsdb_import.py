"""OffsetsDB: quantities by programme and vintage, made of the registers' own exports."""

import polars as pl

from carbon.formats.offsets import credits_from_events, projects_to_offsetsdb, read_registers, write_offsetsdb
from carbon.imports.offsetsdb import import_offsetsdb

ALL = "offsets/offsetsdb_registry_samples.zip"


def test_credits_and_projects_come_in_with_the_sums_of_their_events(
    ledger, bring, look, is_sound, outside_data, tmp_path
):
    folder = tmp_path / "offsetsdb"
    folder.mkdir()
    read = read_registers(outside_data / ALL)
    # ARB has no prefix of its own in OffsetsDB: its projects are those of three other registers.
    events = read.events.filter(pl.col("register") != "arb")
    write_offsetsdb(credits_from_events(events, aggregate=True), folder / "credits.parquet")
    write_offsetsdb(projects_to_offsetsdb(read.projects, read.events), folder / "projects.csv")
    report = bring(ledger, import_offsetsdb, folder)
    credits = pl.read_parquet(folder / "credits.parquet")
    assert report.rows_apart == 0
    assert report.rows_booked == report.rows_read == credits.height + read.projects.height
    wanted = {f"{event}, t": int(total) for event, total in events.group_by("event").agg(
        pl.col("quantity_t").sum()).iter_rows()}  # fmt: skip
    assert report.sums == wanted
    booked = look(
        ledger,
        "SELECT i.code, sum(l.quantity) FROM registry_transfer l JOIN registry_instrument i ON i.id = l.instrument_id"
        " WHERE l.kind = 'issue' GROUP BY i.code ORDER BY i.code",
    )
    issued = credits.filter(pl.col("transaction_type") == "issuance")
    gold = issued.filter(pl.col("project_id").str.starts_with("GLD"), pl.col("vintage") == 2024)["quantity"].sum()
    assert {code: int(total) for code, total in booked}["GS:2024"] == int(gold)
    assert sum(int(total) for _, total in booked) == wanted["issuance, t"]
    opened = look(ledger, "SELECT sum(quantity) FROM registry_transfer WHERE kind = 'opening'")[0][0]
    assert int(opened) == report.openings["quantity"].sum()
    is_sound(ledger)
    assert bring(ledger, import_offsetsdb, folder).replayed


def test_what_is_retired_beyond_what_was_issued_is_assumed_and_said(ledger, bring, look, tmp_path):
    columns = (
        "quantity,project_id,vintage,transaction_date,transaction_type,retirement_account,retirement_reason,"
        "retirement_note,retirement_beneficiary,retirement_beneficiary_harmonized,transaction_url\n"
    )
    rows = [
        "100.0,VCS1,2020,2021-01-01 00:00:00+00:00,issuance",
        "130.0,VCS2,2020,2022-01-01 00:00:00+00:00,retirement",
        "1.5,VCS2,2020,2022-01-01 00:00:00+00:00,retirement",
        "5.0,GLD3,,,cancellation",
    ]
    (tmp_path / "credits.csv").write_text(columns + "".join(f"{row},,,,,,\n" for row in rows))
    report = bring(ledger, import_offsetsdb, tmp_path / "credits.csv")
    assert (report.rows_read, report.rows_booked, report.rows_apart) == (4, 3, 1)
    assert sorted(report.openings.rows()) == [("GS:holders", "GS:undated", 5), ("VCS:holders", "VCS:2020", 130 - 100)]
    assert report.notes["credits without a day, booked at the time of the import (assumed)"] == 1
    legs = "SELECT reference FROM registry_transfer WHERE kind = 'cancel' ORDER BY reference"
    assert look(ledger, legs) == [("credits.csv:2:VCS2:retirement",), ("credits.csv:3:GLD3:cancellation",)]
