"""Imports: many movements proven and booked at once, against the same movements booked one by one."""

import json
import random

import polars as pl
import pytest
from sqlalchemy import text

from carbon.ledger import bulk
from carbon.ledger.book import Act
from carbon.ledger.bulk import ensure_foreign_accounts, ensure_instruments, import_movements
from carbon.ledger.frames import holdings, transactions, transfers
from carbon.ledger.orders import BadOrder, IdInUse, Leg, Order
from carbon.ledger.parties import add_instrument, block_account, close_account, close_scheme, open_account
from carbon.ledger.post import post, writing
from carbon.ledger.settlement import reserve
from carbon.ledger.verbs import Movement, opening, transfer

SHA = "a" * 64
COLUMNS = {
    **dict.fromkeys(("kind", "source", "target", "instrument"), pl.String),
    "quantity": pl.Int64,
    "at_us": pl.Int64,
}


def frame(*rows):
    return pl.DataFrame(list(rows), schema=COLUMNS, orient="row")


def held(connection):
    return {
        (account, instrument): quantity
        for account, instrument, quantity, _ in holdings(connection).filter(pl.col("instrument") == "X").iter_rows()
    }


@pytest.fixture
def book(writer, do):
    """A in hundreds of X, an unnumbered allowance; B and C hold nothing; F1, F2 are foreign accounts of the EU."""
    assert do(add_instrument, code="X", scheme="CN", kind="allowance", serialised=False).done
    assert do(opening, scheme="CN", instrument="X", quantity=100, target="A").done

    def load(movements, act="imp", **asked):
        given = {"scheme": "CN", "source_name": "moves.csv", "sha256": SHA, **asked}
        return import_movements(writer, Act(act, 10**6, "tester"), movements, **given)

    return load


def test_a_batch_is_one_transaction_with_a_leg_a_movement(writer, book):
    moves = frame(("transfer", "A", "B", "X", 60, 7), ("transfer", "B", "C", "X", 25, 9)).with_columns(
        reference=pl.Series(["m,1", ""]), compliance_year=pl.Series([2024, None])
    )
    steps = []
    report = book(moves, progress=steps.append)
    assert report.receipt.done
    assert (report.rows_read, report.rows_booked, report.quantity_booked) == (2, 2, 60 + 25)
    assert report.rejected.is_empty()
    assert report.findings.is_empty()
    assert steps == list(bulk.STEPS)
    assert held(writer) == {("CN:issuance", "X"): -100, ("A", "X"): 100 - 60, ("B", "X"): 60 - 25, ("C", "X"): 25}
    legs = transfers(writer, transaction="imp")
    assert legs.select("kind", "phase", "source", "target", "quantity", "reference", "compliance_year").rows() == [
        ("transfer", "posted", "A", "B", 60, "m,1", 2024),
        ("transfer", "posted", "B", "C", 25, "", None),
    ]
    act = transactions(writer, kind="import", with_bodies=True).row(0, named=True)
    body = json.loads(act["body"])
    assert (act["subject"], act["scheme"], body["file"], body["rows"]) == (SHA, "CN", "moves.csv", 2)
    assert body["sums"] == [{"kind": "transfer", "rows": 2, "quantity": 60 + 25}]


def test_movements_are_booked_in_order_of_time(writer, book):
    late_first = frame(("transfer", "B", "C", "X", 25, 9), ("transfer", "A", "B", "X", 60, 7))
    assert book(late_first).receipt.done
    assert transfers(writer, transaction="imp")["quantity"].to_list() == [60, 25]


def schema_of(connection):
    if connection.dialect.name == "sqlite":
        return set(connection.execute(text("SELECT type, name, sql FROM sqlite_master")).all())
    queries = (
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace",
        "SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal",
    )
    return {tuple(row) for query in queries for row in connection.execute(text(query))}


