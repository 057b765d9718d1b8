"""The ledger read back as frames: the same on both databases, typed, with codes and UTC times."""

from datetime import UTC, datetime

import polars as pl
import pytest
from sqlalchemy import text

from carbon.ledger.book import Act
from carbon.ledger.columns import Column, read_columns
from carbon.ledger.frames import accounts, blocks, entries, holdings, transactions, transfers
from carbon.ledger.orders import us_from_time
from carbon.ledger.settlement import reserve, settle
from carbon.ledger.verbs import Movement, cancel, issue, pre_allocate, transfer

NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
AWKWARD = 'a "b",\nc %s :d é 配额'


@pytest.fixture
def told(writer, do):
    """600 t for A, of which 10 go to B in two steps, 1 is cancelled, and too many are refused."""
    assert do(issue, scheme="CN", instrument="CEA24", quantity=1000).done
    assert do(pre_allocate, scheme="CN", account="A", instrument="CEA24", quantity=600, compliance_year=2024).done
    legs = [Movement("A", "B", "CEA24", 10)]
    expiry = us_from_time(NOON) + 1
    assert reserve(writer, Act("hold", 10**6, "t"), movements=legs, expires_at_us=expiry).done
    assert settle(writer, Act("settle", us_from_time(NOON), "t"), reservation="hold").done
    assert do(transfer, source="A", target="B", instrument="CEA24", quantity=10**6).code == "C18"
    assert cancel(writer, Act("cancel", 10**6, AWKWARD), scheme="CN", account="A", instrument="CEA24", quantity=1).done
    reserve(writer, Act("open", 10**6, "t"), movements=[Movement("A", "B", "CEA24", 5)], expires_at_us=expiry)
    return writer


def test_holdings(told):
    rows = holdings(told)
    assert rows.schema == {"account": pl.String, "instrument": pl.String, "quantity": pl.Int64, "reserved": pl.Int64}
    assert set(rows.rows()) == {
        ("CN:issuance", "CEA24", -1000, 0),
        ("CN:government", "CEA24", 1000 - 600, 0),
        ("A", "CEA24", 600 - 10 - 1, 5),
        ("B", "CEA24", 10, 0),
        ("CN:cancellation", "CEA24", 1, 0),
    }
    assert holdings(told, account="A", instrument="CEA24", scheme="CN").rows() == [("A", "CEA24", 589, 5)]
    assert holdings(told, account="nobody").is_empty()
    assert holdings(told, scheme="EU").is_empty()


def test_transfers(told):
    rows = transfers(told, account="B")
    assert rows.select("kind", "phase", "source", "target", "quantity").rows() == [
        ("transfer", "reserve", "A", "B", 10),
        ("transfer", "settle", "A", "B", 10),
        ("transfer", "reserve", "A", "B", 5),
    ]
    settled = transfers(told, transaction="settle").row(0, named=True)
    assert settled["at"] == NOON
    assert settled["reserve_id"] == rows["id"][0]
    assert settled["expires_at"] is None
    assert transfers(told, from_us=us_from_time(NOON), to_us=us_from_time(NOON) + 1).height == 1
    assert transfers(told, to_us=us_from_time(NOON)).height == transfers(told).height - 1
    assert transfers(told, kind="cancel", instrument="CEA24")["quantity"].to_list() == [1]


def test_entries_are_the_two_sides_of_each_leg_that_moved_units(told):
    rows = entries(told)
    moved = 4  # issued, allocated, settled, cancelled
    assert rows.height == 2 * moved
    assert rows.group_by("transfer_id").agg(pl.col("change").sum())["change"].to_list() == [0] * moved
    by_account = rows.group_by("account").agg(pl.col("change").sum())
    assert dict(by_account.rows()) == {row[0]: row[2] for row in holdings(told).rows()}
    assert entries(told, account="A").select("side", "change").rows() == [
        ("credit", 600),
        ("debit", -10),
        ("debit", -1),
    ]
    view = told.execute(
        text("SELECT transfer_id, side, quantity, change FROM registry_entry ORDER BY transfer_id, side DESC")
    )
    assert [tuple(row) for row in view] == rows.select("transfer_id", "side", "quantity", "change").rows()


def test_blocks(told):
    rows = blocks(told, account="A")
    assert rows.select("instrument", "serial_first", "serial_last").rows() == [
        ("CEA24", 12, 16),
        ("CEA24", 17, 600),
    ]
    assert rows["reserve_id"].is_null().to_list() == [False, True]
    assert (
        blocks(told, instrument="CEA24").select((pl.col("serial_last") - pl.col("serial_first") + 1).sum()).item()
        == 1000
    )


def test_transactions_keep_awkward_text_as_it_is(told):
    rows = transactions(told)
    assert rows.filter(pl.col("client_id") == "cancel")["actor"].to_list() == [AWKWARD]
    refused = transactions(told, status="failed")
    assert refused["code"].to_list() == ["C18"]
    assert rows.filter(pl.col("status") == "done")["message"].null_count() == rows.height - 1
    assert "body" not in rows.columns
    assert transactions(told, kind="cancel", with_bodies=True)["body_sha256"].str.len_chars().to_list() == [64]


def test_accounts(told):
    rows = accounts(told, scheme="CN", type="operator")
    assert rows.select("code", "entity", "status").rows() == [(name, name, "open") for name in "ABC"]
    assert accounts(told, scheme="CN", type="issuance")["entity"].to_list() == [None]
    assert accounts(told, status="closed").is_empty()


def test_batches_of_any_size_give_the_same_rows(told):
    columns = [
        Column("instrument", "b.instrument_id"),
        Column("first", "b.serial_first"),
        Column("reserve", "b.reserve_id", nullable=True),
    ]
    whole = read_columns(told, columns, "registry_block b", key=["instrument", "first"])
    assert whole.height == 5
    for size in (1, 2, 5, 6):
        parts = read_columns(told, columns, "registry_block b", key=["instrument", "first"], batch_rows=size)
        assert parts.equals(whole)


def test_an_empty_text_is_not_a_missing_one(told):
    columns = [Column("id", "x.id"), Column("text", "CASE WHEN x.id % 2 = 0 THEN '' END", "text", nullable=True)]
    rows = read_columns(told, columns, "registry_transaction x", key=["id"])
    assert rows["text"].to_list() == ["" if id % 2 == 0 else None for id in rows["id"].to_list()]
