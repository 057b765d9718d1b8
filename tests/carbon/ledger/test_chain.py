"""The hash chain: whatever is changed, removed or slipped in behind it is found, and the first row is named."""

import json
import struct
import threading
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, text
from sqlmodel import SQLModel

from carbon.ledger import canonical, chain
from carbon.ledger.canonical import LOG_TABLES, column_names
from carbon.ledger.chain import SealBusy, seal, verify
from carbon.ledger.guards import APPEND_ONLY
from carbon.ledger.post import writing
from carbon.ledger.verbs import issue

from .audit_cases import add_row, database, run, strip, tell

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.fixture(scope="module", params=DATABASES)
def sealed(request, tmp_path_factory):
    """A history in several short segments, without any constraint, and with a gap in the ids of transfers."""
    with (
        pytest.MonkeyPatch.context() as patch,
        database(request.param, tmp_path_factory.mktemp("chain")) as engine,
    ):
        patch.setattr(chain, "SEGMENT_ROWS", 70)
        patch.setattr(canonical, "CHUNK_ROWS", 16)
        tell(engine)
        strip(engine)
        with engine.begin() as connection:
            run(connection, "UPDATE registry_transfer SET id = id + 5 WHERE id > 8")
            run(connection, "UPDATE registry_piece SET transfer_id = transfer_id + 5 WHERE transfer_id > 8")
        with engine.connect() as connection:
            # Without its key a table numbers no rows: the links are numbered here.
            connection.exec_driver_sql("DROP TABLE registry_seal")
            SQLModel.metadata.tables["registry_seal"].create(connection)
            connection.commit()
            assert seal(connection, 11).rows > 0
        yield engine


@pytest.fixture
def attacker(sealed):
    """A connection whose changes are undone at the end."""
    with sealed.connect() as connection:
        yield connection
        connection.rollback()


def rows_of(connection, table):
    return connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).mappings().all()


def test_every_append_only_table_but_the_seals_is_sealed(attacker):
    assert set(LOG_TABLES) == set(APPEND_ONLY) - {"registry_seal"}
    found = verify(attacker)
    assert found.intact
    assert found.seals > 3
    counted = sum(len(rows_of(attacker, table)) for table in LOG_TABLES)
    assert (found.sealed_rows, found.unsealed_rows) == (counted, 0)


def test_another_program_can_recompute_every_digest(attacker):
    """The description in the head of the modules, written out with struct alone."""
    previous = "0" * 64
    for link in attacker.execute(text("SELECT * FROM registry_seal ORDER BY id")).mappings().all():
        for table, (after, up_to, count, digest) in json.loads(link["covers"])["tables"].items():
            rows = [row for row in rows_of(attacker, table) if after < row["id"] <= up_to]
            assert len(rows) == count
            assert reference_digest(table, rows) == digest
        covers = link["covers"].encode()
        said = previous.encode() + struct.pack("<qq", link["sealed_at_us"], len(covers)) + covers
        assert sha256(said + sha256(bytes(link["locators"])).digest()).hexdigest() == link["sha256"]
        assert link["previous_sha256"] == previous
        previous = link["sha256"]


def reference_digest(table, rows):
    whole = b""
    for start in range(0, len(rows), 16):
        part = rows[start : start + 16]
        whole += struct.pack("<q", len(part))
        for name in column_names(table):
            values = [row[name] for row in part]
            if all(value is None for value in values):
                continue
            is_text = any(isinstance(value, str) for value in values)
            whole += struct.pack("<q", len(name)) + name.encode() + (b"t" if is_text else b"i")
            whole += bytes(value is not None for value in values)
            if is_text:
                octets = [(value or "").encode() for value in values]
                whole += b"".join(struct.pack("<q", len(octet)) for octet in octets) + b"".join(octets)
            else:
                whole += b"".join(struct.pack("<q", int(value or 0)) for value in values)
    return sha256(whole).hexdigest()


FILLED = [table for table in LOG_TABLES if table not in ("registry_compliance", "registry_kept_table")]


@given(data=st.data())
@settings(max_examples=60)
def test_any_change_of_any_sealed_column_names_its_row(sealed, data):
    with sealed.connect() as connection:
        table = data.draw(st.sampled_from(FILLED))
        rows = rows_of(connection, table)
        row = data.draw(st.sampled_from(rows))
        name = data.draw(st.sampled_from([name for name in column_names(table) if name != "id"]))
        now = row[name]
        column = SQLModel.metadata.tables[table].c[name]
        if isinstance(now, bool) or name == "serialised":
            other = not now
        elif "VARCHAR" in str(column.type):
            other = data.draw(st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
        else:
            other = data.draw(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)))
        if other == now:
            return
        run(connection, f"UPDATE {table} SET {name} = :other WHERE id = :id", other=other, id=row["id"])
        found = verify(connection)
        first = found.breaks[0]
        assert (len(found.breaks), first.table, first.id, first.what) == (1, table, row["id"], "changed")
        connection.rollback()