@pytest.mark.parametrize("rows", [1, 30])
def test_guards_indexes_and_keys_are_back_after_a_small_and_a_large_batch(writer, book, do, rows):
    before = schema_of(writer)
    assert book(frame(*[("transfer", "A", "B", "X", 1, n) for n in range(rows)])).receipt.done
    assert schema_of(writer) == before
    refused = do(transfer, source="A", target="B", instrument="X", quantity=100 - rows + 1)
    assert refused.code == "C18"


def test_the_same_file_is_booked_once_whatever_its_id(writer, book):
    moves = frame(("transfer", "A", "B", "X", 60, 7))
    first = book(moves)
    same_id, other_id = book(moves), book(moves, act="other")
    assert [r.receipt.replayed for r in (first, same_id, other_id)] == [False, True, True]
    assert same_id.receipt.transaction_id == other_id.receipt.transaction_id == first.receipt.transaction_id
    with pytest.raises(IdInUse):
        book(frame(("transfer", "A", "B", "X", 61, 7)), sha256="b" * 64)
    assert held(writer)[("B", "X")] == 60


@pytest.fixture
def troubled(book, do):
    """More accounts and units, each with something that a movement may break."""
    for code, type in (("D", "trading"), ("E", "trading"), ("G", "trading")):
        opened = do(open_account, code=code, scheme="CN", type=type, entity="A", primary="P", secondary="S")
        assert opened.done
    for code in ("F1", "F2"):
        assert do(open_account, code=code, scheme="EU", type="foreign").done
    assert do(open_account, code="K1", scheme="UK", type="foreign").done
    assert do(opening, scheme="CN", instrument="X", quantity=9, target="D").done
    assert do(block_account, account="D").done
    assert do(close_account, account="E").done
    assert do(add_instrument, code="R", scheme="CN", kind="allowance", serialised=False, only_kinds=("opening",)).done
    assert do(opening, scheme="CN", instrument="R", quantity=9, target="A").done
    assert do(close_scheme, scheme="CN-HB").done
    return book


CASES = [
    (("transfer", "nobody", "B", "X", 1, 1), "C03", "source"),
    (("transfer", "A", "nobody", "X", 1, 1), "C02", "target"),
    (("transfer", "A", None, "X", 1, 1), "C02", "target"),
    (("transfer", "A", "B", "Y", 1, 1), "C42", "instrument"),
    (("gift", "A", "B", "X", 1, 1), "C42", "kind"),
    ((None, "A", "B", "X", 1, 1), "C42", "kind"),
    (("reverse", "A", "B", "X", 1, 1), "C42", "kind"),
    (("transfer", "A", "F1", "X", 1, 1), "C04", None),
    (("external", "A", "B", "X", 1, 1), "C05", None),
    (("transfer", "F1", "F2", "X", 1, 1), "C04", "instrument"),
    (("transfer", "A", "B", "R", 1, 1), "C06", "kind"),
    (("transfer", "D", "B", "X", 1, 1), "C07", "source"),
    (("transfer", "A", "B", "CEA24", 1, 1), "C08", "instrument"),
    (("transfer", "A", "B", "X", 0, 1), "C16", "quantity"),
    (("transfer", "A", "B", "X", None, 1), "C16", "quantity"),
    (("transfer", "A", "B", "X", 2**53 + 1, 1), "C16", "quantity"),
    (("transfer", "A", "A", "X", 1, 1), "C17", "target"),
    (("transfer", "A", "B", "X", 101, 1), "C18", "quantity"),
    (("transfer", "A", "E", "X", 1, 1), "C23", None),
    (("surrender", "A", "B", "X", 1, 1), "C29", "kind"),
    (("transfer", "A", "B", "X", 1, None), "C44", "at_us"),
    (("transfer", "CN-HB:government", "CN-HB:surrender", "X", 1, 1), "C01", None),
]


def test_what_refuses_a_row(writer, troubled):
    before = held(writer)
    for row, code, column in CASES:
        apart = writer.begin_nested()
        report = troubled(frame(("transfer", "A", "B", "X", 1, 0), row))
        assert (report.receipt.status, report.rows_booked) == ("failed", 0), row
        told = report.findings.select("row", "code", "column").rows()
        assert (2, code, column) in told, row
        assert {where for where, _, _ in told} == {2}, row
        assert report.receipt.code in {name for _, name, _ in told}, row
        assert held(writer) == before, row
        apart.rollback()


