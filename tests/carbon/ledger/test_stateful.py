"""Random acts on the ledger and on a model of it in plain Python: both must say the same after every single act.

One long run of 10,000 acts with its seed printed on failure (GREENFIN_TEST_SEED repeats it), and shorter ones in which
Hypothesis looks for the smallest sequence that breaks something.
"""

import os
from itertools import pairwise
from random import Random, SystemRandom

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text

from carbon.errors import CarbonError
from carbon.ledger.audit import audit
from carbon.ledger.orders import BadOrder, IdInUse
from carbon.ledger.post import begin_writing
from carbon.ledger.seed import movements

from .acts import START_US, Source, Step, do_step, national_rules, outcome_of, town_steps
from .model import Clash, Malformed, Outcome, Unit
from .model_verbs import Account, Model
from .proof import faults, rows, state

ACTS = int(os.environ.get("GREENFIN_TEST_ACTS", "10000"))
GROUP = 100


def model_of(connection: Connection) -> Model:
    """A model that begins where the seeded ledger begins."""
    accepts = rows(connection, "SELECT scheme, unit_scheme FROM registry_acceptance")
    keys = ("kind", "source_type", "target_type", "unit_kind")
    allowed = {tuple(row[key] for key in keys): row["from_blocked"] for row in movements().to_dicts()}
    model = Model([tuple(row) for row in accepts], allowed)
    model.schemes = {row.scheme: row.state for row in rows(connection, "SELECT scheme, state FROM registry_scheme")}
    for row in rows(connection, "SELECT code, scheme, type FROM registry_account"):
        model.accounts[row.code] = Account(row.scheme, row.type, None)
    query = "SELECT code, scheme, kind, serialised, vintage_to FROM registry_instrument"
    for row in rows(connection, query):
        model.units[row.code] = Unit(row.scheme, row.kind, bool(row.serialised), (), row.vintage_to)
    return model


