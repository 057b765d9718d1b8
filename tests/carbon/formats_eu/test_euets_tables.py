"""euets.info tables: real sample whole, round trips without loss, keys and types checked."""

import csv
import gzip
import io
import zipfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.errors import FileTooLarge, UnreadableFile
from carbon.formats.eu import EuetsTables, block_multiplicity, read_euets, write_euets
from carbon.formats.eu.euets_tables import CannotBeNamed
from carbon.formats.eu.layouts import FOREIGN_KEYS, KEYS, LAYOUTS

SAMPLE = Path("registry", "eutl_transactions_sample.csv.gz")

ACCOUNT = '''\
id,tradingSystem_id,accountIDEutl,name,registry_id,accountHolder_id,accountType_id,isOpen,openingDate,closingDate,\
installation_id,created_on,updated_on,colour
1,euets,,"Fictitious, ""A""",XA,7.0,100-7,True,2005-03-01 00:00:00,,XA_1,2024-01-01,2024-01-01,red
2,euets,5.0, padded ,XA,8.0,100-7,False,2005-03-01 08:15:30.250000,2009-01-02 00:00:00,XA_9,2024-01-01,2024-01-01,
'''
HOLDER = "id,name,country_id\n7,Fictitious Works,XA\n"
INSTALLATION = "id,name,activity_id,latitudeEutl,isAircraftOperator\nXA_1,Kiln,29,47.25,False\n"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("account.csv", ACCOUNT)
        archive.writestr("account_holder.csv", HOLDER)
        archive.writestr("installation.csv", INSTALLATION)
        archive.writestr("esd_penalties.csv", "a,b\n1,x\n")
    return path


def plain_rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def same_value(left: str, right: str) -> bool:
    """Equal as text, as numbers (308.0 and 308 are one id) or as moments (a second with and without .000)."""
    for reading in (str, float, datetime.fromisoformat):
        try:
            if reading(left) == reading(right):
                return True
        except ValueError:
            continue
    return False


def test_the_sample_imports_whole(outside_data: Path) -> None:
    read = read_euets(outside_data / SAMPLE)
    blocks = read.tables["transaction"]
    plain = plain_rows(outside_data / SAMPLE)
    assert blocks.height == len(plain) == 16_418
    assert blocks["amount"].sum() == sum(int(float(row["amount"])) for row in plain)
    assert blocks["transactionID"].n_unique() == len({row["transactionID"] for row in plain}) == 3_423
    assert blocks["project_id"].null_count() == sum(row["project_id"] == "" for row in plain)
    assert not read.rejected
    assert {problem.severity for problem in read.problems} == {"warning"}
    assert [p.column for p in read.problems if p.code == "missing_column"] == [
        "tradingSystem_id",
        "acquiringYear",
        "transferringYear",
    ]
    assert read.extras["transaction"].columns == ["transferringAccountID_2024"]


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_the_sample_survives_the_round_trip_value_by_value(outside_data: Path, tmp_path: Path, form: str) -> None:
    read = read_euets(outside_data / SAMPLE)
    target = tmp_path / f"out.{form}"
    write_euets(read, target, form=form)  # type: ignore[arg-type]
    if form == "zip":
        with zipfile.ZipFile(target) as archive:
            text = archive.read("transaction.csv").decode()
    else:
        text = (target / "transaction.csv").read_text(encoding="utf-8")
    written = list(csv.DictReader(io.StringIO(text)))
    plain = plain_rows(outside_data / SAMPLE)
    assert list(written[0]) == list(plain[0])
    assert len(written) == len(plain)
    for before, after in zip(plain, written, strict=True):
        assert all(same_value(before[column], after[column]) for column in before)
    again = read_euets(target)
    assert_frame_equal(again.tables["transaction"], read.tables["transaction"])
    assert_frame_equal(again.extras["transaction"], read.extras["transaction"])


def test_equal_blocks_are_kept_and_counted(outside_data: Path) -> None:
    read = read_euets(outside_data / SAMPLE)
    found = block_multiplicity(pl.concat([read.tables["transaction"], read.extras["transaction"]], how="horizontal"))
    plain = Counter(tuple(v for k, v in row.items() if k != "id") for row in plain_rows(outside_data / SAMPLE))
    # The published count of repeats: 807 blocks equal an earlier one in every column but id.
    assert found.select(pl.col("multiplicity") - 1).sum().item() == 807
    assert sorted(found["multiplicity"]) == sorted(count for count in plain.values() if count > 1)
    assert (found["ids"].list.len().cast(pl.Int64) == found["multiplicity"]).all()


