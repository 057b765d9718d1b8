"""The same activity counted twice, in each of its ways; and what looks like it and is not."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.activities import with_ids
from carbon.footprints.double_counting import find_double_counting, findings_schema
from carbon.footprints.periods import first_day_expr, last_day_expr
from carbon.footprints.schemas import activities_schema

BASE = {
    **{"entity": "plant-1", "share": 1.0, "period": "2023-06", "scope": 2, "category": "electricity"},
    **{"activity": "electricity", "amount": 100.0, "unit": "MWh", "credit_note": False},
}


def rows(*changes, file="a.csv"):
    schema = activities_schema()
    made = [
        {**dict.fromkeys(schema), **BASE, "file": file, "row": at, **one} for at, one in enumerate(changes, start=2)
    ]
    frame = pl.DataFrame(made, schema=schema, orient="row")
    period = pl.col("period")
    return with_ids(frame.with_columns(first_day=first_day_expr(period), last_day=last_day_expr(period)))


def told(new, stored=None):
    """code, index and the place of the other row, by index."""
    found = find_double_counting(new, stored)
    assert found.schema == findings_schema()
    places = found["found"].str.extract(r"which (\S+ row \d+) counts too")
    return list(zip(found["code"], found["index"], places, strict=True))


def test_nothing_is_counted_twice():
    months = [{"period": f"2023-{month:02}"} for month in range(1, 13)]
    assert told(rows(*months)) == []
    assert told(rows(*months).clear()) == []


def test_the_same_row_twice_in_a_file_but_not_when_it_is_stored():
    assert told(rows({}, {})) == [("repeated_row", 1, "a.csv row 2")]
    assert told(rows({}), rows({}, file="old.csv")) == []
    assert told(rows({}, {}), rows({}, file="old.csv")) == []


def test_an_id_with_other_content():
    new = rows({"activity_id": "x"}, {"activity_id": "x", "amount": 5.0, "period": "2023-07"})
    assert told(new) == [("id_used_twice", 1, "a.csv row 2")]
    stored = rows({"activity_id": "x", "period": "2022-01"}, file="old.csv")
    assert told(rows({"activity_id": "x"}), stored) == [("id_used_twice", 0, "old.csv row 2")]


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("2023", "2023-06"),
        ("2023", "2023-Q2"),
        ("2023", "2023-06-30"),
        ("2023-Q2", "2023-06"),
        ("2023-06", "2023-06-30"),
    ],
)
def test_a_year_beside_its_months_in_either_order(long, short):
    assert told(rows({"period": long}, {"period": short})) == [("period_overlap", 0, "a.csv row 3")]
    assert told(rows({"period": short}, {"period": long})) == [("period_overlap", 1, "a.csv row 2")]
    stored_long = rows({"period": long}, file="old.csv")
    assert told(rows({"period": short}), stored_long) == [("period_overlap", 0, "old.csv row 2")]
    stored_short = rows({"period": short}, file="old.csv")
    assert told(rows({"period": long}), stored_short) == [("period_overlap", 0, "old.csv row 2")]


@pytest.mark.parametrize("short", ["2023-Q3", "2023-07", "2023-07-01", "2022-06"])
def test_a_quarter_beside_another_time_is_no_overlap(short):
    assert told(rows({"period": "2023-Q2"}, {"period": short})) == []


def test_only_the_longer_rows_are_refused():
    new = rows({"period": "2023"}, {"period": "2023-Q1"}, {"period": "2023-01"}, {"period": "2023-02"})
    assert told(new) == [("period_overlap", 0, "a.csv row 3"), ("period_overlap", 1, "a.csv row 4")]


@pytest.mark.parametrize(
    "other",
    [
        {"entity": "plant-2"},
        {"hub": "wuhan"},
        {"region": "CN"},
        {"activity": "green_electricity"},
        {"category": "heat", "activity": "heat"},
        {"contract": "certificate-1"},
        {"credit_note": True, "amount": -3.0},
    ],
)
def test_what_is_not_the_same_thing_may_have_other_periods(other):
    assert told(rows({"period": "2023"}, other)) == []


def test_a_row_without_a_method_counts_in_both_ways():
    market, both = {"method": "market", "period": "2023"}, {"period": "2023-06"}
    assert told(rows(market, both)) == [("period_overlap", 0, "a.csv row 3")]
    assert told(rows(market, {"method": "location", "period": "2023-06"})) == []


def test_one_invoice_in_two_scopes():
    diesel = {"scope": 1, "category": "mobile", "activity": "diesel", "evidence_ref": "INV-1"}
    travel = {"scope": 3, "category": "c06", "activity": "diesel", "evidence_ref": "INV-1"}
    assert told(rows(diesel, travel)) == [("two_scopes", 1, "a.csv row 2")]
    assert told(rows(travel), rows(diesel, file="old.csv")) == [("two_scopes", 0, "old.csv row 2")]
    assert told(rows(diesel, {**travel, "evidence_ref": "INV-2"})) == []
    assert told(rows({**diesel, "evidence_ref": None}, {**travel, "evidence_ref": None})) == []
    # What scopes 1 and 2 leave out of the same fuel is category 3 by definition.
    assert told(rows(diesel, {**travel, "category": "c03"})) == []


def test_bought_power_is_not_scope_one_too():
    direct = {"scope": 1, "category": "stationary", "period": "2023"}
    assert told(rows({}, direct)) == [("purchased_in_scope_1", 1, "a.csv row 2")]
    assert told(rows(direct, {})) == [("purchased_in_scope_1", 1, "a.csv row 2")]
    assert told(rows({}), rows(direct, file="old.csv")) == [("purchased_in_scope_1", 0, "old.csv row 2")]
    assert told(rows({}, {**direct, "period": "2022"})) == []
    assert told(rows({}, {**direct, "entity": "plant-2"})) == []
    assert told(rows({}, {**direct, "activity": "natural_gas"})) == []


def test_a_platform_and_the_person_that_it_serves():
    ride = {"scope": 3, "category": "c07", "activity": "bus", "unit": "pkm"}
    person = {**ride, "entity": "person-1", "platform": "app", "evidence_ref": "trip-9"}
    platform = {**ride, "entity": "app", "evidence_ref": "trip-9"}
    assert told(rows(person, platform)) == [("claimed_by_platform", 1, "a.csv row 2")]
    assert told(rows(platform, person)) == [("claimed_by_platform", 1, "a.csv row 2")]
    assert told(rows(person), rows(platform, file="old.csv")) == [("claimed_by_platform", 0, "old.csv row 2")]
    assert told(rows(platform), rows(person, file="old.csv")) == [("claimed_by_platform", 0, "old.csv row 2")]
    assert told(rows(person, {**platform, "evidence_ref": "trip-8"})) == []
    assert told(rows(person, {**platform, "evidence_ref": None})) == [("claimed_by_platform", 1, "a.csv row 2")]
    assert told(rows(person, {**platform, "evidence_ref": None, "amount": 7.0})) == []
    assert told(rows({**person, "platform": None}, platform)) == []


def test_what_is_reported_beside_what_is_summed():
    whole = {"activity": "reported_emissions", "category": None, "unit": "t", "period": "2023"}
    assert told(rows(whole, {})) == [("reported_beside_rows", 1, "a.csv row 2")]
    assert told(rows(whole, {"scope": 1, "category": "mobile", "activity": "diesel"})) == []
    assert told(rows({**whole, "period": "2022"}, {})) == []
    travel = {"scope": 3, "category": "c06", "activity": "flight", "unit": "km"}
    category = {**whole, "scope": 3, "category": "c01"}
    assert told(rows(category, travel)) == []
    assert told(rows({**category, "category": "c06"}, travel)) == [("reported_beside_rows", 1, "a.csv row 2")]


def test_one_piece_of_evidence_with_two_figures_is_a_warning():
    found = find_double_counting(rows({"evidence_ref": "INV-1"}, {"evidence_ref": "INV-1", "amount": 7.0}))
    assert found.select("code", "severity", "index").rows() == [("same_evidence", "warning", 1)]
    assert told(rows({"evidence_ref": None}, {"evidence_ref": None, "amount": 7.0})) == []
    note = {"evidence_ref": "INV-1", "amount": -7.0, "credit_note": True}
    assert told(rows({"evidence_ref": "INV-1"}, note)) == []


def test_a_corrected_row_counts_nothing():
    year = {"activity_id": "year", "period": "2023"}
    june = {"activity_id": "june", "period": "2023-06", "replaces": "year"}
    assert told(rows(year, june)) == []
    assert told(rows(june), rows(year, file="old.csv")) == []


def test_a_refused_correction_leaves_its_row_counting():
    stored = rows(
        {"activity_id": "may", "period": "2023-05"}, {"activity_id": "feb", "period": "2023-02"}, file="old.csv"
    )
    # It would take the place of May, but holds February too: May stays, and so the quarter stands against it.
    wrong = {"activity_id": "year", "period": "2023", "replaces": "may"}
    quarter = {"activity_id": "quarter", "period": "2023-Q2"}
    assert told(rows(quarter, wrong), stored) == [
        ("period_overlap", 0, "old.csv row 2"),
        ("period_overlap", 1, "old.csv row 3"),
    ]
    assert told(rows(quarter, {**wrong, "period": "2024-Q1"}), stored) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2023", "2023-Q1", "2023-02", "2023-02-03", "2023-05"]), st.sampled_from(["a", "b"])
        ),
        max_size=12,
        unique=True,
    )
)
def test_what_is_left_overlaps_nowhere(picked):
    new = rows(*({"period": period, "entity": entity} for period, entity in picked))
    found = find_double_counting(new)
    kept = new.with_row_index("index").filter(~pl.col("index").is_in(found["index"].implode())).drop("index")
    for one in kept.iter_rows(named=True):
        beside = kept.filter(
            (pl.col("activity_id") != one["activity_id"])
            & (pl.col("entity") == one["entity"])
            & (pl.col("first_day") <= one["last_day"])
            & (pl.col("last_day") >= one["first_day"])
        )
        assert beside.is_empty()
    # Every refused row overlaps with one that is there.
    assert set(found["code"]) <= {"period_overlap"}
    shorter = {entity for period, entity in picked if period != "2023"}
    refused_years = {new["entity"][at] for at in found["index"] if new["period"][at] == "2023"}
    assert refused_years == {entity for entity in shorter if ("2023", entity) in picked}