class Pair:
    """The ledger and its model, side by side, on one writer's connection."""

    def __init__(self, connection: Connection, model: Model) -> None:
        self.connection = connection
        self.model = model
        self.done = 0
        self.codes: dict[str, int] = {}

    def do(self, step: Step) -> None:
        before = len(self.model.legs)
        said, expected = self.ledger_says(step), self.model_says(step)
        assert said == expected, f"{step}: the ledger says {said}, the model {expected}"
        for one in said if isinstance(said, list) else [said]:
            self.codes[one[1] or one[0]] = self.codes.get(one[1] or one[0], 0) + 1
        self.check_holdings(step)
        moved = {(name, leg.unit) for leg in self.model.legs[before:] for name in (leg.source, leg.target)}
        for account, unit in moved:
            self.check_blocks(account, unit, step)

    def ledger_says(self, step: Step) -> object:
        try:
            came = do_step(self.connection, step)
        except IdInUse:
            return ("clash", None, False)
        except (BadOrder, CarbonError):
            return ("malformed", None, False)
        return [outcome_of(one) for one in came] if isinstance(came, list) else outcome_of(came)

    def model_says(self, step: Step) -> object:
        verb, client_id, at, asked = step
        try:
            came = self.model.expire(client_id, at) if verb == "expire" else self.model.do(verb, client_id, at, asked)
        except Clash:
            return ("clash", None, False)
        except Malformed:
            return ("malformed", None, False)
        plain = [(one.status, one.code, one.replayed) for one in (came if isinstance(came, list) else [came])]
        return plain if isinstance(came, list) else plain[0]

    def check_holdings(self, step: Step) -> None:
        query = (
            "SELECT a.code, i.code AS unit, h.quantity, h.reserved FROM registry_holding h"
            " JOIN registry_account a ON a.id = h.account_id JOIN registry_instrument i ON i.id = h.instrument_id"
            " WHERE h.quantity <> 0 OR h.reserved <> 0"
        )
        found = {(row.code, row.unit): (row.quantity, row.reserved) for row in rows(self.connection, query)}
        model = self.model
        assert found == {
            key: (held, model.reserved[key]) for key, held in list(model.held.items()) if held or model.reserved[key]
        }, step
        sums: dict[str, int] = {}
        for (_account, unit), (held, _reserved) in found.items():
            sums[unit] = sums.get(unit, 0) + held
        assert not any(sums.values()), f"{step}: the units add up to {sums}, expected zero each"

    def check_blocks(self, account: str, unit: str, step: Step) -> None:
        query = (
            "SELECT serial_first, serial_last, reserve_id IS NOT NULL FROM registry_block WHERE instrument_id ="
            " (SELECT id FROM registry_instrument WHERE code = :unit) AND account_id ="
            " (SELECT id FROM registry_account WHERE code = :account) ORDER BY serial_first"
        )
        found = [tuple(row) for row in self.connection.execute(text(query), {"unit": unit, "account": account})]
        own = [block for block in self.model.blocks[unit] if block.account == account]
        expected = [(block.first, block.last, block.reserve is not None) for block in own]
        assert found == expected, f"{step}: blocks of {unit} at {account}"

    def check_everything(self) -> None:
        """The whole ledger against itself and against the model."""
        assert faults(self.connection) == []
        model, said = self.model, state(self.connection)
        acts = {one[0]: one for one in said["acts"] if not one[0].startswith("seed:")}
        found = {name: Outcome(one[5], one[6]) for name, one in acts.items()}
        assert found == {name: act.outcome for name, act in model.acts.items()}
        blocks = [(unit, one.first, one.last, one.account) for unit in model.blocks for one in model.blocks[unit]]
        assert sorted(one[:4] for one in said["blocks"]) == sorted(blocks)
        for blocks_of_unit in model.blocks.values():
            ends = [(block.first, block.last) for block in blocks_of_unit]
            assert all(last < first for (_, last), (first, _) in pairwise(ends))
        assert {one[0]: one[3] for one in said["accounts"]} == {
            code: account.status for code, account in model.accounts.items()
        }
        assert dict(said["schemes"]) == model.schemes
        stated = [(one.account, one.year, one.kind, one.quantity, one.act) for one in model.statements]
        assert [(*one[:3], *one[4:]) for one in said["statements"]] == stated
        legs: dict[int, list[object]] = {}
        query = (
            "SELECT l.id, l.phase, l.quantity, p.serial_first, p.serial_last FROM registry_transfer l"
            " LEFT JOIN registry_piece p ON p.transfer_id = l.id ORDER BY l.id, p.serial_first"
        )
        for row in rows(self.connection, query):
            pieces = [] if row.serial_first is None else [(row.serial_first, row.serial_last)]
            legs.setdefault(row.id, [row.phase, row.quantity]).extend(pieces)
        assert list(legs.values()) == [[leg.phase, leg.quantity, *leg.pieces] for leg in model.legs]


def test_ten_thousand_acts(ledger: Engine) -> None:
    seed = int(os.environ.get("GREENFIN_TEST_SEED") or SystemRandom().getrandbits(32))
    random = Random(seed)
    source, steps = Source(random), town_steps()
    with ledger.connect() as connection:
        begin_writing(connection)
        pair = Pair(connection, model_of(connection))
        done = 0
        try:
            while done < ACTS:
                kept = pair.model.copied()
                group = steps if done == 0 else [source.next() for _ in range(GROUP)]
                for step in group:
                    pair.do(step)
                done += len(group)
                if done <= 10 * GROUP or done % (5 * GROUP) < GROUP:
                    pair.check_everything()
                # A writer who gives up leaves no trace; the next one finds the ledger as it was.
                if random.random() < 0.1 and done > GROUP:
                    connection.rollback()
                    pair.model = kept
                else:
                    connection.commit()
                begin_writing(connection)
        except BaseException as failure:
            failure.add_note(f"GREENFIN_TEST_SEED={seed} after {done} acts")
            raise
    with ledger.connect() as connection:
        findings = audit(connection, rules=national_rules())
    errors = findings.filter(findings["severity"] == "error")
    assert errors.is_empty(), (f"GREENFIN_TEST_SEED={seed}", errors.to_dicts()[:5])
    # A run that refuses everything, or nothing, would prove little.
    assert pair.codes["done"] > 0.3 * done, pair.codes
    if done >= 5000:
        usual = {"C01", "C02", "C03", "C04", "C06", "C07", "C08", "C09", "C10", "C11", "C13", "C14", "C17", "C18"}
        assert usual | {"C22", "C23", "C27", "C28", "C29", "C42", "clash", "malformed"} <= pair.codes.keys()


