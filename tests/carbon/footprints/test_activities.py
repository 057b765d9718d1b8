"""The rules of one row, each broken once, and the name that content gives."""

import math
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.activities import CONTENT, activity_rules, content_hashes, with_ids
from carbon.footprints.activity_cells import known_hubs, type_activities
from carbon.footprints.activity_words import CODES, COLUMNS, category_words, heading_words
from carbon.footprints.schemas import SCOPE_1, SCOPE_2, SCOPE_3, activities_schema
from carbon.row_rules import broken_expr

GOOD = {
    **{"entity": "plant-1", "hub": "wuhan", "period": "2023-06", "scope": "2", "category": "electricity"},
    **{"activity": "electricity", "amount": "1200.5", "unit": "MWh", "recorded": "2023-07-10"},
}


def typed(*rows, decimal=".", values=None):
    names = [one.name for one in COLUMNS]
    cells = {name: [{**GOOD, **row}.get(name) for row in rows] for name in names}
    schema = {"row": pl.Int64, **dict.fromkeys(names, pl.String)}
    raw = pl.DataFrame({"row": range(2, len(rows) + 2), **cells}, schema=schema)
    return type_activities(raw, values=values or {}, decimal=decimal)


def codes(**row):
    """The codes of the rules that this one row breaks, with their columns."""
    frame = typed(row)
    return {(rule.code, rule.column) for rule in activity_rules() if frame.filter(rule.where.fill_null(False)).height}


def value(column, **row):
    return typed(row)[column].item()


def test_a_good_row_breaks_nothing():
    assert codes() == set()
    assert not typed({}).select(broken_expr(activity_rules())).item()
    row = typed({}).row(0, named=True)
    assert (row["scope"], row["amount"], row["unit"], row["share"], row["credit_note"]) == (
        2,
        1200.5,
        "MWh",
        1.0,
        False,
    )
    assert (row["first_day"], row["last_day"]) == (date(2023, 6, 1), date(2023, 6, 30))
    assert row["verified"] is None


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"entity": None}, {("missing_cell", "entity")}),
        ({"amount": None}, {("missing_cell", "amount")}),
        ({"category": None}, {("missing_cell", "category")}),
        ({"amount": "abc"}, {("unreadable_cell", "amount")}),
        ({"amount": "NaN"}, {("unreadable_cell", "amount")}),
        ({"amount": "inf"}, {("unreadable_cell", "amount")}),
        ({"amount": "1e400"}, {("unreadable_cell", "amount")}),
        ({"amount": "12,34"}, {("unreadable_cell", "amount")}),
        ({"recorded": "10.7.2023"}, {("unreadable_cell", "recorded")}),
        ({"verified": "maybe"}, {("unreadable_cell", "verified")}),
        ({"credit_note": "perhaps"}, {("unreadable_cell", "credit_note")}),
        ({"period": "June"}, {("unknown_period", "period")}),
        ({"scope": "4"}, {("unknown_scope", "scope")}),
        ({"category": "c16"}, {("unknown_category", "category")}),
        ({"unit": "barrel-ish"}, {("unknown_unit", "unit")}),
        ({"hub": "atlantis"}, {("unknown_hub", "hub")}),
        ({"method": "both"}, {("unknown_word", "method")}),
        ({"evidence": "rumour"}, {("unknown_word", "evidence")}),
        ({"distribution": "bell"}, {("unknown_word", "distribution")}),
        ({"scope": "1"}, {("category_of_other_scope", "category")}),
        ({"scope": "3", "category": "mobile"}, {("category_of_other_scope", "category")}),
        ({"scope": "1", "category": "mobile", "method": "market"}, {("method_without_scope_2", "method")}),
        ({"amount": "-1"}, {("negative_amount", "amount")}),
        ({"amount": "1", "credit_note": "yes"}, {("positive_credit_note", "amount")}),
        ({"amount": "0", "credit_note": "是"}, {("positive_credit_note", "amount")}),
        ({"share": "1.01"}, {("share_out_of_range", "share")}),
        ({"share": "-0.1"}, {("share_out_of_range", "share")}),
        ({"share": "all"}, {("unreadable_cell", "share")}),
        ({"lower": "1300"}, {("bounds_out_of_order", "lower")}),
        ({"upper": "1100"}, {("bounds_out_of_order", "upper")}),
        ({"recorded": "2023-05-31"}, {("recorded_too_early", "recorded")}),
        ({"activity_id": "a", "replaces": "a"}, {("replaces_itself", "replaces")}),
        ({"period": "2023-06-01 00:00:00"}, {("ambiguous_period", "period")}),
        ({"entity": None, "amount": "x", "unit": "y"}, None),
    ],
)
def test_each_rule_broken_once(cells, found):
    if found is None:
        found = {("missing_cell", "entity"), ("unreadable_cell", "amount"), ("unknown_unit", "unit")}
    assert codes(**cells) == found
    assert typed(cells).select(broken_expr(activity_rules())).item()


@pytest.mark.parametrize(
    "cells",
    [
        {"amount": "0"},
        {"amount": "-5", "credit_note": "yes"},
        {"amount": "-5", "credit_note": "是", "lower": "-6", "upper": "-4"},
        {"lower": "1200.5", "upper": "1200.5"},
        {"recorded": "2023-06-01"},
        {"recorded": None},
        {"share": "0"},
        {"method": "市场"},
        {"period": "2023-06-30 00:00:00"},
        {"hub": "WuHan"},
        {"hub": None},
        {"activity": "reported_emissions", "category": None, "unit": "t"},
    ],
)
def test_what_is_allowed(cells):
    assert codes(**cells) == set()


