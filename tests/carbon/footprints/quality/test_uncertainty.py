"""Error propagation beside the equations of the IPCC worked by hand, and its laws."""

import math
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.footprints.calculate import calculate
from carbon.footprints.factors import embedded_factors
from carbon.footprints.quality import UnknownGrouping
from carbon.footprints.uncertainty import contributions, line_sources, propagate, unknown_lines

amounts = st.floats(0.01, 1e6)
shares = st.floats(0.001, 0.9)


def half_width(frame: pl.DataFrame, row: int = 0) -> float:
    return float(frame["upper_kg"][row] - frame["co2e_kg"][row])


def test_a_product_combines_in_quadrature(make_lines, ranged, make_activities) -> None:
    """IPCC 2006, volume 1, chapter 3, equation 3.1: 5 % and 10 % give 11.18 %."""
    lines = make_lines({"co2e_kg": 1000.0})
    activities = make_activities({"activity_id": "a0", "amount": 200.0, "lower": 190.0, "upper": 210.0})
    found = propagate(lines, ranged(f=0.1), activities).row(0, named=True)
    assert found["relative_low"] == pytest.approx(math.sqrt(0.05**2 + 0.1**2))
    assert found["relative_high"] == pytest.approx(math.sqrt(0.05**2 + 0.1**2))
    assert (found["ranged_share"], found["fully_ranged_share"]) == (1.0, 1.0)


def test_independent_terms_combine_in_quadrature(make_lines, ranged, make_activities) -> None:
    """Equation 3.2: 3000 +- 10 % and 1000 +- 20 % give sqrt(300^2 + 200^2) of 4000."""
    lines = make_lines({"co2e_kg": 3000.0}, {"co2e_kg": 1000.0, "factor_ids": ["g"]})
    found = propagate(lines, ranged(f=0.1, g=0.2), make_activities()).row(0, named=True)
    assert found["co2e_kg"] == 4000
    assert found["upper_kg"] == pytest.approx(4000 + math.sqrt(300**2 + 200**2))
    assert found["lower_kg"] == pytest.approx(4000 - math.sqrt(300**2 + 200**2))


def test_lines_of_one_factor_move_together(make_lines, ranged, make_activities) -> None:
    """A thousand lines on one factor are as uncertain as one line of their sum."""
    lines = make_lines(*({"co2e_kg": 10.0} for _ in range(1000)))
    assert half_width(propagate(lines, ranged(f=0.1), make_activities())) == pytest.approx(0.1 * 10_000)


def test_all_gases_of_an_activity_move_together(make_lines, make_factors, make_activities) -> None:
    lines = make_lines(
        {"activity_id": "a", "co2e_kg": 90.0}, {"activity_id": "a", "co2e_kg": 10.0, "gas": "CH4", "factor_ids": ["m"]}
    )
    activities = make_activities({"activity_id": "a", "amount": 1.0, "lower": 0.9, "upper": 1.1})
    assert half_width(propagate(lines, make_factors(), activities)) == pytest.approx(0.1 * (90 + 10))


def test_a_factor_with_a_row_a_gas_is_one_source_a_gas(make_lines, make_factors, make_activities) -> None:
    lines = make_lines({"co2e_kg": 90.0}, {"co2e_kg": 10.0, "gas": "CH4"})
    factors = make_factors(
        {"factor_id": "f", "value": 2.0, "lower": 1.9, "upper": 2.1},
        {"factor_id": "f", "gas": "CH4", "value": 1.0, "lower": 0.5, "upper": 1.5},
    )
    found = contributions(lines, factors, make_activities())
    assert dict(zip(found["source"], found["high_kg"], strict=True)) == pytest.approx({"f CH4": 5.0, "f CO2": 4.5})
    assert half_width(propagate(lines, factors, make_activities())) == pytest.approx(math.hypot(4.5, 5))


def test_the_sides_of_a_lopsided_range_stay_apart(make_lines, make_factors, make_activities) -> None:
    lines = make_lines({"co2e_kg": 100.0}, {"co2e_kg": 50.0, "factor_ids": ["g"]})
    factors = make_factors(
        {"factor_id": "f", "value": 10.0, "lower": 9.0, "upper": 14.0},
        {"factor_id": "g", "value": 10.0, "lower": 8.0, "upper": 11.0},
    )
    found = propagate(lines, factors, make_activities()).row(0, named=True)
    assert 150 - found["lower_kg"] == pytest.approx(math.hypot(100 * 0.1, 50 * 0.2))
    assert found["upper_kg"] - 150 == pytest.approx(math.hypot(100 * 0.4, 50 * 0.1))