def test_the_guards_refuse_the_same_rows(writer, troubled):
    assert troubled(frame()).receipt.done
    for row, code, _ in CASES:
        if None in row or not 0 < row[4] <= 2**53:
            continue  # cannot be said in an order
        apart = writer.begin_nested()
        posted = post(writer, Order("single", "transfer", 1, "t", {}, (Leg(*row[:5]),)))
        apart.rollback()
        # An unknown kind is one that no rule allows; numbered units are not barred there, but A has none.
        others = {"gift": "C29", "reverse": "C28", "transfer": "C18"}
        assert posted.code in {code, others.get(row[0]) if code in ("C42", "C08") else code}, row


def test_all_problems_are_told_at_once_and_the_id_stays_failed(troubled):
    bad = frame(*[row for row, _, _ in CASES])
    report = troubled(bad)
    assert set(report.findings["row"]) == set(range(1, len(CASES) + 1))
    assert len(report.problems("moves.csv")) == report.findings.height >= len(CASES)
    again = troubled(bad)
    assert (again.receipt.status, again.receipt.replayed) == ("failed", True)
    with pytest.raises(IdInUse):
        troubled(frame(("transfer", "A", "B", "X", 1, 0)))


def test_bad_rows_are_set_apart_with_what_depended_on_them(writer, book):
    moves = frame(
        ("transfer", "A", "B", "X", 60, 1),
        ("gift", "A", "B", "X", 5, 2),
        ("transfer", "A", "C", "X", 41, 3),  # one more than A has left
        ("transfer", "C", "B", "X", 41, 4),  # C never got them
        ("transfer", "B", "C", "X", 60, 5),
    ).with_columns(note=pl.lit("as given"), row=pl.Series([2, 3, 4, 5, 6]))
    report = book(moves, keep_good=True)
    assert report.receipt.done
    assert (report.rows_read, report.rows_booked, report.rejected.height) == (5, 2, 3)
    assert report.rejected.select("row", "kind", "note").rows() == [
        (3, "gift", "as given"),
        (4, "transfer", "as given"),
        (5, "transfer", "as given"),
    ]
    assert report.findings.select("row", "code").rows() == [(3, "C42"), (4, "C18"), (5, "C18")]
    assert held(writer)[("C", "X")] == 60


def random_moves(rng, rows):
    accounts = ["A", "B", "C", "CN:government", "CN:surrender", "nobody"]
    kinds = ["transfer"] * 20 + ["surrender", "recall", "allocate", "gift"]
    made = []
    for at in range(rows):
        source, target = rng.choices(accounts, weights=[8, 8, 8, 2, 1, 0.3], k=2)
        made.append(
            (rng.choice(kinds), source, target, rng.choice(["X", "X", "Z"]), rng.choice([0, 5, 5, 20, 20, 50, 90]), at)
        )
    return made


def test_an_import_books_what_single_acts_would(writer, book, do):
    assert do(add_instrument, code="Z", scheme="CN", kind="allowance", serialised=False).done
    for account, unit, quantity in (("B", "Z", 50), ("C", "Z", 30), ("B", "X", 40), ("C", "X", 80)):
        assert do(opening, scheme="CN", instrument=unit, quantity=quantity, target=account).done
    hold = reserve(writer, Act("hold", 1, "t"), movements=[Movement("A", "B", "X", 30)], expires_at_us=10**15)
    assert hold.done
    for seed in range(8):
        rows = random_moves(random.Random(seed), 60)
        apart = writer.begin_nested()
        done = []
        for place, (kind, source, target, unit, quantity, at) in enumerate(rows):
            order = Order(f"m{place}", kind, at, "t", {"n": place}, (Leg(kind, source, target, unit, quantity),))
            if quantity and post(writer, order).done:
                done.append(place + 1)
        singly = holdings(writer)
        apart.rollback()
        apart = writer.begin_nested()
        report = book(frame(*rows), keep_good=True)
        assert report.receipt.done
        assert sorted(set(range(1, 61)) - set(report.rejected["row"])) == done, seed
        assert holdings(writer).rows() == singly.rows(), seed
        assert 5 < len(done) < 50, seed
        apart.rollback()


