"""The euets.info release: booked to the last tonne, kept whole, and given back value by value."""

import csv
import gzip
import zipfile
from datetime import UTC, datetime

import polars as pl
import pytest
from sqlalchemy import text

from carbon.formats.eu import read_euets, transaction_types
from carbon.imports.euets import NothingImported, export_euets, import_euets
from carbon.imports.euets_ledger import TYPE_OF_KIND, TYPE_OF_REVERSED, export_ledger_euets
from carbon.imports.rows import KeptTableDiffers, pack_tables
from carbon.ledger.book import Act
from carbon.ledger.parties import open_account, register_entity
from carbon.ledger.post import writing
from carbon.ledger.verbs import cancel, issue, opening, pre_allocate, reverse, transfer

SAMPLE = "registry/eutl_transactions_sample.csv.gz"

# A fictitious release: two accounts, three movements and one that nobody can book.
RELEASE = {
    "account": "id,name,accountHolder_id,accountType_id,isOpen\n1,One,11.0,100-7,True\n2,Two,11.0,100-7,False\n",
    "account_holder": "id,name,city\n11,Fictitious AG,Nowhere\n",
    "account_type": "id,description\n100-7,Operator holding account\n",
    "compliance": "installation_id,year,reportedInSystem_id,verified\nXX_1,2013,euets,10\n",
    "transaction": (
        "id,transactionID,date,transactionTypeMain_id,transactionTypeSupplementary_id,transferringAccount_id,"
        "acquiringAccount_id,unitType_id,project_id,amount\n"
        "1,XX1,2013-02-01 00:00:00,10,52,1,1,EUA_2013,,100\n"
        "2,XX2,2013-02-03 00:00:00.250000,3,0,1,2,EUA_2013,,40\n"
        "3,XX2,2013-02-02 00:00:00,10,0,2,1,CER,5,7\n"
        "4,XX3,2013-02-04 00:00:00,10,0,1,1,EUA_2013,,1\n"
        "5,XX4,2013-02-05 00:00:00,10,999,1,2,EUA_2013,,1\n"
    ),
    "something_else": "a,b\n1,\n",
}


@pytest.fixture
def release(tmp_path):
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in RELEASE.items():
            archive.writestr(f"{name}.csv", content)
    return path


