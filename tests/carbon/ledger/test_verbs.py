"""Each verb: what it books, and what refuses it, on SQLite and PostgreSQL alike."""

import pytest
from sqlalchemy import text

from carbon.ledger.book import Act
from carbon.ledger.obligations import surrender
from carbon.ledger.orders import BadOrder, IdInUse
from carbon.ledger.parties import (
    add_instrument,
    appoint,
    block_account,
    close_account,
    close_scheme,
    open_account,
    open_scheme,
    register_entity,
    unblock_account,
)
from carbon.ledger.settlement import expire, reserve, settle, void
from carbon.ledger.verbs import (
    Movement,
    cancel,
    deposit,
    issue,
    pre_allocate,
    reverse,
    transfer,
    transfer_linked,
    withdraw,
)
from carbon.rules.book import load_rules

RULES = load_rules()


def holding(writer, account, instrument="CEA24"):
    row = writer.execute(
        text(
            "SELECT h.quantity, h.reserved FROM registry_holding h JOIN registry_account a ON a.id = h.account_id"
            " JOIN registry_instrument i ON i.id = h.instrument_id WHERE a.code = :account AND i.code = :instrument"
        ),
        {"account": account, "instrument": instrument},
    ).first()
    return (0, 0) if row is None else tuple(row)


def blocks(writer, instrument="CEA24"):
    return [
        tuple(row)
        for row in writer.execute(
            text(
                "SELECT a.code, b.serial_first, b.serial_last, b.reserve_id IS NOT NULL FROM registry_block b"
                " JOIN registry_account a ON a.id = b.account_id JOIN registry_instrument i ON i.id = b.instrument_id"
                " WHERE i.code = :instrument ORDER BY b.serial_first"
            ),
            {"instrument": instrument},
        )
    ]


@pytest.fixture
def stocked(do):
    """1,000 t issued, of which A has 600."""
    assert do(issue, scheme="CN", instrument="CEA24", quantity=1000).done
    granted = do(pre_allocate, scheme="CN", account="A", instrument="CEA24", quantity=600, compliance_year=2024)
    assert granted.done
    return do


@pytest.mark.usefixtures("stocked")
def test_issue_and_allocate_number_every_unit(writer):
    assert holding(writer, "CN:issuance") == (-1000, 0)
    assert holding(writer, "CN:government") == (1000 - 600, 0)
    assert blocks(writer) == [("A", 1, 600, False), ("CN:government", 601, 1000, False)]


def test_a_transfer_splits_the_lowest_free_numbers(writer, stocked):
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=100).done
    assert stocked(transfer, source="B", target="A", instrument="CEA24", quantity=50, first_serial=21).done
    assert blocks(writer) == [
        ("B", 1, 20, False),
        ("A", 21, 70, False),
        ("B", 71, 100, False),
        ("A", 101, 600, False),
        ("CN:government", 601, 1000, False),
    ]
    assert (holding(writer, "A"), holding(writer, "B")) == ((600 - 100 + 50, 0), (100 - 50, 0))


def test_more_than_is_held_is_refused_and_stays_refused(writer, stocked):
    asked = {"source": "A", "target": "B", "instrument": "CEA24", "quantity": 601}
    refused = transfer(writer, Act("once", 10, "t"), **asked)
    assert (refused.done, refused.code) == (False, "C18")
    assert stocked(transfer, source="CN:government", target="A", instrument="CEA24", quantity=400).done
    again = transfer(writer, Act("once", 11, "t"), **asked)
    assert (again.status, again.code, again.replayed) == ("failed", "C18", True)
    assert again.transaction_id == refused.transaction_id


@pytest.mark.usefixtures("stocked")
def test_the_same_id_is_booked_once_and_another_body_is_refused(writer):
    asked = {"source": "A", "target": "B", "instrument": "CEA24"}
    first = transfer(writer, Act("once", 10, "t"), quantity=5, **asked)
    second = transfer(writer, Act("once", 99, "other"), quantity=5, **asked)
    assert (second.transaction_id, second.replayed) == (first.transaction_id, True)
    with pytest.raises(IdInUse, match="C19"):
        transfer(writer, Act("once", 10, "t"), quantity=6, **asked)
    assert holding(writer, "B") == (5, 0)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"source": "nobody", "target": "B"}, "C03"),
        ({"source": "A", "target": "nobody"}, "C02"),
        ({"source": "A", "target": "A"}, "C17"),
        ({"source": "A", "target": "B", "instrument": "CEA99"}, "C42"),
        ({"source": "A", "target": "CN:surrender"}, "C29"),
        ({"source": "A", "target": "CN-HB:government"}, "C04"),
        ({"source": "A", "target": "B", "kind": "external"}, "C05"),
        ({"source": "A", "target": "B", "first_serial": 595}, "C08"),
    ],
)
def test_what_refuses_a_transfer(stocked, asked, code):
    refused = stocked(transfer, **{"instrument": "CEA24", "quantity": 10, **asked})
    assert refused.code == code
    assert f"({code})" in refused.message


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True, 2**53 + 1])
def test_a_quantity_is_a_positive_whole_number(stocked, quantity):
    with pytest.raises(BadOrder, match="C16"):
        stocked(transfer, source="A", target="B", instrument="CEA24", quantity=quantity)


