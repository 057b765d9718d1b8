"""Any order of consent, records, certifications and erasures, against plain Python: same balances, caps and totals."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine

from carbon.footprints.persons.accounts import register_platform
from carbon.footprints.persons.credits import certification_rows, certify
from carbon.footprints.persons.erasure import erase_person
from carbon.footprints.persons.hashing import Salts
from carbon.footprints.persons.methods import all_methods
from carbon.footprints.persons.record import claims_schema, record_claims
from carbon.footprints.persons.refusals import PersonRefusal
from carbon.footprints.persons.totals import account_rows, totals
from carbon.ledger.post import writing

from .world import CLAIMS, SCHEME, TODAY, act
from .world import consents as ask_consents

PERSONS, METHODS = ("ann", "bob"), ("big", "bus")
CAP_DAY_G, CAP_YEAR_G, TONNE_G = 1_000, 2_500, 1_000_000
numbers = count(1)


@dataclass
class Person:
    """What the model keeps of one account."""

    consents: list[tuple[str, str, str, date]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def agrees(self, purpose: str, method: str, day: date) -> bool:
        told = [e for e, p, m, begins in self.consents if p == purpose and m in (method, "*") and begins <= day]
        return bool(told) and told[-1] == "given"

    def credited(self, method: str, day: date) -> int:
        grams = 0
        for entry in self.entries:
            if entry["method"] == method and entry["day"] == day:
                grams += entry["credited"]
        return grams

    def credited_year(self, method: str, year: int) -> int:
        return sum(e["credited"] for e in self.entries if e["method"] == method and e["day"].year == year)


class Accounts(RuleBasedStateMachine):
    """One platform of its own on the shared database."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.name = f"p{next(numbers)}"
        self.salts = Salts(self.name.ljust(40, "!").encode(), CLAIMS)
        self.today = TODAY
        self.persons: dict[str, Person] = {}
        self.erased: list[dict[str, Any]] = []
        self.claims: dict[int, tuple[Any, ...]] = {}
        self.lost: set[int] = set()
        self.order = count()
        self.tonnes = 0
        with writing(self.engine) as connection:
            ledger = {"scheme": SCHEME, "ledger_account": "APP", "instrument": "WHTPH"}
            register_platform(connection, platform=self.name, name="P", salts=self.salts, at_us=1, **ledger)

    @rule(
        person=st.sampled_from(PERSONS),
        event=st.sampled_from(["given", "given", "given", "withdrawn"]),
        back=st.integers(0, 40),
        purposes=st.sampled_from([["record"], ["certify"], ["record", "certify"]]),
        methods=st.sampled_from([["*"], ["*"], ["big"], ["bus"]]),
    )
    def consent(self, person: str, event: str, back: int, purposes: list[str], methods: list[str]) -> None:
        day = self.today if event == "withdrawn" else self.today - timedelta(back)
        given = {"event": event, "day": day, "purposes": purposes, "methods": methods}
        with writing(self.engine) as connection:
            from .world import SALTS

            SALTS[self.name] = self.salts
            told = ask_consents(connection, person, platform=self.name, today=self.today, **given)
        if event == "withdrawn" and person not in self.persons:
            assert told == [("refused", "unknown_person")]
            return
        assert told[0][1] is None
        mine = self.persons.setdefault(person, Person())
        mine.consents += [(event, purpose, method, day) for purpose in purposes for method in methods]

    @rule(
        asked=st.lists(
            st.tuples(
                st.sampled_from(PERSONS), st.integers(1, 12), st.sampled_from(METHODS), st.integers(0, 3),
                st.integers(1, 9),
            ),
            min_size=1,
            max_size=4,
        )
    )  # fmt: skip
    def record(self, asked: list[tuple[str, int, str, int, int]]) -> None:
        rows, expected, seen = [], [], dict[int, tuple[Any, ...]]()
        for row, (person, number, method, back, tenths) in enumerate(asked):
            day = self.today - timedelta(back)
            milli = tenths * 200 if method == "big" else tenths * 1_000
            content = (person, day, method, milli)
            unit = "kWh" if method == "big" else "pkm"
            rows.append((row, f"{self.name}-{number}", person, day, method, milli, unit))
            expected.append(self._expect(number, content, seen))
            seen.setdefault(number, (content, expected[-1][0] != "refused", expected[-1][1]))
        with writing(self.engine) as connection:
            told = record_claims(
                connection,
                platform=self.name,
                salts=self.salts,
                claims=pl.DataFrame(rows, schema=claims_schema(), orient="row"),
                methods=all_methods(connection),
                today=self.today,
                at_us=next(numbers),
            )
        assert told.rows.select("status", "code", "credited_g").rows() == expected

    def _expect(self, number: int, content: tuple[Any, ...], seen: dict[int, tuple[Any, ...]]) -> tuple[Any, ...]:
        if number in seen:
            first, kept, code = seen[number]
            if content != first:
                return ("refused", "claim_in_use", None)
            return ("replayed", None, self.claims[number][1]) if kept else ("refused", code, None)
        if number in self.lost:
            return ("refused", "claimed_before", None)
        if number in self.claims:
            same = self.claims[number][0] == content
            return ("replayed", None, self.claims[number][1]) if same else ("refused", "claim_in_use", None)
        person, day, method, milli = content
        mine = self.persons.get(person)
        if mine is None:
            return ("refused", "unknown_person", None)
        if not (mine.agrees("record", method, day) and mine.agrees("record", method, self.today)):
            return ("refused", "no_consent", None)
        reduction = milli * 1_000 if method == "big" else milli // 10
        credited = reduction
        if method == "bus":
            left_day = max(CAP_DAY_G - mine.credited(method, day), 0)
            credited = min(reduction, left_day, max(CAP_YEAR_G - mine.credited_year(method, day.year), 0))
        mine.entries.append(
            {
                **{"method": method, "day": day, "reduction": reduction, "credited": credited, "certified": 0},
                **{"order": next(self.order), "number": number},
            }
        )
        self.claims[number] = (content, credited)
        return ("recorded", None, credited)

    @rule(tonnes=st.none() | st.integers(1, 3))
    def certify(self, tonnes: int | None) -> None:
        ready = sorted(
            (
                entry
                for person in self.persons.values()
                for entry in person.entries
                if person.agrees("certify", entry["method"], self.today)
            ),
            key=lambda entry: (entry["day"], entry["order"]),
        )
        there = sum(entry["credited"] - entry["certified"] for entry in ready) // TONNE_G
        wanted = there if tonnes is None else tonnes
        asked = act(f"{self.name}-{next(numbers)}", next(numbers))
        with writing(self.engine) as connection:
            if wanted > there or wanted == 0:
                with pytest.raises(PersonRefusal, match="too_little"):
                    certify(connection, asked, platform=self.name, today=self.today, tonnes=tonnes)
                return
            made = certify(connection, asked, platform=self.name, today=self.today, tonnes=tonnes)
        assert made.tonnes == wanted
        self.tonnes += wanted
        missing = wanted * TONNE_G
        for entry in ready:
            part = min(entry["credited"] - entry["certified"], missing)
            entry["certified"] += part
            missing -= part

    @rule(person=st.sampled_from(PERSONS))
    def erase(self, person: str) -> None:
        asked = {"platform": self.name, "salts": self.salts, "person": person, "today": self.today}
        with writing(self.engine) as connection:
            assert erase_person(connection, **asked) == (person in self.persons)
            assert not erase_person(connection, **asked)
        gone = self.persons.pop(person, None)
        if gone is not None:
            self.erased += gone.entries
            self.lost |= {entry["number"] for entry in gone.entries}

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.today += timedelta(days)

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        with self.engine.connect() as connection:
            for person in PERSONS:
                rows = account_rows(connection, platform=self.name, salts=self.salts, person=person)
                entries = self.persons[person].entries if person in self.persons else []
                columns = ("reduction", "credited", "certified")
                assert [rows[f"{name}_g"].sum() for name in columns] == [
                    sum(entry[name] for entry in entries) for name in columns
                ]
                assert (rows["balance_g"] >= 0).all()

    @invariant()
    def totals_are_those_of_everybody_ever(self) -> None:
        every = self.erased + [entry for person in self.persons.values() for entry in person.entries]
        expected: dict[tuple[str, str], list[int]] = {}
        for entry in every:
            sums = expected.setdefault((f"{entry['day']:%Y-%m}", entry["method"]), [0, 0, 0, 0])
            for place, grams in enumerate((1, entry["reduction"], entry["credited"], entry["certified"])):
                sums[place] += grams
        with self.engine.connect() as connection:
            rows = totals(connection, by=("platform", "month", "method")).filter(platform=self.name)
            made = certification_rows(connection, self.name)
        told = rows.select("month", "method", "entries", "reduction_g", "credited_g", "certified_g").rows()
        assert {(row[0], row[1]): list(row[2:]) for row in told} == expected
        assert made["tonnes"].sum() == self.tonnes
        assert (made["grams"] == made["tonnes"] * TONNE_G).all()


def test_any_order_of_acts_keeps_to_the_model(registry: Engine) -> None:
    class Here(Accounts):
        engine = registry

    few = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Here, settings=few)