accounts = st.sampled_from(("A", "B", "T", "HA", "CN:government", "nobody"))
operators = st.sampled_from(("A", "B"))
units = st.sampled_from(("CEA24", "PLAIN", "CNY"))
quantities = st.sampled_from((1, 2, 3, 5, 10))
serials = st.none() | st.integers(1, 12)


def machine_of(ledger: Engine, model: Model) -> type[RuleBasedStateMachine]:
    """A machine whose every example is one writer's transaction on the same ledger, undone at its end."""

    class LedgerMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.connection = ledger.connect()
            begin_writing(self.connection)
            self.pair = Pair(self.connection, model.copied())
            self.number = 0
            self.now = START_US + 1000
            self.reservations: list[str] = []
            self.last: Step | None = None

        def act(self, verb: str, **asked: object) -> None:
            self.number += 1
            self.last = (verb, f"h{self.number}", self.now, asked)
            self.pair.do(self.last)

        @rule(unit=st.sampled_from(("CEA24", "PLAIN")), quantity=quantities)
        def issue(self, unit, quantity):
            self.act("issue", scheme="CN", instrument=unit, quantity=quantity, target="A")

        @rule(account=operators, quantity=quantities)
        def deposit(self, account, quantity):
            self.act("deposit", scheme="CN", account=account, instrument="CNY", quantity=quantity)

        @rule(source=accounts, to=accounts, unit=units, quantity=quantities, first=serials)
        def transfer(self, source, to, unit, quantity, first):
            asked = {"source": source, "target": to, "instrument": unit, "quantity": quantity}
            self.act("transfer", first_serial=first, **asked)

        @rule(one=operators, other=operators, unit=units, tonnes=quantities, fen=quantities, hold=st.booleans())
        def swap(self, one, other, unit, tonnes, fen, hold):
            both = [[one, other, unit, tonnes, None], [other, one, "CNY", fen, None]]
            if hold:
                self.reservations.append(f"h{self.number + 1}")
                self.act("reserve", movements=both, expires_at_us=self.now + 3)
            else:
                self.act("transfer_linked", movements=both)

        @precondition(lambda self: self.reservations)
        @rule(data=st.data(), part=st.none() | st.lists(quantities, max_size=2), give_up=st.booleans())
        def end(self, data, part, give_up):
            name = data.draw(st.sampled_from(self.reservations))
            if give_up:
                self.act("void", reservation=name)
            else:
                self.act("settle", reservation=name, quantities=part)

        @rule(account=operators, quantity=quantities, first=serials)
        def surrender(self, account, quantity, first):
            asked = {"scheme": "CN", "account": account, "instrument": "CEA24", "quantity": quantity}
            self.act("surrender", compliance_year=2024, first_serial=first, **asked)

        @precondition(lambda self: self.number)
        @rule(data=st.data())
        def reverse(self, data):
            number = data.draw(st.integers(1, self.number))
            self.act("reverse", original=f"h{number}", reason="x")

        @rule(verb=st.sampled_from(("block_account", "unblock_account", "close_account")), account=accounts)
        def change(self, verb, account):
            self.act(verb, account=account)

        @rule(verb=st.sampled_from(("open_scheme", "close_scheme")))
        def toggle(self, verb):
            self.act(verb, scheme="CN")

        @rule()
        def later(self):
            self.now += 1
            self.act("expire")

        @precondition(lambda self: self.last)
        @rule(quantity=st.none() | quantities)
        def again(self, quantity):
            verb, name, at, asked = self.last
            changed = asked | {"quantity": quantity} if quantity and "quantity" in asked else asked
            self.pair.do((verb, name, at + 1, changed))

        @invariant()
        def nothing_contradicts(self):
            self.pair.check_everything()

        def teardown(self) -> None:
            self.connection.rollback()
            self.connection.close()

    return LedgerMachine


def test_the_smallest_sequence_that_breaks_it(ledger: Engine) -> None:
    with ledger.connect() as connection:
        begin_writing(connection)
        small = [step for step in town_steps() if step[0] in ("register_entity", "open_account", "add_instrument")]
        pair = Pair(connection, model_of(connection))
        for step in small:
            pair.do(step)
        connection.commit()
    machine = machine_of(ledger, pair.model)
    budget = settings(
        max_examples=int(os.environ.get("GREENFIN_TEST_EXAMPLES", "40")),
        stateful_step_count=40,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(machine, settings=budget)
