"""Raw exports of offset registers: every range where its register says, and nothing twice."""

import csv
import gzip
import io
import zipfile
from datetime import UTC, datetime

import polars as pl
import pytest

from carbon.formats.offsets import read_registers
from carbon.imports.offsets import import_offsets, plan_events
from carbon.imports.range_booking import book_ranges
from carbon.imports.report import ImportRefused, named_source, open_import, report_rows
from carbon.ledger.book import Act
from carbon.ledger.parties import block_account
from carbon.ledger.post import writing

VERRA = "offsets/verra_vcus_sample_with_serials.csv.gz"
ALL = "offsets/offsetsdb_registry_samples.zip"
HEADER = (
    "Issuance Date,Sustainable Development Goals,Vintage Start,Vintage End,ID,Name,Country/Area,Project Type,"
    "Methodology,Total Vintage Quantity,Quantity Issued,Serial Number,Additional Certifications,"
    "Retirement/Cancellation Date,Retirement Beneficiary,Retirement Reason,Retirement Details"
)


def verra(folder, *rows, name="verra.csv"):
    """A file in Verra's layout; rows: (first, last, day issued, day retired or "")."""
    lines = [HEADER]
    for first, last, issued, retired in rows:
        serial = f"9999-{first}-{last}-VCS-VCU-1-VER-XX-1-1-01012020-31122020-0"
        count = last - first + 1
        lines.append(f"{issued},,2020-01-01,2020-12-31,1,Fictitious,XX,T,M,{count},{count},{serial},,{retired},,,")
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


BLOCKS = (
    "SELECT b.serial_first, b.serial_last, a.code FROM registry_block b JOIN registry_account a ON a.id = b.account_id"
    " ORDER BY b.instrument_id, b.serial_first"
)


