import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from carbon.errors import FileTooLarge, UnknownFormat, UnreadableFile
from carbon.formats.offsets import read_register, read_registers
from carbon.formats.offsets.layouts import credit_events_schema, projects_schema

ACR = (
    "Credit Serial Numbers,Vintage,Quantity of Credits,Account Holder,Status Effective  (GMT),"
    "Retired on Behalf of,Retirement Reason,Purpose of Retirement,Project ID"
)
GOLD = "Vintage,Credit Status,Quantity,GSID,Retirement Date,Serial Number,Note,Use Case,Using Entity"
CERCARBONO = "verification,serial,issued_quantity,issuance_date,year,is_buffer,vintage_of_credits"
ISOMETRIC = "retirement_id,retired_at,purposes,notes,beneficiary.name,owner.name,credit_batch_size_total.credit_kgs"
ISOMETRIC += ",project_id,sequestered_on"


def _acr(serial: str, quantity: str, day: str = "4/13/2026 7:17:56 PM", project: str = "ACR7") -> str:
    return f'{serial},2025,"{quantity}",Holder,{day},Someone,Reason,Purpose,{project}'


def _file(folder: Path, *lines: str, name: str = "retirements.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _codes(reading: object) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.code, problem.severity) for problem in reading.problems]  # type: ignore[attr-defined]


def test_a_row_becomes_an_event(tmp_path: Path) -> None:
    path = _file(tmp_path, ACR, _acr("ACR-FR-7-2025-2917-30932 to 35143", "4,212", "4/3/2026 11:59:56 PM"))
    reading = read_register(path)
    assert reading.problems == ()
    event = reading.events.to_dicts()[0]
    assert event["register"] == "american_carbon_registry"
    assert (event["event"], str(event["day"]), event["vintage"]) == ("retirement", "2026-04-03", 2025)
    assert (event["quantity_t"], event["quantity_kg"]) == (35143 - 30932 + 1, (35143 - 30932 + 1) * 1000)
    assert (event["first"], event["last"], event["beneficiary"], event["row"]) == (30932, 35143, "Someone", 2)
    assert dict(reading.events.schema) == credit_events_schema()
    assert dict(reading.projects.schema) == projects_schema()


def test_every_bad_row_is_set_apart_with_its_text_and_reported_at_once(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        ACR,
        _acr("ACR-FR-7-2025-1-1 to 10", "10"),
        _acr("ACR-FR-7-2025-1-11 to 20", "9"),
        _acr("ACR-FR-7-2025-1-10 to 12", "3"),
        _acr("SN-BLK-DEMO-D-NaN-NaN-undefined", "5"),
        _acr("ACR-FR-7-2025-1-30 to 31", "0"),
        _acr("ACR-FR-7-2025-1-32 to 33", "1.5"),
        _acr("ACR-FR-7-2025-1-34 to 34", "1", "13/4/2026"),
        _acr("ACR-FR-7-2025-1-35 to 35", "1", project=""),
        _acr("ACR-FR-7-2025-1-36 to 36", "1") + ",more",
        "",
        _acr("ACR-FR-7-2025-1-37 to 37", "1").replace(",2025,", ",20x5,"),
    )
    reading = read_register(path)
    assert _codes(reading) == [
        (3, "C26", "error"),
        (4, "C27", "error"),
        (5, "C42", "error"),
        (6, "C16", "error"),
        (6, "C26", "error"),
        (7, "C16", "error"),
        (8, "unreadable_day", "error"),
        (9, "no_project", "error"),
        (10, "extra_cell", "error"),
        (12, "unreadable_vintage", "error"),
    ]
    assert reading.events["row"].to_list() == [2]
    assert reading.quarantine["row"].to_list() == [3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert reading.rows_read == 10 == reading.events.height + reading.quarantine.height
    assert "SN-BLK-DEMO-D-NaN-NaN-undefined" in reading.quarantine.filter(pl.col("row") == 5)["raw"][0]
    problem = next(problem for problem in reading.problems if problem.row == 8)
    assert (problem.column, problem.found) == ("Status Effective (GMT)", "13/4/2026")


def test_repeated_rows_without_serials_are_kept_counted_and_reported(tmp_path: Path) -> None:
    line = "1,CDC_1_1_1_321_14_1,5,2019-03-07T18:33:46.000Z,2015,False,x"
    reading = read_register(_file(tmp_path, CERCARBONO, line, line.replace("1,CDC", "2,CDC"), line))
    assert _codes(reading) == [(4, "C41", "warning")]
    assert reading.events["copy"].to_list() == [1, 2, 3]
    assert reading.events["quantity_t"].sum() == 15
    assert reading.events["project_id"].unique().to_list() == ["CCB1"]


def test_the_same_credits_are_not_retired_twice(tmp_path: Path) -> None:
    line = _acr("ACR-FR-7-2025-1-1 to 10", "10")
    assert _codes(read_register(_file(tmp_path, ACR, line, line))) == [(3, "C27", "error"), (3, "C41", "warning")]


def test_unknown_codes_are_set_apart(tmp_path: Path) -> None:
    good = "2024,Canceled,3,11,,GS1-1-ZW-GS11-16-2024-9-1-3,,,"
    unknown = "2024,Reserved,2,11,2026-04-10,GS1-1-ZW-GS11-16-2024-9-4-5,,,"
    reading = read_register(_file(tmp_path, GOLD, good, unknown))
    assert _codes(reading) == [(2, "no_day", "warning"), (3, "C42", "error")]
    assert reading.events.select("event", "day", "quantity_t").rows() == [("cancellation", None, 3)]
    assert "Reserved" in reading.quarantine["raw"][0]


def test_buffers_are_kept_apart(tmp_path: Path) -> None:
    line = "1,CDC_12_2_1_322_14_CO_1_1_2019_BF,7,2020-01-23T21:05:02.000Z,2019,{},x"
    reading = read_register(_file(tmp_path, CERCARBONO, line.format("True"), line.format("False")))
    assert reading.events["is_buffer"].to_list() == [True, False]
    assert _codes(read_register(_file(tmp_path, CERCARBONO, line.format("perhaps")))) == [(2, "C42", "error")]


def test_kilograms_count_as_whole_credits_and_the_rest_is_reported(tmp_path: Path) -> None:
    line = "ret_{n},2026-04-09T18:21:22.047712Z,[],,B,O,{kg},prj_X,2026-01-22"
    lines = [line.format(n=n, kg=kg) for n, kg in enumerate((531_000, 24_421, 999))]
    reading = read_register(_file(tmp_path, ISOMETRIC, *lines))
    assert reading.events.select("quantity_t", "quantity_kg").rows() == [(531, 531_000), (24, 24_421)]
    assert _codes(reading) == [(3, "C44", "warning"), (4, "C16", "error"), (4, "C44", "warning")]
    assert reading.rows_read == 3


def test_what_is_no_register_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="expected all headings of one of these"):
        read_register(_file(tmp_path, "a,b", "1,2"))
    with pytest.raises(UnknownFormat, match="expected one of american_carbon_registry"):
        read_register(_file(tmp_path, ACR), register="puro")
    with pytest.raises(UnknownFormat):
        read_register(_file(tmp_path, ACR), register="verra")
    with pytest.raises(UnknownFormat, match="an empty line"):
        read_register(_file(tmp_path, ""))
    with pytest.raises(UnreadableFile):
        read_register(tmp_path / "absent.csv")
    with pytest.raises(FileTooLarge):
        read_register(_file(tmp_path, ACR, *[_acr("", "1")] * 3), max_rows=2)


def test_a_file_without_rows_is_empty(tmp_path: Path) -> None:
    reading = read_register(_file(tmp_path, ACR))
    assert (reading.rows_read, reading.events.height, reading.problems) == (0, 0, ())
    assert dict(reading.events.schema) == credit_events_schema()


def test_a_folder_and_an_archive_hold_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    (folder / "acr").mkdir(parents=True)
    first = _file(folder / "acr", ACR, _acr("ACR-FR-7-2025-1-1 to 10", "10"))
    second = _file(folder, ACR, _acr("ACR-FR-7-2025-1-10 to 12", "3"), name="later.csv")
    other = _file(folder, "a,b", name="other.csv")
    (folder / "broken.csv.gz").write_bytes(gzip.compress(b"x" * 5000)[:30])
    archive = tmp_path / "raw.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.write(first, "acr/retirements.csv")
        target.write(second, "later.csv")
        target.write(other, "../../other.csv")
    from_folder, from_archive = read_registers(folder), read_registers(archive)
    assert from_folder.events.equals(from_archive.events)
    assert from_folder.events["file"].to_list() == ["acr/retirements.csv", "later.csv"]
    assert [(p.file, p.code) for p in from_archive.problems] == [
        ("../../other.csv", "unread_file"),
        ("later.csv", "C27"),
    ]
    assert [p.file for p in from_folder.problems] == ["broken.csv.gz", "other.csv", "later.csv"]
    meeting = from_folder.problems[-1]
    assert (meeting.row, meeting.severity) == (2, "warning")
    assert "acr/retirements.csv row 2" in meeting.found
    assert from_folder.rows_read == 2
    assert read_registers(first).events.height == 1


def test_an_archive_is_bounded_whatever_it_says(tmp_path: Path) -> None:
    archive = tmp_path / "bomb.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a.csv", "0" * 3_000_000)
        target.writestr("b.csv", "0" * 3_000_000)
    assert archive.stat().st_size < 20_000
    with pytest.raises(FileTooLarge, match=r"stopped in b\.csv"):
        read_registers(archive, max_bytes=5_000_000)
    assert [problem.code for problem in read_registers(archive).problems] == ["unread_file", "unread_file"]


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "raw.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a.csv", ACR * 20)
    data = bytearray(archive.read_bytes())
    # The member's bytes begin after 30 bytes of header and its name.
    data[30 + len("a.csv") + 20] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(UnreadableFile, match="expected a readable"):
        read_registers(archive)
    with pytest.raises(UnreadableFile):
        read_registers(tmp_path / "absent.zip")
