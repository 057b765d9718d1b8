"""What only careless or hostile clients do, on SQLite and PostgreSQL alike: it leaves no half act behind."""

import pytest

from carbon.ledger.book import Act
from carbon.ledger.obligations import finalise_allocation, report_verified
from carbon.ledger.orders import BadOrder, IdInUse, Leg, Order
from carbon.ledger.parties import block_account, close_account, close_scheme, open_account, open_scheme
from carbon.ledger.post import post, writing
from carbon.ledger.settlement import expire, reserve, settle, void
from carbon.ledger.verbs import Movement, deposit, issue, pre_allocate, reverse, transfer

from .proof import faults, rows

GRANT = {"scheme": "CN", "account": "A", "instrument": "CEA24", "compliance_year": 2024}
TO_B = {"source": "A", "target": "B", "instrument": "CEA24"}


@pytest.fixture
def stocked(do):
    assert do(issue, scheme="CN", instrument="CEA24", quantity=1000).done
    assert do(pre_allocate, quantity=600, **GRANT).done
    return do


def acts(writer) -> set[str]:
    return {row.client_id for row in rows(writer, "SELECT client_id FROM registry_transaction")}


@pytest.mark.parametrize(
    "leg",
    [
        {"quantity": 2**63},
        {"quantity": 1.5},
        {"quantity": "5"},
        {"quantity": True},
        {"first_serial": 0},
        {"first_serial": 2**63},
        {"first_serial": "1"},
        {"compliance_year": 10**10},
        {"compliance_year": "2024"},
        {"phase": "reserve", "expires_at_us": 2**63},
    ],
)
def test_who_catches_a_malformed_act_and_goes_on_commits_nothing_of_it(town, leg):
    """The first leg alone would be fine; the second cannot be written."""
    good = Leg("issue", "CN:issuance", "CN:government", "CEA24", 5)
    bad = Leg(**{"kind": "issue", "source": "CN:issuance", "target": "A", "instrument": "CEA24", "quantity": 5} | leg)
    with writing(town) as connection:
        with pytest.raises(BadOrder):
            post(connection, Order("half", "issue", 1, "t", {"x": 1}, (good, bad)))
        assert issue(connection, Act("whole", 2, "t"), scheme="CN", instrument="CEA24", quantity=7).done
    with town.connect() as connection:
        assert "half" not in acts(connection)
        assert faults(connection) == []


def test_an_error_inside_a_verb_undoes_the_verb_alone(town):
    """A settlement of 0 t is found out after the act has begun to look at the ledger."""
    with writing(town) as connection:
        assert issue(connection, Act("i", 1, "t"), scheme="CN", instrument="CEA24", quantity=7, target="A").done
        deal = [Movement("A", "B", "CEA24", 5)]
        assert reserve(connection, Act("deal", 2, "t"), movements=deal, expires_at_us=100).done
        with pytest.raises(BadOrder, match="C16"):
            settle(connection, Act("s", 3, "t"), reservation="deal", quantities=[0])
        assert settle(connection, Act("s", 3, "t"), reservation="deal").done
    with town.connect() as connection:
        assert faults(connection) == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\\\0"])
def test_texts_that_no_database_holds_are_refused(writer, stocked, text):
    before = acts(writer)
    with pytest.raises(BadOrder):
        stocked(transfer, **TO_B | {"target": text}, quantity=5)
    with pytest.raises(BadOrder):
        stocked(block_account, account="A", reason=text)
    with pytest.raises(BadOrder):
        stocked(reverse, original=text, reason="x")
    assert acts(writer) == before


@pytest.mark.parametrize("text", ["\\u0000", "'; DROP TABLE registry_transfer; --", "%s ? :id", "碳"])
def test_any_other_text_is_text(stocked, text):
    assert stocked(block_account, account="A", reason=text).done
    assert stocked(transfer, **TO_B | {"target": text}, quantity=5).code == "C02"


@pytest.mark.parametrize("at_us", [2**63, -(2**63), 1.0, True])
def test_a_time_is_a_time(writer, at_us):
    with pytest.raises(BadOrder, match="time"):
        issue(writer, Act("x", at_us, "t"), scheme="CN", instrument="CEA24", quantity=5)


def test_units_never_turn_into_fractions(writer, do):
    """1,024 x 2^53 = 2^63, one more than eight bytes hold: the last one is refused, and every one before is whole."""
    asked = {"scheme": "CN", "account": "A", "instrument": "CNY", "quantity": 2**53}
    assert all(do(deposit, **asked).done for _ in range(1023))
    assert do(deposit, **asked).code == "C16"
    held = rows(writer, "SELECT quantity FROM registry_holding ORDER BY quantity")
    assert [row.quantity for row in held] == [-1023 * 2**53, 1023 * 2**53]


