"""Sobol indices: Ishigami's function with its analytic indices, additive functions, gaps, and COINr's own runs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhi.arrays import Array
from green_index.robustness.draws import ChoiceError
from green_index.robustness.sobol import (
    SobolIndices,
    cut_by_odds,
    cut_evenly,
    resample_counts,
    sobol_design,
    sobol_indices,
)

Model = Callable[[Array], Array]
A, B = 7.0, 0.1
# Ishigami and Homma 1990: variances of the main effects of x1 and x2, and of x1 with x3.
V1, V2, V13 = (1 + B * np.pi**4 / 5) ** 2 / 2, A**2 / 8, B**2 * np.pi**8 * (1 / 18 - 1 / 50)
V = V1 + V2 + V13
FIRST, TOTAL = np.array([V1 / V, V2 / V, 0]), np.array([(V1 + V13) / V, V2 / V, V13 / V])


def ishigami(points: Array) -> Array:
    x = np.pi * (2 * points - 1)
    found: Array = np.sin(x[..., 0]) + A * np.sin(x[..., 1]) ** 2 + B * x[..., 2] ** 4 * np.sin(x[..., 0])
    return found


def run(model: Model, factors: int, runs: int, seed: int, *, kind: str = "sobol", resamples: int = 100) -> SobolIndices:
    y = model(sobol_design(factors, runs, seed, "random" if kind == "random" else "sobol").stacked())[..., None]
    return sobol_indices(y[0], y[1], y[2:], resamples, seed)


def coinr_first_order(y_a: Array, y_b: Array, y_ab: Array) -> Array:
    """COINr's estimator, outputs not centred: (factors,)."""
    found: Array = (y_b * (y_ab - y_a)).mean(axis=1) / np.concatenate([y_a, y_b]).var(ddof=1)
    return found


@pytest.mark.parametrize("runs", [128, 1024, 8192])
def test_ishigami_is_within_the_interval_of_salib(reference: Path, runs: int) -> None:
    told = json.loads((reference / "composite/mcdm/sobol_ishigami_reference.json").read_text())
    assert np.abs(np.array(told["analytic"]["S1"]) - FIRST).max() < 1e-12
    assert np.abs(np.array(told["analytic"]["ST"]) - TOTAL).max() < 1e-12
    conf = np.array(told["runs"][f"SALib_N{runs}"]["S1_conf"])
    found = [run(ishigami, 3, runs, seed) for seed in range(5)]
    for indices in found:
        assert (np.abs(indices.first_order[:, 0] - FIRST) < conf).all()
    # The file has no interval of total indices: these five together, which is less strict than each.
    assert (np.abs(np.mean([indices.total[:, 0] for indices in found], axis=0) - TOTAL) < conf).all()


@pytest.mark.parametrize("runs", [128, 1024])
def test_errors_on_ishigami_are_less_than_coinrs(reference: Path, runs: int) -> None:
    """Root mean square errors of both estimators at equal runs over 100 repetitions, y shifted by 20."""
    ours, theirs = [], []
    for seed in range(100):
        y = ishigami(sobol_design(3, runs, seed, "random").stacked()) + 20
        ours.append(sobol_indices(y[0, :, None], y[1, :, None], y[2:, :, None], 1).first_order[:, 0] - FIRST)
        theirs.append(coinr_first_order(y[0], y[1], y[2:]) - FIRST)
    our_error, their_error = (np.sqrt(np.square(errors).mean(axis=0)) for errors in (ours, theirs))
    print(f"Ishigami + 20, {runs} runs: error of S1 {our_error.round(4)}, of COINr's estimator {their_error.round(4)}")
    assert (our_error * 3 < their_error).all()
    told = json.loads((reference / "composite/mcdm/sobol_ishigami_reference.json").read_text())["runs"]
    printed = np.array(told[f"COINr_estimator_N{runs}_centred_False_offset20"]["sd"])
    # The standard error of a standard deviation from 100 values is 7 %; both are samples.
    assert (np.abs(their_error / printed - 1) < 0.4).all()
    assert (our_error < printed / 3).all()


