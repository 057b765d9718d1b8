"""Several writers at once: one claim is credited once, one gram is certified once, an erasure is whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from carbon.footprints.persons.credits import certify
from carbon.footprints.persons.erasure import erase_person
from carbon.footprints.persons.refusals import PersonRefusal
from carbon.footprints.persons.totals import totals
from carbon.ledger.post import writing

from .world import PLATFORM, SALTS, TODAY, act, claim, consents, one, outcome, record

Work = Callable[[Connection], Any]


def at_once(engine: Engine, works: list[Work]) -> list[Any]:
    """What each writer's work came to, all beginning together; a refusal stands where one was raised."""
    barrier = Barrier(len(works))

    def run(work: Work) -> Any:
        with engine.connect():
            barrier.wait()
        try:
            with writing(engine) as connection:
                return work(connection)
        except PersonRefusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.parametrize("writers", [2, 8])
def test_of_many_the_same_claim_is_recorded_once(registry: Engine, writers: int) -> None:
    with writing(registry) as connection:
        consents(connection, "ann")
        consents(connection, "ann", platform="other")
    platforms = [("app", "other")[number % 2] for number in range(writers)]

    def work(platform: str, order: int) -> Work:
        rides = [1, 2, 3] if order % 3 else [3, 2, 1]
        return lambda connection: outcome(record(connection, *(claim(ride) for ride in rides), platform=platform))

    told = at_once(registry, [work(platform, number) for number, platform in enumerate(platforms)])
    flat = [(platform, row[0], row[1]) for platform, rows in zip(platforms, told, strict=True) for row in rows]
    winners = {platform for platform, status, _code in flat if status == "recorded"}
    assert len([status for _platform, status, _code in flat if status == "recorded"]) == 3
    assert len(winners) == 1
    assert {(status, code) for platform, status, code in flat if platform not in winners} == {
        ("refused", "claimed_before")
    }
    with registry.connect() as connection:
        assert totals(connection, by=()).row(0)[:3] == (3, 3000, 3000)


def test_a_tonne_is_certified_by_one_of_many(registry: Engine) -> None:
    with writing(registry) as connection:
        consents(connection, "ann")
        record(connection, claim(1, method="big", unit="kWh", amount_milli=1_500))

    def work(number: int) -> Work:
        return lambda connection: certify(connection, act(f"c{number}"), platform=PLATFORM, today=TODAY).tonnes

    assert sorted(at_once(registry, [work(number) for number in range(4)]), key=str) == [1, *["too_little"] * 3]
    with registry.connect() as connection:
        assert one(connection, "SELECT sum(grams) FROM person_share") == 1_000_000


def test_erasing_certifying_and_recording_at_once_keep_the_sums(registry: Engine) -> None:
    with writing(registry) as connection:
        consents(connection, "ann", "bob")
        record(
            connection,
            claim(1, method="big", unit="kWh", amount_milli=1_500),
            claim(2, method="big", unit="kWh", amount_milli=1_500, person="bob"),
        )
    works: list[Work] = [
        lambda connection: erase_person(
            connection, platform=PLATFORM, salts=SALTS[PLATFORM], person="ann", today=TODAY
        ),
        lambda connection: certify(connection, act("c1"), platform=PLATFORM, today=TODAY, tonnes=1).tonnes,
        lambda connection: outcome(record(connection, claim(3)))[0][0],
    ]
    erased, tonnes, status = at_once(registry, works)
    assert erased is True
    assert tonnes == 1
    with registry.connect() as connection:
        entries, _reduction, credited, over, certified, _open = totals(connection, by=()).row(0)
    walked = 1 if status == "recorded" else 0
    assert (entries, credited, over, certified) == (2 + walked, 3_000_000 + 1000 * walked, 0, 1_000_000)
