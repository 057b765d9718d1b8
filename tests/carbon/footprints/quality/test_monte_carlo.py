"""Trials beside error propagation and exact formulas; the same bytes for one seed however the work is shared out."""

import math
from statistics import NormalDist

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carbon.footprints import monte_carlo
from carbon.footprints.monte_carlo import TooManyTrials, simulate
from carbon.footprints.uncertainty import propagate

Z = NormalDist().inv_cdf(0.975)
TRIALS = 20_000


def percentile_error(deviation: float, share: float = 0.975, trials: int = TRIALS) -> float:
    """Standard error of a percentile of a normal: sqrt(p (1 - p) / n) over the density there."""
    at = NormalDist().inv_cdf(share)
    return deviation * math.sqrt(share * (1 - share) / trials) / NormalDist().pdf(at)


def normals(make_factors, **shares: float) -> pl.DataFrame:
    ends = {name: {"lower": 1 - share, "upper": 1 + share} for name, share in shares.items()}
    return make_factors(
        *({"factor_id": name, "value": 1.0, "distribution": "normal", **end} for name, end in ends.items())
    )


def test_normal_sums_agree_with_error_propagation(make_lines, make_factors, make_activities) -> None:
    lines = make_lines(
        {"co2e_kg": 3000.0},
        {"co2e_kg": 500.0},
        {"co2e_kg": 1000.0, "factor_ids": ["g"]},
        {"co2e_kg": 200.0, "factor_ids": []},
    )
    known = (lines, normals(make_factors, f=0.1, g=0.2), make_activities())
    exact = propagate(*known).row(0, named=True)
    found = simulate(*known, seed=7, trials=TRIALS).row(0, named=True)
    deviation = (exact["upper_kg"] - exact["co2e_kg"]) / Z
    assert found["co2e_kg"] == exact["co2e_kg"] == 4700
    assert found["mean_kg"] == pytest.approx(4700, abs=5 * deviation / math.sqrt(TRIALS))
    assert found["mean_error_kg"] == pytest.approx(deviation / math.sqrt(TRIALS), rel=0.05)
    assert found["sd_kg"] == pytest.approx(deviation, rel=5 / math.sqrt(2 * TRIALS))
    assert found["p2_5_kg"] == pytest.approx(exact["lower_kg"], abs=5 * percentile_error(deviation))
    assert found["p50_kg"] == pytest.approx(4700, abs=5 * percentile_error(deviation, 0.5))
    assert found["p97_5_kg"] == pytest.approx(exact["upper_kg"], abs=5 * percentile_error(deviation))
    assert found["assumed_sources"] == 0


def test_a_product_has_the_exact_variance(make_lines, make_factors, make_activities) -> None:
    """Amount times two factors: the variance of a product of independent ones is the product of (1 + v) less 1."""
    lines = make_lines({"co2e_kg": 100.0, "factor_ids": ["f", "g"]})
    activities = make_activities(
        {"activity_id": "a0", "amount": 1.0, "lower": 0.8, "upper": 1.2, "distribution": "normal"}
    )
    found = simulate(lines, normals(make_factors, f=0.3, g=0.1), activities, seed=3, trials=TRIALS).row(0, named=True)
    variance = math.prod(1 + (share / Z) ** 2 for share in (0.2, 0.3, 0.1)) - 1
    assert found["sd_kg"] == pytest.approx(100 * math.sqrt(variance), rel=0.03)


def test_a_lognormal_keeps_its_range_and_its_mean(make_lines, make_factors, make_activities) -> None:
    factors = make_factors({"factor_id": "f", "value": 1.0, "lower": 0.5, "upper": 2.0, "distribution": "lognormal"})
    found = simulate(make_lines({"co2e_kg": 1.0}), factors, make_activities(), seed=5, trials=TRIALS).row(0, named=True)
    deviation = math.log(4) / 2 / Z
    error = percentile_error(deviation)
    assert math.log(found["p2_5_kg"]) == pytest.approx(math.log(0.5), abs=5 * error)
    assert math.log(found["p97_5_kg"]) == pytest.approx(math.log(2), abs=5 * error)
    assert found["mean_kg"] == pytest.approx(math.exp(deviation**2 / 2), abs=5 * found["mean_error_kg"])


def test_one_factor_used_often_is_one_uncertainty(make_lines, make_factors, make_activities) -> None:
    lines = make_lines(*({"co2e_kg": 1.0, "factor_ids": [f"f{at % 2}"]} for at in range(1000)))
    one = make_lines(*({"co2e_kg": 1.0, "factor_ids": ["f0"]} for _ in range(1000)))
    shared = simulate(one, normals(make_factors, f0=0.1), make_activities(), seed=1)
    apart = simulate(lines, normals(make_factors, f0=0.1, f1=0.1), make_activities(), seed=1)
    assert shared["sd_kg"][0] == pytest.approx(1000 * 0.1 / Z, rel=0.04)
    assert apart["sd_kg"][0] == pytest.approx(500 * math.sqrt(2) * 0.1 / Z, rel=0.04)