def test_indices_stay_when_the_output_is_shifted_or_stretched() -> None:
    plain = run(ishigami, 3, 64, 1)
    moved = run(lambda points: 1000 - 5 * ishigami(points), 3, 64, 1)
    for name in ("first_order", "first_order_low", "first_order_high", "total", "total_low", "total_high"):
        near = 1e-5 if name.endswith(("low", "high")) else 1e-9
        assert np.allclose(getattr(plain, name), getattr(moved, name), rtol=0, atol=near)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.integers(0, 2**32))
def test_additive_functions_have_shares_of_variance(slopes: list[int], seed: int) -> None:
    """Of y = sum c x the share of x is c^2 / sum c^2, first order and total alike, and they sum to 1."""
    shares = np.square(slopes) / np.square(slopes).sum()
    found = run(lambda points: np.asarray(points @ np.array(slopes, dtype=float)), len(slopes), 1024, seed, resamples=1)
    assert np.abs(found.first_order[:, 0] - shares).max() < 0.02
    assert np.abs(found.total[:, 0] - shares).max() < 0.02
    assert abs(found.first_order.sum() - 1) < 0.02


@given(st.integers(0, 2**32), st.integers(2, 60), st.sampled_from(["sobol", "random"]))
def test_a_factor_without_effect_has_exactly_nothing(seed: int, runs: int, kind: str) -> None:
    found = run(lambda points: np.asarray(points[..., 0] ** 2), 2, runs, seed, kind=kind, resamples=20)
    assert found.first_order[1, 0] == 0
    assert found.total[1, 0] == 0
    assert found.total[0, 0] > 0


def test_each_output_is_as_if_it_were_alone() -> None:
    points = sobol_design(3, 128, 4).stacked()
    gap = ishigami(points)
    gap[4, 17] = np.nan
    y = np.stack([ishigami(points), np.full(gap.shape, 0.1), gap, points[..., 1]], axis=-1)
    found = sobol_indices(y[0], y[1], y[2:], 50, 9)
    for output in (0, 3):
        alone = sobol_indices(y[0, :, [output]].T, y[1, :, [output]].T, y[2:, :, output, None], 50, 9)
        for name, near in (("first_order", 1e-12), ("first_order_high", 1e-5), ("total", 1e-12), ("total_low", 1e-5)):
            assert np.allclose(getattr(found, name)[:, output], getattr(alone, name)[:, 0], rtol=0, atol=near)
    assert np.isnan(found.first_order[:, 1:3]).all()
    assert np.isnan(found.total_high[:, 1:3]).all()


def test_an_output_that_one_run_alone_moves_has_no_interval() -> None:
    y = np.zeros((3, 50, 1))
    y[0, 7] = y[2, 7] = 4
    found = sobol_indices(y[0], y[1], y[2:], 100, 1)
    assert (found.first_order[0, 0], found.total[0, 0]) == (0, 0)
    assert np.isnan([found.first_order_low, found.first_order_high, found.total_low, found.total_high]).all()