def test_openings_are_the_least_that_makes_a_history_possible(writer, book):
    moves = frame(
        ("transfer", "B", "C", "X", 30, 5),
        ("transfer", "C", "B", "X", 10, 6),
        ("transfer", "B", "A", "X", 40, 7),  # B is 60 short at the worst
        ("transfer", "A", "B", "X", 100, 8),
        ("transfer", "A", "B", "X", 45, 9),  # A had 100 and got 40: 5 short
    )
    report = book(moves, openings="assume")
    assert report.receipt.done
    assert sorted(report.openings.rows()) == [("A", "X", 5), ("B", "X", 60)]
    assert (report.rows_booked, report.quantity_booked) == (5, 30 + 10 + 40 + 100 + 45)
    assumed = transfers(writer, transaction="imp", kind="opening")
    assert assumed.select("source", "reference").unique().rows() == [("CN:issuance", "assumed opening")]
    assert assumed["at"].dt.epoch("us").to_list() == [5, 5]
    assert held(writer) == {("CN:issuance", "X"): -165, ("B", "X"): 60 - 30 + 10 - 40 + 145, ("C", "X"): 20}


def test_an_opening_that_the_rules_refuse_is_not_assumed(troubled):
    report = troubled(
        frame(("transfer", "G", "B", "X", 1, 1), ("cancel", "G", "CN:cancellation", "R", 1, 1)), openings="assume"
    )
    assert set(report.findings["code"]) == {"C06"}
    assert report.openings.is_empty()


def test_reserved_units_do_not_leave(writer, book):
    assert reserve(writer, Act("hold", 1, "t"), movements=[Movement("A", "B", "X", 30)], expires_at_us=10**15).done
    assert book(frame(("transfer", "A", "C", "X", 71, 1)), act="first").receipt.code == "C18"
    assert book(frame(("transfer", "A", "C", "X", 70, 1)), act="second", sha256="c" * 64).receipt.done


def test_columns_are_checked_before_anything_else(book):
    with pytest.raises(BadOrder, match=r"quantity Float64.*at_us missing"):
        book(
            frame(("transfer", "A", "B", "X", 1, 1)).select(
                "kind", "source", "target", "instrument", pl.col("quantity").cast(pl.Float64)
            )
        )
    with pytest.raises(BadOrder, match="refuse or assume"):
        book(frame(("transfer", "A", "B", "X", 1, 1)), openings="guess")


def test_an_empty_batch_is_booked_as_such(book):
    report = book(frame())
    assert report.receipt.done
    assert report.rows_booked == 0


def test_a_row_that_arrives_changed_undoes_the_import(writer, book, monkeypatch):
    real = bulk.write_transfers
    monkeypatch.setattr(
        bulk,
        "write_transfers",
        lambda connection, transaction, rows: real(
            connection, transaction, rows.with_columns(target_id=pl.col("target_id").reverse())
        ),
    )
    before = held(writer)
    with pytest.raises(RuntimeError, match="nothing was booked"):
        book(frame(("transfer", "A", "B", "X", 10, 1), ("transfer", "A", "C", "X", 20, 2)))
    assert held(writer) == before


