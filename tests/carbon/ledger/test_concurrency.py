"""Two and eight writers at once on the same holdings: exactly what is permitted succeeds, and every unit is where the
log says. Each race starts at a barrier; nothing waits for a clock.
"""

import fcntl
import json
from collections import Counter
from functools import partial
from hashlib import sha256
from itertools import pairwise

import polars as pl
import pytest
from sqlalchemy import Engine

from carbon.ledger.audit import audit
from carbon.ledger.book import Act
from carbon.ledger.bulk import ensure_foreign_accounts, ensure_instruments, import_movements
from carbon.ledger.chain import SealBusy, Sealed, seal
from carbon.ledger.obligations import finalise_allocation, report_verified, surrender, use_offsets
from carbon.ledger.orders import IdInUse, Receipt
from carbon.ledger.parties import (
    add_instrument,
    appoint,
    block_account,
    close_account,
    close_scheme,
    open_account,
    open_scheme,
    register_entity,
)
from carbon.ledger.post import writing
from carbon.ledger.settlement import expire, reserve, settle, void
from carbon.ledger.verbs import Movement, issue, pre_allocate, reverse, transfer, transfer_linked

from .acts import START_US, national_rules
from .proof import faults, rows
from .workers import at_once, warm_workers

WRITERS = pytest.mark.parametrize("writers", [2, 8])
GRANT = {"scheme": "CN", "instrument": "CEA24", "compliance_year": 2024}
TO_B = {"source": "A", "target": "B", "instrument": "CEA24"}


def act(name: str, at: int = 100) -> Act:
    return Act(name, START_US + at, "tester")


def call(verb, client_id, /, *, at: int = 100, **asked):
    """A work for `at_once`: this verb with this id, in a database transaction of its own."""

    def work(engine: Engine) -> object:
        with writing(engine) as connection:
            return verb(connection, act(client_id, at), **asked)

    return work


def stock(town: Engine, **held: int) -> None:
    """Give operators their units of CEA24, and PLAIN, which has no numbers, as much."""
    with writing(town) as connection:
        plain = {"scheme": "CN", "kind": "allowance", "serialised": False}
        assert add_instrument(connection, act("plain", 0), code="PLAIN", **plain).done
        for unit in ("CEA24", "PLAIN"):
            asked = GRANT | {"instrument": unit}
            assert issue(connection, act(f"born {unit}", 1), scheme="CN", instrument=unit, quantity=10**6).done
            for account, quantity in held.items():
                granted = pre_allocate(
                    connection, act(f"{account} {unit}", 2), account=account, quantity=quantity, **asked
                )
                assert granted.done


def held(town: Engine, account: str, unit: str = "CEA24") -> tuple[int, int]:
    query = (
        "SELECT h.quantity, h.reserved FROM registry_holding h JOIN registry_account a ON a.id = h.account_id"
        f" JOIN registry_instrument i ON i.id = h.instrument_id WHERE a.code = '{account}' AND i.code = '{unit}'"
    )
    with town.connect() as connection:
        found = rows(connection, query)
    return tuple(found[0]) if found else (0, 0)


def proven(town: Engine) -> None:
    with town.connect() as connection:
        assert faults(connection) == []


def codes(came: list[list[object]]) -> Counter:
    flat = [one for many in came for one in many]
    assert [one for one in flat if not isinstance(one, Receipt)] == []
    return Counter(one.code or one.status for one in flat)