def test_resamples_are_those_of_a_plain_loop() -> None:
    """The interval from one matrix product against resampled runs, one by one, each with a variance of its own."""
    y = ishigami(sobol_design(3, 40, 2, "random").stacked())
    found = sobol_indices(y[0, :, None], y[1, :, None], y[2:, :, None], 30, 5)
    counts = resample_counts(40, 30, 5).astype(int)
    assert (counts.sum(axis=1) == 40).all()
    firsts, totals = [], []
    for row in counts:
        a, b, *mixed = (np.repeat(values, row) for values in y)
        both = np.concatenate([a, b])
        firsts.append([np.mean((b - both.mean()) * (one - a)) / both.var(ddof=1) for one in mixed])
        totals.append([np.mean((one - a) ** 2) / (2 * both.var(ddof=1)) for one in mixed])
    for low, high, plain in (
        (found.first_order_low, found.first_order_high, firsts),
        (found.total_low, found.total_high, totals),
    ):
        ends = np.quantile(plain, (0.05, 0.95), axis=0)
        assert np.allclose([low[:, 0], high[:, 0]], ends, rtol=0, atol=1e-5)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of 200 intervals from 5 % to 95 % some 180 hold the analytic index; 4 standard errors are 17."""
    hits = np.zeros((2, 3))
    for seed in range(200):
        found = run(ishigami, 3, 256, seed, kind="random", resamples=200)
        hits[0] += (found.first_order_low[:, 0] < FIRST) & (found.first_order_high[:, 0] > FIRST)
        hits[1] += (found.total_low[:, 0] < TOTAL) & (found.total_high[:, 0] > TOTAL)
    assert (np.abs(hits - 180) < 17).all()


def test_the_design_mixes_one_column_at_a_time() -> None:
    design = sobol_design(3, 100, 7)
    points = design.stacked()
    assert points.shape == (5, 100, 3)
    assert ((points >= 0) & (points < 1)).all()
    assert np.array_equal(points[0], design.a)
    assert np.array_equal(points[1], design.b)
    for factor in range(3):
        for column in range(3):
            source = design.b if column == factor else design.a
            assert np.array_equal(points[2 + factor, :, column], source[:, column])
    assert np.array_equal(sobol_design(3, 100, 7).b, design.b)
    assert not np.array_equal(sobol_design(3, 100, 8).b, design.b)


def test_options_have_parts_of_the_unit_interval_not_of_the_sample() -> None:
    """COINr cuts over the range drawn: there .01, .2, .3 are options 1, 2, 2 of 2."""
    drawn = np.array([0.01, 0.2, 0.3])
    assert cut_evenly(drawn, 2).tolist() == [0, 0, 0]
    assert cut_by_odds(drawn, (0.5, 0.5)).tolist() == [0, 0, 0]
    assert cut_evenly(np.array([0, 0.249, 0.25, 0.75, np.nextafter(1, 0)]), 4).tolist() == [0, 0, 1, 3, 3]
    assert cut_by_odds(np.array([0, 0.099, 0.1, 0.399, 0.4, np.nextafter(1, 0)]), (0.1, 0.3, 0.6)).tolist() == [
        *(0, 0, 1, 1, 2, 2)
    ]


def test_coinrs_indices_from_its_own_600_runs(reference: Path) -> None:
    """Its first-order indices by its formula, its total indices by ours; centred ones near those of its 1,000 runs."""
    folder = reference / "composite/coinr_asem/sa"
    drawn = pl.read_csv(folder / "sa_n100_para.csv").drop("rep")
    for factor, name in enumerate(drawn.columns):
        # The order of its runs is that of `Design.stacked`: A with this column from B.
        mixed = drawn[:100].with_columns(drawn[100:200, name])
        assert drawn[100 * (2 + factor) : 100 * (3 + factor)].equals(mixed)
    y = pl.read_csv(folder / "sa_n100_y.csv")["mean_abs_rank_change"].to_numpy().reshape(6, 100)
    theirs = pl.read_csv(folder / "sa_n100_sobol.csv")
    uncentred = coinr_first_order(y[0], y[1], y[2:])
    assert np.abs(uncentred - theirs["Si"].to_numpy()).max() < 1e-12
    assert uncentred.max() > 1.15
    found = sobol_indices(y[0, :, None], y[1, :, None], y[2:, :, None], 500, 1)
    assert np.abs(found.total[:, 0] - theirs["STi"].to_numpy()).max() < 1e-12
    # The same estimator on 1,000 runs a sample, of the research notes; printed to three digits.
    centred = np.array([0.041, 0.048, 0.168, 0.539])
    assert (np.abs(found.first_order[:, 0] - centred) < np.abs(uncentred - centred) + 0.02).all()
    assert np.abs(found.first_order[:, 0] - centred).max() < 0.1 < np.abs(uncentred - centred).max()
    assert (found.first_order_high < 1).all()
    # Bootstrap means apart, V moves too here; the ends differ by no more than a third of the interval's width.
    width = (theirs["STi_q95"] - theirs["STi_q5"]).to_numpy()
    for column, ends in (("STi_q5", found.total_low), ("STi_q95", found.total_high)):
        assert (np.abs(ends[:, 0] - theirs[column].to_numpy()) < width / 3).all()


def test_what_cannot_be_designed_is_refused() -> None:
    with pytest.raises(ChoiceError) as raised:
        sobol_design(0, 1, -1)
    assert [problem.where for problem in raised.value.problems] == ["factors", "draws", "seed"]
    with pytest.raises(ChoiceError, match="found 1 runs, 10 resamples; expected 2 runs"):
        sobol_indices(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((2, 1, 1)), 10)