def test_national_and_pilot_units_never_mix(stocked):
    assert stocked(issue, scheme="CN-HB", instrument="CEA24", quantity=1).code == "C04"
    assert stocked(issue, scheme="CN", instrument="HBEA", quantity=1).code == "C04"


def test_a_restricted_class_moves_only_as_allowed(do):
    assert do(
        add_instrument, code="CEA24-P", scheme="CN", kind="allowance", serialised=True, vintage_from=2024,
        vintage_to=2024, only_kinds=("issue", "pre_allocate", "surrender"),
    ).done  # fmt: skip
    assert do(issue, scheme="CN", instrument="CEA24-P", quantity=10).done
    asked = {"scheme": "CN", "account": "A", "instrument": "CEA24-P", "compliance_year": 2024}
    assert do(pre_allocate, quantity=10, **asked).done
    assert do(transfer, source="A", target="B", instrument="CEA24-P", quantity=1).code == "C06"
    assert do(surrender, rules=RULES, quantity=1, **asked).done


def test_a_blocked_account_only_surrenders(writer, stocked):
    assert stocked(block_account, account="A", reason="no report").done
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=1).code == "C07"
    assert stocked(reserve, movements=[Movement("A", "B", "CEA24", 1)], expires_at_us=10**6).code == "C07"
    asked = {"scheme": "CN", "account": "A", "instrument": "CEA24"}
    assert stocked(cancel, quantity=1, **asked).code == "C07"
    assert stocked(cancel, quantity=1, replace=True, **asked).done
    assert stocked(surrender, rules=RULES, quantity=9, compliance_year=2024, **asked).done
    assert stocked(unblock_account, account="A").done
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=1).done
    assert holding(writer, "A") == (600 - 1 - 9 - 1, 0)


def test_an_account_closes_empty_and_for_ever(stocked):
    assert stocked(close_account, account="A").code == "C23"
    assert stocked(close_account, account="C").done
    assert stocked(transfer, source="A", target="C", instrument="CEA24", quantity=1).code == "C23"
    assert stocked(unblock_account, account="C").code == "C23"
    assert stocked(close_account, account="nobody").code == "C03"


def test_a_closed_registry_takes_nothing(stocked):
    assert stocked(close_scheme, scheme="CN", reason="settlement").done
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=1).code == "C01"
    assert stocked(open_scheme, scheme="CN").done
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=1).done
    assert stocked(close_scheme, scheme="nowhere").code == "C01"


def test_parties_are_made_once_and_have_what_they_need(do):
    assert do(register_entity, name="Works A", code="A").code == "C14"
    operator = {"scheme": "CN", "type": "operator", "primary": "P", "secondary": "S"}
    assert do(open_account, code="A", entity="B", **(operator | {"type": "trading"})).code == "C09"
    assert do(open_account, code="A2", entity="A", **operator).code == "C13"
    assert do(open_account, code="X", entity="nobody", **operator).code == "C10"
    assert do(open_account, code="X", **operator).code == "C10"
    alone = {"scheme": "CN", "type": "trading", "entity": "A"}
    assert do(open_account, code="X", primary="P", secondary="P", **alone).code == "C11"
    assert do(open_account, code="X", primary="P", **alone).code == "C11"
    assert do(open_account, code="X", primary="P", secondary="S", **(alone | {"scheme": "XX"})).code == "C42"
    assert do(appoint, account="A", role="primary", name="S").code == "C11"
    assert do(appoint, account="A", role="primary", name="Q").done
    assert do(appoint, account="nobody", role="primary", name="Q").code == "C03"
    assert do(close_account, account="A").done
    assert do(open_account, code="A2", entity="A", **operator).done


def test_linked_legs_are_delivery_versus_payment(writer, stocked):
    assert stocked(deposit, scheme="CN", account="B", instrument="CNY", quantity=500_000).done
    swap = [Movement("A", "B", "CEA24", 60), Movement("B", "A", "CNY", 60 * 8000)]
    assert stocked(transfer_linked, movements=swap).done
    assert (holding(writer, "B"), holding(writer, "A", "CNY")) == ((60, 0), (60 * 8000, 0))
    too_dear = [Movement("A", "B", "CEA24", 60), Movement("B", "A", "CNY", 60 * 8000)]
    assert stocked(transfer_linked, movements=too_dear).code == "C18"
    assert holding(writer, "A") == (600 - 60, 0)
    assert stocked(withdraw, scheme="CN", account="A", instrument="CNY", quantity=480_000).done
    assert holding(writer, "CN:issuance", "CNY") == (480_000 - 500_000, 0)


