import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fhi.errors import RecipeError
from fhi.normalise import NORMALISERS, Facts, constant, normalise, observed_bounds, rules_of
from fhi.recipe import NormaliseMethod, NormaliseRule, NormaliseStep

NAN = np.nan
FIGURES = st.integers(-10_000, 10_000).map(lambda n: n / 8)
COLUMNS = arrays(np.float64, (1, 8, 1), elements=FIGURES | st.just(NAN))


def facts_of(width: int, direction: float = 1.0, **own: object) -> Facts:
    none = np.full(width, NAN)
    plain = {"lower": none, "upper": none, "target": none, "direction": np.full(width, direction)}
    return Facts(tuple(f"i{i}" for i in range(width)), **{**plain, **own})


def scores(x: np.ndarray, rule: NormaliseRule, facts: Facts, bounds: str = "period") -> np.ndarray:
    units, periods = [f"u{i}" for i in range(x.shape[1])], [str(2000 + i) for i in range(x.shape[0])]
    return normalise(x, facts, [rule] * x.shape[2], bounds=bounds, units=units, periods=periods)


def score(figures: list[float], method: str = "minmax", direction: float = 1.0, **options: object) -> list[float]:
    """Scores of one indicator in one period; goalposts and target by the names that Facts has."""
    marks = {name: np.array([float(options.pop(name))]) for name in ("low", "high", "target") if name in options}
    own = {{"low": "lower", "high": "upper"}.get(name, name): value for name, value in marks.items()}
    rule = NormaliseRule.model_validate({"method": method, **options})
    return scores(np.array(figures, dtype=float).reshape(1, -1, 1), rule, facts_of(1, direction, **own))[
        0, :, 0
    ].tolist()


