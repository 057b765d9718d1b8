"""Variants are whole runs of the changed recipe; what cannot be combined is said, never replaced."""

import numpy as np
import polars as pl
import pytest

from fhi.errors import PanelError
from fhi.frames import descending_ranks
from fhi.index import build_index
from fhi.rebuild import adjust, leave_one_out
from fhi.recipe import AggregateStep, Recipe, WeighStep
from green_index.robustness.choices import Choices, Revision
from green_index.robustness.draws import ChoiceError, WeightChoice, draw_weights
from green_index.robustness.tree_draws import score_draws, total_scores
from green_index.robustness.variants import Variants, disturb, variants

from .conftest import PERIOD, Case, make_case

RECIPE = Recipe(weights=WeighStep(method="given"), aggregate=AggregateStep(min_share=0, min_share_root=0))


def made(case: Case, choices: Choices, recipe: Recipe = RECIPE, seed: int = 0) -> Variants:
    return variants(case.panel, case.framework, recipe, PERIOD, choices, seed)


def scores_of(found: Variants, number: int) -> np.ndarray:
    """Scores of a variant by the stated weights."""
    plan = found.variants[number].plan
    weights = draw_weights(WeightChoice("stated"), found.groups, 1, np.random.default_rng(0))
    return np.asarray(total_scores(plan, score_draws(plan, weights, precise=True)))[0]


CHANGES = {
    ("minmax", "arithmetic", "none"): {},
    ("minmax", "geometric", "none"): {"aggregate.method": "geometric", "normalise.lower": 1.0},
    ("zscore", "harmonic", "none"): {
        "aggregate.method": "harmonic",
        "normalise.method": "zscore",
        "normalise.mean": 10.0,
        "normalise.sd": 2.0,
    },
    ("rank", "arithmetic", "median"): {"normalise.method": "rank", "impute.method": "median"},
}


@pytest.mark.parametrize("options", list(CHANGES))
def test_a_variant_is_the_index_of_the_changed_recipe(two_levels: Case, options: tuple[str, str, str]) -> None:
    names = ("normalisation", "aggregation", "imputation")
    listed = [tuple(dict.fromkeys(combination[i] for combination in CHANGES)) for i in range(3)]
    found = made(two_levels, Choices(**dict(zip(names, listed, strict=True))))  # type: ignore[arg-type]
    place = tuple(axis.index(option) for axis, option in zip(listed, options, strict=True))
    number = int(np.ravel_multi_index((*place, 0, 0, 0), found.shape))
    assert found.variants[number].options[:3] == options
    expected = build_index(two_levels.panel, two_levels.framework, adjust(RECIPE, CHANGES[options])).tree.scores["t"][0]
    assert scores_of(found, number) == pytest.approx(expected, rel=1e-6)
    row = found.table.row(number, named=True)
    shift = np.abs(descending_ranks(expected[None, None])[0, 0] - found.stated_ranks)
    assert (row["hubs_moved"], row["mean_shift"]) == (int((shift > 0).sum()), shift.mean())


def test_leaving_out_moves_ranks_as_in_the_base_index(two_levels: Case) -> None:
    codes = ("a1", "a2", "b", "b1", "b2", "b3", "c")
    found = made(two_levels, Choices(left_out=codes)).table
    expected = leave_one_out(build_index(two_levels.panel, two_levels.framework, RECIPE))
    shifts = dict(expected.select("code", "mean_shift").rows())
    assert dict(found.select("left_out", "mean_shift").rows()) == {
        "none": 0.0,
        **{code: pytest.approx(shifts[code]) for code in codes},
    }


def test_a_hub_that_a_variant_does_not_rank_is_left_out_of_it(two_levels: Case) -> None:
    """h4 has b and a2 alone besides a1; without c nobody misses anything, without a and under a strict share h4 and its
    one half is too little."""
    strict = RECIPE.model_copy(update={"aggregate": AggregateStep(min_share=0, min_share_root=0.5)})
    found = made(two_levels, Choices(left_out=("a",)), strict)
    # Of b and c, 1 : 1, h4 has b alone: a half, which is enough; with a root share of 0.6 it is not.
    assert found.table["ranked"].to_list() == [6, 6]
    stricter = RECIPE.model_copy(update={"aggregate": AggregateStep(min_share=0, min_share_root=0.6)})
    found = made(two_levels, Choices(left_out=("a",)), stricter)
    assert found.table["ranked"].to_list() == [6, 5]
    assert found.variants[1].plan.hubs.tolist() == [0, 1, 2, 3, 5]


def test_odds_multiply_and_options_not_named_count_one(two_levels: Case) -> None:
    choices = Choices(
        normalisation=("minmax", "rank"), aggregation=("arithmetic", "geometric"), odds={"normalisation": {"rank": 3.0}}
    )
    assert [variant.odds for variant in made(two_levels, choices).variants] == [1 / 8, 1 / 8, 3 / 8, 3 / 8]


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (Choices(normalisation=("borda",), aggregation=("geometric",)), "above zero for a geometric mean"),
        (Choices(aggregation=("copeland",)), "found copeland; expected arithmetic, geometric, harmonic"),
        (Choices(left_out=("b9",)), "'b'? known: a, a1"),
        (Choices(left_out=("b1", "b1")), "b1 twice"),
        (Choices(revision=Revision(0.1, 0)), "both above zero, the error at most 1, or both zero"),
        (Choices(revision=Revision(float("inf"), 2)), "2 panels with a relative error of inf"),
        (Choices(odds={"norm": {}}), "one of aggregation, imputation"),
        (Choices(odds={"normalisation": {"minmax": 0.0}}), "expected a number above zero"),
        (Choices(odds={"normalisation": {"rank": 1.0}}), "found rank; expected"),
        (Choices(imputation=("group_mean",)), "group_mean needs group"),
        (Choices(revision=Revision(0.1, 5000)), "at most 5000 combinations"),
        (Choices(WeightChoice("experts")), "no group with two experts or more"),
    ],
)
def test_what_cannot_be_is_said(two_levels: Case, choices: Choices, told: str) -> None:
    with pytest.raises(ChoiceError) as raised:
        made(two_levels, choices)
    assert told in str(raised.value)


