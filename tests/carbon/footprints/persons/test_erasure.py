"""After an erasure nobody finds the person, and every total is what it was."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, SQLModel

from carbon.footprints.persons.accounts import find_account
from carbon.footprints.persons.credits import certification_rows, certify
from carbon.footprints.persons.erasure import erase_person, overwrite_traces
from carbon.footprints.persons.hashing import person_hash
from carbon.footprints.persons.totals import (
    PARTS,
    account_rows,
    consent_rows,
    personal_accounts,
    printed_accounts,
    totals,
)
from carbon.ledger.post import begin_writing, writing

from .world import JUNE, PLATFORM, SALTS, TODAY, act, claim, codes, consents, record

ANN = {"platform": PLATFORM, "salts": SALTS[PLATFORM], "person": "ann"}
BIG = {"method": "big", "unit": "kWh"}


@pytest.fixture
def two_persons(registry: Engine) -> Engine:
    """Ann and Bob with entries in two months, 2 t of their 2.3 t certified."""
    with writing(registry) as connection:
        consents(connection, "ann", "bob")
        record(
            connection,
            claim(1, **BIG, amount_milli=1_200),
            claim(2, **BIG, amount_milli=700, person="bob"),
            claim(3, **BIG, amount_milli=400, day=date(2025, 5, 31)),
            claim(4, method="bus", amount_milli=30_000),
        )
        assert certify(connection, act("c1"), platform=PLATFORM, today=TODAY, tonnes=1, rule="pro_rata").receipt.done
        assert certify(connection, act("c2"), platform=PLATFORM, today=TODAY, tonnes=1).receipt.done
    return registry


def erase(engine: Engine, person: str = "ann") -> bool:
    with writing(engine) as connection:
        return erase_person(connection, **{**ANN, "person": person}, today=TODAY)


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }


def all_totals(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        parts = [totals(connection, by=by).rows() for by in ((), ("hub", "month"), PARTS, ("method",))]
        return [*parts, certification_rows(connection).rows()]


def test_totals_and_tonnes_stay_and_the_person_is_gone(two_persons: Engine) -> None:
    before = all_totals(two_persons)
    with two_persons.connect() as connection:
        account = find_account(connection, **ANN)
    digest = person_hash(SALTS[PLATFORM], PLATFORM, "ann")
    assert account is not None
    assert erase(two_persons)
    assert all_totals(two_persons) == before
    cells = {str(cell) for rows in everything(two_persons).values() for row in rows for cell in row}
    assert not [cell for cell in cells if account in cell or digest in cell or cell == "ann"]
    with two_persons.connect() as connection:
        assert find_account(connection, **ANN) is None
        assert account_rows(connection, **ANN).is_empty()
        assert consent_rows(connection, **ANN).is_empty()
        assert connection.execute(text("SELECT count(*) FROM person_entry")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM person_consent")).scalar() == 2
        assert connection.execute(text("SELECT count(*) FROM person_erasing")).scalar() == 0


def test_a_second_erasure_changes_nothing(two_persons: Engine) -> None:
    assert erase(two_persons)
    before = everything(two_persons)
    assert not erase(two_persons)
    assert not erase(two_persons, "a stranger")
    assert everything(two_persons) == before


def test_everybody_erased_leaves_the_totals(two_persons: Engine) -> None:
    before = all_totals(two_persons)
    assert erase(two_persons)
    assert erase(two_persons, "bob")
    assert all_totals(two_persons) == before
    assert everything(two_persons)["person_entry"] == []


def test_a_new_account_needs_a_new_consent_and_begins_at_nothing(two_persons: Engine) -> None:
    erase(two_persons)
    with writing(two_persons) as connection:
        assert codes(record(connection, claim(5))) == ["unknown_person"]
        # What was claimed stays claimed, though nobody can tell for whom.
        assert codes(record(connection, claim(1, **BIG, amount_milli=1_200))) == ["claimed_before"]
        assert consents(connection, "ann") == [("opened", None)]
        assert codes(record(connection, claim(5), claim(1, **BIG, amount_milli=1_200))) == ["claimed_before", None]
        assert account_rows(connection, **ANN)["balance_g"].to_list() == [1000]
    assert erase(two_persons)


def test_what_was_erased_is_never_certified(two_persons: Engine) -> None:
    erase(two_persons)
    with writing(two_persons) as connection:
        consents(connection, "ann")
        record(connection, claim(7, **BIG, amount_milli=999))
        # Bob's rest and 0.999 t of the new account; Ann's old rest is not counted.
        rest = 2_300_000 - 2_000_000
        assert rest == 300_000
        made = certify(connection, act("c3"), platform=PLATFORM, today=TODAY)
        assert (made.tonnes, made.receipt.done) == (1, True)
        assert certification_rows(connection)["grams"].to_list() == [1_000_000] * 3


def test_a_replayed_certification_is_told_after_an_erasure_too(two_persons: Engine) -> None:
    erase(two_persons)
    with writing(two_persons) as connection:
        again = certify(connection, act("c2"), platform=PLATFORM, today=TODAY, tonnes=1)
    assert (again.replayed, again.tonnes) == (True, 1)


def test_the_files_hold_nothing_of_an_erased_person(two_persons: Engine) -> None:
    if two_persons.dialect.name != "sqlite":
        # A vacuum frees what no transaction on the server sees any more; that it runs is all that is asserted here.
        assert erase(two_persons)
        overwrite_traces(two_persons)
        return
    place = Path(str(two_persons.url.database))
    with two_persons.connect() as connection:
        account = find_account(connection, **ANN)
    assert account is not None
    marks = [account.encode(), person_hash(SALTS[PLATFORM], PLATFORM, "ann").encode()]

    def stored() -> bytes:
        return b"".join(path.read_bytes() for path in place.parent.glob(f"{place.name}*"))

    assert all(mark in stored() for mark in marks)
    erase(two_persons)
    overwrite_traces(two_persons)
    assert not any(mark in stored() for mark in marks)


def test_an_erasure_that_fails_half_way_changes_nothing(two_persons: Engine) -> None:
    before = everything(two_persons)
    with two_persons.connect() as connection:
        begin_writing(connection)
        assert erase_person(connection, **ANN, today=TODAY)
        connection.rollback()
    assert everything(two_persons) == before


def test_accounts_of_cities_by_year_with_the_printed_figure_beside(registry: Engine) -> None:
    with Session(registry) as session:
        assert personal_accounts(session).rows() == [
            ("wuhan", "2024", 800_000, "China Environment News, tanjiaoyi.com article-80088-1 (2024-11-27)", True),
            ("wuhan", "2025", 1_600_000, "Hubei exchange, view_2464 (2025-05-26)", True),
        ]
    with writing(registry) as connection:
        consents(connection, "ann", day=date(2023, 6, 1))
        consents(connection, "bob", "cat", day=date(2024, 12, 31))
        consents(connection, "dan", day=JUNE, hub="shanghai")
        assert erase_person(connection, **ANN, today=date(2024, 3, 1))
    with Session(registry) as session:
        rows = personal_accounts(session).select("hub", "period", "accounts", "printed").rows()
    assert rows == [
        ("shanghai", "2025", 1, False),
        ("wuhan", "2023", 1, False),
        ("wuhan", "2024", 2, False),
        ("wuhan", "2024", 800_000, True),
        ("wuhan", "2025", 2, False),
        ("wuhan", "2025", 1_600_000, True),
    ]


def test_the_printed_figure_is_that_of_the_facts(outside_data: Path) -> None:
    import polars as pl

    facts = pl.read_csv(outside_data / "facts" / "hubei_wuhan_facts.csv", infer_schema_length=0)
    fact = facts.filter(pl.col("fact").str.starts_with("personal carbon accounts")).row(0, named=True)
    printed = printed_accounts().filter(source="Hubei exchange, view_2464").row(0, named=True)
    assert (str(printed["as_of"]), float(printed["accounts"])) == (fact["as_of"], float(fact["value"]))
    assert printed["source"].split("view_")[1] in fact["source"]


def test_caps_start_anew_for_whoever_enrols_again_but_no_act_counts_twice(registry: Engine) -> None:
    """The cap of a day of `bus` is 1,000 g, 100 g a kilometre: see the docstring of `erasure`."""
    ride = {"method": "bus", "amount_milli": 30_000}
    with writing(registry) as connection:
        consents(connection, "ann")
        assert record(connection, claim(1, **ride)).rows["credited_g"].to_list() == [1000]
        assert record(connection, claim(2, **ride)).rows["credited_g"].to_list() == [0]
    assert erase(registry)
    with writing(registry) as connection:
        consents(connection, "ann")
        assert codes(record(connection, claim(1, **ride))) == ["claimed_before"]
        assert record(connection, claim(3, **ride)).rows["credited_g"].to_list() == [1000]