def test_foreign_accounts_and_instruments_come_as_sets(ledger):
    act = Act("accounts", 1, "t")
    with writing(ledger) as connection:
        codes = [f"EU:{n}" for n in range(1000)]
        assert ensure_foreign_accounts(connection, act, [*codes, "EU:1", None], "EU").done
        assert ensure_foreign_accounts(connection, act, codes, "EU").replayed
        assert ensure_foreign_accounts(connection, Act("more", 1, "t"), [*codes, "EU:new"], "EU").done
        count = connection.execute(
            text("SELECT count(*) FROM registry_account WHERE code LIKE 'EU:%' AND type = 'foreign'")
        )
        assert count.scalar_one() == 1001
        assert ensure_foreign_accounts(connection, Act("own", 1, "t"), ["CN:issuance"], "EU").code == "C09"
        assert ensure_foreign_accounts(connection, Act("where", 1, "t"), ["Z"], "ATLANTIS").code == "C42"
        units = pl.DataFrame(
            {"code": ["EU:P1", "EU:P2"], "kind": ["allowance", "offset"], "vintage_from": [2005, None]}
        )
        assert ensure_instruments(connection, Act("units", 1, "t"), units, "EU").done
        assert ensure_instruments(connection, Act("units2", 1, "t"), units.select("code", "kind"), "EU").done
        other = pl.DataFrame({"code": ["EU:P1"], "kind": ["offset"]})
        assert ensure_instruments(connection, Act("units3", 1, "t"), other, "EU").code == "C14"
        found = connection.execute(
            text(
                "SELECT code, kind, unit, serialised, vintage_from FROM registry_instrument"
                " WHERE code LIKE 'EU:P%' ORDER BY code"
            )
        )
        assert [tuple(row) for row in found] == [
            ("EU:P1", "allowance", "t", False, 2005),
            ("EU:P2", "offset", "t", False, None),
        ]
    with writing(ledger) as connection:
        moves = frame(
            ("issue", "EU:issuance", "EU:1", "EU:P1", 10, 1), ("surrender", "EU:1", "EU:surrender", "EU:P1", 4, 2)
        )
        report = import_movements(connection, Act("h", 1, "t"), moves, scheme="EU", source_name="h", sha256=SHA)
        assert report.receipt.done, report.findings
        assert holdings(connection, instrument="EU:P1").rows() == [
            ("EU:issuance", "EU:P1", -10, 0),
            ("EU:surrender", "EU:P1", 4, 0),
            ("EU:1", "EU:P1", 6, 0),
        ]


def test_the_blocks_of_the_european_log_enter_with_counts_and_sums_of_the_file(ledger, outside_data):
    from carbon.formats.eu import euets_movements, read_euets

    blocks = read_euets(outside_data / "registry" / "eutl_transactions_sample.csv.gz").tables["transaction"]
    moves = euets_movements(blocks).select(
        "kind",
        # The log names the issuing account on both sides of an issue.
        source=pl.when(pl.col("kind") == "issue").then(pl.lit("EU:issuance")).otherwise("EU:" + pl.col("source")),
        target="EU:" + pl.col("target"),
        instrument="EU:" + pl.col("instrument"),
        quantity="quantity_t",
        at_us="at_us",
        reference="reference",
    )
    units = moves.select(pl.col("instrument").alias("code")).unique().with_columns(kind=pl.lit("allowance"))
    codes = pl.concat([moves["source"], moves["target"]]).filter(
        pl.concat([moves["source"], moves["target"]]) != "EU:issuance"
    )
    with writing(ledger) as connection:
        assert ensure_foreign_accounts(connection, Act("a", 1, "t"), codes, "EU").done
        assert ensure_instruments(connection, Act("u", 1, "t"), units, "EU").done
        given = {"scheme": "EU", "source_name": "eutl", "sha256": SHA, "openings": "assume"}
        report = import_movements(connection, Act("i", 2, "t"), moves, **given)
        assert report.receipt.done, report.findings
        assert (report.rows_booked, report.quantity_booked) == (16_418, blocks["amount"].sum())
        # Each issued unit is somewhere, and so is each assumed one.
        issued = moves.filter(pl.col("kind") == "issue")["quantity"].sum()
        contra = holdings(connection, account="EU:issuance")["quantity"].sum()
        assert contra == -(issued + report.openings["quantity"].sum())
        assert holdings(connection)["quantity"].sum() == 0