def test_every_error_says_what_was_expected():
    assert all(rule.expected and rule.severity == "error" for rule in activity_rules())
    sign = next(rule for rule in activity_rules() if rule.code == "negative_amount")
    assert "credit_note" in sign.expected


@pytest.mark.parametrize("number", range(1, 16))
def test_scope_three_by_number_and_by_name(number):
    code = f"c{number:02}"
    zh, en = CODES["category"][code]
    for written in (str(number), code, f"C{number}", zh, en.upper()):
        assert value("category", scope="3", category=written) == code


def test_words_are_for_one_code_each():
    assert set(CODES["category"]) == {*SCOPE_1, *SCOPE_2, *SCOPE_3}
    words = category_words()
    assert set(words.values()) == set(CODES["category"])
    names = [word.casefold() for one in COLUMNS for word in {one.name, one.name_zh, one.name_en.casefold()}]
    assert len(heading_words()) == len(set(names))
    unnamed = set(activities_schema()) - {one.name for one in COLUMNS}
    assert unnamed == {"first_day", "last_day", "file", "row"}


@pytest.mark.parametrize("written", ["度", "千瓦时", "kWh", "ｋＷｈ"])
def test_units_have_one_name(written):
    assert value("unit", unit=written) == "kWh"


@pytest.mark.parametrize(
    ("text", "decimal", "figure"),
    [
        ("1,234.5", ".", 1234.5),
        ("1，234", ".", 1234.0),
        ("1.5e3", ".", 1500.0),
        (".5", ".", 0.5),
        ("+3", ".", 3.0),
        ("-0", ".", 0.0),
        ("1.234,5", ",", 1234.5),
        ("1234,5", ",", 1234.5),
        ("1.234", ",", 1234.0),
        ("1.5", ",", None),
        ("1,234.5", ",", None),
        ("12 t", ".", None),
        ("0x1", ".", None),
        ("1_000", ".", None),
    ],
)
def test_how_numbers_are_written(text, decimal, figure):
    found = typed({"amount": text}, decimal=decimal)["amount"].item()
    assert found == figure
    if figure == 0:
        assert math.copysign(1, found) == 1


def test_words_of_the_user_are_put_in_our_words():
    frame = typed({"unit": "deg", "scope": "II"}, values={"unit": {"deg": "kWh"}, "scope": {"II": "2"}})
    assert frame.select("unit", "scope", "unit_raw").row(0) == ("kWh", 2, "deg")


def test_hubs_of_the_inventories_are_known_by_their_keys():
    assert known_hubs(pl.Series(["Wuhan", "武汉", "atlantis"])).to_list() == ["wuhan", None, None]


def rows(**changes):
    row = typed(changes).with_columns(file=pl.lit("a.csv")).select(activities_schema().keys())
    return row.with_columns(**{name: pl.lit(value) for name, value in changes.items() if name in ("file", "row")})


def test_an_id_is_of_the_content_and_of_nothing_else():
    first = with_ids(rows())["activity_id"].item()
    assert len(first) == 64
    assert int(first, 16) >= 0
    elsewhere = rows(file="b.csv", row=99).with_columns(recorded=pl.lit(date(2024, 1, 1)))
    assert with_ids(elsewhere)["activity_id"].item() == first
    # The same figure, unit and words, written otherwise.
    same = rows(amount="1,200.50", period="2023年6月", scope="范围二", category="外购电力")
    assert with_ids(same)["activity_id"].item() == first
    assert with_ids(rows(activity_id="mine"))["activity_id"].item() == "mine"


def test_each_part_of_the_content_counts():
    changes = {
        **{
            "entity": "plant-2",
            "hub": "beijing",
            "period": "2023-07",
            "activity": "heat",
            "amount": "1",
            "unit": "kWh",
        },
        **{"share": "0.5", "sector": "steel", "lower": "1", "upper": "1300", "distribution": "normal", "region": "CN"},
        **{"method": "market", "factor_id": "f", "series": "s", "contract": "c", "evidence": "invoice"},
        **{"evidence_ref": "r", "verified": "yes", "platform": "p", "replaces": "old", "category": "heat"},
    }
    hashes = [content_hashes(rows(**{name: cell})).item() for name, cell in changes.items()]
    hashes.append(content_hashes(rows(scope="1", category="mobile")).item())
    hashes.append(content_hashes(rows(amount="-1", credit_note="yes")).item())
    hashes.append(content_hashes(rows()).item())
    assert len(set(hashes)) == len(hashes)
    assert {*changes, "scope", "credit_note"} == set(CONTENT)


@given(st.floats(0, 1e12, allow_subnormal=False))
def test_any_amount_written_out_is_read_back(amount):
    assert value("amount", amount=repr(amount)) == amount


@given(st.floats(-1e9, 1e9, allow_subnormal=False), st.booleans())
def test_a_credit_note_is_below_zero_and_no_other_row_is(amount, note):
    frame = typed({"amount": repr(amount), "credit_note": "yes" if note else "no"})
    is_broken = frame.select(broken_expr(activity_rules())).item()
    assert is_broken == ((amount >= 0) if note else (amount < 0))