def test_a_credit_note_moves_against_its_factor(make_lines, make_factors, make_activities) -> None:
    """What is taken back with a factor is less uncertain by it; alone, high and low change places."""
    factors = make_factors({"factor_id": "f", "value": 10.0, "lower": 9.0, "upper": 14.0})
    both = propagate(make_lines({"co2e_kg": 100.0}, {"co2e_kg": -40.0}), factors, make_activities()).row(0, named=True)
    assert (both["lower_kg"], both["upper_kg"]) == pytest.approx((60 - 6, 60 + 24))
    alone = propagate(make_lines({"co2e_kg": -40.0}), factors, make_activities()).row(0, named=True)
    assert (alone["lower_kg"], alone["upper_kg"]) == pytest.approx((-40 - 16, -40 + 4))


def test_the_range_of_a_negative_amount_is_read_by_size(make_lines, make_factors, make_activities) -> None:
    activities = make_activities({"activity_id": "a0", "amount": -100.0, "lower": -110.0, "upper": -95.0})
    found = line_sources(make_lines({"co2e_kg": -40.0}), make_factors(), activities).row(0, named=True)
    assert (found["relative_low"], found["relative_high"]) == pytest.approx((0.05, 0.1))


def test_what_has_no_range_is_listed_and_its_share_told(make_lines, ranged, make_activities) -> None:
    lines = make_lines({"co2e_kg": 60.0}, {"co2e_kg": 30.0, "factor_ids": ["none"]}, {"co2e_kg": 10.0})
    activities = make_activities({"activity_id": "a2", "amount": 1.0, "lower": 0.9, "upper": 1.1})
    found = propagate(lines, ranged(f=0.1), activities).row(0, named=True)
    assert found["ranged_share"] == pytest.approx(70 / 100)
    assert found["fully_ranged_share"] == pytest.approx(10 / 100)
    assert unknown_lines(lines, ranged(f=0.1), activities)["activity_id"].to_list() == ["a1"]


def test_nothing_known_is_no_interval_of_no_width(make_lines, make_factors, make_activities) -> None:
    found = propagate(make_lines({"co2e_kg": 60.0}), make_factors(), make_activities()).row(0, named=True)
    assert (found["lower_kg"], found["relative_low"], found["ranged_share"]) == (None, None, 0.0)


def test_a_range_that_does_not_hold_its_figure_is_no_range(make_lines, make_factors, make_activities) -> None:
    factors = make_factors({"factor_id": "f", "value": 10.0, "lower": 11.0, "upper": 14.0})
    assert line_sources(make_lines({"co2e_kg": 60.0}), factors, make_activities()).is_empty()


def test_a_line_s_own_range_is_used_where_no_source_has_one(make_lines, make_factors, make_activities) -> None:
    lines = make_lines({"co2e_kg": 50.0, "relative_low": 0.1, "relative_high": 0.2})
    found = propagate(lines, make_factors(), make_activities()).row(0, named=True)
    assert (found["lower_kg"], found["upper_kg"], found["fully_ranged_share"]) == pytest.approx((45, 60, 1.0))


def test_scope_2_counts_one_way_and_biogenic_never(make_lines, ranged, make_activities) -> None:
    lines = make_lines(
        {"co2e_kg": 10.0, "scope": 2, "method": "location"},
        {"co2e_kg": 7.0, "scope": 2, "method": "market"},
        {"co2e_kg": 100.0, "biogenic": True},
    )
    known = (lines, ranged(f=0.1), make_activities())
    assert propagate(*known)["co2e_kg"].to_list() == [10]
    assert propagate(*known, method="market")["co2e_kg"].to_list() == [7]


def test_groups_by_anything_but_lists(make_lines, ranged, make_activities) -> None:
    lines = make_lines(
        {"co2e_kg": 10.0, "hub": "wuhan"}, {"co2e_kg": 30.0, "hub": "wuhan", "entity": "b"}, {"co2e_kg": 5.0}
    )
    known = (lines, ranged(f=0.1), make_activities())
    by_hub = propagate(*known, by=["hub", "year"])
    assert by_hub.select("hub", "year", "co2e_kg").rows() == [(None, 2023, 5.0), ("wuhan", 2023, 40.0)]
    assert half_width(by_hub, 1) == pytest.approx(4.0)
    with pytest.raises(UnknownGrouping, match="factor_ids"):
        propagate(*known, by=["factor_ids"])


def test_contributions_worked_by_hand(make_lines, ranged, make_activities) -> None:
    """150 kg on a factor of 10 %, 100 of them on an amount of 5 %: 15^2 and 5^2 of 250."""
    lines = make_lines({"co2e_kg": 100.0}, {"co2e_kg": 50.0})
    activities = make_activities({"activity_id": "a0", "amount": 50.0, "lower": 47.5, "upper": 52.5})
    found = contributions(lines, ranged(f=0.1), activities)
    assert found.select("kind", "source", "lines").rows() == [("factor", "f", 2), ("activity", "a0", 1)]
    assert found["variance_share"].to_list() == pytest.approx([225 / 250, 25 / 250])


