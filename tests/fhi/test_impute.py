from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import RecipeError
from fhi.impute import IMPUTERS, Context, hold_out_error, impute
from fhi.recipe import ImputeMethod, ImputeStep

NAN = np.nan
METHODS = [*IMPUTERS, "iterative"]


def context(periods: int, units: int, indicators: int, **own: object) -> Context:
    plain = {
        "unit_group": np.arange(units) % 2,
        "indicator_group": np.zeros(indicators, dtype=np.int64),
        "direction": np.ones(indicators),
        "time": np.arange(periods, dtype=np.float64),
    }
    return Context(**{**plain, **own})


def step(method: str, **options: object) -> ImputeStep:
    group = {"group": "region"} if method.startswith("group") else {}
    return ImputeStep.model_validate({"method": method, **group, **options})


def fill(x: np.ndarray, method: str, around: Context | None = None, **options: object) -> np.ndarray:
    return impute(x, step(method, **options), around or context(*x.shape)).cube


def column(*figures: float) -> np.ndarray:
    return np.array(figures).reshape(1, -1, 1)


def series(*figures: float) -> np.ndarray:
    return np.array(figures).reshape(-1, 1, 1)


def test_mean_and_median_of_the_units_of_each_period() -> None:
    x = np.array([[[1.0], [2.0], [6.0], [NAN]], [[10.0], [NAN], [NAN], [20.0]]])
    assert fill(x, "mean")[:, :, 0].tolist() == [[1, 2, 6, (1 + 2 + 6) / 3], [10, 15, 15, 20]]
    assert fill(x, "median")[:, :, 0].tolist() == [[1, 2, 6, 2], [10, 15, 15, 20]]


def test_an_indicator_without_figures_stays_missing() -> None:
    x = np.array([[[1.0, NAN], [2.0, NAN], [NAN, NAN]]])
    for method in METHODS:
        assert np.isnan(fill(x, method)[:, :, 1]).all(), method


def test_group_mean_and_median_leave_units_of_no_group_and_empty_groups_missing() -> None:
    x = column(1.0, 2.0, 6.0, NAN, NAN, NAN)
    around = context(1, 6, 1, unit_group=np.array([0, 0, 0, 0, 1, -1]))
    mean, median = fill(x, "group_mean", around), fill(x, "group_median", around)
    assert mean[0, :4, 0].tolist() == [1, 2, 6, (1 + 2 + 6) / 3]
    assert median[0, 3, 0] == 2
    assert np.isnan(mean[0, 4:]).all()
    assert np.isnan(median[0, 4:]).all()


def test_row_mean_on_scores_respects_direction_and_group() -> None:
    # Unit 2 scores (30 - 10) / (50 - 10) = 0.5 and, less being better, (8 - 2) / (8 - 0) = 0.75; indicator 3 is of
    # another group. Its missing figure, less being better, lies 0.625 of the way from 200 down to 100.
    x = np.array([[[10.0, 8.0, 200.0, 0.0], [50.0, 0.0, 100.0, 1.0], [30.0, 2.0, NAN, 1.0]]])
    direction, group = np.array([1.0, -1.0, -1.0, 1.0]), np.array([0, 0, 0, 1])
    around = context(1, 3, 4, direction=direction, indicator_group=group)
    assert fill(x, "row_mean", around)[0, 2, 2] == pytest.approx(200 - 100 * (0.5 + 0.75) / 2)
    x = np.concatenate([x[:, :, :2], x[:, :, :1], x[:, :, 2:]], axis=2)
    around = context(1, 3, 5, direction=np.array([1, -1, 1, -1, 1.0]), indicator_group=np.array([0, 0, 0, 0, 1]))
    assert fill(x, "row_median", around)[0, 2, 3] == pytest.approx(200 - 100 * 0.5)


def test_a_row_without_figures_in_the_group_stays_missing() -> None:
    x = np.array([[[1.0, 1.0, 5.0], [3.0, 2.0, 6.0], [NAN, NAN, 7.0]]])
    around = context(1, 3, 3, indicator_group=np.array([0, 0, 1]))
    assert np.isnan(fill(x, "row_mean", around)[0, 2, :2]).all()