def test_numbers_never_turn_into_fractions(writer, do):
    asked = {"scheme": "CN", "instrument": "CEA24", "quantity": 2**53}
    assert do(issue, first_serial=2**53, **asked).done
    assert all(do(issue, **asked).done for _ in range(1021))
    assert do(issue, **asked).code == "C16"
    assert faults(writer) == []


def test_what_waits_for_an_account_that_closed_can_be_given_up(writer, stocked):
    deal = [Movement("A", "C", "CEA24", 70)]
    assert reserve(writer, Act("deal", 10, "t"), movements=deal, expires_at_us=10**6).done
    assert reserve(writer, Act("late", 10, "t"), movements=deal, expires_at_us=1000).done
    assert stocked(close_account, account="C").done
    assert stocked(settle, reservation="deal").code == "C23"
    assert stocked(void, reservation="deal").done
    assert [receipt.done for receipt in expire(writer, Act("night", 1000, "t"))] == [True]
    assert stocked(transfer, **TO_B, quantity=600).done
    assert faults(writer) == []


def test_a_long_name_is_no_reason_to_stay_reserved(writer, stocked):
    """The night that finds the registry closed refuses for ever; the next night is another act."""
    name = "x" * 128
    deal = [Movement("A", "B", "CEA24", 70)]
    assert reserve(writer, Act(name, 10, "t"), movements=deal, expires_at_us=1000).done
    assert stocked(close_scheme, scheme="CN").done
    assert [one.code for one in expire(writer, Act("first night", 1000, "t"))] == ["C01"]
    assert stocked(open_scheme, scheme="CN").done
    assert [one.code for one in expire(writer, Act("second night", 2000, "t"))] == [None]


@pytest.mark.usefixtures("stocked")
def test_no_part_is_not_the_whole(writer):
    deal = [Movement("A", "B", "CEA24", 70)]
    assert reserve(writer, Act("deal", 10, "t"), movements=deal, expires_at_us=10**6).done
    assert settle(writer, Act("end", 11, "t"), reservation="deal", quantities=[]).code == "C22"
    with pytest.raises(IdInUse):
        settle(writer, Act("end", 11, "t"), reservation="deal")


def test_what_was_granted_changes_only_with_the_final_allocation(writer, stocked):
    assert pre_allocate(writer, Act("more", 10, "t"), quantity=100, **GRANT).done
    assert finalise_allocation(writer, Act("final", 11, "t"), final_t=650, **GRANT).done
    assert stocked(pre_allocate, quantity=1, **GRANT).code == "C34"
    assert stocked(reverse, original="more", reason="x").code == "C34"
    assert stocked(reverse, original="final", reason="x").done
    assert stocked(reverse, original="more", reason="x").done
    assert stocked(pre_allocate, quantity=1, **GRANT | {"compliance_year": 2025}).done


def test_an_account_states_figures_of_its_own_years(do):
    assert do(close_account, account="A").done
    people = {"entity": "A", "primary": "P", "secondary": "S"}
    years = {"first_year": 2023, "last_year": 2024}
    assert do(open_account, code="A2", scheme="CN", type="operator", **people, **years).done
    for year, code in ((2022, "C15"), (2023, None), (2024, None), (2025, "C15")):
        assert do(report_verified, account="A2", compliance_year=year, quantity_t=5).code == code
        asked = GRANT | {"account": "A2", "compliance_year": year, "final_t": 0}
        assert do(finalise_allocation, **asked).code == code


@pytest.mark.parametrize("first", [1, 5, 1000])
def test_numbers_that_are_there_are_not_issued_again(stocked, first):
    assert stocked(issue, scheme="CN", instrument="CEA24", quantity=10, first_serial=first).code == "C27"


def test_too_few_units_go_before_the_wrong_units(stocked):
    assert stocked(transfer, **TO_B, quantity=601, first_serial=1).code == "C18"
    assert stocked(transfer, **TO_B, quantity=600, first_serial=2).code == "C08"


def test_two_broken_rules_are_named_alike_on_both_databases(do):
    """The code is taken, and C has an operator account already."""
    people = {"entity": "C", "primary": "P", "secondary": "S"}
    assert do(open_account, code="A", scheme="CN", type="operator", **people).code == "C09"