def test_the_731_ranges_of_verra_are_issued_and_retired_to_the_last_number(ledger, bring, look, is_sound, outside_data):
    with gzip.open(outside_data / VERRA, "rt", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    report = bring(ledger, import_offsets, outside_data / VERRA)
    assert (report.rows_read, report.rows_booked, report.rows_apart) == (len(rows), len(rows), 0) == (731, 731, 0)
    total = sum(int(row["Quantity Issued"].replace(",", "")) for row in rows)
    assert report.sums == {"issuance, t": total, "retirement, t": total}
    assert report.openings.is_empty()
    numbers = [tuple(map(int, row["Serial Number"].split("-")[1:3])) for row in rows]
    found = look(ledger, BLOCKS)
    assert sorted(row[:2] for row in found) == sorted(numbers)
    assert {row[2] for row in found} == {"VCS:cancellation"}
    is_sound(ledger)
    again = bring(ledger, import_offsets, outside_data / VERRA)
    assert (again.replayed, again.rows_repeated) == (True, 731)
    assert look(ledger, BLOCKS) == found


def test_the_days_and_words_of_the_register_are_kept(ledger, bring, look, tmp_path):
    bring(ledger, import_offsets, verra(tmp_path, (1, 10, "2021-03-04", "2022-05-06")))
    legs = look(ledger, "SELECT l.kind, l.at_us, t.body FROM registry_transfer l JOIN registry_transaction t"
                        " ON t.id = l.transaction_id ORDER BY l.id")  # fmt: skip
    days = [datetime(2021, 3, 4, tzinfo=UTC), datetime(2022, 5, 6, tzinfo=UTC)]
    assert [(kind, at_us) for kind, at_us, _ in legs] == [
        (kind, int(day.timestamp()) * 10**6) for kind, day in zip(("issue", "cancel"), days, strict=True)
    ]
    assert '"raw_event":"Retirement/Cancellation Date"' in legs[1][2]
    assert '"serial":"9999-1-10-VCS-VCU-1-VER-XX-1-1-01012020-31122020-0"' in legs[1][2]


def test_a_serial_text_of_verra_can_be_traced(ledger, bring, tmp_path):
    trace = pytest.importorskip("carbon.ledger.trace").trace
    bring(ledger, import_offsets, verra(tmp_path, (1, 10, "2021-03-04", "2022-05-06")))
    with ledger.connect() as connection:
        life = trace(connection, "9999-3-5-VCS-VCU-1-VER-XX-1-1-01012020-31122020-0")
    assert life["kind"].to_list()[:2] == ["issue", "cancel"]


def test_all_raw_exports_come_in_with_counts_and_sums_of_an_independent_reading(
    ledger, bring, look, is_sound, outside_data
):
    report = bring(ledger, import_offsets, outside_data / ALL)
    lines = 0
    retired = {"american-carbon-registry": 0, "climate-action-reserve": 0, "cercarbono": 0}
    with zipfile.ZipFile(outside_data / ALL) as archive:
        for name in archive.namelist():
            if name.endswith(".csv"):
                rows = list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
                lines += sum(any(row) for row in rows[1:])
                register = name.split("/")[-2]
                if register in retired and name.endswith("retirements.csv"):
                    place = next(n for n, cell in enumerate(rows[0]) if cell.lower().startswith("quantity"))
                    retired[register] = sum(int(row[place].replace(",", "")) for row in rows[1:] if any(row))
    assert lines == report.rows_read == 1_750
    # 18 rows hold no whole credit; five ranges of Cercarbono begin with the number 0, which the ledger has not.
    zero = sum(problem.code == "C26" for problem in report.problems)
    assert (report.rows_apart, zero, report.rows_booked) == (18 + zero, 5, 1_750 - 18 - zero)
    assert sum(problem.severity == "error" for problem in report.problems) == report.rows_apart
    booked = dict(
        look(
            ledger,
            "SELECT i.scheme, sum(l.quantity) FROM registry_transfer l"
            " JOIN registry_instrument i ON i.id = l.instrument_id"
            " JOIN registry_transaction t ON t.id = l.transaction_id WHERE l.kind = 'cancel'"
            " AND l.reference LIKE :word GROUP BY i.scheme",
            word="%:retirement%",
        )
    )
    zeros = 1_000 + 9_516 + 26_318 + 63_593 + 15_245
    assert int(booked["ACR"]) == retired["american-carbon-registry"]
    assert int(booked["CAR"]) == retired["climate-action-reserve"]
    assert int(booked["CDC"]) == retired["cercarbono"] - zeros
    opened = look(ledger, "SELECT count(*), sum(quantity) FROM registry_transfer WHERE kind = 'opening'")[0]
    assert int(opened[1]) == report.openings["quantity"].sum()
    assert "openings assumed, units" in report_rows(report)["what"].to_list()
    is_sound(ledger)


def test_numbers_never_seen_issued_are_opened_exactly(ledger, bring, look, is_sound, tmp_path):
    """1 to 10 are issued and 5 to 14 retired: 11 to 14 are assumed, and 1 to 4 stay."""
    issued = verra(tmp_path, (1, 10, "2021-01-01", ""))
    bring(ledger, import_offsets, issued)
    later = read_registers(verra(tmp_path, (5, 14, "2021-01-01", "2022-01-01"), name="later.csv")).events
    retirement = plan_events(later.filter(pl.col("event") == "retirement"), 1).numbered
    source = named_source("test", issued, Act("test", 1, "t"))
    booked = []
    with writing(ledger) as connection:
        open_import(connection, source, {}, lambda _: booked.append(book_ranges(connection, source, retirement)))
    assert booked[0].openings.rows() == [("VCS:holders", "9999-*-*-VCS-VCU-1-VER-XX-1-1-01012020-31122020-0", 4)]
    assert look(ledger, "SELECT kind, first_serial, quantity FROM registry_transfer ORDER BY id") == [
        ("issue", 1, 10),
        ("cancel", 5, 6),
        ("opening", 11, 4),
        ("cancel", 11, 4),
    ]
    assert look(ledger, BLOCKS) == [(1, 4, "VCS:holders"), (5, 10, "VCS:cancellation"), (11, 14, "VCS:cancellation")]
    is_sound(ledger)


def test_overlaps_with_what_the_ledger_has_are_refused_row_by_row_and_the_rest_is_booked(
    ledger, bring, look, is_sound, tmp_path
):
    bring(ledger, import_offsets, verra(tmp_path, (1, 10, "2021-01-01", "2021-02-01")))
    report = bring(
        ledger,
        import_offsets,
        verra(
            tmp_path,
            (1, 10, "2021-01-01", "2021-02-01"),  # all of it is there: a repeat
            (8, 12, "2021-01-01", ""),  # meets 8 to 10
            (20, 29, "2021-01-01", ""),  # new
            name="later.csv",
        ),
    )
    # The reader sets the second row apart within the file; between files the ledger does.
    assert (report.rows_read, report.rows_booked, report.rows_apart, report.rows_repeated) == (3, 1, 1, 1)
    report = bring(ledger, import_offsets, verra(tmp_path, (9, 12, "2021-01-01", ""), name="last.csv"))
    assert [(p.code, p.row) for p in report.problems] == [("C27", 2)]
    assert report.rows_apart == 1
    assert look(ledger, BLOCKS) == [(1, 10, "VCS:cancellation"), (20, 29, "VCS:holders")]
    is_sound(ledger)


def test_a_later_file_may_retire_part_of_what_an_earlier_one_issued(ledger, bring, look, is_sound, tmp_path):
    bring(ledger, import_offsets, verra(tmp_path, (1, 10, "2021-01-01", "")))
    report = bring(ledger, import_offsets, verra(tmp_path, (3, 5, "2021-01-01", "2023-01-01"), name="later.csv"))
    assert (report.rows_booked, report.rows_repeated) == (1, 0)
    assert report.openings.is_empty()
    assert look(ledger, BLOCKS) == [(1, 2, "VCS:holders"), (3, 5, "VCS:cancellation"), (6, 10, "VCS:holders")]
    is_sound(ledger)


def test_an_import_that_the_ledger_refuses_leaves_nothing(ledger, bring, look, tmp_path):
    bring(ledger, import_offsets, verra(tmp_path, (1, 10, "2021-01-01", "")))
    with writing(ledger) as connection:
        assert block_account(connection, Act("stop", 1, "t"), account="VCS:holders").done
    before = look(ledger, "SELECT count(*), max(id) FROM registry_transaction")
    with pytest.raises(ImportRefused, match="C07"):
        bring(ledger, import_offsets, verra(tmp_path, (3, 5, "2021-01-01", "2023-01-01"), name="later.csv"))
    assert look(ledger, "SELECT count(*), max(id) FROM registry_transaction") == before
    assert look(ledger, BLOCKS) == [(1, 10, "VCS:holders")]