def test_carry_forward_takes_the_latest_figure_and_never_a_later_one() -> None:
    found = fill(series(NAN, 1.0, NAN, NAN, 4.0, NAN), "carry_forward")
    assert found[1:, 0, 0].tolist() == [1, 1, 1, 4, 4]
    assert np.isnan(found[0]).all()


def test_linear_goes_by_the_distance_in_time() -> None:
    around = context(4, 1, 1, time=np.array([2010.0, 2011.0, 2014.0, 2015.0]))
    found = fill(series(10.0, NAN, NAN, 20.0), "linear", around)
    assert found[:, 0, 0].tolist() == [10, 10 + 10 * 1 / 5, 10 + 10 * 4 / 5, 20]


def test_linear_never_extrapolates_and_needs_two_figures() -> None:
    found = fill(series(NAN, 1.0, NAN, 3.0, NAN), "linear")
    assert found[1:4, 0, 0].tolist() == [1, 2, 3]
    assert np.isnan(found[[0, 4]]).all()
    assert np.isnan(fill(series(NAN, 5.0, NAN), "linear")[[0, 2]]).all()


def test_linear_needs_periods_one_after_the_other() -> None:
    # A year and its first quarter begin at the same time.
    around = context(3, 1, 1, time=np.array([2020.0, 2020.0, 2021.0]))
    with pytest.raises(RecipeError, match="periods that begin at 2020, 2020, 2021"):
        fill(series(1.0, NAN, 3.0), "linear", around)
    assert fill(series(1.0, NAN, 3.0), "carry_forward", around)[:, 0, 0].tolist() == [1, 1, 3]


def test_the_nearest_neighbours_are_those_of_similar_figures() -> None:
    x = np.array([[[0.0, 10.0], [0.1, 14.0], [9.0, 100.0], [9.1, 104.0], [0.05, NAN]]])
    assert fill(x, "knn", neighbours=2)[0, 4, 1] == pytest.approx((10 + 14) / 2)
    assert fill(x, "knn", neighbours=4)[0, 4, 1] == pytest.approx((10 + 14 + 100 + 104) / 4)


def test_distance_ignores_the_unit_of_an_indicator() -> None:
    x = np.array([[[0.0, 7.0, 10.0], [1.0, 2.0, 14.0], [9.0, 1.0, 100.0], [2.0, 5.0, NAN]]])
    scale = np.array([1e6, 1e-3, 1.0])
    assert fill(x * scale, "knn", neighbours=1)[0, 3, 2] == fill(x, "knn", neighbours=1)[0, 3, 2]


def test_regressions_find_a_straight_line() -> None:
    a = np.linspace(0, 1, 40)
    x = np.stack([a, 3 - 2 * a, 5 * a + 1], axis=1)[None]
    x[0, 7, 1], x[0, 20, 2] = NAN, NAN
    found = fill(x, "iterative")
    assert found[0, 7, 1] == pytest.approx(3 - 2 * a[7], abs=1e-2)
    assert found[0, 20, 2] == pytest.approx(5 * a[20] + 1, abs=1e-2)


def test_regressions_say_where_they_did_not_settle() -> None:
    generator = np.random.default_rng(3)
    x = generator.normal(size=(2, 30, 3))
    x[0, generator.random((30, 3)) < 0.3] = NAN
    assert impute(x, step("iterative", max_rounds=1), context(2, 30, 3)).unsettled == (0,)
    assert impute(x, step("iterative", max_rounds=100), context(2, 30, 3)).unsettled == ()


def test_a_unit_without_any_figure_in_a_period_stays_missing_in_models() -> None:
    x = np.array([[[1.0, 2.0], [2.0, 4.0], [3.0, NAN], [NAN, NAN]]])
    for method in ("knn", "iterative"):
        found = fill(x, method)
        assert not np.isnan(found[0, :3]).any()
        assert np.isnan(found[0, 3]).all()