def test_three_plants_on_the_published_ranges_of_the_ipcc(make_activities) -> None:
    """Anthracite, 2006 Guidelines volume 2, tables 1.2 and 1.3: 26.7 (21.6 to 32.2) TJ/Gg, 26.8 (25.8 to 27.5) kg/GJ.

    All three use the same two factors, so that their sum is relatively as uncertain as each of them.
    """
    year = {
        "period": "2023",
        "first_day": date(2023, 1, 1),
        "last_day": date(2023, 12, 31),
        "recorded": date(2024, 1, 1),
    }
    coal = {"scope": 1, "category": "stationary", "activity": "anthracite", "unit": "t", "series": "ipcc_default"}
    plain = {**year, **coal, "share": 1.0, "credit_note": False, "evidence": "metered"}
    activities = make_activities(
        *({"activity_id": f"a{at}", "entity": f"p{at}", "amount": 100.0 + at, **plain} for at in range(3))
    )
    factors = embedded_factors()
    lines = calculate(activities, factors, gwp_set="AR5GWP100").lines.filter(pl.col("gas") == "CO2")
    low = math.hypot((26.7 - 21.6) / 26.7, (26.8 - 25.8) / 26.8)
    high = math.hypot((32.2 - 26.7) / 26.7, (27.5 - 26.8) / 26.8)
    whole = propagate(lines, factors, activities).row(0, named=True)
    assert (whole["relative_low"], whole["relative_high"]) == pytest.approx((low, high))
    assert whole["co2e_kg"] == pytest.approx((100 + 101 + 102) * 1000 * 26.7 * 26.8 / 1000 * 44 / 12)
    for row in propagate(lines, factors, activities, by=["entity"]).iter_rows(named=True):
        assert (row["relative_low"], row["relative_high"]) == pytest.approx((low, high))


def test_no_lines_give_no_rows(make_lines, ranged, make_activities) -> None:
    empty = make_lines()
    assert propagate(empty, ranged(f=0.1), make_activities()).is_empty()
    assert contributions(empty, ranged(f=0.1), make_activities(), by=["entity"]).is_empty()


@given(kg=st.lists(st.tuples(amounts, st.integers(0, 4)), min_size=1, max_size=12), widths=st.tuples(*[shares] * 5))
def test_shares_of_the_variance_sum_to_one(kg, widths, make_lines, ranged, make_activities) -> None:
    lines = make_lines(*({"co2e_kg": mass, "factor_ids": [f"f{at}"]} for mass, at in kg))
    found = contributions(lines, ranged(**{f"f{at}": u for at, u in enumerate(widths)}), make_activities())
    assert found["variance_share"].sum() == pytest.approx(1)


@given(kg=st.lists(amounts, min_size=1, max_size=8), more=amounts, width=shares, other=shares)
def test_an_independent_line_never_lowers_the_uncertainty(
    kg, more, width, other, make_lines, ranged, make_activities
) -> None:
    rows = [{"co2e_kg": mass} for mass in kg]
    known = (ranged(f=width, g=other), make_activities())
    before = propagate(make_lines(*rows), *known)
    after = propagate(make_lines(*rows, {"co2e_kg": more, "factor_ids": ["g"]}), *known)
    assert half_width(after) >= half_width(before) * (1 - 1e-9)


@given(kg=st.lists(amounts, min_size=1, max_size=8), width=shares, times=st.floats(0.001, 1000))
def test_scaling_the_amounts_scales_the_interval(kg, width, times, make_lines, ranged, make_activities) -> None:
    known = (ranged(f=width), make_activities())
    one = propagate(make_lines(*({"co2e_kg": mass} for mass in kg)), *known)
    scaled = propagate(make_lines(*({"co2e_kg": mass * times} for mass in kg)), *known)
    for name in ("co2e_kg", "lower_kg", "upper_kg"):
        assert scaled[name][0] == pytest.approx(one[name][0] * times)
    assert scaled["relative_high"][0] == pytest.approx(one["relative_high"][0])


@given(first=amounts, second=amounts, width=shares)
def test_one_factor_twice_is_wider_than_two_factors(first, second, width, make_lines, ranged, make_activities) -> None:
    known = (ranged(f=width, g=width), make_activities())
    shared = propagate(make_lines({"co2e_kg": first}, {"co2e_kg": second}), *known)
    apart = propagate(make_lines({"co2e_kg": first}, {"co2e_kg": second, "factor_ids": ["g"]}), *known)
    assert half_width(shared) == pytest.approx(width * (first + second))
    assert half_width(apart) == pytest.approx(width * math.hypot(first, second))
    assert half_width(shared) > half_width(apart)


@given(kg=st.lists(amounts, min_size=2, max_size=8), width=shares, data=st.data())
def test_the_order_of_lines_does_not_matter(kg, width, data, make_lines, ranged, make_activities) -> None:
    rows = [{"activity_id": f"a{at}", "co2e_kg": mass} for at, mass in enumerate(kg)]
    known = (ranged(f=width), make_activities())
    mixed = data.draw(st.permutations(rows))
    assert half_width(propagate(make_lines(*mixed), *known)) == pytest.approx(
        half_width(propagate(make_lines(*rows), *known))
    )