def test_types_notes_and_references_of_a_release(release: Path) -> None:
    read = read_euets(release)
    account = read.tables["account"]
    assert account["accountHolder_id"].to_list() == [7, 8]
    assert account["accountIDEutl"].to_list() == [None, 5]
    assert account["name"].to_list() == ['Fictitious, "A"', " padded "]
    assert account["isOpen"].to_list() == [True, False]
    assert account["openingDate"][1] == datetime(2005, 3, 1, 8, 15, 30, 250_000)
    assert "created_on" not in account.columns
    assert read.extras["account"]["colour"].to_list() == ["red", None]
    assert list(read.others) == ["esd_penalties.csv"]
    said = {(p.file, p.code, p.column) for p in read.problems}
    assert {("account.csv", "dropped_column", "created_on"), ("account.csv", "dropped_column", "updated_on")} <= said
    assert ("account.csv", "unknown_column", "colour") in said
    assert ("account.csv", "missing_column", "yearValid") in said
    assert ("esd_penalties.csv", "unknown_table", None) in said
    dangling = {(p.file, p.column): p.found for p in read.problems if p.code == "unknown_reference"}
    assert dangling == {
        ("account.csv", "accountHolder_id"): "1 rows with 1 unknown ids, first 8",
        ("account.csv", "installation_id"): "1 rows with 1 unknown ids, first XA_9",
    }


def test_references_that_hold_are_not_reported(tmp_path: Path) -> None:
    (tmp_path / "account_holder.csv").write_text("id,name\n7,Fictitious\n", encoding="utf-8")
    (tmp_path / "account.csv").write_text("id,accountHolder_id\n1,7.0\n2,\n", encoding="utf-8")
    assert "unknown_reference" not in {p.code for p in read_euets(tmp_path).problems}


def test_bad_rows_are_set_apart_with_their_text(tmp_path: Path) -> None:
    path = tmp_path / "transaction.csv"
    path.write_text(
        "id,transactionID,date,amount\n"
        "1,XA1,2006-01-20 07:01:15.731,10\n"
        "2,XA1,20 January 2006,10\n"
        "3,XA1,2006-01-20 07:01:15,10.5\n"
        "1,XA2,2006-01-20 07:01:15,11\n"
        ",XA3,2006-01-20 07:01:15,12\n",
        encoding="utf-8",
    )
    read = read_euets(path)
    assert read.tables["transaction"]["id"].to_list() == [1]
    assert read.rejected["transaction"].select("row", "date", "amount").rows() == [
        (3, "20 January 2006", "10"),
        (4, "2006-01-20 07:01:15", "10.5"),
        (5, "2006-01-20 07:01:15", "11"),
        (6, "2006-01-20 07:01:15", "12"),
    ]
    errors = [(p.row, p.column, p.code) for p in read.problems if p.severity == "error"]
    assert errors == [
        (3, "date", "untyped_cell"),
        (4, "amount", "untyped_cell"),
        (5, "id", "repeated_key"),
        (6, "id", "repeated_key"),
    ]


def test_a_lone_file_is_known_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "anything.csv"
    path.write_text("id,transactionID,date,amount\n1,XA1,2006-01-20 07:01:15,10\n", encoding="utf-8")
    assert list(read_euets(path).tables) == ["transaction"]


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    (tmp_path / "surrender.csv").write_text("id,year,amount\n", encoding="utf-8")
    read = read_euets(tmp_path)
    assert read.tables["surrender"].schema == {"id": pl.Int64, "year": pl.Int64, "amount": pl.Int64}