@given(data=st.data())
@settings(max_examples=25)
def test_any_removal_names_its_row(sealed, data):
    with sealed.connect() as connection:
        table = data.draw(st.sampled_from(FILLED))
        ids = [row["id"] for row in rows_of(connection, table)]
        gone = data.draw(st.sets(st.sampled_from(ids), min_size=1, max_size=3))
        for id in gone:
            run(connection, f"DELETE FROM {table} WHERE id = :id", id=id)
        first = verify(connection).breaks[0]
        assert (first.table, first.id, first.what) == (table, min(gone), "removed")
        connection.rollback()


@pytest.mark.parametrize("id", [-3, 0, 9, 13])
def test_a_row_slipped_in_is_named(attacker, id):
    add_row(attacker, "registry_transfer", "quantity > 1", id=id)
    found = verify(attacker).breaks
    assert [(row.table, row.id, row.what) for row in found] == [("registry_transfer", id, "slipped in")]
    assert found[0].client_id is not None


def test_the_first_of_several_is_named_with_its_transaction(attacker):
    legs = rows_of(attacker, "registry_transfer")
    later, earlier = legs[-2]["id"], legs[-4]["id"]
    run(attacker, "UPDATE registry_transfer SET quantity = quantity + 1 WHERE id IN (:a, :b)", a=later, b=earlier)
    first = verify(attacker).breaks[0]
    client = "SELECT x.client_id FROM registry_transaction x JOIN registry_transfer l ON l.transaction_id = x.id"
    expected = attacker.execute(text(f"{client} WHERE l.id = :id"), {"id": earlier}).scalar_one()
    assert (first.id, first.client_id) == (earlier, expected)
    piece = rows_of(attacker, "registry_piece")[-1]["id"]
    run(attacker, "UPDATE registry_transfer SET quantity = quantity - 1 WHERE id IN (:a, :b)", a=later, b=earlier)
    run(attacker, "UPDATE registry_piece SET serial_last = serial_last + 1 WHERE id = :id", id=piece)
    assert verify(attacker).breaks[0].client_id is not None


def test_a_row_behind_the_chain_is_counted_as_not_sealed(attacker):
    add_row(attacker, "registry_entity", "code = 'P'", code="new")
    found = verify(attacker)
    assert (found.intact, found.unsealed_rows, found.unsealed["registry_entity"]) == (True, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        "sha256 = replace(sha256, substr(sha256, 1, 1), 'g')",
        "sealed_at_us = sealed_at_us + 1",
        "covers = replace(covers, 'version', 'edition')",
        "covers = 'nothing'",
        "previous_sha256 = replace(previous_sha256, substr(previous_sha256, 2, 1), 'h')",
    ],
)
def test_a_changed_seal_is_named(attacker, change):
    run(attacker, f"UPDATE registry_seal SET {change} WHERE id = 2")
    first = verify(attacker).breaks[0]
    assert (first.table, first.id, first.what) == ("registry_seal", 2, "seal changed")


def test_changed_locators_are_a_changed_seal(attacker):
    locators = attacker.execute(text("SELECT locators FROM registry_seal WHERE id = 1")).scalar_one()
    run(attacker, "UPDATE registry_seal SET locators = :bytes WHERE id = 1", bytes=bytes(len(bytes(locators))))
    assert verify(attacker).breaks[0].what == "seal changed"


def test_a_seal_made_anew_breaks_the_chain_behind_it(attacker):
    link = dict(attacker.execute(text("SELECT * FROM registry_seal WHERE id = 2")).mappings().one())
    anew = chain._link_sha256(link["previous_sha256"], 99, link["covers"], bytes(link["locators"]))
    run(attacker, "UPDATE registry_seal SET sealed_at_us = 99, sha256 = :sha WHERE id = 2", sha=anew)
    first = verify(attacker).breaks[0]
    assert (first.table, first.id, first.what) == ("registry_seal", 3, "chain broken")
    run(attacker, "UPDATE registry_seal SET covers = '{}', sha256 = :sha WHERE id = 2", sha=chain._link_sha256(
        link["previous_sha256"], 99, "{}", bytes(link["locators"])))  # fmt: skip
    assert verify(attacker).breaks[0].what == "seal changed"


def test_a_seal_removed_breaks_the_chain(attacker):
    run(attacker, "DELETE FROM registry_seal WHERE id = 2")
    first = verify(attacker).breaks[0]
    assert (first.table, first.id, first.what) == ("registry_seal", 3, "chain broken")


def test_a_removed_end_shows_against_a_published_digest_alone(attacker):
    published = verify(attacker).head
    assert verify(attacker, head=published).intact
    last = attacker.execute(text("SELECT max(id) FROM registry_seal")).scalar_one()
    run(attacker, "DELETE FROM registry_seal WHERE id = :id", id=last)
    found = verify(attacker)
    assert found.intact
    assert found.unsealed_rows > 0
    assert [row.what for row in verify(attacker, head=published).breaks] == ["chain broken"]


