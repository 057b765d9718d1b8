import math
from typing import get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.recipe import TreatMethod, TreatStep
from fhi.treat import (
    FALL_BACKS,
    TRANSFORMS,
    Treated,
    boxcox,
    kurtosis,
    log1p,
    log_range,
    move_points,
    passes,
    skewness,
    treat,
    winsorise,
)

NAN = np.nan
# Figures that are plain floats of three digits, so that neither ties nor ranges get lost in the last digit.
FIGURES = st.integers(-10_000, 10_000).map(lambda n: n / 8)
COLUMNS = arrays(np.float64, st.integers(4, 30), elements=FIGURES | st.just(NAN))
ONE_HIGH = np.array([*range(1, 21), 1000.0])
THREE_HIGH = np.array([*range(1, 41), 200.0, 400.0, 800.0])


def cube(*columns: np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1)[None]


def treated(x: np.ndarray, *, pooled: bool = False, **options: object) -> Treated:
    step = TreatStep.model_validate({"method": "winsorise", **options})
    return treat(x, step, [f"i{i}" for i in range(x.shape[2])], pooled=pooled)


def done(found: Treated) -> list[tuple[object, ...]]:
    return found.summary.select("method", "points", "passed_before", "passed").rows()


def test_log_keeps_zero_and_missing() -> None:
    found = log1p(np.array([0.0, math.e - 1, np.nan]))
    assert found[:2].tolist() == [0.0, pytest.approx(1.0)]
    assert np.isnan(found[2])


def test_log_of_a_negative_figure_is_an_error_that_shows_it() -> None:
    with pytest.raises(ValueError, match=r"found -2\.5"):
        log1p(np.array([1.0, -2.5]))


def test_none_keeps_every_figure() -> None:
    x = np.array([-1.0, 2.0])
    assert TRANSFORMS["none"](x) is x


@pytest.mark.parametrize("n", [4, 5, 10, 51])
def test_one_figure_apart_from_n_equal_ones_has_skewness_root_n_and_kurtosis_n(n: int) -> None:
    x = np.zeros(n)
    x[0] = 7.0
    assert skewness(x) == pytest.approx(math.sqrt(n))
    assert kurtosis(x) == pytest.approx(n)
    assert skewness(-x) == pytest.approx(-math.sqrt(n))


def test_skewness_and_kurtosis_by_their_definition() -> None:
    x = [2.0, 3.0, 5.0, 11.0, 4.0]
    n, mean = 5, 25 / 5
    second, third, fourth = (sum((figure - mean) ** power for figure in x) / n for power in (2, 3, 4))
    g1, g2 = third / second**1.5, fourth / second**2 - 3
    assert skewness(np.array(x)) == pytest.approx(g1 * math.sqrt(n * (n - 1)) / (n - 2))
    assert kurtosis(np.array(x)) == pytest.approx((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * g2 + 6))


def test_too_few_or_equal_figures_have_no_shape_and_pass() -> None:
    for x in ([], [NAN, NAN], [1.0, 2.0, NAN], [0.1, 0.1, 0.1, 0.1, 0.1]):
        assert np.isnan(skewness(np.array(x)))
        assert np.isnan(kurtosis(np.array(x)))
        assert passes(np.array(x), 2, 3.5)
    assert not np.isnan(skewness(np.array([1.0, 2.0, 4.0])))
    assert np.isnan(kurtosis(np.array([1.0, 2.0, 4.0])))


@given(COLUMNS, st.floats(0.01, 100), FIGURES)
def test_shape_ignores_the_unit_and_missing_cells(x: np.ndarray, factor: float, shift: float) -> None:
    changed = np.concatenate([x * factor + shift, [NAN]])
    for shape in (skewness, kurtosis):
        assert shape(changed) == pytest.approx(float(shape(x)), rel=1e-6, abs=1e-6, nan_ok=True)


def test_each_column_has_its_own_shape() -> None:
    x = np.stack([ONE_HIGH, -ONE_HIGH, np.full(21, NAN)], axis=1)
    assert skewness(x)[:2].tolist() == [skewness(ONE_HIGH), skewness(-ONE_HIGH)]
    assert np.isnan(skewness(x)[2])


