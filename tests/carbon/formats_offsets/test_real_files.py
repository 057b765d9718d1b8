import csv
import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from carbon.formats.offsets import RegistersReading, parse_serials, read_register, read_registers

FOLDER = "tests/data/"

# Per file: what adds up to the quantity of the events (headings, added), in the file's own unit.
QUANTITIES = {
    "american-carbon-registry/cancellations.csv": ["Quantity of Credits"],
    "american-carbon-registry/issuances.csv": ["Total Credits Issued"],
    "american-carbon-registry/retirements.csv": ["Quantity of Credits"],
    "art-trees/cancellations.csv": ["Quantity of Credits"],
    "art-trees/issuances.csv": ["Total Emission Reductions/Removals"],
    "art-trees/retirements.csv": ["Quantity of Credits"],
    "cercarbono/issuances.csv": ["issued_quantity"],
    "cercarbono/retirements.csv": ["quantity"],
    "climate-action-reserve/cancellations.csv": ["Quantity of Offset Credits"],
    "climate-action-reserve/issuances.csv": ["Total Offset Credits Issued"],
    "climate-action-reserve/retirements.csv": ["Quantity of Offset Credits"],
    "gold-standard/issuances.csv": ["Quantity"],
    "gold-standard/retirements.csv": ["Quantity"],
    "arb/nc-arboc_issuance_sheet3.csv": [
        "ARB Offset Credits Issued",
        "Buffer Pool Retired",
        "Invalidated or Canceled",
        "Retired for Intentional Reversal",
        "Retired Voluntarily",
        "Retired 1st Compliance Period (CA)",
        "Retired 2nd Compliance Period (CA)",
        "Retired 3rd Compliance Period (CA)",
        "Retired 4th Compliance Period (CA)",
        "Retired 5th Compliance Period (CA)",
        "Retired for Compliance in Quebec",
    ],
}
NUMBER_OF_FILES = 24


@pytest.fixture(scope="module")
def archive(outside_data: Path) -> Path:
    return outside_data / "offsets" / "offsetsdb_registry_samples.zip"


@pytest.fixture(scope="module")
def reading(archive: Path) -> RegistersReading:
    return read_registers(archive)


def _rows(archive: Path, file: str) -> list[dict[str, str]]:
    with zipfile.ZipFile(archive) as source:
        return list(csv.DictReader(io.StringIO(source.read(FOLDER + file).decode("utf-8-sig"))))


def _whole(text: str) -> int:
    number = float(text.replace(",", "") or 0)
    assert number == int(number)
    return int(number)


def test_every_row_is_kept_or_set_apart(archive: Path, reading: RegistersReading) -> None:
    assert len(reading.readings) == NUMBER_OF_FILES
    for file, one in reading.readings.items():
        assert one.rows_read == len(_rows(archive, file.removeprefix(FOLDER)))
        kept = one.events["row"].n_unique() + one.projects.height
        assert one.rows_read == kept + one.quarantine.height


@pytest.mark.parametrize("file", sorted(QUANTITIES))
def test_quantities_are_those_of_the_file(archive: Path, reading: RegistersReading, file: str) -> None:
    rows = _rows(archive, file)
    printed = sum(_whole(row[heading]) for row in rows for heading in QUANTITIES[file])
    assert reading.readings[FOLDER + file].events["quantity_t"].sum() == printed


def test_only_known_rows_are_set_apart(archive: Path, reading: RegistersReading) -> None:
    apart = {file: one.quarantine.height for file, one in reading.readings.items() if one.quarantine.height}
    sheet = _rows(archive, "arb/nc-arboc_issuance_sheet3.csv")
    small = _rows(archive, "isometric/retirements.csv")
    assert apart == {
        FOLDER + "arb/nc-arboc_issuance_sheet3.csv": sum(not row["ARB Offset Credits Issued"] for row in sheet),
        FOLDER + "isometric/retirements.csv": sum(
            int(row["credit_batch_size_total.credit_kgs"]) < 1000 for row in small
        ),
    }
    assert {problem.code for problem in reading.problems if problem.severity == "error"} == {"C16"}
    cancelled = [row for row in _rows(archive, "gold-standard/retirements.csv") if not row["Retirement Date"]]
    undated = [problem for problem in reading.problems if problem.code == "no_day" and "gold" in problem.file]
    assert len(undated) == len(cancelled) == 6


