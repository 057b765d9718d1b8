"""Scores by rule, and measures of quality worked by hand."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.quality import (
    UnknownGrouping,
    completeness,
    countable,
    evidence_shares,
    pcaf_rules,
    quality,
    score_lines,
)
from carbon.footprints.schemas import CONFIDENCES, EVIDENCE


def test_every_rule_has_source_and_confidence() -> None:
    rules = pcaf_rules()
    assert rules["source"].str.starts_with("PCAF").all()
    assert set(rules["confidence"]) <= set(CONFIDENCES)
    assert set(rules["score"]) == {1, 2, 3, 4, 5}
    assert rules.select("rule_id", "name_zh", "name_en", "option", "assumed").null_count().row(0) == (0, 0, 0, 0, 0)
    assert set(rules["evidence"].drop_nulls().str.split(";").explode()) == set(EVIDENCE)
    # Where the reading is ours, a remark says so.
    assert rules.filter("assumed")["remark"].null_count() == 0


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ({"activity": "reported_emissions", "verified": True}, 1),
        ({"activity": "reported_emissions", "evidence": "supplier"}, 2),
        ({"activity": "coal", "evidence": "metered", "verified": True}, 1),
        ({"activity": "coal", "evidence": "metered"}, 2),
        ({"activity": "coal", "evidence": "invoice", "verified": False}, 2),
        ({"activity": "coal", "evidence": "metered", "factor_ids": ["weak"]}, 3),
        ({"activity": "coal", "evidence": "metered", "factor_ids": ["f", "assumed"]}, 3),
        ({"activity": "rail", "evidence": "invoice", "scope": 3}, 3),
        ({"activity": "steel", "evidence": "supplier", "scope": 3}, 2),
        ({"activity": "coal", "evidence": "estimate"}, 3),
        ({"activity": "coal", "evidence": "estimate", "verified": True}, 3),
        ({"activity": "goods", "evidence": "spend", "scope": 3}, 4),
        ({"activity": "goods", "evidence": "sector_average", "scope": 3}, 5),
        ({"activity": "coal"}, None),
        ({}, None),
    ],
)
def test_scores_by_rule(row, score, make_lines, make_factors) -> None:
    """PCAF tables 5-3 and 5-7: options 1a, 1b, 2a, 2b, 3a, 3b; option 2a is for scopes 1 and 2 only."""
    factors = make_factors(
        {"factor_id": "f"}, {"factor_id": "weak", "confidence": "L"}, {"factor_id": "assumed", "assumed": True}
    )
    lines = make_lines({"co2e_kg": 1.0, **row})
    scored = score_lines(lines, factors)
    assert scored["pcaf"][0] == score
    assert scored.select(lines.columns).schema == lines.schema
    assert scored.columns == [*lines.columns, "pcaf_rule", "pcaf_confidence", "pcaf_assumed"]
    assert (scored["pcaf_rule"][0] is None) == (score is None)
    assert score_lines(scored, factors).equals(scored)


def test_measures_worked_by_hand(make_lines) -> None:
    """800 kg of score 1, 150 of 4, 50 without: (800 + 600) / 950; measured or verified 800 + 50 of 1000."""
    late = date(2024, 1, 1)
    lines = make_lines(
        {"co2e_kg": 800.0, "pcaf": 1, "evidence": "metered", "recorded": late},
        {"co2e_kg": 150.0, "pcaf": 4, "evidence": "spend", "recorded": late + timedelta(9)},
        {"co2e_kg": 50.0, "evidence": "estimate", "verified": True, "recorded": late + timedelta(99)},
    )
    found = quality(lines).row(0, named=True)
    assert (found["entity"], found["year"], found["lines"], found["activities"]) == ("plant", 2023, 3, 3)
    assert found["score"] == pytest.approx((800 * 1 + 150 * 4) / 950)
    assert found["score_share"] == pytest.approx(950 / 1000)
    assert found["measured_or_verified_share"] == pytest.approx(850 / 1000)
    assert found["verified_share"] == pytest.approx(50 / 1000)
    assert found["timeliness_days"] == 10
    assert (found["completeness_share"], found["gaps"]) == (1.0, None)


def test_an_activity_of_several_gases_is_recorded_once(make_lines) -> None:
    gases = [{"activity_id": "a", "gas": gas, "co2e_kg": 1.0, "recorded": date(2024, 1, 1)} for gas in ("CO2", "CH4")]
    other = {"activity_id": "b", "co2e_kg": 1.0, "recorded": date(2024, 1, 11)}
    assert quality(make_lines(*gases, other))["timeliness_days"][0] == (1 + 11) / 2


def test_credit_notes_weigh_by_their_size(make_lines) -> None:
    lines = make_lines(
        {"co2e_kg": 100.0, "pcaf": 1, "evidence": "metered"}, {"co2e_kg": -100.0, "pcaf": 3, "evidence": "estimate"}
    )
    found = quality(lines).row(0, named=True)
    assert (found["co2e_kg"], found["score"], found["measured_or_verified_share"]) == (0, 2, 0.5)


def test_only_what_may_be_added_counts(make_lines) -> None:
    lines = make_lines(
        {"co2e_kg": 1.0, "scope": 2, "method": "location"},
        {"co2e_kg": 2.0, "scope": 2, "method": "market"},
        {"co2e_kg": 4.0, "biogenic": True},
        {"co2e_kg": 8.0},
    )
    assert countable(lines, "market")["co2e_kg"].to_list() == [2, 8]
    assert quality(lines, by=())["co2e_kg"].to_list() == [9]


def test_gaps_are_named_by_stream(make_lines) -> None:
    """Electricity January to March and July; coal the whole year: 4 and 12 of 24 months."""
    months = [(date(2023, 1, 1), date(2023, 3, 31)), (date(2023, 7, 1), date(2023, 7, 31))]
    lines = make_lines(
        *({"activity": "electricity", "co2e_kg": 1.0, "first_day": a, "last_day": b} for a, b in months),
        {"activity": "coal", "co2e_kg": 1.0},
    )
    found = quality(lines).row(0, named=True)
    assert found["completeness_share"] == pytest.approx(16 / 24)
    missing = [f"2023-{month:02}" for month in (4, 5, 6, 8, 9, 10, 11, 12)]
    assert found["gaps"] == f"electricity: {', '.join(missing)}"


def test_a_month_counts_when_all_its_days_are_covered(make_lines) -> None:
    """February in two parts is whole; the first half of March is not; two meters of one month are one month."""
    spans = [
        (date(2024, 2, 1), date(2024, 2, 14)),
        (date(2024, 2, 15), date(2024, 2, 29)),
        (date(2024, 3, 1), date(2024, 3, 15)),
        (date(2024, 4, 1), date(2024, 4, 30)),
        (date(2024, 4, 1), date(2024, 4, 30)),
    ]
    found = completeness(make_lines(*({"activity": "x", "first_day": a, "last_day": b} for a, b in spans)))
    assert found["months"].to_list() == [2]
    assert found["gaps"][0].split(", ")[:3] == ["2024-01", "2024-03", "2024-05"]


def test_a_period_over_two_years_is_in_both(make_lines) -> None:
    found = completeness(make_lines({"first_day": date(2022, 7, 1), "last_day": date(2023, 6, 30)}))
    assert found.select("year", "months").rows() == [(2022, 6), (2023, 6)]


@given(first=st.dates(date(2020, 1, 1), date(2024, 12, 31)), days=st.integers(0, 1500))
def test_months_of_a_span_beside_a_count_of_days(first, days, make_lines) -> None:
    last = first + timedelta(days)
    found = completeness(make_lines({"first_day": first, "last_day": last}))
    every = [first + timedelta(at) for at in range(days + 1)]
    whole = 0
    for year in range(first.year, last.year + 1):
        for month in range(1, 13):
            start = date(year, month, 1)
            end = (date(year + month // 12, month % 12 + 1, 1)) - timedelta(1)
            size = (end - start).days + 1
            whole += sum((day.year, day.month) == (year, month) for day in every) == size
    assert found["months"].sum() == whole
    named = [gap for gaps in found["gaps"] for gap in gaps.split(", ") if gap]
    assert len(named) + whole == 12 * found.height
    assert found["year"].to_list() == list(range(first.year, last.year + 1))


def test_groups_that_streams_do_not_have_have_no_completeness(make_lines) -> None:
    lines = make_lines({"co2e_kg": 1.0, "hub": "wuhan", "sector": "steel", "evidence": "metered"})
    assert quality(lines, by=["hub", "year"])["completeness_share"].to_list() == [1.0]
    assert quality(lines, by=["sector"])["completeness_share"].to_list() == [None]
    with pytest.raises(UnknownGrouping, match="nothing"):
        quality(lines, by=["nothing"])
    with pytest.raises(UnknownGrouping, match="nothing"):
        evidence_shares(lines, by=["nothing"])


def test_evidence_shares_sum_to_one(make_lines) -> None:
    lines = make_lines(
        {"co2e_kg": 30.0, "evidence": "metered", "pcaf": 2}, {"co2e_kg": 60.0, "evidence": "spend"}, {"co2e_kg": 10.0}
    )
    found = evidence_shares(lines)
    assert found.select("evidence", "share", "score").rows() == [
        ("metered", pytest.approx(0.3), 2.0),
        ("spend", pytest.approx(0.6), None),
        (None, pytest.approx(0.1), None),
    ]


def test_no_emissions_have_no_shares(make_lines) -> None:
    found = quality(make_lines({"co2e_kg": 0.0, "pcaf": 2})).row(0, named=True)
    assert (found["score"], found["measured_or_verified_share"]) == (None, None)
    assert quality(make_lines()).is_empty()


@given(
    rows=st.lists(
        st.tuples(st.floats(0.01, 1e6), st.sampled_from([None, 1, 2, 3, 4, 5]), st.sampled_from([None, *EVIDENCE])),
        min_size=1,
        max_size=10,
    )
)
def test_scores_lie_between_the_best_and_the_worst(rows, make_lines) -> None:
    lines = make_lines(*({"co2e_kg": kg, "pcaf": score, "evidence": evidence} for kg, score, evidence in rows))
    found = quality(lines, by=()).row(0, named=True)
    scores = [score for _, score, _ in rows if score is not None]
    if scores:
        assert min(scores) - 1e-9 <= found["score"] <= max(scores) + 1e-9
    else:
        assert found["score"] is None
    measured = sum(kg for kg, _, evidence in rows if evidence == "metered")
    assert found["measured_or_verified_share"] == pytest.approx(measured / sum(kg for kg, _, _ in rows))
    assert evidence_shares(lines, by=())["share"].sum() == pytest.approx(1)