def test_an_outlier_is_moved_to_the_next_figure_and_told() -> None:
    found = treated(cube(ONE_HIGH))
    assert found.cube[0, :, 0].tolist() == [*range(1, 21), 20]
    assert found.changes.rows() == [(0, 20, 0, 1000.0, 20.0)]
    assert done(found) == [("winsorise", 1, False, True)]
    row = found.summary.row(0, named=True)
    assert row["n"] == 21
    assert row["skewness_before"] == pytest.approx(float(skewness(ONE_HIGH)))
    assert row["skewness"] == pytest.approx(float(skewness(np.array([*range(1, 21), 20.0]))))


def test_a_low_outlier_is_moved_upwards() -> None:
    found = treated(cube(-ONE_HIGH))
    assert found.changes.rows() == [(0, 20, 0, -1000.0, -20.0)]


def test_points_are_moved_one_at_a_time_until_the_indicator_passes() -> None:
    found = treated(cube(np.array([*range(1, 21), 900.0, 1000.0])))
    # 1000 to 900, where the two still are too far off, then both to 20.
    assert found.cube[0, :, 0].tolist() == [*range(1, 21), 20, 20]
    assert done(found) == [("winsorise", 2, False, True)]


def test_figures_that_tie_at_the_extreme_move_together_within_the_cap() -> None:
    tied = np.array([*range(1, 21), 1000.0, 1000.0])
    assert done(treated(cube(tied), max_points=2)) == [("winsorise", 2, False, True)]
    found = treated(cube(tied), max_points=1)
    # Two figures so far off stay so under a logarithm, and the summary says so.
    assert done(found) == [("log", 0, False, False)]
    assert np.allclose(found.cube[0, :, 0], np.log(tied - 1 + 0.01 * 999))


def test_what_winsorising_cannot_tame_is_transformed_from_the_original() -> None:
    assert done(treated(cube(THREE_HIGH), max_points=5)) == [("winsorise", 3, False, True)]
    for too_few in (0, 2):
        found = treated(cube(THREE_HIGH), max_points=too_few)
        assert done(found) == [("log", 0, False, True)]
        expected = [math.log(figure - 1 + 0.01 * (800 - 1)) for figure in THREE_HIGH]
        assert found.cube[0, :, 0].tolist() == pytest.approx(expected)
        assert found.changes.select("unit", "before").rows() == list(enumerate(THREE_HIGH))


def test_fall_back_none_leaves_the_original_and_says_that_it_does_not_pass() -> None:
    found = treated(cube(THREE_HIGH), max_points=2, fall_back="none")
    assert np.array_equal(found.cube[0, :, 0], THREE_HIGH)
    assert found.changes.is_empty()
    assert done(found) == [("none", 0, False, False)]


def test_fall_back_boxcox() -> None:
    found = treated(cube(THREE_HIGH), max_points=2, fall_back="boxcox")
    assert done(found) == [("boxcox", 0, False, True)]
    assert np.array_equal(found.cube[0, :, 0], boxcox(THREE_HIGH))


def test_leaving_one_value_only_is_no_cure() -> None:
    x = np.array([0.0] * 9 + [1.0])
    found = treated(cube(x), fall_back="none")
    assert np.array_equal(found.cube[0, :, 0], x)
    assert done(found) == [("none", 0, False, False)]


def test_the_logarithm_of_negative_skewness_is_the_mirror_image() -> None:
    assert np.allclose(log_range(-THREE_HIGH), -log_range(THREE_HIGH))
    assert abs(skewness(log_range(-THREE_HIGH))) < abs(skewness(-THREE_HIGH))


def test_transformations_leave_constant_and_missing_figures() -> None:
    for transform in (log_range, boxcox):
        assert transform(np.array([3.0, 3.0, NAN]))[:2].tolist() == [3.0, 3.0]
        assert np.isnan(transform(np.array([NAN, NAN]))).all()
        found = transform(np.array([1.0, NAN, 5.0, 2.0, 9.0]))
        assert np.isnan(found).tolist() == [False, True, False, False, False]


def test_boxcox_makes_lognormal_figures_symmetric() -> None:
    x = np.random.default_rng(5).lognormal(size=500)
    assert skewness(x) > 2
    assert abs(skewness(boxcox(x))) < 0.3


