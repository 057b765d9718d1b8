"""Activities in SQL: twice changes nothing, corrections are new rows, and the database itself refuses nonsense."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import polars as pl
import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, insert

from carbon.footprints.activities import content_hashes, with_ids
from carbon.footprints.activity_store import read_stored, store_activities
from carbon.footprints.activity_tables import FootprintActivity
from carbon.footprints.periods import first_day_expr, last_day_expr
from carbon.footprints.schemas import activities_schema

BASE = {
    **{"entity": "plant-1", "share": 1.0, "period": "2023-06", "scope": 2, "category": "electricity", "hub": "wuhan"},
    **{"activity": "electricity", "amount": 100.0, "unit": "MWh", "credit_note": False, "recorded": date(2024, 1, 15)},
}


@pytest.fixture
def session(engine) -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


def rows(*changes, file="a.csv"):
    schema = activities_schema()
    made = [
        {**dict.fromkeys(schema), **BASE, "file": file, "row": at, **one} for at, one in enumerate(changes, start=2)
    ]
    frame = pl.DataFrame(made, schema=schema, orient="row")
    period = pl.col("period")
    return with_ids(frame.with_columns(first_day=first_day_expr(period), last_day=last_day_expr(period)))


def counts(report):
    assert report.given == report.new + report.already_loaded + report.refused
    return report.new, report.already_loaded, report.refused


def codes(report):
    return [(problem.code, problem.row) for problem in report.problems]


def test_what_is_stored_is_read_back_as_it_was(session):
    given = rows(
        {"lower": 90.0, "upper": 110.0, "distribution": "normal", "verified": True, "evidence": "invoice"},
        {"period": "2023-05", "amount": -0.1, "credit_note": True, "platform": "app", "method": "market"},
        {"entity": "another", "period": "2023-Q1", "recorded": None, "hub": None},
    )
    assert counts(store_activities(session, given)) == (3, 0, 0)
    found = read_stored(session)
    assert found.schema == activities_schema()
    assert found.equals(given.sort("entity", "first_day", "scope", "category", "activity", "activity_id"))


def test_twice_changes_nothing_from_whatever_file(session):
    assert counts(store_activities(session, rows({}, {"period": "2023-07"}))) == (2, 0, 0)
    first = read_stored(session)
    again = rows({"recorded": date(2025, 1, 1)}, {"period": "2023-07"}, {"period": "2023-08"}, file="b.csv")
    assert counts(store_activities(session, again)) == (1, 2, 0)
    found = read_stored(session)
    assert found.filter(pl.col("file") == "a.csv").equals(first)
    assert found.height == 3


def test_what_stored_rows_count_already_is_refused(session):
    store_activities(session, rows({}))
    report = store_activities(session, rows({"period": "2023"}, {"period": "2023-07"}, file="b.csv"))
    assert counts(report) == (1, 0, 1)
    assert codes(report) == [("period_overlap", 2)]
    assert "a.csv row 2" in report.problems[0].found
    assert report.problems[0].file == "b.csv"


def test_platforms_are_met_from_either_side(session):
    ride = {"scope": 3, "category": "c07", "activity": "bus", "unit": "pkm", "evidence_ref": "trip-9"}
    person, platform = {**ride, "entity": "person-1", "platform": "app"}, {**ride, "entity": "app"}
    store_activities(session, rows(person))
    assert codes(store_activities(session, rows(platform))) == [("claimed_by_platform", 2)]
    other = {"entity": "person-2", "platform": "app", "period": "2023-09"}
    store_activities(session, rows({**platform, "period": "2023-09"}))
    assert codes(store_activities(session, rows({**person, **other}))) == [("claimed_by_platform", 2)]


def test_a_correction_takes_the_place_of_its_row(session):
    first = rows({"activity_id": "june"})
    store_activities(session, first)
    corrected = rows({"activity_id": "june-2", "amount": 120.0, "replaces": "june"}, file="b.csv")
    assert counts(store_activities(session, corrected)) == (1, 0, 0)
    assert read_stored(session)["amount"].to_list() == [120.0]
    assert set(read_stored(session, replaced=True)["amount"]) == {100.0, 120.0}
    # Both files again: nothing comes back to life.
    assert counts(store_activities(session, first)) == (0, 1, 0)
    assert counts(store_activities(session, corrected)) == (0, 1, 0)
    assert read_stored(session)["amount"].to_list() == [120.0]
    # A year may replace its month.
    year = rows({"activity_id": "year", "period": "2023", "replaces": "june-2"})
    assert counts(store_activities(session, year)) == (1, 0, 0)


def test_corrections_that_cannot_be(session):
    store_activities(session, rows({"activity_id": "june"}))
    store_activities(session, rows({"activity_id": "june-2", "replaces": "june", "amount": 1.0}))
    again = rows({"activity_id": "june-3", "replaces": "june", "amount": 2.0})
    assert codes(store_activities(session, again)) == [("replaced_before", 2)]
    unknown = rows({"activity_id": "x", "replaces": "nobody", "period": "2021"})
    assert codes(store_activities(session, unknown)) == [("unknown_replaced", 2)]
    # Neither can two rows of a file correct each other, nor one that stands below.
    circle = rows({"activity_id": "a", "replaces": "b", "period": "2020"}, {"activity_id": "b", "period": "2020-01"})
    report = store_activities(session, circle)
    assert codes(report) == [("unknown_replaced", 2)]
    assert counts(report) == (1, 0, 1)
    both = rows(
        {"activity_id": "c", "period": "2019"},
        {"activity_id": "d", "replaces": "c", "period": "2019", "amount": 1.0},
        {"activity_id": "e", "replaces": "c", "period": "2019", "amount": 2.0},
    )
    assert codes(store_activities(session, both)) == [("replaced_before", 4)]


def test_a_chain_of_corrections_in_one_file(session):
    chain = rows(
        {"activity_id": "one"},
        {"activity_id": "two", "replaces": "one", "amount": 2.0},
        {"activity_id": "three", "replaces": "two", "amount": 3.0},
    )
    assert counts(store_activities(session, chain)) == (3, 0, 0)
    assert read_stored(session)["activity_id"].to_list() == ["three"]


def test_the_correction_of_a_refused_row_is_refused_too(session):
    store_activities(session, rows({}))
    broken = rows(
        {"activity_id": "taken", "replaces": "nobody", "period": "2020"},
        {"activity_id": "after", "replaces": "taken", "period": "2020", "amount": 1.0},
        {"activity_id": "last", "replaces": "after", "period": "2020", "amount": 2.0},
    )
    report = store_activities(session, broken)
    assert counts(report) == (0, 0, 3)
    assert codes(report) == [("unknown_replaced", 2), ("unknown_replaced", 3), ("unknown_replaced", 4)]


def test_reading_some(session):
    store_activities(
        session, rows({}, {"entity": "b", "recorded": date(2025, 1, 1)}, {"entity": "c", "recorded": None})
    )
    assert read_stored(session, entities=["b", "nobody"])["entity"].to_list() == ["b"]
    assert read_stored(session, entities=[]).is_empty()
    assert read_stored(session, since=date(2025, 1, 1))["entity"].to_list() == ["b"]


def test_of_two_writers_at_once_one_finds_what_the_other_wrote(engine):
    start = Barrier(2)

    def write(given):
        with Session(engine) as session:
            start.wait()
            return store_activities(session, given)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(write, [rows({}), rows({"period": "2023"}, file="b.csv")]))
    assert sorted(counts(report) for report in reports) == [(0, 0, 1), (1, 0, 0)]


def test_a_failed_write_leaves_nothing_and_locks_nobody_out(session):
    with pytest.raises(IntegrityError):
        store_activities(session, rows({}, {"period": "2023-07", "share": 2.0}))
    assert read_stored(session).is_empty()
    assert counts(store_activities(session, rows({}))) == (1, 0, 0)


def test_nothing_to_store(session):
    assert counts(store_activities(session, rows({}).clear())) == (0, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": 4},
        {"category": "mobile"},
        {"category": None},
        {"amount": -1.0},
        {"amount": 1.0, "credit_note": True},
        {"share": 1.1},
        {"lower": 101.0},
        {"upper": 99.0},
        {"scope": 1, "category": "mobile", "method": "market"},
        {"evidence": "rumour"},
        {"distribution": "bell"},
        {"recorded": date(2023, 5, 1)},
        {"replaces": "nobody"},
        {"last_day": date(2023, 1, 1)},
        {"content": "short"},
    ],
)
def test_the_database_refuses_what_no_row_may_be(session, wrong):
    good = rows({}).with_columns(content=content_hashes(rows({}))).row(0, named=True)
    with pytest.raises(IntegrityError):
        session.exec(insert(FootprintActivity), params=[{**good, **wrong}])
    session.rollback()
    session.exec(insert(FootprintActivity), params=[good])