def test_every_wrong_combination_is_named(two_levels: Case) -> None:
    choices = Choices(normalisation=("minmax", "borda", "percentile_rank"), aggregation=("arithmetic", "harmonic"))
    with pytest.raises(ChoiceError) as raised:
        made(two_levels, choices)
    assert [problem.where for problem in raised.value.problems] == [
        "normalisation borda, aggregation harmonic",
        "normalisation percentile_rank, aggregation harmonic",
    ]


def test_benefit_of_the_doubt_is_refused(two_levels: Case) -> None:
    recipe = RECIPE.model_copy(update={"weights": WeighStep(method="given", by_group={"b": "bod"})})
    with pytest.raises(ChoiceError, match="group b: found weighed by benefit of the doubt"):
        made(two_levels, Choices(), recipe)


def test_disturbed_figures_have_the_stated_error_and_keep_zeros(two_levels: Case) -> None:
    many = pl.concat([two_levels.panel.with_columns(period=pl.lit(str(year))) for year in range(1000, 1400)])
    zero = many.with_columns(pl.when(pl.col("code") == "c1").then(0.0).otherwise("value").alias("value"))
    found = disturb(zero, two_levels.framework, 0.2, 3, 1)
    assert found.filter(pl.col("code") == "c1")["value"].unique().to_list() == [0.0]
    factor = (found["value"] / zero["value"]).drop_nans()
    assert factor.mean() == pytest.approx(1, abs=0.01)
    assert factor.std() == pytest.approx(0.2, rel=0.05)
    assert disturb(zero, two_levels.framework, 0.2, 3, 1).equals(found)
    assert not disturb(zero, two_levels.framework, 0.2, 3, 2).equals(found)


def test_hubs_with_the_same_figure_are_disturbed_together(two_levels: Case) -> None:
    same = two_levels.panel.with_columns(
        pl.when(pl.col("code") == "c1")
        .then(pl.col("hub").str.ends_with("1").cast(pl.Float64))
        .otherwise("value")
        .alias("value")
    )
    found = disturb(same, two_levels.framework, 0.2, 3, 1)
    pairs = pl.DataFrame({"before": same["value"], "after": found["value"], "code": same["code"]})
    flags = pairs.filter(pl.col("code") == "c1").unique()
    assert sorted(flags["before"].to_list()) == [0.0, 1.0]
    assert pairs.filter(pl.col("code") == "b1")["after"].n_unique() > 2


def test_a_revised_panel_is_one_more_option(two_levels: Case) -> None:
    raised = two_levels.panel.with_columns(
        pl.when((pl.col("hub") == "h0") & (pl.col("code") == "b1")).then(99.0).otherwise("value").alias("value")
    )
    found = made(two_levels, Choices(revision=Revision(revised=raised)))
    assert found.table["revision"].to_list() == ["as_reported", "revised"]
    assert scores_of(found, 1) == pytest.approx(
        build_index(raised, two_levels.framework, RECIPE).tree.scores["t"][0], rel=1e-6
    )


def test_one_period_alone_gives_what_all_periods_give(two_levels: Case) -> None:
    """Steps are done on the one period where nothing looks at others: each imputation, held against the whole panel."""
    other = two_levels.panel.with_columns(period=pl.lit("2021"), value=pl.col("value") * 1.5 + 1)
    panel = pl.concat([two_levels.panel, other.filter(pl.col("code") != "b2")])
    methods = ("none", "mean", "median", "row_mean", "row_median", "knn", "iterative", "linear", "carry_forward")
    found = variants(panel, two_levels.framework, RECIPE, PERIOD, Choices(imputation=methods), 0)
    for number, method in enumerate(methods):
        whole = build_index(panel, two_levels.framework, adjust(RECIPE, {"impute.method": method}))
        at = whole.steps.periods.index(PERIOD)
        assert scores_of(found, number) == pytest.approx(whole.tree.scores["t"][at], rel=1e-6), method


def test_a_revised_panel_is_checked(two_levels: Case) -> None:
    other = two_levels.panel.with_columns(period=pl.lit("2021"))
    with pytest.raises(ChoiceError, match="revised panel: found no row of 2022"):
        made(two_levels, Choices(revision=Revision(revised=other)))
    twice = pl.concat([two_levels.panel, two_levels.panel])
    with pytest.raises(PanelError):
        made(two_levels, Choices(revision=Revision(revised=twice)))


def test_a_variant_that_ranks_nobody_is_said() -> None:
    """Whoever has a has no b: without a, all that is ranked is a hub that was not ranked before."""
    case = make_case(
        {"t": ("a", "b"), "a": ("a1",), "b": ("b1",)},
        {"a": 9, "b": 1, "a1": 1, "b1": 1},
        {"a1": (1.0, 2.0, None, None), "b1": (None, None, 3.0, 4.0)},
    )
    recipe = RECIPE.model_copy(update={"aggregate": AggregateStep(min_share=0, min_share_root=0.5)})
    with pytest.raises(ChoiceError, match="left_out a: found none of the hubs ranked"):
        made(case, Choices(left_out=("a",)), recipe)