def test_forced_treatments_are_done_whatever_the_skewness() -> None:
    plain = np.arange(1.0, 22.0)
    forced = {
        "i0": {"method": "none"},
        "i1": {"method": "winsorise", "points": 2},
        "i2": {"method": "log"},
        "i3": {"method": "boxcox"},
    }
    x = cube(ONE_HIGH, plain, plain, plain, ONE_HIGH)
    for method in ("winsorise", "none"):
        found = treated(x, method=method, by_indicator=forced)
        assert np.array_equal(found.cube[0, :, 0], ONE_HIGH)
        # No skewness counts as high: 21 to 20, then, the skewness being negative, 1 to 2.
        assert found.cube[0, :, 1].tolist() == [2, *range(2, 21), 20]
        assert np.allclose(found.cube[0, :, 2], np.log(plain - 1 + 0.01 * 20))
        assert np.array_equal(found.cube[0, :, 3], boxcox(plain))
        assert found.cube[0, 20, 4] == (20 if method == "winsorise" else 1000)
        assert found.summary["forced"].to_list() == [True] * 4 + [False]
        assert found.summary["method"].to_list() == ["none", "winsorise", "log", "boxcox", method]
        assert found.summary["points"].to_list()[:4] == [0, 2, 0, 0]
        assert found.summary["passed"].to_list() == [False, True, True, True, method == "winsorise"]


def test_forced_points_stop_at_ties_and_before_one_value_is_left() -> None:
    tied = np.array([1.0, 2.0, 3.0, 9.0, 9.0, 9.0, 4.0, 5.0, 2.5])
    assert move_points(tied, 2) == (pytest.approx(tied), 0)
    moved, points = move_points(np.array([0.0, 0.0, 0.0, 1.0]), 3)
    assert (moved.tolist(), points) == ([0, 0, 0, 1], 0)


def test_periods_are_judged_alone_or_as_one() -> None:
    # Each year is even in itself; together the figures of the last year are the outliers.
    years = np.stack([np.arange(1.0, 21.0)] * 9 + [np.arange(1001.0, 1021.0)])[:, :, None]
    alone = treated(years)
    assert alone.changes.is_empty()
    assert alone.summary["period"].to_list() == list(range(10))
    pooled = treated(years, pooled=True)
    assert pooled.summary["period"].to_list() == [None]
    assert done(pooled)[0][:3] == ("log", 0, False)
    assert np.allclose(pooled.cube, np.log(years - 1 + 0.01 * 1019))
    assert pooled.changes.select("period", "unit").rows()[21] == (1, 1)


def test_method_none_changes_nothing() -> None:
    found = treated(cube(THREE_HIGH, -THREE_HIGH), method="none")
    assert found.changes.is_empty()
    assert [row[0] for row in done(found)] == ["none", "none"]


@given(COLUMNS, st.integers(0, 6))
def test_winsorising_never_moves_more_than_the_cap_nor_turns_an_order(x: np.ndarray, cap: int) -> None:
    columns, counts = winsorise(x[:, None], cap, 1.0, 1.0)
    moved, points = columns[:, 0], int(counts[0])
    here = ~np.isnan(x)
    assert points == (moved[here] != x[here]).sum() <= cap
    assert np.array_equal(np.isnan(moved), ~here)
    in_order = moved[here][np.argsort(x[here], kind="stable")]
    assert (np.diff(in_order) >= 0).all()
    if points < cap and len(np.unique(moved[here])) > 2 and len(np.unique(x[here])) == here.sum():
        assert passes(moved, 1.0, 1.0)


@given(COLUMNS)
def test_logarithm_and_boxcox_keep_the_order(x: np.ndarray) -> None:
    observed = x[~np.isnan(x)]
    assume(len(np.unique(observed)) > 1)
    for transform in (log_range, boxcox):
        found = transform(x)[~np.isnan(x)][np.argsort(observed)]
        assert (np.diff(found) >= -1e-12).all(), transform
        assert np.isfinite(found).all()


@given(COLUMNS)
def test_every_changed_cell_is_in_the_table_and_no_other(x: np.ndarray) -> None:
    found = treated(cube(x), max_skewness=0.5, max_kurtosis=-3, max_points=3)
    rebuilt = x.copy()
    for _, unit, _, before, after in found.changes.iter_rows():
        assert before == x[unit] != after
        rebuilt[unit] = after
    assert np.array_equal(rebuilt, found.cube[0, :, 0], equal_nan=True)
    if found.summary["method"].item() == "winsorise":
        assert len(found.changes) == found.summary.select(pl.col("points").sum()).item()


def test_every_method_of_a_recipe_is_known() -> None:
    assert {*FALL_BACKS, "winsorise"} == set(get_args(TreatMethod))