def test_isometric_keeps_whole_credits_and_exact_kilograms(archive: Path, reading: RegistersReading) -> None:
    rows = _rows(archive, "isometric/issuances.csv")
    parts = [
        int(row[f"{part}_credit_batch_size_total.credit_kgs"]) for row in rows for part in ("supplier", "buffer_pool")
    ]
    events = reading.readings[FOLDER + "isometric/issuances.csv"].events
    assert events["quantity_t"].sum() == sum(kg // 1000 for kg in parts)
    assert events["quantity_kg"].sum() == sum(kg for kg in parts if kg >= 1000)
    warned = [p for p in reading.problems if p.code == "C44" and p.file.endswith("isometric/issuances.csv")]
    assert len(warned) == sum(kg % 1000 != 0 for kg in parts)


def test_verra_lines_are_issued_and_some_are_retired(archive: Path, reading: RegistersReading) -> None:
    rows = _rows(archive, "verra/transactions.csv")
    retired = [row for row in rows if row["Retirement/Cancellation Date"]]
    sums = reading.readings[FOLDER + "verra/transactions.csv"].events.group_by("event").agg(pl.col("quantity_t").sum())
    assert dict(sums.iter_rows()) == {
        "issuance": sum(_whole(row["Quantity Issued"]) for row in rows),
        "retirement": sum(_whole(row["Quantity Issued"]) for row in retired),
    }


def test_buffers_are_those_of_the_files(archive: Path, reading: RegistersReading) -> None:
    expected = {
        "american-carbon-registry/issuances.csv": "Credits Issued to Buffer Pool",
        "art-trees/issuances.csv": "Credits Deposited in Buffer",
        "climate-action-reserve/issuances.csv": "Offset Credits Currently in Reserve Buffer Pool",
    }
    for file, heading in expected.items():
        buffers = reading.readings[FOLDER + file].events.filter("is_buffer")["quantity_t"].sum()
        assert buffers == sum(_whole(row[heading]) for row in _rows(archive, file)) > 0


def test_no_sheet_line_retires_more_than_was_issued(reading: RegistersReading) -> None:
    events = reading.readings[FOLDER + "arb/nc-arboc_issuance_sheet3.csv"].events
    tonnes, issued = pl.col("quantity_t"), pl.col("event") == "issuance"
    by_row = events.group_by("row").agg(issued=tonnes.filter(issued).sum(), gone=tonnes.filter(~issued).sum())
    assert by_row.filter(pl.col("gone") > pl.col("issued")).is_empty()


def test_every_serial_of_every_export_is_read(archive: Path) -> None:
    texts = []
    with zipfile.ZipFile(archive) as source:
        files = [name.removeprefix(FOLDER) for name in source.namelist() if name.endswith(".csv")]
    for file in files:
        if not file.startswith("cercarbono"):
            texts += [text for row in _rows(archive, file) for name, text in row.items() if "Serial Number" in name]
    # Verra 200, Gold Standard 2 x 100, ACR and CAR 100 + 50 each, ART 8 + 3.
    assert len(texts) == 200 + 200 + 150 + 150 + 11
    assert parse_serials(pl.Series(texts))["problem"].drop_nulls().to_list() == []


def test_cercarbono_ranges_stand_in_their_columns(archive: Path, reading: RegistersReading) -> None:
    rows = _rows(archive, "cercarbono/retirements.csv")
    events = reading.readings[FOLDER + "cercarbono/retirements.csv"].events
    assert events.select("first", "last").rows() == [(int(row["from"]), int(row["to"])) for row in rows]


def test_the_731_verra_ranges(outside_data: Path) -> None:
    path = outside_data / "offsets" / "verra_vcus_sample_with_serials.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    reading = read_register(path)
    assert reading.problems == ()
    assert reading.rows_read == len(rows) == 731
    issued = reading.events.filter(pl.col("event") == "issuance")
    assert issued["quantity_t"].to_list() == [_whole(row["Quantity Issued"]) for row in rows]
    assert (issued["last"] - issued["first"] + 1).to_list() == issued["quantity_t"].to_list()
    # Project 605 is complete in the sample: the lines of a vintage are its printed total.
    of_605 = issued.filter(pl.col("project_id") == "VCS605").group_by("vintage").agg(pl.col("quantity_t").sum())
    assert dict(of_605.iter_rows()) == {2013: 5_183, 2012: 5_183, 2011: 10_018}
