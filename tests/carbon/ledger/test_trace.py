"""The whole life of a unit: every leg that moved it, and where each part is now."""

from datetime import UTC, datetime

import pytest

from carbon.ledger.book import Act
from carbon.ledger.parties import add_instrument
from carbon.ledger.post import writing
from carbon.ledger.trace import UnknownSerial, trace
from carbon.ledger.verbs import cancel, issue, transfer

from .audit_cases import tell

VERRA = "19385-941467007-941467431-VCS-VCU-1507-VER-ET-14-1340-01012020-31122020-1"


@pytest.fixture
def history(ledger):
    tell(ledger)
    return ledger


def told(engine, serial):
    with engine.connect() as connection:
        return trace(connection, serial)


def parts(frame, *names):
    return list(frame.select("serial_first", "serial_last", *names).iter_rows())


def test_one_unit_from_issue_to_surrender(history):
    # P is granted 1-70000; 1-1000 are reserved, 1-900 settled; 901 goes to Q by mistake and back, and is surrendered.
    life = told(history, "CEA24:901")
    steps = ["issue", "grantP", "hold", "settle", "mistake", "undo", "surrender"]
    assert life["client_id"].to_list() == [*steps, None]
    assert life["phase"].to_list() == ["posted", "posted", "reserve", "void", "posted", "posted", "posted", None]
    assert life["holder"].to_list() == ["CN:government", "P", "P", "P", "Q", "P", "CN:surrender", "CN:surrender"]
    assert life["holder_name"][1] == "电厂 P"
    assert life["state"].to_list() == ["moved"] * 7 + ["surrendered"]
    assert (life["serial_first"].unique().to_list(), life["serial_last"].unique().to_list()) == ([901], [901])
    assert life["at"][0] == datetime(2024, 3, 1, 4, tzinfo=UTC)
    assert life["instrument"].unique().to_list() == ["CEA24"]
    assert life.select("parent_first", "parent_last").row(4) == (901, 1000)


def test_every_part_of_a_range_is_followed(history):
    # 1-900 went to T; of these 10-49 to Q, 10-14 back to T, and 1-3 were cancelled.
    life = told(history, "CEA24:1-60")
    now = life.filter(life["state"] != "moved")
    assert parts(now, "holder", "state") == [
        (1, 3, "CN:cancellation", "cancelled"),
        (4, 9, "T", "held"),
        (10, 14, "T", "held"),
        (15, 49, "Q", "held"),
        (50, 60, "T", "held"),
    ]
    moved = life.filter(life["state"] == "moved")
    assert parts(moved, "client_id") == [
        (1, 60, "issue"),
        (1, 60, "grantP"),
        (1, 60, "hold"),
        (1, 60, "settle"),
        (10, 49, "part"),
        (10, 14, "both"),
        (1, 3, "cancel"),
    ]


def test_what_a_settlement_left_and_a_voiding_freed_is_told(history):
    left = told(history, "CEA24:895-905")
    assert parts(left.filter(left["client_id"] == "settle"), "phase", "holder") == [
        (895, 900, "settle", "T"),
        (901, 905, "void", "P"),
    ]
    # Q was granted 70001-100000 and gave 70001-72000; 72001-72050 were reserved and set free again.
    freed = told(history, "CEA24:72001")
    assert freed["client_id"].to_list()[2:4] == ["hold2", "void"]
    assert freed["phase"].to_list()[2:4] == ["reserve", "void"]


def test_reserved_and_carried_over_units_are_so_now(history):
    reserved = told(history, "CEA24:70001-100000")
    assert (reserved["state"] == "reserved").sum() == 1
    row = reserved.filter(reserved["state"] == "reserved").row(0, named=True)
    assert (row["serial_last"] - row["serial_first"] + 1, row["holder"]) == (7, "Q")
    carried = told(history, "CEA24:1-200000")
    gone = carried.filter(carried["state"] == "carried over")
    assert (gone["serial_last"] - gone["serial_first"] + 1).sum() == 9_000
    everything = carried.filter(carried["state"] != "moved")
    assert (everything["serial_last"] - everything["serial_first"] + 1).sum() == 200_000


def test_the_text_of_an_outside_register_names_its_units(ledger):
    first, last = 941467007, 941467431
    stem = VERRA.replace(str(first), "{first}").replace(str(last), "{last}")
    with writing(ledger) as connection:
        acts = (Act(f"v{number}", number, "t") for number in range(9))
        asked = {"scheme": "VCS", "kind": "offset", "serialised": True, "stem": stem}
        assert add_instrument(connection, next(acts), code="VCS-1507", **asked).done
        asked = {"scheme": "VCS", "instrument": "VCS-1507"}
        assert issue(connection, next(acts), quantity=last - first + 1, first_serial=first, **asked).done
        gone = {"account": "VCS:government", "quantity": 5, "first_serial": first + 10}
        assert cancel(connection, next(acts), **asked, **gone).done
    life = told(ledger, VERRA)
    assert parts(life.filter(life["state"] != "moved"), "state") == [
        (first, first + 9, "held"),
        (first + 10, first + 14, "cancelled"),
        (first + 15, last, "held"),
    ]
    one = told(ledger, VERRA.replace(str(first), str(first + 12)).replace(str(last), str(first + 12)))
    assert one["state"].to_list() == ["moved", "moved", "cancelled"]
    assert told(ledger, f"VCS-1507:{first}")["state"].to_list() == ["moved", "held"]


@pytest.mark.parametrize(
    ("serial", "said"),
    [
        ("CEA24:200001", "numbers from 1 to 200000 of CEA24"),
        ("CEA22:1", "none yet"),
        ("CEA24:0", "from 1"),
        ("CEA24:9-8", "no last number below"),
        ("CEA99:1", "such as CEA24:1000-1999"),
        ("", "such as CEA24:1000-1999"),
        ("SN-BLK-DEMO-D-NaN-NaN-undefined", "such as CEA24:1000-1999"),
        (VERRA, "a series that the ledger holds"),
    ],
)
def test_an_unknown_serial_is_refused_with_what_there_is(history, serial, said):
    with history.connect() as connection, pytest.raises(UnknownSerial, match=said):
        trace(connection, serial)


def test_a_unit_that_was_transferred_twice_is_told_in_order(history):
    with writing(history) as connection:
        for number, (source, target) in enumerate([("T", "Q"), ("Q", "T")]):
            asked = {"source": source, "target": target, "instrument": "CEA24", "quantity": 1, "first_serial": 500}
            assert transfer(connection, Act(f"again {number}", 1, "t"), **asked).done
    assert told(history, "CEA24:500")["client_id"].to_list()[-3:] == ["again 0", "again 1", None]