def test_the_sample_comes_in_with_counts_and_sums_of_an_independent_reading_and_goes_out_the_same(
    ledger, bring, look, is_sound, outside_data, tmp_path
):
    with gzip.open(outside_data / SAMPLE, "rt", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    report = bring(ledger, import_euets, outside_data / SAMPLE)
    assert (report.rows_read, report.rows_booked, report.rows_apart) == (len(rows), len(rows), 0) == (16_418, 16_418, 0)
    assert report.sums["all movements, t"] == sum(int(float(row["amount"])) for row in rows)
    legs = look(
        ledger,
        "SELECT l.reference, l.quantity, l.at_us, s.code, t.code, i.code FROM registry_transfer l"
        " JOIN registry_account s ON s.id = l.source_id JOIN registry_account t ON t.id = l.target_id"
        " JOIN registry_instrument i ON i.id = l.instrument_id WHERE l.kind <> 'opening'",
    )
    assert len({reference.split("/")[0] for reference, *_ in legs}) == 3_423
    wanted = sorted(
        (
            f"{row['transactionID']}/{row['id']}",
            int(float(row["amount"])),
            round(datetime.fromisoformat(row["date"]).replace(tzinfo=UTC).timestamp() * 10**6),
            "EU:issuance"
            if row["transactionTypeSupplementary_id"] in ("52", "52.0")
            else f"EU:{int(float(row['transferringAccount_id']))}",
            f"EU:{int(float(row['acquiringAccount_id']))}",
            f"EU:{row['unitType_id']}",
        )
        for row in rows
    )
    assert sorted(legs) == wanted
    opened = look(ledger, "SELECT count(*), sum(quantity) FROM registry_transfer WHERE kind = 'opening'")[0]
    assert (opened[0], int(opened[1])) == (report.openings.height, report.openings["quantity"].sum())
    is_sound(ledger)
    again = bring(ledger, import_euets, outside_data / SAMPLE)
    assert (again.replayed, again.rows_repeated) == (True, 16_418)
    with ledger.connect() as connection:
        export_euets(connection, tmp_path / "out.zip")
    source, back = read_euets(outside_data / SAMPLE), read_euets(tmp_path / "out.zip")
    assert back.tables["transaction"].equals(source.tables["transaction"])
    assert back.extras["transaction"].equals(source.extras["transaction"])


def test_a_release_is_kept_whole_and_only_what_cannot_be_booked_is_set_apart(
    ledger, bring, look, is_sound, release, tmp_path
):
    report = bring(ledger, import_euets, release)
    assert (report.rows_read, report.rows_apart) == (2 + 1 + 1 + 1 + 5 + 1, 2)
    booked = {problem.code for problem in report.problems if problem.severity == "error"}
    assert {"C17", "C42"} <= booked
    legs = look(
        ledger,
        "SELECT l.kind, s.code, t.code, i.code, i.kind, l.quantity FROM registry_transfer l"
        " JOIN registry_account s ON s.id = l.source_id JOIN registry_account t ON t.id = l.target_id"
        " JOIN registry_instrument i ON i.id = l.instrument_id ORDER BY l.id",
    )
    assert legs == [
        ("opening", "EU:issuance", "EU:2", "EU:CER", "offset", 7),
        ("issue", "EU:issuance", "EU:1", "EU:EUA_2013", "allowance", 100),
        ("transfer", "EU:2", "EU:1", "EU:CER", "offset", 7),
        ("transfer", "EU:1", "EU:2", "EU:EUA_2013", "allowance", 40),
    ]
    assert report.openings.rows() == [("EU:2", "EU:CER", 7)]
    is_sound(ledger)
    with ledger.connect() as connection:
        export_euets(connection, tmp_path / "out", form="folder")
    before, after = read_euets(release), read_euets(tmp_path / "out")
    assert set(before.tables) == set(after.tables) == set(RELEASE) - {"something_else"}
    for name, frame in before.tables.items():
        assert after.tables[name].equals(frame), name
    assert list(after.others) == ["something_else.csv"]


def test_a_kept_table_that_was_changed_or_that_the_log_contradicts_is_not_given_back(ledger, bring, release, tmp_path):
    bring(ledger, import_euets, release)
    with ledger.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER registry_transfer_fixed")
        else:
            connection.exec_driver_sql("ALTER TABLE registry_transfer DISABLE TRIGGER USER")
        connection.exec_driver_sql("UPDATE registry_transfer SET quantity = 41 WHERE quantity = 40")
    with ledger.connect() as connection, pytest.raises(KeptTableDiffers, match="XX2/2"):
        export_euets(connection, tmp_path / "out.zip")


def test_a_kept_table_that_was_exchanged_with_its_digest_is_not_given_back(ledger, bring, release, tmp_path):
    bring(ledger, import_euets, release)
    frame = read_euets(release).tables["compliance"].with_columns(verified=pl.lit(11, dtype=pl.Int64))
    height, content, digest = pack_tables({"x": frame})["x", 0]
    with ledger.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER registry_kept_table_fixed")
        else:
            connection.exec_driver_sql("ALTER TABLE registry_kept_table DISABLE TRIGGER USER")
        change = "UPDATE registry_kept_table SET content = :content, sha256 = :digest WHERE name = 'tables/compliance'"
        assert connection.execute(text(change), {"content": content, "digest": digest}).rowcount == height == 1
    with ledger.connect() as connection, pytest.raises(KeptTableDiffers, match="part 0 of tables/compliance"):
        export_euets(connection, tmp_path / "out.zip")


def test_nothing_imported_is_said_so(ledger, tmp_path):
    with ledger.connect() as connection, pytest.raises(NothingImported, match="no import of euets"):
        export_euets(connection, tmp_path / "out.zip")


def test_every_code_we_write_is_one_of_theirs_with_the_same_meaning():
    """Banking is their carry-over, an auction delivery their transfer; a supplement is an allocation."""
    types = transaction_types()
    ours = {"pre_allocate": "allocate", "supplement": "allocate", "auction": "transfer", "cancel_replace": "cancel"}
    for kind, (main, supplementary) in TYPE_OF_KIND.items():
        found = types.filter(
            pl.col("supplementary") == supplementary, pl.col("main").is_null() | (pl.col("main") == main)
        )
        assert ours.get(kind, kind) in found["slug"].to_list(), kind
    for kind, (_, supplementary) in TYPE_OF_REVERSED.items():
        assert "reverse" in types.filter(pl.col("supplementary") == supplementary)["slug"].to_list(), kind


def test_our_own_ledger_in_that_layout_names_what_has_no_code_there(ledger, tmp_path):
    acts = (Act(f"a{number}", 1_700_000_000_000_000 + number, "t") for number in range(100))
    with writing(ledger) as connection:
        for name in ("A", "B"):
            assert register_entity(connection, next(acts), name=name, code=name, contact="K").done
            asked = {"scheme": "CN", "type": "operator", "entity": name, "primary": "P", "secondary": "S"}
            assert open_account(connection, next(acts), code=name, **asked).done
        done = [
            issue(connection, next(acts), scheme="CN", instrument="CEA24", quantity=100),
            pre_allocate(
                connection, next(acts), scheme="CN", account="A", instrument="CEA24", quantity=60, compliance_year=2024
            ),
            transfer(connection, next(acts), source="A", target="B", instrument="CEA24", quantity=20),
            opening(connection, next(acts), scheme="CN", instrument="CEA21", quantity=5, target="A"),
            cancel(connection, Act("cut", 1, "t"), scheme="CN", account="B", instrument="CEA24", quantity=3),
            reverse(connection, next(acts), original="cut", reason="wrong"),
        ]
        assert all(receipt.done for receipt in done)
        problems = export_ledger_euets(connection, tmp_path / "own.zip", scheme="CN")
    assert [problem.found for problem in problems] == ["1 legs of opening"]
    read = read_euets(tmp_path / "own.zip")
    assert [p for p in read.problems if p.code != "missing_column"] == []
    table = read.tables["transaction"]
    assert table.select("transactionTypeMain_id", "transactionTypeSupplementary_id", "amount").rows() == [
        (10, 52, 100),
        (10, 53, 60),
        (10, 0, 20),
        (4, 0, 3),
        (10, 94, 3),
    ]
    names = read.tables["account"].select("id", "name")
    giver = table.join(names, left_on="transferringAccount_id", right_on="id", maintain_order="left")["name"]
    assert giver.to_list() == ["CN:issuance", "CN:government", "A", "B", "CN:cancellation"]
