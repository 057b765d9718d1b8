import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import RecipeError
from fhi.recipe import ScreenStep
from fhi.screen import availability, screen

NAN = np.nan
GROUPS = {"A": [0, 1], "B": [2, 3]}
# Units u, v, w; indicators 0 and 1 of group A, 2 and 3 of B.
ONE_PERIOD = np.array([[[1.0, 2.0, 3.0, 4.0], [1.0, NAN, 0.0, 4.0], [NAN, NAN, 3.0, NAN]]])
UNITS = ["u", "v", "w"]
CUBES = arrays(np.float64, (2, 4, 4), elements=st.sampled_from([NAN, 0.0, 1.5]))


def step(**options: object) -> ScreenStep:
    return ScreenStep.model_validate({"method": "availability", **options})


def rows(gone: pl.DataFrame) -> list[tuple[object, ...]]:
    return gone.select("period", "unit", "indicator", "group", "reason", "share").rows()


def test_shares_of_units_indicators_and_groups() -> None:
    found = availability(ONE_PERIOD, GROUPS)
    assert found.units.tolist() == [[4 / 4, 3 / 4, 1 / 4]]
    assert found.indicators.tolist() == [[2 / 3, 1 / 3, 3 / 3, 2 / 3]]
    assert found.groups["A"].tolist() == [[2 / 2, 1 / 2, 0 / 2]]
    assert found.groups["B"].tolist() == [[2 / 2, 2 / 2, 1 / 2]]


def test_a_zero_counts_as_absent_where_asked() -> None:
    found = availability(ONE_PERIOD, GROUPS, "null_or_zero")
    assert found.units.tolist() == [[4 / 4, 2 / 4, 1 / 4]]
    assert found.groups["B"].tolist() == [[2 / 2, 1 / 2, 1 / 2]]


def test_units_below_their_share_go_with_the_reason() -> None:
    found = screen(ONE_PERIOD, step(min_unit_share=0.75), GROUPS, UNITS)
    assert found.rows.tolist() == [[True, True, False]]
    assert rows(found.gone) == [(0, 2, None, None, "unit_share", 1 / 4)]
    assert found.gone["min_share"].to_list() == [0.75]
    assert np.isnan(found.cube[0, 2]).all()
    assert np.array_equal(found.cube[0, :2], ONE_PERIOD[0, :2], equal_nan=True)


def test_units_are_judged_on_the_indicators_that_stay() -> None:
    # Without indicator 1, which one unit of three has, v has 3 of 3.
    found = screen(ONE_PERIOD, step(min_indicator_share=0.5, min_unit_share=0.9), GROUPS, UNITS)
    assert found.indicators.tolist() == [True, False, True, True]
    assert found.rows.tolist() == [[True, True, False]]
    assert rows(found.gone) == [
        (None, None, 1, None, "indicator_share", 1 / 3),
        (0, 2, None, None, "unit_share", 1 / 3),
    ]
    assert np.isnan(found.cube[:, :, 1]).all()


def test_a_unit_needs_its_share_in_every_group() -> None:
    found = screen(ONE_PERIOD, step(min_group_share=0.75), GROUPS, UNITS)
    assert found.rows.tolist() == [[True, False, False]]
    assert rows(found.gone) == [
        (0, 1, None, "A", "group_share", 1 / 2),
        (0, 2, None, "A", "group_share", 0 / 2),
        (0, 2, None, "B", "group_share", 1 / 2),
    ]


def test_a_group_that_lost_all_indicators_judges_nobody() -> None:
    x = np.array([[[NAN, NAN, 1.0, 2.0], [NAN, NAN, 3.0, 4.0]]])
    found = screen(x, step(min_indicator_share=0.5, min_group_share=0.5), GROUPS, ["u", "v"])
    assert found.indicators.tolist() == [False, False, True, True]
    assert found.rows.all()


def test_an_indicator_is_judged_over_all_periods_and_a_unit_in_each() -> None:
    x = np.array([[[1.0, NAN], [1.0, NAN]], [[1.0, 2.0], [NAN, 2.0]]])
    found = screen(x, step(min_indicator_share=0.5, min_unit_share=0.6), {}, ["u", "v"])
    assert found.indicators.all()  # 3 of 4 and 2 of 4 cells
    assert found.rows.tolist() == [[False, False], [True, False]]


def test_keep_and_drop_whatever_the_share() -> None:
    found = screen(ONE_PERIOD, step(min_unit_share=0.75, min_group_share=1, keep=("w",), drop=("u",)), GROUPS, UNITS)
    assert found.rows.tolist() == [[False, False, True]]
    assert rows(found.gone) == [(0, 0, None, None, "dropped", None), (0, 1, None, "A", "group_share", 1 / 2)]


def test_a_unit_both_to_keep_and_to_drop_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"\[screen\] w: found in keep and in drop"):
        screen(ONE_PERIOD, step(keep=("w",), drop=("u", "w")), GROUPS, UNITS)


def test_method_none_leaves_everything() -> None:
    found = screen(ONE_PERIOD, ScreenStep(min_unit_share=1), GROUPS, UNITS)
    assert np.array_equal(found.cube, ONE_PERIOD, equal_nan=True)
    assert found.rows.all()
    assert found.indicators.all()
    assert found.gone.is_empty()


def test_nine_of_ten_reach_nine_tenths() -> None:
    x = np.ones((1, 1, 10))
    x[0, 0, 0] = NAN
    assert screen(x, step(min_unit_share=0.9), {}, ["u"]).rows.all()
    assert not screen(x, step(min_unit_share=0.91), {}, ["u"]).rows.any()


@given(CUBES, st.floats(0, 1), st.floats(0, 1))
def test_what_stays_has_its_share_and_is_untouched(x: np.ndarray, unit: float, indicator: float) -> None:
    found = screen(x, step(min_unit_share=unit, min_indicator_share=indicator), {}, list("abcd"))
    stays = found.rows[:, :, None] & found.indicators
    assert np.array_equal(found.cube[stays], x[stays], equal_nan=True)
    assert np.isnan(found.cube[~stays]).all()
    if found.indicators.any():
        shares = availability(x[:, :, found.indicators], {}).units
        assert (shares[found.rows] >= unit - 1e-9).all()
        assert (shares[~found.rows] < unit).all()
    assert len(found.gone) == (~found.rows).sum() + (~found.indicators).sum()