@WRITERS
@pytest.mark.parametrize("unit", ["CEA24", "PLAIN"])
def test_exactly_what_is_held_leaves(town, writers, unit):
    """40 attempts of 7 t on a holding of 200 t: 28 succeed, since 28 x 7 = 196 and 29 x 7 = 203."""
    stock(town, A=200)
    attempts, quantity, permitted = 40, 7, 200 // 7
    asked = TO_B | {"instrument": unit, "quantity": quantity}
    names = [[f"w{writer}-{number}" for number in range(attempts // writers)] for writer in range(writers)]
    came = at_once(town, [[call(transfer, name, **asked) for name in mine] for mine in names])
    assert codes(came) == {"done": permitted, "C18": attempts - permitted}
    assert held(town, "A", unit) == (200 - permitted * quantity, 0)
    assert held(town, "B", unit) == (permitted * quantity, 0)
    proven(town)


@WRITERS
def test_opposite_directions_never_wait_in_a_ring(town, writers):
    """A to B and B to A at once, single and linked both ways round, over and over: all succeed."""
    stock(town, A=10_000, B=10_000)
    there = [Movement("A", "B", "CEA24", 3), Movement("B", "A", "PLAIN", 2)]
    single = {"instrument": "CEA24", "quantity": 3}

    def works(writer: int) -> list:
        mine = []
        for number in range(5):
            one, other = ("A", "B") if writer % 2 else ("B", "A")
            mine.append(call(transfer, f"s{writer}-{number}", source=one, target=other, **single))
            legs = there if writer % 2 else there[::-1]
            mine.append(call(transfer_linked, f"l{writer}-{number}", movements=legs))
        return mine

    came = at_once(town, [works(writer) for writer in range(writers)])
    assert codes(came) == {"done": writers * 10}
    moved = 3 * 5 * writers  # the linked ones alone; the single ones cancel out
    assert held(town, "A") == (10_000 - moved, 0)
    proven(town)


def test_first_movements_never_wait_in_a_ring(town):
    """No holding is there yet: rounds of accounts and units that meet for the first time."""
    stock(town, A=10_000, B=10_000, C=10_000)
    with writing(town) as connection:
        for number in range(6):
            new = {"scheme": "CN", "kind": "allowance", "serialised": number % 2 == 0}
            assert add_instrument(connection, act(f"unit {number}", 3), code=f"U{number}", **new).done
    for number in range(6):
        unit = f"U{number}"
        asked = {"scheme": "CN", "instrument": unit, "quantity": 5}
        works = [
            [call(issue, f"{unit} {name} {time}", target=name, **asked) for time in range(2)]
            for name in ("A", "B", "C", "CN:government")
        ]
        both = [Movement("A", "B", unit, 1), Movement("B", "C", unit, 1)]
        works += [[call(transfer_linked, f"{unit} round {turn}", movements=both[::turn])] for turn in (1, -1)]
        came = [one for many in at_once(town, works) for one in many]
        assert [one for one in came if not isinstance(one, Receipt)] == []
        assert sum(one.done and one.kind == "issue" for one in came) == 8
        assert {one.code for one in came} <= {None, "C18"}
    proven(town)


@WRITERS
@pytest.mark.parametrize("quantity", [200, 201])
def test_one_id_is_one_act(town, writers, quantity):
    """The same id and body from all writers at once: one books (or is refused), the others hear what came of it."""
    stock(town, A=200)
    came = at_once(town, [call(transfer, "same", quantity=quantity, **TO_B)] * writers)
    assert codes(came) == {"done" if quantity == 200 else "C18": writers}
    assert sum(not one.replayed for (one,) in came) == 1
    assert len({one.transaction_id for (one,) in came}) == 1
    proven(town)


@WRITERS
def test_one_id_for_several_acts_is_refused(town, writers):
    """One id, another body each, of verbs that look at the ledger first and of verbs that do not: one act wins."""
    stock(town, A=2000)
    verbs = [
        partial(transfer, quantity=5, **TO_B),
        partial(reverse, original="A CEA24", reason="x"),
        partial(issue, scheme="CN", instrument="CEA24", quantity=5),
        partial(settle, reservation="nobody"),
        partial(block_account, account="C"),
        partial(register_entity, name="Works", code="new"),
        partial(transfer, quantity=6, **TO_B),
        partial(void, reservation="nobody"),
    ]
    came = at_once(town, [call(verb, "same") for verb in verbs[:writers]])
    flat = [one for many in came for one in many]
    assert sum(isinstance(one, Receipt) for one in flat) == 1, flat
    assert sum(isinstance(one, IdInUse) for one in flat) == writers - 1
    proven(town)


@WRITERS
def test_a_reservation_ends_once(town, writers):
    """Settled and voided by all at once: one of them ends it, and the units are where that one left them."""
    stock(town, A=200)
    with writing(town) as connection:
        deal = [Movement("A", "B", "CEA24", 70), Movement("A", "B", "PLAIN", 30)]
        assert reserve(connection, act("deal", 3), movements=deal, expires_at_us=START_US + 1000).done
    works = [call(settle if writer % 2 else void, f"end {writer}", reservation="deal") for writer in range(writers)]
    came = at_once(town, works)
    assert codes(came) == {"done": 1, "C22": writers - 1}
    ended_by = next(one.kind for (one,) in came if one.done)
    assert held(town, "B") == ((70, 0) if ended_by == "settle" else (0, 0))
    assert held(town, "A") == ((130, 0) if ended_by == "settle" else (200, 0))
    proven(town)


@WRITERS
def test_what_is_reserved_is_not_used_twice(town, writers):
    """Reservations and transfers of 30 t at once from 200 t: six succeed, whichever they are."""
    stock(town, A=200)
    move = [Movement("A", "B", "CEA24", 30)]
    works = [
        [
            call(reserve, f"r{writer}-{number}", movements=move, expires_at_us=START_US + 1000)
            if (writer + number) % 2
            else call(transfer, f"t{writer}-{number}", quantity=30, **TO_B)
            for number in range(16 // writers)
        ]
        for writer in range(writers)
    ]
    came = at_once(town, works)
    assert codes(came) == {"done": 200 // 30, "C18": 16 - 200 // 30}
    reservations = sum(one.done and one.kind == "reserve" for many in came for one in many)
    quantity, reserved = held(town, "A")
    assert (quantity - reserved, reserved) == (200 - 6 * 30, 30 * reservations)
    proven(town)


@WRITERS
def test_expiry_against_settlement(town, writers):
    stock(town, A=200)
    with writing(town) as connection:
        for number in range(4):
            deal = [Movement("A", "B", "CEA24", 10)]
            assert reserve(connection, act(f"d{number}", 3), movements=deal, expires_at_us=START_US + 500).done
    works = [
        call(expire, "night", at=500)
        if writer == 0
        else [call(settle, f"x{writer}-{number}", reservation=f"d{number}") for number in range(4)]
        for writer in range(writers)
    ]
    came = at_once(town, works)
    settled = [one for many in came[1:] for one in many]
    assert [one for one in settled if not isinstance(one, Receipt)] == []
    done = sum(one.done for one in settled) + sum(one.done for one in came[0][0])
    assert done == 4
    assert held(town, "B") == (10 * sum(one.done for one in settled), 0)
    assert held(town, "A")[1] == 0
    proven(town)


def test_a_night_of_expiries_never_waits_in_a_ring(town):
    """Many reservations end in one database transaction, while others move the same units in another order."""
    stock(town, A=10_000, B=10_000)
    for night in range(4):
        with writing(town) as connection:
            for number in range(6):
                deal = [Movement("A", "B", "PLAIN" if number % 2 else "CEA24", 10)]
                held_until = {"movements": deal, "expires_at_us": START_US + 500}
                assert reserve(connection, act(f"n{night}-{5 - number}", 3), **held_until).done
        both = [Movement("A", "B", "CEA24", 1), Movement("B", "A", "PLAIN", 1)]
        works = [
            [call(transfer_linked, f"m{night}-{writer}-{number}", movements=both) for number in range(6)]
            for writer in range(3)
        ]
        came = at_once(town, [*works, call(expire, f"one {night}", at=500), call(expire, f"two {night}", at=500)])
        assert codes(came[:3]) == {"done": 18}
        ended = [one for (receipts,) in came[3:] for one in receipts]
        assert sum(one.done for one in ended) == 6
    assert (held(town, "A")[1], held(town, "A", "PLAIN")[1]) == (0, 0)
    proven(town)


@pytest.mark.parametrize("verb", [close_account, block_account])
def test_an_account_changes_before_or_after_a_movement(town, verb):
    """Rounds of an empty account closed or blocked while units go in and out; the log in its order allows each leg."""
    stock(town, A=10_000)
    with writing(town) as connection:
        people = {"primary": "P", "secondary": "S", "entity": "A"}
        for number in range(8):
            new = {"code": f"T{number}", "scheme": "CN", "type": "trading", **people}
            assert open_account(connection, act(f"open {number}", 3), **new).done
    for number in range(8):
        name = f"T{number}"
        give = {"source": "A", "target": name, "instrument": "CEA24", "quantity": 5}
        back = {"source": name, "target": "A", "instrument": "CEA24", "quantity": 5}
        works = [
            [call(transfer, f"in {name}", **give), call(transfer, f"out {name}", **back)],
            [call(verb, f"end {name} {time}", account=name) for time in range(2)],
            [call(transfer, f"in again {name}", **give)],
        ]
        came = [one for many in at_once(town, works) for one in many]
        assert [one for one in came if not isinstance(one, Receipt)] == []
        assert {one.code for one in came} <= {None, "C23", "C18", "C07"}
    proven(town)


def test_a_scheme_closes_before_or_after_a_movement(town):
    stock(town, A=10_000)
    works = [[call(transfer, f"t{writer}-{number}", quantity=1, **TO_B) for number in range(12)] for writer in range(3)]
    toggles = [
        call(close_scheme if number % 2 == 0 else open_scheme, f"toggle {number}", scheme="CN") for number in range(8)
    ]
    came = at_once(town, [*works, toggles])
    assert codes(came)["C01"] + codes(came)["done"] == 3 * 12 + 8
    proven(town)


@WRITERS
def test_a_reversal_happens_once(town, writers):
    stock(town, A=200)
    with writing(town) as connection:
        assert transfer(connection, act("sale", 3), quantity=50, **TO_B).done
    came = at_once(town, [call(reverse, f"back {writer}", original="sale", reason="x") for writer in range(writers)])
    assert codes(came) == {"done": 1, "C28": writers - 1}
    assert (held(town, "A"), held(town, "B")) == ((200, 0), (0, 0))
    proven(town)


@WRITERS
def test_no_number_is_issued_twice(town, writers):
    works = [
        [call(issue, f"i{writer}-{number}", scheme="CN", instrument="CEA25", quantity=11) for number in range(6)]
        for writer in range(writers)
    ]
    assert codes(at_once(town, works)) == {"done": 6 * writers}
    with town.connect() as connection:
        query = "SELECT serial_first, serial_last FROM registry_block ORDER BY serial_first"
        blocks = [tuple(row) for row in rows(connection, query)]
    assert blocks == [(1 + 11 * number, 11 + 11 * number) for number in range(6 * writers)]
    proven(town)


@WRITERS
def test_the_same_numbers_are_issued_once(town, writers):
    asked = {"scheme": "CN", "instrument": "CEA25", "quantity": 10}
    works = [call(issue, f"i{writer}", first_serial=1 + 5 * (writer % 2), **asked) for writer in range(writers)]
    assert codes(at_once(town, works)) == {"done": 1, "C27": writers - 1}
    proven(town)


@WRITERS
def test_limits_hold_for_all_writers_together(town, writers):
    """5 % of 1,000 t verified is 50 t: of writers asking for 20 t each, two succeed."""
    stock(town, A=200)
    with writing(town) as connection:
        issued = issue(connection, act("ccer", 3), scheme="CCER", instrument="CCER", quantity=500)
        assert issued.done
        people = {"primary": "P", "secondary": "S", "entity": "A"}
        assert open_account(connection, act("k", 3), code="K", scheme="CCER", type="trading", **people).done
        sent = {"source": "CCER:government", "target": "K", "instrument": "CCER", "quantity": 500}
        assert transfer(connection, act("to k", 4), **sent).done
        over = {"source": "K", "target": "A", "instrument": "CCER", "quantity": 500, "kind": "external"}
        assert transfer(connection, act("to a", 5), **over).done
        assert report_verified(connection, act("v", 6), account="A", compliance_year=2024, quantity_t=1000).done
    asked = GRANT | {"account": "A", "instrument": "CCER", "quantity": 20, "rules": national_rules()}
    came = at_once(town, [call(use_offsets, f"o{writer}", **asked) for writer in range(writers)])
    assert codes(came) == {"done": min(2, writers)} | ({"C32": writers - 2} if writers > 2 else {})
    proven(town)


@WRITERS
def test_an_allocation_is_settled_once(town, writers):
    stock(town, A=200)
    asked = GRANT | {"account": "A"}
    came = at_once(
        town, [call(finalise_allocation, f"f{writer}", final_t=300 + writer, **asked) for writer in range(writers)]
    )
    assert codes(came) == {"done": 1, "C34": writers - 1}
    proven(town)


@WRITERS
def test_parties_are_made_once(town, writers):
    same = {"scheme": "CN", "type": "operator", "entity": "D", "primary": "P", "secondary": "S"}
    came = at_once(town, [call(register_entity, f"e{writer}", name="D", code="D") for writer in range(writers)])
    assert codes(came) == {"done": 1, "C14": writers - 1}
    came = at_once(town, [call(open_account, f"new{writer}", code="D", **same) for writer in range(writers)])
    assert codes(came) == {"done": 1, "C09": writers - 1}
    came = at_once(town, [call(open_account, f"b{writer}", code=f"B{writer}", **same) for writer in range(writers)])
    assert codes(came) == {"C13": writers}
    roles = ("primary", "secondary")
    works = [call(appoint, f"p{writer}", account="D", role=roles[writer % 2], name="Q") for writer in range(writers)]
    assert codes(at_once(town, works)) == {"done": writers // 2, "C11": writers // 2}
    proven(town)


def test_imports_seals_and_movements_never_wait_in_a_ring(town):
    """Batches, movements, acts that look first, seals, and a registry that opens and closes, all of them at once."""
    stock(town, A=10_000)
    codes_outside = [f"EU{number}" for number in range(20)]
    with writing(town) as connection:
        assert ensure_foreign_accounts(connection, act("accounts", 3), codes_outside, "EU").done
        units = pl.DataFrame({"code": ["EUA-x"], "kind": ["allowance"]})
        assert ensure_instruments(connection, act("units", 3), units, "EU").done
        born = {"scheme": "EU", "instrument": "EUA-x", "quantity": 1000}
        assert all(issue(connection, act(f"born {code}", 4), target=code, **born).done for code in codes_outside)
    pairs = list(pairwise(codes_outside * 10))
    batch = {"kind": "transfer", "instrument": "EUA-x", "quantity": 1, "at_us": START_US}
    frame = pl.DataFrame([{**batch, "source": source, "target": target} for source, target in pairs])

    def imported(name: str):
        known = {"scheme": "EU", "source_name": name, "sha256": sha256(name.encode()).hexdigest()}
        work = call(import_movements, name, movements=frame, openings="assume", **known)
        return lambda engine: work(engine).receipt

    def sealed(engine: Engine) -> Sealed | None:
        with engine.connect() as connection:
            return seal(connection, START_US)

    over = {"instrument": "EUA-x", "quantity": 1}
    hand_in = GRANT | {"account": "A", "quantity": 1, "rules": national_rules()}
    works = [
        [imported(f"batch {writer} {number}") for number in range(3)] for writer in range(2)
    ] + [
        [call(transfer, f"t{writer} {number}", source=pair[writer], target=pair[1 - writer], **over)
         for number, pair in enumerate(pairs[:20])] for writer in range(2)
    ] + [
        [call(surrender, f"s{number}", **hand_in) for number in range(15)],
        [call(finalise_allocation, "f", account="A", final_t=20_005, **GRANT)]
        + [call(transfer, f"b{number}", quantity=1, **TO_B) for number in range(15)],
        [call(open_scheme if number % 2 else close_scheme, f"g{number}", scheme="EU") for number in range(10)],
        [sealed] * 5,
    ]  # fmt: skip
    came = at_once(town, works)
    flat = [one for many in came[:-1] for one in many]
    assert [one for one in flat if not isinstance(one, Receipt)] == []
    assert {one.code for one in flat} <= {None, "C01", "C18"}
    assert {"import", "transfer", "surrender", "finalise_allocation"} <= {one.kind for one in flat if one.done}
    # Who seals in the rush may be told to come again: that is an answer, not a ring.
    assert [one for one in came[-1] if not (one is None or isinstance(one, Sealed | SealBusy))] == []
    with town.connect() as connection:
        findings = audit(connection, rules=national_rules())
    assert findings.filter(pl.col("severity") == "error").is_empty(), findings
    proven(town)


@WRITERS
def test_processes_share_a_holding_as_threads_do(town, writers, tmp_path):
    """The same race between processes that share nothing but the database."""
    stock(town, A=200)
    gate = tmp_path / "gate"
    gate.touch()
    asked = TO_B | {"quantity": 7}
    each = 40 // writers
    steps = [("transfer", f"p{number}", START_US + number, asked) for number in range(40)]
    file = tmp_path / "acts.json"
    file.write_text(json.dumps(steps))
    url = town.url.render_as_string(hide_password=False)
    job = {"do": "acts", "url": url, "file": str(file), "group": 1, "gate": str(gate)}
    jobs = [job | {"name": f"w{one}", "from": one * each, "to": (one + 1) * each} for one in range(writers)]
    acknowledged = []
    with warm_workers() as workers, gate.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        workers.start(*jobs)
        ready = 0
        for words in workers.lines(writers):
            assert words[1] != "failed", words
            ready += words[1] == "ready"
            if words[1] == "ready" and ready == writers:
                fcntl.flock(lock, fcntl.LOCK_UN)
            if words[1] == "ack":
                acknowledged.append(words[4:])
    outcomes = Counter("done" if status == "done" else code for status, code in acknowledged)
    assert outcomes == {"done": 200 // 7, "C18": 40 - 200 // 7}
    assert held(town, "B") == (7 * (200 // 7), 0)
    proven(town)
