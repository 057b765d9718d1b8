"""Disclosure rows: what each standard names, filled from a small company worked by hand, or null with a reason."""

import math
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.disclosure import REASONS, Facts, disclose, disclosure_rows
from carbon.footprints.schemas import CONFIDENCES, SCOPE_3
from carbon.footprints.totals import totals

COMPANY = (
    {"co2e_kg": 70_000.0, "entity": "mill", "gas": "CO2", "category": "stationary", "formula": "amount x factor"},
    {"co2e_kg": 30_000.0, "entity": "shop", "gas": "CH4", "category": "fugitive"},
    {"co2e_kg": 9_000.0, "biogenic": True, "entity": "mill"},
    {"co2e_kg": 40_000.0, "scope": 2, "method": "location", "entity": "mill", "category": "electricity"},
    {"co2e_kg": 25_000.0, "scope": 2, "method": "market", "entity": "mill", "category": "electricity"},
    {"co2e_kg": 200_000.0, "scope": 3, "category": "c01"},
    {"co2e_kg": 60_000.0, "scope": 3, "category": "c15"},
)
FACTS = Facts("operational control", 2_000_000.0, ["mill"], ["mill"])


def by_id(frame: pl.DataFrame) -> dict[str, dict[str, object]]:
    return {row["row_id"]: row for row in frame.iter_rows(named=True)}


def test_rows_are_whole_and_sourced() -> None:
    rows = disclosure_rows()
    assert rows["row_id"].n_unique() == rows.height
    assert set(rows["standard"]) == {"GRI 305", "IFRS S2", "ESRS E1-6"}
    assert (
        rows.select("paragraph", "name_zh", "name_en", "figure", "source", "confidence")
        .null_count()
        .sum_horizontal()[0]
        == 0
    )
    assert set(rows["confidence"]) <= set(CONFIDENCES)
    gri = rows.filter(pl.col("standard") == "GRI 305")["paragraph"].str.slice(0, 5)
    assert set(gri) == {f"305-{number}" for number in range(1, 8)}
    assert {f"29(a)({number})" for number in ("i", "ii", "iii", "iv", "v", "vi")} <= {
        "(".join(paragraph.split("(")[:3]) for paragraph in rows.filter(pl.col("standard") == "IFRS S2")["paragraph"]
    }
    assert Counter(rows["category"].drop_nulls()) == Counter([*SCOPE_3, "c15"])


def test_a_company_worked_by_hand(make_lines) -> None:
    found = by_id(disclose(make_lines(*COMPANY), FACTS))
    expected = {
        "gri-305-1-a": 100,
        "gri-305-1-c": 9,
        "gri-305-2-a": 40,
        "gri-305-2-b": 25,
        "gri-305-3-a": 260,
        "gri-305-4-a": 140 / 2,
        "ifrs-s2-29-a-i-1": 100,
        "ifrs-s2-29-a-i-2": 40,
        "ifrs-s2-29-a-i-3": 260,
        "ifrs-s2-29-a-iv-1-s1": 70,
        "ifrs-s2-29-a-iv-2-s1": 30,
        "ifrs-s2-29-a-iv-1-s2": 40,
        "ifrs-s2-29-a-v": 40,
        "ifrs-s2-29-a-vi-2": 60,
        "esrs-e1-6-48-a": 100,
        "esrs-e1-6-48-b": 70,
        "esrs-e1-6-49-a": 40,
        "esrs-e1-6-49-b": 25,
        "esrs-e1-6-51": 260,
        "esrs-e1-6-51-c01": 200,
        "esrs-e1-6-51-c15": 60,
        "esrs-e1-6-52-a": 100 + 40 + 260,
        "esrs-e1-6-52-b": 100 + 25 + 260,
        "esrs-e1-6-53-location": 400 / 2,
        "esrs-e1-6-53-market": 385 / 2,
        "esrs-e1-6-ar43-c": 9,
    }
    assert {row: found[row]["value"] for row in expected} == pytest.approx(expected)
    assert found["gri-305-1-b"]["text"] == "CH4; CO2"
    assert found["gri-305-3-d"]["text"] == "c01; c15"
    assert found["gri-305-1-f"]["text"] == "operational control"
    assert found["ifrs-s2-29-a-iii"]["text"] == "amount x factor; AR5GWP100"
    assert found["gri-305-1-a"]["boundary"] == "operational control"
    assert found["gri-305-1-a"]["gwp_set"] == "AR5GWP100"
    assert found["esrs-e1-6-52-b"]["method"] == "market"
    assert (found["gri-305-1-a"]["lines"], found["esrs-e1-6-52-a"]["lines"]) == (2, 5)