def test_reserved_units_stay_and_cannot_be_used_twice(writer, stocked):
    deal = [Movement("A", "B", "CEA24", 70)]
    assert reserve(writer, Act("deal", 10, "t"), movements=deal, expires_at_us=1000).done
    assert holding(writer, "A") == (600, 70)
    assert blocks(writer)[:2] == [("A", 1, 70, True), ("A", 71, 600, False)]
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=531).code == "C18"
    assert stocked(settle, reservation="deal", quantities=[71]).code == "C22"
    assert stocked(settle, reservation="deal", quantities=[60]).done
    assert (holding(writer, "A"), holding(writer, "B")) == ((540, 0), (60, 0))
    assert blocks(writer)[:3] == [("B", 1, 60, False), ("A", 61, 70, False), ("A", 71, 600, False)]
    assert stocked(settle, reservation="deal").code == "C22"
    assert stocked(void, reservation="deal").code == "C22"


def test_a_voided_or_expired_reservation_frees_everything(writer, stocked):
    deal = [Movement("A", "B", "CEA24", 70), Movement("CN:government", "B", "CEA24", 30)]
    assert reserve(writer, Act("first", 10, "t"), movements=deal, expires_at_us=1000).done
    assert stocked(void, reservation="first", reason="no payment").done
    assert reserve(writer, Act("second", 20, "t"), movements=deal, expires_at_us=1000).done
    assert settle(writer, Act("late", 1000, "t"), reservation="second").code == "C22"
    assert expire(writer, Act("night", 999, "t")) == []
    assert [receipt.done for receipt in expire(writer, Act("night", 1000, "t"))] == [True]
    assert (holding(writer, "A"), holding(writer, "CN:government")) == ((600, 0), (400, 0))
    assert not any(reserved for _account, _first, _last, reserved in blocks(writer))
    assert stocked(settle, reservation="nobody").code == "C22"


def test_a_reversal_brings_the_same_units_back_once(writer, stocked):
    asked = {"scheme": "CN", "account": "A", "instrument": "CEA24", "compliance_year": 2024}
    assert surrender(writer, Act("hand-in", 50, "t"), rules=RULES, quantity=40, first_serial=101, **asked).done
    assert stocked(reverse, original="hand-in", reason="wrong year").done
    assert ("A", 101, 140, False) in blocks(writer)
    assert holding(writer, "A") == (600, 0)
    assert stocked(reverse, original="hand-in", reason="again").code == "C28"
    assert stocked(reverse, original="nobody", reason="?").code == "C28"


def test_a_reversal_needs_the_very_units(writer, stocked):
    assert transfer(writer, Act("sale", 50, "t"), source="A", target="B", instrument="CEA24", quantity=40).done
    assert stocked(transfer, source="B", target="C", instrument="CEA24", quantity=1).done
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=1).done
    assert holding(writer, "B") == (40, 0)
    assert stocked(reverse, original="sale", reason="error").code == "C08"


def test_a_reversed_issue_takes_the_units_out_again(writer, do):
    assert issue(writer, Act("born", 50, "t"), scheme="CN", instrument="CEA24", quantity=10).done
    assert do(reverse, original="born", reason="error").done
    assert holding(writer, "CN:issuance") == (0, 0)
    assert do(issue, scheme="CN", instrument="CEA24", quantity=5).done
    assert blocks(writer) == [("CN:issuance", 1, 10, False), ("CN:government", 11, 15, False)]


def test_an_act_belongs_to_the_scheme_of_its_accounts(writer, stocked):
    assert stocked(transfer, source="A", target="B", instrument="CEA24", quantity=601).code == "C18"
    assert stocked(block_account, account="B").done
    query = text(
        "SELECT DISTINCT kind, scheme FROM registry_transaction WHERE kind IN ('issue', 'transfer', 'block_account')"
    )
    found = {tuple(row) for row in writer.execute(query)}
    assert found == {("issue", "CN"), ("transfer", "CN"), ("block_account", "CN")}


@pytest.mark.parametrize("client_id", ["", " a", "a ", "a\n", "x" * 129])
def test_an_id_is_short_and_printable(writer, client_id):
    with pytest.raises(BadOrder, match="id"):
        issue(writer, Act(client_id, 1, "t"), scheme="CN", instrument="CEA24", quantity=1)