def test_groups_share_the_draws(make_lines, make_factors, make_activities) -> None:
    """Two groups on one factor are proportional in every trial, so that all their percentiles are."""
    lines = make_lines({"co2e_kg": 10.0, "hub": "a"}, {"co2e_kg": 30.0, "hub": "b"})
    found = simulate(lines, normals(make_factors, f=0.2), make_activities(), seed=9, trials=600, by=["hub"])
    first, second = found.drop("hub", "trials", "assumed_sources").rows()
    assert [3 * figure for figure in first] == pytest.approx(list(second))


def test_any_number_of_threads_gives_the_same_bytes(make_lines, make_factors, make_activities, monkeypatch) -> None:
    monkeypatch.setattr(monte_carlo, "_TRIALS_A_BLOCK", 64)
    monkeypatch.setattr(monte_carlo, "_SOURCES_A_BLOCK", 3)
    lines = make_lines(*({"co2e_kg": 1.0 + at, "factor_ids": [f"f{at % 3}"]} for at in range(20)))
    activities = make_activities(
        *({"activity_id": f"a{at}", "amount": 1.0, "lower": 0.9, "upper": 1.2} for at in range(0, 20, 2))
    )
    known = (lines, normals(make_factors, f0=0.1, f1=0.3), activities)
    one = simulate(*known, seed=4, trials=333)
    assert_frame_equal(one, simulate(*known, seed=4, trials=333, threads=3), check_exact=True)
    assert_frame_equal(one, simulate(lines.reverse(), *known[1:], seed=4, trials=333), check_exact=True)
    assert one["assumed_sources"][0] == 10
    assert not one.equals(simulate(*known, seed=5, trials=333))


def test_more_trials_begin_with_the_same_ones(make_lines, make_factors, make_activities) -> None:
    """Of two trials the first is that of one: the deviation of two figures is their distance over root two."""
    known = (make_lines({"co2e_kg": 100.0}), normals(make_factors, f=0.1), make_activities())
    first = simulate(*known, seed=2, trials=1).row(0, named=True)
    both = simulate(*known, seed=2, trials=2).row(0, named=True)
    second = 2 * both["mean_kg"] - first["mean_kg"]
    assert both["sd_kg"] == pytest.approx(abs(first["mean_kg"] - second) / math.sqrt(2))
    assert first["sd_kg"] is None


def test_a_line_without_a_range_stays_as_it_is(make_lines, make_factors, make_activities) -> None:
    found = simulate(make_lines({"co2e_kg": 42.0}), make_factors(), make_activities(), seed=0, trials=10)
    assert found.select("mean_kg", "p2_5_kg", "p97_5_kg", "sd_kg").row(0) == (42, 42, 42, 0)


def test_a_credit_note_takes_back_what_its_factor_gave(make_lines, make_factors, make_activities) -> None:
    lines = make_lines({"co2e_kg": 100.0}, {"co2e_kg": -100.0})
    found = simulate(lines, normals(make_factors, f=0.5), make_activities(), seed=0, trials=100)
    assert found.select("mean_kg", "sd_kg").row(0) == pytest.approx((0, 0), abs=1e-9)


def test_too_many_values_are_refused(make_lines, make_factors, make_activities) -> None:
    lines = make_lines({"co2e_kg": 1.0})
    for trials in (0, 50_000_001):
        with pytest.raises(TooManyTrials):
            simulate(lines, make_factors(), make_activities(), seed=0, trials=trials)


def test_no_lines_give_no_rows(make_lines, make_factors, make_activities) -> None:
    assert simulate(make_lines(), make_factors(), make_activities(), seed=0, trials=10, by=["hub"]).is_empty()


@settings(max_examples=25)
@given(kg=st.floats(0.1, 1e6), share=st.floats(0.01, 0.5), times=st.floats(0.01, 100), seed=st.integers(0, 2**32))
def test_scaling_the_amounts_scales_every_percentile(
    kg, share, times, seed, make_lines, make_factors, make_activities
) -> None:
    known = (normals(make_factors, f=share), make_activities())
    names = ["mean_kg", "p2_5_kg", "p50_kg", "p97_5_kg"]
    one = simulate(make_lines({"co2e_kg": kg}), *known, seed=seed, trials=50).select(names).row(0)
    scaled = simulate(make_lines({"co2e_kg": kg * times}), *known, seed=seed, trials=50).select(names).row(0)
    assert scaled == pytest.approx([figure * times for figure in one])
    assert min(one) >= 0