CUBES = arrays(np.float64, (3, 5, 3), elements=st.floats(-1e6, 1e6) | st.just(NAN))


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=25)
@given(x=CUBES)
def test_an_imputed_cell_never_changes_an_observed_one(method: str, x: np.ndarray) -> None:
    before = x.copy()
    found = impute(x, step(method), context(3, 5, 3))
    assert np.array_equal(x, before, equal_nan=True)
    here = ~np.isnan(x)
    assert np.array_equal(found.cube[here], x[here])
    assert not (found.mask & here).any()
    assert np.array_equal(found.mask, ~np.isnan(found.cube) & ~here)
    assert not np.isinf(found.cube).any()


@given(CUBES)
def test_column_and_time_fillings_lie_between_observed_figures(x: np.ndarray) -> None:
    for method in ("mean", "median", "group_mean", "group_median", "carry_forward", "linear"):
        found = fill(x, method)
        for i in range(3):
            observed = x[:, :, i][~np.isnan(x[:, :, i])]
            filled = found[:, :, i][np.isnan(x[:, :, i]) & ~np.isnan(found[:, :, i])]
            if len(filled):
                slack = 1e-9 * (1 + np.abs(observed).max())
                assert filled.min() >= observed.min() - slack, method
                assert filled.max() <= observed.max() + slack, method


def test_hold_out_error_of_the_mean_is_its_own_yardstick() -> None:
    # Two figures, one hidden: the mean is the other one, off by 4 whichever is hidden; sd of 1 and 5 is sqrt(8).
    found = hold_out_error(column(1.0, 5.0), step("mean"), context(1, 2, 1)).row(0, named=True)
    assert (found["hidden"], found["n"]) == (1, 1)
    for prefix in ("", "mean_"):
        assert found[f"{prefix}rmse"] == found[f"{prefix}mae"] == 4
        assert found[f"{prefix}nrmse"] == pytest.approx(4 / np.sqrt(8))


def test_hold_out_error_of_a_method_that_knows_better_than_the_mean() -> None:
    trend = np.arange(20.0).reshape(20, 1, 1) + np.array([0.0, 100.0]).reshape(1, 2, 1)
    found = hold_out_error(trend, step("linear", hold_out_share=0.2), context(20, 2, 1), seed=1).row(0, named=True)
    assert found["hidden"] == round(0.2 * 40)
    assert 0 < found["n"] <= found["hidden"]
    assert found["rmse"] == pytest.approx(0, abs=1e-9)
    # The mean of a period is the figure of the other unit, 100 away.
    assert found["mean_rmse"] == pytest.approx(100)


def test_hold_out_error_is_null_where_nothing_can_be_hidden_or_compared() -> None:
    x = np.array([[[1.0, 3.0, NAN], [NAN, 3.0, NAN], [NAN, 3.0, NAN]]])
    found = hold_out_error(x, step("mean"), context(1, 3, 3))
    assert found["hidden"].to_list() == [0, 1, 0]
    assert found["rmse"].to_list() == [None, 0.0, None]
    assert found["nrmse"].to_list() == [None, None, None]
    nothing = hold_out_error(x, step("none"), context(1, 3, 3))
    assert nothing["n"].to_list() == [0, 0, 0]
    assert nothing["mean_n"].to_list() == [0, 0, 0]


def test_hold_out_draws_follow_the_seed() -> None:
    x = np.random.default_rng(0).normal(size=(1, 50, 2))
    around = context(1, 50, 2)
    first = hold_out_error(x, step("mean"), around, seed=7)
    assert first.equals(hold_out_error(x, step("mean"), around, seed=7))
    assert not first.equals(hold_out_error(x, step("mean"), around, seed=8))
    assert first["hidden"].to_list() == [5, 5]


def test_every_method_of_a_recipe_is_known() -> None:
    assert set(METHODS) == set(get_args(ImputeMethod))


def test_the_yardstick_is_held_against_the_same_cells() -> None:
    """Of a series only what lies between figures can be filled along it; the mean could fill its ends too."""
    x = np.array([[5.0, 1.0], [6.0, 2.0], [7.0, 3.0], [8.0, 4.0]]).reshape(4, 2, 1)
    for seed in range(8):
        found = hold_out_error(x, step("linear", hold_out_share=0.5), context(4, 2, 1), seed=seed).row(0, named=True)
        assert found["mean_n"] <= found["n"] <= found["hidden"] == 4