@pytest.mark.parametrize("sealed", ["sqlite"], indirect=True)  # PostgreSQL holds no value of a wrong type
def test_a_value_of_a_wrong_type_is_found(attacker):
    for change in ("quantity = 1.5", "quantity = 'many'", "quantity = x'ff'", "kind = x'ff'", "kind = 7.25"):
        run(attacker, f"UPDATE registry_transfer SET {change} WHERE id = 3")
        first = verify(attacker).breaks[0]
        assert (first.table, first.id, first.what) == ("registry_transfer", 3, "changed"), change
    run(attacker, "UPDATE registry_entity SET name = CAST(name AS BLOB) WHERE code = 'Q'")
    assert [row.table for row in verify(attacker).breaks] == ["registry_entity", "registry_transfer"]
    attacker.rollback()
    run(attacker, "UPDATE registry_entity SET name = CAST(x'ff' AS TEXT) WHERE code = 'Q'")
    assert verify(attacker).breaks[0].table == "registry_entity"


# --- Sealing, on ledgers with all their guards ---


@pytest.fixture
def history(ledger):
    tell(ledger)
    return ledger


def more(engine, number):
    with writing(engine) as connection:
        from carbon.ledger.book import Act

        asked = {"scheme": "CN", "instrument": "CEA24", "quantity": 5}
        assert issue(connection, Act(f"more {number}", number, "t"), **asked).done


@pytest.mark.parametrize("segment", [7, 1000])
def test_sealing_in_steps_verifies(history, monkeypatch, segment):
    monkeypatch.setattr(chain, "SEGMENT_ROWS", segment)
    with history.connect() as connection:
        assert verify(connection).head is None
        connection.rollback()
        digests = []
        for number in range(3):
            digests.append(seal(connection, number).sha256)
            assert seal(connection, number) is None
            more(history, number)
        found = verify(connection, head=digests[0])
        assert found.intact
        # One transaction, one leg and one piece since the last seal.
        assert (found.head, found.unsealed_rows) == (digests[-1], 3)
        assert len(set(digests)) == 3


def test_what_was_sealed_anew_shows_against_a_published_digest(history):
    with history.connect() as connection:
        published = seal(connection, 1).sha256
    strip(history)
    with history.connect() as connection:
        run(connection, "UPDATE registry_transfer SET quantity = quantity + 1 WHERE id = 1")
        connection.exec_driver_sql("DROP TABLE registry_seal")
        SQLModel.metadata.tables["registry_seal"].create(connection)
        connection.commit()
        seal(connection, 1)
        assert verify(connection).intact
        assert verify(connection, head=published).breaks[0].what == "chain broken"


def test_a_change_that_the_locators_miss_is_left_to_the_digest(history, monkeypatch):
    monkeypatch.setattr(chain, "locators_of", lambda chunk, after: canonical.locators_of(chunk, after) >> 32 << 32)
    with history.connect() as connection:
        seal(connection, 1)
    strip(history)
    with history.connect() as connection:
        run(connection, "UPDATE registry_entity SET name = 'other' WHERE code = 'Q'")
        first = verify(connection).breaks[0]
        assert (first.what, first.table, first.id) == ("changed", "registry_entity", None)
        assert "cannot tell apart" in first.found


def test_sealing_needs_an_idle_connection(history):
    with writing(history) as connection, pytest.raises(ValueError, match="idle"):
        seal(connection, 1)


def test_two_sealers_at_once_make_one_chain(history, monkeypatch):
    monkeypatch.setattr(chain, "SEGMENT_ROWS", 40)
    rows = _together(history, [lambda connection: seal(connection, 1)] * 4)
    with history.connect() as connection:
        found = verify(connection)
        assert found.intact
        assert found.unsealed_rows == 0
        assert any(row is not None for row in rows)


def test_sealing_beside_writers_leaves_no_row_behind(history):
    def write(_connection):
        for number in range(15):
            more(history, threading.get_ident() * 100 + number)

    def keep_sealing(connection):
        for number in range(10):
            seal(connection, number)

    _together(history, [write, write, write, keep_sealing, keep_sealing])
    with history.connect() as connection:
        seal(connection, 100)
        found = verify(connection)
        assert found.intact, found.breaks
        assert found.unsealed_rows == 0


def _together(engine, works):
    """Run the functions at once, each with a connection of its own; their results, or the first failure raised."""
    barrier, results, failures = threading.Barrier(len(works)), [], []

    def start(work):
        try:
            with engine.connect() as connection:
                barrier.wait()
                results.append(work(connection))
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=start, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


@pytest.mark.postgresql
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)  # a reader of SQLite never waits for writers
def test_a_log_that_writers_hold_is_busy(history, monkeypatch):
    monkeypatch.setattr(chain, "_PATIENCE", "50ms")
    with writing(history) as writer:
        from carbon.ledger.book import Act

        assert issue(writer, Act("held", 1, "t"), scheme="CN", instrument="CEA24", quantity=1).done
        with history.connect() as connection, pytest.raises(SealBusy, match="in use"):
            seal(connection, 1)


def test_binary_contents_are_left_to_their_own_digest():
    binary = [
        (table, column.name)
        for table in LOG_TABLES
        for column in SQLModel.metadata.tables[table].columns
        if isinstance(column.type, LargeBinary)
    ]
    assert all(name not in column_names(table) for table, name in binary)