def codes_of(raised: pytest.ExceptionInfo[RecipeError]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


def test_least_is_zero_greatest_is_a_hundred() -> None:
    assert score([2, 4, 6]) == [0, 100 * (4 - 2) / (6 - 2), 100]
    assert score([2, 4, 6], lower=1) == [1, 1 + 99 * (4 - 2) / (6 - 2), 100]


def test_direction_turns_the_scale() -> None:
    assert score([2, 4, 10], direction=-1) == [100, 100 - 100 * (4 - 2) / (10 - 2), 0]


def test_bounds_of_each_period_or_of_all() -> None:
    x = np.array([[0.0, 10.0], [10.0, 20.0]])[:, :, None]
    assert scores(x, NormaliseRule(), facts_of(1))[:, :, 0].tolist() == [[0, 100], [0, 100]]
    assert scores(x, NormaliseRule(), facts_of(1), "pooled")[:, :, 0].tolist() == [[0, 50], [50, 100]]


def test_observed_bounds_of_each_period_or_of_all() -> None:
    x = np.array([[[0.0, NAN], [10.0, NAN]], [[10.0, 1.0], [20.0, NAN]]])
    least, greatest = observed_bounds(x, pooled=False)
    assert least[:, 0, 0].tolist() == [0, 10]
    assert greatest[:, 0, 0].tolist() == [10, 20]
    assert np.isnan(least[0, 0, 1])
    least, greatest = observed_bounds(x, pooled=True)
    assert least[:, 0].tolist() == [[0, 1], [0, 1]]
    assert greatest[:, 0].tolist() == [[20, 1], [20, 1]]


@pytest.mark.parametrize("method", [name for name in NORMALISERS if name not in ("goalposts", "scaled")])
def test_missing_stays_missing_and_does_not_move_the_scale(method: str) -> None:
    options = {"reference": "u1"} if method == "distance_to_reference" else {}
    marks = {"target": 8.0} if method == "distance_to_target" else {}
    full, holed = ([2.0, 4.0, 6.0], [2.0, 4.0, 6.0, NAN])
    found = score(holed, method, **options, **marks)
    assert found[:3] == score(full, method, **options, **marks)
    assert math.isnan(found[3])


@pytest.mark.parametrize("method", [name for name in NORMALISERS if name not in ("goalposts", "scaled")])
def test_a_constant_or_empty_indicator_gives_no_score(method: str) -> None:
    options = {"reference": "u1"} if method == "distance_to_reference" else {}
    marks = {"target": 8.0} if method == "distance_to_target" else {}
    for figures in ([3.0, 3.0], [NAN, 3.0], [NAN, NAN]):
        assert all(math.isnan(value) for value in score(figures, method, **options, **marks))


def test_constant_says_where_an_indicator_has_one_value_and_no_scale_of_its_own() -> None:
    x = np.array([[[1.0, 1.0, 1.0, NAN], [1.0, 1.0, 2.0, NAN]], [[1.0, 2.0, 1.0, NAN], [NAN, 2.0, 1.0, NAN]]])
    facts = facts_of(4)
    rules = [NormaliseRule()] * 4
    assert constant(x, facts, rules, pooled=False).tolist() == [[True, True, False, False], [True, True, True, False]]
    assert constant(x, facts, rules, pooled=True).tolist() == [[True, False, False, False]] * 2
    posted = facts_of(4, lower=np.array([0, NAN, NAN, NAN]), upper=np.array([9, NAN, NAN, NAN]))
    rules = [NormaliseRule(), NormaliseRule(method="scaled"), NormaliseRule(method="rank"), NormaliseRule()]
    assert constant(x, posted, rules, pooled=False).tolist() == [
        [False, False, False, False],
        [False, False, True, False],
    ]
    assert scores(x, NormaliseRule(), posted)[0, :, 0].tolist() == [100 / 9, 100 / 9]


def test_goalposts_of_the_framework_bound_min_max_and_hold_figures_beyond_them() -> None:
    for method in ("minmax", "goalposts"):
        assert score([-5, 5, 15], method, low=0, high=10, lower=1) == [1, 1 + 99 * 0.5, 100]
        assert score([-5, 2, 15], method, -1, low=0, high=10) == [100, 80, 0]
    assert score([-5, 5, 15], "distance_to_best", low=0, high=10) == [0, 50, 100]


def test_fixed_bounds_need_goalposts_and_a_method_that_takes_them() -> None:
    x = np.array([[[1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]]])
    posted = facts_of(4, lower=np.array([0, NAN, 0, NAN]), upper=np.array([4, NAN, 4, NAN]))
    rules = [NormaliseRule(method=name) for name in ("minmax", "minmax", "zscore", "scaled")]
    with pytest.raises(RecipeError) as raised:
        normalise(x, posted, rules, bounds="fixed", units=["u", "v"], periods=["2000"])
    assert [(problem.where, problem.code) for problem in raised.value.problems] == [
        ("[normalise] i1", "no_goalposts"),
        ("[normalise] i2", "not_fixed"),
    ]
    rules = [NormaliseRule(), NormaliseRule(method="scaled"), NormaliseRule(), NormaliseRule(method="scaled")]
    found = normalise(x, posted, rules, bounds="fixed", units=["u", "v"], periods=["2000"])
    assert found[0, 0].tolist() == [25, 1, 25, 1]


def test_goalposts_without_goalposts_are_an_error() -> None:
    with pytest.raises(RecipeError, match="i0: found no goalposts"):
        score([1, 2], "goalposts")


def test_standard_scores_have_the_mean_and_deviation_asked_for() -> None:
    # Mean 4, sum of squares 8, so that the sample standard deviation is 2.
    assert score([2, 4, 6], "zscore") == pytest.approx([-1, 0, 1])
    assert score([2, 4, 6], "zscore", -1, mean=10, sd=3) == pytest.approx([13, 10, 7])


def test_ranks_ascend_and_ties_take_the_least() -> None:
    figures = [5, 1, 3, NAN, 3, 9]
    assert score(figures, "rank") == pytest.approx([4, 1, 2, NAN, 2, 5], nan_ok=True)
    assert score(figures, "rank", -1) == pytest.approx([2, 5, 3, NAN, 3, 1], nan_ok=True)
    assert score(figures, "borda") == pytest.approx([3, 0, 1, NAN, 1, 4], nan_ok=True)
    assert score(figures, "percentile_rank") == pytest.approx([3 / 4, 0, 1 / 4, NAN, 1 / 4, 1], nan_ok=True)


def test_ranks_over_all_periods() -> None:
    x = np.array([[3.0, 1.0], [2.0, NAN]])[:, :, None]
    found = scores(x, NormaliseRule(method="rank"), facts_of(1), "pooled")[:, :, 0]
    assert found.ravel().tolist() == pytest.approx([3, 1, 2, NAN], nan_ok=True)


def test_distance_to_best_is_taken_to_the_scale() -> None:
    assert score([2, 4, 10], "distance_to_best") == pytest.approx([0, 25, 100])
    assert score([2, 4, 10], "distance_to_best", -1, lower=0, upper=1) == pytest.approx([1, 0.75, 0])


def test_distance_to_reference_is_one_for_the_reference_and_not_capped() -> None:
    assert score([2, 4, 8], "distance_to_reference", reference="u1") == pytest.approx([0, 1, (8 - 2) / (4 - 2)])
    assert score([2, 4, 8], "distance_to_reference", -1, reference="u1") == pytest.approx([(8 - 2) / (8 - 4), 1, 0])


def test_pooled_distance_takes_the_last_figure_of_the_reference() -> None:
    x = np.array([[0.0, 5.0], [2.0, 10.0], [4.0, NAN]])[:, :, None]
    found = scores(x, NormaliseRule(method="distance_to_reference", reference="u1"), facts_of(1), "pooled")
    assert found[:, :, 0].ravel().tolist() == pytest.approx([0, 0.5, 0.2, 1, 0.4, NAN], nan_ok=True)


def test_a_reference_that_is_the_worst_or_missing_is_an_error_that_says_where() -> None:
    rule = NormaliseRule(method="distance_to_reference", reference="u0")
    x = np.array([[[2.0, 9.0], [4.0, 8.0]], [[2.0, NAN], [1.0, 8.0]]])
    with pytest.raises(RecipeError) as raised:
        scores(x, rule, facts_of(2))
    first = str(raised.value.problems[0])
    assert first.startswith("[normalise] i0 in 2000: found 2, the worst of all, for reference u0; expected a unit that")
    assert codes_of(raised) == ["reference_no_use"]
    x = np.array([[[2.0, NAN], [1.0, 8.0], [5.0, 9.0]]])
    with pytest.raises(RecipeError, match="i1 in 2000: found no figure for reference u0"):
        scores(x, rule, facts_of(2))


def test_an_unknown_reference_is_an_error_with_a_near_name() -> None:
    with pytest.raises(RecipeError, match=r"found reference u11; expected a unit of the data: 'u1'\?") as raised:
        scores(np.array([[[1.0], [2.0]]]), NormaliseRule(method="distance_to_reference", reference="u11"), facts_of(1))
    assert codes_of(raised) == ["unknown_unit"]


def test_distance_to_target_is_one_at_the_target_and_not_capped() -> None:
    assert score([2, 4, 10], "distance_to_target", target=8) == pytest.approx([0, 2 / 6, 8 / 6])
    assert score([2, 4, 10], "distance_to_target", -1, target=4) == pytest.approx([8 / 6, 1, 0])


def test_a_target_that_is_missing_or_no_better_than_the_worst_is_an_error() -> None:
    with pytest.raises(RecipeError, match="i0: found no target"):
        score([2, 4], "distance_to_target")
    for direction, target in ((1, 2.0), (1, 1.0), (-1, 4.0), (-1, 5.0)):
        with pytest.raises(RecipeError, match=f"i0 in 2000: found target {target:g}; expected a target better than"):
            score([2, 4], "distance_to_target", direction, target=target)


def test_scaled_is_a_straight_line_beyond_its_ends_and_turns_with_the_direction() -> None:
    assert score([1, 2, 6], "scaled", from_lower=1, from_upper=5) == [0, 25, 125]
    assert score([1, 2, 6], "scaled", -1, from_lower=1, from_upper=5) == [100, 75, -25]
    assert score([3, 3], "scaled", from_lower=1, from_upper=5, lower=0, upper=10) == [5, 5]


def test_share_of_best_is_one_for_the_best_in_both_directions() -> None:
    assert score([2, 4, 8], "share_of_best") == [2 / 8, 4 / 8, 1]
    assert score([2, 4, 8], "share_of_best", -1) == [1, 2 / 4, 2 / 8]
    assert score([0, 8], "share_of_best") == [0, 1]


def test_figures_that_have_no_share_are_an_error() -> None:
    for direction, figures, found in ((1, [-1, 5], "-1"), (-1, [0, 5], "0"), (-1, [-2, 5], "-2")):
        with pytest.raises(RecipeError, match=f"i0 in 2000: found the figure {found}"):
            score(figures, "share_of_best", direction)


def test_every_problem_is_told_at_once() -> None:
    rules = [NormaliseRule(method=name) for name in ("goalposts", "distance_to_target")]
    with pytest.raises(RecipeError) as raised:
        normalise(np.ones((1, 2, 2)), facts_of(2), rules, bounds="period", units=["u", "v"], periods=["2000"])
    assert codes_of(raised) == ["no_goalposts", "no_target"]


def test_each_indicator_has_its_own_rule() -> None:
    step = NormaliseStep(lower=1, by_indicator={"i1": NormaliseRule(method="rank"), "i2": NormaliseRule(upper=10)})
    rules = rules_of(step, ["i0", "i1", "i2", "i3"])
    assert [rule.method for rule in rules] == ["minmax", "rank", "minmax", "minmax"]
    x = np.array([[[2.0, 5.0, 2.0, 8.0], [4.0, 5.0, 4.0, 4.0], [6.0, 7.0, 6.0, 6.0]]])
    facts = facts_of(4, direction=np.array([1.0, 1.0, 1.0, -1.0]))
    found = normalise(x, facts, rules, bounds="period", units=["u", "v", "w"], periods=["2000"])
    assert found[0].T.tolist() == [[1, 50.5, 100], [1, 1, 3], [0, 5, 10], [1, 100, 50.5]]


def test_the_figures_given_are_left_as_they_are() -> None:
    x = np.array([[[2.0], [4.0], [NAN]]])
    before = x.copy()
    scores(x, NormaliseRule(), facts_of(1, -1.0), "pooled")
    assert np.array_equal(x, before, equal_nan=True)


@given(COLUMNS, st.floats(0.01, 100), FIGURES, st.sampled_from([1.0, -1.0]))
def test_min_max_and_standard_scores_ignore_units(x: np.ndarray, factor: float, shift: float, direction: float) -> None:
    for method in ("minmax", "zscore", "distance_to_best"):
        rule, facts = NormaliseRule(method=method), facts_of(1, direction)
        assert np.allclose(scores(x * factor + shift, rule, facts), scores(x, rule, facts), atol=1e-6, equal_nan=True)


@given(arrays(np.float64, (2, 6, 1), elements=FIGURES), st.sampled_from(["period", "pooled"]))
def test_scores_lie_within_the_scale_and_use_it_all(x: np.ndarray, bounds: str) -> None:
    found = scores(x, NormaliseRule(lower=1, upper=5), facts_of(1), bounds)
    assert ((found >= 1) & (found <= 5) | np.isnan(found)).all()
    for scale in [found] if bounds == "pooled" else list(found):
        assert np.isnan(scale).all() or (scale.min(), scale.max()) == (1, 5)


@given(COLUMNS)
def test_standard_scores_have_mean_nought_and_deviation_one(x: np.ndarray) -> None:
    observed = x[~np.isnan(x)]
    assume(len(np.unique(observed)) > 1)
    found = scores(x, NormaliseRule(method="zscore"), facts_of(1))
    found = found[~np.isnan(found)]
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert found.std(ddof=1) == pytest.approx(1)


@given(COLUMNS, st.sampled_from(["rank", "percentile_rank", "borda"]), st.sampled_from([1.0, -1.0]))
def test_rank_scores_do_not_change_under_a_monotone_map(x: np.ndarray, method: str, direction: float) -> None:
    rule, facts = NormaliseRule(method=method), facts_of(1, direction)
    # A cube of eighths is exact, so that no tie is made or broken.
    assert np.array_equal(scores(x**3, rule, facts), scores(x, rule, facts), equal_nan=True)


@given(COLUMNS, st.sampled_from([1.0, -1.0]))
def test_a_rank_counts_the_units_that_do_worse(x: np.ndarray, direction: float) -> None:
    observed = x[0, :, 0]
    assume(len(np.unique(observed[~np.isnan(observed)])) > 1)
    found = scores(x, NormaliseRule(method="rank"), facts_of(1, direction))[0, :, 0]
    for unit in np.flatnonzero(~np.isnan(observed)):
        assert found[unit] == 1 + (observed * direction < observed[unit] * direction).sum()


@given(COLUMNS, st.sampled_from(sorted(set(NORMALISERS) - {"goalposts", "distance_to_reference"})))
def test_a_better_figure_never_has_a_lower_score(x: np.ndarray, method: str) -> None:
    observed = x[~np.isnan(x)]
    assume(len(np.unique(observed)) > 1)
    for direction in (1.0, -1.0):
        # Shifted to be positive, as shares need; the target is the best figure.
        shifted = x - observed.min() + 1
        best = np.nanmax(shifted * direction) * direction
        facts = facts_of(1, direction, target=np.array([best]))
        found = scores(shifted, NormaliseRule(method=method), facts)
        order = np.argsort(observed * direction)
        assert (np.diff(found[~np.isnan(x)][order]) >= -1e-9).all()


def test_every_method_of_a_recipe_is_known() -> None:
    assert set(NORMALISERS) == set(get_args(NormaliseMethod))