def test_every_row_has_a_figure_words_or_a_reason(make_lines) -> None:
    for lines in (make_lines(), make_lines(*COMPANY), make_lines(*COMPANY[:2])):
        for facts in (Facts(), FACTS):
            for row in disclose(lines, facts).iter_rows(named=True):
                told = [row[name] is not None for name in ("value", "text", "reason")]
                assert sum(told) == 1, row
                if row["reason"] is not None:
                    assert (row["reason_zh"], row["reason_en"]) == REASONS[row["reason"]]


def test_missing_is_null_with_its_reason_and_never_zero(make_lines) -> None:
    found = by_id(disclose(make_lines(*COMPANY[:2]), Facts()))
    assert found["gri-305-1-a"]["value"] == 100
    for row, reason, missing in (
        ("gri-305-2-a", "no_lines", "scope 2"),
        ("esrs-e1-6-52-a", "no_lines", "scope 2; scope 3"),
        ("gri-305-4-a", "no_lines", "scope 2"),
        ("gri-305-1-c", "no_biogenic", "scope 1"),
        ("esrs-e1-6-48-b", "no_ets_entities", None),
        ("ifrs-s2-29-a-iv-1-s1", "no_consolidated_entities", None),
        ("gri-305-1-f", "no_boundary", None),
        ("gri-305-5-a", "no_reduction_initiatives", None),
        ("gri-305-6-a", "no_ods", None),
        ("gri-305-7-a", "no_air_pollutants", None),
    ):
        assert (found[row]["value"], found[row]["reason"], found[row]["missing"]) == (None, reason, missing), row


@pytest.mark.parametrize("revenue", [None, 0.0, -1.0, math.inf, math.nan, 1e-320])
def test_no_intensity_without_revenue(make_lines, revenue) -> None:
    found = by_id(disclose(make_lines(*COMPANY), Facts(net_revenue_cny=revenue)))
    assert (found["esrs-e1-6-53-location"]["value"], found["esrs-e1-6-53-location"]["reason"]) == (
        None,
        "no_net_revenue",
    )


def test_unlike_potentials_are_not_added(make_lines) -> None:
    lines = make_lines({"co2e_kg": 1.0}, {"co2e_kg": 1.0, "gwp_set": "AR6GWP100"})
    found = by_id(disclose(lines))["gri-305-1-a"]
    assert (found["value"], found["reason"], found["gwp_set"]) == (None, "mixed_gwp_sets", "AR5GWP100; AR6GWP100")


def test_a_row_says_that_its_potentials_are_not_the_latest(make_lines) -> None:
    """IFRS S2, B21-B22, and ESRS E1, AR 39 (d), ask for the latest ones; GRI 305 only recommends them."""
    found = disclose(make_lines(*COMPANY), FACTS)
    told = found.filter(pl.col("gwp_remark_en").is_not_null())
    assert set(told["standard"]) == {"IFRS S2", "ESRS E1-6"}
    row = by_id(found)["ifrs-s2-29-a-i-1"]
    for lang in ("zh", "en"):
        assert all(part in str(row[f"gwp_remark_{lang}"]) for part in ("AR5GWP100", "AR6GWP100", "B21-B22"))
    assert "AR 39 (d)" in by_id(found)["esrs-e1-6-48-a"]["gwp_remark_en"]
    latest = disclose(make_lines(*({**row, "gwp_set": "AR6GWP100"} for row in COMPANY)), FACTS)
    # What no potential was used for needs no remark.
    none = disclose(make_lines(*({**row, "gwp_set": None} for row in COMPANY)), FACTS)
    for frame in (latest, none):
        assert frame["gwp_remark_en"].null_count() == frame["gwp_remark_zh"].null_count() == frame.height


def test_one_standard_alone(make_lines) -> None:
    found = disclose(make_lines(*COMPANY), standards=["GRI 305"])
    assert set(found["standard"]) == {"GRI 305"}
    assert disclose(make_lines(*COMPANY), standards=[]).is_empty()


@given(kg=st.lists(st.floats(0, 1e9), min_size=1, max_size=8), data=st.data())
def test_the_same_sum_as_in_totals_in_any_order(kg, data, make_lines) -> None:
    rows = [{"activity_id": f"a{at}", "co2e_kg": mass} for at, mass in enumerate(kg)]
    mixed = make_lines(*data.draw(st.permutations(rows)))
    value = by_id(disclose(mixed, standards=["GRI 305"]))["gri-305-1-a"]["value"]
    assert value == by_id(disclose(make_lines(*rows), standards=["GRI 305"]))["gri-305-1-a"]["value"]
    assert value == totals(mixed)["co2e_mg"][0] / 1e9