def test_what_cannot_be_opened_is_refused(tmp_path: Path, release: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_euets(tmp_path / "absent.zip")
    with pytest.raises(FileTooLarge):
        read_euets(release, max_bytes=50)
    broken = tmp_path / "broken.zip"
    data = bytearray(release.read_bytes())
    start = data.find(b"account.csv") + len(b"account.csv") + 4
    data[start : start + 8] = b"\xff" * 8
    broken.write_bytes(bytes(data))
    with pytest.raises(UnreadableFile):
        read_euets(broken)


def test_no_table_is_lost_for_its_name(tmp_path: Path) -> None:
    """Two of one name, capital letters, none at all: said or read, never passed over."""
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("2023/account_holder.csv", HOLDER)
        archive.writestr("2024/account_holder.csv", HOLDER.replace("7,", "8,"))
    with pytest.raises(UnreadableFile, match=r"two files account_holder.csv in two.zip, expected each table once"):
        read_euets(tmp_path / "two.zip")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableFile, match="found no CSV file in folder"):
        read_euets(tmp_path / "folder")
    (tmp_path / "folder" / "ACCOUNT_HOLDER.CSV").write_text(HOLDER)
    (tmp_path / "folder" / "account_holder.csv.bak").write_text("nonsense")
    read = read_euets(tmp_path / "folder")
    assert (list(read.tables), read.tables["account_holder"].height, list(read.others)) == (["account_holder"], 1, [])


def test_a_zip_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"part{number}.csv", "a\n" + "1\n" * 400)
    assert len(read_euets(tmp_path / "bomb.zip").others) == 3
    # Each part fits, and two of them; the third is too many.
    with pytest.raises(FileTooLarge, match=r"bomb.zip with more than 1800 bytes of tables"):
        read_euets(tmp_path / "bomb.zip", max_bytes=900)


def test_unknown_tables_are_written_unpacked_and_beside_each_other(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with gzip.open(tmp_path / "in" / "penalties.csv.gz", "wt") as stream:
        stream.write("a,b\n1,x\n")
    (tmp_path / "in" / "offset_project.csv").write_text("id,track\n1,2\n")
    (tmp_path / "in" / "project.csv").write_text("id,track\n3,4\n")
    read = read_euets(tmp_path / "in")
    assert (list(read.tables), list(read.others)) == (["project"], ["penalties.csv.gz", "project.csv"])
    write_euets(read, tmp_path / "out.zip", form="zip")
    assert not (tmp_path / "out.zip.part").exists()
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        written = {name: archive.read(name).decode() for name in archive.namelist()}
    assert written == {
        "project.csv": "id,track\n1,2\n",
        "penalties.csv": "a,b\n1,x\n",
        "other_project.csv": "id,track\n3,4\n",
    }
    for name in ("release", "release.csv", "zip"):
        with pytest.raises(CannotBeNamed, match=r"expected a name that ends in \.zip"):
            write_euets(read, tmp_path / name, form="zip")
        assert not (tmp_path / name).exists()


def test_keys_and_references_name_columns_that_exist() -> None:
    for table, key in KEYS.items():
        assert set(key) <= set(LAYOUTS[table])
    for table, column, target in FOREIGN_KEYS:
        assert LAYOUTS[table][column] == LAYOUTS[target]["id"], (table, column, target)


VALUES = {
    "whole": st.integers(-(2**62), 2**62),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    # A carriage return alone would be read as one line end too many by some readers; the release has none.
    "text": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.just("\n"), max_size=12),
    "flag": st.booleans(),
    "moment": st.integers(0, 2**51).map(lambda us: datetime(1970, 1, 1) + timedelta(microseconds=us)),
}
DTYPES = {
    "whole": pl.Int64,
    "real": pl.Float64,
    "text": pl.String,
    "flag": pl.Boolean,
    "moment": pl.Datetime("us"),
}


@st.composite
def table(draw: st.DrawFn, name: str) -> pl.DataFrame:
    """A table of any values under unique keys."""
    height = draw(st.integers(0, 5))
    layout = LAYOUTS[name]
    columns = {
        column: draw(st.lists(st.none() | VALUES[kind], min_size=height, max_size=height))
        for column, kind in layout.items()
    }
    for column in KEYS[name]:
        columns[column] = [number if layout[column] == "whole" else f"k{number}" for number in range(height)]
    return pl.DataFrame(columns, schema={column: DTYPES[kind] for column, kind in layout.items()})


@settings(max_examples=30)
@given(st.data())
def test_reading_what_was_written_gives_the_same_frames(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    frames = {name: data.draw(table(name)) for name in ("account", "installation", "compliance", "transaction")}
    form = data.draw(st.sampled_from(["zip", "folder"]))
    path = tmp_path_factory.mktemp("euets") / f"out.{form}"
    write_euets(EuetsTables(frames), path, form=form)
    read = read_euets(path)
    assert set(read.tables) == set(frames)
    assert not read.rejected
    for name, frame in frames.items():
        assert_frame_equal(read.tables[name], frame, check_exact=True)
